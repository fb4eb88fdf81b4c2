// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t critical;
static pthread_once_t critical_is_made = PTHREAD_ONCE_INIT;

// A mutex that cannot be locked or unlocked is not ours to use: going on would be unsynchronised.
static void demand(int error)
{
    if (error != 0) {
        abort();
    }
}

static void enter(void *self)
{
    demand(pthread_mutex_lock(self));
}

static void leave(void *self)
{
    demand(pthread_mutex_unlock(self));
}

mete_lock_t mete_posix_lock(pthread_mutex_t *mutex)
{
    static const mete_lock_ops_t ops = {enter, leave};
    return (mete_lock_t){&ops, mutex};
}

uint32_t mete_clock_ms(void)
{
    struct timespec now;
    demand(clock_gettime(CLOCK_MONOTONIC, &now));
    return (uint32_t)((uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U);
}

static void make_critical(void)
{
    pthread_mutexattr_t attributes;
    demand(pthread_mutexattr_init(&attributes));
    demand(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
    demand(pthread_mutex_init(&critical, &attributes));
    demand(pthread_mutexattr_destroy(&attributes));
}

uintptr_t mete_critical_enter(void)
{
    demand(pthread_once(&critical_is_made, make_critical));
    enter(&critical);
    return 0U;
}

void mete_critical_leave(uintptr_t state)
{
    (void)state;
    leave(&critical);
}

void mete_fault_report(mete_fault_t fault, const void *object, const void *address,
                       const void *caller)
{
    (void)fprintf(stderr, "mete: fault %d, object %p, address %p, caller %p\n", (int)fault, object,
                  address, caller);
    abort();
}

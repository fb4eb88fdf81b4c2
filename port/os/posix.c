// SPDX-License-Identifier: MIT OR Apache-2.0

// Of glibc, for PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP: a critical section needs no first call then.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "port/os/posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t critical = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

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

uintptr_t mete_critical_enter(void)
{
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

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/posix.h"

#include <errno.h>
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

void mete_posix_signal_init(mete_posix_signal_t *signal)
{
    pthread_condattr_t attributes;
    demand(pthread_condattr_init(&attributes));
    demand(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    demand(pthread_cond_init(&signal->condition, &attributes));
    demand(pthread_condattr_destroy(&attributes));
    demand(pthread_mutex_init(&signal->mutex, NULL));
    signal->is_set = false;
}

static struct timespec time_in(uint32_t ms)
{
    struct timespec then;
    demand(clock_gettime(CLOCK_MONOTONIC, &then));
    then.tv_sec += (time_t)(ms / 1000U);
    then.tv_nsec += (long)(ms % 1000U) * 1000000L;
    if (then.tv_nsec >= 1000000000L) {
        then.tv_nsec -= 1000000000L;
        then.tv_sec++;
    }
    return then;
}

// False when the time has passed. May return early for no reason, as condition variables do.
static bool sleep_until(mete_posix_signal_t *signal, const struct timespec *then, bool is_forever)
{
    if (is_forever) {
        demand(pthread_cond_wait(&signal->condition, &signal->mutex));
        return true;
    }
    const int error = pthread_cond_timedwait(&signal->condition, &signal->mutex, then);
    if (error == ETIMEDOUT) {
        return false;
    }
    demand(error);
    return true;
}

static bool wait_signal(void *self, uint32_t timeout_ms)
{
    mete_posix_signal_t *const signal = self;
    const struct timespec then = time_in(timeout_ms);
    enter(&signal->mutex);
    while (!signal->is_set && sleep_until(signal, &then, timeout_ms == METE_SIGNAL_FOREVER)) {
    }
    const bool was_set = signal->is_set;
    signal->is_set = false;
    leave(&signal->mutex);
    return was_set;
}

static void notify_signal(void *self)
{
    mete_posix_signal_t *const signal = self;
    enter(&signal->mutex);
    signal->is_set = true;
    demand(pthread_cond_signal(&signal->condition));
    leave(&signal->mutex);
}

mete_signal_t mete_posix_signal(mete_posix_signal_t *signal)
{
    static const mete_signal_ops_t ops = {wait_signal, notify_signal};
    return (mete_signal_t){&ops, signal};
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

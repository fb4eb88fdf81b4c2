// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_POSIX_H
#define METE_PORT_POSIX_H

/// mete/core/platform.h on POSIX systems: for tests, tools and programs on a host.
///
/// The critical section is one recursive mutex for the whole process: it keeps other threads out of
/// critical sections, and only that; a signal handler must not enter one. The clock is
/// CLOCK_MONOTONIC. A fault report goes to standard error and aborts.

#include "mete/core/platform.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A mutex as a lock. Whether the holder may enter it again is the mutex's own attribute.
mete_lock_t mete_posix_lock(pthread_mutex_t *mutex);

/// What a signal consists of. It must outlive everybody who may notify it.
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_set;
} mete_posix_signal_t;

/// Makes a signal ready, not set.
void mete_posix_signal_init(mete_posix_signal_t *signal);

/// A condition variable as a signal, for mete/wrap/wait.h. Not for signal handlers of the system.
mete_signal_t mete_posix_signal(mete_posix_signal_t *signal);

/// The `trace` of mete/wrap/track.h: follows the unwind tables. `self` is not used.
void mete_posix_trace(void *self, const void **frames, size_t count);

#ifdef __cplusplus
}
#endif
#endif

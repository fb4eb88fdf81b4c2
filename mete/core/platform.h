// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLATFORM_H
#define METE_PLATFORM_H

/// What Mete asks of the platform. The functions are implemented once per platform in port/os/; a
/// program that uses one without linking a port gets a link error, never a silent default. What METE_FAULT
/// may call, mete_fault_report(), is declared in mete/core/base.h.

#include "mete/core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Mutual exclusion, as data: what to do, and on whom. enter() and leave() come in pairs, in one
/// task; whether enter() may be called again by the holder is the implementation's to say.
typedef struct mete_lock_ops {
    void (*enter)(void *self);
    void (*leave)(void *self);
} mete_lock_ops_t;

typedef struct mete_lock {
    const mete_lock_ops_t *ops;
    void *self;
} mete_lock_t;

/// What a task sleeps on, as data. notify() sets the signal, from a task or an interrupt; it stays set
/// until it is waited for, so that none is missed. wait() sleeps until it is set, clears it and returns
/// true; or returns false when `timeout_ms` have passed. One task waits for a signal.
typedef struct mete_signal_ops {
    bool (*wait)(void *self, uint32_t timeout_ms);
    void (*notify)(void *self);
} mete_signal_ops_t;

typedef struct mete_signal {
    const mete_signal_ops_t *ops;
    void *self;
} mete_signal_t;

/// A timeout that never passes.
#define METE_SIGNAL_FOREVER UINT32_MAX

/// Reads a clock. Ticks count up and wrap at 2^32; a config says how long one is, if it matters.
/// Callable from tasks and interrupts.
typedef uint32_t (*mete_clock_t)(void);

/// Milliseconds since start. Wraps after 49.7 days. Callable from tasks and interrupts.
uint32_t mete_clock_ms(void);

/// Keeps everything else on this core out until mete_critical_leave() is given the value returned.
/// Nests. Callable from tasks and interrupts.
uintptr_t mete_critical_enter(void);
void mete_critical_leave(uintptr_t state);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What bare-metal platforms share. The processor's part is in bare_metal_cortex_m.c and
// bare_metal_riscv.c.

#include "port/os/bare_metal.h"

#include "mete/core/text.h"
#include "port/cpu/start.h"

static void enter(void *self)
{
    mete_bare_metal_lock_t *const lock = self;
    const uintptr_t state = mete_critical_enter();
    if (lock->depth == 0U) {
        lock->state = state;
    }
    lock->depth++;
}

static void leave(void *self)
{
    mete_bare_metal_lock_t *const lock = self;
    lock->depth--;
    if (lock->depth == 0U) {
        mete_critical_leave(lock->state);
    }
}

mete_lock_t mete_bare_metal_lock(mete_bare_metal_lock_t *lock)
{
    static const mete_lock_ops_t ops = {enter, leave};
    return (mete_lock_t){&ops, lock};
}

static bool take_signal(mete_bare_metal_signal_t *signal)
{
    const bool was_set = signal->is_set;
    signal->is_set = false;
    return was_set;
}

// Looks and falls asleep with interrupts masked: one that comes in between is pending and ends the sleep.
static bool wait(void *self, uint32_t timeout_ms)
{
    const uint32_t start = mete_clock_ms();
    bool is_over = false;
    bool was_set = false;
    while (!was_set && !is_over) {
        const uintptr_t state = mete_critical_enter();
        was_set = take_signal(self);
        is_over = (timeout_ms != METE_SIGNAL_FOREVER) && (mete_clock_ms() - start >= timeout_ms);
        if (!was_set && !is_over) {
            mete_bare_metal_idle();
        }
        mete_critical_leave(state);
    }
    return was_set;
}

static void notify(void *self)
{
    mete_bare_metal_signal_t *const signal = self;
    const uintptr_t state = mete_critical_enter();
    signal->is_set = true;
    mete_critical_leave(state);
}

mete_signal_t mete_bare_metal_signal(mete_bare_metal_signal_t *signal)
{
    static const mete_signal_ops_t ops = {wait, notify};
    return (mete_signal_t){&ops, signal};
}

static void say(const char *name, const void *address)
{
    mete_text_string(mete_port_console, name);
    mete_text_hex(mete_port_console, (uintptr_t)address);
}

void mete_fault_report(mete_fault_t fault, const void *object, const void *address,
                       const void *caller)
{
    (void)mete_critical_enter();
    mete_text_string(mete_port_console, "mete: fault ");
    mete_text_decimal(mete_port_console, (size_t)fault);
    say(", object ", object);
    say(", address ", address);
    say(", caller ", caller);
    mete_text_string(mete_port_console, "\n");
    mete_port_exit(METE_PORT_EXIT_REPORT);
}

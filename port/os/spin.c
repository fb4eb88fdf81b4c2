// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/spin.h"

// Masked first: an interrupt that came between the ticket and the turn would hold up every core.
static void enter(void *self)
{
    mete_spin_t *const spin = self;
    const uintptr_t state = mete_critical_enter();
    const uint32_t ticket = __atomic_fetch_add(&spin->next_ticket, 1U, __ATOMIC_RELAXED);
    while (__atomic_load_n(&spin->now_serving, __ATOMIC_ACQUIRE) != ticket) {
    }
    spin->state = state;
}

static void leave(void *self)
{
    mete_spin_t *const spin = self;
    const uintptr_t state = spin->state;
    __atomic_store_n(&spin->now_serving, spin->now_serving + 1U, __ATOMIC_RELEASE);
    mete_critical_leave(state);
}

mete_lock_t mete_spin_lock(mete_spin_t *spin)
{
    static const mete_lock_ops_t ops = {enter, leave};
    return (mete_lock_t){&ops, spin};
}

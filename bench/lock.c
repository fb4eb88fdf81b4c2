// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The lock: around a lock that does nothing, which shows its own instructions (and one each for
// entering and leaving), and around one that masks interrupts.

#include "mete/wrap/lock.h"
#include "bench/view.h"
#include "port/os/bare_metal.h"

static void nothing(void *self)
{
    (void)self;
}

int main(void)
{
    static const mete_lock_ops_t ops = {.enter = nothing, .leave = nothing};
    static flat_t flat;
    static mete_bare_metal_lock_t masked;
    static mete_locked_t locked;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_locked_init(&locked, bare, (mete_lock_t){&ops, NULL}, NULL);
    work_view("empty", mete_locked_as_alloc(&locked));
    (void)mete_locked_init(&locked, bare, mete_bare_metal_lock(&masked), NULL);
    work_view("masked", mete_locked_as_alloc(&locked));
    return 0;
}

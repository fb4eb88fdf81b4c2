// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the guard adds to a call: canaries alone; where owns of the allocator behind is asked (the flat one
// takes 6 instructions for that); with a quarantine that is full, so that for each block that enters one
// leaves; and with fills of VIEW_SIZE bytes on top.

#include "mete/wrap/guard.h"
#include "bench/view.h"

static flat_t flat;

static void work_guard(const char *phase, const mete_guard_config_t *config)
{
    static mete_guard_t guard;
    (void)mete_guard_init(&guard, flat_init(&flat), config);
    work_view(phase, mete_guard_as_alloc(&guard));
}

int main(void)
{
    static const mete_guard_config_t bare = {.is_in_one_piece = true};
    static const mete_guard_config_t asked = {0};
    static const mete_guard_config_t quarantine = {.is_in_one_piece = true,
                                                   .quarantine_size = 352U};
    static const mete_guard_config_t filled = {.is_in_one_piece = true,
                                               .quarantine_size = 352U,
                                               .fills_acquired = true,
                                               .fills_released = true,
                                               .released_fill = 0xDDU};
    work_view("bare", flat_init(&flat));
    work_guard("guard", &bare);
    work_guard("asked", &asked);
    work_guard("quarantine", &quarantine);
    work_guard("filled", &filled);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Notes in 1024 bytes: one in the middle is deleted, and the others are moved together around one that
// is pinned. Handles stay good; addresses only while pinned.

#include "mete/alloc/movable.h"

#include <stdio.h>

METE_MOVABLE_DEFINE(notes, 1024, 14);

static bool print_block(void *self, const mete_movable_block_t *block)
{
    (void)self;
    printf("  %4zu bytes %s\n", block->size,
           block->is_pinned ? "in use, pinned" : (block->is_live ? "in use" : "free"));
    return true;
}

static void print_store(const char *when)
{
    const mete_movable_usage_t usage = mete_movable_usage(&notes);
    printf("%s: %zu of %zu bytes in use, %zu free in %zu gaps, fragmented %u to %u permille\n",
           when, usage.in_use_size, usage.total_size, usage.free_size, usage.gap_count,
           (unsigned)usage.frag.low_permille, (unsigned)usage.frag.high_permille);
    (void)mete_movable_walk(&notes, print_block, NULL);
}

int main(void)
{
    if (!mete_movable_init(&notes, &notes_config)) {
        return 1;
    }
    const mete_movable_handle_t first = mete_movable_alloc(&notes, 100);
    const mete_movable_handle_t second = mete_movable_alloc(&notes, 200);
    const mete_movable_handle_t third = mete_movable_alloc(&notes, 150);
    const mete_movable_handle_t fourth = mete_movable_alloc(&notes, 120);
    (void)snprintf(mete_movable_pin(&notes, fourth), 120, "written before the move");
    mete_movable_unpin(&notes, fourth);

    (void)mete_movable_pin(&notes, third);
    mete_movable_free(&notes, second);
    print_store("The second is gone");

    size_t steps = 1;
    while (mete_movable_compact(&notes, 64) != 0) {  // 64 bytes at a time, now and then.
        steps++;
    }
    printf("%zu steps. The fourth says: %s\n", steps, (char *)mete_movable_pin(&notes, fourth));
    mete_movable_unpin(&notes, fourth);
    print_store("Around a pin");

    mete_movable_unpin(&notes, third);
    (void)mete_movable_compact(&notes, SIZE_MAX);
    print_store("Without it");
    printf("first %s, second %s\n", mete_movable_has(&notes, first) ? "there" : "gone",
           mete_movable_has(&notes, second) ? "there" : "gone");
    return 0;
}

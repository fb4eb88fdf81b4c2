// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A buddy of frames: blocks of 64 bytes, 128, 256 and so on, each at a multiple of its size; halves are
// split off and join again.

#include "mete/alloc/buddy.h"

#include <stdio.h>

METE_BUDDY_DEFINE(frames, 64, 24);

static void show(const char *what)
{
    const mete_buddy_usage_t usage = mete_buddy_usage(&frames);
    printf("%-20s %4zu of %zu bytes in use, largest free block %zu\n", what, usage.in_use_size,
           usage.total_size, usage.largest_free_size);
}

int main(void)
{
    if (!mete_buddy_init(&frames, &frames_config)) {
        return 1;
    }
    show("24 frames:");
    unsigned char *const packet = mete_buddy_alloc(&frames, 200U);
    unsigned char *const small = mete_buddy_alloc(&frames, 50U);
    unsigned char *const large = mete_buddy_alloc(&frames, 512U);
    if ((packet == NULL) || (small == NULL) || (large == NULL)) {
        return 1;
    }
    show("three blocks:");
    const size_t first = (size_t)(packet - frames_blocks[0]);
    printf("200 bytes at %zu, 50 at %zu, 512 at %zu\n", first, (size_t)(small - frames_blocks[0]),
           (size_t)(large - frames_blocks[0]));

    printf("packet grown to 500 bytes: %s\n",
           mete_buddy_resize(&frames, packet, 500U) ? "in place" : "no, its buddy is in use");
    mete_buddy_free(&frames, small);
    printf("without the small one: %s\n",
           mete_buddy_resize(&frames, packet, 500U) ? "in place" : "no, its buddy is in use");
    printf("1025 bytes: %s\n", (mete_buddy_alloc(&frames, 1025U) == NULL) ? "refused" : "granted");

    mete_buddy_free(&frames, packet);
    mete_buddy_free(&frames, large);
    show("all given back:");
    printf("bookkeeping %s, %zu bytes of it\n", mete_buddy_check(&frames) ? "sound" : "damaged",
           sizeof frames_table);
    return 0;
}

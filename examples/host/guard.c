// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two bugs that harm nobody today: a string without room for its terminator, and a buffer that is written to
// after it was given back. The guard shows both, before anything is released or crashes.

#include "mete/wrap/guard.h"
#include "mete/alloc/heap.h"
#include "mete/wrap/guard_report.h"

#include <stdio.h>
#include <string.h>

METE_HEAP_DEFINE(app, 16384);

static char *copy_name(mete_alloc_t alloc, const char *name)
{
    char *const copy = mete_acquire(alloc, strlen(name), 1U);  // The bug: one byte too few.
    return (copy != NULL) ? memcpy(copy, name, strlen(name) + 1U) : NULL;
}

// Prints a report, but no addresses and no dumps: they differ from run to run.
static size_t print(void *self, const void *bytes, size_t size)
{
    static bool is_dump;
    (void)self;
    const char *const text = bytes;
    is_dump = is_dump || ((size > 10U) && (memcmp(text, "guard dump", 10U) == 0));
    if (!is_dump) {
        const bool is_address = (size > 2U) && (text[0] == '0') && (text[1] == 'x');
        (void)fwrite(is_address ? "0x..." : text, 1U, is_address ? 5U : size, stdout);
    }
    is_dump = is_dump && (text[size - 1U] != '\n');
    return size;
}

static bool look(void *self, const mete_guard_block_t *block)
{
    if (mete_guard_damage_of(self, block->block).side != METE_GUARD_WHOLE) {
        mete_guard_report_write(self, block->block, NULL, (mete_sink_t){print, NULL});
    }
    return true;
}

int main(void)
{
    static const mete_guard_config_t config = {
        .seed = 1U, .quarantine_size = 2048U, .fills_released = true, .released_fill = 0xDDU};
    static mete_guard_t guard;
    (void)mete_guard_init(&guard, mete_heap_as_alloc(mete_heap_init(&app_config)), &config);
    const mete_alloc_t alloc = mete_guard_as_alloc(&guard);

    char *const packet = mete_acquire(alloc, 100U, 4U);
    const char *const name = copy_name(alloc, "sensor 7");
    printf("%s is %s\n", name, mete_guard_check(&guard) ? "fine" : "too long");
    mete_release(alloc, packet, 100U, 4U);
    packet[12] = 1;  // The other bug: an interrupt that still knows the packet.
    (void)mete_guard_walk(&guard, look, &guard);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/scrub.h"

#include "mete/core/pass.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

_Static_assert(offsetof(mete_scrub_t, inner) == 0U, "what passes calls on expects it there");

// Only what is held, with that size, may be written to. Asking changes nothing, and whoever refuses
// reports the fault.
static bool is_held(const mete_scrub_t *scrub, void *block, size_t size, size_t align)
{
    const mete_alloc_t inner = scrub->inner;
    return !IS_CHECKED || (inner.ops->resize == NULL) ||
           inner.ops->resize(inner.self, block, size, size, align);
}

// Somebody may look at this memory: so says the asm, and no compiler may leave the writes out.
static void wipe(void *start, uint8_t pattern, size_t size)
{
    mete_words_fill(start, pattern, size);
    __asm__ volatile("" ::"r"(start) : "memory");
}

static void release(void *self, void *block, size_t size, size_t align)
{
    const mete_scrub_t *const scrub = self;
    if (is_held(scrub, block, size, align)) {
        wipe(block, scrub->pattern, size);
        scrub->inner.ops->release(scrub->inner.self, block, size, align);
    }
}

// A block that is to shrink is at least asked about, so that misuse is reported all the same.
static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_scrub_t *const scrub = self;
    const mete_alloc_t inner = scrub->inner;
    const bool shrinks = new_size < old_size;
    const bool resized =
        inner.ops->resize(inner.self, block, old_size, shrinks ? old_size : new_size, align);
    return resized && !shrinks;
}

bool mete_scrub_init(mete_scrub_t *scrub, mete_alloc_t inner, uint8_t pattern)
{
    METE_ASSERT(scrub != NULL);
    if (inner.ops == NULL) {
        return false;
    }
    scrub->inner.ops = inner.ops;
    scrub->inner.self = inner.self;
    scrub->pattern = pattern;
    return true;
}

mete_alloc_t mete_scrub_as_alloc(mete_scrub_t *scrub)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(mete_pass_acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((scrub != NULL) && (scrub->inner.ops != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(scrub->inner)], scrub};
    return view;
}

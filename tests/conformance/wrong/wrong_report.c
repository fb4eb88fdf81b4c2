// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with telling of one's memory.

#include "tests/conformance/wrong/wrong.h"

static bool all_but_the_last_byte(const void *self, const void *address)
{
    const reference_t *const reference = self;
    const mete_span_t span = {reference->arena.start, reference->arena.size - 1U};
    return mete_span_has(span, address);
}

static bool only_what_is_held(const void *self, const void *address)
{
    const reference_t *const reference = self;
    bool found = false;
    for (size_t i = 0U; i < reference->count; i++) {
        const mete_span_t span = {reference->blocks[i].start, reference->blocks[i].size};
        found |= mete_span_has(span, address);
    }
    return found;
}

static bool one_byte_more(const void *self, const void *address)
{
    const reference_t *const reference = self;
    const mete_span_t span = {reference->arena.start, reference->arena.size + 1U};
    return mete_span_has(span, address);
}

static size_t rounded_down(const void *self, const void *block)
{
    return reference_size_of(self, block) & ~(size_t)7U;
}

static size_t some_bytes_more(const void *self, const void *block)
{
    return reference_size_of(self, block) + 8U;
}

static size_t coarse(const void *self, const void *block)
{
    return reference_size_of(self, block) | 1023U;
}

static const wrong_t wrongs[] = {
    {"it owns every byte of its blocks", .ops.owns = all_but_the_last_byte},
    {"it owns memory that is free", .ops.owns = only_what_is_held},
    {"it owns nothing outside", .ops.owns = one_byte_more},
    {"size_of is at least the size", .ops.size_of = rounded_down},
    {"every byte of size_of can be used", .ops.size_of = some_bytes_more},
    {"size_of follows a resize", .ops.size_of = coarse},
};

const wrong_group_t wrong_group_report = WRONG_GROUP(wrongs);

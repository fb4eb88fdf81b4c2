// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_HEAP_RULES_H
#define METE_TEST_HEAP_RULES_H

/// What heap.h promises of sizes, bins and requests, in the plainest form: what a model of the heap knows.

#include "tests/support/chance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// In what the narrow and the wide heap differ.
typedef struct heap_rules {
    size_t header_size;
    size_t granules_min;  ///< Of a block.
    size_t size_max;      ///< Bytes that can be asked for.
    size_t bin_count;     ///< With bin 0, which is not used.
} heap_rules_t;

enum { HEAP_GRANULE = 8 };

/// Granules of a block for `size` bytes; more than any heap has for sizes that none has.
static inline size_t heap_granules_for(const heap_rules_t *rules, size_t size)
{
    const size_t rest = (size % HEAP_GRANULE) + rules->header_size + HEAP_GRANULE - 1U;
    const size_t granules = (size / HEAP_GRANULE) + (rest / HEAP_GRANULE);
    if ((size == 0U) || (size > rules->size_max)) {
        return SIZE_MAX;
    }
    return (granules > rules->granules_min) ? granules : rules->granules_min;
}

/// Bins start at 1, 2 ... 8 granules, then at 12, 16, 24, 32 and so on: two an octave.
typedef struct heap_bin {
    size_t bin;
    size_t end;   ///< Granules of the first block that does not belong here.
    size_t step;  ///< From this bin's start to its end.
} heap_bin_t;

static inline heap_bin_t heap_first_bin(void)
{
    return (heap_bin_t){1U, 2U, 1U};
}

static inline void heap_next_bin(heap_bin_t *bin)
{
    bin->bin++;
    bin->step = ((bin->bin >= 8U) && (bin->bin % 2U == 0U)) ? bin->end / 2U : bin->step;
    bin->end += bin->step;
}

static inline size_t heap_bin_of(const heap_rules_t *rules, size_t granules)
{
    heap_bin_t bin = heap_first_bin();
    while ((bin.end <= granules) && (bin.bin + 1U < rules->bin_count)) {
        heap_next_bin(&bin);
    }
    return bin.bin;
}

/// A request, and what is known of the free blocks.
typedef struct heap_wish {
    size_t granules;
    size_t bin;
    size_t looks;        ///< Blocks that are looked at in the bin of the request.
    size_t fit_count;    ///< Blocks of that bin or above that fit;
    size_t small_count;  ///< blocks of that bin that do not.
    bool is_sure;        ///< There is a block of a bin above.
} heap_wish_t;

static inline heap_wish_t heap_wish(const heap_rules_t *rules, size_t granules, size_t search)
{
    return (heap_wish_t){
        granules, heap_bin_of(rules, granules), (search != 0U) ? search : 1U, 0U, 0U, false};
}

static inline void heap_wish_see(const heap_rules_t *rules, heap_wish_t *wish, size_t free)
{
    const size_t bin = heap_bin_of(rules, free);
    wish->is_sure = wish->is_sure || (bin > wish->bin);
    wish->fit_count += (free >= wish->granules) ? 1U : 0U;
    wish->small_count += ((bin == wish->bin) && (free < wish->granules)) ? 1U : 0U;
}

/// Whatever is in a higher bin is found. In the bin of the request `search` blocks are looked at, at
/// least one: it fits if the others are fewer.
static inline chance_t heap_wish_chance(const heap_wish_t *wish)
{
    if (wish->fit_count == 0U) {
        return MUST_FAIL;
    }
    return (wish->is_sure || (wish->small_count < wish->looks)) ? MUST_SUCCEED : MAY_SUCCEED;
}

#endif

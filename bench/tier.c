// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a tier adds: a request served by its class, which is the first, the second, the fifth, or found by
// formula; one that the next class serves; and releases once members must be asked who owns a block.

#include "mete/alloc/tier.h"
#include "bench/view.h"

enum { CLASS_COUNT = 8, FIRST = VIEW_SIZE, STEP = 8 };

static flat_t flat;
static mete_tier_class_t classes[CLASS_COUNT + 1];
static mete_tier_t tier;

static void *acquire_none(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

static bool owns_none(const void *self, const void *address)
{
    (void)self, (void)address;
    return false;
}

// A tier whose classes grow by STEP from `first`; those before `from` have nothing.
static mete_alloc_t tier_of(size_t first, size_t linear_count, size_t from)
{
    static const mete_alloc_ops_t none = {.acquire = acquire_none, .owns = owns_none};
    static size_t sizes[CLASS_COUNT];
    static mete_tier_config_t config;
    mete_alloc_t members[CLASS_COUNT];
    const mete_alloc_t source = flat_init(&flat);
    for (size_t i = 0U; i < CLASS_COUNT; i++) {
        sizes[i] = first + (STEP * i);
        members[i] = (i < from) ? (mete_alloc_t){&none, NULL} : source;
    }
    config = (mete_tier_config_t){sizes, NULL, CLASS_COUNT, linear_count, 1U, classes};
    (void)mete_tier_init(&tier, members, source, &config);
    return mete_tier_as_alloc(&tier);
}

int main(void)
{
    work_view("bare", flat_init(&flat));
    work_view("first", tier_of(FIRST, 0U, 0U));
    work_view("second", tier_of(FIRST - STEP, 0U, 0U));
    work_view("third", tier_of(FIRST - (2 * STEP), 0U, 0U));
    work_view("formula", tier_of(STEP, CLASS_COUNT, 0U));
    work_view("spill", tier_of(FIRST, 0U, 1U));
    return 0;
}

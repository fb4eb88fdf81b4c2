// SPDX-License-Identifier: MIT OR Apache-2.0
//
// From sizes to classes of a tier, from inside: by formula, one after the other, and to the fallback.

#include "mete/alloc/tier.c"

#include "tests/exhaust/sizes.h"

#define LARGEST 0x10000001U  // Of all classes.

METE_TIER_DEFINE(tier, 5, 0, 16, 32, 48, 64, 80, 81, 100, 4096, LARGEST);
enum { CLASS_COUNT = sizeof tier_sizes / sizeof tier_sizes[0] };

static void *refuse(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

static void ignore(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static bool disown(const void *self, const void *address)
{
    (void)self, (void)address;
    return false;
}

static void open_tier(void)
{
    static const mete_alloc_ops_t ops = {refuse, ignore, NULL, disown, NULL};
    mete_alloc_t members[CLASS_COUNT];
    for (size_t i = 0U; i < (size_t)CLASS_COUNT; i++) {
        members[i] = (mete_alloc_t){&ops, NULL};
    }
    (void)mete_tier_init(&tier, members, (mete_alloc_t){NULL, NULL}, &tier_config);
}

static size_t class_number(size_t bytes)
{
    return (size_t)(class_of(&tier, bytes) - tier.classes);
}

static bool is_right(size_t bytes)
{
    open_tier();
    size_t wanted = 0U;
    while ((wanted < (size_t)CLASS_COUNT) && (bytes > tier_sizes[wanted])) {
        wanted++;
    }
    return class_number(bytes) == wanted;
}

static bool are_all_right(void)
{
    open_tier();
    size_t wanted = 0U;
    bool is_good = true;
    for (uint64_t bytes = 1U; bytes <= UINT32_MAX; bytes++) {
        wanted += ((wanted < (size_t)CLASS_COUNT) && (bytes > tier_sizes[wanted])) ? 1U : 0U;
        is_good = is_good && (class_number((size_t)bytes) == wanted);
    }
    return is_good;
}

static size_t edge(size_t number)
{
    return (number < (size_t)CLASS_COUNT) ? tier_sizes[number] : 0U;
}

const sizes_subject_t sizes_tier = {
    .name = "tier",
    .is_right = is_right,
    .are_all_right = are_all_right,
    .edge = edge,
};

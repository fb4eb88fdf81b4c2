// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A table in the order of addresses. Of a region only its last byte is ever computed, never the address behind
// it, which the last byte of the address space has not.
//
// What stands in the table decides which entry is looked at next, but only the count decides how far that can
// lead: so it alone is held against the table's size before anything is read.

#include "mete/protect/map.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

typedef mete_map_region_t region_t;

static bool is_count_legal(const mete_map_t *map)
{
    return map->region_count <= map->config->region_max;
}

// Level 3 looks at everything after every change.
static bool is_sound(const mete_map_t *map)
{
    return (METE_CHECK_LEVEL < 3) || mete_map_check(map);
}

// The last region that starts at or below an address, or the first if none does; of none, where it would be. Halves what
// is left: as many passes as the count has bits, and mostly one less.
static const region_t *last_up_to(const mete_map_t *map, uintptr_t address)
{
    const region_t *first = map->config->regions;
    for (size_t left = map->region_count; left > 1U;) {
        const size_t half = left / 2U;
        first = (first[half].start <= address) ? &first[half] : first;
        left -= half;
    }
    return first;
}

// How many regions start at or below an address.
static size_t count_up_to(const mete_map_t *map, uintptr_t address)
{
    const region_t *const last = last_up_to(map, address);
    const bool has_one = (map->region_count != 0U) && (last->start <= address);
    return (size_t)(last - map->config->regions) + (has_one ? 1U : 0U);
}

// An address below the start wraps to a huge offset, so one bound serves both ends.
static bool has(const region_t *region, uintptr_t address)
{
    return address - region->start < region->size;
}

// Field by field: an assignment may become a call to memcpy(), which is libc. Not inline: three times as much
// code for a few instructions less.
__attribute__((noinline)) static void copy(region_t *to, const region_t *from)
{
    to->name = from->name;
    to->start = from->start;
    to->size = from->size;
    to->kind = from->kind;
    to->rights.unprivileged = from->rights.unprivileged;
    to->rights.privileged = from->rights.privileged;
    to->attributes = from->attributes;
    to->in_use = from->in_use;
    to->in_use_self = from->in_use_self;
}

// What is wrong with a region by itself.
static mete_map_verdict_t judge(const region_t *region)
{
    const unsigned rights = (unsigned)region->rights.unprivileged | region->rights.privileged;
    if ((region->name == NULL) || ((unsigned)region->kind >= METE_MAP_KIND_COUNT) ||
        ((rights & ~METE_ACCESS_ALL) != 0U) || ((region->attributes & ~METE_REGION_ALL) != 0U)) {
        return METE_MAP_ILLEGAL;
    }
    if (region->size == 0U) {
        return METE_MAP_EMPTY;
    }
    return (mete_map_last(region) < region->start) ? METE_MAP_WRAPS : METE_MAP_ADDED;
}

// The lowest region that shares a byte with one whose place in the table is `index`; or NULL. The one in front
// does so if it has the first byte, the one behind if it starts before the last.
static const region_t *find_overlap(const mete_map_t *map, const region_t *region, size_t index)
{
    const region_t *const behind = &map->config->regions[index];
    if ((index != 0U) && has(behind - 1, region->start)) {
        return behind - 1;
    }
    const bool is_last = index == map->region_count;
    return (!is_last && (behind->start <= mete_map_last(region))) ? behind : NULL;
}

static void insert(mete_map_t *map, const region_t *region, size_t index)
{
    region_t *const regions = map->config->regions;
    for (size_t i = map->region_count; i > index; i--) {
        copy(&regions[i], &regions[i - 1U]);
    }
    copy(&regions[index], region);
    map->region_count++;
}

static void take_out(mete_map_t *map, size_t index)
{
    region_t *const regions = map->config->regions;
    map->region_count--;
    for (size_t i = index; i < map->region_count; i++) {
        copy(&regions[i], &regions[i + 1U]);
    }
}

bool mete_map_init(mete_map_t *map, const mete_map_config_t *config)
{
    METE_ASSERT((map != NULL) && (config != NULL));
    if ((config->regions == NULL) || (config->region_max == 0U)) {
        return false;
    }
    map->config = config;
    map->region_count = 0U;
    return true;
}

static mete_map_verdict_t add(mete_map_t *map, const region_t *region, const region_t **other)
{
    const mete_map_verdict_t verdict = judge(region);
    if (verdict != METE_MAP_ADDED) {
        return verdict;
    }
    const size_t index = count_up_to(map, region->start);
    *other = find_overlap(map, region, index);
    if (*other != NULL) {
        return METE_MAP_OVERLAPS;
    }
    if (map->region_count == map->config->region_max) {
        return METE_MAP_FULL;
    }
    insert(map, region, index);
    return METE_MAP_ADDED;
}

mete_map_result_t mete_map_add(mete_map_t *map, const mete_map_region_t *region)
{
    METE_ASSERT((map != NULL) && (map->config != NULL) && (region != NULL));
    mete_map_result_t result = {METE_MAP_DAMAGED, region, NULL};
    if (IS_CHECKED && !is_count_legal(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
        return result;
    }
    result.verdict = add(map, region, &result.other);
    if (!is_sound(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
    }
    return result;
}

bool mete_map_remove(mete_map_t *map, uintptr_t start)
{
    METE_ASSERT((map != NULL) && (map->config != NULL));
    if (IS_CHECKED && !is_count_legal(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
        return false;
    }
    const size_t index = count_up_to(map, start);
    if ((index == 0U) || (map->config->regions[index - 1U].start != start)) {
        return false;
    }
    take_out(map, index - 1U);
    if (!is_sound(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
    }
    return true;
}

const mete_map_region_t *mete_map_find(const mete_map_t *map, uintptr_t address)
{
    METE_ASSERT((map != NULL) && (map->config != NULL));
    if (IS_CHECKED && !is_count_legal(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
        return NULL;
    }
    const region_t *const last = last_up_to(map, address);
    return ((map->region_count != 0U) && has(last, address)) ? last : NULL;
}

size_t mete_map_in_use(const mete_map_region_t *region)
{
    METE_ASSERT(region != NULL);
    return (region->in_use != NULL) ? region->in_use(region->in_use_self) : region->size;
}

static size_t sum(size_t a, size_t b)
{
    return (b <= SIZE_MAX - a) ? a + b : SIZE_MAX;
}

bool mete_map_walk(const mete_map_t *map,
                   bool (*visit)(void *self, const mete_map_region_t *region), void *self)
{
    METE_ASSERT((map != NULL) && (map->config != NULL) && (visit != NULL));
    if (IS_CHECKED && !is_count_legal(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
        return false;
    }
    for (size_t i = 0U; i < map->region_count; i++) {
        if (!visit(self, &map->config->regions[i])) {
            return false;
        }
    }
    return true;
}

mete_map_usage_t mete_map_usage(const mete_map_t *map, mete_map_kind_t kind)
{
    METE_ASSERT((map != NULL) && (map->config != NULL));
    mete_map_usage_t usage;  // Field by field: zeros all at once may become a call to memset().
    usage.region_count = 0U;
    usage.total_size = 0U;
    usage.in_use_size = 0U;
    if (IS_CHECKED && !is_count_legal(map)) {
        METE_FAULT(METE_FAULT_CORRUPT, map, map->config->regions);
        return usage;
    }
    for (size_t i = 0U; i < map->region_count; i++) {
        const region_t *const region = &map->config->regions[i];
        if (region->kind == kind) {
            usage.region_count++;
            usage.total_size = sum(usage.total_size, region->size);
            usage.in_use_size = sum(usage.in_use_size, mete_map_in_use(region));
        }
    }
    return usage;
}

bool mete_map_check(const mete_map_t *map)
{
    METE_ASSERT((map != NULL) && (map->config != NULL));
    const region_t *const regions = map->config->regions;
    bool is_right = is_count_legal(map);
    for (size_t i = 0U; is_right && (i < map->region_count); i++) {
        is_right = (judge(&regions[i]) == METE_MAP_ADDED) &&
                   ((i == 0U) || (mete_map_last(&regions[i - 1U]) < regions[i].start));
    }
    return is_right;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The memory map. Addresses are numbers here: nothing is read or written where the regions lie.

#include "mete/protect/map.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { REGION_MAX = 5, RW = METE_ACCESS_READ | METE_ACCESS_WRITE, MANY = 33 };

static const uintptr_t top = UINTPTR_MAX;

static mete_map_region_t regions[REGION_MAX + 1];  // The last one is not the map's.
static const mete_map_config_t config = {regions, REGION_MAX};
static mete_map_t map;

static size_t read_size(const void *self)
{
    return *(const size_t *)self;
}

static mete_map_region_t region_at(const char *name, uintptr_t start, size_t size)
{
    const mete_map_region_t region = {.name = name,
                                      .start = start,
                                      .size = size,
                                      .kind = METE_MAP_DATA,
                                      .rights = {METE_ACCESS_READ, RW},
                                      .attributes = METE_REGION_DMA};
    return region;
}

static bool add_at(const char *name, uintptr_t start, size_t size)
{
    const mete_map_region_t region = region_at(name, start, size);
    return mete_map_add(&map, &region).verdict == METE_MAP_ADDED;
}

// Three regions: a gap of 3 bytes, and two that touch.
static void setup(void)
{
    regions[REGION_MAX] = region_at("not the map's", 7U, 7U);
    EXPECT(mete_map_init(&map, &config));
    EXPECT(add_at("middle", 120U, 30U) && add_at("low", 100U, 17U) && add_at("high", 150U, 1U));
}

static bool is_same(const mete_map_region_t *a, const mete_map_region_t *b)
{
    return (a->name == b->name) && (a->start == b->start) && (a->size == b->size) &&
           (a->kind == b->kind) && (a->rights.unprivileged == b->rights.unprivileged) &&
           (a->rights.privileged == b->rights.privileged) && (a->attributes == b->attributes) &&
           (a->in_use == b->in_use) && (a->in_use_self == b->in_use_self);
}

// Tries to add what must be refused. Nothing may change.
static mete_map_result_t refuse(const mete_map_region_t *region)
{
    mete_map_region_t before[REGION_MAX + 1];
    const size_t count = map.region_count;
    for (size_t i = 0U; i < REGION_MAX + 1U; i++) {
        before[i] = regions[i];
    }
    const mete_map_result_t result = mete_map_add(&map, region);
    EXPECT((map.region_count == count) && (map.config == &config));
    for (size_t i = 0U; i < REGION_MAX + 1U; i++) {
        EXPECT(is_same(&regions[i], &before[i]));
    }
    EXPECT((result.verdict != METE_MAP_ADDED) && (result.region == region));
    return result;
}

static mete_map_verdict_t refuse_at(uintptr_t start, size_t size)
{
    const mete_map_region_t region = region_at("refused", start, size);
    const mete_map_result_t result = refuse(&region);
    EXPECT((result.other != NULL) == (result.verdict == METE_MAP_OVERLAPS));
    return result.verdict;
}

static void test_init_refuses_a_config_without_room(void)
{
    setup();
    mete_map_config_t other = {NULL, 3U};
    EXPECT(!mete_map_init(&map, &other) && (map.config == &config));
    other.regions = regions;
    other.region_max = 0U;
    EXPECT(!mete_map_init(&map, &other) && (map.config == &config));
    other.region_max = 1U;
    EXPECT((map.region_count == 3U) && mete_map_init(&map, &other));
    EXPECT((map.config == &other) && (map.region_count == 0U) && mete_map_check(&map));
}

static void test_regions_stand_in_the_order_of_their_addresses(void)
{
    setup();
    EXPECT((map.region_count == 3U) && mete_map_check(&map));
    EXPECT((regions[0].start == 100U) && (regions[1].start == 120U) && (regions[2].start == 150U));
}

static void test_all_that_describes_a_region_is_kept_wherever_it_moves(void)
{
    static const size_t used = 3U;
    static const mete_map_region_t given[] = {
        {"a", 900U, 10U, METE_MAP_CODE, {1U, 5U}, METE_REGION_FAST, NULL, NULL},
        {"b", 800U, 11U, METE_MAP_DEVICE, {0U, 3U}, METE_REGION_SHARED, read_size, &used},
        {"c", 700U, 12U, METE_MAP_HEAP, {3U, 7U}, METE_REGION_CACHEABLE, NULL, &used},
        {"d", 600U, 13U, METE_MAP_RESERVED, {0U, 0U}, 0U, read_size, &given[1]},
    };
    setup();
    EXPECT(mete_map_init(&map, &config));
    for (size_t i = 0U; i < 4U; i++) {
        const mete_map_result_t result = mete_map_add(&map, &given[i]);
        EXPECT((result.verdict == METE_MAP_ADDED) && (result.region == &given[i]));
        EXPECT(result.other == NULL);
    }
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(is_same(&regions[3U - i], &given[i]) && (&regions[3U - i] != &given[i]));
    }
    EXPECT(mete_map_remove(&map, 600U) && mete_map_remove(&map, 700U));
    EXPECT(is_same(&regions[0], &given[1]) && is_same(&regions[1], &given[0]));
}

static void test_find_knows_every_byte_of_a_region_and_none_beside_it(void)
{
    setup();
    for (uintptr_t address = 0U; address < 300U; address++) {
        const mete_map_region_t *expected = NULL;
        if ((address >= 100U) && (address < 117U)) {
            expected = &regions[0];
        } else if ((address >= 120U) && (address < 150U)) {
            expected = &regions[1];
        } else if (address == 150U) {
            expected = &regions[2];
        }
        EXPECT(mete_map_find(&map, address) == expected);
    }
    EXPECT((mete_map_find(&map, top) == NULL) && (mete_map_find(&map, top / 2U) == NULL));
}

static void test_find_is_right_whatever_the_number_of_regions(void)
{
    static mete_map_region_t table[MANY];
    static const mete_map_config_t large = {table, MANY};
    EXPECT(mete_map_init(&map, &large) && (mete_map_find(&map, 0U) == NULL));
    for (uintptr_t count = 0U; count < MANY; count++) {
        EXPECT(add_at("one of many", 10U * count + 3U, 5U));
        for (uintptr_t i = 0U; i <= count; i++) {
            EXPECT(mete_map_find(&map, 10U * i + 3U) == &table[i]);
            EXPECT(mete_map_find(&map, 10U * i + 7U) == &table[i]);
            EXPECT(mete_map_find(&map, 10U * i + 2U) == NULL);
            EXPECT(mete_map_find(&map, 10U * i + 8U) == NULL);
        }
    }
    EXPECT(mete_map_check(&map));
}

static void test_regions_may_touch(void)
{
    setup();
    EXPECT(add_at("between", 117U, 3U) && add_at("behind", 151U, 9U));
    EXPECT(mete_map_find(&map, 117U) == &regions[1]);
    EXPECT(mete_map_find(&map, 116U) == &regions[0]);
    EXPECT(mete_map_find(&map, 151U) == &regions[4]);
}

static void test_an_overlap_of_one_byte_is_refused_and_both_are_named(void)
{
    static const struct {
        uintptr_t start;
        size_t size;
        size_t hit;
    } tries[] = {
        {99U, 2U, 0U},   {100U, 17U, 0U}, {116U, 1U, 0U},   {116U, 4U, 0U},  {103U, 2U, 0U},
        {100U, 1U, 0U},  {90U, 40U, 0U},  {0U, 1000U, 0U},  {117U, 4U, 1U},  {149U, 1U, 1U},
        {119U, 40U, 1U}, {149U, 9U, 1U},  {120U, 100U, 1U}, {150U, 50U, 2U}, {150U, 1U, 2U},
    };
    setup();
    for (size_t i = 0U; i < sizeof tries / sizeof tries[0]; i++) {
        const mete_map_region_t region = region_at("heap", tries[i].start, tries[i].size);
        const mete_map_result_t result = refuse(&region);
        EXPECT((result.verdict == METE_MAP_OVERLAPS) && (result.region == &region));
        EXPECT(result.other == &regions[tries[i].hit]);
    }
    EXPECT(refuse_at(1U, top) == METE_MAP_OVERLAPS);
}

static void test_a_region_without_bytes_is_refused(void)
{
    setup();
    EXPECT((refuse_at(0U, 0U) == METE_MAP_EMPTY) && (refuse_at(118U, 0U) == METE_MAP_EMPTY));
    EXPECT((refuse_at(125U, 0U) == METE_MAP_EMPTY) && (refuse_at(top, 0U) == METE_MAP_EMPTY));
}

static void test_a_region_that_runs_past_the_last_address_is_refused(void)
{
    setup();
    EXPECT((refuse_at(top, 2U) == METE_MAP_WRAPS) && (refuse_at(top - 9U, 11U) == METE_MAP_WRAPS));
    EXPECT((refuse_at(2U, top) == METE_MAP_WRAPS) && (refuse_at(top, top) == METE_MAP_WRAPS));
}

static void test_the_first_and_the_last_address_are_like_others(void)
{
    setup();
    EXPECT(add_at("vectors", 0U, 100U) && add_at("end", top - 9U, 10U));
    EXPECT((mete_map_find(&map, 0U) == &regions[0]) && (mete_map_find(&map, 99U) == &regions[0]));
    EXPECT(mete_map_find(&map, top) == &regions[4]);
    EXPECT(mete_map_find(&map, top - 9U) == &regions[4]);
    EXPECT((mete_map_find(&map, top - 10U) == NULL) && mete_map_check(&map));
    EXPECT((mete_map_last(&regions[0]) == 99U) && (mete_map_last(&regions[4]) == top));
    EXPECT((refuse_at(top, 1U) == METE_MAP_OVERLAPS) && (refuse_at(0U, 1U) == METE_MAP_OVERLAPS));
    EXPECT(mete_map_remove(&map, 0U) && mete_map_remove(&map, top - 9U));
    EXPECT(add_at("byte", top, 1U) && (mete_map_find(&map, top) == &regions[3]));
    EXPECT(add_at("zero", 0U, 1U) && (mete_map_find(&map, 0U) == &regions[0]));
}

static void test_one_region_may_be_all_but_one_byte(void)
{
    setup();
    EXPECT(mete_map_init(&map, &config) && add_at("all", 1U, SIZE_MAX));
    EXPECT((mete_map_find(&map, 0U) == NULL) && (mete_map_find(&map, top) == &regions[0]));
    EXPECT(add_at("rest", 0U, 1U) && mete_map_check(&map));
    const mete_map_usage_t usage = mete_map_usage(&map, METE_MAP_DATA);
    EXPECT((usage.total_size == SIZE_MAX) && (usage.in_use_size == SIZE_MAX));
    EXPECT(mete_map_init(&map, &config) && add_at("all", 0U, SIZE_MAX));
    EXPECT((mete_map_find(&map, top) == NULL) && (mete_map_find(&map, top - 1U) == &regions[0]));
    EXPECT(mete_map_usage(&map, METE_MAP_DATA).total_size == SIZE_MAX);
}

static void test_a_full_table_is_refused_after_what_is_wrong_with_the_region(void)
{
    setup();
    EXPECT(add_at("fourth", 10U, 5U) && add_at("fifth", 300U, 5U));
    EXPECT((refuse_at(200U, 5U) == METE_MAP_FULL) && (refuse_at(0U, 1U) == METE_MAP_FULL));
    EXPECT((refuse_at(top, 1U) == METE_MAP_FULL) && (refuse_at(12U, 1U) == METE_MAP_OVERLAPS));
    EXPECT((refuse_at(200U, 0U) == METE_MAP_EMPTY) && (refuse_at(top, 2U) == METE_MAP_WRAPS));
    EXPECT(mete_map_remove(&map, 10U) && add_at("another", 200U, 5U));
}

static void test_a_region_of_no_name_or_of_an_unknown_kind_right_or_attribute_is_refused(void)
{
    setup();
    mete_map_region_t region = region_at(NULL, 200U, 5U);
    EXPECT(refuse(&region).verdict == METE_MAP_ILLEGAL);
    region.name = "";
    region.kind = (mete_map_kind_t)METE_MAP_KIND_COUNT;
    EXPECT(refuse(&region).verdict == METE_MAP_ILLEGAL);
    region.kind = METE_MAP_RESERVED;
    region.rights.privileged = METE_ACCESS_ALL + 1U;
    EXPECT(refuse(&region).verdict == METE_MAP_ILLEGAL);
    region.rights.privileged = METE_ACCESS_ALL;
    region.rights.unprivileged = 0x80U;
    EXPECT(refuse(&region).verdict == METE_MAP_ILLEGAL);
    region.rights.unprivileged = METE_ACCESS_ALL;
    region.attributes = METE_REGION_ALL + 1U;
    EXPECT(refuse(&region).verdict == METE_MAP_ILLEGAL);
    region.attributes = METE_REGION_ALL;
    EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
}

static void test_names_need_not_differ(void)
{
    setup();
    EXPECT(add_at("worker", 200U, 50U) && add_at("worker", 250U, 50U));
    EXPECT(mete_map_find(&map, 249U) != mete_map_find(&map, 250U));
    EXPECT(mete_map_remove(&map, 200U) && (mete_map_find(&map, 249U) == NULL));
    EXPECT(mete_map_find(&map, 250U) == &regions[3]);
}

static void test_remove_takes_the_region_that_starts_there_and_no_other(void)
{
    setup();
    EXPECT(!mete_map_remove(&map, 121U) && !mete_map_remove(&map, 149U));
    EXPECT(!mete_map_remove(&map, 119U) && !mete_map_remove(&map, 0U) &&
           !mete_map_remove(&map, top));
    EXPECT(map.region_count == 3U);
    EXPECT(mete_map_remove(&map, 120U) && !mete_map_remove(&map, 120U) && mete_map_check(&map));
    EXPECT((map.region_count == 2U) && (regions[0].start == 100U) && (regions[1].start == 150U));
    EXPECT(mete_map_remove(&map, 150U) && mete_map_remove(&map, 100U) && (map.region_count == 0U));
    EXPECT(!mete_map_remove(&map, 100U) && (mete_map_find(&map, 100U) == NULL));
    EXPECT(add_at("again", 90U, 100U));  // What was removed is in nobody's way.
}

static void test_usage_adds_up_the_regions_of_a_kind_and_asks_each(void)
{
    static size_t used = 11U;
    setup();
    mete_map_region_t heap = region_at("heap", 200U, 40U);
    heap.kind = METE_MAP_HEAP;
    heap.in_use = read_size;
    heap.in_use_self = &used;
    EXPECT(mete_map_add(&map, &heap).verdict == METE_MAP_ADDED);
    heap.start = 300U;
    heap.size = 5U;
    heap.in_use = NULL;
    EXPECT(mete_map_add(&map, &heap).verdict == METE_MAP_ADDED);
    mete_map_usage_t usage = mete_map_usage(&map, METE_MAP_HEAP);
    EXPECT((usage.region_count == 2U) && (usage.total_size == 45U) && (usage.in_use_size == 16U));
    used = 50U;  // It ran over.
    usage = mete_map_usage(&map, METE_MAP_HEAP);
    EXPECT((usage.total_size == 45U) && (usage.in_use_size == 55U));
    used = SIZE_MAX;
    EXPECT(mete_map_usage(&map, METE_MAP_HEAP).in_use_size == SIZE_MAX);
    usage = mete_map_usage(&map, METE_MAP_DATA);
    EXPECT((usage.region_count == 3U) && (usage.total_size == 48U) && (usage.in_use_size == 48U));
    usage = mete_map_usage(&map, METE_MAP_CODE);
    EXPECT((usage.region_count == 0U) && (usage.total_size == 0U) && (usage.in_use_size == 0U));
}

typedef struct seen {
    size_t count;
    size_t stop_at;
} seen_t;

static bool see(void *self, const mete_map_region_t *region)
{
    seen_t *const seen = self;
    EXPECT(region == &regions[seen->count]);
    seen->count++;
    return seen->count != seen->stop_at;
}

static void test_walk_shows_all_in_order_until_told_to_stop(void)
{
    setup();
    seen_t seen = {0U, 0U};
    EXPECT(mete_map_walk(&map, see, &seen) && (seen.count == 3U));
    seen = (seen_t){0U, 2U};
    EXPECT(!mete_map_walk(&map, see, &seen) && (seen.count == 2U));
    EXPECT(mete_map_init(&map, &config));
    seen = (seen_t){0U, 1U};
    EXPECT(mete_map_walk(&map, see, &seen) && (seen.count == 0U));
}

// Spoils a field of the region in the middle, expects that it is seen, and puts it right again.
#define EXPECT_SEEN(field, wrong) \
    do { \
        regions[1].field = (wrong); \
        EXPECT(!mete_map_check(&map) && (tap_take_fault() == 0)); \
        regions[1] = right; \
        EXPECT(mete_map_check(&map)); \
    } while (0)

static void test_check_sees_regions_that_are_illegal_or_out_of_order(void)
{
    setup();
    const mete_map_region_t right = regions[1];
    EXPECT_SEEN(name, NULL);
    EXPECT_SEEN(size, 0U);
    EXPECT_SEEN(size, 31U);
    EXPECT_SEEN(size, SIZE_MAX - 100U);
    EXPECT_SEEN(start, 116U);
    EXPECT_SEEN(start, 121U);
    EXPECT_SEEN(start, 0U);
    EXPECT_SEEN(start, top - 1U);
    EXPECT_SEEN(kind, (mete_map_kind_t)METE_MAP_KIND_COUNT);
    EXPECT_SEEN(rights.unprivileged, 8U);
    EXPECT_SEEN(rights.privileged, 0xFFU);
    EXPECT_SEEN(attributes, 0x100U);
    regions[0].size = 0U;
    EXPECT(!mete_map_check(&map));
    regions[0].size = 17U;
    regions[2].size = top;
    EXPECT(!mete_map_check(&map));
    regions[2].size = 1U;
    static const mete_map_config_t smaller = {regions, 2U};  // What lies behind looks right.
    map.config = &smaller;
    EXPECT(!mete_map_check(&map));
    map.region_count = SIZE_MAX;
    EXPECT(!mete_map_check(&map) && (tap_take_fault() == 0));
}

static void expect_reported(void)
{
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_object == &map));
    EXPECT(tap_fault_address == regions);
}

static void test_a_count_that_was_hit_is_reported_by_every_call(void)
{
    static const size_t counts[] = {REGION_MAX + 1U, SIZE_MAX};
    const mete_map_region_t region = region_at("late", 500U, 5U);
    setup();
    for (size_t i = 0U; i < 2U; i++) {
        map.region_count = counts[i];
        const mete_map_result_t result = refuse(&region);
        EXPECT((result.verdict == METE_MAP_DAMAGED) && (result.other == NULL));
        expect_reported();
        EXPECT(!mete_map_remove(&map, 100U) && (map.region_count == counts[i]));
        expect_reported();
        EXPECT(mete_map_find(&map, 100U) == NULL);
        expect_reported();
        seen_t seen = {0U, 0U};
        EXPECT(!mete_map_walk(&map, see, &seen) && (seen.count == 0U));
        expect_reported();
        EXPECT(mete_map_usage(&map, METE_MAP_DATA).region_count == 0U);
        expect_reported();
    }
}

static void test_a_table_that_was_hit_leads_nowhere_outside(void)
{
    uint32_t random = 99U;
    setup();
    EXPECT(add_at("fourth", 200U, 5U) && add_at("fifth", 300U, 5U));
    for (size_t i = 0U; i < 2000U; i++) {
        mete_map_region_t *const hit = &regions[random_below(&random, REGION_MAX)];
        hit->start = random_next(&random) % 400U;
        hit->size = random_next(&random) % 400U;
        const uintptr_t address = random_next(&random) % 400U;
        const mete_map_region_t *const found = mete_map_find(&map, address);
        EXPECT((found == NULL) || ((found >= regions) && (found < &regions[REGION_MAX])));
        EXPECT((found == NULL) || (address - found->start < found->size));
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_level_3_looks_at_the_table_after_every_change(void)
{
    setup();
    regions[0].name = NULL;
    EXPECT(add_at("fourth", 200U, 5U));
    expect_reported();
    EXPECT(mete_map_remove(&map, 200U));
    expect_reported();
    regions[0].name = "low";
    EXPECT(add_at("fourth", 200U, 5U) && (tap_take_fault() == 0));
    EXPECT(mete_map_remove(&map, 200U) && (tap_take_fault() == 0));
}

// ---- A model: who owns each byte of two stretches, at either end of the address space

// Up to SPARE bytes past the end are asked for.
enum { STRETCH = 64, SPARE = 8, NOBODY = 0 };

static size_t owners[2 * STRETCH];  // The index of the region's first byte, plus 1.

static uintptr_t address_of(size_t index)
{
    return (index < STRETCH) ? index : top - (2U * STRETCH - 1U - index);
}

static size_t count_owners(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < 2U * STRETCH; i++) {
        const bool is_new = (i == 0U) || (owners[i] != owners[i - 1U]);
        count += (is_new && (owners[i] != NOBODY)) ? 1U : 0U;
    }
    return count;
}

// What the model says of a region from the byte of that index on. `other` gets the index of the byte whose owner
// is in the way.
static mete_map_verdict_t judge_by_model(size_t index, size_t size, size_t *other)
{
    if (size == 0U) {
        return METE_MAP_EMPTY;
    }
    if (index + size > 2U * STRETCH) {
        return METE_MAP_WRAPS;
    }
    for (size_t i = index; i < index + size; i++) {
        if (owners[i] != NOBODY) {
            *other = i;
            return METE_MAP_OVERLAPS;
        }
    }
    return (count_owners() == REGION_MAX) ? METE_MAP_FULL : METE_MAP_ADDED;
}

static void add_as_the_model(size_t index, size_t size)
{
    size_t other = 0U;
    const mete_map_region_t region = region_at("random", address_of(index), size);
    const mete_map_verdict_t expected = judge_by_model(index, size, &other);
    if (expected != METE_MAP_ADDED) {
        const mete_map_result_t result = refuse(&region);
        EXPECT(result.verdict == expected);
        EXPECT((expected != METE_MAP_OVERLAPS) ||
               (result.other->start == address_of(owners[other] - 1U)));
        return;
    }
    EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
    for (size_t i = index; i < index + size; i++) {
        owners[i] = index + 1U;
    }
}

static void remove_as_the_model(size_t index)
{
    const bool is_start = owners[index] == index + 1U;
    EXPECT(mete_map_remove(&map, address_of(index)) == is_start);
    for (size_t i = index; (i < 2U * STRETCH) && (owners[i] == index + 1U); i++) {
        owners[i] = NOBODY;
    }
}

static void compare_with_the_model(void)
{
    size_t total = 0U;
    for (size_t i = 0U; i < 2U * STRETCH; i++) {
        const mete_map_region_t *const found = mete_map_find(&map, address_of(i));
        EXPECT((found != NULL) == (owners[i] != NOBODY));
        EXPECT((found == NULL) || (found->start == address_of(owners[i] - 1U)));
        total += (owners[i] != NOBODY) ? 1U : 0U;
    }
    const mete_map_usage_t usage = mete_map_usage(&map, METE_MAP_DATA);
    EXPECT((usage.region_count == count_owners()) && (usage.total_size == total));
    EXPECT(mete_map_check(&map) && (tap_take_fault() == 0));
}

static void test_random_work_is_judged_as_the_model_does(void)
{
    uint32_t random = 5U;
    setup();
    EXPECT(mete_map_init(&map, &config));
    for (size_t i = 0U; i < 2U * STRETCH; i++) {
        owners[i] = NOBODY;
    }
    for (size_t i = 0U; i < 1500U; i++) {
        const size_t index = random_below(&random, 2U * STRETCH);
        // A region that starts in the lower stretch ends there, but for the gap that no array could span.
        const size_t left = ((index < STRETCH) ? STRETCH : 2U * STRETCH + SPARE) - index;
        if (random_below(&random, 3U) != 0U) {
            const size_t size = random_below(&random, 20U);
            add_as_the_model(index, (size <= left) ? size : left);
        } else {
            remove_as_the_model(index);
        }
        compare_with_the_model();
    }
}

int main(void)
{
    RUN(test_init_refuses_a_config_without_room);
    RUN(test_regions_stand_in_the_order_of_their_addresses);
    RUN(test_all_that_describes_a_region_is_kept_wherever_it_moves);
    RUN(test_find_knows_every_byte_of_a_region_and_none_beside_it);
    RUN(test_find_is_right_whatever_the_number_of_regions);
    RUN(test_regions_may_touch);
    RUN(test_an_overlap_of_one_byte_is_refused_and_both_are_named);
    RUN(test_a_region_without_bytes_is_refused);
    RUN(test_a_region_that_runs_past_the_last_address_is_refused);
    RUN(test_the_first_and_the_last_address_are_like_others);
    RUN(test_one_region_may_be_all_but_one_byte);
    RUN(test_a_full_table_is_refused_after_what_is_wrong_with_the_region);
    RUN(test_a_region_of_no_name_or_of_an_unknown_kind_right_or_attribute_is_refused);
    RUN(test_names_need_not_differ);
    RUN(test_remove_takes_the_region_that_starts_there_and_no_other);
    RUN(test_usage_adds_up_the_regions_of_a_kind_and_asks_each);
    RUN(test_walk_shows_all_in_order_until_told_to_stop);
    RUN(test_check_sees_regions_that_are_illegal_or_out_of_order);
    RUN(test_a_table_that_was_hit_leads_nowhere_outside);
    RUN(test_random_work_is_judged_as_the_model_does);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_a_count_that_was_hit_is_reported_by_every_call);
    }
    if (METE_CHECK_LEVEL >= 3) {
        RUN(test_level_3_looks_at_the_table_after_every_change);
    }
    return tap_finish();
}

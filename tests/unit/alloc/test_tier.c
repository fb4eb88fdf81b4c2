// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The tier, tested from inside. Its members are racks of a few blocks behind a door that can be shut;
// the fallback is a larger rack.

#include "mete/alloc/tier.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/alloc/rack.h"

enum { CLASS_COUNT = 4, MEMBER_COUNT = CLASS_COUNT + 1, FALLBACK = CLASS_COUNT, BLOCK_MAX = 7 };

static const size_t sizes[CLASS_COUNT] = {8U, 16U, 24U, 100U};
static const size_t counts[MEMBER_COUNT] = {3U, 5U, 2U, 4U, 7U};
static const size_t block_sizes[MEMBER_COUNT] = {8U, 16U, 24U, 104U, 128U};

// A door in front of a rack: it counts who passes, and can be shut for one acquire or for good.
typedef struct door {
    mete_alloc_t rack;
    const size_t *shut_at;  // The number of the acquire, of all doors together, that is refused.
    size_t *acquire_count;
    size_t owns_count;
} door_t;

typedef struct fixture {
    _Alignas(8) unsigned char blocks[MEMBER_COUNT][BLOCK_MAX * 128];
    rack_t racks[MEMBER_COUNT];
    door_t doors[MEMBER_COUNT];
    size_t acquire_count, shut_at;
    mete_tier_config_t config;
    mete_tier_class_t classes[MEMBER_COUNT];
    mete_tier_t tier;
} fixture_t;

static fixture_t fixture;

static void *door_acquire(void *self, size_t size, size_t align)
{
    const door_t *const door = (const door_t *)self;
    (*door->acquire_count)++;
    return (*door->acquire_count == *door->shut_at) ? NULL : mete_acquire(door->rack, size, align);
}

static void door_release(void *self, void *block, size_t size, size_t align)
{
    mete_release(((const door_t *)self)->rack, block, size, align);
}

static bool door_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    return mete_resize(((const door_t *)self)->rack, block, old_size, new_size, align);
}

static bool door_owns(const void *self, const void *address)
{
    const door_t *const door = (const door_t *)self;
    ((door_t *)(uintptr_t)door)->owns_count++;
    return door->rack.ops->owns(door->rack.self, address);
}

static size_t door_size_of(const void *self, const void *block)
{
    const door_t *const door = (const door_t *)self;
    return door->rack.ops->size_of(door->rack.self, block);
}

static const mete_alloc_ops_t door_ops = {door_acquire, door_release, door_resize, door_owns,
                                          door_size_of};
static const mete_alloc_ops_t forgetful_ops = {door_acquire, door_release, NULL, NULL, NULL};

static mete_alloc_t members[MEMBER_COUNT];

static void setup_members(void)
{
    fixture_t *const f = &fixture;
    mete_words_fill(f, 0xA5U, sizeof *f);
    f->acquire_count = 0U;
    f->shut_at = 0U;
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        rack_init(&f->racks[i], f->blocks[i], block_sizes[i], counts[i]);
        f->doors[i] = (door_t){rack_as_alloc(&f->racks[i]), &f->shut_at, &f->acquire_count, 0U};
        members[i] = (mete_alloc_t){&door_ops, &f->doors[i]};
    }
}

static mete_tier_t *setup_with(size_t linear_count, size_t reach, mete_alloc_t fallback)
{
    fixture_t *const f = &fixture;
    setup_members();
    const mete_alloc_t last = (fallback.self == f) ? members[FALLBACK] : fallback;
    f->config = (mete_tier_config_t){sizes, counts, CLASS_COUNT, linear_count, reach, f->classes};
    EXPECT(mete_tier_init(&f->tier, members, last, &f->config));
    EXPECT(mete_tier_check(&f->tier));
    return &f->tier;
}

static mete_tier_t *setup(size_t reach)
{
    return setup_with(0U, reach, (mete_alloc_t){NULL, &fixture});
}

static mete_tier_usage_t usage_of(size_t index)
{
    return mete_tier_usage(&fixture.tier, index);
}

// Which member's rack an address lies in; MEMBER_COUNT: none.
static size_t member_of(const void *block)
{
    size_t i = 0U;
    while ((i < MEMBER_COUNT) && !rack_owns(&fixture.racks[i], block)) {
        i++;
    }
    return i;
}

static size_t in_use_of_rack(size_t index)
{
    return fixture.racks[index].in_use;
}

static size_t in_use_of_all(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        count += in_use_of_rack(i);
    }
    return count;
}

static void fill(mete_alloc_t tier, size_t index, size_t size)
{
    for (size_t i = 0U; i < counts[index]; i++) {
        EXPECT(member_of(mete_acquire(tier, size, 1U)) == index);
    }
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    static const size_t unsorted[] = {8U, 24U, 16U, 100U};
    static const size_t equal[] = {8U, 16U, 16U, 100U};
    static const size_t zero[] = {0U, 16U, 24U, 100U};
    static const size_t huge[] = {8U, 16U, 24U, SIZE_MAX};
    static const size_t odd[] = {12U, 24U, 36U, 100U};
    mete_tier_t *const tier = setup(1U);
    const mete_tier_config_t good = fixture.config;
    mete_tier_config_t bad[] = {good, good, good, good, good, good, good, good, good, good};
    bad[0].sizes = NULL;
    bad[1].classes = NULL;
    bad[2].class_count = 0U;
    bad[3].sizes = unsorted;
    bad[4].sizes = equal;
    bad[5].sizes = zero;
    bad[6].sizes = huge;
    bad[7].linear_count = 4U;  // 100 is not 4 times 8.
    bad[8].linear_count = CLASS_COUNT + 1U;
    bad[9].sizes = odd;  // 12 is no power of two.
    bad[9].linear_count = 2U;
    void *const block = mete_acquire(mete_tier_as_alloc(tier), 8U, 1U);
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_tier_init(tier, members, members[FALLBACK], &bad[i]));
        EXPECT((usage_of(0U).in_use == 1U) && mete_tier_check(tier));
    }
    mete_release(mete_tier_as_alloc(tier), block, 8U, 1U);
}

static void test_init_refuses_a_missing_configuration(void)
{
    mete_tier_t *const tier = setup(1U);
    EXPECT(!mete_tier_init(tier, NULL, members[FALLBACK], &fixture.config));
    EXPECT(!mete_tier_init(tier, members, members[FALLBACK], NULL));
    EXPECT(mete_tier_check(tier));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_tier_t never = {0};
    EXPECT(!mete_tier_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_refuses_members_that_are_missing_or_know_nothing(void)
{
    mete_tier_t *const tier = setup(1U);
    for (size_t i = 0U; i < CLASS_COUNT; i++) {
        const mete_alloc_t right = members[i];
        members[i].ops = NULL;
        EXPECT(!mete_tier_init(tier, members, members[FALLBACK], &fixture.config));
        members[i].ops = &forgetful_ops;
        EXPECT(!mete_tier_init(tier, members, members[FALLBACK], &fixture.config));
        members[i] = right;
    }
    EXPECT(mete_tier_check(tier));
}

// ---- Which class

static void test_every_size_goes_to_its_class(void)
{
    for (size_t linear_count = 0U; linear_count <= 3U; linear_count++) {
        const mete_alloc_t tier =
            mete_tier_as_alloc(setup_with(linear_count, 1U, (mete_alloc_t){NULL, &fixture}));
        for (size_t size = 1U; size <= 128U; size++) {
            size_t expected = 0U;
            while ((expected < CLASS_COUNT) && (size > sizes[expected])) {
                expected++;
            }
            void *const block = mete_acquire(tier, size, 1U);
            EXPECT(member_of(block) == expected);
            mete_release(tier, block, size, 1U);
            EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
        }
        EXPECT(mete_acquire(tier, SIZE_MAX, 1U) == NULL);
        EXPECT((fixture.doors[0].owns_count == 0U) && (fixture.doors[3].owns_count == 0U));
    }
}

static void test_an_exhausted_class_asks_as_many_larger_ones_as_it_may(void)
{
    for (size_t reach = 0U; reach <= CLASS_COUNT + 1U; reach++) {
        const mete_alloc_t tier = mete_tier_as_alloc(setup(reach));
        size_t expected = 0U;
        fill(tier, 0U, 5U);
        for (size_t index = 1U; (index < CLASS_COUNT) && (index <= reach); index++) {
            fill(tier, index, 5U);
            expected += counts[index];
        }
        fill(tier, FALLBACK, 5U);
        EXPECT(mete_acquire(tier, 5U, 1U) == NULL);
        EXPECT(tap_take_fault() == 0);
        const mete_tier_usage_t usage = usage_of(0U);
        EXPECT((usage.hits == counts[0]) && (usage.spills == expected));
        EXPECT((usage.fallbacks == counts[FALLBACK]) && (usage.refusals == 1U));
        EXPECT(usage.misses == expected + counts[FALLBACK] + 1U);
        EXPECT(usage_of(FALLBACK).guests == counts[FALLBACK]);
    }
}

static void test_what_is_larger_than_all_classes_goes_to_the_fallback(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
    void *const block = mete_acquire(tier, 101U, 1U);
    EXPECT((member_of(block) == FALLBACK) && (usage_of(FALLBACK).hits == 1U));
    EXPECT(usage_of(FALLBACK).size == SIZE_MAX);
    EXPECT(mete_acquire(tier, 129U, 1U) == NULL);
    EXPECT((usage_of(FALLBACK).misses == 1U) && (usage_of(FALLBACK).refusals == 1U));
    mete_release(tier, block, 101U, 1U);
    EXPECT((tap_take_fault() == 0) && (in_use_of_all() == 0U));
}

static void test_without_a_fallback_there_is_none(void)
{
    mete_tier_t *const tier = setup_with(0U, 0U, (mete_alloc_t){NULL, NULL});
    const mete_alloc_t alloc = mete_tier_as_alloc(tier);
    EXPECT(mete_acquire(alloc, 101U, 1U) == NULL);
    fill(alloc, 1U, 16U);
    EXPECT(mete_acquire(alloc, 16U, 1U) == NULL);
    EXPECT((usage_of(1U).refusals == 1U) && (tap_take_fault() == 0));
    mete_release(alloc, fixture.blocks[FALLBACK], 101U, 1U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == tier));
    EXPECT((tap_fault_address == fixture.blocks[FALLBACK]) && (usage_of(FALLBACK).in_use == 0U));
    EXPECT(!mete_resize(alloc, fixture.blocks[FALLBACK], 101U, 102U, 1U));
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && mete_tier_check(tier));
}

static void test_a_member_that_cannot_align_counts_as_exhausted(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(0U));
    void *const block = mete_acquire(tier, 8U, 16U);
    EXPECT((member_of(block) == FALLBACK) || (block == NULL));  // The fixture is aligned to 8 only.
    EXPECT(usage_of(0U).misses == 1U);
    mete_release(tier, block, 8U, 16U);
    EXPECT(tap_take_fault() == 0);
}

// ---- Who owns a block

static void test_release_finds_blocks_wherever_they_lie(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(2U));
    void *held[3 + 5 + 2 + 7];
    const size_t count = sizeof held / sizeof held[0];
    for (size_t round = 0U; round < 2U; round++) {
        for (size_t i = 0U; i < count; i++) {
            held[i] = mete_acquire(tier, 7U, 1U);
            EXPECT(held[i] != NULL);
        }
        EXPECT(mete_acquire(tier, 7U, 1U) == NULL);
        for (size_t i = 0U; i < count; i++) {
            mete_release(tier, held[(i * 5U) % count], 7U, 1U);
        }
        EXPECT((tap_take_fault() == 0) && (in_use_of_all() == 0U));
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            EXPECT(usage_of(i).in_use == 0U);
        }
    }
}

static void test_a_class_that_serves_its_own_asks_nobody(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
    fill(tier, 0U, 8U);
    void *const stray = mete_acquire(tier, 8U, 1U);
    EXPECT(member_of(stray) == 1U);
    void *const block = mete_acquire(tier, 16U, 1U);  // Of the class that has a guest.
    mete_release(tier, block, 16U, 1U);
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        EXPECT(fixture.doors[i].owns_count == 0U);
    }
    mete_release(tier, stray, 8U, 1U);
    EXPECT((fixture.doors[0].owns_count != 0U) && (tap_take_fault() == 0));
}

static void test_a_fallback_that_cannot_tell_owns_what_nobody_else_does(void)
{
    setup_members();
    const mete_alloc_t forgetful = {&forgetful_ops, &fixture.doors[FALLBACK]};
    mete_tier_t *const tier = &fixture.tier;
    fixture.config = (mete_tier_config_t){sizes, NULL, CLASS_COUNT, 0U, 0U, fixture.classes};
    EXPECT(mete_tier_init(tier, members, forgetful, &fixture.config));
    const mete_alloc_t alloc = mete_tier_as_alloc(tier);
    fill(alloc, 0U, 8U);
    void *const stray = mete_acquire(alloc, 8U, 1U);
    EXPECT((member_of(stray) == FALLBACK) && !alloc.ops->owns(alloc.self, stray));
    EXPECT(alloc.ops->size_of(alloc.self, stray) == 0U);
    EXPECT(!mete_resize(alloc, stray, 8U, 9U, 1U));  // It cannot resize either,
    EXPECT(mete_resize(alloc, stray, 8U, 8U, 1U));   // but this is none.
    mete_release(alloc, stray, 8U, 1U);
    EXPECT((tap_take_fault() == 0) && (in_use_of_rack(FALLBACK) == 0U));
    EXPECT(usage_of(0U).in_use_permille == 0U);  // It does not know how many there are.
}

static void test_owns_and_size_of_ask_all(void)
{
    for (size_t linear_count = 0U; linear_count <= 2U; linear_count += 2U) {
        const mete_alloc_t tier =
            mete_tier_as_alloc(setup_with(linear_count, 0U, (mete_alloc_t){NULL, &fixture}));
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            const unsigned char *const first = fixture.blocks[i];
            EXPECT(tier.ops->owns(tier.self, first));
            EXPECT(tier.ops->owns(tier.self, first + (block_sizes[i] * counts[i]) - 1U));
            EXPECT(tier.ops->size_of(tier.self, first) == block_sizes[i]);
        }
        EXPECT(!tier.ops->owns(tier.self, &fixture.tier) && !tier.ops->owns(tier.self, NULL));
        EXPECT(tier.ops->size_of(tier.self, &fixture.tier) == 0U);
    }
}

static void test_misuse_is_found_by_the_member(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
    fill(tier, 0U, 8U);
    void *const stray = mete_acquire(tier, 8U, 1U);
    void *const home = fixture.blocks[0];
    mete_release(tier, stray, 8U, 1U);
    mete_release(tier, home, 8U, 1U);
    EXPECT(tap_take_fault() == 0);
    mete_release(tier, stray, 8U, 1U);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_address == stray));
    mete_release(tier, home, 8U, 1U);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    mete_release(tier, &fixture.tier, 8U, 1U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &fixture.tier));
    mete_release(tier, &fixture.tier, 24U, 1U);  // A class that never asked.
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
}

// ---- Resize

static void test_resize_keeps_the_place_and_release_finds_it(void)
{
    for (size_t linear_count = 0U; linear_count <= 3U; linear_count += 3U) {
        const mete_alloc_t tier =
            mete_tier_as_alloc(setup_with(linear_count, 1U, (mete_alloc_t){NULL, &fixture}));
        void *const block = mete_acquire(tier, 90U, 1U);
        EXPECT(member_of(block) == 3U);
        EXPECT(mete_resize(tier, block, 90U, 10U, 1U));    // Now of the class of 16.
        EXPECT(!mete_resize(tier, block, 10U, 105U, 1U));  // The block has 104.
        EXPECT(mete_resize(tier, block, 10U, 104U, 1U));   // Now larger than all classes.
        EXPECT(mete_resize(tier, block, 104U, 3U, 1U));
        mete_release(tier, block, 3U, 1U);
        EXPECT((tap_take_fault() == 0) && (in_use_of_all() == 0U) && (usage_of(3U).in_use == 0U));
        void *const other = mete_acquire(tier, 10U, 1U);
        EXPECT((member_of(other) == 1U) && !mete_resize(tier, other, 10U, 17U, 1U));
        mete_release(tier, other, 10U, 1U);
        EXPECT((tap_take_fault() == 0) && mete_tier_check(&fixture.tier));
    }
}

static void test_resize_refuses_what_is_nobodys(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
    fill(tier, 0U, 8U);
    (void)mete_acquire(tier, 8U, 1U);
    EXPECT(!mete_resize(tier, &fixture.tier, 8U, 7U, 1U));
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &fixture.tier));
}

// ---- Numbers

static void test_usage_counts(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        const mete_tier_usage_t fresh = usage_of(i);
        EXPECT((fresh.hits == 0U) && (fresh.misses == 0U) && (fresh.spills == 0U));
        EXPECT((fresh.fallbacks == 0U) && (fresh.refusals == 0U) && (fresh.guests == 0U));
        EXPECT((fresh.in_use == 0U) && (fresh.in_use_peak == 0U));
    }
    void *held[5];
    for (size_t i = 0U; i < 5U; i++) {
        held[i] = mete_acquire(tier, 8U, 1U);
    }
    for (size_t i = 0U; i < 4U; i++) {
        mete_release(tier, held[i], 8U, 1U);
    }
    const mete_tier_usage_t first = usage_of(0U);
    EXPECT((first.size == 8U) && (first.hits == 3U) && (first.misses == 2U));
    EXPECT((first.spills == 2U) && (first.fallbacks == 0U) && (first.guests == 0U));
    EXPECT((first.in_use == 0U) && (first.in_use_peak == 3U) && (first.in_use_permille == 0U));
    const mete_tier_usage_t second = usage_of(1U);
    EXPECT((second.hits == 0U) && (second.guests == 2U) && (second.misses == 0U));
    EXPECT((second.in_use == 1U) && (second.in_use_peak == 2U) && (second.in_use_permille == 200U));
    EXPECT((usage_of(MEMBER_COUNT).size == 0U) && (usage_of(SIZE_MAX).hits == 0U));
}

static void test_a_share_is_full_only_when_none_is_left(void)
{
    static const size_t wholes[] = {1U, 2U, 1000U, 1001U, 3999999U, 4000000U, 4000999U, UINT32_MAX};
    for (size_t i = 0U; i < sizeof wholes / sizeof wholes[0]; i++) {
        const size_t whole = wholes[i];
        EXPECT((permille_of(0U, whole) == 0U) && (permille_of(whole, whole) == 1000U));
        EXPECT((permille_of(whole + 1U, whole) == 1000U) || (whole == SIZE_MAX));
        EXPECT((permille_of(whole - 1U, whole) == 999U) || (whole < 1000U));
    }
    EXPECT((permille_of(1U, 2U) == 500U) && (permille_of(0U, 0U) == 0U));
    EXPECT(permille_of(2000000U, 4000000U) == 499U);  // Rounded down, and the whole up.
    EXPECT(permille_of(4001U, 4000000U) == 1U);
}

static void test_the_formula_is_used_where_there_is_one(void)
{
    const mete_alloc_t nobody = {NULL, &fixture};
    const mete_tier_t *const tier = setup_with(0U, 1U, nobody);
    EXPECT(mete_tier_as_alloc(&fixture.tier).self == tier->classes);
    EXPECT(mete_tier_as_alloc(setup_with(3U, 1U, nobody)).self == tier);
}

static void test_the_peak_is_right_while_it_is_reached(void)
{
    const mete_alloc_t tier = mete_tier_as_alloc(setup(0U));
    size_t peak = 0U;
    for (size_t round = 1U; round <= counts[1]; round++) {
        void *held[BLOCK_MAX];
        for (size_t i = 0U; i < round; i++) {
            held[i] = mete_acquire(tier, 16U, 1U);
            peak = (i + 1U > peak) ? i + 1U : peak;
            EXPECT(usage_of(1U).in_use_peak == peak);
        }
        for (size_t i = 0U; i < round; i++) {
            mete_release(tier, held[i], 16U, 1U);
            EXPECT(usage_of(1U).in_use_peak == peak);
        }
    }
}

static void test_permille(void)
{
    EXPECT((permille_of(1U, 0U) == 0U) && (permille_of(2U, 1U) == 1000U));
    EXPECT((permille_of(1U, 3U) == 333U) && (permille_of(3999999U, 3999999U) == 1000U));
    EXPECT((permille_of(4000000U, 4000000U) <= 1000U) && (permille_of(0U, SIZE_MAX) == 0U));
    EXPECT(permille_of(SIZE_MAX, SIZE_MAX) <= 1000U);
}

// ---- Out of memory, at every acquire of every member

static void test_every_refused_acquire_goes_elsewhere_and_nothing_is_lost(void)
{
    for (size_t shut_at = 1U; shut_at < 30U; shut_at++) {
        const mete_alloc_t tier = mete_tier_as_alloc(setup(1U));
        fixture.shut_at = shut_at;
        void *held[16];
        static const size_t asked[16] = {8, 16, 24, 100, 101, 8,   8,   8,
                                         8, 24, 24, 24,  100, 100, 101, 1};
        for (size_t i = 0U; i < 16U; i++) {
            held[i] = mete_acquire(tier, asked[i], 1U);
            EXPECT(mete_tier_check(&fixture.tier));
        }
        size_t count = 0U;
        for (size_t i = 0U; i < 16U; i++) {
            count += (held[i] != NULL) ? 1U : 0U;
        }
        EXPECT((count >= 15U) && (in_use_of_all() == count));
        for (size_t i = 0U; i < 16U; i++) {
            mete_release(tier, held[i], asked[i], 1U);
        }
        EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            EXPECT(usage_of(i).in_use == 0U);
        }
    }
}

// ---- check

static void test_check_sees_what_is_spoiled(void)
{
    mete_tier_t *const tier = setup_with(2U, 1U, (mete_alloc_t){NULL, &fixture});
    tier->linear_max++;
    EXPECT(!mete_tier_check(tier));
    tier->linear_max--;
    tier->shift++;
    EXPECT(!mete_tier_check(tier));
    tier->shift--;
    tier->classes++;
    EXPECT(!mete_tier_check(tier));
    tier->classes--;
    tier->fallback--;
    EXPECT(!mete_tier_check(tier));
    tier->fallback++;
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        mete_tier_class_t *const home = &tier->classes[i];
        const mete_tier_class_t right = *home;
        home->size++;
        EXPECT(!mete_tier_check(tier));
        *home = right;
        home->tier = NULL;
        EXPECT(!mete_tier_check(tier));
        *home = right;
        home->acquire = acquire_nothing;
        EXPECT(!mete_tier_check(tier));
        *home = right;
        home->release = release_scattered;
        EXPECT(!mete_tier_check(tier));
        home->release_self = home;
        EXPECT(mete_tier_check(tier));
        home->release = right.release;
        EXPECT(!mete_tier_check(tier));
        *home = right;
        EXPECT(mete_tier_check(tier));
    }
}

static void test_level_3_reports_damage_after_every_operation(void)
{
    mete_tier_t *const tier = setup(1U);
    const mete_alloc_t alloc = mete_tier_as_alloc(tier);
    tier->classes[2].size++;
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    void *const block = mete_acquire(alloc, 8U, 1U);
    EXPECT((block != NULL) && (tap_take_fault() == expected));
    mete_release(alloc, block, 8U, 1U);
    EXPECT((tap_take_fault() == expected) && (in_use_of_all() == 0U));
}

// ---- Against a model, which knows how many blocks each member has left, and by that who must serve.

typedef struct slot {
    unsigned char *block;  // NULL: free slot.
    size_t size, member;
} slot_t;

static size_t server_of(const size_t left[], size_t size, size_t reach)
{
    size_t home = 0U;
    while ((home < CLASS_COUNT) && (size > sizes[home])) {
        home++;
    }
    for (size_t i = home; (i < CLASS_COUNT) && (i <= home + reach); i++) {
        if (left[i] != 0U) {
            return i;
        }
    }
    return ((left[FALLBACK] != 0U) && (size <= 128U)) ? (size_t)FALLBACK : (size_t)MEMBER_COUNT;
}

static void work_like_the_model(size_t linear_count, size_t reach)
{
    const mete_alloc_t tier =
        mete_tier_as_alloc(setup_with(linear_count, reach, (mete_alloc_t){NULL, &fixture}));
    static slot_t slots[24];
    mete_words_fill(slots, 0U, sizeof slots);
    size_t left[MEMBER_COUNT] = {3U, 5U, 2U, 4U, 7U};
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 3000U; step++) {
        slot_t *const slot = &slots[random_below(&random, 24U)];
        const size_t size =
            1U + random_below(&random, (random_below(&random, 3U) == 0U) ? 140U : 26U);
        if (slot->block == NULL) {
            const size_t server = server_of(left, size, reach);
            slot->block = (unsigned char *)mete_acquire(tier, size, 1U);
            EXPECT((slot->block != NULL) ? (member_of(slot->block) == server)
                                         : (server == MEMBER_COUNT));
            slot->size = size;
            slot->member = server;
            if (slot->block != NULL) {
                left[server]--;
            }
        } else if (random_below(&random, 4U) == 0U) {
            const bool fits = size <= block_sizes[slot->member];
            EXPECT(mete_resize(tier, slot->block, slot->size, size, 1U) == fits);
            slot->size = fits ? size : slot->size;
        } else {
            mete_release(tier, slot->block, slot->size, 1U);
            left[slot->member]++;
            slot->block = NULL;
        }
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            EXPECT((in_use_of_rack(i) == counts[i] - left[i]) &&
                   (usage_of(i).in_use == counts[i] - left[i]));
        }
        EXPECT((tap_take_fault() == 0) && mete_tier_check(&fixture.tier));
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    for (size_t reach = 0U; reach <= CLASS_COUNT; reach += 1U) {
        work_like_the_model(0U, reach);
        work_like_the_model(3U, reach);
    }
}

static void test_define_makes_a_tier(void)
{
    METE_TIER_DEFINE(small, 0, 2, 8, 16, 24, 100);
    setup_members();
    EXPECT(mete_tier_init(&small, members, members[FALLBACK], &small_config));
    EXPECT((small_config.class_count == CLASS_COUNT) && (small_config.reach == 2U));
    const mete_alloc_t alloc = mete_tier_as_alloc(&small);
    void *const block = mete_acquire(alloc, 20U, 1U);
    EXPECT(member_of(block) == 2U);
    mete_release(alloc, block, 20U, 1U);
}

static void run_what_needs_checks(void)
{
    RUN(test_misuse_is_found_by_the_member);
    RUN(test_level_3_reports_damage_after_every_operation);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_refuses_members_that_are_missing_or_know_nothing);
    RUN(test_every_size_goes_to_its_class);
    RUN(test_an_exhausted_class_asks_as_many_larger_ones_as_it_may);
    RUN(test_what_is_larger_than_all_classes_goes_to_the_fallback);
    RUN(test_without_a_fallback_there_is_none);
    RUN(test_a_member_that_cannot_align_counts_as_exhausted);
    RUN(test_release_finds_blocks_wherever_they_lie);
    RUN(test_a_class_that_serves_its_own_asks_nobody);
    RUN(test_a_fallback_that_cannot_tell_owns_what_nobody_else_does);
    RUN(test_owns_and_size_of_ask_all);
    RUN(test_resize_keeps_the_place_and_release_finds_it);
    RUN(test_resize_refuses_what_is_nobodys);
    RUN(test_usage_counts);
    RUN(test_a_share_is_full_only_when_none_is_left);
    RUN(test_the_formula_is_used_where_there_is_one);
    RUN(test_the_peak_is_right_while_it_is_reached);
    RUN(test_permille);
    RUN(test_every_refused_acquire_goes_elsewhere_and_nothing_is_lost);
    RUN(test_check_sees_what_is_spoiled);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_a_tier);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}

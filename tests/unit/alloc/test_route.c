// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The route, tested from inside. Three racks stand for three kinds of memory, each behind a door that can
// refuse an acquire.

#include "mete/alloc/route.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/alloc/rack.h"

enum { MEMBER_COUNT = 3, BLOCK_COUNT = 4, BLOCK_SIZE = 16 };
enum { FAST = METE_REGION_FAST, DMA = METE_REGION_DMA, RETAINED = METE_REGION_RETAINED };

static const uint32_t attributes[MEMBER_COUNT] = {FAST, DMA, DMA | RETAINED};

// A door in front of a rack: it counts, and can refuse one acquire of all doors together.
typedef struct door {
    mete_alloc_t rack;
    size_t *acquire_count;
    const size_t *refuse_at;
    size_t owns_count;
} door_t;

typedef struct fixture {
    unsigned char blocks[MEMBER_COUNT][BLOCK_COUNT * BLOCK_SIZE];
    rack_t racks[MEMBER_COUNT];
    door_t doors[MEMBER_COUNT];
    size_t acquire_count, refuse_at;
    mete_route_member_t members[MEMBER_COUNT];
    mete_route_hop_t hops[MEMBER_COUNT + 1];
    mete_route_config_t config;
    mete_route_t route;
} fixture_t;

static fixture_t fixture;

static void *door_acquire(void *self, size_t size, size_t align)
{
    const door_t *const door = (const door_t *)self;
    (*door->acquire_count)++;
    return (*door->acquire_count == *door->refuse_at) ? NULL
                                                      : mete_acquire(door->rack, size, align);
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
static const mete_alloc_ops_t owning_ops = {door_acquire, door_release, NULL, door_owns, NULL};
static const mete_alloc_ops_t forgetful_ops = {door_acquire, door_release, NULL, NULL, NULL};

// With their regions known, or not.
static void setup_members(bool are_known)
{
    fixture_t *const f = &fixture;
    mete_words_fill(f, 0xA5U, sizeof *f);
    f->acquire_count = 0U;
    f->refuse_at = 0U;
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        rack_init(&f->racks[i], f->blocks[i], BLOCK_SIZE, BLOCK_COUNT);
        f->doors[i] = (door_t){rack_as_alloc(&f->racks[i]), &f->acquire_count, &f->refuse_at, 0U};
        f->members[i].alloc = (mete_alloc_t){&door_ops, &f->doors[i]};
        f->members[i].region =
            (mete_region_t){{f->blocks[i], are_known ? sizeof f->blocks[i] : 0U}, attributes[i]};
    }
}

static mete_alloc_t setup_with(uint32_t required, bool are_known)
{
    fixture_t *const f = &fixture;
    setup_members(are_known);
    f->config = (mete_route_config_t){f->hops, MEMBER_COUNT + 1U, required};
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
    EXPECT(mete_route_check(&f->route));
    return mete_route_as_alloc(&f->route);
}

static mete_alloc_t setup(uint32_t required)
{
    return setup_with(required, true);
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

static size_t in_use_of_all(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        count += fixture.racks[i].in_use;
    }
    return count;
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    fixture_t *const f = &fixture;
    const mete_alloc_t route = setup(0U);
    const mete_route_config_t good = f->config;
    mete_route_config_t bad[] = {good, good, good, good};
    bad[0].hops = NULL;
    bad[1].hop_count = MEMBER_COUNT;  // No room for the end.
    bad[2].required = METE_REGION_ENCRYPTED;
    bad[3].required = FAST | DMA;  // None has both.
    void *const block = mete_acquire(route, 1U, 1U);
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_route_init(&f->route, f->members, MEMBER_COUNT, &bad[i]));
        EXPECT(mete_route_check(&f->route) && (mete_route_usage(&f->route).member_count == 3U));
    }
    EXPECT(!mete_route_init(&f->route, f->members, 0U, &good));
    mete_release(route, block, 1U, 1U);
    EXPECT((tap_take_fault() == 0) && (in_use_of_all() == 0U));
}

static void test_init_refuses_a_missing_configuration(void)
{
    fixture_t *const f = &fixture;
    (void)setup(0U);
    EXPECT(!mete_route_init(&f->route, NULL, MEMBER_COUNT, &f->config));
    EXPECT(!mete_route_init(&f->route, f->members, MEMBER_COUNT, NULL));
    EXPECT(mete_route_check(&f->route));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const mete_route_t never = {0};
    EXPECT(!mete_route_check(&never));
    EXPECT(tap_take_fault() == 0);
}

static void test_init_refuses_members_that_cannot_be_told_apart(void)
{
    fixture_t *const f = &fixture;
    (void)setup(0U);
    const mete_route_member_t right = f->members[1];
    const mete_route_member_t first = f->members[0];
    mete_route_member_t wrong[] = {right, right, right, right, right, right, right};
    wrong[0].alloc.ops = NULL;
    wrong[1].alloc.ops = &forgetful_ops;
    wrong[2].region.span.start = NULL;
    wrong[3].region.span.size = SIZE_MAX;
    wrong[4].region.span.start = &f->blocks[2][1];                         // Over the next,
    wrong[5].region.span.start = &f->blocks[0][sizeof f->blocks[0] - 1U];  // or the one before.
    wrong[6].region.span = (mete_span_t){&f->blocks[2][3], 1U};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        f->members[1] = wrong[i];
        EXPECT(!mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
        EXPECT(mete_route_check(&f->route));
        f->members[1] = right;
        f->members[0] = wrong[i];
        EXPECT(!mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
        f->members[0] = first;
    }
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
    f->members[1].region.span =
        (mete_span_t){&f->blocks[0][1], 0U};  // Unknown: nothing overlaps it.
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
    f->members[1].region.span = (mete_span_t){NULL, 0U};
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
    f->members[0].region.span = (mete_span_t){&f->blocks[2][1], 0U};
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
}

static void test_members_are_copied(void)
{
    const mete_alloc_t route = setup(0U);
    mete_words_fill(fixture.members, 0U, sizeof fixture.members);
    void *const block = mete_acquire(route, 1U, 1U);
    EXPECT(member_of(block) == 0U);
    mete_release(route, block, 1U, 1U);
    EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
}

// ---- Order and attributes

static void test_members_serve_in_order_until_all_are_exhausted(void)
{
    for (size_t known = 0U; known < 2U; known++) {
        const mete_alloc_t route = setup_with(0U, known != 0U);
        void *held[MEMBER_COUNT * BLOCK_COUNT];
        for (size_t i = 0U; i < MEMBER_COUNT * BLOCK_COUNT; i++) {
            held[i] = mete_acquire(route, BLOCK_SIZE, 1U);
            EXPECT(member_of(held[i]) == i / BLOCK_COUNT);
        }
        EXPECT(mete_acquire(route, 1U, 1U) == NULL);
        EXPECT((tap_take_fault() == 0) && (mete_route_usage(&fixture.route).refusals == 1U));
        for (size_t i = 0U; i < MEMBER_COUNT * BLOCK_COUNT; i++) {
            mete_release(route, held[(i * 5U) % (MEMBER_COUNT * BLOCK_COUNT)], BLOCK_SIZE, 1U);
        }
        EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
        EXPECT(member_of(mete_acquire(route, 1U, 1U)) == 0U);
    }
}

// Members that serve if it is their turn, and see whether it was them to ask.
enum { MANY = 9 };

typedef struct asked {
    size_t count, serving;  // Asked so far, from 1; who serves.
    bool is_right;
} asked_t;

static asked_t asked;
static unsigned char many_blocks[MANY];

static void *many_acquire(void *self, size_t size, size_t align)
{
    const size_t index = (size_t)((unsigned char *)self - many_blocks);
    asked.is_right = asked.is_right && (index == asked.count) && (size == 5U) && (align == 2U);
    asked.count++;
    return (index == asked.serving) ? self : NULL;
}

static void many_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static bool many_owns(const void *self, const void *address)
{
    return self == address;
}

static void test_every_member_is_asked_once_in_order_until_one_serves(void)
{
    static const mete_alloc_ops_t ops = {many_acquire, many_release, NULL, many_owns, NULL};
    static mete_route_hop_t hops[MANY + 1];
    static const mete_route_config_t config = {hops, MANY + 1, 0U};
    mete_route_member_t members[MANY];
    for (size_t count = 1U; count <= MANY; count++) {
        members[count - 1U] =
            (mete_route_member_t){{&ops, &many_blocks[count - 1U]}, {{NULL, 0U}, 0U}};
        EXPECT(mete_route_init(&fixture.route, members, count, &config));
        for (size_t serving = 0U; serving <= count; serving++) {
            asked = (asked_t){0U, serving, true};
            const void *const expected = (serving < count) ? &many_blocks[serving] : NULL;
            EXPECT(mete_acquire(mete_route_as_alloc(&fixture.route), 5U, 2U) == expected);
            EXPECT(asked.is_right && (asked.count == ((serving < count) ? serving + 1U : count)));
        }
        EXPECT(mete_route_usage(&fixture.route).refusals == 1U);
    }
}

static void test_only_members_with_all_attributes_serve(void)
{
    static const uint32_t required[] = {0U, FAST, DMA, RETAINED, DMA | RETAINED};
    for (size_t r = 0U; r < sizeof required / sizeof required[0]; r++) {
        const mete_alloc_t route = setup(required[r]);
        size_t count = 0U;
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            count += ((attributes[i] & required[r]) == required[r]) ? (size_t)BLOCK_COUNT : 0U;
        }
        EXPECT(mete_route_usage(&fixture.route).member_count == count / BLOCK_COUNT);
        for (size_t i = 0U; i < count; i++) {
            const size_t member = member_of(mete_acquire(route, 1U, 1U));
            EXPECT((member < MEMBER_COUNT) && ((attributes[member] & required[r]) == required[r]));
        }
        EXPECT((mete_acquire(route, 1U, 1U) == NULL) && (in_use_of_all() == count));
    }
}

static void test_a_route_does_not_take_back_what_it_would_not_give(void)
{
    const mete_alloc_t dma = setup(DMA);
    void *const fast = mete_acquire(fixture.members[0].alloc, 1U, 1U);
    mete_release(dma, fast, 1U, 1U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &fixture.route));
    EXPECT((tap_fault_address == fast) && (in_use_of_all() == 1U));
    EXPECT(!dma.ops->owns(dma.self, fast));
    EXPECT(!mete_resize(dma, fast, 1U, 2U, 1U) && (tap_take_fault() == METE_FAULT_FOREIGN));
    EXPECT(tap_fault_object == &fixture.route);
}

static void test_a_member_that_cannot_align_is_passed(void)
{
    setup_members(true);
    static _Alignas(64) unsigned char aligned[64];
    rack_t rack;
    rack_init(&rack, aligned, sizeof aligned, 1U);
    fixture.members[2] =
        (mete_route_member_t){rack_as_alloc(&rack), {{aligned, sizeof aligned}, 0U}};
    fixture.config = (mete_route_config_t){fixture.hops, MEMBER_COUNT + 1U, 0U};
    EXPECT(mete_route_init(&fixture.route, fixture.members, MEMBER_COUNT, &fixture.config));
    const mete_alloc_t route = mete_route_as_alloc(&fixture.route);
    void *const block = mete_acquire(route, 1U, 64U);
    EXPECT(block == aligned);
    mete_release(route, block, 1U, 64U);
    EXPECT(tap_take_fault() == 0);
}

// ---- Owners

static void test_a_known_region_is_not_asked_about(void)
{
    const mete_alloc_t route = setup(0U);
    for (size_t i = 0U; i < MEMBER_COUNT * BLOCK_COUNT; i++) {
        EXPECT(mete_acquire(route, 1U, 1U) != NULL);
    }
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        mete_release(route, fixture.blocks[i], 1U, 1U);
        mete_release(route, &fixture.blocks[i][sizeof fixture.blocks[i] - BLOCK_SIZE], 1U, 1U);
        EXPECT(route.ops->owns(route.self, &fixture.blocks[i][sizeof fixture.blocks[i] - 1U]));
        EXPECT(fixture.doors[i].owns_count == 0U);
    }
    EXPECT((tap_take_fault() == 0) && (in_use_of_all() == MEMBER_COUNT * (BLOCK_COUNT - 2U)));
}

// Where it starts does not matter if nothing is said to lie there.
static void test_a_region_of_unknown_size_is_not_taken_for_one_of_a_byte(void)
{
    fixture_t *const f = &fixture;
    (void)setup(0U);
    f->members[0].region.span = (mete_span_t){f->blocks[1], 0U};
    EXPECT(mete_route_init(&f->route, f->members, MEMBER_COUNT, &f->config));
    const mete_alloc_t route = mete_route_as_alloc(&f->route);
    void *const block = mete_acquire(f->members[1].alloc, 1U, 1U);
    EXPECT(block == f->blocks[1]);
    mete_release(route, block, 1U, 1U);
    EXPECT((tap_take_fault() == 0) && (f->doors[0].owns_count == 0U) && (in_use_of_all() == 0U));
}

static void test_a_region_may_be_a_byte_and_may_lie_at_low_addresses(void)
{
    static const mete_alloc_ops_t ops = {many_acquire, many_release, NULL, many_owns, NULL};
    const mete_route_member_t one = {{&ops, &many_blocks[1]}, {{&many_blocks[1], 1U}, 0U}};
    const mete_route_member_t low = {{&door_ops, &fixture.doors[0]}, {{(void *)16U, 4096U}, 0U}};
    const mete_route_member_t members[] = {low, one};
    (void)setup(0U);
    EXPECT(mete_route_init(&fixture.route, members, 2U, &fixture.config));
    EXPECT(mete_route_check(&fixture.route));
    const mete_alloc_t route = mete_route_as_alloc(&fixture.route);
    EXPECT(route.ops->owns(route.self, &many_blocks[1]) && (fixture.doors[0].owns_count == 0U));
    EXPECT(!route.ops->owns(route.self, &many_blocks[2]) && (fixture.doors[0].owns_count == 1U));
}

static void test_a_member_is_asked_for_what_lies_outside_its_region(void)
{
    // As with a heap to which memory was added.
    setup_members(true);
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        fixture.members[i].region.span.size = BLOCK_SIZE;
    }
    fixture.config = (mete_route_config_t){fixture.hops, MEMBER_COUNT + 1U, 0U};
    EXPECT(mete_route_init(&fixture.route, fixture.members, MEMBER_COUNT, &fixture.config));
    const mete_alloc_t route = mete_route_as_alloc(&fixture.route);
    for (size_t i = 0U; i < MEMBER_COUNT * BLOCK_COUNT; i++) {
        EXPECT(mete_acquire(route, 1U, 1U) != NULL);
    }
    for (size_t i = 0U; i < MEMBER_COUNT * BLOCK_COUNT; i++) {
        void *const block = &fixture.blocks[i / BLOCK_COUNT][(i % BLOCK_COUNT) * BLOCK_SIZE];
        EXPECT(mete_resize(route, block, 1U, 2U, 1U));
        mete_release(route, block, 2U, 1U);
    }
    EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
}

static void test_owns_and_size_of(void)
{
    for (size_t known = 0U; known < 2U; known++) {
        const mete_alloc_t route = setup_with(0U, known != 0U);
        for (size_t i = 0U; i < MEMBER_COUNT; i++) {
            for (size_t offset = 0U; offset < sizeof fixture.blocks[i]; offset++) {
                EXPECT(route.ops->owns(route.self, &fixture.blocks[i][offset]));
            }
            EXPECT(route.ops->size_of(route.self, fixture.blocks[i]) == BLOCK_SIZE);
        }
        EXPECT(!route.ops->owns(route.self, NULL) && !route.ops->owns(route.self, &fixture.route));
        EXPECT(!route.ops->owns(route.self, (void *)UINTPTR_MAX));
        EXPECT(route.ops->size_of(route.self, &fixture.route) == 0U);
    }
}

static void test_a_member_that_only_owns_will_do(void)
{
    setup_members(false);
    for (size_t i = 0U; i < MEMBER_COUNT; i++) {
        fixture.members[i].alloc.ops = &owning_ops;
    }
    fixture.config = (mete_route_config_t){fixture.hops, MEMBER_COUNT + 1U, 0U};
    EXPECT(mete_route_init(&fixture.route, fixture.members, MEMBER_COUNT, &fixture.config));
    const mete_alloc_t route = mete_route_as_alloc(&fixture.route);
    void *const block = mete_acquire(route, 3U, 1U);
    EXPECT(mete_resize(route, block, 3U, 3U, 1U));  // The size it has, which cannot be refused.
    EXPECT(!mete_resize(route, block, 3U, 2U, 1U) && (route.ops->size_of(route.self, block) == 0U));
    mete_release(route, block, 3U, 1U);
    EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
}

static void test_resize_stays_with_the_member(void)
{
    const mete_alloc_t route = setup(0U);
    void *const block = mete_acquire(route, 3U, 1U);
    EXPECT(mete_resize(route, block, 3U, BLOCK_SIZE, 1U));
    EXPECT(!mete_resize(route, block, BLOCK_SIZE, BLOCK_SIZE + 1U, 1U));
    EXPECT(in_use_of_all() == 1U);
    mete_release(route, block, BLOCK_SIZE, 1U);
    EXPECT(tap_take_fault() == 0);
}

static void test_misuse_is_found(void)
{
    for (size_t known = 0U; known < 2U; known++) {
        const mete_alloc_t route = setup_with(0U, known != 0U);
        unsigned char *const block = (unsigned char *)mete_acquire(route, 3U, 1U);
        mete_release(route, block + 1, 3U, 1U);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        mete_release(route, &fixture.route, 3U, 1U);
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &fixture.route));
        mete_release(route, (void *)UINTPTR_MAX, 3U, 1U);
        EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
        mete_release(route, block, 3U, 1U);
        EXPECT(tap_take_fault() == 0);
        mete_release(route, block, 3U, 1U);
        EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (in_use_of_all() == 0U));
    }
}

// ---- Out of memory, at every acquire of every member

static void test_every_refused_acquire_goes_on_and_nothing_is_lost(void)
{
    enum { COUNT = MEMBER_COUNT * BLOCK_COUNT };
    for (size_t refuse_at = 1U; refuse_at < 40U; refuse_at++) {
        const mete_alloc_t route = setup(0U);
        fixture.refuse_at = refuse_at;
        void *held[COUNT + 1];
        size_t count = 0U;
        for (size_t i = 0U; i < COUNT + 1U; i++) {
            held[i] = mete_acquire(route, 5U, 1U);
            count += (held[i] != NULL) ? 1U : 0U;
        }
        EXPECT((count >= COUNT - 1U) && (in_use_of_all() == count));
        EXPECT(mete_route_usage(&fixture.route).refusals == COUNT + 1U - count);
        for (size_t i = 0U; i < COUNT + 1U; i++) {
            mete_release(route, held[i], 5U, 1U);
        }
        EXPECT((in_use_of_all() == 0U) && (tap_take_fault() == 0));
    }
}

// ---- check

static void test_check_sees_what_is_spoiled(void)
{
    (void)setup(0U);
    mete_route_t *const route = &fixture.route;
    route->member_count--;
    EXPECT(!mete_route_check(route));
    route->member_count += 2U;
    EXPECT(!mete_route_check(route));
    route->member_count = 0U;
    EXPECT(!mete_route_check(route));
    route->member_count = MEMBER_COUNT;
    for (size_t i = 0U; i <= MEMBER_COUNT; i++) {
        mete_route_hop_t *const hop = &fixture.hops[i];
        const mete_route_hop_t right = *hop;
        hop->acquire = door_acquire == right.acquire ? refuse : door_acquire;
        EXPECT(!mete_route_check(route));
        *hop = right;
        hop->release = NULL;
        EXPECT(!mete_route_check(route));
        *hop = right;
        hop->last = UINTPTR_MAX - ((i == MEMBER_COUNT) ? 1U : 0U);
        EXPECT(!mete_route_check(route));
        *hop = right;
        hop->ops = (i == MEMBER_COUNT) ? &door_ops : NULL;
        EXPECT(!mete_route_check(route));
        *hop = right;
    }
    route->config = NULL;
    EXPECT(!mete_route_check(route));
    route->config = &fixture.config;
    EXPECT(mete_route_check(route));
    fixture.hops[MEMBER_COUNT].self = NULL;
    EXPECT(!mete_route_check(route));
}

static void test_level_3_reports_damage_after_every_operation(void)
{
    const mete_alloc_t route = setup(0U);
    fixture.hops[2].last = UINTPTR_MAX;
    const int expected = (METE_CHECK_LEVEL >= 3) ? METE_FAULT_CORRUPT : 0;
    void *const block = mete_acquire(route, 8U, 1U);
    EXPECT((block != NULL) && (tap_take_fault() == expected));
    mete_release(route, block, 8U, 1U);
    EXPECT((tap_take_fault() == expected) && (in_use_of_all() == 0U));
}

// ---- Against a model: how many blocks each member has left says who serves.

static void test_random_work_agrees_with_a_model(void)
{
    enum { SLOT_COUNT = 20 };
    static const uint32_t required[2] = {0U, DMA};
    setup_members(true);
    static mete_route_hop_t hops[2][MEMBER_COUNT + 1];
    static mete_route_config_t configs[2];
    static mete_route_t routes[2];
    struct {
        void *block;
        size_t member, route;
    } slots[SLOT_COUNT];
    mete_words_fill(slots, 0U, sizeof slots);
    for (size_t i = 0U; i < 2U; i++) {
        configs[i] = (mete_route_config_t){hops[i], MEMBER_COUNT + 1U, required[i]};
        EXPECT(mete_route_init(&routes[i], fixture.members, MEMBER_COUNT, &configs[i]));
    }
    size_t left[MEMBER_COUNT] = {BLOCK_COUNT, BLOCK_COUNT, BLOCK_COUNT};
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 6000U; step++) {
        const size_t pick = random_below(&random, SLOT_COUNT);
        if (slots[pick].block != NULL) {
            // What is for DMA may also be given back through the route that requires nothing.
            const size_t through = (slots[pick].route != 0U) ? random_below(&random, 2U) : 0U;
            mete_release(mete_route_as_alloc(&routes[through]), slots[pick].block, 9U, 1U);
            left[slots[pick].member]++;
            slots[pick].block = NULL;
        } else {
            const size_t route = random_below(&random, 2U);
            size_t member = route;  // The first member is not for DMA.
            while ((member < MEMBER_COUNT) && (left[member] == 0U)) {
                member++;
            }
            slots[pick].block = mete_acquire(mete_route_as_alloc(&routes[route]), 9U, 1U);
            slots[pick].member = member;
            slots[pick].route = route;
            EXPECT((slots[pick].block != NULL) ? (member_of(slots[pick].block) == member)
                                               : (member == MEMBER_COUNT));
            if (slots[pick].block != NULL) {
                left[member]--;
            }
        }
        EXPECT((in_use_of_all() == (3U * BLOCK_COUNT) - left[0] - left[1] - left[2]) &&
               (tap_take_fault() == 0) && mete_route_check(&routes[0]) &&
               mete_route_check(&routes[1]));
    }
}

static void run_what_needs_checks(void)
{
    RUN(test_a_route_does_not_take_back_what_it_would_not_give);
    RUN(test_misuse_is_found);
    RUN(test_level_3_reports_damage_after_every_operation);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_init_refuses_a_missing_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_refuses_members_that_cannot_be_told_apart);
    RUN(test_members_are_copied);
    RUN(test_members_serve_in_order_until_all_are_exhausted);
    RUN(test_every_member_is_asked_once_in_order_until_one_serves);
    RUN(test_only_members_with_all_attributes_serve);
    RUN(test_a_member_that_cannot_align_is_passed);
    RUN(test_a_known_region_is_not_asked_about);
    RUN(test_a_region_of_unknown_size_is_not_taken_for_one_of_a_byte);
    RUN(test_a_region_may_be_a_byte_and_may_lie_at_low_addresses);
    RUN(test_a_member_is_asked_for_what_lies_outside_its_region);
    RUN(test_owns_and_size_of);
    RUN(test_a_member_that_only_owns_will_do);
    RUN(test_resize_stays_with_the_member);
    RUN(test_every_refused_acquire_goes_on_and_nothing_is_lost);
    RUN(test_check_sees_what_is_spoiled);
    RUN(test_random_work_agrees_with_a_model);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}

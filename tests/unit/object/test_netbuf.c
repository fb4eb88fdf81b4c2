// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Packet buffers, tested from inside: this file includes netbuf.c itself. Behind them stand two pools, which recognise
// whatever is given back twice, and allocators in front of these that can be told to refuse.

#include "mete/object/netbuf.c"

#include "mete/alloc/pool.h"
#include "mete/wrap/fail.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

// A size that is not a multiple of the alignment.
enum { SIZE = 90, ALIGN = 32, ROOM = 96, HEADROOM = 20, STORAGE_MAX = 6, RESERVE = 2 };
enum { CHAIN_MAX = 4, HEAD_MAX = 12 };

typedef struct storage_block {
    unsigned char bytes[METE_NETBUF_STORAGE_SIZE(SIZE, ALIGN)] __attribute__((aligned(ALIGN)));
} storage_block_t;

METE_POOL_DEFINE(head_pool, mete_netbuf_t, HEAD_MAX);
METE_POOL_DEFINE(storage_pool, storage_block_t, STORAGE_MAX + 1);

static mete_fail_t heads, storages;
static mete_netbuf_config_t config;
static mete_netbuf_pool_t net;
static uint32_t owner;

static uint32_t who(void *self)
{
    EXPECT(self == &owner);
    return owner;
}

static void plan(mete_fail_t *fail, size_t nth)
{
    const mete_fail_plan_t it = {.nth = nth};
    mete_fail_reset(fail, &it);
}

static mete_netbuf_pool_t *setup(void)
{
    static const mete_fail_plan_t nothing = {0};
    EXPECT(mete_pool_init(&head_pool, &head_pool_config));
    EXPECT(mete_pool_init(&storage_pool, &storage_pool_config));
    EXPECT(mete_fail_init(&heads, mete_pool_as_alloc(&head_pool), &nothing));
    EXPECT(mete_fail_init(&storages, mete_pool_as_alloc(&storage_pool), &nothing));
    owner = 7U;
    config = (mete_netbuf_config_t){
        .heads = mete_fail_as_alloc(&heads),
        .storages = mete_fail_as_alloc(&storages),
        .size = SIZE,
        .align = ALIGN,
        .headroom = HEADROOM,
        .storage_max = STORAGE_MAX,
        .receive_reserve = RESERVE,
        .chain_max = CHAIN_MAX,
        .owner = who,
        .self = &owner,
    };
    EXPECT(mete_netbuf_init(&net, &config));
    return &net;
}

// A buffer that holds so many bytes, counting up from `first`.
static mete_netbuf_t *buffer_of(unsigned first, size_t size)
{
    mete_netbuf_t *const buffer = mete_netbuf_get(&net, METE_NETBUF_RECEIVE);
    unsigned char *const bytes = (unsigned char *)mete_netbuf_put(buffer, size);
    EXPECT((bytes != NULL) || (size == 0U));
    for (size_t i = 0U; i < size; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    return buffer;
}

// A chain of three, of 30, 0 and 25 bytes.
static mete_netbuf_t *chain(void)
{
    mete_netbuf_t *const packet = buffer_of(0U, 30U);
    EXPECT(mete_netbuf_append(packet, buffer_of(0U, 0U)));
    EXPECT(mete_netbuf_append(packet, buffer_of(30U, 25U)));
    return packet;
}

static bool holds(const mete_netbuf_t *packet, unsigned first, size_t size)
{
    unsigned char bytes[STORAGE_MAX * ROOM];
    bool is_right = mete_netbuf_check(packet) && (mete_netbuf_length(packet) == size) &&
                    (mete_netbuf_read(packet, 0U, bytes, sizeof bytes) == size);
    for (size_t i = 0U; is_right && (i < size); i++) {
        is_right = bytes[i] == (unsigned char)(first + i);
    }
    return is_right;
}

static size_t heads_in_use(void)
{
    const size_t in_use = mete_pool_usage(&head_pool).in_use;
    EXPECT(mete_netbuf_usage(&net).head_count == in_use);
    return in_use;
}

static size_t storages_in_use(void)
{
    const size_t in_use = mete_pool_usage(&storage_pool).in_use;
    EXPECT(mete_netbuf_usage(&net).in_use == in_use);
    return in_use;
}

static void expect_all_given_back(void)
{
    EXPECT((heads_in_use() == 0U) && (storages_in_use() == 0U) && (tap_take_fault() == 0));
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    mete_netbuf_pool_t *const pool = setup();
    const mete_netbuf_config_t good = config;
    mete_netbuf_config_t bad[] = {good, good, good, good, good, good, good, good, good, good, good};
    bad[0].heads.ops = NULL;
    bad[1].storages.ops = NULL;
    bad[2].size = 0U;
    bad[3].size = SIZE_MAX / 2U + 1U;
    bad[4].align = 24U;
    bad[5].align = 1U;
    bad[6].align = (SIZE_MAX / 4U) + 1U;
    bad[7].headroom = SIZE + 1U;
    bad[8].storage_max = 0U;
    bad[9].receive_reserve = STORAGE_MAX + 1U;
    bad[10].chain_max = 0U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!mete_netbuf_init(pool, &bad[i]) && (pool->config == &config));
    }
    EXPECT(!mete_netbuf_init(pool, NULL) && (pool->config == &config));
    mete_netbuf_config_t least = good;
    least.align = __alignof__(mete_netbuf_storage_t);
    least.headroom = SIZE;
    least.receive_reserve = STORAGE_MAX;
    EXPECT(mete_netbuf_init(pool, &least));
}

// ---- One buffer

static void test_get_leaves_headroom_and_nothing_in_it(void)
{
    mete_netbuf_pool_t *const pool = setup();
    mete_netbuf_t *const buffer = mete_netbuf_get(pool, METE_NETBUF_SEND);
    EXPECT((buffer->size == 0U) && (buffer->next == NULL) && mete_netbuf_check(buffer));
    EXPECT((mete_netbuf_headroom(buffer) == HEADROOM) &&
           (mete_netbuf_tailroom(buffer) == ROOM - HEADROOM));
    EXPECT(((uintptr_t)bytes_of(buffer) % ALIGN == 0U) && !mete_netbuf_is_shared(buffer));
    EXPECT(block_size(&config) == METE_NETBUF_STORAGE_SIZE(SIZE, ALIGN));
    EXPECT(front_size(&config) == METE_NETBUF_FRONT_SIZE(ALIGN));
    mete_netbuf_drop(buffer);
    expect_all_given_back();
}

static void test_bytes_are_added_and_taken_at_both_ends(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(8U, 40U);
    unsigned char *const header = (unsigned char *)mete_netbuf_push(buffer, 8U);
    EXPECT((header == buffer->start) && (mete_netbuf_headroom(buffer) == HEADROOM - 8U));
    for (unsigned i = 0U; i < 8U; i++) {
        header[i] = (unsigned char)i;
    }
    EXPECT(holds(buffer, 0U, 48U) && mete_netbuf_pull(buffer, 5U) && holds(buffer, 5U, 43U));
    EXPECT(mete_netbuf_trim(buffer, 20U) && holds(buffer, 5U, 20U));
    EXPECT(!mete_netbuf_trim(buffer, 21U) && !mete_netbuf_pull(buffer, 21U) &&
           holds(buffer, 5U, 20U));
    EXPECT(mete_netbuf_trim(buffer, 20U) && mete_netbuf_pull(buffer, 20U) && holds(buffer, 0U, 0U));
    mete_netbuf_drop(buffer);
    expect_all_given_back();
}

static void test_what_does_not_fit_is_refused(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 10U);
    EXPECT((mete_netbuf_push(buffer, HEADROOM + 1U) == NULL) &&
           (mete_netbuf_push(buffer, SIZE_MAX) == NULL));
    EXPECT((mete_netbuf_put(buffer, ROOM - HEADROOM - 10U + 1U) == NULL) && holds(buffer, 0U, 10U));
    EXPECT(mete_netbuf_put(buffer, SIZE_MAX) == NULL);
    EXPECT(mete_netbuf_push(buffer, HEADROOM) == bytes_of(buffer));
    EXPECT(mete_netbuf_put(buffer, ROOM - HEADROOM - 10U) == bytes_of(buffer) + HEADROOM + 10U);
    EXPECT((mete_netbuf_headroom(buffer) == 0U) && (mete_netbuf_tailroom(buffer) == 0U));
    EXPECT((buffer->size == ROOM) && mete_netbuf_check(buffer));
    mete_netbuf_drop(buffer);
}

static void test_lines_of_a_buffer_are_its_storages_own(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 13U);  // 20 ... 32: the first two lines.
    mete_span_t lines = mete_netbuf_span_lines(buffer);
    EXPECT((lines.start == bytes_of(buffer)) && (lines.size == 2U * ALIGN));
    EXPECT(mete_netbuf_trim(buffer, 12U) && (mete_netbuf_span_lines(buffer).size == ALIGN));
    EXPECT(mete_netbuf_put(buffer, ROOM - HEADROOM - 12U) != NULL);
    lines = mete_netbuf_span_lines(buffer);
    EXPECT((lines.start == bytes_of(buffer)) && (lines.size == ROOM));
    EXPECT(mete_netbuf_trim(buffer, 0U) && (mete_netbuf_span_lines(buffer).size == 0U));
    mete_netbuf_drop(buffer);
}

// ---- Throttle

static void test_senders_leave_the_reserve_to_receivers(void)
{
    mete_netbuf_pool_t *const pool = setup();
    mete_netbuf_t *all[STORAGE_MAX];
    for (size_t i = 0U; i < STORAGE_MAX - RESERVE; i++) {
        all[i] = mete_netbuf_get(pool, METE_NETBUF_SEND);
        EXPECT(all[i] != NULL);
    }
    EXPECT(mete_netbuf_get(pool, METE_NETBUF_SEND) == NULL);
    EXPECT((mete_netbuf_usage(pool).send_refusals == 1U) &&
           (storages_in_use() == STORAGE_MAX - RESERVE));
    for (size_t i = STORAGE_MAX - RESERVE; i < STORAGE_MAX; i++) {
        all[i] = mete_netbuf_get(pool, METE_NETBUF_RECEIVE);
        EXPECT(all[i] != NULL);
    }
    EXPECT(mete_netbuf_get(pool, METE_NETBUF_RECEIVE) == NULL);  // Though there is one more block.
    EXPECT((mete_netbuf_usage(pool).receive_refusals == 1U) &&
           (mete_netbuf_usage(pool).in_use_peak == STORAGE_MAX));
    for (size_t i = 0U; i < STORAGE_MAX; i++) {
        EXPECT(mete_netbuf_get(pool, METE_NETBUF_SEND) == NULL || (i > RESERVE));
        mete_netbuf_drop(all[i]);
        if (i == RESERVE) {
            mete_netbuf_t *const again = mete_netbuf_get(pool, METE_NETBUF_SEND);
            EXPECT(again != NULL);
            mete_netbuf_drop(again);
            break;
        }
    }
    for (size_t i = RESERVE + 1U; i < STORAGE_MAX; i++) {
        mete_netbuf_drop(all[i]);
    }
    expect_all_given_back();
    EXPECT(mete_netbuf_usage(pool).get_total == STORAGE_MAX + 1U);
}

static void test_get_gives_back_what_it_has_if_the_rest_is_refused(void)
{
    mete_netbuf_pool_t *const pool = setup();
    plan(&heads, 1U);
    EXPECT((mete_netbuf_get(pool, METE_NETBUF_SEND) == NULL) && (storages_in_use() == 0U));
    plan(&storages, 1U);
    EXPECT((mete_netbuf_get(pool, METE_NETBUF_RECEIVE) == NULL) && (heads_in_use() == 0U));
    const mete_netbuf_usage_t usage = mete_netbuf_usage(pool);
    EXPECT((usage.send_refusals == 1U) && (usage.receive_refusals == 1U) &&
           (usage.get_total == 0U));
    expect_all_given_back();
}

// ---- Clones

static void test_a_clone_shares_bytes_and_not_its_window(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 40U);
    mete_netbuf_t *const clone = mete_netbuf_clone(buffer);
    EXPECT((clone->start == buffer->start) && (storages_in_use() == 1U) && (heads_in_use() == 2U));
    EXPECT(mete_netbuf_is_shared(buffer) && mete_netbuf_is_shared(clone));
    EXPECT(mete_netbuf_pull(clone, 10U) && mete_netbuf_trim(clone, 20U));
    EXPECT(holds(clone, 10U, 20U) && holds(buffer, 0U, 40U));
    EXPECT((mete_netbuf_push(buffer, 1U) == NULL) && (mete_netbuf_put(clone, 1U) == NULL));
    EXPECT((mete_netbuf_headroom(buffer) == 0U) && (mete_netbuf_tailroom(clone) == 0U));
    mete_netbuf_drop(buffer);
    EXPECT(holds(clone, 10U, 20U) && !mete_netbuf_is_shared(clone) && (storages_in_use() == 1U));
    EXPECT(mete_netbuf_headroom(clone) == HEADROOM + 10U);
    mete_netbuf_drop(clone);
    expect_all_given_back();
}

static void test_a_clone_of_a_chain_is_all_or_nothing(void)
{
    mete_netbuf_pool_t *const pool = setup();
    mete_netbuf_t *const packet = chain();
    for (size_t nth = 1U; nth <= 3U; nth++) {
        plan(&heads, nth);
        EXPECT((mete_netbuf_clone(packet) == NULL) && (heads_in_use() == 3U) &&
               !mete_netbuf_is_shared(packet));
        EXPECT(holds(packet, 0U, 55U));
    }
    plan(&heads, 0U);
    mete_netbuf_t *const clone = mete_netbuf_clone(packet);
    EXPECT(holds(clone, 0U, 55U) && (heads_in_use() == 6U) && (storages_in_use() == 3U));
    EXPECT(mete_netbuf_usage(pool).clone_total == 6U);  // Three of them were dropped again.
    mete_netbuf_drop(packet);
    EXPECT(holds(clone, 0U, 55U));
    mete_netbuf_drop(clone);
    expect_all_given_back();
}

static __attribute__((noinline)) mete_netbuf_t *clone_elsewhere(const mete_netbuf_t *buffer)
{
    mete_netbuf_t *const clone = mete_netbuf_clone(buffer);
    __asm__ volatile("" ::: "memory");
    return clone;
}

static void test_who_took_the_last_reference_is_remembered(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 1U);
    const mete_netbuf_holder_t first = mete_netbuf_last(buffer);
    EXPECT((first.caller != NULL) && (first.owner == 7U) && (first.count == 1U));
    owner = 9U;
    mete_netbuf_t *const clone = clone_elsewhere(buffer);
    const mete_netbuf_holder_t last = mete_netbuf_last(buffer);
    EXPECT((last.owner == 9U) && (last.count == 2U) && (last.caller != first.caller));
    EXPECT((mete_netbuf_owner(buffer).owner == 7U) &&
           (mete_netbuf_owner(buffer).caller == first.caller));
    EXPECT((mete_netbuf_owner(clone).owner == 9U) &&
           (mete_netbuf_owner(clone).caller == last.caller));
    EXPECT(mete_netbuf_owner(clone).count == 2U);
    mete_netbuf_drop(clone);
    EXPECT((mete_netbuf_last(buffer).owner == 9U) && (mete_netbuf_last(buffer).count == 1U));
    mete_netbuf_drop(buffer);
    config.owner = NULL;
    mete_netbuf_t *const nobodys = buffer_of(0U, 1U);
    EXPECT(mete_netbuf_last(nobodys).owner == 0U);
    mete_netbuf_drop(nobodys);
    expect_all_given_back();
}

// ---- Chains

static void test_a_chain_is_one_packet(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    EXPECT(holds(packet, 0U, 55U) && (heads_in_use() == 3U));
    for (size_t offset = 0U; offset <= 56U; offset++) {
        for (size_t size = 0U; size < 60U; size += 7U) {
            unsigned char bytes[64] = {0};
            const size_t there = (offset < 55U) ? 55U - offset : 0U;
            const size_t expected = (size < there) ? size : there;
            EXPECT(mete_netbuf_read(packet, offset, bytes, size) == expected);
            EXPECT((expected == 0U) ||
                   ((bytes[0] == offset) && (bytes[expected - 1U] == offset + expected - 1U)));
            EXPECT(bytes[expected] == 0U);
        }
    }
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

static void test_chains_have_a_longest(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    mete_netbuf_t *const pair = buffer_of(55U, 3U);
    EXPECT(mete_netbuf_append(pair, buffer_of(58U, 2U)));
    EXPECT(!mete_netbuf_append(packet, pair) && holds(packet, 0U, 55U) && holds(pair, 55U, 5U));
    mete_netbuf_t *const rest = mete_netbuf_remove(pair);
    EXPECT(holds(rest, 58U, 2U) && holds(pair, 55U, 3U) && (mete_netbuf_remove(rest) == NULL));
    EXPECT(mete_netbuf_append(packet, pair) && holds(packet, 0U, 58U));
    EXPECT(!mete_netbuf_append(packet, rest) && holds(packet, 0U, 58U));
    mete_netbuf_drop(rest);
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

static void test_a_packet_is_not_put_behind_itself(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    mete_netbuf_t *const one = packet->next;
    EXPECT(!mete_netbuf_append(packet, packet) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT(!mete_netbuf_append(packet, one) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT((tap_fault_address == one) && !mete_netbuf_append(packet, one->next));
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    EXPECT(!mete_netbuf_append(one, packet) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT(holds(packet, 0U, 55U));
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

// ---- linearise

static void test_linearise_brings_a_chain_into_one_storage(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    const size_t headroom = mete_netbuf_headroom(packet);
    owner = 11U;
    EXPECT(mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE) && holds(packet, 0U, 55U));
    EXPECT((packet->next == NULL) && (heads_in_use() == 1U) && (storages_in_use() == 1U));
    EXPECT((mete_netbuf_headroom(packet) == headroom) && (mete_netbuf_last(packet).owner == 11U));
    const unsigned char *const start = packet->start;
    EXPECT(mete_netbuf_linearise(packet, METE_NETBUF_SEND) && (packet->start == start));
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

static void test_linearise_gives_up_headroom_where_the_packet_needs_it(void)
{
    (void)setup();
    mete_netbuf_t *const packet = buffer_of(0U, 60U);
    EXPECT(mete_netbuf_append(packet, buffer_of(60U, 50U)));
    EXPECT(mete_netbuf_pull(packet, 60U) && holds(packet, 60U, 50U));  // All of the first.
    EXPECT(mete_netbuf_linearise(packet, METE_NETBUF_SEND) && holds(packet, 60U, 50U));
    EXPECT((mete_netbuf_headroom(packet) == ROOM - 50U) && (mete_netbuf_tailroom(packet) == 0U));
    EXPECT(mete_netbuf_append(packet, buffer_of(110U, ROOM - 50U)));
    EXPECT(mete_netbuf_linearise(packet, METE_NETBUF_SEND) && holds(packet, 60U, ROOM));
    EXPECT((mete_netbuf_headroom(packet) == 0U) && (storages_in_use() == 1U));
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

static void test_linearise_makes_shared_bytes_ones_own(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 40U);
    mete_netbuf_t *const clone = mete_netbuf_clone(buffer);
    EXPECT(mete_netbuf_linearise(clone, METE_NETBUF_SEND) && holds(clone, 0U, 40U));
    EXPECT(!mete_netbuf_is_shared(clone) && !mete_netbuf_is_shared(buffer) &&
           (storages_in_use() == 2U));
    clone->start[0] = 99U;
    EXPECT(holds(buffer, 0U, 40U) && (mete_netbuf_push(buffer, 1U) != NULL));
    mete_netbuf_drop(clone);
    mete_netbuf_drop(buffer);
    expect_all_given_back();
}

static void test_linearise_leaves_all_as_it_was_if_it_cannot(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    plan(&storages, 1U);
    EXPECT(!mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE) && holds(packet, 0U, 55U));
    EXPECT((mete_netbuf_usage(&net).receive_refusals == 1U) && (heads_in_use() == 3U));
    mete_netbuf_t *const more = buffer_of(55U, ROOM - HEADROOM - 55U);
    EXPECT(mete_netbuf_append(packet, more) && holds(packet, 0U, ROOM - HEADROOM));
    EXPECT(!mete_netbuf_linearise(packet, METE_NETBUF_SEND) &&
           (mete_netbuf_usage(&net).send_refusals == 1U));
    EXPECT(mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE) &&
           holds(packet, 0U, ROOM - HEADROOM));
    EXPECT(mete_netbuf_append(packet, buffer_of((unsigned)(ROOM - HEADROOM), HEADROOM + 1U)));
    EXPECT(!mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE) && holds(packet, 0U, ROOM + 1U));
    EXPECT(mete_netbuf_usage(&net).receive_refusals == 1U);  // Too long is no refusal.
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

// ---- Misuse and damage

static void test_a_head_dropped_twice_is_told(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 1U);
    mete_netbuf_drop(buffer);
    mete_netbuf_drop(buffer);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_address == buffer));
    EXPECT((mete_netbuf_clone(buffer) == NULL) && (tap_take_fault() == METE_FAULT_DOUBLE_FREE));
    EXPECT(!mete_netbuf_check(buffer));
    mete_netbuf_drop(NULL);
    expect_all_given_back();
}

static void test_what_is_no_head_is_told(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 1U);
    mete_netbuf_t copy = *buffer;
    mete_netbuf_drop(&copy);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_address == &copy));
    EXPECT((mete_netbuf_clone(&copy) == NULL) && (tap_take_fault() == METE_FAULT_FOREIGN));
    EXPECT((heads_in_use() == 1U) && mete_netbuf_check(buffer));
    mete_netbuf_drop(buffer);
    expect_all_given_back();
}

// What each function that changes something does with `buffer`: nothing.
static void expect_refusals(mete_netbuf_t *buffer, mete_netbuf_t *other, int fault)
{
    EXPECT((mete_netbuf_push(buffer, 1U) == NULL) && (tap_take_fault() == fault));
    EXPECT((tap_fault_address == buffer) && (mete_netbuf_put(buffer, 1U) == NULL));
    EXPECT((tap_take_fault() == fault) && !mete_netbuf_pull(buffer, 1U));
    EXPECT((tap_take_fault() == fault) && !mete_netbuf_trim(buffer, 1U));
    EXPECT((tap_take_fault() == fault) && !mete_netbuf_append(buffer, other));
    EXPECT((tap_take_fault() == fault) && (tap_fault_address == buffer));
    EXPECT(!mete_netbuf_append(other, buffer) && (tap_take_fault() == fault));
    EXPECT((tap_fault_address == buffer) && (mete_netbuf_remove(buffer) == NULL));
    EXPECT((tap_take_fault() == fault) && !mete_netbuf_linearise(buffer, METE_NETBUF_SEND));
    EXPECT((tap_take_fault() == fault) && (other->next == NULL) && mete_netbuf_check(other));
}

static void test_a_buffer_that_was_dropped_is_not_changed(void)
{
    (void)setup();
    mete_netbuf_t *const other = buffer_of(0U, 3U);
    mete_netbuf_t *const buffer = buffer_of(0U, 10U);
    mete_netbuf_t copy = *buffer;
    copy.next = other;
    expect_refusals(&copy, other, METE_FAULT_FOREIGN);
    mete_netbuf_drop(buffer);
    buffer->next = other;
    expect_refusals(buffer, other, METE_FAULT_DOUBLE_FREE);
    EXPECT((buffer->next == other) && (buffer->size == 10U));
    mete_netbuf_drop(other);
    expect_all_given_back();
}

static void test_a_buffer_whose_bytes_lie_elsewhere_is_not_changed(void)
{
    (void)setup();
    mete_netbuf_t *const other = buffer_of(0U, 3U);
    mete_netbuf_t *const buffer = buffer_of(0U, 10U);
    buffer->size += ROOM;
    expect_refusals(buffer, other, METE_FAULT_CORRUPT);
    EXPECT(buffer->size == ROOM + 10U);
    buffer->size = 10U;
    mete_netbuf_drop(buffer);
    mete_netbuf_drop(other);
    expect_all_given_back();
}

static void test_buffers_of_two_pools_make_no_chain(void)
{
    (void)setup();
    mete_netbuf_t *const buffer = buffer_of(0U, 3U);
    mete_netbuf_pool_t other_net;
    EXPECT(mete_netbuf_init(&other_net, &config));
    mete_netbuf_t *const other = mete_netbuf_get(&other_net, METE_NETBUF_RECEIVE);
    EXPECT(!mete_netbuf_append(buffer, other) && (tap_take_fault() == METE_FAULT_FOREIGN));
    EXPECT((tap_fault_address == other) && (buffer->next == NULL));
    mete_netbuf_drop(other);
    mete_netbuf_drop(buffer);
    expect_all_given_back();
}

static void expect_damage(mete_netbuf_t *packet)
{
    EXPECT(!mete_netbuf_check(packet));
    mete_netbuf_drop(packet);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT((mete_netbuf_clone(packet) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
}

static void test_damage_of_a_chain_is_told_before_anything_is_dropped(void)
{
    (void)setup();
    mete_netbuf_t *const packet = chain();
    mete_netbuf_t *const second = packet->next;
    mete_netbuf_t *const third = second->next;
    unsigned char *const start = third->start;
    third->start = bytes_of(third) - 1;
    expect_damage(packet);
    third->start = bytes_of(third) + ROOM - third->size + 1U;
    expect_damage(packet);
    third->start = start;
    third->size += ROOM - HEADROOM - 25U + 1U;
    expect_damage(packet);
    third->size = 25U;
    third->next = second;  // A circle.
    expect_damage(packet);
    third->next = NULL;
    third->tag ^= 1U;
    expect_damage(packet);
    third->tag ^= 1U;
    third->storage->count = 0U;
    expect_damage(packet);
    third->storage->count = 1U;
    mete_netbuf_pool_t other = net;
    second->pool = &other;
    expect_damage(packet);
    second->pool = &net;
    EXPECT((heads_in_use() == 3U) && holds(packet, 0U, 55U));
    mete_netbuf_drop(packet);
    expect_all_given_back();
}

// ---- Against a model: each packet holds numbers that count up from its first.

enum { PACKET_MAX = 5 };

static struct {
    mete_netbuf_t *packet;
    unsigned first;
    size_t size;
} model[PACKET_MAX];

static void begin(size_t at, uint32_t *random)
{
    const size_t size = random_below(random, 40U);
    mete_netbuf_t *const buffer = mete_netbuf_get(&net, METE_NETBUF_RECEIVE);
    if (buffer != NULL) {
        model[at].first = random_below(random, 100U);
        model[at].size = size;
        unsigned char *const bytes = (unsigned char *)mete_netbuf_put(buffer, size);
        for (size_t i = 0U; i < size; i++) {
            bytes[i] = (unsigned char)(model[at].first + i);
        }
    }
    model[at].packet = buffer;
}

static void change(size_t at, uint32_t *random)
{
    mete_netbuf_t *const packet = model[at].packet;
    const size_t size = random_below(random, 12U);
    switch (random_below(random, 3U)) {
    case 0U:
        if (mete_netbuf_pull(packet, size)) {
            model[at].first += (unsigned)size;
            model[at].size -= size;
        }
        break;
    case 1U:
        (void)mete_netbuf_linearise(packet, METE_NETBUF_RECEIVE);
        break;
    default:
        if (size <= mete_netbuf_headroom(packet)) {
            unsigned char *const front = (unsigned char *)mete_netbuf_push(packet, size);
            model[at].first -= (unsigned)size;
            model[at].size += size;
            for (size_t i = 0U; i < size; i++) {
                front[i] = (unsigned char)(model[at].first + i);
            }
        }
        break;
    }
}

// Makes a packet of the others: a clone, or a clone with its rest behind it.
static void derive(size_t at, size_t from)
{
    mete_netbuf_t *const clone = mete_netbuf_clone(model[from].packet);
    if (clone != NULL) {
        model[at].packet = clone;
        model[at].first = model[from].first;
        model[at].size = model[from].size;
        mete_netbuf_t *const rest = mete_netbuf_remove(clone);
        if (rest != NULL) {
            EXPECT(mete_netbuf_append(clone, rest));
        }
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    (void)setup();
    uint32_t random = 0x2545F491U;
    mete_words_fill(model, 0U, sizeof model);
    for (size_t step = 0U; step < 8000U; step++) {
        const size_t at = random_below(&random, PACKET_MAX);
        const size_t other = random_below(&random, PACKET_MAX);
        if (model[at].packet == NULL) {
            if ((model[other].packet != NULL) && (step % 2U == 0U)) {
                derive(at, other);
            } else {
                begin(at, &random);
            }
        } else if (random_below(&random, 3U) == 0U) {
            mete_netbuf_drop(model[at].packet);
            model[at].packet = NULL;
        } else {
            change(at, &random);
        }
        for (size_t i = 0U; i < PACKET_MAX; i++) {
            EXPECT((model[i].packet == NULL) ||
                   holds(model[i].packet, model[i].first, model[i].size));
        }
        EXPECT((heads_in_use() <= HEAD_MAX) && (storages_in_use() <= STORAGE_MAX));
    }
    for (size_t i = 0U; i < PACKET_MAX; i++) {
        mete_netbuf_drop(model[i].packet);
    }
    expect_all_given_back();
}

static void run_what_needs_checks(void)
{
    RUN(test_a_packet_is_not_put_behind_itself);
    RUN(test_a_head_dropped_twice_is_told);
    RUN(test_what_is_no_head_is_told);
    RUN(test_a_buffer_that_was_dropped_is_not_changed);
    RUN(test_a_buffer_whose_bytes_lie_elsewhere_is_not_changed);
    RUN(test_buffers_of_two_pools_make_no_chain);
    RUN(test_damage_of_a_chain_is_told_before_anything_is_dropped);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_get_leaves_headroom_and_nothing_in_it);
    RUN(test_bytes_are_added_and_taken_at_both_ends);
    RUN(test_what_does_not_fit_is_refused);
    RUN(test_lines_of_a_buffer_are_its_storages_own);
    RUN(test_senders_leave_the_reserve_to_receivers);
    RUN(test_get_gives_back_what_it_has_if_the_rest_is_refused);
    RUN(test_a_clone_shares_bytes_and_not_its_window);
    RUN(test_a_clone_of_a_chain_is_all_or_nothing);
    RUN(test_who_took_the_last_reference_is_remembered);
    RUN(test_a_chain_is_one_packet);
    RUN(test_chains_have_a_longest);
    RUN(test_linearise_brings_a_chain_into_one_storage);
    RUN(test_linearise_gives_up_headroom_where_the_packet_needs_it);
    RUN(test_linearise_makes_shared_bytes_ones_own);
    RUN(test_linearise_leaves_all_as_it_was_if_it_cannot);
    RUN(test_random_work_agrees_with_a_model);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}

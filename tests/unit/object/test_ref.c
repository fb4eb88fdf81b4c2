// SPDX-License-Identifier: MIT OR Apache-2.0
//
// References, tested from inside: this file includes ref.c itself, unless test_atomic_ref.c, which includes
// this one, has done so with atomic_ref.c.

#ifndef METE_ATOMIC_REF_H
#include "mete/object/ref.c"
#endif

#include "mete/core/words.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { OBJECT_SIZE = 13, ALIGN = 16, BOARD_COUNT = 9, BOARD_SIZE = 32, KEPT_COUNT = 2 };

// Where objects come from: boards that are taken or not. What was written on them stays when they come back.
static struct {
    unsigned char boards[BOARD_COUNT][BOARD_SIZE] __attribute__((aligned(ALIGN)));
    bool is_taken[BOARD_COUNT];
    size_t taken_count;
    size_t refuse_at;  // This acquire; 1 is the next.
} shelf;

static void *shelf_acquire(void *self, size_t size, size_t align)
{
    EXPECT((self == &shelf) && (size == ALIGN + OBJECT_SIZE) && (align == ALIGN));
    const bool is_refused = shelf.refuse_at == 1U;
    shelf.refuse_at -= (shelf.refuse_at != 0U) ? 1U : 0U;
    for (size_t i = 0U; (i < BOARD_COUNT) && !is_refused; i++) {
        if (!shelf.is_taken[i]) {
            shelf.is_taken[i] = true;
            shelf.taken_count++;
            return shelf.boards[i];
        }
    }
    return NULL;
}

static size_t board_of(const void *address)
{
    return (size_t)((const unsigned char *)address - shelf.boards[0]) / BOARD_SIZE;
}

static void shelf_release(void *self, void *block, size_t size, size_t align)
{
    EXPECT((self == &shelf) && (size == ALIGN + OBJECT_SIZE) && (align == ALIGN));
    EXPECT((block == shelf.boards[board_of(block)]) && shelf.is_taken[board_of(block)]);
    shelf.is_taken[board_of(block)] = false;
    shelf.taken_count--;
}

static const mete_alloc_ops_t shelf_ops = {shelf_acquire, shelf_release, NULL, NULL, NULL};
static const mete_alloc_t from_shelf = {&shelf_ops, &shelf};

// What the cleanup was called with, and what it does.
static struct {
    size_t count;
    const void *last;
    void *next;  // What it returns.
    void (*act)(kind_t *kind, void *object);
} ended;

static kind_t kind, other_kind;

static void *cleanup(void *self, void *object)
{
    EXPECT(self == &ended);
    ended.count++;
    ended.last = object;
    if (ended.act != NULL) {
        ended.act(&kind, object);
    }
    void *const next = ended.next;
    ended.next = NULL;
    return next;
}

static uintptr_t kept[KEPT_COUNT];
static const mete_ref_config_t good = {OBJECT_SIZE, ALIGN, cleanup, &ended, kept, KEPT_COUNT};
static const mete_ref_config_t bare = {OBJECT_SIZE, ALIGN, NULL, NULL, NULL, 0U};

static void setup(void)
{
    mete_words_fill(&shelf, 0U, sizeof shelf);
    mete_words_fill(&ended, 0U, sizeof ended);
    EXPECT(REF(init)(&kind, from_shelf, &good) && REF(init)(&other_kind, from_shelf, &bare));
    EXPECT(tap_take_fault() == 0);
}

static void *setup_with_one(void)
{
    setup();
    return REF(alloc)(&kind);
}

static bool has_counts(const void *object, size_t strong, size_t weak)
{
    const mete_ref_counts_t counts = REF(counts)(&kind, object);
    return (counts.strong == strong) && (counts.weak == weak) && (tap_take_fault() == 0);
}

static bool has_fault(int fault, const void *object)
{
    const bool is_named = (tap_fault_object == &kind) && (tap_fault_address == object);
    return (tap_take_fault() == fault) && is_named;
}

// ---- init

static void test_init_refuses_a_broken_configuration(void)
{
    void *const object = setup_with_one();
    mete_ref_config_t bad[] = {good, good, good, good, good, good};
    bad[0].object_size = 0U;
    bad[1].object_size = (SIZE_MAX / 2U) + 1U;
    bad[2].align = 3U;
    bad[3].align = (SIZE_MAX / 4U) + 1U;
    bad[4].kept = NULL;
    bad[5].kept_count = 0U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(!REF(init)(&kind, from_shelf, &bad[i]));
    }
    EXPECT(!REF(init)(&kind, from_shelf, NULL));
    EXPECT(!REF(init)(&kind, (mete_alloc_t){NULL, NULL}, &good));
    EXPECT(has_counts(object, 1U, 0U) && (REF(usage)(&kind).in_use == 1U) && REF(check)(&kind));
    bad[0].object_size = SIZE_MAX / 2U;  // The most.
    EXPECT(REF(init)(&kind, from_shelf, &bad[0]));
}

static void test_check_refuses_what_was_never_made(void)
{
    static const kind_t never;
    EXPECT(!REF(check)(&never));
}

static void test_init_forgets_what_was_kept(void)
{
    setup();
    (void)REF(get)(&kind);
    EXPECT(REF(init)(&kind, from_shelf, &good) && (REF(usage)(&kind).kept == 0U));
    EXPECT(REF(usage)(&kind).in_use == 0U);
}

// ---- alloc

static void test_an_object_is_aligned_and_has_one_reference(void)
{
    const void *const object = setup_with_one();
    EXPECT((uintptr_t)object % ALIGN == 0U);
    EXPECT(has_counts(object, 1U, 0U) && (shelf.taken_count == 1U));
    EXPECT((uintptr_t)object + OBJECT_SIZE <= (uintptr_t)shelf.boards[0] + BOARD_SIZE);
}

static void test_alloc_and_get_give_null_when_there_is_no_memory(void)
{
    setup();
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        EXPECT(REF(alloc)(&kind) != NULL);
    }
    EXPECT((REF(alloc)(&kind) == NULL) && (REF(get)(&kind) == NULL) && (tap_take_fault() == 0));
    const mete_ref_usage_t usage = REF(usage)(&kind);
    EXPECT((usage.refusals == 2U) && (usage.in_use == BOARD_COUNT) && (usage.kept == 0U));
}

typedef struct odd {
    unsigned char bytes[7];
} odd_t;

typedef struct wide {
    uint64_t number;
    unsigned char byte;
} __attribute__((aligned(32))) wide_t;

typedef METE_REF_BLOCK(odd_t) odd_block_t;
typedef METE_REF_BLOCK(wide_t) wide_block_t;

static void test_a_block_type_holds_what_is_asked_for(void)
{
    EXPECT(offsetof(odd_block_t, object) == METE_REF_PREFIX_SIZE(_Alignof(odd_t)));
    EXPECT(sizeof(odd_block_t) >= METE_REF_PREFIX_SIZE(_Alignof(odd_t)) + sizeof(odd_t));
    EXPECT(offsetof(wide_block_t, object) == METE_REF_PREFIX_SIZE(32U));
    EXPECT((METE_REF_PREFIX_SIZE(32U) == 32U) && (_Alignof(wide_block_t) == 32U));
    static const mete_ref_config_t odd = {.object_size = sizeof(odd_t), .align = 1U};
    EXPECT((block_align(&odd) == sizeof(void *)) &&
           (METE_REF_PREFIX_SIZE(1U) == 2U * sizeof(void *)));
}

// ---- Strong references

static void test_the_last_drop_ends_the_object(void)
{
    void *const object = setup_with_one();
    REF(retain)(&kind, object);
    REF(retain)(&kind, object);
    EXPECT(has_counts(object, 3U, 0U));
    REF(drop)(&kind, object);
    REF(drop)(&kind, object);
    EXPECT(has_counts(object, 1U, 0U) && (ended.count == 0U) && (shelf.taken_count == 1U));
    REF(drop)(&kind, object);
    EXPECT((ended.count == 1U) && (ended.last == object) && (shelf.taken_count == 0U));
    EXPECT((REF(usage)(&kind).in_use == 0U) && (tap_take_fault() == 0));
}

static void test_drops_of_null_do_nothing(void)
{
    setup();
    REF(drop)(&kind, NULL);
    REF(drop_weak)(&kind, NULL);
    EXPECT(tap_take_fault() == 0);
}

static void test_an_object_without_cleanup_just_ends(void)
{
    setup();
    void *const object = REF(alloc)(&other_kind);
    REF(drop)(&other_kind, object);
    EXPECT((shelf.taken_count == 0U) && (ended.count == 0U) && (tap_take_fault() == 0));
}

// ---- Weak references

static void test_a_weak_reference_keeps_the_memory_alone(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    REF(retain_weak)(&kind, object);
    EXPECT(has_counts(object, 1U, 2U));
    REF(drop)(&kind, object);
    EXPECT((ended.count == 1U) && (shelf.taken_count == 1U) && has_counts(object, 0U, 2U));
    REF(drop_weak)(&kind, object);
    EXPECT((shelf.taken_count == 1U) && has_counts(object, 0U, 1U));
    REF(drop_weak)(&kind, object);
    EXPECT((shelf.taken_count == 0U) && (ended.count == 1U) && (tap_take_fault() == 0));
}

static void test_a_weak_reference_of_a_dead_object_can_be_doubled(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    REF(drop)(&kind, object);
    REF(retain_weak)(&kind, object);
    EXPECT(has_counts(object, 0U, 2U));
    REF(drop_weak)(&kind, object);
    REF(drop_weak)(&kind, object);
    EXPECT((shelf.taken_count == 0U) && (tap_take_fault() == 0));
}

static void test_weak_references_may_go_first(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    REF(drop_weak)(&kind, object);
    EXPECT(has_counts(object, 1U, 0U) && (ended.count == 0U));
    REF(drop)(&kind, object);
    EXPECT((ended.count == 1U) && (shelf.taken_count == 0U));
}

static void test_upgrade_succeeds_while_the_object_is_alive(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    EXPECT(REF(upgrade)(&kind, object) && has_counts(object, 2U, 1U));
    REF(drop)(&kind, object);
    REF(drop)(&kind, object);
    EXPECT(!REF(upgrade)(&kind, object) && has_counts(object, 0U, 1U));
    EXPECT((ended.count == 1U) && (tap_take_fault() == 0));
}

// ---- The cleanup

static bool was_upgraded;

static void hold_weakly(kind_t *its_kind, void *object)
{
    REF(retain_weak)(its_kind, object);
    was_upgraded = REF(upgrade)(its_kind, object);
    EXPECT(has_counts(object, 0U, 1U));
}

static void test_a_cleanup_may_hold_its_object_weakly_but_not_save_it(void)
{
    void *const object = setup_with_one();
    ended.act = hold_weakly;
    REF(drop)(&kind, object);
    EXPECT((tap_take_fault() == 0) && !was_upgraded && (shelf.taken_count == 1U));
    REF(drop_weak)(&kind, object);
    EXPECT((shelf.taken_count == 0U) && (tap_take_fault() == 0));
}

static void retain_then(kind_t *its_kind, void *object)
{
    REF(retain)(its_kind, object);
}

static void drop_again(kind_t *its_kind, void *object)
{
    REF(drop)(its_kind, object);
}

static void drop_weakly(kind_t *its_kind, void *object)
{
    REF(drop_weak)(its_kind, object);
}

static void test_in_a_cleanup_its_object_has_no_references(void)
{
    void (*const acts[])(kind_t *, void *) = {retain_then, drop_again, drop_weakly};
    for (size_t i = 0U; i < sizeof acts / sizeof acts[0]; i++) {
        void *const object = setup_with_one();
        ended.act = acts[i];
        REF(drop)(&kind, object);
        EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object));
        EXPECT((ended.count == 1U) && (shelf.taken_count == 0U));
    }
}

static void *another;

static void work_with_another(kind_t *its_kind, void *object)
{
    ended.act = NULL;
    REF(retain)(its_kind, another);
    void *const third = REF(alloc)(its_kind);
    EXPECT((third != NULL) && (third != object));
    REF(drop)(its_kind, third);
}

static void test_a_cleanup_may_use_the_kind(void)
{
    void *const object = setup_with_one();
    another = REF(alloc)(&kind);
    ended.act = work_with_another;
    REF(drop)(&kind, object);
    EXPECT((ended.count == 2U) && (shelf.taken_count == 1U) && has_counts(another, 2U, 0U));
}

// Objects that each hold the next in their first bytes.
static void **next_of(void *object)
{
    return (void **)object;
}

static size_t depth, depth_max;

static void follow(kind_t *its_kind, void *object)
{
    (void)its_kind;
    depth++;
    depth_max = (depth > depth_max) ? depth : depth_max;
    ended.next = *next_of(object);
    depth--;
}

static void *make_chain(size_t count)
{
    void *first = NULL;
    for (size_t i = 0U; i < count; i++) {
        void *const object = REF(alloc)(&kind);
        *next_of(object) = first;
        first = object;
    }
    return first;
}

static void test_a_chain_is_taken_down_one_by_one(void)
{
    setup();
    ended.act = follow;
    depth_max = 0U;
    REF(drop)(&kind, make_chain(BOARD_COUNT));
    EXPECT((ended.count == BOARD_COUNT) && (shelf.taken_count == 0U) && (depth_max == 1U));
    EXPECT(tap_take_fault() == 0);
}

static void test_a_chain_is_taken_down_as_far_as_it_is_not_shared(void)
{
    setup();
    ended.act = follow;
    void *const first = make_chain(5U);
    void *const third = *next_of(*next_of(first));
    REF(retain)(&kind, third);
    REF(drop)(&kind, first);
    EXPECT((ended.count == 2U) && has_counts(third, 1U, 0U));
    REF(drop)(&kind, third);
    EXPECT((ended.count == 5U) && (shelf.taken_count == 0U));
}

static void test_a_cleanup_that_returns_what_is_wrong_is_told(void)
{
    void *const object = setup_with_one();
    void *const foreign = REF(alloc)(&other_kind);
    ended.next = foreign;
    REF(drop)(&kind, object);
    EXPECT(has_fault(METE_FAULT_FOREIGN, foreign) && (ended.count == 1U));
    EXPECT(shelf.taken_count == 1U);
}

// ---- Saturation

static void test_a_strong_count_that_is_full_stays(void)
{
    void *const object = setup_with_one();
    *counts_of(object) += SATURATED - (2U * STRONG);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX - 2U, 0U));
    REF(drop)(&kind, object);
    REF(retain)(&kind, object);
    REF(retain)(&kind, object);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX - 1U, 0U));
    REF(drop)(&kind, object);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX - 2U, 0U));
    REF(retain)(&kind, object);
    REF(retain)(&kind, object);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX, 0U));
    REF(retain)(&kind, object);
    EXPECT(REF(upgrade)(&kind, object) && has_counts(object, METE_REF_COUNT_MAX, 0U));
    for (size_t i = 0U; i < 5U; i++) {
        REF(drop)(&kind, object);
        EXPECT(has_counts(object, METE_REF_COUNT_MAX, 0U));
    }
    REF(retain_weak)(&kind, object);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX, 1U) && (ended.count == 0U));
}

static void test_a_weak_count_that_is_full_stays_and_its_memory_too(void)
{
    void *const object = setup_with_one();
    *counts_of(object) += METE_REF_COUNT_MAX - 1U;
    EXPECT(has_counts(object, 1U, METE_REF_COUNT_MAX - 1U));
    REF(retain_weak)(&kind, object);
    REF(retain_weak)(&kind, object);
    EXPECT(has_counts(object, 1U, METE_REF_COUNT_MAX));
    REF(drop_weak)(&kind, object);
    EXPECT(has_counts(object, 1U, METE_REF_COUNT_MAX));
    REF(drop)(&kind, object);
    EXPECT((ended.count == 1U) && has_counts(object, 0U, METE_REF_COUNT_MAX));
    REF(drop_weak)(&kind, object);
    EXPECT(has_counts(object, 0U, METE_REF_COUNT_MAX) && (shelf.taken_count == 1U));
    EXPECT(!REF(upgrade)(&kind, object) && (tap_take_fault() == 0));
}

static void test_a_weak_count_that_is_nearly_full_when_the_object_ends_still_goes_down(void)
{
    void *const object = setup_with_one();
    *counts_of(object) += METE_REF_COUNT_MAX - 1U;
    REF(drop)(&kind, object);
    EXPECT((ended.count == 1U) && has_counts(object, 0U, METE_REF_COUNT_MAX - 1U));
    REF(drop_weak)(&kind, object);
    EXPECT(has_counts(object, 0U, METE_REF_COUNT_MAX - 2U));
    *counts_of(object) -= METE_REF_COUNT_MAX - 3U;
    REF(drop_weak)(&kind, object);
    EXPECT((shelf.taken_count == 0U) && (tap_take_fault() == 0));
}

static void test_a_kept_object_whose_count_is_full_stays_as_any_other(void)
{
    setup();
    void *const object = REF(get)(&kind);
    *counts_of(object) += SATURATED - STRONG;
    REF(drop)(&kind, object);
    EXPECT(has_counts(object, METE_REF_COUNT_MAX, 0U) && (ended.count == 0U));
    EXPECT((REF(purge)(&kind) == 0U) && (REF(get)(&kind) != object));
}

static void test_a_weak_count_that_becomes_full_when_the_object_is_dead_stays_too(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    REF(drop)(&kind, object);
    *counts_of(object) += METE_REF_COUNT_MAX - 3U;
    REF(retain_weak)(&kind, object);
    REF(drop_weak)(&kind, object);
    EXPECT(has_counts(object, 0U, METE_REF_COUNT_MAX - 2U));
    REF(retain_weak)(&kind, object);
    REF(retain_weak)(&kind, object);
    for (size_t i = 0U; i < 3U; i++) {
        EXPECT(has_counts(object, 0U, METE_REF_COUNT_MAX));
        REF(drop_weak)(&kind, object);
    }
    REF(retain_weak)(&kind, object);
    EXPECT(has_counts(object, 0U, METE_REF_COUNT_MAX));
    EXPECT((shelf.taken_count == 1U) && (tap_take_fault() == 0));
}

// ---- Misuse

static void counts_then(kind_t *its_kind, void *object)
{
    const mete_ref_counts_t counts = REF(counts)(its_kind, object);
    EXPECT((counts.strong == 0U) && (counts.weak == 0U));
}

static void retain_weakly(kind_t *its_kind, void *object)
{
    REF(retain_weak)(its_kind, object);
}

static void upgrade_then(kind_t *its_kind, void *object)
{
    EXPECT(!REF(upgrade)(its_kind, object));
}

static void (*const calls[])(kind_t *, void *) = {retain_then,   drop_again,   drop_weakly,
                                                  retain_weakly, upgrade_then, counts_then};
enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

static void test_every_call_refuses_an_object_that_is_gone(void)
{
    for (size_t i = 0U; i < CALL_COUNT; i++) {
        void *const object = setup_with_one();
        REF(drop)(&kind, object);
        const size_t left = *counts_of(object);
        calls[i](&kind, object);
        EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object));
        EXPECT((*counts_of(object) == left) && (ended.count == 1U) && (shelf.taken_count == 0U));
    }
}

static void test_every_call_refuses_an_object_of_another_kind(void)
{
    for (size_t i = 0U; i < CALL_COUNT; i++) {
        setup();
        void *const object = REF(alloc)(&other_kind);
        REF(retain)(&other_kind, object);
        REF(retain_weak)(&other_kind, object);
        const size_t before = *counts_of(object);
        calls[i](&kind, object);
        EXPECT(has_fault(METE_FAULT_FOREIGN, object) && (*counts_of(object) == before));
    }
}

static void test_counts_of_what_was_wiped_are_none(void)
{
    void *const object = setup_with_one();
    *counts_of(object) = 0U;  // One strong reference, by the upper half alone.
    counts_then(&kind, object);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object));
}

static void test_a_dead_object_has_no_strong_references(void)
{
    void *const object = setup_with_one();
    REF(retain_weak)(&kind, object);
    REF(drop)(&kind, object);
    REF(retain)(&kind, object);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object));
    REF(drop)(&kind, object);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object) && has_counts(object, 0U, 1U));
    EXPECT(ended.count == 1U);
}

static void test_a_weak_reference_that_nobody_has_cannot_be_dropped(void)
{
    void *const object = setup_with_one();
    REF(retain)(&kind, object);
    REF(drop_weak)(&kind, object);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, object) && has_counts(object, 2U, 0U));
}

// ---- Objects that are kept

static void test_get_hands_an_object_out_again_that_nobody_holds(void)
{
    setup();
    unsigned char *const first = (unsigned char *)REF(get)(&kind);
    first[OBJECT_SIZE - 1] = 0x5AU;
    EXPECT(has_counts(first, 2U, 0U));
    unsigned char *const second = (unsigned char *)REF(get)(&kind);
    EXPECT((second != first) && (REF(usage)(&kind).kept == 2U));
    REF(drop)(&kind, first);
    EXPECT((ended.count == 0U) && has_counts(first, 1U, 0U));
    EXPECT((REF(get)(&kind) == first) && (first[OBJECT_SIZE - 1] == 0x5AU));
    EXPECT(has_counts(first, 2U, 0U) && (shelf.taken_count == 2U) && REF(check)(&kind));
    REF(drop)(&kind, second);
    EXPECT(REF(get)(&kind) == second);
}

static void test_get_leaves_an_object_alone_that_somebody_holds(void)
{
    setup();
    void *const object = REF(get)(&kind);
    REF(retain_weak)(&kind, object);
    REF(drop)(&kind, object);
    EXPECT(has_counts(object, 1U, 1U));
    void *const second = REF(get)(&kind);
    EXPECT(second != object);
    REF(drop_weak)(&kind, object);
    EXPECT(REF(get)(&kind) == object);
}

static void test_get_makes_objects_that_end_where_it_can_keep_no_more(void)
{
    setup();
    void *const first = REF(get)(&kind);
    (void)REF(get)(&kind);
    void *const third = REF(get)(&kind);
    EXPECT(has_counts(third, 1U, 0U) && (REF(usage)(&kind).kept == KEPT_COUNT));
    REF(drop)(&kind, third);
    EXPECT((ended.count == 1U) && (ended.last == third) && has_counts(first, 2U, 0U));
}

static void test_get_of_a_kind_that_keeps_none_just_makes_one(void)
{
    setup();
    void *const object = REF(get)(&other_kind);
    REF(drop)(&other_kind, object);
    EXPECT((shelf.taken_count == 0U) && (REF(purge)(&other_kind) == 0U));
}

static void test_purge_drops_what_nobody_else_holds(void)
{
    setup();
    void *const first = REF(get)(&kind);
    void *const second = REF(get)(&kind);
    EXPECT(REF(purge)(&kind) == 0U);
    REF(drop)(&kind, second);
    EXPECT((REF(purge)(&kind) == 1U) && (ended.last == second) && (shelf.taken_count == 1U));
    EXPECT(REF(usage)(&kind).kept == 1U);
    REF(retain_weak)(&kind, first);
    REF(drop)(&kind, first);
    EXPECT((REF(purge)(&kind) == 0U) && (ended.count == 1U));
    REF(drop_weak)(&kind, first);
    EXPECT((REF(purge)(&kind) == 1U) && (ended.count == 2U) && (shelf.taken_count == 0U));
    EXPECT((REF(usage)(&kind).kept == 0U) && (tap_take_fault() == 0) && REF(check)(&kind));
}

static void test_purge_takes_down_what_hangs_on_an_object(void)
{
    setup();
    void *const object = REF(get)(&kind);
    *next_of(object) = make_chain(3U);
    REF(drop)(&kind, object);
    ended.act = follow;
    EXPECT((REF(purge)(&kind) == 1U) && (ended.count == 4U) && (shelf.taken_count == 0U));
}

static void test_purge_tells_if_a_cleanup_returns_what_is_wrong(void)
{
    setup();
    void *const object = REF(get)(&kind);
    void *const foreign = REF(alloc)(&other_kind);
    REF(drop)(&kind, object);
    ended.next = foreign;
    EXPECT((REF(purge)(&kind) == 1U) && has_fault(METE_FAULT_FOREIGN, foreign));
}

static void test_the_reference_of_the_kind_itself_is_not_dropped(void)
{
    setup();
    void *const first = REF(get)(&kind);
    void *const second = REF(get)(&kind);
    REF(drop)(&kind, first);
    REF(drop)(&kind, second);
    REF(drop)(&kind, first);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, first));
    REF(drop)(&kind, second);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, second));
    EXPECT(has_counts(first, 1U, 0U) && has_counts(second, 1U, 0U) && (ended.count == 0U));
    void *const third = REF(alloc)(&kind);  // One that is not kept ends as ever.
    ended.next = second;                    // But what its cleanup returns is none that it had.
    REF(drop)(&kind, third);
    EXPECT(has_fault(METE_FAULT_DOUBLE_FREE, second) && (ended.last == third));
    EXPECT((REF(get)(&kind) == first) && (REF(get)(&kind) == second) && (shelf.taken_count == 2U));
}

static void test_a_claimed_place_is_left_alone(void)
{
    setup();
    void *const object = REF(get)(&kind);
    REF(drop)(&kind, object);
    kept[0] = KEPT_CLAIMED;
    EXPECT(claim(&kept[0]) == NULL);
    if (METE_CHECK_LEVEL < 3) {  // Which in the form that is not atomic says that this is damage.
        EXPECT(REF(purge)(&kind) == 0U);
        EXPECT((REF(get)(&kind) != object) && (kept[0] == KEPT_CLAIMED) && (kept[1] != KEPT_NONE));
        EXPECT(REF(usage)(&kind).kept == 2U);
    }
    EXPECT(!REF(check)(&kind));
}

static void test_what_is_kept_is_looked_at(void)
{
    setup();
    void *const object = REF(get)(&kind);
    REF(drop)(&kind, object);
    *kind_of(object) = &other_kind;
    EXPECT(!REF(check)(&kind));
    if (METE_CHECK_LEVEL < 3) {
        EXPECT((REF(get)(&kind) == NULL) && has_fault(METE_FAULT_CORRUPT, object));
        EXPECT((REF(purge)(&kind) == 0U) && has_fault(METE_FAULT_CORRUPT, object));
        EXPECT((kept[0] == (uintptr_t)object) && (*counts_of(object) == ALONE));
    }
}

static void test_check_compares_what_is_kept_with_the_kind(void)
{
    setup();
    void *const object = REF(get)(&kind);
    EXPECT(REF(check)(&kind));
    const size_t counts = *counts_of(object);
    *counts_of(object) = DYING + 1U;
    EXPECT(!REF(check)(&kind));
    *counts_of(object) = STRONG;  // Without the weak reference of the strong ones.
    EXPECT(!REF(check)(&kind));
    *counts_of(object) = counts;
    kept[1] = (uintptr_t)object + sizeof(void *);
    EXPECT(!REF(check)(&kind));
    kept[1] = KEPT_NONE;
    kind.in_use = 0U;
    EXPECT(!REF(check)(&kind));
    kind.in_use = 1U;
    kind.prefix_size++;
    EXPECT(!REF(check)(&kind));
    kind.prefix_size--;
    kind.alloc.ops = NULL;
    EXPECT(!REF(check)(&kind));
}

static void test_check_looks_at_alignments_before_it_reads(void)
{
    setup();
    (void)REF(get)(&kind);
    kind.in_use = 2U;
    // Like an object, in a place of none.
    static uintptr_t words[4] __attribute__((aligned(ALIGN)));
    words[1] = (uintptr_t)&kind;
    words[2] = ALONE;
    kept[1] = (uintptr_t)&words[3];
    EXPECT(!REF(check)(&kind));
    kept[1] = kept[0] + 1U;
    EXPECT(!REF(check)(&kind));
    static const mete_ref_config_t loose = {OBJECT_SIZE, 1U, NULL, NULL, kept, KEPT_COUNT};
    kind.config = &loose;
    kind.prefix_size = METE_REF_PREFIX_SIZE(1U);
    EXPECT(!REF(check)(&kind));
}

// ---- The references, for others

static void test_others_hold_references_through_a_view(void)
{
    void *const object = setup_with_one();
    const mete_shared_t shared = REF(as_shared)(&kind);
    shared.ops->retain(shared.self, object);
    shared.ops->retain_weak(shared.self, object);
    EXPECT(has_counts(object, 2U, 1U));
    EXPECT(shared.ops->upgrade(shared.self, object) && has_counts(object, 3U, 1U));
    for (size_t i = 0U; i < 3U; i++) {
        shared.ops->drop(shared.self, object);
    }
    EXPECT(!shared.ops->upgrade(shared.self, object) && has_counts(object, 0U, 1U));
    shared.ops->drop_weak(shared.self, object);
    EXPECT((shelf.taken_count == 0U) && (tap_take_fault() == 0));
}

// ---- Against a model: references of each object that are held.

typedef struct one {
    void *object;
    size_t strong, weak;
} one_t;

static one_t model[BOARD_COUNT];

// What the counts say: the kept ones have a reference more.
static bool agrees(const one_t *one)
{
    const bool is_kept = (kept[0] == (uintptr_t)one->object) || (kept[1] == (uintptr_t)one->object);
    return has_counts(one->object, one->strong + (is_kept ? 1U : 0U), one->weak);
}

static void make(one_t *one, bool is_by_get)
{
    void *const object = is_by_get ? REF(get)(&kind) : REF(alloc)(&kind);
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        EXPECT((object == NULL) || (model[i].object != object) ||
               ((model[i].strong == 0U) && (model[i].weak == 0U)));
        if ((object != NULL) && (model[i].object == object)) {
            model[i].object = NULL;
        }
    }
    *one = (one_t){object, (object != NULL) ? 1U : 0U, 0U};
}

static void change(one_t *one, uint32_t choice)
{
    const bool is_held = one->strong + one->weak != 0U;
    if ((choice == 0U) && (one->strong != 0U)) {
        REF(retain)(&kind, one->object);
        one->strong++;
    } else if ((choice == 1U) && is_held) {
        REF(retain_weak)(&kind, one->object);
        one->weak++;
    } else if ((choice == 2U) && (one->weak != 0U)) {
        const bool is_alive = REF(counts)(&kind, one->object).strong != 0U;
        EXPECT(REF(upgrade)(&kind, one->object) == is_alive);
        one->strong += is_alive ? 1U : 0U;
    } else if ((choice <= 4U) && (one->strong != 0U)) {
        one->strong--;
        REF(drop)(&kind, one->object);
    } else if ((choice <= 6U) && (one->weak != 0U)) {
        one->weak--;
        REF(drop_weak)(&kind, one->object);
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    setup();
    mete_words_fill(model, 0U, sizeof model);
    uint32_t random = 0x2545F491U;
    size_t refused_count = 0U;
    for (size_t step = 0U; step < 12000U; step++) {
        one_t *const one = &model[random_below(&random, BOARD_COUNT)];
        const uint32_t choice = random_below(&random, 8U);
        if (choice != 7U) {
            change(one, choice);
        } else if (one->strong + one->weak == 0U) {
            one->object = NULL;
            shelf.refuse_at = random_below(&random, 8U);
            make(one, random_below(&random, 2U) == 0U);
            refused_count += (one->object == NULL) ? 1U : 0U;
        } else if (random_below(&random, 16U) == 0U) {
            (void)REF(purge)(&kind);
        }
        EXPECT((one->strong + one->weak == 0U) || agrees(one));
        EXPECT((tap_take_fault() == 0) && REF(check)(&kind));
        EXPECT((REF(usage)(&kind).in_use == shelf.taken_count) &&
               (REF(usage)(&kind).refusals == refused_count));
    }
    for (size_t i = 0U; i < BOARD_COUNT; i++) {
        while (model[i].strong + model[i].weak != 0U) {
            change(&model[i], (model[i].strong != 0U) ? 3U : 5U);
        }
    }
    (void)REF(purge)(&kind);
    EXPECT((shelf.taken_count == 0U) && (refused_count > 50U) && (ended.count > 400U));
}

static void run_what_needs_checks(void)
{
    RUN(test_in_a_cleanup_its_object_has_no_references);
    RUN(test_a_cleanup_that_returns_what_is_wrong_is_told);
    RUN(test_every_call_refuses_an_object_that_is_gone);
    RUN(test_every_call_refuses_an_object_of_another_kind);
    RUN(test_counts_of_what_was_wiped_are_none);
    RUN(test_a_dead_object_has_no_strong_references);
    RUN(test_a_weak_reference_that_nobody_has_cannot_be_dropped);
    RUN(test_purge_tells_if_a_cleanup_returns_what_is_wrong);
    RUN(test_the_reference_of_the_kind_itself_is_not_dropped);
    RUN(test_what_is_kept_is_looked_at);
}

int main(void)
{
    RUN(test_init_refuses_a_broken_configuration);
    RUN(test_check_refuses_what_was_never_made);
    RUN(test_init_forgets_what_was_kept);
    RUN(test_an_object_is_aligned_and_has_one_reference);
    RUN(test_alloc_and_get_give_null_when_there_is_no_memory);
    RUN(test_a_block_type_holds_what_is_asked_for);
    RUN(test_the_last_drop_ends_the_object);
    RUN(test_drops_of_null_do_nothing);
    RUN(test_an_object_without_cleanup_just_ends);
    RUN(test_a_weak_reference_keeps_the_memory_alone);
    RUN(test_a_weak_reference_of_a_dead_object_can_be_doubled);
    RUN(test_weak_references_may_go_first);
    RUN(test_upgrade_succeeds_while_the_object_is_alive);
    RUN(test_a_cleanup_may_hold_its_object_weakly_but_not_save_it);
    RUN(test_a_cleanup_may_use_the_kind);
    RUN(test_a_chain_is_taken_down_one_by_one);
    RUN(test_a_chain_is_taken_down_as_far_as_it_is_not_shared);
    RUN(test_a_strong_count_that_is_full_stays);
    RUN(test_a_weak_count_that_is_full_stays_and_its_memory_too);
    RUN(test_a_weak_count_that_is_nearly_full_when_the_object_ends_still_goes_down);
    RUN(test_a_kept_object_whose_count_is_full_stays_as_any_other);
    RUN(test_a_weak_count_that_becomes_full_when_the_object_is_dead_stays_too);
    RUN(test_get_hands_an_object_out_again_that_nobody_holds);
    RUN(test_get_leaves_an_object_alone_that_somebody_holds);
    RUN(test_get_makes_objects_that_end_where_it_can_keep_no_more);
    RUN(test_get_of_a_kind_that_keeps_none_just_makes_one);
    RUN(test_purge_drops_what_nobody_else_holds);
    RUN(test_purge_takes_down_what_hangs_on_an_object);
    RUN(test_a_claimed_place_is_left_alone);
    RUN(test_check_compares_what_is_kept_with_the_kind);
    RUN(test_check_looks_at_alignments_before_it_reads);
    RUN(test_others_hold_references_through_a_view);
    RUN(test_random_work_agrees_with_a_model);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}

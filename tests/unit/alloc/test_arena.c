// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The arena, tested from inside. Storage starts and ends at odd addresses unless a test says so.

#include "mete/alloc/arena.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { STORAGE_SIZE = 1024 };
static uint64_t storage[STORAGE_SIZE / 8] __attribute__((aligned(64)));

static unsigned char *at(size_t offset)
{
    return (unsigned char *)storage + offset;
}

// An arena from offset 0 to the end: aligned to 64 at both ends.
static mete_arena_t fresh(void)
{
    mete_arena_t arena = {0};
    const mete_span_t span = {storage, sizeof storage};
    EXPECT(mete_arena_init(&arena, span));
    return arena;
}

static size_t in_use(const mete_arena_t *arena)
{
    return mete_arena_usage(arena).in_use_size;
}

static void test_init_refuses_what_is_no_memory(void)
{
    mete_arena_t arena = fresh();
    (void)mete_arena_alloc(&arena, 3U, 1U);
    const mete_span_t none = {NULL, 64U};
    const mete_span_t wrapping = {at(0U), SIZE_MAX};
    EXPECT(!mete_arena_init(&arena, none) && !mete_arena_init(&arena, wrapping));
    EXPECT((in_use(&arena) == 3U) && mete_arena_check(&arena));
}

static void test_init_makes_an_arena_of_whatever_was_there(void)
{
    mete_arena_t arena;
    mete_words_fill(&arena, 0xA5U, sizeof arena);
    const mete_span_t span = {storage, sizeof storage};
    EXPECT(mete_arena_init(&arena, span) && mete_arena_check(&arena));
    EXPECT((in_use(&arena) == 0U) && (mete_arena_usage(&arena).in_use_peak == 0U));
    EXPECT((mete_arena_usage(&arena).refusals == 0U) && (arena.open_serial == 0U));
    EXPECT(mete_arena_mark(&arena).serial == 1U);
}

static void test_odd_regions_are_used_up_to_the_last_multiple_of_eight(void)
{
    for (size_t start = 0U; start < 17U; start++) {
        for (size_t size = 0U; size < 40U; size++) {
            mete_arena_t arena = {0};
            const mete_span_t span = {at(start), size};
            EXPECT(mete_arena_init(&arena, span) && mete_arena_check(&arena));
            const size_t end = ((start + size) / 8U) * 8U;
            const size_t usable = (end > start) ? end - start : 0U;
            EXPECT(mete_arena_usage(&arena).total_size == usable);
            size_t count = 0U;
            while ((count <= size) && (mete_arena_alloc(&arena, 1U, 1U) == at(start + count))) {
                count++;
            }
            EXPECT(count == usable);
        }
    }
}

// Alignments as constants: that is what is compiled into the caller.
static void test_storage_without_a_multiple_of_eight_has_no_byte(void)
{
    for (size_t start = 1U; start < 8U; start++) {
        for (size_t size = 0U; start + size < 8U; size++) {
            mete_arena_t arena = {0};
            const mete_span_t span = {at(8U + start), size};
            EXPECT(mete_arena_init(&arena, span) && mete_arena_check(&arena));
            EXPECT(mete_arena_alloc(&arena, 1U, 1U) == NULL);
            EXPECT(mete_arena_alloc(&arena, 1U, 2U) == NULL);
            EXPECT(mete_arena_alloc(&arena, 1U, 8U) == NULL);
            EXPECT(mete_arena_usage(&arena).total_size == 0U);
        }
    }
    mete_arena_t arena = {0};
    const mete_span_t lowest = {(void *)1U, 6U};
    EXPECT(!mete_arena_init(&arena, lowest));
}

static void test_every_alignment_is_kept(void)
{
    for (size_t start = 1U; start < 16U; start += 3U) {
        for (size_t align = 1U; align <= 4096U; align *= 2U) {
            for (size_t size = 1U; size < 12U; size++) {
                mete_arena_t arena = {0};
                const mete_span_t span = {at(start), sizeof storage - start};
                EXPECT(mete_arena_init(&arena, span));
                const uintptr_t wanted = mete_align_up((uintptr_t)at(start), align);
                const bool fits = wanted + size <= (uintptr_t)at(sizeof storage);
                unsigned char *const block = (unsigned char *)mete_arena_alloc(&arena, size, align);
                EXPECT(block == (fits ? (unsigned char *)wanted : NULL));
                EXPECT(mete_arena_usage(&arena).refusals == (fits ? 0U : 1U));
            }
        }
    }
}

// The same request through the inline form, where the compiler can tell the alignment.
static void *alloc_inline(mete_arena_t *arena, size_t size, size_t align)
{
    switch (align) {
    case 1U:
        return mete_arena_alloc(arena, size, 1U);
    case 2U:
        return mete_arena_alloc(arena, size, 2U);
    case 4U:
        return mete_arena_alloc(arena, size, 4U);
    case 8U:
        return mete_arena_alloc(arena, size, 8U);
    default:
        return mete_arena_alloc(arena, size, 16U);
    }
}

static void test_inline_and_checked_forms_agree(void)
{
    uint32_t random = 0x1234567U;
    for (size_t round = 0U; round < 200U; round++) {
        const mete_span_t span = {at(random_below(&random, 9U)), 200U + random_below(&random, 9U)};
        mete_arena_t inlined = {0}, checked = {0};
        EXPECT(mete_arena_init(&inlined, span) && mete_arena_init(&checked, span));
        for (size_t step = 0U; step < 20U; step++) {
            const size_t size = random_below(&random, 24U);
            const size_t align = (size_t)1U << random_below(&random, 5U);
            EXPECT(alloc_inline(&inlined, size, align) ==
                   mete_arena_alloc_checked(&checked, size, align));
        }
        EXPECT((inlined.next == checked.next) && (inlined.refusals == checked.refusals));
    }
}

static void test_sizes_at_the_limits(void)
{
    const size_t sizes[] = {STORAGE_SIZE + 1U, SIZE_MAX / 2U, SIZE_MAX / 2U + 1U, SIZE_MAX - 8U,
                            SIZE_MAX};
    for (size_t offset = 0U; offset < 9U; offset++) {
        mete_arena_t arena = fresh();
        (void)mete_arena_alloc(&arena, offset, 1U);
        EXPECT(mete_arena_alloc(&arena, 0U, 8U) == NULL);
        EXPECT(mete_arena_usage(&arena).refusals == 0U);  // Nothing was asked for.
        for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
            EXPECT(mete_arena_alloc(&arena, sizes[i], 1U) == NULL);
            EXPECT(mete_arena_alloc(&arena, sizes[i], 8U) == NULL);
            EXPECT(mete_arena_alloc(&arena, sizes[i], 64U) == NULL);
        }
        EXPECT((in_use(&arena) == offset) && (mete_arena_usage(&arena).refusals == 15U));
        EXPECT(mete_arena_alloc(&arena, STORAGE_SIZE - offset + 1U, 1U) == NULL);
        EXPECT(mete_arena_alloc(&arena, STORAGE_SIZE - offset, 1U) == at(offset));
        EXPECT(mete_arena_alloc(&arena, 1U, 1U) == NULL);
    }
}

static void test_no_alignment_wraps(void)
{
    mete_arena_t arena = fresh();
    (void)mete_arena_alloc(&arena, 1U, 1U);
    for (size_t bit = 12U; bit < 8U * sizeof(size_t); bit++) {
        const size_t align = (size_t)1U << bit;
        const uintptr_t wanted = mete_align_up(arena.next, align);
        const bool fits = (wanted != 0U) && (wanted < arena.end);
        mete_arena_t copy = arena;
        EXPECT((mete_arena_alloc(&copy, 1U, align) != NULL) == fits);
        EXPECT(fits || (mete_arena_alloc(&copy, SIZE_MAX, align) == NULL));
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_a_bad_alignment_is_misuse(void)
{
    const size_t bad[] = {0U, 3U, 6U, 12U, 4095U, SIZE_MAX};
    mete_arena_t arena = fresh();
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(mete_arena_alloc(&arena, 8U, bad[i]) == NULL);
        EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (tap_fault_object == &arena));
    }
    EXPECT(mete_arena_alloc(&arena, 8U, 6U) == NULL);  // A constant, known when compiled.
    EXPECT((tap_take_fault() == METE_FAULT_ALIGN) && (in_use(&arena) == 0U));
}

static void test_rewind_frees_what_came_after_the_mark(void)
{
    mete_arena_t arena = fresh();
    EXPECT(arena.mark_serial == 0U);
    (void)mete_arena_alloc(&arena, 10U, 1U);
    const mete_arena_mark_t outer = mete_arena_mark(&arena);
    (void)mete_arena_alloc(&arena, 20U, 1U);
    const mete_arena_mark_t inner = mete_arena_mark(&arena);
    (void)mete_arena_alloc(&arena, 30U, 1U);
    mete_arena_rewind(&arena, inner);
    EXPECT(in_use(&arena) == 30U);
    mete_arena_rewind(&arena, outer);
    EXPECT((in_use(&arena) == 10U) && (mete_arena_usage(&arena).in_use_peak == 60U));
    EXPECT((tap_take_fault() == 0) && mete_arena_check(&arena));
}

static void test_rewind_refuses_any_mark_but_the_innermost_open_one(void)
{
    mete_arena_t arena = fresh();
    const mete_arena_mark_t outer = mete_arena_mark(&arena);
    (void)mete_arena_alloc(&arena, 8U, 1U);
    const mete_arena_mark_t inner = mete_arena_mark(&arena);
    mete_arena_rewind(&arena, outer);  // Too early.
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (in_use(&arena) == 8U));
    mete_arena_rewind(&arena, inner);
    mete_arena_rewind(&arena, inner);  // Twice.
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (in_use(&arena) == 8U));
    const mete_arena_mark_t again = mete_arena_mark(&arena);
    mete_arena_rewind(&arena, inner);  // Same depth, same place, but closed.
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (in_use(&arena) == 8U));
    mete_arena_rewind(&arena, again);
    mete_arena_rewind(&arena, outer);
    EXPECT((tap_take_fault() == 0) && (in_use(&arena) == 0U));
    mete_arena_rewind(&arena, outer);
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
    const mete_arena_mark_t zeroed = {0U, 0U, 0U};
    mete_arena_rewind(&arena, zeroed);
    EXPECT(tap_take_fault() == METE_FAULT_ORDER);
}

static void test_rewind_reports_an_overwritten_mark(void)
{
    mete_arena_t arena = fresh();
    (void)mete_arena_alloc(&arena, 8U, 1U);
    mete_arena_mark_t outer = mete_arena_mark(&arena);
    mete_arena_mark_t inner = mete_arena_mark(&arena);
    inner.outer_floor = (uintptr_t)at(9U);  // Above the mark itself.
    mete_arena_rewind(&arena, inner);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    inner.outer_floor = (uintptr_t)at(0U) - 1U;
    mete_arena_rewind(&arena, inner);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    inner.outer_floor = (uintptr_t)at(8U);
    inner.outer_serial = inner.serial;  // No mark is its own.
    mete_arena_rewind(&arena, inner);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    inner.outer_serial = outer.serial;
    mete_arena_rewind(&arena, inner);
    outer.outer_floor++;  // There is no mark around it.
    mete_arena_rewind(&arena, outer);
    EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
    EXPECT((in_use(&arena) == 8U) && mete_arena_check(&arena));
}

static void test_serials_of_marks_skip_zero_when_they_wrap(void)
{
    mete_arena_t arena = fresh();
    arena.mark_serial = SIZE_MAX - 1U;
    const mete_arena_mark_t outer = mete_arena_mark(&arena);
    const mete_arena_mark_t inner = mete_arena_mark(&arena);
    EXPECT((outer.serial == SIZE_MAX) && (inner.serial == 1U));
    mete_arena_rewind(&arena, inner);
    mete_arena_rewind(&arena, outer);
    EXPECT(tap_take_fault() == 0);
}

static void test_reset_frees_everything_and_closes_marks(void)
{
    mete_arena_t arena = fresh();
    (void)mete_arena_alloc(&arena, 100U, 1U);
    const mete_arena_mark_t mark = mete_arena_mark(&arena);
    mete_arena_reset(&arena);
    EXPECT((in_use(&arena) == 0U) && (mete_arena_usage(&arena).in_use_peak == 100U));
    EXPECT(mete_arena_check(&arena));
    EXPECT(mete_arena_alloc(&arena, 1U, 1U) == at(0U));
    if (METE_CHECK_LEVEL >= 1) {
        mete_arena_rewind(&arena, mark);
        EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (in_use(&arena) == 1U));
    }
}

static bool leave_early(mete_arena_t *arena, bool early)
{
    METE_ARENA_SCOPE(arena)
    {
        (void)mete_arena_alloc(arena, 40U, 8U);
        if (early) {
            return true;
        }
    }
    return false;
}

static void test_scopes_nest_and_end_however_they_are_left(void)
{
    mete_arena_t arena = fresh();
    size_t run_count = 0U;
    METE_ARENA_SCOPE(&arena)
    {
        (void)mete_arena_alloc(&arena, 16U, 8U);
        METE_ARENA_SCOPE(&arena)
        {
            (void)mete_arena_alloc(&arena, 16U, 8U);
            run_count++;
            break;
        }
        EXPECT(in_use(&arena) == 16U);
        EXPECT(leave_early(&arena, true) && !leave_early(&arena, false));
        EXPECT(in_use(&arena) == 16U);
    }
    EXPECT((run_count == 1U) && (in_use(&arena) == 0U));
    EXPECT((mete_arena_usage(&arena).in_use_peak == 56U) && (tap_take_fault() == 0));
}

static void test_peak_is_right_while_it_still_grows(void)
{
    mete_arena_t arena = fresh();
    (void)mete_arena_alloc(&arena, 10U, 1U);
    EXPECT(mete_arena_usage(&arena).in_use_peak == 10U);
    const mete_arena_mark_t mark = mete_arena_mark(&arena);
    (void)mete_arena_alloc(&arena, 10U, 1U);
    mete_arena_rewind(&arena, mark);
    (void)mete_arena_alloc(&arena, 5U, 1U);
    EXPECT(mete_arena_usage(&arena).in_use_peak == 20U);
}

static void test_owns_every_byte_of_its_storage_and_no_other(void)
{
    mete_arena_t arena = {0};
    const mete_span_t span = {at(8U), 16U};
    EXPECT(mete_arena_init(&arena, span));
    for (size_t offset = 0U; offset < 32U; offset++) {
        EXPECT(mete_arena_owns(&arena, at(offset)) == ((offset >= 8U) && (offset < 24U)));
    }
    EXPECT(!mete_arena_owns(&arena, NULL));
}

static void test_view_frees_the_last_block_only(void)
{
    mete_arena_t arena = fresh();
    const mete_alloc_t view = mete_arena_as_alloc(&arena);
    void *const a = mete_acquire(view, 10U, 1U);
    void *const b = mete_acquire(view, 10U, 8U);
    EXPECT((a == at(0U)) && (b == at(16U)) && (view.ops->size_of == NULL));
    EXPECT(view.ops->owns(view.self, b));
    mete_release(view, a, 10U, 1U);
    EXPECT(in_use(&arena) == 26U);
    mete_release(view, b, 10U, 8U);
    EXPECT(in_use(&arena) == 16U);
    EXPECT((tap_take_fault() == 0) && (mete_arena_usage(&arena).in_use_peak == 26U));
}

static void test_view_frees_the_first_block_after_a_mark_and_of_all(void)
{
    mete_arena_t arena = fresh();
    const mete_alloc_t view = mete_arena_as_alloc(&arena);
    mete_release(view, mete_acquire(view, 10U, 1U), 10U, 1U);
    EXPECT(in_use(&arena) == 0U);
    (void)mete_acquire(view, 7U, 1U);
    const mete_arena_mark_t mark = mete_arena_mark(&arena);
    mete_release(view, mete_acquire(view, 10U, 1U), 10U, 1U);
    EXPECT(in_use(&arena) == 7U);
    mete_arena_rewind(&arena, mark);
    EXPECT(tap_take_fault() == 0);
}

static void test_view_does_not_free_below_a_mark(void)
{
    mete_arena_t arena = fresh();
    const mete_alloc_t view = mete_arena_as_alloc(&arena);
    void *const block = mete_acquire(view, 10U, 1U);
    const mete_arena_mark_t mark = mete_arena_mark(&arena);
    mete_release(view, block, 10U, 1U);
    EXPECT(in_use(&arena) == 10U);
    // Nor does a block grow that would have to shrink when the mark is rewound.
    EXPECT(!mete_resize(view, block, 10U, 11U, 1U) && mete_resize(view, block, 10U, 9U, 1U));
    EXPECT(in_use(&arena) == 10U);
    mete_arena_rewind(&arena, mark);
    EXPECT((tap_take_fault() == 0) && mete_arena_check(&arena));
}

static void test_view_shrinks_any_block_and_grows_the_last(void)
{
    mete_arena_t arena = fresh();
    const mete_alloc_t view = mete_arena_as_alloc(&arena);
    void *const a = mete_acquire(view, 16U, 8U);
    void *const b = mete_acquire(view, 16U, 8U);
    EXPECT(mete_resize(view, a, 16U, 16U, 8U));
    EXPECT(mete_resize(view, a, 16U, 8U, 8U) && !mete_resize(view, a, 8U, 9U, 8U));
    EXPECT(in_use(&arena) == 32U);
    EXPECT(mete_resize(view, b, 16U, 100U, 8U) && (in_use(&arena) == 116U));
    EXPECT(mete_resize(view, b, 100U, 1U, 8U) && (in_use(&arena) == 17U));
    EXPECT(mete_resize(view, b, 1U, STORAGE_SIZE - 16U, 8U));
    EXPECT(!mete_resize(view, b, STORAGE_SIZE - 16U, STORAGE_SIZE - 15U, 8U));
    EXPECT(!mete_resize(view, b, STORAGE_SIZE - 16U, SIZE_MAX, 8U));
    EXPECT((in_use(&arena) == STORAGE_SIZE) && (tap_take_fault() == 0));
    EXPECT(mete_arena_usage(&arena).in_use_peak == STORAGE_SIZE);
}

static void test_view_refuses_what_it_did_not_hand_out(void)
{
    mete_arena_t arena = {0};
    const mete_span_t span = {at(64U), 128U};
    EXPECT(mete_arena_init(&arena, span));
    const mete_alloc_t view = mete_arena_as_alloc(&arena);
    unsigned char *const block = (unsigned char *)mete_acquire(view, 40U, 8U);
    const struct {
        unsigned char *block;
        size_t size, align;
        int fault;
    } wrong[] = {
        {at(63U), 1U, 1U, METE_FAULT_FOREIGN},        {at(192U), 1U, 1U, METE_FAULT_FOREIGN},
        {block + 40, 1U, 1U, METE_FAULT_DOUBLE_FREE}, {block, 41U, 8U, METE_FAULT_SIZE},
        {block, SIZE_MAX, 8U, METE_FAULT_SIZE},       {block, 0U, 8U, METE_FAULT_SIZE},
        {block + 4, 8U, 8U, METE_FAULT_SIZE},
    };
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        mete_release(view, wrong[i].block, wrong[i].size, wrong[i].align);
        EXPECT((tap_take_fault() == wrong[i].fault) && (tap_fault_address == wrong[i].block));
        EXPECT(!mete_resize(view, wrong[i].block, wrong[i].size, 1U, wrong[i].align));
        EXPECT((tap_take_fault() == wrong[i].fault) && (in_use(&arena) == 40U));
    }
}

static void test_spoiled_bookkeeping_is_reported(void)
{
    const mete_arena_t good = {(uintptr_t)at(16U),
                               (uintptr_t)at(64U),
                               (uintptr_t)at(8U),
                               (uintptr_t)at(8U),
                               (uintptr_t)at(8U),
                               0U,
                               0U,
                               0U};
    const mete_arena_t zeroed = {0U, 0U, 0U, 0U, 0U, 0U, 0U, 0U};
    EXPECT(mete_arena_check(&good) && !mete_arena_check(&zeroed));
    mete_arena_t bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].next = good.end + 1U;
    bad[1].next = good.start - 1U;
    bad[2].end = good.end + 1U;  // No multiple of 8.
    bad[3].end = good.start - 8U;
    bad[4].floor = good.next + 1U;
    bad[5].floor = good.start + 1U;  // Without a mark.
    bad[6].peak = good.end + 1U;
    bad[7].start = 0U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        const mete_arena_mark_t mark = {0U, 0U, 1U};
        EXPECT(!mete_arena_check(&bad[i]));
        EXPECT(mete_arena_alloc_checked(&bad[i], 1U, 1U) == NULL);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        EXPECT(mete_arena_mark(&bad[i]).serial == 0U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        mete_arena_reset(&bad[i]);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        mete_release(mete_arena_as_alloc(&bad[i]), at(8U), 8U, 1U);
        EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        bad[i].open_serial = 1U;
        if (!mete_arena_check(&bad[i])) {
            mete_arena_rewind(&bad[i], mark);
            EXPECT(tap_take_fault() == METE_FAULT_CORRUPT);
        }
    }
}

// The model holds what next must be at every open mark.
static void test_random_work_agrees_with_a_model(void)
{
    mete_arena_t arena = fresh();
    mete_arena_mark_t marks[8];
    size_t used_at[8];
    size_t depth = 0U;
    size_t used = 0U;
    size_t used_peak = 0U;
    uint32_t random = 0xC0FFEEU;
    for (size_t step = 0U; step < 20000U; step++) {
        const uint32_t choice = random_below(&random, 8U);
        if (choice < 4U) {
            const size_t size = 1U + random_below(&random, 100U);
            const size_t align = (size_t)1U << random_below(&random, 5U);
            const size_t start = (used + align - 1U) / align * align;
            const bool fits = start + size <= STORAGE_SIZE;
            EXPECT(alloc_inline(&arena, size, align) == (fits ? at(start) : NULL));
            used = fits ? start + size : used;
        } else if ((choice < 6U) && (depth < 8U)) {
            marks[depth] = mete_arena_mark(&arena);
            used_at[depth] = used;
            depth++;
        } else if (depth > 0U) {
            depth--;
            mete_arena_rewind(&arena, marks[depth]);
            used = used_at[depth];
        } else {
            mete_arena_reset(&arena);
            used = 0U;
        }
        used_peak = (used > used_peak) ? used : used_peak;
        EXPECT((in_use(&arena) == used) && mete_arena_check(&arena) && (tap_take_fault() == 0));
        EXPECT(mete_arena_usage(&arena).in_use_peak == used_peak);
    }
}

static void test_define_makes_an_arena_that_is_ready(void)
{
    METE_ARENA_DEFINE(scratch, 20);
    EXPECT(mete_arena_check(&scratch));
    EXPECT(mete_arena_alloc(&scratch, 24U, 8U) == scratch_storage);
    EXPECT(mete_arena_alloc(&scratch, 1U, 1U) == NULL);
}

static void run_what_needs_checks(void)
{
    RUN(test_a_bad_alignment_is_misuse);
    RUN(test_rewind_refuses_any_mark_but_the_innermost_open_one);
    RUN(test_rewind_reports_an_overwritten_mark);
    RUN(test_view_refuses_what_it_did_not_hand_out);
    RUN(test_spoiled_bookkeeping_is_reported);
}

int main(void)
{
    RUN(test_init_refuses_what_is_no_memory);
    RUN(test_init_makes_an_arena_of_whatever_was_there);
    RUN(test_odd_regions_are_used_up_to_the_last_multiple_of_eight);
    RUN(test_storage_without_a_multiple_of_eight_has_no_byte);
    RUN(test_every_alignment_is_kept);
    RUN(test_inline_and_checked_forms_agree);
    RUN(test_sizes_at_the_limits);
    RUN(test_no_alignment_wraps);
    RUN(test_rewind_frees_what_came_after_the_mark);
    RUN(test_serials_of_marks_skip_zero_when_they_wrap);
    RUN(test_reset_frees_everything_and_closes_marks);
    RUN(test_scopes_nest_and_end_however_they_are_left);
    RUN(test_peak_is_right_while_it_still_grows);
    RUN(test_owns_every_byte_of_its_storage_and_no_other);
    RUN(test_view_frees_the_last_block_only);
    RUN(test_view_frees_the_first_block_after_a_mark_and_of_all);
    RUN(test_view_does_not_free_below_a_mark);
    RUN(test_view_shrinks_any_block_and_grows_the_last);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_define_makes_an_arena_that_is_ready);
    if (METE_CHECK_LEVEL >= 1) {
        run_what_needs_checks();
    }
    return tap_finish();
}

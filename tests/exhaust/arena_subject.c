// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The arena as a subject of exhaustion. The model knows how far memory is handed out and where marks
// were set; with that it says what becomes of every call, to the byte.

#include "mete/alloc/arena.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum {
    MARK_MAX = 3,
    STORAGE_MAX = 64,
    LEAD = 5,  // Bytes in front of the storage, which starts anywhere.
};

enum { ALLOC = EXHAUST_OWN, MARK, REWIND, RESET };
static const char *const verbs[] = {"alloc", "mark", "rewind", "reset"};

typedef struct layout {
    mete_arena_t arena;
    mete_arena_mark_t marks[MARK_MAX];  // The first mark_count are open, the others were.
    uint32_t mark_count;
    int16_t floors[MARK_MAX];  // The model: where they were set,
    int16_t next;              // and the first byte that is not handed out.
    _Alignas(8) unsigned char lead[LEAD];
    unsigned char storage[STORAGE_MAX];
} layout_t;

static layout_t *layout;
static int start, end;

// Serial numbers wrap around at the second mark.
static exhaust_offer_t begin(mete_span_t arena, size_t scale)
{
    layout = arena.start;
    EXHAUST_EXPECT(mete_arena_init(&layout->arena, (mete_span_t){layout->storage, scale}));
    layout->arena.mark_serial = SIZE_MAX - 1U;
    start = exhaust_at(layout->storage);
    end = (start + (int)scale) / 8 * 8;
    end = (end > start) ? end : start;
    layout->next = (int16_t)start;
    const mete_span_t blocks = {layout->storage, (size_t)(end - start)};
    return (exhaust_offer_t){mete_arena_as_alloc(&layout->arena), blocks,
                             offsetof(layout_t, storage) + scale};
}

static int floor_now(void)
{
    return (layout->mark_count != 0U) ? layout->floors[layout->mark_count - 1U] : start;
}

// ---- Calls

static int place_for(size_t align)
{
    return (int)mete_align_up((uintptr_t)layout->next, align);
}

static chance_t may_acquire(size_t size, size_t align)
{
    const int place = place_for(align);
    return ((place <= end) && (size <= (size_t)(end - place))) ? MUST_SUCCEED : MUST_FAIL;
}

static bool is_last(const exhaust_block_t *block)
{
    return (block->at >= floor_now()) && (block->at + block->size == layout->next);
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    const bool has_room = is_last(block) && (size <= (size_t)(end - block->at));
    return (has_room || (size <= block->size)) ? MUST_SUCCEED : MUST_FAIL;
}

static void note_acquired(const exhaust_block_t *block, int place)
{
    if (block != NULL) {
        EXHAUST_EXPECT(block->at == place);
        layout->next = (int16_t)(block->at + block->size);
    }
}

// What alloc compiles into its caller; the alignment is a constant there.
static void alloc(size_t size, size_t align)
{
    const bool must = may_acquire(size, align) == MUST_SUCCEED;
    const int place = place_for(align);
    void *const block = (align == 1U) ? mete_arena_alloc(&layout->arena, size, 1U)
                                      : mete_arena_alloc(&layout->arena, size, 8U);
    EXHAUST_EXPECT((block != NULL) == must);
    if (block != NULL) {
        note_acquired(exhaust_hold(block, size, align), place);
    }
}

static void release(int at)
{
    const bool is_freed = is_last(exhaust_block_at(at));
    exhaust_release(at);
    if (is_freed) {
        layout->next = (int16_t)at;
    }
}

static void resize(int at, size_t size)
{
    const bool was_last = is_last(exhaust_block_at(at));
    if (exhaust_resize(at, size, may_resize(exhaust_block_at(at), size)) && was_last) {
        layout->next = (int16_t)((size_t)at + size);
    }
}

static void mark(void)
{
    layout->marks[layout->mark_count] = mete_arena_mark(&layout->arena);
    layout->floors[layout->mark_count] = layout->next;
    layout->mark_count++;
}

// All blocks from here on are gone.
static void fall_to(int floor)
{
    layout->next = (int16_t)floor;
    while ((exhaust_block_count() != 0U) &&
           (exhaust_blocks[exhaust_block_count() - 1U].at >= floor)) {
        exhaust_drop(exhaust_blocks[exhaust_block_count() - 1U].at);
    }
}

static void rewind_last(void)
{
    const int floor = floor_now();
    layout->mark_count--;
    mete_arena_rewind(&layout->arena, layout->marks[layout->mark_count]);
    fall_to(floor);
}

static void perform(const exhaust_op_t *op)
{
    switch (op->verb) {
    case EXHAUST_ACQUIRE: {
        const int place = place_for(op->align);
        note_acquired(exhaust_acquire(op->size, op->align, may_acquire(op->size, op->align)),
                      place);
        break;
    }
    case EXHAUST_RELEASE:
        release(op->at);
        break;
    case EXHAUST_RESIZE:
        resize(op->at, op->size);
        break;
    case ALLOC:
        alloc(op->size, op->align);
        break;
    case MARK:
        mark();
        break;
    case REWIND:
        rewind_last();
        break;
    default:
        mete_arena_reset(&layout->arena);
        layout->mark_count = 0U;
        fall_to(start);
        break;
    }
}

static void list(exhaust_ops_t *ops)
{
    exhaust_list_calls(ops);
    for (size_t size = 1U; size <= 9U; size += 4U) {
        exhaust_add_op(ops, ALLOC, 0, size, 1U);
        exhaust_add_op(ops, ALLOC, 0, size, 8U);
    }
    if (layout->mark_count < (uint32_t)MARK_MAX) {
        exhaust_add_op(ops, MARK, 0, 0U, 0U);
    }
    if (layout->mark_count != 0U) {
        exhaust_add_op(ops, REWIND, 0, 0U, 0U);
    }
    exhaust_add_op(ops, RESET, 0, 0U, 0U);
}

// ---- What holds in every state

static bool is_sound(void)
{
    const mete_arena_usage_t usage = mete_arena_usage(&layout->arena);
    return mete_arena_check(&layout->arena) && (usage.total_size == (size_t)(end - start)) &&
           (usage.in_use_size == (size_t)(layout->next - start)) &&
           (usage.in_use_peak >= usage.in_use_size);
}

// Serial numbers matter only by which mark is which.
static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    masked->arena.mark_serial = 0U;
    masked->arena.open_serial = masked->mark_count;
    masked->arena.peak = 0U;
    masked->arena.refusals = 0U;
    for (uint32_t i = 0U; i < (uint32_t)MARK_MAX; i++) {
        const bool is_open = i < masked->mark_count;
        masked->marks[i].serial = is_open ? i + 1U : 0U;
        masked->marks[i].outer_serial = is_open ? i : 0U;
        if (!is_open) {
            masked->marks[i].outer_floor = 0U;
            masked->floors[i] = 0;
        }
    }
    memset(copy + start, 0, (size_t)(end - start));
}

// ---- Misuse

// What is seen to be wrong with a block of this size and alignment at this place; 0: nothing.
static unsigned fault_of(int at, size_t size, size_t align)
{
    if ((at < start) || (at >= end)) {
        return 1U << METE_FAULT_FOREIGN;
    }
    if (at >= layout->next) {
        return 1U << METE_FAULT_DOUBLE_FREE;
    }
    const bool can_be =
        (size <= (size_t)(layout->next - at)) && ((uintptr_t)exhaust_address(at) % align == 0U);
    return can_be ? 0U : 1U << METE_FAULT_SIZE;
}

static void misuse_block(int at, size_t size, size_t align)
{
    const unsigned fault = fault_of(at, size, align);
    if (fault == 0U) {
        return;
    }
    const mete_alloc_t alloc = mete_arena_as_alloc(&layout->arena);
    exhaust_doing(EXHAUST_RELEASE, at, size, align);
    mete_release(alloc, exhaust_address(at), size, align);
    exhaust_refused(fault);
    exhaust_doing(EXHAUST_RESIZE, at, size, align);
    EXHAUST_EXPECT(!mete_resize(alloc, exhaust_address(at), size, 1U, align));
    exhaust_refused(fault);
}

static void misuse_mark(mete_arena_mark_t mark, mete_fault_t fault)
{
    mete_arena_rewind(&layout->arena, mark);
    exhaust_refused(1U << fault);
}

static void misuse_marks(void)
{
    exhaust_doing(REWIND, 0, 0U, 0U);
    const uint32_t count = layout->mark_count;
    for (uint32_t i = 0U; i < (uint32_t)MARK_MAX; i++) {
        if (i + 1U != count) {
            misuse_mark(layout->marks[i], METE_FAULT_ORDER);
        }
    }
    misuse_mark((mete_arena_mark_t){(uintptr_t)exhaust_address(start), 0U, 0U}, METE_FAULT_ORDER);
    if (count != 0U) {
        mete_arena_mark_t mark = layout->marks[count - 1U];
        mark.outer_floor = (uintptr_t)exhaust_address(floor_now() + 1);
        misuse_mark(mark, METE_FAULT_CORRUPT);
        mark = layout->marks[count - 1U];
        mark.outer_serial = mark.serial;
        misuse_mark(mark, METE_FAULT_CORRUPT);
    }
}

static void misuse(void)
{
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        misuse_block(at, 1U, 1U);
        for (size_t size = 1U; (at >= start) && (at < layout->next) && (size <= STORAGE_MAX);
             size++) {
            misuse_block(at, size, 1U);
            misuse_block(at, size, 4U);
        }
    }
    misuse_marks();
    exhaust_doing(ALLOC, 0, 1U, 3U);
    EXHAUST_EXPECT(mete_arena_alloc(&layout->arena, 1U, 3U) == NULL);
    exhaust_refused(1U << METE_FAULT_ALIGN);
    EXHAUST_EXPECT(mete_arena_alloc(&layout->arena, 0U, 1U) == NULL);
    exhaust_refused(0U);
    exhaust_misuse_huge();
}

const exhaust_subject_t exhaust_arena = {
    .name = "arena",
    .verbs = verbs,
    .init = begin,
    .list = list,
    .perform = perform,
    .sizes = (const uint16_t[]){1U, 3U, 8U, 0U},
    .aligns = (const uint16_t[]){1U, 4U, 16U, 0U},
    .may_acquire = may_acquire,
    .may_resize = may_resize,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

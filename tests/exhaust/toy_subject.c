// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A subject to test exhaustion with: first fit over a few cells of 8 bytes, with a byte of bookkeeping
// for each. It can be made wrong in one way at a time, and then only in a state that takes several calls.

#include "tests/exhaust/toy_subject.h"

#include <string.h>

enum { CELL = 8, CELL_MAX = 16, FREE = 0, START = 1, INSIDE = 2 };

typedef struct toy {
    uint8_t cells[CELL_MAX];
    uint64_t refusals;
    _Alignas(CELL) unsigned char memory[CELL_MAX * CELL];
} toy_t;

toy_bug_t toy_bug;
static toy_t *toy;
static size_t cell_count;

static size_t cells_for(size_t size)
{
    return (size - 1U) / CELL + 1U;
}

// Cells in the block or gap that begins here.
static size_t length_at(size_t cell)
{
    size_t end = cell + 1U;
    const uint8_t kind = (toy->cells[cell] == FREE) ? (uint8_t)FREE : (uint8_t)INSIDE;
    while ((end < cell_count) && (toy->cells[end] == kind)) {
        end++;
    }
    return end - cell;
}

static size_t count(uint8_t kind)
{
    size_t found = 0U;
    for (size_t i = 0U; i < cell_count; i++) {
        found += (toy->cells[i] == kind) ? 1U : 0U;
    }
    return found;
}

static bool has(toy_bug_t bug)
{
    return (toy_bug == bug) && (count(START) == 2U);
}

// ---- The allocator

static void *acquire(void *self, size_t size, size_t align)
{
    (void)self, (void)align;
    const size_t wanted = (size <= CELL_MAX * CELL) ? cells_for(size) : CELL_MAX + 1U;
    for (size_t cell = 0U; cell < cell_count; cell += length_at(cell)) {
        if ((toy->cells[cell] == FREE) &&
            (length_at(cell) + (has(TOY_OVERLAPS) ? 1U : 0U) >= wanted) &&
            (cell + wanted <= cell_count) && !((wanted == 1U) && has(TOY_REFUSES))) {
            memset(&toy->cells[cell], INSIDE, wanted);
            toy->cells[cell] = START;
            return &toy->memory[(cell * CELL) + (has(TOY_MISALIGNS) ? 4U : 0U)];
        }
    }
    toy->refusals++;
    if (has(TOY_SPOILS)) {
        toy->memory[0] ^= 1U;
    }
    return NULL;
}

static bool is_start(const void *block)
{
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)toy->memory;
    const size_t step = has(TOY_ACCEPTS) ? 1U : CELL;
    return (offset < cell_count * CELL) && (offset % step == 0U) &&
           (toy->cells[offset / CELL] == START);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    (void)size, (void)align;
    if (!is_start(block)) {
        if (has(TOY_WRITES)) {
            toy->refusals++;
        }
        METE_FAULT(METE_FAULT_FOREIGN, self, block);
        return;
    }
    const size_t cell = ((uintptr_t)block - (uintptr_t)toy->memory) / CELL;
    size_t length = length_at(cell);
    if ((length == 2U) && has(TOY_LEAKS)) {
        length = 1U;
    }
    memset(&toy->cells[cell], FREE, length);
}

static const mete_alloc_ops_t ops = {acquire, release, NULL, NULL, NULL};

// ---- The subject

static exhaust_offer_t begin(mete_span_t arena, size_t scale)
{
    toy = arena.start;
    cell_count = scale;
    const mete_span_t blocks = {toy->memory, scale * CELL};
    return (exhaust_offer_t){{&ops, toy}, blocks, sizeof *toy};
}

// By the blocks held alone.
static chance_t may_acquire(size_t size, size_t align)
{
    (void)align;
    int start = exhaust_at(toy->memory);
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        const exhaust_block_t *const block = &exhaust_blocks[i];
        if (block->at - start >= (int)(cells_for(size) * CELL)) {
            return MUST_SUCCEED;
        }
        start = block->at + (int)(cells_for(block->size) * CELL);
    }
    const int end = exhaust_at(toy->memory) + (int)(cell_count * CELL);
    return (end - start >= (int)(cells_for(size) * CELL)) ? MUST_SUCCEED : MUST_FAIL;
}

static bool is_sound(void)
{
    return count(START) == exhaust_block_count();
}

static void mask(unsigned char *copy)
{
    ((toy_t *)(void *)copy)->refusals = 0U;
    memset(copy + offsetof(toy_t, memory), 0, sizeof toy->memory);
}

static void misuse(void)
{
    const mete_alloc_t alloc = {&ops, toy};
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        if (exhaust_block_at(at) == NULL) {
            exhaust_doing(EXHAUST_RELEASE, at, 1U, 1U);
            mete_release(alloc, exhaust_address(at), 1U, 1U);
            exhaust_refused(1U << METE_FAULT_FOREIGN);
        }
    }
}

const exhaust_subject_t toy_subject = {
    .name = "toy",
    .init = begin,
    .sizes = (const uint16_t[]){8U, 16U, 24U, 32U, 40U, 48U, 0U},
    .aligns = (const uint16_t[]){8U, 0U},
    .may_acquire = may_acquire,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
    .is_whole_when_empty = true,
};

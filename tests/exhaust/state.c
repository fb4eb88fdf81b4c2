// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/exhaust/state.h"

#include "tests/support/tap.h"

#include <stdio.h>
#include <string.h>

enum { BASE_ALIGN = 256 };

// The arena starts at a multiple of BASE_ALIGN, so that alignments mean the same in every run.
static _Alignas(BASE_ALIGN) unsigned char memory[BASE_ALIGN + EXHAUST_ARENA_MAX + EXHAUST_MARGIN];
static unsigned char *const arena = memory + BASE_ALIGN;
static exhaust_block_t blocks[EXHAUST_BLOCK_MAX];
static size_t block_count;

static const exhaust_subject_t *subject;
static exhaust_offer_t offer;
static state_t initial;
static uint64_t initial_hash;
static state_t kept;
static uint64_t kept_hash;
static bool is_judging;    // Not when a known way is gone again.
static bool is_unchanged;  // By the call that was made.

exhaust_block_t *const exhaust_blocks = blocks;
state_failure_t state_failure;
uint64_t state_refused_count;
uint64_t state_may_count;

// ---- Where things are

void *exhaust_address(int at)
{
    return arena + at;
}

int16_t exhaust_at(const void *address)
{
    return (int16_t)((intptr_t)address - (intptr_t)arena);
}

size_t exhaust_block_count(void)
{
    return block_count;
}

int exhaust_first(void)
{
    return -EXHAUST_MARGIN;
}

int exhaust_end(void)
{
    return (int)offer.arena_size + EXHAUST_MARGIN;
}

const exhaust_block_t *exhaust_block_around(int at)
{
    for (size_t i = 0U; i < block_count; i++) {
        if ((at >= blocks[i].at) && (at < blocks[i].at + blocks[i].room)) {
            return &blocks[i];
        }
    }
    return NULL;
}

const exhaust_block_t *exhaust_block_at(int at)
{
    const exhaust_block_t *const block = exhaust_block_around(at);
    return ((block != NULL) && (block->at == at)) ? block : NULL;
}

// ---- Judgement

bool exhaust_expect(bool holds, const char *condition, const char *file, int line)
{
    if (!holds && (state_failure.condition == NULL)) {
        state_failure.condition = condition;
        state_failure.file = file;
        state_failure.line = line;
    }
    return holds;
}

void exhaust_doing(uint8_t verb, int at, size_t size, size_t align)
{
    if (state_failure.condition == NULL) {
        state_failure.doing =
            (exhaust_op_t){verb, 0U, (int16_t)at, (uint16_t)size, (uint16_t)align};
    }
}

static size_t used_size(void)
{
    return EXHAUST_MARGIN + offer.arena_size + EXHAUST_MARGIN;
}

static bool is_as_kept(void)
{
    return memcmp(kept.memory, arena - EXHAUST_MARGIN, used_size()) == 0;
}

void exhaust_refused(unsigned faults)
{
    const int fault = tap_take_fault();
    state_refused_count++;
    EXHAUST_EXPECT((faults == 0U) ? (fault == 0) : (((faults >> fault) & 1U) != 0U));
    EXHAUST_EXPECT(is_as_kept());
}

void exhaust_unchanged(void)
{
    is_unchanged = !is_judging || EXHAUST_EXPECT(state_hash() == kept_hash);
}

// ---- Contents

// A pattern of the block's own, which no bookkeeping looks like.
static unsigned char content_at(int at, size_t index)
{
    return (unsigned char)(0xC0U | (((size_t)at * 5U + index * 7U) & 0x3FU));
}

void exhaust_paint(int at, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        arena[(size_t)at + i] = content_at(at, i);
    }
}

bool exhaust_is_painted(int at, int painted_at, size_t size)
{
    size_t i = 0U;
    while ((i < size) && (arena[(size_t)at + i] == content_at(painted_at, i))) {
        i++;
    }
    return i == size;
}

static bool are_all_painted(void)
{
    size_t i = 0U;
    while ((i < block_count) && exhaust_is_painted(blocks[i].at, blocks[i].at, blocks[i].size)) {
        i++;
    }
    return i == block_count;
}

// ---- Blocks

static bool is_in_place(const exhaust_block_t *block)
{
    const uintptr_t offset = (uintptr_t)(arena + block->at) - (uintptr_t)offer.blocks.start;
    return (offset < offer.blocks.size) && (block->room <= offer.blocks.size - offset) &&
           ((uintptr_t)(arena + block->at) % block->align == 0U);
}

// Where a block belongs in the list, or block_count + 1 if it overlaps another.
static size_t place_for(const exhaust_block_t *block)
{
    size_t i = 0U;
    while ((i < block_count) && (blocks[i].at + blocks[i].room <= block->at)) {
        i++;
    }
    const bool is_clear = (i == block_count) || (block->at + block->room <= blocks[i].at);
    return is_clear ? i : block_count + 1U;
}

static size_t room_of(const void *start, size_t size)
{
    return ((offer.alloc.ops != NULL) && (offer.alloc.ops->size_of != NULL))
               ? offer.alloc.ops->size_of(offer.alloc.self, start)
               : size;
}

const exhaust_block_t *exhaust_hold(void *start, size_t size, size_t align)
{
    const exhaust_block_t block = {exhaust_at(start), (uint16_t)size, (uint16_t)align,
                                   (uint16_t)room_of(start, size)};
    const size_t place = place_for(&block);
    if (!EXHAUST_EXPECT(mete_span_has(offer.blocks, start)) ||
        !EXHAUST_EXPECT(block.room >= size) || !EXHAUST_EXPECT(is_in_place(&block)) ||
        !EXHAUST_EXPECT(place <= block_count) || !EXHAUST_EXPECT(block_count < EXHAUST_BLOCK_MAX)) {
        return NULL;
    }
    memmove(&blocks[place + 1U], &blocks[place], (block_count - place) * sizeof block);
    blocks[place] = block;
    block_count++;
    exhaust_paint(block.at, size);
    return &blocks[place];
}

static void forget(const exhaust_block_t *block)
{
    const size_t place = (size_t)(block - blocks);
    block_count--;
    memmove(&blocks[place], &blocks[place + 1U], (block_count - place) * sizeof *block);
}

void exhaust_forget_all(void)
{
    block_count = 0U;
}

void exhaust_drop(int at)
{
    const exhaust_block_t *const block = exhaust_block_at(at);
    if (EXHAUST_EXPECT(block != NULL)) {
        EXHAUST_EXPECT(exhaust_is_painted(at, at, block->size));
        forget(block);
    }
}

const exhaust_block_t *exhaust_moved(int at, void *start, size_t size, size_t align)
{
    const exhaust_block_t *const block = exhaust_block_at(at);
    if (!EXHAUST_EXPECT(block != NULL)) {
        return NULL;
    }
    const size_t kept_size = (block->size < size) ? block->size : size;
    EXHAUST_EXPECT(exhaust_is_painted(exhaust_at(start), at, kept_size));
    forget(block);
    return exhaust_hold(start, size, align);
}

// ---- Calls

void exhaust_chance(bool is_served, chance_t chance)
{
    state_may_count += (is_judging && (chance == MAY_SUCCEED)) ? 1U : 0U;
    EXHAUST_EXPECT(is_served || (chance != MUST_SUCCEED));
    EXHAUST_EXPECT(!is_served || (chance != MUST_FAIL));
}

const exhaust_block_t *exhaust_acquire(size_t size, size_t align, chance_t chance)
{
    void *const start = mete_acquire(offer.alloc, size, align);
    exhaust_chance(start != NULL, chance);
    return (start != NULL) ? exhaust_hold(start, size, align) : NULL;
}

void exhaust_release(int at)
{
    const exhaust_block_t *const block = exhaust_block_at(at);
    if (EXHAUST_EXPECT(block != NULL)) {
        const exhaust_block_t old = *block;
        exhaust_drop(at);
        mete_release(offer.alloc, exhaust_address(at), old.size, old.align);
    }
}

bool exhaust_resize(int at, size_t size, chance_t chance)
{
    const exhaust_block_t *const block = exhaust_block_at(at);
    if (!EXHAUST_EXPECT(block != NULL)) {
        return false;
    }
    const size_t align = block->align;
    void *const start = exhaust_address(at);
    const bool is_done = mete_resize(offer.alloc, start, block->size, size, align);
    exhaust_chance(is_done, chance);
    return is_done && (exhaust_moved(at, start, size, align) != NULL);
}

// ---- What most subjects want

void exhaust_add_op(exhaust_ops_t *ops, uint8_t verb, int at, size_t size, size_t align)
{
    if (EXHAUST_EXPECT(ops->count < EXHAUST_OP_MAX)) {
        ops->ops[ops->count] =
            (exhaust_op_t){verb, 0U, (int16_t)at, (uint16_t)size, (uint16_t)align};
        ops->count++;
    }
}

void exhaust_list_calls(exhaust_ops_t *ops)
{
    for (const uint16_t *size = subject->sizes; *size != 0U; size++) {
        for (const uint16_t *align = subject->aligns; *align != 0U; align++) {
            exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, *size, *align);
        }
        for (size_t i = 0U; (i < block_count) && (subject->may_resize != NULL); i++) {
            exhaust_add_op(ops, EXHAUST_RESIZE, blocks[i].at, *size, 0U);
        }
    }
    for (size_t i = 0U; i < block_count; i++) {
        exhaust_add_op(ops, EXHAUST_RELEASE, blocks[i].at, 0U, 0U);
    }
}

void exhaust_perform(const exhaust_op_t *op)
{
    switch (op->verb) {
    case EXHAUST_ACQUIRE:
        if (exhaust_acquire(op->size, op->align, subject->may_acquire(op->size, op->align)) ==
            NULL) {
            exhaust_unchanged();
        }
        break;
    case EXHAUST_RESIZE:
        if (!exhaust_resize(op->at, op->size,
                            subject->may_resize(exhaust_block_at(op->at), op->size))) {
            exhaust_unchanged();
        }
        break;
    default:
        exhaust_release(op->at);
        break;
    }
}

static void misuse_size(const exhaust_block_t *block, size_t size, size_t align, unsigned faults)
{
    void *const start = exhaust_address(block->at);
    exhaust_doing(EXHAUST_RELEASE, block->at, size, align);
    mete_release(offer.alloc, start, size, align);
    exhaust_refused(faults);
    if (offer.alloc.ops->resize != NULL) {
        exhaust_doing(EXHAUST_RESIZE, block->at, size, align);
        EXHAUST_EXPECT(!mete_resize(offer.alloc, start, size, 1U, align));
        exhaust_refused(faults);
    }
}

static void try_size(const exhaust_block_t *block, size_t size, size_t align,
                     exhaust_faults_of_t *faults_of)
{
    const unsigned faults = faults_of(block, size, align);
    if (faults != 0U) {
        misuse_size(block, size, align, faults);
    }
}

void exhaust_misuse_sizes(exhaust_faults_of_t *faults_of)
{
    for (size_t i = 0U; i < block_count; i++) {
        for (size_t size = 1U; size <= offer.blocks.size + 1U; size += 3U) {
            try_size(&blocks[i], size, subject->aligns[0], faults_of);
        }
        for (const uint16_t *align = subject->aligns; *align != 0U; align++) {
            try_size(&blocks[i], blocks[i].size, *align, faults_of);
        }
        misuse_size(&blocks[i], 1U, 0U, 1U << METE_FAULT_ALIGN);
        misuse_size(&blocks[i], 1U, 3U, 1U << METE_FAULT_ALIGN);
    }
}

void exhaust_misuse_huge(void)
{
    static const size_t sizes[] = {SIZE_MAX,           SIZE_MAX - 7U,       SIZE_MAX / 2U,
                                   SIZE_MAX / 2U + 1U, SIZE_MAX / 2U - 11U, 0x10000U};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (const uint16_t *align = subject->aligns; *align != 0U; align++) {
            exhaust_doing(EXHAUST_ACQUIRE, 0, sizes[i], *align);
            EXHAUST_EXPECT(mete_acquire(offer.alloc, sizes[i], *align) == NULL);
            EXHAUST_EXPECT(tap_take_fault() == 0);
            EXHAUST_EXPECT(state_hash() == kept_hash);
        }
    }
    state_restore();  // Refusals were counted.
}

// ---- The state as a whole

static void save(state_t *state)
{
    state->block_count = block_count;
    memcpy(state->blocks, blocks, block_count * sizeof blocks[0]);
    memcpy(state->memory, arena - EXHAUST_MARGIN, used_size());
}

static void load(const state_t *state)
{
    block_count = state->block_count;
    memcpy(blocks, state->blocks, block_count * sizeof blocks[0]);
    memcpy(arena - EXHAUST_MARGIN, state->memory, used_size());
}

// Word by word, one-to-one in each: two states that differ in one word only never collide.
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ (hash >> 32);
}

static uint64_t mix_bytes(uint64_t hash, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0U; i < size; i += sizeof(uint64_t)) {
        uint64_t word = 0U;
        memcpy(&word, bytes + i, sizeof word);
        hash = mix(hash, word);
    }
    return hash;
}

uint64_t state_hash(void)
{
    static _Alignas(BASE_ALIGN) unsigned char copy[EXHAUST_ARENA_MAX + sizeof(uint64_t)];
    memcpy(copy, arena, offer.arena_size);
    memset(copy + offer.arena_size, 0, sizeof(uint64_t));
    subject->mask(copy);
    uint64_t hash = block_count;
    for (size_t i = 0U; i < block_count; i++) {
        memset(copy + blocks[i].at, 0, blocks[i].room);
        hash = mix(hash, ((uint64_t)(uint16_t)blocks[i].at << 16) | blocks[i].room);
    }
    hash = mix_bytes(hash, copy, offer.arena_size);
    return mix(hash, hash >> 32);
}

// What must hold in a state with this hash.
static void judge(uint64_t hash)
{
    EXHAUST_EXPECT(tap_take_fault() == 0);
    EXHAUST_EXPECT(are_all_painted());
    EXHAUST_EXPECT((hash == kept_hash) || subject->is_sound());
    if (subject->is_whole_when_empty && (block_count == 0U)) {
        EXHAUST_EXPECT(hash == initial_hash);
    }
}

static void perform(const exhaust_op_t *op)
{
    if (subject->perform != NULL) {
        subject->perform(op);
    } else {
        exhaust_perform(op);
    }
}

uint64_t state_perform(const exhaust_op_t *op)
{
    state_failure.doing = *op;
    is_judging = true;
    is_unchanged = false;
    perform(op);
    is_judging = false;
    const uint64_t hash = is_unchanged ? kept_hash : state_hash();
    judge(hash);
    return hash;
}

void state_repeat(const exhaust_op_t *op)
{
    perform(op);
}

void state_begin(const exhaust_subject_t *new_subject, size_t scale)
{
    subject = new_subject;
    state_failure = (state_failure_t){0};
    state_refused_count = 0U;
    state_may_count = 0U;
    is_judging = false;
    block_count = 0U;
    memset(memory, 0, sizeof memory);
    offer = subject->init((mete_span_t){arena, EXHAUST_ARENA_MAX}, scale);
    if (state_failure.condition != NULL) {
        return;
    }
    initial_hash = state_hash();
    save(&initial);
    kept_hash = ~initial_hash;
    judge(initial_hash);
}

void state_list(exhaust_ops_t *ops)
{
    ops->count = 0U;
    if (subject->list != NULL) {
        subject->list(ops);
    } else {
        exhaust_list_calls(ops);
    }
}

void state_misuse(void)
{
    if ((METE_CHECK_LEVEL >= 1) && (subject->misuse != NULL)) {
        subject->misuse();
    }
}

void state_keep(void)
{
    save(&kept);
    kept_hash = state_hash();
}

void state_restore(void)
{
    load(&kept);
}

void state_restart(void)
{
    load(&initial);
    kept_hash = initial_hash;
}

void state_print_op(const exhaust_op_t *op)
{
    static const char *const verbs[EXHAUST_OWN] = {"acquire", "release", "resize"};
    printf("%s",
           (op->verb < EXHAUST_OWN) ? verbs[op->verb] : subject->verbs[op->verb - EXHAUST_OWN]);
    if (op->verb != EXHAUST_ACQUIRE) {
        printf(" at %d", op->at);
    }
    if (op->size != 0U) {
        printf(", size %u", op->size);
    }
    if (op->align != 0U) {
        printf(", align %u", op->align);
    }
    if (op->more != 0U) {
        printf(", %u", op->more);
    }
    printf("\n");
}

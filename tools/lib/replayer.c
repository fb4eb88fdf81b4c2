// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/replayer.h"

#include "mete/core/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_INTERVAL = 8192 };  // Operations from one report of progress to the next.

typedef struct object {
    void *block;    // What names it. NULL: freed, of size 0, or could not be had.
    uint32_t size;  // What the block was acquired with or last resized to.
    uint32_t align;
    uint32_t serial;  // Of the operation that wrote the pattern.
} object_t;

typedef struct replay {
    const trace_t *trace;
    const replay_options_t *options;
    replay_result_t *result;
    object_t *objects;
    backend_state_t state;
    uint64_t live_size;
} replay_t;

// ---- The pattern: words that depend on the operation that wrote them and on their place, so that
// neither another block's bytes nor the block's own in the wrong place pass for the right ones.

static uint64_t pattern_word(uint32_t serial, size_t number)
{
    return ((((uint64_t)serial + 1U) << 32) + number) * 0x9E3779B97F4A7C15U;
}

static void write_pattern(unsigned char *block, uint32_t serial, size_t size)
{
    for (size_t i = 0U; i < size; i += 8U) {
        const uint64_t word = pattern_word(serial, i / 8U);
        const size_t rest = size - i;
        memcpy(block + i, &word, (rest < 8U) ? rest : 8U);
    }
}

static bool has_pattern(const unsigned char *block, uint32_t serial, size_t size)
{
    for (size_t i = 0U; i < size; i += 8U) {
        const uint64_t word = pattern_word(serial, i / 8U);
        const size_t rest = size - i;
        if (memcmp(block + i, &word, (rest < 8U) ? rest : 8U) != 0) {
            return false;
        }
    }
    return true;
}

// ---- What can be wrong

static void report(replay_t *replay, const char *defect)
{
    if (replay->result->defect == NULL) {
        replay->result->defect = defect;
        replay->result->defect_op = replay->result->op_count + 1U;
    }
}

static const char *name_of(int fault)
{
    static const char *const names[] = {
        [METE_FAULT_ASSERT] = "the allocator reported a failed assertion",
        [METE_FAULT_ALIGN] = "the allocator reported a bad alignment",
        [METE_FAULT_FOREIGN] = "the allocator took its own block for a foreign one",
        [METE_FAULT_DOUBLE_FREE] = "the allocator took a live block for a free one",
        [METE_FAULT_SIZE] = "the allocator did not accept the size it was asked for",
        [METE_FAULT_ORDER] = "the allocator reported calls out of order",
        [METE_FAULT_OVERFLOW] = "the allocator reported an overflow",
        [METE_FAULT_CORRUPT] = "the allocator reported damaged bookkeeping",
    };
    const size_t count = sizeof names / sizeof names[0];
    return ((fault > 0) && ((size_t)fault < count)) ? names[fault]
                                                    : "the allocator reported a fault";
}

static void expect_no_fault(replay_t *replay)
{
    const int fault = (replay->options->take_fault != NULL) ? replay->options->take_fault() : 0;
    if (fault != 0) {
        report(replay, name_of(fault));
    }
}

// Where a block is now.
static unsigned char *address_of(const replay_t *replay, void *block)
{
    const backend_t *const backend = replay->options->backend;
    return ((backend->locate != NULL) && (block != NULL)) ? backend->locate(&replay->state, block)
                                                          : block;
}

static size_t usable_size(const replay_t *replay, const object_t *object)
{
    const mete_alloc_t alloc = replay->state.alloc;
    return (alloc.ops->size_of != NULL) ? alloc.ops->size_of(alloc.self, object->block)
                                        : object->size;
}

// Bytes from the start of the arena to the end of a block.
static size_t extent_of(const replay_t *replay, const object_t *object)
{
    const uintptr_t start = (uintptr_t)address_of(replay, object->block);
    return (size_t)(start - (uintptr_t)replay->options->arena.start) + usable_size(replay, object);
}

static bool has_arena(const replay_t *replay)
{
    return replay->options->backend->arena_max != 0U;
}

static void expect_good_place(replay_t *replay, const object_t *object)
{
    const mete_span_t arena = replay->options->arena;
    const uintptr_t start = (uintptr_t)address_of(replay, object->block);
    const uintptr_t offset = start - (uintptr_t)arena.start;
    if ((start & (object->align - 1U)) != 0U) {
        report(replay, "a block is not aligned as asked for");
    } else if (has_arena(replay) &&
               ((offset >= arena.size) || (object->size > arena.size - offset))) {
        report(replay, "a block does not lie in the arena");
    } else if (usable_size(replay, object) < object->size) {
        report(replay, "a block is smaller than asked for");
    }
}

static void expect_pattern(replay_t *replay, void *block, uint32_t serial, size_t size)
{
    if ((block != NULL) && !has_pattern(address_of(replay, block), serial, size)) {
        report(replay, "the contents of a block changed while it was held");
    }
}

// ---- Operations

static void count_failure(replay_t *replay)
{
    replay_result_t *const result = replay->result;
    result->failures++;
    if (result->first_failure == 0U) {
        result->first_failure = result->op_count + 1U;
    }
}

// Books a block that an object has got or that has changed.
static void settle(replay_t *replay, object_t *object)
{
    object->serial = (uint32_t)replay->result->op_count;
    if (object->block == NULL) {
        return;
    }
    if (has_arena(replay)) {
        const size_t extent = extent_of(replay, object);
        replay_result_t *const result = replay->result;
        result->extent_peak = (extent > result->extent_peak) ? extent : result->extent_peak;
    }
    if (replay->options->verifies) {
        expect_good_place(replay, object);
        if (replay->result->defect == NULL) {
            write_pattern(address_of(replay, object->block), object->serial, object->size);
        }
    }
}

static void do_acquire(replay_t *replay, const trace_op_t *op)
{
    object_t *const object = &replay->objects[op->id];
    object->align = op->align;
    object->block = mete_acquire(replay->state.alloc, op->size, op->align);
    object->size = (object->block != NULL) ? op->size : 0U;
    if ((object->block == NULL) && (op->size != 0U)) {
        count_failure(replay);
    }
    replay->live_size += object->size;
    settle(replay, object);
}

// What is named by a handle cannot be copied by whoever holds it: the allocator moves it.
static void *resize_block(const replay_t *replay, const object_t *object, size_t size)
{
    const mete_alloc_t alloc = replay->state.alloc;
    if ((replay->options->backend->locate == NULL) || (object->block == NULL) || (size == 0U)) {
        return mete_realloc(alloc, object->block, object->size, size, object->align);
    }
    const bool is_done = mete_resize(alloc, object->block, object->size, size, object->align);
    return is_done ? object->block : NULL;
}

static void do_resize(replay_t *replay, const trace_op_t *op)
{
    object_t *const object = &replay->objects[op->id];
    const uint32_t old_size = object->size;
    const bool verifies = replay->options->verifies;
    if (verifies) {
        expect_pattern(replay, object->block, object->serial, old_size);
    }
    void *const block = resize_block(replay, object, op->size);
    if ((block == NULL) && (op->size != 0U)) {
        count_failure(replay);
        return;
    }
    object->block = block;
    object->size = op->size;
    replay->live_size += (uint64_t)op->size - old_size;
    if (verifies) {
        expect_pattern(replay, block, object->serial, (op->size < old_size) ? op->size : old_size);
    }
    settle(replay, object);
}

static void do_release(replay_t *replay, const trace_op_t *op)
{
    object_t *const object = &replay->objects[op->id];
    if (replay->options->verifies) {
        expect_pattern(replay, object->block, object->serial, object->size);
    }
    mete_release(replay->state.alloc, object->block, object->size, object->align);
    replay->live_size -= object->size;
    object->block = NULL;
    object->size = 0U;
}

static void do_op(replay_t *replay, const trace_op_t *op)
{
    static void (*const actions[])(replay_t *, const trace_op_t *) = {
        [TRACE_ACQUIRE] = do_acquire, [TRACE_RESIZE] = do_resize, [TRACE_RELEASE] = do_release};
    actions[op->kind](replay, op);
    expect_no_fault(replay);
    replay->result->op_count++;
}

// ---- Samples and progress

static void sample(replay_t *replay, replay_sample_t *at)
{
    const backend_t *const backend = replay->options->backend;
    *at = (replay_sample_t){.op_count = replay->result->op_count, .live_size = replay->live_size};
    for (size_t i = 0U; has_arena(replay) && (i < replay->trace->id_count); i++) {
        const object_t *const object = &replay->objects[i];
        const size_t extent = (object->block != NULL) ? extent_of(replay, object) : 0U;
        at->extent = (extent > at->extent) ? extent : at->extent;
    }
    if (backend->frag != NULL) {
        at->frag = backend->frag(&replay->state);
    }
    if (replay->options->verifies && (backend->check != NULL) && !backend->check(&replay->state)) {
        report(replay, "the allocator's own check found damage");
    }
}

// Takes the next sample if its time has come. Returns the number of samples taken.
static size_t sample_if_due(replay_t *replay, size_t taken)
{
    const replay_options_t *const options = replay->options;
    if ((options->samples == NULL) || (taken == options->sample_count)) {
        return taken;
    }
    const uint64_t due = (uint64_t)replay->trace->op_count * (taken + 1U) / options->sample_count;
    if (replay->result->op_count < due) {
        return taken;
    }
    sample(replay, &options->samples[taken]);
    return taken + 1U;
}

static void tell_progress(const replay_t *replay)
{
    const replay_options_t *const options = replay->options;
    if ((options->on_progress != NULL) && (replay->result->op_count % PROGRESS_INTERVAL == 0U)) {
        options->on_progress(options->on_progress_self, replay->result->op_count,
                             replay->trace->op_count);
    }
}

// ---- A whole trace

// A block that the trace never freed must be whole at the end; then it goes back, which a host's
// malloc needs. Nothing more is asked of an allocator that was found wrong.
static void settle_leftover(replay_t *replay, const object_t *object)
{
    if (replay->options->verifies) {
        expect_pattern(replay, object->block, object->serial, object->size);
    }
    if ((object->block != NULL) && (replay->result->defect == NULL)) {
        mete_release(replay->state.alloc, object->block, object->size, object->align);
        expect_no_fault(replay);
    }
}

static void finish(replay_t *replay)
{
    for (size_t i = 0U; (i < replay->trace->id_count) && (replay->result->defect == NULL); i++) {
        settle_leftover(replay, &replay->objects[i]);
    }
    const backend_t *const backend = replay->options->backend;
    if (replay->options->verifies && (backend->check != NULL) && !backend->check(&replay->state)) {
        report(replay, "the allocator's own check found damage");
    }
}

bool replay_run(const trace_t *trace, const replay_options_t *options, replay_result_t *result)
{
    *result = (replay_result_t){0};
    replay_t replay = {.trace = trace,
                       .options = options,
                       .result = result,
                       .state.block_count_max = trace->id_count};
    if (!options->backend->init(&replay.state, options->arena, options->search)) {
        count_failure(&replay);
        return false;
    }
    replay.objects = calloc(trace->id_count, sizeof *replay.objects);
    if (replay.objects == NULL) {
        report(&replay, "no memory for the table of objects");
        return false;
    }
    size_t taken = 0U;
    while ((result->op_count < trace->op_count) && (result->defect == NULL) &&
           !(options->stops_at_failure && (result->failures != 0U))) {
        do_op(&replay, &trace->ops[result->op_count]);
        taken = sample_if_due(&replay, taken);
        tell_progress(&replay);
    }
    finish(&replay);
    free(replay.objects);
    return (result->failures == 0U) && (result->defect == NULL);
}

// ---- The floor

// Bytes of an arena that blocks cannot occupy, if so many must be possible.
static size_t control_size_of(const backend_t *backend, size_t block_count)
{
    const size_t wanted = (1024U + block_count) * 64U;  // Twice what two handles of a block take.
    const size_t size = (wanted < backend->arena_max) ? wanted : backend->arena_max;
    void *const memory = (backend->total_size != NULL) ? aligned_alloc(64U, size) : NULL;
    backend_state_t state = {.block_count_max = block_count};
    size_t control_size = 0U;
    if ((memory != NULL) && backend->init(&state, (mete_span_t){memory, size}, 0U)) {
        control_size = size - backend->total_size(&state);
    }
    free(memory);
    return control_size;
}

bool replay_floor_of(const trace_t *trace, const backend_t *backend, replay_floor_t *bound)
{
    uint32_t *const sizes = calloc(trace->id_count, sizeof *sizes);
    *bound = (replay_floor_t){0U, control_size_of(backend, trace->id_count)};
    uint64_t now = 0U;
    for (size_t i = 0U; (sizes != NULL) && (i < trace->op_count); i++) {
        const trace_op_t *const op = &trace->ops[i];
        now -= backend_block_size(backend, sizes[op->id]);
        now += backend_block_size(backend, op->size);
        sizes[op->id] = op->size;
        bound->block_size_peak = (now > bound->block_size_peak) ? now : bound->block_size_peak;
    }
    free(sizes);
    return (sizes != NULL) && (backend->granule != 0U);
}

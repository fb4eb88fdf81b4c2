// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A table of stacks, searched from the front: tasks are few, and stacks come and go seldom. What happens at each
// switch looks at one record only, which the kernel keeps with the task.
//
// done_size serves twice. While nobody has the stack it counts what is painted, so that alloc has to paint the rest
// only; while a task has it, what the present round of measuring found unused.

#include "mete/protect/stacks.h"

#include "mete/core/align.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

typedef mete_stacks_record_t record_t;

_Static_assert((sizeof(record_t) & (sizeof(record_t) - 1U)) == 0U,
               "index_of divides by it, which must be a shift on cores that cannot divide");

static bool is_empty(const record_t *record)
{
    return record->stack.span.start == NULL;
}

static bool is_active(const record_t *record)
{
    return record->task != NULL;
}

static bool is_kept(const record_t *record)
{
    return !is_empty(record) && !is_active(record);
}

// Of guard and stack together.
static size_t block_size(const mete_stacks_t *stacks, const record_t *record)
{
    return stacks->config->guard_size + record->stack.span.size;
}

static unsigned char *block_start(const mete_stacks_t *stacks, const record_t *record)
{
    return (unsigned char *)record->stack.span.start - stacks->config->guard_size;
}

// Wraps to more than the table has for an address below it.
static size_t index_of(const mete_stacks_t *stacks, const record_t *record)
{
    return ((uintptr_t)record - (uintptr_t)stacks->config->records) / sizeof(record_t);
}

// The record, as the table's owner may write it; NULL if it is none of a stack.
static record_t *own(const mete_stacks_t *stacks, const record_t *record)
{
    const size_t index = index_of(stacks, record);
    if (IS_CHECKED && (index >= stacks->config->record_max)) {
        return NULL;
    }
    record_t *const found = &stacks->config->records[index];
    return (!IS_CHECKED || ((found == record) && !is_empty(found))) ? found : NULL;
}

// ---- Bookkeeping, compared with itself

static bool is_legal(const mete_stacks_t *stacks, const record_t *record)
{
    if (is_empty(record)) {
        return !is_active(record);
    }
    const size_t size = record->stack.span.size;
    const mete_span_t block = {block_start(stacks, record), block_size(stacks, record)};
    return mete_span_is_legal(block) && (size >= METE_STACK_SIZE_MIN) && (block.size >= size) &&
           mete_align_fits((uintptr_t)block.start | block.size, stacks->config->align) &&
           (record->done_size <= size) && (record->in_use_peak <= size) &&
           (record->is_overrun <= 1U);
}

// True if neither a task nor a byte is in both.
static bool are_apart(const mete_stacks_t *stacks, const record_t *one, const record_t *other)
{
    if (is_empty(one) || is_empty(other)) {
        return true;
    }
    const uintptr_t from = (uintptr_t)block_start(stacks, one);
    const uintptr_t to = (uintptr_t)block_start(stacks, other);
    const bool share_task = is_active(one) && (one->task == other->task);
    return !share_task && (to - from >= block_size(stacks, one)) &&
           (from - to >= block_size(stacks, other));
}

static bool is_sound(const mete_stacks_t *stacks)
{
    const record_t *const records = stacks->config->records;
    bool is_right = stacks->next_index < stacks->config->record_max;
    for (size_t i = 0U; is_right && (i < stacks->config->record_max); i++) {
        is_right = is_legal(stacks, &records[i]);
        for (size_t k = 0U; is_right && (k < i); k++) {
            is_right = are_apart(stacks, &records[k], &records[i]);
        }
    }
    return is_right;
}

// Level 3 looks at everything after every change.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(stacks) \
    (is_sound(stacks) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (stacks), NULL)))
#else
#define CHECK_ALL(stacks) ((void)0)
#endif

bool mete_stacks_check(const mete_stacks_t *stacks)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    bool is_right = is_sound(stacks);
    for (size_t i = 0U; is_right && (i < stacks->config->record_max); i++) {
        const record_t *const record = &stacks->config->records[i];
        is_right = !is_active(record) ||
                   ((record->is_overrun == 0U) && mete_stack_is_whole(&record->stack));
    }
    return is_right;
}

// ---- Start

static bool is_legal_config(const mete_stacks_config_t *config)
{
    const size_t words = 2U * sizeof(uintptr_t);
    return (config->alloc.ops != NULL) && (config->records != NULL) && (config->record_max != 0U) &&
           mete_align_is_legal(config->align) && (config->align >= words) &&
           (config->align <= SIZE_MAX / 4U) && (config->guard_size <= SIZE_MAX / 4U) &&
           mete_align_fits(config->guard_size, words);
}

// Field by field, as everywhere here: an assignment may become a call to memset(), which is libc.
static void clear(record_t *record)
{
    record->stack.span.start = NULL;
    record->stack.span.size = 0U;
    record->task = NULL;
    record->name = NULL;
    record->in_use_peak = 0U;
    record->done_size = 0U;
    record->task_count = 0U;
    record->is_overrun = 0U;
}

bool mete_stacks_init(mete_stacks_t *stacks, const mete_stacks_config_t *config)
{
    METE_ASSERT((stacks != NULL) && (config != NULL));
    if (!is_legal_config(config)) {
        return false;
    }
    for (size_t i = 0U; i < config->record_max; i++) {
        clear(&config->records[i]);
    }
    stacks->config = config;
    stacks->next_index = 0U;
    stacks->refusals = 0U;
    stacks->overflow_count = 0U;
    stacks->in_use_peak = 0U;
    stacks->deepest_name = NULL;
    return true;
}

// ---- Getting stacks, and giving them back

// Of a block for a stack of `size` bytes. 0: more than there can be.
static size_t rounded(const mete_stacks_config_t *config, size_t size)
{
    const size_t least = config->guard_size + METE_STACK_SIZE_MIN;
    return mete_align_up((size > least) ? size : least, config->align);
}

static record_t *find_empty(const mete_stacks_t *stacks)
{
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        if (is_empty(&stacks->config->records[i])) {
            return &stacks->config->records[i];
        }
    }
    return NULL;
}

// The smallest block that is large enough; of equal ones the first.
static record_t *find_kept(const mete_stacks_t *stacks, size_t size)
{
    record_t *best = NULL;
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        record_t *const record = &stacks->config->records[i];
        const bool fits = is_kept(record) && (block_size(stacks, record) >= size);
        if (fits && ((best == NULL) || (record->stack.span.size < best->stack.span.size))) {
            best = record;
        }
    }
    return best;
}

// A new stack, which nobody has. Size 0 is refused by mete_acquire().
static record_t *add(mete_stacks_t *stacks, size_t size)
{
    const mete_stacks_config_t *const config = stacks->config;
    record_t *const record = find_empty(stacks);
    unsigned char *const block =
        (record != NULL) ? mete_acquire(config->alloc, size, config->align) : NULL;
    if (block == NULL) {
        stacks->refusals++;
        return NULL;
    }
    record->stack.span.start = block + config->guard_size;
    record->stack.span.size = size - config->guard_size;
    return record;
}

bool mete_stacks_reserve(mete_stacks_t *stacks, size_t size)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    const bool is_done = add(stacks, rounded(stacks->config, size)) != NULL;
    CHECK_ALL(stacks);
    return is_done;
}

// A canary that was set while nobody has the stack: whoever had it writes to it still.
static bool was_written(const record_t *record)
{
    return (record->done_size != 0U) && !mete_stack_is_whole(&record->stack);
}

static void hand_out(record_t *record, const void *task, const char *name)
{
    (void)mete_stack_paint_next(&record->stack, &record->done_size, SIZE_MAX);
    record->task = task;
    record->name = name;
    record->in_use_peak = 0U;
    record->done_size = 0U;
    record->task_count++;
    record->is_overrun = 0U;
}

const mete_stacks_record_t *mete_stacks_alloc(mete_stacks_t *stacks, const void *task,
                                              const char *name, size_t size)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    if (IS_CHECKED && ((task == NULL) || (mete_stacks_find_task(stacks, task) != NULL))) {
        METE_FAULT(METE_FAULT_ORDER, stacks, task);
        return NULL;
    }
    const size_t wanted = rounded(stacks->config, size);
    record_t *record = (wanted != 0U) ? find_kept(stacks, wanted) : NULL;
    if (record == NULL) {
        record = add(stacks, wanted);
    } else if (was_written(record)) {
        record->done_size = 0U;  // The next call finds it as good as new.
        METE_FAULT(METE_FAULT_CORRUPT, stacks, record->stack.span.start);
        return NULL;
    }
    if (record != NULL) {
        hand_out(record, task, name);
    }
    CHECK_ALL(stacks);
    return record;
}

size_t mete_stacks_purge(mete_stacks_t *stacks)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    const mete_stacks_config_t *const config = stacks->config;
    size_t purged_size = 0U;
    for (size_t i = 0U; i < config->record_max; i++) {
        record_t *const record = &config->records[i];
        if (is_kept(record)) {
            void *const block = block_start(stacks, record);
            const size_t size = block_size(stacks, record);
            clear(record);
            mete_release(config->alloc, block, size, config->align);
            purged_size += size;
        }
    }
    CHECK_ALL(stacks);
    return purged_size;
}

// ---- Overflows, and how deep stacks get

static void keep_peak(mete_stacks_t *stacks, record_t *record, size_t peak)
{
    if (peak > record->in_use_peak) {
        record->in_use_peak = peak;
    }
    if (peak > stacks->in_use_peak) {
        stacks->in_use_peak = peak;
        stacks->deepest_name = record->name;
    }
}

// True the first time for a task.
static bool note(mete_stacks_t *stacks, record_t *record, const void *address)
{
    if (!is_active(record) || (record->is_overrun != 0U)) {
        return false;
    }
    record->is_overrun = 1U;
    stacks->overflow_count++;
    keep_peak(stacks, record, record->stack.span.size);
    const mete_event_t event = {METE_EVENT_FAULT, stacks, address, METE_FAULT_OVERFLOW, NULL};
    mete_observe(stacks->config->observer, &event);
    return true;
}

void mete_stacks_note_overflow(mete_stacks_t *stacks, const mete_stacks_record_t *record,
                               const void *address)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    record_t *const found = own(stacks, record);
    if (IS_CHECKED && (found == NULL)) {
        METE_FAULT(METE_FAULT_FOREIGN, stacks, record);
        return;
    }
    (void)note(stacks, found, address);
}

void mete_stacks_report_overflow(mete_stacks_t *stacks, const mete_stacks_record_t *record,
                                 const void *address)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    record_t *const found = own(stacks, record);
    if (IS_CHECKED && (found == NULL)) {
        METE_FAULT(METE_FAULT_FOREIGN, stacks, record);
        return;
    }
    if (note(stacks, found, address)) {
        METE_FAULT(METE_FAULT_OVERFLOW, stacks, address);
    }
}

size_t mete_stacks_in_use_peak(mete_stacks_t *stacks, const mete_stacks_record_t *record)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    record_t *const found = own(stacks, record);
    if (IS_CHECKED && (found == NULL)) {
        METE_FAULT(METE_FAULT_FOREIGN, stacks, record);
        return 0U;
    }
    if (is_active(found)) {
        keep_peak(stacks, found, mete_stack_in_use_peak(&found->stack));
    }
    return found->in_use_peak;
}

// METE_FAULT_ASSERT: nothing speaks against it.
static mete_fault_t judge_free(const record_t *found, const void *top)
{
    if (found == NULL) {
        return METE_FAULT_FOREIGN;
    }
    if (!is_active(found)) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return mete_span_has(found->stack.span, top) ? METE_FAULT_ORDER : METE_FAULT_ASSERT;
}

void mete_stacks_free(mete_stacks_t *stacks, const mete_stacks_record_t *record)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    record_t *const found = own(stacks, record);
    const mete_fault_t fault = judge_free(found, METE_STACK_TOP());
    if (IS_CHECKED && (fault != METE_FAULT_ASSERT)) {
        METE_FAULT(fault, stacks, record);
        return;
    }
    const bool is_whole = mete_stack_is_whole(&found->stack);
    keep_peak(stacks, found, mete_stack_in_use_peak(&found->stack));
    const bool is_new = !is_whole && note(stacks, found, found->stack.span.start);
    found->task = NULL;
    found->done_size = 0U;
    CHECK_ALL(stacks);
    if (is_new) {
        METE_FAULT(METE_FAULT_OVERFLOW, stacks, found->stack.span.start);
    }
}

static void advance(mete_stacks_t *stacks)
{
    const size_t next = stacks->next_index + 1U;
    stacks->next_index = (next < stacks->config->record_max) ? next : 0U;
}

// Paints or measures on, and goes on to the next record when this one is done.
static void step(mete_stacks_t *stacks, record_t *record, size_t size_max)
{
    if (is_kept(record)) {
        if (!mete_stack_paint_next(&record->stack, &record->done_size, size_max)) {
            advance(stacks);
        }
        return;
    }
    if (is_empty(record)) {
        advance(stacks);
    } else if (!mete_stack_scan_next(&record->stack, &record->done_size, size_max)) {
        keep_peak(stacks, record, record->stack.span.size - record->done_size);
        record->done_size = 0U;
        advance(stacks);
    }
}

bool mete_stacks_check_next(mete_stacks_t *stacks, size_t size_max)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL) && (size_max != 0U));
    if (IS_CHECKED && (stacks->next_index >= stacks->config->record_max)) {
        stacks->next_index = 0U;  // Where it was cannot be told.
        METE_FAULT(METE_FAULT_CORRUPT, stacks, stacks);
        return false;
    }
    record_t *const record = &stacks->config->records[stacks->next_index];
    void *const start = record->stack.span.start;
    if (is_kept(record) && was_written(record)) {
        record->done_size = 0U;
        METE_FAULT(METE_FAULT_CORRUPT, stacks, start);
        return false;
    }
    const bool is_right = !is_active(record) || mete_stack_is_whole(&record->stack);
    const bool is_new = !is_right && note(stacks, record, start);
    step(stacks, record, size_max);
    CHECK_ALL(stacks);
    if (is_new) {
        METE_FAULT(METE_FAULT_OVERFLOW, stacks, start);
    }
    return is_right && (!is_active(record) || (record->is_overrun == 0U));
}

// ---- Who and where

const mete_stacks_record_t *mete_stacks_find(const mete_stacks_t *stacks, const void *address)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        const record_t *const record = &stacks->config->records[i];
        if (!is_empty(record)) {
            const mete_span_t block = {block_start(stacks, record), block_size(stacks, record)};
            if (mete_span_has(block, address)) {
                return record;
            }
        }
    }
    return NULL;
}

const mete_stacks_record_t *mete_stacks_find_task(const mete_stacks_t *stacks, const void *task)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        const record_t *const record = &stacks->config->records[i];
        if (is_active(record) && (record->task == task)) {
            return record;
        }
    }
    return NULL;
}

static size_t left_of(const record_t *record)
{
    return record->stack.span.size - record->in_use_peak;
}

const mete_stacks_record_t *mete_stacks_find_tightest(const mete_stacks_t *stacks)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    const record_t *tightest = NULL;
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        const record_t *const record = &stacks->config->records[i];
        if (is_active(record) && ((tightest == NULL) || (left_of(record) < left_of(tightest)))) {
            tightest = record;
        }
    }
    return tightest;
}

size_t mete_stacks_recommended_size(const mete_stacks_t *stacks, const mete_stacks_record_t *record)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL) && (record != NULL));
    const mete_stacks_config_t *const config = stacks->config;
    const size_t rest = config->guard_size + METE_STACK_CANARY_SIZE + (config->align - 1U);
    size_t sum = 0U;
    if (__builtin_add_overflow(record->in_use_peak, config->margin_size, &sum) ||
        __builtin_add_overflow(sum, rest, &sum)) {
        return SIZE_MAX;
    }
    return mete_align_down(sum, config->align);
}

mete_stacks_usage_t mete_stacks_usage(const mete_stacks_t *stacks)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL));
    mete_stacks_usage_t usage;
    usage.stack_count = 0U;
    usage.active_count = 0U;
    usage.total_size = 0U;
    usage.active_size = 0U;
    usage.in_use_peak = stacks->in_use_peak;
    usage.deepest_name = stacks->deepest_name;
    usage.overflow_count = stacks->overflow_count;
    usage.refusals = stacks->refusals;
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        const record_t *const record = &stacks->config->records[i];
        if (!is_empty(record)) {
            const size_t size = block_size(stacks, record);
            usage.stack_count++;
            usage.total_size += size;
            usage.active_count += is_active(record) ? 1U : 0U;
            usage.active_size += is_active(record) ? size : 0U;
        }
    }
    return usage;
}

bool mete_stacks_walk(const mete_stacks_t *stacks,
                      bool (*visit)(void *self, const mete_stacks_record_t *record), void *self)
{
    METE_ASSERT((stacks != NULL) && (stacks->config != NULL) && (visit != NULL));
    for (size_t i = 0U; i < stacks->config->record_max; i++) {
        const record_t *const record = &stacks->config->records[i];
        if (!is_empty(record) && !visit(self, record)) {
            return false;
        }
    }
    return true;
}

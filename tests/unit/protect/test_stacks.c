// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Nobody runs on these stacks but in one test: what a task would write is written by hand.

#include "mete/protect/stacks.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { UNIT = 64, UNIT_COUNT = 64, RECORD_COUNT = 5, GUARD = 32, MARGIN = 40, TASK_COUNT = 6 };
enum { CANARY = METE_STACK_CANARY_SIZE, LEAST = METE_STACK_SIZE_MIN };

// ---- An allocator that holds its callers to their word: units, each with the size of the block that has it.

static _Alignas(UNIT) unsigned char area[(UNIT_COUNT + 2) * UNIT];
static unsigned char *const memory = &area[UNIT];
static size_t owners[UNIT_COUNT];  // 0: free; else the size of the block.
static size_t held_count;
static size_t request_count;
static size_t refused_request;  // 0: none.

static size_t units_of(size_t size)
{
    return (size + UNIT - 1U) / UNIT;
}

static bool is_free(size_t from, size_t count)
{
    bool is_it = from + count <= UNIT_COUNT;
    for (size_t i = from; is_it && (i < from + count); i++) {
        is_it = owners[i] == 0U;
    }
    return is_it;
}

static void *acquire(void *self, size_t size, size_t align)
{
    EXPECT((self == owners) && (align == UNIT) && (size % UNIT == 0U));
    request_count++;
    if (request_count == refused_request) {
        return NULL;
    }
    for (size_t i = 0U; i < UNIT_COUNT; i++) {
        if (is_free(i, units_of(size))) {
            for (size_t k = i; k < i + units_of(size); k++) {
                owners[k] = size;
            }
            held_count++;
            mete_words_fill(&memory[i * UNIT], 0x77U, size);
            return &memory[i * UNIT];
        }
    }
    return NULL;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    EXPECT((self == owners) && (align == UNIT));
    const size_t first = (size_t)((unsigned char *)block - memory) / UNIT;
    EXPECT((block == &memory[first * UNIT]) && (owners[first] == size));
    for (size_t k = first; k < first + units_of(size); k++) {
        owners[k] = 0U;
    }
    mete_words_fill(block, 0x66U, size);
    held_count--;
}

static const mete_alloc_ops_t ops = {acquire, release, NULL, NULL, NULL};

// ---- The fixture

static mete_stacks_record_t records[RECORD_COUNT + 1];  // The last is nobody's.
static mete_stacks_config_t config;
static mete_stacks_t stacks;
static int tasks[TASK_COUNT];
static size_t event_count;
static mete_event_t last_event;

static void on_event(void *self, const mete_event_t *event)
{
    EXPECT(self == &event_count);
    event_count++;
    last_event.kind = event->kind;
    last_event.source = event->source;
    last_event.block = event->block;
    last_event.size = event->size;
    last_event.caller = event->caller;
}

static void setup(void)
{
    for (size_t i = 0U; i < UNIT_COUNT; i++) {
        owners[i] = 0U;
    }
    held_count = 0U;
    request_count = 0U;
    refused_request = 0U;
    event_count = 0U;
    config = (mete_stacks_config_t){.alloc = {&ops, owners},
                                    .records = records,
                                    .record_max = RECORD_COUNT,
                                    .guard_size = GUARD,
                                    .align = UNIT,
                                    .margin_size = MARGIN,
                                    .observer = {on_event, &event_count}};
    mete_words_fill(records, 0x55U, sizeof records);
    EXPECT(mete_stacks_init(&stacks, &config));
}

static const mete_stacks_record_t *start(size_t task, size_t size)
{
    static const char *const names[TASK_COUNT] = {"a", "b", "c", "d", "e", "f"};
    return mete_stacks_alloc(&stacks, &tasks[task], names[task], size);
}

static unsigned char *low_end(const mete_stacks_record_t *record)
{
    return mete_stacks_span(record).start;
}

static size_t size_of(const mete_stacks_record_t *record)
{
    return mete_stacks_span(record).size;
}

// As a task would that uses so many bytes.
static void use(const mete_stacks_record_t *record, size_t size)
{
    low_end(record)[size_of(record) - size] = 0x12U;
}

static void overrun(const mete_stacks_record_t *record)
{
    low_end(record)[CANARY - 1U] ^= 0x20U;
}

static bool is_painted(const mete_stacks_record_t *record)
{
    const size_t rest = size_of(record) - CANARY;
    return mete_stack_is_whole(&record->stack) &&
           (mete_words_scan(low_end(record) + CANARY, METE_STACK_FILL, rest) == rest);
}

static bool is_guard_untouched(const mete_stacks_record_t *record)
{
    const mete_span_t guard = mete_stacks_guard(&stacks, record);
    return mete_words_scan(guard.start, 0x77U, guard.size) == GUARD;
}

// ---- Start

static bool is_accepted(void)
{
    const mete_stacks_config_t *const before = stacks.config;
    static mete_stacks_config_t other;
    other = config;
    const bool is_it = mete_stacks_init(&stacks, &other);
    EXPECT(is_it || (stacks.config == before));
    return is_it;
}

static void test_init_refuses_what_contradicts_itself(void)
{
    setup();
    config.record_max = 0U;
    EXPECT(!is_accepted());
    setup();
    config.records = NULL;
    EXPECT(!is_accepted());
    setup();
    config.alloc.ops = NULL;
    EXPECT(!is_accepted());
    setup();
    config.align = 0U;
    EXPECT(!is_accepted());
    config.align = 3U * sizeof(uintptr_t);
    EXPECT(!is_accepted());
    config.align = sizeof(uintptr_t);
    EXPECT(!is_accepted());
    config.align = (SIZE_MAX / 2U) + 1U;
    EXPECT(!is_accepted());
    config.align = 2U * sizeof(uintptr_t);
    EXPECT(is_accepted());
    config.guard_size = sizeof(uintptr_t);
    EXPECT(!is_accepted());
    config.guard_size = SIZE_MAX - 15U;
    EXPECT(!is_accepted());
    config.guard_size = 0U;
    EXPECT(is_accepted());
}

static void test_init_starts_without_stacks(void)
{
    setup();
    const mete_stacks_usage_t usage = mete_stacks_usage(&stacks);
    EXPECT((usage.stack_count == 0U) && (usage.active_count == 0U) && (usage.total_size == 0U));
    EXPECT((usage.active_size == 0U) && (usage.in_use_peak == 0U) && (usage.refusals == 0U));
    EXPECT((usage.deepest_name == NULL) && (usage.overflow_count == 0U));
    EXPECT((mete_stacks_find_task(&stacks, &tasks[0]) == NULL) &&
           (mete_stacks_find_tightest(&stacks) == NULL));
    EXPECT((mete_stacks_find(&stacks, NULL) == NULL) && (mete_stacks_purge(&stacks) == 0U));
    EXPECT(mete_stacks_check(&stacks) && mete_stacks_check_next(&stacks, 1U));
}

// ---- Getting and giving back

static void test_a_stack_has_its_guard_below_and_is_painted(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 512U);
    EXPECT((a != NULL) && (a->task == &tasks[0]) && (a->name[0] == 'a') && (a->task_count == 1U));
    EXPECT((low_end(a) == memory + GUARD) && (size_of(a) == 512U - GUARD));
    EXPECT((mete_stacks_guard(&stacks, a).start == memory) &&
           (mete_stacks_guard(&stacks, a).size == GUARD));
    EXPECT(mete_stacks_top(a) == memory + 512);
    EXPECT(mete_stacks_limit(a) == memory + GUARD + CANARY);
    EXPECT(is_painted(a) && is_guard_untouched(a));
    EXPECT(mete_stacks_in_use(a, memory + 500) == 12U);
    EXPECT((mete_stacks_in_use_peak(&stacks, a) == 0U) && mete_stacks_check(&stacks));
}

static void test_sizes_are_rounded_up(void)
{
    setup();
    const size_t least = (GUARD + LEAST + UNIT - 1U) / UNIT * UNIT;
    EXPECT(size_of(start(0U, 0U)) == least - GUARD);
    EXPECT(size_of(start(1U, 513U)) == 512U + UNIT - GUARD);
    EXPECT((start(2U, SIZE_MAX) == NULL) && (start(2U, SIZE_MAX - UNIT + 2U) == NULL));
    EXPECT((request_count == 2U) && (mete_stacks_usage(&stacks).refusals == 2U));
    EXPECT(!mete_stacks_reserve(&stacks, SIZE_MAX));
    mete_stacks_free(&stacks, &records[0]);
    EXPECT((start(0U, SIZE_MAX) == NULL) && (records[0].task == NULL));  // The one kept is smaller.
    config.guard_size = 0U;
    config.align = 2U * sizeof(uintptr_t);
    EXPECT(rounded(&config, 1U) == LEAST);
}

static void test_an_ended_tasks_stack_goes_to_the_next_that_fits(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 512U);
    const mete_stacks_record_t *const b = start(1U, 256U);
    const mete_stacks_record_t *const c = start(2U, 256U);
    use(b, 100U);
    mete_stacks_free(&stacks, a);
    mete_stacks_free(&stacks, b);
    mete_stacks_free(&stacks, c);
    EXPECT((held_count == 3U) && (b->task == NULL) && (b->in_use_peak == 100U));
    use(b, 150U);  // By nobody.
    EXPECT(mete_stacks_in_use_peak(&stacks, b) == 100U);
    const mete_stacks_record_t *const d = start(3U, 200U);
    EXPECT((d == b) && is_painted(d) && is_guard_untouched(d));  // The smallest, then the first.
    EXPECT((d->in_use_peak == 0U) && (d->task_count == 2U) && (d->name[0] == 'd'));
    EXPECT((start(4U, 257U) == a) && (start(5U, 257U) == &records[3]));
    EXPECT((request_count == 4U) && mete_stacks_check(&stacks));
    const mete_stacks_usage_t usage = mete_stacks_usage(&stacks);
    EXPECT((usage.stack_count == 4U) && (usage.active_count == 3U) && (usage.in_use_peak == 100U));
    EXPECT((usage.total_size == 512U + 512U + 320U) && (usage.active_size == 512U + 256U + 320U));
    EXPECT(usage.deepest_name[0] == 'b');
}

static void test_what_is_reserved_needs_no_allocator_later(void)
{
    setup();
    EXPECT(mete_stacks_reserve(&stacks, 300U) && mete_stacks_reserve(&stacks, 300U));
    EXPECT((held_count == 2U) && (mete_stacks_usage(&stacks).active_count == 0U));
    EXPECT(records[0].name == NULL);
    refused_request = 3U;
    EXPECT((start(0U, 300U) == &records[0]) && (start(1U, 320U) == &records[1]));
    EXPECT(is_painted(&records[0]) && is_painted(&records[1]));
    EXPECT((start(2U, 1U) == NULL) && (mete_stacks_usage(&stacks).refusals == 1U));
}

static void test_without_records_there_are_no_stacks(void)
{
    setup();
    for (size_t i = 0U; i < RECORD_COUNT; i++) {
        EXPECT(mete_stacks_reserve(&stacks, 256U));
    }
    EXPECT(!mete_stacks_reserve(&stacks, 256U) && (request_count == RECORD_COUNT));
    EXPECT((start(0U, 257U) == NULL) && (request_count == RECORD_COUNT));
    EXPECT(mete_stacks_usage(&stacks).refusals == 2U);
    EXPECT((start(1U, 256U) == &records[0]) && (mete_stacks_purge(&stacks) == 4U * 256U));
    EXPECT((held_count == 1U) && (start(0U, 257U) == &records[1]) && mete_stacks_check(&stacks));
}

static void test_purge_leaves_stacks_that_have_a_task(void)
{
    setup();
    (void)start(0U, 256U);
    (void)start(1U, 512U);
    mete_stacks_free(&stacks, &records[0]);
    EXPECT((mete_stacks_purge(&stacks) == 256U) && (held_count == 1U));
    EXPECT((mete_stacks_purge(&stacks) == 0U) && (records[1].task == &tasks[1]));
    EXPECT(records[0].stack.span.start == NULL);
    mete_stacks_free(&stacks, &records[1]);
    EXPECT((mete_stacks_purge(&stacks) == 512U) && (held_count == 0U));
}

// ---- Overflows

static void test_a_switch_passes_within_the_stack_only(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    unsigned char *const limit = mete_stacks_limit(a);
    for (unsigned char *top = limit; top <= (unsigned char *)mete_stacks_top(a); top++) {
        EXPECT(mete_stacks_check_switch(&stacks, a, top));
    }
    EXPECT((tap_take_fault() == 0) && (event_count == 0U));
    unsigned char *const outside[] = {limit - 1,    low_end(a), low_end(a) - 1, memory, memory - 1,
                                      memory + 257, NULL};
    for (size_t i = 0U; i < sizeof outside / sizeof outside[0]; i++) {
        setup();
        (void)start(0U, 256U);
        EXPECT(!mete_stacks_check_switch(&stacks, a, outside[i]));
        EXPECT((tap_take_fault() == METE_FAULT_OVERFLOW) && (tap_fault_object == &stacks));
        EXPECT((tap_fault_address == outside[i]) && (event_count == 1U));
    }
}

static void test_every_bit_of_the_canary_stops_a_switch(void)
{
    for (size_t bit = 0U; bit < 8U * CANARY; bit++) {
        setup();
        const mete_stacks_record_t *const a = start(0U, 256U);
        low_end(a)[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(!mete_stacks_check(&stacks));
        EXPECT(!mete_stacks_check_switch(&stacks, a, memory + 200));
        EXPECT(tap_take_fault() == METE_FAULT_OVERFLOW);
    }
}

static void test_an_overflow_is_told_once_for_each_task(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    overrun(a);
    EXPECT(!mete_stacks_check_switch(&stacks, a, memory + 200));
    EXPECT((last_event.kind == METE_EVENT_FAULT) && (last_event.source == &stacks) &&
           (last_event.block == memory + 200) && (last_event.size == METE_FAULT_OVERFLOW));
    EXPECT((tap_take_fault() == METE_FAULT_OVERFLOW) && (a->is_overrun == 1U));
    EXPECT(!mete_stacks_check_switch(&stacks, a, memory + 200) && (tap_take_fault() == 0));
    EXPECT(!mete_stacks_check_next(&stacks, 100U) && (tap_take_fault() == 0));
    EXPECT((a->in_use_peak == size_of(a)) && !mete_stacks_check(&stacks));
    mete_stacks_free(&stacks, a);
    EXPECT((tap_take_fault() == 0) && (event_count == 1U) && (a->is_overrun == 1U));
    EXPECT((start(1U, 256U) == a) && (a->is_overrun == 0U) && mete_stacks_check(&stacks));
    overrun(a);
    EXPECT(!mete_stacks_check_switch(&stacks, a, memory + 200) && (event_count == 2U));
    EXPECT((tap_take_fault() == METE_FAULT_OVERFLOW) &&
           (mete_stacks_usage(&stacks).overflow_count == 2U));
}

static void test_what_the_hardware_stopped_is_noted_without_a_fault(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    const mete_stacks_record_t *const hit = mete_stacks_find(&stacks, memory + GUARD - 4);
    EXPECT(hit == a);
    mete_stacks_note_overflow(&stacks, hit, memory + GUARD - 4);
    mete_stacks_note_overflow(&stacks, hit, memory + GUARD - 8);
    EXPECT((tap_take_fault() == 0) && (event_count == 1U));
    EXPECT((last_event.block == memory + GUARD - 4) &&
           (mete_stacks_usage(&stacks).overflow_count == 1U));
    EXPECT((a->in_use_peak == size_of(a)) && !mete_stacks_check(&stacks));
    EXPECT(!mete_stacks_check_next(&stacks, 8U) &&
           (tap_take_fault() == 0));  // The canary is whole.
    mete_stacks_free(&stacks, a);
    mete_stacks_note_overflow(&stacks, a, memory);  // Nobody's now.
    EXPECT((event_count == 1U) && (tap_take_fault() == 0));
    (void)start(1U, 256U);
    mete_stacks_free(&stacks, a);
    mete_stacks_note_overflow(&stacks, a, memory);
    mete_stacks_report_overflow(&stacks, a, memory);
    EXPECT((event_count == 1U) && (a->is_overrun == 0U) && (tap_take_fault() == 0));
}

static void test_a_task_that_ends_after_an_overflow_is_told(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    overrun(a);
    mete_stacks_free(&stacks, a);
    EXPECT((tap_take_fault() == METE_FAULT_OVERFLOW) && (tap_fault_address == low_end(a)));
    EXPECT((event_count == 1U) && (a->task == NULL) && (a->in_use_peak == size_of(a)));
    EXPECT(mete_stacks_check(&stacks) && (mete_stacks_usage(&stacks).overflow_count == 1U));
}

// ---- In slices

static void test_idle_time_paints_what_is_kept(void)
{
    setup();
    EXPECT(mete_stacks_reserve(&stacks, 256U));
    EXPECT(!is_painted(&records[0]));
    const size_t rest = size_of(&records[0]) - CANARY;
    for (size_t done = 0U; done < rest; done += 50U) {
        EXPECT(stacks.next_index == 0U);
        EXPECT(mete_stacks_check_next(&stacks, 50U));
        const size_t painted = (rest - done < 50U) ? rest : done + 50U;
        EXPECT(mete_words_scan(low_end(&records[0]) + CANARY, METE_STACK_FILL, rest) == painted);
    }
    EXPECT((stacks.next_index == 1U) && is_painted(&records[0]));
    low_end(&records[0])[CANARY + 9U] = 0U;  // To see that alloc does not paint again:
    EXPECT((start(0U, 256U) == &records[0]) && !is_painted(&records[0]));
}

static void test_alloc_paints_what_idle_time_has_not(void)
{
    setup();
    EXPECT(mete_stacks_reserve(&stacks, 256U) && mete_stacks_check_next(&stacks, 20U));
    EXPECT((start(0U, 256U) == &records[0]) && is_painted(&records[0]));
    EXPECT(records[0].done_size == 0U);
}

// All stacks once, with so many bytes a step.
static bool go_round(size_t size_max)
{
    bool is_right = true;
    size_t index = 0U;
    do {
        index = stacks.next_index;
        is_right = mete_stacks_check_next(&stacks, size_max) && is_right;
    } while (stacks.next_index >= index);
    return is_right;
}

static void test_idle_time_measures_what_has_a_task(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 512U);
    const mete_stacks_record_t *const b = start(1U, 256U);
    use(a, 77U);
    use(b, 60U);
    EXPECT((a->in_use_peak == 0U) && go_round(33U));
    EXPECT((a->in_use_peak == 77U) && (b->in_use_peak == 60U));
    EXPECT(mete_stacks_usage(&stacks).in_use_peak == 77U);
    EXPECT(mete_stacks_find_tightest(&stacks) == b);
    use(a, 400U);
    EXPECT(go_round(1000U) && (a->in_use_peak == 400U));
    EXPECT(mete_stacks_find_tightest(&stacks) == a);
    EXPECT((mete_stacks_usage(&stacks).in_use_peak == 400U) &&
           (mete_stacks_usage(&stacks).deepest_name[0] == 'a'));
    overrun(b);
    EXPECT(!go_round(64U) && (tap_take_fault() == METE_FAULT_OVERFLOW));
    EXPECT((tap_fault_address == low_end(b)) && (mete_stacks_find_tightest(&stacks) == b));
    mete_stacks_free(&stacks, b);
    EXPECT((mete_stacks_find_tightest(&stacks) == a) && (start(2U, 512U) == &records[2]));
    mete_stacks_free(&stacks, a);
    EXPECT((start(3U, 512U) == a) && (mete_stacks_find_tightest(&stacks) == a));  // The first.
}

static void test_a_step_looks_at_no_more_than_it_may(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 512U);
    for (size_t i = 1U; i <= 5U; i++) {
        EXPECT(mete_stacks_check_next(&stacks, 40U) && (a->done_size == CANARY + (40U * i)));
    }
    use(a, size_of(a) - CANARY - 150U);  // Behind the step's back: what was unused then counts.
    EXPECT(mete_stacks_check_next(&stacks, SIZE_MAX));
    EXPECT((a->in_use_peak == 0U) && (a->done_size == 0U) && (stacks.next_index == 1U));
    EXPECT(go_round(8U) && go_round(8U) && (a->in_use_peak == size_of(a) - CANARY - 150U));
}

static void test_a_kept_stack_that_is_written_to_is_told(void)
{
    setup();
    EXPECT(mete_stacks_reserve(&stacks, 256U) && go_round(SIZE_MAX));
    overrun(&records[0]);
    EXPECT((start(0U, 256U) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((tap_fault_address == low_end(&records[0])) && (records[0].task == NULL));
    EXPECT((start(0U, 256U) == &records[0]) && is_painted(&records[0]));
    mete_stacks_free(&stacks, &records[0]);
    EXPECT(go_round(SIZE_MAX));
    overrun(&records[0]);
    EXPECT(!mete_stacks_check_next(&stacks, 64U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((event_count == 0U) && go_round(64U) && is_painted(&records[0]));
}

// ---- Who and where

static void test_stacks_are_found_by_each_of_their_bytes_and_by_their_task(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    const mete_stacks_record_t *const b = start(1U, 512U);
    for (size_t i = 0U; i < 256U + 512U; i++) {
        EXPECT(mete_stacks_find(&stacks, &memory[i]) == ((i < 256U) ? a : b));
    }
    EXPECT((mete_stacks_find(&stacks, memory + 768) == NULL) &&
           (mete_stacks_find(&stacks, memory - 1) == NULL));
    EXPECT((mete_stacks_find_task(&stacks, &tasks[1]) == b) &&
           (mete_stacks_find_task(&stacks, &tasks[2]) == NULL));
    mete_stacks_free(&stacks, b);
    EXPECT((mete_stacks_find_task(&stacks, &tasks[1]) == NULL) &&
           (mete_stacks_find(&stacks, memory + 300) == b));
    EXPECT((mete_stacks_find_task(&stacks, NULL) == NULL) &&
           (mete_stacks_find_tightest(&stacks) == a));
}

static void test_the_recommended_size_is_enough_and_no_more_than_that(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 1024U);
    for (size_t used = 1U; used <= size_of(a) - CANARY; used += 7U) {
        use(a, used);
        EXPECT(mete_stacks_in_use_peak(&stacks, a) == used);
        const size_t size = mete_stacks_recommended_size(&stacks, a);
        EXPECT((size % UNIT == 0U) && (size >= GUARD + CANARY + used + MARGIN));
        EXPECT(size - UNIT < GUARD + CANARY + used + MARGIN);
        EXPECT(rounded(&config, size) == ((size > GUARD + LEAST) ? size : rounded(&config, 0U)));
    }
    config.margin_size = SIZE_MAX - 900U;
    EXPECT(mete_stacks_recommended_size(&stacks, a) == SIZE_MAX);
    config.margin_size = SIZE_MAX;
    EXPECT(mete_stacks_recommended_size(&stacks, a) == SIZE_MAX);
}

static bool show(void *self, const mete_stacks_record_t *record)
{
    size_t *const left = self;
    EXPECT(record->stack.span.start != NULL);
    (*left)--;
    return *left != 0U;
}

static void test_walk_shows_all_until_told_to_stop(void)
{
    setup();
    (void)start(0U, 256U);
    (void)start(1U, 256U);
    (void)start(2U, 256U);
    mete_stacks_free(&stacks, &records[1]);
    size_t left = 10U;
    EXPECT(mete_stacks_walk(&stacks, show, &left) && (left == 7U));
    left = 2U;
    EXPECT(!mete_stacks_walk(&stacks, show, &left) && (left == 0U));
    (void)mete_stacks_purge(&stacks);
    left = 10U;
    EXPECT(mete_stacks_walk(&stacks, show, &left) && (left == 8U));
}

// ---- Misuse

static void expect_foreign(const mete_stacks_record_t *record)
{
    mete_stacks_free(&stacks, record);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_address == record));
    mete_stacks_note_overflow(&stacks, record, memory);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    mete_stacks_report_overflow(&stacks, record, memory);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    EXPECT(mete_stacks_in_use_peak(&stacks, record) == 0U);
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (event_count == 0U));
}

static void test_records_of_no_stack_are_refused(void)
{
    setup();
    (void)start(0U, 256U);
    records[RECORD_COUNT].stack.span.start = memory;
    expect_foreign(NULL);
    expect_foreign(&records[1]);  // Empty.
    expect_foreign(&records[RECORD_COUNT]);
    expect_foreign((const mete_stacks_record_t *)((uintptr_t)records - sizeof records[0]));
    expect_foreign((const mete_stacks_record_t *)((uintptr_t)records + sizeof(uintptr_t)));
    EXPECT(mete_stacks_check(&stacks) && (records[0].task == &tasks[0]));
}

static void test_misuse_has_no_effect(void)
{
    setup();
    const mete_stacks_record_t *const a = start(0U, 256U);
    EXPECT((start(0U, 256U) == NULL) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT((tap_fault_address == &tasks[0]) && (held_count == 1U));
    EXPECT(mete_stacks_alloc(&stacks, NULL, "nobody", 256U) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (held_count == 1U));
    mete_stacks_free(&stacks, a);
    mete_stacks_free(&stacks, a);
    EXPECT((tap_take_fault() == METE_FAULT_DOUBLE_FREE) && (tap_fault_address == a));
    EXPECT((mete_stacks_usage(&stacks).refusals == 0U) && mete_stacks_check(&stacks));
}

__attribute__((noinline)) static void test_the_running_stack_is_found_and_not_freed(void)
{
    setup();
    (void)start(0U, 256U);
    // As if it were this test's own.
    const uintptr_t top = (uintptr_t)METE_STACK_TOP();
    void *const before = records[0].stack.span.start;
    records[0].stack.span.start = (void *)mete_align_down(top - 4096U, UNIT);
    records[0].stack.span.size = 8192U;
    EXPECT(mete_stacks_find(&stacks, METE_STACK_TOP()) == &records[0]);
    EXPECT(mete_stacks_in_use(&records[0], METE_STACK_TOP()) ==
           (uintptr_t)mete_stacks_top(&records[0]) - top);
    mete_stacks_free(&stacks, &records[0]);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (records[0].task == &tasks[0]));
    records[0].stack.span.start = before;
    records[0].stack.span.size = 256U - GUARD;
}

static void test_a_place_that_was_hit_is_told(void)
{
    setup();
    stacks.next_index = RECORD_COUNT;
    EXPECT(!mete_stacks_check(&stacks));
    EXPECT(!mete_stacks_check_next(&stacks, 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(mete_stacks_check_next(&stacks, 1U) && (tap_take_fault() == 0));
}

static void expect_seen(uintptr_t *word, uintptr_t wrong)
{
    const uintptr_t right = *word;
    *word = wrong;
    EXPECT(!is_sound(&stacks) && !mete_stacks_check(&stacks));
    *word = right;
    EXPECT(mete_stacks_check(&stacks));
}

static void test_check_sees_records_that_were_overwritten(void)
{
    setup();
    (void)start(0U, 256U);
    (void)start(1U, 256U);
    expect_seen((uintptr_t *)&records[2].task, 1U);
    expect_seen((uintptr_t *)&records[1].task, (uintptr_t)&tasks[0]);
    expect_seen((uintptr_t *)&records[0].stack.span.start, (uintptr_t)low_end(&records[0]) + 8U);
    expect_seen((uintptr_t *)&records[0].stack.span.start, (uintptr_t)low_end(&records[1]));
    expect_seen((uintptr_t *)&records[0].stack.span.start, (uintptr_t)low_end(&records[1]) + UNIT);
    expect_seen((uintptr_t *)&records[0].stack.span.start, UINTPTR_MAX - 63U + GUARD);
    expect_seen((uintptr_t *)&records[0].stack.span.size, size_of(&records[0]) + 1U);
    expect_seen((uintptr_t *)&records[0].stack.span.size, size_of(&records[0]) + UNIT);
    expect_seen((uintptr_t *)&records[0].stack.span.size, UNIT - GUARD);
    expect_seen((uintptr_t *)&records[0].stack.span.size, 0U - (uintptr_t)GUARD);
    expect_seen((uintptr_t *)&records[1].done_size, 257U - GUARD);
    expect_seen((uintptr_t *)&records[1].in_use_peak, 257U - GUARD);
    expect_seen(&records[1].is_overrun, 2U);
    records[1].is_overrun = 1U;
    EXPECT(is_sound(&stacks) && !mete_stacks_check(&stacks));
}

// ---- Out of memory

// What a kernel does with three tasks. False if one could not be started; then nothing has changed by that.
static bool run_tasks(void)
{
    bool is_well = mete_stacks_reserve(&stacks, 256U);
    for (size_t i = 0U; is_well && (i < 3U); i++) {
        const mete_stacks_usage_t before = mete_stacks_usage(&stacks);
        is_well = start(i, 256U * (i + 1U)) != NULL;
        const mete_stacks_usage_t after = mete_stacks_usage(&stacks);
        EXPECT(is_well || ((before.stack_count == after.stack_count) &&
                           (before.total_size == after.total_size) &&
                           (after.refusals == before.refusals + 1U)));
    }
    for (size_t i = 0U; i < 3U; i++) {
        const mete_stacks_record_t *const record = mete_stacks_find_task(&stacks, &tasks[i]);
        if (record != NULL) {
            mete_stacks_free(&stacks, record);
        }
    }
    return is_well;
}

static void test_out_of_memory_at_every_request_changes_nothing(void)
{
    size_t nth = 0U;
    bool is_well = false;
    while (!is_well && (nth < 10U)) {
        nth++;
        setup();
        refused_request = nth;
        is_well = run_tasks();
        EXPECT(mete_stacks_check(&stacks));
        EXPECT(mete_stacks_purge(&stacks) == 256U * (size_t)(is_well ? 6U : nth * (nth - 1U) / 2U));
        EXPECT((held_count == 0U) && (tap_take_fault() == 0));
    }
    EXPECT(nth == 4U);
}

// ---- Random work beside a model

typedef struct model {
    size_t size;  // Of the block, from the address that it had at the start. 0: no stack.
    unsigned char *start;
    size_t task;  // TASK_COUNT: nobody's.
    size_t used;
    bool is_overrun;
} model_t;

static model_t model[RECORD_COUNT];
static size_t model_overflows;
static size_t model_refusals;

static size_t model_find_task(size_t task)
{
    size_t i = 0U;
    while ((i < RECORD_COUNT) && ((model[i].size == 0U) || (model[i].task != task))) {
        i++;
    }
    return i;
}

static size_t model_find_empty(void)
{
    size_t i = 0U;
    while ((i < RECORD_COUNT) && (model[i].size != 0U)) {
        i++;
    }
    return i;
}

static size_t model_find_kept(size_t size)
{
    size_t best = RECORD_COUNT;
    for (size_t i = 0U; i < RECORD_COUNT; i++) {
        if ((model[i].size >= size) && (model[i].task == TASK_COUNT) &&
            ((best == RECORD_COUNT) || (model[i].size < model[best].size))) {
            best = i;
        }
    }
    return best;
}

static void model_take(size_t index, size_t task, size_t size)
{
    const bool is_new = model[index].size == 0U;
    model[index].start =
        is_new ? (unsigned char *)records[index].stack.span.start - GUARD : model[index].start;
    model[index].size = is_new ? size : model[index].size;
    model[index].task = task;
    model[index].used = 0U;
    model[index].is_overrun = false;
}

static void random_alloc(uint32_t *random)
{
    const size_t task = random_below(random, TASK_COUNT);
    const size_t size = UNIT * (3U + random_below(random, 14U));
    const bool is_reserve = random_below(random, 4U) == 0U;
    if (!is_reserve && (model_find_task(task) != RECORD_COUNT)) {
        return;
    }
    const size_t kept = is_reserve ? RECORD_COUNT : model_find_kept(size);
    const size_t index = (kept != RECORD_COUNT) ? kept : model_find_empty();
    const size_t held = held_count;
    const bool is_had =
        is_reserve ? mete_stacks_reserve(&stacks, size) : (start(task, size) != NULL);
    EXPECT(held_count == held + (size_t)((is_had && (kept == RECORD_COUNT)) ? 1U : 0U));
    EXPECT(is_had || (kept == RECORD_COUNT));
    model_refusals += is_had ? 0U : 1U;
    if (is_had) {
        EXPECT(index < RECORD_COUNT);
        model_take(index, is_reserve ? TASK_COUNT : task, size);
        EXPECT(is_reserve || is_painted(&records[index]));
    }
}

static void random_use(uint32_t *random, model_t *one, mete_stacks_record_t *record)
{
    const size_t most = one->size - GUARD - CANARY;
    const size_t used = 1U + random_below(random, (uint32_t)most);
    if (random_below(random, 6U) == 0U) {
        overrun(record);
        one->is_overrun = true;
        return;
    }
    use(record, used);
    one->used = (used > one->used) ? used : one->used;
}

static void expect_report(model_t *one, bool was_told)
{
    const bool is_new = one->is_overrun && !was_told;
    EXPECT(tap_take_fault() == (is_new ? METE_FAULT_OVERFLOW : 0));
    model_overflows += is_new ? 1U : 0U;
}

static void random_work_on_a_task(uint32_t *random)
{
    const size_t index = model_find_task(random_below(random, TASK_COUNT));
    if (index == RECORD_COUNT) {
        return;
    }
    model_t *const one = &model[index];
    const bool was_told = records[index].is_overrun != 0U;
    switch (random_below(random, 4U)) {
    case 0U:
        mete_stacks_free(&stacks, &records[index]);
        expect_report(one, was_told);
        one->task = TASK_COUNT;
        EXPECT(records[index].in_use_peak == (one->is_overrun ? one->size - GUARD : one->used));
        break;
    case 1U:
        EXPECT(mete_stacks_check_switch(&stacks, &records[index], one->start + one->size - 8) ==
               !one->is_overrun);
        expect_report(one, was_told);
        break;
    case 2U:
        EXPECT(mete_stacks_in_use_peak(&stacks, &records[index]) ==
               (one->is_overrun ? one->size - GUARD : one->used));
        break;
    default:
        if (!one->is_overrun) {
            random_use(random, one, &records[index]);
        }
        break;
    }
}

static void random_step(uint32_t *random)
{
    const size_t index = stacks.next_index;
    const bool was_told = records[index].is_overrun != 0U;
    const bool is_right = mete_stacks_check_next(&stacks, 1U + random_below(random, 300U));
    if ((model[index].size != 0U) && (model[index].task != TASK_COUNT)) {
        expect_report(&model[index], was_told);
        EXPECT(is_right == !model[index].is_overrun);
    } else {
        EXPECT(is_right && (tap_take_fault() == 0));
    }
}

static void model_purge(void)
{
    size_t size = 0U;
    for (size_t i = 0U; i < RECORD_COUNT; i++) {
        if (model[i].task == TASK_COUNT) {
            size += model[i].size;
            model[i].size = 0U;
        }
    }
    EXPECT(mete_stacks_purge(&stacks) == size);
}

static void expect_as_the_model(void)
{
    size_t active = 0U;
    size_t total = 0U;
    bool is_right = true;
    for (size_t i = 0U; i < RECORD_COUNT; i++) {
        const bool is_active_one = (model[i].size != 0U) && (model[i].task != TASK_COUNT);
        total += model[i].size;
        active += is_active_one ? 1U : 0U;
        is_right = is_right && !(is_active_one && model[i].is_overrun);
        if (model[i].size != 0U) {
            EXPECT(mete_stacks_find(&stacks, model[i].start) == &records[i]);
            EXPECT(mete_stacks_find(&stacks, model[i].start + model[i].size - 1U) == &records[i]);
            EXPECT(records[i].task == (is_active_one ? &tasks[model[i].task] : NULL));
            EXPECT(is_guard_untouched(&records[i]));
        }
    }
    const mete_stacks_usage_t usage = mete_stacks_usage(&stacks);
    EXPECT((usage.active_count == active) && (usage.total_size == total));
    EXPECT((usage.overflow_count == model_overflows) && (event_count == model_overflows));
    EXPECT((usage.refusals == model_refusals) && (mete_stacks_check(&stacks) == is_right));
}

static void test_random_work_goes_as_in_the_model(void)
{
    setup();
    for (size_t i = 0U; i < RECORD_COUNT; i++) {
        model[i] = (model_t){0U, NULL, TASK_COUNT, 0U, false};
    }
    model_overflows = 0U;
    model_refusals = 0U;
    uint32_t random = 11U;
    for (size_t i = 0U; i < 5000U; i++) {
        switch (random_below(&random, 8U)) {
        case 0U:
        case 1U:
            random_alloc(&random);
            break;
        case 2U:
        case 3U:
            random_step(&random);
            break;
        case 4U:
            if (random_below(&random, 6U) == 0U) {
                model_purge();
            }
            break;
        default:
            random_work_on_a_task(&random);
            break;
        }
        EXPECT(tap_take_fault() == 0);
        expect_as_the_model();
    }
    EXPECT((model_overflows > 20U) && (model_refusals > 20U));
}

int main(void)
{
    RUN(test_init_refuses_what_contradicts_itself);
    RUN(test_init_starts_without_stacks);
    RUN(test_a_stack_has_its_guard_below_and_is_painted);
    RUN(test_sizes_are_rounded_up);
    RUN(test_an_ended_tasks_stack_goes_to_the_next_that_fits);
    RUN(test_what_is_reserved_needs_no_allocator_later);
    RUN(test_without_records_there_are_no_stacks);
    RUN(test_purge_leaves_stacks_that_have_a_task);
    RUN(test_a_switch_passes_within_the_stack_only);
    RUN(test_every_bit_of_the_canary_stops_a_switch);
    RUN(test_an_overflow_is_told_once_for_each_task);
    RUN(test_what_the_hardware_stopped_is_noted_without_a_fault);
    RUN(test_a_task_that_ends_after_an_overflow_is_told);
    RUN(test_idle_time_paints_what_is_kept);
    RUN(test_alloc_paints_what_idle_time_has_not);
    RUN(test_idle_time_measures_what_has_a_task);
    RUN(test_a_step_looks_at_no_more_than_it_may);
    RUN(test_a_kept_stack_that_is_written_to_is_told);
    RUN(test_stacks_are_found_by_each_of_their_bytes_and_by_their_task);
    RUN(test_the_recommended_size_is_enough_and_no_more_than_that);
    RUN(test_walk_shows_all_until_told_to_stop);
    RUN(test_check_sees_records_that_were_overwritten);
    RUN(test_out_of_memory_at_every_request_changes_nothing);
    RUN(test_random_work_goes_as_in_the_model);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_records_of_no_stack_are_refused);
        RUN(test_misuse_has_no_effect);
        RUN(test_the_running_stack_is_found_and_not_freed);
        RUN(test_a_place_that_was_hit_is_told);
    }
    return tap_finish();
}

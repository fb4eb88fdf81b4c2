// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The integrity watcher, with a clock that stands until it is told to go, and an interrupt that strikes while a
// slice is read.

#include "mete/core/crc.h"

#include "mete/core/words.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

static void (*interrupt)(void);  // Comes once, after the next sum was computed.

static uint32_t interrupted_crc(uint32_t crc, const void *bytes, size_t size)
{
    const uint32_t result = mete_crc32(crc, bytes, size);
    void (*const strike)(void) = interrupt;
    interrupt = NULL;
    if (strike != NULL) {
        strike();
    }
    return result;
}

#define mete_crc32 interrupted_crc
#include "mete/protect/integrity.c"

enum { SLICE = 7, CODE_SIZE = 23, DATA_SIZE = 16, MORE_SIZE = 7, STEP_COUNT = 4 + 3 + 1 };
enum { CODE, DATA, MORE, REGION_COUNT };

static unsigned char code[CODE_SIZE];
static unsigned char data[DATA_SIZE];
static unsigned char more[MORE_SIZE];
static mete_integrity_slice_t code_slices[METE_INTEGRITY_SLICE_COUNT(CODE_SIZE, SLICE)];
static mete_integrity_slice_t data_slices[METE_INTEGRITY_SLICE_COUNT(DATA_SIZE, SLICE)];
static mete_integrity_slice_t more_slices[METE_INTEGRITY_SLICE_COUNT(MORE_SIZE, SLICE)];
static mete_integrity_gate_t data_gate;
static mete_integrity_gate_t more_gate;

static const mete_integrity_region_t regions[REGION_COUNT] = {
    {code, CODE_SIZE, code_slices, NULL},
    {data, DATA_SIZE, data_slices, &data_gate},
    {more, MORE_SIZE, more_slices, &more_gate},
};

static uint32_t now;

static uint32_t read_now(void)
{
    return now;
}

static const mete_integrity_config_t config = {regions, REGION_COUNT, SLICE, read_now, 1000U, 300U};
static mete_integrity_t integrity;

static void setup(void)
{
    now = UINT32_MAX - 1200U;  // It wraps before long.
    interrupt = NULL;
    for (size_t i = 0U; i < CODE_SIZE; i++) {
        code[i] = (unsigned char)(i * 3U);
    }
    for (size_t i = 0U; i < DATA_SIZE; i++) {
        data[i] = (unsigned char)i;
    }
    for (size_t i = 0U; i < MORE_SIZE; i++) {
        more[i] = 0U;
    }
    EXPECT(mete_integrity_init(&integrity, &config));
}

static mete_integrity_step_t step(void)
{
    return mete_integrity_check_next(&integrity);
}

// Returns how many of a round's steps found something wrong.
static size_t run_round(void)
{
    size_t wrong = 0U;
    const uint32_t rounds = mete_integrity_usage(&integrity).round_count;
    for (size_t i = 0U;
         (i < 4U * STEP_COUNT) && (mete_integrity_usage(&integrity).round_count == rounds); i++) {
        wrong += (step() == METE_INTEGRITY_WRONG) ? 1U : 0U;
    }
    EXPECT(mete_integrity_usage(&integrity).round_count == rounds + 1U);
    now += 1000U;
    return wrong;
}

static void test_init_refuses_what_cannot_be_watched(void)
{
    setup();
    integrity.round_count = 7U;
    mete_integrity_region_t region = regions[DATA];
    mete_integrity_config_t other = {&region, 1U, SLICE, NULL, 0U, 0U};
    other.region_count = 0U;
    EXPECT(!mete_integrity_init(&integrity, &other));
    other.region_count = 1U;
    other.slice_size = 0U;
    EXPECT(!mete_integrity_init(&integrity, &other));
    other.slice_size = SIZE_MAX;
    EXPECT(!mete_integrity_init(&integrity, &other));
    other.slice_size = SLICE;
    other.regions = NULL;
    EXPECT(!mete_integrity_init(&integrity, &other));
    other.regions = &region;
    region.start = NULL;
    EXPECT(!mete_integrity_init(&integrity, &other));
    region.start = data;
    region.size = 0U;
    EXPECT(!mete_integrity_init(&integrity, &other));
    region.size = SIZE_MAX - SLICE;
    EXPECT(!mete_integrity_init(&integrity, &other));
    region.size = DATA_SIZE;
    region.slices = NULL;
    EXPECT(!mete_integrity_init(&integrity, &other) && (integrity.round_count == 7U));
    region.slices = data_slices;
    EXPECT(mete_integrity_init(&integrity, &other) && (integrity.round_count == 0U));
}

static void test_a_round_has_a_step_for_each_slice_and_then_rests(void)
{
    setup();
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        EXPECT(step() == METE_INTEGRITY_RIGHT);
    }
    now += 999U;
    EXPECT((step() == METE_INTEGRITY_IDLE) && (step() == METE_INTEGRITY_IDLE));
    now += 1U;
    EXPECT(step() == METE_INTEGRITY_RIGHT);
    EXPECT(mete_integrity_usage(&integrity).round_count == 1U);
    EXPECT((mete_integrity_usage(&integrity).late_count == 0U) && (tap_take_fault() == 0));
}

static void test_rounds_keep_to_the_period_and_late_ones_are_counted(void)
{
    setup();
    for (uint32_t round = 0U; round < 4U; round++) {
        const uint32_t start = now;
        now += 10U * round;  // Noticed a little late: this does not add up.
        for (size_t i = 0U; i < STEP_COUNT; i++) {
            EXPECT(step() == METE_INTEGRITY_RIGHT);
        }
        now = start + 999U;
        EXPECT(step() == METE_INTEGRITY_IDLE);
        now++;
    }
    EXPECT(step() == METE_INTEGRITY_RIGHT);
    now += 1001U;
    for (size_t i = 1U; i < STEP_COUNT; i++) {
        EXPECT(step() == METE_INTEGRITY_RIGHT);
    }
    EXPECT(mete_integrity_usage(&integrity).late_count == 1U);
    now += 5000U;
    EXPECT((step() == METE_INTEGRITY_RIGHT) && (integrity.round_ticks == now));
}

static void test_without_a_clock_every_step_looks_at_a_slice(void)
{
    static const mete_integrity_config_t untimed = {regions, REGION_COUNT, SLICE, NULL, 1000U, 5U};
    setup();
    EXPECT(mete_integrity_init(&integrity, &untimed));
    for (size_t i = 0U; i < 3U * STEP_COUNT; i++) {
        EXPECT(step() == METE_INTEGRITY_RIGHT);
    }
    EXPECT(mete_integrity_usage(&integrity).round_count == 3U);
    EXPECT(mete_integrity_usage(&integrity).late_count == 0U);
}

static void expect_each_bit_found(unsigned char *bytes, size_t size, size_t region_index)
{
    for (size_t bit = 0U; bit < 8U * size; bit++) {
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT(!mete_integrity_check(&integrity) && (tap_take_fault() == 0));
        EXPECT((run_round() == 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
        mete_integrity_break_t found = {0};
        EXPECT(mete_integrity_read_break(&integrity, &found));
        EXPECT((found.region_index == region_index) && (found.slice_index == bit / 8U / SLICE));
        EXPECT((found.start == bytes + (found.slice_index * SLICE)) &&
               (found.start == tap_fault_address) && (tap_fault_object == &integrity));
        EXPECT(found.size == ((size - (found.slice_index * SLICE) < SLICE)
                                  ? size - (found.slice_index * SLICE)
                                  : SLICE));
        bytes[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        EXPECT((run_round() == 0U) && mete_integrity_check(&integrity));
    }
}

static void test_every_bit_of_every_region_is_watched(void)
{
    setup();
    expect_each_bit_found(code, CODE_SIZE, CODE);
    expect_each_bit_found(data, DATA_SIZE, DATA);
    expect_each_bit_found(more, MORE_SIZE, MORE);
}

static void test_since_when_it_is_wrong_is_told_and_kept(void)
{
    setup();
    mete_integrity_break_t found = {0};
    EXPECT(!mete_integrity_read_break(&integrity, &found));
    (void)run_round();
    const uint32_t right = now + 3U;
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        now++;
        (void)step();
    }
    code[2 * SLICE] ^= 8U;
    now += 1000U;
    const uint32_t wrong = now;
    EXPECT((run_round() == 1U) && (run_round() == 1U) && (run_round() == 1U));
    EXPECT(mete_integrity_read_break(&integrity, &found));
    EXPECT((found.slice_index == 2U) && (found.right_ticks == right));
    EXPECT((found.wrong_ticks == wrong) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(mete_integrity_usage(&integrity).break_count == 3U);
    code[2 * SLICE] ^= 8U;  // Right again, and wrong anew.
    EXPECT(run_round() == 0U);
    code[2 * SLICE] ^= 8U;
    EXPECT((run_round() == 1U) && mete_integrity_read_break(&integrity, &found));
    EXPECT(found.wrong_ticks != wrong);
    (void)tap_take_fault();
}

static void test_the_table_of_sums_is_watched_by_what_it_says(void)
{
    setup();
    data_slices[1].crc ^= 0x10U;
    EXPECT((run_round() == 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(tap_fault_address == &data[SLICE]);
}

static void test_what_changes_through_the_gate_is_right(void)
{
    setup();
    EXPECT(mete_integrity_open(&integrity, DATA));
    data[3] = 99U;
    data[15] = 98U;
    EXPECT((run_round() == 0U) && mete_integrity_check(&integrity));  // Passed over.
    mete_integrity_close(&integrity, DATA);
    EXPECT((run_round() == 0U) && (data_slices[2].right_ticks == now - 1000U));
    data[3] = 3U;
    EXPECT((run_round() == 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
}

static void test_open_looks_first_whether_all_is_right(void)
{
    setup();
    data[9] ^= 1U;
    EXPECT(!mete_integrity_open(&integrity, DATA) && (data_gate.depth == 0U));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == &data[SLICE]));
    mete_integrity_break_t found = {0};
    EXPECT(mete_integrity_read_break(&integrity, &found) && (found.slice_index == 1U));
    mete_integrity_reset(&integrity, DATA);  // Accepted as it is.
    EXPECT((run_round() == 0U) && mete_integrity_open(&integrity, DATA));
    mete_integrity_reset(&integrity, DATA);
    EXPECT(data_gate.depth == 0U);
    code[0] ^= 1U;
    mete_integrity_reset(&integrity, CODE);
    EXPECT((run_round() == 0U) && (tap_take_fault() == 0));
}

static void test_openings_nest_and_the_last_closing_counts(void)
{
    setup();
    EXPECT(mete_integrity_open(&integrity, DATA));
    data[0] = 77U;
    EXPECT(mete_integrity_open(&integrity, DATA) && mete_integrity_open(&integrity, MORE));
    mete_integrity_close(&integrity, DATA);
    data[1] = 76U;
    EXPECT(is_open(&regions[DATA]) && (run_round() == 0U));
    mete_integrity_close(&integrity, MORE);
    mete_integrity_close(&integrity, DATA);
    EXPECT(!is_open(&regions[DATA]) && (run_round() == 0U) && (tap_take_fault() == 0));
}

static void test_a_gate_that_is_used_wrongly_is_refused(void)
{
    setup();
    mete_integrity_close(&integrity, DATA);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (tap_fault_address == data));
    mete_integrity_close(&integrity, CODE);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && (tap_fault_address == code));
    EXPECT(!mete_integrity_open(&integrity, CODE) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT(!mete_integrity_open(&integrity, REGION_COUNT));
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    mete_integrity_close(&integrity, SIZE_MAX);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    mete_integrity_reset(&integrity, REGION_COUNT);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    data_gate.depth = UINT32_MAX;
    EXPECT(!mete_integrity_open(&integrity, DATA) && (tap_take_fault() == METE_FAULT_ORDER));
}

static void test_a_gate_that_was_forgotten_is_reported_once(void)
{
    setup();
    EXPECT(mete_integrity_open(&integrity, DATA));
    now += 300U;
    EXPECT((run_round() == 0U) && (tap_take_fault() == 0));
    EXPECT((run_round() == 1U) && (tap_take_fault() == METE_FAULT_ORDER));
    EXPECT((tap_fault_address == data) && (run_round() == 0U) && (tap_take_fault() == 0));
    mete_integrity_close(&integrity, DATA);
    EXPECT(mete_integrity_open(&integrity, DATA));
    now += 301U;
    EXPECT((run_round() == 1U) && (tap_take_fault() == METE_FAULT_ORDER));
}

static void test_a_round_of_open_regions_alone_ends(void)
{
    static const mete_integrity_config_t variables = {&regions[DATA], 2U, SLICE, NULL, 0U, 0U};
    setup();
    EXPECT(mete_integrity_init(&integrity, &variables));
    EXPECT(mete_integrity_open(&integrity, 0U) && mete_integrity_open(&integrity, 1U));
    EXPECT((step() == METE_INTEGRITY_IDLE) && (step() == METE_INTEGRITY_IDLE));
    EXPECT(mete_integrity_usage(&integrity).round_count == 2U);
}

static void write_through_gate(void)
{
    EXPECT(mete_integrity_open(&integrity, DATA));
    data[2]++;
    mete_integrity_close(&integrity, DATA);
}

static void open_and_write(void)
{
    EXPECT(mete_integrity_open(&integrity, DATA));
    data[2]++;
}

static void step_to_data(void)
{
    for (size_t i = 0U; i < 4U; i++) {
        EXPECT(step() == METE_INTEGRITY_RIGHT);
    }
}

static void test_a_write_that_interrupts_a_step_is_no_damage(void)
{
    setup();
    step_to_data();
    interrupt = write_through_gate;
    EXPECT(step() == METE_INTEGRITY_DISTURBED);
    EXPECT((step() == METE_INTEGRITY_RIGHT) && (tap_take_fault() == 0));
    interrupt = open_and_write;  // It goes on after the step.
    EXPECT(step() == METE_INTEGRITY_DISTURBED);
    EXPECT((step() == METE_INTEGRITY_RIGHT) && (integrity.round_count == 1U));  // Of MORE.
    mete_integrity_close(&integrity, DATA);
    EXPECT((tap_take_fault() == 0) && mete_integrity_check(&integrity));
}

static void run_a_step(void)
{
    const mete_integrity_step_t done = step();
    EXPECT((done == METE_INTEGRITY_RIGHT) || (done == METE_INTEGRITY_IDLE));
}

static void test_a_step_that_interrupts_opening_or_closing_sees_no_damage(void)
{
    setup();
    step_to_data();
    interrupt = run_a_step;
    EXPECT(mete_integrity_open(&integrity, DATA));
    data[2]++;
    interrupt = run_a_step;
    mete_integrity_close(&integrity, DATA);
    EXPECT((tap_take_fault() == 0) && mete_integrity_check(&integrity));
    now += 2000U;
    EXPECT((run_round() == 0U) && (tap_take_fault() == 0));
}

static void test_a_place_that_was_hit_is_reported_and_left(void)
{
    setup();
    integrity.slice_index = 4U;
    EXPECT((step() == METE_INTEGRITY_WRONG) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(step() == METE_INTEGRITY_RIGHT);
    integrity.region_index = SIZE_MAX;
    EXPECT((step() == METE_INTEGRITY_WRONG) && (tap_take_fault() == METE_FAULT_CORRUPT));
    integrity.slice_index = SIZE_MAX / 2U + 1U;
    EXPECT((step() == METE_INTEGRITY_WRONG) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT(step() == METE_INTEGRITY_RIGHT);
}

// What should be there, kept elsewhere: which slices are wrong is known then.
static unsigned char model[DATA_SIZE];

static size_t count_wrong(void)
{
    size_t wrong = 0U;
    for (size_t slice = 0U; slice * SLICE < DATA_SIZE; slice++) {
        bool differs = false;
        for (size_t i = slice * SLICE; (i < (slice + 1U) * SLICE) && (i < DATA_SIZE); i++) {
            differs = differs || (data[i] != model[i]);
        }
        wrong += differs ? 1U : 0U;
    }
    return wrong;
}

// Through the gate, if nobody has gone around it; else all is put right now and then.
static void write_as_the_model(size_t at, unsigned char value, bool puts_right)
{
    const bool is_right = count_wrong() == 0U;
    EXPECT(mete_integrity_open(&integrity, DATA) == is_right);
    EXPECT(tap_take_fault() == (is_right ? 0 : METE_FAULT_CORRUPT));
    if (is_right) {
        data[at] = value;
        model[at] = value;
        mete_integrity_close(&integrity, DATA);
    } else if (puts_right) {
        mete_words_copy(data, model, DATA_SIZE);
    }
}

static void test_random_writes_are_judged_as_the_model_does(void)
{
    setup();
    mete_words_copy(model, data, DATA_SIZE);
    uint32_t random = 7U;
    for (size_t i = 0U; i < 3000U; i++) {
        const size_t at = random_below(&random, DATA_SIZE);
        const unsigned char value = (unsigned char)random_below(&random, 256U);
        const bool puts_right = random_below(&random, 4U) == 0U;
        if (random_below(&random, 3U) == 0U) {
            data[at] = value;  // Nobody opened the gate.
        } else {
            write_as_the_model(at, value, puts_right);
        }
        const size_t wrong = count_wrong();
        EXPECT((run_round() == wrong) && ((tap_take_fault() != 0) == (wrong != 0U)));
        EXPECT(mete_integrity_check(&integrity) == (wrong == 0U));
    }
}

int main(void)
{
    RUN(test_init_refuses_what_cannot_be_watched);
    RUN(test_a_round_has_a_step_for_each_slice_and_then_rests);
    RUN(test_rounds_keep_to_the_period_and_late_ones_are_counted);
    RUN(test_without_a_clock_every_step_looks_at_a_slice);
    RUN(test_every_bit_of_every_region_is_watched);
    RUN(test_since_when_it_is_wrong_is_told_and_kept);
    RUN(test_the_table_of_sums_is_watched_by_what_it_says);
    RUN(test_what_changes_through_the_gate_is_right);
    RUN(test_open_looks_first_whether_all_is_right);
    RUN(test_openings_nest_and_the_last_closing_counts);
    RUN(test_a_gate_that_was_forgotten_is_reported_once);
    RUN(test_a_round_of_open_regions_alone_ends);
    RUN(test_a_write_that_interrupts_a_step_is_no_damage);
    RUN(test_a_step_that_interrupts_opening_or_closing_sees_no_damage);
    RUN(test_random_writes_are_judged_as_the_model_does);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_a_gate_that_is_used_wrongly_is_refused);
        RUN(test_a_place_that_was_hit_is_reported_and_left);
    }
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Containers of fixed capacity. This file includes fixed.c itself.

#include "mete/object/fixed.c"

#include "mete/core/text.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

METE_FIXED_VECTOR(numbers, int16_t, 5);
METE_FIXED_VECTOR(words, const char *, 1);
METE_FIXED_RING(bytes, uint8_t, 3);
METE_FIXED_RING(single, uint32_t, 1);
METE_FIXED_STRING(name, 7);

static bool is_equal(const char *a, const char *b)
{
    size_t i = 0U;
    while ((a[i] == b[i]) && (a[i] != '\0')) {
        i++;
    }
    return a[i] == b[i];
}

// ---- Vector

static numbers_t numbers_up_to(size_t count)
{
    numbers_t vector = {0};
    for (size_t i = 0U; i < count; i++) {
        EXPECT(numbers_append(&vector, (int16_t)(10U * i)));
    }
    return vector;
}

static void test_a_vector_of_zeros_is_empty(void)
{
    static numbers_t vector;
    int16_t item = 77;
    EXPECT((vector.count == 0U) && numbers_check(&vector) && !numbers_is_full(&vector));
    EXPECT(!numbers_take(&vector, &item) && (item == 77) && (numbers_at(&vector, 0U) == NULL));
    EXPECT(!numbers_remove(&vector, 0U) && (vector.count == 0U));
}

static void test_a_vector_refuses_what_does_not_fit(void)
{
    numbers_t vector = numbers_up_to(5U);
    EXPECT(numbers_is_full(&vector) && !numbers_append(&vector, 99));
    EXPECT(!numbers_insert(&vector, 0U, 99) && (vector.count == 5U) && (vector.items[0] == 0));
    EXPECT((vector.items[4] == 40) && numbers_check(&vector) && (tap_take_fault() == 0));
    words_t one = {0};
    EXPECT(words_append(&one, "a") && !words_append(&one, "b") &&
           is_equal(*words_at(&one, 0U), "a"));
}

static void test_a_vector_inserts_and_removes_in_order(void)
{
    for (size_t at = 0U; at < 4U; at++) {
        numbers_t vector = numbers_up_to(4U);
        EXPECT(numbers_remove(&vector, at) && (vector.count == 3U));
        for (size_t i = 0U; i < 3U; i++) {
            EXPECT(vector.items[i] == (int16_t)(10U * (i + ((i >= at) ? 1U : 0U))));
        }
        EXPECT(numbers_insert(&vector, at, (int16_t)(10U * at)) && (vector.count == 4U));
        for (size_t i = 0U; i < 4U; i++) {
            EXPECT(*numbers_at(&vector, i) == (int16_t)(10U * i));
        }
        const volatile size_t beyond = 5U;  // What is never right compilers warn of.
        EXPECT(!numbers_remove(&vector, 4U) && !numbers_insert(&vector, beyond, 1));
        EXPECT(numbers_insert(&vector, 4U, 40) && (vector.items[4] == 40) && (vector.count == 5U));
    }
}

static void test_a_vector_gives_its_last_item(void)
{
    numbers_t vector = numbers_up_to(3U);
    int16_t item = 0;
    EXPECT(numbers_take(&vector, &item) && (item == 20) && (vector.count == 2U));
    EXPECT((numbers_at(&vector, 2U) == NULL) && (numbers_at(&vector, 1U) == &vector.items[1]));
    EXPECT(numbers_take(&vector, &item) && numbers_take(&vector, &item) && (item == 0));
    item = 20;
    numbers_reset(&vector);
    EXPECT((vector.count == 0U) && !numbers_take(&vector, &item) && (item == 20));
}

static void test_a_vector_tells_an_impossible_count(void)
{
    numbers_t vector = numbers_up_to(5U);
    int16_t item = 7;
    vector.count = 6U;
    EXPECT(!numbers_check(&vector) && numbers_is_full(&vector));
    EXPECT(!numbers_append(&vector, 1) && (tap_take_fault() == METE_FAULT_CORRUPT));
    EXPECT((tap_fault_object == &vector) && !numbers_insert(&vector, 0U, 1));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && !numbers_remove(&vector, 0U));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && !numbers_take(&vector, &item));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (numbers_at(&vector, 0U) == NULL));
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (item == 7) && (vector.count == 6U));
}

static struct {
    int16_t items[5];
    size_t count;
} model;

static void insert_like_the_model(numbers_t *vector, size_t at, int16_t item)
{
    const bool fits = (model.count < 5U) && (at <= model.count);
    EXPECT(numbers_insert(vector, at, item) == fits);
    if (fits) {
        for (size_t i = model.count; i > at; i--) {
            model.items[i] = model.items[i - 1U];
        }
        model.items[at] = item;
        model.count++;
    }
}

static void remove_like_the_model(numbers_t *vector, size_t at)
{
    const bool is_there = at < model.count;
    EXPECT(numbers_remove(vector, at) == is_there);
    if (is_there) {
        model.count--;
        for (size_t i = at; i < model.count; i++) {
            model.items[i] = model.items[i + 1U];
        }
    }
}

static void test_random_work_on_a_vector_agrees_with_a_model(void)
{
    numbers_t vector = {0};
    model.count = 0U;
    uint32_t random = 0x2545F491U;
    for (size_t step = 0U; step < 4000U; step++) {
        const size_t at = random_below(&random, 7U);
        if (random_below(&random, 2U) == 0U) {
            insert_like_the_model(&vector, at, (int16_t)random_below(&random, 30000U));
        } else {
            remove_like_the_model(&vector, at);
        }
        EXPECT((vector.count == model.count) && numbers_check(&vector));
        for (size_t i = 0U; i < model.count; i++) {
            EXPECT(vector.items[i] == model.items[i]);
        }
    }
}

// ---- Ring

static void test_a_ring_is_first_in_first_out_at_every_place(void)
{
    static bytes_t ring;
    uint8_t item = 0U;
    for (unsigned start = 0U; start < 13U; start++) {
        for (unsigned count = 0U; count <= 3U; count++) {
            EXPECT((bytes_count(&ring) == 0U) && (bytes_first(&ring) == NULL));
            EXPECT(!bytes_take(&ring, &item));
            for (unsigned i = 0U; i < count; i++) {
                EXPECT(bytes_append(&ring, (uint8_t)(start + i)) && (bytes_count(&ring) == i + 1U));
                EXPECT((*bytes_first(&ring) == start) && bytes_check(&ring));
            }
            EXPECT(bytes_append(&ring, 99U) == (count < 3U));
            for (unsigned i = 0U; i < count; i++) {
                EXPECT(bytes_take(&ring, &item) && (item == start + i) && bytes_check(&ring));
            }
            EXPECT((count == 3U) || (bytes_take(&ring, &item) && (item == 99U)));
        }
    }
    EXPECT(tap_take_fault() == 0);
}

static void test_ends_of_a_ring_run_through_twice_its_capacity(void)
{
    for (size_t end = 0U; end < 6U; end++) {
        EXPECT((mete_fixed_place(end, 3U) == end % 3U) &&
               (mete_fixed_after(end, 3U) == (end + 1U) % 6U));
    }
}

static void test_a_ring_may_hold_a_single_item(void)
{
    static single_t ring;
    uint32_t item = 0U;
    for (uint32_t i = 0U; i < 5U; i++) {
        EXPECT(single_append(&ring, i) && !single_append(&ring, 9U) && (single_count(&ring) == 1U));
        EXPECT(single_take(&ring, &item) && (item == i) && !single_take(&ring, &item));
    }
    (void)single_append(&ring, 1U);
    single_reset(&ring);
    EXPECT((single_count(&ring) == 0U) && single_check(&ring) && (single_first(&ring) == NULL));
}

static void test_a_ring_tells_impossible_ends(void)
{
    static const mete_fixed_ends_t bad[] = {{6U, 0U},       {0U, 6U}, {4U, 0U}, {0U, 1U},
                                            {SIZE_MAX, 0U}, {6U, 3U}, {3U, 6U}};
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        bytes_t ring = {bad[i], {0U, 0U, 0U}};
        uint8_t item = 7U;
        EXPECT(!bytes_check(&ring));
        if (METE_CHECK_LEVEL >= 1) {
            EXPECT(!bytes_append(&ring, 1U) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT(!bytes_take(&ring, &item) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT((bytes_first(&ring) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
            EXPECT((ring.ends.written == bad[i].written) && (ring.ends.taken == bad[i].taken));
            EXPECT((item == 7U) && (ring.items[0] == 0U));
        }
    }
    static const mete_fixed_ends_t good[] = {{5U, 5U}, {2U, 5U}, {3U, 0U}, {0U, 3U}};
    for (size_t i = 0U; i < sizeof good / sizeof good[0]; i++) {
        const bytes_t ring = {good[i], {0U, 0U, 0U}};
        EXPECT(bytes_check(&ring) && (bytes_count(&ring) == ((i == 0U) ? 0U : 3U)));
    }
}

// ---- String

static void test_a_string_takes_all_of_a_text_or_nothing(void)
{
    static name_t string;
    EXPECT(name_check(&string) && is_equal(string.text, ""));
    EXPECT(name_append(&string, "Ann") && name_append(&string, "") && name_append(&string, "a"));
    EXPECT((string.length == 4U) && !name_append(&string, "bell") && is_equal(string.text, "Anna"));
    EXPECT(name_append(&string, "bel") && (string.length == 7U) && name_check(&string));
    EXPECT(!name_append(&string, "l") && name_append(&string, "") &&
           is_equal(string.text, "Annabel"));
    EXPECT(!name_append(&string, "a text that is longer than all of it"));
    name_reset(&string);
    EXPECT(!name_append(&string, "12345678") && (string.length == 0U));
    EXPECT((string.length == 0U) && is_equal(string.text, "") && name_append(&string, "1234567"));
    EXPECT(tap_take_fault() == 0);
}

static void test_a_string_takes_bytes(void)
{
    name_t string = {0U, ""};
    EXPECT(name_append_bytes(&string, "ab\0cd", 5U) && (string.length == 5U));
    EXPECT((string.text[3] == 'c') && (string.text[5] == '\0') &&
           !name_append_bytes(&string, "xyz", 3U));
    EXPECT(!name_append_bytes(&string, "", SIZE_MAX) && (string.length == 5U));
    EXPECT(name_append_bytes(&string, "", 0U) && name_append_bytes(&string, NULL, 0U));
    EXPECT((string.length == 5U) && name_check(&string) && (tap_take_fault() == 0));
}

static void test_a_string_is_a_sink(void)
{
    name_t string = {0U, ""};
    mete_text_decimal(name_as_sink(&string), 1234U);
    mete_text_string(name_as_sink(&string), " mV");
    EXPECT(is_equal(string.text, "1234 mV"));
    mete_text_decimal(name_as_sink(&string), 5U);
    EXPECT(is_equal(string.text, "1234 mV") && (tap_take_fault() == 0));
    EXPECT(mete_sink_write(name_as_sink(&string), "x", 1U) == 0U);
    name_reset(&string);
    EXPECT(mete_sink_write(name_as_sink(&string), "x", 1U) == 1U);
}

static void test_a_string_tells_an_impossible_length(void)
{
    name_t string = {8U, "1234567"};
    EXPECT(!name_check(&string));
    if (METE_CHECK_LEVEL >= 1) {
        EXPECT(!name_append(&string, "") && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT((tap_fault_object == &string) && is_equal(string.text, "1234567"));
    }
    string.length = 3U;
    EXPECT(!name_check(&string));  // No NUL there.
}

static void test_length_reads_nothing_beyond_its_limit(void)
{
    static const char text[] = {'a', 'b', 'c'};
    EXPECT((mete_fixed_length(text, 3U) == 3U) && (mete_fixed_length(text, 0U) == 0U));
    EXPECT((mete_fixed_length("ab", 9U) == 2U) && (mete_fixed_length("", 9U) == 0U));
}

int main(void)
{
    RUN(test_a_vector_of_zeros_is_empty);
    RUN(test_a_vector_refuses_what_does_not_fit);
    RUN(test_a_vector_inserts_and_removes_in_order);
    RUN(test_a_vector_gives_its_last_item);
    RUN(test_random_work_on_a_vector_agrees_with_a_model);
    RUN(test_a_ring_is_first_in_first_out_at_every_place);
    RUN(test_ends_of_a_ring_run_through_twice_its_capacity);
    RUN(test_a_ring_may_hold_a_single_item);
    RUN(test_a_ring_tells_impossible_ends);
    RUN(test_a_string_takes_all_of_a_text_or_nothing);
    RUN(test_a_string_takes_bytes);
    RUN(test_a_string_is_a_sink);
    RUN(test_a_string_tells_an_impossible_length);
    RUN(test_length_reads_nothing_beyond_its_limit);
    if (METE_CHECK_LEVEL >= 1) {
        RUN(test_a_vector_tells_an_impossible_count);
    }
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Containers of 24 words, worked at random while the call has something to do; and a string to which 1 to 8 characters are
// appended while they fit. Calls are inline in a program: here each is a function, whose return is counted with it.

#include "mete/object/fixed.h"
#include "bench/probe.h"
#include "tests/support/random.h"

enum { CAPACITY = 24, PIECE_MAX = 8, OPERATIONS = 20000 };

METE_FIXED_VECTOR(words, uint32_t, CAPACITY);
METE_FIXED_RING(letterbox, uint32_t, CAPACITY);
METE_FIXED_STRING(line, 80);

#define PROBE_CALL(name, type, item_type, call) \
    bool name(__typeof__(type) *container, item_type item); \
    __attribute__((noinline)) bool name(__typeof__(type) *container, item_type item) \
    { \
        return call(container, item); \
    } \
    PROBE(name); \
    bool probe_##name(__typeof__(type) *container, item_type item)

PROBE_CALL(vector_append, words_t, uint32_t, words_append);
PROBE_CALL(vector_take, words_t, uint32_t *, words_take);
PROBE_CALL(ring_append, letterbox_t, uint32_t, letterbox_append);
PROBE_CALL(ring_take, letterbox_t, uint32_t *, letterbox_take);
PROBE_CALL(string_append, line_t, const char *, line_append);

static bool wants_more(uint32_t *random, size_t count)
{
    return (count == 0U) || ((count != CAPACITY) && (random_below(random, 2U) == 0U));
}

static void work_vector(void)
{
    static words_t words;
    uint32_t random = 1U;
    uint32_t item;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        (void)(wants_more(&random, words.count) ? probe_vector_append(&words, i)
                                                : probe_vector_take(&words, &item));
    }
}

static void work_ring(void)
{
    static letterbox_t letterbox;
    uint32_t random = 1U;
    uint32_t item;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        (void)(wants_more(&random, letterbox_count(&letterbox))
                   ? probe_ring_append(&letterbox, i)
                   : probe_ring_take(&letterbox, &item));
    }
}

static void work_string(void)
{
    static const char text[] = "eight ch";
    static line_t line;
    uint32_t random = 1U;
    for (uint32_t i = 0U; i < OPERATIONS; i++) {
        if (line.length > sizeof line.text - sizeof text) {
            line_reset(&line);
        }
        (void)probe_string_append(&line, &text[random_below(&random, PIECE_MAX)]);
    }
}

int main(void)
{
    start_phase("fixed");
    work_vector();
    work_ring();
    work_string();
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Lives of domains from a generator. Every answer must come up, or the inputs were not what they should be.

#include "tests/fuzz/gate_inputs.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifndef INPUT_COUNT
#define INPUT_COUNT 200
#endif

enum { BYTE_COUNT = 300 };

static void test_calls_of_random_inputs_are_held_to_the_policy(void)
{
    uint8_t bytes[BYTE_COUNT];
    uint32_t random = 2026U;
    for (size_t i = 0U; i < INPUT_COUNT; i++) {
        for (size_t k = 0U; k < BYTE_COUNT; k++) {
            bytes[k] = (uint8_t)random_below(&random, 256U);
        }
        const char *const broken = gate_inputs_check(bytes, sizeof bytes);
        if (broken != NULL) {
            mete_text_string(tap_sink, "# ");
            mete_text_string(tap_sink, broken);
            tap_note(": input", i);
        }
        EXPECT(broken == NULL);
    }
    const gate_inputs_counts_t *const counts = &gate_inputs_counts;
    for (size_t answer = METE_DOMAIN_DONE; answer < METE_DOMAIN_FULL; answer++) {
        tap_note("answers", counts->answers[answer]);
        EXPECT(counts->answers[answer] != 0U);
    }
    tap_note("refused configs", counts->refused_configs);
    tap_note("leaves", counts->leaves);
    tap_note("transfers", counts->transfers);
    EXPECT((counts->leaves != 0U) && (counts->transfers != 0U));
    EXPECT((counts->refused_configs != 0U) && (counts->refused_configs < INPUT_COUNT * 3U / 4U));
}

int main(void)
{
    RUN(test_calls_of_random_inputs_are_held_to_the_policy);
    return tap_finish();
}

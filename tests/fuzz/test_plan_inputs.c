// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Inputs of plans from a generator. Every verdict must come up, or the inputs were not what they should be.

#include "tests/fuzz/plan_inputs.h"

#include "tests/support/random.h"
#include "tests/support/tap.h"

#ifndef INPUT_COUNT
#define INPUT_COUNT 1500
#endif

enum { BYTE_COUNT = 96 };

static void test_plans_of_random_inputs_keep_their_promises(void)
{
    uint8_t bytes[BYTE_COUNT];
    uint32_t random = 2027U;
    size_t counts[METE_PLAN_FULL + 1] = {0U};
    for (size_t i = 0U; i < INPUT_COUNT; i++) {
        for (size_t k = 0U; k < BYTE_COUNT; k++) {
            bytes[k] = (uint8_t)random_below(&random, 256U);
        }
        const char *const broken = plan_inputs_check(bytes, sizeof bytes);
        if (broken != NULL) {
            mete_text_string(tap_sink, "# ");
            mete_text_string(tap_sink, broken);
            tap_note(": input", i);
        }
        EXPECT(broken == NULL);
        counts[plan_inputs_result.verdict]++;
    }
    for (size_t verdict = METE_PLAN_FITS; verdict <= METE_PLAN_FULL; verdict++) {
        tap_note("verdicts", counts[verdict]);
        EXPECT(counts[verdict] != 0U);
    }
    EXPECT(counts[METE_PLAN_FITS] >= INPUT_COUNT / 10U);
}

int main(void)
{
    RUN(test_plans_of_random_inputs_keep_their_promises);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every second another topic, then the statistics; the light blinks at 1 Hz. What each topic took is
// remembered in a block of the heap that is never given back: no leak, for it was there before the
// leak detector's mark.

#include "examples/stm32f407/end.h"
#include "examples/stm32f407/led.h"
#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/platform.h"
#include "port/board/board.h"
#include "port/os/bare_metal.h"

enum { HALF_SECOND = 500 };

typedef struct result {
    uint32_t ms;
    bool passed;
} result_t;

static void wait_until(uint32_t ms)
{
    // The clock wraps, so that only a difference says what is later. SysTick ends each wait.
    while ((int32_t)(ms - mete_clock_ms()) > 0) {
        __asm volatile("wfi");
    }
}

// A topic passes if it saw what it must, gave back what it acquired, and no bookkeeping was damaged.
static result_t run_topic(memory_t *memory, const topic_t *topic)
{
    const uint32_t start = mete_clock_ms();
    const size_t live_count = mete_stats_usage(memory->stats).live_count;
    const bool passed = topic->run(memory) && memory_check(memory) &&
                        (mete_stats_usage(memory->stats).live_count == live_count);
    return (result_t){mete_clock_ms() - start, passed};
}

static bool log_results(const result_t *results)
{
    size_t passed_count = 0U;
    for (size_t i = 0U; i < topic_count; i++) {
        log_text(topics[i].name);
        LOG(results[i].passed ? ": passed in # ms\n" : ": failed in # ms\n", results[i].ms);
        passed_count += results[i].passed ? 1U : 0U;
    }
    LOG("Passed: # of # topics\n", passed_count, topic_count);
    return passed_count == topic_count;
}

static bool run_round(memory_t *memory, result_t *results)
{
    uint32_t now = mete_clock_ms();
    for (size_t i = 0U; i < topic_count; i++) {
        led_set(true);
        results[i] = run_topic(memory, &topics[i]);
        memory_report(memory);
        now += HALF_SECOND;
        wait_until(now);
        led_set(false);
        now += HALF_SECOND;
        wait_until(now);
    }
    return log_results(results);
}

int main(void)
{
    static memory_t memory;
    mete_bare_metal_clock_start(mete_board.clock_hz);
    led_init();
    log_init();
    log_text("Memory Management Example Starting...\n");
    result_t *results = NULL;
    if (memory_init(&memory)) {
        results =
            mete_acquire_array(memory.alloc, topic_count, sizeof(result_t), _Alignof(result_t));
    }
    bool passed = false;
    do {
        passed = (results != NULL) && run_round(&memory, results);
    } while (passed && tour_repeats);
    log_text(passed ? "PASS\n" : "FAIL\n");
    return passed ? 0 : 1;
}

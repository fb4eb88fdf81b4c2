// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A sensor node for 10^6 seconds, in a time of its own: every ten seconds it samples; every five minutes a batch is complete and, if
// the gateway is on, sent; otherwise it sleeps, and its memory too. After each day all memory must be as it was at the start, and
// everything that was sampled must have been received. Before that, a day with each mistake that can be made: it must be noticed.

#include "examples/qemu/sensor/gateway.h"
#include "examples/qemu/sensor/memory.h"
#include "examples/qemu/sensor/mistake.h"
#include "examples/qemu/sensor/node.h"
#include "examples/qemu/sensor/radio.h"
#include "mete/core/text.h"
#include "port/cpu/start.h"

#ifndef SENSOR_SECONDS
#define SENSOR_SECONDS 1000000
#endif

enum {
    CYCLE_S = 10,
    CYCLE_MS = CYCLE_S * 1000,
    CYCLES_PER_DAY = 86400 / CYCLE_S,
    CYCLES_PER_TIDYING = BATCH_SAMPLES,
    CYCLES_PER_CHOICE = 360,
    BURST = 1,        // Batches that are sent in a cycle.
    FLUSH_MAX = 1000  // Bursts after which all must have been sent.
};

mistake_t mistake;
static uint32_t fault_count;

void sensor_fault(void)
{
    fault_count++;
}

// What must be the same after each day of a run.
static memory_state_t at_start;

// What is wrong, if anything is.
typedef enum verdict {
    RIGHT,
    OUT_OF_MEMORY,
    RECEIVED_WRONG,
    FAULTS,
    NOT_FLAT,
    NOT_RECEIVED,
    PACKETS_LEFT,
    BOOKS_WRONG,
    VERDICT_COUNT
} verdict_t;

static const char *const verdict_names[VERDICT_COUNT] = {"nothing",
                                                         "memory ran out",
                                                         "what is received is wrong",
                                                         "a fault",
                                                         "more memory is used than at the start",
                                                         "not all was received",
                                                         "packets are left",
                                                         "books do not agree"};

// ---- Text

static void say(const char *text)
{
    mete_text_string(mete_port_console, text);
}

static void say_number(const char *before, size_t value, const char *behind)
{
    say(before);
    mete_text_decimal(mete_port_console, value);
    say(behind);
}

// ---- A run

static void idle_until(uint32_t ms)
{
    const uint32_t now = memory_now_ms();
    if (now < ms) {
        memory_idle(ms - now);
    }
}

static verdict_t run_cycle(uint32_t cycle)
{
    const bool is_sampled = node_sample();
    radio_send(BURST);
    if (cycle % CYCLES_PER_TIDYING == 0U) {
        memory_tidy();
    }
    if (cycle % CYCLES_PER_CHOICE == 0U) {
        memory_choose();
    }
    if (fault_count != 0U) {
        return FAULTS;
    }
    if (gateway.wrong_count != 0U) {
        return RECEIVED_WRONG;
    }
    return is_sampled ? RIGHT : OUT_OF_MEMORY;
}

static bool is_flat(void)
{
    const memory_state_t state = memory_state();
    return (state.block_count == at_start.block_count) && (state.live_size == at_start.live_size) &&
           (state.largest_free == at_start.largest_free);
}

static bool is_all_received(void)
{
    const batch_sum_t *const sent = node_sum();
    return (radio_waiting() == 0U) && (gateway.wrong_count == 0U) &&
           (gateway.sum.count == sent->count) && (gateway.sum.crc == sent->crc);
}

// After a day, when all was sent.
static verdict_t check(void)
{
    (void)node_close();
    for (size_t i = 0U; (radio_waiting() != 0U) && (i < FLUSH_MAX); i++) {
        radio_send(BURST);
    }
    memory_compact();
    if (!is_all_received()) {
        return NOT_RECEIVED;
    }
    if (!radio_is_clean()) {
        return PACKETS_LEFT;
    }
    if (!is_flat()) {
        return NOT_FLAT;
    }
    return (node_check() && memory_check() && (fault_count == 0U)) ? RIGHT : BOOKS_WRONG;
}

static verdict_t run(uint32_t cycle_count)
{
    fault_count = 0U;
    gateway_init();
    verdict_t verdict = (memory_init() && radio_init() && node_init()) ? RIGHT : OUT_OF_MEMORY;
    at_start = memory_state();
    for (uint32_t cycle = 1U; (verdict == RIGHT) && (cycle <= cycle_count); cycle++) {
        verdict = run_cycle(cycle);
        const bool is_end = (cycle % CYCLES_PER_DAY == 0U) || (cycle == cycle_count);
        if ((verdict == RIGHT) && is_end) {
            verdict = check();
        }
        idle_until(cycle * CYCLE_MS);
    }
    return verdict;
}

// ---- Reports

static void say_verdict(const char *what, verdict_t verdict)
{
    say(what);
    say(": ");
    say(verdict_names[verdict]);
    say("\n");
}

// A day with each mistake.
static bool run_controls(void)
{
    static const char *const names[MISTAKE_COUNT] = {"no mistake",
                                                     "a batch that is not freed",
                                                     "a packet that is not dropped",
                                                     "batches that sleep too deeply",
                                                     "a packet that sleeps too deeply",
                                                     "a packet that is not sent again"};
    bool are_noticed = true;
    for (size_t i = MISTAKE_NONE + 1U; i < MISTAKE_COUNT; i++) {
        mistake = (mistake_t)i;
        const verdict_t verdict = run(CYCLES_PER_DAY);
        say_verdict(names[i], verdict);
        are_noticed = (verdict != RIGHT) && are_noticed;
    }
    mistake = MISTAKE_NONE;
    return are_noticed;
}

static void report(void)
{
    const mete_movable_usage_t usage = mete_movable_usage(&store);
    say_number("time: ", SENSOR_SECONDS, " s\n");
    say_number("readings: ", node_sum()->count, " sampled, ");
    say_number("", gateway.sum.count, " received");
    say_number(" in ", gateway.batch_count, " batches\n");
    say_number("air: ", gateway.air_count, " packets sent, ");
    say_number("", gateway.lost_count, " lost, ");
    say_number("", gateway.unacknowledged_count, " not acknowledged, ");
    say_number("", gateway.repeated_count, " received again\n");
    say_number("memory: ", at_start.live_size, " bytes");
    say_number(" in ", at_start.block_count, " block after every day");
    say_number(", largest free ", at_start.largest_free, "; ");
    say_number("at the most ", usage.in_use_peak, " bytes; ");
    say_number("", usage.moved_total, " moved\n");
}

int main(void)
{
    const bool are_noticed = run_controls();
    const verdict_t verdict = run(SENSOR_SECONDS / CYCLE_S);
    say_verdict("no mistake", verdict);
    report();
    const bool has_saved = memory_report();
    memory_close();
    const bool passes = are_noticed && (verdict == RIGHT) && has_saved;
    say(passes ? "PASS\n" : "FAIL\n");
    return passes ? 0 : 1;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two domains, each with code and three regions of its own, enforced by the unit of the Cortex-M4, with no observer. One calls
// gates of the other, with two numbers, and with 16 bytes that go there and come back; and a region of 256 bytes goes from one to
// the other and back. A switch alone is measured by tests/verify/switch.

#include "mete/protect/domain.h"
#include "bench/probe.h"
#include "mete/protect/plan_armv7m.h"
#include "port/cpu/armv7m_mpu.h"

enum { CALLER, CALLEE, DOMAIN_COUNT };
enum { VALUES, SPAN, GATE_COUNT };
enum { CODE, GIVEN, OWN_COUNT = 3, REGION_COUNT = 1 + DOMAIN_COUNT * OWN_COUNT };
enum { CODE_SIZE = 0x400000, PART_SIZE = 256, SPAN_SIZE = 16, WISH_MAX = 5, ROUNDS = 20 };
enum { RX = METE_ACCESS_READ | METE_ACCESS_EXECUTE, RW = METE_ACCESS_READ | METE_ACCESS_WRITE };

static _Alignas(2 * PART_SIZE) unsigned char parts[REGION_COUNT][2 * PART_SIZE];
METE_DOMAIN_BOOKS_DEFINE(of_caller, WISH_MAX, WISH_MAX);
METE_DOMAIN_BOOKS_DEFINE(of_callee, WISH_MAX, WISH_MAX);
static const mete_domain_member_t members[] = {{.name = "caller", .books = &of_caller},
                                               {.name = "callee", .books = &of_callee}};
static const mete_domain_gate_t gates[] = {
    [VALUES] = {.name = "values",
                .domain = CALLEE,
                .callers = 1U << CALLER,
                .arguments = {{METE_DOMAIN_VALUE, 9U}, {METE_DOMAIN_VALUE, 9U}}},
    [SPAN] = {.name = "span",
              .domain = CALLEE,
              .callers = 1U << CALLER,
              .buffer = {parts[REGION_COUNT - 1], SPAN_SIZE},
              .arguments = {{METE_DOMAIN_IN_OUT, 0U}, {METE_DOMAIN_SIZE, SPAN_SIZE}}}};
static mete_domain_t domains;
static mete_domain_task_t tasks[DOMAIN_COUNT];

PROBE(mete_domain_enter);
mete_domain_answer_t probe_mete_domain_enter(mete_domain_t *all, size_t gate, uintptr_t *arguments);
PROBE(mete_domain_leave);
mete_domain_answer_t probe_mete_domain_leave(mete_domain_t *all);
PROBE(mete_domain_transfer);
mete_domain_answer_t probe_mete_domain_transfer(mete_domain_t *all, size_t region, size_t receiver);

// Code is common; of the others each domain has three, the last of which has a gate's buffer.
static void set_regions(mete_domain_region_t *regions)
{
    regions[CODE] = (mete_domain_region_t){
        .name = "code", .size = CODE_SIZE, .owner = METE_DOMAIN_COMMON, .rights = RX};
    for (size_t i = GIVEN; i < REGION_COUNT; i++) {
        regions[i] = (mete_domain_region_t){.name = "part",
                                            .start = (uintptr_t)parts[i],
                                            .size = PART_SIZE,
                                            .owner = (i <= OWN_COUNT) ? CALLER : CALLEE,
                                            .rights = RW};
    }
    regions[GIVEN].receivers = (1U << CALLER) | (1U << CALLEE);
}

static bool start(void)
{
    static mete_armv7m_mpu_t unit;
    static mete_domain_region_t regions[REGION_COUNT];
    static uint8_t owners[REGION_COUNT];
    static mete_domain_call_t calls[GATE_COUNT];
    static mete_domain_usage_t usages[DOMAIN_COUNT];
    static mete_domain_config_t config = {.members = members,
                                          .member_count = DOMAIN_COUNT,
                                          .regions = regions,
                                          .region_count = REGION_COUNT,
                                          .gates = gates,
                                          .gate_count = GATE_COUNT,
                                          .owners = owners,
                                          .calls = calls,
                                          .usages = usages,
                                          .backend = &mete_plan_armv7m};
    config.mpu = mete_armv7m_mpu_init(&unit);
    set_regions(regions);
    const bool is_ready = (mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY) &&
                          mete_domain_add(&domains, &tasks[CALLER], CALLER) &&
                          mete_domain_add(&domains, &tasks[CALLEE], CALLEE);
    if (is_ready) {
        mete_domain_switch(&domains, &tasks[CALLER]);
        mete_mpu_enable(config.mpu);
    }
    return is_ready;
}

static bool call(const char *phase, size_t gate, uintptr_t first, uintptr_t second)
{
    bool is_done = true;
    start_phase(phase);
    for (size_t i = 0U; i < ROUNDS; i++) {
        uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX] = {first, second};
        is_done = (probe_mete_domain_enter(&domains, gate, arguments) == METE_DOMAIN_DONE) &&
                  (probe_mete_domain_leave(&domains) == METE_DOMAIN_DONE) && is_done;
    }
    return is_done;
}

static bool give_and_take(void)
{
    bool is_done = true;
    start_phase("domain transfer");
    for (size_t i = 0U; i < ROUNDS; i++) {
        const size_t giver = i % DOMAIN_COUNT;
        mete_domain_switch(&domains, &tasks[giver]);
        is_done = (probe_mete_domain_transfer(&domains, GIVEN, 1U - giver) == METE_DOMAIN_DONE) &&
                  is_done;
    }
    return is_done;
}

int main(void)
{
    const bool is_done = start() && call("domain values", VALUES, 1U, 2U) &&
                         call("domain span", SPAN, (uintptr_t)parts[GIVEN], SPAN_SIZE) &&
                         give_and_take();
    return is_done ? 0 : 1;
}

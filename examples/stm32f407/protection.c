// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the processor's protection unit stops, even in privileged code: reading through NULL, writing what is only
// read, executing data. Each is tried on purpose and must be reported as what it is. Then the handler mends the cause, by
// switching protection off, and the instruction is executed again.

#include "mete/system/protection.h"
#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "examples/stm32f407/watchers.h"
#include "mete/protect/plan_armv7m.h"
#include "port/cpu/armv7m_mpu.h"
#include "port/cpu/cortex_m.h"
#include "port/cpu/cortex_m_violation.h"
#include "port/os/bare_metal.h"

enum { NULL_SIZE = METE_VIOLATIONS_NULL_SIZE, TABLE_SIZE = 1024, FIELD_OFFSET = 12 };

// Two instructions to return, so that it could be executed.
static uint16_t table[TABLE_SIZE / sizeof(uint16_t)]
    __attribute__((aligned(TABLE_SIZE))) = {0x4770U, 0x4770U};

static mete_armv7m_mpu_t unit;
static mete_protection_t protection;

// ---- What is protected

static mete_map_region_t map_table[2];
static mete_plan_wish_t wishes[2];
static mete_plan_share_t shares[2];
static mete_mpu_image_t images[8];
static mete_plan_range_t ranges[8];
static mete_protection_config_t config;

static mete_violations_action_t mend(void *self, const mete_violations_report_t *report)
{
    const mete_mpu_t *const mpu = self;
    (void)report;
    mete_mpu_disable(*mpu);
    return METE_VIOLATIONS_RETRY;
}

static bool protect(watchers_t *watchers)
{
    static mete_map_region_t regions[2];
    const uint8_t r = METE_ACCESS_READ;
    const uintptr_t start = (uintptr_t)table;
    regions[0] = (mete_map_region_t){.name = "null", .start = 0U, .size = NULL_SIZE};
    regions[1] = (mete_map_region_t){.name = "table", .start = start, .size = TABLE_SIZE};
    wishes[0] = (mete_plan_wish_t){"null", 0U, NULL_SIZE - 1U, {0U, 0U}, METE_MPU_CACHED, 0U};
    wishes[1] =
        (mete_plan_wish_t){"table", start, start + TABLE_SIZE - 1U, {r, r}, METE_MPU_CACHED, 0U};
    config.map = (mete_map_config_t){map_table, 2U};
    config.regions = regions;
    config.region_count = 2U;
    config.plan =
        (mete_plan_config_t){&mete_plan_armv7m, wishes, 2U, shares, images, ranges, 8U, true};
    config.mpu = mete_armv7m_mpu_init(&unit);
    config.observer = mete_audit_as_observer(&watchers->audit);
    config.decide = mend;
    config.decide_self = &config.mpu;
    return mete_protection_init(&protection, &config, NULL);
}

// ---- Faults

__attribute__((used)) static void on_fault(const uint32_t *frame, uint32_t exc_return)
{
    static const mete_violations_task_t who = {"tour", &protection.plan, {NULL, 0U}};
    const mete_violation_t what = mete_cortex_m_violation(frame, exc_return);
    if (mete_violations_handle(&protection.violations, &what, &who) != METE_VIOLATIONS_RETRY) {
        mete_port_on_fault();
    }
}

__attribute__((naked)) static void fault(void)
{
    __asm volatile("tst   lr, #4  \n\t"
                   "ite   eq      \n\t"
                   "mrseq r0, msp \n\t"
                   "mrsne r0, psp \n\t"
                   "mov   r1, lr  \n\t"
                   "b     %c0     \n\t" ::"i"(on_fault));
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = {
    .stack_end = mete_port_stack_end,
    .reset = mete_port_start,
    .nmi = mete_port_on_fault,
    .hard_fault = mete_port_on_fault,
    .memory_fault = fault,
    .bus_fault = mete_port_on_fault,
    .usage_fault = mete_port_on_fault,
    .svcall = mete_port_on_fault,
    .debug_monitor = mete_port_on_fault,
    .pendsv = mete_port_on_fault,
    .systick = mete_bare_metal_tick,
};

// ---- What is tried

static void read_through(uintptr_t address)
{
    (void)*(const volatile uint8_t *)address;
}

static void write_to(uintptr_t address)
{
    *(volatile uint8_t *)address ^= 1U;
}

static void execute(uintptr_t address)
{
    ((void (*)(void))(address | 1U))();
}

static const struct attempt {
    const char *what;
    void (*make)(uintptr_t address);
    uintptr_t address;
    uint32_t access;
    mete_violations_verdict_t verdict;
} attempts[] = {
    {"Read through NULL", read_through, FIELD_OFFSET, METE_ACCESS_READ, METE_VIOLATIONS_NULL},
    {"Written to a table", write_to, (uintptr_t)&table[8], METE_ACCESS_WRITE,
     METE_VIOLATIONS_DENIED},
    {"Executed a table", execute, (uintptr_t)table, METE_ACCESS_EXECUTE, METE_VIOLATIONS_DENIED},
};

static bool show(const struct attempt *attempt)
{
    static const char *const verdicts[] = {"unknown", "NULL", "overflow", "denied", "allowed"};
    const size_t count = mete_violations_count(&protection.violations);
    attempt->make(attempt->address);
    mete_mpu_enable(config.mpu);
    const mete_violations_report_t *const report = mete_violations_last(&protection.violations);
    log_text(attempt->what);
    if ((mete_violations_count(&protection.violations) != count + 1U) || (report->region == NULL)) {
        log_text(": not stopped, or nobody's\n");
        return false;
    }
    log_text(": stopped as ");
    log_text(verdicts[report->verdict]);
    log_text(", region ");
    log_text(report->region->name);
    LOG(", byte #\n", report->what.address - report->region->start);
    return (report->verdict == attempt->verdict) && (report->what.address == attempt->address) &&
           (report->what.access == attempt->access);
}

bool protection_topic(memory_t *memory)
{
    mete_audit_t *const audit = &memory->watchers->audit;
    const size_t count = mete_audit_count(audit);
    log_text("Testing protection...\n");
    if (!protect(memory->watchers)) {
        log_text("Protection: not ready\n");
        return false;
    }
    bool is_right = true;
    size_t tried = 0U;
    while (tried < sizeof attempts / sizeof *attempts) {
        is_right = show(&attempts[tried]) && is_right;
        tried++;
    }
    mete_mpu_disable(config.mpu);
    LOG("Protection: # tried, # on record\n", tried, mete_audit_count(audit) - count);
    return is_right && (mete_audit_count(audit) == count + tried);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every way to be stopped, tried by unprivileged code on the emulated core, and what the decoder makes of it.

#include "bench/probe.h"
#include "mete/system/violations.h"
#include "port/cpu/cortex_m.h"
#include "port/cpu/cortex_m_violation.h"
#include "tests/port/mpu_verdicts.h"
#include "tests/support/tap.h"

enum {
    PART_SIZE = 1024,
    WISH_COUNT = 3,
    REGION_COUNT = 16,
    FRAME_LR = 5,
    FRAME_PC = 6,
    FRAME_PSR = 7
};

static unsigned char arena[2 * PART_SIZE] __attribute__((aligned(2 * PART_SIZE)));
static unsigned char *const own = arena;
static unsigned char *const foreign = &arena[PART_SIZE];

static mete_violation_t seen;
static unsigned seen_count;

static mete_map_region_t regions[REGION_COUNT];
static const mete_map_config_t map_config = {regions, REGION_COUNT};
static mete_map_t map;
static mete_plan_t plan;

static unsigned heard_count;

static void hear(void *self, const mete_event_t *event)
{
    (void)self;
    (void)event;
    heard_count++;
}

static const mete_violations_config_t violations_config = {.map = &map, .observer = {hear, NULL}};
static mete_violations_t violations;

// ---- Faults

void back_on_main_stack(void);

// What is counted by tools/dev/verify: from the instruction probe_..._begin to probe_..._end.
PROBE(mete_cortex_m_violation);
mete_violation_t probe_mete_cortex_m_violation(const uint32_t *frame, uint32_t exc_return);

// From the registers to what is to be done.
mete_violations_action_t report(const uint32_t *frame, uint32_t exc_return);
mete_violations_action_t report(const uint32_t *frame, uint32_t exc_return)
{
    static const mete_violations_task_t task = {"task", &plan, {NULL, 0U}};
    seen = probe_mete_cortex_m_violation(frame, exc_return);
    return mete_violations_handle(&violations, &seen, &task);
}

PROBE(report);
mete_violations_action_t probe_report(const uint32_t *frame, uint32_t exc_return);

// Goes on behind the instruction; after a fetch where it was called from; and if there is no frame, on the main stack.
__attribute__((used)) static void on_fault(uint32_t *frame, uint32_t exc_return)
{
    const mete_violations_action_t action = probe_report(frame, exc_return);
    EXPECT(action ==
           ((seen.privilege == METE_PRIVILEGED) ? METE_VIOLATIONS_STOP : METE_VIOLATIONS_KILL));
    seen_count++;
    if (seen.kind == METE_VIOLATION_STACK) {
        uint32_t *const safe_frame =
            (uint32_t *)(uintptr_t)&own[PART_SIZE / 2];  // Where it may be read.
        safe_frame[FRAME_PC] = (uintptr_t)back_on_main_stack & ~(uintptr_t)1U;
        safe_frame[FRAME_PSR] = 1U << 24;
#ifdef __ARM_ARCH_8M_MAIN__
        __asm volatile("msr psplim, %0" ::"r"(0));
#endif
        __asm volatile("msr psp, %0" ::"r"(safe_frame));
    } else if (seen.kind == METE_VIOLATION_FETCH) {
        frame[FRAME_PC] = frame[FRAME_LR] & ~1U;
    } else {
        const uint16_t first = *(const uint16_t *)(uintptr_t)frame[FRAME_PC];
        frame[FRAME_PC] += ((first >> 11) >= 0x1DU) ? 4U : 2U;
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

__attribute__((naked)) static void become_privileged(void)
{
    __asm volatile("movs r0, #0      \n\t"
                   "msr  control, r0 \n\t"
                   "bx   lr          \n\t");
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = {
    .stack_end = mete_port_stack_end,
    .reset = mete_port_start,
    .nmi = mete_port_on_fault,
    .hard_fault = mete_port_on_fault,
    .memory_fault = fault,
    .bus_fault = fault,
    .usage_fault = fault,
    .svcall = become_privileged,
    .debug_monitor = mete_port_on_fault,
    .pendsv = mete_port_on_fault,
};

// ---- Unprivileged code

typedef void (*attempt_t)(void *address);

// Calls it as unprivileged code.
__attribute__((naked, noinline)) static void call(__attribute__((unused)) void *address,
                                                  __attribute__((unused)) attempt_t attempt)
{
    __asm volatile("push {r4, lr}    \n\t"
                   "movs r2, #1      \n\t"
                   "msr  control, r2 \n\t"
                   "isb              \n\t"
                   "movs r2, #0      \n\t"
                   "blx  r1          \n\t"
                   "svc  0           \n\t"
                   "isb              \n\t"
                   "pop  {r4, pc}    \n\t");
}

// Pushes as unprivileged code on a stack that ends at `top`; `limit`: how far down it may reach, where a core knows that.
__attribute__((naked, noinline)) static void push_on(__attribute__((unused)) void *top,
                                                     __attribute__((unused)) uintptr_t limit)
{
    __asm volatile("push {r4-r11, lr}\n\t"
                   "sub  sp, #4      \n\t"
                   "msr  psp, r0     \n\t"
#ifdef __ARM_ARCH_8M_MAIN__
                   "msr  psplim, r1  \n\t"
#endif
                   "movs r2, #3      \n\t"
                   "msr  control, r2 \n\t"
                   "isb              \n\t"
                   "push {r0-r3}     \n\t"
                   ".globl back_on_main_stack \n\t"
                   ".thumb_func      \n"
                   "back_on_main_stack: \n\t"
                   "svc  0           \n\t"
                   "movs r0, #0      \n\t"
                   "msr  control, r0 \n\t"  // Off the process stack, which a handler cannot.
                   "isb              \n\t"
                   "add  sp, #4      \n\t"
                   "pop  {r4-r11, pc}\n\t");
}

#define ATTEMPT(name, instruction) \
    __attribute__((naked)) static void name(__attribute__((unused)) void *address) \
    { \
        __asm volatile(instruction "\n\tbx lr"); \
    }

ATTEMPT(load_word, "ldr.n r1, [r0]")
ATTEMPT(load_half, "ldrh.n r1, [r0]")
ATTEMPT(load_byte, "ldrb.n r1, [r0]")
ATTEMPT(load_indexed, "ldr.n r1, [r0, r2]")
ATTEMPT(load_signed, "ldrsb.n r1, [r0, r2]")
ATTEMPT(load_many, "ldmia.n r0!, {r1, r3}")
ATTEMPT(load_wide, "ldr.w r1, [r0]")
ATTEMPT(load_byte_wide, "ldrsb.w r1, [r0, r2]")
ATTEMPT(load_two, "ldrd r1, r3, [r0]")
ATTEMPT(load_many_wide, "ldmdb r0, {r1, r12}")
ATTEMPT(load_exclusive, "ldrex r1, [r0]")
ATTEMPT(store_word, "str.n r1, [r0]")
ATTEMPT(store_half, "strh.n r1, [r0]")
ATTEMPT(store_byte, "strb.n r1, [r0]")
ATTEMPT(store_indexed, "strb.n r1, [r0, r2]")
ATTEMPT(store_many, "stmia.n r0!, {r1, r3}")
ATTEMPT(store_wide, "str.w r1, [r0]")
ATTEMPT(store_half_wide, "strh.w r1, [r0, r2]")
ATTEMPT(store_two, "strd r1, r3, [r0]")
ATTEMPT(store_many_wide, "stmdb r0, {r1, r12}")

static const attempt_t loads[] = {load_word,   load_half,      load_byte,     load_indexed,
                                  load_signed, load_many,      load_wide,     load_byte_wide,
                                  load_two,    load_many_wide, load_exclusive};
static const attempt_t stores[] = {store_word,      store_half, store_byte,
                                   store_indexed,   store_many, store_wide,
                                   store_half_wide, store_two,  store_many_wide};

// ---- Tests

static const uint32_t all =
    METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;

static void protect(void)
{
    static mete_plan_share_t shares[WISH_COUNT];
    static mete_mpu_image_t images[8];
    static mete_plan_range_t ranges[8];
    static mete_plan_wish_t wishes[WISH_COUNT];
    static mete_plan_config_t config;
    const uint8_t rx = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    wishes[0] = (mete_plan_wish_t){"code",   mpu_target.code_start, mpu_target.code_last,
                                   {rx, rx}, METE_MPU_CACHED,       0U};
    wishes[1] = (mete_plan_wish_t){.name = "stack",
                                   .start = (uintptr_t)mete_port_stack_start,
                                   .last = (uintptr_t)mete_port_stack_end - 1U,
                                   .rights = {rw, rw}};
    wishes[2] = (mete_plan_wish_t){"own",    (uintptr_t)own,  (uintptr_t)own + PART_SIZE - 1U,
                                   {rw, rw}, METE_MPU_CACHED, 0U};
    config = (mete_plan_config_t){.backend = mpu_target.backend,
                                  .wishes = wishes,
                                  .wish_count = WISH_COUNT,
                                  .shares = shares,
                                  .images = images,
                                  .ranges = ranges,
                                  .image_max = 8U,
                                  .has_background = true};
    EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
    EXPECT(mete_map_init(&map, &map_config) &&
           mete_violations_init(&violations, &violations_config));
    for (uintptr_t i = 0U; i < REGION_COUNT; i++) {
        const mete_map_region_t region = {.name = "part",
                                          .start = (uintptr_t)arena + i * (PART_SIZE / 8U),
                                          .size = PART_SIZE / 8U};
        EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
    }
    const mete_mpu_t mpu = mpu_target.init();
    mete_plan_commit(&plan, mpu);
    mete_mpu_enable(mpu);
}

static bool is_seen(mete_violation_kind_t kind, uint32_t access, uintptr_t address)
{
    const bool is_right =
        (seen_count == 1U) && (seen.kind == kind) && mete_violation_knows(&seen, all) &&
        (seen.access == access) && (seen.address == address) &&
        (seen.privilege == METE_UNPRIVILEGED) && (heard_count == 1U) &&
        (mete_violations_last(&violations)->region == mete_map_find(&map, address));
    seen_count = 0U;
    heard_count = 0U;
    return is_right;
}

static uintptr_t pc_of(attempt_t attempt)
{
    return (uintptr_t)attempt & ~(uintptr_t)1U;
}

// What decrements before it accesses touches the two words in front.
static uintptr_t touched_by(attempt_t attempt, const unsigned char *address)
{
    const bool decrements = (attempt == load_many_wide) || (attempt == store_many_wide);
    return (uintptr_t)address - (decrements ? 8U : 0U);
}

static void loads_and_stores_are_told_apart(void)
{
    unsigned char *const address = &foreign[64];
    for (size_t i = 0U; i < sizeof loads / sizeof loads[0]; i++) {
        call(address, loads[i]);
        EXPECT((seen.pc == pc_of(loads[i])) &&
               is_seen(METE_VIOLATION_DATA, METE_ACCESS_READ, touched_by(loads[i], address)));
    }
    for (size_t i = 0U; i < sizeof stores / sizeof stores[0]; i++) {
        call(address, stores[i]);
        EXPECT((seen.pc == pc_of(stores[i])) &&
               is_seen(METE_VIOLATION_DATA, METE_ACCESS_WRITE, touched_by(stores[i], address)));
    }
    call(&own[64], load_word);
    call(&own[64], store_word);
    EXPECT(seen_count == 0U);
}

static void a_fetch_of_data_is_one(void)
{
    own[0] = 0x70U;  // bx lr
    own[1] = 0x47U;
    call(own, (attempt_t)((uintptr_t)own | 1U));
    EXPECT((seen.pc == (uintptr_t)own) &&
           is_seen(METE_VIOLATION_FETCH, METE_ACCESS_EXECUTE, (uintptr_t)own));
}

static void the_cores_registers_are_out_of_reach(void)
{
    void *const mpu_control = (void *)0xE000ED94U;
    call(mpu_control, store_word);
    EXPECT((seen.pc == pc_of(store_word)) &&
           is_seen(METE_VIOLATION_DATA, METE_ACCESS_WRITE, (uintptr_t)mpu_control));
}

// The first words of `own` are the last that its stack may use.
static void a_stack_that_runs_over_has_no_frame(void)
{
    push_on(&foreign[8], 0U);
    EXPECT((seen_count == 1U) && (seen.kind == METE_VIOLATION_STACK) && (seen.pc == 0U));
    EXPECT(!mete_violation_knows(&seen, METE_VIOLATION_KNOWS_PC) &&
           !mete_violation_knows(&seen, METE_VIOLATION_KNOWS_ACCESS) && (seen.access == 0U));
    seen_count = 0U;
    heard_count = 0U;
}

#ifdef __ARM_ARCH_8M_MAIN__
static void so_has_one_that_meets_its_limit(void)
{
    push_on(&own[PART_SIZE / 2], (uintptr_t)&own[PART_SIZE / 2 - 8]);
    EXPECT((seen_count == 1U) && (seen.kind == METE_VIOLATION_STACK) && (seen.known == 0U));
    EXPECT((seen.cause & (1U << 20)) != 0U);
    seen_count = 0U;
    heard_count = 0U;
}
#endif

// An address where nothing is.
static void other_faults_are_none(void)
{
    __asm volatile("msr control, %0\n\tisb" ::"r"(0));
    load_word((void *)0xB0000000U);
    EXPECT((seen_count == 1U) && (seen.kind == METE_VIOLATION_NONE) && (seen.known == 0U));
    EXPECT((seen.privilege == METE_PRIVILEGED) && (seen.cause != 0U));
    seen_count = 0U;
    heard_count = 0U;
}

int main(void)
{
    RUN(protect);
    RUN(loads_and_stores_are_told_apart);
    RUN(a_fetch_of_data_is_one);
    RUN(the_cores_registers_are_out_of_reach);
    RUN(a_stack_that_runs_over_has_no_frame);
#ifdef __ARM_ARCH_8M_MAIN__
    RUN(so_has_one_that_meets_its_limit);
#endif
    RUN(other_faults_are_none);
    return tap_finish();
}

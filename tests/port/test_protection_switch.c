// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Switches between the protection of two tasks: mete_plan_commit() of a plan of four regions while another one of four is
// enforced. What it costs is counted from outside, between probe_switch_begin and probe_switch_end; see
// tools/dev/insn-count. And what a driver must keep, and must forget.

#ifdef __riscv
#include "mete/protect/plan_pmp.h"
#endif
#include "port/cpu/start.h"
#include "tests/port/mpu_verdicts.h"
#include "tests/support/tap.h"

enum {
    WISH_COUNT = 4,
    IMAGE_MAX = 8,
    ROUNDS = 8,
    PART_SIZE = 1024,
    NULL_SIZE = 64,
    RAM_SIZE = 1024 * 1024
};

typedef struct task {
    mete_plan_wish_t wishes[WISH_COUNT];
    mete_plan_share_t shares[WISH_COUNT];
    mete_mpu_image_t images[IMAGE_MAX];
    mete_plan_range_t ranges[IMAGE_MAX];
    mete_plan_config_t config;
    mete_plan_t plan;
} task_t;

static unsigned char arena[8 * PART_SIZE] __attribute__((aligned(8 * PART_SIZE)));
static task_t tasks[2];

static mete_mpu_t mpu;

void switch_to(const mete_plan_t *plan);
void probe_switch(const mete_plan_t *plan);

__attribute__((noinline)) void switch_to(const mete_plan_t *plan)
{
    mete_plan_commit(plan, mpu);
}

#ifdef __riscv
__asm__(".text\n.globl probe_switch, probe_switch_begin, probe_switch_end\n"
        "probe_switch: addi sp, sp, -16\n sw ra, 0(sp)\n"
        "probe_switch_begin: jal switch_to\n"
        "probe_switch_end: lw ra, 0(sp)\n addi sp, sp, 16\n ret\n");
#else
__asm__(
    ".text\n.thumb\n.syntax unified\n.globl probe_switch, probe_switch_begin, probe_switch_end\n"
    ".type probe_switch, %function\n"
    "probe_switch: push {r3, lr}\n"
    "probe_switch_begin: bl switch_to\n"
    "probe_switch_end: pop {r3, pc}\n");
#endif

// Code, and three parts of the arena that no other task has.
static void make(task_t *task, unsigned char *memory)
{
    const uint8_t rx = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    task->wishes[0] = (mete_plan_wish_t){"code",   mpu_target.code_start, mpu_target.code_last,
                                         {rx, rx}, METE_MPU_CACHED,       0U};
    for (size_t i = 1U; i < WISH_COUNT; i++) {
        const uintptr_t start = (uintptr_t)&memory[i * PART_SIZE];
        task->wishes[i] = (mete_plan_wish_t){"part",   start,           start + PART_SIZE / 2U - 1U,
                                             {rw, rw}, METE_MPU_CACHED, 0U};
    }
    task->config = (mete_plan_config_t){.backend = mpu_target.backend,
                                        .wishes = task->wishes,
                                        .wish_count = WISH_COUNT,
                                        .shares = task->shares,
                                        .images = task->images,
                                        .ranges = task->ranges,
                                        .image_max = IMAGE_MAX,
                                        .has_background = true};
    EXPECT(mete_plan_init(&task->plan, &task->config).verdict == METE_PLAN_FITS);
}

static bool is_reachable(const task_t *task)
{
    const access_t access = {task->wishes[1].start, 4U, METE_ACCESS_READ, METE_UNPRIVILEGED};
    uintptr_t told;
    return mpu_happens(&access, &told);
}

static void each_task_reaches_its_own(void)
{
    mpu = mpu_target.init();
    make(&tasks[0], arena);
    make(&tasks[1], &arena[4 * PART_SIZE]);
    mete_plan_commit(&tasks[0].plan, mpu);
    mete_mpu_enable(mpu);
    for (size_t i = 1U; i <= ROUNDS; i++) {
        probe_switch(&tasks[i % 2U].plan);
        EXPECT(is_reachable(&tasks[i % 2U]));
        EXPECT(!is_reachable(&tasks[(i + 1U) % 2U]));
    }
    mete_mpu_disable(mpu);
}

// A driver that starts does not know what is in the registers.
static void a_new_driver_forgets_what_was(void)
{
    mete_plan_commit(&tasks[0].plan, mpu);
    mete_mpu_enable(mpu);
    EXPECT(is_reachable(&tasks[0]));
    mpu = mpu_target.init();
    EXPECT(is_reachable(&tasks[0]));  // Off.
    mete_mpu_enable(mpu);
    EXPECT(!is_reachable(&tasks[0]));
    mete_mpu_disable(mpu);
}

// Nothing is enforced by a commit while protection is off, and it stays on over one.
static void a_commit_leaves_it_on_or_off(void)
{
    mete_plan_commit(&tasks[0].plan, mpu);
    EXPECT(is_reachable(&tasks[1]) == is_reachable(&tasks[0]));
    mete_mpu_enable(mpu);
    mete_plan_commit(&tasks[0].plan, mpu);
    EXPECT(is_reachable(&tasks[0]) && !is_reachable(&tasks[1]));
    mete_mpu_disable(mpu);
}

static bool privileged_reads(uintptr_t address)
{
    const access_t access = {address, 4U, METE_ACCESS_READ, METE_PRIVILEGED};
    uintptr_t told;
    return mpu_happens(&access, &told);
}

// Code and the lower part of RAM, where all that the program has lies. Where code begins at 0, what NULL leads to is
// taken away from it.
static void wish_for_the_program(mete_plan_config_t *config)
{
    static mete_plan_wish_t wishes[3];
    const uint8_t rx = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    const uintptr_t ram = (uintptr_t)mete_port_ram_start;
    const uintptr_t null_size = (mpu_target.code_start == 0U) ? NULL_SIZE : 0U;
    wishes[0] = (mete_plan_wish_t){
        "code", mpu_target.code_start + null_size, mpu_target.code_last, {rx, rx}, METE_MPU_CACHED,
        0U};
    wishes[1] = (mete_plan_wish_t){"ram", ram, ram + RAM_SIZE - 1U, {rw, rw}, METE_MPU_CACHED, 0U};
    wishes[2] = (mete_plan_wish_t){"null", 0U, NULL_SIZE - 1U, {0U, 0U}, METE_MPU_CACHED, 0U};
    config->wishes = wishes;
    config->wish_count = (null_size != 0U) ? 3U : 2U;
}

// On RISC-V machine mode is held to locked entries only.
static void without_a_background_privileged_code_is_held_to_regions(void)
{
    if (!mpu_target.backend->rules.holds_privilege) {
        return;
    }
    task_t *const task = &tasks[0];
    const uintptr_t beyond = (uintptr_t)mete_port_ram_start + RAM_SIZE;
    wish_for_the_program(&task->config);
    for (unsigned has_background = 0U; has_background <= 1U; has_background++) {
        task->config.has_background = has_background != 0U;
        EXPECT(mete_plan_init(&task->plan, &task->config).verdict == METE_PLAN_FITS);
        mete_plan_commit(&task->plan, mpu);
        mete_mpu_enable(mpu);
        EXPECT(privileged_reads(beyond - 4U));
        EXPECT(privileged_reads(beyond) == (has_background != 0U));
        const bool null_is_denied = (has_background == 0U) || (task->config.wish_count == 3U);
        EXPECT(privileged_reads(12U) == !null_is_denied);
        mete_mpu_disable(mpu);
    }
}

#ifdef __riscv
// The memory that the emulated machine starts in. It stays locked until the next reset: no test follows.
static void machine_mode_is_held_to_what_is_locked(void)
{
    enum { ROM = 0x1000, GUARD_SIZE = 0x2000 };
    task_t *const task = &tasks[0];
    const uint8_t all = METE_ACCESS_ALL;
    task->wishes[0] =
        (mete_plan_wish_t){"null", 0U, GUARD_SIZE - 1U, {0U, 0U}, METE_MPU_CACHED, 0U};
    task->wishes[1] = (mete_plan_wish_t){"code",     mpu_target.code_start, mpu_target.code_last,
                                         {all, all}, METE_MPU_CACHED,       0U};
    task->config.backend = &mete_plan_pmp_locked;
    task->config.wishes = task->wishes;
    task->config.wish_count = 2U;
    EXPECT(privileged_reads(ROM));
    EXPECT(mete_plan_init(&task->plan, &task->config).verdict == METE_PLAN_FITS);
    mete_plan_commit(&task->plan, mpu);
    mete_mpu_enable(mpu);
    EXPECT(!privileged_reads(ROM) && !privileged_reads(GUARD_SIZE - 4U) && !privileged_reads(12U));
    EXPECT(privileged_reads(mpu_target.code_start));
    mete_mpu_disable(mpu);
    EXPECT(!privileged_reads(ROM));
}
#endif

int main(void)
{
    RUN(each_task_reaches_its_own);
    RUN(a_new_driver_forgets_what_was);
    RUN(a_commit_leaves_it_on_or_off);
    RUN(without_a_background_privileged_code_is_held_to_regions);
#ifdef __riscv
    RUN(machine_mode_is_held_to_what_is_locked);
#endif
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Switches between the protection of two tasks: mete_plan_commit() of a plan of four regions while another one of four is
// enforced. What it costs is counted from outside, between probe_..._begin and probe_..._end; see
// tools/dev/insn-count. So is a switch between two domains, with an observer. And what a driver must keep, and must forget.

#include "mete/protect/domain.h"
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
void probe_switch_to(const mete_plan_t *plan);

__attribute__((noinline)) void switch_to(const mete_plan_t *plan)
{
    mete_plan_commit(plan, mpu);
}

static mete_domain_t domains;

void switch_domain(mete_domain_task_t *task);
void probe_switch_domain(mete_domain_task_t *task);

__attribute__((noinline)) void switch_domain(mete_domain_task_t *task)
{
    mete_domain_switch(&domains, task);
}

#ifdef __riscv
#define PROBE_CALL(name) \
    __asm__(".text\n.globl probe_" #name ", probe_" #name "_begin, probe_" #name "_end\n" \
            "probe_" #name ": addi sp, sp, -16\n sw ra, 0(sp)\n" \
            "probe_" #name "_begin: jal " #name "\n" \
            "probe_" #name "_end: lw ra, 0(sp)\n addi sp, sp, 16\n ret\n")
#else
#define PROBE_CALL(name) \
    __asm__(".text\n.thumb\n.syntax unified\n" \
            ".globl probe_" #name ", probe_" #name "_begin, probe_" #name "_end\n" \
            ".type probe_" #name ", %function\n" \
            "probe_" #name ": push {r3, lr}\n" \
            "probe_" #name "_begin: bl " #name "\n" \
            "probe_" #name "_end: pop {r3, pc}\n")
#endif
PROBE_CALL(switch_to);
PROBE_CALL(switch_domain);

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
        probe_switch_to(&tasks[i % 2U].plan);
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

// Code is common, and each of two domains has three parts of the arena.
enum { DOMAIN_COUNT = 2, REGION_COUNT = 1 + DOMAIN_COUNT * (WISH_COUNT - 1) };
static size_t told_count;

static void on_event(void *self, const mete_event_t *event)
{
    (void)self;
    (void)event;
    told_count++;
}

static const mete_domain_config_t *domain_config(void)
{
    static mete_domain_region_t regions[REGION_COUNT];
    static mete_domain_books_t books[DOMAIN_COUNT];
    static mete_domain_member_t members[DOMAIN_COUNT];
    static uint8_t owners[REGION_COUNT];
    static mete_domain_usage_t usages[DOMAIN_COUNT];
    static mete_domain_config_t config = {.members = members,
                                          .member_count = DOMAIN_COUNT,
                                          .regions = regions,
                                          .region_count = REGION_COUNT,
                                          .owners = owners,
                                          .usages = usages,
                                          .observer = {on_event, NULL}};
    regions[0] = (mete_domain_region_t){.name = "code",
                                        .start = mpu_target.code_start,
                                        .size = mpu_target.code_last - mpu_target.code_start + 1U,
                                        .owner = METE_DOMAIN_COMMON,
                                        .rights = METE_ACCESS_READ | METE_ACCESS_EXECUTE};
    for (size_t i = 1U; i < REGION_COUNT; i++) {
        const size_t owner = (i - 1U) / (WISH_COUNT - 1U);
        regions[i] = (mete_domain_region_t){.name = "part",
                                            .start = (uintptr_t)&arena[(i + owner) * PART_SIZE],
                                            .size = PART_SIZE / 2U,
                                            .owner = (uint8_t)owner,
                                            .rights = METE_ACCESS_READ | METE_ACCESS_WRITE};
    }
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        books[i] = (mete_domain_books_t){.wishes = tasks[i].wishes,
                                         .shares = tasks[i].shares,
                                         .wish_max = WISH_COUNT,
                                         .images = tasks[i].images,
                                         .ranges = tasks[i].ranges,
                                         .image_max = IMAGE_MAX};
        members[i] = (mete_domain_member_t){.name = "domain", .books = &books[i]};
    }
    config.backend = mpu_target.backend;
    config.mpu = mpu;
    return &config;
}

static void each_domain_reaches_its_own(void)
{
    mete_domain_task_t own[DOMAIN_COUNT];
    EXPECT(mete_domain_init(&domains, domain_config()).verdict == METE_DOMAIN_READY);
    EXPECT(mete_domain_add(&domains, &own[0], 0U) && mete_domain_add(&domains, &own[1], 1U));
    mete_domain_switch(&domains, &own[0]);
    mete_mpu_enable(mpu);
    for (size_t i = 1U; i <= ROUNDS; i++) {
        probe_switch_domain(&own[i % 2U]);
        EXPECT(is_reachable(&tasks[i % 2U]));
        EXPECT(!is_reachable(&tasks[(i + 1U) % 2U]));
    }
    EXPECT(told_count == ROUNDS + 1U);
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
    RUN(each_domain_reaches_its_own);
    RUN(without_a_background_privileged_code_is_held_to_regions);
#ifdef __riscv
    RUN(machine_mode_is_held_to_what_is_locked);
#endif
    return tap_finish();
}

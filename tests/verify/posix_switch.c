// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Switches between the protection of two tasks with four regions each, and between two domains likewise, by pages of the process.
// What the process itself executes in switch_to() and switch_domain() is counted from outside, see tests/verify/switch; what the kernel does is not.

#include "mete/protect/domain.h"
#include "mete/protect/plan_pages.h"
#include "port/os/posix_mprotect.h"

#include <stdio.h>

enum { WISH_COUNT = 4, ROUNDS = 8, PART_SIZE = 4096, PART_COUNT = 16 };

typedef struct task {
    mete_plan_wish_t wishes[WISH_COUNT];
    mete_plan_share_t shares[WISH_COUNT];
    mete_mpu_image_t images[WISH_COUNT];
    mete_plan_range_t ranges[WISH_COUNT];
    mete_plan_config_t config;
    mete_plan_t plan;
} task_t;

static unsigned char arena[PART_COUNT * PART_SIZE] __attribute__((aligned(PART_SIZE)));
static mete_posix_mprotect_t unit;
static task_t tasks[2];

void switch_to(const mete_plan_t *plan, mete_mpu_t mpu);

__attribute__((noinline)) void switch_to(const mete_plan_t *plan, mete_mpu_t mpu)
{
    mete_plan_commit(plan, mpu);
}

static mete_domain_t domains;
void switch_domain(mete_domain_task_t *task);

__attribute__((noinline)) void switch_domain(mete_domain_task_t *task)
{
    mete_domain_switch(&domains, task);
}

// Every other page, of either task its own.
static bool make(task_t *task, unsigned char *memory)
{
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    for (size_t i = 0U; i < WISH_COUNT; i++) {
        const uintptr_t start = (uintptr_t)&memory[2U * i * PART_SIZE];
        task->wishes[i] = (mete_plan_wish_t){"part",   start,           start + PART_SIZE - 1U,
                                             {rw, rw}, METE_MPU_CACHED, 0U};
    }
    task->config = (mete_plan_config_t){.backend = &mete_plan_pages,
                                        .wishes = task->wishes,
                                        .wish_count = WISH_COUNT,
                                        .shares = task->shares,
                                        .images = task->images,
                                        .ranges = task->ranges,
                                        .image_max = WISH_COUNT,
                                        .has_background = true};
    return mete_plan_init(&task->plan, &task->config).verdict == METE_PLAN_FITS;
}

// Two domains, with the regions and the tables of the tasks.
static bool make_domains(mete_mpu_t mpu, mete_domain_task_t *own)
{
    enum { DOMAIN_COUNT = 2, REGION_COUNT = DOMAIN_COUNT * WISH_COUNT };
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
                                          .backend = &mete_plan_pages};
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        regions[i] = (mete_domain_region_t){.name = "part",
                                            .start = (uintptr_t)&arena[2U * i * PART_SIZE],
                                            .size = PART_SIZE,
                                            .owner = (uint8_t)(i / WISH_COUNT),
                                            .rights = METE_ACCESS_READ | METE_ACCESS_WRITE};
    }
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        books[i] = (mete_domain_books_t){.wishes = tasks[i].wishes,
                                         .shares = tasks[i].shares,
                                         .wish_max = WISH_COUNT,
                                         .images = tasks[i].images,
                                         .ranges = tasks[i].ranges,
                                         .image_max = WISH_COUNT};
        members[i] = (mete_domain_member_t){.name = "domain", .books = &books[i]};
    }
    config.mpu = mpu;
    return (mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY) &&
           mete_domain_add(&domains, &own[0], 0U) && mete_domain_add(&domains, &own[1], 1U);
}

int main(void)
{
    mete_domain_task_t own[2];
    const mete_mpu_t mpu = mete_posix_mprotect_init(&unit, (mete_span_t){arena, sizeof arena});
    if (!make(&tasks[0], arena) || !make(&tasks[1], &arena[PART_COUNT / 2 * PART_SIZE])) {
        puts("a plan does not fit");
        return 1;
    }
    mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);
    mete_plan_commit(&tasks[0].plan, mpu);
    mete_mpu_enable(mpu);
    for (size_t i = 1U; i <= ROUNDS; i++) {
        switch_to(&tasks[i % 2U].plan, mpu);
        arena[(i % 2U) * (PART_COUNT / 2U) * PART_SIZE] = 1U;  // Granted now.
    }
    if (!make_domains(mpu, own)) {
        puts("the domains do not fit");
        return 1;
    }
    for (size_t i = 1U; i <= ROUNDS; i++) {
        switch_domain(&own[i % 2U]);
        arena[(i % 2U) * (PART_COUNT / 2U) * PART_SIZE] = 1U;
    }
    mete_mpu_disable(mpu);
    return 0;
}

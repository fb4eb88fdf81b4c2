// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Switches between the protection of two tasks with four regions each, by pages of the process. What the process itself
// executes in switch_to() is counted from outside, see tests/verify/switch; what the kernel does is not.

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

int main(void)
{
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
    mete_mpu_disable(mpu);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A task's protection on a Cortex-M4, planned on a host: code, a stack with a guard, a heap. The heap does not fit as
// it was wished for; it is moved to where it does, and the plan is asked who may do what.

#include "mete/protect/plan.h"
#include "mete/protect/plan_armv7m.h"

#include <stdio.h>

enum { WISH_COUNT = 4, REGION_COUNT = 8, NONE = 0, R = METE_ACCESS_READ };
enum { RW = R | METE_ACCESS_WRITE, RX = R | METE_ACCESS_EXECUTE };

static mete_plan_wish_t wishes[WISH_COUNT] = {
    {"code", 0x08000000, 0x0800BFFF, {RX, RX}, METE_MPU_CACHED, 0},
    {"guard", 0x20000000, 0x2000001F, {NONE, NONE}, METE_MPU_CACHED, 0},
    {"stack", 0x20000020, 0x20000FFF, {RW, RW}, METE_MPU_CACHED, 0},
    {"heap", 0x20001004, 0x2000A003, {RW, RW}, METE_MPU_CACHED, 0},
};
static mete_plan_share_t shares[WISH_COUNT];
static mete_mpu_image_t images[REGION_COUNT];
static mete_plan_range_t ranges[REGION_COUNT];

static void ask(const mete_plan_t *plan, uintptr_t address, mete_access_t access)
{
    const bool allowed = mete_plan_allows(plan, address, 4U, access, METE_UNPRIVILEGED);
    const char *const what = (access == METE_ACCESS_WRITE) ? "write" : "run";
    printf("%s %#lx: %s\n", what, (unsigned long)address, allowed ? "allowed" : "denied");
}

int main(void)
{
    static const mete_plan_config_t config = {.backend = &mete_plan_armv7m,
                                              .wishes = wishes,
                                              .wish_count = WISH_COUNT,
                                              .shares = shares,
                                              .images = images,
                                              .ranges = ranges,
                                              .image_max = REGION_COUNT,
                                              .has_background = true};
    static mete_plan_t plan;
    const mete_plan_result_t result = mete_plan_init(&plan, &config);
    if (result.verdict == METE_PLAN_ALIGN) {
        printf("%s does not fit; %#lx to %#lx would\n", result.wish->name,
               (unsigned long)result.start, (unsigned long)result.last);
        wishes[result.wish - wishes].start = result.start;
        wishes[result.wish - wishes].last = result.last;
    }
    const bool fits = mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS;
    for (size_t i = 0U; i < WISH_COUNT; i++) {
        printf("%s: regions %zu, waste %zu\n", wishes[i].name, shares[i].region_count,
               shares[i].waste_size);
    }
    printf("the first: RBAR %lx\n", (unsigned long)images[0].words[0]);
    ask(&plan, 0x20000FFCU, METE_ACCESS_WRITE);
    ask(&plan, 0x20000010U, METE_ACCESS_WRITE);  // The stack ran over.
    ask(&plan, 0x20000FFCU, METE_ACCESS_EXECUTE);
    return fits ? 0 : 1;
}

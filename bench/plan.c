// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What mete_plan_allows() costs: the function that it calls, for the region that is asked first, the eighth, and
// none of eight; and what it takes to make a plan of three wishes that fit at once, and of six that do not.

#include "bench/probe.h"
#include "mete/protect/plan_armv7m.h"

enum { WISH_COUNT = 8, BASE = 0x20000000 };

static mete_plan_wish_t wishes[WISH_COUNT];
static mete_plan_share_t shares[WISH_COUNT];
static mete_mpu_image_t images[16];
static mete_plan_range_t ranges[16];
static mete_plan_t plan;
static mete_plan_result_t result;

PROBE(mete_plan_allows_span);
bool probe_mete_plan_allows_span(const mete_plan_t *asked, uintptr_t first, uintptr_t last,
                                 uint32_t request);

// mete_plan_allows() is compiled to this call.
static void ask(uintptr_t address)
{
    const bool is_allowed =
        probe_mete_plan_allows_span(&plan, address, address + 3U, METE_ACCESS_WRITE);
    say(is_allowed ? "allowed\n" : "denied\n");
}
PROBE(mete_plan_init);
void probe_mete_plan_init(mete_plan_result_t *made, mete_plan_t *into,
                          const mete_plan_config_t *config);

static void make(size_t count, uintptr_t stride, uintptr_t size, uintptr_t offset)
{
    static mete_plan_config_t config;
    config = (mete_plan_config_t){.backend = &mete_plan_armv7m,
                                  .wishes = wishes,
                                  .wish_count = count,
                                  .shares = shares,
                                  .images = images,
                                  .ranges = ranges,
                                  .image_max = 16U};
    for (size_t i = 0U; i < count; i++) {
        const uintptr_t start = BASE + i * stride + ((i != 0U) ? offset : 0U);
        wishes[i] = (mete_plan_wish_t){
            "wish",
            start,
            start + size - 1U,
            {METE_ACCESS_READ | METE_ACCESS_WRITE, METE_ACCESS_READ | METE_ACCESS_WRITE},
            METE_MPU_CACHED,
            512U};
    }
    // The result comes back through a pointer, as the first argument.
    probe_mete_plan_init(&result, &plan, &config);
    say((result.verdict == METE_PLAN_FITS) ? "fits in " : "does not fit ");
    say_number((uint32_t)plan.image_count);
    say("\n");
}

int main(void)
{
    start_phase("init 3");
    make(3U, 8192U, 4096U, 0U);
    start_phase("init 6");
    make(6U, 8192U, 6176U, 96U);
    start_phase("init 8");
    make(8U, 8192U, 4096U, 0U);
    start_phase("hit 1");
    const uintptr_t highest = images[7].words[0] & ~(uintptr_t)31U;
    const uintptr_t lowest = images[0].words[0] & ~(uintptr_t)31U;
    ask(highest);
    start_phase("hit 8");
    ask(lowest);
    start_phase("miss 8");
    ask(BASE + 7000U);
    return 0;
}

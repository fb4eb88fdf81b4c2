// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What health adds to a call while nothing changes, and what a judgement of two rules takes, with a source that
// takes next to nothing.

#include "mete/system/health.h"
#include "bench/view.h"

enum { JUDGEMENTS = 50 };

static void read_nothing_new(const void *self, mete_health_usage_t *usage)
{
    (void)self;
    usage->total_size = 32768U;
    usage->in_use_size = 20000U;
    usage->frag_permille = 123U;
}

PROBE(mete_health_judge);
void probe_mete_health_judge(mete_health_t *health);

int main(void)
{
    static const mete_health_source_t source = {read_nothing_new, NULL};
    static const mete_health_config_t config = {.interval = SIZE_MAX};
    static flat_t flat;
    static mete_health_t health;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_health_init(&health, bare, &source, 1U, &config);
    work_view("health", mete_health_as_alloc(&health));
    start_phase("health.judge");
    for (uint32_t i = 0U; i < JUDGEMENTS; i++) {
        probe_mete_health_judge(&health);
    }
    return 0;
}

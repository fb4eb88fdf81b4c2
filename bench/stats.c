// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the statistics add to a call.

#include "mete/wrap/stats.h"
#include "bench/view.h"

int main(void)
{
    static flat_t flat;
    static mete_stats_t stats;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_stats_init(&stats, bare, NULL);
    work_view("stats", mete_stats_as_alloc(&stats));
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the account of an owner adds to a call: with a reserve, a warning that is not given, and a
// callback that says who asks.

#include "mete/wrap/quota.h"
#include "bench/view.h"

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

int main(void)
{
    static const mete_quota_limit_t limits[2] = {
        {.size_max = 9000U, .count_max = FLAT_COUNT},
        {.size_max = 9000U, .count_max = FLAT_COUNT, .reserve_size = 500U, .warn_permille = 900U},
    };
    static mete_quota_owner_t owners[2];
    static uint32_t current = 1U;
    static const mete_quota_config_t config = {.limits = limits,
                                               .owners = owners,
                                               .owner_count = 2U,
                                               .capacity_size = 10000U,
                                               .owner = who,
                                               .owner_self = &current};
    static flat_t flat;
    static mete_quota_t quota;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_quota_init(&quota, bare, &config);
    work_view("quota", mete_quota_as_alloc(&quota));
    return 0;
}

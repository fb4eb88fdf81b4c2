// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/fail.h"

#include "mete/core/pass.h"

_Static_assert(offsetof(mete_fail_t, inner) == 0U, "what passes calls on expects it there");

// Marsaglia's xorshift32 ("Xorshift RNGs", 2003); the state is never 0. The upper half is the better one.
static bool is_chosen(mete_fail_t *fail)
{
    uint32_t x = fail->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    fail->random = x;
    return (x >> 16) < fail->plan.chance;
}

// Counts a request and says whether it is refused.
static bool refuses(mete_fail_t *fail, size_t size)
{
    const mete_fail_plan_t *const plan = &fail->plan;
    fail->requests++;
    const bool is_due = (plan->nth != 0U) && ((fail->requests == plan->nth) ||
                                              (plan->is_lasting && (fail->requests > plan->nth)));
    const bool is_large = (plan->size_max != 0U) && (size > plan->size_max);
    if (!is_chosen(fail) && !is_due && !is_large) {
        return false;
    }
    fail->refusals++;
    return true;
}

static void *acquire(void *self, size_t size, size_t align)
{
    return refuses(self, size) ? NULL : mete_pass_acquire(self, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_fail_t *const fail = self;
    return ((new_size <= old_size) || !refuses(fail, new_size)) &&
           fail->inner.ops->resize(fail->inner.self, block, old_size, new_size, align);
}

bool mete_fail_init(mete_fail_t *fail, mete_alloc_t inner, const mete_fail_plan_t *plan)
{
    METE_ASSERT(fail != NULL);
    if ((inner.ops == NULL) || (plan == NULL)) {
        return false;
    }
    fail->inner.ops = inner.ops;
    fail->inner.self = inner.self;
    mete_fail_reset(fail, plan);
    return true;
}

void mete_fail_reset(mete_fail_t *fail, const mete_fail_plan_t *plan)
{
    METE_ASSERT((fail != NULL) && (plan != NULL));
    fail->plan.nth = plan->nth;
    fail->plan.is_lasting = plan->is_lasting;
    fail->plan.chance = plan->chance;
    fail->plan.seed = plan->seed;
    fail->plan.size_max = plan->size_max;
    // Seeds that differ a little start far apart, and none starts at 0.
    fail->random = (plan->seed * 0x9E3779B1U) | 1U;
    fail->requests = 0U;
    fail->refusals = 0U;
}

size_t mete_fail_requests(const mete_fail_t *fail)
{
    METE_ASSERT(fail != NULL);
    return fail->requests;
}

size_t mete_fail_refusals(const mete_fail_t *fail)
{
    METE_ASSERT(fail != NULL);
    return fail->refusals;
}

mete_alloc_t mete_fail_as_alloc(mete_fail_t *fail)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, mete_pass_release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((fail != NULL) && (fail->inner.ops != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(fail->inner)], fail};
    return view;
}

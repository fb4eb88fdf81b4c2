// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a plan that refuses nothing adds to a call.

#include "mete/wrap/fail.h"
#include "bench/view.h"

int main(void)
{
    static const mete_fail_plan_t plan = {0};
    static flat_t flat;
    static mete_fail_t fail;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_fail_init(&fail, bare, &plan);
    work_view("fail", mete_fail_as_alloc(&fail));
    return 0;
}

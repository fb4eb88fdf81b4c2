// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What looking after those who wait adds to a call when nobody does.

#include "mete/wrap/wait.h"
#include "bench/view.h"

int main(void)
{
    static flat_t flat;
    static mete_wait_t waiting;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_wait_init(&waiting, bare);
    work_view("wait", mete_wait_as_alloc(&waiting));
    return 0;
}

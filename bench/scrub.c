// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What wiping adds to a call: here VIEW_SIZE bytes. The flat allocator behind cannot be asked what it
// holds; one that can takes as long as its resize on top.

#include "mete/wrap/scrub.h"
#include "bench/view.h"

int main(void)
{
    static flat_t flat;
    static mete_scrub_t scrub;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_scrub_init(&scrub, bare, 0U);
    work_view("scrub", mete_scrub_as_alloc(&scrub));
    return 0;
}

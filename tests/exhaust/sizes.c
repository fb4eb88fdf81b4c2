// SPDX-License-Identifier: MIT OR Apache-2.0
//
// All 2^32 sizes through the size classes of every module. Exit code 1 if one is wrong.

#include "tests/exhaust/sizes.h"

#include <stdio.h>

static const sizes_subject_t *const subjects[] = {&sizes_heap, &sizes_heap_wide, &sizes_buddy,
                                                  &sizes_tier};

int main(void)
{
    bool is_good = true;
    for (size_t i = 0U; i < sizeof subjects / sizeof subjects[0]; i++) {
        const bool is_right = subjects[i]->are_all_right();
        printf("# sizes of %s: %s\n", subjects[i]->name, is_right ? "all right" : "WRONG");
        (void)fflush(stdout);
        is_good = is_good && is_right;
    }
    return is_good ? 0 : 1;
}

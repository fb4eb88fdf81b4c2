// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What rounding to cache lines adds to a call.

#include "mete/wrap/dma.h"
#include "bench/view.h"

int main(void)
{
    static const mete_dma_config_t config = {.line_size = 32U};
    static flat_t flat;
    static mete_dma_t dma;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_dma_init(&dma, bare, &config);
    work_view("dma", mete_dma_as_alloc(&dma));
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What an open seal adds to a call.

#include "mete/wrap/seal.h"
#include "bench/view.h"

int main(void)
{
    static const mete_seal_config_t config = {0};
    static flat_t flat;
    static mete_seal_t seal;
    const mete_alloc_t bare = flat_init(&flat);
    work_view("bare", bare);
    (void)mete_seal_init(&seal, bare, &config);
    work_view("seal", mete_seal_as_alloc(&seal));
    return 0;
}

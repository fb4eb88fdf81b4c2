// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/object/vault.h"
#include "mete/system/system.h"

// Field by field: as a whole it may be copied by memcpy(), which is libc.
static void choose(mete_alloc_t *chosen, const mete_alloc_t *wanted, const mete_alloc_t *any)
{
    const mete_alloc_t *const from = (wanted->ops != NULL) ? wanted : any;
    chosen->ops = from->ops;
    chosen->self = from->self;
}

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    const mete_system_vault_t *const wanted = place->own;
    (void)view;
    if (wanted == NULL) {
        return false;
    }
    const mete_alloc_t any = mete_system_as_alloc(place->system, METE_SYSTEM_VARIABLE);
    mete_alloc_t sealed;
    mete_alloc_t plain;
    choose(&sealed, &wanted->sealed, &any);
    choose(&plain, &wanted->plain, &any);
    return mete_vault_init(state, sealed, plain, wanted->cipher, wanted->vault);
}

const mete_system_part_t mete_system_with_vault = {sizeof(mete_vault_t), 0U, 0U, false, init, NULL};

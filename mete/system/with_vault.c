// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/object/vault.h"
#include "mete/system/system.h"

static bool init(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    const mete_system_vault_t *const wanted = place->own;
    (void)view;
    if (wanted == NULL) {
        return false;
    }
    const mete_alloc_t any = mete_system_as_alloc(place->system, METE_SYSTEM_VARIABLE);
    return mete_vault_init(state, (wanted->sealed.ops != NULL) ? wanted->sealed : any,
                           (wanted->plain.ops != NULL) ? wanted->plain : any, wanted->cipher,
                           wanted->vault);
}

const mete_system_part_t mete_system_with_vault = {sizeof(mete_vault_t), 0U, 0U, false, init, NULL};

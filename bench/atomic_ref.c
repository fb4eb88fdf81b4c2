// SPDX-License-Identifier: MIT OR Apache-2.0
//
// As bench/ref.c, and nobody else calling.

#include "mete/object/atomic_ref.h"
#include "bench/references.h"

static mete_atomic_ref_t kind;

PROBE(mete_atomic_ref_retain);
void probe_mete_atomic_ref_retain(mete_atomic_ref_t *kind, void *object);
PROBE(mete_atomic_ref_drop);
void probe_mete_atomic_ref_drop(mete_atomic_ref_t *kind, void *object);

static void retain(void *object)
{
    probe_mete_atomic_ref_retain(&kind, object);
}

static void drop(void *object)
{
    probe_mete_atomic_ref_drop(&kind, object);
}

int main(void)
{
    void *objects[OBJECT_COUNT];
    start_phase("atomic_ref");
    (void)mete_atomic_ref_init(&kind, open_pool(), &config);
    for (uint32_t i = 0U; i < OBJECT_COUNT; i++) {
        objects[i] = mete_atomic_ref_alloc(&kind);
    }
    share(objects, retain, drop);
    return 0;
}

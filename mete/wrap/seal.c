// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/seal.h"

#include "mete/core/pass.h"

// Open is one word among four billion. Closed is every other.
#define OPEN   0x6F70656EU
#define CLOSED 0U

_Static_assert(offsetof(mete_seal_t, inner) == 0U, "what passes calls on expects it there");

static bool is_open(const mete_seal_t *seal)
{
    return seal->state == OPEN;
}

// What a call that came too late leaves behind.
static void note(mete_seal_t *seal, const void *block, size_t size, const void *own_caller)
{
    const mete_seal_config_t *const config = seal->config;
    seal->refusals += (seal->refusals != UINT32_MAX) ? 1U : 0U;
    const void *const caller = (config->site != NULL) ? config->site->caller : own_caller;
    const mete_event_t event = {METE_EVENT_REFUSE, seal, block, size, caller};
    mete_observe(config->observer, &event);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_seal_t *const seal = self;
    if (!METE_LIKELY(is_open(seal))) {
        note(seal, NULL, size, METE_CALLER());
        METE_FAULT(METE_FAULT_ORDER, seal, NULL);
        return NULL;
    }
    return seal->inner.ops->acquire(seal->inner.self, size, align);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_seal_t *const seal = self;
    if (!METE_LIKELY(is_open(seal) || seal->config->allows_release)) {
        note(seal, block, size, METE_CALLER());
        METE_FAULT(METE_FAULT_ORDER, seal, block);
        return;
    }
    seal->inner.ops->release(seal->inner.self, block, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_seal_t *const seal = self;
    const bool is_allowed = is_open(seal) || (new_size == old_size) ||
                            ((new_size < old_size) && seal->config->allows_release);
    if (!METE_LIKELY(is_allowed)) {
        note(seal, block, new_size, METE_CALLER());
        METE_FAULT(METE_FAULT_ORDER, seal, block);
        return false;
    }
    return seal->inner.ops->resize(seal->inner.self, block, old_size, new_size, align);
}

bool mete_seal_init(mete_seal_t *seal, mete_alloc_t inner, const mete_seal_config_t *config)
{
    METE_ASSERT(seal != NULL);
    if ((inner.ops == NULL) || (config == NULL)) {
        return false;
    }
    seal->inner.ops = inner.ops;
    seal->inner.self = inner.self;
    seal->config = config;
    seal->state = OPEN;
    seal->refusals = 0U;
    return true;
}

void mete_seal_close(mete_seal_t *seal)
{
    METE_ASSERT((seal != NULL) && (seal->config != NULL));
    seal->state = CLOSED;
}

bool mete_seal_is_closed(const mete_seal_t *seal)
{
    METE_ASSERT((seal != NULL) && (seal->config != NULL));
    return !is_open(seal);
}

uint32_t mete_seal_refusals(const mete_seal_t *seal)
{
    METE_ASSERT((seal != NULL) && (seal->config != NULL));
    return seal->refusals;
}

mete_alloc_t mete_seal_as_alloc(mete_seal_t *seal)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((seal != NULL) && (seal->config != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(seal->inner)], seal};
    return view;
}

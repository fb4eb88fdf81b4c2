// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Which members have the attributes is decided at init: they become hops, and no call looks at attributes
// again. Behind them stands an end whose region is everything: so the search for the owner of a block
// needs no other end. What is released to it lies in no member's region, and it asks the members.

#include "mete/alloc/route.h"

// A copy that the compiler does not know to be one. A value that is handed to a call and needed behind it
// otherwise moves to the register that is kept and from there back to that of the argument.
#define KEPT(value) \
    __extension__({ \
        size_t kept = (value); \
        __asm__("" : "+r"(kept)); \
        kept; \
    })

// Two values that are neighbours in memory, loaded one right after the other: cores that can do so then load
// both at once.
#define BOTH_LOADED(a, b) __asm__("" : "+r"(a), "+r"(b))

static inline bool is_end(const mete_route_hop_t *hop)
{
    return hop->ops == NULL;
}

// ---- Owners

// The first hop in whose region an address lies; else the end.
static inline const mete_route_hop_t *hop_of(const mete_route_hop_t *hops, const void *address)
{
    const mete_route_hop_t *hop = hops;
    while ((uintptr_t)address - hop->start > hop->last) {  // At most member_count times.
        hop++;
    }
    return hop;
}

// The first hop whose member says that it owns an address; else the end.
static const mete_route_hop_t *asked_hop_of(const mete_route_hop_t *hops, const void *address)
{
    const mete_route_hop_t *hop = hops;
    while (!is_end(hop) && !hop->ops->owns(hop->self, address)) {  // Likewise.
        hop++;
    }
    return hop;
}

// NULL: no member owns it. The address NULL is that of an unknown region.
static const mete_route_hop_t *owner_of(const mete_route_hop_t *hops, const void *address)
{
    const mete_route_hop_t *owner = hop_of(hops, address);
    if (is_end(owner) || (address == NULL)) {
        owner = asked_hop_of(hops, address);
    }
    return is_end(owner) ? NULL : owner;
}

static const mete_route_t *route_of(const mete_route_hop_t *hops)
{
    const mete_route_hop_t *hop = hops;
    while (!is_end(hop)) {  // At most member_count times.
        hop++;
    }
    return (const mete_route_t *)hop->self;
}

// Level 3 looks at everything after every operation.
static inline bool is_sound(const mete_route_hop_t *hops)
{
    return (METE_CHECK_LEVEL < 3) || mete_route_check(route_of(hops));
}

// ---- The route as an allocator. Its self are the hops.

// What the end returns, so that the search ends: not NULL, and no block, for no span reaches so far.
#define REFUSED UINTPTR_MAX

static void *refuse(void *self, size_t size, size_t align)
{
    (void)size, (void)align;
    ((mete_route_t *)self)->refusals++;
    return (void *)REFUSED;
}

static inline void *ask(const mete_route_hop_t *hop, size_t size, size_t align)
{
    void *self = hop->self;
    void *(*acquire)(void *self, size_t size, size_t align) = hop->acquire;
    BOTH_LOADED(self, acquire);
    return acquire(self, size, align);
}

// The member at `hop` refused: asks those behind, three in a round, so that one refusal costs no more than
// the next call and a branch. The end does not refuse, so none behind it is asked.
static inline void *acquire_behind(const mete_route_hop_t *hop, size_t size, size_t align)
{
    void *block = NULL;
    while (block == NULL) {  // At most member_count / 3 times, rounded up.
        block = ask(&hop[1], size, align);
        if (block == NULL) {
            block = ask(&hop[2], size, align);
        }
        if (block == NULL) {
            block = ask(&hop[3], size, align);
        }
        hop += 3;
    }
    if ((uintptr_t)block == REFUSED) {
        block = (void *)KEPT(0U);  // Not known to be constant, so that a branch decides.
    }
    return block;
}

static inline void *acquire_from(const mete_route_hop_t *hop, size_t size, size_t align)
{
    const size_t kept_align = KEPT(align);
    const size_t kept_size = KEPT(size);
    void *const block = hop->acquire(hop->self, size, align);
    return METE_LIKELY(block != NULL) ? block : acquire_behind(hop, kept_size, kept_align);
}

static void *acquire_in_order(void *self, size_t size, size_t align)
{
    void *const block = acquire_from((const mete_route_hop_t *)self, size, align);
    if (!is_sound((const mete_route_hop_t *)self)) {
        METE_FAULT(METE_FAULT_CORRUPT, route_of((const mete_route_hop_t *)self), NULL);
    }
    return block;
}

static void release_to_owner(void *self, void *block, size_t size, size_t align)
{
    const mete_route_hop_t *const hop = hop_of((const mete_route_hop_t *)self, block);
    hop->release(hop->self, block, size, align);
    if (!is_sound((const mete_route_hop_t *)self)) {
        METE_FAULT(METE_FAULT_CORRUPT, route_of((const mete_route_hop_t *)self), NULL);
    }
}

// Of the end: the block lies in no member's region.
static void release_by_asking(void *self, void *block, size_t size, size_t align)
{
    const mete_route_t *const route = (const mete_route_t *)self;
    const mete_route_hop_t *const hop = asked_hop_of(route->config->hops, block);
    if (is_end(hop)) {
        METE_FAULT(METE_FAULT_FOREIGN, route, block);
        return;
    }
    hop->release(hop->self, block, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_route_hop_t *const owner = owner_of((const mete_route_hop_t *)self, block);
    if (owner == NULL) {
        METE_FAULT(METE_FAULT_FOREIGN, route_of((const mete_route_hop_t *)self), block);
        return false;
    }
    return (owner->ops->resize != NULL)
               ? owner->ops->resize(owner->self, block, old_size, new_size, align)
               : (new_size == old_size);
}

static bool owns(const void *self, const void *address)
{
    return owner_of((const mete_route_hop_t *)self, address) != NULL;
}

static size_t size_of(const void *self, const void *block)
{
    const mete_route_hop_t *const owner = owner_of((const mete_route_hop_t *)self, block);
    const bool is_known = (owner != NULL) && (owner->ops->size_of != NULL);
    return is_known ? owner->ops->size_of(owner->self, block) : 0U;
}

mete_alloc_t mete_route_as_alloc(mete_route_t *route)
{
    static const mete_alloc_ops_t ops = {acquire_in_order, release_to_owner, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, route->config->hops};
    return alloc;
}

// ---- Public functions

static bool is_able(const mete_route_member_t *member)
{
    const mete_alloc_ops_t *const ops = member->alloc.ops;
    const mete_span_t span = member->region.span;
    return (ops != NULL) && (ops->owns != NULL) && ((span.size == 0U) || mete_span_is_legal(span));
}

static bool overlap(mete_span_t a, mete_span_t b)
{
    return (a.size != 0U) && (b.size != 0U) &&
           (mete_span_has(a, b.start) || mete_span_has(b, a.start));
}

static bool are_legal(const mete_route_member_t members[], size_t count)
{
    for (size_t i = 0U; i < count; i++) {
        if (!is_able(&members[i])) {
            return false;
        }
        for (size_t j = 0U; j < i; j++) {
            if (overlap(members[i].region.span, members[j].region.span)) {
                return false;
            }
        }
    }
    return true;
}

static size_t count_with(const mete_route_member_t members[], size_t count, uint32_t required)
{
    size_t found = 0U;
    for (size_t i = 0U; i < count; i++) {
        found += mete_region_has_all(&members[i].region, required) ? 1U : 0U;
    }
    return found;
}

// An unknown region is that of NULL, which is nobody's block.
static void set_hop(mete_route_hop_t *hop, const mete_route_member_t *member)
{
    const mete_span_t span = member->region.span;
    hop->self = member->alloc.self;
    hop->ops = member->alloc.ops;
    hop->acquire = member->alloc.ops->acquire;
    hop->release = member->alloc.ops->release;
    hop->start = (span.size != 0U) ? (uintptr_t)span.start : 0U;
    hop->last = (span.size != 0U) ? span.size - 1U : 0U;
}

static void set_end(mete_route_hop_t *hop, mete_route_t *route)
{
    hop->self = route;
    hop->ops = NULL;
    hop->acquire = refuse;
    hop->release = release_by_asking;
    hop->start = 0U;
    hop->last = UINTPTR_MAX;
}

bool mete_route_init(mete_route_t *route, const mete_route_member_t members[], size_t count,
                     const mete_route_config_t *config)
{
    METE_ASSERT(route != NULL);
    if ((members == NULL) || (config == NULL) || (config->hops == NULL) ||
        !are_legal(members, count)) {
        return false;
    }
    const size_t member_count = count_with(members, count, config->required);
    if ((member_count == 0U) || (member_count >= config->hop_count)) {
        return false;
    }
    mete_route_hop_t *hop = config->hops;
    for (size_t i = 0U; i < count; i++) {
        if (mete_region_has_all(&members[i].region, config->required)) {
            set_hop(hop, &members[i]);
            hop++;
        }
    }
    set_end(hop, route);
    route->config = config;
    route->member_count = member_count;
    route->refusals = 0U;
    METE_ASSERT(mete_route_check(route));
    return true;
}

mete_route_usage_t mete_route_usage(const mete_route_t *route)
{
    METE_ASSERT((route != NULL) && (route->config != NULL));
    const mete_route_usage_t usage = {route->member_count, route->refusals};
    return usage;
}

static bool is_hop_sound(const mete_route_hop_t *hop)
{
    return (hop->ops != NULL) && (hop->acquire == hop->ops->acquire) &&
           (hop->release == hop->ops->release) && (hop->last <= UINTPTR_MAX - hop->start);
}

bool mete_route_check(const mete_route_t *route)
{
    METE_ASSERT(route != NULL);
    if ((route->config == NULL) || (route->member_count == 0U) ||
        (route->member_count >= route->config->hop_count)) {
        return false;
    }
    const mete_route_hop_t *const hops = route->config->hops;
    size_t i = 0U;
    while ((i < route->member_count) && is_hop_sound(&hops[i])) {
        i++;
    }
    const mete_route_hop_t *const end = &hops[i];
    return (i == route->member_count) && (end->self == route) && is_end(end) &&
           (end->acquire == refuse) && (end->release == release_by_asking) && (end->start == 0U) &&
           (end->last == UINTPTR_MAX);
}

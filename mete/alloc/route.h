// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ROUTE_H
#define METE_ROUTE_H

/// Several allocators in an order, and of these only the ones whose memory is good enough.
///
/// Reach for it when memory comes in pieces that are not alike: tightly coupled memory that no DMA
/// controller reaches, a bank that is lost in sleep, an external chip. Each piece gets an allocator of
/// its own; a route names the attributes that its users require, and tries the members that have them,
/// in order. A program has one route for each kind of need, all over the same members. A route that
/// requires nothing is a plain list of fallbacks.
///
/// The STM32F407 has 64 KiB at 0x10000000 that only the core reaches, and 128 KiB at 0x20000000. Too
/// far apart for one narrow heap, so there are two; in fast memory first, but never what is for DMA:
///
///     static const mete_region_t ccm = {{(void *)0x10000000, 65536}, METE_REGION_FAST};
///     static const mete_region_t sram = {{(void *)0x20000000, 131072}, METE_REGION_DMA};
///     METE_ROUTE_DEFINE(anywhere, 2, 0);
///     METE_ROUTE_DEFINE(dma, 2, METE_REGION_DMA);
///
///     const mete_route_member_t members[] = {{mete_heap_as_alloc(ccm_heap), ccm},
///                                            {mete_heap_as_alloc(sram_heap), sram}};
///     mete_route_init(&anywhere, members, 2, &anywhere_config);
///     mete_route_init(&dma, members, 2, &dma_config);
///     void *const packet = mete_acquire(mete_route_as_alloc(&dma), 1514, 4);  // In SRAM, or NULL.
///
///   Time     What the members take, and on a Cortex-M4 at most 12 instructions and 6 for each that is
///            passed: acquire asks those that have the attributes in order. Those without cost nothing.
///            release finds the owner by its region, or else asks whether they own the block:
///            O(members). init: O(members * members).
///   Space    One mete_route_hop_t for each member that has the attributes, and one more.
///   Align    As the members. One that cannot align a block is passed.
///   Threads  acquire changes one counter of the route when it refuses, nothing else: a route is as
///            safe to share as its members are, but for that counter.
///   Errors   Running out is ordinary: NULL, counted. Misuse is found by the member that gets the
///            block back; FOREIGN, and no effect, if it is no member's.

#include "mete/core/alloc.h"
#include "mete/core/region.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An allocator and where its memory lies. It must know what it owns.
typedef struct mete_route_member {
    mete_alloc_t alloc;
    /// Its attributes, and the memory of which this member alone hands out: what lies there is
    /// released to it without asking. Size 0 if that is unknown, or if members share a region. Blocks
    /// may lie elsewhere too, as those of a heap to which memory was added: whoever owns them is asked.
    mete_region_t region;
} mete_route_member_t;

/// A member as the route uses it. The caller provides an array of these and looks at none. What is read
/// together is neighbours, for cores that load two words at once.
typedef struct mete_route_hop {
    void *self;
    void *(*acquire)(void *self, size_t size, size_t align);
    uintptr_t start;  // Of the region,
    uintptr_t last;   // and its size less 1.
    void (*release)(void *self, void *block, size_t size, size_t align);
    const mete_alloc_ops_t *ops;  // NULL: the end.
} mete_route_hop_t;

/// What a route is for. It keeps a pointer to this, so it must outlive the route; const is best.
typedef struct mete_route_config {
    mete_route_hop_t *hops;  ///< hop_count entries, owned by the route from init onwards.
    size_t hop_count;        ///< At least 1 more than members have the attributes.
    uint32_t required;       ///< METE_REGION_ attributes that a member must have, joined; 0: none.
} mete_route_config_t;

/// A route. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_route {
    size_t member_count;  // That have the attributes.
    size_t refusals;
    const mete_route_config_t *config;
} mete_route_t;

/// How a route has done.
typedef struct {
    size_t member_count;  ///< Members that have the attributes.
    size_t refusals;  ///< Requests that none of them could serve, since init; wraps at SIZE_MAX.
} mete_route_usage_t;

/// A route over those of `members`, `count` of them, that have the attributes required, in their
/// order. The members are copied. Returns false, changing nothing, if none has the attributes, if the
/// config is missing or has too few hops, or if a member is missing, does not know what it owns, or
/// has a region that is not legal or overlaps another's.
bool mete_route_init(mete_route_t *route, const mete_route_member_t members[], size_t count,
                     const mete_route_config_t *config);

/// How the route has done.
mete_route_usage_t mete_route_usage(const mete_route_t *route);

/// True if the hops agree with themselves and the config; false before the first init. Changes
/// nothing. O(members).
bool mete_route_check(const mete_route_t *route);

/// The route as an allocator. A block is resized where it stands or not at all. owns: true if it lies
/// in a member's region or a member says so. size_of: what the owner says, 0 if it does not know.
mete_alloc_t mete_route_as_alloc(mete_route_t *route);

/// A route `name` over at most `count` members, and `name_config` to initialise it with. At file scope,
/// or static in a function.
#define METE_ROUTE_DEFINE(name, count, required) \
    static mete_route_hop_t name##_hops[(count) + 1U]; \
    static const mete_route_config_t name##_config = {name##_hops, (count) + 1U, (required)}; \
    static mete_route_t name

#ifdef __cplusplus
}
#endif
#endif

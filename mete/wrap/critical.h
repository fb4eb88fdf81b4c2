// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_CRITICAL_H
#define METE_CRITICAL_H

/// An allocator that tasks and interrupts share: every call is a critical section.
///
/// The cheapest way to share an allocator on one core, and the only one that lets an interrupt acquire.
/// The price: interrupts stay off for as long as the allocator behind takes, so that must be short and
/// bounded, as pool and heap are. Where it is not, or where another core calls too, take
/// mete/wrap/lock.h, and for interrupts mete/wrap/defer.h.
///
///     static mete_critical_t critical;
///     (void)mete_critical_init(&critical, mete_pool_as_alloc(&pool), NULL);
///     const mete_alloc_t shared = mete_critical_as_alloc(&critical);
///
/// A program whose METE_CONFIG_HEADER includes port/os/bare_metal_inline.h has the critical section
/// compiled into every call: then it adds 10 instructions on a Cortex-M4, or 11 with a site to tell. Others
/// link mete_critical_enter() and mete_critical_leave(): those of a port in port/os/, or their own.
///
///   Time     Interrupts off for the call behind and a few instructions. No loop.
///   Space    One mete_critical_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  All calls exclude each other, from tasks and interrupts of one core, as far as the
///            platform's critical section does. A hook behind runs in it, and may come back through
///            this view if the allocator behind allows that.
///   Errors   As the allocator behind. Faults are reported within the critical section.

#include "mete/core/alloc.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An allocator behind a critical section. The fields are here so that it can be static.
typedef struct mete_critical {
    mete_alloc_t inner;
    mete_site_t *site;
} mete_critical_t;

/// Puts the platform's critical section in front of `inner`. `site` is told, within it, where the
/// program called from, for a tracker behind; NULL if nobody asks. Returns false, changing nothing,
/// if the allocator is missing.
bool mete_critical_init(mete_critical_t *critical, mete_alloc_t inner, mete_site_t *site);

/// The shared allocator. It can resize, and knows owns and size_of, if the allocator behind does.
mete_alloc_t mete_critical_as_alloc(mete_critical_t *critical);

#ifdef __cplusplus
}
#endif
#endif

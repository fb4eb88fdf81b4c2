// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SEAL_H
#define METE_SEAL_H

/// No allocation after start: from a certain moment on, whoever asks for memory has a bug.
///
/// Safety standards allow dynamic memory while a program starts, if at all. JSF AV C++ rule 206 forbids to
/// allocate and to deallocate after that; "The Power of Ten" (Holzmann, 2006), rule 3, to allocate.
/// MISRA C:2012 directive 4.12 forbids it altogether: then do not link an allocator, and let
/// tools/dev/who-allocates confirm it.
///
///     static const mete_seal_config_t config = {.observer = {NULL, NULL}};
///     static mete_seal_t seal;
///     (void)mete_seal_init(&seal, mete_arena_as_alloc(&arena), &config);
///     start_everything(mete_seal_as_alloc(&seal));
///     mete_seal_close(&seal);  // Acquiring is a fault now. There is no way back.
///
/// Releases are refused too, unless the config allows them: the strictest rule is the default. A
/// program that lets go of things as it shuts down says so.
///
///   Time     A compare a call. No loop.
///   Space    One mete_seal_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front. Closing is
///            one store.
///   Errors   As the allocator behind. After close: METE_FAULT_ORDER, no effect, and the observer
///            hears of it. At level 0 as well, for this is no check but what the seal is for.
///
/// Whatever overwrites the seal's state closes it; only one value of a word is open.

#include "mete/core/alloc.h"
#include "mete/core/observe.h"

#ifdef __cplusplus
extern "C" {
#endif

/// It must outlive the seal; const is best.
typedef struct mete_seal_config {
    bool allows_release;  ///< After close, releases and resizes to less still work.

    /// Where a wrapper in front leaves the address the program called from. NULL if there is none in
    /// front: then whoever calls the view is the program.
    const mete_site_t *site;

    mete_observer_t observer;  ///< Hears METE_EVENT_REFUSE of each call that came too late.
} mete_seal_config_t;

/// The fields are here so that it can be static.
typedef struct mete_seal {
    mete_alloc_t inner;
    const mete_seal_config_t *config;
    uint32_t state;
    uint32_t refusals;
} mete_seal_t;

/// Puts the seal, open, in front of `inner`. Returns false, changing nothing, if the allocator or the config
/// is missing.
bool mete_seal_init(mete_seal_t *seal, mete_alloc_t inner, const mete_seal_config_t *config);

/// From now on every acquire, and every resize to more, is refused and reported; releases and
/// resizes to less too, unless the config allows them. A resize to the same size, which changes nothing,
/// is passed on. May be called again.
void mete_seal_close(mete_seal_t *seal);

/// True after mete_seal_close().
bool mete_seal_is_closed(const mete_seal_t *seal);

/// Calls that came too late. Stops at UINT32_MAX.
uint32_t mete_seal_refusals(const mete_seal_t *seal);

/// The allocator that can be sealed. It can resize, and knows owns and size_of, if the one behind does.
mete_alloc_t mete_seal_as_alloc(mete_seal_t *seal);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_FAIL_H
#define METE_FAIL_H

/// Refuses requests on purpose: does the program survive running out of memory?
///
/// The usual test: run a piece of work again and again, refusing its first request, then its second, and so
/// on until one run meets no refusal. Each run must end well and leave nothing behind.
///
///     for (size_t nth = 1;; nth++) {
///         const mete_fail_plan_t plan = {.nth = nth};
///         mete_fail_reset(&fail, &plan);
///         work(mete_fail_as_alloc(&fail));
///         if (mete_fail_refusals(&fail) == 0) {
///             break;
///         }
///     }
///
///   Time     A few instructions a call. No loop.
///   Space    One mete_fail_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   A refusal looks like any other: NULL, or false for a resize. What the allocator behind refuses
///            is not counted here.
///
/// A request is an acquire, or a resize to more than there was: the two that a program must expect to fail.

#include "mete/core/alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

/// `percent` as a chance, 0 ... 100.
#define METE_FAIL_CHANCE(percent) ((uint32_t)(percent)*65536U / 100U)

/// What is refused. All zero: nothing. A request is refused if any of these says so.
typedef struct mete_fail_plan {
    size_t nth;       ///< This request, 1 being the next; 0: none in particular.
    bool is_lasting;  ///< And all after it.
    uint32_t chance;  ///< So many of 65536 requests, at random: 0 ... 65536.
    uint32_t seed;    ///< Where chance starts; the same seed, the same refusals.
    size_t size_max;  ///< Requests for more bytes than these; 0: none.
} mete_fail_plan_t;

/// The fields are here so that it can be static.
typedef struct mete_fail {
    mete_alloc_t inner;
    mete_fail_plan_t plan;
    uint32_t random;
    size_t requests;
    size_t refusals;
} mete_fail_t;

/// Puts the wrapper in front of `inner`. Returns false, changing nothing, if the allocator or the plan is
/// missing.
bool mete_fail_init(mete_fail_t *fail, mete_alloc_t inner, const mete_fail_plan_t *plan);

/// Starts over with another plan, or the same: counts from 0, chance from its seed. It is copied.
void mete_fail_reset(mete_fail_t *fail, const mete_fail_plan_t *plan);

/// Requests since then, and how many of them were refused on purpose.
size_t mete_fail_requests(const mete_fail_t *fail);
size_t mete_fail_refusals(const mete_fail_t *fail);

/// The allocator that fails. It can resize, and knows owns and size_of, if the one behind does.
mete_alloc_t mete_fail_as_alloc(mete_fail_t *fail);

#ifdef __cplusplus
}
#endif
#endif

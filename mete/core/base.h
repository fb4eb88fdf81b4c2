// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BASE_H
#define METE_BASE_H

/// What every module shares: how a bug is reported, how much is checked, who the caller was.
///
/// Five macros adapt Mete to a program. Define them in one header of your own and name it when you
/// compile: -DMETE_CONFIG_HEADER='"my_mete_config.h"', the same for Mete and for all that includes it.
/// All have defaults.
///
///     METE_FAULT(fault, object, address)  An expression, evaluated when a bug is found. Default: trap.
///     METE_CHECK_LEVEL                    How much is checked, 0 ... 3. Default: 1.
///     METE_LIKELY(condition)              Which way a branch usually goes.
///     METE_SECTION                        Attribute of the storage that METE_..._DEFINE creates.
///     METE_NO_DIRECT_CALLS                Hides mete_pool_alloc() and its like: only views allocate.
///
/// METE_FAULT expands in the function that the program called, so a handler may take
/// __builtin_return_address(0) there. It should not return. If it does, the call that was refused
/// has had no effect; only after METE_FAULT_ASSERT is nothing promised. One that reports and stops:
///
///     #define METE_FAULT(f, o, a) mete_fault_report(f, o, a, __builtin_return_address(0))

#ifdef METE_CONFIG_HEADER
#include METE_CONFIG_HEADER
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What went wrong, as passed to METE_FAULT.
typedef enum mete_fault {
    METE_FAULT_ASSERT = 1,   ///< A precondition or an internal invariant does not hold.
    METE_FAULT_ALIGN,        ///< An alignment that is zero or no power of two.
    METE_FAULT_FOREIGN,      ///< The address is not the start of a block of this allocator.
    METE_FAULT_DOUBLE_FREE,  ///< The block is already free.
    METE_FAULT_SIZE,         ///< The size or alignment is not the one the block was acquired with.
    METE_FAULT_ORDER,        ///< Calls came in an order that was excluded: a rewind out of turn.
    METE_FAULT_OVERFLOW,     ///< A stack or buffer ran over its end.
    METE_FAULT_CORRUPT,      ///< The bookkeeping was overwritten.
    METE_FAULT_ACCESS        ///< Protection did not let an access happen.
} mete_fault_t;

#ifdef __cplusplus
extern "C" {
#endif

/// Says on the platform's console what was wrong, then stops the program. In port/os/, or your own.
__attribute__((noreturn)) void mete_fault_report(mete_fault_t fault, const void *object,
                                                 const void *address, const void *caller);

#ifdef __cplusplus
}
#endif

#ifndef METE_FAULT
#define METE_FAULT(fault, object, address) \
    ((void)sizeof(fault), (void)sizeof(object), (void)sizeof(address), __builtin_trap())
#endif

/// 0: nothing. 1: O(1) checks of what callers hand in and of every link before it is followed.
/// 2: internal pre- and postconditions too. 3: the module's check() after every operation.
#ifndef METE_CHECK_LEVEL
#define METE_CHECK_LEVEL 1
#endif

#ifndef METE_LIKELY
#define METE_LIKELY(condition) __builtin_expect(!!(condition), 1)
#endif

#ifndef METE_SECTION
#define METE_SECTION
#endif

#ifdef METE_NO_DIRECT_CALLS
#define METE_DIRECT __attribute__((unused)) static
#else
#define METE_DIRECT
#endif

/// States what must hold. Costs nothing below level 2.
#if METE_CHECK_LEVEL >= 2
#define METE_ASSERT(condition) \
    ((condition) ? (void)0 : (void)(METE_FAULT(METE_FAULT_ASSERT, NULL, NULL)))
#else
#define METE_ASSERT(condition) ((void)0)
#endif

/// Inlined even without optimisation, so that the caller's address is the program's own.
#define METE_INLINE static inline __attribute__((always_inline))

/// Where the program called from. The outermost wrapper of a chain writes it, wrappers behind read
/// it: the application owns one and names it in their configs. See mete/wrap/lock.h.
typedef struct mete_site {
    const void *caller;
} mete_site_t;

/// The address that the function in which this stands will return to.
#define METE_CALLER() __builtin_return_address(0)

#endif

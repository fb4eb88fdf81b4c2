// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ATOMIC_H
#define METE_ATOMIC_H

/// Words that tasks, interrupts and cores share without a lock.
///
/// A word is a plain size_t, so that structs with such words stay valid C++. There are two forms. Where
/// the core has exclusive access or a compare-and-swap, these are the compiler's builtins, inline. Where
/// it has neither (ARMv6-M), mete/core/atomic_critical.h masks interrupts for the few instructions of a
/// change; that form is for one core, unless the port's critical section keeps other cores out as well.
/// Neither form is ever a call into a library.
///
/// Orders are named as C11 does. `relaxed` promises only that the word itself is not torn. What was
/// written before a `release` is seen by whoever read the released value, or one that replaced or added
/// to it, with an `acquire`. Words must be aligned, as variables of type size_t are.

#include "mete/core/atomic_critical.h"

// A core that can swap words of twice the size is not worse off.
#if (defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_4) && (__SIZEOF_SIZE_T__ == 4)) || \
    (defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_8) && (__SIZEOF_SIZE_T__ == 8))
#define METE_ATOMIC_BUILTIN 1
#else
#define METE_ATOMIC_BUILTIN 0
#endif

// How a core lets others go first. Where several cores at one word are not the rule: not at all.
#if defined(__x86_64__) || defined(__i386__)
#define METE_ATOMIC_PAUSE()     __builtin_ia32_pause()
#define METE_ATOMIC_PAUSE_FIRST 16U
#elif defined(__aarch64__)
#define METE_ATOMIC_PAUSE()     __asm__ volatile("yield")
#define METE_ATOMIC_PAUSE_FIRST 16U
#else
#define METE_ATOMIC_PAUSE()     ((void)0)
#define METE_ATOMIC_PAUSE_FIRST 0U
#endif

METE_INLINE size_t mete_atomic_load_relaxed(const size_t *word)
{
    return METE_ATOMIC_BUILTIN ? __atomic_load_n(word, __ATOMIC_RELAXED)
                               : mete_atomic_critical_load(word);
}

METE_INLINE size_t mete_atomic_load_acquire(const size_t *word)
{
    return METE_ATOMIC_BUILTIN ? __atomic_load_n(word, __ATOMIC_ACQUIRE)
                               : mete_atomic_critical_load(word);
}

METE_INLINE void mete_atomic_store_relaxed(size_t *word, size_t value)
{
    if (METE_ATOMIC_BUILTIN) {
        __atomic_store_n(word, value, __ATOMIC_RELAXED);
    } else {
        mete_atomic_critical_store(word, value);
    }
}

METE_INLINE void mete_atomic_store_release(size_t *word, size_t value)
{
    if (METE_ATOMIC_BUILTIN) {
        __atomic_store_n(word, value, __ATOMIC_RELEASE);
    } else {
        mete_atomic_critical_store(word, value);
    }
}

/// Makes the word `to` if it is `from`; false, with no effect, if it is not.
static inline bool mete_atomic_replace_relaxed(size_t *word, size_t from, size_t to)
{
    return METE_ATOMIC_BUILTIN ? __atomic_compare_exchange_n(word, &from, to, false,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED)
                               : mete_atomic_critical_replace(word, from, to);
}

/// The same; if it replaces, it releases.
static inline bool mete_atomic_replace_release(size_t *word, size_t from, size_t to)
{
    return METE_ATOMIC_BUILTIN ? __atomic_compare_exchange_n(word, &from, to, false,
                                                             __ATOMIC_RELEASE, __ATOMIC_RELAXED)
                               : mete_atomic_critical_replace(word, from, to);
}

/// Adds, modulo 2^bits, and returns the sum.
static inline size_t mete_atomic_add_relaxed(size_t *word, size_t value)
{
    return METE_ATOMIC_BUILTIN ? __atomic_add_fetch(word, value, __ATOMIC_RELAXED)
                               : mete_atomic_critical_add(word, value);
}

/// Before another try: lets others go first for 16 pauses of the core, and twice as many each time, up to
/// 256. Two cores that both hurry hinder each other for longer. `pauses` starts at 0. On cores for firmware,
/// where what came in between was an interrupt, it does nothing.
static inline void mete_atomic_wait(size_t *pauses)
{
    if (METE_ATOMIC_PAUSE_FIRST != 0U) {
        *pauses =
            (*pauses == 0U) ? METE_ATOMIC_PAUSE_FIRST : *pauses + ((*pauses < 256U) ? *pauses : 0U);
        for (size_t i = 0U; i < *pauses; i++) {
            METE_ATOMIC_PAUSE();
        }
    }
}

#endif

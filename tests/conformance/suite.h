// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_SUITE_H
#define METE_TEST_SUITE_H

/// What every mete_alloc_t must do, as named cases: allocators and wrappers, bare and stacked.
///
///     static const suite_subject_t subject = {
///         .name = "heap", .make = make, .size_max = 4000, .align_max = 64, .traits = SUITE_OWNS,
///     };
///     int main(void) { suite_test(&subject); return tap_finish(); }
///
/// Allocators promise different things: an arena takes back only its last block, a pool knows one
/// size. What a subject promises it says in its traits; a case that needs more is printed as skipped.
/// tests/conformance/wrong/ holds one wrong allocator for each case, to prove that it can fail.

#include "mete/core/alloc.h"
#include "mete/core/span.h"

/// Bytes that subjects get, and an alignment for which they have room. Boards with ARMv6-M have few
/// KiB of RAM in all.
#ifdef __ARM_ARCH_6M__
#define SUITE_ARENA_SIZE 4096U
#define SUITE_ALIGN_MAX  512U
#else
#define SUITE_ARENA_SIZE 32768U
#define SUITE_ALIGN_MAX  4096U
#endif

/// The memory that subjects get starts at a multiple of this.
#define SUITE_ARENA_ALIGN 64U

/// A subject must be able to hold this many blocks of 24 bytes, or of its one size, at a time.
#define SUITE_BLOCK_COUNT_MIN 8U

/// What an allocator may promise beyond the interface.
typedef enum suite_trait {
    SUITE_MIXED = 1 << 0,        ///< Serves any mixture of sizes.
    SUITE_REUSES_LAST = 1 << 1,  ///< The block acquired last, released, makes room again.
    SUITE_REUSES = 1 << 2,       ///< So does any block.
    SUITE_COALESCES = 1 << 3,    ///< When all is released, the largest block can be had again.
    SUITE_RESIZES = 1 << 4,      ///< The block acquired last shrinks in place, and grows if it can.
    SUITE_OWNS = 1 << 5,         ///< Tells its own memory from other memory.
    SUITE_SIZE_OF = 1 << 6,      ///< Tells the usable size of a block.
    SUITE_SIZE_ABOVE = 1 << 7,   ///< Refuses a size that is larger than any block.
    SUITE_SIZE_BELOW = 1 << 8,   ///< Refuses a size far smaller than the block's.
    SUITE_ALIGN = 1 << 9,        ///< Refuses an alignment that the block does not have.
    SUITE_FOREIGN = 1 << 10,     ///< Refuses addresses outside its memory.
    SUITE_INTERIOR = 1 << 11,    ///< Refuses addresses inside blocks, and in memory never used.
    SUITE_DOUBLE_FREE = 1 << 12,   ///< Refuses a block that is free.
    SUITE_EXACT_STARTS = 1 << 13,  ///< Refuses a freed address that is now inside another block.
    SUITE_SEAMLESS =
        1 << 14,  ///< Any free neighbours join; a block grows into what is free behind it.
    SUITE_ALL = (1 << 15) - 1,
} suite_trait_t;

/// The calls of the interface. Replaced only to prove the suite with calls that are wrong.
typedef struct suite_calls {
    void *(*acquire)(mete_alloc_t alloc, size_t size, size_t align);
    void (*release)(mete_alloc_t alloc, void *block, size_t size, size_t align);
    bool (*resize)(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size, size_t align);
    void *(*realloc)(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                     size_t align);
    void *(*acquire_zeroed)(mete_alloc_t alloc, size_t size, size_t align);
    void *(*acquire_array)(mete_alloc_t alloc, size_t count, size_t size, size_t align);
} suite_calls_t;

/// The interface as it is.
extern const suite_calls_t suite_calls;

typedef struct suite_subject {
    const char *name;
    /// A fresh allocator over this memory, everything free; what was made before is forgotten.
    mete_alloc_t (*make)(mete_span_t arena);
    bool (*check)(void);         ///< The subject's own consistency check, or NULL.
    size_t size_max;             ///< A fresh one surely grants this size, at alignment 1.
    size_t align_max;            ///< And these alignments, for 24 bytes or its one size.
    unsigned traits;             ///< suite_trait_t values, joined.
    const suite_calls_t *calls;  ///< NULL: suite_calls.
} suite_subject_t;

typedef struct suite suite_t;

typedef struct suite_case {
    const char *name;
    void (*run)(suite_t *s);
    unsigned needs;  ///< Traits without which it cannot be asked.
} suite_case_t;

typedef enum suite_verdict { SUITE_PASSED, SUITE_FAILED, SUITE_SKIPPED } suite_verdict_t;

/// How many cases there are, and each of them: `index` is 0 ... suite_case_count() - 1.
size_t suite_case_count(void);
const suite_case_t *suite_case(size_t index);

/// Runs one case and prints nothing.
suite_verdict_t suite_run(const suite_case_t *one, const suite_subject_t *subject);

/// Runs every case as a TAP test named "subject: case".
void suite_test(const suite_subject_t *subject);

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_GUARD_H
#define METE_GUARD_H

/// Finds who writes where he must not: beside his block, or into a block that he gave back.
///
/// Reach for it when memory gets damaged and nobody knows by whom, and in every test. Each block stands
/// between two canaries; both depend on its address and on a seed, so that neither zeros nor a copy of
/// another block pass for them. Released blocks can be filled with a pattern and held back for a while, in
/// a quarantine: what is written to them there is found when they leave it, or when you ask.
///
///     static const mete_guard_config_t config = {
///         .seed = 0x5EED, .quarantine_size = 2048, .fills_released = true, .released_fill = 0xDD,
///     };
///     static mete_guard_t guard;
///     (void)mete_guard_init(&guard, mete_heap_as_alloc(heap), &config);
///     run(mete_guard_as_alloc(&guard));
///     (void)mete_guard_check_next(&guard, 8);  // When idle: eight blocks at a time.
///
/// What is found, for certain but for one case in 2^32 where a number is given by chance:
///
///     written past the end, by 1 or by 64    CORRUPT, tail. The first byte of the tail is odd on
///                                            little-endian cores: a string's terminator shows always.
///     written in front of the start, by 1    CORRUPT, head
///     written after release                  CORRUPT, content; in quarantine, with fills_released
///     released twice                         DOUBLE_FREE: exact in quarantine; behind it as far as
///                                            the memory was not used again
///     released, but foreign or interior      FOREIGN
///     released with another size or align    SIZE
///
/// A write that leaves each byte as it was cannot be found. One that leaps over canaries is found in
/// whichever canary or filled block it hits. When: as the block is released or resized, as it leaves the
/// quarantine, and when you ask: for one block, for all, or for the next few.
///
///   Time     Acquire, release, resize: O(1), fills O(size) on top. A release into the quarantine lets at
///            most evict_max older blocks leave it, each O(its size) if filled. An acquire that is refused
///            empties the quarantine block by block, and tries again after each. Refusing a release:
///            O(blocks), to tell foreign from damaged. check, walk, report: O(blocks), bounded on damage.
///   Space    METE_GUARD_PREFIX_SIZE(align) + METE_GUARD_TAIL_SIZE a block: 20 bytes on 32-bit cores, for
///            aligns up to 16. With a tracker as well (mete/wrap/track.h): 52. And the quarantine.
///   Align    Any that the allocator behind can give. Sizes up to METE_GUARD_SIZE_MAX.
///   Threads  Not synchronised. Calls must exclude each other: put mete/wrap/lock.h in front.
///   Errors   Out of memory is NULL. Misuse and damage: METE_FAULT, and nothing changes.
///
/// In a chain it stands in front of what keeps records in blocks (quota, track): they count what is in
/// quarantine as live, so call mete_guard_purge() before asking them what leaked.
///
/// A block that was written to in quarantine is reported once and then kept out of use for good: whoever
/// wrote may do so again. When the handler of METE_FAULT is called everything is still in place:
/// mete/wrap/guard_report.h can be asked there about the address that the fault names.

#include "mete/core/alloc.h"
#include "mete/core/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is guarded, and how much it may cost. Zeroed: canaries alone. It must outlive the guard; const is
/// best.
typedef struct mete_guard_config {
    uintptr_t seed;          ///< Goes into the canaries. One from each build, or start, is best.
    size_t quarantine_size;  ///< Bytes that may be held back, prefixes and tails included. 0: none.

    /// How many blocks may leave the quarantine in one release. If that makes no room, the block
    /// released goes past it. 0: as many as it takes.
    size_t evict_max;

    bool fills_acquired;  ///< Blocks handed out, and what they grow by, are filled with
    uint8_t acquired_fill;

    bool fills_released;  ///< Blocks that come back are filled with
    uint8_t released_fill;

    /// The memory behind has no gaps that must not be read: who releases a wild pointer is then found by
    /// its range. Otherwise the allocator behind is asked, if it knows owns, which takes longer.
    bool is_in_one_piece;

    /// Is told where the program called from, if this is the outermost wrapper and one behind wants to
    /// know. NULL: nobody is.
    mete_site_t *site;
} mete_guard_config_t;

/// The largest block.
#define METE_GUARD_SIZE_MAX METE_RECORD_SIZE_MAX

/// Bytes that are added in front of a block with alignment `align`, and behind it.
#define METE_GUARD_PREFIX_SIZE(align) \
    (((align) > sizeof(mete_record_t)) ? (align) : sizeof(mete_record_t))
#define METE_GUARD_TAIL_SIZE (sizeof(uintptr_t))

/// A guard. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_guard {
    mete_alloc_t inner;
    uintptr_t key;      // Of the canaries.
    uintptr_t lowest;   // The blocks ever handed out start from here
    uintptr_t highest;  // to here.
    bool asks_owns;
    bool fills_acquired;
    bool treats_released;       // Fills them or holds them back, or both.
    mete_record_t live;         // Heads the list of live blocks, oldest first,
    mete_record_t quarantined;  // and of those in quarantine.
    mete_record_t cursor;       // Stands in one of the lists, before what is checked next.
    mete_site_t *site;
    size_t quarantine_size;
    size_t quarantine_count;
    size_t withheld_count;
    size_t withheld_size;
    const mete_guard_config_t *config;
} mete_guard_t;

/// What is wrong with a block.
typedef enum mete_guard_side {
    METE_GUARD_WHOLE = 0,  ///< Nothing.
    METE_GUARD_HEAD,       ///< The canary in front, or the record before that.
    METE_GUARD_TAIL,       ///< The canary behind.
    METE_GUARD_CONTENT,    ///< Written to in quarantine.
    METE_GUARD_FOREIGN     ///< It is no block, neither live nor in quarantine.
} mete_guard_side_t;

/// And where: bytes from the block's start to the first wrong one. In front, -1 ... -sizeof(uintptr_t): how
/// far down the canary is wrong; all of it is if the record before it was hit.
typedef struct mete_guard_damage {
    mete_guard_side_t side;
    ptrdiff_t offset;
} mete_guard_damage_t;

/// What is held back now.
typedef struct {
    size_t quarantine_count;  ///< Blocks in quarantine.
    size_t quarantine_size;   ///< Bytes of them, prefixes and tails included.
    size_t withheld_count;  ///< Blocks that were damaged in quarantine and are out of use for good.
    size_t withheld_size;
} mete_guard_usage_t;

/// A block as mete_guard_walk() shows it.
typedef struct mete_guard_block {
    const void *block;
    size_t size;          ///< Bytes, as acquired or last resized.
    size_t align;         ///< As acquired.
    bool is_quarantined;  ///< Was released.
} mete_guard_block_t;

/// Guards what is acquired from `inner`, from now on. Returns false, changing nothing, if the allocator
/// or the config is missing.
bool mete_guard_init(mete_guard_t *guard, mete_alloc_t inner, const mete_guard_config_t *config);

/// What is wrong with one block: of what was handed out or is in quarantine, O(1), filled ones
/// O(size); otherwise O(blocks). Reports no fault.
mete_guard_damage_t mete_guard_damage_of(const mete_guard_t *guard, const void *block);

/// Checks the next `count` blocks, live ones and those in quarantine in turn, from where the last call
/// ended; between calls blocks may come and go. False at the first that is damaged, with
/// METE_FAULT_CORRUPT; the next call goes on behind it, or, if its record was hit, so that nobody knows
/// what is next, with the other list.
bool mete_guard_check_next(mete_guard_t *guard, size_t count);

/// Lets up to `count` blocks leave the quarantine, oldest first, each checked as it does: returns how
/// many went back to the allocator behind. METE_FAULT_CORRUPT for one that is damaged, after which the
/// call ends.
size_t mete_guard_purge(mete_guard_t *guard, size_t count);

/// What is held back.
mete_guard_usage_t mete_guard_usage(const mete_guard_t *guard);

/// Shows every block to `visit`, live ones and then those in quarantine, oldest first, until it returns
/// false. Nothing may change meanwhile. True if all were shown, false if `visit` stopped or a record was
/// overwritten; what lies behind that one is shown from the newest on.
bool mete_guard_walk(const mete_guard_t *guard,
                     bool (*visit)(void *self, const mete_guard_block_t *block), void *self);

/// True if all blocks and records are whole and agree with each other. Changes nothing. O(blocks), and
/// the bytes in quarantine if they are filled.
bool mete_guard_check(const mete_guard_t *guard);

/// The guarded allocator. It can resize, and knows owns, if the allocator behind does; size_of it always
/// knows: it is the size that was asked for. What a block shrinks by is neither filled nor held back.
mete_alloc_t mete_guard_as_alloc(mete_guard_t *guard);

#ifdef __cplusplus
}
#endif
#endif

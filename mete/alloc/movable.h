// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MOVABLE_H
#define METE_MOVABLE_H

/// Movable blocks: memory that can be compacted, because it is held by handle and not by address.
///
/// Reach for it when sizes vary, memory is tight and the device runs for years: free memory can always
/// be made one piece again, and a bank of RAM can be emptied and put to sleep. The price is that a
/// block has an address only while it is pinned. Where blocks are small or live shortly, a heap is
/// smaller and faster.
///
///     METE_MOVABLE_DEFINE(store, 16384, 62);
///     mete_movable_init(&store, &store_config);
///     const mete_movable_handle_t note = mete_movable_alloc(&store, 100);
///     char *const text = mete_movable_pin(&store, note);    // Stays where it is,
///     mete_movable_unpin(&store, note);                     // until here.
///     mete_movable_free(&store, note);
///
///   Time     pin, unpin: O(1), a few instructions, inline. free, and alloc from the free memory behind
///            the last block: O(1). alloc otherwise: O(blocks) to find the first gap that fits; if
///            there is none, what `failure_size` allows to be moved. resize: in place O(1), else as
///            alloc plus the bytes moved. init: O(slots). compact: the bytes moved, plus O(blocks), plus
///            O(blocks) for each pinned block with a gap in front. check, walk: O(slots).
///   Space    One slot for each block (16 bytes on 32-bit targets, 24 on 64-bit ones) in a table of the
///            caller's; sizes are rounded up to 8. Nothing lies in the storage but the blocks: a stray
///            write breaks no bookkeeping, and memory without blocks may be asleep.
///   Align    8 bytes.
///   Limits   METE_MOVABLE_SIZE_MAX bytes, METE_MOVABLE_BLOCK_COUNT_MAX blocks, METE_MOVABLE_PIN_MAX
///            pins of one block. At least 2^30 blocks in all: see `recycles` below.
///   Threads  Not synchronised. Calls on one store must exclude each other; interrupts included.
///   Errors   Out of memory is METE_MOVABLE_NONE or false, counted. Misuse and damage: METE_FAULT, and
///            nothing changes. A handle is refused exactly when its block was freed or it never was
///            handed out, at every check level. Faults name its value as address. In general: FOREIGN
///            for a handle that was never handed out, METE_MOVABLE_NONE included; DOUBLE_FREE for one
///            whose block was freed; CORRUPT if the slot or a neighbour's is damaged.
///   Damage   From check level 1 on, any single bit of a block's address or size that flips is found by
///            what frees, resizes or moves the block, or another beside it, before it acts; and by check.
///            pin does not look: it hands out the address that stands in the slot.
///
/// This is no mete_alloc_t: that hands out addresses for good, and a store of blocks that are pinned
/// for life could compact nothing. Where an address must last, take a heap.
///
/// A block is moved as a whole or in parts: if a step is smaller than the block, the next step goes on.
/// Whoever pins, resizes or frees the block meanwhile gets the move finished or, by free, given up
/// first: pin then takes as long as copying what is left of the block. With steps of at least the
/// largest block that never happens.

#include "mete/core/align.h"
#include "mete/core/base.h"
#include "mete/core/frag.h"
#include "mete/core/mover.h"
#include "mete/core/platform.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_MOVABLE_SIZE_MIN        16U
#define METE_MOVABLE_SIZE_MAX        33554424U  ///< Bytes of storage; just under 32 MiB.
#define METE_MOVABLE_BLOCK_COUNT_MAX 65534U
#define METE_MOVABLE_PIN_MAX         255U  ///< A block may be pinned so many times at once.

/// Names a block: the index of its slot and a generation that no other block in this slot has. Handles
/// are compared by value and may be copied at will.
typedef struct mete_movable_handle {
    uint32_t value;  ///< 0: no block.
} mete_movable_handle_t;

/// What alloc returns when it cannot be done. A variable that is all zero is this.
#define METE_MOVABLE_NONE mete_movable_handle_none()

static inline mete_movable_handle_t mete_movable_handle_none(void)
{
    mete_movable_handle_t none;
    none.value = 0U;  // Not as an initialiser: clang may call memset() for that, which is libc.
    return none;
}

/// Where a block is. Owned by the store; see movable.c.
typedef struct mete_movable_slot {
    uint32_t tag;
    uintptr_t address;
    uint32_t extent;
    uint16_t next, previous;
} mete_movable_slot_t;

/// Where a store lives and how it behaves. The store keeps a pointer to this, so it must outlive the
/// store; const is best, for then it costs flash and no RAM.
typedef struct mete_movable_config {
    /// METE_MOVABLE_SIZE_MIN to METE_MOVABLE_SIZE_MAX bytes, of any alignment. What is no multiple of 8
    /// at its ends is not used.
    mete_span_t storage;
    mete_movable_slot_t *slots;  ///< Aligned as the type is. Owned by the store from init onwards.
    /// METE_MOVABLE_SLOT_COUNT(blocks): a power of two from 4 to 65536, of which two hold no block.
    size_t slot_count;

    /// Bytes moved at most before a request is refused. 0: none; SIZE_MAX: whatever it takes. Then a
    /// request is met whenever so much is free in all and nothing is pinned.
    size_t failure_size;

    /// Compaction at the end of alloc, free and resize, so many bytes at most in one call. 0: never.
    /// It takes place when the fragmentation is surely not below the threshold (its lower end counts),
    /// and every so many calls or ticks. An interval or threshold of 0 does not count. Of a block larger
    /// than a step each step moves a part. If it meets damage it faults with CORRUPT, and what the call
    /// was about is done nevertheless.
    size_t step_size;
    uint16_t threshold_permille;  ///< At most 1000.
    uint32_t call_interval;
    uint32_t tick_interval;
    mete_clock_t clock;  ///< May be NULL if `tick_interval` is 0.

    /// Called when a request cannot be met, before it is refused: it may free something, and returns
    /// true if the request should be tried once more. May be NULL. The store is in a consistent state.
    bool (*on_refusal)(void *self, size_t size);
    void *on_refusal_self;

    /// A slot has 2^32 generations, divided by twice the number of slots; so all of them together last
    /// for 2^30 blocks or more. False: a slot whose generations are used up is retired, and no handle is
    /// ever valid twice. True: it starts over, and no store ever ends; a handle kept while 2^30 others
    /// came and went might then be taken for a new one.
    bool recycles;
} mete_movable_config_t;

/// A store. The fields are here so that it can be static and pin inline; use the functions.
typedef struct mete_movable {
    mete_movable_slot_t *slots;
    size_t slot_mask;       // Of a handle: twice the index of its slot.
    uint64_t free_squares;  // Sum of the squares of the gaps, in granules of 8 bytes.
    uint32_t free_granules;
    uint32_t unused_least;      // Granules in no block: the fewest ever.
    uintptr_t start, end;       // Of the storage.
    uintptr_t low, high;        // Of the part of it where blocks are put;
    const mete_span_t *places;  // and of that, if there are any, only in these:
    size_t place_count;         // so many.
    size_t block_count;
    size_t gap_count;
    size_t retired_count;
    size_t refusals;
    size_t moved_total;
    size_t move_done;   // Bytes of the block that is being moved that have been copied,
    uintptr_t move_to;  // and where it goes.
    uint16_t moving;    // Its slot; 0: none.
    uint16_t packed;    // There is no gap in front of this slot.
    uint16_t spare_first, spare_last;  // Slots without a block: a queue; 0: none.
    uint32_t calls;                    // Since the last step at an interval.
    uint32_t ticks;                    // At the last step at an interval.
    const mete_movable_config_t *config;
} mete_movable_t;

/// How full a store is. Bytes are multiples of 8. While a block is moved in parts, what it will leave or
/// take is neither in use nor free.
typedef struct {
    size_t total_size;     ///< Bytes that blocks can occupy.
    size_t in_use_size;    ///< Bytes in blocks.
    size_t in_use_peak;    ///< The most ever at once.
    size_t free_size;      ///< Bytes in gaps.
    size_t block_count;    ///< Blocks held.
    size_t gap_count;      ///< Gaps between, in front of and behind them.
    size_t spare_count;    ///< Blocks more that there are slots for.
    size_t retired_count;  ///< Slots whose generations are used up.
    size_t moved_total;    ///< Bytes ever moved. Wraps at SIZE_MAX.
    size_t refusals;       ///< Requests that could not be met.
    mete_frag_t frag;      ///< Fragmentation of the free memory.
} mete_movable_usage_t;

/// A block or gap as mete_movable_walk() shows it.
typedef struct mete_movable_block {
    mete_movable_handle_t handle;  ///< None if not live.
    void *block;                   ///< Where it is now.
    size_t size;                   ///< Bytes, a multiple of 8.
    bool is_live;                  ///< A block. Else a gap, or room kept for a block being moved.
    bool is_pinned;
    bool is_moving;  ///< A block being moved in parts, or the room kept for it.
} mete_movable_block_t;

/// Makes all memory one gap. May be called again to reset the store: then handles of before may name
/// new blocks. False, leaving the store alone, if the configuration breaks a limit stated there: under
/// METE_MOVABLE_SIZE_MIN bytes, too many, a slot count that is no power of two, no clock for ticks.
bool mete_movable_init(mete_movable_t *movable, const mete_movable_config_t *config);

/// Returns a block of `size` bytes, contents unspecified, or METE_MOVABLE_NONE. Size 0 gives none, and
/// is not counted as a refusal.
/// Faults with CORRUPT, without effect, if a slot that is needed is damaged.
mete_movable_handle_t mete_movable_alloc(mete_movable_t *movable, size_t size);

/// Takes a block back. METE_MOVABLE_NONE is allowed and does nothing. Faults, without effect, as said
/// above; with ORDER if the block is pinned.
void mete_movable_free(mete_movable_t *movable, mete_movable_handle_t handle);

/// Changes a block's size and keeps what fits of its contents. A pinned block is resized where it is or
/// not at all. False leaves it as it was; so does size 0. Faults as mete_movable_free(), but for ORDER.
bool mete_movable_resize(mete_movable_t *movable, mete_movable_handle_t handle, size_t size);

/// pin and unpin when it is not simply the first and the last pin. Call the functions below.
void *mete_movable_pin_checked(mete_movable_t *movable, mete_movable_handle_t handle);
void mete_movable_unpin_checked(mete_movable_t *movable, mete_movable_handle_t handle);

static inline mete_movable_slot_t *mete_movable_slot_of(const mete_movable_t *movable,
                                                        mete_movable_handle_t handle)
{
    // The mask gives twice the index, of a forged handle too: no slot lies outside the table.
    const size_t offset = (handle.value & movable->slot_mask) * (sizeof(mete_movable_slot_t) / 2U);
    return (mete_movable_slot_t *)(void *)((unsigned char *)movable->slots + offset);
}

/// Keeps the block where it is, and returns its address. Pins are counted: the block may be moved when
/// each was undone. NULL after a fault: as said above; ORDER after METE_MOVABLE_PIN_MAX pins.
METE_INLINE void *mete_movable_pin(mete_movable_t *movable, mete_movable_handle_t handle)
{
    mete_movable_slot_t *slot = mete_movable_slot_of(movable, handle);
    __asm__("" : "+r"(slot));  // So that tag and address are one load where there is such a thing.
    const uint32_t tag = slot->tag;
    const uintptr_t address = slot->address;
    if (METE_LIKELY(tag == handle.value)) {
        slot->tag = 0U - tag;
        return (void *)address;
    }
    return mete_movable_pin_checked(movable, handle);
}

/// Undoes one pin. Faults, without effect, as said above; with ORDER if the block is not pinned.
METE_INLINE void mete_movable_unpin(mete_movable_t *movable, mete_movable_handle_t handle)
{
    mete_movable_slot_t *const slot = mete_movable_slot_of(movable, handle);
    if (METE_LIKELY(slot->tag + handle.value == 0U)) {
        slot->tag = handle.value;
    } else {
        mete_movable_unpin_checked(movable, handle);
    }
}

/// Where a pinned block is. NULL after a fault: as said above; ORDER if it is not pinned.
void *mete_movable_address(const mete_movable_t *movable, mete_movable_handle_t handle);

/// Bytes usable in a block: at least as many as were asked for. 0 after a fault, as said above.
size_t mete_movable_size_of(const mete_movable_t *movable, mete_movable_handle_t handle);

/// True if the handle names a block. Never faults.
bool mete_movable_has(const mete_movable_t *movable, mete_movable_handle_t handle);

/// Moves blocks together, at most `step_size` bytes of them: towards the start, and around pinned ones
/// so as to fill the gaps in front of these. Returns 0 when nothing is left to be done, else an upper
/// bound of the bytes to be moved yet. Steps of less than 8 bytes move nothing. Faults with CORRUPT,
/// and returns 0, at a slot that is damaged; blocks may have been moved by then.
size_t mete_movable_compact(mete_movable_t *movable, size_t step_size);

/// See mete/core/mover.h for these eight. Besides bytes moved, evacuate takes O(blocks) for each run of
/// blocks that are neighbours and find room side by side. It moves nothing between spans that overlap.
/// Room kept for a block being moved counts as live. With places to prefer, alloc takes O(blocks) for each
/// of them that has no room; of places that a block being resized lies in the last one counts.
size_t mete_movable_live_size(const mete_movable_t *movable, mete_span_t span);
size_t mete_movable_pinned_size(const mete_movable_t *movable, mete_span_t span);
bool mete_movable_confine(mete_movable_t *movable, mete_span_t span);
size_t mete_movable_evacuate(mete_movable_t *movable, mete_span_t from, mete_span_t to,
                             size_t step_size);
void mete_movable_prefer(mete_movable_t *movable, const mete_span_t *spans, size_t span_count);
size_t mete_movable_compact_span(mete_movable_t *movable, mete_span_t from, mete_span_t to,
                                 size_t step_size);
mete_span_t mete_movable_reach(const mete_movable_t *movable, mete_span_t span);
void mete_movable_settle(mete_movable_t *movable);

/// How full the store is now. O(1).
mete_movable_usage_t mete_movable_usage(const mete_movable_t *movable);

/// Shows every block and gap in address order to `visit`, until it returns false. The store must not
/// change meanwhile, but `visit` may pin and unpin. True if all were shown.
bool mete_movable_walk(const mete_movable_t *movable,
                       bool (*visit)(void *self, const mete_movable_block_t *block), void *self);

/// True if slots, links and counters agree. Changes nothing. O(slots), also on any damage.
bool mete_movable_check(const mete_movable_t *movable);

/// The store as something that can be evacuated.
mete_mover_t mete_movable_as_mover(mete_movable_t *movable);

/// Slots for so many blocks: the next power of two, for two slots more.
#define METE_MOVABLE_SLOT_COUNT(blocks) \
    ((blocks) <= 2U       ? 4U \
     : (blocks) <= 6U     ? 8U \
     : (blocks) <= 14U    ? 16U \
     : (blocks) <= 30U    ? 32U \
     : (blocks) <= 62U    ? 64U \
     : (blocks) <= 126U   ? 128U \
     : (blocks) <= 254U   ? 256U \
     : (blocks) <= 510U   ? 512U \
     : (blocks) <= 1022U  ? 1024U \
     : (blocks) <= 2046U  ? 2048U \
     : (blocks) <= 4094U  ? 4096U \
     : (blocks) <= 8190U  ? 8192U \
     : (blocks) <= 16382U ? 16384U \
     : (blocks) <= 32766U ? 32768U \
                          : 65536U)

/// A store `name` of `bytes` for at least `blocks` blocks, with its storage, and `name_config` to
/// initialise it with: mete_movable_init(&name, &name_config). It compacts before it refuses, and by
/// METE_MOVABLE_STEP bytes a call while 30 % or more of the free memory is fragmented. Other choices
/// are a config written out. At file scope, or static in a function.
#define METE_MOVABLE_DEFINE(name, bytes, blocks) \
    METE_SECTION static uint64_t name##_storage[((bytes) + 7U) / 8U] __attribute__((aligned(8))); \
    static mete_movable_slot_t name##_slots[METE_MOVABLE_SLOT_COUNT(blocks)]; \
    static const mete_movable_config_t name##_config = {{name##_storage, sizeof name##_storage}, \
                                                        name##_slots, \
                                                        METE_MOVABLE_SLOT_COUNT(blocks), \
                                                        SIZE_MAX, \
                                                        METE_MOVABLE_STEP, \
                                                        METE_MOVABLE_THRESHOLD_PERMILLE, \
                                                        0U, \
                                                        0U, \
                                                        NULL, \
                                                        NULL, \
                                                        NULL, \
                                                        false}; \
    static mete_movable_t name
#define METE_MOVABLE_STEP               256U
#define METE_MOVABLE_THRESHOLD_PERMILLE 300U

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EVACUATION_H
#define METE_EVACUATION_H

/// Live blocks in the fewest banks: where new ones go, what emptying a bank would take, and doing it in steps.
///
/// For a store of movable blocks (core/mover.h; mete/alloc/movable.h is one) whose memory lies in banks that can sleep
/// (mete/power/bank.h). New blocks are put into the fullest bank that is awake. Now and then the program asks for a plan,
/// looks whether it is worth it, and has it carried out, a step at a time, whenever there is nothing better to do.
///
///     static mete_evacuation_t evacuation;
///     (void)mete_evacuation_init(&evacuation, &config);
///     mete_evacuation_plan_t plan;
///     mete_evacuation_plan_fewest(&evacuation, &plan);         // Says what it would take; does nothing.
///     mete_evacuation_commit(&evacuation, &plan);
///     while (mete_evacuation_move_next(&evacuation)) { ... }    // May stop after any step.
///     (void)mete_evacuation_sleep(&evacuation);                 // Those that are empty by now.
///
/// A program that stops after any step, or whose power fails then in the banks that are empty by then, has lost nothing: a bank
/// is put to sleep only if no byte in it is live, and a block counts where it was until it is whole where it will be.
///
/// Memory runs out in the banks that are awake: let the store's hook call mete_evacuation_wake(), and try again. What the
/// program lets sleep with blocks in it, by mete_evacuation_sleep_bank() and a state that retains, it wakes by
/// mete_evacuation_wake_span() before it touches them; evacuation wakes what it needs by itself.
///
///   Time     move_next: step_size bytes moved and what the mover takes for it, besides O(banks) questions to the mover. All others:
///            O(banks) questions to the mover, of O(blocks) each for movable; besides O(banks^2), and wake O(banks^3).
///   Space    One mete_evacuation_t; for each bank two words and one and a half spans in the caller's tables.
///   Threads  Not synchronised: calls, those of the store and those of the bank module exclude each other.
///   Errors   A bank that there is not: METE_FAULT_FOREIGN. A state that would lose what lies in a bank, or that it cannot be put
///            into: METE_FAULT_ORDER with its start. In these nothing changes. A driver that refuses to wake or to let
///            sleep: the bank stays as it is, and is passed over.
///
/// A block larger than a bank, or what would be left over at the end of one, may lie across banks that are neighbours in memory,
/// if these follow each other in the bank module's table, from low to high. All memory of the store lies in banks, and nothing
/// else lies in those that can be put into the config's state: only the store is asked whether a bank is empty.
///
/// If a step is smaller than a block, the block may be half moved after it, and the store goes on with that at its next
/// call, pins included. Banks are put to sleep by this module alone, which takes care of that: mete_bank_sleep() does not.

#include "mete/core/base.h"
#include "mete/core/mover.h"
#include "mete/power/bank.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What lies in a bank.
typedef struct mete_evacuation_load {
    size_t live_size;    ///< Bytes that must keep their contents;
    size_t pinned_size;  ///< of these, of blocks that cannot be moved now.
} mete_evacuation_load_t;

/// Spans that the order of preference takes at most: each bank, and runs of two and more.
#define METE_EVACUATION_ORDER_COUNT(banks) ((banks) + (banks) / 2U)

/// What is to be emptied, and how. It must outlive the module; const is best.
typedef struct mete_evacuation_config {
    mete_bank_t *bank;
    mete_mover_t mover;
    mete_evacuation_load_t *loads;  ///< One for each bank. Filled by a plan, to be read.
    mete_span_t
        *order;  ///< METE_EVACUATION_ORDER_COUNT(banks). Owned by the module; the mover reads it.
    size_t step_size;        ///< Most bytes that a step moves: 8 or more.
    mete_ram_state_t state;  ///< What emptied banks are put into: not ACTIVE. It need not retain.
    uint32_t
        move_us_per_kib;  ///< For the time of a plan: to move 1024 bytes, in blocks as they come;
    uint32_t step_us;     ///< and what a step takes besides.
} mete_evacuation_config_t;

/// The fields are here so that it can be static; use the functions.
typedef struct mete_evacuation {
    const mete_evacuation_config_t *config;
    size_t order_count;
    uint32_t target_set;   // Banks to be emptied,
    uint32_t pending_set;  // and those of them where a step may move something yet.
    size_t order_index;    // Where the blocks of the first of these go now.
    bool has_compacted;    // Where they go is packed.
} mete_evacuation_t;

/// What emptying a set of banks would take. Bit n of a set is bank n.
typedef struct {
    uint32_t target_set;  ///< To be emptied.
    uint32_t
        pinned_set;  ///< Of these, those with pinned blocks, which are in the way: they will not be empty.
    uint32_t
        wake_set;  ///< Banks that sleep and must be woken: targets, and others that blocks in these reach into.
    size_t move_size;    ///< Bytes to be moved out.
    size_t pinned_size;  ///< Bytes that are pinned in the way.
    size_t room_size;    ///< Bytes free in the banks that are awake and stay so.
    bool fits;  ///< room_size is enough. Where pins cut it up it may not be, and something is left.
    uint32_t step_max;  ///< Steps at most, if nobody allocates, frees or pins meanwhile;
    uint64_t
        time_us;  ///< time at most, by the config's numbers and the latencies of banks to be woken.
} mete_evacuation_plan_t;

/// Takes over where new blocks are put. False, changing nothing, if the config breaks a limit stated above.
bool mete_evacuation_init(mete_evacuation_t *evacuation, const mete_evacuation_config_t *config);

/// Says what it would take to empty these banks into those that are awake and not among them; config's loads say what lies in every
/// bank. Does nothing else. False: METE_FAULT_FOREIGN.
bool mete_evacuation_plan(mete_evacuation_t *evacuation, uint32_t target_set,
                          mete_evacuation_plan_t *plan);

/// As mete_evacuation_plan(), for the banks whose emptying leaves the fewest awake: of those awake all but the ones with
/// pinned blocks or that cannot be put into the config's state, and a run of neighbours that has room for the rest; of such
/// runs the one with the least to be moved. Where there is no such run: the fullest banks. Those that sleep stay as they are.
void mete_evacuation_plan_fewest(mete_evacuation_t *evacuation, mete_evacuation_plan_t *plan);

/// From now on new blocks are not put into the plan's targets, and steps move blocks out. A plan that is being carried out ends.
void mete_evacuation_commit(mete_evacuation_t *evacuation, const mete_evacuation_plan_t *plan);

/// One step. True: there may be more to do. False: all is done that can be.
bool mete_evacuation_move_next(mete_evacuation_t *evacuation);

/// Puts targets that are empty to sleep, be the plan carried out or not. Returns all targets that sleep now.
uint32_t mete_evacuation_sleep(mete_evacuation_t *evacuation);

/// Puts a bank to sleep with what lies in it, target or not; if something does, the state must retain. A block that is half
/// moved is moved whole first: at most the largest is copied. False: METE_FAULT_FOREIGN, METE_FAULT_ORDER, or the driver refused.
bool mete_evacuation_sleep_bank(mete_evacuation_t *evacuation, size_t index,
                                mete_ram_state_t state);

/// Ends a plan: its targets that are awake take new blocks again.
void mete_evacuation_stop(mete_evacuation_t *evacuation);

/// Makes room for a block of `size` bytes: takes back targets that are awake yet, then wakes banks, those first that are neighbours of banks
/// awake and wake fastest, until a run of them has so much free; one at least, for who asks was refused. Free are bytes, in one piece or not: what pinned blocks
/// cut up, or the store does not move together, may be no room for the block, and the next call wakes one more. True: something was
/// done, and the store may try again. As the store's hook: with the mete_evacuation_t as its self.
bool mete_evacuation_wake(void *self, size_t size);

/// Wakes the banks in which a span lies, so that it can be touched. True: they all are awake.
bool mete_evacuation_wake_span(mete_evacuation_t *evacuation, mete_span_t span);

/// Looks anew which bank is the fullest. All calls that change which banks are awake do; to be called after banks were put to sleep or
/// woken by other means, and now and then, as blocks come and go.
void mete_evacuation_prefer(mete_evacuation_t *evacuation);

/// Banks that are to be emptied, or sleep because they were.
static inline uint32_t mete_evacuation_target_set(const mete_evacuation_t *evacuation)
{
    return evacuation->target_set;
}

/// True if new blocks are put into banks that are awake and no targets, and nowhere else. Changes and reports nothing.
bool mete_evacuation_check(const mete_evacuation_t *evacuation);

#ifdef __cplusplus
}
#endif
#endif

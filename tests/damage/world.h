// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DAMAGE_WORLD_H
#define METE_DAMAGE_WORLD_H

/// Where an allocator is put to work and damaged: an arena between guard pages, a few slots that hold
/// blocks, and a script of operations whose outcome is known.
///
///     world_open();
///     world_build(&damage_heap, 0, seed);      // A state that random work leads to.
///     world_fill(FILL_RANDOM, seed);           // What payload and free memory contain.
///     world_record(seed);                      // What the undamaged allocator does from here.
///     for (...) {
///         world_restore();
///         ... change a bit ...
///         verdict = world_run(true);           // What the damaged one does.
///     }
///
/// The undamaged twin runs first and in the same place, so that both have the same addresses.

#include "tests/damage/subject.h"

enum { WORLD_SLOT_COUNT = 64, WORLD_STEP_COUNT = 600, WORLD_BLOCK_MAX = 1024 };

/// What payload and free memory are filled with.
typedef enum world_fill { FILL_ZEROS, FILL_RANDOM, FILL_COPIES, FILL_COUNT } world_fill_t;

/// What became of a damaged allocator. All but HARMLESS end the run at once.
///
/// A request is refused wrongly if the undamaged allocator serves it and has the same blocks at the
/// same places, or if every sound allocator with the blocks that are held would serve it. Once blocks
/// lie elsewhere, for a damaged link was passed over, free memory is cut up in another way; what is
/// refused then because no gap is large enough is DISPLACED.
typedef enum world_verdict {
    WORLD_HARMLESS,   ///< It did all that the undamaged one does.
    WORLD_DISPLACED,  ///< A request was refused only because blocks lie elsewhere.
    WORLD_DETECTED,   ///< A call reported a fault.
    WORLD_SILENT,     ///< Harm was done and no call had reported anything.
    WORLD_WILD,       ///< Something outside the arena was accessed.
    WORLD_HUNG,       ///< A call did not return.
    WORLD_VERDICT_COUNT
} world_verdict_t;

typedef enum world_harm {
    HARM_NONE,
    HARM_PAYLOAD,  ///< The content of a live block changed.
    HARM_OVERLAP,  ///< A block was handed out that is not free, or not aligned.
    HARM_REFUSED,  ///< A request was refused that the undamaged allocator serves.
} world_harm_t;

/// A block that is held. `start` NULL: none.
typedef struct world_slot {
    unsigned char *start;
    void *name;  ///< What the subject calls it.
    size_t size;
} world_slot_t;

extern world_slot_t world_slots[WORLD_SLOT_COUNT];
extern mete_span_t world_arena;

/// The harm that made the last run silent, and the step at which it ended. After a fault: whether the
/// call that reported it changed a payload nevertheless.
extern world_harm_t world_harm;
extern size_t world_step;

/// Maps the arena and catches what leads out of it. False if the system does not allow it.
bool world_open(void);

/// Puts the allocator to random work until at least 500 operations were made, 20 blocks are held and
/// 8 free (its blocks, that is: a run of free memory). False if that does not come about.
bool world_build(const damage_subject_t *subject, uint32_t search, uint32_t seed);

/// Fills payload and free memory.
void world_fill(world_fill_t fill, uint32_t seed);

/// Keeps the state to go back to, then writes the script: WORLD_STEP_COUNT random operations, after
/// which everything is freed and all memory is asked for, which shows whether bytes were lost.
/// False if the undamaged allocator faults or its memory is not whole in the end.
bool world_record(uint32_t seed);

/// Back to the state before the script.
void world_restore(void);

/// Runs the script. With `minds_harm` harm ends the run; without, only a fault does.
world_verdict_t world_run(bool minds_harm);

/// The slot that holds the block at an address, or NULL.
const world_slot_t *world_slot_at(const unsigned char *start);

/// True if the arena is as world_restore() left it, but for the bytes of a span.
bool world_is_same_but(const unsigned char *start, size_t size);

#endif

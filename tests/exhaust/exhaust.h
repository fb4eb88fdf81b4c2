// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_H
#define METE_EXHAUST_H

/// What a subject of small-scope exhaustion works with: an arena that holds all an allocator knows, the
/// list of blocks that are held, and calls that are made and judged at once.
///
/// A subject says what its allocator promises; the engine (explore.h) tries every sequence of calls.
/// Whatever else decides what the allocator or the subject does, such as marks and handles that the
/// caller keeps, lies in the arena too: a copy of the arena is a copy of everything.

#include "mete/core/alloc.h"
#include "mete/core/span.h"
#include "tests/support/chance.h"

enum {
    EXHAUST_ARENA_MAX = 1536,
    EXHAUST_MARGIN = 32,     ///< Bytes around the arena, from which blocks are freed in vain.
    EXHAUST_BLOCK_MAX = 32,  ///< Blocks held at once.
    EXHAUST_OP_MAX = 1024,   ///< Calls that are possible in one state.
};

/// Bytes are numbered from the start of the arena; those in front of it are below 0.
typedef struct exhaust_block {
    int16_t at;
    uint16_t size;
    uint16_t align;
    uint16_t room;  ///< Bytes usable: `size`, or more if the allocator says so.
} exhaust_block_t;

/// Verbs of the engine; a subject's own follow.
enum { EXHAUST_ACQUIRE, EXHAUST_RELEASE, EXHAUST_RESIZE, EXHAUST_OWN };

/// A call, in terms that hold in every run.
typedef struct exhaust_op {
    uint8_t verb;
    uint8_t more;   ///< For a subject's own verbs.
    int16_t at;     ///< Of the block.
    uint16_t size;  ///< Wanted.
    uint16_t align;
} exhaust_op_t;

typedef struct exhaust_ops {
    size_t count;
    exhaust_op_t ops[EXHAUST_OP_MAX];
} exhaust_ops_t;

/// What an allocator over a fresh arena offers.
typedef struct exhaust_offer {
    mete_alloc_t alloc;  ///< Its view. Unused if the subject does not let the engine acquire.
    mete_span_t blocks;  ///< Where blocks can lie.
    size_t arena_size;   ///< Bytes of the arena that are used. The rest must stay as it is.
} exhaust_offer_t;

typedef struct exhaust_subject {
    const char *name;
    const char *const *verbs;  ///< Names of its own verbs, from EXHAUST_OWN on.

    /// Makes the allocator, `scale` large, in an arena of zeros.
    exhaust_offer_t (*init)(mete_span_t arena, size_t scale);

    /// Every call that is legal now. What exhaust_list_calls() lists, if NULL.
    void (*list)(exhaust_ops_t *ops);
    /// Makes a call and judges it: with the functions below. exhaust_perform(), if NULL.
    void (*perform)(const exhaust_op_t *op);
    const uint16_t *sizes;   ///< That exhaust_list_calls() asks for; 0 ends the list.
    const uint16_t *aligns;  ///< Likewise.
    chance_t (*may_acquire)(size_t size, size_t align);
    chance_t (*may_resize)(const exhaust_block_t *block, size_t size);

    /// check() and whatever else must hold in every state.
    bool (*is_sound)(void);
    /// Clears what does not matter in a copy of the arena: counters, contents, what the caller lost.
    void (*mask)(unsigned char *copy);
    /// Makes every call that must be refused, each followed by exhaust_refused().
    void (*misuse)(void);

    /// When nothing is held the state is that after init.
    bool is_whole_when_empty;
} exhaust_subject_t;

// ---- Where things are

void *exhaust_address(int at);
int16_t exhaust_at(const void *address);

/// Blocks held, by address.
extern exhaust_block_t *const exhaust_blocks;
size_t exhaust_block_count(void);

/// The block that starts here, or that holds this byte, or NULL.
const exhaust_block_t *exhaust_block_at(int at);
const exhaust_block_t *exhaust_block_around(int at);

/// First and last byte, plus one, from which a block can be freed in vain: a margin around the arena.
int exhaust_first(void);
int exhaust_end(void);

// ---- Judgement

#define EXHAUST_EXPECT(condition) exhaust_expect((condition), #condition, __FILE__, __LINE__)

/// Records what does not hold; the first such ends the exploration. Returns `holds`.
bool exhaust_expect(bool holds, const char *condition, const char *file, int line);

/// Says what will be tried, for the report.
void exhaust_doing(uint8_t verb, int at, size_t size, size_t align);

/// The call just made was to be refused: it reported one of `faults` (bits 1 << METE_FAULT_...) or, if
/// `faults` is 0, nothing; and no byte of the arena has changed.
void exhaust_refused(unsigned faults);

/// The call just made had no effect but on what is masked.
void exhaust_unchanged(void);

// ---- Calls and what must come of them

/// Acquires through the view. Returns the block or NULL.
const exhaust_block_t *exhaust_acquire(size_t size, size_t align, chance_t chance);
void exhaust_release(int at);
bool exhaust_resize(int at, size_t size, chance_t chance);

/// A block was handed out: it must be aligned, lie where blocks lie, and overlap no other.
const exhaust_block_t *exhaust_hold(void *start, size_t size, size_t align);
/// A block is about to be given back: its content must be what it was.
void exhaust_drop(int at);
/// A block was moved with what fits of its content.
const exhaust_block_t *exhaust_moved(int at, void *start, size_t size, size_t align);

/// For an allocator that moves blocks by itself: forgets all that are held, to hold them anew.
void exhaust_forget_all(void);
/// Writes the content of a block at this place; and tells whether what is at `at` was written for one at
/// `painted_at`.
void exhaust_paint(int at, size_t size);
bool exhaust_is_painted(int at, int painted_at, size_t size);
/// A request was served or not: as its chance was?
void exhaust_chance(bool is_served, chance_t chance);

// ---- What most subjects want

void exhaust_add_op(exhaust_ops_t *ops, uint8_t verb, int at, size_t size, size_t align);
void exhaust_list_calls(exhaust_ops_t *ops);
void exhaust_perform(const exhaust_op_t *op);

/// What must be reported if this is said to be a block's size and alignment: bits 1 << METE_FAULT_...
/// 0: it may pass.
typedef unsigned exhaust_faults_of_t(const exhaust_block_t *block, size_t size, size_t align);

/// Releases and resizes every block with every third size, and with the alignments of the list, other
/// than its own.
void exhaust_misuse_sizes(exhaust_faults_of_t *faults_of);
/// Asks for sizes that no arena has.
void exhaust_misuse_huge(void);

#endif

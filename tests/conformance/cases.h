// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_CASES_H
#define METE_TEST_CASES_H

/// What the cases of the suite are written with. Each case starts with a fresh subject whose memory
/// is full of rubbish, and keeps its blocks in slots, so that their contents can be verified.

#include "tests/conformance/suite.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#define SUITE_SLOT_COUNT 128U

/// A block that the case holds, in the order in which they were acquired.
typedef struct suite_slot {
    unsigned char *block;
    size_t size;
    size_t align;
    uint8_t seed;  // What its contents were made from.
} suite_slot_t;

struct suite {
    const suite_subject_t *subject;
    const suite_calls_t *calls;
    mete_alloc_t alloc;
    mete_span_t arena;
    size_t size;       // A small block: 24 bytes, or the only size there is.
    size_t size_fill;  // A block of which few enough fit that a case can hold them all.
    size_t align;      // 8, or what the subject has.
    suite_slot_t slots[SUITE_SLOT_COUNT];
    size_t count;  // Of slots in use.
    uint32_t random;
    uint8_t seed_next;
    const char *failure;  // The first expectation that did not hold, or NULL.
    const char *failure_file;
    int failure_line;
};

#define CHECK(condition) suite_expect(s, (condition), #condition, __FILE__, __LINE__)

/// Notes a failed expectation, if it is the first. Returns `holds`.
bool suite_expect(suite_t *s, bool holds, const char *condition, const char *file, int line);

/// Forgets all blocks and makes the subject again, over memory filled with `rubbish`.
void suite_fresh(suite_t *s, uint8_t rubbish);

/// True if the subject promises all of `traits`.
bool suite_has(const suite_t *s, unsigned traits);

/// Acquires and releases; nothing is noted or written.
void *suite_acquire(const suite_t *s, size_t size, size_t align);
void suite_release(const suite_t *s, void *block, size_t size, size_t align);

/// Acquires a block, keeps it in a slot and fills it with a pattern. NULL if it is refused or if no
/// slot is left.
suite_slot_t *suite_take(suite_t *s, size_t size, size_t align);

/// Releases the block of a slot; the slots behind it move up.
void suite_give(suite_t *s, size_t index);

/// Gives the block of a slot a new size after a resize, and a new pattern.
void suite_refill(suite_t *s, suite_slot_t *slot, size_t size);

/// True if the first `size` bytes are as suite_take() or suite_refill() left them.
bool suite_is_intact(const suite_slot_t *slot, const void *block, size_t size);

/// True if the contents of all slots are intact.
bool suite_all_intact(const suite_t *s);

/// True if `block` and its `size` bytes lie in the subject's memory.
bool suite_is_inside(const suite_t *s, const void *block, size_t size);

/// True if two of the blocks held share a byte.
bool suite_any_overlap(const suite_t *s);

/// True if not a byte around the subject's memory has changed.
bool suite_margins_intact(const suite_t *s);

/// Takes blocks of `size` until one is refused; how many there were.
size_t suite_fill(suite_t *s, size_t size);

/// Gives all blocks back: the last first, the first first, or in random order.
void suite_drain_last_first(suite_t *s);
void suite_drain_first_first(suite_t *s);
void suite_drain_random(suite_t *s);

/// One step of random work: takes or gives a block. Requests may be refused.
void suite_step(suite_t *s);

/// An address that is not the subject's: 0 before its memory, 1 behind, 2 elsewhere; others: NULL.
void *suite_foreign(suite_t *s, size_t which);

/// The cases, by theme.
typedef struct suite_group {
    const suite_case_t *cases;
    size_t count;
} suite_group_t;

#define SUITE_GROUP(cases) \
    { \
        (cases), sizeof(cases) / sizeof((cases)[0]) \
    }

extern const suite_group_t suite_group_acquire;
extern const suite_group_t suite_group_refuse;
extern const suite_group_t suite_group_release;
extern const suite_group_t suite_group_resize;
extern const suite_group_t suite_group_realloc;
extern const suite_group_t suite_group_misuse;
extern const suite_group_t suite_group_report;

#endif

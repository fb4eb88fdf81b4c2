// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_REFERENCE_H
#define METE_TEST_REFERENCE_H

/// The simplest allocator that keeps every promise of the suite: first fit, with a sorted table of
/// live blocks beside the memory. Slow and right. The wrong allocators are this one with one flaw.

#include "mete/core/alloc.h"
#include "mete/core/span.h"

#define REFERENCE_BLOCK_COUNT_MAX 256U

typedef struct reference_block {
    unsigned char *start;
    size_t size;
    size_t align;
} reference_block_t;

typedef struct reference {
    mete_span_t arena;
    reference_block_t blocks[REFERENCE_BLOCK_COUNT_MAX];  // Live ones, in address order.
    size_t count;
    // Not used by the reference itself: the flaws of wrong allocators depend on them.
    size_t acquire_count;
    size_t release_count;
    bool is_spoilt;
} reference_t;

void reference_init(reference_t *reference, mete_span_t arena);

/// The index of the live block that starts at or, if none does, that follows `address`.
size_t reference_find(const reference_t *reference, const void *address);

/// The operations of the interface; `self` is a reference_t.
void *reference_acquire(void *self, size_t size, size_t align);
void reference_release(void *self, void *block, size_t size, size_t align);
bool reference_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align);
bool reference_owns(const void *self, const void *address);
size_t reference_size_of(const void *self, const void *block);

/// What is wrong with naming this block: 0 or a METE_FAULT_ value.
int reference_verify(const reference_t *reference, const void *block, size_t size, size_t align);

/// Takes a block out of the table without a question.
void reference_remove(reference_t *reference, size_t index);

#endif

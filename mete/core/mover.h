// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MOVER_H
#define METE_MOVER_H

/// A store whose blocks can be moved out of a stretch of memory: what is asked of it before that
/// memory is put to sleep, handed over or tested.
///
/// Like a mete_alloc_t it is two words, passed by value. To empty a span: confine the store to another
/// one, so that nothing new appears in the first; evacuate, a step at a time; and look whether only
/// pinned bytes are left. mete/power/evacuation.h does that for banks of RAM.
///
///     mover.ops->confine(mover.self, awake);
///     while (mover.ops->evacuate(mover.self, asleep, awake, 256) != 0) { ... }
///     can_sleep = (mover.ops->live_size(mover.self, asleep) == 0);
///
/// A block that lies partly in a span counts with the bytes that do.

#include "mete/core/span.h"

typedef struct mete_mover_ops {
    /// Bytes of `span` that must keep their contents.
    size_t (*live_size)(const void *self, mete_span_t span);
    /// Of these, the bytes of blocks that are pinned and hence cannot be moved now.
    size_t (*pinned_size)(const void *self, mete_span_t span);
    /// From now on new and moved blocks are put into `span` only; those elsewhere stay until they are
    /// moved. False, with nothing changed, if the store has no memory there.
    bool (*confine)(void *self, mete_span_t span);
    /// Moves blocks that are not pinned out of `from` into `to`, at most `step_size` bytes. The spans
    /// must not overlap. Returns how many bytes are left that can be moved, of blocks across an edge all: if none was
    /// moved, `to` has no room for them.
    size_t (*evacuate)(void *self, mete_span_t from, mete_span_t to, size_t step_size);
    /// From now on new blocks, and those that grow, are put into the first of these spans that has room for
    /// them; and the store moves blocks of its own accord within a span only: what lies outside of all is
    /// not read or written, unless a block is half moved (see settle). The list is not copied: the caller may
    /// change it between calls. `span_count` 0: there is none, and what confine was told holds alone.
    void (*prefer)(void *self, const mete_span_t *spans, size_t span_count);
    /// Moves blocks that lie in `from` and are not pinned towards the start of `to`, a part of it, at most
    /// `step_size` bytes: so that what is free there becomes one piece. Blocks in front of `to` stay.
    /// Returns 0 when nothing is left to be done, else an upper bound of the bytes to be moved yet.
    size_t (*compact)(void *self, mete_span_t from, mete_span_t to, size_t step_size);
    /// What blocks occupy that would be moved out of `span`: from the first byte of those that lie in it, wholly or
    /// in part, and are not pinned, to the last. Without bytes if there are none.
    mete_span_t (*reach)(const void *self, mete_span_t span);
    /// Finishes the move of a block that a step left half done, if there is one: copies the rest of it. Any call may
    /// go on with such a move, wherever the block lies and goes; to be called before a part of that is shut.
    void (*settle)(void *self);
    /// Bytes ever moved, to tell whether a call did. Wraps at SIZE_MAX.
    size_t (*moved_total)(const void *self);
} mete_mover_ops_t;

typedef struct mete_mover {
    const mete_mover_ops_t *ops;
    void *self;
} mete_mover_t;

#endif

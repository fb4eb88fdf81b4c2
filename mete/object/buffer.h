// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BUFFER_H
#define METE_BUFFER_H

/// A byte buffer that grows: bytes are appended at its end and consumed at its front.
///
/// Reach for it where a message comes in pieces of unknown number: a line from a UART, a document, an answer that
/// is put together. In an object pool (mete/object/object.h) buffers keep the room that they have grown to.
///
///     static const mete_buffer_config_t config = {.size_min = 64, .size_max = 4096, .kept_size = 1024};
///     mete_buffer_t buffer;
///     mete_buffer_init(&buffer, mete_heap_as_alloc(heap), &config);
///     if (mete_buffer_append(&buffer, "Hello, World!", 13)) {
///         const mete_span_t bytes = mete_buffer_span(&buffer);   // 13 bytes.
///         mete_buffer_consume(&buffer, 7);                       // "World!" is left.
///     }
///
///   Time     append: O(bytes appended), on average over all appends; one that grows or moves: O(length), and
///            what the allocator behind takes. In a buffer that is nearly full and cannot grow each may move: leave
///            room between what is in it and size_max. consume, span: O(1).
///   Space    One mete_buffer_t and its room: at most four times what was in it at once, or size_min.
///   Align    Room is aligned to config.align; what is in it stands anywhere.
///   Threads  Not synchronised. Calls on one buffer must exclude each other.
///   Errors   Running out is ordinary: false or NULL, and the buffer is as it was. Damage: METE_FAULT_CORRUPT, and
///            nothing changes: false, NULL, or an empty span.
///
/// Growth: to twice the room there was, or to what is needed if that is more; never beyond size_max. In place if
/// the allocator can. If so much is refused, to just what is needed. Room in front, which was consumed, is used
/// first if it is at least as large as what must be moved to win it, or if the buffer may not grow.

#include "mete/core/alloc.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How a buffer grows. It keeps a pointer to this, so it must outlive the buffer; const is best.
typedef struct mete_buffer_config {
    size_t size_min;  ///< The least room that is asked for first. 0: 16 bytes.
    size_t size_max;  ///< The most there may be. 0: no limit but the allocator's.
    size_t
        kept_size;  ///< reset keeps the room up to this size, and gives back what is larger. 0: keeps any.
    size_t align;  ///< Alignment of the room, a power of two. 0: 1.
} mete_buffer_config_t;

/// A buffer. The fields are here so that it can be static or part of a struct; use the functions to read them.
typedef struct mete_buffer {
    unsigned char *room;  // NULL: none.
    size_t room_size;
    size_t first;   // Where its bytes start in the room.
    size_t length;  // How many there are.
    mete_alloc_t alloc;
    const mete_buffer_config_t *config;
} mete_buffer_t;

/// An empty buffer, without room. `config` may be NULL, which is as all zero. Returns false, changing nothing, if the
/// allocator is missing or the configuration contradicts itself.
bool mete_buffer_init(mete_buffer_t *buffer, mete_alloc_t alloc,
                      const mete_buffer_config_t *config);

/// Copies `size` bytes to the end. They must not be the buffer's own. False, and nothing is appended, if there is no
/// room to be had.
bool mete_buffer_append(mete_buffer_t *buffer, const void *bytes, size_t size);

/// Appends `size` bytes of any content and returns where they are, to be written until the next call. NULL, and nothing
/// is appended, if there is no room to be had, or `size` is 0.
void *mete_buffer_append_space(mete_buffer_t *buffer, size_t size);

/// Makes sure that `size` bytes more can be appended without asking the allocator. False if that cannot be.
bool mete_buffer_reserve(mete_buffer_t *buffer, size_t size);

/// Takes `size` bytes away at the front. False, and none is taken, if there are fewer. Looks for damage in first and length
/// only: it does not go to the room.
bool mete_buffer_consume(mete_buffer_t *buffer, size_t size);

/// Takes bytes away at the end until no more than `length` are left.
void mete_buffer_shrink(mete_buffer_t *buffer, size_t length);

/// What is in it: valid until the next call that appends, reserves, resets or purges.
mete_span_t mete_buffer_span(const mete_buffer_t *buffer);

/// Bytes of room there are, used or not.
size_t mete_buffer_size_of(const mete_buffer_t *buffer);

/// Empties it and keeps the room, up to config.kept_size: what an object pool calls when a buffer is put back.
void mete_buffer_reset(mete_buffer_t *buffer);

/// Empties it and gives its room back: before the buffer goes out of use.
void mete_buffer_purge(mete_buffer_t *buffer);

/// True if room, first and length agree; false before the first init. Changes nothing. O(1).
bool mete_buffer_check(const mete_buffer_t *buffer);

#ifdef __cplusplus
}
#endif
#endif

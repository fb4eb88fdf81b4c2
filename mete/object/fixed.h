// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_FIXED_H
#define METE_FIXED_H

/// Containers of fixed capacity: a vector, a ring and a string whose storage is part of them.
///
/// Reach for them where the most there can be is known. They never allocate, need no init (all zero is empty),
/// and refuse what does not fit. Each is declared with its type, so the compiler sees what goes in and out:
///
///     METE_FIXED_VECTOR(samples, int16_t, 32);  // The type samples_t, and functions that start with samples_.
///     static samples_t last;
///     if (!samples_append(&last, 17)) { ... }   // Full.
///     for (size_t i = 0; i < last.count; i++) { sum += last.items[i]; }
///     METE_FIXED_RING(bytes, uint8_t, 64);      // The same: bytes_t, bytes_append(), bytes_take().
///     METE_FIXED_STRING(name, 15);              // name_t: up to 15 characters and a NUL.
///
///   Time     O(1), but insert and remove: O(items behind), string append: O(length). No division.
///   Space    The capacity and one word: of a string, one more byte; of a ring, two words.
///   Align    As the type's.
///   Threads  Vector and string are not synchronised. A ring needs no lock between one who appends and one who
///            takes, be they tasks, an interrupt, or two cores.
///   Errors   What does not fit, or is not there, is ordinary: false or NULL, and nothing changes. A count
///            beyond the capacity, which only damage can make: METE_FAULT_CORRUPT, and nothing changes.
///
/// Nearly all of it is inline. The macros hold types and nothing to think about: that stands in plain functions.
/// In C++ vectors and strings are ranges, too: for (int16_t sample : last).

#include "mete/core/atomic.h"
#include "mete/core/base.h"
#include "mete/core/sink.h"
#include "mete/core/words.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- Vector

/// True if one more item fits; faults if `count` cannot be.
METE_INLINE bool mete_fixed_has_room(const void *vector, size_t count, size_t capacity)
{
    if ((METE_CHECK_LEVEL >= 1) && (count > capacity)) {
        METE_FAULT(METE_FAULT_CORRUPT, vector, NULL);
    }
    return count < capacity;
}

/// True if there is an item at `index`; faults if `count` cannot be.
METE_INLINE bool mete_fixed_has_item(const void *vector, size_t index, size_t count,
                                     size_t capacity)
{
    if ((METE_CHECK_LEVEL >= 1) && (count > capacity)) {
        METE_FAULT(METE_FAULT_CORRUPT, vector, NULL);
        return false;
    }
    return index < count;
}

/// Declares the type `name_t`, a vector of up to `capacity` items of `type`, with the public fields `items` and
/// `count`, and its functions. At file scope.
///
///     bool name_append(name_t *vector, type item);                Behind all others. False: full.
///     bool name_insert(name_t *vector, size_t index, type item);  In front of items[index]; index <= count.
///     bool name_remove(name_t *vector, size_t index);             Those behind move up. False: no such item.
///     bool name_take(name_t *vector, type *item);                 The last one. False: empty.
///     type *name_at(name_t *vector, size_t index);                NULL: no such item.
///     void name_reset(name_t *vector);                            Empty.
///     bool name_is_full(const name_t *vector);
///     bool name_check(const name_t *vector);                      False: damaged.
#define METE_FIXED_VECTOR(name, type, capacity) \
    typedef struct name { \
        size_t count; \
        __typeof__(type) items[(capacity)]; \
    } name##_t; \
    METE_FIXED_FUNCTION(bool) name##_append(name##_t *vector, __typeof__(type) item) \
    { \
        const bool fits = mete_fixed_has_room(vector, vector->count, (capacity)); \
        if (fits) { \
            vector->items[vector->count] = item; \
            vector->count++; \
        } \
        return fits; \
    } \
    METE_FIXED_FUNCTION(bool) name##_insert(name##_t *vector, size_t index, __typeof__(type) item) \
    { \
        const bool fits = \
            mete_fixed_has_room(vector, vector->count, (capacity)) && (index <= vector->count); \
        if (fits) { \
            mete_words_move(&vector->items[index + 1U], &vector->items[index], \
                            (vector->count - index) * sizeof vector->items[0]); \
            vector->items[index] = item; \
            vector->count++; \
        } \
        return fits; \
    } \
    METE_FIXED_FUNCTION(bool) name##_remove(name##_t *vector, size_t index) \
    { \
        const bool is_there = mete_fixed_has_item(vector, index, vector->count, (capacity)); \
        if (is_there) { \
            vector->count--; \
            mete_words_move(&vector->items[index], &vector->items[index + 1U], \
                            (vector->count - index) * sizeof vector->items[0]); \
        } \
        return is_there; \
    } \
    METE_FIXED_FUNCTION(bool) name##_take(name##_t *vector, __typeof__(type) *item) \
    { \
        const bool is_there = mete_fixed_has_item(vector, 0U, vector->count, (capacity)); \
        if (is_there) { \
            vector->count--; \
            *item = vector->items[vector->count]; \
        } \
        return is_there; \
    } \
    METE_FIXED_FUNCTION(__typeof__(type) *) name##_at(name##_t *vector, size_t index) \
    { \
        const bool is_there = mete_fixed_has_item(vector, index, vector->count, (capacity)); \
        return is_there ? &vector->items[index] : NULL; \
    } \
    METE_FIXED_FUNCTION(void) name##_reset(name##_t *vector) \
    { \
        vector->count = 0U; \
    } \
    METE_FIXED_FUNCTION(bool) name##_is_full(const name##_t *vector) \
    { \
        return vector->count >= (capacity); \
    } \
    METE_FIXED_FUNCTION(bool) name##_check(const name##_t *vector) \
    { \
        return vector->count <= (capacity); \
    } \
    METE_FIXED_RANGE(name, __typeof__(type), items, count) \
    typedef struct name name##_t

// ---- Ring

/// Where a ring is written and read. Both run through twice the capacity, so that full and empty differ: if
/// they are equal it is empty, if they are the capacity apart it is full. Each is written by one side alone.
typedef struct mete_fixed_ends {
    size_t written;
    size_t taken;
} mete_fixed_ends_t;

/// How many items there are. More than the capacity only after damage.
METE_INLINE size_t mete_fixed_count(size_t written, size_t taken, size_t capacity)
{
    return (written >= taken) ? written - taken : written + (2U * capacity) - taken;
}

/// One step on, from 2 * capacity - 1 to 0.
METE_INLINE size_t mete_fixed_after(size_t end, size_t capacity)
{
    return (end + 1U < 2U * capacity) ? end + 1U : 0U;
}

/// Which item an end is at.
METE_INLINE size_t mete_fixed_place(size_t end, size_t capacity)
{
    return (end < capacity) ? end : end - capacity;
}

/// True if both ends can be.
METE_INLINE bool mete_fixed_agrees(size_t written, size_t taken, size_t capacity)
{
    return (written < 2U * capacity) && (taken < 2U * capacity) &&
           (mete_fixed_count(written, taken, capacity) <= capacity);
}

/// True if one more item fits; faults if the ends cannot be. For the one who appends.
METE_INLINE bool mete_fixed_has_space(const mete_fixed_ends_t *ends, size_t capacity)
{
    const size_t written = mete_atomic_load_relaxed(&ends->written);
    const size_t taken = mete_atomic_load_acquire(&ends->taken);
    if ((METE_CHECK_LEVEL >= 1) && !mete_fixed_agrees(written, taken, capacity)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)ends, NULL);
        return false;
    }
    return mete_fixed_count(written, taken, capacity) != capacity;
}

/// True if there is an item; faults if the ends cannot be. For the one who takes.
METE_INLINE bool mete_fixed_has_any(const mete_fixed_ends_t *ends, size_t capacity)
{
    const size_t taken = mete_atomic_load_relaxed(&ends->taken);
    const size_t written = mete_atomic_load_acquire(&ends->written);
    if ((METE_CHECK_LEVEL >= 1) && !mete_fixed_agrees(written, taken, capacity)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)ends, NULL);
        return false;
    }
    return written != taken;
}

/// Declares the type `name_t`, a ring of up to `capacity` items of `type`, at least 1, first in, first out, and its
/// functions. At file scope. One side may append while another takes; who resets must have both to himself.
///
///     bool name_append(name_t *ring, type item);  False: full.
///     bool name_take(name_t *ring, type *item);   The oldest. False: empty.
///     const type *name_first(const name_t *ring); The oldest, left where it is. NULL: empty. For who takes.
///     size_t name_count(const name_t *ring);      Items; while the other side works, as many as there were.
///     void name_reset(name_t *ring);              Empty.
///     bool name_check(const name_t *ring);        False: damaged. While neither side works.
#define METE_FIXED_RING(name, type, capacity) \
    typedef struct name { \
        mete_fixed_ends_t ends; \
        __typeof__(type) items[(capacity)]; \
    } name##_t; \
    METE_FIXED_FUNCTION(bool) name##_append(name##_t *ring, __typeof__(type) item) \
    { \
        const bool fits = mete_fixed_has_space(&ring->ends, (capacity)); \
        if (fits) { \
            const size_t end = ring->ends.written; \
            ring->items[mete_fixed_place(end, (capacity))] = item; \
            mete_atomic_store_release(&ring->ends.written, mete_fixed_after(end, (capacity))); \
        } \
        return fits; \
    } \
    METE_FIXED_FUNCTION(bool) name##_take(name##_t *ring, __typeof__(type) *item) \
    { \
        const bool is_there = mete_fixed_has_any(&ring->ends, (capacity)); \
        if (is_there) { \
            const size_t end = ring->ends.taken; \
            *item = ring->items[mete_fixed_place(end, (capacity))]; \
            mete_atomic_store_release(&ring->ends.taken, mete_fixed_after(end, (capacity))); \
        } \
        return is_there; \
    } \
    METE_FIXED_FUNCTION(const __typeof__(type) *) name##_first(const name##_t *ring) \
    { \
        const bool is_there = mete_fixed_has_any(&ring->ends, (capacity)); \
        return is_there ? &ring->items[mete_fixed_place(ring->ends.taken, (capacity))] : NULL; \
    } \
    METE_FIXED_FUNCTION(size_t) name##_count(const name##_t *ring) \
    { \
        return mete_fixed_count(mete_atomic_load_relaxed(&ring->ends.written), \
                                mete_atomic_load_relaxed(&ring->ends.taken), (capacity)); \
    } \
    METE_FIXED_FUNCTION(void) name##_reset(name##_t *ring) \
    { \
        ring->ends.written = 0U; \
        ring->ends.taken = 0U; \
    } \
    METE_FIXED_FUNCTION(bool) name##_check(const name##_t *ring) \
    { \
        return mete_fixed_agrees(ring->ends.written, ring->ends.taken, (capacity)); \
    } \
    typedef struct name name##_t

// ---- String

/// Appends `size` bytes to the `length` in `text`, and a NUL; false, and nothing, if they do not fit. If `size` is 0,
/// `bytes` may be NULL.
bool mete_fixed_append(size_t *length, char *text, size_t capacity, const void *bytes, size_t size);

/// Characters in front of the NUL, at most `limit`, beyond which nothing is read.
size_t mete_fixed_length(const char *text, size_t limit);

/// Declares the type `name_t`, a string of up to `capacity` characters, with the public fields `text`, which
/// always ends with a NUL, and `length`; and its functions. At file scope.
///
///     bool name_append(name_t *string, const char *text);  All of `text`, or nothing: false. Not of itself.
///     bool name_append_bytes(name_t *string, const void *bytes, size_t size);
///     void name_reset(name_t *string);                     Empty.
///     mete_sink_t name_as_sink(name_t *string);            For mete_text_decimal() and all that writes text.
///                                                          A piece that does not fit is left out.
///     bool name_check(const name_t *string);               False: damaged.
#define METE_FIXED_STRING(name, capacity) \
    typedef struct name { \
        size_t length; \
        char text[(capacity) + 1U]; \
    } name##_t; \
    METE_FIXED_FUNCTION(bool) \
    name##_append_bytes(name##_t *string, const void *bytes, size_t size) \
    { \
        return mete_fixed_append(&string->length, string->text, (capacity), bytes, size); \
    } \
    METE_FIXED_FUNCTION(bool) name##_append(name##_t *string, const char *text) \
    { \
        return name##_append_bytes(string, text, mete_fixed_length(text, (capacity) + 1U)); \
    } \
    METE_FIXED_FUNCTION(void) name##_reset(name##_t *string) \
    { \
        string->length = 0U; \
        string->text[0] = '\0'; \
    } \
    METE_FIXED_FUNCTION(size_t) name##_write(void *self, const void *bytes, size_t size) \
    { \
        return name##_append_bytes((name##_t *)self, bytes, size) ? size : 0U; \
    } \
    METE_FIXED_FUNCTION(mete_sink_t) name##_as_sink(name##_t *string) \
    { \
        const mete_sink_t sink = {name##_write, string}; \
        return sink; \
    } \
    METE_FIXED_FUNCTION(bool) name##_check(const name##_t *string) \
    { \
        return (string->length <= (capacity)) && (string->text[string->length] == '\0'); \
    } \
    METE_FIXED_RANGE(name, char, text, length) \
    typedef struct name name##_t

// ---- What the macros need

/// How the functions of a container are declared. They are not all used.
#define METE_FIXED_FUNCTION(type) __attribute__((unused)) static inline type

/// What a for loop of C++ over a container asks for. Overloads, so not of C linkage, whatever they stand in.
#ifdef __cplusplus
#define METE_FIXED_RANGE(name, type, items, count) \
    extern "C++" { \
    METE_FIXED_FUNCTION(type *) begin(name##_t &all) \
    { \
        return all.items; \
    } \
    METE_FIXED_FUNCTION(type *) end(name##_t &all) \
    { \
        return all.items + all.count; \
    } \
    METE_FIXED_FUNCTION(const type *) begin(const name##_t &all) \
    { \
        return all.items; \
    } \
    METE_FIXED_FUNCTION(const type *) end(const name##_t &all) \
    { \
        return all.items + all.count; \
    } \
    }
#else
#define METE_FIXED_RANGE(name, type, items, count)
#endif

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes stand in one piece, somewhere in the room: behind what was consumed, in front of what is free. Moving
// them to the start of the room is free on average, as long as at least as many bytes were consumed as are moved.
//
// Whatever must be asked for is asked for before anything changes, so that a refusal leaves all as it was.

#include "mete/object/buffer.h"

enum { SIZE_MIN_DEFAULT = 16 };

static size_t size_min_of(const mete_buffer_t *buffer)
{
    const size_t size = (buffer->config != NULL) ? buffer->config->size_min : 0U;
    return (size != 0U) ? size : (size_t)SIZE_MIN_DEFAULT;
}

static size_t size_max_of(const mete_buffer_t *buffer)
{
    const size_t size = (buffer->config != NULL) ? buffer->config->size_max : 0U;
    return (size != 0U) ? size : SIZE_MAX / 2U;
}

static size_t align_of(const mete_buffer_t *buffer)
{
    const size_t align = (buffer->config != NULL) ? buffer->config->align : 0U;
    return (align != 0U) ? align : 1U;
}

// Its bytes stand in the room.
static bool is_inside(const mete_buffer_t *buffer)
{
    return (buffer->first <= buffer->room_size) &&
           (buffer->length <= buffer->room_size - buffer->first);
}

static bool is_sound(const mete_buffer_t *buffer)
{
    return is_inside(buffer) && ((buffer->room != NULL) == (buffer->room_size != 0U));
}

static size_t free_behind(const mete_buffer_t *buffer)
{
    return buffer->room_size - buffer->first - buffer->length;
}

// ---- Making room

// The room to ask for if `needed` bytes are to stand in it: twice what there was, within the limits.
static size_t grown_size(const mete_buffer_t *buffer, size_t needed)
{
    const size_t size_max = size_max_of(buffer);
    const size_t twice = (buffer->room_size <= size_max / 2U) ? 2U * buffer->room_size : size_max;
    const size_t least = (needed > size_min_of(buffer)) ? needed : size_min_of(buffer);
    const size_t size = (twice > least) ? twice : least;
    return (size < size_max) ? size : size_max;
}

static void slide_to_start(mete_buffer_t *buffer)
{
    if (buffer->first != 0U) {
        mete_words_move(buffer->room, buffer->room + buffer->first, buffer->length);
        buffer->first = 0U;
    }
}

// Where it stands, or elsewhere. Only what is in the buffer is copied.
static bool resize_room(mete_buffer_t *buffer, size_t size)
{
    // The allocator is not copied into a variable: at -O0 that is a call to memcpy(), which is libc.
    const size_t align = align_of(buffer);
    if (mete_resize(buffer->alloc, buffer->room, buffer->room_size, size, align)) {
        buffer->room_size = size;
        slide_to_start(buffer);
        return true;
    }
    unsigned char *const room = (unsigned char *)mete_acquire(buffer->alloc, size, align);
    if (room == NULL) {
        return false;
    }
    unsigned char *const old = buffer->room;
    if (old != NULL) {
        mete_words_copy(room, old + buffer->first, buffer->length);
        mete_release(buffer->alloc, old, buffer->room_size, align);
    }
    buffer->room = room;
    buffer->room_size = size;
    buffer->first = 0U;
    return true;
}

static bool grow(mete_buffer_t *buffer, size_t needed)
{
    if (needed > size_max_of(buffer)) {
        return false;
    }
    const size_t size = grown_size(buffer, needed);
    return resize_room(buffer, size) || ((size > needed) && resize_room(buffer, needed));
}

// It fits, but not without moving more than was consumed. So that this price is not paid again and again, the
// room grows, if it can.
static void make_distance(mete_buffer_t *buffer)
{
    const bool may_grow = buffer->room_size < size_max_of(buffer);
    if (!may_grow || !resize_room(buffer, grown_size(buffer, buffer->room_size))) {
        slide_to_start(buffer);
    }
}

// Room for `size` bytes more behind those that are there.
static bool make_room(mete_buffer_t *buffer, size_t size)
{
    if (size <= free_behind(buffer)) {
        return true;
    }
    if (size > buffer->room_size - buffer->length) {
        return (size <= SIZE_MAX - buffer->length) && grow(buffer, buffer->length + size);
    }
    if (buffer->first >= buffer->length) {
        slide_to_start(buffer);
    } else {
        make_distance(buffer);
    }
    return true;
}

static void give_back(mete_buffer_t *buffer)
{
    mete_release(buffer->alloc, buffer->room, buffer->room_size, align_of(buffer));
    buffer->room = NULL;
    buffer->room_size = 0U;
}

// ---- Public functions

bool mete_buffer_init(mete_buffer_t *buffer, mete_alloc_t alloc, const mete_buffer_config_t *config)
{
    METE_ASSERT(buffer != NULL);
    const bool is_legal =
        (config == NULL) ||
        (((config->align == 0U) || mete_align_is_legal(config->align)) &&
         (config->size_max <= SIZE_MAX / 2U) && (config->size_min <= SIZE_MAX / 2U) &&
         ((config->size_max == 0U) || (config->size_min <= config->size_max)));
    if ((alloc.ops == NULL) || !is_legal) {
        return false;
    }
    buffer->room = NULL;
    buffer->room_size = 0U;
    buffer->first = 0U;
    buffer->length = 0U;
    buffer->alloc = alloc;
    buffer->config = config;
    METE_ASSERT(mete_buffer_check(buffer));
    return true;
}

void *mete_buffer_append_space(mete_buffer_t *buffer, size_t size)
{
    METE_ASSERT((buffer != NULL) && (buffer->alloc.ops != NULL));
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return NULL;
    }
    if ((size == 0U) || !make_room(buffer, size)) {
        return NULL;
    }
    unsigned char *const space = buffer->room + buffer->first + buffer->length;
    buffer->length += size;
    METE_ASSERT(is_sound(buffer));
    return space;
}

bool mete_buffer_append(mete_buffer_t *buffer, const void *bytes, size_t size)
{
    METE_ASSERT((buffer != NULL) && (buffer->alloc.ops != NULL));
    METE_ASSERT((bytes != NULL) || (size == 0U));
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return false;
    }
    if (size == 0U) {
        return true;
    }
    if (!make_room(buffer, size)) {
        return false;
    }
    mete_words_copy(buffer->room + buffer->first + buffer->length, bytes, size);
    buffer->length += size;
    METE_ASSERT(is_sound(buffer));
    return true;
}

bool mete_buffer_reserve(mete_buffer_t *buffer, size_t size)
{
    METE_ASSERT((buffer != NULL) && (buffer->alloc.ops != NULL));
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return false;
    }
    return make_room(buffer, size);
}

bool mete_buffer_consume(mete_buffer_t *buffer, size_t size)
{
    METE_ASSERT(buffer != NULL);
    if ((METE_CHECK_LEVEL >= 1) && !is_inside(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return false;
    }
    if (size > buffer->length) {
        return false;
    }
    buffer->length -= size;
    // All room is free again without moving anything.
    buffer->first = (buffer->length != 0U) ? buffer->first + size : 0U;
    METE_ASSERT(is_sound(buffer));
    return true;
}

void mete_buffer_shrink(mete_buffer_t *buffer, size_t length)
{
    METE_ASSERT(buffer != NULL);
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return;
    }
    if (length < buffer->length) {
        buffer->length = length;
    }
}

mete_span_t mete_buffer_span(const mete_buffer_t *buffer)
{
    METE_ASSERT(buffer != NULL);
    // Field by field: an initialiser may become a call to memset(), which is libc.
    mete_span_t span;
    span.start = NULL;
    span.size = 0U;
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return span;
    }
    span.start = (buffer->room != NULL) ? buffer->room + buffer->first : NULL;
    span.size = buffer->length;
    return span;
}

size_t mete_buffer_size_of(const mete_buffer_t *buffer)
{
    METE_ASSERT(buffer != NULL);
    return buffer->room_size;
}

void mete_buffer_reset(mete_buffer_t *buffer)
{
    METE_ASSERT(buffer != NULL);
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return;
    }
    const size_t kept_size = (buffer->config != NULL) ? buffer->config->kept_size : 0U;
    buffer->first = 0U;
    buffer->length = 0U;
    if ((kept_size != 0U) && (buffer->room_size > kept_size)) {
        give_back(buffer);
    }
}

void mete_buffer_purge(mete_buffer_t *buffer)
{
    METE_ASSERT(buffer != NULL);
    if ((METE_CHECK_LEVEL >= 1) && !is_sound(buffer)) {
        METE_FAULT(METE_FAULT_CORRUPT, buffer, (const void *)buffer->room);
        return;
    }
    buffer->first = 0U;
    buffer->length = 0U;
    give_back(buffer);
}

bool mete_buffer_check(const mete_buffer_t *buffer)
{
    METE_ASSERT(buffer != NULL);
    return (buffer->alloc.ops != NULL) && is_sound(buffer) &&
           (buffer->room_size <= size_max_of(buffer)) &&
           mete_align_fits((uintptr_t)buffer->room, align_of(buffer));
}

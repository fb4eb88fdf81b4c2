// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a heap is for: an array that grows, a text, a single value, a buffer; and a request that is
// more than there is.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/core/words.h"

enum { SQUARE_COUNT = 10, CAPACITY_FIRST = 4, BUFFER_SIZE = 1024, TOO_MUCH = 65536 };

typedef struct squares {
    uint32_t *values;
    size_t count;
    size_t capacity;
} squares_t;

static size_t size_of(size_t capacity)
{
    return capacity * sizeof(uint32_t);
}

// Makes room for one more: twice as much, so that growing is rare.
static bool make_room(mete_alloc_t alloc, squares_t *squares)
{
    if (squares->count < squares->capacity) {
        return true;
    }
    const size_t capacity = (squares->capacity == 0U) ? CAPACITY_FIRST : 2U * squares->capacity;
    uint32_t *const values = mete_realloc(alloc, squares->values, size_of(squares->capacity),
                                          size_of(capacity), _Alignof(uint32_t));
    if (values == NULL) {
        return false;
    }
    squares->values = values;
    squares->capacity = capacity;
    return true;
}

static void log_squares(const squares_t *squares)
{
    log_text("Vec: [");
    for (size_t i = 0U; i < squares->count; i++) {
        LOG((i == 0U) ? "#" : ", #", squares->values[i]);
    }
    log_text("]\n");
}

static bool show_array(mete_alloc_t alloc)
{
    squares_t squares = {NULL, 0U, 0U};
    while ((squares.count < SQUARE_COUNT) && make_room(alloc, &squares)) {
        squares.values[squares.count] = (uint32_t)(squares.count * squares.count);
        squares.count++;
    }
    log_squares(&squares);
    mete_release(alloc, squares.values, size_of(squares.capacity), _Alignof(uint32_t));
    return squares.count == SQUARE_COUNT;
}

static bool show_text(mete_alloc_t alloc)
{
    static const char greeting[] = "Hello, heap!";
    char *const text = mete_acquire(alloc, sizeof greeting, 1U);
    if (text == NULL) {
        return false;
    }
    mete_words_copy(text, greeting, sizeof greeting);
    log_text("String: ");
    log_text(text);
    log_text("\n");
    mete_release(alloc, text, sizeof greeting, 1U);
    return true;
}

static bool show_value(mete_alloc_t alloc)
{
    uint32_t *const value = mete_acquire(alloc, sizeof *value, _Alignof(uint32_t));
    if (value == NULL) {
        return false;
    }
    *value = 42U;
    LOG("Boxed value: #\n", *value);
    mete_release(alloc, value, sizeof *value, _Alignof(uint32_t));
    return true;
}

static bool show_buffer(mete_alloc_t alloc)
{
    unsigned char *const buffer = mete_acquire_zeroed(alloc, BUFFER_SIZE, 8U);
    if (buffer == NULL) {
        return false;
    }
    LOG("Large buffer capacity: #\n", alloc.ops->size_of(alloc.self, buffer));
    mete_release(alloc, buffer, BUFFER_SIZE, 8U);
    return true;
}

// Out of memory is ordinary: NULL, and the program goes on.
static bool show_refusal(mete_alloc_t alloc)
{
    void *const block = mete_acquire(alloc, TOO_MUCH, 8U);
    if (block == NULL) {
        log_text("Memory allocation failed!\n");
        return true;
    }
    mete_release(alloc, block, TOO_MUCH, 8U);
    return false;
}

bool heap_topic(memory_t *memory)
{
    const mete_alloc_t alloc = memory->alloc;
    log_text("Testing heap allocation...\n");
    return show_array(alloc) && show_text(alloc) && show_value(alloc) && show_buffer(alloc) &&
           show_refusal(alloc);
}

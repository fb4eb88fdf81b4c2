// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A pool of byte buffers: what was made once is used again, with the room that it has grown to. And an object that is put back
// twice, which the pool must say.

#include "mete/object/object.h"

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "examples/stm32f407/watchers.h"
#include "mete/object/buffer.h"

enum { BUFFER_MAX = 4, ROOM_SIZE = 64 };

static const char greeting[] = "Hello, World!";
enum { GREETING_SIZE = sizeof greeting - 1 };

static mete_object_t pool;

// ---- What the pool is of

static bool construct(void *self, void *object)
{
    static const mete_buffer_config_t config = {.size_min = ROOM_SIZE};
    const memory_t *const memory = self;
    return mete_buffer_init(object, memory->alloc, &config);
}

static void reset(void *self, void *object)
{
    (void)self;
    mete_buffer_reset(object);
}

static void destruct(void *self, void *object)
{
    (void)self;
    mete_buffer_purge(object);
}

static bool open_pool(memory_t *memory)
{
    static mete_object_slot_t table[BUFFER_MAX];
    static mete_object_config_t config;
    config = (mete_object_config_t){.object_size = sizeof(mete_buffer_t),
                                    .align = _Alignof(mete_buffer_t),
                                    .object_max = BUFFER_MAX,
                                    .table = table,
                                    .kept_max = BUFFER_MAX,
                                    .resets = true,
                                    .construct = construct,
                                    .reset = reset,
                                    .destruct = destruct,
                                    .self = memory};
    return mete_object_init(&pool, memory->alloc, &config);
}

// ---- What is shown

static bool is_buffer(const char *what, const mete_buffer_t *buffer, size_t length)
{
    log_text(what);
    LOG(": # bytes in #\n", mete_buffer_span(buffer).size, mete_buffer_size_of(buffer));
    return (mete_buffer_span(buffer).size == length) && (mete_buffer_size_of(buffer) == ROOM_SIZE);
}

static bool is_pool(const char *what, size_t object_count, size_t in_use)
{
    const mete_object_usage_t usage = mete_object_usage(&pool);
    log_text(what);
    LOG(": # in the pool, # in use\n", usage.object_count, usage.in_use);
    return (usage.object_count == object_count) && (usage.in_use == in_use) &&
           mete_object_check(&pool);
}

// Leaves one object, which is kept.
static bool show_reuse(void)
{
    mete_buffer_t *const first = mete_object_get(&pool);
    if ((first == NULL) || !mete_buffer_append(first, greeting, GREETING_SIZE)) {
        return false;
    }
    bool is_right = is_buffer("Buffer", first, GREETING_SIZE) && is_pool("Buffer got", 1U, 1U);
    mete_object_put(&pool, first);
    is_right = is_pool("Buffer put back", 1U, 0U) && is_right;
    mete_buffer_t *const again = mete_object_get(&pool);
    is_right = (again == first) && is_buffer("The same buffer", again, 0U) && is_right;
    mete_object_put(&pool, again);
    return is_right;
}

static bool show_misuse(watchers_t *watchers)
{
    mete_buffer_t *const buffer = mete_object_get(&pool);
    mete_object_put(&pool, buffer);
    watchers_expect(watchers);
    mete_object_put(&pool, buffer);
    const bool is_right =
        watchers_is_reported(watchers, "Put back twice", METE_FAULT_DOUBLE_FREE, &pool, buffer);
    log_text("\n");
    return is_right;
}

bool objects_topic(memory_t *memory)
{
    log_text("Testing objects...\n");
    if (!open_pool(memory)) {
        log_text("Objects: not ready\n");
        return false;
    }
    const bool is_right = show_reuse() && show_misuse(memory->watchers);
    LOG("Objects given back: #\n", mete_object_shrink(&pool, 0U));
    memory_settle(memory);
    return is_pool("Nothing left", 0U, 0U) && is_right;
}

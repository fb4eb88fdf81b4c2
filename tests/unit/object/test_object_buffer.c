// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A pool of byte buffers over a heap: the buffers keep the room that they have grown to.

#include "mete/alloc/heap.h"
#include "mete/object/buffer.h"
#include "mete/object/object.h"
#include "mete/wrap/fail.h"
#include "tests/support/tap.h"

enum { BUFFER_MAX = 4, MEMORY_SIZE = 2048, LIMIT = 256 };

static _Alignas(8) unsigned char memory[MEMORY_SIZE];
static mete_heap_config_t heap_config;
static mete_heap_t *heap;
static mete_fail_t fail;
static mete_object_slot_t table[BUFFER_MAX];
static mete_object_t pool;

static bool construct(void *self, void *object)
{
    static const mete_buffer_config_t config = {.size_max = LIMIT};
    (void)self;
    return mete_buffer_init(object, mete_fail_as_alloc(&fail), &config) &&
           mete_buffer_reserve(object, 1U);
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

static const mete_object_config_t config = {.object_size = sizeof(mete_buffer_t),
                                            .align = _Alignof(mete_buffer_t),
                                            .object_max = BUFFER_MAX,
                                            .table = table,
                                            .kept_max = BUFFER_MAX,
                                            .resets = true,
                                            .construct = construct,
                                            .reset = reset,
                                            .destruct = destruct};

static mete_object_t *setup(const mete_fail_plan_t *plan)
{
    heap_config = (mete_heap_config_t){.storage = {memory, sizeof memory}, .search = 2U};
    heap = mete_heap_init(&heap_config);
    EXPECT(mete_fail_init(&fail, mete_heap_as_alloc(heap), plan));
    EXPECT(mete_object_init(&pool, mete_fail_as_alloc(&fail), &config));
    return &pool;
}

static void test_hello_world_comes_and_goes(void)
{
    static const mete_fail_plan_t none = {0};
    mete_object_t *const buffers = setup(&none);
    mete_buffer_t *const buffer = mete_object_get(buffers);
    EXPECT(mete_buffer_append(buffer, "Hello, World!", 13U));
    EXPECT(mete_buffer_span(buffer).size == 13U);
    EXPECT(*(const char *)mete_buffer_span(buffer).start == 'H');
    mete_object_put(buffers, buffer);
    const mete_object_usage_t usage = mete_object_usage(buffers);
    EXPECT((usage.unused_count == 1U) && (usage.object_count == 1U) && (usage.in_use == 0U));
}

static void test_room_is_kept_when_a_buffer_returns(void)
{
    static const mete_fail_plan_t none = {0};
    mete_object_t *const buffers = setup(&none);
    mete_buffer_t *const buffer = mete_object_get(buffers);
    EXPECT(mete_buffer_append_space(buffer, 200U) != NULL);
    const size_t room_size = mete_buffer_size_of(buffer);
    mete_object_put(buffers, buffer);
    const size_t requests = mete_fail_requests(&fail);
    mete_buffer_t *const again = mete_object_get(buffers);
    EXPECT((again == buffer) && (mete_buffer_span(again).size == 0U));
    EXPECT((mete_buffer_size_of(again) == room_size) &&
           (mete_buffer_append_space(again, 200U) != NULL));
    EXPECT(mete_fail_requests(&fail) == requests);
    mete_object_put(buffers, again);
    EXPECT(mete_object_shrink(buffers, 0U) == 1U);
    EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_heap_check(heap));
}

// Three buffers that grow, two at a time.
static void work(mete_object_t *buffers)
{
    for (size_t i = 0U; i < 3U; i++) {
        mete_buffer_t *const one = mete_object_get(buffers);
        mete_buffer_t *const two = mete_object_get(buffers);
        for (size_t j = 0U; j < 6U; j++) {
            if (one != NULL) {
                (void)mete_buffer_append(one, "Hello, World!", 13U);
                EXPECT(mete_buffer_check(one));
            }
        }
        mete_object_put(buffers, two);
        mete_object_put(buffers, one);
        EXPECT(mete_object_check(buffers));
        (void)mete_object_shrink(buffers, i);
    }
    (void)mete_object_shrink(buffers, 0U);
}

static void test_out_of_memory_at_every_request_leaves_nothing_behind(void)
{
    size_t refusals = 1U;
    for (size_t nth = 1U; refusals != 0U; nth++) {
        const mete_fail_plan_t plan = {.nth = nth};
        mete_object_t *const buffers = setup(&plan);
        work(buffers);
        refusals = mete_fail_refusals(&fail);
        EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_heap_check(heap));
        EXPECT((mete_object_usage(buffers).object_count == 0U) && (tap_take_fault() == 0));
        EXPECT((refusals == 0U) || (nth < 100U));
    }
}

int main(void)
{
    RUN(test_hello_world_comes_and_goes);
    RUN(test_room_is_kept_when_a_buffer_returns);
    RUN(test_out_of_memory_at_every_request_leaves_nothing_behind);
    return tap_finish();
}

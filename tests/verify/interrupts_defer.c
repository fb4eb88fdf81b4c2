// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware for the emulated mps2-an386: interrupts every call of the deferred release at every instruction where
// interrupts are not masked, with an interrupt that releases one block or two. In front of a pool and of a
// heap, by turns. Afterwards every block has one owner and its content, and when all is released nothing is
// missing. tests/verify/interrupts runs it; sweep.h says how.

#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/wrap/defer.h"
#include "tests/support/random.h"
#include "tests/verify/sweep.h"

enum {
    STATE_COUNT = 36,
    TICKS_STEP = 2,  // An instruction takes more than three.
    TICKS_MAX = 4000,
    BLOCK_COUNT = 8,
    BLOCK_SIZE = 32,
    ITS_COUNT = 2,  // Blocks of the interrupt, the last ones of those that are held.
};

typedef enum { ACQUIRE, RELEASE, RESIZE, CALL_COUNT } call_t;

typedef uint64_t block_t[BLOCK_SIZE / 8];

METE_POOL_DEFINE(pool, block_t, BLOCK_COUNT);
METE_HEAP_DEFINE(arena, 2048);

static mete_heap_t *heap;
static mete_defer_t defer;
static mete_alloc_t tasks, interrupts;

static unsigned char *held[BLOCK_COUNT];  // Where no interrupt comes between.
static volatile uint32_t its_left;        // Blocks that the interrupt is still to release.
static volatile bool has_struck;
static bool is_wrong;

// ---- Blocks

static void *take(size_t index)
{
    unsigned char *const block = tasks.ops->acquire(tasks.self, BLOCK_SIZE, 8U);
    if (block != NULL) {
        mete_words_fill(block, (unsigned char)(0xA0U + index), BLOCK_SIZE);
    }
    held[index] = block;
    return block;
}

// True if there is none, or nobody else wrote to it.
static bool is_intact(size_t index)
{
    const unsigned char expected = (unsigned char)(0xA0U + index);
    return (held[index] == NULL) ||
           (mete_words_scan(held[index], expected, BLOCK_SIZE) == BLOCK_SIZE);
}

static void put(mete_alloc_t view, size_t index)
{
    unsigned char *const block = held[index];
    held[index] = NULL;
    if (block != NULL) {
        view.ops->release(view.self, block, BLOCK_SIZE, 8U);
    }
}

// ---- The interrupt

static void release_its(void)
{
    while (its_left != 0U) {
        put(interrupts, BLOCK_COUNT - its_left);
        its_left--;
    }
}

void on_interrupt(const uint32_t *frame)
{
    stop_timer();
    note_hit(frame);
    has_struck = true;
    release_its();
}

// ---- The states

static mete_alloc_t inner_of(uint32_t state)
{
    (void)mete_pool_init(&pool, &pool_config);
    heap = mete_heap_init(&arena_config);
    return (state % 2U == 0U) ? mete_pool_as_alloc(&pool) : mete_heap_as_alloc(heap);
}

// The interrupt holds one or two blocks; of the others random ones are held, and none to three were released by
// an interrupt before.
static void reach(uint32_t state)
{
    static const mete_defer_config_t configs[] = {{.drain_max = 1U}, {.drain_max = 3U}};
    uint32_t random = 2654435761U * (state + 1U);
    (void)mete_defer_init(&defer, inner_of(state), &configs[state / 2U % 2U]);
    tasks = mete_defer_as_alloc(&defer);
    interrupts = mete_defer_as_alloc_for_interrupts(&defer);
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        is_wrong = is_wrong || (take(i) == NULL);
    }
    its_left = 1U + (state / 4U % 2U);
    for (size_t i = its_left; i < ITS_COUNT; i++) {
        put(tasks, BLOCK_COUNT - 1U - i);
    }
    for (uint32_t left = random_below(&random, 4U); left != 0U; left--) {
        put(tasks, 1U + random_below(&random, BLOCK_COUNT - ITS_COUNT - 1U));
    }
    for (uint32_t i = 0U; i < state % 4U; i++) {
        put(interrupts, 1U + random_below(&random, BLOCK_COUNT - ITS_COUNT - 1U));
    }
    has_struck = false;
}

// ---- The calls

// A slot that the task does not hold a block in; BLOCK_COUNT if all are full.
static size_t spare(void)
{
    size_t index = 0U;
    while ((index < BLOCK_COUNT - ITS_COUNT) && (held[index] != NULL)) {
        index++;
    }
    return (index < BLOCK_COUNT - ITS_COUNT) ? index : BLOCK_COUNT;
}

__attribute__((noinline)) void *verify_call(call_t call, void *block);
void *verify_call(call_t call, void *block)
{
    switch (call) {
    case ACQUIRE:
        return tasks.ops->acquire(tasks.self, BLOCK_SIZE, 8U);
    case RELEASE:
        tasks.ops->release(tasks.self, block, BLOCK_SIZE, 8U);
        return NULL;
    default:
        return tasks.ops->resize(tasks.self, block, BLOCK_SIZE, BLOCK_SIZE, 8U) ? block : NULL;
    }
}

// All that is held goes back; then calls until nothing is in the list.
static void release_all(void)
{
    release_its();
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        put(tasks, i);
    }
    for (size_t i = 0U; (i < BLOCK_COUNT) && (defer.first != 0U); i++) {
        (void)take(0U);
        put(tasks, 0U);
    }
}

static void judge(void)
{
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        is_wrong = is_wrong || !is_intact(i);
    }
    release_all();
    const mete_heap_usage_t usage = mete_heap_usage(heap);
    is_wrong = is_wrong || (defer.first != 0U) || (tap_take_fault() != 0) ||
               (mete_pool_usage(&pool).in_use != 0U) || !mete_pool_check(&pool) ||
               (usage.in_use_size != 0U) || (usage.free_count != 1U) || !mete_heap_check(heap);
}

// 0 ticks: no interrupt.
static void call_once(uint32_t state, call_t call, uint32_t ticks)
{
    reach(state);
    const size_t index = (call == ACQUIRE) ? spare() : 0U;
    unsigned char *const block = (call == RELEASE) ? held[0] : NULL;
    if (call == RELEASE) {
        held[0] = NULL;
    }
    void *const resized = held[0];
    if (ticks != 0U) {
        start_timer(ticks);
    }
    verify_begin();
    unsigned char *const result = verify_call(call, (call == RESIZE) ? resized : block);
    verify_end();
    stop_timer();
    if (call == ACQUIRE) {
        // All but the interrupt's can be full.
        is_wrong = is_wrong || ((result == NULL) && (index < BLOCK_COUNT));
        if ((result != NULL) && (index < BLOCK_COUNT)) {
            held[index] = result;
            mete_words_fill(result, (unsigned char)(0xA0U + index), BLOCK_SIZE);
        } else if (result != NULL) {
            tasks.ops->release(tasks.self, result, BLOCK_SIZE, 8U);
        }
    }
    judge();
}

static void sweep(uint32_t state, call_t call)
{
    uint32_t ticks = 1U;
    do {
        call_once(state, call, ticks);
        ticks += TICKS_STEP;
    } while (has_struck && (ticks < TICKS_MAX));
}

int main(void)
{
    __asm volatile("cpsie i");
    print_states(STATE_COUNT);
    for (uint32_t state = 0U; state < STATE_COUNT; state++) {
        for (uint32_t call = 0U; call < CALL_COUNT; call++) {
            if (WHAT == 0U) {
                sweep(state, (call_t)call);
            } else {
                call_once(state, (call_t)call, 0U);
            }
            print_hits(state, call);
        }
    }
    mete_text_string(tap_sink, is_wrong ? "FAIL\n" : "PASS\n");
    return is_wrong ? 1 : 0;
}

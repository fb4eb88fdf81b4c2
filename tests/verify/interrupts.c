// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware for the emulated mps2-an386: interrupts alloc and free of the atomic pool at every
// instruction, with an interrupt that allocates and frees itself. tests/verify/interrupts runs it and
// compares where it was interrupted with what it executes.
//
// Each call is made from each state of the pool, as sweep.h says; for each state and call a line says where
// it was interrupted.
//
// What to do may also be 2: as 0, but from few states, and the first interrupt sets the timer for a second
// one, likewise one tick later each time; the lines tell of both. 3: as 0, from these states and between
// the marks.

#include "mete/alloc/atomic_pool.h"
#include "tests/support/random.h"
#include "tests/verify/sweep.h"

enum {
    STATE_COUNT = 64,
    FEW_STATES = 6,
    TICKS_MAX = 330,  // Longer than any call takes.
    BLOCK_COUNT = 8,
    RESERVED_COUNT = 2,
    BLOCK_SIZE = 12,
};

typedef enum { ALLOC, ALLOC_RESERVED, FREE, CALL_COUNT } call_t;

bool second_init(mete_atomic_pool_t *pool, const mete_atomic_pool_config_t *config);
void *second_alloc(mete_atomic_pool_t *pool);
void *second_alloc_reserved(mete_atomic_pool_t *pool);
void second_free(mete_atomic_pool_t *pool, void *block);
bool second_check(const mete_atomic_pool_t *pool);

static unsigned char blocks[BLOCK_COUNT][BLOCK_SIZE];
static size_t links[BLOCK_COUNT];
static const mete_atomic_pool_config_t config = {blocks, links, BLOCK_SIZE, BLOCK_COUNT,
                                                 RESERVED_COUNT};
static mete_atomic_pool_t pool;

static volatile uint8_t owner_counts[BLOCK_COUNT];
static void *mine[BLOCK_COUNT];   // Held by the program, by index,
static void *volatile its_block;  // and by the interrupt.
static size_t common_count;       // Free ones, in the state that the call starts from.
static volatile bool is_wrong;

// ---- Blocks and who has them

static size_t index_of_block(const void *block)
{
    return (size_t)((const unsigned char *)block - blocks[0]) / BLOCK_SIZE;
}

static void *own(void *block)
{
    if (block != NULL) {
        const size_t index = index_of_block(block);
        is_wrong = is_wrong || (owner_counts[index] != 0U);
        owner_counts[index] = (uint8_t)(owner_counts[index] + 1U);
    }
    return block;
}

static void *disown(void *block)
{
    if (block != NULL) {
        const size_t index = index_of_block(block);
        owner_counts[index] = (uint8_t)(owner_counts[index] - 1U);
    }
    return block;
}

// ---- The interrupt

static uint32_t kind;                 // What it does.
static volatile uint32_t next_ticks;  // Until the second one; 0: there is none.

// Takes a pair; or takes two, gives back what it has held and then the first, so that the same block is on
// top again, with another behind it; or gives back what it has held and takes another.
static void allocate_and_free(void)
{
    if (kind == 0U) {
        void *const block = own(second_alloc_reserved(&pool));
        second_free(&pool, disown(block));
    } else if (kind == 1U) {
        void *const first = own(second_alloc(&pool));
        void *const second = own(second_alloc(&pool));
        second_free(&pool, disown(its_block));
        second_free(&pool, disown(first));
        its_block = second;
    } else {
        second_free(&pool, disown(its_block));
        its_block = own(second_alloc_reserved(&pool));
    }
}

void on_interrupt(const uint32_t *frame)
{
    stop_timer();
    note_hit(frame);
    allocate_and_free();
    if (next_ticks != 0U) {
        const uint32_t ticks = next_ticks;
        next_ticks = 0U;
        start_timer(ticks);
    }
}

// ---- The states

// What random work leads to. Every fourth state has a tag that comes round at once.
static void *reach(uint32_t state)
{
    uint32_t random = 2654435761U * (state + 1U);
    kind = state % 3U;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        owner_counts[i] = 0U;
        mine[i] = NULL;
    }
    (void)second_init(&pool, &config);
    if (state % 4U == 0U) {
        pool.common |= ~pool.mask;
        pool.reserved |= ~pool.mask;
    }
    its_block = own(second_alloc(&pool));
    for (uint32_t i = 0U; i < 6U + (state / 2U); i++) {
        const size_t pick = random_below(&random, BLOCK_COUNT);
        if (mine[pick] != NULL) {
            second_free(&pool, disown(mine[pick]));
            mine[pick] = NULL;
        } else {
            const bool is_any = (random & 1U) != 0U;
            void *const block = own(is_any ? second_alloc_reserved(&pool) : second_alloc(&pool));
            if (block != NULL) {
                mine[index_of_block(block)] = block;
            }
        }
    }
    common_count = 0U;
    void *victim = NULL;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        common_count += ((i >= RESERVED_COUNT) && (owner_counts[i] == 0U)) ? 1U : 0U;
        victim = (mine[i] != NULL) ? mine[i] : victim;
    }
    return victim;
}

// How many of the states differ in their lists, tags apart. They are compared by a hash (FNV-1a).
static size_t count_states(void)
{
    static uint32_t seen[STATE_COUNT];
    size_t count = 0U;
    for (uint32_t state = 0U; state < STATE_COUNT; state++) {
        (void)reach(state);
        uint32_t hash = 2166136261U;
        for (size_t i = 0U; i < BLOCK_COUNT + 2U; i++) {
            const size_t top = (i == BLOCK_COUNT) ? pool.common : pool.reserved;
            hash = (hash ^ ((i < BLOCK_COUNT) ? links[i] : top & pool.mask)) * 16777619U;
        }
        size_t known = 0U;
        while ((known < count) && (seen[known] != hash)) {
            known++;
        }
        seen[known] = hash;
        count += (known == count) ? 1U : 0U;
    }
    return count;
}

static void judge(call_t call, const void *block)
{
    size_t owned_count = 0U;
    for (size_t i = 0U; i < BLOCK_COUNT; i++) {
        owned_count += owner_counts[i];
        is_wrong = is_wrong || (owner_counts[i] > 1U);
    }
    // The interrupts hold two blocks each at a time, of those that were free.
    const bool must_serve = (common_count > ((WHAT == 2U) ? 4U : 2U)) && (call != FREE);
    is_wrong = is_wrong || !second_check(&pool) || (pool.in_use != owned_count) ||
               (tap_take_fault() != 0) || (must_serve && (block == NULL));
}

// ---- The calls

__attribute__((noinline)) void *verify_call(call_t call, void *block);
void *verify_call(call_t call, void *block)
{
    switch (call) {
    case ALLOC:
        return mete_atomic_pool_alloc(&pool);
    case ALLOC_RESERVED:
        return mete_atomic_pool_alloc_reserved(&pool);
    default:
        mete_atomic_pool_free(&pool, block);
        return NULL;
    }
}

// 0 ticks: no interrupt.
static void call_once(uint32_t state, call_t call, uint32_t ticks, uint32_t second)
{
    void *const victim = reach(state);
    if (call == FREE) {
        (void)disown(victim);
    }
    next_ticks = second;
    if (ticks != 0U) {
        start_timer(ticks);
    }
    verify_begin();
    void *const block = verify_call(call, victim);
    verify_end();
    stop_timer();
    (void)own(block);
    judge(call, block);
}

static void sweep(uint32_t state, call_t call)
{
    const uint32_t second_max = (WHAT == 2U) ? TICKS_MAX : 0U;
    for (uint32_t ticks = 1U; (ticks <= TICKS_MAX) && (WHAT != 1U); ticks++) {
        for (uint32_t second = (second_max != 0U) ? 1U : 0U; second <= second_max; second++) {
            call_once(state, call, ticks, second);
        }
    }
    if (WHAT == 1U) {
        call_once(state, call, 0U, 0U);
    }
    print_hits(state, (uint32_t)call);
}

int main(void)
{
    const uint32_t state_count = (WHAT >= 2U) ? FEW_STATES : STATE_COUNT;
    __asm volatile("cpsie i");
    print_states(count_states());
    for (uint32_t state = 0U; state < state_count; state++) {
        for (int call = 0; call < CALL_COUNT; call++) {
            sweep(state, (call_t)call);
        }
    }
    mete_text_string(tap_sink, is_wrong ? "FAIL\n" : "PASS\n");
    return is_wrong ? 1 : 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Interrupts that use memory: they share an allocator with main() in critical sections that are compiled
// into the calls, and they give back what main() waits for.

#include "port/os/bare_metal_inline.h"

#include "mete/wrap/critical.c"

#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/wrap/defer.h"
#include "mete/wrap/wait.h"
#include "port/board/board.h"
#include "port/cpu/cortex_m.h"
#include "port/os/bare_metal.h"
#include "tests/support/tap.h"

enum { ROUNDS = 40, LOOPS_MAX = 100000000 };

METE_POOL_DEFINE(shared_pool, uint64_t, 6);
METE_HEAP_DEFINE(app, 1024);

static mete_critical_t critical;
static mete_alloc_t shared;
static volatile size_t interrupts;
static size_t interrupts_served;
static bool is_sharing;

static mete_alloc_t for_interrupts;
static void *volatile mailbox;  // From main() to the interrupt, which gives it back.
static size_t mailbox_size;

static void on_systick(void)
{
    mete_bare_metal_tick();
    interrupts++;
    if (is_sharing) {
        void *const block = mete_acquire(shared, 8U, 8U);
        interrupts_served += (block != NULL) ? 1U : 0U;
        mete_release(shared, block, 8U, 8U);
    }
    if (mailbox != NULL) {
        mete_release(for_interrupts, mailbox, mailbox_size, 8U);
        mailbox = NULL;
    }
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = METE_VECTORS_CORE(on_systick);

static bool is_masked(void)
{
    uintptr_t primask;
    __asm volatile("mrs %0, primask" : "=r"(primask));
    return primask != 0U;
}

static void *masked_acquire(void *self, size_t size, size_t align)
{
    (void)size, (void)align;
    return is_masked() ? self : NULL;
}

static void masked_release(void *self, void *block, size_t size, size_t align)
{
    (void)block, (void)size, (void)align;
    *(bool *)self = is_masked();
}

static void test_interrupts_are_masked_for_the_call_behind_and_only_then(void)
{
    static const mete_alloc_ops_t ops = {masked_acquire, masked_release, NULL, NULL, NULL};
    static bool was_masked;
    EXPECT(mete_critical_init(&critical, (mete_alloc_t){&ops, &was_masked}, NULL));
    shared = mete_critical_as_alloc(&critical);
    void *const block = mete_acquire(shared, 1U, 1U);
    EXPECT((block != NULL) && !is_masked());
    mete_release(shared, block, 1U, 1U);
    EXPECT(was_masked && !is_masked());
    const uintptr_t state = mete_critical_enter();
    EXPECT((mete_acquire(shared, 1U, 1U) != NULL) && is_masked());
    mete_critical_leave(state);
    EXPECT(!is_masked());
}

static void test_main_and_interrupts_share_a_pool(void)
{
    EXPECT(mete_pool_init(&shared_pool, &shared_pool_config));
    EXPECT(mete_critical_init(&critical, mete_pool_as_alloc(&shared_pool), NULL));
    shared = mete_critical_as_alloc(&critical);
    is_sharing = true;
    const size_t until = interrupts + ROUNDS;
    for (size_t i = 0U; (interrupts < until) && (i < LOOPS_MAX); i++) {
        void *const block = mete_acquire(shared, 8U, 8U);
        EXPECT(block != NULL);
        mete_release(shared, block, 8U, 8U);
    }
    is_sharing = false;
    EXPECT((interrupts_served >= ROUNDS) && mete_pool_check(&shared_pool));
    EXPECT((mete_pool_usage(&shared_pool).in_use == 0U) && (tap_take_fault() == 0));
}

static void wake(void *self)
{
    mete_wait_notify(self);
}

static void test_main_waits_for_what_an_interrupt_gives_back(void)
{
    static mete_wait_t waiting;
    static mete_defer_t defer;
    static mete_bare_metal_signal_t signal;
    static const mete_defer_config_t config = {1U, wake, &waiting};
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_defer_init(&defer, mete_heap_as_alloc(heap), &config));
    EXPECT(mete_wait_init(&waiting, mete_defer_as_alloc(&defer)));
    for_interrupts = mete_defer_as_alloc_for_interrupts(&defer);
    const mete_alloc_t view = mete_wait_as_alloc(&waiting);
    const mete_wait_terms_t terms = {mete_bare_metal_signal(&signal), 0U, 1000U};
    for (size_t i = 0U; i < ROUNDS; i++) {  // Two of them do not fit.
        const size_t size = 600U + i;
        void *const block = mete_wait_acquire(&waiting, view, size, 8U, &terms);
        EXPECT((block != NULL) && (mailbox == NULL));
        mailbox_size = size;
        mailbox = block;
    }
    const mete_wait_terms_t impatient = {mete_bare_metal_signal(&signal), 0U, 3U};
    EXPECT(mete_wait_acquire(&waiting, view, 4000U, 8U, &impatient) == NULL);
    EXPECT((mailbox == NULL) && (mete_heap_usage(heap).in_use_size == 0U) && mete_heap_check(heap));
    EXPECT(tap_take_fault() == 0);
}

int main(void)
{
    mete_bare_metal_clock_start(mete_board.clock_hz);
    RUN(test_interrupts_are_masked_for_the_call_behind_and_only_then);
    RUN(test_main_and_interrupts_share_a_pool);
    RUN(test_main_waits_for_what_an_interrupt_gives_back);
    return tap_finish();
}

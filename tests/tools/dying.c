// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that is refused a request, frees a block twice, and dies of it: what it has noted is for `mete
// postmortem`. With DYING_RESETS it resets its machine first; either way it waits at the end, and says so.

#include "mete/alloc/heap.h"
#include "mete/core/text.h"
#include "mete/system/postmortem.h"
#include "mete/wrap/growth.h"
#include "mete/wrap/track.h"
#include "port/cpu/start.h"

#if defined(__riscv)
#define RESET_REGISTER (*(volatile uint32_t *)0x00100000U)  // The test device of QEMU's virt.
#define RESET_VALUE    0x7777U
#else
#define RESET_REGISTER (*(volatile uint32_t *)0xE000ED0CU)  // AIRCR.
#define RESET_VALUE    0x05FA0004U
#endif

#define NOINLINE __attribute__((noinline))

METE_HEAP_DEFINE(memory, 4096);
METE_POSTMORTEM_PLACE static char volatile other_memory[1000];  // The store need not come first.
METE_POSTMORTEM_PLACE static mete_postmortem_store_t store;

static const mete_postmortem_config_t postmortem_config = {.store = &store};
static mete_postmortem_t postmortem;
static mete_track_config_t track_config;
static mete_track_t track;
static mete_growth_site_t sites[8];
static mete_growth_t growth;

__attribute__((noreturn)) static void wait_for_help(void)
{
    mete_text_string(mete_port_console, "WAITING\n");
    for (;;) {
    }
}

__attribute__((noreturn)) void die(int fault, const void *object, const void *address,
                                   const void *caller)
{
    mete_postmortem_note_fault(&postmortem, (mete_fault_t)fault, object, address, caller);
#ifdef DYING_RESETS
    RESET_REGISTER = RESET_VALUE;
#endif
    wait_for_help();
}

static bool add(void *self, const mete_track_block_t *block)
{
    (void)self;
    return mete_growth_add(&growth, block->caller, block->size);
}

static bool note(void *self, const mete_growth_site_t *site)
{
    (void)self;
    mete_postmortem_note_site(&postmortem, site->caller, site->count, site->size);
    return true;
}

static void note_sites(void)
{
    (void)mete_growth_init(&growth, sites, 8U);
    (void)mete_track_walk(&track, add, NULL);
    mete_growth_mark(&growth);
    (void)mete_growth_walk(&growth, 1U, note, NULL);
}

static inline __attribute__((always_inline)) void *open_buffer(mete_alloc_t alloc)
{
    return mete_acquire(alloc, 100000U, 8U);  // Site: buffer
}

NOINLINE static void *keep(mete_alloc_t alloc)
{
    char *const kept = mete_acquire(alloc, 24U, 1U);  // Site: kept
    if (kept != NULL) {
        kept[0] = 'k';
    }
    return kept;
}

NOINLINE static void serve(mete_heap_t *heap, mete_alloc_t alloc)
{
    for (int i = 0; i < 3; i++) {
        (void)keep(alloc);
    }
    note_sites();
    (void)open_buffer(alloc);  // Site: serve opens
    void *const block = mete_heap_alloc(heap, 40U);
    mete_heap_free(heap, block);
    mete_heap_free(heap, block);  // Site: twice
    mete_text_string(mete_port_console, "ALIVE\n");
}

int main(void)
{
    if (mete_postmortem_init(&postmortem, &postmortem_config)) {
        wait_for_help();
    }
    other_memory[0] = 'x';
    mete_heap_t *const heap = mete_heap_init(&memory_config);
    track_config.observer = mete_postmortem_as_observer(&postmortem);
    if (mete_track_init(&track, mete_heap_as_alloc(heap), &track_config)) {
        serve(heap, mete_track_as_alloc(&track));
    }
    return 0;
}

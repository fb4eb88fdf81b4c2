// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What it costs to check a stack at a switch, to take one that is kept and painted, to look up an address among eight
// stacks, the last of which has it, and to measure 256 bytes of a stack.

#include "mete/protect/stacks.h"
#include "bench/probe.h"

enum { RECORD_COUNT = 8, SIZE = 1024 };

static _Alignas(32) unsigned char memory[RECORD_COUNT * SIZE];
static size_t used_size;
static mete_stacks_record_t records[RECORD_COUNT];
static mete_stacks_t stacks;
static int tasks[RECORD_COUNT];

static void *acquire(void *self, size_t size, size_t align)
{
    (void)self;
    (void)align;
    void *const block = &memory[used_size];
    used_size += size;
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    (void)self;
    (void)block;
    (void)size;
    (void)align;
}

bool check_switch(mete_stacks_t *all, const mete_stacks_record_t *record, const void *top);
__attribute__((noinline)) bool check_switch(mete_stacks_t *all, const mete_stacks_record_t *record,
                                            const void *top)
{
    return mete_stacks_check_switch(all, record, top);
}

PROBE(check_switch);
bool probe_check_switch(mete_stacks_t *all, const mete_stacks_record_t *record, const void *top);
PROBE(mete_stacks_alloc);
const mete_stacks_record_t *probe_mete_stacks_alloc(mete_stacks_t *all, const void *task,
                                                    const char *name, size_t size);
PROBE(mete_stacks_free);
void probe_mete_stacks_free(mete_stacks_t *all, const mete_stacks_record_t *record);
PROBE(mete_stacks_find);
const mete_stacks_record_t *probe_mete_stacks_find(const mete_stacks_t *all, const void *address);
PROBE(mete_stacks_check_next);
bool probe_mete_stacks_check_next(mete_stacks_t *all, size_t size_max);

// The first stacks have a task, the last is kept and painted.
static void prepare(void)
{
    for (size_t i = 0U; i + 1U < RECORD_COUNT; i++) {
        (void)mete_stacks_alloc(&stacks, &tasks[i], "task", SIZE);
    }
    (void)mete_stacks_reserve(&stacks, SIZE);
    stacks.next_index = RECORD_COUNT - 1U;
    (void)mete_stacks_check_next(&stacks, SIZE);
}

int main(void)
{
    static const mete_alloc_ops_t ops = {acquire, release, NULL, NULL, NULL};
    static mete_stacks_config_t config = {
        .records = records, .record_max = RECORD_COUNT, .guard_size = 32U, .align = 32U};
    config.alloc = (mete_alloc_t){&ops, memory};
    (void)mete_stacks_init(&stacks, &config);
    prepare();
    start_phase("stacks");
    const mete_stacks_record_t *const last =
        probe_mete_stacks_alloc(&stacks, &tasks[RECORD_COUNT - 1], "last", SIZE);
    (void)probe_check_switch(&stacks, last, memory + sizeof memory - 8);
    (void)probe_mete_stacks_find(&stacks, memory + sizeof memory - 8);
    (void)probe_mete_stacks_check_next(&stacks, 256U);
    (void)probe_mete_stacks_check_next(&stacks, 256U);
    memory[sizeof memory - 200U] = 0U;
    probe_mete_stacks_free(&stacks, last);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Three functions with the commonest of bugs: a way out that forgets to give memory back. The tracker
// names each block that is missing and the call that acquired it.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/wrap/track_report.h"
#include "port/cpu/start.h"

enum { LEAK_COUNT = 5, LEAK_SIZE = 640, READING_MAX = 4095 };

// Leaks 64 bytes if the reading is out of range.
__attribute__((noinline)) static bool store_reading(mete_alloc_t alloc, uint32_t reading)
{
    uint32_t *const record = mete_acquire(alloc, 64U, 4U);
    if ((record == NULL) || (reading > READING_MAX)) {
        return false;
    }
    record[0] = reading;
    mete_release(alloc, record, 64U, 4U);
    return true;
}

// Leaks 128 bytes if the message is empty.
__attribute__((noinline)) static bool send_message(mete_alloc_t alloc, const char *message)
{
    char *const packet = mete_acquire(alloc, 128U, 1U);
    if ((packet == NULL) || (message[0] == '\0')) {
        return false;
    }
    packet[0] = message[0];
    mete_release(alloc, packet, 128U, 1U);
    return true;
}

// Leaks 256 bytes if there is no such channel.
__attribute__((noinline)) static bool open_channel(mete_alloc_t alloc, uint32_t channel)
{
    uint32_t *const queue = mete_acquire(alloc, 256U, 8U);
    if ((queue == NULL) || (channel >= 8U)) {
        return false;
    }
    queue[0] = channel;
    mete_release(alloc, queue, 256U, 8U);
    return true;
}

// Returns how many of the calls went wrong.
static size_t work(mete_alloc_t alloc)
{
    static const uint32_t readings[] = {1200U, 70000U, 4095U, 4096U};
    static const char *const messages[] = {"start", "", "stop", ""};
    size_t failures = 0U;
    for (size_t i = 0U; i < 4U; i++) {
        failures += store_reading(alloc, readings[i]) ? 0U : 1U;
        failures += send_message(alloc, messages[i]) ? 0U : 1U;
    }
    failures += open_channel(alloc, 3U) ? 0U : 1U;
    failures += open_channel(alloc, 8U) ? 0U : 1U;
    return failures;
}

typedef struct found {
    mete_track_block_t blocks[LEAK_COUNT];
    size_t count;
    uint32_t mark;
} found_t;

static bool collect(void *self, const mete_track_block_t *block)
{
    found_t *const found = self;
    if ((block->sequence > found->mark) && (found->count < LEAK_COUNT)) {
        found->blocks[found->count] = *block;
        found->count++;
    }
    return true;
}

// The tracker knows enough of a block to give it back. This is for the tour alone, which starts again:
// a program cannot know that nobody uses what seems to be forgotten.
static void give_back(memory_t *memory, uint32_t mark)
{
    found_t found = {.count = 0U, .mark = mark};
    (void)mete_track_walk(&memory->track, collect, &found);
    for (size_t i = 0U; i < found.count; i++) {
        const mete_track_block_t *const block = &found.blocks[i];
        mete_release(memory->alloc, (void *)(uintptr_t)block->block, block->size, block->align);
    }
    LOG("Leaked blocks given back: #\n", found.count);
}

bool leaks_topic(memory_t *memory)
{
    log_text("Testing leak detection...\n");
    const uint32_t mark = mete_track_mark(&memory->track);
    const mete_track_filter_t since_mark = {.since = mark};
    const size_t failures = work(memory->alloc);
    const mete_track_total_t leaks =
        mete_track_report_write(&memory->track, &since_mark, mete_port_console);
    LOG("Detected # memory leaks\n", leaks.count);
    LOG("Total leaked bytes: #\n", leaks.size);
    give_back(memory, mark);
    return (failures == leaks.count) && (leaks.count == LEAK_COUNT) && (leaks.size == LEAK_SIZE) &&
           (mete_track_total(&memory->track, &since_mark).count == 0U);
}

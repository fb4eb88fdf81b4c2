// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Three functions with the commonest of bugs: a way out that forgets to give memory back. The tracker
// names each block that is missing and the call that acquired it.

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "mete/wrap/track_report.h"
#include "port/cpu/start.h"

enum { LEAK_COUNT = 5, LEAK_SIZE = 640, READING_MAX = 4095, ALIGN = 8 };

// Leaks 64 bytes if the reading is out of range.
__attribute__((noinline)) static bool store_reading(mete_alloc_t alloc, uint32_t reading)
{
    uint32_t *const record = mete_acquire(alloc, 64U, ALIGN);
    if ((record == NULL) || (reading > READING_MAX)) {
        return false;
    }
    record[0] = reading;
    mete_release(alloc, record, 64U, ALIGN);
    return true;
}

// Leaks 128 bytes if the message is empty.
__attribute__((noinline)) static bool send_message(mete_alloc_t alloc, const char *message)
{
    char *const packet = mete_acquire(alloc, 128U, ALIGN);
    if ((packet == NULL) || (message[0] == '\0')) {
        return false;
    }
    packet[0] = message[0];
    mete_release(alloc, packet, 128U, ALIGN);
    return true;
}

// Leaks 256 bytes if there is no such channel.
__attribute__((noinline)) static bool open_channel(mete_alloc_t alloc, uint32_t channel)
{
    uint32_t *const queue = mete_acquire(alloc, 256U, ALIGN);
    if ((queue == NULL) || (channel >= 8U)) {
        return false;
    }
    queue[0] = channel;
    mete_release(alloc, queue, 256U, ALIGN);
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
    uint32_t mark;
    unsigned char *block;
    size_t size;
} found_t;

// Stops the walk at a block that was acquired after the mark.
static bool is_before_mark(void *self, const mete_track_block_t *block)
{
    found_t *const found = self;
    found->block = (unsigned char *)(uintptr_t)block->block;
    found->size = block->size;
    return block->sequence <= found->mark;
}

// The tracker knows enough of a block to give it back, and the program's block lies in the tracker's.
// This is for the tour alone, which starts again: a program cannot know that nobody uses what seems to
// be forgotten.
static size_t give_back(memory_t *memory, uint32_t mark)
{
    found_t found = {.mark = mark};
    size_t count = 0U;
    while ((count <= LEAK_COUNT) && !mete_track_walk(memory->track, is_before_mark, &found)) {
        mete_release(memory->alloc, found.block + memory->front_size,
                     found.size - memory->added_size, ALIGN);
        memory_settle(memory);
        count++;
    }
    LOG("Leaked blocks given back: #\n", count);
    return count;
}

bool leaks_topic(memory_t *memory)
{
    log_text("Testing leak detection...\n");
    const uint32_t mark = mete_track_mark(memory->track);
    const mete_track_filter_t since_mark = {.since = mark};
    const size_t failures = work(memory->alloc);
    memory_settle(memory);
    const mete_track_total_t leaks =
        mete_track_report_write(memory->track, &since_mark, mete_port_console);
    const size_t leaked_size = leaks.size - leaks.count * memory->added_size;
    LOG("Detected # memory leaks\n", leaks.count);
    LOG("Total leaked bytes: #\n", leaked_size);
    return (failures == leaks.count) && (leaks.count == LEAK_COUNT) && (leaked_size == LEAK_SIZE) &&
           (give_back(memory, mark) == LEAK_COUNT);
}

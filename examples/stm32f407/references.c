// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A frame that two listeners share: it lives until the second is done, and who has a weak reference finds out. And a
// reference that is dropped once too often, which must be said.

#include "mete/object/ref.h"

#include "examples/stm32f407/log.h"
#include "examples/stm32f407/topics.h"
#include "examples/stm32f407/watchers.h"

typedef struct frame {
    uint32_t words[8];
} frame_t;

static mete_ref_t frames;
static size_t cleanup_count;

static void *cleanup(void *self, void *object)
{
    (void)self;
    (void)object;
    cleanup_count++;
    return NULL;
}

static bool open_frames(mete_alloc_t alloc)
{
    static const mete_ref_config_t config = {
        .object_size = sizeof(frame_t), .align = _Alignof(frame_t), .cleanup = cleanup};
    cleanup_count = 0U;
    return mete_ref_init(&frames, alloc, &config);
}

static bool are_counts(const char *what, const frame_t *frame, size_t strong, size_t weak)
{
    const mete_ref_counts_t counts = mete_ref_counts(&frames, frame);
    log_text(what);
    LOG(": # strong, # weak\n", counts.strong, counts.weak);
    return (counts.strong == strong) && (counts.weak == weak);
}

static bool show_sharing(frame_t *frame)
{
    bool is_right = are_counts("Frame", frame, 1U, 0U);
    mete_ref_retain(&frames, frame);
    mete_ref_retain_weak(&frames, frame);
    is_right = are_counts("Frame shared", frame, 2U, 1U) && is_right;
    mete_ref_drop(&frames, frame);
    is_right = mete_ref_upgrade(&frames, frame) && is_right;
    is_right = are_counts("One dropped, the weak one upgraded", frame, 2U, 1U) && is_right;
    mete_ref_drop(&frames, frame);
    return (cleanup_count == 0U) && is_right;
}

// Only its memory is left by then, for the weak reference.
static bool show_end(frame_t *frame)
{
    mete_ref_drop(&frames, frame);
    const bool is_alive = mete_ref_upgrade(&frames, frame);
    LOG("All dropped: cleaned up # time, # left\n", cleanup_count, mete_ref_usage(&frames).in_use);
    log_text(is_alive ? "The weak one is upgraded\n" : "The weak one is not upgraded\n");
    return (cleanup_count == 1U) && !is_alive && (mete_ref_usage(&frames).in_use == 1U);
}

static bool show_misuse(watchers_t *watchers, frame_t *frame)
{
    watchers_expect(watchers);
    mete_ref_drop(&frames, frame);
    const bool is_right =
        watchers_is_reported(watchers, "Dropped once more", METE_FAULT_DOUBLE_FREE, &frames, frame);
    log_text("\n");
    return is_right;
}

bool references_topic(memory_t *memory)
{
    log_text("Testing references...\n");
    frame_t *const frame = open_frames(memory->alloc) ? mete_ref_alloc(&frames) : NULL;
    if (frame == NULL) {
        log_text("References: not ready\n");
        return false;
    }
    const bool is_right =
        show_sharing(frame) && show_end(frame) && show_misuse(memory->watchers, frame);
    mete_ref_drop_weak(&frames, frame);
    LOG("The weak one dropped: # left\n", mete_ref_usage(&frames).in_use);
    memory_settle(memory);
    return is_right && (mete_ref_usage(&frames).in_use == 0U) && mete_ref_check(&frames);
}

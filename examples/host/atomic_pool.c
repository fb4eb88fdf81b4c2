// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Frames that an interrupt receives and a task works on. Two are reserved, so that a task which takes all
// it can get cannot make the interrupt lose a frame. Here a thread plays the interrupt.

#include "mete/alloc/atomic_pool.h"

#include <pthread.h>
#include <stdio.h>

typedef struct frame {
    char text[64];
} frame_t;

METE_ATOMIC_POOL_DEFINE(frames, frame_t, 8, 2);

static void *on_receive(void *unused)
{
    (void)unused;
    frame_t *const frame = mete_atomic_pool_alloc_reserved(&frames);
    if (frame != NULL) {
        (void)snprintf(frame->text, sizeof frame->text, "hello");
    }
    return frame;
}

static void print_usage(const char *when)
{
    const mete_atomic_pool_usage_t usage = mete_atomic_pool_usage(&frames);
    printf("%-20s %zu of %zu in use, peak %zu, refused %zu\n", when, usage.in_use,
           usage.block_count, usage.in_use_peak, usage.refusals);
}

int main(void)
{
    void *held[8];
    size_t count = 0U;
    if (!mete_atomic_pool_init(&frames, &frames_config)) {
        return 1;
    }
    while ((count < 8U) && ((held[count] = mete_atomic_pool_alloc(&frames)) != NULL)) {
        count++;
    }
    print_usage("the task took all:");

    pthread_t interrupt;
    void *received = NULL;
    if ((pthread_create(&interrupt, NULL, on_receive, NULL) != 0) ||
        (pthread_join(interrupt, &received) != 0) || (received == NULL)) {
        return 1;
    }
    print_usage("a frame came in:");
    printf("frame: %s\n", ((const frame_t *)received)->text);
    mete_atomic_pool_free(&frames, received);
    while (count != 0U) {
        mete_atomic_pool_free(&frames, held[--count]);
    }
    print_usage("all given back:");
    return mete_atomic_pool_check(&frames) ? 0 : 1;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Frames that an "interrupt" receives and a task works on. Two are reserved, so that tasks which take all
// they can get cannot make the interrupt lose a frame. Here a thread plays the interrupt.

#include "mete/alloc/atomic_pool.h"

#include <pthread.h>
#include <stdio.h>

typedef struct frame {
    unsigned number;
    unsigned char bytes[60];
} frame_t;

METE_ATOMIC_POOL_DEFINE(frames, frame_t, 8, 2);

static frame_t *received[2];

static void *interrupt(void *unused)
{
    for (unsigned i = 0U; i < 2U; i++) {
        received[i] = mete_atomic_pool_alloc_reserved(&frames);
        if (received[i] != NULL) {
            received[i]->number = i + 1U;
        }
    }
    return unused;
}

static void print_usage(const char *when)
{
    const mete_atomic_pool_usage_t usage = mete_atomic_pool_usage(&frames);
    printf("%-22s %zu of %zu in use, peak %zu, refused %zu\n", when, usage.in_use,
           usage.block_count, usage.in_use_peak, usage.refusals);
}

int main(void)
{
    frame_t *held[8];
    size_t count = 0U;
    if (!mete_atomic_pool_init(&frames, &frames_config)) {
        return 1;
    }
    while ((count < 8U) && ((held[count] = mete_atomic_pool_alloc(&frames)) != NULL)) {
        count++;
    }
    print_usage("the task took all:");

    pthread_t thread;
    if ((pthread_create(&thread, NULL, interrupt, NULL) != 0) ||
        (pthread_join(thread, NULL) != 0)) {
        return 1;
    }
    print_usage("two frames came in:");
    for (size_t i = 0U; i < 2U; i++) {
        printf("frame %u\n", (received[i] != NULL) ? received[i]->number : 0U);
        mete_atomic_pool_free(&frames, received[i]);
    }
    while (count != 0U) {
        mete_atomic_pool_free(&frames, held[--count]);
    }
    print_usage("all given back:");
    return mete_atomic_pool_check(&frames) ? 0 : 1;
}

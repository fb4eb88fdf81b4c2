// SPDX-License-Identifier: MIT OR Apache-2.0
//
// How much stack a job needs: paint a thread's stack, run the job, look how much paint is left.

#include "mete/protect/stack.h"
#include "mete/core/words.h"

#include <pthread.h>
#include <stdio.h>

static _Alignas(4096) unsigned char memory[256 * 1024];

static void *run_small_job(void *argument)
{
    char text[50 * 1024];
    mete_words_fill(text, 'a', sizeof text);
    *(char *)argument = text[sizeof text - 1U];
    return NULL;
}

static void *run_large_job(void *argument)
{
    char text[90 * 1024];
    mete_words_fill(text, 'b', sizeof text);
    *(char *)argument = text[sizeof text - 1U];
    return NULL;
}

static void run(void *(*job)(void *argument), const mete_stack_t *painted)
{
    pthread_t thread;
    pthread_attr_t attributes;
    char result = '\0';
    (void)mete_stack_paint(painted);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstack(&attributes, memory, sizeof memory);
    (void)pthread_create(&thread, &attributes, job, &result);
    (void)pthread_join(thread, NULL);
    (void)pthread_attr_destroy(&attributes);
    printf("job '%c' is done\n", result);
}

int main(void)
{
    mete_stack_t whole;
    (void)mete_stack_init(&whole, (mete_span_t){memory, sizeof memory});
    run(run_small_job, &whole);
    const size_t small = mete_stack_in_use_peak(&whole);
    run(run_large_job, &whole);
    const size_t large = mete_stack_in_use_peak(&whole);
    printf("the large job needs %zu KiB more\n", (large - small + 512U) / 1024U);

    // What if it had only the upper 80 KiB? Below is memory still, so we live to see it.
    mete_stack_t part;
    (void)mete_stack_init(&part, (mete_span_t){memory + (size_t)176 * 1024, (size_t)80 * 1024});
    run(run_large_job, &part);
    const bool is_enough = mete_stack_in_use_peak(&part) < part.span.size;
    printf("80 KiB %s\n", is_enough ? "are enough" : "overflow");
    return 0;
}

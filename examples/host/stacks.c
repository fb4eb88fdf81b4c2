// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A small kernel takes the stacks of its tasks from one place. It sees how much each needs, and who runs over.

#include "mete/protect/stacks.h"
#include "mete/alloc/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { KIB = 1024, SIZE = 32 * KIB, TASK_MAX = 4 };
METE_LIST_DEFINE(memory, 256 * KIB);
static mete_stacks_record_t records[TASK_MAX];
static mete_stacks_t stacks;
static ucontext_t kernel, context;  // Of the kernel, and of the task.
static const void *top;             // The task's stack pointer when it left.

// A task fills a buffer and leaves. Sanitizers would put the buffer elsewhere.
#define TASK(name, size) \
    __attribute__((no_sanitize("address"))) static void name(void) \
    { \
        unsigned char buffer[size]; \
        mete_words_fill(buffer, 0U, sizeof buffer); \
        top = METE_STACK_TOP(); \
        (void)swapcontext(&context, &kernel); \
    }
TASK(blink, 3 * KIB)
TASK(wild, 36 * KIB)

static void run(void (*task)(void), const char *name)
{
    const mete_stacks_record_t *const own = mete_stacks_alloc(&stacks, name, name, SIZE);
    (void)getcontext(&context);
    context.uc_stack = (stack_t){mete_stacks_span(own).start, 0, mete_stacks_span(own).size};
    makecontext(&context, task, 0);
    (void)swapcontext(&kernel, &context);
    printf("%s ran on stack %d\n", name, (int)(own - records));
    (void)mete_stacks_check_switch(&stacks, own, top);
    printf("  used %zu KiB of 32; ", mete_stacks_in_use_peak(&stacks, own) / KIB);
    printf("%zu would do\n", mete_stacks_recommended_size(&stacks, own) / KIB);
}

static void on_overflow(void *self, const mete_event_t *event)  // Before METE_FAULT traps.
{
    printf("  %s ran over its stack\n", mete_stacks_find(self, event->block)->name);
    exit(0);
}

int main(void)
{
    static mete_stacks_config_t config = {.records = records, .record_max = TASK_MAX, .align = KIB};
    config.alloc = mete_list_as_alloc(mete_list_init(&memory_config));
    config.observer = (mete_observer_t){on_overflow, &stacks};
    (void)mete_stacks_init(&stacks, &config);
    run(blink, "blink");
    run(blink, "beep");
    mete_stacks_free(&stacks, &records[1]);  // beep has ended: the next task gets its stack.
    run(wild, "wild");
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/guards/kernel.h"

#include "examples/qemu/machine/machine.h"
#include "mete/alloc/list.h"
#include "mete/core/text.h"
#include "mete/system/violations_report.h"

enum { WISH_MAX = 4, IMAGE_MAX = 8, REGION_MAX = 2 * TASK_MAX + 1 };

// What a plan is made of. A task's rights are those of unprivileged code: the kernel is not held to regions.
typedef struct books {
    mete_plan_wish_t wishes[WISH_MAX];
    mete_plan_share_t shares[WISH_MAX];
    mete_mpu_image_t images[IMAGE_MAX];
    mete_plan_range_t ranges[IMAGE_MAX];
    mete_plan_config_t config;
} books_t;

static task_t tasks[TASK_MAX];
static books_t books[TASK_MAX];
static size_t task_count;

static mete_list_config_t list_config;
static mete_alloc_t memory;
static mete_mpu_t mpu;

static mete_stacks_record_t records[TASK_MAX];
static mete_stacks_config_t stacks_config;
static mete_stacks_t stacks;

static mete_map_region_t regions[REGION_MAX];
static const mete_map_config_t map_config = {regions, REGION_MAX};
static mete_map_t map;

static const mete_violations_config_t violations_config = {.map = &map};
static mete_violations_t violations;

// ---- Tasks

static void wish_for(books_t *own, const char *name, mete_span_t span, uint8_t rights)
{
    own->wishes[own->config.wish_count] =
        (mete_plan_wish_t){.name = name,
                           .start = (uintptr_t)span.start,
                           .last = (uintptr_t)span.start + span.size - 1U,
                           .rights = {rights, rights}};
    own->config.wish_count++;
}

// Code, its own memory, its stack; nothing at NULL. The guard below the stack is not wished for, nor is anybody else's.
static bool plan_for(task_t *task, books_t *own)
{
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    own->config = (mete_plan_config_t){.backend = machine.backend,
                                       .wishes = own->wishes,
                                       .shares = own->shares,
                                       .images = own->images,
                                       .ranges = own->ranges,
                                       .image_max = IMAGE_MAX,
                                       .has_background = true};
    if (machine.null_size != 0U) {
        wish_for(own, "null", (mete_span_t){NULL, machine.null_size}, 0U);
    }
    if (machine.code_last != 0U) {
        const uintptr_t start = machine.code_start + machine.null_size;
        wish_for(own, "code", (mete_span_t){(void *)start, machine.code_last - start + 1U},
                 METE_ACCESS_READ | METE_ACCESS_EXECUTE);
    }
    wish_for(own, "region", task->region, rw);
    wish_for(own, "stack", mete_stacks_span(task->stack), rw);
    return mete_plan_init(&task->plan, &own->config).verdict == METE_PLAN_FITS;
}

static bool add_to_map(const char *name, mete_span_t span, mete_map_kind_t kind)
{
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    const mete_map_region_t region = {.name = name,
                                      .start = (uintptr_t)span.start,
                                      .size = span.size,
                                      .kind = kind,
                                      .rights = {rw, rw}};
    return mete_map_add(&map, &region).verdict == METE_MAP_ADDED;
}

static bool give_memory(task_t *task)
{
    task->region = (mete_span_t){mete_acquire(memory, machine.region_size, machine.region_size),
                                 machine.region_size};
    task->stack = mete_stacks_alloc(&stacks, task, task->name, machine.stack_size);
    return (task->region.start != NULL) && (task->stack != NULL) &&
           add_to_map(task->name, task->region, METE_MAP_DATA) &&
           add_to_map(task->name, mete_stacks_guard(&stacks, task->stack), METE_MAP_RESERVED);
}

task_t *kernel_add(const char *name, void (*entry)(void *region))
{
    if (task_count == TASK_MAX) {
        return NULL;
    }
    task_t *const task = &tasks[task_count];
    task->name = name;
    if (!give_memory(task) || !plan_for(task, &books[task_count])) {
        return NULL;
    }
    machine_prepare(task_count, entry, task->region.start, mete_stacks_top(task->stack),
                    mete_stacks_limit(task->stack));
    task_count++;
    return task;
}

// ---- Running

static void say(const task_t *task, const char *what)
{
    mete_text_string(mete_port_console, task->name);
    mete_text_string(mete_port_console, what);
}

// Its stack is free for the next task.
static void end(task_t *task)
{
    task->has_ended = true;
    mete_stacks_free(&stacks, task->stack);
}

static void kill(task_t *task)
{
    task->is_killed = true;
    say(task, ": killed\n");
    end(task);
}

static void handle_violation(task_t *task)
{
    const mete_violation_t what = machine_violation();
    const mete_violations_task_t who = {task->name, &task->plan,
                                        mete_stacks_guard(&stacks, task->stack)};
    const mete_violations_action_t action = mete_violations_handle(&violations, &what, &who);
    if (action == METE_VIOLATIONS_RETRY) {
        return;
    }
    if (action == METE_VIOLATIONS_KILL) {
        task->report = *mete_violations_last(&violations);
        mete_violations_report_write(&task->report, mete_port_console);
        if (task->report.verdict == METE_VIOLATIONS_OVERFLOW) {
            mete_stacks_note_overflow(&stacks, task->stack, (const void *)what.address);
        }
    } else {
        say(task,
            ": another fault\n");  // By a task, too: the kernel's own end in the port's handler.
    }
    kill(task);
}

static void handle(task_t *task, trap_t trap, size_t index)
{
    if (trap == TRAP_FAULT) {
        handle_violation(task);
    } else if (!mete_stacks_check_switch(&stacks, task->stack, machine_top_of(index))) {
        kill(task);
    } else if ((trap == TRAP_CALL) && (machine_call_of(index) == CALL_END)) {
        say(task, ": ended\n");
        end(task);
    }
}

static void run_one(size_t index)
{
    task_t *const task = &tasks[index];
    task->turns++;
    mete_plan_commit(&task->plan, mpu);
    mete_mpu_enable(mpu);
    const trap_t trap = machine_run(index);
    handle(task, trap, index);
}

void kernel_run(void)
{
    bool is_anybody_left = true;
    while (is_anybody_left) {
        is_anybody_left = false;
        for (size_t i = 0U; i < task_count; i++) {
            if (!tasks[i].has_ended) {
                is_anybody_left = true;
                run_one(i);
            }
        }
    }
    mete_mpu_disable(mpu);
}

bool kernel_init(mete_span_t arena)
{
    list_config.storage = arena;
    mete_list_t *const list = mete_list_init(&list_config);
    if (list == NULL) {
        return false;
    }
    memory = mete_list_as_alloc(list);
    mpu = machine_init(arena);
    stacks_config = (mete_stacks_config_t){.alloc = memory,
                                           .records = records,
                                           .record_max = TASK_MAX,
                                           .guard_size = machine.guard_size,
                                           .align = machine.stack_size};
    return mete_stacks_init(&stacks, &stacks_config) && mete_map_init(&map, &map_config) &&
           mete_violations_init(&violations, &violations_config);
}

const mete_stacks_t *kernel_stacks(void)
{
    return &stacks;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Two tasks work. Five others each do what they may not: run over their stack, write through NULL, read through NULL, read
// what belongs to somebody else, execute data. Each of them is stopped, reported and killed, and the two have their results in the end.
// One source for ARMv7-M, ARMv8-M, RISC-V and Linux: kernel.c is the kernel, machine_*.c is what differs.

#include "examples/qemu/guards/kernel.h"
#include "examples/qemu/machine/machine.h"
#include "mete/core/text.h"

enum { ARENA_SIZE = 512 * 1024, BEFORE = 1, AFTER = 2 };

static unsigned char arena[ARENA_SIZE] __attribute__((aligned(4096)));
static task_t *worker_a, *worker_b, *overrunner, *null_writer, *null_reader, *spy, *injector;

// ---- What tasks do. `region` is all the memory that each has, beside its stack.

// A sum that depends on every round.
static void work(void *region)
{
    volatile uint32_t *const sum = region;
    for (uint32_t i = 0U; i < machine.rounds; i++) {
        *sum = *sum * 5U + i;
    }
}

static uint32_t sum_of_work(void)
{
    uint32_t sum = 0U;
    for (uint32_t i = 0U; i < machine.rounds; i++) {
        sum = sum * 5U + i;
    }
    return sum;
}

// Too deep for every stack. The compiler must not see that it has no end.
// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) static uint32_t descend(volatile uint32_t *depth)
{
    volatile uint32_t local[8] = {*depth};
    *depth = *depth + 1U;
    return (*depth == 0U) ? 0U : descend(depth) + local[0];
}

static void overrun(void *region)
{
    volatile uint32_t *const words = region;
    words[0] = BEFORE;
    (void)descend(&words[1]);
    words[0] = AFTER;
}

static void write_null(void *region)
{
    volatile uint32_t *const words = region;
    volatile uint32_t *volatile null = NULL;
    words[0] = BEFORE;
    null[3] = 1U;  // NOLINT(clang-analyzer-core.NullDereference)
    words[0] = AFTER;
}

static void read_null(void *region)
{
    volatile uint32_t *const words = region;
    volatile uint32_t *volatile null = NULL;
    words[0] = BEFORE;
    words[2] = null[3];  // NOLINT(clang-analyzer-core.NullDereference)
    words[0] = AFTER;
}

// It knows the address: that is no secret. It finds it in its region.
static void read_neighbour(void *region)
{
    uintptr_t *const words = region;
    volatile uint32_t *const neighbour = (volatile uint32_t *)words[1];
    *(volatile uintptr_t *)&words[0] = BEFORE;
    words[2] = *neighbour;
    *(volatile uintptr_t *)&words[0] = AFTER;
}

static void execute_data(void *region)
{
    volatile uint32_t *const words = region;
    words[0] = BEFORE;
    words[1] = machine.return_instruction;
    void (*const code)(void) = (void (*)(void))((uintptr_t)&words[1] + machine.code_offset);
    code();
    words[0] = AFTER;
}

// ---- What must have become of them

static unsigned failures;

static void expect(bool condition, const char *what)
{
    if (!condition) {
        mete_text_string(mete_port_console, "WRONG: ");
        mete_text_string(mete_port_console, what);
        mete_text_string(mete_port_console, "\n");
        failures++;
    }
}

static uintptr_t word_of(const task_t *task, size_t index, size_t word_size)
{
    const unsigned char *const bytes =
        (const unsigned char *)task->region.start + index * word_size;
    return (word_size == 4U) ? *(const uint32_t *)(const void *)bytes
                             : *(const uintptr_t *)(const void *)bytes;
}

static void expect_killed(const task_t *task, mete_violations_verdict_t verdict, uint32_t access)
{
    const mete_violations_report_t *const report = &task->report;
    expect(task->is_killed, task->name);
    expect(report->verdict == verdict, "verdict");
    expect((report->who.name == task->name) && (report->what.privilege == METE_UNPRIVILEGED),
           "task");
    const bool knows_access = mete_violation_knows(&report->what, METE_VIOLATION_KNOWS_ACCESS);
    expect(!knows_access || (report->what.access == access), "access");
    expect(*(const unsigned char *)task->region.start == BEFORE, "it did not come to the end");
}

// Where the instruction is, not where its data are.
static void expect_pc(const task_t *task, void (*entry)(void *))
{
    enum { LONGEST_TASK = 256 };
    expect(mete_violation_knows(&task->report.what, METE_VIOLATION_KNOWS_PC) &&
               (task->report.what.pc - ((uintptr_t)entry & ~(uintptr_t)1U) < LONGEST_TASK),
           "pc");
}

static void expect_overflow(const task_t *task)
{
    const mete_violation_t *const what = &task->report.what;
    const mete_span_t guard = task->report.who.stack_guard;
    expect_killed(task, METE_VIOLATIONS_OVERFLOW, METE_ACCESS_WRITE);
    expect((what->cause & machine.overflow_cause) == machine.overflow_cause, "what stopped it");
    expect(!mete_violation_knows(what, METE_VIOLATION_KNOWS_ADDRESS) ||
               (what->address - (uintptr_t)guard.start < guard.size),
           "it was stopped in the guard");
    expect(mete_stacks_usage(kernel_stacks()).overflow_count == 1U, "one stack ran over");
}

static void expect_address(const task_t *task, uintptr_t address)
{
    expect(mete_violation_knows(&task->report.what, METE_VIOLATION_KNOWS_ADDRESS) &&
               (task->report.what.address == address),
           "address");
}

static void judge(void)
{
    const uint32_t sum = sum_of_work();
    expect(worker_a->has_ended && !worker_a->is_killed && (word_of(worker_a, 0U, 4U) == sum),
           "worker a");
    expect(worker_b->has_ended && !worker_b->is_killed && (word_of(worker_b, 0U, 4U) == sum),
           "worker b");
    expect((worker_a->turns > 2U) && (worker_b->turns > 2U), "they were pre-empted");
    expect_overflow(overrunner);
    expect_killed(null_writer, METE_VIOLATIONS_NULL, METE_ACCESS_WRITE);
    expect_address(null_writer, 12U);
    expect_pc(null_writer, write_null);
    expect_killed(null_reader, METE_VIOLATIONS_NULL, METE_ACCESS_READ);
    expect_address(null_reader, 12U);
    expect_pc(null_reader, read_null);
    expect_killed(spy, METE_VIOLATIONS_DENIED, METE_ACCESS_READ);
    expect_pc(spy, read_neighbour);
    expect_address(spy, (uintptr_t)worker_a->region.start);
    expect((spy->report.region != NULL) && (spy->report.region->name == worker_a->name),
           "whose memory it was");
    expect(word_of(spy, 2U, sizeof(uintptr_t)) == 0U, "it read nothing");
    expect_killed(injector, METE_VIOLATIONS_DENIED, METE_ACCESS_EXECUTE);
    expect_address(injector, (uintptr_t)injector->region.start + 4U);
}

int main(void)
{
    if (kernel_init((mete_span_t){arena, ARENA_SIZE})) {
        worker_a = kernel_add("worker a", work);
        overrunner = kernel_add("overrunner", overrun);
        null_writer = kernel_add("null writer", write_null);
        null_reader = kernel_add("null reader", read_null);
        spy = kernel_add("spy", read_neighbour);
        injector = kernel_add("injector", execute_data);
        worker_b = kernel_add("worker b", work);
    }
    if (worker_b == NULL) {
        mete_text_string(mete_port_console, "WRONG: a task could not be made\n");
        return 1;
    }
    ((uintptr_t *)spy->region.start)[1] = (uintptr_t)worker_a->region.start;
    kernel_run();
    judge();
    mete_text_string(mete_port_console, (failures == 0U) ? "PASS\n" : "FAIL\n");
    return (failures == 0U) ? 0 : 1;
}

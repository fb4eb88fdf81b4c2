// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/qemu/isolation/kernel.h"

#include "mete/alloc/movable.h"
#include "mete/alloc/pool.h"

enum {
    NULL_REGION,
    CODE,
    DATA,
    STACK = DATA + DOMAIN_COUNT,
    GATE_STACK = STACK + DOMAIN_COUNT,
    KEYS = GATE_STACK + GATE_COUNT,
    REGION_MAX
};
enum { CONTEXT_OF_GATE = DOMAIN_COUNT, WISH_MAX = 8, IMAGE_MAX = 8, SLOT_COUNT = 8, BUFFER = 48 };
enum { RW = METE_ACCESS_READ | METE_ACCESS_WRITE, STORE_SIZE = 128 };

METE_DOMAIN_BOOKS_DEFINE(victim_books, WISH_MAX, IMAGE_MAX);
METE_DOMAIN_BOOKS_DEFINE(victim_gate_books, WISH_MAX, IMAGE_MAX);
METE_DOMAIN_BOOKS_DEFINE(attacker_books, WISH_MAX, IMAGE_MAX);
METE_DOMAIN_BOOKS_DEFINE(bystander_books, WISH_MAX, IMAGE_MAX);

static mete_domain_member_t members[DOMAIN_COUNT] = {
    {.name = "victim", .level = 2, .books = &victim_books, .gate_books = &victim_gate_books},
    {.name = "attacker", .level = 0, .books = &attacker_books},
    {.name = "bystander", .level = 1, .books = &bystander_books}};
static mete_domain_region_t regions[REGION_MAX];
static size_t region_count;
static mete_domain_gate_t gates[GATE_COUNT];
static uint8_t owners[REGION_MAX];
static mete_domain_call_t calls[GATE_COUNT];
static mete_domain_usage_t usages[DOMAIN_COUNT];
static mete_domain_config_t config;
static mete_domain_t domains;

// What allocators keep lies here, in the kernel's memory, and not beside the blocks.
static mete_pool_config_t pool_configs[DOMAIN_COUNT];
static uint16_t pool_links[DOMAIN_COUNT][BLOCK_COUNT];
static mete_pool_t pools[DOMAIN_COUNT];
static mete_movable_config_t store_configs[DOMAIN_COUNT];
static mete_movable_slot_t slots[DOMAIN_COUNT][SLOT_COUNT];
static mete_movable_t stores[DOMAIN_COUNT];

static const mete_violations_config_t violations_config;
static mete_violations_t violations;
static mete_mpu_t mpu;
static bool is_protected;

static task_t tasks[DOMAIN_COUNT];
static mete_span_t stacks[DOMAIN_COUNT + GATE_COUNT];  // By context, without their guards.
static gate_frame_t *frames[GATE_COUNT];
static size_t callers[GATE_COUNT];  // The context that called.
static uint32_t *secret;
static size_t fault_count;
static size_t bad_request_count;

void kernel_note_fault(int fault, const void *object, const void *address)
{
    (void)fault;
    (void)object;
    (void)address;
    fault_count++;
}

// ---- Memory

static uintptr_t next_address;

// Each piece begins at a multiple of its size, as the strictest hardware wants it.
static mete_span_t carve(size_t size)
{
    next_address = mete_align_up(next_address, size);
    const mete_span_t span = {(void *)next_address, size};
    next_address += size;
    return span;
}

static void add_region(const char *name, uintptr_t start, size_t size, uint8_t owner,
                       uint8_t rights)
{
    regions[region_count] = (mete_domain_region_t){
        .name = name, .start = start, .size = size, .owner = owner, .rights = rights};
    region_count++;
}

static void add_common(void)
{
    if (machine.null_size != 0U) {
        add_region("null", 0U, machine.null_size, METE_DOMAIN_COMMON, 0U);
    }
    if (machine.code_last != 0U) {
        const uintptr_t start = machine.code_start + machine.null_size;
        add_region("code", start, machine.code_last - start + 1U, METE_DOMAIN_COMMON,
                   METE_ACCESS_READ | METE_ACCESS_EXECUTE);
    }
}

// What lies below a stack is nobody's.
static void add_stack(size_t context, uint8_t owner)
{
    const mete_span_t span = carve(machine.stack_size);
    stacks[context] = (mete_span_t){(unsigned char *)span.start + machine.guard_size,
                                    machine.stack_size - machine.guard_size};
    add_region("stack", (uintptr_t)stacks[context].start, stacks[context].size, owner, RW);
}

// The task's board, its movable blocks, its pool.
static bool add_data(size_t domain)
{
    const mete_span_t span = carve(machine.region_size);
    unsigned char *const start = span.start;
    add_region(members[domain].name, (uintptr_t)start, span.size, (uint8_t)domain, RW);
    tasks[domain].board = span.start;
    store_configs[domain] = (mete_movable_config_t){
        .storage = {start + 512U, STORE_SIZE}, .slots = slots[domain], .slot_count = SLOT_COUNT};
    pool_configs[domain] =
        (mete_pool_config_t){start + span.size - (size_t)BLOCK_SIZE * BLOCK_COUNT,
                             pool_links[domain], BLOCK_SIZE, BLOCK_COUNT};
    const bool is_made = mete_pool_init(&pools[domain], &pool_configs[domain]) &&
                         mete_movable_init(&stores[domain], &store_configs[domain]);
    members[domain].alloc = mete_pool_as_alloc(&pools[domain]);
    return is_made;
}

static void add_keys(void)
{
    const mete_span_t span = carve(machine.region_size);
    add_region("keys", (uintptr_t)span.start, span.size, VICTIM, RW);
    regions[region_count - 1U].isolation = METE_DOMAIN_GATE_ONLY;
    gates[GATE_SIGN].buffer = (mete_span_t){span.start, BUFFER};
}

static void add_gates(const uintptr_t *entries)
{
    gates[GATE_SIGN].name = "sign";
    gates[GATE_SIGN].entry = entries[GATE_SIGN];
    gates[GATE_SIGN].domain = VICTIM;
    gates[GATE_SIGN].callers = (1U << ATTACKER) | (1U << BYSTANDER);
    gates[GATE_SIGN].arguments[0].kind = METE_DOMAIN_IN;
    gates[GATE_SIGN].arguments[1] = (mete_domain_argument_t){METE_DOMAIN_SIZE, SIGN_IN_MAX};
    gates[GATE_SIGN].arguments[2].kind = METE_DOMAIN_OUT;
    gates[GATE_SIGN].arguments[3] = (mete_domain_argument_t){METE_DOMAIN_SIZE, sizeof(uint32_t)};
    gates[GATE_ROTATE].name = "rotate";
    gates[GATE_ROTATE].entry = entries[GATE_ROTATE];
    gates[GATE_ROTATE].domain = VICTIM;
    gates[GATE_ROTATE].callers = 1U << BYSTANDER;
    gates[GATE_ROTATE].arguments[0] = (mete_domain_argument_t){METE_DOMAIN_VALUE, 3U};
}

bool kernel_init(mete_span_t arena, const uintptr_t entries[GATE_COUNT])
{
    bool is_made = true;
    next_address = (uintptr_t)arena.start;
    mpu = machine_init(arena);
    add_common();
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        is_made = add_data(i) && is_made;
        add_stack(i, (uint8_t)i);
    }
    for (size_t i = 0U; i < GATE_COUNT; i++) {
        add_stack(CONTEXT_OF_GATE + i, VICTIM);
    }
    add_keys();
    add_gates(entries);
    secret = carve(machine.region_size).start;  // In no region.
    config = (mete_domain_config_t){.members = members,
                                    .member_count = DOMAIN_COUNT,
                                    .regions = regions,
                                    .region_count = region_count,
                                    .gates = gates,
                                    .gate_count = GATE_COUNT,
                                    .owners = owners,
                                    .calls = calls,
                                    .usages = usages,
                                    .backend = machine.backend,
                                    .mpu = mpu};
    is_protected = true;
    return is_made && (next_address <= (uintptr_t)arena.start + arena.size) &&
           mete_violations_init(&violations, &violations_config) &&
           (mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
}

// ---- What tasks ask for

static size_t domain_of(const task_t *task)
{
    return (size_t)(task - tasks);
}

// A movable block by its handle. Where the running domain is, so is the store that is asked.
static mete_movable_t *store_of_running(void)
{
    return &stores[mete_domain_owner(&domains)];
}

static uintptr_t read_handle(uintptr_t value)
{
    mete_movable_t *const store = store_of_running();
    const mete_movable_handle_t handle = {(uint32_t)value};
    const uint32_t *const block = mete_movable_pin(store, handle);
    if (block == NULL) {
        return 0U;
    }
    const uint32_t word = *block;
    mete_movable_unpin(store, handle);
    return word;
}

static void serve_handle(call_t call, request_t *request)
{
    const size_t faults = fault_count;
    if (call == CALL_HANDLE_ACQUIRE) {
        request->result = mete_movable_alloc(store_of_running(), request->words[0]).value;
    } else if (call == CALL_HANDLE_READ) {
        request->result = read_handle(request->words[0]);
    } else {
        const mete_movable_handle_t handle = {(uint32_t)request->words[0]};
        mete_movable_free(store_of_running(), handle);
    }
    request->is_done = (fault_count == faults) ? 1U : 0U;
}

static void serve(call_t call, request_t *request)
{
    const uintptr_t *const words = request->words;
    mete_domain_answer_t answer = METE_DOMAIN_ABSENT;
    switch (call) {
    case CALL_ACQUIRE:
        request->result = (uintptr_t)mete_domain_acquire(&domains, words[0], 8U);
        answer = (request->result != 0U) ? METE_DOMAIN_DONE : METE_DOMAIN_FULL;
        break;
    case CALL_RELEASE:
        answer = mete_domain_release(&domains, (void *)words[0], words[1], 8U);
        break;
    case CALL_RESIZE:
        answer = mete_domain_resize(&domains, (void *)words[0], words[1], words[2], 8U);
        break;
    case CALL_TRANSFER:
        answer = mete_domain_transfer(&domains, words[0], words[1]);
        break;
    default:
        serve_handle(call, request);
        return;
    }
    request->is_done = (answer == METE_DOMAIN_DONE) ? 1U : 0U;
}

// The callee begins on the gate's stack, at whose top its arguments are.
static void enter(task_t *task, request_t *request)
{
    const size_t gate = request->words[0];
    if (mete_domain_enter(&domains, gate, &request->words[1]) != METE_DOMAIN_DONE) {
        return;
    }
    const size_t context = CONTEXT_OF_GATE + gate;
    unsigned char *const top =
        (unsigned char *)stacks[context].start + stacks[context].size - 2U * sizeof(gate_frame_t);
    frames[gate] = (gate_frame_t *)(void *)((uintptr_t)top & ~(uintptr_t)15U);
    for (size_t i = 0U; i < METE_DOMAIN_ARGUMENT_MAX; i++) {
        frames[gate]->words[i] = request->words[1U + i];
    }
    frames[gate]->result = 0U;
    callers[gate] = task->context;
    task->context = context;
    machine_prepare(context, (void (*)(void *))gates[gate].entry, frames[gate], frames[gate],
                    stacks[context].start);
}

// A task chooses where its words are. It must be where it can write itself: else it would have the kernel write for it.
static request_t *request_of(size_t context)
{
    const uintptr_t address = machine_request_of(context);
    return ((address % sizeof(uintptr_t) == 0U) &&
            mete_domain_allows(&domains, address, sizeof(request_t), RW))
               ? (request_t *)address
               : NULL;
}

static void handle_call(task_t *task, call_t call)
{
    request_t *const request = request_of(task->context);
    if (request == NULL) {
        bad_request_count++;
        return;
    }
    request->is_done = 0U;
    if (call == CALL_GATE) {
        enter(task, request);
    } else {
        serve(call, request);
    }
}

static void handle_end(task_t *task)
{
    if (task->context < CONTEXT_OF_GATE) {
        task->is_running = false;
        return;
    }
    const size_t gate = task->context - CONTEXT_OF_GATE;
    const uintptr_t result = frames[gate]->result;
    (void)mete_domain_leave(&domains);
    task->context = callers[gate];
    request_t *const request = request_of(task->context);
    if (request != NULL) {
        request->result = result;
        request->is_done = 1U;
    }
}

// ---- Running

static void kill(task_t *task)
{
    const mete_violation_t what = machine_violation();
    const mete_span_t stack = stacks[task->context];
    const mete_violations_task_t who = {
        members[domain_of(task)].name,
        task->place.plan,
        {(unsigned char *)stack.start - machine.guard_size, machine.guard_size}};
    task->is_violation = mete_violations_handle(&violations, &what, &who) == METE_VIOLATIONS_KILL;
    if (task->is_violation) {
        task->report = *mete_violations_last(&violations);
    }
    task->is_killed = true;
    task->is_running = false;
    mete_domain_reset(&domains, &task->place);
}

static void run_one(task_t *task)
{
    mete_domain_switch(&domains, &task->place);
    if (is_protected) {
        mete_mpu_enable(mpu);
    }
    const trap_t trap = machine_run(task->context);
    const call_t call = (trap == TRAP_CALL) ? machine_call_of(task->context) : CALL_YIELD;
    if (trap == TRAP_FAULT) {
        kill(task);
    } else if (call == CALL_END) {
        handle_end(task);
    } else if (call != CALL_YIELD) {
        handle_call(task, call);
    }
}

void kernel_run(size_t domain, size_t turns)
{
    for (size_t turn = 0U; (turn < turns) && tasks[domain].is_running; turn++) {
        for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
            if (tasks[i].is_running) {
                run_one(&tasks[i]);
            }
        }
    }
}

void kernel_start(size_t domain, void (*entry)(void *board))
{
    task_t *const task = &tasks[domain];
    (void)mete_domain_add(&domains, &task->place, domain);
    task->context = domain;
    task->is_running = true;
    task->is_killed = false;
    task->is_violation = false;
    machine_prepare(domain, entry, task->board,
                    (unsigned char *)stacks[domain].start + stacks[domain].size,
                    stacks[domain].start);
}

void kernel_switch_off(void)
{
    is_protected = false;
    mete_mpu_disable(mpu);
}

// ---- What is known

task_t *kernel_task(size_t domain)
{
    return &tasks[domain];
}

const mete_domain_t *kernel_domains(void)
{
    return &domains;
}

uintptr_t kernel_keys(void)
{
    return (uintptr_t)gates[GATE_SIGN].buffer.start + BUFFER;
}

uint32_t *kernel_secret(void)
{
    return secret;
}

size_t kernel_block_count(size_t domain)
{
    return mete_pool_usage(&pools[domain]).in_use;
}

size_t kernel_bad_requests(void)
{
    return bad_request_count;
}

size_t kernel_faults(void)
{
    return fault_count;
}

bool kernel_check(void)
{
    bool is_right = mete_domain_check(&domains);
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        is_right = is_right && mete_pool_check(&pools[i]) && mete_movable_check(&stores[i]);
    }
    return is_right;
}

// ---- For tasks

bool ask(call_t call, request_t *request)
{
    machine_call(call, request);
    return *(volatile uintptr_t *)&request->is_done == 1U;
}

void kernel_privileged(uint32_t *target)
{
    *(volatile uint32_t *)target = 0U;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Code of the attacker's domain. It knows all addresses: those are no secret. It touches nothing of its own but its board and
// its stack, as all that it could name else would be the kernel's.

#include "examples/qemu/isolation/attacks.h"

typedef volatile board_t board_v_t;

static void begin(board_v_t *board)
{
    board->stage = STAGE_BEFORE;
}

static void end(board_v_t *board)
{
    board->stage = STAGE_AFTER;
}

// Counts what was tried, and what was granted.
static void attempt(board_v_t *board, call_t call, request_t *request)
{
    board->tries = board->tries + 1U;
    if (ask(call, request)) {
        board->got = board->got + 1U;
    }
}

// ---- Without asking

static void read_victim(void *own)
{
    board_v_t *const board = own;
    begin(board);
    board->got = *(volatile uint32_t *)board->target;
    end(board);
}

static void write_victim(void *own)
{
    board_v_t *const board = own;
    begin(board);
    *(volatile uint32_t *)board->target = 0xBADU;
    end(board);
}

static void execute_victim(void *own)
{
    board_v_t *const board = own;
    begin(board);
    ((void (*)(void))(board->target + machine.code_offset))();
    end(board);
}

static void execute_own_data(void *own)
{
    board_v_t *const board = own;
    begin(board);
    board->pattern[0] = machine.return_instruction;
    ((void (*)(void))((uintptr_t)&board->pattern[0] + machine.code_offset))();
    end(board);
}

static void read_kernel(void *own)
{
    board_v_t *const board = own;
    begin(board);
    board->got = *(volatile uint32_t *)board->target_kernel;
    end(board);
}

static void jump_to_kernel(void *own)
{
    board_v_t *const board = own;
    begin(board);
    kernel_privileged((uint32_t *)board->target_kernel);
    end(board);
}

static void follow_null(void *own)
{
    board_v_t *const board = own;
    volatile uint32_t *volatile null = NULL;
    begin(board);
    null[3] = 1U;  // NOLINT(clang-analyzer-core.NullDereference)
    end(board);
}

// Too deep for every stack. The compiler must not see that it has no end.
// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) static uintptr_t descend(board_v_t *board)
{
    volatile uintptr_t local[8] = {board->tries};
    board->tries = board->tries + 1U;
    return (board->tries == 0U) ? 0U : descend(board) + local[0];
}

static void overflow_stack(void *own)
{
    board_v_t *const board = own;
    begin(board);
    (void)descend(board);
    end(board);
}

static void write_unit(void *own)
{
    board_v_t *const board = own;
    begin(board);
    machine.switch_off_protection();
    end(board);
}

// ---- By asking

static void free_victims(void *own)
{
    board_v_t *const board = own;
    request_t request = {.words = {board->target_block, BLOCK_SIZE}};
    begin(board);
    attempt(board, CALL_RELEASE, &request);
    end(board);
}

static void resize_victims(void *own)
{
    board_v_t *const board = own;
    request_t request = {.words = {board->target_block, BLOCK_SIZE, 8U}};
    begin(board);
    attempt(board, CALL_RESIZE, &request);
    end(board);
}

static void free_twice(void *own)
{
    board_v_t *const board = own;
    request_t request = {.words = {BLOCK_SIZE}};
    begin(board);
    if (ask(CALL_ACQUIRE, &request)) {
        request.words[0] = request.result;
        request.words[1] = BLOCK_SIZE;
        if (ask(CALL_RELEASE, &request)) {
            attempt(board, CALL_RELEASE, &request);
        }
    }
    end(board);
}

// The victim's own, and some like it.
static void forge_handle(void *own)
{
    board_v_t *const board = own;
    begin(board);
    for (uintptr_t i = 0U; i < 8U; i++) {
        request_t request = {.words = {board->target_handle ^ (i << 4)}};
        attempt(board, CALL_HANDLE_READ, &request);
        attempt(board, CALL_HANDLE_RELEASE, &request);
    }
    end(board);
}

// One of its own, after it was given back.
static void replay_handle(void *own)
{
    board_v_t *const board = own;
    request_t request = {.words = {16U}};
    begin(board);
    if (ask(CALL_HANDLE_ACQUIRE, &request)) {
        request.words[0] = request.result;
        if (ask(CALL_HANDLE_RELEASE, &request)) {
            attempt(board, CALL_HANDLE_READ, &request);
            attempt(board, CALL_HANDLE_RELEASE, &request);
        }
    }
    end(board);
}

// It keeps what it gets.
static void exhaust_memory(void *own)
{
    board_v_t *const board = own;
    request_t request = {.words = {BLOCK_SIZE}};
    begin(board);
    while (ask(CALL_ACQUIRE, &request)) {
        board->tries = board->tries + 1U;
    }
    end(board);
}

static void call_gate(board_v_t *board, const uintptr_t *words)
{
    request_t request;
    for (size_t i = 0U; i < WORD_COUNT; i++) {
        request.words[i] = words[i];
    }
    attempt(board, CALL_GATE, &request);
}

static void call_gate_wildly(void *own)
{
    board_v_t *const board = own;
    const uintptr_t here = (uintptr_t)&board->pattern[0];
    const uintptr_t edge = (uintptr_t)own + machine.region_size - 1U;
    const uintptr_t calls[][WORD_COUNT] = {{GATE_COUNT, here, 4U, here, 4U},
                                           {UINTPTR_MAX, here, 4U, here, 4U},
                                           {GATE_SIGN, here, UINTPTR_MAX, here, 4U},
                                           {GATE_SIGN, UINTPTR_MAX - 1U, 8U, here, 4U},
                                           {GATE_SIGN, board->target_kernel, 4U, here, 4U},
                                           {GATE_SIGN, 0U, 4U, here, 4U},
                                           {GATE_SIGN, edge, 2U, here, 4U},
                                           {GATE_SIGN, here, SIGN_IN_MAX + 1U, here, 4U},
                                           {GATE_SIGN, here, 4U, here, UINTPTR_MAX},
                                           {GATE_SIGN, here, 4U, board->target, 4U},
                                           {GATE_SIGN, board->target, 4U, here, 4U}};
    begin(board);
    for (size_t i = 0U; i < sizeof calls / sizeof calls[0]; i++) {
        call_gate(board, calls[i]);
    }
    end(board);
}

static void call_forbidden_gate(void *own)
{
    static const uintptr_t words[WORD_COUNT] = {GATE_ROTATE, 1U, 0U, 0U, 0U};
    board_v_t *const board = own;
    begin(board);
    call_gate(board, words);
    end(board);
}

// Every region there may be, to itself: the victim's own among them.
static void take_regions(void *own)
{
    board_v_t *const board = own;
    begin(board);
    for (uintptr_t i = METE_DOMAIN_REGION_MAX; i != 0U; i--) {
        request_t request = {.words = {i - 1U, ATTACKER}};
        attempt(board, CALL_TRANSFER, &request);
    }
    end(board);
}

// The kernel is to write its answer over the victim's memory.
static void ask_elsewhere(void *own)
{
    board_v_t *const board = own;
    begin(board);
    board->tries = board->tries + 1U;
    machine_call(CALL_ACQUIRE, (void *)(board->target & ~(uintptr_t)7U));
    end(board);
}

#define R METE_ACCESS_READ
#define W METE_ACCESS_WRITE
#define X METE_ACCESS_EXECUTE

const attack_t attacks[] = {
    {"read", read_victim, BY_HARDWARE, METE_VIOLATIONS_DENIED, R, METE_DOMAIN_DONE},
    {"write", write_victim, BY_HARDWARE, METE_VIOLATIONS_DENIED, W, METE_DOMAIN_DONE},
    {"execute", execute_victim, BY_HARDWARE, METE_VIOLATIONS_DENIED, X, METE_DOMAIN_DONE},
    {"inject code", execute_own_data, BY_HARDWARE, METE_VIOLATIONS_DENIED, X, METE_DOMAIN_DONE},
    {"read the kernel", read_kernel, BY_HARDWARE, METE_VIOLATIONS_DENIED, R, METE_DOMAIN_DONE},
    {"jump to privileged code", jump_to_kernel, BY_HARDWARE, METE_VIOLATIONS_DENIED, W,
     METE_DOMAIN_DONE},
    {"write through NULL", follow_null, BY_HARDWARE, METE_VIOLATIONS_NULL, W, METE_DOMAIN_DONE},
    {"overflow the stack", overflow_stack, BY_HARDWARE, METE_VIOLATIONS_OVERFLOW, W,
     METE_DOMAIN_DONE},
    {"write the protection unit", write_unit, BY_PROCESSOR, METE_VIOLATIONS_DENIED, W,
     METE_DOMAIN_DONE},
    {"free", free_victims, BY_POLICY, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_FORBIDDEN},
    {"resize", resize_victims, BY_POLICY, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_FORBIDDEN},
    {"free twice", free_twice, BY_ALLOCATOR, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_DONE},
    {"forge a handle", forge_handle, BY_ALLOCATOR, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_DONE},
    {"replay a handle", replay_handle, BY_ALLOCATOR, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_DONE},
    {"exhaust memory", exhaust_memory, BY_LIMIT, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_DONE},
    {"wild arguments to a gate", call_gate_wildly, BY_POLICY, METE_VIOLATIONS_UNKNOWN, 0U,
     METE_DOMAIN_WILD},
    {"call a gate of others", call_forbidden_gate, BY_POLICY, METE_VIOLATIONS_UNKNOWN, 0U,
     METE_DOMAIN_FORBIDDEN},
    {"take a region", take_regions, BY_POLICY, METE_VIOLATIONS_UNKNOWN, 0U, METE_DOMAIN_FORBIDDEN},
    {"have the kernel write", ask_elsewhere, BY_KERNEL, METE_VIOLATIONS_UNKNOWN, 0U,
     METE_DOMAIN_DONE},
};

const size_t attack_count = sizeof attacks / sizeof attacks[0];

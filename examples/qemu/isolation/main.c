// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Three tasks in three domains. The victim has data, a key, blocks and a gate through which it signs for others; the bystander
// has things signed; the attacker tries all that it can think of, one after the other, while the two work. Each attack must be
// stopped, by whom it must be, and told rightly; the victim's memory must be as it was. In the end protection is
// switched off, and what was stopped must succeed: else nothing was shown.

#include "examples/qemu/isolation/attacks.h"
#include "mete/core/text.h"

enum {
    ARENA_SIZE = 512 * 1024,
    TURNS = 4000,
    WARM_UP = 8,
    AFTERWARDS = 32,
    MARK = 0x5EC2E700,
    KERNEL_MARK = 0x600D
};
#define KEY 0xC0DE5EC2U

static unsigned char arena[ARENA_SIZE] __attribute__((aligned(4096)));
static unsigned failures;
static size_t tried_count;
static size_t stopped_count;

static void say(const char *text)
{
    mete_text_string(mete_port_console, text);
}

static void expect(bool condition, const char *what)
{
    if (!condition) {
        say("WRONG: ");
        say(what);
        say("\n");
        failures++;
    }
}

// ---- The victim and the bystander

// Works on its data, and sees whether they are as it left them.
static void victim(void *own)
{
    volatile board_t *const board = own;
    request_t request = {.words = {BLOCK_SIZE}};
    board->target_block = ask(CALL_ACQUIRE, &request) ? request.result : 0U;
    request.words[0] = 16U;
    board->target_handle = ask(CALL_HANDLE_ACQUIRE, &request) ? request.result : 0U;
    for (size_t i = 0U; i < PATTERN_COUNT; i++) {
        board->pattern[i] = (uint32_t)MARK + (uint32_t)i;
    }
    for (;;) {
        for (size_t i = 0U; i < PATTERN_COUNT; i++) {
            board->damage = board->damage + ((board->pattern[i] != (uint32_t)MARK + i) ? 1U : 0U);
        }
        request.words[0] = BLOCK_SIZE;
        if (ask(CALL_ACQUIRE, &request)) {  // Others have used up theirs: its own are there.
            request.words[0] = request.result;
            request.words[1] = BLOCK_SIZE;
            board->damage = board->damage + (ask(CALL_RELEASE, &request) ? 0U : 1U);
        } else {
            board->damage = board->damage + 1U;
        }
        board->rounds = board->rounds + 1U;
    }
}

static uint32_t sign_with(uint32_t key, const volatile unsigned char *bytes, size_t size)
{
    uint32_t sum = key;
    for (size_t i = 0U; i < size; i++) {
        sum = sum * 31U + bytes[i];
    }
    return sum;
}

// The entry of the gate. The key lies behind the buffer; no other code of the victim sees it.
static void sign(void *frame)
{
    gate_frame_t *const call = frame;
    const volatile unsigned char *const bytes = (const volatile unsigned char *)call->words[0];
    const volatile uint32_t *const key = (const volatile uint32_t *)(call->words[0] + 48U);
    *(volatile uint32_t *)call->words[2] = sign_with(*key, bytes, call->words[1]);
    call->result = 1U;
}

static void rotate(void *frame)
{
    ((gate_frame_t *)frame)->result = 1U;
}

// It knows the signature that it must get: `got`. How it comes to be, it does not know.
static void bystander(void *own)
{
    volatile board_t *const board = own;
    request_t request;
    for (;;) {
        volatile uint32_t signature = 0U;
        request.words[0] = GATE_SIGN;
        request.words[1] = (uintptr_t)&board->pattern[0];
        request.words[2] = 16U;
        request.words[3] = (uintptr_t)&signature;
        request.words[4] = sizeof signature;
        const bool is_signed = ask(CALL_GATE, &request) && (request.result == 1U);
        board->damage = board->damage + ((is_signed && (signature == board->got)) ? 0U : 1U);
        board->rounds = board->rounds + 1U;
        machine_call(CALL_YIELD, NULL);
    }
}

static void start_the_others(void)
{
    board_t *const of_bystander = kernel_task(BYSTANDER)->board;
    *(uint32_t *)kernel_keys() = KEY;
    *kernel_secret() = KERNEL_MARK;
    for (size_t i = 0U; i < PATTERN_COUNT; i++) {
        of_bystander->pattern[i] = (uint32_t)i;
    }
    of_bystander->got = sign_with(KEY, (const unsigned char *)&of_bystander->pattern[0], 16U);
    kernel_start(VICTIM, victim);
    kernel_start(BYSTANDER, bystander);
    kernel_run(VICTIM, WARM_UP);
}

// ---- An attack

static void run_attack(const attack_t *attack)
{
    const board_t *const victims = kernel_task(VICTIM)->board;
    board_t *const board = kernel_task(ATTACKER)->board;
    board->stage = 0U;
    board->got = 0U;
    board->tries = 0U;
    board->target = (uintptr_t)&victims->pattern[0];
    board->target_block = victims->target_block;
    board->target_handle = victims->target_handle;
    board->target_kernel = (uintptr_t)kernel_secret();
    kernel_start(ATTACKER, attack->entry);
    kernel_run(ATTACKER, TURNS);
}

static bool is_hit(const attack_t *attack, const mete_violations_report_t *report)
{
    const board_t *const board = kernel_task(ATTACKER)->board;
    const mete_violation_t *const what = &report->what;
    const bool is_right_access = !mete_violation_knows(what, METE_VIOLATION_KNOWS_ACCESS) ||
                                 (what->access == attack->access);
    const bool is_target =
        (attack->by != BY_HARDWARE) || (attack->verdict != METE_VIOLATIONS_DENIED) ||
        (what->address == board->target) || (what->address == board->target_kernel) ||
        (what->address == (uintptr_t)&board->pattern[0]);
    return (report->verdict == attack->verdict) && is_right_access && is_target &&
           (what->privilege == METE_UNPRIVILEGED);
}

// Killed where it attacked, and for what.
static bool is_killed_for(const attack_t *attack)
{
    const task_t *const task = kernel_task(ATTACKER);
    const bool is_told =
        task->is_violation ? is_hit(attack, &task->report) : (attack->by == BY_PROCESSOR);
    return task->is_killed && is_told && (task->board->stage == STAGE_BEFORE);
}

// What was counted before an attack.
typedef struct counts {
    size_t refusals;
    size_t faults;
    size_t bad_requests;
} counts_t;

static counts_t count(void)
{
    return (counts_t){mete_domain_usage(kernel_domains(), ATTACKER).refusal_count, kernel_faults(),
                      kernel_bad_requests()};
}

// It came to its end, and got nothing; all tries were refused by whom they must be.
static bool is_refused(const attack_t *attack, const counts_t *before)
{
    const task_t *const task = kernel_task(ATTACKER);
    const board_t *const board = task->board;
    const counts_t now = count();
    const mete_domain_refusal_t *const last = mete_domain_last(kernel_domains());
    const bool has_ended = !task->is_running && !task->is_killed && (board->stage == STAGE_AFTER);
    if (!has_ended || (board->got != 0U) || (board->tries == 0U)) {
        return false;
    }
    switch (attack->by) {
    case BY_POLICY:
        return (now.refusals - before->refusals == board->tries) &&
               (last->answer == attack->answer) && (last->caller == ATTACKER);
    case BY_KERNEL:
        return now.bad_requests - before->bad_requests == board->tries;
    case BY_ALLOCATOR:
        return now.faults - before->faults == board->tries;
    default:
        return (board->tries <= BLOCK_COUNT) && (kernel_block_count(ATTACKER) <= BLOCK_COUNT);
    }
}

static bool are_others_well(void)
{
    const board_t *const of_victim = kernel_task(VICTIM)->board;
    const board_t *const of_bystander = kernel_task(BYSTANDER)->board;
    bool is_right = (of_victim->damage == 0U) && (of_bystander->damage == 0U) &&
                    kernel_task(VICTIM)->is_running && kernel_task(BYSTANDER)->is_running;
    for (size_t i = 0U; i < PATTERN_COUNT; i++) {
        is_right = is_right && (of_victim->pattern[i] == (uint32_t)MARK + i) &&
                   (of_bystander->pattern[i] == i);
    }
    return is_right && (*(const uint32_t *)kernel_keys() == KEY) &&
           (kernel_block_count(VICTIM) != 0U) && (*kernel_secret() == KERNEL_MARK) &&
           kernel_check();
}

static const char *access_name(uint8_t access)
{
    return (access == METE_ACCESS_READ)    ? "read"
           : (access == METE_ACCESS_WRITE) ? "write"
                                           : "execute";
}

static void say_how(const attack_t *attack)
{
    static const char *const answers[] = {"", "no such thing", "forbidden", "wild", "busy", "full"};
    const task_t *const task = kernel_task(ATTACKER);
    if (task->is_killed) {
        const mete_violations_report_t *const report = &task->report;
        say(!task->is_violation                             ? "killed: illegal instruction"
            : (report->verdict == METE_VIOLATIONS_OVERFLOW) ? "killed: stack overflow"
            : (report->verdict == METE_VIOLATIONS_NULL)     ? "killed: NULL, "
                                                            : "killed: denied, ");
        if (task->is_violation && (report->verdict != METE_VIOLATIONS_OVERFLOW)) {
            say(access_name(report->what.access));
        }
    } else if (attack->by == BY_POLICY) {
        say("refused: ");
        say(answers[mete_domain_last(kernel_domains())->answer]);
    } else {
        say((attack->by == BY_KERNEL)      ? "refused: request elsewhere"
            : (attack->by == BY_ALLOCATOR) ? "refused: no such block"
                                           : "refused: its own are used up");
    }
}

// On Linux nothing but good will keeps a task of the process from asking the system to change its rights.
static bool is_possible(const attack_t *attack)
{
    return (attack->by != BY_PROCESSOR) || (machine.switch_off_protection != NULL);
}

static void try_attack(const attack_t *attack)
{
    say("attack: ");
    say(attack->name);
    if (!is_possible(attack)) {
        say(": not tried\n");
        return;
    }
    const counts_t before = count();
    run_attack(attack);
    const bool is_killed_by = (attack->by == BY_HARDWARE) || (attack->by == BY_PROCESSOR);
    const bool is_stopped = is_killed_by ? is_killed_for(attack) : is_refused(attack, &before);
    const size_t rounds = kernel_task(VICTIM)->board->rounds;
    kernel_run(VICTIM, AFTERWARDS);
    const bool is_well = are_others_well() && (kernel_task(VICTIM)->board->rounds != rounds);
    tried_count++;
    stopped_count += (is_stopped && is_well) ? 1U : 0U;
    say(": ");
    say_how(attack);
    say(is_stopped ? "" : " NOT STOPPED AS EXPECTED");
    say(is_well ? "\n" : ", AND THE OTHERS WERE HARMED\n");
}

// ---- What is to be shown in the end

// The victim's marks and the key, in memory of the others.
static size_t find_secrets(void)
{
    size_t found = 0U;
    for (size_t domain = ATTACKER; domain <= BYSTANDER; domain++) {
        const uint32_t *const words = (const uint32_t *)(void *)kernel_task(domain)->board;
        for (size_t i = 0U; i < machine.region_size / sizeof *words; i++) {
            const bool is_mark = words[i] - (uint32_t)MARK < PATTERN_COUNT;
            found += (is_mark || (words[i] == KEY) || (words[i] == KERNEL_MARK)) ? 1U : 0U;
        }
    }
    return found;
}

// The same attacks, of which none may be stopped now.
static void try_without_protection(void)
{
    const board_t *const board = kernel_task(ATTACKER)->board;
    kernel_switch_off();
    run_attack(&attacks[READ_ATTACK]);
    const bool is_read = (board->stage == STAGE_AFTER) && (board->got == (uint32_t)MARK);
    run_attack(&attacks[WRITE_ATTACK]);
    const bool is_written =
        (board->stage == STAGE_AFTER) && (kernel_task(VICTIM)->board->pattern[0] == 0xBADU);
    say("control: without protection, read ");
    say(is_read ? "succeeds" : "DOES NOT SUCCEED");
    say(", write ");
    say(is_written ? "succeeds" : "DOES NOT SUCCEED");
    say(are_others_well() ? "\ncontrol: the harm is NOT SEEN\n" : "\ncontrol: the harm is seen\n");
    expect(is_read && is_written && !are_others_well(), "control");
}

static void say_number(const char *name, size_t number)
{
    say("# ");
    say(name);
    say(" ");
    mete_text_decimal(mete_port_console, number);
    say("\n");
}

int main(void)
{
    const uintptr_t entries[GATE_COUNT] = {(uintptr_t)sign, (uintptr_t)rotate};
    if (!kernel_init((mete_span_t){arena, ARENA_SIZE}, entries)) {
        say("WRONG: the domains do not fit\n");
        return 1;
    }
    start_the_others();
    expect(are_others_well(), "the start");
    for (size_t i = 0U; i < attack_count; i++) {
        try_attack(&attacks[i]);
    }
    say(are_others_well() ? "victim: intact\n" : "victim: HARMED\n");
    const size_t found = find_secrets();
    say_number("attacks.tried", tried_count);
    say_number("attacks.stopped", stopped_count);
    say_number("attacks.secrets.found", found);
    expect((stopped_count == tried_count) && are_others_well() && (found == 0U), "attacks");
    try_without_protection();
    say((failures == 0U) ? "PASS\n" : "FAIL\n");
    return (failures == 0U) ? 0 : 1;
}

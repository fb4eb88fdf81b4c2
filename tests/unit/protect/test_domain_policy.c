// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every owner, every caller, every operation, under every policy of a small system: what the policy says is worked out here
// once more, from its text, and compared with what is answered and with what the plan that is in force would let happen.
//
// Then a long random life of three domains, each of which fills all that it can write with a mark of its own. After every step all
// memory is searched for marks where they must not be.

#include "mete/core/words.h"
#include "tests/support/random.h"
#include "tests/unit/protect/domain_fixture.h"

#ifndef STEP_COUNT
#define STEP_COUNT 400
#endif

enum { SUBJECT, HOMES, REGION_COUNT = HOMES + DOMAIN_COUNT };  // The homes are one for each domain.
enum { LEVEL_COUNT = 3, ISOLATION_COUNT = 3, OWNER_COUNT = DOMAIN_COUNT + 1 };
enum {
    OPEN_GATE,
    OWNERS_GATE = DOMAIN_COUNT,
    GATE_COUNT
};  // A gate for each domain into itself, and one more.

static mete_domain_region_t regions[REGION_COUNT];
static mete_domain_gate_t gates[GATE_COUNT];
static uint8_t owners[REGION_COUNT];
static mete_domain_call_t calls[GATE_COUNT];
static mete_domain_usage_t usages[DOMAIN_COUNT];
static mete_domain_config_t config;
static mete_domain_t domains;
static mete_domain_task_t tasks[DOMAIN_COUNT];
static mete_pool_t pools[DOMAIN_COUNT];
static mete_pool_config_t pool_configs[DOMAIN_COUNT];
static uint16_t links[DOMAIN_COUNT];

static size_t triple_count;
static size_t wrong_count;

static void expect_answer(bool is_accepted, bool should_be)
{
    triple_count++;
    wrong_count += (is_accepted != should_be) ? 1U : 0U;
}

// ---- A policy

// What one system is like: the region that it is all about, and the levels.
typedef struct policy {
    uint8_t levels[DOMAIN_COUNT];
    mete_domain_isolation_t isolation;
    size_t owner;  // DOMAIN_COUNT: it is common.
    uint8_t rights;
    uint32_t mask;  // Who may receive it, and who may call its owner's gate.
} policy_t;

static void make_regions(const policy_t *policy)
{
    regions[SUBJECT] = (mete_domain_region_t){
        .name = "subject",
        .start = unit_at(0U),
        .size = UNIT,
        .owner = (uint8_t)((policy->owner < DOMAIN_COUNT) ? policy->owner : METE_DOMAIN_COMMON),
        .rights = policy->rights,
        .isolation = policy->isolation,
        .receivers =
            ((policy->rights == RW) && (policy->owner < DOMAIN_COUNT)) ? policy->mask : 0U};
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        regions[HOMES + i] = (mete_domain_region_t){.name = "home",
                                                    .start = unit_at(2U + 2U * i),
                                                    .size = UNIT,
                                                    .owner = (uint8_t)i,
                                                    .rights = RW};
    }
}

static void make_gates(const policy_t *policy)
{
    for (size_t i = 0U; i < GATE_COUNT; i++) {
        const bool is_open = i < OWNERS_GATE;
        const size_t owner = (policy->owner < DOMAIN_COUNT) ? policy->owner : LOW;
        gates[i] = (mete_domain_gate_t){.name = "gate",
                                        .domain = (uint8_t)(is_open ? i : owner),
                                        .callers = is_open ? bit(i) : policy->mask};
    }
}

// The owner's allocator serves in the subject, all others' at home. One block each.
static void make_pools(const policy_t *policy)
{
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        const uintptr_t blocks = unit_at((i == policy->owner) ? 0U : 2U + 2U * i);
        pool_configs[i] = (mete_pool_config_t){(void *)blocks, &links[i], BLOCK, 1U};
        (void)mete_pool_init(&pools[i], &pool_configs[i]);
        members[i].alloc = mete_pool_as_alloc(&pools[i]);
        members[i].level = policy->levels[i];
    }
}

static void setup(const policy_t *policy)
{
    make_members();
    make_regions(policy);
    make_gates(policy);
    make_pools(policy);
    config = (mete_domain_config_t){.members = members,
                                    .member_count = DOMAIN_COUNT,
                                    .regions = regions,
                                    .region_count = REGION_COUNT,
                                    .gates = gates,
                                    .gate_count = GATE_COUNT,
                                    .owners = owners,
                                    .calls = calls,
                                    .usages = usages,
                                    .backend = &backend};
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        EXPECT(mete_domain_add(&domains, &tasks[i], i));
    }
}

// ---- What the policy says, from its text

static bool reaches_as_owner(const policy_t *policy, size_t caller, bool is_in_gate)
{
    return (policy->owner == caller) &&
           ((policy->isolation != METE_DOMAIN_GATE_ONLY) || is_in_gate);
}

static bool should_access(const policy_t *policy, size_t caller, bool is_in_gate, uint8_t access)
{
    if ((policy->rights & access) == 0U) {
        return false;  // Nobody has what the owner has not.
    }
    if ((policy->owner == DOMAIN_COUNT) || reaches_as_owner(policy, caller, is_in_gate)) {
        return true;
    }
    return (policy->owner != caller) && (access == R) &&
           (policy->isolation == METE_DOMAIN_READ_SHARED) &&
           (policy->levels[caller] >= policy->levels[policy->owner]);
}

static bool should_hold(const policy_t *policy, size_t caller, bool is_in_gate)
{
    return (policy->owner != DOMAIN_COUNT) && reaches_as_owner(policy, caller, is_in_gate) &&
           ((policy->rights & R) != 0U) && ((policy->rights & W) != 0U);
}

// ---- What is tried

static void go(size_t caller, bool is_in_gate)
{
    uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX] = {0U, 0U, 0U, 0U};
    mete_domain_reset(&domains, &tasks[caller]);
    mete_domain_switch(&domains, &tasks[caller]);
    if (is_in_gate) {
        EXPECT(mete_domain_enter(&domains, OPEN_GATE + caller, arguments) == METE_DOMAIN_DONE);
    }
}

static void try_accesses(const policy_t *policy, size_t caller, bool is_in_gate)
{
    static const uint8_t kinds[] = {R, W, X};
    for (size_t i = 0U; i < sizeof kinds; i++) {
        const bool should_be = should_access(policy, caller, is_in_gate, kinds[i]);
        expect_answer(mete_domain_allows(&domains, unit_at(0U), UNIT, kinds[i]), should_be);
        for (size_t offset = 0U; offset < UNIT; offset += UNIT - 1U) {
            const bool happens = mete_plan_allows(tasks[caller].plan, unit_at(0U) + offset, 1U,
                                                  kinds[i], METE_UNPRIVILEGED);
            wrong_count += (happens != should_be) ? 1U : 0U;
        }
    }
}

// The block of the owner's allocator, whoever has it.
static void try_blocks(const policy_t *policy, size_t caller, bool is_in_gate)
{
    void *const block = (void *)unit_at(0U);
    const bool should_be = should_hold(policy, caller, is_in_gate);
    void *const got = mete_domain_acquire(&domains, BLOCK, 1U);
    expect_answer(got == block, should_be);
    if ((got == NULL) && (policy->owner < DOMAIN_COUNT)) {
        EXPECT((policy->owner != caller) || (mete_pool_usage(&pools[caller]).in_use == 0U));
    }
    if (got != block) {
        if (got != NULL) {
            EXPECT(mete_domain_release(&domains, got, BLOCK, 1U) == METE_DOMAIN_DONE);
        }
        if (policy->owner < DOMAIN_COUNT) {
            EXPECT(mete_pool_alloc(&pools[policy->owner]) == block);
        }
    }
    expect_answer(mete_domain_resize(&domains, block, BLOCK, 8U, 1U) == METE_DOMAIN_DONE,
                  should_be);
    expect_answer(mete_domain_release(&domains, block, BLOCK, 1U) == METE_DOMAIN_DONE, should_be);
    if (!should_be && (policy->owner < DOMAIN_COUNT)) {
        mete_pool_free(&pools[policy->owner], block);
    }
    (void)tap_take_fault();  // Of blocks outside of what may be held.
}

static void try_call(const policy_t *policy, size_t caller)
{
    uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX] = {0U, 0U, 0U, 0U};
    const bool should_be = ((policy->mask >> caller) & 1U) != 0U;
    const bool is_in = mete_domain_enter(&domains, OWNERS_GATE, arguments) == METE_DOMAIN_DONE;
    expect_answer(is_in, should_be);
    if (is_in) {
        EXPECT(tasks[caller].domain == gates[OWNERS_GATE].domain);
        EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    }
}

static void try_transfers(const policy_t *policy, size_t caller, bool is_in_gate)
{
    for (size_t receiver = 0U; receiver < DOMAIN_COUNT; receiver++) {
        const bool should_be = should_hold(policy, caller, is_in_gate) && (receiver != caller) &&
                               (((policy->mask >> receiver) & 1U) != 0U);
        arena[UNIT - 1U] = 0x77U;
        const bool is_given = mete_domain_transfer(&domains, SUBJECT, receiver) == METE_DOMAIN_DONE;
        expect_answer(is_given, should_be);
        EXPECT(arena[UNIT - 1U] == (is_given ? 0U : 0x77U));
        EXPECT(owners[SUBJECT] == (is_given ? receiver : regions[SUBJECT].owner));
        if (is_given) {  // As before, for the next.
            setup(policy);
            go(caller, is_in_gate);
        }
    }
}

static void try_all(const policy_t *policy)
{
    setup(policy);
    for (size_t caller = 0U; caller < DOMAIN_COUNT; caller++) {
        for (unsigned is_in_gate = 0U; is_in_gate <= 1U; is_in_gate++) {
            go(caller, is_in_gate != 0U);
            try_accesses(policy, caller, is_in_gate != 0U);
            try_blocks(policy, caller, is_in_gate != 0U);
            try_call(policy, caller);
            try_transfers(policy, caller, is_in_gate != 0U);
        }
    }
}

// Levels matter by their order only: 27 that hold all orders.
static void set_levels(policy_t *policy, size_t number)
{
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        policy->levels[i] = (uint8_t)(number % LEVEL_COUNT);
        number /= LEVEL_COUNT;
    }
}

// Common memory is not to be written. Masks decide about transfers and calls only: all with one level order, else
// two of them.
static bool is_of_use(const policy_t *policy, size_t levels, uint32_t mask)
{
    return ((policy->owner != DOMAIN_COUNT) || (policy->rights != RW)) &&
           ((levels == 1U) || (mask == 3U) || (mask == 6U));
}

static void test_none_is_accepted_that_is_forbidden_nor_refused_that_is_allowed(void)
{
    static const uint8_t rights[] = {R, RW, RX};
    policy_t policy;
    for (size_t n = 0U; n < 27U * ISOLATION_COUNT * OWNER_COUNT * sizeof rights * 8U; n++) {
        size_t rest = n / 8U;
        policy.mask = (uint32_t)(n % 8U);
        policy.rights = rights[rest % sizeof rights];
        rest /= sizeof rights;
        policy.owner = rest % OWNER_COUNT;
        rest /= OWNER_COUNT;
        policy.isolation = (mete_domain_isolation_t)(rest % ISOLATION_COUNT);
        rest /= ISOLATION_COUNT;
        set_levels(&policy, rest);
        if (is_of_use(&policy, rest, policy.mask)) {
            try_all(&policy);
        }
    }
    tap_note("trust.triples", triple_count);
    tap_note("trust.wrong", wrong_count);
    EXPECT((triple_count > 30000U) && (wrong_count == 0U));
}

// ---- Secrets

// Two that may be given away, one to read for all above, keys, and a home for each.
enum { TICKET_A, TICKET_B, BOARD, KEYS, LIFE_HOMES, LIFE_REGION_COUNT = LIFE_HOMES + DOMAIN_COUNT };
enum { SEND, SIGN, LIFE_GATE_COUNT, MARK = 0xA0, BUFFER_SIZE = 32 };

static mete_domain_region_t life_regions[LIFE_REGION_COUNT];
static mete_domain_gate_t life_gates[LIFE_GATE_COUNT];
static uint8_t life_owners[LIFE_REGION_COUNT];
static mete_domain_call_t life_calls[LIFE_GATE_COUNT];
static size_t found_count;
static size_t searched_count;
static size_t step_kinds[5];  // Switches, calls, leaves, transfers and resets that were done.

static void set_life_region(size_t index, uint8_t owner, mete_domain_isolation_t isolation,
                            uint32_t receivers)
{
    life_regions[index] = (mete_domain_region_t){.name = "region",
                                                 .start = unit_at(2U * index),
                                                 .size = UNIT,
                                                 .owner = owner,
                                                 .rights = RW,
                                                 .isolation = isolation,
                                                 .receivers = receivers};
}

static void set_life_gate(size_t index, uint8_t domain, uint32_t callers, size_t region)
{
    life_gates[index] = (mete_domain_gate_t){.name = "gate",
                                             .domain = domain,
                                             .callers = callers,
                                             .buffer = {(void *)unit_at(2U * region), BUFFER_SIZE},
                                             .arguments = {{METE_DOMAIN_IN, 0U},
                                                           {METE_DOMAIN_SIZE, 16U},
                                                           {METE_DOMAIN_OUT, 0U},
                                                           {METE_DOMAIN_SIZE, 16U}}};
}

static void begin_life(void)
{
    const uint32_t all = bit(LOW) | bit(MID) | bit(HIGH);
    make_members();
    set_life_region(TICKET_A, LOW, METE_DOMAIN_EXCLUSIVE, all);
    set_life_region(TICKET_B, HIGH, METE_DOMAIN_GATE_ONLY, all);
    set_life_region(BOARD, MID, METE_DOMAIN_READ_SHARED, 0U);
    set_life_region(KEYS, HIGH, METE_DOMAIN_GATE_ONLY, 0U);
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        set_life_region(LIFE_HOMES + i, (uint8_t)i, METE_DOMAIN_EXCLUSIVE, 0U);
        members[i].alloc = (mete_alloc_t){NULL, NULL};
    }
    set_life_gate(SEND, MID, bit(LOW) | bit(HIGH), LIFE_HOMES + MID);
    set_life_gate(SIGN, HIGH, all, KEYS);
    config.regions = life_regions;
    config.region_count = LIFE_REGION_COUNT;
    config.gates = life_gates;
    config.gate_count = LIFE_GATE_COUNT;
    config.owners = life_owners;
    config.calls = life_calls;
    mete_words_fill(arena, 0U, sizeof arena);
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        EXPECT(mete_domain_add(&domains, &tasks[i], i));
    }
    mete_domain_switch(&domains, &tasks[LOW]);
}

static uint8_t mark_of(size_t domain)
{
    return (uint8_t)(MARK + domain);
}

// A gate's buffer, while it serves, is for what both want to hand over.
static bool is_in_open_buffer(uintptr_t address)
{
    bool is_it = false;
    for (size_t i = 0U; i < LIFE_GATE_COUNT; i++) {
        const mete_span_t buffer = life_gates[i].buffer;
        is_it = is_it ||
                ((life_calls[i].task != NULL) && (address - (uintptr_t)buffer.start < buffer.size));
    }
    return is_it;
}

// The running domain marks all bytes that it can write; but not a buffer, for a callee that hands out its own marks gives them
// away on purpose.
static void mark_all(void)
{
    const size_t domain = mete_domain_owner(&domains);
    for (uintptr_t address = unit_at(0U); address != unit_at(UNIT_COUNT); address++) {
        if (mete_domain_allows(&domains, address, 1U, W) && !is_in_open_buffer(address)) {
            *(unsigned char *)address = mark_of(domain);
        }
    }
}

// Marks of one domain in what another one has.
static void search(void)
{
    for (size_t i = 0U; i < LIFE_REGION_COUNT; i++) {
        for (size_t k = 0U; k < UNIT; k++) {
            const uintptr_t address = life_regions[i].start + k;
            const uint8_t byte = *(const unsigned char *)address;
            const bool is_fine =
                (byte == 0U) || (byte == mark_of(life_owners[i])) || is_in_open_buffer(address);
            found_count += is_fine ? 0U : 1U;
            searched_count++;
        }
    }
}

// Mostly in what the running domain has, so that not all is refused.
static uintptr_t any_address(uint32_t *random)
{
    const size_t home = LIFE_HOMES + mete_domain_owner(&domains);
    return (random_below(random, 8U) == 0U) ? unit_at(0U) + random_below(random, UNIT_COUNT * UNIT)
                                            : unit_at(2U * home) + random_below(random, UNIT - 16U);
}

static void call_any(uint32_t *random)
{
    uintptr_t arguments[METE_DOMAIN_ARGUMENT_MAX];
    arguments[0] = any_address(random);
    arguments[1] = random_below(random, 18U);
    arguments[2] = any_address(random);
    arguments[3] = random_below(random, 18U);
    if (mete_domain_enter(&domains, random_below(random, LIFE_GATE_COUNT), arguments) ==
        METE_DOMAIN_DONE) {
        step_kinds[1]++;
    }
}

static void step(uint32_t *random)
{
    mete_domain_task_t *const task = &tasks[random_below(random, DOMAIN_COUNT)];
    switch (random_below(random, 8U)) {
    case 0U:
    case 1U:
        mete_domain_switch(&domains, task);
        step_kinds[0]++;
        break;
    case 2U:
    case 3U:
    case 4U:
        call_any(random);
        break;
    case 5U:
        step_kinds[2] += (mete_domain_leave(&domains) == METE_DOMAIN_DONE) ? 1U : 0U;
        break;
    case 6U:
        step_kinds[3] +=
            (mete_domain_transfer(&domains, random_below(random, BOARD + 1U),
                                  random_below(random, DOMAIN_COUNT)) == METE_DOMAIN_DONE)
                ? 1U
                : 0U;
        break;
    default:
        if (random_below(random, 4U) == 0U) {
            mete_domain_reset(&domains, task);
            step_kinds[4]++;
        }
        break;
    }
}

static void test_no_secret_is_found_where_it_does_not_belong(void)
{
    uint32_t random = 20U;
    begin_life();
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        step(&random);
        search();
        mark_all();
        search();
        EXPECT(mete_domain_check(&domains));
    }
    for (size_t i = 0U; i < 5U; i++) {
        EXPECT(step_kinds[i] > STEP_COUNT / 200U);  // Each happened, and often enough.
    }
    tap_note("secrets.searched", searched_count);
    tap_note("secrets.found", found_count);
    EXPECT(found_count == 0U);
}

int main(void)
{
    RUN(test_none_is_accepted_that_is_forbidden_nor_refused_that_is_allowed);
    RUN(test_no_secret_is_found_where_it_does_not_belong);
    return tap_finish();
}

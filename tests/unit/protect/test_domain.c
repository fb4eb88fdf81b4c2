// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/protect/domain.c"

#include "tests/support/random.h"
#include "tests/unit/protect/domain_fixture.h"

// What is where, in units.
enum {
    CONSTANTS,  // Common, to read.
    CODE,       // Common, to read and execute.
    HOLE,       // Common, without rights.
    OF_LOW,     // Exclusive; with LOW's pool.
    OF_MID,
    OF_HIGH,
    BOARD,   // MID's, read-shared.
    KEYS,    // HIGH's, gate-only.
    TICKET,  // LOW's; may be given to MID and to HIGH, and back.
    REGION_COUNT
};
enum { SIGN, ADD, ROTATE, RELAY, GATE_COUNT };
enum { IN_LIMIT = 32, OUT_LIMIT = 12, VALUE_LIMIT = 100, POOL_COUNT = 3, EVENT_MAX = 16 };
enum { SECRET = 0x5E, STALE = 0x33 };

static mete_domain_region_t regions[REGION_COUNT];
static mete_domain_gate_t gates[GATE_COUNT];
static uint8_t owners[REGION_COUNT + 1];
static mete_domain_call_t calls[GATE_COUNT];
static mete_domain_usage_t usages[DOMAIN_COUNT];
static mete_domain_config_t config;
static mete_domain_t domains;
static mete_domain_task_t low, mid, high;

static mete_pool_t pools[DOMAIN_COUNT];
static mete_pool_config_t pool_configs[DOMAIN_COUNT];
static uint16_t pool_links[DOMAIN_COUNT][POOL_COUNT];

// ---- A protection unit that takes down what it is told

static mete_mpu_unit_t unit = {IMAGE_MAX};
static size_t commit_count;
static const mete_mpu_image_t *committed;
static size_t committed_count;
static unsigned char seen_at_commit;  // The first byte of TICKET.

static void on_commit(void *self, const mete_mpu_image_t *images, size_t image_count,
                      bool has_background)
{
    EXPECT((self == &unit) && has_background);
    commit_count++;
    committed = images;
    committed_count = image_count;
    seen_at_commit = arena[TICKET * UNIT];
}

static const mete_mpu_ops_t mpu_ops = {METE_MPU_PAGES, on_commit, NULL, NULL};
static const mete_mpu_ops_t other_mpu_ops = {METE_MPU_ARMV7M, on_commit, NULL, NULL};

static bool is_in_force(size_t domain, size_t gate_plan)
{
    const mete_plan_t *const plan = &books[domain][gate_plan].plan;
    return (committed == plan->images) && (committed_count == plan->image_count);
}

// ---- Who listens

static mete_event_t events[EVENT_MAX];
static size_t event_count;

static void on_event(void *self, const mete_event_t *event)
{
    EXPECT((self == &event_count) && (event->source == &domains) && (event->caller == NULL));
    if (event_count < EVENT_MAX) {
        events[event_count].kind = event->kind;
        events[event_count].block = event->block;
        events[event_count].size = event->size;
    }
    event_count++;
}

// True if just this was heard since the last question.
static bool heard(mete_event_kind_t kind, uintptr_t block, size_t size)
{
    const bool is_right = (event_count == 1U) && (events[0].kind == kind) &&
                          ((uintptr_t)events[0].block == block) && (events[0].size == size);
    event_count = 0U;
    return is_right;
}

// ---- The fixture

static void set_region(size_t index, const char *name, uint8_t owner, uint8_t rights)
{
    regions[index] = (mete_domain_region_t){
        name, unit_at(index), UNIT, owner, rights, METE_DOMAIN_EXCLUSIVE, METE_MPU_CACHED, 0U};
}

static void make_regions(void)
{
    set_region(CONSTANTS, "constants", METE_DOMAIN_COMMON, R);
    set_region(CODE, "code", METE_DOMAIN_COMMON, RX);
    set_region(HOLE, "hole", METE_DOMAIN_COMMON, 0U);
    set_region(OF_LOW, "low", LOW, RW);
    set_region(OF_MID, "mid", MID, RW);
    set_region(OF_HIGH, "high", HIGH, RW);
    set_region(BOARD, "board", MID, RW);
    set_region(KEYS, "keys", HIGH, RW);
    set_region(TICKET, "ticket", LOW, RW);
    regions[BOARD].isolation = METE_DOMAIN_READ_SHARED;
    regions[KEYS].isolation = METE_DOMAIN_GATE_ONLY;
    regions[TICKET].receivers = bit(LOW) | bit(MID) | bit(HIGH);
}

static void make_gates(void)
{
    gates[SIGN] = (mete_domain_gate_t){"sign",
                                       0x100U,
                                       HIGH,
                                       bit(LOW) | bit(MID),
                                       {&arena[KEYS * UNIT], 48U},
                                       {{METE_DOMAIN_IN, 0U},
                                        {METE_DOMAIN_SIZE, IN_LIMIT},
                                        {METE_DOMAIN_OUT, 0U},
                                        {METE_DOMAIN_SIZE, OUT_LIMIT}}};
    gates[ADD] = (mete_domain_gate_t){
        "add",
        0x200U,
        MID,
        bit(LOW) | bit(HIGH),
        {NULL, 0U},
        {{METE_DOMAIN_VALUE, VALUE_LIMIT}, {METE_DOMAIN_VALUE, UINTPTR_MAX}, {0U, 0U}, {0U, 0U}}};
    gates[ROTATE] = (mete_domain_gate_t){
        "rotate", 0x300U, HIGH, bit(HIGH), {NULL, 0U}, {{0U, 0U}, {0U, 0U}, {0U, 0U}, {0U, 0U}}};
    gates[RELAY] = (mete_domain_gate_t){"relay",
                                        0x400U,
                                        MID,
                                        bit(LOW),
                                        {&arena[OF_MID * UNIT + 48U], 16U},
                                        {{METE_DOMAIN_UNUSED, 0U},
                                         {METE_DOMAIN_IN_OUT, 0U},
                                         {METE_DOMAIN_SIZE, 9U},
                                         {METE_DOMAIN_VALUE, 7U}}};
}

static void make_pools(void)
{
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        pool_configs[i] =
            (mete_pool_config_t){(void *)unit_at(OF_LOW + i), pool_links[i], BLOCK, POOL_COUNT};
        EXPECT(mete_pool_init(&pools[i], &pool_configs[i]));
        members[i].alloc = mete_pool_as_alloc(&pools[i]);
    }
}

static void make_config(void)
{
    make_members();
    make_regions();
    make_gates();
    make_pools();
    config = (mete_domain_config_t){.members = members,
                                    .member_count = DOMAIN_COUNT,
                                    .regions = regions,
                                    .region_count = REGION_COUNT,
                                    .gates = gates,
                                    .gate_count = GATE_COUNT,
                                    .owners = owners,
                                    .calls = calls,
                                    .usages = usages,
                                    .backend = &backend,
                                    .mpu = {&mpu_ops, &unit},
                                    .observer = {on_event, &event_count}};
    unit.region_count = IMAGE_MAX;
}

static void setup(void)
{
    make_config();
    mete_words_fill(arena, STALE, sizeof arena);
    mete_words_fill(&domains, 0xEEU, sizeof domains);
    commit_count = 0U;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    EXPECT(commit_count == 0U);
    EXPECT(mete_domain_add(&domains, &low, LOW) && mete_domain_add(&domains, &mid, MID) &&
           mete_domain_add(&domains, &high, HIGH));
    event_count = 0U;
}

static void run(mete_domain_task_t *task)
{
    mete_domain_switch(&domains, task);
    event_count = 0U;
}

static bool may(size_t region, uint32_t access)
{
    return mete_domain_allows(&domains, unit_at(region), UNIT, access);
}

// What the policy lets the running task do with a region, by asking.
static uint32_t rights_at(size_t region)
{
    uint32_t rights = 0U;
    for (uint32_t access = R; access <= (uint32_t)X; access <<= 1) {
        rights |= may(region, access) ? access : 0U;
    }
    return rights;
}

// And what the plan lets it, at both ends.
static uint32_t planned_at(const mete_domain_task_t *task, size_t region)
{
    uint32_t rights = 0U;
    for (uint32_t access = R; access <= (uint32_t)X; access <<= 1) {
        const uintptr_t last = unit_at(region) + UNIT - 1U;
        const bool is_first =
            mete_plan_allows(task->plan, unit_at(region), 1U, access, METE_UNPRIVILEGED);
        EXPECT(is_first == mete_plan_allows(task->plan, last, 1U, access, METE_UNPRIVILEGED));
        rights |= is_first ? access : 0U;
    }
    return rights;
}

static bool is_filled(size_t region, size_t from, uint8_t byte, size_t size)
{
    return mete_words_scan(&arena[region * UNIT + from], byte, size) == size;
}

static bool refused(mete_domain_request_t request, mete_domain_answer_t answer, size_t caller,
                    size_t owner, uintptr_t address)
{
    const mete_domain_refusal_t *const last = mete_domain_last(&domains);
    const bool is_told = heard(METE_EVENT_FAULT, address, METE_FAULT_ACCESS);
    return is_told && (last != NULL) && (last->request == request) && (last->answer == answer) &&
           (last->caller == caller) && (last->owner == owner) && (last->address == address);
}

// ---- Init

static bool is_refused(mete_domain_verdict_t verdict, size_t index, size_t other)
{
    const mete_domain_result_t result = mete_domain_init(&domains, &config);
    const bool is_right =
        (result.verdict == verdict) && (result.index == index) && (result.other == other);
    make_config();
    return is_right;
}

static void test_init_wants_all_tables(void)
{
    make_config();
    EXPECT(mete_domain_init(&domains, NULL).verdict == METE_DOMAIN_NO_TABLE);
    config.members = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.member_count = 0U;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.member_count = METE_DOMAIN_MAX + 1U;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.regions = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.region_count = 0U;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.region_count = METE_DOMAIN_REGION_MAX + 1U;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.gates = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.calls = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.gate_count = METE_DOMAIN_GATE_MAX + 1U;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.owners = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.usages = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
    config.backend = NULL;
    EXPECT(is_refused(METE_DOMAIN_NO_TABLE, 0U, 0U));
}

static void test_init_does_without_gates(void)
{
    make_config();
    config.gates = NULL;
    config.calls = NULL;
    config.gate_count = 0U;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    EXPECT(mete_domain_check(&domains));
}

static void test_init_refuses_a_region_that_breaks_a_limit(void)
{
    make_config();
    regions[BOARD].name = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].size = 0U;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].size = UINTPTR_MAX - regions[BOARD].start + 2U;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].rights = METE_ACCESS_ALL + 1U;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].rights = METE_ACCESS_ALL;  // To write and to execute.
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].isolation = (mete_domain_isolation_t)3;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[BOARD].owner = DOMAIN_COUNT;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, BOARD, BOARD));
    regions[TICKET].receivers = bit(DOMAIN_COUNT);
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, TICKET, TICKET));
    regions[TICKET].rights = R;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, TICKET, TICKET));
    regions[CONSTANTS].rights = RW;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, CONSTANTS, CONSTANTS));
    regions[TICKET].owner = METE_DOMAIN_COMMON;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, TICKET, TICKET));
    regions[TICKET].rights = R;
    regions[TICKET].owner = METE_DOMAIN_COMMON;
    EXPECT(is_refused(METE_DOMAIN_BAD_REGION, TICKET, TICKET));
}

static void test_init_refuses_regions_that_share_a_byte(void)
{
    make_config();
    regions[OF_MID].start -= 1U;
    EXPECT(is_refused(METE_DOMAIN_OVERLAP, OF_MID, OF_LOW));
    regions[OF_MID].size += 1U;
    EXPECT(is_refused(METE_DOMAIN_OVERLAP, OF_HIGH, OF_MID));
    regions[CONSTANTS].start = unit_at(REGION_COUNT) + 8U;
    regions[CODE].start = unit_at(REGION_COUNT);
    EXPECT(is_refused(METE_DOMAIN_OVERLAP, CODE, CONSTANTS));
    regions[CODE].start = unit_at(REGION_COUNT) - 1U;
    regions[CONSTANTS].start = unit_at(REGION_COUNT);
    regions[CONSTANTS].size = 1U;  // Whole inside.
    EXPECT(is_refused(METE_DOMAIN_OVERLAP, CODE, CONSTANTS));
}

static void test_init_refuses_a_domain_that_lacks_something(void)
{
    make_config();
    members[MID].name = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    members[MID].books = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    books[MID][0].wishes = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    books[MID][0].shares = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    books[MID][0].images = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    books[MID][1].ranges = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
    members[HIGH].gate_books = NULL;  // It has keys.
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, HIGH, HIGH));
    members[MID].alloc = members[LOW].alloc;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, LOW));
    members[MID].books = &books[LOW][0];
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, LOW, LOW));
    members[HIGH].books = &books[HIGH][1];
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, HIGH, HIGH));
}

static void test_gate_books_are_for_who_may_have_gate_only_regions(void)
{
    make_config();
    members[LOW].gate_books = NULL;
    members[MID].gate_books = NULL;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    regions[TICKET].isolation = METE_DOMAIN_GATE_ONLY;
    EXPECT(mete_domain_init(&domains, &config).index == LOW);  // Its owner.
    make_config();
    members[MID].gate_books = NULL;  // A receiver.
    regions[TICKET].isolation = METE_DOMAIN_GATE_ONLY;
    EXPECT(is_refused(METE_DOMAIN_BAD_MEMBER, MID, MID));
}

static void test_several_domains_may_have_no_allocator(void)
{
    make_config();
    members[LOW].alloc = (mete_alloc_t){NULL, NULL};
    members[MID].alloc = (mete_alloc_t){NULL, NULL};
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
}

static void test_init_refuses_a_gate_that_breaks_a_limit(void)
{
    make_config();
    gates[ADD].name = NULL;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
    gates[ADD].domain = DOMAIN_COUNT;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
    gates[ADD].callers = bit(DOMAIN_COUNT);
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
    gates[SIGN].arguments[1].kind = METE_DOMAIN_VALUE;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].arguments[0].kind = METE_DOMAIN_VALUE;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].arguments[3].kind = METE_DOMAIN_IN;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[ADD].arguments[3].kind = METE_DOMAIN_OUT;  // No place for its size.
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
    gates[ADD].arguments[0].kind = METE_DOMAIN_SIZE;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
    gates[ADD].arguments[2].kind = METE_DOMAIN_SIZE + 1U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, ADD, ADD));
}

static void test_a_gate_has_room_for_all_its_spans(void)
{
    make_config();
    gates[SIGN].buffer.size = 47U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].arguments[3].limit = 17U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].arguments[1].limit = SIZE_MAX;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].arguments[1].limit = SIZE_MAX - 3U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[RELAY].buffer.size = 15U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, RELAY, RELAY));
}

static void test_a_buffer_lies_where_its_domain_alone_is(void)
{
    make_config();
    gates[SIGN].buffer.start = (void *)(unit_at(KEYS) + 4U);  // Its alignment.
    gates[SIGN].buffer.size = 56U;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].buffer.start = (void *)(unit_at(KEYS) + 24U);  // Over the end.
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].buffer.start = (void *)unit_at(REGION_COUNT);  // Nobody's.
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[SIGN].buffer.start = (void *)unit_at(OF_LOW);
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, SIGN, SIGN));
    gates[RELAY].buffer.start = (void *)unit_at(BOARD);  // Others read it.
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, RELAY, RELAY));
    regions[OF_MID].rights = R;
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, RELAY, RELAY));
    regions[OF_MID].receivers = bit(LOW);
    EXPECT(is_refused(METE_DOMAIN_BAD_GATE, RELAY, RELAY));
}

// Moves one thing after the other into a region that a domain writes.
static void test_init_refuses_books_that_a_domain_could_write(void)
{
    make_config();
    const struct {
        const void *start;
        size_t size;
    } pieces[] = {{&domains, sizeof domains},
                  {&config, sizeof config},
                  {members, sizeof members},
                  {regions, sizeof regions},
                  {gates, sizeof gates},
                  {owners, REGION_COUNT},
                  {calls, sizeof calls},
                  {usages, sizeof usages},
                  {&books[MID][0], sizeof books[MID][0]},
                  {&books[MID][1], sizeof books[MID][1]},
                  {tables[MID][0].wishes, sizeof tables[MID][0].wishes},
                  {tables[MID][0].shares, sizeof tables[MID][0].shares},
                  {tables[MID][1].images, sizeof tables[MID][1].images},
                  {tables[MID][1].ranges, sizeof tables[MID][1].ranges},
                  {&pools[HIGH], 1U}};
    for (size_t i = 0U; i < sizeof pieces / sizeof pieces[0]; i++) {
        regions[TICKET].size = 1U;
        regions[TICKET].start = (uintptr_t)pieces[i].start;
        EXPECT(is_refused(METE_DOMAIN_EXPOSED, TICKET, TICKET));
        regions[TICKET].size = 1U;
        regions[TICKET].start = (uintptr_t)pieces[i].start + pieces[i].size - 1U;
        EXPECT(is_refused(METE_DOMAIN_EXPOSED, TICKET, TICKET));
    }
    regions[TICKET].start = (uintptr_t)&usages[0];
    regions[TICKET].size = 1U;
    regions[TICKET].receivers = 0U;
    regions[TICKET].rights = R;  // It could only read them; but no region can be of one byte.
    EXPECT(is_refused(METE_DOMAIN_NO_PLAN, LOW, LOW));
}

static void test_init_tells_what_does_not_fit(void)
{
    make_config();
    regions[OF_HIGH].start += 4U;
    regions[OF_HIGH].size -= 4U;
    gates[RELAY].buffer.size = 16U;
    const mete_domain_result_t result = mete_domain_init(&domains, &config);
    EXPECT((result.verdict == METE_DOMAIN_NO_PLAN) && (result.index == HIGH) &&
           (result.plan.verdict == METE_PLAN_ALIGN));
    EXPECT(result.plan.wish->start == regions[OF_HIGH].start);
    make_config();
    books[MID][1].wish_max = 4U;  // It has five.
    const mete_domain_result_t full = mete_domain_init(&domains, &config);
    EXPECT((full.verdict == METE_DOMAIN_NO_PLAN) && (full.index == MID) &&
           (full.plan.verdict == METE_PLAN_FULL) && (full.plan.wish == NULL));
    books[MID][1].wish_max = 5U;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    config.mpu.ops = &other_mpu_ops;
    EXPECT(is_refused(METE_DOMAIN_NO_MPU, 0U, 0U));
    unit.region_count = 3U;
    EXPECT(mete_domain_init(&domains, &config).plan.verdict == METE_PLAN_FULL);
}

static void test_domains_are_judged_without_hardware_too(void)
{
    make_config();
    config.mpu = (mete_mpu_t){NULL, NULL};
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    EXPECT(mete_domain_add(&domains, &low, LOW));
    run(&low);
    EXPECT(may(OF_LOW, RW) && !may(OF_MID, R));
}

static void test_add_refuses_what_is_no_domain_and_what_one_could_write(void)
{
    setup();
    mete_domain_task_t task;
    EXPECT(!mete_domain_add(&domains, &task, DOMAIN_COUNT));
    EXPECT(!mete_domain_add(&domains, (mete_domain_task_t *)unit_at(OF_LOW), LOW));
    EXPECT(mete_domain_add(&domains, &task, HIGH));
    EXPECT(task.plan == &books[HIGH][0].plan);
}

// ---- The policy

static void expect_rights(mete_domain_task_t *task, const uint8_t *rights)
{
    run(task);
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        EXPECT(rights_at(i) == rights[i]);
        EXPECT(planned_at(task, i) == rights[i]);
    }
}

static void test_each_domain_has_its_own_and_what_is_shared(void)
{
    static const uint8_t of_low[REGION_COUNT] = {R, RX, 0U, RW, 0U, 0U, 0U, 0U, RW};
    static const uint8_t of_mid[REGION_COUNT] = {R, RX, 0U, 0U, RW, 0U, RW, 0U, 0U};
    static const uint8_t of_high[REGION_COUNT] = {R, RX, 0U, 0U, 0U, RW, R, 0U, 0U};
    setup();
    expect_rights(&low, of_low);
    expect_rights(&mid, of_mid);
    expect_rights(&high, of_high);
    const uintptr_t nobodys = unit_at(REGION_COUNT);  // The kernel's, say.
    EXPECT(mete_plan_allows(high.plan, nobodys, 4U, W, METE_PRIVILEGED));
    EXPECT(!mete_plan_allows(high.plan, nobodys, 4U, R, METE_UNPRIVILEGED));
}

static void test_a_level_decides_who_reads(void)
{
    setup();
    members[HIGH].level = 1U;  // As high as MID.
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&high);
    EXPECT((rights_at(BOARD) == R) && (planned_at(&high, BOARD) == R));
    members[HIGH].level = 0U;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&high);
    EXPECT((rights_at(BOARD) == 0U) && (planned_at(&high, BOARD) == 0U));
}

static void test_what_is_shared_is_not_to_be_executed(void)
{
    setup();
    regions[BOARD].rights = RX;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&high);
    EXPECT(rights_at(BOARD) == R);
    run(&mid);
    EXPECT(rights_at(BOARD) == RX);
}

static void test_allows_wants_all_bytes_in_one_region(void)
{
    setup();
    run(&low);
    const uintptr_t start = unit_at(OF_LOW);
    EXPECT(mete_domain_allows(&domains, start, UNIT, RW));
    EXPECT(!mete_domain_allows(&domains, start, UNIT + 1U, R));
    EXPECT(!mete_domain_allows(&domains, start - 1U, 1U, R));
    EXPECT(!mete_domain_allows(&domains, start + UNIT - 1U, 2U, R));
    EXPECT(mete_domain_allows(&domains, start + UNIT - 1U, 1U, R));
    EXPECT(!mete_domain_allows(&domains, start + 1U, SIZE_MAX, R));
    EXPECT(!mete_domain_allows(&domains, UINTPTR_MAX, 2U, R));
    EXPECT(mete_domain_allows(&domains, UINTPTR_MAX, 0U, R));
    EXPECT(!mete_domain_allows(&domains, start, 8U, W | X));
}

static void test_nothing_is_allowed_while_nobody_runs(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    EXPECT(mete_domain_last(&domains) == NULL);
    EXPECT(mete_domain_owner(&domains) == METE_DOMAIN_COMMON);
    EXPECT(!mete_domain_allows(&domains, unit_at(CONSTANTS), 1U, R));
    EXPECT(mete_domain_enter(&domains, ADD, arguments) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_acquire(&domains, 1U, 1U) == NULL);
    EXPECT(mete_domain_release(&domains, (void *)unit_at(OF_LOW), BLOCK, 8U) == METE_DOMAIN_WILD);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_last(&domains)->caller == METE_DOMAIN_COMMON);
}

// ---- Who runs

static void test_switch_commits_and_tells(void)
{
    setup();
    mete_domain_switch(&domains, &mid);
    EXPECT(is_in_force(MID, 0U) && heard(METE_EVENT_SWITCH, 0U, MID));
    EXPECT(mete_domain_owner(&domains) == MID);
    mete_domain_switch(&domains, &low);
    EXPECT(is_in_force(LOW, 0U) && heard(METE_EVENT_SWITCH, 0U, LOW));
    mete_domain_switch(&domains, &low);  // Another turn of the same domain: committed, not told.
    EXPECT((commit_count == 3U) && (event_count == 0U));
    EXPECT(mete_domain_usage(&domains, LOW).switch_count == 2U);
    EXPECT(mete_domain_usage(&domains, MID).switch_count == 1U);
    EXPECT(mete_domain_usage(&domains, HIGH).switch_count == 0U);
    EXPECT(mete_domain_usage(&domains, DOMAIN_COUNT).switch_count == 0U);
    EXPECT(mete_domain_check(&domains));
}

static void test_nobody_has_to_listen(void)
{
    setup();
    config.observer.on_event = NULL;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    mete_domain_switch(&domains, &mid);
    EXPECT(mete_domain_transfer(&domains, TICKET, HIGH) == METE_DOMAIN_FORBIDDEN);
    EXPECT(event_count == 0U);
}

// ---- Gates

static uintptr_t inside(size_t region, size_t offset)
{
    return unit_at(region) + offset;
}

static void test_a_gate_gets_copies_and_gives_copies(void)
{
    setup();
    run(&low);
    mete_words_fill(&arena[OF_LOW * UNIT], SECRET, 8U);
    uintptr_t arguments[4] = {inside(OF_LOW, 0U), 5U, inside(OF_LOW, 16U), 3U};
    EXPECT(mete_domain_enter(&domains, SIGN, arguments) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(HIGH, 1U) && heard(METE_EVENT_SWITCH, 0U, HIGH));
    EXPECT((arguments[0] == unit_at(KEYS)) && (arguments[1] == 5U));
    EXPECT((arguments[2] == inside(KEYS, IN_LIMIT)) && (arguments[3] == 3U));
    EXPECT(is_filled(KEYS, 0U, SECRET, 5U) && is_filled(KEYS, 5U, STALE, 3U));
    EXPECT(is_filled(KEYS, IN_LIMIT, 0U, 3U) && is_filled(KEYS, IN_LIMIT + 3U, STALE, 5U));
    EXPECT((rights_at(KEYS) == RW) && (rights_at(OF_LOW) == 0U));  // In a gate of HIGH.
    EXPECT((planned_at(&low, KEYS) == RW) && (planned_at(&low, OF_LOW) == 0U));
    EXPECT((mete_domain_owner(&domains) == HIGH) && mete_domain_check(&domains));
    mete_words_fill((void *)arguments[0], 0x66U, 5U);  // Its own copy: nobody gets that.
    mete_words_fill((void *)arguments[2], 0x44U, 12U);
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(LOW, 0U) && heard(METE_EVENT_SWITCH, 0U, LOW));
    EXPECT(is_filled(OF_LOW, 16U, 0x44U, 3U) && is_filled(OF_LOW, 19U, STALE, 5U));
    EXPECT(is_filled(OF_LOW, 0U, SECRET, 8U));
    EXPECT(is_filled(KEYS, 0U, 0U, 48U) && is_filled(KEYS, 48U, STALE, 16U));
    EXPECT((rights_at(KEYS) == 0U) && (rights_at(OF_LOW) == RW));
    EXPECT(mete_domain_usage(&domains, LOW).call_count == 1U);
    EXPECT(mete_domain_usage(&domains, HIGH).call_count == 0U);
}

static void test_a_gate_sees_no_register_that_it_does_not_use(void)
{
    setup();
    run(&low);
    uintptr_t arguments[4] = {VALUE_LIMIT, UINTPTR_MAX, 77U, 78U};
    EXPECT(mete_domain_enter(&domains, ADD, arguments) == METE_DOMAIN_DONE);
    EXPECT((arguments[0] == VALUE_LIMIT) && (arguments[1] == UINTPTR_MAX));
    EXPECT((arguments[2] == 0U) && (arguments[3] == 0U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
}

static void test_what_goes_in_and_out_is_one_span(void)
{
    setup();
    run(&low);
    arena[OF_LOW * UNIT + 8U] = 1U;
    uintptr_t arguments[4] = {99U, inside(OF_LOW, 8U), 9U, 7U};
    EXPECT(mete_domain_enter(&domains, RELAY, arguments) == METE_DOMAIN_DONE);
    EXPECT((arguments[0] == 0U) && (arguments[1] == inside(OF_MID, 48U)) && (arguments[3] == 7U));
    unsigned char *const bytes = &arena[OF_MID * UNIT + 48U];
    EXPECT((bytes[0] == 1U) && (bytes[8] == STALE));
    bytes[0] = 2U;
    bytes[8] = 3U;
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT((arena[OF_LOW * UNIT + 8U] == 2U) && (arena[OF_LOW * UNIT + 16U] == 3U));
}

static bool is_wild(size_t gate, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
    uintptr_t arguments[4] = {a, b, c, d};
    const bool is_it = mete_domain_enter(&domains, gate, arguments) == METE_DOMAIN_WILD;
    const bool is_kept = (arguments[0] == a) && (arguments[1] == b) && (arguments[2] == c) &&
                         (arguments[3] == d) && is_in_force(LOW, 0U) && (calls[gate].task == NULL);
    return is_it && is_kept;
}

static void test_wild_arguments_are_refused(void)
{
    setup();
    run(&low);
    const uintptr_t own = unit_at(OF_LOW);
    EXPECT(is_wild(ADD, VALUE_LIMIT + 1U, 0U, 0U, 0U));
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_WILD, LOW, METE_DOMAIN_COMMON, VALUE_LIMIT + 1U));
    EXPECT(is_wild(SIGN, unit_at(OF_HIGH), 1U, own, 1U));
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_WILD, LOW, HIGH, unit_at(OF_HIGH)));
    EXPECT(is_wild(SIGN, own, 1U, unit_at(BOARD), 1U));
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_WILD, LOW, MID, unit_at(BOARD)));
    EXPECT(is_wild(SIGN, own, IN_LIMIT + 1U, own, 1U));
    EXPECT(is_wild(SIGN, own, 1U, own, OUT_LIMIT + 1U));
    EXPECT(is_wild(SIGN, own, 1U, unit_at(CONSTANTS), 1U));  // To be read only.
    EXPECT(is_wild(SIGN, own + UNIT - 1U, 2U, own, 1U));     // Over its end.
    EXPECT(is_wild(SIGN, own - 1U, 2U, own, 1U));            // Before its start.
    EXPECT(is_wild(SIGN, own, SIZE_MAX, own, 1U));
    EXPECT(is_wild(SIGN, UINTPTR_MAX, 2U, own, 1U));
    EXPECT(is_wild(SIGN, 0U, 1U, own, 1U));
    EXPECT(is_wild(RELAY, 0U, unit_at(CONSTANTS), 1U, 0U));  // Must be read and written.
    EXPECT(is_wild(RELAY, 0U, own, 1U, 8U));
    EXPECT(mete_domain_usage(&domains, LOW).refusal_count == 13U);
    EXPECT(mete_domain_usage(&domains, LOW).call_count == 0U);
}

static void test_constants_may_go_in_and_nothing_may_be_anywhere(void)
{
    setup();
    run(&low);
    uintptr_t arguments[4] = {unit_at(CONSTANTS), IN_LIMIT, 0U, 0U};
    EXPECT(mete_domain_enter(&domains, SIGN, arguments) == METE_DOMAIN_DONE);
    EXPECT(is_filled(KEYS, 0U, STALE, IN_LIMIT));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    uintptr_t nothing[4] = {unit_at(KEYS), 0U, UINTPTR_MAX, 0U};
    EXPECT(mete_domain_enter(&domains, SIGN, nothing) == METE_DOMAIN_DONE);
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
}

static void test_a_gate_is_called_by_whom_it_names(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, ROTATE, arguments) == METE_DOMAIN_FORBIDDEN);
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_FORBIDDEN, LOW, HIGH, ROTATE));
    EXPECT(mete_domain_enter(&domains, GATE_COUNT, arguments) == METE_DOMAIN_ABSENT);
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_ABSENT, LOW, METE_DOMAIN_COMMON, GATE_COUNT));
    EXPECT(mete_domain_enter(&domains, SIZE_MAX, arguments) == METE_DOMAIN_ABSENT);
    run(&mid);
    EXPECT(mete_domain_enter(&domains, ADD, arguments) == METE_DOMAIN_FORBIDDEN);
    EXPECT(is_in_force(MID, 0U));
}

static void test_a_gate_of_ones_own_opens_what_is_gate_only(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    run(&high);
    EXPECT(rights_at(KEYS) == 0U);
    EXPECT(mete_domain_enter(&domains, ROTATE, arguments) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(HIGH, 1U) && (rights_at(KEYS) == RW) && (event_count == 0U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(HIGH, 0U) && (rights_at(KEYS) == 0U));
}

static void test_calls_nest_and_tasks_are_apart(void)
{
    uintptr_t arguments[4] = {0U, unit_at(OF_LOW), 1U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, RELAY, arguments) == METE_DOMAIN_DONE);
    event_count = 0U;
    uintptr_t others[4] = {0U, 0U, 0U, 0U};  // LOW may call this one; but it is MID now.
    EXPECT(mete_domain_enter(&domains, ADD, others) == METE_DOMAIN_FORBIDDEN);
    EXPECT(refused(METE_DOMAIN_CALL, METE_DOMAIN_FORBIDDEN, MID, MID, ADD));
    uintptr_t deeper[4] = {unit_at(OF_MID), 1U, unit_at(BOARD), 1U};
    EXPECT(mete_domain_enter(&domains, SIGN, deeper) == METE_DOMAIN_DONE);
    EXPECT(mete_domain_check(&domains) && is_in_force(HIGH, 1U));
    run(&high);  // Another task, in the same domain but in no gate.
    EXPECT(is_in_force(HIGH, 0U) && (rights_at(KEYS) == 0U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_ABSENT);
    EXPECT(refused(METE_DOMAIN_LEAVE, METE_DOMAIN_ABSENT, HIGH, METE_DOMAIN_COMMON, NO_GATE));
    run(&low);
    EXPECT(is_in_force(HIGH, 1U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(MID, 1U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(LOW, 0U));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_check(&domains));
}

static void test_a_gate_serves_one_call_at_a_time(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, SIGN, arguments) == METE_DOMAIN_DONE);
    run(&mid);
    uintptr_t others[4] = {unit_at(OF_MID), 1U, 0U, 0U};
    EXPECT(mete_domain_enter(&domains, SIGN, others) == METE_DOMAIN_BUSY);
    EXPECT(heard(METE_EVENT_REFUSE, 0U, SIGN) && (others[0] == unit_at(OF_MID)));
    EXPECT((mete_domain_last(&domains) == NULL) && is_in_force(MID, 0U));
    run(&low);
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    run(&mid);
    EXPECT(mete_domain_enter(&domains, SIGN, others) == METE_DOMAIN_DONE);
}

static void test_results_are_not_written_to_what_was_given_away(void)
{
    static mete_domain_task_t other;
    setup();
    EXPECT(mete_domain_add(&domains, &other, LOW));
    run(&low);
    uintptr_t arguments[4] = {0U, 0U, inside(TICKET, 8U), 4U};
    EXPECT(mete_domain_enter(&domains, SIGN, arguments) == METE_DOMAIN_DONE);
    mete_words_fill((void *)arguments[2], SECRET, 4U);
    run(&other);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_DONE);
    run(&low);
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_DONE);
    EXPECT(is_filled(TICKET, 0U, 0U, UNIT) && is_filled(KEYS, 0U, 0U, 48U));
}

static void test_reset_takes_a_task_out_of_all_gates(void)
{
    uintptr_t arguments[4] = {0U, unit_at(OF_LOW), 1U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, RELAY, arguments) == METE_DOMAIN_DONE);
    uintptr_t deeper[4] = {unit_at(OF_MID), 1U, unit_at(OF_MID), 1U};
    EXPECT(mete_domain_enter(&domains, SIGN, deeper) == METE_DOMAIN_DONE);
    run(&mid);
    mete_domain_reset(&domains, &low);
    EXPECT(is_in_force(MID, 0U) && (calls[RELAY].task == NULL) && (calls[SIGN].task == NULL));
    EXPECT(is_filled(KEYS, 0U, 0U, 48U) && is_filled(OF_MID, 48U, 0U, 16U));
    EXPECT(is_filled(OF_MID, 0U, STALE, 48U) && is_filled(OF_LOW, 0U, STALE, UNIT));
    run(&low);
    EXPECT(is_in_force(LOW, 0U) && mete_domain_check(&domains));
    mete_domain_reset(&domains, &low);  // At home already.
    EXPECT(is_in_force(LOW, 0U) && (mete_domain_leave(&domains) == METE_DOMAIN_ABSENT));
}

static void test_reset_of_the_running_task_is_in_force_at_once(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, SIGN, arguments) == METE_DOMAIN_DONE);
    mete_domain_reset(&domains, &low);
    EXPECT(is_in_force(LOW, 0U) && mete_domain_check(&domains));
}

// ---- Memory

static void test_each_domain_acquires_its_own(void)
{
    setup();
    run(&mid);
    void *const block = mete_domain_acquire(&domains, 10U, 4U);
    EXPECT((uintptr_t)block == unit_at(OF_MID));
    EXPECT(heard(METE_EVENT_ACQUIRE, (uintptr_t)block, 10U));
    EXPECT(mete_domain_owner_of(&domains, (uintptr_t)block) == MID);
    EXPECT(mete_domain_resize(&domains, block, 10U, BLOCK, 4U) == METE_DOMAIN_DONE);
    EXPECT(heard(METE_EVENT_RESIZE, (uintptr_t)block, BLOCK));
    EXPECT(mete_domain_resize(&domains, block, BLOCK, BLOCK + 1U, 4U) == METE_DOMAIN_FULL);
    EXPECT(heard(METE_EVENT_REFUSE, 0U, BLOCK + 1U));
    EXPECT(mete_domain_release(&domains, block, BLOCK, 4U) == METE_DOMAIN_DONE);
    EXPECT(heard(METE_EVENT_RELEASE, (uintptr_t)block, BLOCK));
    EXPECT(mete_pool_usage(&pools[MID]).in_use == 0U);
}

static void test_running_out_is_ordinary(void)
{
    setup();
    run(&low);
    for (size_t i = 0U; i < POOL_COUNT; i++) {
        EXPECT(mete_domain_acquire(&domains, 1U, 1U) != NULL);
    }
    event_count = 0U;
    EXPECT(mete_domain_acquire(&domains, 5U, 1U) == NULL);
    EXPECT(heard(METE_EVENT_REFUSE, 0U, 5U) && (mete_domain_last(&domains) == NULL));
    run(&mid);
    EXPECT(mete_domain_acquire(&domains, 5U, 1U) != NULL);  // It is LOW alone that has none.
}

static void test_a_domain_touches_no_block_of_another(void)
{
    setup();
    run(&mid);
    void *const block = mete_domain_acquire(&domains, BLOCK, 4U);
    run(&low);
    EXPECT(mete_domain_release(&domains, block, BLOCK, 4U) == METE_DOMAIN_FORBIDDEN);
    EXPECT(refused(METE_DOMAIN_RELEASE, METE_DOMAIN_FORBIDDEN, LOW, MID, (uintptr_t)block));
    EXPECT(mete_domain_resize(&domains, block, BLOCK, 8U, 4U) == METE_DOMAIN_FORBIDDEN);
    EXPECT(refused(METE_DOMAIN_RESIZE, METE_DOMAIN_FORBIDDEN, LOW, MID, (uintptr_t)block));
    EXPECT(mete_domain_release(&domains, NULL, BLOCK, 4U) == METE_DOMAIN_FORBIDDEN);
    EXPECT(mete_domain_release(&domains, (void *)inside(OF_LOW, 56U), BLOCK, 4U) ==
           METE_DOMAIN_FORBIDDEN);
    EXPECT((mete_pool_usage(&pools[MID]).in_use == 1U) && (tap_take_fault() == 0));
    EXPECT(mete_domain_usage(&domains, LOW).refusal_count == 4U);
    run(&high);  // It reads the board.
    EXPECT(mete_domain_release(&domains, (void *)unit_at(BOARD), BLOCK, 4U) ==
           METE_DOMAIN_FORBIDDEN);
    EXPECT(tap_take_fault() == 0);
}

static void test_sizes_and_alignments_are_judged_before_the_allocator_sees_them(void)
{
    setup();
    run(&low);
    void *const block = mete_domain_acquire(&domains, BLOCK, 4U);
    EXPECT(mete_domain_acquire(&domains, 0U, 4U) == NULL);
    EXPECT(mete_domain_acquire(&domains, 4U, 3U) == NULL);
    EXPECT(mete_domain_last(&domains)->answer == METE_DOMAIN_WILD);
    EXPECT(mete_domain_release(&domains, block, 0U, 4U) == METE_DOMAIN_WILD);
    EXPECT(mete_domain_release(&domains, block, BLOCK, 0U) == METE_DOMAIN_WILD);
    EXPECT(mete_domain_resize(&domains, block, BLOCK, 0U, 4U) == METE_DOMAIN_WILD);
    EXPECT(mete_domain_resize(&domains, block, BLOCK, 4U, 6U) == METE_DOMAIN_WILD);
    EXPECT(mete_domain_last(&domains)->owner == LOW);
    EXPECT((mete_pool_usage(&pools[LOW]).in_use == 1U) && (tap_take_fault() == 0));
}

static void test_a_double_free_is_the_allocators_to_notice(void)
{
    setup();
    run(&low);
    void *const block = mete_domain_acquire(&domains, BLOCK, 4U);
    EXPECT(mete_domain_release(&domains, block, BLOCK, 4U) == METE_DOMAIN_DONE);
    event_count = 0U;
    if (METE_CHECK_LEVEL >= 1) {
        EXPECT(mete_domain_release(&domains, block, BLOCK, 4U) == METE_DOMAIN_FORBIDDEN);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
        EXPECT(refused(METE_DOMAIN_RELEASE, METE_DOMAIN_FORBIDDEN, LOW, LOW, (uintptr_t)block));
    }
    EXPECT(mete_pool_check(&pools[LOW]));
}

static void test_a_domain_without_an_allocator_gets_nothing(void)
{
    setup();
    members[LOW].alloc = (mete_alloc_t){NULL, NULL};
    run(&low);
    EXPECT(mete_domain_acquire(&domains, 1U, 1U) == NULL);
    EXPECT(mete_domain_last(&domains)->answer == METE_DOMAIN_WILD);
    EXPECT(mete_domain_release(&domains, (void *)unit_at(OF_LOW), 1U, 1U) == METE_DOMAIN_WILD);
}

// An allocator whose answers the test decides.
static void *wrong_block;
static size_t wrong_released;

static void *acquire_wrong(void *self, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    return wrong_block;
}

static void release_wrong(void *self, void *block, size_t size, size_t align)
{
    (void)self;
    (void)size;
    (void)align;
    EXPECT(block == wrong_block);
    wrong_released++;
}

static size_t wrong_size;

static bool resize_wrong(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)self;
    (void)block;
    (void)old_size;
    (void)align;
    wrong_size = new_size;
    return true;
}

static void test_an_allocator_that_hands_out_what_is_not_its_domains_is_reported(void)
{
    static const mete_alloc_ops_t ops = {acquire_wrong, release_wrong, resize_wrong, NULL, NULL};
    if (METE_CHECK_LEVEL < 1) {
        return;
    }
    setup();
    members[LOW].alloc = (mete_alloc_t){&ops, &wrong_block};
    run(&low);
    wrong_released = 0U;
    wrong_block = (void *)inside(OF_LOW, 60U);
    EXPECT(mete_domain_acquire(&domains, 5U, 1U) == NULL);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (wrong_released == 1U));
    EXPECT((tap_fault_object == &wrong_block) && (tap_fault_address == wrong_block));
    EXPECT(event_count == 0U);
    EXPECT(mete_domain_acquire(&domains, 4U, 1U) == wrong_block);
    EXPECT(mete_domain_resize(&domains, wrong_block, 4U, 5U, 1U) == METE_DOMAIN_FULL);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (wrong_size == 4U));
}

static void test_an_allocator_need_not_resize(void)
{
    static const mete_alloc_ops_t ops = {acquire_wrong, release_wrong, NULL, NULL, NULL};
    setup();
    members[LOW].alloc = (mete_alloc_t){&ops, &wrong_block};
    run(&low);
    wrong_released = 0U;
    wrong_block = (void *)unit_at(OF_LOW);
    EXPECT(mete_domain_resize(&domains, wrong_block, 4U, 5U, 1U) == METE_DOMAIN_FULL);
    EXPECT(mete_domain_release(&domains, wrong_block, 4U, 1U) == METE_DOMAIN_DONE);
    EXPECT(wrong_released == 1U);
}

// ---- Regions that change hands

static void test_a_region_that_is_given_away_is_empty(void)
{
    setup();
    run(&low);
    mete_words_fill(&arena[TICKET * UNIT], SECRET, UNIT);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_DONE);
    EXPECT(heard(METE_EVENT_RELEASE, unit_at(TICKET), UNIT));
    EXPECT(is_filled(TICKET, 0U, 0U, UNIT) && is_filled(TICKET - 1U, 0U, STALE, UNIT) &&
           is_filled(TICKET + 1U, 0U, STALE, UNIT));
    EXPECT(is_in_force(LOW, 0U) && (seen_at_commit == 0U));  // Wiped before others may have it.
    EXPECT((rights_at(TICKET) == 0U) && (planned_at(&low, TICKET) == 0U));
    EXPECT(mete_domain_owner_of(&domains, unit_at(TICKET)) == MID);
    run(&mid);
    EXPECT((rights_at(TICKET) == RW) && (planned_at(&mid, TICKET) == RW));
    EXPECT(mete_domain_check(&domains));
    EXPECT(mete_domain_transfer(&domains, TICKET, LOW) == METE_DOMAIN_DONE);
    EXPECT(mete_domain_check(&domains) && (owners[TICKET] == LOW));
}

static void test_a_region_that_is_shared_has_other_readers_then(void)
{
    setup();
    regions[TICKET].isolation = METE_DOMAIN_READ_SHARED;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&mid);
    EXPECT((rights_at(TICKET) == R) && (planned_at(&mid, TICKET) == R));
    run(&low);
    EXPECT(mete_domain_transfer(&domains, TICKET, HIGH) == METE_DOMAIN_DONE);
    run(&mid);  // It is above it no longer.
    EXPECT((rights_at(TICKET) == 0U) && (planned_at(&mid, TICKET) == 0U));
    EXPECT(mete_domain_check(&domains));
}

static void test_a_region_is_given_by_its_owner_to_whom_it_may_be(void)
{
    setup();
    regions[TICKET].receivers = bit(LOW) | bit(HIGH);
    run(&mid);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_FORBIDDEN);
    EXPECT(refused(METE_DOMAIN_TRANSFER, METE_DOMAIN_FORBIDDEN, MID, LOW, TICKET));
    EXPECT(mete_domain_transfer(&domains, TICKET, HIGH) == METE_DOMAIN_FORBIDDEN);
    run(&low);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_FORBIDDEN);
    EXPECT(mete_domain_transfer(&domains, TICKET, LOW) == METE_DOMAIN_FORBIDDEN);
    EXPECT(mete_domain_transfer(&domains, OF_LOW, MID) == METE_DOMAIN_FORBIDDEN);
    EXPECT(mete_domain_transfer(&domains, CONSTANTS, MID) == METE_DOMAIN_FORBIDDEN);
    event_count = 0U;
    EXPECT(mete_domain_transfer(&domains, REGION_COUNT, MID) == METE_DOMAIN_ABSENT);
    EXPECT(
        refused(METE_DOMAIN_TRANSFER, METE_DOMAIN_ABSENT, LOW, METE_DOMAIN_COMMON, REGION_COUNT));
    EXPECT(mete_domain_transfer(&domains, TICKET, DOMAIN_COUNT) == METE_DOMAIN_ABSENT);
    EXPECT((owners[TICKET] == LOW) && is_filled(TICKET, 0U, STALE, UNIT));
    EXPECT(mete_domain_transfer(&domains, TICKET, HIGH) == METE_DOMAIN_DONE);
}

static void test_a_gate_only_region_is_given_away_in_a_gate(void)
{
    uintptr_t arguments[4] = {0U, 0U, 0U, 0U};
    setup();
    regions[TICKET].owner = HIGH;
    regions[TICKET].isolation = METE_DOMAIN_GATE_ONLY;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&high);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_FORBIDDEN);
    EXPECT(mete_domain_enter(&domains, ROTATE, arguments) == METE_DOMAIN_DONE);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_DONE);
    EXPECT(is_in_force(HIGH, 1U) && (planned_at(&high, TICKET) == 0U));
}

static void test_nothing_changes_if_the_receivers_plan_is_full(void)
{
    setup();
    books[MID][1].wish_max = 5U;  // It has five; and this is the second of its plans.
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    run(&low);
    EXPECT(mete_domain_transfer(&domains, TICKET, MID) == METE_DOMAIN_FULL);
    EXPECT(heard(METE_EVENT_REFUSE, 0U, UNIT));
    EXPECT((owners[TICKET] == LOW) && is_filled(TICKET, 0U, STALE, UNIT));
    EXPECT((rights_at(TICKET) == RW) && (planned_at(&low, TICKET) == RW));
    EXPECT((planned_at(&mid, TICKET) == 0U) && mete_domain_check(&domains));
    EXPECT(mete_domain_transfer(&domains, TICKET, HIGH) == METE_DOMAIN_DONE);
}

// ---- check()

static void expect_damage(void *field, size_t size)
{
    unsigned char *const bytes = field;
    for (size_t i = 0U; i < size; i++) {
        bytes[i] ^= 0x41U;
        EXPECT(!mete_domain_check(&domains));
        bytes[i] ^= 0x41U;
        EXPECT(mete_domain_check(&domains));
    }
}

static void test_check_notices_damage(void)
{
    uintptr_t arguments[4] = {0U, unit_at(OF_LOW), 1U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, RELAY, arguments) == METE_DOMAIN_DONE);
    expect_damage(owners, REGION_COUNT);
    expect_damage(&low.domain, 1U);
    expect_damage(&low.home, 1U);
    expect_damage(&low.gate, 1U);
    expect_damage(&low.plan, 1U);
    expect_damage(&low.usage, 1U);
    expect_damage(&calls[RELAY].task, 1U);
    expect_damage(&calls[RELAY].domain, 1U);
    expect_damage(&calls[RELAY].gate, 1U);
    expect_damage(&books[MID][1].wishes[4].start, 1U);
    expect_damage(&books[LOW][0].wishes[2].rights.unprivileged, 1U);
    expect_damage(&books[HIGH][0].images[1].words[0], 1U);
    expect_damage(&books[HIGH][1].config.wish_count, 1U);
    owners[KEYS] = METE_DOMAIN_COMMON;  // Everybody's: a region that was never to be given away.
    EXPECT(!mete_domain_check(&domains));
    owners[KEYS] = MID;
    EXPECT(!mete_domain_check(&domains));
    owners[KEYS] = HIGH;
    domains.config = NULL;
    EXPECT(!mete_domain_check(&domains));
}

static void test_check_does_not_follow_a_ring_of_calls(void)
{
    uintptr_t arguments[4] = {0U, unit_at(OF_LOW), 1U, 0U};
    setup();
    run(&low);
    EXPECT(mete_domain_enter(&domains, RELAY, arguments) == METE_DOMAIN_DONE);
    calls[RELAY].gate = RELAY;
    calls[RELAY].domain = MID;
    EXPECT(!mete_domain_check(&domains));
    mete_domain_reset(&domains, &low);
    EXPECT((low.gate == NO_GATE) && (calls[RELAY].task == NULL));
    (void)tap_take_fault();
}

int main(void)
{
    RUN(test_init_wants_all_tables);
    RUN(test_init_does_without_gates);
    RUN(test_init_refuses_a_region_that_breaks_a_limit);
    RUN(test_init_refuses_regions_that_share_a_byte);
    RUN(test_init_refuses_a_domain_that_lacks_something);
    RUN(test_gate_books_are_for_who_may_have_gate_only_regions);
    RUN(test_several_domains_may_have_no_allocator);
    RUN(test_init_refuses_a_gate_that_breaks_a_limit);
    RUN(test_a_gate_has_room_for_all_its_spans);
    RUN(test_a_buffer_lies_where_its_domain_alone_is);
    RUN(test_init_refuses_books_that_a_domain_could_write);
    RUN(test_init_tells_what_does_not_fit);
    RUN(test_domains_are_judged_without_hardware_too);
    RUN(test_add_refuses_what_is_no_domain_and_what_one_could_write);
    RUN(test_each_domain_has_its_own_and_what_is_shared);
    RUN(test_a_level_decides_who_reads);
    RUN(test_what_is_shared_is_not_to_be_executed);
    RUN(test_allows_wants_all_bytes_in_one_region);
    RUN(test_nothing_is_allowed_while_nobody_runs);
    RUN(test_switch_commits_and_tells);
    RUN(test_nobody_has_to_listen);
    RUN(test_a_gate_gets_copies_and_gives_copies);
    RUN(test_a_gate_sees_no_register_that_it_does_not_use);
    RUN(test_what_goes_in_and_out_is_one_span);
    RUN(test_wild_arguments_are_refused);
    RUN(test_constants_may_go_in_and_nothing_may_be_anywhere);
    RUN(test_a_gate_is_called_by_whom_it_names);
    RUN(test_a_gate_of_ones_own_opens_what_is_gate_only);
    RUN(test_calls_nest_and_tasks_are_apart);
    RUN(test_a_gate_serves_one_call_at_a_time);
    RUN(test_results_are_not_written_to_what_was_given_away);
    RUN(test_reset_takes_a_task_out_of_all_gates);
    RUN(test_reset_of_the_running_task_is_in_force_at_once);
    RUN(test_each_domain_acquires_its_own);
    RUN(test_running_out_is_ordinary);
    RUN(test_a_domain_touches_no_block_of_another);
    RUN(test_sizes_and_alignments_are_judged_before_the_allocator_sees_them);
    RUN(test_a_double_free_is_the_allocators_to_notice);
    RUN(test_a_domain_without_an_allocator_gets_nothing);
    RUN(test_an_allocator_that_hands_out_what_is_not_its_domains_is_reported);
    RUN(test_an_allocator_need_not_resize);
    RUN(test_a_region_that_is_given_away_is_empty);
    RUN(test_a_region_that_is_shared_has_other_readers_then);
    RUN(test_a_region_is_given_by_its_owner_to_whom_it_may_be);
    RUN(test_a_gate_only_region_is_given_away_in_a_gate);
    RUN(test_nothing_changes_if_the_receivers_plan_is_full);
    RUN(test_check_notices_damage);
    RUN(test_check_does_not_follow_a_ring_of_calls);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What stands beside: first with parts that take down how they were made, then each that there is.

#include "mete/system/system.c"

#include "mete/object/vault.h"
#include "mete/protect/domain.h"
#include "mete/protect/partition.h"
#include "mete/protect/plan_armv7m.h"
#include "mete/wrap/stats.h"
#include "tests/support/tap.h"
#include "tests/unit/object/recording_fake.h"

enum { STORAGE_SIZE = 8192, HEAP_SIZE = 2048, KEPT_SIZE = 512, BESIDE_MAX = 4, GRANULE = 32 };

static uint64_t storage[STORAGE_SIZE / 8];
static mete_system_beside_t beside[BESIDE_MAX];
static mete_system_config_t config;
static mete_system_t *made;

static void setup(size_t beside_count)
{
    config = (mete_system_config_t){.storage = {storage, sizeof storage},
                                    .heap_size = HEAP_SIZE,
                                    .kept_size = KEPT_SIZE,
                                    .beside = beside,
                                    .beside_count = beside_count};
}

static void build(void)
{
    mete_system_problem_t problem = METE_SYSTEM_PART_WRONG;
    made = mete_system_init(&config, &problem);
    EXPECT((made != NULL) && (problem == METE_SYSTEM_NO_PROBLEM) && mete_system_check(made));
}

static void expect_problem(mete_system_problem_t expected)
{
    mete_system_problem_t problem = METE_SYSTEM_NO_PROBLEM;
    EXPECT((mete_system_init(&config, &problem) == NULL) && (problem == expected));
    EXPECT(tap_take_fault() == 0);
}

static mete_alloc_t any(void)
{
    return mete_system_as_alloc(made, METE_SYSTEM_VARIABLE);
}

static size_t heap_in_use(void)
{
    return mete_heap_usage(mete_system_heap(made)).in_use_size;
}

// ---- Parts that take down how they were made

typedef struct note {
    mete_system_place_t place;
    void *state;
    unsigned turn;
    bool is_refused;
    bool has_memory;      // VARIABLE served it then.
    bool has_front;       // What stands in front of VARIABLE was there,
    bool has_protection;  // and protection.
    void *first;          // What stood beside first.
} note_t;

static unsigned turns;

static bool take_down(void *state, const mete_system_place_t *place, mete_alloc_t *view)
{
    note_t *const note = (note_t *)(uintptr_t)place->own;
    mete_system_t *const system = place->system;
    const mete_alloc_t memory = mete_system_as_alloc(system, METE_SYSTEM_VARIABLE);
    void *const block = mete_acquire(memory, 40U, 8U);
    EXPECT(view == NULL);
    note->place = *place;
    note->state = state;
    note->turn = ++turns;
    note->has_memory = block != NULL;
    note->has_front =
        mete_system_state_of(system, METE_SYSTEM_VARIABLE, &mete_system_with_stats) != NULL;
    note->has_protection = mete_system_protection(system) == state;
    note->first = mete_system_beside(system, 0U);
    mete_release(memory, block, 40U, 8U);
    mete_words_fill(state, 0xEEU, 13U);
    return !note->is_refused;
}

static const mete_system_part_t odd = {13U, 0U, 0U, false, take_down, NULL};
static const mete_system_part_t even = {24U, 0U, 0U, false, take_down, NULL};
static note_t notes[3];

static void setup_notes(void)
{
    setup(2U);
    turns = 0U;
    mete_words_fill(notes, 0U, sizeof notes);
    beside[0] = (mete_system_beside_t){&odd, &notes[0]};
    beside[1] = (mete_system_beside_t){&even, &notes[1]};
    config.stats = &mete_system_with_stats;
    config.protection = &odd;
    config.protection_config = (const struct mete_protection_config *)(const void *)&notes[2];
}

static void test_they_are_made_in_order_when_all_else_is_there_but_protection(void)
{
    setup_notes();
    build();
    for (unsigned i = 0U; i < 3U; i++) {
        const mete_system_place_t *const place = &notes[i].place;
        EXPECT((notes[i].turn == i + 1U) && notes[i].has_memory && notes[i].has_front);
        EXPECT(notes[i].has_protection == (i == 2U));
        EXPECT((place->inner.ops == NULL) && (place->inner.self == NULL));
        EXPECT((place->told_site == NULL) && (place->known_site == NULL));
        EXPECT((place->config == &config) && (place->system == made) && (place->own == &notes[i]));
        EXPECT(notes[i].first == notes[0].state);
    }
    EXPECT(heap_in_use() == 0U);
}

static void test_each_is_found_by_its_index(void)
{
    setup_notes();
    build();
    EXPECT((mete_system_beside(made, 0U) == notes[0].state) && (notes[0].state != NULL));
    EXPECT(mete_system_beside(made, 1U) == notes[1].state);
    EXPECT((mete_system_beside(made, 2U) == NULL) && (mete_system_beside(made, SIZE_MAX) == NULL));
    EXPECT((uintptr_t)notes[1].state == (uintptr_t)notes[0].state + 16U);
    EXPECT(mete_system_protection(made) == notes[2].state);
    setup(0U);
    config.beside = NULL;
    build();
    EXPECT(mete_system_beside(made, 0U) == NULL);
}

static void test_their_states_are_counted(void)
{
    setup_notes();
    config.heap_size = 0U;
    build();
    EXPECT((uintptr_t)notes[2].state + 16U == (uintptr_t)storage + sizeof storage);
    EXPECT(heap_in_use() == 0U);
    setup_notes();
    config.stats = NULL;
    config.storage.size =
        mete_align_up(mete_system_size, 8U) + HEAP_SIZE + KEPT_SIZE + 16U + 24U + 16U;
    build();
    config.storage.size -= 8U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    config.protection = NULL;
    build();
    config.storage.size -= 16U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    config.beside_count = 1U;
    build();
    config.storage.size -= 24U;
    expect_problem(METE_SYSTEM_STORAGE_SMALL);
    config.beside_count = 0U;
    build();
}

static void test_one_that_refuses_is_the_last_to_be_made(void)
{
    setup_notes();
    notes[0].is_refused = true;
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT(turns == 1U);
    setup_notes();
    notes[1].is_refused = true;
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT((turns == 2U) && (notes[2].turn == 0U));
    setup_notes();
    notes[2].is_refused = true;
    expect_problem(METE_SYSTEM_PART_WRONG);
}

static void test_what_cannot_stand_beside_is_refused_first(void)
{
    setup_notes();
    beside[1].part = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    beside[1].part = &mete_system_with_stats;  // It stands in front.
    expect_problem(METE_SYSTEM_PART_WRONG);
    config.beside = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT(turns == 0U);
}

// ---- Who listens

static mete_event_t heard, own_heard;

static void hear(void *self, const mete_event_t *event)
{
    *(mete_event_t *)self = *event;
}

static void listen(void)
{
    config.observer = (mete_observer_t){hear, &heard};
    heard.kind = METE_EVENT_MARK;
    own_heard.kind = METE_EVENT_MARK;
}

// ---- A partition of VARIABLE

enum { RADIO, SHELL, OWNER_COUNT, HOME_SIZE = 512, COMMON_MAX = 512 };

static _Alignas(8) unsigned char homes_memory[HOME_SIZE];
static mete_heap_config_t home_config;
static mete_alloc_t homes[OWNER_COUNT];
static mete_partition_terms_t terms[OWNER_COUNT];
static mete_partition_owner_t owners[OWNER_COUNT];
static mete_partition_config_t partition_config;
static mete_system_partition_t partition_own;
static uint32_t running;

static uint32_t who_asks(void *self)
{
    return *(const uint32_t *)self;
}

// The radio has a home, the shell has none.
static void setup_partition(void)
{
    static const uint8_t rights[OWNER_COUNT][OWNER_COUNT] = {{METE_PARTITION_ALL, 0U},
                                                             {0U, METE_PARTITION_ALL}};
    setup(1U);
    running = RADIO;
    home_config = (mete_heap_config_t){.storage = {homes_memory, HOME_SIZE}};
    homes[RADIO] = mete_heap_as_alloc(mete_heap_init(&home_config));
    homes[SHELL] = (mete_alloc_t){NULL, NULL};
    terms[RADIO] = (mete_partition_terms_t){{homes_memory, HOME_SIZE}, COMMON_MAX, 2U};
    terms[SHELL] = (mete_partition_terms_t){{NULL, 0U}, COMMON_MAX, 1U};
    partition_config = (mete_partition_config_t){.terms = terms,
                                                 .owners = owners,
                                                 .rights = rights[0],
                                                 .owner_count = OWNER_COUNT,
                                                 .common_granule = GRANULE,
                                                 .owner = who_asks,
                                                 .owner_self = &running};
    partition_own = (mete_system_partition_t){&partition_config, homes};
    beside[0] = (mete_system_beside_t){&mete_system_with_partition, &partition_own};
}

static mete_partition_t *partition(void)
{
    return mete_system_beside(made, 0U);
}

static void *take_as(uint32_t owner, size_t size)
{
    running = owner;
    void *volatile block = mete_acquire(mete_partition_as_alloc(partition(), owner), size, 8U);
    return block;
}

static void give_as(uint32_t owner, uint32_t asker, void *block, size_t size)
{
    running = asker;
    mete_release(mete_partition_as_alloc(partition(), owner), block, size, 8U);
}

static void test_owners_have_their_homes_and_what_is_common_of_the_system(void)
{
    setup_partition();
    config.stats = &mete_system_with_stats;
    build();
    EXPECT(mete_partition_check(partition()));
    const void *const at_home = take_as(RADIO, 100U);
    EXPECT(mete_span_has(terms[RADIO].span, at_home) && (heap_in_use() == 0U));
    const void *const away = take_as(RADIO, 400U);
    void *const shells = take_as(SHELL, 100U);
    EXPECT(mete_heap_owns(mete_system_heap(made), away));
    EXPECT(mete_heap_owns(mete_system_heap(made), shells) && (heap_in_use() >= 500U));
    EXPECT(mete_partition_owner_of(partition(), away) == RADIO);
    EXPECT(mete_partition_owner_of(partition(), shells) == SHELL);
    EXPECT(mete_partition_usage(partition(), SHELL)->in_use_size == 128U);
    const mete_stats_t *const stats =
        mete_system_state_of(made, METE_SYSTEM_VARIABLE, &mete_system_with_stats);
    EXPECT(mete_stats_usage(stats).in_use_size == 500U);  // What stands in front sees them.
    EXPECT(mete_partition_check(partition()) && mete_system_check(made));
    give_as(SHELL, SHELL, shells, 100U);
    EXPECT(mete_stats_usage(stats).in_use_size == 400U);
}

static void test_quota_bounds_what_an_owner_takes_of_the_system(void)
{
    setup_partition();
    build();
    size_t count = 0U;
    while (take_as(SHELL, GRANULE) != NULL) {
        count++;
    }
    EXPECT(count == COMMON_MAX / GRANULE);
    EXPECT(mete_acquire(any(), 512U, 8U) != NULL);  // The rest is everybody's.
}

static void test_nobody_but_its_owner_gives_a_block_back(void)
{
    setup_partition();
    build();
    void *const block = take_as(SHELL, 100U);
    give_as(SHELL, RADIO, block, 100U);
    EXPECT(tap_take_fault() == METE_FAULT_ACCESS);
    give_as(RADIO, RADIO, block, 100U);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    void *const programs = mete_acquire(any(), 100U, GRANULE);
    EXPECT(mete_partition_owner_of(partition(), programs) == METE_PARTITION_NOBODY);
    give_as(SHELL, SHELL, programs, 100U);
    EXPECT(tap_take_fault() == METE_FAULT_FOREIGN);
    give_as(SHELL, SHELL, block, 100U);
    EXPECT((tap_take_fault() == 0) && mete_partition_check(partition()));
    mete_release(any(), programs, 100U, GRANULE);
    EXPECT((tap_take_fault() == 0) && (heap_in_use() == 0U));
}

// Wherever the heap ends, also in the middle of a granule: owners get what anybody would get.
static void test_all_of_the_heap_is_common(void)
{
    for (size_t more = 0U; more < 2U * GRANULE; more += 8U) {
        setup_partition();
        config.heap_size = 1024U + more;
        terms[SHELL].common_max = SIZE_MAX / 2U;
        build();
        while (take_as(SHELL, 8U) != NULL) {
        }
        EXPECT(mete_acquire(any(), 8U, GRANULE) == NULL);
        EXPECT(mete_partition_check(partition()) && mete_system_check(made));
        EXPECT(tap_take_fault() == 0);
    }
}

static void test_its_table_is_taken_from_what_is_kept(void)
{
    mete_system_usage_t usage;
    setup_partition();
    for (size_t less = 0U; less < GRANULE; less += 8U) {  // The heap lies behind, here and there.
        config.kept_size = KEPT_SIZE - less;
        build();
        const uintptr_t start = (uintptr_t)made->heap_config.storage.start;
        const uintptr_t granule_count = mete_align_up(start + HEAP_SIZE, GRANULE) / GRANULE -
                                        mete_align_up(start, GRANULE) / GRANULE;
        mete_system_read(made, &usage);
        EXPECT(usage.kept_in_use_size == granule_count * sizeof(uint16_t));
    }
    config.kept_size = usage.kept_in_use_size - 2U;
    expect_problem(METE_SYSTEM_PART_WRONG);
    partition_config.common_granule = 0U;  // Homes alone need none.
    build();
    EXPECT((take_as(RADIO, 100U) != NULL) && (take_as(SHELL, 1U) == NULL));
}

static void test_a_partition_is_heard_by_the_systems_observer_or_its_own(void)
{
    setup_partition();
    listen();
    build();
    EXPECT((take_as(SHELL, 5000U) == NULL) && (heard.kind == METE_EVENT_REFUSE));
    listen();
    partition_config.observer = (mete_observer_t){hear, &own_heard};
    build();
    EXPECT((take_as(SHELL, 5000U) == NULL) && (heard.kind == METE_EVENT_MARK));
    EXPECT(own_heard.kind == METE_EVENT_REFUSE);
}

static void test_a_partition_needs_all_it_is_made_of(void)
{
    setup_partition();
    beside[0].own = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_partition();
    partition_own.partition = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_partition();
    partition_own.homes = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_partition();
    partition_config.owner = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    static const size_t granules[] = {24U, SIZE_MAX / 2U + 1U};
    for (size_t i = 0U; i < sizeof granules / sizeof granules[0]; i++) {
        setup_partition();
        partition_config.common_granule = granules[i];
        expect_problem(METE_SYSTEM_PART_WRONG);
    }
}

static void test_the_systems_common_memory_is_not_the_programs(void)
{
    static uint16_t table[1];
    setup_partition();
    partition_config.common_table = table;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_partition();
    partition_config.common = (mete_span_t){homes_memory, GRANULE};
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_partition();  // Nor is a home in the system's heap.
    build();
    terms[RADIO].span = (mete_span_t){mete_acquire(any(), 64U, 8U), 64U};
    expect_problem(METE_SYSTEM_PART_WRONG);
}

// ---- Domains

enum { RW = METE_ACCESS_READ | METE_ACCESS_WRITE, REGION = 0x20000000, REGION_SIZE = 256 };

METE_DOMAIN_BOOKS_DEFINE(of_one, 2, 4);
METE_DOMAIN_BOOKS_DEFINE(of_other, 2, 4);
static mete_domain_member_t members[] = {{"one", 0U, {NULL, NULL}, &of_one, NULL},
                                         {"other", 0U, {NULL, NULL}, &of_other, NULL}};
static mete_domain_region_t regions[2];
static uint8_t region_owners[2];
static mete_domain_usage_t usages[2];
static mete_domain_config_t domain_config;
static mete_domain_result_t domain_result;
static mete_system_domain_t domain_own;

static void setup_domain(void)
{
    setup(1U);
    for (uint8_t i = 0U; i < 2U; i++) {
        regions[i] = (mete_domain_region_t){.name = "region",
                                            .start = REGION + (uintptr_t)i * REGION_SIZE,
                                            .size = REGION_SIZE,
                                            .owner = i,
                                            .rights = RW};
    }
    domain_config = (mete_domain_config_t){.members = members,
                                           .member_count = 2U,
                                           .regions = regions,
                                           .region_count = 2U,
                                           .owners = region_owners,
                                           .usages = usages,
                                           .backend = &mete_plan_armv7m};
    domain_result.verdict = METE_DOMAIN_NO_MPU;
    domain_own = (mete_system_domain_t){&domain_config, &domain_result};
    beside[0] = (mete_system_beside_t){&mete_system_with_domain, &domain_own};
}

// The first region is of the domain that runs, the second is not.
static void run_first(mete_domain_task_t *task)
{
    mete_domain_t *const domains = mete_system_beside(made, 0U);
    EXPECT(mete_domain_check(domains) && mete_domain_add(domains, task, 0U));
    mete_domain_switch(domains, task);
    EXPECT(mete_domain_allows(domains, REGION, REGION_SIZE, RW));
    EXPECT(!mete_domain_allows(domains, REGION + REGION_SIZE, 1U, RW));
}

static void test_domains_are_made_and_heard_by_the_systems_observer_or_their_own(void)
{
    static mete_domain_task_t task;
    setup_domain();
    listen();
    build();
    EXPECT(domain_result.verdict == METE_DOMAIN_READY);
    run_first(&task);
    EXPECT((heard.kind == METE_EVENT_SWITCH) && (heard.source == mete_system_beside(made, 0U)));
    listen();
    domain_config.observer = (mete_observer_t){hear, &own_heard};
    domain_own.result = NULL;
    build();
    run_first(&task);
    EXPECT((heard.kind == METE_EVENT_MARK) && (own_heard.kind == METE_EVENT_SWITCH));
}

static void test_what_domains_refuse_makes_no_system(void)
{
    setup_domain();
    beside[0].own = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_domain();
    domain_own.domain = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT(domain_result.verdict == METE_DOMAIN_NO_MPU);  // Nobody was asked.
    setup_domain();
    regions[1].start = REGION + REGION_SIZE / 2U;
    expect_problem(METE_SYSTEM_PART_WRONG);
    EXPECT((domain_result.verdict == METE_DOMAIN_OVERLAP) &&
           (domain_result.index + domain_result.other == 1U));
    domain_own.result = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_domain();  // One that could write over what all stand on.
    regions[0].start = mete_align_up((uintptr_t)storage, 16384U) - 16384U;
    regions[0].size = 65536U;
    domain_own.result = &domain_result;
    mete_system_problem_t problem = METE_SYSTEM_NO_PROBLEM;
    EXPECT((mete_system_init(&config, &problem) == NULL) && (problem == METE_SYSTEM_PART_WRONG));
    EXPECT((domain_result.verdict == METE_DOMAIN_EXPOSED) && (domain_result.index == 0U));
}

// ---- Vaults

static recording_fake_t fake;
static mete_vault_entry_t entries[2][2];
static mete_vault_config_t vault_configs[2];
static mete_system_vault_t vault_owns[2];

static void setup_vaults(void)
{
    setup(2U);
    for (size_t i = 0U; i < 2U; i++) {
        vault_configs[i] = (mete_vault_config_t){
            .entries = entries[i], .entry_count = 2U, .nonce_first = 1U, .nonce_end = 100U};
        vault_owns[i] =
            (mete_system_vault_t){.vault = &vault_configs[i], .cipher = fake_setup(&fake)};
        beside[i] = (mete_system_beside_t){&mete_system_with_vault, &vault_owns[i]};
    }
}

static void test_vaults_keep_what_is_sealed_and_what_is_open_in_the_systems_memory(void)
{
    setup_vaults();
    build();
    for (size_t i = 0U; i < 2U; i++) {
        char secret[] = "5up3r";
        mete_vault_t *const vault = mete_system_beside(made, i);
        const size_t before = heap_in_use();
        const mete_vault_handle_t handle = mete_vault_store(vault, secret, sizeof secret);
        const size_t sealed = heap_in_use();
        EXPECT((handle != 0U) && (secret[0] == '\0') && (sealed > before));
        const char *const plain = mete_vault_open(vault, handle);
        EXPECT(mete_heap_owns(mete_system_heap(made), plain) && (heap_in_use() > sealed));
        EXPECT((plain[0] == '5') && (plain[4] == 'r'));
        mete_vault_close(vault, handle);
        EXPECT((heap_in_use() == sealed) && mete_vault_check(vault));
    }
    EXPECT(mete_system_beside(made, 0U) != mete_system_beside(made, 1U));
}

static void test_a_vault_can_have_allocators_of_its_own(void)
{
    char secret[] = "5up3r";
    setup_vaults();
    home_config = (mete_heap_config_t){.storage = {homes_memory, HOME_SIZE}};
    mete_heap_t *const home = mete_heap_init(&home_config);
    vault_owns[0].sealed = mete_heap_as_alloc(home);
    vault_owns[1].plain = mete_heap_as_alloc(home);
    build();
    mete_vault_t *const first = mete_system_beside(made, 0U);
    const mete_vault_handle_t handle = mete_vault_store(first, secret, sizeof secret);
    EXPECT((heap_in_use() == 0U) && (mete_heap_usage(home).in_use_size != 0U));
    EXPECT(mete_heap_owns(mete_system_heap(made), mete_vault_open(first, handle)));
    mete_vault_t *const second = mete_system_beside(made, 1U);
    const size_t before = mete_heap_usage(home).in_use_size;
    const mete_vault_handle_t other = mete_vault_store(second, secret, sizeof secret);
    EXPECT(mete_heap_usage(home).in_use_size == before);
    EXPECT(mete_heap_owns(home, mete_vault_open(second, other)));
}

static void test_a_vault_needs_all_it_is_made_of(void)
{
    setup_vaults();
    beside[1].own = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_vaults();
    vault_owns[0].vault = NULL;
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_vaults();
    vault_owns[0].cipher = (mete_cipher_t){NULL, NULL};
    expect_problem(METE_SYSTEM_PART_WRONG);
    setup_vaults();
    vault_configs[1].nonce_end = 1U;
    expect_problem(METE_SYSTEM_PART_WRONG);
}

int main(void)
{
    RUN(test_they_are_made_in_order_when_all_else_is_there_but_protection);
    RUN(test_each_is_found_by_its_index);
    RUN(test_their_states_are_counted);
    RUN(test_one_that_refuses_is_the_last_to_be_made);
    RUN(test_what_cannot_stand_beside_is_refused_first);
    RUN(test_owners_have_their_homes_and_what_is_common_of_the_system);
    RUN(test_quota_bounds_what_an_owner_takes_of_the_system);
    RUN(test_nobody_but_its_owner_gives_a_block_back);
    RUN(test_all_of_the_heap_is_common);
    RUN(test_its_table_is_taken_from_what_is_kept);
    RUN(test_a_partition_is_heard_by_the_systems_observer_or_its_own);
    RUN(test_a_partition_needs_all_it_is_made_of);
    RUN(test_the_systems_common_memory_is_not_the_programs);
    RUN(test_domains_are_made_and_heard_by_the_systems_observer_or_their_own);
    RUN(test_what_domains_refuse_makes_no_system);
    RUN(test_vaults_keep_what_is_sealed_and_what_is_open_in_the_systems_memory);
    RUN(test_a_vault_can_have_allocators_of_its_own);
    RUN(test_a_vault_needs_all_it_is_made_of);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Banks. Their memory is never touched, so addresses are numbers here; the driver writes down what it is asked.

#include "mete/power/bank.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"

enum { BANKS = 3, TICK_US = 7 };

static const mete_bank_kind_t plain = {
    .modes = {{1000U, true}, {400U, true}, {50U, true}, {3U, false}},
    .changes = {{{0U, 0U, false}, {1U, 10U, true}, {2U, 20U, true}, {3U, 30U, true}},
                {{4U, 40U, true}, {0U, 0U, false}, {5U, 50U, true}, {0U, 0U, false}},
                {{6U, 60U, true}, {0U, 0U, false}, {0U, 0U, false}, {7U, 70U, true}},
                {{8U, 80U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};

// Never sleeps.
static const mete_bank_kind_t fixed = {.modes = {{77U, true}}};

static mete_bank_place_t places[METE_BANK_COUNT_MAX + 1];
static mete_bank_record_t records[METE_BANK_COUNT_MAX];
static mete_bank_config_t config;
static mete_bank_t bank;
static uint32_t now;

static uint32_t read_clock(void)
{
    return now;
}

// ---- A driver that writes down what it is asked, and a listener

static mete_ram_change_t asked;
static size_t asked_count;
static bool refuses;
static uint32_t change_ticks;  // How long a change takes.

static bool note_change(void *self, const mete_ram_change_t *wanted)
{
    EXPECT(self == &asked);
    asked = *wanted;
    asked_count++;
    now += change_ticks;
    return !refuses;
}

static const mete_ram_ops_t driver_ops = {note_change};

static mete_event_t heard;
static size_t heard_count;

static void listen(void *self, const mete_event_t *event)
{
    EXPECT(self == &heard);
    heard = *event;
    heard_count++;
}

static void *address_of(size_t index)
{
    return (void *)(uintptr_t)(0x1000U * (BANKS - index));  // From the top down.
}

static void setup(void)
{
    for (size_t i = 0U; i < BANKS; i++) {
        places[i].span.start = address_of(i);
        places[i].span.size = 0x1000U;
        places[i].kind = (i < 2U) ? &plain : &fixed;
    }
    config = (mete_bank_config_t){.places = places,
                                  .records = records,
                                  .bank_count = BANKS,
                                  .ram = {&driver_ops, &asked},
                                  .clock = read_clock,
                                  .tick_us = TICK_US,
                                  .observer = {listen, &heard}};
    now = UINT32_MAX - 2U;  // It wraps soon.
    refuses = false;
    change_ticks = 0U;
    asked_count = 0U;
    heard_count = 0U;
    EXPECT(mete_bank_init(&bank, &config));
}

static mete_bank_usage_t usage_of(size_t index)
{
    mete_bank_usage_t usage;
    EXPECT(mete_bank_read(&bank, index, &usage));
    return usage;
}

static mete_bank_usage_t total(void)
{
    mete_bank_usage_t usage;
    EXPECT(mete_bank_read_total(&bank, &usage));
    return usage;
}

// ---- init

static void test_init_finds_all_banks_awake(void)
{
    setup();
    EXPECT((mete_bank_count(&bank) == BANKS) && (mete_bank_awake_set(&bank) == 7U));
    for (size_t i = 0U; i < BANKS; i++) {
        EXPECT(mete_bank_is_awake(&bank, i) && (mete_bank_state_of(&bank, i) == METE_RAM_ACTIVE));
        EXPECT((mete_bank_span(&bank, i).start == address_of(i)) &&
               (mete_bank_span(&bank, i).size == 0x1000U));
        EXPECT(usage_of(i).energy_nj == 0U);
    }
    EXPECT((asked_count == 0U) && (heard_count == 0U) && mete_bank_check(&bank));
}

static bool is_refused(void)
{
    mete_bank_t other = {.refusals = 99U};
    records[0].change_count = 98U;
    return !mete_bank_init(&other, &config) && (other.refusals == 99U) && (other.config == NULL) &&
           (records[0].change_count == 98U);
}

static void test_init_refuses_a_config_that_lacks_something(void)
{
    setup();
    const mete_bank_config_t good = config;
    config.places = NULL;
    EXPECT(is_refused());
    config = good;
    config.records = NULL;
    EXPECT(is_refused());
    config = good;
    config.bank_count = 0U;
    EXPECT(is_refused());
    config = good;
    config.ram.ops = NULL;
    EXPECT(is_refused());
    static const mete_ram_ops_t no_change = {NULL};
    config.ram.ops = &no_change;
    EXPECT(is_refused());
    config = good;
    config.clock = NULL;
    EXPECT(is_refused());
    config = good;
    config.tick_us = 0U;
    EXPECT(is_refused());
    config = good;
    EXPECT(mete_bank_init(&bank, &config));
}

static void test_init_refuses_banks_that_cannot_be(void)
{
    setup();
    places[1].span.size = 0U;
    EXPECT(is_refused());
    setup();
    places[2].kind = NULL;
    EXPECT(is_refused());
    setup();
    places[0].span.start = NULL;
    EXPECT(is_refused());
    setup();
    places[0].span.size = UINTPTR_MAX;
    EXPECT(is_refused());
    setup();
    places[1].span.size = 0x1001U;  // Into the one behind, which stands before it.
    EXPECT(is_refused());
    setup();
    places[2].span.size = 0x1001U;  // Into the second, not into the first.
    EXPECT(is_refused());
    setup();
    places[2].span.start = (void *)(uintptr_t)0x2FFFU;
    EXPECT(is_refused());
}

static void test_init_takes_as_many_banks_as_a_word_has_bits(void)
{
    setup();
    for (size_t i = 0U; i <= METE_BANK_COUNT_MAX; i++) {
        places[i].span.start = (void *)(uintptr_t)(16U * (i + 1U));
        places[i].span.size = 16U;
        places[i].kind = &plain;
    }
    config.bank_count = METE_BANK_COUNT_MAX + 1U;
    EXPECT(is_refused());
    config.bank_count = METE_BANK_COUNT_MAX;
    EXPECT(mete_bank_init(&bank, &config) && (mete_bank_awake_set(&bank) == UINT32_MAX));
    EXPECT(mete_bank_sleep(&bank, 31U, METE_RAM_SLEEP) && mete_bank_check(&bank));
    EXPECT(mete_bank_awake_set(&bank) == 0x7FFFFFFFU);
}

static void test_init_refuses_a_kind_that_could_not_be_woken(void)
{
    for (size_t state = 1U; state < METE_RAM_STATE_COUNT; state++) {
        setup();
        mete_bank_kind_t kind = plain;
        places[1].kind = &kind;
        kind.changes[state][METE_RAM_ACTIVE].is_legal = false;
        EXPECT(is_refused());
    }
    setup();
    mete_bank_kind_t kind = plain;
    places[1].kind = &kind;
    kind.modes[METE_RAM_ACTIVE].retains = false;
    EXPECT(is_refused());
}

// ---- sleep and wake

static void test_sleep_tells_the_driver_and_then_the_observer(void)
{
    setup();
    EXPECT(mete_bank_sleep(&bank, 1U, METE_RAM_SLEEP));
    EXPECT((asked_count == 1U) && (asked.index == 1U) && (asked.span.start == address_of(1U)) &&
           (asked.span.size == 0x1000U) && (asked.from == METE_RAM_ACTIVE) &&
           (asked.to == METE_RAM_SLEEP) && asked.retains);
    EXPECT((heard_count == 1U) && (heard.kind == METE_EVENT_BANK) && (heard.source == &bank) &&
           (heard.block == address_of(1U)) && (heard.size == METE_RAM_SLEEP) &&
           (heard.caller == NULL));
    EXPECT((mete_bank_awake_set(&bank) == 5U) && !mete_bank_is_awake(&bank, 1U));
    EXPECT(mete_bank_state_of(&bank, 1U) == METE_RAM_SLEEP);
    EXPECT(mete_bank_sleep(&bank, 1U, METE_RAM_DEEP_SLEEP) && !asked.retains);
    EXPECT((asked.from == METE_RAM_SLEEP) && (asked.to == METE_RAM_DEEP_SLEEP));
    EXPECT(mete_bank_wake(&bank, 1U) && (asked.to == METE_RAM_ACTIVE) && asked.retains);
    EXPECT((heard_count == 3U) && (heard.size == METE_RAM_ACTIVE));
    EXPECT((mete_bank_awake_set(&bank) == 7U) && mete_bank_check(&bank) && (tap_take_fault() == 0));
}

static void test_a_bank_that_is_in_the_state_already_is_left_alone(void)
{
    setup();
    EXPECT(mete_bank_wake(&bank, 0U) && mete_bank_wake(&bank, 2U));
    EXPECT(mete_bank_sleep(&bank, 2U, METE_RAM_ACTIVE));
    EXPECT((asked_count == 0U) && (heard_count == 0U) && (tap_take_fault() == 0));
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_STANDBY) && (asked_count == 1U));
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_STANDBY) && (asked_count == 1U));
}

// Every pair of states, also those outside.
static void test_only_changes_of_the_table_are_made(void)
{
    for (uint32_t from = 0U; from < METE_RAM_STATE_COUNT; from++) {
        for (uint32_t to = 0U; to <= METE_RAM_STATE_COUNT; to++) {
            setup();
            EXPECT(mete_bank_sleep(&bank, 0U, (mete_ram_state_t)from));
            const size_t before = asked_count;
            const bool is_legal_change =
                (to < METE_RAM_STATE_COUNT) && ((from == to) || plain.changes[from][to].is_legal);
            EXPECT(mete_bank_allows(&bank, 0U, (mete_ram_state_t)to) == is_legal_change);
            if ((METE_CHECK_LEVEL < 1) && !is_legal_change) {
                continue;
            }
            EXPECT(mete_bank_sleep(&bank, 0U, (mete_ram_state_t)to) == is_legal_change);
            EXPECT(tap_take_fault() == (is_legal_change ? 0 : METE_FAULT_ORDER));
            EXPECT(is_legal_change || ((tap_fault_address == address_of(0U)) &&
                                       (tap_fault_object == &bank) && (asked_count == before)));
            EXPECT(mete_bank_state_of(&bank, 0U) ==
                   (mete_ram_state_t)(is_legal_change ? to : from));
            EXPECT(mete_bank_check(&bank));
        }
    }
}

static void test_a_bank_that_there_is_not_is_foreign(void)
{
    setup();
    EXPECT(!mete_bank_allows(&bank, BANKS, METE_RAM_ACTIVE));
    if (METE_CHECK_LEVEL >= 1) {
        EXPECT(!mete_bank_sleep(&bank, BANKS, METE_RAM_SLEEP));
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_address == NULL));
        EXPECT(!mete_bank_wake(&bank, SIZE_MAX) && (tap_take_fault() == METE_FAULT_FOREIGN));
        mete_bank_usage_t usage = {.all_on_nj = 5U};
        EXPECT(!mete_bank_read(&bank, BANKS, &usage) && (usage.all_on_nj == 5U));
        EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (asked_count == 0U));
    }
}

static void test_a_driver_that_refuses_is_counted_and_nothing_changes(void)
{
    setup();
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    refuses = true;
    now += 10U;
    EXPECT(!mete_bank_wake(&bank, 0U) && !mete_bank_sleep(&bank, 1U, METE_RAM_STANDBY));
    EXPECT((asked_count == 3U) && (heard_count == 1U) && (tap_take_fault() == 0));
    EXPECT((mete_bank_refusals(&bank) == 2U) && (mete_bank_awake_set(&bank) == 6U));
    EXPECT(usage_of(0U).change_count == 1U);
    EXPECT((usage_of(0U).change_nj == 20U) && mete_bank_check(&bank));
}

static void test_nobody_need_listen(void)
{
    setup();
    config.observer.on_event = NULL;
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP) && (heard_count == 0U));
}

// ---- The account

static void test_energy_is_power_times_time_rounded_down(void)
{
    EXPECT(mete_bank_energy_of(1U, 999U) == 0U);
    EXPECT(mete_bank_energy_of(1U, 1000U) == 1U);
    EXPECT(mete_bank_energy_of(999U, 1999U) == 1997U);
    EXPECT(mete_bank_energy_of(UINT32_MAX, 999U) == UINT64_C(4290672327));
    EXPECT(mete_bank_energy_of(0U, UINT64_MAX) == 0U);
    // A hundred years at 100 mW are 315.576 MJ; the product in picojoules does not fit 64 bits.
    const uint64_t century_us = UINT64_C(3155760000000000);
    EXPECT(mete_bank_energy_of(100000U, century_us) == UINT64_C(315576000000000000));
    EXPECT(mete_bank_energy_of(1000U, UINT64_MAX) == UINT64_MAX);
}

static void test_energy_that_64_bits_cannot_say_is_the_largest_there_is(void)
{
    const uint64_t round_us = UINT64_C(4294967296000);  // 2^32 ms.
    EXPECT(mete_bank_energy_of(UINT32_MAX, round_us) == (uint64_t)UINT32_MAX << 32);
    EXPECT(mete_bank_energy_of(UINT32_MAX, round_us + 999U) == UINT64_MAX - 4294968U);
    EXPECT(mete_bank_energy_of(UINT32_MAX, round_us + 1000U) == UINT64_MAX);
    EXPECT(mete_bank_energy_of(UINT32_MAX, round_us + 1001U) == UINT64_MAX);
    EXPECT(mete_bank_energy_of(UINT32_MAX, round_us + 2000U) == UINT64_MAX);
    EXPECT(mete_bank_energy_of(1001U, UINT64_MAX) == UINT64_MAX);
    EXPECT(mete_bank_energy_of(UINT32_MAX, UINT64_MAX) == UINT64_MAX);
    EXPECT(mete_bank_energy_of(0x80000000U, 2U * round_us - 1000U) ==
           ((uint64_t)UINT32_MAX << 32) + 0x80000000U);
    EXPECT(mete_bank_energy_of(0x80000000U, 2U * round_us) == UINT64_MAX);
    setup();
    mete_bank_kind_t kind = plain;
    places[0].kind = &kind;
    kind.modes[METE_RAM_ACTIVE].power_uw = UINT32_MAX;
    kind.modes[METE_RAM_SLEEP].power_uw = UINT32_MAX;
    for (size_t i = 0U; i < BANKS; i++) {
        records[i].state_us[METE_RAM_ACTIVE] = round_us;
        records[i].state_us[METE_RAM_SLEEP] = round_us;
    }
    bank.total_us = 2U * round_us;
    mete_bank_usage_t usage = usage_of(0U);
    EXPECT((usage.energy_nj == UINT64_MAX) && (usage.all_on_nj == UINT64_MAX));
    usage = total();
    EXPECT((usage.energy_nj == UINT64_MAX) && (usage.all_on_nj == UINT64_MAX));
    records[0].change_nj = UINT64_MAX - 19U;
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    usage = usage_of(0U);
    EXPECT((usage.change_nj == UINT64_MAX) && (usage.energy_nj == UINT64_MAX));
    records[1].change_nj = 1U;
    EXPECT(total().change_nj == UINT64_MAX);
}

static void test_each_state_is_charged_for_its_time(void)
{
    setup();
    now += 1000U;  // Past the wrap.
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    now += 2000U;
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_DEEP_SLEEP));
    now += 3000U;
    const mete_bank_usage_t usage = usage_of(0U);
    EXPECT((usage.state_us[0] == 7000U) && (usage.state_us[1] == 0U) &&
           (usage.state_us[2] == 14000U) && (usage.state_us[3] == 21000U));
    EXPECT((usage.change_nj == 90U) && (usage.change_count == 2U));
    EXPECT(usage.energy_nj == 7000U + 700U + 63U + 90U);
    EXPECT(usage.all_on_nj == 42000U);
    const mete_bank_usage_t rest = usage_of(2U);
    EXPECT((rest.energy_nj == 3234U) && (rest.all_on_nj == 3234U) && (rest.change_count == 0U));
    const mete_bank_usage_t all = total();
    EXPECT((all.energy_nj == 7853U + 42000U + 3234U) && (all.all_on_nj == 42000U * 2U + 3234U));
    EXPECT((all.state_us[0] == 7000U + 84000U) && (all.state_us[3] == 21000U));
    EXPECT((all.change_nj == 90U) && (all.change_count == 2U));
}

static void test_the_time_of_a_change_counts_for_the_state_that_it_leads_to(void)
{
    setup();
    change_ticks = 5U;
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    EXPECT(usage_of(0U).state_us[METE_RAM_SLEEP] == 35U);
    EXPECT(usage_of(0U).state_us[METE_RAM_ACTIVE] == 0U);
    EXPECT(usage_of(1U).state_us[METE_RAM_ACTIVE] == 35U);
}

static void test_time_is_kept_for_years_if_it_is_noted(void)
{
    setup();
    config.tick_us = 1000U;  // Milliseconds: the clock wraps after 49 days.
    EXPECT(mete_bank_sleep(&bank, 0U, METE_RAM_DEEP_SLEEP));
    const uint32_t half = UINT32_MAX / 2U;
    for (size_t i = 0U; i < 100U; i++) {
        now += half;
        mete_bank_note(&bank);
    }
    const mete_bank_usage_t usage = usage_of(0U);
    EXPECT(usage.state_us[METE_RAM_DEEP_SLEEP] == (uint64_t)half * 100000U);
    EXPECT(usage.all_on_nj == (uint64_t)half * 100000U);
    EXPECT((usage.energy_nj == (uint64_t)half * 300U + 30U) && mete_bank_check(&bank));
}

// ---- find

static void test_find_knows_every_edge(void)
{
    setup();
    const unsigned char *const low = address_of(2U);
    EXPECT(mete_bank_find(&bank, low - 1) == BANKS);
    EXPECT((mete_bank_find(&bank, low) == 2U) && (mete_bank_find(&bank, low + 0xFFF) == 2U));
    EXPECT((mete_bank_find(&bank, low + 0x1000) == 1U) &&
           (mete_bank_find(&bank, low + 0x2FFF) == 0U));
    EXPECT(mete_bank_find(&bank, low + 0x3000) == BANKS);
    EXPECT(mete_bank_find(&bank, NULL) == BANKS);
}

// ---- Damage

static void expect_damage_is_noticed(void)
{
    EXPECT(!mete_bank_check(&bank));
    if (METE_CHECK_LEVEL >= 1) {
        const size_t before = asked_count;
        EXPECT(!mete_bank_wake(&bank, 0U) && (tap_take_fault() == METE_FAULT_CORRUPT));
        EXPECT(!mete_bank_sleep(&bank, 1U, METE_RAM_SLEEP));
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == address_of(1U)));
        const uint64_t total = bank.total_us;
        now++;
        mete_bank_note(&bank);
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == records));
        EXPECT((bank.total_us == total) && (asked_count == before));
        EXPECT(!mete_bank_allows(&bank, 1U, METE_RAM_SLEEP));
        mete_bank_usage_t usage = {.all_on_nj = 5U};
        EXPECT(!mete_bank_read(&bank, 2U, &usage) && (usage.all_on_nj == 5U));
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == address_of(2U)));
        EXPECT(!mete_bank_read_total(&bank, &usage) && (usage.all_on_nj == 5U));
        EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == records));
    }
}

static void test_a_state_that_cannot_be_is_noticed(void)
{
    for (unsigned bit = 2U; bit < 32U; bit++) {
        setup();
        records[1].state ^= (uint32_t)1U << bit;
        expect_damage_is_noticed();
    }
    setup();
    records[1].state = METE_RAM_SLEEP;  // But it is in the set of those awake.
    expect_damage_is_noticed();
}

// The set agrees, but the kind does not have such a state.
static void test_check_notices_a_state_that_does_not_exist(void)
{
    setup();
    records[2].state = METE_RAM_SLEEP;
    bank.awake_set = 3U;
    EXPECT(!mete_bank_check(&bank));
    for (uint32_t gone = 1U; gone < METE_RAM_STATE_COUNT; gone++) {
        setup();
        mete_bank_kind_t kind = plain;
        places[0].kind = &kind;
        bank.awake_set = 6U;
        records[0].state = gone;
        EXPECT(mete_bank_check(&bank));
        for (size_t from = 0U; from < METE_RAM_STATE_COUNT; from++) {
            kind.changes[from][gone].is_legal = (from == gone);  // Which is not looked at.
        }
        EXPECT(!mete_bank_check(&bank));
    }
}

static void test_a_set_that_says_otherwise_is_noticed(void)
{
    for (unsigned bit = 0U; bit < BANKS; bit++) {
        setup();
        bank.awake_set ^= (uint32_t)1U << bit;
        expect_damage_is_noticed();
    }
    setup();
    bank.awake_set ^= 8U;
    EXPECT(!mete_bank_check(&bank));
}

static void test_check_notices_times_that_do_not_add_up(void)
{
    setup();
    for (unsigned bit = 0U; bit < 64U; bit++) {
        records[2].state_us[bit % METE_RAM_STATE_COUNT] ^= (uint64_t)1U << bit;
        EXPECT(!mete_bank_check(&bank));
        records[2].state_us[bit % METE_RAM_STATE_COUNT] ^= (uint64_t)1U << bit;
    }
    bank.total_us++;
    EXPECT(!mete_bank_check(&bank));
    bank.total_us--;
    EXPECT(mete_bank_check(&bank));
}

// ---- Random work beside a model, which keeps an account in picojoules, bank by bank

typedef struct model {
    uint32_t state;
    uint64_t time_us[METE_RAM_STATE_COUNT];
    uint64_t change_nj;
    uint32_t change_count;
} model_t;

static void pass_time(model_t *models, uint32_t ticks)
{
    now += ticks;
    for (size_t i = 0U; i < BANKS; i++) {
        models[i].time_us[models[i].state] += (uint64_t)ticks * TICK_US;
    }
}

static void compare_with(const model_t *model, size_t index)
{
    const mete_bank_usage_t usage = usage_of(index);
    const mete_bank_kind_t *const kind = places[index].kind;
    uint64_t energy_nj = model->change_nj;
    uint64_t total_us = 0U;
    for (size_t state = 0U; state < METE_RAM_STATE_COUNT; state++) {
        EXPECT(usage.state_us[state] == model->time_us[state]);
        energy_nj += model->time_us[state] * kind->modes[state].power_uw / 1000U;
        total_us += model->time_us[state];
    }
    EXPECT((usage.energy_nj == energy_nj) && (usage.change_nj == model->change_nj));
    EXPECT(usage.change_count == model->change_count);
    EXPECT(usage.all_on_nj == total_us * kind->modes[0].power_uw / 1000U);
    EXPECT(mete_bank_state_of(&bank, index) == (mete_ram_state_t)model->state);
}

static void test_random_work_agrees_with_a_model(void)
{
    setup();
    model_t models[BANKS] = {{0}};
    uint32_t random = 1U;
    for (size_t i = 0U; i < 3000U; i++) {
        pass_time(models, random_below(&random, 100000U));
        const size_t index = random_below(&random, BANKS);
        const uint32_t state = random_below(&random, METE_RAM_STATE_COUNT);
        model_t *const model = &models[index];
        refuses = random_below(&random, 5U) == 0U;
        change_ticks = random_below(&random, 3U);
        const bool is_legal_change = mete_bank_allows(&bank, index, (mete_ram_state_t)state);
        if (!is_legal_change) {
            continue;
        }
        const bool is_move = (state != model->state);
        EXPECT(mete_bank_sleep(&bank, index, (mete_ram_state_t)state) == (!is_move || !refuses));
        if (is_move && !refuses) {
            model->change_nj += places[index].kind->changes[model->state][state].energy_nj;
            model->change_count++;
            model->state = state;
        }
        if (is_move) {
            now -= change_ticks;
            pass_time(models, change_ticks);
        }
        compare_with(model, index);
        EXPECT(mete_bank_check(&bank) && (tap_take_fault() == 0));
    }
}

int main(void)
{
    RUN(test_init_finds_all_banks_awake);
    RUN(test_init_refuses_a_config_that_lacks_something);
    RUN(test_init_refuses_banks_that_cannot_be);
    RUN(test_init_takes_as_many_banks_as_a_word_has_bits);
    RUN(test_init_refuses_a_kind_that_could_not_be_woken);
    RUN(test_sleep_tells_the_driver_and_then_the_observer);
    RUN(test_a_bank_that_is_in_the_state_already_is_left_alone);
    RUN(test_only_changes_of_the_table_are_made);
    RUN(test_a_bank_that_there_is_not_is_foreign);
    RUN(test_a_driver_that_refuses_is_counted_and_nothing_changes);
    RUN(test_nobody_need_listen);
    RUN(test_energy_is_power_times_time_rounded_down);
    RUN(test_energy_that_64_bits_cannot_say_is_the_largest_there_is);
    RUN(test_each_state_is_charged_for_its_time);
    RUN(test_the_time_of_a_change_counts_for_the_state_that_it_leads_to);
    RUN(test_time_is_kept_for_years_if_it_is_noted);
    RUN(test_find_knows_every_edge);
    RUN(test_a_state_that_cannot_be_is_noticed);
    RUN(test_check_notices_a_state_that_does_not_exist);
    RUN(test_a_set_that_says_otherwise_is_noticed);
    RUN(test_check_notices_times_that_do_not_add_up);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}

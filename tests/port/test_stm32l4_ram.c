// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the driver of an STM32L4's SRAM2 does to registers, access by access, beside the sequence of RM0351 and RM0394:
// a recording bus in place of the part.

#include "port/board/stm32l4_ram.c"

#include "mete/power/bank.h"
#include "tests/support/tap.h"

enum { ACCESS_MAX = 8, SRAM2 = 1 };

// ---- The bus

typedef struct access {
    char kind;
    uintptr_t address;
    uint32_t value;
} access_t;

static access_t accesses[ACCESS_MAX];
static size_t access_count;
static uint32_t apb1enr1, cr3;
static uint32_t stuck_at_zero;  // Bits that a write does not set.

static void take_down(char kind, uintptr_t address, uint32_t value)
{
    EXPECT((access_count < ACCESS_MAX) && ((address == 0x40021058U) || (address == 0x40007008U)));
    if (access_count < ACCESS_MAX) {
        accesses[access_count] = (access_t){kind, address, value};
        access_count++;
    }
}

static uint32_t bus_read(uintptr_t address)
{
    const uint32_t value = (address == 0x40021058U) ? apb1enr1 : cr3;
    take_down('r', address, value);
    return value;
}

// PWR takes no write while it has no clock.
static void bus_write(uintptr_t address, uint32_t value)
{
    take_down('w', address, value);
    if (address == 0x40021058U) {
        apb1enr1 = value & ~stuck_at_zero;
    } else if ((apb1enr1 & (1U << 28)) != 0U) {
        cr3 = value & ~stuck_at_zero;
    }
}

static const mete_stm32l4_ram_bus_t bus = {bus_read, bus_write};
static const mete_stm32l4_ram_t driver = {&bus, SRAM2};

static void setup(void)
{
    access_count = 0U;
    apb1enr1 = 0x00000400U;  // After a reset; and RTCAPBEN.
    cr3 = 0x00008000U;       // EIWUL.
    stuck_at_zero = 0U;
}

static bool change_to(size_t index, mete_ram_state_t to)
{
    const mete_ram_t ram = mete_stm32l4_ram_init(&driver);
    const mete_ram_change_t wanted = {
        index, {NULL, 0U}, METE_RAM_ACTIVE, to, to != METE_RAM_DEEP_SLEEP};
    return ram.ops->change(ram.self, &wanted);
}

static void expect_sequence(const access_t *expected, size_t count)
{
    EXPECT(access_count == count);
    for (size_t i = 0U; i < count; i++) {
        EXPECT((accesses[i].kind == expected[i].kind) &&
               (accesses[i].address == expected[i].address) &&
               (accesses[i].value == expected[i].value));
    }
}

// ---- The sequence

static void test_to_keep_sram2_the_clock_of_pwr_comes_on_and_then_rrs(void)
{
    static const access_t sequence[] = {
        {'r', 0x40021058U, 0x00000400U}, {'w', 0x40021058U, 0x10000400U},
        {'r', 0x40021058U, 0x10000400U}, {'r', 0x40007008U, 0x00008000U},
        {'w', 0x40007008U, 0x00008100U}, {'r', 0x40007008U, 0x00008100U}};
    setup();
    EXPECT(change_to(SRAM2, METE_RAM_SLEEP));
    expect_sequence(sequence, sizeof sequence / sizeof sequence[0]);
}

static void test_to_lose_sram2_rrs_is_cleared_and_no_other_bit(void)
{
    static const access_t sequence[] = {
        {'r', 0x40021058U, 0x10000400U}, {'w', 0x40021058U, 0x10000400U},
        {'r', 0x40021058U, 0x10000400U}, {'r', 0x40007008U, 0x0000C51FU},
        {'w', 0x40007008U, 0x0000C41FU}, {'r', 0x40007008U, 0x0000C41FU}};
    setup();
    apb1enr1 = 0x10000400U;
    cr3 = 0x0000C51FU;
    EXPECT(change_to(SRAM2, METE_RAM_DEEP_SLEEP));
    expect_sequence(sequence, sizeof sequence / sizeof sequence[0]);
}

static void test_a_part_that_runs_needs_nothing(void)
{
    setup();
    EXPECT(change_to(SRAM2, METE_RAM_ACTIVE) && (access_count == 0U));
}

static void test_what_the_part_cannot_do_is_refused(void)
{
    setup();
    EXPECT(!change_to(SRAM2, METE_RAM_STANDBY) && !change_to(0U, METE_RAM_SLEEP));
    EXPECT(!change_to(0U, METE_RAM_ACTIVE) && (access_count == 0U));
}

static void test_contents_that_would_not_be_kept_are_not_promised(void)
{
    setup();
    const mete_ram_t ram = mete_stm32l4_ram_init(&driver);
    const mete_ram_change_t wanted = {
        SRAM2, {NULL, 0U}, METE_RAM_ACTIVE, METE_RAM_DEEP_SLEEP, true};
    EXPECT(!ram.ops->change(ram.self, &wanted) && (access_count == 0U));
}

static void test_bits_that_do_not_stay_are_noticed(void)
{
    setup();
    stuck_at_zero = 1U << 28;
    EXPECT(!change_to(SRAM2, METE_RAM_SLEEP) && (access_count == 3U));
    setup();
    stuck_at_zero = 1U << 8;
    EXPECT(!change_to(SRAM2, METE_RAM_SLEEP) && (access_count == 6U));
    access_count = 0U;
    EXPECT(change_to(SRAM2, METE_RAM_DEEP_SLEEP));
}

// ---- Behind the bank module

static uint32_t no_clock(void)
{
    return 0U;
}

static void test_the_bank_module_drives_it(void)
{
    static const mete_bank_kind_t never = {.modes = {{1U, true}}};
    static const mete_bank_kind_t sram2 = {
        .modes = {{100U, true}, {0U, false}, {1U, true}, {0U, false}},
        .changes = {{{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, true}, {0U, 0U, true}},
                    {{0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}},
                    {{0U, 0U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, true}},
                    {{0U, 0U, true}, {0U, 0U, false}, {0U, 0U, false}, {0U, 0U, false}}}};
    static const mete_bank_place_t places[] = {{{(void *)(uintptr_t)0x20000000U, 0x18000U}, &never},
                                               {{(void *)(uintptr_t)0x10000000U, 0x8000U}, &sram2}};
    static mete_bank_record_t records[2];
    const mete_bank_config_t config = {.places = places,
                                       .records = records,
                                       .bank_count = 2U,
                                       .ram = mete_stm32l4_ram_init(&driver),
                                       .clock = no_clock,
                                       .tick_us = 1U};
    mete_bank_t bank;
    setup();
    EXPECT(mete_bank_init(&bank, &config) && (access_count == 0U));
    EXPECT(mete_bank_sleep(&bank, SRAM2, METE_RAM_SLEEP) && (cr3 == 0x8100U));
    EXPECT(mete_bank_wake(&bank, SRAM2) && (cr3 == 0x8100U) && mete_bank_check(&bank));
}

int main(void)
{
    RUN(test_to_keep_sram2_the_clock_of_pwr_comes_on_and_then_rrs);
    RUN(test_to_lose_sram2_rrs_is_cleared_and_no_other_bit);
    RUN(test_a_part_that_runs_needs_nothing);
    RUN(test_what_the_part_cannot_do_is_refused);
    RUN(test_contents_that_would_not_be_kept_are_not_promised);
    RUN(test_bits_that_do_not_stay_are_noticed);
    RUN(test_the_bank_module_drives_it);
    return tap_finish();
}

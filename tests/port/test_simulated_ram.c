// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Simulated banks behind the protection unit at hand: what is lost is lost, and who touches a sleeping bank is stopped. Of a PMP
// privileged code is not.

#include "port/board/simulated_ram.c"

#include "tests/port/mpu_verdicts.h"
#include "tests/support/tap.h"

#ifndef BANK_SIZE
#define BANK_SIZE 1024
#endif

enum { BANKS = 4 };

static unsigned char memory[BANKS * BANK_SIZE] __attribute__((aligned(BANKS * BANK_SIZE)));
const mete_span_t mpu_arena = {memory, sizeof memory};

static mete_simulated_ram_t simulated;
static mete_ram_t ram;
static mete_mpu_t mpu;

static unsigned char *bank(size_t index)
{
    return memory + index * BANK_SIZE;
}

static void setup(void)
{
    mpu = mpu_target.init();
    ram = mete_simulated_ram_init(&simulated, mpu);
    for (size_t i = 0U; i < sizeof memory; i++) {
        memory[i] = (unsigned char)(i * 7U);
    }
}

static bool change_to(size_t index, mete_ram_state_t to, bool retains)
{
    const mete_ram_change_t wanted = {
        index, {bank(index), BANK_SIZE}, METE_RAM_ACTIVE, to, retains};
    return ram.ops->change(ram.self, &wanted);
}

// Bytes of a bank that are as setup() wrote them.
static size_t kept(size_t index)
{
    size_t count = 0U;
    for (size_t i = 0U; i < BANK_SIZE; i++) {
        count += (bank(index)[i] == (unsigned char)((index * BANK_SIZE + i) * 7U)) ? 1U : 0U;
    }
    return count;
}

static bool is_stopped_at(const void *address)
{
    const access_t access = {(uintptr_t)address, 1U, METE_ACCESS_WRITE, METE_PRIVILEGED};
    uintptr_t told = 0U;
    const bool happens = mpu_happens(&access, &told);
    return !happens && (told == (uintptr_t)address);
}

static void expect_stopped(size_t index, bool is_asleep)
{
    const bool is_expected = is_asleep && (mpu.ops->kind != METE_MPU_PMP);
    EXPECT(is_stopped_at(bank(index)) == is_expected);
    EXPECT(is_stopped_at(bank(index) + BANK_SIZE - 1) == is_expected);
}

static void test_what_sleeps_is_stopped_and_nothing_else(void)
{
    setup();
    for (size_t asleep = 0U; asleep < BANKS; asleep++) {
        EXPECT(change_to(asleep, METE_RAM_SLEEP, true));
        for (size_t i = 0U; i < BANKS; i++) {
            expect_stopped(i, i == asleep);
        }
        EXPECT(change_to(asleep, METE_RAM_ACTIVE, true));
        expect_stopped(asleep, false);
    }
}

static void test_banks_wake_in_any_order(void)
{
    setup();
    for (size_t i = 0U; i < BANKS; i++) {
        EXPECT(change_to(i, METE_RAM_STANDBY, true));
    }
    EXPECT(change_to(1U, METE_RAM_ACTIVE, true) && change_to(3U, METE_RAM_ACTIVE, true));
    expect_stopped(0U, true);
    expect_stopped(1U, false);
    expect_stopped(2U, true);
    expect_stopped(3U, false);
    EXPECT(change_to(0U, METE_RAM_ACTIVE, true) && change_to(2U, METE_RAM_ACTIVE, true));
    expect_stopped(0U, false);
}

static void test_a_bank_that_retains_keeps_every_byte(void)
{
    setup();
    EXPECT(change_to(2U, METE_RAM_SLEEP, true) && change_to(2U, METE_RAM_ACTIVE, true));
    EXPECT(kept(2U) == BANK_SIZE);
}

// One byte of 256 may be the same by chance.
static void test_a_bank_that_does_not_retain_loses_all_and_no_other_does(void)
{
    setup();
    EXPECT(change_to(2U, METE_RAM_DEEP_SLEEP, false) && change_to(2U, METE_RAM_ACTIVE, true));
    EXPECT(kept(2U) < BANK_SIZE / 64U);
    EXPECT((kept(1U) == BANK_SIZE) && (kept(3U) == BANK_SIZE));
    const unsigned char first = memory[2 * BANK_SIZE];
    const unsigned char second = memory[2 * BANK_SIZE + 1];
    const unsigned char third = memory[2 * BANK_SIZE + 2];
    EXPECT(change_to(2U, METE_RAM_DEEP_SLEEP, false) && change_to(2U, METE_RAM_ACTIVE, true));
    EXPECT((memory[2 * BANK_SIZE] != first) || (memory[2 * BANK_SIZE + 1] != second) ||
           (memory[2 * BANK_SIZE + 2] != third));
}

static void test_a_bank_that_sleeps_deeper_later_loses_all_and_stays_asleep(void)
{
    setup();
    EXPECT(change_to(1U, METE_RAM_SLEEP, true) && change_to(1U, METE_RAM_DEEP_SLEEP, false));
    expect_stopped(1U, true);
    EXPECT(change_to(1U, METE_RAM_SLEEP, true));
    expect_stopped(1U, true);
    EXPECT((simulated.sleeping_count == 1U) && change_to(1U, METE_RAM_ACTIVE, true));
    EXPECT(kept(1U) < BANK_SIZE / 64U);
}

static void test_without_a_unit_contents_are_lost_but_nobody_is_stopped(void)
{
    setup();
    ram = mete_simulated_ram_init(&simulated, (mete_mpu_t){NULL, NULL});
    EXPECT(change_to(0U, METE_RAM_DEEP_SLEEP, false));
    expect_stopped(0U, false);
    EXPECT(kept(0U) < BANK_SIZE / 64U);
}

static void test_what_cannot_be_a_region_is_refused(void)
{
    setup();
    const mete_ram_change_t crooked = {
        0U, {bank(0U) + 4, BANK_SIZE}, METE_RAM_ACTIVE, METE_RAM_DEEP_SLEEP, false};
    EXPECT(!ram.ops->change(ram.self, &crooked));
    EXPECT((kept(0U) == BANK_SIZE) && (simulated.sleeping_count == 0U));
    const mete_ram_change_t tiny = {0U, {bank(0U), 4U}, METE_RAM_ACTIVE, METE_RAM_SLEEP, true};
    EXPECT(!ram.ops->change(ram.self, &tiny));
}

static void test_no_more_banks_sleep_than_there_are_regions(void)
{
    setup();
    const size_t regions = mpu.self->region_count;
    mpu.self->region_count = 2U;
    EXPECT(change_to(0U, METE_RAM_SLEEP, true) && change_to(1U, METE_RAM_SLEEP, true));
    EXPECT(!change_to(2U, METE_RAM_DEEP_SLEEP, false) && (kept(2U) == BANK_SIZE));
    EXPECT(change_to(0U, METE_RAM_DEEP_SLEEP, false) && (simulated.sleeping_count == 2U));
    EXPECT(change_to(0U, METE_RAM_ACTIVE, true) && change_to(2U, METE_RAM_SLEEP, true));
    mpu.self->region_count = regions;
    EXPECT(change_to(1U, METE_RAM_ACTIVE, true) && change_to(2U, METE_RAM_ACTIVE, true));
}

int main(void)
{
    RUN(test_what_sleeps_is_stopped_and_nothing_else);
    RUN(test_banks_wake_in_any_order);
    RUN(test_a_bank_that_retains_keeps_every_byte);
    RUN(test_a_bank_that_does_not_retain_loses_all_and_no_other_does);
    RUN(test_a_bank_that_sleeps_deeper_later_loses_all_and_stays_asleep);
    RUN(test_without_a_unit_contents_are_lost_but_nobody_is_stopped);
    RUN(test_what_cannot_be_a_region_is_refused);
    RUN(test_no_more_banks_sleep_than_there_are_regions);
    return tap_finish();
}

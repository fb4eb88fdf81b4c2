// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/io/uart.c"

// A port that is slow, or never ready at all.
static uint32_t polls_until_ready;
static uint32_t poll_count;
static uint32_t divisor_given;
static char line[8];
static size_t line_length;

static void start(uintptr_t base, uint32_t divisor)
{
    (void)base;
    divisor_given = divisor;
}

static void put(uintptr_t base, uint8_t byte)
{
    (void)base;
    line[line_length] = (char)byte;
    line_length++;
    poll_count = 0U;
}

static bool is_ready(uintptr_t base)
{
    (void)base;
    poll_count++;
    return poll_count > polls_until_ready;
}

static const mete_uart_driver_t driver = {start, put, is_ready};
static const mete_uart_config_t config = {&driver, 0U, 77U, 10U};
static mete_uart_t port;

static void fresh(uint32_t slowness)
{
    polls_until_ready = slowness;
    line_length = 0U;
    mete_uart_init(&port, &config);
}

static void test_init_hands_the_divisor_to_the_driver(void)
{
    fresh(0U);
    EXPECT(divisor_given == 77U);
}

static void test_a_slow_port_sends_everything(void)
{
    fresh(9U);
    EXPECT(mete_uart_write(&port, "abc", 3U) == 3U);
    EXPECT((line_length == 3U) && (line[0] == 'a') && (line[2] == 'c'));
    EXPECT(port.dropped_count == 0U);
}

static void test_a_dead_port_costs_one_wait_and_is_counted(void)
{
    fresh(UINT32_MAX);
    EXPECT(mete_uart_write(&port, "abc", 3U) == 0U);
    EXPECT(line_length == 1U);
    EXPECT(poll_count == 10U);
    EXPECT(port.dropped_count == 3U);
}

static void test_a_port_not_initialised_drops(void)
{
    mete_uart_t none = {NULL, 0U};
    EXPECT(mete_uart_write(&none, "abc", 3U) == 0U);
    EXPECT(none.dropped_count == 3U);
}

int main(void)
{
    RUN(test_init_hands_the_divisor_to_the_driver);
    RUN(test_a_slow_port_sends_everything);
    RUN(test_a_dead_port_costs_one_wait_and_is_counted);
    RUN(test_a_port_not_initialised_drops);
    return tap_finish();
}

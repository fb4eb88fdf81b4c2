// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/stm32f407/log.h"

#include "mete/core/platform.h"
#include "mete/core/text.h"
#include "port/board/board.h"
#include "port/cpu/start.h"
#include "port/io/rtt.h"

enum { RING_SIZE = 1024 };

// Not static: debug probes look for the name.
extern mete_rtt_t _SEGGER_RTT;
mete_rtt_t _SEGGER_RTT;

static mete_uart_t uart;

// The serial port never refuses for long, RTT only takes what somebody fetches: neither holds us up.
static size_t write(void *self, const void *bytes, size_t size)
{
    (void)self;
    (void)mete_rtt_write(&_SEGGER_RTT.up[0], bytes, size);
    return mete_uart_write(&uart, bytes, size);
}

const mete_sink_t mete_port_console = {write, NULL};

void log_init(void)
{
    static char ring[RING_SIZE];
    static const mete_rtt_config_t config = {
        .up = {{.name = "Terminal", .bytes = ring, .size = sizeof ring, .mode = METE_RTT_TRIM}},
    };
    mete_board_init();
    mete_uart_init(&uart, &mete_board.uart);
    mete_rtt_init(&_SEGGER_RTT, &config);
}

void log_text(const char *text)
{
    mete_text_string(mete_port_console, text);
}

void log_numbers(const char *text, const size_t *values)
{
    const char *start = text;
    const char *end = text;
    for (; *end != '\0'; end++) {
        if (*end == '#') {
            (void)mete_sink_write(mete_port_console, start, (size_t)(end - start));
            mete_text_decimal(mete_port_console, *values);
            values++;
            start = end + 1;
        }
    }
    (void)mete_sink_write(mete_port_console, start, (size_t)(end - start));
}

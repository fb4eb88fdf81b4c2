// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/io/uart.h"

void mete_uart_init(mete_uart_t *uart, const mete_uart_config_t *config)
{
    config->driver->start(config->base, config->divisor);
    uart->dropped_count = 0U;
    uart->config = config;
}

// We wait behind a byte, not in front of it: some ports say that one was sent, never that they are free.
static bool send(const mete_uart_config_t *config, uint8_t byte)
{
    config->driver->put(config->base, byte);
    for (uint32_t polls = 0U; polls < config->poll_count_max; polls++) {
        if (config->driver->is_ready(config->base)) {
            return true;
        }
    }
    return false;
}

size_t mete_uart_write(void *self, const void *bytes, size_t size)
{
    mete_uart_t *const uart = self;
    const uint8_t *const byte = bytes;
    size_t sent = 0U;
    while ((uart->config != NULL) && (sent < size) && send(uart->config, byte[sent])) {
        sent++;
    }
    uart->dropped_count += size - sent;
    return sent;
}

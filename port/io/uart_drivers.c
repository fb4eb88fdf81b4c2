// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Registers are named as in their manuals: Arm DDI 0479 (CMSDK), ST RM0090 (STM32F4), nRF51 Series
// Reference Manual, National Semiconductor PC16550D.

#include "port/io/uart.h"

static volatile uint32_t *word(uintptr_t base, uintptr_t offset)
{
    return (volatile uint32_t *)(base + offset);
}

static volatile uint8_t *byte_at(uintptr_t base, uintptr_t offset)
{
    return (volatile uint8_t *)(base + offset);
}

enum { CMSDK_DATA = 0x00, CMSDK_STATE = 0x04, CMSDK_CTRL = 0x08, CMSDK_BAUDDIV = 0x10 };
enum { CMSDK_STATE_TX_FULL = 1, CMSDK_CTRL_TX_ENABLE = 1 };

static void cmsdk_start(uintptr_t base, uint32_t divisor)
{
    *word(base, CMSDK_BAUDDIV) = divisor;
    *word(base, CMSDK_CTRL) = CMSDK_CTRL_TX_ENABLE;
}

static void cmsdk_put(uintptr_t base, uint8_t byte)
{
    *word(base, CMSDK_DATA) = byte;
}

static bool cmsdk_is_ready(uintptr_t base)
{
    return (*word(base, CMSDK_STATE) & CMSDK_STATE_TX_FULL) == 0U;
}

const mete_uart_driver_t mete_uart_cmsdk = {cmsdk_start, cmsdk_put, cmsdk_is_ready};

enum { STM32_SR = 0x00, STM32_DR = 0x04, STM32_BRR = 0x08, STM32_CR1 = 0x0C };
enum { STM32_SR_TXE = 1 << 7, STM32_CR1_TE = 1 << 3, STM32_CR1_UE = 1 << 13 };

static void stm32_start(uintptr_t base, uint32_t divisor)
{
    *word(base, STM32_BRR) = divisor;
    *word(base, STM32_CR1) = STM32_CR1_UE | STM32_CR1_TE;
}

static void stm32_put(uintptr_t base, uint8_t byte)
{
    *word(base, STM32_DR) = byte;
}

static bool stm32_is_ready(uintptr_t base)
{
    return (*word(base, STM32_SR) & STM32_SR_TXE) != 0U;
}

const mete_uart_driver_t mete_uart_stm32 = {stm32_start, stm32_put, stm32_is_ready};

enum { NRF51_STARTTX = 0x008, NRF51_TXDRDY = 0x11C, NRF51_ENABLE = 0x500, NRF51_TXD = 0x51C };
enum { NRF51_BAUDRATE = 0x524, NRF51_ENABLE_UART = 4 };

static void nrf51_start(uintptr_t base, uint32_t divisor)
{
    *word(base, NRF51_BAUDRATE) = divisor;
    *word(base, NRF51_ENABLE) = NRF51_ENABLE_UART;
    *word(base, NRF51_STARTTX) = 1U;
}

static void nrf51_put(uintptr_t base, uint8_t byte)
{
    *word(base, NRF51_TXDRDY) = 0U;
    *word(base, NRF51_TXD) = byte;
}

static bool nrf51_is_ready(uintptr_t base)
{
    return *word(base, NRF51_TXDRDY) != 0U;
}

const mete_uart_driver_t mete_uart_nrf51 = {nrf51_start, nrf51_put, nrf51_is_ready};

enum { PC_DATA = 0, PC_DIVISOR_LOW = 0, PC_DIVISOR_HIGH = 1, PC_FCR = 2, PC_LCR = 3, PC_LSR = 5 };
enum { PC_FCR_FIFO = 0x01, PC_LCR_8N1 = 0x03, PC_LCR_DIVISOR = 0x80, PC_LSR_TX_EMPTY = 0x20 };

static void pc_start(uintptr_t base, uint32_t divisor)
{
    *byte_at(base, PC_LCR) = PC_LCR_DIVISOR;
    *byte_at(base, PC_DIVISOR_LOW) = (uint8_t)divisor;
    *byte_at(base, PC_DIVISOR_HIGH) = (uint8_t)(divisor >> 8);
    *byte_at(base, PC_LCR) = PC_LCR_8N1;
    *byte_at(base, PC_FCR) = PC_FCR_FIFO;
}

static void pc_put(uintptr_t base, uint8_t byte)
{
    *byte_at(base, PC_DATA) = byte;
}

static bool pc_is_ready(uintptr_t base)
{
    return (*byte_at(base, PC_LSR) & PC_LSR_TX_EMPTY) != 0U;
}

const mete_uart_driver_t mete_uart_16550 = {pc_start, pc_put, pc_is_ready};

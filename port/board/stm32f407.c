// SPDX-License-Identifier: MIT OR Apache-2.0
//
// STM32F4DISCOVERY: the core runs from the internal oscillator, 16 MHz, as after reset. USART2 sends on
// PA2, which the debug probe of the newer boards passes on. Registers as in ST RM0090.

#include "port/board/board.h"

#define RCC_AHB1ENR (*(volatile uint32_t *)0x40023830U)
#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840U)
#define GPIOA_MODER (*(volatile uint32_t *)0x40020000U)
#define GPIOA_AFRL  (*(volatile uint32_t *)0x40020020U)

enum { PIN = 2, MODE_ALTERNATE = 2, FUNCTION_USART2 = 7 };

const mete_board_t mete_board = {
    .clock_hz = 16000000U,
    .uart = {.driver = &mete_uart_stm32,
             .base = 0x40004400U,
             .divisor = 139U,
             .poll_count_max = 1000000U},
};

void mete_board_init(void)
{
    RCC_AHB1ENR |= 1U << 0;   // GPIOA
    RCC_APB1ENR |= 1U << 17;  // USART2
    (void)RCC_APB1ENR;        // The clock is there two cycles later: this read takes them.
    GPIOA_AFRL = (GPIOA_AFRL & ~(0xFU << (4 * PIN))) | ((uint32_t)FUNCTION_USART2 << (4 * PIN));
    GPIOA_MODER = (GPIOA_MODER & ~(3U << (2 * PIN))) | ((uint32_t)MODE_ALTERNATE << (2 * PIN));
}

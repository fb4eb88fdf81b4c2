// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Registers as in ST RM0090.

#include "examples/stm32f407/led.h"

#include "examples/stm32f407/log.h"

#include <stdint.h>

#define RCC_AHB1ENR (*(volatile uint32_t *)0x40023830U)
#define GPIOD_MODER (*(volatile uint32_t *)0x40020C00U)
#define GPIOD_BSRR  (*(volatile uint32_t *)0x40020C18U)

enum { PIN = 12, MODE_OUTPUT = 1 };

void led_init(void)
{
    RCC_AHB1ENR |= 1U << 3;  // GPIOD
    (void)RCC_AHB1ENR;       // The clock is there two cycles later: this read takes them.
    GPIOD_MODER = (GPIOD_MODER & ~(3U << (2 * PIN))) | ((uint32_t)MODE_OUTPUT << (2 * PIN));
}

void led_set(bool is_on)
{
    GPIOD_BSRR = is_on ? 1U << PIN : 1U << (PIN + 16);
    log_text(is_on ? "LED: on\n" : "LED: off\n");
}

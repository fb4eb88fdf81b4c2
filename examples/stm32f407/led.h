// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_LED_H
#define TOUR_LED_H

/// The green light of the STM32F4DISCOVERY, on PD12. Emulators show none, so it is logged as well.

#include <stdbool.h>

void led_init(void);

/// Switches the light and logs its state.
void led_set(bool is_on);

#endif

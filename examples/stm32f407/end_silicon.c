// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/stm32f407/end.h"

const bool tour_repeats = true;

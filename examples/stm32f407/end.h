// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_END_H
#define TOUR_END_H

#include <stdbool.h>

/// In silicon the tour starts again after each round; an emulator ends after one.
extern const bool tour_repeats;

#endif

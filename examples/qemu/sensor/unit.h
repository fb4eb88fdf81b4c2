// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_UNIT_H
#define SENSOR_UNIT_H

#include "mete/core/mpu.h"
#include "mete/core/span.h"

/// The protection unit, all for the simulated banks, which lie in `arena`. unit_*.c: one for each kind.
mete_mpu_t unit_init(mete_span_t arena);

#endif

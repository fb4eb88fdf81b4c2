// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_NODE_H
#define SENSOR_NODE_H

/// What the node is for: it samples three channels, filters and calibrates them, and collects readings in batches.

#include "examples/qemu/sensor/batch.h"

bool node_init(void);

/// One sample of each channel. False: there is no memory for it.
bool node_sample(void);

/// Completes the batch that is being filled, and hands it to the radio. Does nothing if there is none.
bool node_close(void);

/// True if the calibration is what it was at the start.
bool node_check(void);

/// Of all readings so far.
const batch_sum_t *node_sum(void);

#endif

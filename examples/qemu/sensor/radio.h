// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_RADIO_H
#define SENSOR_RADIO_H

/// Sends batches, one after the other, each until it is acknowledged. Packets live in a bank of their own, which loses its contents
/// while none is under way.

#include "mete/alloc/movable.h"

#include <stdbool.h>

/// A batch that is complete. Its bytes lie in the store.
typedef struct batch {
    mete_movable_handle_t bytes;
    uint32_t size;
    uint32_t crc;  ///< As it was when they were written.
} batch_t;

bool radio_init(void);

/// Takes a batch over. False: there are too many, and it was freed.
bool radio_append(batch_t batch);

/// Batches not yet acknowledged.
size_t radio_waiting(void);

/// Sends what waits, if the gateway is on, but no more than `packet_max` batches.
void radio_send(size_t packet_max);

/// True if there is no packet, and nothing was refused.
bool radio_is_clean(void);

#endif

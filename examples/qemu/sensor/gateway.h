// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_GATEWAY_H
#define SENSOR_GATEWAY_H

/// The other end of the air: a gateway that is switched off for eight hours each night, and air that loses packets and acknowledgements.

#include "examples/qemu/sensor/batch.h"
#include "mete/object/netbuf.h"

typedef struct gateway {
    batch_sum_t sum;  ///< Of what was received.
    uint32_t batch_count;
    uint32_t air_count;   ///< Packets sent;
    uint32_t lost_count;  ///< of these, lost on their way;
    uint32_t unacknowledged_count;
    uint32_t repeated_count;  ///< received once more.
    uint32_t wrong_count;     ///< Damaged, out of turn or not to be read.
} gateway_t;

extern gateway_t gateway;

void gateway_init(void);

/// Whether it is on.
bool gateway_is_on(uint32_t now_ms);

/// Takes a packet and its reference. True: it is acknowledged.
bool gateway_receive(mete_netbuf_t *packet);

#endif

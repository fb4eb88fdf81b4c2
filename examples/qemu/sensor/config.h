// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_CONFIG_H
#define SENSOR_CONFIG_H

// METE_CONFIG_HEADER of the sensor: a fault is counted, and the call returns. There must be none, but when one is provoked.

void sensor_fault(void);

#define METE_FAULT(fault, object, address) \
    ((void)(fault), (void)(object), (void)(address), sensor_fault())

#endif

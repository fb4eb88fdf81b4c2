// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_BATCH_H
#define SENSOR_BATCH_H

/// How readings are written into a batch: each as what it differs from the one before in its channel, in as few bytes as
/// that takes. And the sum over all readings that sender and receiver compare in the end.

#include "mete/core/crc.h"

#include <stdbool.h>

enum { CHANNEL_COUNT = 3, BATCH_SAMPLES = 30, READING_SIZE_MAX = 5 };

/// Most bytes of a batch.
#define BATCH_SIZE_MAX ((size_t)BATCH_SAMPLES * CHANNEL_COUNT * READING_SIZE_MAX)

/// What goes in front of a batch when it is sent.
typedef struct batch_header {
    uint32_t number;  ///< Batches are counted.
    uint32_t size;    ///< Bytes,
    uint32_t crc;     ///< and their CRC.
} batch_header_t;

/// Readings, as they are written or read.
typedef struct batch_sum {
    int32_t last[CHANNEL_COUNT];  ///< In this batch; 0 at its start.
    uint32_t count;               ///< In all batches,
    uint32_t crc;                 ///< and the CRC of their values.
} batch_sum_t;

/// A batch begins.
void batch_begin(batch_sum_t *sum);

/// Writes the next reading, up to READING_SIZE_MAX bytes; returns how many.
size_t batch_write(batch_sum_t *sum, unsigned char *to, int32_t value);

/// Reads a whole batch. False: it does not end with a reading, or not with a whole sample.
bool batch_read(batch_sum_t *sum, const unsigned char *from, size_t size);

#endif

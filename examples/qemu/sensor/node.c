// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The calibration lives for good and a batch for minutes to hours, in the store both: they are pinned while they are used, and moved
// whenever that lets a bank sleep.

#include "examples/qemu/sensor/node.h"

#include "examples/qemu/sensor/memory.h"
#include "examples/qemu/sensor/radio.h"
#include "mete/object/fixed.h"

enum {
    WINDOW = 5,                                      // Samples that the filter looks at.
    STEP_COUNT = 64,                                 // Of the calibration,
    STEP_SHIFT = 6,                                  // each for so many values.
    SAMPLE_MS = 20,                                  // To be busy with a sample.
    GROWTH = 32,                                     // Bytes by which a batch grows,
    SAMPLE_SIZE = CHANNEL_COUNT * READING_SIZE_MAX,  // so that this fits.
    SAMPLES_PER_DAY = 8640,
    VALUE_MAX = 4095
};

METE_FIXED_VECTOR(window, int32_t, WINDOW);

static window_t windows[CHANNEL_COUNT];
static uint32_t sample_count;
static uint32_t noise;
static mete_movable_handle_t calibration;
static uint32_t calibration_crc;
static batch_sum_t sum;
static batch_t batch;  // Being filled, if it has bytes.
static uint32_t capacity;

// ---- What a sensor would say

// Up and down once a day, with noise, and now and then a value that is nonsense.
static int32_t sense(size_t channel)
{
    noise = (noise * 1664525U) + 1013904223U;
    const uint32_t moment = (sample_count + ((uint32_t)channel * 1000U)) % SAMPLES_PER_DAY;
    const uint32_t half = SAMPLES_PER_DAY / 2U;
    const uint32_t slope = (moment < half) ? moment : SAMPLES_PER_DAY - moment;
    const bool is_nonsense = (noise >> 16) % 97U == 0U;
    return is_nonsense ? VALUE_MAX : (int32_t)(200U + (slope / 2U) + ((noise >> 24) % 256U));
}

// ---- Filter

// The median of the last few.
static int32_t filter(window_t *window, int32_t value)
{
    if (window_is_full(window)) {
        (void)window_remove(window, 0U);
    }
    (void)window_append(window, value);
    window_t sorted = {.count = 0U};
    for (size_t i = 0U; i < window->count; i++) {
        size_t place = 0U;
        while ((place < sorted.count) && (sorted.items[place] < window->items[i])) {
            place++;
        }
        (void)window_insert(&sorted, place, window->items[i]);
    }
    return sorted.items[sorted.count / 2U];
}

static bool open_calibration(void)
{
    calibration = mete_movable_alloc(&store, STEP_COUNT * sizeof(int16_t));
    int16_t *const steps = memory_pin(calibration);
    if (steps == NULL) {
        return false;
    }
    for (size_t i = 0U; i < STEP_COUNT; i++) {
        steps[i] = (int16_t)((int)((i * 37U) % 21U) - 10);
    }
    calibration_crc = mete_crc32(0U, steps, STEP_COUNT * sizeof(int16_t));
    mete_movable_unpin(&store, calibration);
    return true;
}

bool node_check(void)
{
    const void *const steps = memory_pin(calibration);
    if (steps == NULL) {
        return false;
    }
    const uint32_t crc = mete_crc32(0U, steps, STEP_COUNT * sizeof(int16_t));
    mete_movable_unpin(&store, calibration);
    return crc == calibration_crc;
}

// ---- Batches

static bool open_batch(void)
{
    batch = (batch_t){mete_movable_alloc(&store, GROWTH), 0U, 0U};
    capacity = GROWTH;
    batch_begin(&sum);
    return mete_movable_has(&store, batch.bytes);
}

// Its banks must be awake, for it may have to be moved.
static bool make_room(void)
{
    if (!mete_movable_has(&store, batch.bytes)) {
        return open_batch();
    }
    if (batch.size + SAMPLE_SIZE <= capacity) {
        return true;
    }
    if (memory_pin(batch.bytes) == NULL) {
        return false;
    }
    mete_movable_unpin(&store, batch.bytes);
    capacity += GROWTH;
    return mete_movable_resize(&store, batch.bytes, capacity);
}

static void append(unsigned char *bytes, int32_t value)
{
    const size_t size = batch_write(&sum, bytes + batch.size, value);
    batch.crc = mete_crc32(batch.crc, bytes + batch.size, size);
    batch.size += (uint32_t)size;
}

bool node_close(void)
{
    if (!mete_movable_has(&store, batch.bytes)) {
        return true;
    }
    const bool is_cut = mete_movable_resize(&store, batch.bytes, batch.size);
    const bool is_taken = radio_append(batch);
    batch.bytes = METE_MOVABLE_NONE;
    return is_cut && is_taken;
}

// ---- Samples

bool node_init(void)
{
    for (size_t i = 0U; i < CHANNEL_COUNT; i++) {
        window_reset(&windows[i]);
    }
    sample_count = 0U;
    noise = 1U;
    sum = (batch_sum_t){.count = 0U};
    batch.bytes = METE_MOVABLE_NONE;
    return open_calibration();
}

static bool fill(const int16_t *steps)
{
    unsigned char *const bytes = memory_pin(batch.bytes);
    if (bytes == NULL) {
        return false;
    }
    for (size_t i = 0U; i < CHANNEL_COUNT; i++) {
        const int32_t value = filter(&windows[i], sense(i));
        append(bytes, value + steps[value >> STEP_SHIFT]);
    }
    mete_movable_unpin(&store, batch.bytes);
    return true;
}

bool node_sample(void)
{
    memory_work(SAMPLE_MS);
    const int16_t *const steps = memory_pin(calibration);
    if (steps == NULL) {
        return false;
    }
    const bool is_filled = make_room() && fill(steps);
    mete_movable_unpin(&store, calibration);
    sample_count++;
    const bool is_complete = sample_count % BATCH_SAMPLES == 0U;
    return is_filled && (!is_complete || node_close());
}

const batch_sum_t *node_sum(void)
{
    return &sum;
}

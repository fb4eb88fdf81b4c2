// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_RECORDER_H
#define METE_TEST_RECORDER_H

/// A driver that takes down what it is told.

#include "mete/core/mpu.h"

typedef struct recorder {
    mete_mpu_unit_t unit;  // First: a driver's object begins with it.
    size_t commits;
    size_t commits_when_enabled;
    const mete_mpu_image_t *images;
    size_t image_count;
    bool has_background;
    bool is_enabled;
} recorder_t;

static void recorder_commit(void *self, const mete_mpu_image_t *given, size_t image_count,
                            bool has_background)
{
    recorder_t *const recorder = (recorder_t *)self;
    recorder->commits++;
    recorder->images = given;
    recorder->image_count = image_count;
    recorder->has_background = has_background;
}

static void recorder_enable(void *self)
{
    recorder_t *const recorder = (recorder_t *)self;
    recorder->is_enabled = true;
    recorder->commits_when_enabled = recorder->commits;
}

static void recorder_disable(void *self)
{
    ((recorder_t *)self)->is_enabled = false;
}

static const mete_mpu_ops_t recorder_armv7m = {METE_MPU_ARMV7M, recorder_commit, recorder_enable,
                                               recorder_disable};
static const mete_mpu_ops_t recorder_armv8m = {METE_MPU_ARMV8M, recorder_commit, recorder_enable,
                                               recorder_disable};

#endif

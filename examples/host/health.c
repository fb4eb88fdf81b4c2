// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A heap that is looked after: when it gets full a cached picture is thrown away, and when that is not enough
// any more, only what matters is served.

#include "mete/system/health_sources.h"

#include <stdio.h>

enum { LOGGING = 1, CONTROL = 2, PICTURE_SIZE = 2100, LINE_SIZE = 250 };

METE_HEAP_DEFINE(app, 8192);

static mete_alloc_t alloc;
static void *picture;
static uint32_t running = LOGGING;  // An operating system would know which task runs.

static bool drop_picture(void *self, const mete_health_rule_t *rule)
{
    (void)self;
    (void)rule;
    void *const dropped = picture;
    picture = NULL;
    mete_release(alloc, dropped, PICTURE_SIZE, 8U);
    return dropped != NULL;
}

static uint32_t priority(void *self)
{
    return *(const uint32_t *)self;
}

int main(void)
{
    static const mete_health_rule_t rules[] = {
        {METE_HEALTH_USAGE, 800U, 600U, METE_HEALTH_PURGE, 0U},
        {METE_HEALTH_USAGE, 800U, 600U, METE_HEALTH_REFUSE, CONTROL},
    };
    static const mete_health_config_t config = {.rules = rules,
                                                .rule_count = 2U,
                                                .purge = {drop_picture, NULL},
                                                .interval = 1U,
                                                .priority = priority,
                                                .priority_self = &running};
    static mete_health_t health;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    const mete_health_source_t source = {mete_health_read_heap, heap};
    (void)mete_health_init(&health, mete_heap_as_alloc(heap), &source, 1U, &config);
    alloc = mete_health_as_alloc(&health);
    picture = mete_acquire(alloc, PICTURE_SIZE, 8U);
    size_t line_count = 0U;
    while (mete_acquire(alloc, LINE_SIZE, 1U) != NULL) {
        line_count++;
    }
    running = CONTROL;
    printf("%zu lines; the picture is %s; control is %s\n", line_count,
           (picture == NULL) ? "gone" : "there",
           (mete_acquire(alloc, 1000U, 8U) != NULL) ? "served" : "starved");
    return (mete_health_refusals(&health) == 1U) ? 0 : 1;
}

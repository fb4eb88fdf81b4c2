// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VERIFY_SCHEDULES_H
#define METE_VERIFY_SCHEDULES_H

/// What tests that explore schedules share: a table of scenes, run in every schedule of two threads, and of
/// three that change hands up to three times where they need not; without --full, in those with fewer changes.
///
///     NAME.l1 [--full] [--figures FILE]

#include "tests/support/tap.h"
#include "tests/verify/explorer.h"

#include <stdio.h>
#include <string.h>

// Preemptions: of three threads, in the long form, and of two and of three in the short one.
enum { OF_THREE = 3, OF_TWO_SHORT = 4, OF_THREE_SHORT = 2 };
#define ALL SIZE_MAX

static struct {
    const explorer_scene_t *scenes;
    size_t scene_count;
    bool is_full;
    const char *figures;  // A file, or NULL.
    uint64_t schedule_count;
} schedules;

/// Takes the table and what the command line says.
static inline void schedules_init(const explorer_scene_t *scenes, size_t scene_count, int count,
                                  char **arguments)
{
    schedules.scenes = scenes;
    schedules.scene_count = scene_count;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--full") == 0) {
            schedules.is_full = true;
        } else if ((strcmp(arguments[i], "--figures") == 0) && (i + 1 < count)) {
            schedules.figures = arguments[++i];
        }
    }
}

static inline explorer_result_t schedules_run_scene(const explorer_scene_t *scene)
{
    explorer_scene_t shorter = *scene;
    shorter.preemptions_max = (scene->thread_count == 2U) ? OF_TWO_SHORT : OF_THREE_SHORT;
    const explorer_result_t result = explorer_run(schedules.is_full ? scene : &shorter);
    if (!result.is_good) {
        (void)printf("# %s: %s, after the steps %s\n", scene->name, explorer_complaint,
                     explorer_trace);
    }
    return result;
}

/// Every schedule of every scene is good.
static inline void schedules_run(void)
{
    for (size_t i = 0U; i < schedules.scene_count; i++) {
        const explorer_scene_t *const scene = &schedules.scenes[i];
        const explorer_result_t result = schedules_run_scene(scene);
        EXPECT(result.is_good);
        schedules.schedule_count += result.schedules;
        (void)printf("# %-42s %10llu schedules of up to %zu steps\n", scene->name,
                     (unsigned long long)result.schedules, result.steps_max);
    }
}

/// True if with these bugs one scene at least goes wrong.
static inline bool schedules_find(explorer_seeds_t seeds)
{
    bool is_found = false;
    explorer_seeds = seeds;
    for (size_t i = 0U; (i < schedules.scene_count) && !is_found; i++) {
        is_found = !schedules_run_scene(&schedules.scenes[i]).is_good;
    }
    explorer_seeds = (explorer_seeds_t){0};
    return is_found;
}

/// Writes how many schedules were run, if that was asked for, and finishes. The result is that of main().
static inline int schedules_finish(const char *figure)
{
    FILE *const file = (schedules.figures != NULL) ? fopen(schedules.figures, "w") : NULL;
    if (file != NULL) {
        (void)fprintf(file, "{\"%s\": %llu}\n", figure,
                      (unsigned long long)schedules.schedule_count);
    }
    if ((schedules.figures != NULL) && ((file == NULL) || (fclose(file) != 0))) {
        perror(schedules.figures);
        return 2;
    }
    return tap_finish();
}

#endif

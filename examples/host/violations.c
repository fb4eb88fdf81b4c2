// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Three tasks do what they must not: read what is another's, run over their stack, follow NULL. Each is judged by its
// plan, told and killed. Here a decoder's words are made up; in a kernel they come from port/cpu/.

#include "mete/system/violations.h"
#include "mete/protect/plan_armv7m.h"

#include <stdio.h>

enum { RW = METE_ACCESS_READ | METE_ACCESS_WRITE, SECRETS = 0x20004000, STACK = 0x20008000 };

static void on_event(void *self, const mete_event_t *event)  // An audit log, say.
{
    (void)self;
    printf("%s: ", (event->size == METE_FAULT_OVERFLOW) ? "a stack ran over" : "no access");
}

static mete_map_region_t table[2];
static const mete_map_config_t map_config = {table, 2U};
static mete_map_t map;
static const mete_violations_config_t config = {.map = &map, .observer = {on_event, NULL}};
static mete_violations_t violations;

static const mete_plan_wish_t wishes[] = {
    {"stack", STACK + 32U, STACK + 0xFFFU, {RW, RW}, METE_MPU_CACHED, 0U}};
static mete_plan_share_t shares[1];
static mete_mpu_image_t images[8];
static mete_plan_range_t ranges[8];
static const mete_plan_config_t plan_config = {
    &mete_plan_armv7m, wishes, 1U, shares, images, ranges, 8U, true};
static mete_plan_t plan;

static const char *const words[] = {"unknown", "null", "overflow", "denied", "allowed"};

static void violate(const char *name, uintptr_t address, uint8_t access)
{
    const mete_violations_task_t task = {name, &plan, {(void *)(uintptr_t)STACK, 32U}};
    const mete_violation_t what = {
        .kind = METE_VIOLATION_DATA, .known = 7U, .access = access, .address = address};
    const bool is_killed =
        mete_violations_handle(&violations, &what, &task) == METE_VIOLATIONS_KILL;
    const mete_violations_report_t *const last = mete_violations_last(&violations);
    printf("%s: %s, memory of %s; %s\n", name, words[last->verdict],
           (last->region != NULL) ? last->region->name : "nobody",
           is_killed ? "killed" : "goes on");
}

int main(void)
{
    const mete_map_region_t secrets = {.name = "secrets", .start = SECRETS, .size = 4096U};
    bool is_ready = mete_map_init(&map, &map_config) && mete_violations_init(&violations, &config);
    is_ready = is_ready && (mete_map_add(&map, &secrets).verdict == METE_MAP_ADDED) &&
               (mete_plan_init(&plan, &plan_config).verdict == METE_PLAN_FITS);
    violate("reader", SECRETS + 4U, METE_ACCESS_READ);
    violate("deep", STACK + 28U, METE_ACCESS_WRITE);
    violate("careless", 8U, METE_ACCESS_WRITE);
    return (is_ready && (mete_violations_count(&violations) == 3U)) ? 0 : 1;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Who was refused, and who ran: a log in a ring that shows when somebody has changed it. Only the numbers are
// printed, for addresses differ from run to run; mete_audit_report() has everything.

#include "mete/system/audit.h"
#include "mete/alloc/heap.h"
#include "mete/wrap/track.h"

#include <stdio.h>

METE_HEAP_DEFINE(app, 4096);

static uint32_t running;
static mete_audit_entry_t entries[6];
static mete_audit_t audit;

static uint32_t who(void *self)
{
    return *(const uint32_t *)self;
}

static void run(uint32_t task)
{
    const mete_event_t event = {METE_EVENT_SWITCH, NULL, NULL, task, NULL};
    mete_audit_note(&audit, &event);
    running = task;
}

static bool print(void *self, const mete_audit_entry_t *entry)
{
    static const char *const names[] = {[METE_EVENT_ACQUIRE] = "acquires",
                                        [METE_EVENT_RELEASE] = "releases",
                                        [METE_EVENT_REFUSE] = "is refused",
                                        [METE_EVENT_SWITCH] = "makes way for"};
    (void)self;
    printf("%u: task %u %s %zu\n", entry->number, entry->owner, names[entry->kind], entry->size);
    return true;
}

int main(void)
{
    static const mete_audit_config_t config = {
        .entries = entries, .entry_count = 6U, .owner = who, .owner_self = &running};
    static mete_track_config_t track_config;
    static mete_track_t track;
    (void)mete_audit_init(&audit, &config);
    track_config.observer = mete_audit_as_observer(&audit);
    (void)mete_track_init(&track, mete_heap_as_alloc(mete_heap_init(&app_config)), &track_config);
    const mete_alloc_t alloc = mete_track_as_alloc(&track);
    void *const block = mete_acquire(alloc, 40U, 8U);
    run(3U);
    mete_release(alloc, block, 40U, 8U);
    (void)mete_acquire(alloc, 9000U, 8U);
    (void)mete_audit_walk(&audit, print, NULL);
    entries[3].owner = 0U;  // "It was not me."
    printf("%zu of %zu are sound\n", mete_audit_verify(&audit), mete_audit_count(&audit));
    return mete_audit_check(&audit) ? 1 : 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What an event costs that is kept with a CRC: the ring goes round many times.

#include "mete/system/audit.h"
#include "bench/probe.h"

enum { ENTRY_COUNT = 16, EVENTS = 200 };

PROBE(mete_audit_note);
void probe_mete_audit_note(mete_audit_t *audit, const mete_event_t *event);

int main(void)
{
    static mete_audit_entry_t entries[ENTRY_COUNT];
    static const mete_audit_config_t config = {.entries = entries, .entry_count = ENTRY_COUNT};
    static mete_audit_t audit;
    start_phase("audit");
    (void)mete_audit_init(&audit, &config);
    for (uint32_t i = 0U; i < EVENTS; i++) {
        const mete_event_t event = {METE_EVENT_ACQUIRE, &audit, &entries[3], i, &config};
        probe_mete_audit_note(&audit, &event);
    }
    return 0;
}

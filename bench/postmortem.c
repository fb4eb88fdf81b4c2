// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What it costs to note a refusal: two passes of the CRC, and a copy.

#include "mete/system/postmortem.h"
#include "bench/probe.h"

enum { NOTES = 20 };

PROBE(mete_postmortem_note_refusal);
void probe_mete_postmortem_note_refusal(mete_postmortem_t *postmortem, size_t size,
                                        const void *caller);

int main(void)
{
    static mete_postmortem_store_t store;
    static const mete_postmortem_config_t config = {.store = &store};
    static mete_postmortem_t postmortem;
    start_phase("postmortem");
    (void)mete_postmortem_init(&postmortem, &config);
    for (uint32_t i = 0U; i < NOTES; i++) {
        probe_mete_postmortem_note_refusal(&postmortem, i, &config);
    }
    return 0;
}

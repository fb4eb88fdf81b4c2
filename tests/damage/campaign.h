// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DAMAGE_CAMPAIGN_H
#define METE_DAMAGE_CAMPAIGN_H

/// The damage campaign: spoils an allocator's bookkeeping in every way of a class, each in turn, and
/// counts what became of it.

#include "tests/damage/world.h"

typedef struct campaign_tally {
    uint64_t flips[FILL_COUNT][DAMAGE_KIND_COUNT][WORLD_VERDICT_COUNT];
    uint64_t
        overruns[WORLD_VERDICT_COUNT];  ///< HARMLESS: nothing was noticed, SILENT: payload changed.
    uint64_t absorbed;  ///< Overruns that changed nothing but unused bytes of the block itself.
    uint64_t refused;   ///< Silent flips, not with copies, where all that happened is a refusal.
    uint64_t
        spoilt;  ///< Flips where the call that reported them changed the block it was called for.
    uint64_t
        failures;  ///< States that could not be reached, or where the undamaged allocator failed.
} campaign_tally_t;

/// What is done. A campaign is the states 0 ... count - 1; each depends on these alone.
typedef struct campaign_plan {
    const damage_subject_t *subject;
    uint32_t search;
    bool has_overruns;
} campaign_plan_t;

extern const char *const campaign_fill_names[FILL_COUNT];
extern const char *const campaign_kind_names[DAMAGE_KIND_COUNT];
extern const char *const campaign_verdict_names[WORLD_VERDICT_COUNT];

/// Takes one state through all fills: flips every bit of every word of bookkeeping; then overruns
/// every live block. Adds to `tally`. Prints every case that is silent, wild or hung, with what is
/// needed to see it again; of silent ones with copies only the count is kept.
void campaign_state(const campaign_plan_t *plan, uint32_t state, campaign_tally_t *tally);

/// Flips of a verdict, in all kinds of words.
uint64_t campaign_flips(const campaign_tally_t *tally, world_fill_t fill, world_verdict_t verdict);

#endif

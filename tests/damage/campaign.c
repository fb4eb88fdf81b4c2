// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/damage/campaign.h"

#include <stdio.h>

enum { WORD_MAX = 4096, OVERRUN_MAX = 16 };

const char *const campaign_fill_names[FILL_COUNT] = {"zeros", "random", "copies"};
const char *const campaign_verdict_names[WORLD_VERDICT_COUNT] = {
    "harmless", "displaced", "detected", "silent", "wild", "hung"};
const char *const campaign_kind_names[DAMAGE_KIND_COUNT] = {
    [DAMAGE_LIVE_SIZE] = "live.size",
    [DAMAGE_LIVE_BEFORE] = "live.before",
    [DAMAGE_FREE_SIZE] = "free.size",
    [DAMAGE_FREE_BEFORE] = "free.before",
    [DAMAGE_FREE_NEXT] = "free.next",
    [DAMAGE_FREE_BACK] = "free.back",
    [DAMAGE_END] = "end",
    [DAMAGE_BIN_NEXT] = "bin.next",
    [DAMAGE_BIN_BACK] = "bin.back",
    [DAMAGE_MAP] = "map",
    [DAMAGE_POOL_LIVE] = "pool.live",
    [DAMAGE_POOL_FREE] = "pool.free",
    [DAMAGE_LIVE_TAG] = "live.tag",
    [DAMAGE_FREE_TAG] = "free.tag",
    [DAMAGE_TREE_LIVE] = "tree.live",
    [DAMAGE_TREE_INSIDE] = "tree.inside",
    [DAMAGE_TREE_FREE] = "tree.free",
    [DAMAGE_TREE_ABOVE] = "tree.above",
    [DAMAGE_POOL_TOP] = "pool.top",
    [DAMAGE_SLAB_LIVE] = "slab.live",
    [DAMAGE_SLAB_FREE] = "slab.free",
    [DAMAGE_SLAB_HEAD] = "slab.head",
    [DAMAGE_SLAB_NEXT] = "slab.next",
    [DAMAGE_SLOT_TAG] = "slot.tag",
    [DAMAGE_SLOT_ADDRESS] = "slot.address",
    [DAMAGE_SLOT_EXTENT] = "slot.extent",
    [DAMAGE_SLOT_LINK] = "slot.link",
    [DAMAGE_SPARE_TAG] = "spare.tag",
    [DAMAGE_SPARE_LINK] = "spare.link",
    [DAMAGE_TRACK_LINKS] = "track.links",
    [DAMAGE_TRACK_NOTES] = "track.notes",
    [DAMAGE_TRACK_SIZE] = "track.size",
    [DAMAGE_TRACK_CHECK] = "track.check",
    [DAMAGE_GUARD_LINKS] = "guard.links",
    [DAMAGE_GUARD_EXTENT] = "guard.extent",
    [DAMAGE_GUARD_HEAD] = "guard.head",
    [DAMAGE_GUARD_TAIL] = "guard.tail",
    [DAMAGE_HELD_LINKS] = "held.links",
    [DAMAGE_HELD_EXTENT] = "held.extent",
    [DAMAGE_HELD_HEAD] = "held.head",
    [DAMAGE_HELD_TAIL] = "held.tail",
    [DAMAGE_QUOTA_RECORD] = "quota.record",
    [DAMAGE_QUOTA_ACCOUNT] = "quota.account",
    [DAMAGE_DEFER_RECORD] = "defer.record",
};
static const char *const harm_names[] = {
    [HARM_NONE] = "",
    [HARM_PAYLOAD] = ": a payload changed",
    [HARM_OVERLAP] = ": a block that is not free was handed out",
    [HARM_REFUSED] = ": a request was refused that can be served",
};

static void print_case(const campaign_plan_t *plan, uint32_t state, world_fill_t fill,
                       const damage_word_t *word, size_t bit, world_verdict_t verdict)
{
    printf("# %s: %s, search %u, state %u, %s, %s at offset %zu, bit %zu%s, step %zu\n",
           campaign_verdict_names[verdict], plan->subject->name, (unsigned)plan->search,
           (unsigned)state, campaign_fill_names[fill], campaign_kind_names[word->kind],
           (size_t)(word->address - (unsigned char *)world_arena.start), bit,
           (verdict == WORLD_SILENT) ? harm_names[world_harm] : "", world_step);
}

// What a free list skips in a pool or slab, what a copy of a header hides, where a block that can be moved
// is said to lie, what a node of the buddy promises, and what an account holds, is counted only.
static bool is_counted_only(damage_kind_t kind)
{
    switch (kind) {
    case DAMAGE_POOL_FREE:
    case DAMAGE_POOL_TOP:
    case DAMAGE_SLAB_FREE:
    case DAMAGE_SLAB_HEAD:
    case DAMAGE_SLOT_ADDRESS:
    case DAMAGE_SPARE_LINK:
    case DAMAGE_TREE_LIVE:
    case DAMAGE_TREE_INSIDE:
    case DAMAGE_TREE_FREE:
    case DAMAGE_TREE_ABOVE:
    case DAMAGE_QUOTA_ACCOUNT:
        return true;
    default:
        return false;
    }
}

static bool is_reported(const damage_word_t *word, world_fill_t fill, world_verdict_t verdict)
{
    const bool is_expected = (fill == FILL_COPIES) || is_counted_only(word->kind);
    return (verdict > WORLD_SILENT) || ((verdict == WORLD_SILENT) && !is_expected);
}

static void flip_word(const campaign_plan_t *plan, uint32_t state, world_fill_t fill,
                      const damage_word_t *word, campaign_tally_t *tally)
{
    for (size_t bit = 0U; bit < 8U * word->size; bit++) {
        world_restore();
        word->address[bit / 8U] ^= (unsigned char)(1U << (bit % 8U));
        const world_verdict_t verdict = world_run(true);
        tally->flips[fill][word->kind][verdict]++;
        const bool is_refused = (verdict == WORLD_SILENT) && (world_harm == HARM_REFUSED);
        tally->refused += (is_refused && (fill != FILL_COPIES)) ? 1U : 0U;
        tally->spoilt += ((verdict == WORLD_DETECTED) && (world_harm != HARM_NONE)) ? 1U : 0U;
        if (is_reported(word, fill, verdict)) {
            print_case(plan, state, fill, word, bit, verdict);
        }
    }
}

static void flip_words(const campaign_plan_t *plan, uint32_t state, world_fill_t fill,
                       campaign_tally_t *tally)
{
    static damage_word_t words[WORD_MAX];
    world_restore();
    const size_t count = plan->subject->list_words(words, WORD_MAX);
    for (size_t i = 0U; i < count; i++) {
        flip_word(plan, state, fill, &words[i], tally);
    }
}

// Writes past the end of a block what its payload is made of, as a loop that runs too far does.
static void overrun(const world_slot_t *held, size_t excess)
{
    const size_t left = (size_t)((unsigned char *)world_arena.start + world_arena.size -
                                 (held->start + held->size));
    for (size_t i = 0U; (i < excess) && (i < left); i++) {
        held->start[held->size + i] = held->start[i % held->size];
    }
}

static void overrun_block(const campaign_plan_t *plan, uint32_t state, world_fill_t fill,
                          const damage_block_t *block, campaign_tally_t *tally)
{
    for (size_t excess = 1U; excess <= OVERRUN_MAX; excess++) {
        world_restore();
        overrun(world_slot_at(block->start), excess);
        if (world_is_same_but(block->start, block->size)) {
            tally->absorbed++;
            continue;
        }
        const world_verdict_t verdict = world_run(false);
        tally->overruns[verdict]++;
        if (verdict > WORLD_SILENT) {
            printf("# %s: %s, search %u, state %u, %s, overrun by %zu at offset %zu, step %zu\n",
                   campaign_verdict_names[verdict], plan->subject->name, (unsigned)plan->search,
                   (unsigned)state, campaign_fill_names[fill], excess,
                   (size_t)(block->start - (unsigned char *)world_arena.start), world_step);
        }
    }
}

static void overrun_blocks(const campaign_plan_t *plan, uint32_t state, world_fill_t fill,
                           campaign_tally_t *tally)
{
    static damage_block_t blocks[WORLD_BLOCK_MAX];
    world_restore();
    const size_t count = plan->subject->list_blocks(blocks, WORLD_BLOCK_MAX);
    for (size_t i = 0U; i < count; i++) {
        if (blocks[i].is_live) {
            overrun_block(plan, state, fill, &blocks[i], tally);
        }
    }
}

void campaign_state(const campaign_plan_t *plan, uint32_t state, campaign_tally_t *tally)
{
    const uint32_t seed = 2654435761U * (state + 1U);  // Not 0: the factor is odd.
    // What never looks into a block does not care what is in it.
    const int fill_count = (plan->subject->header_size != 0U) ? (int)FILL_COUNT : 1;
    bool is_good = world_build(plan->subject, plan->search, seed);
    for (int i = 0; (i < fill_count) && is_good; i++) {
        const world_fill_t fill = (world_fill_t)i;
        world_fill(fill, seed);
        is_good = world_record(seed);
        if (is_good) {
            flip_words(plan, state, fill, tally);
            if (plan->has_overruns) {
                overrun_blocks(plan, state, fill, tally);
            }
            world_restore();
        }
    }
    tally->failures += is_good ? 0U : 1U;
}

uint64_t campaign_flips(const campaign_tally_t *tally, world_fill_t fill, world_verdict_t verdict)
{
    uint64_t count = 0U;
    for (size_t kind = 0U; kind < DAMAGE_KIND_COUNT; kind++) {
        count += tally->flips[fill][kind][verdict];
    }
    return count;
}

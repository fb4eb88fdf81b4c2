// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Injects every kind of mistake, with every set of watchers. A line each, for tools/dev/inject:
//
//     # inject: kind; set; promised; injected; detected; placed; misreported
//
// and a test each, which fails if what is promised is not kept, or if anything is reported that was not injected.

#include "tests/inject/faults.h"
#include "tests/support/tap.h"

static const char *const set_names[SET_COUNT] = {"none", "guard", "track", "both", "all"};

typedef struct row {
    bool is_promised;
    size_t injected, detected, placed, misreported;
} row_t;

static void say(const char *text)
{
    mete_text_string(tap_sink, text);
}

static void say_cell(size_t number)
{
    say("; ");
    mete_text_decimal(tap_sink, number);
}

static void print_row(const fault_kind_t *kind, set_t set, const row_t *row)
{
    say("# inject: ");
    say(kind->name);
    say("; ");
    say(set_names[set]);
    say_cell(row->is_promised ? 1U : 0U);
    say_cell(row->injected);
    say_cell(row->detected);
    say_cell(row->placed);
    say_cell(row->misreported);
    say("\n");
}

static void inject(const fault_kind_t *kind, set_t set)
{
    static world_t world;
    const bool is_promised =
        ((kind->sets & (1U << set)) != 0U) && (METE_CHECK_LEVEL >= kind->level);
    row_t row = {.is_promised = is_promised};
    if (kind->is_only_if_seen && !is_promised) {
        return;
    }
    for (uint32_t i = 0U; i < INJECT_COUNT; i++) {
        world_build(&world, set, i + 1U);
        const outcome_t outcome = kind->inject(&world);
        row.injected++;
        row.detected += outcome.is_detected ? 1U : 0U;
        row.placed += outcome.is_placed ? 1U : 0U;
        row.misreported += outcome.misreported + world.unexpected;
    }
    print_row(kind, set, &row);
    EXPECT(!is_promised || (row.detected == row.injected));
    EXPECT(!is_promised || (row.placed == row.injected));
    EXPECT(row.misreported == 0U);
}

static const fault_kind_t *kind_now;

static void test_kind(void)
{
    for (int set = 0; set < SET_COUNT; set++) {
        inject(kind_now, (set_t)set);
    }
}

// The world is worked in, and all is in order: nobody reports anything.
static void test_nothing_is_reported_that_was_not_injected(void)
{
    static world_t world;
    for (uint32_t i = 0U; i < SET_COUNT * INJECT_COUNT; i++) {
        world_build(&world, (set_t)(i % SET_COUNT), 1000U + i);
        EXPECT(world.unexpected == 0U);
        EXPECT(!has_guard(&world) || mete_guard_check(&world_guard));
        EXPECT(!has_track(&world) || mete_track_check(&world_track));
        EXPECT(mete_heap_check(world.heap));
    }
}

int main(void)
{
    for (size_t i = 0U; i < fault_kind_count; i++) {
        kind_now = &fault_kinds[i];
        tap_run(test_kind, kind_now->name);
    }
    RUN(test_nothing_is_reported_that_was_not_injected);
    return tap_finish();
}

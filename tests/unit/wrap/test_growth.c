// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Growth of call sites, in a table that is small and gets full.

#include "mete/wrap/growth.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/page.h"

enum { SITE_MAX = 8 };

static mete_growth_site_t sites[SITE_MAX];
static mete_growth_t growth;
static page_t page;
static page_t wanted;

static const void *caller_at(size_t number)
{
    return (const void *)(uintptr_t)(0x08000461U + (0x1234U * number));
}

static void add_many(size_t caller, size_t count, size_t size)
{
    for (size_t i = 0U; i < count; i++) {
        EXPECT(mete_growth_add(&growth, caller_at(caller), size));
    }
}

// Marks over which a caller grew up to now; 0 if it is no site.
static uint32_t marks_of(size_t caller)
{
    const mete_growth_site_t *const site = find(&growth, caller_at(caller));
    return ((site != NULL) && is_taken(site)) ? site->mark_count : 0U;
}

static bool count_site(void *self, const mete_growth_site_t *site)
{
    (void)site;
    size_t *const count = self;
    (*count)++;
    return *count < 2U;
}

static size_t growing(uint32_t mark_min)
{
    page.size = 0U;
    return mete_growth_report(&growth, mark_min, page_sink(&page));
}

static void setup(void)
{
    EXPECT(mete_growth_init(&growth, sites, SITE_MAX));
}

static void test_init_refuses_a_table_that_is_missing_or_no_power_of_two(void)
{
    setup();
    growth.lost_count = 7U;
    EXPECT(!mete_growth_init(&growth, NULL, SITE_MAX));
    EXPECT(!mete_growth_init(&growth, sites, 0U) && !mete_growth_init(&growth, sites, 1U));
    EXPECT(!mete_growth_init(&growth, sites, 6U) && (growth.lost_count == 7U));
    EXPECT(mete_growth_init(&growth, sites, 2U) && (growth.lost_count == 0U));
}

static void test_a_site_that_rises_over_three_marks_is_told(void)
{
    setup();
    for (size_t mark = 1U; mark <= 4U; mark++) {
        add_many(0U, mark, 10U);       // Grows.
        add_many(1U, 5U, 10U);         // Does not.
        add_many(2U, mark % 2U, 10U);  // Goes up and down.
        mete_growth_mark(&growth);
        EXPECT((marks_of(0U) == mark) && (marks_of(1U) == 1U) && (marks_of(2U) <= 2U));
        EXPECT(growing(3U) == ((mark >= 3U) ? 1U : 0U));
    }
    EXPECT((growing(1U) == 3U) && (growing(5U) == 0U));
}

static void test_a_site_that_stands_still_begins_anew(void)
{
    setup();
    static const size_t counts[] = {1U, 2U, 3U, 3U, 4U, 2U, 3U, 4U};
    static const uint32_t marks[] = {1U, 2U, 3U, 1U, 2U, 1U, 2U, 3U};
    for (size_t i = 0U; i < sizeof counts / sizeof counts[0]; i++) {
        add_many(3U, counts[i], 1U);
        mete_growth_mark(&growth);
        EXPECT(marks_of(3U) == marks[i]);
    }
    mete_growth_mark(&growth);  // None is left: it stays in the table, and does not grow.
    EXPECT((marks_of(3U) == 1U) && (find(&growth, caller_at(3U))->count == 0U));
}

static void test_a_site_that_is_new_has_risen_over_one_mark(void)
{
    setup();
    mete_growth_mark(&growth);
    add_many(1U, 100U, 1U);
    EXPECT(marks_of(1U) == 0U);
    mete_growth_mark(&growth);
    EXPECT((marks_of(1U) == 1U) && (growing(2U) == 0U));
}

static void test_a_full_table_counts_what_it_cannot_hold(void)
{
    setup();
    for (size_t i = 0U; i < SITE_MAX; i++) {
        add_many(i, i + 1U, 1U);
    }
    for (size_t i = 0U; i < 3U; i++) {
        EXPECT(!mete_growth_add(&growth, caller_at(SITE_MAX), 1U));
        EXPECT(mete_growth_add(&growth, caller_at(0U), 1U));
    }
    EXPECT(growth.lost_count == 0U);
    mete_growth_mark(&growth);
    EXPECT((growth.lost_count == 3U) && (growing(1U) == SITE_MAX));
    for (size_t i = 1U; i < SITE_MAX; i++) {
        EXPECT(find(&growth, caller_at(i))->count == i + 1U);
    }
    mete_growth_mark(&growth);
    EXPECT(growth.lost_count == 0U);
}

static void test_an_unknown_caller_is_a_site_like_any(void)
{
    setup();
    EXPECT(mete_growth_add(&growth, NULL, 7U) && mete_growth_add(&growth, NULL, 8U));
    mete_growth_mark(&growth);
    const mete_growth_site_t *const site = find(&growth, NULL);
    EXPECT((site->count == 2U) && (site->size == 15U) && (growing(1U) == 1U));
}

static void test_walk_stops_when_it_is_told_to(void)
{
    setup();
    add_many(0U, 1U, 1U), add_many(1U, 1U, 1U), add_many(2U, 1U, 1U);
    mete_growth_mark(&growth);
    size_t count = 0U;
    EXPECT(!mete_growth_walk(&growth, 1U, count_site, &count) && (count == 2U));
    count = 0U;
    EXPECT(mete_growth_walk(&growth, 2U, count_site, &count) && (count == 0U));
}

static void test_the_report_has_a_line_for_each_site(void)
{
    setup();
    add_many(0U, 1U, 20U);
    mete_growth_mark(&growth);
    add_many(0U, 2U, 20U);
    mete_growth_mark(&growth);
    const mete_sink_t sink = page_sink(&wanted);
    mete_text_string(sink, "growth call=");
    mete_text_hex(sink, 0x0800045FU);
    mete_text_string(sink, " count=2 size=40 marks=2\ngrowth sites=1 lost=0\n");
    EXPECT((mete_growth_report(&growth, 2U, page_sink(&page)) == 1U) && page_is(&page, &wanted));
}

// Counts in the plainest way.
static void test_random_work_agrees_with_a_model(void)
{
    setup();
    static size_t before[SITE_MAX];
    static size_t now[SITE_MAX];
    static uint32_t marks[SITE_MAX];
    mete_words_fill(before, 0U, sizeof before);
    mete_words_fill(now, 0U, sizeof now);
    mete_words_fill(marks, 0U, sizeof marks);
    uint32_t seed = 0x2545F491U;
    for (size_t i = 0U; i < 20000U; i++) {
        const size_t which = random_below(&seed, SITE_MAX);
        if (random_below(&seed, 20U) != 0U) {
            EXPECT(mete_growth_add(&growth, caller_at(which), 1U));
            now[which]++;
            continue;
        }
        mete_growth_mark(&growth);
        for (size_t s = 0U; s < SITE_MAX; s++) {
            if ((marks[s] != 0U) || (now[s] != 0U)) {
                marks[s] = ((marks[s] != 0U) && (now[s] > before[s])) ? marks[s] + 1U : 1U;
            }
            before[s] = now[s];
            now[s] = 0U;
            EXPECT(marks_of(s) == marks[s]);
        }
    }
}

int main(void)
{
    RUN(test_init_refuses_a_table_that_is_missing_or_no_power_of_two);
    RUN(test_a_site_that_rises_over_three_marks_is_told);
    RUN(test_a_site_that_stands_still_begins_anew);
    RUN(test_a_site_that_is_new_has_risen_over_one_mark);
    RUN(test_a_full_table_counts_what_it_cannot_hold);
    RUN(test_an_unknown_caller_is_a_site_like_any);
    RUN(test_walk_stops_when_it_is_told_to);
    RUN(test_the_report_has_a_line_for_each_site);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}

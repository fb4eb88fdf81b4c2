// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The numbers, tested against a model, and read where it hurts: in the middle of a call.

#include "mete/wrap/stats.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/wrap/inner.h"

static inner_t inner;
static mete_stats_t stats;

static mete_alloc_t setup(void)
{
    EXPECT(mete_stats_init(&stats, inner_setup(&inner, INNER_ALL), NULL));
    return mete_stats_as_alloc(&stats);
}

static void test_init_refuses_a_missing_allocator(void)
{
    const mete_alloc_t none = {NULL, NULL};
    stats.peak = 7U;
    EXPECT(!mete_stats_init(&stats, none, NULL) && (stats.peak == 7U));
}

static void test_init_sets_every_number_to_zero(void)
{
    mete_words_fill(&stats, 0xFFU, sizeof stats);
    (void)setup();
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.acquired_size == 0U) && (usage.released_size == 0U));
    EXPECT((usage.acquires == 0U) && (usage.releases == 0U) && (usage.resizes == 0U));
    EXPECT((usage.live_count == 0U) && (usage.in_use_size == 0U) && (usage.in_use_peak == 0U));
    EXPECT((usage.refusals == 0U) && (usage.last_refusal_size == 0U));
    EXPECT((usage.last_refusal_align == 0U) && (usage.last_refusal_caller == NULL));
}

static void test_acquire_and_release_are_counted_with_their_bytes(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 100U, 8U);
    void *const b = mete_acquire(view, 7U, 1U);
    mete_release(view, a, 100U, 8U);
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((b != NULL) && (usage.acquires == 2U) && (usage.releases == 1U));
    EXPECT((usage.acquired_size == 107U) && (usage.released_size == 100U));
    EXPECT((usage.live_count == 1U) && (usage.in_use_size == 7U) && (usage.in_use_peak == 107U));
    EXPECT((inner.complaints == 0U) && (inner_live_count(&inner) == 1U));
}

static void test_resize_counts_the_difference_in_both_directions(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(mete_resize(view, block, 100U, 160U, 8U));
    mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.acquired_size == 160U) && (usage.released_size == 0U) && (usage.resizes == 1U));
    EXPECT((usage.in_use_size == 160U) && (usage.in_use_peak == 160U));
    EXPECT(mete_resize(view, block, 160U, 30U, 8U));
    usage = mete_stats_usage(&stats);
    EXPECT((usage.acquired_size == 160U) && (usage.released_size == 130U));
    EXPECT((usage.in_use_size == 30U) && (usage.in_use_peak == 160U) && (usage.resizes == 2U));
    EXPECT(mete_resize(view, block, 30U, 30U, 8U));
    usage = mete_stats_usage(&stats);
    EXPECT((usage.resizes == 3U) && (usage.in_use_size == 30U) && (usage.live_count == 1U));
    mete_release(view, block, 30U, 8U);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.in_use_size == 0U) && (usage.acquired_size == usage.released_size));
    EXPECT((usage.acquires == 1U) && (usage.releases == 1U) && (inner.complaints == 0U));
}

static void test_a_refused_acquire_is_counted_and_remembered(void)
{
    const mete_alloc_t view = setup();
    EXPECT(mete_acquire(view, SIZE_MAX, 16U) == NULL);
    mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.refusals == 1U) && (usage.last_refusal_size == SIZE_MAX));
    EXPECT((usage.last_refusal_align == 16U) && (usage.acquires == 0U));
    EXPECT((usage.acquired_size == 0U) && (usage.in_use_peak == 0U) && (usage.live_count == 0U));
    EXPECT(mete_acquire(view, INNER_SIZE + 1U, 4096U) == NULL);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.refusals == 2U) && (usage.last_refusal_size == INNER_SIZE + 1U));
    EXPECT(usage.last_refusal_align == 4096U);
    EXPECT(mete_acquire(view, 0U, 8U) == NULL);  // Asks for nothing, so nothing is refused.
    EXPECT(mete_stats_usage(&stats).refusals == 2U);
}

static void test_a_refused_resize_changes_no_number(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(!mete_resize(view, block, 100U, SIZE_MAX, 8U));
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.in_use_size == 100U) && (usage.in_use_peak == 100U) && (usage.resizes == 0U));
    EXPECT((usage.acquired_size == 100U) && (usage.refusals == 0U));
}

static void test_a_release_that_is_refused_behind_is_counted_all_the_same(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 100U, 8U);
    void *const b = mete_acquire(view, 40U, 8U);
    mete_release(view, a, 100U, 8U);
    mete_release(view, a, 100U, 8U);
    EXPECT(inner.complaints == 1U);
    mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.releases == 2U) && (usage.live_count == 0U) && (usage.in_use_size == 0U));
    EXPECT((usage.acquired_size == 140U) && (usage.released_size == 200U));
    mete_release(view, b, 40U, 8U);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.live_count == 0U) && (usage.in_use_size == 0U) && (usage.in_use_peak == 140U));
    EXPECT((usage.acquired_size == 140U) && (usage.released_size == 240U));
}

static void test_reset_peak_forgets_what_is_no_longer_in_use(void)
{
    const mete_alloc_t view = setup();
    void *const a = mete_acquire(view, 100U, 8U);
    void *const b = mete_acquire(view, 50U, 8U);
    mete_release(view, a, 100U, 8U);
    EXPECT(mete_stats_usage(&stats).in_use_peak == 150U);
    mete_stats_reset_peak(&stats);
    EXPECT(mete_stats_usage(&stats).in_use_peak == 50U);
    EXPECT(mete_resize(view, b, 50U, 70U, 8U));
    EXPECT(mete_stats_usage(&stats).in_use_peak == 70U);
}

static uint16_t permille_of(size_t acquires, size_t refusals)
{
    setup();
    mete_stats_usage_t usage = mete_stats_usage(&stats);
    usage.acquires = acquires;
    usage.refusals = refusals;
    return mete_stats_refusal_permille(&usage);
}

static void test_the_refusal_rate_is_rounded_up_and_never_overflows(void)
{
    EXPECT(permille_of(0U, 0U) == 0U);
    EXPECT(permille_of(5U, 0U) == 0U);
    EXPECT(permille_of(0U, 5U) == 1000U);
    EXPECT(permille_of(3U, 1U) == 250U);
    EXPECT(permille_of(999999U, 1U) == 1U);
    EXPECT(permille_of(2U, 1U) == 334U);
    EXPECT(permille_of(1U, 999U) == 999U);
    EXPECT(permille_of(1U, 1000U) == 1000U);
    EXPECT(permille_of(3U * (SIZE_MAX / 1000U), SIZE_MAX / 1000U) == 250U);
    EXPECT(permille_of(3U * (SIZE_MAX / 1000U) + 3U, SIZE_MAX / 1000U + 1U) <= 251U);
    EXPECT(permille_of(3U * (SIZE_MAX / 1000U) + 3U, SIZE_MAX / 1000U + 1U) >= 250U);
    EXPECT(permille_of(0U, SIZE_MAX) == 1000U);
    EXPECT(permille_of(SIZE_MAX, 1U) == 1U);
    EXPECT(permille_of(SIZE_MAX / 2U, SIZE_MAX / 2U) >= 500U);
    EXPECT(permille_of(SIZE_MAX / 2U, SIZE_MAX / 2U) <= 501U);
    EXPECT(permille_of(SIZE_MAX, SIZE_MAX) == 1000U);
}

// Hands out what it does not have: nobody looks.
static void *boundless_acquire(void *self, size_t size, size_t align)
{
    (void)size, (void)align;
    return self;
}

static void boundless_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)block, (void)size, (void)align;
}

static const mete_alloc_ops_t boundless_ops = {boundless_acquire, boundless_release, NULL, NULL,
                                               NULL};

static void test_cumulative_bytes_pass_the_range_of_a_word(void)
{
    const uint32_t size = 0x7FFFFFFFU;  // The most that can be in use at once.
    const mete_alloc_t boundless = {&boundless_ops, &inner};
    EXPECT(mete_stats_init(&stats, boundless, NULL));
    const mete_alloc_t view = mete_stats_as_alloc(&stats);
    for (size_t i = 0U; i < 9U; i++) {
        void *const block = mete_acquire(view, size, 1U);
        mete_release(view, block, size, 1U);
    }
    EXPECT(mete_acquire(view, size, 1U) != NULL);
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.acquired_size == 10U * (uint64_t)size) && (usage.in_use_size == size));
    EXPECT((usage.released_size == 9U * (uint64_t)size) && (usage.in_use_peak == size));
}

static void test_live_numbers_stay_right_when_counts_wrap(void)
{
    const mete_alloc_t view = setup();
    stats.rises.count = SIZE_MAX;
    stats.falls.count = SIZE_MAX;
    stats.rises.total = SIZE_MAX - 10U;
    stats.falls.total = SIZE_MAX - 10U;
    void *const a = mete_acquire(view, 100U, 8U);
    void *const b = mete_acquire(view, 20U, 8U);
    mete_release(view, a, 100U, 8U);
    const mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((b != NULL) && (usage.live_count == 1U) && (usage.in_use_size == 20U));
    EXPECT((usage.in_use_peak == 120U) && ((size_t)usage.released_size == 89U));
    EXPECT((sizeof(size_t) == 8U) || (usage.released_size == ((uint64_t)1U << 32) + 89U));
}

static void spoil_the_other_copies(void)
{
    stats.rises.bytes[(stats.rises.count + 1U) % 2U] = 0x5555U;
    stats.falls.bytes[(stats.falls.count + 1U) % 2U] = 0x5555U;
    stats.refused.size[(stats.refused.count + 1U) % 2U] = 0x5555U;
    stats.refused.align[(stats.refused.count + 1U) % 2U] = 0x5555U;
    stats.refused.caller[(stats.refused.count + 1U) % 2U] = 0x5555U;
}

static bool agrees(const mete_stats_usage_t *a, const mete_stats_usage_t *b);

static void test_a_reader_sees_nothing_of_a_call_that_is_not_yet_published(void)
{
    // What an interrupt may find: the copies that come next half written, the counts not yet moved.
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(mete_resize(view, block, 100U, 120U, 8U) && mete_resize(view, block, 120U, 90U, 8U));
    EXPECT(mete_acquire(view, SIZE_MAX, 2U) == NULL);
    for (size_t rounds = 0U; rounds < 2U; rounds++) {
        const mete_stats_usage_t before = mete_stats_usage(&stats);
        spoil_the_other_copies();
        mete_stats_usage_t after = mete_stats_usage(&stats);
        EXPECT(agrees(&before, &after));
        EXPECT(before.last_refusal_caller == after.last_refusal_caller);
        begin(&stats.grows, &stats.rises);
        begin(&stats.shrinks, &stats.falls);
        begin(&stats.wraps, &stats.falls);
        after = mete_stats_usage(&stats);
        EXPECT(agrees(&before, &after));
        stats.grows.begun = stats.grows.done;
        stats.shrinks.begun = stats.shrinks.done;
        stats.wraps.begun = stats.wraps.done;
        // Move all counts on by one, so that the second round begins with the other copies.
        void *const other = mete_acquire(view, 8U, 8U);
        mete_release(view, other, 8U, 8U);
        EXPECT(mete_acquire(view, SIZE_MAX, 2U) == NULL);
    }
}

static void test_a_reader_counts_a_resize_from_the_moment_its_bytes_count(void)
{
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(block != NULL);
    begin(&stats.grows, &stats.rises);
    book_rise(&stats, 20U);
    mete_stats_usage_t usage = mete_stats_usage(&stats);
    EXPECT((usage.acquires == 1U) && (usage.resizes == 1U) && (usage.in_use_size == 120U));
    end(&stats.grows);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.acquires == 1U) && (usage.resizes == 1U) && (usage.live_count == 1U));
    begin(&stats.shrinks, &stats.falls);
    book_fall(&stats, 30U);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.releases == 0U) && (usage.resizes == 2U) && (usage.in_use_size == 90U));
    end(&stats.shrinks);
    usage = mete_stats_usage(&stats);
    EXPECT((usage.releases == 0U) && (usage.resizes == 2U) && (usage.in_use_peak == 120U));
}

static mete_stats_usage_t seen_inside;

static void *reading_acquire(void *self, size_t size, size_t align)
{
    seen_inside = mete_stats_usage(&stats);
    return inner_acquire(self, size, align);
}

static void test_every_call_is_noticed_by_a_reader(void)
{
    // A reader reads again if this number has changed, so no two steps may cancel out.
    const mete_alloc_t view = setup();
    void *const block = mete_acquire(view, 100U, 8U);
    EXPECT(steps_of(&stats) == 1U);
    EXPECT(mete_resize(view, block, 100U, 120U, 8U) && (steps_of(&stats) == 4U));
    EXPECT(mete_resize(view, block, 120U, 90U, 8U) && (steps_of(&stats) == 7U));
    EXPECT((mete_acquire(view, SIZE_MAX, 2U) == NULL) && (steps_of(&stats) == 8U));
    stats.falls.total = SIZE_MAX;
    mete_release(view, block, 90U, 8U);
    EXPECT(steps_of(&stats) == 11U);
}

static void test_the_allocator_behind_may_read_the_numbers(void)
{
    (void)inner_setup(&inner, INNER_ALL);
    inner.ops.acquire = reading_acquire;
    const mete_alloc_t reading = {&inner.ops, &inner};
    EXPECT(mete_stats_init(&stats, reading, NULL));
    const mete_alloc_t view = mete_stats_as_alloc(&stats);
    EXPECT((mete_acquire(view, 10U, 1U) != NULL) && (mete_acquire(view, 20U, 1U) != NULL));
    EXPECT((seen_inside.acquires == 1U) && (seen_inside.in_use_size == 10U));
}

static mete_alloc_t setup_with(const mete_stats_config_t *config)
{
    EXPECT(mete_stats_init(&stats, inner_setup(&inner, INNER_ALL), config));
    return mete_stats_as_alloc(&stats);
}

static void test_the_site_is_told_the_caller(void)
{
    mete_site_t site = {NULL};
    const mete_stats_config_t config = {.told = &site};
    const mete_alloc_t view = setup_with(&config);
    void *const block = mete_acquire(view, 10U, 1U);
    const void *const acquired = site.caller;
    EXPECT((acquired != NULL) && (acquired != inner.caller));
    EXPECT(mete_resize(view, block, 10U, 20U, 1U) && (site.caller != acquired));
    const void *const resized = site.caller;
    mete_release(view, block, 20U, 1U);
    EXPECT((site.caller != resized) && (site.caller != acquired));
    EXPECT(mete_stats_usage(&stats).releases == 1U);
}

static void test_a_refusal_is_remembered_with_its_caller(void)
{
    mete_site_t site = {NULL};
    const mete_stats_config_t telling = {.told = &site};
    mete_alloc_t view = setup_with(&telling);
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    EXPECT(site.caller != NULL);
    EXPECT(mete_stats_usage(&stats).last_refusal_caller == site.caller);

    const mete_stats_config_t asking = {.site = &site};
    view = setup_with(&asking);
    site.caller = &site;
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    EXPECT(mete_stats_usage(&stats).last_refusal_caller == (const void *)&site);

    view = setup();
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    const void *const first = mete_stats_usage(&stats).last_refusal_caller;
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);
    const void *const second = mete_stats_usage(&stats).last_refusal_caller;
    EXPECT((first != NULL) && (second != NULL) && (first != second));
}

static void test_blocks_are_counted_by_the_class_of_their_size(void)
{
    size_t classes[METE_STATS_CLASS_COUNT] = {1U, 2U, 3U};
    const mete_stats_config_t config = {.classes = classes};
    const mete_alloc_t view = setup_with(&config);
    static const size_t sizes[] = {1U, 2U, 3U, 4U, 7U, 8U, 1023U, 1024U};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        EXPECT(mete_acquire(view, sizes[i], 1U) != NULL);
    }
    EXPECT(mete_acquire(view, SIZE_MAX, 1U) == NULL);  // Not handed out, so not counted.
    static const size_t expected[] = {1U, 2U, 2U, 1U, 0U, 0U, 0U, 0U, 0U, 1U, 1U};
    size_t sum = 0U;
    for (size_t i = 0U; i < METE_STATS_CLASS_COUNT; i++) {
        EXPECT(mete_stats_total_of_class(&stats, i) == ((i < 11U) ? expected[i] : 0U));
        sum += mete_stats_total_of_class(&stats, i);
    }
    EXPECT(sum == mete_stats_usage(&stats).acquires);
    EXPECT((classes[0] == 1U) && (classes[2] == 2U));
}

static void test_the_largest_sizes_have_a_class(void)
{
    size_t classes[METE_STATS_CLASS_COUNT];
    const mete_stats_config_t config = {.classes = classes};
    const mete_alloc_t boundless = {&boundless_ops, &inner};
    EXPECT(mete_stats_init(&stats, boundless, &config));
    EXPECT(mete_acquire(mete_stats_as_alloc(&stats), SIZE_MAX, 1U) != NULL);
    EXPECT(mete_acquire(mete_stats_as_alloc(&stats), SIZE_MAX / 2U + 1U, 1U) != NULL);
    EXPECT(mete_acquire(mete_stats_as_alloc(&stats), SIZE_MAX / 2U, 1U) != NULL);
    EXPECT(mete_stats_total_of_class(&stats, METE_STATS_CLASS_COUNT - 1U) == 2U);
    EXPECT(mete_stats_total_of_class(&stats, METE_STATS_CLASS_COUNT - 2U) == 1U);
}

static void test_without_room_for_classes_all_are_zero(void)
{
    mete_alloc_t view = setup();
    EXPECT((mete_acquire(view, 5U, 1U) != NULL) && (mete_stats_total_of_class(&stats, 2U) == 0U));
    const mete_stats_config_t config = {.classes = NULL};
    view = setup_with(&config);
    EXPECT((mete_acquire(view, 5U, 1U) != NULL) && (mete_stats_total_of_class(&stats, 2U) == 0U));
}

static void test_the_view_lacks_what_the_allocator_behind_lacks(void)
{
    static const mete_stats_config_t config = {.told = NULL};
    for (unsigned which = 0U; which <= 2U * INNER_ALL + 1U; which++) {
        const unsigned abilities = which & INNER_ALL;
        const mete_alloc_t behind = inner_setup(&inner, abilities);
        EXPECT(mete_stats_init(&stats, behind, (which == abilities) ? NULL : &config));
        const mete_alloc_t view = mete_stats_as_alloc(&stats);
        void *const block = mete_acquire(view, 40U, 8U);
        EXPECT(mete_resize(view, block, 40U, 39U, 8U) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->resize != NULL) == ((abilities & INNER_RESIZE) != 0U));
        EXPECT((view.ops->owns != NULL) == ((abilities & INNER_OWNS) != 0U));
        EXPECT((view.ops->owns == NULL) || view.ops->owns(view.self, block));
        EXPECT((view.ops->owns == NULL) || !view.ops->owns(view.self, &inner));
        EXPECT((view.ops->size_of != NULL) == ((abilities & INNER_SIZE_OF) != 0U));
        EXPECT((view.ops->size_of == NULL) || (view.ops->size_of(view.self, block) >= 39U));
    }
}

// What the numbers should be, kept in the plainest way.
typedef struct model {
    void *blocks[INNER_BLOCK_COUNT];
    size_t sizes[INNER_BLOCK_COUNT];
    mete_stats_usage_t usage;
} model_t;

static void model_set(model_t *model, size_t i, void *block, size_t size)
{
    mete_stats_usage_t *const usage = &model->usage;
    usage->live_count += (block != NULL) ? 1U : 0U;
    usage->live_count -= (model->blocks[i] != NULL) ? 1U : 0U;
    usage->in_use_size += size - model->sizes[i];
    usage->acquired_size += (size > model->sizes[i]) ? size - model->sizes[i] : 0U;
    usage->released_size += (size < model->sizes[i]) ? model->sizes[i] - size : 0U;
    if (usage->in_use_peak < usage->in_use_size) {
        usage->in_use_peak = usage->in_use_size;
    }
    model->blocks[i] = block;
    model->sizes[i] = size;
}

static void step(mete_alloc_t view, model_t *model, uint32_t *seed)
{
    const size_t i = random_below(seed, INNER_BLOCK_COUNT);
    const size_t size = 1U + random_below(seed, 900U);
    if (model->blocks[i] == NULL) {
        void *const block = mete_acquire(view, size, 4U);
        if (block == NULL) {
            model->usage.refusals++;
            model->usage.last_refusal_size = size;
            model->usage.last_refusal_align = 4U;
        } else {
            model->usage.acquires++;
            model_set(model, i, block, size);
        }
    } else if (random_below(seed, 3U) == 0U) {
        if (mete_resize(view, model->blocks[i], model->sizes[i], size, 4U)) {
            model->usage.resizes++;
            model_set(model, i, model->blocks[i], size);
        }
    } else {
        mete_release(view, model->blocks[i], model->sizes[i], 4U);
        model->usage.releases++;
        model_set(model, i, NULL, 0U);
    }
}

static bool agrees(const mete_stats_usage_t *a, const mete_stats_usage_t *b)
{
    return (a->acquired_size == b->acquired_size) && (a->released_size == b->released_size) &&
           (a->acquires == b->acquires) && (a->releases == b->releases) &&
           (a->resizes == b->resizes) && (a->live_count == b->live_count) &&
           (a->in_use_size == b->in_use_size) && (a->in_use_peak == b->in_use_peak) &&
           (a->refusals == b->refusals) && (a->last_refusal_size == b->last_refusal_size) &&
           (a->last_refusal_align == b->last_refusal_align);
}

static model_t model;

static void run_model(size_t refuse_every)
{
    const mete_alloc_t view = setup();
    inner.refuse_every = refuse_every;
    mete_words_fill(&model, 0U, sizeof model);
    uint32_t seed = 0x2545F491U;
    for (size_t i = 0U; i < 5000U; i++) {
        step(view, &model, &seed);
        if (random_below(&seed, 200U) == 0U) {
            mete_stats_reset_peak(&stats);
            model.usage.in_use_peak = model.usage.in_use_size;
        }
        const mete_stats_usage_t usage = mete_stats_usage(&stats);
        EXPECT(agrees(&usage, &model.usage));
    }
    EXPECT((inner.complaints == 0U) && (model.usage.refusals > 10U) && (model.usage.resizes > 10U));
}

static void test_random_work_agrees_with_a_model(void)
{
    run_model(0U);
}

static void test_the_numbers_are_right_whichever_acquire_is_refused(void)
{
    for (size_t n = 2U; n <= 7U; n++) {
        run_model(n);
    }
}

int main(void)
{
    RUN(test_init_refuses_a_missing_allocator);
    RUN(test_init_sets_every_number_to_zero);
    RUN(test_acquire_and_release_are_counted_with_their_bytes);
    RUN(test_resize_counts_the_difference_in_both_directions);
    RUN(test_a_refused_acquire_is_counted_and_remembered);
    RUN(test_a_refused_resize_changes_no_number);
    RUN(test_a_release_that_is_refused_behind_is_counted_all_the_same);
    RUN(test_reset_peak_forgets_what_is_no_longer_in_use);
    RUN(test_the_refusal_rate_is_rounded_up_and_never_overflows);
    RUN(test_cumulative_bytes_pass_the_range_of_a_word);
    RUN(test_live_numbers_stay_right_when_counts_wrap);
    RUN(test_a_reader_sees_nothing_of_a_call_that_is_not_yet_published);
    RUN(test_a_reader_counts_a_resize_from_the_moment_its_bytes_count);
    RUN(test_every_call_is_noticed_by_a_reader);
    RUN(test_the_allocator_behind_may_read_the_numbers);
    RUN(test_the_site_is_told_the_caller);
    RUN(test_a_refusal_is_remembered_with_its_caller);
    RUN(test_blocks_are_counted_by_the_class_of_their_size);
    RUN(test_the_largest_sizes_have_a_class);
    RUN(test_without_room_for_classes_all_are_zero);
    RUN(test_the_view_lacks_what_the_allocator_behind_lacks);
    RUN(test_random_work_agrees_with_a_model);
    RUN(test_the_numbers_are_right_whichever_acquire_is_refused);
    return tap_finish();
}

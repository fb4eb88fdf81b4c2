// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The modules of core, alloc and wrap, used from C++17: that the headers compile, that their functions link, and
// that what the definition macros make is ready before main(), constructors or not.

#include "mete/alloc/arena.h"
#include "mete/alloc/atomic_pool.h"
#include "mete/alloc/buddy.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/heap_wide.h"
#include "mete/alloc/list.h"
#include "mete/alloc/movable.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/route.h"
#include "mete/alloc/slab.h"
#include "mete/alloc/tier.h"
#include "mete/core/access.h"
#include "mete/core/align.h"
#include "mete/core/alloc.h"
#include "mete/core/atomic.h"
#include "mete/core/base.h"
#include "mete/core/bitmap.h"
#include "mete/core/bits.h"
#include "mete/core/crc.h"
#include "mete/core/dlist.h"
#include "mete/core/frag.h"
#include "mete/core/mover.h"
#include "mete/core/mpu.h"
#include "mete/core/observe.h"
#include "mete/core/pass.h"
#include "mete/core/platform.h"
#include "mete/core/record.h"
#include "mete/core/region.h"
#include "mete/core/shared.h"
#include "mete/core/sink.h"
#include "mete/core/span.h"
#include "mete/core/stride.h"
#include "mete/core/text.h"
#include "mete/core/violation.h"
#include "mete/core/words.h"
#include "mete/system/health.h"
#include "mete/system/health_sources.h"
#include "mete/wrap/critical.h"
#include "mete/wrap/defer.h"
#include "mete/wrap/dma.h"
#include "mete/wrap/fail.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/guard_report.h"
#include "mete/wrap/lock.h"
#include "mete/wrap/quota.h"
#include "mete/wrap/scrub.h"
#include "mete/wrap/seal.h"
#include "mete/wrap/stats.h"
#include "mete/wrap/timing.h"
#include "mete/wrap/track.h"
#include "mete/wrap/wait.h"
#include "tests/cpp/common.h"

namespace
{

METE_HEAP_WIDE_DEFINE(app_wide, 2048);
METE_LIST_DEFINE(small, 1024);
METE_BUDDY_DEFINE(pages, 64, 20);
METE_POOL_DEFINE(inbox, message, 5);
METE_ATOMIC_POOL_DEFINE(frames, message, 5, 1);
METE_MOVABLE_DEFINE(notes, 512, 6);
METE_ARENA_DEFINE(scratch, 512);

void number_message(void *, void *block)
{
    static_cast<message *>(block)->number = 7U;
}

METE_ROUTE_DEFINE(for_dma, 2, METE_REGION_DMA);
METE_TIER_DEFINE(by_size, 0, 1, sizeof(message), 64);
METE_SLAB_DEFINE(outbox, message, 5, 2, number_message);

// ---- core

void test_arithmetic_of_core()
{
    EXPECT(mete_align_is_legal(16U) && !mete_align_is_legal(24U));
    EXPECT(mete_align_up(17U, 8U) == 24U);
    EXPECT(mete_bits_clz(1U) == 31U);
    EXPECT(mete_stride_index(21U, mete_stride_inverse(7U), mete_stride_rotation(7U)) == 3U);
    EXPECT(mete_frag_of(10U, 100U).high_permille == 0U);
    uint32_t words[METE_BITMAP_WORD_COUNT(40)] = {};
    mete_bitmap_add(words, 33U);
    EXPECT(mete_bitmap_has(words, 33U) && !mete_bitmap_has(words, 32U));
}

void test_words_span_and_list()
{
    unsigned char bytes[24] = {};
    mete_words_fill(bytes, 7U, sizeof bytes);
    EXPECT(mete_words_scan(bytes, 7U, sizeof bytes) == sizeof bytes);
    EXPECT(mete_span_has(mete_span_t{bytes, sizeof bytes}, &bytes[23]));
    mete_dlist_link_t list;
    mete_dlist_link_t link;
    mete_dlist_init(&list);
    mete_dlist_append(&list, &link);
    EXPECT(mete_dlist_agrees(&link) && !mete_dlist_is_empty(&list));
}

void test_text_into_a_sink()
{
    size_t count = 0U;
    const mete_sink_t sink = {count_bytes, &count};
    mete_text_string(sink, "mete ");
    mete_text_decimal(sink, 2026U);
    EXPECT(count == 9U);
}

// ---- alloc

void test_heap()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    if (EXPECT(heap != nullptr)) {
        auto *const one = static_cast<message *>(mete_heap_alloc(heap, sizeof(message)));
        EXPECT(mete_heap_owns(heap, one));
        mete_heap_free(heap, one);
        mete_heap_free(heap, one);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
        use(mete_heap_as_alloc(heap), 100U);
        EXPECT(mete_heap_check(heap) && (mete_heap_usage(heap).in_use_size == 0U));
    }
}

void test_wide_heap()
{
    mete_heap_wide_t *const heap = mete_heap_wide_init(&app_wide_config);
    if (EXPECT(heap != nullptr)) {
        void *const one = mete_heap_wide_alloc_aligned(heap, 10U, 64U);
        EXPECT(mete_align_fits(reinterpret_cast<uintptr_t>(one), 64U));
        mete_heap_wide_free(heap, one);
        use(mete_heap_wide_as_alloc(heap), 100U);
        EXPECT(mete_heap_wide_check(heap));
    }
}

void test_list()
{
    mete_list_t *const list = mete_list_init(&small_config);
    if (EXPECT(list != nullptr)) {
        void *const one = mete_list_alloc_aligned(list, 10U, 64U);
        EXPECT(mete_align_fits(reinterpret_cast<uintptr_t>(one), 64U));
        EXPECT(mete_list_owns(list, one) && mete_list_resize(list, one, 40U));
        mete_list_free(list, one);
        mete_list_free(list, one);
        EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
        use(mete_list_as_alloc(list), 100U);
        EXPECT(mete_list_check(list) && (mete_list_usage(list).in_use_size == 0U));
    }
}

void test_buddy()
{
    EXPECT(mete_buddy_init(&pages, &pages_config));
    void *const one = mete_buddy_alloc_aligned(&pages, 100U, 64U);
    EXPECT(mete_align_fits(reinterpret_cast<uintptr_t>(one), 64U));
    EXPECT(mete_buddy_owns(&pages, one) && mete_buddy_resize(&pages, one, 300U));
    mete_buddy_free(&pages, one);
    mete_buddy_free(&pages, one);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    use(mete_buddy_as_alloc(&pages), 100U);
    EXPECT(mete_buddy_check(&pages) && (mete_buddy_usage(&pages).in_use_size == 0U));
}

void test_pool()
{
    EXPECT(mete_pool_init(&inbox, &inbox_config));
    auto *const one = static_cast<message *>(mete_pool_alloc(&inbox));
    EXPECT((one != nullptr) && mete_pool_owns(&inbox, one));
    void *others[4] = {};
    EXPECT(mete_pool_alloc_many(&inbox, others, 4U));
    EXPECT(mete_pool_alloc(&inbox) == nullptr);
    mete_pool_free_many(&inbox, others, 4U);
    mete_pool_free(&inbox, one);
    use(mete_pool_as_alloc(&inbox), sizeof(message));
    EXPECT(mete_pool_check(&inbox) && (mete_pool_usage(&inbox).in_use == 0U));
}

void test_atomic_pool()
{
    size_t word = 1U;
    EXPECT(mete_atomic_replace_relaxed(&word, 1U, 2U) && (mete_atomic_load_acquire(&word) == 2U));
    EXPECT(mete_atomic_pool_init(&frames, &frames_config));
    auto *const one = static_cast<message *>(mete_atomic_pool_alloc(&frames));
    auto *const two = static_cast<message *>(mete_atomic_pool_alloc_reserved(&frames));
    EXPECT((one == &frames_blocks[1]) && (two == &frames_blocks[0]));
    mete_atomic_pool_free(&frames, one);
    mete_atomic_pool_free(&frames, two);
    use(mete_atomic_pool_as_alloc(&frames), sizeof(message));
    use(mete_atomic_pool_as_alloc_reserved(&frames), sizeof(message));
    EXPECT(mete_atomic_pool_check(&frames) && (mete_atomic_pool_usage(&frames).in_use == 0U));
}

void test_slab()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_slab_init(&outbox, mete_heap_as_alloc(heap), &outbox_config));
    auto *const one = static_cast<message *>(mete_slab_alloc(&outbox));
    EXPECT((one != nullptr) && mete_slab_owns(&outbox, one) && (one->number == 7U));
    mete_slab_free(&outbox, one);
    use(mete_slab_as_alloc(&outbox), sizeof(message));
    EXPECT(mete_slab_reserve(&outbox, 6U) && (mete_slab_usage(&outbox).slab_count == 2U));
    EXPECT((mete_slab_purge(&outbox) == 2U) && mete_slab_check(&outbox));
}

void test_tier()
{
    EXPECT(mete_pool_init(&inbox, &inbox_config));
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&app_config));
    const mete_alloc_t members[] = {mete_pool_as_alloc(&inbox), heap};
    EXPECT(mete_tier_init(&by_size, members, heap, &by_size_config));
    const mete_alloc_t alloc = mete_tier_as_alloc(&by_size);
    use(alloc, sizeof(message));
    use(alloc, 100U);
    EXPECT((mete_tier_usage(&by_size, 0U).hits != 0U) && mete_tier_check(&by_size));
}

void test_route()
{
    EXPECT(mete_pool_init(&inbox, &inbox_config));
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&app_config));
    const mete_route_member_t members[] = {
        {mete_pool_as_alloc(&inbox), {{inbox_blocks, sizeof inbox_blocks}, METE_REGION_FAST}},
        {heap, {{}, METE_REGION_DMA | METE_REGION_RETAINED}},
    };
    EXPECT(mete_route_init(&for_dma, members, 2U, &for_dma_config));
    EXPECT(mete_route_usage(&for_dma).member_count == 1U);
    use(mete_route_as_alloc(&for_dma), 100U);
    EXPECT((mete_pool_usage(&inbox).alloc_total == 0U) && mete_route_check(&for_dma));
}

void test_arena()
{
    EXPECT(mete_arena_check(&scratch) && (mete_arena_usage(&scratch).total_size == 512U));
    METE_ARENA_SCOPE(&scratch)
    {
        EXPECT(mete_arena_alloc(&scratch, sizeof(message), alignof(message)) != nullptr);
        const mete_arena_mark_t mark = mete_arena_mark(&scratch);
        EXPECT(mete_arena_alloc(&scratch, 100U, 1U) != nullptr);
        mete_arena_rewind(&scratch, mark);
    }
    EXPECT(mete_arena_usage(&scratch).in_use_size == 0U);
    use(mete_arena_as_alloc(&scratch), 100U);
}

void test_movable()
{
    EXPECT(mete_movable_init(&notes, &notes_config));
    const mete_movable_handle_t hole = mete_movable_alloc(&notes, 100U);
    const mete_movable_handle_t note = mete_movable_alloc(&notes, sizeof(message));
    static_cast<message *>(mete_movable_pin(&notes, note))->number = 7U;
    mete_movable_unpin(&notes, note);
    mete_movable_free(&notes, hole);
    EXPECT(mete_movable_compact(&notes, SIZE_MAX) == 0U);
    EXPECT(static_cast<message *>(mete_movable_pin(&notes, note))->number == 7U);
    EXPECT(mete_movable_pin(&notes, hole) == nullptr);
    EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    const mete_mover_t mover = mete_movable_as_mover(&notes);
    EXPECT(mover.ops->pinned_size(mover.self, notes_config.storage) == 16U);
    mete_movable_unpin(&notes, note);
    mete_movable_free(&notes, METE_MOVABLE_NONE);
    EXPECT(mete_movable_check(&notes));
}

// ---- wrap

void pass(void *)
{
}

bool count_blocks(void *self, const mete_track_block_t *)
{
    ++*static_cast<size_t *>(self);
    return true;
}

void note_event(void *self, const mete_event_t *event)
{
    *static_cast<mete_event_kind_t *>(self) = event->kind;
}

void test_wrappers_in_a_chain()
{
    static mete_site_t site;
    static mete_event_kind_t last_event;
    static const mete_track_config_t track_config = {
        &site,   nullptr, {note_event, &last_event}, {nullptr, 0U}, nullptr, nullptr, nullptr,
        nullptr, 0U};
    static const mete_lock_ops_t lock_ops = {pass, pass};
    static mete_track_t track;
    static mete_stats_t stats;
    static mete_locked_t locked;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_track_init(&track, mete_heap_as_alloc(heap), &track_config));
    EXPECT(mete_stats_init(&stats, mete_track_as_alloc(&track), nullptr));
    static mete_health_t health;
    static const mete_health_config_t health_config = {};
    const mete_health_source_t sources[] = {{mete_health_read_heap, heap},
                                            {mete_health_read_stats, &stats}};
    EXPECT(mete_health_init(&health, mete_stats_as_alloc(&stats), sources, 2U, &health_config));
    EXPECT(mete_health_as_observer(&health).self == &health);
    EXPECT(mete_locked_init(&locked, mete_health_as_alloc(&health), {&lock_ops, nullptr}, &site));
    const mete_alloc_t alloc = mete_locked_as_alloc(&locked);
    use(alloc, 100U);
    void *const block = mete_acquire(alloc, 50U, 8U);
    size_t count = 0U;
    EXPECT(mete_track_walk(&track, count_blocks, &count) && (count == 1U));
    EXPECT((last_event == METE_EVENT_ACQUIRE) && (mete_track_total(&track, nullptr).size == 50U));
    mete_release(alloc, block, 50U, 8U);
    EXPECT((mete_stats_usage(&stats).live_count == 0U) && mete_track_check(&track));
}

bool never(void *, uint32_t)
{
    return false;
}

void test_wrappers_for_tasks_and_interrupts()
{
    static const mete_signal_ops_t signal_ops = {never, pass};
    static const mete_defer_config_t defer_config = {1U, nullptr, nullptr};
    static mete_defer_t defer;
    static mete_wait_t waiting;
    static mete_critical_t critical;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_defer_init(&defer, mete_heap_as_alloc(heap), &defer_config));
    EXPECT(mete_wait_init(&waiting, mete_defer_as_alloc(&defer)));
    EXPECT(mete_critical_init(&critical, mete_wait_as_alloc(&waiting), nullptr));
    const mete_alloc_t alloc = mete_critical_as_alloc(&critical);
    use(alloc, 100U);
    const mete_wait_terms_t terms = {{&signal_ops, nullptr}, 1U, METE_SIGNAL_FOREVER};
    void *const block = mete_wait_acquire(&waiting, alloc, 50U, 8U, &terms);
    EXPECT(block != nullptr);
    EXPECT(mete_wait_acquire(&waiting, alloc, 50000U, 8U, &terms) == nullptr);
    mete_release(mete_defer_as_alloc_for_interrupts(&defer), block, 50U, 8U);
    use(alloc, 100U);
    EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_heap_check(heap));
}

METE_DMA_DEFINE(descriptors, 40, 32);

void test_wrappers_that_refuse_and_wrappers_that_shape()
{
    static const mete_seal_config_t seal_config = {};
    static const mete_fail_plan_t plan = {};
    static const mete_dma_config_t dma_config = {32U, nullptr, nullptr, nullptr};
    static const mete_quota_limit_t limit = {1000U, 4U, 100U, 800U, 500U};
    static mete_quota_owner_t owner;
    static const mete_quota_config_t quota_config = {
        &limit, &owner, 1U, 1000U, 64U, nullptr, nullptr, nullptr, nullptr, {}, nullptr};
    static mete_quota_t quota;
    static mete_dma_t dma;
    static mete_seal_t seal;
    static mete_fail_t fail;
    static mete_scrub_t scrub;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_scrub_init(&scrub, mete_heap_as_alloc(heap), 0U));
    EXPECT(mete_fail_init(&fail, mete_scrub_as_alloc(&scrub), &plan));
    EXPECT(mete_quota_init(&quota, mete_fail_as_alloc(&fail), &quota_config));
    EXPECT(mete_seal_init(&seal, mete_quota_as_alloc(&quota), &seal_config));
    EXPECT(mete_dma_init(&dma, mete_seal_as_alloc(&seal), &dma_config));
    use(mete_dma_as_alloc(&dma), 100U);
    mete_dma_clean(&dma, descriptors, sizeof descriptors);
    EXPECT((mete_quota_usage(&quota, 0U)->in_use_size == 0U) && mete_quota_check(&quota));
    EXPECT((mete_fail_refusals(&fail) == 0U) && (tap_take_fault() == 0));
    mete_seal_close(&seal);
    EXPECT(mete_acquire(mete_dma_as_alloc(&dma), 1U, 1U) == nullptr);
    EXPECT((tap_take_fault() == METE_FAULT_ORDER) && mete_heap_check(heap));
}

uint32_t no_time_passes()
{
    return 5U;
}

void test_timing()
{
    static const mete_timing_costs_t limit = {1U, 1U, 1U};
    static const mete_timing_costs_t bound = {10U, 10U, 0U};
    static mete_timing_class_t classes[2];
    static const mete_timing_config_t config = {
        no_time_passes,           classes, 2U,      64U,    &limit, 1U, &bound, 1U, 103U,
        METE_TIMING_REFUSES_LATE, nullptr, nullptr, nullptr};
    static mete_timing_t timing;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_timing_init(&timing, mete_heap_as_alloc(heap), &config));
    EXPECT(mete_acquire(mete_timing_as_alloc(&timing), 100U, 8U) == nullptr);
    EXPECT(mete_timing_last(&timing)->is_refused && (mete_timing_refusals(&timing) == 1U));
    const mete_timing_guarantee_t known = mete_timing_guarantee(&timing, METE_TIMING_ACQUIRE, 100U);
    EXPECT((known.kind == METE_TIMING_BOUND) && (known.ticks == 2U));
    EXPECT(mete_timing_usage(&timing, METE_TIMING_RESIZE, 100U)->bound_ticks == 0U);
    mete_timing_reset(&timing);
    EXPECT(mete_timing_check(&timing) && (mete_timing_refusals(&timing) == 0U));
}

void test_guard()
{
    mete_guard_config_t config = {};
    config.quarantine_size = 300U;
    config.fills_released = true;
    mete_guard_t guard;
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_guard_init(&guard, mete_heap_as_alloc(heap), &config));
    use(mete_guard_as_alloc(&guard), 100U);
    size_t size = 0U;
    mete_guard_report_write(&guard, &size, nullptr, {count_bytes, &size});
    EXPECT((size != 0U) && mete_guard_check_next(&guard, 9U) && mete_guard_check(&guard));
    EXPECT(mete_guard_purge(&guard, 9U) == 1U);
}

}  // namespace

int main()
{
    RUN(test_arithmetic_of_core);
    RUN(test_words_span_and_list);
    RUN(test_text_into_a_sink);
    RUN(test_heap);
    RUN(test_wide_heap);
    RUN(test_list);
    RUN(test_buddy);
    RUN(test_pool);
    RUN(test_atomic_pool);
    RUN(test_slab);
    RUN(test_tier);
    RUN(test_route);
    RUN(test_arena);
    RUN(test_movable);
    RUN(test_wrappers_in_a_chain);
    RUN(test_wrappers_for_tasks_and_interrupts);
    RUN(test_wrappers_that_refuse_and_wrappers_that_shape);
    RUN(test_timing);
    RUN(test_guard);
    return tap_finish();
}

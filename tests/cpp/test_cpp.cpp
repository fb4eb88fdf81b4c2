// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every module of mete/, used from C++17: that the headers compile, that their functions link, and
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
#include "mete/object/atomic_ref.h"
#include "mete/object/buffer.h"
#include "mete/object/cache.h"
#include "mete/object/fixed.h"
#include "mete/object/netbuf.h"
#include "mete/object/object.h"
#include "mete/object/ref.h"
#include "mete/object/vault.h"
#include "mete/power/bank.h"
#include "mete/power/evacuation.h"
#include "mete/power/optimiser.h"
#include "mete/protect/domain.h"
#include "mete/protect/integrity.h"
#include "mete/protect/map.h"
#include "mete/protect/map_report.h"
#include "mete/protect/partition.h"
#include "mete/protect/plan.h"
#include "mete/protect/plan_armv7m.h"
#include "mete/protect/plan_armv8m.h"
#include "mete/protect/plan_pages.h"
#include "mete/protect/plan_pmp.h"
#include "mete/protect/stack.h"
#include "mete/protect/stacks.h"
#include "mete/system/audit.h"
#include "mete/system/health.h"
#include "mete/system/health_actions.h"
#include "mete/system/health_sources.h"
#include "mete/system/postmortem.h"
#include "mete/system/protection.h"
#include "mete/system/system.h"
#include "mete/system/violations_report.h"
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
#include "tests/support/tap.h"

namespace
{

struct message {
    uint32_t number;
    uint16_t kind;
    unsigned char text[7];
};

METE_HEAP_DEFINE(app, 2048);
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

size_t count_bytes(void *self, const void *, size_t size)
{
    *static_cast<size_t *>(self) += size;
    return size;
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

// What any allocator can be asked through its view.
void use(mete_alloc_t alloc, size_t size)
{
    auto *const bytes = static_cast<unsigned char *>(mete_acquire_zeroed(alloc, size, 1U));
    if (EXPECT(bytes != nullptr)) {
        EXPECT(mete_words_scan(bytes, 0U, size) == size);
        void *const smaller = mete_realloc(alloc, bytes, size, 1U, 1U);
        EXPECT(smaller != nullptr);
        mete_release(alloc, smaller, 1U, 1U);
    }
    EXPECT(mete_acquire_array(alloc, SIZE_MAX, 2U, 1U) == nullptr);
    EXPECT(tap_take_fault() == 0);
}

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

void test_buffer()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    mete_buffer_t buffer;
    EXPECT(mete_buffer_init(&buffer, mete_heap_as_alloc(heap), nullptr));
    EXPECT(mete_buffer_append(&buffer, "Hello, World!", 13U) && mete_buffer_consume(&buffer, 7U));
    EXPECT((mete_buffer_span(&buffer).size == 6U) && mete_buffer_check(&buffer));
    mete_buffer_purge(&buffer);
}

void test_netbuf()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    mete_alloc_t const alloc = mete_heap_as_alloc(heap);
    mete_netbuf_config_t const config = {alloc, alloc, 100U, 8U, 20U, 2U, 1U, 2U, nullptr, nullptr};
    mete_netbuf_pool_t net;
    EXPECT(mete_netbuf_init(&net, &config));
    mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    EXPECT((mete_netbuf_put(packet, 10U) != nullptr) && (mete_netbuf_push(packet, 8U) != nullptr));
    EXPECT((mete_netbuf_length(packet) == 18U) && mete_netbuf_check(packet));
    mete_netbuf_drop(packet);
    EXPECT(mete_netbuf_usage(&net).in_use == 0U);
}

METE_FIXED_VECTOR(samples, int16_t, 4);
METE_FIXED_RING(letterbox, message, 2);
METE_FIXED_STRING(label, 7);

// As in a header that C shares.
extern "C" {
METE_FIXED_VECTOR(shared_samples, int16_t, 4);
METE_FIXED_STRING(shared_label, 7);
}

void test_fixed()
{
    samples_t samples = {};
    EXPECT(samples_append(&samples, 3) && samples_append(&samples, 4));
    int sum = 0;
    for (int16_t const sample : samples) {
        sum += sample;
    }
    EXPECT((sum == 7) && (samples.count == 2U));
    letterbox_t letterbox = {};
    message one = {};
    EXPECT(letterbox_append(&letterbox, message{7U, 1U, {}}) && letterbox_take(&letterbox, &one) &&
           (one.number == 7U));
    label_t label = {};
    EXPECT(label_append(&label, "abc") && !label_append(&label, "defgh"));
    mete_text_decimal(label_as_sink(&label), 42U);
    size_t length = 0U;
    for (char const c : label) {
        length += (c != '\0') ? 1U : 0U;
    }
    EXPECT((length == 5U) && label_check(&label));
    shared_samples_t const shared = {1U, {5}};
    for (int16_t const sample : shared) {
        sum += sample;
    }
    shared_label_t const none = {};
    for (char const c : none) {
        sum += c;
    }
    EXPECT(sum == 12);
}

METE_OBJECT_DEFINE(letters, message, 3, nullptr, nullptr, nullptr);

void test_object()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_object_init(&letters, mete_heap_as_alloc(heap), &letters_config));
    {
        METE_SCOPED(message, one, mete_object_as_alloc(&letters));
        EXPECT((one != nullptr) && mete_object_owns(&letters, one));
    }
    EXPECT(mete_object_usage(&letters).in_use == 0U);
    auto *const one = static_cast<message *>(mete_object_get(&letters));
    mete_object_put(&letters, one);
    use(mete_object_as_alloc(&letters), sizeof(message));
    EXPECT((mete_object_shrink(&letters, 0U) == 1U) && mete_object_check(&letters));
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

// ---- object

void *count_end(void *self, void *)
{
    ++*static_cast<unsigned *>(self);
    return nullptr;
}

// Either form: one reference of each sort, through the functions and through a view.
template <typename Kind>
void share(mete_shared_t view, Kind *kind, void *object, void (*drop)(Kind *, void *),
           const unsigned *end_count)
{
    view.ops->retain_weak(view.self, object);
    EXPECT(view.ops->upgrade(view.self, object));
    drop(kind, object);
    drop(kind, object);
    EXPECT((*end_count == 1U) && !view.ops->upgrade(view.self, object));
    view.ops->drop_weak(view.self, object);
}

void test_references()
{
    static unsigned end_count;
    static const mete_ref_config_t config = {sizeof(message), alignof(message), count_end,
                                             &end_count,      nullptr,          0U};
    static mete_ref_t kind;
    static mete_atomic_ref_t atomic_kind;
    const mete_alloc_t alloc = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_ref_init(&kind, alloc, &config));
    share(mete_ref_as_shared(&kind), &kind, mete_ref_alloc(&kind), mete_ref_drop, &end_count);
    end_count = 0U;
    EXPECT(mete_atomic_ref_init(&atomic_kind, alloc, &config));
    share(mete_atomic_ref_as_shared(&atomic_kind), &atomic_kind,
          mete_atomic_ref_alloc(&atomic_kind), mete_atomic_ref_drop, &end_count);
    EXPECT((mete_ref_usage(&kind).in_use == 0U) &&
           (mete_atomic_ref_usage(&atomic_kind).in_use == 0U));
    EXPECT(tap_take_fault() == 0);
}

uint32_t hash_number(void *, const void *key)
{
    return *static_cast<const uint32_t *>(key);
}

bool has_number(void *, const void *key, const void *object)
{
    return static_cast<const message *>(object)->number == *static_cast<const uint32_t *>(key);
}

METE_CACHE_DEFINE(messages, 8, 4, 1, hash_number, has_number);

void test_cache()
{
    static const mete_ref_config_t config = {sizeof(message), alignof(message), nullptr,
                                             nullptr,         nullptr,          0U};
    static mete_ref_t kind;
    EXPECT(mete_ref_init(&kind, mete_heap_as_alloc(mete_heap_init(&app_config)), &config));
    EXPECT(mete_cache_init(&messages, mete_ref_as_shared(&kind), &messages_config));
    auto *const one = static_cast<message *>(mete_ref_alloc(&kind));
    one->number = 7U;
    mete_cache_insert(&messages, &one->number, one, 0U);
    mete_ref_drop(&kind, one);
    const uint32_t key = 7U;
    EXPECT(mete_cache_find(&messages, &key) == one);
    mete_ref_drop(&kind, one);
    EXPECT((mete_cache_purge(&messages, 0U, 1U) == 1U) && (mete_ref_usage(&kind).in_use == 0U));
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

mete_cipher_verdict_t hides_nothing(void * /*self*/, const mete_cipher_job_t *job,
                                    const void *plain, void *sealed, uint8_t *tag)
{
    mete_words_copy(sealed, plain, job->size);
    *tag = 1U;
    return METE_CIPHER_DONE;
}

mete_cipher_verdict_t believes_all(void * /*self*/, const mete_cipher_job_t *job,
                                   const void *sealed, const uint8_t * /*tag*/, void *plain)
{
    mete_words_copy(plain, sealed, job->size);
    return METE_CIPHER_DONE;
}

void test_vault()
{
    static const mete_cipher_ops_t ops = {12U, 1U, hides_nothing, believes_all};
    static mete_vault_entry_t entries[2];
    static const mete_vault_config_t config = {entries, 2U, 0U, 10U, nullptr};
    static mete_vault_t vault;
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_vault_init(&vault, heap, heap, {&ops, nullptr}, &config));
    char secret[] = "secret";
    const mete_vault_handle_t handle = mete_vault_store(&vault, secret, sizeof secret);
    EXPECT((handle != 0U) && (secret[0] == '\0') &&
           (mete_vault_size_of(&vault, handle) == sizeof secret));
    const char *const plain = static_cast<const char *>(mete_vault_open(&vault, handle));
    EXPECT((plain != nullptr) && (plain[0] == 's'));
    mete_vault_close(&vault, handle);
    mete_vault_remove(&vault, handle);
    mete_vault_reset(&vault);
    mete_vault_usage_t usage;
    mete_vault_read(&vault, &usage);
    EXPECT((usage.nonce_left == 9U) && mete_vault_check(&vault) && (tap_take_fault() == 0));
}

uint32_t nobody_else(void * /*self*/)
{
    return 0U;
}

void on_served(void *self, void *block)
{
    *static_cast<void **>(self) = block;
}

void test_partition()
{
    static const mete_partition_terms_t terms = {
        {app_config.storage.start, app_config.storage.size}, 0U, 1U};
    static const uint8_t rights = METE_PARTITION_ACQUIRE | METE_PARTITION_RELEASE;
    static mete_partition_owner_t owner;
    static const mete_partition_config_t config = {
        &terms,        &owner,  &rights,           1U,
        {nullptr, 0U}, 0U,      nullptr,           METE_PARTITION_FIFO,
        nobody_else,   nullptr, {nullptr, nullptr}};
    static mete_partition_t partition;
    const mete_alloc_t home = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_partition_init(&partition, &home, {nullptr, nullptr}, &config));
    const mete_alloc_t view = mete_partition_as_alloc(&partition, 0U);
    void *block = nullptr;
    mete_partition_request_t request = {};
    request.size = 100U;
    request.align = 8U;
    request.on_served = on_served;
    request.self = &block;
    EXPECT(mete_partition_queue(&partition, 0U, &request) && (block != nullptr));
    EXPECT((mete_partition_owner_of(&partition, block) == 0U) &&
           !mete_partition_remove(&partition, &request));
    mete_release(view, block, 100U, 8U);
    EXPECT((mete_partition_last(&partition) == nullptr) &&
           (mete_partition_requests(&partition) == 0U));
    EXPECT(mete_partition_check(&partition) &&
           (mete_partition_usage(&partition, 0U)->refusals == 0U));
    EXPECT(tap_take_fault() == 0);
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

// ---- protect

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

void test_plan()
{
    const mete_plan_backend_t *const backends[] = {&mete_plan_armv7m, &mete_plan_armv8m,
                                                   &mete_plan_pages, &mete_plan_pmp,
                                                   &mete_plan_pmp_locked};
    for (const mete_plan_backend_t *backend : backends) {
        const mete_plan_wish_t wish = {
            "code", 0x10000U, 0x10FFFU, {METE_ACCESS_READ, METE_ACCESS_READ}, METE_MPU_CACHED, 0U};
        mete_plan_share_t share;
        mete_mpu_image_t image;
        mete_plan_range_t range;
        const mete_plan_config_t config = {backend, &wish, 1U, &share, &image, &range, 1U, false};
        mete_plan_t plan;
        EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
        EXPECT(mete_plan_allows(&plan, 0x10FFCU, 4U, METE_ACCESS_READ, METE_UNPRIVILEGED));
        EXPECT(!mete_plan_allows(&plan, 0x11000U, 4U, METE_ACCESS_READ, METE_UNPRIVILEGED));
        EXPECT(mete_plan_check(&plan) && (mete_plan_usage(&plan).region_count == 1U));
    }
}

void test_integrity()
{
    unsigned char memory[40] = {};
    mete_integrity_slice_t slices[METE_INTEGRITY_SLICE_COUNT(sizeof memory, 16U)];
    mete_integrity_gate_t gate;
    const mete_integrity_region_t region = {memory, sizeof memory, slices, &gate};
    const mete_integrity_config_t config = {&region, 1U, 16U, nullptr, 0U, 0U};
    mete_integrity_t integrity;
    EXPECT(mete_integrity_init(&integrity, &config));
    EXPECT(mete_integrity_check_next(&integrity) == METE_INTEGRITY_RIGHT);
    EXPECT(mete_integrity_open(&integrity, 0U));
    memory[7] = 1U;
    mete_integrity_close(&integrity, 0U);
    EXPECT(mete_integrity_check(&integrity));
}

void test_map()
{
    static mete_map_region_t regions[2];
    static const mete_map_config_t config = {regions, 2U};
    static mete_map_t map;
    EXPECT(mete_map_init(&map, &config));
    mete_map_region_t region = {};
    region.name = "flash";
    region.size = 1024U;
    region.rights.privileged = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
    const mete_map_result_t result = mete_map_add(&map, &region);
    EXPECT((result.verdict == METE_MAP_OVERLAPS) && (result.other == mete_map_find(&map, 1023U)));
    EXPECT(mete_map_usage(&map, METE_MAP_CODE).in_use_size == 1024U);
    EXPECT((mete_map_last(result.other) == 1023U) && mete_map_check(&map));
    size_t size = 0U;
    EXPECT(mete_map_report_write(&map, {count_bytes, &size}) && (size != 0U));
    EXPECT(mete_map_remove(&map, 0U) && !mete_map_remove(&map, 0U));
}

void test_postmortem()
{
    static mete_postmortem_store_t store;
    static const mete_postmortem_config_t config = {&store, nullptr, nullptr, nullptr};
    static mete_postmortem_t postmortem;
    EXPECT(!mete_postmortem_init(&postmortem, &config));
    const mete_event_t event = {METE_EVENT_REFUSE, nullptr, nullptr, 4U, nullptr};
    mete_observe(mete_postmortem_as_observer(&postmortem), &event);
    EXPECT(mete_postmortem_init(&postmortem, &config) && mete_postmortem_check(&postmortem));
    EXPECT(mete_postmortem_last(&postmortem)->refusal_total == 1U);
}

void test_audit()
{
    static mete_audit_entry_t entries[3];
    static const mete_audit_config_t config = {entries, 3U,      0U,      nullptr,
                                               nullptr, nullptr, nullptr, nullptr};
    static mete_audit_t audit;
    EXPECT(mete_audit_init(&audit, &config));
    const mete_event_t event = {METE_EVENT_SWITCH, nullptr, nullptr, 4U, nullptr};
    mete_observe(mete_audit_as_observer(&audit), &event);
    EXPECT((mete_audit_count(&audit) == 1U) && mete_audit_check(&audit));
}

void test_violations()
{
    static const mete_violations_config_t config = {};
    static mete_violations_t violations;
    EXPECT(mete_violations_init(&violations, &config));
    mete_violation_t what = {};
    what.kind = METE_VIOLATION_DATA;
    what.known = METE_VIOLATION_KNOWS_ADDRESS;
    EXPECT(mete_violations_handle(&violations, &what, nullptr) == METE_VIOLATIONS_KILL);
    EXPECT(mete_violations_last(&violations)->verdict == METE_VIOLATIONS_NULL);
    size_t size = 0U;
    mete_violations_report_write(mete_violations_last(&violations), {count_bytes, &size});
    EXPECT((size != 0U) && (mete_violations_count(&violations) == 1U));
}

void test_protection()
{
    static mete_map_region_t table[1];
    static mete_protection_config_t config = {};
    static mete_protection_t protection;
    config.map = {table, 1U};
    config.plan.backend = &mete_plan_armv7m;
    config.plan.has_background = true;
    mete_mpu_image_t image;
    mete_plan_share_t share;
    mete_plan_range_t range;
    config.plan.images = &image;
    config.plan.ranges = &range;
    config.plan.image_max = 1U;
    config.plan.shares = &share;
    EXPECT(mete_protection_init(&protection, &config, nullptr));
    EXPECT(mete_map_check(&protection.map) && mete_plan_check(&protection.plan));
}

void test_stack()
{
    static uintptr_t memory[128];
    mete_stack_t stack;
    EXPECT(mete_stack_init(&stack, {memory, sizeof memory}) && mete_stack_paint(&stack));
    memory[100] = 0U;
    EXPECT(mete_stack_in_use_peak(&stack) == 28U * sizeof memory[0]);
    EXPECT(mete_stack_check(&stack));
    memory[0] = 0U;
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
}

void test_stacks()
{
    METE_LIST_DEFINE(stack_memory, 1024);
    mete_stacks_record_t records[2];
    mete_stacks_config_t config{};
    config.alloc = mete_list_as_alloc(mete_list_init(&stack_memory_config));
    config.records = records;
    config.record_max = 2;
    config.guard_size = 32;
    config.align = 32;
    mete_stacks_t stacks;
    EXPECT(mete_stacks_init(&stacks, &config) && mete_stacks_reserve(&stacks, 512));
    const mete_stacks_record_t *const record = mete_stacks_alloc(&stacks, &config, "task", 500);
    EXPECT((record == &records[0]) && (mete_stacks_guard(&stacks, record).size == 32U));
    EXPECT(mete_stacks_check_switch(&stacks, record, mete_stacks_top(record)));
    EXPECT(mete_stacks_find(&stacks, mete_stacks_limit(record)) == record);
    EXPECT(!mete_stacks_check_switch(&stacks, record, mete_stacks_span(record).start));
    EXPECT(tap_take_fault() == METE_FAULT_OVERFLOW);
    mete_stacks_free(&stacks, record);
    EXPECT((mete_stacks_purge(&stacks) == 512U) && mete_stacks_check(&stacks));
}

void test_domain()
{
    mete_plan_wish_t wishes[2];
    mete_plan_share_t shares[2];
    mete_mpu_image_t images[2];
    mete_plan_range_t ranges[2];
    mete_domain_books_t books{};
    books.wishes = wishes;
    books.shares = shares;
    books.wish_max = 2;
    books.images = images;
    books.ranges = ranges;
    books.image_max = 2;
    const mete_domain_member_t member{"one", 0, {nullptr, nullptr}, &books, nullptr};
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    const mete_domain_region_t region{
        "own", 0xA0000000, 0x1000, 0, rw, METE_DOMAIN_EXCLUSIVE, METE_MPU_CACHED, 0};
    uint8_t owner = 0;
    mete_domain_usage_t usage;
    mete_domain_config_t config{};
    config.members = &member;
    config.member_count = 1;
    config.regions = &region;
    config.region_count = 1;
    config.owners = &owner;
    config.usages = &usage;
    config.backend = &mete_plan_pages;
    mete_domain_t domains;
    mete_domain_task_t task;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    EXPECT(mete_domain_add(&domains, &task, 0));
    mete_domain_switch(&domains, &task);
    EXPECT(mete_domain_allows(&domains, 0xA0000000, 16, rw) && mete_domain_check(&domains));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_last(&domains)->request == METE_DOMAIN_LEAVE);
}

uint32_t no_clock()
{
    return 0U;
}

bool change_bank(void *self, const mete_ram_change_t *change)
{
    *static_cast<mete_ram_state_t *>(self) = change->to;
    return true;
}

void test_bank()
{
    static char memory[64];
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE] = {100U, true};
    kind.changes[METE_RAM_ACTIVE][METE_RAM_SLEEP].is_legal = true;
    kind.changes[METE_RAM_SLEEP][METE_RAM_ACTIVE].is_legal = true;
    const mete_bank_place_t place = {{memory, sizeof memory}, &kind};
    const mete_ram_ops_t ops = {change_bank};
    mete_ram_state_t state = METE_RAM_ACTIVE;
    mete_bank_record_t record;
    mete_bank_config_t config{};
    config.places = &place;
    config.records = &record;
    config.bank_count = 1U;
    config.ram = {&ops, &state};
    config.clock = no_clock;
    config.tick_us = 1U;
    mete_bank_t bank;
    EXPECT(mete_bank_init(&bank, &config) && mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    EXPECT((state == METE_RAM_SLEEP) && !mete_bank_is_awake(&bank, 0U));
    mete_bank_usage_t usage;
    EXPECT(mete_bank_wake(&bank, 0U) && mete_bank_read(&bank, 0U, &usage));
    EXPECT(usage.change_count == 2U);
    EXPECT((mete_bank_find(&bank, memory) == 0U) && mete_bank_check(&bank));
}

// Two banks; what is in the second moves to the first.
void test_evacuation()
{
    METE_MOVABLE_DEFINE(movables, 256, 6);
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE].retains = true;
    kind.changes[METE_RAM_ACTIVE][METE_RAM_DEEP_SLEEP].is_legal = true;
    kind.changes[METE_RAM_DEEP_SLEEP][METE_RAM_ACTIVE].is_legal = true;
    const mete_bank_place_t places[] = {{{movables_storage, 128}, &kind},
                                        {{movables_storage + 16, 128}, &kind}};
    const mete_ram_ops_t ops = {change_bank};
    mete_ram_state_t state = METE_RAM_ACTIVE;
    mete_bank_record_t records[2];
    mete_bank_config_t bank_config{};
    bank_config.places = places;
    bank_config.records = records;
    bank_config.bank_count = 2U;
    bank_config.ram = {&ops, &state};
    bank_config.clock = no_clock;
    bank_config.tick_us = 1U;
    mete_bank_t bank;
    EXPECT(mete_bank_init(&bank, &bank_config) && mete_movable_init(&movables, &movables_config));
    mete_evacuation_load_t loads[2];
    mete_span_t order[METE_EVACUATION_ORDER_COUNT(2)];
    mete_evacuation_config_t config{};
    config.bank = &bank;
    config.mover = mete_movable_as_mover(&movables);
    config.loads = loads;
    config.order = order;
    config.step_size = 64U;
    config.state = METE_RAM_DEEP_SLEEP;
    mete_evacuation_t evacuation;
    EXPECT(mete_evacuation_init(&evacuation, &config));
    const mete_movable_handle_t first = mete_movable_alloc(&movables, 100U);
    (void)mete_movable_alloc(&movables, 100U);
    mete_movable_free(&movables, first);
    mete_evacuation_plan_t plan;
    EXPECT(mete_evacuation_plan(&evacuation, 2U, &plan) && (plan.move_size == 104U) && plan.fits);
    mete_evacuation_commit(&evacuation, &plan);
    while (mete_evacuation_move_next(&evacuation)) {
    }
    EXPECT((mete_evacuation_sleep(&evacuation) == 2U) && (state == METE_RAM_DEEP_SLEEP));
    EXPECT(mete_evacuation_check(&evacuation) && mete_movable_check(&movables));
}

void test_optimiser()
{
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE] = {100U, true};
    kind.modes[METE_RAM_SLEEP] = {10U, true};
    kind.changes[METE_RAM_ACTIVE][METE_RAM_SLEEP] = {1U, 50U, true};
    kind.changes[METE_RAM_SLEEP][METE_RAM_ACTIVE] = {1U, 40U, true};
    mete_optimiser_idle_t idle;
    EXPECT(mete_optimiser_init(&idle, 100U, 8U, 1000U));
    mete_optimiser_note(&idle, 1100U, 10U);
    const mete_optimiser_demand_t demand = {5U, true};
    mete_optimiser_schedule_t schedule;
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT((schedule.states[0] == METE_RAM_SLEEP) && (schedule.energy_nj < schedule.active_nj));
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_SLEEP) == 1000U);
    EXPECT(mete_optimiser_check(&idle));
}

// A program's own part beside a system, and what health does about the pool that fills it.
struct beside_state {
    const int *own;
    mete_object_t pool;
};
mete_object_slot_t beside_slots[4];
mete_object_config_t beside_pool{};

bool init_beside(void *memory, const mete_system_place_t *place, mete_alloc_t *)
{
    auto *const state = static_cast<beside_state *>(memory);
    state->own = static_cast<const int *>(place->own);
    const mete_alloc_t any = mete_system_as_alloc(place->system, METE_SYSTEM_VARIABLE);
    return mete_object_init(&state->pool, any, &beside_pool) &&
           mete_object_reserve(&state->pool, 4U);
}

void test_system_and_what_stands_beside()
{
    static uint64_t memory[512];
    static const int own = 7;
    beside_pool.object_size = 64U;
    beside_pool.align = 8U;
    beside_pool.object_max = 4U;
    beside_pool.table = beside_slots;
    beside_pool.kept_max = 4U;
    const mete_system_part_t part = {sizeof(beside_state), 0U, 0U, false, init_beside, nullptr};
    const mete_system_beside_t beside[] = {{&part, &own}};
    mete_system_config_t config{};
    config.storage = {memory, sizeof memory};
    config.beside = beside;
    config.beside_count = 1U;
    mete_system_t *const system = mete_system_init(&config, nullptr);
    EXPECT(system != nullptr);
    auto *const state = static_cast<beside_state *>(mete_system_beside(system, 0U));
    EXPECT((*state->own == 7) && (mete_system_beside(system, 1U) == nullptr));
    const mete_heap_t *const heap = mete_system_heap(system);
    EXPECT(mete_heap_usage(heap).in_use_size >= 256U);
    const mete_health_action_t actions[] = {{mete_health_shrink_object, &state->pool}};
    mete_health_list_t list = {actions, 1U};
    EXPECT(mete_health_run_list(&list, nullptr) && !mete_health_run_list(&list, nullptr));
    EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_system_check(system));
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
    RUN(test_buffer);
    RUN(test_netbuf);
    RUN(test_fixed);
    RUN(test_object);
    RUN(test_tier);
    RUN(test_route);
    RUN(test_arena);
    RUN(test_movable);
    RUN(test_wrappers_in_a_chain);
    RUN(test_wrappers_for_tasks_and_interrupts);
    RUN(test_wrappers_that_refuse_and_wrappers_that_shape);
    RUN(test_vault);
    RUN(test_partition);
    RUN(test_timing);
    RUN(test_guard);
    RUN(test_integrity);
    RUN(test_map);
    RUN(test_plan);
    RUN(test_audit);
    RUN(test_postmortem);
    RUN(test_violations);
    RUN(test_protection);
    RUN(test_stack);
    RUN(test_stacks);
    RUN(test_domain);
    RUN(test_bank);
    RUN(test_references);
    RUN(test_cache);
    RUN(test_evacuation);
    RUN(test_system_and_what_stands_beside);
    RUN(test_optimiser);
    return tap_finish();
}

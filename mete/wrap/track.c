// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The check word of a record is a sum over all its other words, its address and its tracker's, each with
// an odd weight: change any one of them and the sum is wrong. So a record that was overwritten, or that
// another tracker keeps, is recognised before one of its links is followed. When a neighbour comes or
// goes, only the difference is added: a record that was damaged before stays recognisable.

#include "mete/wrap/track.h"

#include "mete/core/align.h"
#include "mete/core/text.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: what was damaged is reported by the next call on any block.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(track) \
    (mete_track_check(track) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (track), NULL)))
#else
#define CHECK_ALL(track) ((void)0)
#endif

typedef mete_track_record_t record_t;

// The link is the first member, so its address is the record's.
_Static_assert(offsetof(record_t, link) == 0U, "a link is cast to its record");

static record_t *record_at(mete_dlist_link_t *link)
{
    return (record_t *)(void *)link;
}

static const record_t *const_record_at(const mete_dlist_link_t *link)
{
    return (const record_t *)(const void *)link;
}

// The record ends where the block starts.
static record_t *record_of(const void *block)
{
    return (record_t *)((uintptr_t)block - sizeof(record_t));
}

// What the links add to the check word.
static uintptr_t links_sum(const mete_dlist_link_t *link)
{
    return (uintptr_t)link->next + 3U * (uintptr_t)link->previous;
}

static uintptr_t check_of(const mete_track_t *track, const record_t *record)
{
    return (uintptr_t)track + links_sum(&record->link) + 5U * (uintptr_t)record->caller +
           7U * (uintptr_t)record->size + 9U * (uintptr_t)record->align +
           11U * (uintptr_t)record->sequence + 13U * (uintptr_t)record->tick +
           15U * (uintptr_t)record;
}

// The check word of a record whose block was released. It depends on nothing else in the record,
// for the allocator behind usually writes its own links to the start of free memory.
static uintptr_t released_check_of(const mete_track_t *track, const record_t *record)
{
    return ~((uintptr_t)track + (uintptr_t)record);
}

static bool is_sound(const mete_track_t *track, const record_t *record)
{
    return record->check == check_of(track, record);
}

// Adds the difference that a change of links makes. The list's own link is in no record.
static void adjust(mete_track_t *track, mete_dlist_link_t *link, uintptr_t difference)
{
    if (link != &track->list) {
        record_at(link)->check += difference;
    }
}

static void insert(mete_track_t *track, record_t *record)
{
    mete_dlist_link_t *const last = track->list.previous;
    const uintptr_t before = links_sum(last);
    mete_dlist_append(&track->list, &record->link);
    adjust(track, last, links_sum(last) - before);
    record->check = check_of(track, record);
    track->live_count++;
}

static void take_out(mete_track_t *track, record_t *record)
{
    mete_dlist_link_t *const previous = record->link.previous;
    mete_dlist_link_t *const next = record->link.next;
    const uintptr_t previous_sum = links_sum(previous);
    const uintptr_t next_sum = links_sum(next);
    mete_dlist_remove(&record->link);
    adjust(track, previous, links_sum(previous) - previous_sum);
    adjust(track, next, links_sum(next) - next_sum);
    record->check = released_check_of(track, record);
    track->live_count--;
}

// The record must lie in memory that may be read, as far as the allocator behind can tell.
static bool may_be_ours(const mete_track_t *track, const void *block)
{
    const mete_alloc_t inner = track->inner;
    const unsigned char *const end = block;
    return mete_align_fits((uintptr_t)block, _Alignof(record_t)) &&
           ((inner.ops->owns == NULL) || (inner.ops->owns(inner.self, record_of(block)) &&
                                          inner.ops->owns(inner.self, end - 1)));
}

// What looks like no record may be one that was overwritten, or none. If it is one then the list leads
// to it, or to another that was overwritten before: either way damage is what there is to report.
static int fault_of_unsound(const mete_track_t *track, const record_t *record)
{
    if (record->check == released_check_of(track, record)) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return mete_track_check(track) ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
}

// What is wrong with a block that is to be released or resized; 0 if nothing is.
static int fault_of(const mete_track_t *track, const void *block, size_t size, size_t align)
{
    if (!IS_CHECKED) {
        return 0;
    }
    if (!may_be_ours(track, block)) {
        return METE_FAULT_FOREIGN;
    }
    const record_t *const record = record_of(block);
    if (!is_sound(track, record)) {
        return fault_of_unsound(track, record);
    }
    if ((record->size != size) || (record->align != align)) {
        return METE_FAULT_SIZE;
    }
    return mete_dlist_agrees(&record->link) ? 0 : METE_FAULT_CORRUPT;
}

static uint32_t now_of(const mete_track_t *track)
{
    return (track->config->clock != NULL) ? track->config->clock() : 0U;
}

static const void *caller_of(const mete_track_t *track, const void *own_caller)
{
    return (track->config->site != NULL) ? track->config->site->caller : own_caller;
}

static void tell(const mete_track_t *track, mete_event_kind_t kind, const void *block, size_t size,
                 const void *caller)
{
    const mete_event_t event = {kind, track, block, size, caller};
    mete_observe(track->config->observer, &event);
}

// The alignment to ask for: that of the block and of the record in front of it.
static size_t outer_align_of(size_t align)
{
    return (align > _Alignof(record_t)) ? align : _Alignof(record_t);
}

static size_t prefix_size_of(size_t align)
{
    return mete_align_up(sizeof(record_t), outer_align_of(align));
}

static void *acquire_behind(const mete_track_t *track, size_t size, size_t align)
{
    const size_t prefix_size = prefix_size_of(align);
    if (size > SIZE_MAX - prefix_size) {
        return NULL;
    }
    const mete_alloc_t inner = track->inner;
    unsigned char *const memory =
        inner.ops->acquire(inner.self, prefix_size + size, outer_align_of(align));
    return (memory != NULL) ? memory + prefix_size : NULL;
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_track_t *const track = self;
    const void *const caller = caller_of(track, METE_CALLER());
    if (IS_CHECKED && !mete_dlist_agrees(&track->list)) {
        METE_FAULT(METE_FAULT_CORRUPT, track, NULL);
        return NULL;
    }
    void *const block = acquire_behind(track, size, align);
    if (block == NULL) {
        tell(track, METE_EVENT_REFUSE, NULL, size, caller);
        return NULL;
    }
    track->sequence++;
    record_t *const record = record_of(block);
    record->caller = caller;
    record->size = size;
    record->align = align;
    record->sequence = track->sequence;
    record->tick = now_of(track);
    insert(track, record);
    CHECK_ALL(track);
    tell(track, METE_EVENT_ACQUIRE, block, size, caller);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_track_t *const track = self;
    const void *const caller = caller_of(track, METE_CALLER());
    const int fault = fault_of(track, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, track, block);
        return;
    }
    take_out(track, record_of(block));
    CHECK_ALL(track);
    const size_t prefix_size = prefix_size_of(align);
    track->inner.ops->release(track->inner.self, (unsigned char *)block - prefix_size,
                              prefix_size + size, outer_align_of(align));
    tell(track, METE_EVENT_RELEASE, block, size, caller);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_track_t *const track = self;
    const void *const caller = caller_of(track, METE_CALLER());
    const int fault = fault_of(track, block, old_size, align);
    if (fault != 0) {
        METE_FAULT(fault, track, block);
        return false;
    }
    const size_t prefix_size = prefix_size_of(align);
    if ((new_size > SIZE_MAX - prefix_size) ||
        !track->inner.ops->resize(track->inner.self, (unsigned char *)block - prefix_size,
                                  prefix_size + old_size, prefix_size + new_size,
                                  outer_align_of(align))) {
        return false;
    }
    record_t *const record = record_of(block);
    record->size = new_size;
    record->check = check_of(track, record);
    CHECK_ALL(track);
    tell(track, METE_EVENT_RESIZE, block, new_size, caller);
    return true;
}

static bool owns(const void *self, const void *address)
{
    const mete_track_t *const track = self;
    return track->inner.ops->owns(track->inner.self, address);
}

static size_t size_of(const void *self, const void *block)
{
    (void)self;
    return record_of(block)->size;
}

bool mete_track_init(mete_track_t *track, mete_alloc_t inner, const mete_track_config_t *config)
{
    METE_ASSERT(track != NULL);
    if ((inner.ops == NULL) || (config == NULL)) {
        return false;
    }
    track->config = config;
    track->inner.ops = inner.ops;
    track->inner.self = inner.self;
    mete_dlist_init(&track->list);
    track->live_count = 0U;
    track->sequence = 0U;
    return true;
}

uint32_t mete_track_mark(const mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    tell(track, METE_EVENT_MARK, NULL, track->sequence, METE_CALLER());
    return track->sequence;
}

bool mete_track_walk(const mete_track_t *track,
                     bool (*visit)(void *self, const mete_track_block_t *block), void *self)
{
    METE_ASSERT((track != NULL) && (visit != NULL));
    const uint32_t now = now_of(track);
    const mete_dlist_link_t *link = track->list.next;
    for (size_t i = 0U; i < track->live_count; i++) {
        const record_t *const record = const_record_at(link);
        if ((link == &track->list) || !is_sound(track, record)) {
            return false;
        }
        const mete_track_block_t block = {record + 1,     record->size,     record->align,
                                          record->caller, record->sequence, now - record->tick};
        if (!visit(self, &block)) {
            return false;
        }
        link = link->next;
    }
    return link == &track->list;
}

bool mete_track_check(const mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    const mete_dlist_link_t *before = &track->list;
    for (size_t i = 0U; i < track->live_count; i++) {
        const mete_dlist_link_t *const link = before->next;
        if ((link == &track->list) || !is_sound(track, const_record_at(link)) ||
            (link->previous != before)) {
            return false;
        }
        before = link;
    }
    return (before->next == &track->list) && (track->list.previous == before);
}

// A report as it goes along. Without a sink it only counts.
typedef struct report {
    const mete_track_t *track;
    const mete_track_filter_t *filter;
    const mete_sink_t *sink;
    size_t count;
    size_t size;
} report_t;

// The sink by pointer: some compilers copy it with memcpy() for each call it is passed to.
static void write_text(const mete_sink_t *sink, const char *text)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, text);
}

static void write_number(const mete_sink_t *sink, const char *name, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, name);
    mete_text_decimal(by_value, value);
}

static void write_address(const mete_sink_t *sink, const char *name, uintptr_t address)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, name);
    mete_text_hex(by_value, address);
}

// A caller is where the call returns to. One byte less lies inside the call, whatever its length; bit
// 0 is no part of the address on ARM.
static uintptr_t call_before(const void *caller)
{
    return (caller != NULL) ? ((uintptr_t)caller & ~(uintptr_t)1U) - 1U : 0U;
}

static void write_block(const mete_sink_t *sink, const mete_track_block_t *block)
{
    write_address(sink, "leak block=", (uintptr_t)block->block);
    write_number(sink, " size=", block->size);
    write_number(sink, " sequence=", block->sequence);
    write_number(sink, " age=", block->age);
    write_address(sink, " call=", call_before(block->caller));
    write_text(sink, "\n");
}

static void write_total(const mete_sink_t *sink, const mete_track_total_t *total)
{
    write_number(sink, "leaks count=", total->count);
    write_number(sink, " size=", total->size);
    write_text(sink, total->is_sound ? " records=sound\n" : " records=damaged\n");
}

// Sequence numbers wrap, so they are compared by how long ago they were given.
static bool passes(const report_t *report, const mete_track_block_t *block)
{
    const mete_track_filter_t *const filter = report->filter;
    const uint32_t newest = report->track->sequence;
    return (filter == NULL) ||
           ((block->age >= filter->age_min) &&
            ((filter->since == 0U) || (newest - block->sequence < newest - filter->since)));
}

static bool report_block(void *self, const mete_track_block_t *block)
{
    report_t *const report = self;
    if (passes(report, block)) {
        report->count++;
        report->size += block->size;
        if (report->sink != NULL) {
            write_block(report->sink, block);
        }
    }
    return true;
}

static mete_track_total_t run_report(const mete_track_t *track, const mete_track_filter_t *filter,
                                     const mete_sink_t *sink)
{
    report_t report = {track, filter, sink, 0U, 0U};
    const bool is_sound = mete_track_walk(track, report_block, &report);
    const mete_track_total_t total = {report.count, report.size, is_sound};
    return total;
}

mete_track_total_t mete_track_total(const mete_track_t *track, const mete_track_filter_t *filter)
{
    return run_report(track, filter, NULL);
}

mete_track_total_t mete_track_report(const mete_track_t *track, const mete_track_filter_t *filter,
                                     mete_sink_t sink)
{
    const mete_track_total_t total = run_report(track, filter, &sink);
    write_total(&sink, &total);
    return total;
}

mete_alloc_t mete_track_as_alloc(mete_track_t *track)
{
    // What the allocator behind cannot do is NULL here too: one table for each case.
    static const mete_alloc_ops_t tables[4] = {
        {acquire, release, NULL, NULL, size_of},
        {acquire, release, resize, NULL, size_of},
        {acquire, release, NULL, owns, size_of},
        {acquire, release, resize, owns, size_of},
    };
    METE_ASSERT((track != NULL) && (track->config != NULL));
    const mete_alloc_ops_t *const inner = track->inner.ops;
    const size_t which = ((inner->resize != NULL) ? 1U : 0U) + ((inner->owns != NULL) ? 2U : 0U);
    const mete_alloc_t view = {&tables[which], track};
    return view;
}

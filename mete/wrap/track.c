// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a record says, and when it can be trusted, is in track_records.h, a part of this file: nobody else
// includes it.
//
// A call that has nothing to do but to record goes a short way: acquire(), keep() and release() are all of
// it. What else there may be (frames, owners, listeners, a cursor, blocks that are not recorded) is asked
// for by one word, the mode, and done in the functions called ..._noted.

#include "mete/wrap/track.h"

#include "mete/wrap/track_records.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: what was damaged is reported by the next call on any block.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(track) \
    (mete_track_check(track) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (track), NULL)))
#else
#define CHECK_ALL(track) ((void)0)
#endif

// Of a tracker's mode.
enum { MODE_STOPPED = 1, MODE_NOTED = 2, MODE_CURSOR = 4, MODE_TOLD = 8 };

_Static_assert((1 << ALIGN_MIN_LOG2) == ALIGN_MIN, "one follows from the other");
_Static_assert(_Alignof(record_t) <= ALIGN_MIN, "records are as aligned as that");
_Static_assert(sizeof(record_t) % ALIGN_MIN == 0U, "a block starts where its record ends");
// The link is the first member, so its address is the record's.
_Static_assert(offsetof(record_t, link) == 0U, "a link is cast to its record");

// ---- What is wrong with a block that is to be released or resized

// Held, recorded, no suspect, and as the caller says.
static inline bool is_held(const mete_track_t *track, const record_t *record, size_t size,
                           size_t align)
{
    return (!IS_CHECKED || METE_LIKELY(is_inside(track, record))) &&
           METE_LIKELY(record->size == size) &&
           METE_LIKELY(record->check == check_of(track, record, size, align, STATE_LISTED)) &&
           (!IS_CHECKED || agrees(track, &record->link));
}

// Acquired while nothing was recorded, and as the caller says.
static inline bool is_loose(const mete_track_t *track, const record_t *record, size_t size,
                            size_t align)
{
    return (!IS_CHECKED || is_inside(track, record)) && (record->size == size) &&
           (record->check == check_of(track, record, size, align, STATE_LOOSE));
}

// What looks like no record may be one that was overwritten, or none. If it is one then the list leads
// to it, or to another that was overwritten before: either way damage is what there is to report.
static int fault_of_unsound(const mete_track_t *track)
{
    return mete_track_check(track) ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
}

// 0 if nothing is wrong.
__attribute__((noinline)) static int fault_of(const mete_track_t *track, const record_t *record,
                                              size_t size, size_t align)
{
    if (!IS_CHECKED) {
        return 0;
    }
    if (!is_inside(track, record)) {
        return METE_FAULT_FOREIGN;
    }
    if (record->size == key_of(track, record)) {
        return METE_FAULT_DOUBLE_FREE;
    }
    uintptr_t state = STATE_LISTED;
    const size_t own_align = align_of(track, record, &state);
    if (own_align == 0U) {
        return fault_of_unsound(track);
    }
    if ((state != STATE_LOOSE) && !agrees(track, &record->link)) {
        return METE_FAULT_CORRUPT;
    }
    return ((record->size == size) && (own_align == align)) ? 0 : METE_FAULT_SIZE;
}

// ---- Who hears of it

static const void *caller_of(const mete_track_t *track, const void *own_caller)
{
    return (track->site != NULL) ? track->site->caller : own_caller;
}

__attribute__((noinline)) static void tell(const mete_track_t *track, mete_event_kind_t kind,
                                           const void *block, size_t size)
{
    const mete_event_t event = {kind, track, block, size, caller_of(track, track->caller)};
    mete_observe(track->config->observer, &event);
}

static uint32_t no_clock(void)
{
    return 0U;
}

// ---- The allocator behind. Small alignments, which are the rule, go their own way.

static size_t prefix_size_of(const mete_track_t *track, size_t align)
{
    return mete_align_up(track->prefix_size, align);
}

static inline void *acquire_with(const mete_track_t *track, size_t prefix_size, size_t size,
                                 size_t align)
{
    if (size > SIZE_MAX - prefix_size) {
        return NULL;
    }
    const mete_alloc_t inner = track->inner;
    unsigned char *const memory = inner.ops->acquire(inner.self, prefix_size + size, align);
    return (memory != NULL) ? memory + prefix_size : NULL;
}

__attribute__((noinline)) static void *acquire_aligned(const mete_track_t *track, size_t size,
                                                       size_t align)
{
    return acquire_with(track, prefix_size_of(track, align), size, align);
}

static inline void *acquire_behind(const mete_track_t *track, size_t size, size_t align)
{
    return METE_LIKELY(align <= ALIGN_MIN)
               ? acquire_with(track, track->prefix_size, size, ALIGN_MIN)
               : acquire_aligned(track, size, align);
}

static inline void release_with(const mete_track_t *track, size_t prefix_size, void *block,
                                size_t size, size_t align)
{
    const mete_alloc_t inner = track->inner;
    inner.ops->release(inner.self, (unsigned char *)block - prefix_size, prefix_size + size, align);
}

__attribute__((noinline)) static void release_aligned(const mete_track_t *track, void *block,
                                                      size_t size, size_t align)
{
    release_with(track, prefix_size_of(track, align), block, size, align);
}

static inline void release_behind(const mete_track_t *track, void *block, size_t size, size_t align)
{
    if (METE_LIKELY(align <= ALIGN_MIN)) {
        release_with(track, track->prefix_size, block, size, ALIGN_MIN);
    } else {
        release_aligned(track, block, size, align);
    }
}

static bool resize_behind(const mete_track_t *track, void *block, size_t old_size, size_t new_size,
                          size_t align)
{
    const mete_alloc_t inner = track->inner;
    const size_t outer_align = (align > ALIGN_MIN) ? align : ALIGN_MIN;
    const size_t prefix_size = prefix_size_of(track, outer_align);
    return (new_size <= SIZE_MAX - prefix_size) &&
           inner.ops->resize(inner.self, (unsigned char *)block - prefix_size,
                             prefix_size + old_size, prefix_size + new_size, outer_align);
}

// ---- Acquire

// Now records can lie there, too.
__attribute__((noinline)) static void widen(mete_track_t *track, const record_t *record)
{
    const uintptr_t at = (uintptr_t)record;
    uintptr_t high = track->low + (track->extent * ALIGN_MIN);
    if ((track->extent == 0U) || (high < at + ALIGN_MIN)) {
        high = at + ALIGN_MIN;
    }
    if ((track->extent == 0U) || (at < track->low)) {
        track->low = at;
    }
    track->extent = (high - track->low) / ALIGN_MIN;
}

static inline void keep(mete_track_t *track, record_t *record, size_t size, size_t align,
                        const void *own_caller)
{
    if (!METE_LIKELY(is_inside(track, record))) {
        widen(track, record);
    }
    track->sequence++;
    record->caller = caller_of(track, own_caller);
    record->sequence = track->sequence;
    record->tick = track->clock();
    record->size = size;
    record->check = check_of(track, record, size, align, STATE_LISTED);
    mete_dlist_append(&track->list, &record->link);
}

// All that keep() does not do, where there is more to do.
__attribute__((noinline)) static void keep_noted(mete_track_t *track, record_t *record, size_t size,
                                                 size_t align)
{
    const mete_track_config_t *const config = track->config;
    if ((track->mode & MODE_STOPPED) != 0U) {
        if (!is_inside(track, record)) {
            widen(track, record);
        }
        record->size = size;
        record->check = check_of(track, record, size, align, STATE_LOOSE);
    } else {
        keep(track, record, size, align, track->caller);
        if (config->owner != NULL) {
            record->owner = config->owner(config->owner_self);
        }
        if (config->trace != NULL) {
            config->trace(config->trace_self, frames_of(track, record), config->frame_count);
        }
    }
    if ((track->mode & MODE_TOLD) != 0U) {
        tell(track, METE_EVENT_ACQUIRE, record + 1, size);
    }
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_track_t *const track = self;
    void *const block = acquire_behind(track, size, align);
    if (!METE_LIKELY(block != NULL)) {
        track->caller = METE_CALLER();
        tell(track, METE_EVENT_REFUSE, NULL, size);
        return NULL;
    }
    if (METE_LIKELY(track->mode == 0U)) {
        keep(track, record_of(block), size, align, METE_CALLER());
    } else {
        track->caller = METE_CALLER();
        keep_noted(track, record_of(block), size, align);
    }
    CHECK_ALL(track);
    return block;
}

// ---- Release and resize

static inline void take_out(record_t *record, uintptr_t key)
{
    mete_dlist_remove(&record->link);
    record->size = key;  // No size: this marks it as released.
}

static void move_cursor(const mete_track_t *track, const record_t *record)
{
    if ((track->cursor != NULL) && (track->cursor->next == &record->link)) {
        track->cursor->next = record->link.previous;
    }
}

// All that release() does, for every state and mode. Returns the fault that there is to report.
__attribute__((noinline)) static int release_noted(mete_track_t *track, void *block, size_t size,
                                                   size_t align)
{
    record_t *const record = record_of(block);
    const uintptr_t key = key_of(track, record);
    if (is_loose(track, record, size, align)) {
        record->size = key;
    } else if (is_held(track, record, size, align)) {
        move_cursor(track, record);
        take_out(record, key);
    } else {
        const int fault = fault_of(track, record, size, align);
        if (fault != 0) {
            return fault;
        }
        move_cursor(track, record);
        take_out(record, key);
        track->suspect_count--;
        track->cleared_count++;
    }
    release_behind(track, block, size, align);
    if ((track->mode & MODE_TOLD) != 0U) {
        tell(track, METE_EVENT_RELEASE, block, size);
    }
    return 0;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_track_t *const track = self;
    record_t *const record = record_of(block);
    if (METE_LIKELY((track->mode == 0U) && is_held(track, record, size, align))) {
        take_out(record, key_of(track, record));
        release_behind(track, block, size, align);
        CHECK_ALL(track);
        return;
    }
    track->caller = METE_CALLER();
    const int fault = release_noted(track, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, track, block);
        return;
    }
    CHECK_ALL(track);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_track_t *const track = self;
    record_t *const record = record_of(block);
    const int fault = fault_of(track, record, old_size, align);
    if (fault != 0) {
        METE_FAULT(fault, track, block);
        return false;
    }
    if (!resize_behind(track, block, old_size, new_size, align)) {
        return false;
    }
    record->size = new_size;
    record->check ^= mete_stride_rotate(old_size ^ new_size, SIZE_ROTATION);
    CHECK_ALL(track);
    track->caller = METE_CALLER();
    tell(track, METE_EVENT_RESIZE, block, new_size);
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

// ---- Start

static bool is_legal(const mete_track_config_t *config)
{
    return (config != NULL) && ((config->trace != NULL) == (config->frame_count != 0U)) &&
           (config->frame_count <= METE_TRACK_FRAME_COUNT_MAX);
}

// How many records, of all that could overlap, can start in a span with a byte behind them.
static size_t extent_of(mete_span_t memory)
{
    const uintptr_t low = mete_align_up((uintptr_t)memory.start, ALIGN_MIN);
    const uintptr_t end = (uintptr_t)memory.start + memory.size;
    return (end > low + sizeof(record_t)) ? ((end - 1U - low - sizeof(record_t)) / ALIGN_MIN) + 1U
                                          : 0U;
}

static uint32_t mode_of(const mete_track_config_t *config)
{
    const bool is_noted = (config->owner != NULL) || (config->trace != NULL);
    return (is_noted ? MODE_NOTED : 0U) | ((config->observer.on_event != NULL) ? MODE_TOLD : 0U);
}

bool mete_track_init(mete_track_t *track, mete_alloc_t inner, const mete_track_config_t *config)
{
    METE_ASSERT(track != NULL);
    if ((inner.ops == NULL) || !is_legal(config)) {
        return false;
    }
    mete_dlist_init(&track->list);
    track->low = mete_align_up((uintptr_t)config->memory.start, ALIGN_MIN);
    track->extent = extent_of(config->memory);
    track->inner.ops = inner.ops;
    track->inner.self = inner.self;
    track->prefix_size = METE_TRACK_PREFIX_SIZE_FOR(1U, config->frame_count);
    track->site = config->site;
    track->caller = NULL;
    track->clock = (config->clock != NULL) ? config->clock : no_clock;
    track->sequence = 0U;
    track->mode = mode_of(config);
    track->config = config;
    track->cursor = NULL;
    track->suspect_count = 0U;
    track->cleared_count = 0U;
    return true;
}

void mete_track_start(mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    track->mode &= ~(uint32_t)MODE_STOPPED;
}

void mete_track_stop(mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    track->mode |= MODE_STOPPED;
}

uint32_t mete_track_mark(const mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    const mete_event_t event = {METE_EVENT_MARK, track, NULL, track->sequence, METE_CALLER()};
    mete_observe(track->config->observer, &event);
    return track->sequence;
}

// ---- Looking at blocks

// The next older record after one that is in order, or after the list's own link, where it also ends.
// NULL if what comes is not in order. As each must lead back to the one that it was reached from, none
// can be reached twice: who follows comes to an end.
static const link_t *older_than(const mete_track_t *track, const link_t *link)
{
    const link_t *const older = link->previous;
    if (!leads_somewhere(track, older) || (older->next != link)) {
        return NULL;
    }
    return ((older == &track->list) || is_recorded(track, record_at(older))) ? older : NULL;
}

// Those behind the last are NULL. Before it there may be some, too: words of a stack.
static size_t frame_count_of(const void *const *frames, size_t count_max)
{
    size_t count = count_max;
    while ((count != 0U) && (frames[count - 1U] == NULL)) {
        count--;
    }
    return count;
}

// Of a record that is in order.
static void describe(const mete_track_t *track, const record_t *record, uint32_t now,
                     block_t *block)
{
    const mete_track_config_t *const config = track->config;
    uintptr_t state = STATE_LISTED;
    block->block = record + 1;
    block->size = record->size;
    block->align = align_of(track, record, &state);
    block->caller = record->caller;
    block->sequence = record->sequence;
    block->age = now - record->tick;
    block->owner = (config->owner != NULL) ? record->owner : 0U;
    block->is_suspect = (state == STATE_SUSPECT);
    block->frames = frames_of(track, record);
    block->frame_count = frame_count_of(block->frames, config->frame_count);
}

bool mete_track_read(const mete_track_t *track, const void *block, mete_track_block_t *record)
{
    METE_ASSERT((track != NULL) && (track->config != NULL) && (record != NULL));
    const record_t *const of = record_of(block);
    if (!is_inside(track, of) || !is_recorded(track, of) || !agrees(track, &of->link)) {
        return false;
    }
    describe(track, of, track->clock(), record);
    return true;
}

bool mete_track_walk(const mete_track_t *track,
                     bool (*visit)(void *self, const mete_track_block_t *block), void *self)
{
    METE_ASSERT((track != NULL) && (visit != NULL));
    const uint32_t now = track->clock();
    const link_t *link = older_than(track, &track->list);
    while ((link != NULL) && (link != &track->list)) {
        block_t block;
        describe(track, record_at(link), now, &block);
        if (!visit(self, &block)) {
            return false;
        }
        link = older_than(track, link);
    }
    return link != NULL;
}

bool mete_track_check(const mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    const link_t *link = older_than(track, &track->list);
    while ((link != NULL) && (link != &track->list)) {
        link = older_than(track, link);
    }
    return link != NULL;
}

// ---- Which blocks are meant

// Sequence numbers wrap, so they are compared by how long ago they were given.
bool mete_track_fits(const mete_track_t *track, const mete_track_filter_t *filter,
                     const mete_track_block_t *block)
{
    METE_ASSERT((track != NULL) && (block != NULL));
    const uint32_t newest = track->sequence;
    return (filter == NULL) ||
           ((block->age >= filter->age_min) &&
            ((filter->since == 0U) || (newest - block->sequence < newest - filter->since)) &&
            (!filter->is_of_owner || (block->owner == filter->owner)));
}

// What fits, as a walk goes along.
typedef struct selection {
    const mete_track_t *track;
    const mete_track_filter_t *filter;
    mete_track_t *accuser;  // NULL: nobody is suspected.
    size_t count;
    size_t size;
} selection_t;

static void accuse(mete_track_t *track, const block_t *block)
{
    if (!block->is_suspect) {
        record_of(block->block)->check ^= STATE_SUSPECT;
        track->suspect_count++;
    }
}

static bool select_block(void *self, const block_t *block)
{
    selection_t *const selection = self;
    if (mete_track_fits(selection->track, selection->filter, block)) {
        selection->count++;
        selection->size += block->size;
        if (selection->accuser != NULL) {
            accuse(selection->accuser, block);
        }
    }
    return true;
}

static mete_track_total_t select_blocks(selection_t selection)
{
    const bool is_sound = mete_track_walk(selection.track, select_block, &selection);
    const mete_track_total_t total = {selection.count, selection.size, is_sound};
    return total;
}

mete_track_total_t mete_track_total(const mete_track_t *track, const mete_track_filter_t *filter)
{
    return select_blocks((selection_t){track, filter, NULL, 0U, 0U});
}

mete_track_total_t mete_track_suspect(mete_track_t *track, const mete_track_filter_t *filter)
{
    return select_blocks((selection_t){track, filter, track, 0U, 0U});
}

mete_track_suspects_t mete_track_suspects(const mete_track_t *track)
{
    METE_ASSERT((track != NULL) && (track->config != NULL));
    const mete_track_suspects_t suspects = {track->suspect_count, track->cleared_count};
    return suspects;
}

// ---- In slices

bool mete_track_init_cursor(mete_track_cursor_t *cursor, mete_track_t *track,
                            const mete_track_filter_t *filter, const void **frames)
{
    METE_ASSERT((cursor != NULL) && (track != NULL) && (track->config != NULL));
    if (track->cursor != NULL) {
        return false;
    }
    cursor->track = track;
    cursor->next = track->list.previous;
    cursor->filter = filter;
    cursor->frames = frames;
    cursor->total.count = 0U;
    cursor->total.size = 0U;
    cursor->total.is_sound = false;
    track->cursor = cursor;
    track->mode |= MODE_CURSOR;
    return true;
}

void mete_track_remove_cursor(mete_track_cursor_t *cursor)
{
    METE_ASSERT((cursor != NULL) && (cursor->track != NULL));
    mete_track_t *const track = cursor->track;
    if (track->cursor == cursor) {
        track->cursor = NULL;
        track->mode &= ~(uint32_t)MODE_CURSOR;
    }
}

static mete_track_step_t finish(mete_track_cursor_t *cursor, mete_track_step_t step)
{
    cursor->total.is_sound = (step == METE_TRACK_END);
    mete_track_remove_cursor(cursor);
    return step;
}

// The record's frames may be gone when they are looked at.
static void copy_frames(const mete_track_cursor_t *cursor, block_t *block)
{
    for (size_t i = 0U; i < block->frame_count; i++) {
        cursor->frames[i] = block->frames[i];
    }
    block->frames = cursor->frames;
}

// True if the block at the cursor, which is in order, passes.
static bool is_found(mete_track_cursor_t *cursor, block_t *block)
{
    const mete_track_t *const track = cursor->track;
    describe(track, record_at(cursor->next), track->clock(), block);
    if (!mete_track_fits(track, cursor->filter, block)) {
        return false;
    }
    cursor->total.count++;
    cursor->total.size += block->size;
    if (cursor->frames != NULL) {
        copy_frames(cursor, block);
    }
    return true;
}

mete_track_step_t mete_track_read_next(mete_track_cursor_t *cursor, size_t count,
                                       mete_track_block_t *block)
{
    METE_ASSERT((cursor != NULL) && (cursor->track != NULL) && (block != NULL));
    const mete_track_t *const track = cursor->track;
    if (track->cursor != cursor) {
        return cursor->total.is_sound ? METE_TRACK_END : METE_TRACK_DAMAGED;
    }
    for (size_t i = 0U; i < count; i++) {
        const link_t *const link = cursor->next;
        if (link == &track->list) {
            return finish(cursor, METE_TRACK_END);
        }
        if (!is_inside(track, link) || !is_recorded(track, record_at(link)) ||
            !agrees(track, link)) {
            return finish(cursor, METE_TRACK_DAMAGED);
        }
        const bool is_one = is_found(cursor, block);
        cursor->next = link->previous;
        if (is_one) {
            return METE_TRACK_FOUND;
        }
    }
    return METE_TRACK_PASSED;
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

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// In memory, from low to high: what the alignment leaves over, the record, the block, the tail. The last
// word of the record is the canary in front of the block: a sum over all the rest of the record, see
// mete/core/record.h. A live block and one in quarantine differ in the state that is added to the sum.
//
// The cursor of check_next() is a record as well, and a member of a list: blocks beside it may go without
// knowing of it.

#include "mete/wrap/guard.h"

#include "mete/core/pass.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: what was damaged is reported by the next call on any block.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(guard) \
    (mete_guard_check(guard) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (guard), NULL)))
#else
#define CHECK_ALL(guard) ((void)0)
#endif

// The states of records.
#define LIVE        ((uintptr_t)0U)
#define QUARANTINED ((uintptr_t)0xC2B2AE3D27D4EB4FU)
#define KEY_FACTOR  ((uintptr_t)0x9E3779B97F4A7C15U)

typedef mete_record_t record_t;
typedef struct __attribute__((packed, may_alias)) loose_word {
    uintptr_t value;
} loose_word_t;

_Static_assert(offsetof(mete_guard_t, inner) == 0U, "what passes calls on expects it there");
_Static_assert(offsetof(record_t, link) == 0U, "a link is cast to its record");
_Static_assert((sizeof(record_t) & (sizeof(record_t) - 1U)) == 0U,
               "else prefixes are no alignments");

// The check word of a record whose block went back. It depends on nothing else in the record, for the
// allocator behind usually writes its own links to the start of free memory.
static uintptr_t released_check_of(const mete_guard_t *guard, const record_t *record)
{
    return guard->key ^ (uintptr_t)record;
}

static uintptr_t state_of(const mete_guard_t *guard, const record_t *record)
{
    return mete_record_state(guard->key, record);
}

// ---- Tails

// Odd, so that its first byte is never 0, if that is the lowest one.
static uintptr_t tail_of(const mete_guard_t *guard, const unsigned char *end)
{
    return (guard->key - (uintptr_t)end) | 1U;
}

static void set_tail(const mete_guard_t *guard, unsigned char *end)
{
    ((loose_word_t *)(void *)end)->value = tail_of(guard, end);
}

static bool is_tail_whole(const mete_guard_t *guard, const unsigned char *end)
{
    return ((const loose_word_t *)(const void *)end)->value == tail_of(guard, end);
}

// ---- What is acquired behind

// The alignment to ask for: that of the block and of the record in front of it.
static size_t outer_align_of(size_t align)
{
    return (align > _Alignof(record_t)) ? align : _Alignof(record_t);
}

// Both are powers of two, so the larger is a multiple of the smaller.
static size_t prefix_size_of(size_t align)
{
    return METE_GUARD_PREFIX_SIZE(align);
}

static size_t outer_size_of(size_t size, size_t align)
{
    return prefix_size_of(align) + size + METE_GUARD_TAIL_SIZE;
}

static size_t outer_size_in(const record_t *record)
{
    return outer_size_of(mete_record_size(record), mete_record_align(record));
}

static void release_behind(const mete_guard_t *guard, unsigned char *block, size_t size,
                           size_t align)
{
    guard->inner.ops->release(guard->inner.self, block - prefix_size_of(align),
                              outer_size_of(size, align), outer_align_of(align));
}

static void tell_site(const mete_guard_t *guard, const void *caller)
{
    if (guard->site != NULL) {
        guard->site->caller = caller;
    }
}

// ---- Finding what is wrong

// Not inlined: it needs registers that the usual way would have to save.
__attribute__((noinline)) static bool is_owned(const mete_guard_t *guard, const void *block)
{
    const mete_alloc_t inner = guard->inner;
    const unsigned char *const end = block;
    return inner.ops->owns(inner.self, mete_record_of(block)) &&
           inner.ops->owns(inner.self, end - 1);
}

// The record must lie in memory that may be read, as far as is known.
static inline bool may_be_ours(const mete_guard_t *guard, const void *block)
{
    return mete_align_fits((uintptr_t)block, _Alignof(record_t)) &&
           ((uintptr_t)block >= guard->lowest) && ((uintptr_t)block <= guard->highest) &&
           (!guard->asks_owns || is_owned(guard, block));
}

static bool are_lists_whole(const mete_guard_t *guard)
{
    return mete_record_walk(guard->key, &guard->live, LIVE, false, NULL, NULL) &&
           mete_record_walk(guard->key, &guard->quarantined, QUARANTINED, false, NULL, NULL);
}

// Field by field: an initialiser may become a call to memset(), which is libc. Totals likewise.
static mete_guard_damage_t damage_at(mete_guard_side_t side, ptrdiff_t offset)
{
    mete_guard_damage_t damage;
    damage.side = side;
    damage.offset = offset;
    return damage;
}

// How many bytes, from the block's start down, must be rewritten to make a check word of another.
static ptrdiff_t depth_of(uintptr_t check, uintptr_t expected)
{
    const unsigned char *const a = (const unsigned char *)&check;
    const unsigned char *const b = (const unsigned char *)&expected;
    size_t right = 0U;
    while ((right < sizeof check) && (a[right] == b[right])) {
        right++;
    }
    return (ptrdiff_t)(sizeof check - right);
}

static mete_guard_damage_t head_damage_of(const mete_guard_t *guard, const record_t *record)
{
    const uintptr_t sum = mete_record_sum(guard->key, record);
    const ptrdiff_t live = depth_of(record->check, sum);
    const ptrdiff_t quarantined = depth_of(record->check, sum + QUARANTINED);
    const mete_guard_damage_t damage = {METE_GUARD_HEAD,
                                        (live < quarantined) ? -live : -quarantined};
    return damage;
}

static mete_guard_damage_t tail_damage_of(const mete_guard_t *guard, const unsigned char *end,
                                          size_t size)
{
    const uintptr_t tail = tail_of(guard, end);
    const unsigned char *const expected = (const unsigned char *)&tail;
    size_t right = 0U;
    while ((right < sizeof tail - 1U) && (end[right] == expected[right])) {
        right++;
    }
    const mete_guard_damage_t damage = {METE_GUARD_TAIL, (ptrdiff_t)(size + right)};
    return damage;
}

// Of a block whose record is sound.
static mete_guard_damage_t content_damage_of(const mete_guard_t *guard, const record_t *record,
                                             bool is_quarantined)
{
    const unsigned char *const block = mete_record_block(record);
    const size_t size = mete_record_size(record);
    if (is_quarantined && guard->config->fills_released) {
        const size_t right = mete_words_scan(block, guard->config->released_fill, size);
        if (right != size) {
            const mete_guard_damage_t damage = {METE_GUARD_CONTENT, (ptrdiff_t)right};
            return damage;
        }
    }
    if (!is_tail_whole(guard, block + size)) {
        return tail_damage_of(guard, block + size, size);
    }
    return damage_at(METE_GUARD_WHOLE, 0);
}

static mete_guard_damage_t damage_of(const mete_guard_t *guard, const record_t *record)
{
    const uintptr_t state = state_of(guard, record);
    if ((state != LIVE) && (state != QUARANTINED)) {
        return head_damage_of(guard, record);
    }
    return content_damage_of(guard, record, state == QUARANTINED);
}

mete_guard_damage_t mete_guard_damage_of(const mete_guard_t *guard, const void *block)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    const mete_guard_damage_t foreign = damage_at(METE_GUARD_FOREIGN, 0);
    if (!may_be_ours(guard, block)) {
        return foreign;
    }
    const record_t *const record = mete_record_of(block);
    if (record->check == released_check_of(guard, record)) {
        return foreign;
    }
    // What looks like no record may be one that was overwritten, or none. If it is one then its list leads to
    // it, or to another that was overwritten before: either way damage is what there is to report.
    const mete_guard_damage_t damage = damage_of(guard, record);
    return ((damage.side == METE_GUARD_HEAD) && are_lists_whole(guard)) ? foreign : damage;
}

// What is wrong with a call that names a block which is not in order. Not inlined: the usual way is short.
__attribute__((noinline, unused)) static mete_fault_t
fault_of(const mete_guard_t *guard, const void *block, size_t size, size_t align)
{
    if (!may_be_ours(guard, block)) {
        return METE_FAULT_FOREIGN;
    }
    const record_t *const record = mete_record_of(block);
    const uintptr_t state = state_of(guard, record);
    if ((state == QUARANTINED) || (record->check == released_check_of(guard, record))) {
        return METE_FAULT_DOUBLE_FREE;
    }
    if (state != LIVE) {
        return are_lists_whole(guard) ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
    }
    return (record->extent != mete_record_extent(size, align)) ? METE_FAULT_SIZE
                                                               : METE_FAULT_CORRUPT;
}

static inline bool is_in_order(const mete_guard_t *guard, const void *block, size_t size,
                               size_t align)
{
    if (!IS_CHECKED) {
        return true;
    }
    if (!may_be_ours(guard, block)) {
        return false;
    }
    const record_t *const record = mete_record_of(block);
    return (state_of(guard, record) == LIVE) &&
           (record->extent == mete_record_extent(size, align)) &&
           mete_dlist_agrees(&record->link) &&
           is_tail_whole(guard, (const unsigned char *)block + size);
}

// The last record of a list must lead back to the list before another is put behind it.
static inline bool can_append(const record_t *list)
{
    return !IS_CHECKED || (mete_record_next(mete_record_previous(list)) == list);
}

// ---- The quarantine

// The one to leave next, or NULL.
static record_t *oldest_of(const mete_guard_t *guard)
{
    const record_t *const list = &guard->quarantined;
    record_t *first = mete_record_next(list);
    if (first == &guard->cursor) {
        first = mete_record_next(first);
    }
    return (first != list) ? first : NULL;
}

static void leave_quarantine(mete_guard_t *guard, record_t *record, size_t outer_size)
{
    mete_record_remove(record);
    record->check = released_check_of(guard, record);
    guard->quarantine_count--;
    guard->quarantine_size -= outer_size;
}

static void withhold(mete_guard_t *guard, record_t *record)
{
    const size_t outer_size = outer_size_in(record);
    leave_quarantine(guard, record, outer_size);
    guard->withheld_count++;
    guard->withheld_size += outer_size;
}

// What became of the oldest block: it went back; it was damaged and is kept out of use; or its record was
// overwritten, and there is no way past it.
typedef enum departure { WENT_BACK, WITHHELD, STUCK } departure_t;

static inline bool is_followed(const mete_guard_t *guard, const record_t *record)
{
    return !IS_CHECKED ||
           ((state_of(guard, record) == QUARANTINED) && mete_dlist_agrees(&record->link));
}

static inline bool is_untouched(const mete_guard_t *guard, const record_t *record)
{
    const mete_guard_config_t *const config = guard->config;
    const size_t size = mete_record_size(record);
    const unsigned char *const block = mete_record_block(record);
    return !IS_CHECKED || (is_tail_whole(guard, block + size) &&
                           (!config->fills_released ||
                            (mete_words_scan(block, config->released_fill, size) == size)));
}

static departure_t let_go(mete_guard_t *guard, record_t *record)
{
    if (!METE_LIKELY(is_followed(guard, record))) {
        METE_FAULT(METE_FAULT_CORRUPT, guard, mete_record_block(record));
        return STUCK;
    }
    if (!METE_LIKELY(is_untouched(guard, record))) {
        METE_FAULT(METE_FAULT_CORRUPT, guard, mete_record_block(record));
        withhold(guard, record);
        return WITHHELD;
    }
    const size_t size = mete_record_size(record);
    const size_t align = mete_record_align(record);
    leave_quarantine(guard, record, outer_size_of(size, align));
    release_behind(guard, mete_record_block(record), size, align);
    return WENT_BACK;
}

// Lets the oldest go until there is room for so many bytes, or no more may go.
static bool make_room(mete_guard_t *guard, size_t outer_size)
{
    const mete_guard_config_t *const config = guard->config;
    if (outer_size > config->quarantine_size) {
        return false;
    }
    const size_t room_at = config->quarantine_size - outer_size;
    const size_t limit = (config->evict_max != 0U) ? config->evict_max : guard->quarantine_count;
    for (size_t i = 0U; (i < limit) && (guard->quarantine_size > room_at); i++) {
        record_t *const oldest = oldest_of(guard);
        if ((oldest == NULL) || (let_go(guard, oldest) == STUCK)) {
            break;
        }
    }
    return guard->quarantine_size <= room_at;
}

// Of a block that was released, and taken out of its list: true if it stays in quarantine.
__attribute__((noinline)) static bool treat_released(mete_guard_t *guard, unsigned char *block,
                                                     size_t size, size_t align)
{
    const mete_guard_config_t *const config = guard->config;
    if (config->fills_released) {
        mete_words_fill(block, config->released_fill, size);
    }
    const size_t outer_size = outer_size_of(size, align);
    if ((config->quarantine_size == 0U) || !make_room(guard, outer_size)) {
        return false;
    }
    if (!can_append(&guard->quarantined)) {
        METE_FAULT(METE_FAULT_CORRUPT, guard, NULL);
        return false;
    }
    mete_record_insert(guard->key, mete_record_previous(&guard->quarantined), mete_record_of(block),
                       QUARANTINED);
    guard->quarantine_count++;
    guard->quarantine_size += outer_size;
    return true;
}

size_t mete_guard_purge(mete_guard_t *guard, size_t count)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    size_t gone = 0U;
    while (gone < count) {
        record_t *const oldest = oldest_of(guard);
        if ((oldest == NULL) || (let_go(guard, oldest) != WENT_BACK)) {
            break;
        }
        gone++;
    }
    CHECK_ALL(guard);
    return gone;
}

mete_guard_usage_t mete_guard_usage(const mete_guard_t *guard)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    const mete_guard_usage_t usage = {guard->quarantine_count, guard->quarantine_size,
                                      guard->withheld_count, guard->withheld_size};
    return usage;
}

// ---- The interface

// Empties the quarantine as far as it takes.
__attribute__((noinline)) static unsigned char *acquire_again(mete_guard_t *guard, size_t size,
                                                              size_t align)
{
    unsigned char *memory = NULL;
    for (size_t left = guard->quarantine_count; (memory == NULL) && (left != 0U); left--) {
        record_t *const oldest = oldest_of(guard);
        const departure_t departure = (oldest != NULL) ? let_go(guard, oldest) : STUCK;
        if (departure == STUCK) {
            break;
        }
        if (departure == WENT_BACK) {
            memory = guard->inner.ops->acquire(guard->inner.self, size, align);
        }
    }
    return memory;
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_guard_t *const guard = self;
    tell_site(guard, METE_CALLER());
    if (!can_append(&guard->live)) {
        METE_FAULT(METE_FAULT_CORRUPT, guard, NULL);
        return NULL;
    }
    if (size > METE_GUARD_SIZE_MAX) {
        return NULL;
    }
    const size_t outer_size = outer_size_of(size, align);
    const size_t outer_align = outer_align_of(align);
    unsigned char *memory = guard->inner.ops->acquire(guard->inner.self, outer_size, outer_align);
    if (!METE_LIKELY(memory != NULL)) {
        memory = acquire_again(guard, outer_size, outer_align);
        if (memory == NULL) {
            return NULL;
        }
    }
    unsigned char *const block = memory + prefix_size_of(align);
    if ((uintptr_t)block < guard->lowest) {
        guard->lowest = (uintptr_t)block;
    }
    if ((uintptr_t)block > guard->highest) {
        guard->highest = (uintptr_t)block;
    }
    record_t *const record = mete_record_of(block);
    record->extent = mete_record_extent(size, align);
    mete_record_insert(guard->key, mete_record_previous(&guard->live), record, LIVE);
    set_tail(guard, block + size);
    if (guard->fills_acquired) {
        mete_words_fill(block, guard->config->acquired_fill, size);
    }
    CHECK_ALL(guard);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_guard_t *const guard = self;
    tell_site(guard, METE_CALLER());
    if (!METE_LIKELY(is_in_order(guard, block, size, align))) {
        METE_FAULT(fault_of(guard, block, size, align), guard, block);
        return;
    }
    record_t *const record = mete_record_of(block);
    mete_record_remove(record);
    record->check = released_check_of(guard, record);
    if (!guard->treats_released || !treat_released(guard, block, size, align)) {
        release_behind(guard, block, size, align);
    }
    CHECK_ALL(guard);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_guard_t *const guard = self;
    tell_site(guard, METE_CALLER());
    if (!is_in_order(guard, block, old_size, align)) {
        METE_FAULT(fault_of(guard, block, old_size, align), guard, block);
        return false;
    }
    unsigned char *const start = block;
    if ((new_size > METE_GUARD_SIZE_MAX) ||
        !guard->inner.ops->resize(guard->inner.self, start - prefix_size_of(align),
                                  outer_size_of(old_size, align), outer_size_of(new_size, align),
                                  outer_align_of(align))) {
        return false;
    }
    record_t *const record = mete_record_of(block);
    record->extent = mete_record_extent(new_size, align);
    record->check = mete_record_sum(guard->key, record) + LIVE;
    set_tail(guard, start + new_size);
    if (guard->fills_acquired && (new_size > old_size)) {
        mete_words_fill(start + old_size, guard->config->acquired_fill, new_size - old_size);
    }
    CHECK_ALL(guard);
    return true;
}

static size_t size_of(const void *self, const void *block)
{
    (void)self;
    return mete_record_size(mete_record_of(block));
}

bool mete_guard_init(mete_guard_t *guard, mete_alloc_t inner, const mete_guard_config_t *config)
{
    METE_ASSERT(guard != NULL);
    if ((inner.ops == NULL) || (config == NULL)) {
        return false;
    }
    guard->config = config;
    guard->inner.ops = inner.ops;
    guard->inner.self = inner.self;
    guard->key = (config->seed ^ (uintptr_t)guard) * KEY_FACTOR;
    guard->lowest = UINTPTR_MAX;
    guard->highest = 0U;
    guard->asks_owns = !config->is_in_one_piece && (inner.ops->owns != NULL);
    guard->fills_acquired = config->fills_acquired;
    guard->treats_released = config->fills_released || (config->quarantine_size != 0U);
    guard->site = config->site;
    guard->quarantine_size = 0U;
    guard->quarantine_count = 0U;
    guard->withheld_count = 0U;
    guard->withheld_size = 0U;
    mete_record_init(guard->key, &guard->live, LIVE);
    mete_record_init(guard->key, &guard->quarantined, QUARANTINED);
    guard->cursor.extent = 0U;
    mete_record_insert(guard->key, &guard->live, &guard->cursor, LIVE);
    return true;
}

mete_alloc_t mete_guard_as_alloc(mete_guard_t *guard)
{
    // What the allocator behind cannot do is NULL here too: one table for each case.
    static const mete_alloc_ops_t tables[4] = {
        {acquire, release, NULL, NULL, size_of},
        {acquire, release, resize, NULL, size_of},
        {acquire, release, NULL, mete_pass_owns, size_of},
        {acquire, release, resize, mete_pass_owns, size_of},
    };
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    const mete_alloc_ops_t *const inner = guard->inner.ops;
    const size_t which = ((inner->resize != NULL) ? 1U : 0U) + ((inner->owns != NULL) ? 2U : 0U);
    const mete_alloc_t view = {&tables[which], guard};
    return view;
}

// ---- Checks

// Takes the cursor to the front of the other list; false if what stands there does not lead back.
static bool switch_list(mete_guard_t *guard)
{
    const bool is_live = state_of(guard, &guard->cursor) == LIVE;
    record_t *const other = is_live ? &guard->quarantined : &guard->live;
    if (mete_record_previous(mete_record_next(other)) != other) {
        return false;
    }
    mete_record_remove(&guard->cursor);
    mete_record_insert(guard->key, other, &guard->cursor, is_live ? QUARANTINED : LIVE);
    return true;
}

static bool is_at_end(const mete_guard_t *guard)
{
    const record_t *const next = mete_record_next(&guard->cursor);
    return (next == &guard->live) || (next == &guard->quarantined);
}

// Takes the cursor to where a block is behind it, in either list. False if its place cannot be trusted.
static bool seek(mete_guard_t *guard)
{
    const uintptr_t state = state_of(guard, &guard->cursor);
    bool is_sound =
        ((state == LIVE) || (state == QUARANTINED)) && mete_dlist_agrees(&guard->cursor.link);
    for (size_t i = 0U; (i < 2U) && is_sound && is_at_end(guard); i++) {
        is_sound = switch_list(guard);
    }
    return is_sound;
}

// The record is sound, in the cursor's list, and its neighbours agree.
static bool can_pass(const mete_guard_t *guard, const record_t *record)
{
    return (state_of(guard, record) == state_of(guard, &guard->cursor)) &&
           mete_dlist_agrees(&record->link);
}

static void step_over(mete_guard_t *guard, record_t *record)
{
    const uintptr_t state = state_of(guard, &guard->cursor);
    mete_record_remove(&guard->cursor);
    mete_record_insert(guard->key, record, &guard->cursor, state);
}

bool mete_guard_check_next(mete_guard_t *guard, size_t count)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    for (size_t i = 0U; i < count; i++) {
        if (!seek(guard)) {
            METE_FAULT(METE_FAULT_CORRUPT, guard, NULL);
            return false;
        }
        if (is_at_end(guard)) {
            return true;
        }
        record_t *const record = mete_record_next(&guard->cursor);
        const bool is_whole = damage_of(guard, record).side == METE_GUARD_WHOLE;
        if (!is_whole) {
            METE_FAULT(METE_FAULT_CORRUPT, guard, mete_record_block(record));
        }
        // A sound record that its successor disagrees with: then the successor is damaged, and next.
        if (!can_pass(guard, record)) {
            if (is_whole) {
                METE_FAULT(METE_FAULT_CORRUPT, guard, mete_record_block(mete_record_next(record)));
            }
            (void)switch_list(guard);
            return false;
        }
        step_over(guard, record);
        if (!is_whole) {
            return false;
        }
    }
    return true;
}

// What check() adds up of the quarantine.
typedef struct totals {
    const mete_guard_t *guard;
    size_t count;
    size_t size;
} totals_t;

static bool add_whole(void *self, const record_t *record)
{
    totals_t *const totals = self;
    if (record == &totals->guard->cursor) {
        return true;
    }
    const bool is_quarantined = state_of(totals->guard, record) == QUARANTINED;
    totals->count += is_quarantined ? 1U : 0U;
    totals->size += is_quarantined ? outer_size_in(record) : 0U;
    return content_damage_of(totals->guard, record, is_quarantined).side == METE_GUARD_WHOLE;
}

bool mete_guard_check(const mete_guard_t *guard)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    totals_t totals;
    totals.guard = guard;
    totals.count = 0U;
    totals.size = 0U;
    return mete_record_walk(guard->key, &guard->live, LIVE, false, add_whole, &totals) &&
           mete_record_walk(guard->key, &guard->quarantined, QUARANTINED, false, add_whole,
                            &totals) &&
           (totals.count == guard->quarantine_count) && (totals.size == guard->quarantine_size) &&
           (totals.size <= guard->config->quarantine_size);
}

// ---- Walks

typedef struct visitor {
    const mete_guard_t *guard;
    bool (*visit)(void *self, const mete_guard_block_t *block);
    void *self;
    bool has_stopped;
} visitor_t;

static bool show(void *self, const record_t *record)
{
    visitor_t *const visitor = self;
    if (record == &visitor->guard->cursor) {
        return true;
    }
    const mete_guard_block_t block = {mete_record_block(record), mete_record_size(record),
                                      mete_record_align(record),
                                      state_of(visitor->guard, record) == QUARANTINED};
    visitor->has_stopped = !visitor->visit(visitor->self, &block);
    return !visitor->has_stopped;
}

// From both ends, if an overwritten record lies in between.
static bool show_list(visitor_t *visitor, const record_t *list, uintptr_t state)
{
    const uintptr_t key = visitor->guard->key;
    if (visitor->has_stopped || mete_record_walk(key, list, state, false, show, visitor)) {
        return !visitor->has_stopped;
    }
    if (!visitor->has_stopped) {
        (void)mete_record_walk(key, list, state, true, show, visitor);
    }
    return false;
}

bool mete_guard_walk(const mete_guard_t *guard,
                     bool (*visit)(void *self, const mete_guard_block_t *block), void *self)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL) && (visit != NULL));
    visitor_t visitor = {guard, visit, self, false};
    const bool are_live_whole = show_list(&visitor, &guard->live, LIVE);
    return show_list(&visitor, &guard->quarantined, QUARANTINED) && are_live_whole;
}

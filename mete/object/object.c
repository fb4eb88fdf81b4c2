// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Each object has a slot in the caller's table, whose index stands in the two bytes behind the object. That
// index is only a hint: the truth is in the table, and one compare with the slot's state tells an object in use
// from everything else. So whatever stands behind a foreign address, it is not taken for an object. This is the
// sparse set of Briggs and Torczon, "An Efficient Representation for Sparse Sets" (1993), which needs no
// initialised memory either. Because the hint lies behind, who writes over the end of an object is found out
// when it is put back.
//
// Slots that are not in use form two lists, with and without an object; a link is the index of the next, or
// object_max. The state of a slot in use is the object's address, negated, which is no link: an object that
// would lie in the last bytes of the address space is not accepted. Slots never move, so the hint is written
// once in an object's life, and objects are not touched while they are in the pool.
//
// Peak and the number of gets are kept by what changes anyway: `recent_peak` serves automatic shrinking, too,
// and the countdown to tidying up counts the calls of get.

#include "mete/object/object.h"

#include "mete/core/stride.h"

typedef uint16_t hint_t;

_Static_assert(METE_OBJECT_COUNT_MAX <= (hint_t)-1, "an index must fit the hint");

#define NO_SLOT SIZE_MAX

// What became of the attempt to make an object.
typedef enum room { ROOM_FOUND, ROOM_NONE, ROOM_DAMAGED } room_t;

// The state of a slot whose object is in use.
static inline uintptr_t in_use_state(const void *object)
{
    return 0U - (uintptr_t)object;
}

static inline hint_t *hint_of(const mete_object_t *pool, const void *object)
{
    return (hint_t *)((uintptr_t)object + pool->hint_offset);
}

static size_t unused_count(const mete_object_t *pool)
{
    return pool->object_count - pool->in_use;
}

static size_t hint_offset_of(const mete_object_config_t *config)
{
    return mete_align_up(config->object_size, sizeof(hint_t));
}

static size_t block_size_of(const mete_object_config_t *config)
{
    return hint_offset_of(config) + sizeof(hint_t);
}

// ---- What must be true before a slot is believed. True without a look at level 0.

// Something that is unused can be handed out.
static inline bool is_unused(const mete_object_slot_t *slot)
{
    return (slot->object != NULL) && (slot->state != in_use_state(slot->object));
}

// The index of the slot of an object in use, or NO_SLOT. One compare serves range and alignment: what is not
// aligned has low bits, which rotating makes high ones.
static inline size_t find(const mete_object_t *pool, const void *object)
{
    const size_t steps = mete_stride_rotate((uintptr_t)object - pool->low, pool->rotation);
    if ((METE_CHECK_LEVEL >= 1) && (steps >= pool->reach)) {
        return NO_SLOT;
    }
    const size_t index = *hint_of(pool, object);
    const bool is_in_use =
        (index < pool->object_max) && (pool->table[index].state == in_use_state(object));
    return ((METE_CHECK_LEVEL < 1) || is_in_use) ? index : NO_SLOT;
}

// What is wrong with putting an object whose slot was not found.
__attribute__((unused, noinline)) static mete_fault_t fault_of(const mete_object_t *pool,
                                                               const void *object)
{
    for (size_t i = 0U; i < pool->config->object_max; i++) {
        const mete_object_slot_t *const slot = &pool->table[i];
        if (slot->object == object) {
            return (slot->state == in_use_state(object)) ? METE_FAULT_CORRUPT
                                                         : METE_FAULT_DOUBLE_FREE;
        }
    }
    return METE_FAULT_FOREIGN;
}

// Level 3 looks at everything after every operation.
static inline bool is_sound(const mete_object_t *pool)
{
    return (METE_CHECK_LEVEL < 3) || mete_object_check(pool);
}

// ---- Making objects and giving them back

// Slots with an object are found again by where objects lie.
static void widen_reach(mete_object_t *pool, uintptr_t object)
{
    const size_t steps_above = mete_stride_rotate(object - pool->low, pool->rotation);
    if (pool->reach == 0U) {
        pool->low = object;
        pool->reach = 1U;
    } else if (object < pool->low) {
        pool->reach += mete_stride_rotate(pool->low - object, pool->rotation);
        pool->low = object;
    } else if (steps_above >= pool->reach) {
        pool->reach = steps_above + 1U;
    }
}

// Memory for an object, which is made; or NULL.
static void *construct(const mete_object_t *pool)
{
    const mete_object_config_t *const config = pool->config;
    const mete_alloc_t backing = pool->backing;
    void *const object = backing.ops->acquire(backing.self, block_size_of(config), config->align);
    if ((object != NULL) && (config->construct != NULL) &&
        !config->construct(config->self, object)) {
        backing.ops->release(backing.self, object, block_size_of(config), config->align);
        return NULL;
    }
    return object;
}

static void destruct(const mete_object_t *pool, void *object)
{
    const mete_object_config_t *const config = pool->config;
    if (config->destruct != NULL) {
        config->destruct(config->self, object);
    }
    pool->backing.ops->release(pool->backing.self, object, block_size_of(config), config->align);
}

static inline void push_unused(mete_object_t *pool, size_t index)
{
    pool->table[index].state = pool->unused;
    pool->unused = index;
}

static void push_vacant(mete_object_t *pool, size_t index)
{
    pool->table[index].object = NULL;
    pool->table[index].state = pool->vacant;
    pool->vacant = index;
}

// Makes one more object, unused. The allocator behind may, to find memory, have this pool shrunk: nothing is
// known across the call but that there is still a slot.
static room_t create(mete_object_t *pool)
{
    if (pool->object_count == pool->object_max) {
        return ROOM_NONE;
    }
    void *const object = construct(pool);
    if (object == NULL) {
        return ROOM_NONE;
    }
    const size_t index = pool->vacant;
    const bool is_damaged = (METE_CHECK_LEVEL >= 1) &&
                            ((index >= pool->object_max) || (pool->table[index].object != NULL));
    if (is_damaged || (in_use_state(object) <= pool->object_max)) {
        destruct(pool, object);
        return is_damaged ? ROOM_DAMAGED : ROOM_NONE;
    }
    mete_object_slot_t *const slot = &pool->table[index];
    pool->vacant = slot->state;
    slot->object = object;
    *hint_of(pool, object) = (hint_t)index;
    push_unused(pool, index);
    widen_reach(pool, (uintptr_t)object);
    pool->object_count++;
    pool->create_total++;
    return ROOM_FOUND;
}

// There is none unused: makes one.
__attribute__((noinline)) static room_t find_room(mete_object_t *pool)
{
    const bool are_all_in_use = unused_count(pool) == 0U;
    return ((METE_CHECK_LEVEL < 1) || are_all_in_use) ? create(pool) : ROOM_DAMAGED;
}

// Gives the unused object back that get would hand out. False if there is none where one must be.
static bool release_one(mete_object_t *pool)
{
    if ((METE_CHECK_LEVEL >= 1) &&
        ((pool->unused >= pool->object_max) || !is_unused(&pool->table[pool->unused]))) {
        return false;
    }
    const size_t index = pool->unused;
    void *const object = pool->table[index].object;
    pool->unused = pool->table[index].state;
    push_vacant(pool, index);
    pool->object_count--;
    destruct(pool, object);
    return true;
}

// ---- Automatic shrinking

static size_t period_of(const mete_object_config_t *config)
{
    return (config->shrink_after != 0U) ? config->shrink_after : SIZE_MAX;
}

static void start_countdown(mete_object_t *pool, size_t start)
{
    pool->gets += pool->count_start;
    pool->count_start = start;
    pool->countdown = start;
}

// The most that were in use since the last time, compared with how many there are.
static void judge(mete_object_t *pool)
{
    const size_t needed = pool->recent_peak;
    pool->surplus = ((pool->config->shrink_after != 0U) && (pool->object_count > needed))
                        ? pool->object_count - needed
                        : 0U;
    pool->peak = (needed > pool->peak) ? needed : pool->peak;
    pool->recent_peak = pool->in_use;
}

// The countdown has ended: judges, or gives back one of those that were found to be too many. False on damage.
__attribute__((noinline)) static bool tidy(mete_object_t *pool)
{
    if (pool->surplus == 0U) {
        judge(pool);
    }
    bool is_undamaged = true;
    if ((pool->surplus != 0U) && (unused_count(pool) > pool->config->kept_min)) {
        is_undamaged = release_one(pool);
        pool->surplus -= is_undamaged ? 1U : 0U;
    } else {
        pool->surplus = 0U;
    }
    start_countdown(pool, (pool->surplus != 0U) ? 1U : period_of(pool->config));
    return is_undamaged;
}

// ---- The moves of an object

static inline void *pop(mete_object_t *pool, mete_object_slot_t *slot)
{
    void *const object = slot->object;
    pool->unused = slot->state;
    slot->state = in_use_state(object);
    const size_t in_use = pool->in_use + 1U;
    pool->in_use = in_use;
    if (in_use > pool->recent_peak) {
        pool->recent_peak = in_use;
    }
    return object;
}

static void reset(const mete_object_t *pool, void *object)
{
    const mete_object_config_t *const config = pool->config;
    if (config->reset != NULL) {
        config->reset(config->self, object);
    } else {
        mete_words_fill(object, 0U, config->object_size);
    }
}

// Leaves the pool: its slot is free for another.
static void remove(mete_object_t *pool, size_t index)
{
    pool->in_use--;
    pool->object_count--;
    push_vacant(pool, index);
}

static inline void keep(mete_object_t *pool, size_t index)
{
    push_unused(pool, index);
    pool->in_use--;
}

// Keeps an object that must be made as new, or gives it back if enough are kept.
__attribute__((noinline)) static void reset_or_release(mete_object_t *pool, void *object,
                                                       size_t index)
{
    if (unused_count(pool) < pool->config->kept_max) {
        reset(pool, object);
        keep(pool, index);
    } else {
        remove(pool, index);
        destruct(pool, object);
    }
}

// ---- Public functions

static bool is_legal(const mete_object_config_t *config)
{
    const bool has_numbers =
        (config->object_size != 0U) && (config->object_size <= SIZE_MAX / 2U) &&
        mete_align_is_legal(config->align) && (config->align >= sizeof(hint_t)) &&
        (config->object_max - 1U < METE_OBJECT_COUNT_MAX);
    return has_numbers && (config->table != NULL) && (config->kept_max <= config->object_max) &&
           (config->kept_min <= config->kept_max);
}

static void clear_table(mete_object_t *pool)
{
    pool->vacant = pool->object_max;
    for (size_t i = pool->config->object_max; i != 0U; i--) {
        push_vacant(pool, i - 1U);
    }
}

bool mete_object_init(mete_object_t *pool, mete_alloc_t backing, const mete_object_config_t *config)
{
    METE_ASSERT(pool != NULL);
    if ((backing.ops == NULL) || (config == NULL) || !is_legal(config)) {
        return false;
    }
    pool->config = config;
    pool->backing = backing;
    pool->table = config->table;
    pool->object_max = config->object_max;
    pool->unused = pool->object_max;
    pool->in_use = 0U;
    pool->object_count = 0U;
    pool->plain_max = config->resets ? 0U : config->kept_max;
    pool->recent_peak = 0U;
    pool->low = 0U;
    pool->rotation = mete_stride_rotation(config->align);
    pool->reach = 0U;
    pool->hint_offset = hint_offset_of(config);
    pool->peak = 0U;
    pool->surplus = 0U;
    pool->gets = 0U;
    pool->count_start = 0U;
    pool->create_total = 0U;
    pool->take_total = 0U;
    pool->refusals = 0U;
    start_countdown(pool, period_of(config));
    clear_table(pool);
    METE_ASSERT(mete_object_check(pool));
    return true;
}

METE_DIRECT void *mete_object_get(mete_object_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    if (!METE_LIKELY(pool->unused < pool->object_max)) {
        const room_t room = find_room(pool);
        if (room != ROOM_FOUND) {
            pool->refusals += (room == ROOM_NONE) ? 1U : 0U;
            if (room == ROOM_DAMAGED) {
                METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
            }
            return NULL;
        }
    }
    mete_object_slot_t *const slot = &pool->table[pool->unused];
    if ((METE_CHECK_LEVEL >= 1) && !METE_LIKELY(is_unused(slot))) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
        return NULL;
    }
    void *const object = pop(pool, slot);
    pool->countdown--;
    const bool is_undamaged = METE_LIKELY(pool->countdown != 0U) || tidy(pool);
    if (!METE_LIKELY(is_undamaged) || !is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
    return object;
}

METE_DIRECT void mete_object_put(mete_object_t *pool, void *object)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const bool is_looked_up = (METE_CHECK_LEVEL >= 1) || (object != NULL);
    const size_t index = is_looked_up ? find(pool, object) : NO_SLOT;
    if (!METE_LIKELY(index != NO_SLOT)) {
        if (object != NULL) {
            METE_FAULT(fault_of(pool, object), pool, object);
        }
        return;
    }
    if (METE_LIKELY(unused_count(pool) < pool->plain_max)) {
        keep(pool, index);
    } else {
        reset_or_release(pool, object, index);
    }
    if (!is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
}

bool mete_object_take(mete_object_t *pool, void *object)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const size_t index = (object != NULL) ? find(pool, object) : NO_SLOT;
    if (index == NO_SLOT) {
        if (object != NULL) {
            METE_FAULT(fault_of(pool, object), pool, object);
        }
        return false;
    }
    remove(pool, index);
    pool->take_total++;
    METE_ASSERT(mete_object_check(pool));
    return true;
}

size_t mete_object_block_size(const mete_object_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    return block_size_of(pool->config);
}

bool mete_object_reserve(mete_object_t *pool, size_t count)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    room_t room = (count <= pool->config->kept_max) ? ROOM_FOUND : ROOM_NONE;
    // Counted: if the allocator behind has shrunk what was just added, this would not end.
    for (size_t left = pool->config->object_max;
         (left != 0U) && (room == ROOM_FOUND) && (unused_count(pool) < count); left--) {
        room = create(pool);
    }
    if ((room == ROOM_DAMAGED) || !is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
        return false;
    }
    const bool has_enough = unused_count(pool) >= count;
    pool->refusals += has_enough ? 0U : 1U;
    return has_enough;
}

size_t mete_object_shrink(mete_object_t *pool, size_t kept)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    size_t count = 0U;
    bool is_undamaged = true;
    while (is_undamaged && (unused_count(pool) > kept) && (count < pool->config->object_max)) {
        is_undamaged = release_one(pool);
        count += is_undamaged ? 1U : 0U;
    }
    if (!is_undamaged || !is_sound(pool)) {
        METE_FAULT(METE_FAULT_CORRUPT, pool, NULL);
    }
    return count;
}

bool mete_object_owns(const mete_object_t *pool, const void *address)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    bool is_inside = false;
    for (size_t i = 0U; (i < pool->config->object_max) && !is_inside; i++) {
        const void *const object = pool->table[i].object;
        const uintptr_t offset = (uintptr_t)address - (uintptr_t)object;
        is_inside = (object != NULL) && (offset < pool->config->object_size);
    }
    return is_inside;
}

mete_object_usage_t mete_object_usage(const mete_object_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    mete_object_usage_t usage;
    usage.object_count = pool->object_count;
    usage.in_use = pool->in_use;
    usage.in_use_peak = (pool->recent_peak > pool->peak) ? pool->recent_peak : pool->peak;
    usage.unused_count = unused_count(pool);
    usage.get_total = pool->gets + (pool->count_start - pool->countdown);
    usage.put_total = usage.get_total - pool->in_use - pool->take_total;
    usage.create_total = pool->create_total;
    usage.release_total = pool->create_total - pool->object_count - pool->take_total;
    usage.take_total = pool->take_total;
    usage.refusals = pool->refusals;
    return usage;
}

bool mete_object_walk(const mete_object_t *pool,
                      bool (*visit)(void *self, const mete_object_one_t *one), void *self)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL) && (visit != NULL));
    for (size_t i = 0U; i < pool->config->object_max; i++) {
        const mete_object_slot_t *const slot = &pool->table[i];
        const mete_object_one_t one = {slot->object, !is_unused(slot)};
        if ((slot->object != NULL) && !visit(self, &one)) {
            return false;
        }
    }
    return true;
}

// ---- check(): every truth that stands in two places

// The pool's own copies say what the config says.
static bool agrees_with_config(const mete_object_t *pool)
{
    const mete_object_config_t *const config = pool->config;
    return (pool->table == config->table) && (pool->object_max == config->object_max) &&
           (pool->plain_max == (config->resets ? 0U : config->kept_max)) &&
           (pool->rotation == mete_stride_rotation(config->align)) &&
           (pool->hint_offset == hint_offset_of(config));
}

// Walks a list no further than it can be long, so that a cycle cannot hold us. A slot of another kind is
// counted as one too many.
static size_t listed_count(const mete_object_t *pool, size_t first, bool has_object)
{
    const size_t count_max = pool->config->object_max;
    size_t count = 0U;
    for (size_t link = first; (link != count_max) && (count <= count_max); count++) {
        const mete_object_slot_t *const slot = (link < count_max) ? &pool->table[link] : NULL;
        if ((slot == NULL) || (has_object ? !is_unused(slot) : (slot->object != NULL))) {
            return count_max + 1U;
        }
        link = slot->state;
    }
    return count;
}

// An object lies where objects lie, and the index behind it is that of its slot.
static bool is_in_place(const mete_object_t *pool, size_t index)
{
    const void *const object = pool->table[index].object;
    const uintptr_t offset = (uintptr_t)object - pool->low;
    return (mete_stride_rotate(offset, pool->rotation) < pool->reach) &&
           (*hint_of(pool, object) == index);
}

bool mete_object_check(const mete_object_t *pool)
{
    METE_ASSERT(pool != NULL);
    if ((pool->config == NULL) || !agrees_with_config(pool)) {
        return false;
    }
    const size_t count_max = pool->config->object_max;
    size_t in_use = 0U;
    size_t object_count = 0U;
    for (size_t i = 0U; i < count_max; i++) {
        const mete_object_slot_t *const slot = &pool->table[i];
        if ((slot->object != NULL) && !is_in_place(pool, i)) {
            return false;
        }
        object_count += (slot->object != NULL) ? 1U : 0U;
        in_use += ((slot->object != NULL) && !is_unused(slot)) ? 1U : 0U;
    }
    return (in_use == pool->in_use) && (object_count == pool->object_count) &&
           (pool->recent_peak >= in_use) &&
           (listed_count(pool, pool->unused, true) == object_count - in_use) &&
           (listed_count(pool, pool->vacant, false) == count_max - object_count);
}

// ---- The pool as an allocator

static bool can_hold(const mete_object_t *pool, size_t size, size_t align)
{
    return (size - 1U < pool->config->object_size) && (align <= pool->config->align);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_object_t *const pool = (mete_object_t *)self;
    if (!can_hold(pool, size, align)) {
        pool->refusals++;
        return NULL;
    }
    return mete_object_get(pool);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_object_t *const pool = (mete_object_t *)self;
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(pool, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, pool, block);
        return;
    }
    mete_object_put(pool, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    const mete_object_t *const pool = (const mete_object_t *)self;
    if ((METE_CHECK_LEVEL >= 1) && (find(pool, block) == NO_SLOT)) {
        METE_FAULT(fault_of(pool, block), pool, block);
        return false;
    }
    if ((METE_CHECK_LEVEL >= 1) && !can_hold(pool, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, pool, block);
        return false;
    }
    return can_hold(pool, new_size, align);
}

static bool owns(const void *self, const void *address)
{
    return mete_object_owns((const mete_object_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    (void)block;
    return ((const mete_object_t *)self)->config->object_size;
}

mete_alloc_t mete_object_as_alloc(mete_object_t *pool)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    const mete_alloc_t view = {&ops, pool};
    return view;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A header is one word: a block's size, and a tag that vouches for it. The tag is made of the size and
// the header's own address, in a free block of its link as well, and inverted there: so a header is
// valid at one place and for one state only, and one compare tells before anything is followed.
//
// The list begins with a free block without room, which lies in front of all blocks: the list itself.
// So no block is the first, and a walk along the list only ever goes up, which is its bound.

#include "mete/alloc/list.h"

enum {
    WORD = (int)sizeof(uintptr_t),
    GRANULE = 2 * WORD,
    HALF_BITS = 4 * WORD,
    REST_MIN = 2,  // Granules. Fewer are rarely of use, and all searches would have to pass them.
};

typedef struct __attribute__((may_alias)) block {
    uintptr_t header;    // Lower half: size in granules, header included. Upper half: the tag.
    struct block *next;  // Of a free block: the next in address order, or the end. Else payload.
} block_t;

_Static_assert(sizeof(block_t) == GRANULE, "the smallest block holds a free block's link");
_Static_assert(sizeof(mete_list_t) % GRANULE == 0U, "the first block lies behind the list");
_Static_assert(METE_LIST_SIZE_MAX / 8U - 1U <= UINT16_MAX, "16 bits can say the size of all");

// No block: what led here is damaged. Above all addresses, so that a search ends here.
#define DAMAGE ((block_t *)UINTPTR_MAX)

// Pieces that several functions are made of: inlined for speed, shared for size. Without checks they are
// so short that the compiler finds out which is shorter.
#ifndef __OPTIMIZE_SIZE__
#define HOT METE_INLINE
#elif METE_CHECK_LEVEL >= 1
#define HOT static __attribute__((noinline))
#else
#define HOT static
#endif

METE_INLINE bool is_damage(const void *block)
{
    return block == DAMAGE;
}

METE_INLINE block_t *head_of(const mete_list_t *list)
{
    return (block_t *)(uintptr_t)list;
}

METE_INLINE block_t *first_of(const mete_list_t *list)
{
    return (block_t *)((uintptr_t)list + sizeof(mete_list_t));
}

METE_INLINE block_t *end_of(const mete_list_t *list)
{
    return (block_t *)list->end;
}

// What lies so many granules behind.
METE_INLINE block_t *at(const block_t *block, size_t granules)
{
    return (block_t *)((uintptr_t)block + (granules * GRANULE));
}

METE_INLINE size_t size_in(const block_t *block)
{
    return block->header & (((uintptr_t)1U << HALF_BITS) - 1U);
}

METE_INLINE block_t *behind(const block_t *block)
{
    return at(block, size_in(block));
}

METE_INLINE block_t *block_of(const void *payload)
{
    return (block_t *)((uintptr_t)payload - WORD);
}

METE_INLINE void *payload_of(const block_t *block)
{
    return (void *)((uintptr_t)block + WORD);
}

// Granules of a block for `size` bytes and its header. Size 0 and sizes near the top give a number
// beyond every block.
METE_INLINE size_t granules_for(size_t size)
{
    return ((((size - 1U) / WORD) + 1U) / 2U) + 1U;
}

// ---- Tags. In a free block size, tag, address and link give 0, in a block in use size, tag and address
// give ones. No address of a header is a multiple of a granule, and no link ends in ones: so a header is
// never both, and one of zeros is neither. Level 0 keeps none.

METE_INLINE void put_live(block_t *block, size_t size)
{
    const uintptr_t tag = (METE_CHECK_LEVEL >= 1) ? ~(size ^ (uintptr_t)block) : 0U;
    block->header = size | (tag << HALF_BITS);
}

HOT void put_free(block_t *block, size_t size, block_t *next)
{
    const uintptr_t place = (uintptr_t)block ^ (uintptr_t)next;
    const uintptr_t tag = (METE_CHECK_LEVEL >= 1) ? size ^ place : 0U;
    block->header = size | (tag << HALF_BITS);
    block->next = next;
}

// What size, tag and address of a header give, in the upper half; the lower half is 0.
METE_INLINE uintptr_t sum_of(const block_t *block)
{
    const uintptr_t header = block->header;
    return (header ^ (header >> HALF_BITS) ^ (uintptr_t)block) << HALF_BITS;
}

METE_INLINE bool has_live_tag(const block_t *block)
{
    return (~sum_of(block) >> HALF_BITS) == 0U;
}

METE_INLINE bool has_free_tag(const block_t *block)
{
    return (sum_of(block) ^ ((uintptr_t)block->next << HALF_BITS)) == 0U;
}

// A header that became part of a free block must not pass for one of a block in use.
METE_INLINE void wipe(block_t *block)
{
    if (METE_CHECK_LEVEL >= 1) {
        block->header = 0U;
    }
}

// ---- What must be true before a header or a link is followed. True without a look at level 0.

// Here can be a header.
METE_INLINE bool is_place(const mete_list_t *list, const block_t *block)
{
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)first_of(list);
    return (offset < list->end - (uintptr_t)first_of(list)) && (offset % GRANULE == 0U);
}

METE_INLINE bool is_live(const mete_list_t *list, const block_t *block)
{
    return (METE_CHECK_LEVEL < 1) || (is_place(list, block) && has_live_tag(block));
}

// The free block behind this one, which is free or the head; or the end. DAMAGE if this one is damaged.
// A link that goes up and not beyond the end is what bounds a walk; the tag says that it is the one that
// was written.
HOT block_t *next_of(const mete_list_t *list, const block_t *block)
{
    block_t *const next = block->next;
    if ((METE_CHECK_LEVEL >= 1) && (!has_free_tag(block) || (next > end_of(list)))) {
        return DAMAGE;
    }
    return (next > block) ? next : DAMAGE;
}

// ---- The moves of a block

// A block with what surrounds it.
typedef struct room {
    block_t *before;  // The last free block in front of it, or the head.
    block_t *after;   // The first free one behind it that does not touch it, or the end.
    size_t size;      // Its granules, and those of a free block that touches it from behind.
} room_t;

METE_INLINE bool is_between(const block_t *before, const block_t *block, const block_t *after)
{
    return (METE_CHECK_LEVEL < 1) || ((behind(before) <= block) && (behind(block) <= after));
}

// False if the block or the list is damaged. Bound: the free blocks in front of the block.
HOT bool survey(const mete_list_t *list, const block_t *block, room_t *room)
{
    block_t *before = head_of(list);
    block_t *after = next_of(list, before);
    while (after < block) {
        before = after;
        after = next_of(list, before);
    }
    if (is_damage(after) || !is_between(before, block, after)) {
        return false;
    }
    room->before = before;
    room->size = size_in(block);
    if ((after == behind(block)) && (after != end_of(list))) {
        room->size += size_in(after);
        after = next_of(list, after);
    }
    room->after = after;
    return !is_damage(after);
}

// The peak is as it stood when something was given back last: until then it is what is in use.
METE_INLINE void keep_peak(mete_list_t *list)
{
    if (list->in_use > list->in_use_peak) {
        list->in_use_peak = list->in_use;
    }
}

// Makes `size` granules of the room at `block` a block in use, and the rest a free one. `old_size` of them
// were in use before.
HOT void settle(mete_list_t *list, const room_t *room, block_t *block, size_t size, size_t old_size)
{
    block_t *after = room->after;
    if (room->size - size < REST_MIN) {
        size = room->size;
    } else {
        block_t *const rest = at(block, size);
        put_free(rest, room->size - size, after);
        after = rest;
    }
    put_free(room->before, size_in(room->before), after);
    put_live(block, size);
    list->in_use = (uint16_t)(list->in_use + size - old_size);
}

// Makes all of the room at `block` free, one with a free block in front that touches it.
METE_INLINE void join(mete_list_t *list, const room_t *room, block_t *block)
{
    block_t *const before = room->before;
    keep_peak(list);
    list->in_use = (uint16_t)(list->in_use - size_in(block));
    if (behind(before) == block) {
        wipe(block);
        put_free(before, size_in(before) + room->size, room->after);
    } else {
        put_free(block, room->size, room->after);
        put_free(before, size_in(before), block);
    }
}

// Granules to the first aligned address from a payload on. Every payload is aligned to a granule; for
// speed the caller that asks for no more is compiled apart.
METE_INLINE size_t gap_to(const void *payload, size_t align)
{
    const bool is_trivial = __builtin_constant_p(align) && (align <= GRANULE);
    return is_trivial ? 0U : ((0U - (uintptr_t)payload) & (align - 1U)) / GRANULE;
}

// Makes `size` granules at a gap from `block` a block in use. What lies in the gap stays a free block.
METE_INLINE void *carve(mete_list_t *list, room_t *room, block_t *block, size_t gap, size_t size)
{
    room->size = size_in(block) - gap;
    if (gap != 0U) {
        put_free(block, gap, NULL);  // As settle() will again, with its link.
        room->before = block;
        block = at(block, gap);
    }
    settle(list, room, block, size, 0U);
    return payload_of(block);
}

// The payload of a new block of so many granules; NULL if no free block has them, or DAMAGE. Bound: the
// free blocks, or as many as the config says.
HOT void *take(mete_list_t *list, size_t size, size_t align)
{
    room_t room;
    room.before = head_of(list);
    block_t *block = next_of(list, room.before);
    // A limit of 0 wraps around: none.
    for (size_t left = list->search - 1U; block < end_of(list); left--) {
        const size_t gap = gap_to(payload_of(block), align);
        room.after = next_of(list, block);
        if ((gap + size <= size_in(block)) && !is_damage(room.after)) {
            return carve(list, &room, block, gap, size);
        }
        room.before = block;
        block = room.after;
        if (left == 0U) {
            break;
        }
    }
    if (is_damage(block)) {
        return DAMAGE;
    }
    list->refusals++;
    return NULL;
}

// Why an address was refused: what it really is. Walks the blocks.
__attribute__((unused)) static mete_fault_t reason(const mete_list_t *list, const void *address);

// Level 3 looks at everything after every operation.
METE_INLINE bool is_sound(const mete_list_t *list)
{
    return (METE_CHECK_LEVEL < 3) || mete_list_check(list);
}

// ---- Public functions

mete_list_t *mete_list_init(const mete_list_config_t *config)
{
    if ((config == NULL) || (config->storage.size > METE_LIST_SIZE_MAX) ||
        !mete_span_is_legal(config->storage) || (config->storage.size < METE_LIST_SIZE_MIN)) {
        return NULL;
    }
    // Headers lie a word in front of multiples of a granule, and so does the list.
    const mete_span_t storage = config->storage;
    const uintptr_t start = (uintptr_t)storage.start + WORD;
    mete_list_t *const list = (mete_list_t *)(mete_align_up(start, GRANULE) - WORD);
    list->end = mete_align_down(start + storage.size, GRANULE) - WORD;
    list->search = config->search;
    list->refusals = 0U;
    list->in_use = 0U;
    list->in_use_peak = 0U;
    block_t *const first = first_of(list);
    put_free(head_of(list), 0U, first);
    put_free(first, (list->end - (uintptr_t)first) / GRANULE, end_of(list));
    METE_ASSERT(mete_list_check(list));
    return list;
}

METE_DIRECT void *mete_list_alloc(mete_list_t *list, size_t size)
{
    METE_ASSERT(list != NULL);
    void *const block = take(list, granules_for(size), GRANULE);
    if (is_damage(block)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
        return NULL;
    }
    if (!is_sound(list)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
    }
    return block;
}

METE_DIRECT void *mete_list_alloc_aligned(mete_list_t *list, size_t size, size_t align)
{
    METE_ASSERT(list != NULL);
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, list, NULL);
        return NULL;
    }
    void *const block = take(list, granules_for(size), align);
    if (is_damage(block)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
        return NULL;
    }
    if (!is_sound(list)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
    }
    return block;
}

METE_DIRECT void mete_list_free(mete_list_t *list, void *block)
{
    METE_ASSERT(list != NULL);
    if (block == NULL) {
        return;
    }
    block_t *const freed = block_of(block);
    room_t room;
    if (!is_live(list, freed) || !survey(list, freed, &room)) {
        METE_FAULT((METE_CHECK_LEVEL < 1) ? METE_FAULT_CORRUPT : reason(list, block), list, block);
        return;
    }
    join(list, &room, freed);
    if (!is_sound(list)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
    }
}

METE_DIRECT bool mete_list_resize(mete_list_t *list, void *block, size_t size)
{
    METE_ASSERT(list != NULL);
    if (block == NULL) {
        return false;
    }
    block_t *const resized = block_of(block);
    const size_t wanted = granules_for(size);
    room_t room;
    if (!is_live(list, resized) || !survey(list, resized, &room)) {
        METE_FAULT((METE_CHECK_LEVEL < 1) ? METE_FAULT_CORRUPT : reason(list, block), list, block);
        return false;
    }
    if (wanted > room.size) {
        return false;
    }
    keep_peak(list);
    settle(list, &room, resized, wanted, size_in(resized));
    if (!is_sound(list)) {
        METE_FAULT(METE_FAULT_CORRUPT, list, NULL);
    }
    return true;
}

bool mete_list_owns(const mete_list_t *list, const void *address)
{
    METE_ASSERT(list != NULL);
    const uintptr_t first = (uintptr_t)first_of(list);
    return (uintptr_t)address - first < list->end - first;
}

size_t mete_list_size_of(const mete_list_t *list, const void *block)
{
    METE_ASSERT((list != NULL) && (block != NULL));
    (void)list;
    return (size_in(block_of(block)) * GRANULE) - WORD;
}

// The header of a block in the walk says what it must: `is_free` because the list came to it.
static bool is_whole(const mete_list_t *list, const block_t *block, bool is_free)
{
    const bool is_tagged = is_free ? has_free_tag(block) : has_live_tag(block);
    return ((METE_CHECK_LEVEL < 1) || is_tagged) && (size_in(block) != 0U) &&
           (behind(block) <= end_of(list));
}

bool mete_list_walk(const mete_list_t *list,
                    bool (*visit)(void *self, const mete_list_block_t *block), void *self)
{
    METE_ASSERT((list != NULL) && (visit != NULL));
    const block_t *block = first_of(list);
    const block_t *next_free = next_of(list, head_of(list));
    while (block != end_of(list)) {
        const bool is_free = (block == next_free);
        if (!is_whole(list, block, is_free)) {
            return false;
        }
        next_free = is_free ? block->next : next_free;
        const mete_list_block_t shown = {payload_of(block),
                                         mete_list_size_of(list, payload_of(block)), !is_free};
        block = behind(block);
        if (!visit(self, &shown)) {
            return false;
        }
    }
    return next_free == end_of(list);
}

typedef struct proof {
    bool was_free;  // The block in front.
    size_t in_use;  // Granules in blocks so far.
} proof_t;

// Two free blocks never touch.
static bool is_apart(void *self, const mete_list_block_t *block)
{
    proof_t *const proof = (proof_t *)self;
    const bool touches = proof->was_free && !block->is_live;
    proof->was_free = !block->is_live;
    proof->in_use += block->is_live ? (block->size + WORD) / GRANULE : 0U;
    return !touches;
}

bool mete_list_check(const mete_list_t *list)
{
    METE_ASSERT(list != NULL);
    proof_t proof;
    proof.was_free = false;
    proof.in_use = 0U;
    return (size_in(head_of(list)) == 0U) && mete_list_walk(list, is_apart, &proof) &&
           (proof.in_use == list->in_use);
}

typedef struct census {
    size_t free_count, largest_free_size;
} census_t;

static bool count(void *self, const mete_list_block_t *block)
{
    census_t *const census = (census_t *)self;
    if (!block->is_live) {
        census->free_count++;
        census->largest_free_size =
            (block->size > census->largest_free_size) ? block->size : census->largest_free_size;
    }
    return true;
}

mete_list_usage_t mete_list_usage(const mete_list_t *list)
{
    METE_ASSERT(list != NULL);
    census_t census;  // Its address is taken: a struct to be returned would be copied by memcpy().
    census.free_count = 0U;
    census.largest_free_size = 0U;
    (void)mete_list_walk(list, count, &census);
    const size_t in_use = list->in_use;
    const size_t in_use_peak = (list->in_use_peak > in_use) ? list->in_use_peak : in_use;
    return (mete_list_usage_t){
        .total_size = list->end - (uintptr_t)first_of(list),
        .in_use_size = in_use * GRANULE,
        .in_use_peak = in_use_peak * GRANULE,
        .free_count = census.free_count,
        .largest_free_size = census.largest_free_size,
        .refusals = list->refusals,
    };
}

// ---- Why an address was refused

typedef struct suspect {
    uintptr_t address;
    mete_fault_t fault;
} suspect_t;

static bool judge(void *self, const mete_list_block_t *block)
{
    suspect_t *const suspect = (suspect_t *)self;
    const uintptr_t start = (uintptr_t)block->block;
    if (suspect->address - (start - WORD) < block->size + WORD) {
        const bool is_inside = block->is_live && (suspect->address != start);
        suspect->fault = is_inside ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
        suspect->fault = block->is_live ? suspect->fault : METE_FAULT_DOUBLE_FREE;
    }
    return true;
}

static mete_fault_t reason(const mete_list_t *list, const void *address)
{
    suspect_t suspect;
    suspect.address = (uintptr_t)address;
    suspect.fault = METE_FAULT_FOREIGN;
    const bool is_intact = mete_list_walk(list, judge, &suspect);
    return (is_intact || !mete_list_owns(list, address)) ? suspect.fault : METE_FAULT_CORRUPT;
}

// ---- The list as an allocator

// True if a block in use was acquired as the caller says. One that is not in use passes: what is
// wrong with it is for free and resize to say.
static bool is_as_named(const mete_list_t *list, const void *block, size_t size, size_t align)
{
    return (METE_CHECK_LEVEL < 1) || !is_live(list, block_of(block)) ||
           ((size_in(block_of(block)) - granules_for(size) < REST_MIN) &&
            mete_align_fits((uintptr_t)block, align));
}

static void *acquire(void *self, size_t size, size_t align)
{
    return mete_list_alloc_aligned((mete_list_t *)self, size, align);
}

static void release(void *self, void *block, size_t size, size_t align)
{
    if (!is_as_named((const mete_list_t *)self, block, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return;
    }
    mete_list_free((mete_list_t *)self, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    if (!is_as_named((const mete_list_t *)self, block, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return false;
    }
    return mete_list_resize((mete_list_t *)self, block, new_size);
}

static bool owns(const void *self, const void *address)
{
    return mete_list_owns((const mete_list_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    return mete_list_size_of((const mete_list_t *)self, block);
}

mete_alloc_t mete_list_as_alloc(mete_list_t *list)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, list};
    return alloc;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DAMAGE_SUBJECT_H
#define METE_DAMAGE_SUBJECT_H

/// What the damage campaign needs to know of an allocator: how to use it, and where its bookkeeping
/// lies. There is one of each kind, and everything it knows lies in the arena, so that a copy of the
/// arena is a copy of the allocator.

#include "mete/core/span.h"

/// What a piece of bookkeeping is for.
typedef enum damage_kind {
    DAMAGE_LIVE_SIZE,    ///< Header of a block in use: its own size.
    DAMAGE_LIVE_BEFORE,  ///< Header of a block in use: the size of the block in front.
    DAMAGE_FREE_SIZE,
    DAMAGE_FREE_BEFORE,
    DAMAGE_FREE_NEXT,  ///< Links of a free block.
    DAMAGE_FREE_BACK,
    DAMAGE_END,       ///< The header behind the last block.
    DAMAGE_BIN_NEXT,  ///< Links of a sentinel.
    DAMAGE_BIN_BACK,
    DAMAGE_MAP,
    DAMAGE_POOL_LIVE,  ///< The pool's mark of a block in use.
    DAMAGE_POOL_FREE,  ///< The pool's link of a free block.
    DAMAGE_LIVE_TAG,   ///< What vouches for the size of a block in use, in the list.
    DAMAGE_FREE_TAG,
    DAMAGE_TREE_LIVE,    ///< A node of the buddy that is a block in use.
    DAMAGE_TREE_INSIDE,  ///< One inside a block in use.
    DAMAGE_TREE_FREE,    ///< One that is free, all of it.
    DAMAGE_TREE_ABOVE,   ///< One that says how much can be had below it, if anything.
    DAMAGE_POOL_TOP,     ///< The atomic pool's word with the first free block and the tag.
    DAMAGE_SLAB_LIVE,    ///< The slab cache's mark of a block in use.
    DAMAGE_SLAB_FREE,    ///< Its link of a free block.
    DAMAGE_SLAB_HEAD,    ///< In its table, the first free block of a slab.
    DAMAGE_SLAB_NEXT,    ///< In its table, the next slab with a free block.
    DAMAGE_SLOT_TAG,     ///< A movable block's slot: what its handle is compared with.
    DAMAGE_SLOT_ADDRESS,
    DAMAGE_SLOT_EXTENT,  ///< Its size, and pins beyond the first.
    DAMAGE_SLOT_LINK,
    DAMAGE_SPARE_TAG,  ///< A slot without a block.
    DAMAGE_SPARE_LINK,
    DAMAGE_GUARD_LINKS,  ///< The guard's record of a live block.
    DAMAGE_GUARD_EXTENT,
    DAMAGE_GUARD_HEAD,
    DAMAGE_GUARD_TAIL,  ///< The canary behind it.
    DAMAGE_HELD_LINKS,  ///< The same of a block in quarantine.
    DAMAGE_HELD_EXTENT,
    DAMAGE_HELD_HEAD,
    DAMAGE_HELD_TAIL,
    DAMAGE_QUOTA_RECORD,   ///< In front of a block behind a quota.
    DAMAGE_QUOTA_ACCOUNT,  ///< An owner's account, and the sums over all.
    DAMAGE_DEFER_RECORD,   ///< In a block that an interrupt has released.
    DAMAGE_TRACK_LINKS,    ///< The tracker's record of a live block.
    DAMAGE_TRACK_NOTES,    ///< What is not verified: call site, number, time, owner.
    DAMAGE_TRACK_SIZE,
    DAMAGE_TRACK_CHECK,
    DAMAGE_KIND_COUNT
} damage_kind_t;

typedef struct damage_word {
    unsigned char *address;
    size_t size;
    damage_kind_t kind;
} damage_word_t;

typedef struct damage_block {
    unsigned char *start;
    size_t size;
    bool is_live;
} damage_block_t;

/// What a fresh allocator offers.
typedef struct damage_offer {
    mete_span_t blocks;  ///< Where blocks can lie.
    size_t size_max;     ///< Sizes that the random work asks for.
    size_t align_max;    ///< Alignments likewise.
    size_t whole_size;   ///< When nothing is held it can be asked for so many bytes
    size_t whole_count;  ///< so many times.
} damage_offer_t;

typedef struct damage_subject {
    const char *name;
    size_t header_size;  ///< Bytes of bookkeeping in front of a block.
    size_t link_size;    ///< Bytes of bookkeeping at the start of a free block.
    damage_offer_t (*init)(mete_span_t arena, uint32_t search);
    void *(*alloc)(size_t size, size_t align);
    void (*free)(void *block);
    bool (*resize)(void *block, size_t size);    ///< NULL: there is none.
    void *(*realloc)(void *block, size_t size);  ///< NULL likewise, or none of its own.
    /// Where a block is now, or NULL after a fault. NULL: what alloc returns is its address, for good.
    unsigned char *(*locate)(void *block);
    /// True if every sound allocator in whose memory so many bytes in a row are not handed out serves
    /// such a request.
    bool (*must_serve)(size_t gap_size, size_t size, size_t align);
    size_t (*list_blocks)(damage_block_t *blocks, size_t count_max);  ///< Returns how many.
    size_t (*list_words)(damage_word_t *words, size_t count_max);  ///< Every word of bookkeeping.
} damage_subject_t;

extern const damage_subject_t damage_heap;
extern const damage_subject_t damage_heap_wide;
extern const damage_subject_t damage_pool;
extern const damage_subject_t damage_list;
extern const damage_subject_t damage_buddy;
extern const damage_subject_t damage_atomic_pool;
extern const damage_subject_t damage_slab;
extern const damage_subject_t damage_movable;
extern const damage_subject_t damage_guard;
extern const damage_subject_t damage_quota;
extern const damage_subject_t damage_defer;
extern const damage_subject_t damage_track;

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_REF_H
#define METE_REF_H

/// Shared ownership: an object lives as long as somebody holds a reference to it.
///
/// Reach for it when several parts of a program use one object and none of them knows who is the last: a
/// configuration that is replaced while it is read, a frame that several listeners get. If one part clearly
/// outlives the others it should own the object, and needs no counts. A weak reference does not keep the
/// object alive; it can be upgraded to a strong one as long as the object is. The counts stand in front of
/// the object, both in one word. Between tasks, interrupts or cores: mete/object/atomic_ref.h.
///
///     static const mete_ref_config_t config = {.object_size = sizeof(frame_t), .align = 8};
///     static mete_ref_t frames;                     // A kind of object.
///     mete_ref_init(&frames, mete_pool_as_alloc(&pool), &config);
///     frame_t *const frame = mete_ref_alloc(&frames);  // One reference, ours.
///     mete_ref_retain(&frames, frame);              // One more, to be handed on.
///     mete_ref_drop(&frames, frame);                // Who drops the last one ends it.
///
///   Time     Everything O(1), but get, purge, check, and a drop that ends an object: O(kept_count). To this comes
///            what the allocator and the cleanup take; a drop that ends a chain of objects takes as many passes as
///            these are.
///   Space    Two words in front of each object, rounded up to its alignment: METE_REF_BLOCK is what is asked
///            of the allocator.
///   Align    Any that the allocator can give.
///   Threads  Not synchronised. Calls on one kind must exclude each other, interrupts included.
///   Errors   Out of memory is NULL, counted. Misuse: METE_FAULT, and nothing changes. FOREIGN: no object of
///            this kind. DOUBLE_FREE: nobody holds such a reference any more, as far as the memory was not used
///            again; or none but the kind itself, of an object that is kept.
///
/// What stands in front of the address is read to find out: it must be aligned as pointers are, and in memory.
///
/// Counts saturate: one that reaches METE_REF_COUNT_MAX stays there for ever, whoever retains or drops, and
/// what it counts is never freed. On 32-bit cores that is 65534: as many references can hardly be held, so one
/// that is forgotten again and again ends as a leak, not as an object that is freed while it is used.
///
/// Cycles: two objects that hold strong references to each other are never freed, and no count shows it. Let
/// one direction be weak: the one that leads back, from child to parent, from listener to source. If a cycle
/// was missed, mete/wrap/track.h in front of the allocator lists its objects: live, and held by nobody.

#include "mete/core/alloc.h"
#include "mete/core/shared.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The highest number of references of either sort.
#define METE_REF_COUNT_MAX (((size_t)1 << (sizeof(size_t) * 4U)) - 2U)

/// What stands in front of an object.
typedef struct mete_ref_header {
    const void *kind;  // The mete_ref_t that made it.
    size_t counts;     // See ref.c.
} mete_ref_header_t;

/// Bytes in front of an object with this alignment.
#define METE_REF_PREFIX_SIZE(align) ((sizeof(mete_ref_header_t) + (align)-1U) / (align) * (align))

/// A block of the allocator that has room for an object of `type`, as a type. For the pool behind:
///
///     typedef METE_REF_BLOCK(frame_t) frame_block_t;
///     METE_POOL_DEFINE(pool, frame_block_t, 16);
#define METE_REF_BLOCK(type) \
    struct { \
        mete_ref_header_t header; \
        type object; \
    }

/// What objects of a kind are. It must outlive the kind; const is best.
typedef struct mete_ref_config {
    size_t object_size;  ///< Bytes, at least 1.
    size_t align;        ///< Of every object, a power of two.

    /// Called when the last strong reference was dropped, NULL: nothing to do. Gives up what the object holds.
    /// It may use this kind, but the object cannot be retained again. If it returns another object of the kind,
    /// a reference to that is dropped next: so a list of any length is taken down without calls inside calls.
    void *(*cleanup)(void *self, void *object);
    void *self;  ///< Handed to it.

    /// Where mete_ref_get() keeps objects: kept_count words, owned by the kind from init onwards. NULL and 0:
    /// it keeps none.
    uintptr_t *kept;
    size_t kept_count;
} mete_ref_config_t;

/// A kind of object. The fields are here so that it can be static; use the functions to read them.
typedef struct mete_ref {
    mete_alloc_t alloc;
    const mete_ref_config_t *config;
    size_t prefix_size;  // From the start of a block to its object.
    size_t in_use;
    size_t refusals;
} mete_ref_t;

/// References to an object. METE_REF_COUNT_MAX: so many or more.
typedef struct {
    size_t strong;
    size_t weak;
} mete_ref_counts_t;

/// How many objects there are of a kind.
typedef struct {
    size_t in_use;    ///< That have memory: alive, or held weakly.
    size_t kept;      ///< Of these: kept for mete_ref_get().
    size_t refusals;  ///< Objects that could not be made.
} mete_ref_usage_t;

/// A kind without objects, which come from `alloc`. Returns false, changing nothing, if the allocator or the
/// config is missing or breaks a limit stated above. Objects of an earlier life are forgotten.
bool mete_ref_init(mete_ref_t *kind, mete_alloc_t alloc, const mete_ref_config_t *config);

/// Makes an object, its contents unspecified, with one strong reference: the caller's. NULL if there is no
/// memory.
void *mete_ref_alloc(mete_ref_t *kind);

/// Hands a kept object out again that nobody holds any more, not even weakly, with its contents as they were
/// left; or else makes one, and keeps it if there is room: then it is not ended when the caller drops it. NULL
/// if there is no memory. Faults with CORRUPT, and returns NULL, if something else is kept.
void *mete_ref_get(mete_ref_t *kind);

/// Drops the kept objects that nobody else holds; returns how many. Faults with CORRUPT, if something else is
/// kept, and leaves it there.
size_t mete_ref_purge(mete_ref_t *kind);

/// One strong reference more, for who has one. The object is not NULL. Faults without effect.
void mete_ref_retain(mete_ref_t *kind, void *object);

/// One strong reference less. The last one calls the cleanup, and the memory is given back unless there are
/// weak ones. NULL does nothing. Faults without effect.
void mete_ref_drop(mete_ref_t *kind, void *object);

/// One weak reference more, for who has one of either sort. The object is not NULL. Faults without effect.
void mete_ref_retain_weak(mete_ref_t *kind, void *object);

/// One weak reference less. The last one of an object that is dead gives its memory back. NULL does nothing.
/// Faults without effect.
void mete_ref_drop_weak(mete_ref_t *kind, void *object);

/// One strong reference more, for who has a weak one, which stays. True if the object is alive, false if it is
/// dead: then nothing has changed. Faults likewise.
bool mete_ref_upgrade(mete_ref_t *kind, void *object);

/// How many references there are; the object is not NULL. If one strong reference, the caller's, is all there
/// is, nobody else can look at the object. Faults, and says 0, if there are none.
mete_ref_counts_t mete_ref_counts(const mete_ref_t *kind, const void *object);

/// How many objects there are now. O(kept_count).
mete_ref_usage_t mete_ref_usage(const mete_ref_t *kind);

/// True if what is kept is alive and counted, and the kind agrees with its config; false before the first
/// init. Changes nothing. The headers of other objects are not known to the kind: each call looks at its own.
bool mete_ref_check(const mete_ref_t *kind);

/// The references, for who holds some and does not care of which kind.
mete_shared_t mete_ref_as_shared(mete_ref_t *kind);

#ifdef __cplusplus
}
#endif
#endif

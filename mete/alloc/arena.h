// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_ARENA_H
#define METE_ARENA_H

/// Arena: memory handed out front to back and given back all at once.
///
/// Reach for an arena when things die together: what one request, one frame or one parse needs, or
/// what start-up allocates and nobody frees. Allocation is an addition and a compare, compiled
/// into the caller, and a block costs no byte beyond its size and alignment.
///
///     METE_ARENA_DEFINE(scratch, 4096);
///     METE_ARENA_SCOPE(&scratch) {
///         node_t *const node = mete_arena_alloc(&scratch, sizeof(node_t), 8);
///     }   // All that was allocated in the scope is free again.
///
///   Time     Everything O(1), no loops, no recursion.
///   Space    Nothing per block; one mete_arena_t. An end of the storage that is no multiple of 8
///            costs up to 7 bytes: then one compare serves every alignment up to 8.
///   Align    Any power of two.
///   Threads  Not synchronised. Calls on one arena must exclude each other; interrupts included.
///   Errors   Running out is ordinary: NULL, counted. Misuse and damage: METE_FAULT, and nothing
///            changes.
///            A mark must be rewound in turn, innermost first, exactly once: METE_FAULT_ORDER.
///
/// There is no walk: an arena does not know where one block ends and the next begins.

#include "mete/core/alloc.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An arena. The fields are here so that it can be static and alloc inline; use the functions.
typedef struct mete_arena {
    uintptr_t next;      // The first byte not handed out.
    uintptr_t end;       // The first byte behind the storage, a multiple of 8.
    uintptr_t start;     // The first byte of the storage.
    uintptr_t floor;     // Where the innermost open mark was set, else `start`.
    uintptr_t peak;      // The highest `next` before it last fell.
    size_t open_serial;  // Of the innermost open mark; 0 if there is none.
    size_t mark_serial;  // Of the mark set last.
    size_t refusals;
} mete_arena_t;

/// A place to rewind to. What it holds is for mete_arena_rewind() alone.
typedef struct {
    uintptr_t outer_floor;
    size_t outer_serial;
    size_t serial;
} mete_arena_mark_t;

/// How full an arena is, in bytes; gaps left by alignment count as in use.
typedef struct {
    size_t total_size;   ///< Bytes that can be handed out.
    size_t in_use_size;  ///< Bytes handed out.
    size_t in_use_peak;  ///< The most ever handed out at once.
    size_t refusals;     ///< Requests that could not be met.
} mete_arena_usage_t;

/// Makes an empty arena over `storage`, which may start and end anywhere. False, leaving the arena
/// alone, if the storage is NULL, ends below address 8 or runs past the end of the address space.
bool mete_arena_init(mete_arena_t *arena, mete_span_t storage);

/// Frees everything and closes all marks. Peak and refusals stay.
void mete_arena_reset(mete_arena_t *arena);

/// Remembers how much is handed out. Marks nest; each is rewound once, the last one first.
mete_arena_mark_t mete_arena_mark(mete_arena_t *arena);

/// Frees everything allocated since `mark` was set, and closes it. Faults with ORDER, without
/// effect, if `mark` is not the innermost mark still open; with CORRUPT if it was overwritten.
void mete_arena_rewind(mete_arena_t *arena, mete_arena_mark_t mark);

#ifndef METE_NO_DIRECT_CALLS
/// As mete_arena_alloc(), for any alignment and out of line: what the inline form does not serve.
void *mete_arena_alloc_checked(mete_arena_t *arena, size_t size, size_t align);

/// Returns `size` bytes aligned to `align`, contents unspecified, or NULL. Size 0 gives NULL. An
/// `align` that is no power of two is METE_FAULT_ALIGN. A few instructions if `align` is a constant
/// up to 8 and METE_CHECK_LEVEL below 2, else a call.
METE_INLINE void *mete_arena_alloc(mete_arena_t *arena, size_t size, size_t align)
{
    if ((METE_CHECK_LEVEL < 2) && __builtin_constant_p(align) && mete_align_is_legal(align) &&
        (align <= 8U)) {
        // `end` is a multiple of `align` and not below `next`: `start` is neither beyond it nor 0.
        const uintptr_t start = mete_align_up(arena->next, align);
        if (METE_LIKELY((size - 1U) < (arena->end - start))) {  // Size 0 wraps, and is refused.
            arena->next = start + size;
            return (void *)start;
        }
    }
    return mete_arena_alloc_checked(arena, size, align);
}
#endif

/// True if `address` lies in the storage of this arena, handed out or not.
bool mete_arena_owns(const mete_arena_t *arena, const void *address);

/// How full the arena is now.
mete_arena_usage_t mete_arena_usage(const mete_arena_t *arena);

/// True if the bookkeeping is consistent. Changes nothing. O(1).
bool mete_arena_check(const mete_arena_t *arena);

/// The arena as an allocator. Release frees the block handed out last, if no mark was set since, and
/// does nothing for any other: that memory waits for rewind or reset. Resize shrinks any block, and
/// grows that one. Both fault, without effect: FOREIGN for what lies outside, DOUBLE_FREE for what
/// is not handed out, SIZE for a size or alignment the block cannot have.
mete_alloc_t mete_arena_as_alloc(mete_arena_t *arena);

/// An arena `name` of `bytes`, ready for use, at file scope or in a function.
#define METE_ARENA_DEFINE(name, bytes) \
    METE_SECTION static uint64_t name##_storage[((bytes) + 7U) / 8U] __attribute__((aligned(8))); \
    static mete_arena_t name = {(uintptr_t)name##_storage, \
                                (uintptr_t)name##_storage + sizeof name##_storage, \
                                (uintptr_t)name##_storage, \
                                (uintptr_t)name##_storage, \
                                (uintptr_t)name##_storage, \
                                0U, \
                                0U, \
                                0U}

/// What METE_ARENA_SCOPE declares.
typedef struct mete_arena_scope {
    mete_arena_t *arena;
    mete_arena_mark_t mark;
    bool is_open;
} mete_arena_scope_t;

METE_INLINE mete_arena_scope_t mete_arena_scope_of(mete_arena_t *arena)
{
    const mete_arena_scope_t scope = {arena, mete_arena_mark(arena), true};
    return scope;
}

METE_INLINE void mete_arena_scope_close(mete_arena_scope_t *scope)
{
    mete_arena_rewind(scope->arena, scope->mark);
}

#define METE_ARENA_JOIN_(a, b) a##b
#define METE_ARENA_JOIN(a, b)  METE_ARENA_JOIN_(a, b)

/// A statement or block at whose end, however it is left, all that was allocated in it is freed.
/// Scopes nest. `break` and `continue` leave the scope; longjmp() skips the end and must not be used.
#define METE_ARENA_SCOPE(arena) METE_ARENA_SCOPE_AS(METE_ARENA_JOIN(scope_, __COUNTER__), arena)
#define METE_ARENA_SCOPE_AS(name, arena) \
    for (mete_arena_scope_t name \
         __attribute__((cleanup(mete_arena_scope_close))) = mete_arena_scope_of(arena); \
         (name).is_open; (name).is_open = false)

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_LIST_H
#define METE_LIST_H

/// The smallest heap: one list of free blocks, first fit.
///
/// Reach for it where memory is counted in a few KiB and code in hundreds of bytes. What it saves it
/// pays for in time, which grows with the number of free blocks: where a deadline depends on a call
/// take mete/alloc/heap.h, whose every call is bounded, and where all blocks have one size a pool.
///
///     METE_LIST_DEFINE(app, 4096);
///     mete_list_t *const list = mete_list_init(&app_config);
///     void *const block = mete_list_alloc(list, 100);
///     mete_list_free(list, block);
///
///   Time     init: O(1). alloc: O(free blocks) in front of the first that fits, at most `search`.
///            free, resize: O(free blocks) in front of the block; `search` does not limit them.
///            On a Cortex-M4 each such block adds at most 20 instructions to alloc's 42, 14 to free's 69.
///            owns, size_of: O(1). check, walk, usage: O(blocks), and so is a fault that says why a
///            free or resize was refused.
///   Space    4 bytes a block; sizes are rounded up to 8n + 4, and a rest of 8 bytes stays with its
///            block. The control block (24 bytes) and up to 11 bytes for alignment are taken from the
///            storage. On 64-bit hosts all of it doubles.
///   Align    8 bytes; mete_list_alloc_aligned() for more.
///   Limits   Storage of at most METE_LIST_SIZE_MAX bytes.
///   Threads  Not synchronised. Calls on one list must exclude each other; interrupts included.
///   Errors   Out of memory is NULL, counted. Misuse and damage: METE_FAULT, and nothing changes. At level
///            0 only a link that does not go up is noticed: no damage makes a call run forever.
///
/// First fit in address order with coalescing as in Knuth, The Art of Computer Programming vol. 1,
/// section 2.5, algorithms A and B. New is the second half of each header, which vouches for the first.

#include "mete/core/alloc.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A list. It lies at the start of its storage; use the functions to read it.
typedef struct mete_list {
    uintptr_t head[2];  // The header and link of a free block without room, in front of all others.
    uintptr_t end;      // Where the header of one more block would be. Ends the list too.
    size_t search;
    size_t refusals;
    uint16_t in_use;  // Granules.
    uint16_t in_use_peak;
} mete_list_t;

/// Where a list lives and how it behaves. Read by init only.
typedef struct mete_list_config {
    mete_span_t storage;  ///< METE_LIST_SIZE_MIN ... METE_LIST_SIZE_MAX bytes. Any alignment.

    /// Free blocks that alloc looks at before it gives up, though a later one may fit. 0: all.
    size_t search;
} mete_list_config_t;

/// Bytes of storage that suffice for one block of 4 bytes, whatever the storage's alignment.
#define METE_LIST_SIZE_MIN (sizeof(mete_list_t) + (4U * sizeof(uintptr_t)))

/// The largest storage: 512 KiB.
#define METE_LIST_SIZE_MAX 524288U

/// How full a list is. Bytes include the headers of blocks.
typedef struct {
    size_t total_size;         ///< Bytes that blocks can occupy.
    size_t in_use_size;        ///< Bytes in blocks handed out.
    size_t in_use_peak;        ///< The most ever handed out at once, in bytes.
    size_t free_count;         ///< Free blocks.
    size_t largest_free_size;  ///< Bytes usable in the largest of them; more cannot be had.
    size_t refusals;           ///< Calls of alloc that could not be served; wraps at SIZE_MAX.
} mete_list_usage_t;

/// A block as mete_list_walk() shows it.
typedef struct mete_list_block {
    void *block;   ///< What alloc returned, or would.
    size_t size;   ///< Bytes usable.
    bool is_live;  ///< Handed out, not free.
} mete_list_block_t;

/// Makes a list in the storage and returns it; it lies at the start of the storage. All blocks that
/// were held become invalid. NULL, with nothing written, if the config is missing or breaks a limit stated above.
mete_list_t *mete_list_init(const mete_list_config_t *config);

#ifndef METE_NO_DIRECT_CALLS
/// Returns `size` bytes aligned to 8, contents unspecified, or NULL. Size 0 gives NULL. Faults with
/// CORRUPT, and returns NULL, if a free block or link that it comes by is damaged.
void *mete_list_alloc(mete_list_t *list, size_t size);

/// As mete_list_alloc(), aligned to `align`, a power of two; else METE_FAULT_ALIGN and NULL. Looks for
/// a place that is so aligned: no byte more is needed than lies in front of it, and that stays free.
void *mete_list_alloc_aligned(mete_list_t *list, size_t size, size_t align);

/// Takes a block back and joins it with free neighbours. NULL is allowed and does nothing. Faults,
/// without effect: FOREIGN if `block` is not the start of a block, DOUBLE_FREE if it lies in free
/// memory, CORRUPT if its header or the list is damaged. An address inside a block is taken for one
/// only if what the program wrote there happens to be a header valid at this place: 1 in 65 536.
void mete_list_free(mete_list_t *list, void *block);

/// Changes a block's size in place: shrinks, or grows into a free block behind. False leaves it as
/// it was; so does size 0. Faults as mete_list_free().
bool mete_list_resize(mete_list_t *list, void *block, size_t size);
#endif

/// True if `address` lies in memory that blocks of this list occupy, free or not.
bool mete_list_owns(const mete_list_t *list, const void *address);

/// Bytes usable in a block that is held: at least as many as were asked for. That it is held is not verified: what stands in
/// front of anything else is read, wherever that is.
size_t mete_list_size_of(const mete_list_t *list, const void *block);

/// How full the list is now. O(blocks). Of a damaged list, the free blocks that come before the damage.
mete_list_usage_t mete_list_usage(const mete_list_t *list);

/// Shows every block in address order, free and live, to `visit`, until it returns false. The list
/// must not change meanwhile. Returns true if all were shown, false if `visit` stopped or a header or
/// link is damaged. O(blocks).
bool mete_list_walk(const mete_list_t *list,
                    bool (*visit)(void *self, const mete_list_block_t *block), void *self);

/// True if headers and list agree. Changes nothing. O(blocks), also on any damage.
bool mete_list_check(const mete_list_t *list);

/// The list as an allocator. Release and resize hold the caller to the size and alignment he names.
mete_alloc_t mete_list_as_alloc(mete_list_t *list);

/// Storage of `bytes` and a config `name_config` with no limit to the search, at file or function scope.
#define METE_LIST_DEFINE(name, bytes) \
    METE_SECTION static uint64_t name##_storage[((bytes) + 7U) / 8U]; \
    static const mete_list_config_t name##_config = {{name##_storage, sizeof name##_storage}, 0U}

#ifdef __cplusplus
}
#endif
#endif

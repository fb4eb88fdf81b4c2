// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_NETBUF_H
#define METE_NETBUF_H

/// Packet buffers: bytes between room for headers in front and for more behind, shared and chained without copying.
///
/// For network stacks and whatever else wraps messages in messages. A buffer is a small head and a storage; a clone is
/// another head on the same storage, and buffers are chained into one packet. Heads and storages come from allocators that
/// the program chooses: pools, pools that interrupts may use, memory that a DMA controller reaches.
///
///     mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
///     mete_words_copy(mete_netbuf_put(packet, 4), "ping", 4);
///     mete_words_copy(mete_netbuf_push(packet, 8), &udp_header, 8);  // In front, without moving anything.
///     mete_netbuf_drop(packet);
///
///   Time     push, pull, put, trim, is_shared: O(1). get: O(1), and two calls of the allocators. clone, drop, append,
///            length, check: O(buffers in the chain), at most chain_max. read, linearise: and O(bytes).
///   Space    A head of eight words for each reference; in front of a storage's bytes three words, rounded up to config.align.
///   Align    A storage's bytes start at config.align and have whole multiples of it to themselves.
///            The reserve is of storages alone: let there be heads for all receivers and clones.
///   Threads  A head belongs to one task or interrupt at a time; storages may be shared by any, for they are counted
///            atomically. get, clone, drop and linearise may be called from wherever both allocators may.
///   Errors   Running out, bytes that do not fit and storage that others hold are ordinary: NULL or false, and nothing
///            changes. Misuse and damage: METE_FAULT, and nothing changes; whatever only tells something does not look for them below
///            level 2. A head that was dropped is recognised until its memory is handed out again, and in a second drop exactly
///            if the allocator of heads does that.

#include "mete/core/alloc.h"
#include "mete/core/atomic.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What a storage is taken for. Who receives may take the reserve as well, so that senders never stop receivers.
typedef enum mete_netbuf_use { METE_NETBUF_SEND, METE_NETBUF_RECEIVE } mete_netbuf_use_t;

/// Where buffers come from. The pool keeps a pointer to this, so it must outlive it; const is best.
typedef struct mete_netbuf_config {
    mete_alloc_t heads;     ///< Blocks of sizeof(mete_netbuf_t).
    mete_alloc_t storages;  ///< Blocks of METE_NETBUF_STORAGE_SIZE(size, align), at that alignment.
    size_t size;            ///< Bytes of a storage: headroom, packet and tailroom. At least 1.
    size_t
        align;  ///< A power of two, at least that of a pointer. Where DMA and a cache meet: a cache line.
    size_t headroom;         ///< Bytes that get leaves free in front, at most `size`.
    size_t storage_max;      ///< The most storages there may be at a time, at least 1.
    size_t receive_reserve;  ///< So many of these are for receivers alone, at most storage_max.
    size_t chain_max;        ///< The most buffers in a chain, at least 1.
    /// Who is asking, to be remembered with each reference; NULL: nobody wants to know.
    uint32_t (*owner)(void *self);
    void *self;  ///< Handed to it.
} mete_netbuf_config_t;

/// Counters that any caller changes, each by itself. The fields are here so that a pool can be static.
typedef struct mete_netbuf_pool {
    size_t in_use;
    size_t in_use_peak;
    size_t head_count;
    size_t get_total;
    size_t clone_total;
    size_t send_refusals;
    size_t receive_refusals;
    const mete_netbuf_config_t *config;
} mete_netbuf_pool_t;

/// What stands in front of a storage's bytes.
typedef struct mete_netbuf_storage {
    size_t count;   // Heads that refer to it.
    size_t caller;  // Who took the last of these references.
    size_t owner;
} mete_netbuf_storage_t;

/// A head. Read `start`, `size` and `next`, but change them by the functions only.
typedef struct mete_netbuf {
    struct mete_netbuf *next;  ///< The rest of the packet, or NULL.
    unsigned char *start;      ///< Its first byte.
    size_t size;               ///< Its bytes, without those of the buffers behind.
    mete_netbuf_storage_t *storage;
    mete_netbuf_pool_t *pool;
    size_t caller;  // Who took this reference.
    size_t owner;
    uintptr_t tag;  // Says that it is live, and where.
} mete_netbuf_t;

/// Who took a reference to a storage.
typedef struct mete_netbuf_holder {
    const void *caller;  ///< Where get, clone or linearise was called from.
    uint32_t owner;      ///< What config.owner said then; 0 without it.
    size_t count;        ///< References there are to the storage now.
} mete_netbuf_holder_t;

/// How many there are. Totals wrap at SIZE_MAX. Each number is exact; two of them may be of different moments.
typedef struct {
    size_t in_use;            ///< Storages now in use.
    size_t in_use_peak;       ///< The most ever in use at once.
    size_t head_count;        ///< Heads now in use.
    size_t get_total;         ///< Buffers ever taken.
    size_t clone_total;       ///< Heads ever made by clone, even by one that then found too few.
    size_t send_refusals;     ///< Buffers and storages that get and linearise did not get to send,
    size_t receive_refusals;  ///< and to receive. What fits no storage is not counted.
} mete_netbuf_usage_t;

/// Bytes in front of a storage's own, and of the whole block.
#define METE_NETBUF_FRONT_SIZE(align) \
    ((sizeof(mete_netbuf_storage_t) + (align)-1U) / (align) * (align))
#define METE_NETBUF_STORAGE_SIZE(size, align) \
    (METE_NETBUF_FRONT_SIZE(align) + (((size_t)(size) + (align)-1U) / (align) * (align)))

/// Nothing in use. Returns false, changing nothing, if something is missing or breaks a limit stated above.
bool mete_netbuf_init(mete_netbuf_pool_t *pool, const mete_netbuf_config_t *config);

/// A buffer without bytes, config.headroom of its storage in front. NULL if storage_max are in use, or, to send, all but
/// the reserve; or if an allocator refuses.
mete_netbuf_t *mete_netbuf_get(mete_netbuf_pool_t *pool, mete_netbuf_use_t use);

/// The same packet once more: heads of its own on the same storages. NULL if there are not enough heads; then there is none.
/// Faults as drop does.
mete_netbuf_t *mete_netbuf_clone(const mete_netbuf_t *packet);

/// Gives a packet up, with all buffers behind. A storage goes back with its last reference. NULL does nothing.
/// Faults without effect: DOUBLE_FREE if it was dropped, FOREIGN if it is no head, CORRUPT if a buffer behind is neither, the
/// chain is longer than it can be, or bytes lie outside their storage.
void mete_netbuf_drop(mete_netbuf_t *packet);

/// Bytes that can be added in front, and behind. 0 while the storage is shared.
size_t mete_netbuf_headroom(const mete_netbuf_t *buffer);
size_t mete_netbuf_tailroom(const mete_netbuf_t *buffer);

/// Adds `size` bytes in front and returns where the packet now starts. NULL if that is more than the headroom. Faults without
/// effect, as all that follow which change something, for what drop faults for.
void *mete_netbuf_push(mete_netbuf_t *buffer, size_t size);

/// Takes `size` bytes away in front. False if it has fewer.
bool mete_netbuf_pull(mete_netbuf_t *buffer, size_t size);

/// Adds `size` bytes behind and returns where they are. NULL if that is more than the tailroom.
void *mete_netbuf_put(mete_netbuf_t *buffer, size_t size);

/// Takes bytes away behind, so that `size` are left. False if it has fewer.
bool mete_netbuf_trim(mete_netbuf_t *buffer, size_t size);

/// True if another head refers to the same storage. Then its bytes are only to be read.
bool mete_netbuf_is_shared(const mete_netbuf_t *buffer);

/// Puts all buffers of `rest` behind those of `packet`, to which they then belong. False, and nothing changes, if these are
/// more than chain_max. Faults with ORDER if they are in that chain already, with FOREIGN if they are of another pool.
bool mete_netbuf_append(mete_netbuf_t *packet, mete_netbuf_t *rest);

/// Takes the buffers behind the first away from it, and returns them: a packet of its own, or NULL.
mete_netbuf_t *mete_netbuf_remove(mete_netbuf_t *packet);

/// Bytes of the whole packet.
size_t mete_netbuf_length(const mete_netbuf_t *packet);

/// Copies up to `size` bytes of the packet to `to`, from byte `offset` on; returns how many.
size_t mete_netbuf_read(const mete_netbuf_t *packet, size_t offset, void *to, size_t size);

/// Brings the packet into one storage of its own: its head stays where it is, those behind are dropped. What is in front of its
/// first byte stays as headroom, as far as the packet leaves it. Nothing is copied if that is so already. False, and nothing
/// changes, if it does not fit one storage, or there is none to be had.
bool mete_netbuf_linearise(mete_netbuf_t *packet, mete_netbuf_use_t use);

/// The whole lines of config.align in which the buffer's bytes lie: what a driver cleans or invalidates. Nothing else lies there.
mete_span_t mete_netbuf_span_lines(const mete_netbuf_t *buffer);

/// Who took the last reference to the buffer's storage, of those that were ever taken; after racing clones its fields may be of two
/// callers. A tracker in front of config.heads shows all heads; mete_netbuf_owner() says who took each.
mete_netbuf_holder_t mete_netbuf_last(const mete_netbuf_t *buffer);

/// Who took this one.
mete_netbuf_holder_t mete_netbuf_owner(const mete_netbuf_t *buffer);

/// How many there are now. Any task or interrupt may ask.
mete_netbuf_usage_t mete_netbuf_usage(const mete_netbuf_pool_t *pool);

/// True if all buffers of the packet are live, belong together and lie within their storages. Changes nothing; bounded
/// by chain_max.
bool mete_netbuf_check(const mete_netbuf_t *packet);

#ifdef __cplusplus
}
#endif
#endif

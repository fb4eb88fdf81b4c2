// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PARTITION_H
#define METE_PARTITION_H

/// Memory that is parted among owners: whose a block is follows from its address, and who may touch it from a table.
///
/// An owner is a task, a driver, a tenant. Each has a home: a span of memory, and any allocator that hands it out.
/// Nobody else is ever served from it, so it is a reserve that no greed and no fragmentation of others can
/// eat into, and the span is what a protection unit can be given. What an owner needs beyond his home comes from memory
/// that is common to all, up to his quota. Each owner's view is a mete_alloc_t: the view says whose memory is
/// meant, a callback says who is asking, and the table of rights whether he may.
///
///     static const mete_partition_terms_t terms[2] = {{.span = {radio_memory, 4096}, .common_max = 1024, .priority = 2},
///                                                     {.span = {shell_memory, 2048}, .common_max = 8192}};
///     static const uint8_t rights[2][2] = {{METE_PARTITION_ALL, 0}, {METE_PARTITION_RELEASE, METE_PARTITION_ALL}};
///     static mete_partition_owner_t owners[2];
///     static const mete_partition_config_t config = {
///         .terms = terms, .owners = owners, .rights = rights[0], .owner_count = 2, .owner = my_task};
///     (void)mete_partition_init(&partition, homes, (mete_alloc_t){NULL, NULL}, &config);
///     void *const block = mete_acquire(mete_partition_as_alloc(&partition, 0), 100, 8);
///
/// A request that was refused may stand in line, with a callback: what comes back is handed to those who wait, by
/// priority or in the order of their coming.
///
///   Time     On a Cortex-M4, for an owner in his home, over the allocator behind: at most 20 instructions a call, and
///            what the callback takes. In common memory, with another's rights, or while somebody waits: O(owners + requests
///            that wait). check: O(owners * (owners + granules)). init: O(owners * owners + granules).
///   Space    One mete_partition_owner_t for each owner. Homes: nothing a block. Common memory: two bytes a granule,
///            beside it, and blocks are aligned to granules. Nothing lies where an owner could write.
///   Align    As the allocators behind.
///   Threads  Not synchronised. Calls on all views exclude each other: put mete/wrap/lock.h in front of each,
///            with one lock, and hold it for the functions here.
///   Errors   Memory and quota used up is ordinary: NULL, counted. ACCESS: who asks has no right to do this with the memory of
///            the view's owner. FOREIGN: the block is not this owner's. DOUBLE_FREE, SIZE: of common memory; of homes the
///            allocator behind says so. CORRUPT: an account or the line was overwritten. Nothing changes, and
///            mete_partition_last() names who asked and whose the block is. All of that at every check level:
///            it is what the module is for.
///
/// A home's allocator must hand out memory of its span alone, for it is by the span that blocks are known. Partition, owners, table
/// and requests belong where no owner can write.

#include "mete/core/alloc.h"
#include "mete/core/dlist.h"
#include "mete/core/observe.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_PARTITION_OWNER_MAX   15U
#define METE_PARTITION_GRANULE_MAX 4095U  ///< Granules in a block of common memory.

/// The number of no owner.
#define METE_PARTITION_NOBODY UINT32_MAX

/// What one owner may do with the memory of another, or with his own. Joined with |.
typedef enum mete_partition_right {
    METE_PARTITION_ACQUIRE = 1 << 0,  ///< Take memory on the account of the other.
    METE_PARTITION_RELEASE = 1 << 1,
    METE_PARTITION_RESIZE = 1 << 2,
} mete_partition_right_t;

/// All three.
#define METE_PARTITION_ALL 0x7U

/// Who is served first of those who wait.
typedef enum mete_partition_policy {
    METE_PARTITION_FIFO,      ///< Who came first.
    METE_PARTITION_PRIORITY,  ///< Whose owner has the highest priority; of these, who came first.
} mete_partition_policy_t;

/// What an owner has.
typedef struct mete_partition_terms {
    mete_span_t span;   ///< His home; size 0: he has none.
    size_t common_max;  ///< His quota: bytes of common memory at once, in whole granules.
    uint32_t priority;  ///< A higher number goes first.
} mete_partition_terms_t;

/// An owner, as the partition keeps him. The caller provides an array of these. What a call reads together is neighbours,
/// for cores that load two words at once.
typedef struct mete_partition_owner {
    uint32_t (*ask)(void *self);
    void *ask_self;
    uint32_t number;
    uintptr_t start;   // Of his home.
    size_t open_size;  // And its size, or 0 while a release must look closer.
    void (*release)(void *self, void *block, size_t size, size_t align);
    void *home;  // Whom the home's allocator acts on.
    void *(*acquire)(void *self, size_t size, size_t align);
    const mete_alloc_ops_t *ops;  // What it can do; NULL: there is no home.
    struct mete_partition *partition;
    size_t
        in_use_size;  ///< Bytes of common memory, in whole granules. How full a home is knows its allocator.
    size_t in_use_peak;  ///< The most ever at once.
    size_t refusals;     ///< Acquires that gave NULL.
} mete_partition_owner_t;

/// It must outlive the partition; const is best.
typedef struct mete_partition_config {
    const mete_partition_terms_t *terms;  ///< One for each owner. Homes share no byte.
    mete_partition_owner_t *owners;       ///< Likewise; owned by the partition from init onwards.
    const uint8_t *
        rights;  ///< A row for each owner; in it, for each who asks, what he may do with this owner's memory.
    size_t owner_count;      ///< 1 ... METE_PARTITION_OWNER_MAX.
    mete_span_t common;      ///< Memory for all, starting and ending at a granule; size 0: none.
    size_t common_granule;   ///< A power of two; blocks of common memory start at its multiples.
    uint16_t *common_table;  ///< An entry for each granule, owned by the partition.
    mete_partition_policy_t policy;
    uint32_t (*owner)(void *self);  ///< Who is asking. A number of no owner has no rights.
    void *owner_self;
    /// Hears METE_EVENT_REFUSE, with the owner as source, and METE_EVENT_FAULT of this partition.
    mete_observer_t observer;
} mete_partition_config_t;

/// A request in line. The caller provides it; all zero at first.
typedef struct mete_partition_request {
    mete_dlist_link_t link;
    size_t size;   ///< Bytes wanted, at least 1,
    size_t align;  ///< and their alignment.
    /// Called once the block is there, in the call that gave it back. It must be short, and not call the partition.
    void (*on_served)(void *self, void *block);
    void *self;
    mete_partition_owner_t *owner;  // NULL: not in line.
} mete_partition_request_t;

/// What was refused as misuse.
typedef struct mete_partition_report {
    uint32_t asker;  ///< As the callback said.
    uint32_t
        owner;  ///< Whose the block is; of an acquire, whose memory was asked for. Or nobody's.
    mete_partition_right_t operation;  ///< What was tried.
    const void *block;                 ///< On what; NULL for an acquire.
} mete_partition_report_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_partition {
    const mete_partition_config_t *config;
    mete_alloc_t common;
    mete_dlist_link_t line;  // Of requests, in the order of service.
    size_t line_count;
    mete_partition_report_t last;
    size_t fault_total;
} mete_partition_t;

/// Nothing handed out, nobody in line. `homes` has the allocator of each owner, {NULL, NULL} for those without a home; `common`
/// is that of common memory, or {NULL, NULL}. Returns false, changing nothing, if something is missing, spans overlap or do
/// not fit their allocators, or a limit stated above is broken.
bool mete_partition_init(mete_partition_t *partition, const mete_alloc_t *homes,
                         mete_alloc_t common, const mete_partition_config_t *config);

/// Asks for memory of `owner`, and stands in line while there is none. False, and not in line, if it can never be met: larger
/// than home and quota, or no such owner. If there is memory the callback comes at once. Faults without effect: ACCESS as
/// acquire, ALIGN, and ORDER if the request is in line already. O(requests).
bool mete_partition_queue(mete_partition_t *partition, uint32_t owner,
                          mete_partition_request_t *request);

/// Takes a request out of the line. False if it was served before, or never stood there.
bool mete_partition_remove(mete_partition_t *partition, mete_partition_request_t *request);

/// How many requests wait.
size_t mete_partition_requests(const mete_partition_t *partition);

/// Whose this address is: of homes any byte, of common memory the start of a block. Else METE_PARTITION_NOBODY. O(owners).
uint32_t mete_partition_owner_of(const mete_partition_t *partition, const void *address);

/// What was refused as misuse last, and how often that happened; NULL if never.
const mete_partition_report_t *mete_partition_last(const mete_partition_t *partition);

/// An owner's account of common memory; NULL if there is none of that number.
const mete_partition_owner_t *mete_partition_usage(const mete_partition_t *partition,
                                                   uint32_t owner);

/// True if table, accounts and line agree. Changes nothing; bounded also on garbage.
bool mete_partition_check(const mete_partition_t *partition);

/// The memory of an owner as an allocator: first his home, then what is common. It can resize, and knows size_of, if all that is
/// behind does. {NULL, NULL} if there is no such owner.
mete_alloc_t mete_partition_as_alloc(mete_partition_t *partition, uint32_t owner);

#ifdef __cplusplus
}
#endif
#endif

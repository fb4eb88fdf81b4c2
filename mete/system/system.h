// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SYSTEM_H
#define METE_SYSTEM_H

/// A whole memory system from one const config: what hands out memory, what watches it, in the right order.
///
/// Take it when the parts are the usual ones and you would rather say what you want than wire it up. All
/// of it lies in one storage; a part that the config does not name is not linked.
///
///     static uint64_t ram[9216];
///     static const mete_system_pool_t pools[] = {{.block_size = 32, .block_count = 40}};
///     static const mete_system_config_t config = {
///         .storage = {ram, sizeof ram},
///         .heap_size = 65536,
///         .search = 2,
///         .pools = pools,
///         .pool_count = 1,
///         .scratch_size = 2048,
///         .stats = &mete_system_with_stats,
///         .quota = &mete_system_with_quota,
///         .live_max = 1000,
///     };
///     mete_system_t *const memory = mete_system_init(&config, NULL);
///     const mete_alloc_t any = mete_system_as_alloc(memory, METE_SYSTEM_VARIABLE);
///
/// Whoever needs memory declares how he uses it, and gets the allocator for that:
///
///     METE_SYSTEM_VARIABLE   sizes and lifetimes vary: a heap.
///     METE_SYSTEM_FIXED      one of few sizes, a known number: the pool for the size. It never asks the
///                            heap, so what one size lacks does not depend on what others took.
///     METE_SYSTEM_KEPT       predictable: taken while the program starts, kept for good. An arena.
///     METE_SYSTEM_TEMPORARY  dies together: an arena with marks, which mete_system_scratch() gives.
///
/// In front of heap and pools, each on its own, stand the wrappers that the config names, in this order,
/// outermost first; docs/guide/watching.md says why. KEPT has lock and seal only. TEMPORARY
/// has none: marks are rewound past all wrappers, so it belongs to one task.
///
///     lock · health · timing · stats · seal · scrub · guard · quota · track
///
/// Pools have no quota and no health: they cannot hand out more than they have, nor fragment.
///
/// Beside them, in front of nothing, stand others, in the order in which `beside` lists them, as many of a sort as are
/// wanted: partitions, domains, vaults, or parts of the program's own. And at last protection: a map of all
/// memory with the storage on it, a plan that the hardware enforces, and what becomes of who violates it; see
/// mete/system/protection.h. When mete_system_init() returns, the plan is in force.
///
///     static const mete_system_vault_t keys = {.vault = &vault_config, .cipher = {&my_aes, &my_key}};
///     static const mete_system_beside_t beside[] = {{&mete_system_with_vault, &keys}};
///     ... .beside = beside, .beside_count = 1 ...
///     mete_vault_t *const vault = mete_system_beside(memory, 0);
///
///   Time     init: O(bytes of the books). Everything else: as the parts.
///   Space    One mete_system_t, the states of the parts twice if there are pools, the pools' links; all from
///            the storage. A record that a wrapper puts in front of a block is added to the pools' blocks, so
///            that a block still holds block_size bytes.
///   Align    8 bytes from the pools; any from the rest.
///   Threads  As the lock part. Without it calls must exclude each other. Those beside: as each says.
///   Errors   As the parts. init says what does not fit.

#include "mete/alloc/arena.h"
#include "mete/alloc/heap.h"
#include "mete/alloc/pool.h"
#include "mete/alloc/tier.h"
#include "mete/core/access.h"
#include "mete/core/cipher.h"
#include "mete/core/observe.h"
#include "mete/core/platform.h"
#include "mete/system/health.h"
#include "mete/wrap/guard.h"
#include "mete/wrap/timing.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mete_domain_config;
struct mete_domain_result;
struct mete_partition_config;
struct mete_protection;
struct mete_protection_config;
struct mete_vault_config;

/// How a block is used.
typedef enum mete_system_pattern {
    METE_SYSTEM_VARIABLE,
    METE_SYSTEM_FIXED,
    METE_SYSTEM_KEPT,
    METE_SYSTEM_TEMPORARY,
} mete_system_pattern_t;
enum {
    METE_SYSTEM_PATTERN_COUNT = 4,
    METE_SYSTEM_PART_COUNT = 9,
    // Sets of patterns, for parts.
    METE_SYSTEM_HEAP = 1 << METE_SYSTEM_VARIABLE,
    METE_SYSTEM_WATCHED = METE_SYSTEM_HEAP | (1 << METE_SYSTEM_FIXED),
    METE_SYSTEM_SHARED = METE_SYSTEM_WATCHED | (1 << METE_SYSTEM_KEPT),
};

/// Blocks of one size.
typedef struct {
    size_t block_size;   ///< Bytes, at least 1.
    size_t block_count;  ///< 1 ... METE_POOL_BLOCK_COUNT_MAX.
} mete_system_pool_t;

/// Where a part stands.
typedef struct mete_system_place {
    mete_alloc_t inner;                       ///< What it is put in front of.
    const struct mete_system_config *config;  ///< What it needs to know.
    struct mete_system *system;               ///< Of which all that is behind is made.
    mete_site_t *told_site;  ///< Where it leaves who called, if it is the outermost; else NULL.
    const mete_site_t
        *known_site;  ///< Where it finds who called, if one in front leaves it; else NULL.
    const void *own;  ///< Of a part that stands beside: what the config names with it. Else NULL.
} mete_system_place_t;

/// What a system can be given, in front of its allocators or beside them: how to make it.
typedef struct mete_system_part {
    size_t state_size;   ///< Bytes of state, aligned to 8.
    size_t record_size;  ///< Bytes added to a block aligned to 8.
    uint32_t patterns;   ///< In front of which: bit p for pattern p; 0: it stands beside them.
    bool tells_site;     ///< It leaves who called for those behind, if it is the outermost.
    /// Puts it in front of place->inner, and says in `view` what is to be called instead; beside, there is neither, but
    /// all allocators of place->system are ready. False if the config lacks what it needs.
    bool (*init)(void *state, const mete_system_place_t *place, mete_alloc_t *view);
    /// What its state can tell health. NULL: nothing.
    void (*read)(const void *state, mete_health_usage_t *usage);
} mete_system_part_t;

/// The parts there are. mete_system_with_critical may stand for the lock.
extern const mete_system_part_t mete_system_with_lock;      ///< Needs mutex.
extern const mete_system_part_t mete_system_with_critical;  ///< The platform's critical section.
extern const mete_system_part_t mete_system_with_health;    ///< Takes health_config.
extern const mete_system_part_t mete_system_with_timing;    ///< Needs timing_config.
extern const mete_system_part_t mete_system_with_stats;
extern const mete_system_part_t mete_system_with_seal;
extern const mete_system_part_t mete_system_with_scrub;
extern const mete_system_part_t mete_system_with_guard;  ///< Takes guard_config.
extern const mete_system_part_t mete_system_with_quota;  ///< Needs live_max or size_max.
extern const mete_system_part_t mete_system_with_track;  ///< Takes clock. Knows callers if it
                                                         ///< is outermost, or lock or stats is.
extern const mete_system_part_t
    mete_system_with_protection;  ///< Needs protection_config. Beside all others.

/// Those to be listed in `beside`: each with a pointer to what is said here.
extern const mete_system_part_t mete_system_with_partition;  ///< A mete_system_partition_t.
extern const mete_system_part_t mete_system_with_domain;     ///< A mete_system_domain_t.
extern const mete_system_part_t mete_system_with_vault;      ///< A mete_system_vault_t.

/// A part that stands beside, and what it is made of, as the part says.
typedef struct {
    const mete_system_part_t *part;
    const void *own;
} mete_system_beside_t;

/// A mete_partition_t whose common memory is VARIABLE: all that the owners have no room for at home comes from the
/// system's heap, through what stands in front of it, each within his quota; the program may go on to use
/// VARIABLE itself. Who waits in the partition's line is served when an owner gives memory back, not when others do. Homes
/// are the program's: they lie outside of the heap, and not within a granule behind it.
typedef struct mete_system_partition {
    /// With a common_granule: the table, two bytes for each granule of the heap, is taken from KEPT. With one of
    /// 0: there is no common memory. `common` and `common_table` are the system's, and must be empty here. Without an
    /// observer the system's hears.
    const struct mete_partition_config *partition;
    const mete_alloc_t *homes;  ///< As mete_partition_init() takes them.
} mete_system_partition_t;

/// A mete_domain_t.
typedef struct mete_system_domain {
    const struct mete_domain_config *domain;  ///< Without an observer the system's hears.
    struct mete_domain_result *result;        ///< What was wrong, if anything. NULL: nobody asks.
} mete_system_domain_t;

/// A mete_vault_t.
typedef struct mete_system_vault {
    const struct mete_vault_config *vault;
    mete_cipher_t cipher;
    mete_alloc_t sealed, plain;  ///< Where texts lie. {NULL, NULL}: in VARIABLE.
} mete_system_vault_t;

/// What the system consists of. It must outlive the system; const is best.
typedef struct mete_system_config {
    mete_span_t storage;  ///< All of it. Any alignment.
    size_t heap_size;     ///< Bytes for the heap, its control block included; 0: what is left.
    uint32_t search;      ///< The heap's: 0 is fastest, 2 wastes less.
    size_t kept_size;     ///< Bytes for KEPT; 0: none.
    size_t scratch_size;  ///< Bytes for TEMPORARY; 0: none.
    const mete_system_pool_t *pools;  ///< For FIXED; sizes ascend, rounded up to 8.
    size_t pool_count;                ///< 0: none.

    const mete_system_part_t *lock;  ///< Parts; NULL: without.
    const mete_system_part_t *health;
    const mete_system_part_t *timing;
    const mete_system_part_t *stats;
    const mete_system_part_t *seal;
    const mete_system_part_t *scrub;
    const mete_system_part_t *guard;
    const mete_system_part_t *quota;
    const mete_system_part_t *track;

    mete_lock_t mutex;              ///< For lock.
    bool allows_release;            ///< For seal: releasing works after mete_seal_close().
    size_t live_max;                ///< For quota: blocks at once; 0: any number.
    size_t size_max;                ///< For quota: bytes at once, as asked for; 0: any.
    uint16_t warn_permille;         ///< For quota: of size_max, reported once; 0: never.
    mete_clock_t clock;             ///< For track; NULL: all ages are 0.
    uint32_t (*owner)(void *self);  ///< For track: who is asking; NULL: all blocks have owner 0.
    const mete_health_config_t
        *health_config;  ///< NULL: the thresholds that mete/system/health.h names.
    const mete_guard_config_t
        *guard_config;  ///< NULL: canaries alone. Its site is set by the system.
    const mete_timing_config_t *timing_config;  ///< For timing; its site is set by the system.
    mete_observer_t
        observer;  ///< Hears what quota, seal, track and, by default, health and protection
                   ///< have to say.

    const mete_system_beside_t *beside;  ///< Made in this order, when all that is above is made.
    size_t beside_count;                 ///< 0: none.

    const mete_system_part_t *protection;  ///< NULL: without.
    /// For protection: what mete/system/protection.h makes of it. Its table has room for one region more, the storage.
    const struct mete_protection_config *protection_config;
    mete_rights_t storage_rights;  ///< For protection: the storage's, as the map shows them.
} mete_system_config_t;

/// Why there is no system.
typedef enum mete_system_problem {
    METE_SYSTEM_NO_PROBLEM,
    METE_SYSTEM_STORAGE_SMALL,  ///< The storage does not hold all that the config wants.
    METE_SYSTEM_POOLS_WRONG,  ///< A size or count of 0, too many blocks, or sizes that do not ascend.
    METE_SYSTEM_HEAP_WRONG,  ///< The heap is too small, or larger than its window.
    METE_SYSTEM_PART_WRONG,  ///< A part lacks what it needs of the config, or one that is to stand beside cannot. Of
    ///< protection and domains, the result that the config names says more.
} mete_system_problem_t;

/// How the whole is used, in bytes. Those of the heap include headers, those of the pools what parts add.
typedef struct {
    size_t heap_total_size;  ///< That blocks can occupy.
    size_t heap_in_use_size;
    size_t pools_total_size;
    size_t pools_in_use_size;
    size_t kept_total_size;
    size_t kept_in_use_size;
    size_t scratch_total_size;
    size_t scratch_in_use_size;
    size_t refusals;  ///< Of all four: requests that their allocators could not meet.
} mete_system_usage_t;

/// A system. It lies at the start of its storage; use the functions.
typedef struct mete_system mete_system_t;

/// Bytes of a mete_system_t, for the size of a storage.
extern const size_t mete_system_size;

/// Builds the system in its storage. NULL if it cannot be built as described; `problem`, which may be NULL, says why.
/// The storage may have been written to then.
mete_system_t *mete_system_init(const mete_system_config_t *config, mete_system_problem_t *problem);

/// The allocator for a pattern. One that the config gave no memory refuses everything.
mete_alloc_t mete_system_as_alloc(mete_system_t *system, mete_system_pattern_t pattern);

/// The arena behind TEMPORARY, to mark and rewind.
mete_arena_t *mete_system_scratch(mete_system_t *system);

/// The heap behind VARIABLE, for usage and walk.
const mete_heap_t *mete_system_heap(const mete_system_t *system);

/// The pool with this index in the config, for usage and walk; NULL if there is none.
const mete_pool_t *mete_system_pool(const mete_system_t *system, size_t index);

/// The state of a part in front of VARIABLE or FIXED, such as a mete_stats_t; NULL if it is not there.
void *mete_system_state_of(mete_system_t *system, mete_system_pattern_t pattern,
                           const mete_system_part_t *part);

/// What the entry of `beside` with this index made, such as a mete_vault_t; NULL if there is no such entry. Parts may ask for those
/// in front of them while the system is made. O(entries).
void *mete_system_beside(const mete_system_t *system, size_t index);

/// Map, plan and violations: a mete_protection_t of mete/system/protection.h; NULL if the config names none.
struct mete_protection *mete_system_protection(const mete_system_t *system);

/// Writes to `usage` how the whole is used now. O(pools).
void mete_system_read(const mete_system_t *system, mete_system_usage_t *usage);

/// True if all allocators' bookkeeping is consistent. Changes nothing. O(blocks).
bool mete_system_check(const mete_system_t *system);

#ifdef __cplusplus
}
#endif
#endif

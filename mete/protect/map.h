// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MAP_H
#define METE_MAP_H

/// The memory map of a device: which regions there are, what they are for, who may do what with them, how much
/// of each is in use.
///
/// For a fault handler that must say whose address it was, for a report, for whoever plans protection, and as a
/// proof that nothing overlaps: a region that shares a byte with another one is refused, and both are named.
///
///     static mete_map_region_t regions[8];
///     static const mete_map_config_t config = {regions, 8};
///     static mete_map_t map;
///     static const mete_map_region_t heap = {.name = "heap", .start = 0x10000000, .size = 32768,
///         .kind = METE_MAP_HEAP, .rights = {METE_ACCESS_READ | METE_ACCESS_WRITE, METE_ACCESS_ALL},
///         .attributes = METE_REGION_FAST, .in_use = heap_in_use};
///     (void)mete_map_init(&map, &config);
///     const mete_map_result_t result = mete_map_add(&map, &heap);
///     if (result.verdict == METE_MAP_OVERLAPS) { say(result.region->name, "overlaps", result.other->name); }
///
///     const mete_map_region_t *const hit = mete_map_find(&map, fault_address);  // NULL: nobody's.
///
/// A region may start at address 0 and may end with the last byte of the address space.
///
///   Time     find: O(log regions). add: O(log regions), and O(regions) to make room; remove likewise.
///            usage, walk, check: O(regions). docs/costs.md: instructions.
///   Space    One mete_map_t of two words; a mete_map_region_t for each region, 28 bytes on a Cortex-M, in the
///            caller's table.
///   Align    None: regions are exact to a byte. What hardware can protect is coarser.
///   Threads  Not synchronised: add and remove exclude all other calls. A fault handler that strikes amid
///            either may ask nevertheless: it may be told wrong, but nothing outside of the table is read.
///   Errors   A region that does not fit is ordinary: a verdict, and nothing has changed. A table that was
///            overwritten: METE_FAULT_CORRUPT with the table, where it shows; mete_map_check() looks at all of it.

#include "mete/core/access.h"
#include "mete/core/base.h"
#include "mete/core/region.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What a region is for.
typedef enum mete_map_kind {
    METE_MAP_CODE = 0,  ///< Code and constants.
    METE_MAP_DATA,      ///< Variables that start with a value.
    METE_MAP_BSS,       ///< Variables that start as 0.
    METE_MAP_STACK,
    METE_MAP_HEAP,
    METE_MAP_DEVICE,   ///< Registers.
    METE_MAP_RESERVED  ///< Nobody's, and not to be touched: a guard, a hole.
} mete_map_kind_t;

/// How many kinds there are.
#define METE_MAP_KIND_COUNT 7U

/// A region. The map keeps a copy; what it points to must outlive its stay.
typedef struct mete_map_region {
    const char *name;  ///< For people: need not be unique, tasks may be called alike.
    uintptr_t start;
    size_t size;  ///< Bytes, at least 1.
    mete_map_kind_t kind;
    mete_rights_t rights;
    uint32_t attributes;  ///< mete_region_attribute_t values, joined.

    /// Says how many of its bytes are in use. NULL: all are.
    size_t (*in_use)(const void *self);
    const void *in_use_self;
} mete_map_region_t;

/// Its last byte: what lies behind it may not have an address.
static inline uintptr_t mete_map_last(const mete_map_region_t *region)
{
    return region->start + (region->size - 1U);
}

/// Where the regions are kept. It must outlive the map; const is best.
typedef struct mete_map_config {
    mete_map_region_t *regions;  ///< Belongs to the map from init on.
    size_t region_max;           ///< At least 1.
} mete_map_config_t;

/// The fields are here so that it can be static.
typedef struct mete_map {
    const mete_map_config_t *config;
    size_t region_count;  // The first so many of the table, in the order of their addresses.
} mete_map_t;

/// What became of a region that was to be added.
typedef enum mete_map_verdict {
    METE_MAP_ADDED = 0,
    METE_MAP_ILLEGAL,   ///< It has no name, or a kind, a right or an attribute that does not exist.
    METE_MAP_EMPTY,     ///< It has no bytes.
    METE_MAP_WRAPS,     ///< It runs past the end of the address space.
    METE_MAP_OVERLAPS,  ///< It shares bytes with another one.
    METE_MAP_FULL,      ///< The table is.
    METE_MAP_DAMAGED    ///< The map was overwritten: METE_FAULT_CORRUPT was reported.
} mete_map_verdict_t;

/// The first that applies, and about whom it is.
typedef struct mete_map_result {
    mete_map_verdict_t verdict;
    const mete_map_region_t *region;  ///< The one that was to be added, as it was handed in.
    const mete_map_region_t
        *other;  ///< METE_MAP_OVERLAPS: the one in the map; of several, the lowest.
                 ///< Else NULL.
} mete_map_result_t;

/// How much there is of a kind.
typedef struct {
    size_t region_count;
    size_t total_size;   ///< Bytes; SIZE_MAX if it is the whole address space.
    size_t in_use_size;  ///< Of these, as the regions say; SIZE_MAX if that is more than fits.
} mete_map_usage_t;

/// Starts without regions. Returns false, changing nothing, if the config breaks a limit stated above.
bool mete_map_init(mete_map_t *map, const mete_map_config_t *config);

/// Adds a copy of a region. `region` must not lie in the map's table. Unless the verdict is METE_MAP_ADDED,
/// nothing has changed.
mete_map_result_t mete_map_add(mete_map_t *map, const mete_map_region_t *region);

/// Removes the region that starts at `start`: a task's stack, when the task ends. False if none starts there.
bool mete_map_remove(mete_map_t *map, uintptr_t start);

/// The region that has a byte at `address`, or NULL. It stands there until the next add or remove.
const mete_map_region_t *mete_map_find(const mete_map_t *map, uintptr_t address);

/// How many bytes of a region are in use, as its owner says; for a stack that ran over, that is more than
/// its size.
size_t mete_map_in_use(const mete_map_region_t *region);

/// Adds up the regions of a kind, and asks each how much is in use.
mete_map_usage_t mete_map_usage(const mete_map_t *map, mete_map_kind_t kind);

/// Shows every region, in the order of addresses, until `visit` returns false. True if all were shown.
bool mete_map_walk(const mete_map_t *map,
                   bool (*visit)(void *self, const mete_map_region_t *region), void *self);

/// True if every region is legal and lies behind the one before it. Changes and reports nothing.
bool mete_map_check(const mete_map_t *map);

#ifdef __cplusplus
}
#endif
#endif

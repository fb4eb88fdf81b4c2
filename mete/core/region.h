// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_REGION_H
#define METE_REGION_H

/// A stretch of memory and what it is good for.
///
///     static const mete_region_t ccm = {{(void *)0x10000000, 65536}, METE_REGION_FAST};
///     static const mete_region_t sram = {{(void *)0x20000000, 131072}, METE_REGION_DMA};
///
/// The attributes are a closed list, so that whoever asks for one and whoever offers it mean the same.
/// Who needs another adds it here.

#include "mete/core/span.h"

/// Joined with |.
typedef enum mete_region_attribute {
    METE_REGION_DMA = 1 << 0,         ///< DMA controllers can reach it.
    METE_REGION_EXECUTABLE = 1 << 1,  ///< Code may run there.
    METE_REGION_RETAINED = 1 << 2,    ///< Keeps its contents in sleep.
    METE_REGION_FAST = 1 << 3,        ///< Tightly coupled: the core never waits for it.
    METE_REGION_EXTERNAL = 1 << 4,    ///< Behind an external memory controller.
    METE_REGION_ENCRYPTED = 1 << 5,   ///< Encrypted on its way to the chip.
    METE_REGION_SHARED = 1 << 6,      ///< Other cores or bus masters see the same contents.
    METE_REGION_CACHEABLE = 1 << 7    ///< A cache may hold copies of its contents.
} mete_region_attribute_t;

/// All attributes there are.
#define METE_REGION_ALL 0xFFU

typedef struct mete_region {
    mete_span_t span;
    uint32_t attributes;  ///< mete_region_attribute_t values, joined.
} mete_region_t;

/// True if the region has all attributes that are required; further ones do not matter.
static inline bool mete_region_has_all(const mete_region_t *region, uint32_t required)
{
    return (required & ~region->attributes) == 0U;
}

#endif

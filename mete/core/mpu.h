// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_MPU_H
#define METE_MPU_H

/// Hardware that says who may touch which memory: what a plan of regions and the driver that writes them agree on.
///
/// Like a mete_alloc_t, a mete_mpu_t is two words, passed by value. A plan (mete/protect/plan.h) makes the images of
/// hardware regions, as pure arithmetic that also runs on a host; a driver in port/cpu/ copies them to registers. So
/// whatever can fail has failed before anything is written, and a commit cannot.
///
///     mete_plan_commit(&plan, mpu);  // Writes the images.
///     mete_mpu_enable(mpu);
///
/// What the two words of an image are:
///
///   kind     first word                                     second word
///   ARMV7M   RBAR, with VALID and the region's number       RASR
///   ARMV8M   RBAR                                           RLAR; its attribute index is the memory type
///   PMP      pmpaddr                                        pmpcfg, the entry's eight bits
///   PAGES    start | METE_MPU_PAGES_... bits of the rights  last byte
///
/// (ARMv7-M Architecture Reference Manual, DDI 0403E, B3.5; ARMv8-M, DDI 0553B, D1.2; The RISC-V Instruction Set
/// Manual, Volume II, 3.7.)

#include "mete/core/access.h"
#include "mete/core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Which hardware.
typedef enum mete_mpu_kind {
    METE_MPU_ARMV7M = 0,  ///< Cortex-M3, M4, M7: powers of two, eight parts each.
    METE_MPU_ARMV8M,      ///< Cortex-M23, M33, M55: base and limit; regions must not overlap.
    METE_MPU_PMP,         ///< RISC-V physical memory protection.
    METE_MPU_PAGES        ///< Pages of an operating system.
} mete_mpu_kind_t;

/// How memory behaves. Where that is not the region's to say (RISC-V, pages) it is not looked at. The numbers are the
/// attribute indices of ARMv8-M.
typedef enum mete_mpu_memory {
    METE_MPU_CACHED = 0,       ///< Normal memory, write-back.
    METE_MPU_UNCACHED,         ///< Normal memory that no cache keeps: shared with DMA, say.
    METE_MPU_DEVICE,           ///< Registers. Writes may be acknowledged early. ARMv8-M: nGnRE.
    METE_MPU_STRONGLY_ORDERED  ///< Registers, one access after the other. ARMv8-M: nGnRnE.
} mete_mpu_memory_t;

/// How many memory types there are.
#define METE_MPU_MEMORY_COUNT 4U

/// What a driver for ARMv8-M writes to MPU_MAIR0, so that the attribute indices mean the memory types.
#define METE_MPU_MAIR0 0x000444FFU

/// The rights in the first word of a page image: mete_access_t values, shifted.
#define METE_MPU_PAGES_UNPRIVILEGED_SHIFT 0U
#define METE_MPU_PAGES_PRIVILEGED_SHIFT   3U
#define METE_MPU_PAGES_RIGHTS             0x3FU

/// What the hardware holds for a region.
typedef struct mete_mpu_image {
    uintptr_t words[2];
} mete_mpu_image_t;

/// What regions of a kind can be.
typedef struct mete_mpu_rules {
    mete_mpu_kind_t kind;
    uint8_t region_max;  ///< No hardware of the kind has more.
    uint8_t
        slice_count;    ///< Parts of equal size that each region has: 8. 1: none, but its size is a
                        ///< power of two. 0: it may have any size.
    uintptr_t granule;  ///< Smallest region, in bytes; all start and end on multiples of it.
    uintptr_t last;     ///< Highest address that regions can govern.
    bool holds_privilege;  ///< Privileged code is held to the rights of a region, too.
} mete_mpu_rules_t;

/// What a driver does. Callable with interrupts on or off; calls exclude each other.
typedef struct mete_mpu_ops {
    mete_mpu_kind_t kind;
    /// Writes the images, the first to region 0, and switches all further regions off. Where no region is,
    /// privileged code may do what it could without protection if `has_background`, else nothing. Nobody runs
    /// under half of the old and half of the new images. Cannot fail: the caller has checked kind and count.
    void (*commit)(void *self, const mete_mpu_image_t *images, size_t image_count,
                   bool has_background);
    /// From now on what was committed last is enforced.
    void (*enable)(void *self);
    /// From now on nothing is; but locked entries of a PMP are until reset.
    void (*disable)(void *self);
} mete_mpu_ops_t;

/// What the object of every driver begins with. Read, not asked for by a call: each switch of tasks looks at it.
typedef struct mete_mpu_unit {
    size_t
        region_count;  ///< Regions that this very hardware has: they may be fewer than its kind allows.
} mete_mpu_unit_t;

/// A driver.
typedef struct mete_mpu {
    const mete_mpu_ops_t *ops;
    mete_mpu_unit_t *self;
} mete_mpu_t;

/// From now on what was committed last is enforced.
METE_INLINE void mete_mpu_enable(mete_mpu_t mpu)
{
    mpu.ops->enable(mpu.self);
}

/// From now on nothing is; but locked entries of a PMP are until reset.
METE_INLINE void mete_mpu_disable(mete_mpu_t mpu)
{
    mpu.ops->disable(mpu.self);
}

/// Regions that this very hardware has.
METE_INLINE size_t mete_mpu_region_count(mete_mpu_t mpu)
{
    return mpu.self->region_count;
}

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_H
#define METE_PLAN_H

/// Makes hardware protection regions of wishes: "this task may read and write from here to there".
///
/// Hardware does not take any region. ARMv7-M wants powers of two in their own places, ARMv8-M no overlap, RISC-V
/// entries in the right order, and all have few. A plan finds the fewest regions that do what was wished, of those
/// the ones that give least away, and tells what did not fit, why, and where it would. It touches no hardware, so it can be made
/// and tested on a host; mete_plan_commit() hands it to a driver.
///
///     static const mete_plan_wish_t wishes[] = {
///         {"code", 0x08000000, 0x080FFFFF, {METE_ACCESS_READ | METE_ACCESS_EXECUTE,
///                                           METE_ACCESS_READ | METE_ACCESS_EXECUTE}, METE_MPU_CACHED, 0},
///         {"guard", 0x20000000, 0x2000001F, {0, 0}, METE_MPU_CACHED, 0},
///         {"stack", 0x20000020, 0x20000FFF, {METE_ACCESS_READ | METE_ACCESS_WRITE,
///                                            METE_ACCESS_READ | METE_ACCESS_WRITE}, METE_MPU_CACHED, 0},
///     };
///     static mete_mpu_image_t images[8];
///     static mete_plan_range_t ranges[8];
///     static mete_plan_share_t shares[3];
///     static const mete_plan_config_t config = {.backend = &mete_plan_armv7m, .wishes = wishes, .wish_count = 3,
///         .shares = shares, .images = images, .ranges = ranges, .image_max = 8, .has_background = true};
///     static mete_plan_t plan;
///     const mete_plan_result_t result = mete_plan_init(&plan, &config);
///     if (result.verdict == METE_PLAN_FITS) { mete_plan_commit(&plan, mpu); mete_mpu_enable(mpu); }
///     if (!mete_plan_allows(&plan, address, 4, METE_ACCESS_WRITE, METE_UNPRIVILEGED)) { ... }
///
/// What nobody wished for is denied, but for privileged code where has_background says otherwise. A wish gets no byte
/// more than its own unless its waste_max says so, and never one that another wish has.
///
///   Time     init: for each 6 wishes at most 1344 runs, each O(log(size)^2) for every region that it takes: 10^5 to
///            10^7 instructions. allows: O(regions). check: O(wishes * regions). docs/costs.md: instructions.
///   Space    One mete_plan_t; an image of two words and a range of three for each region and a mete_plan_share_t for
///            each wish, in the caller's tables. init takes less than a KiB of stack on a 32-bit core.
///   Align    None demanded; what the hardware cannot do is refused with an address that it can.
///   Threads  A plan that was made is constant: any number of readers.
///   Errors   What does not fit is ordinary: a verdict, and nothing has changed. A plan for other hardware than the
///            driver's, or with more regions than that has: METE_FAULT_FOREIGN, METE_FAULT_SIZE, and nothing is written.
///
/// One of mete/protect/plan_armv7m.h, plan_armv8m.h, plan_pmp.h and plan_pages.h supplies the back end; only what a program
/// names is linked.
///
/// "Fewest" is exact among plans of this kind, for up to 6 wishes: wishes of equal rights and memory type share regions if
/// nobody's bytes are not between them; else each has regions of its own; what lies under another wish's regions may
/// be covered. More wishes are cut into groups of up to 6 at the widest gaps, and each group is planned by itself.

#include "mete/core/access.h"
#include "mete/core/base.h"
#include "mete/core/mpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most wishes of a plan.
#define METE_PLAN_WISH_MAX 32U

/// What somebody wants. Wishes may come in any order and must not overlap.
typedef struct mete_plan_wish {
    const char *name;  ///< For people.
    uintptr_t start;   ///< First byte,
    uintptr_t last;    ///< and last: what lies behind it may not have an address.
    mete_rights_t rights;
    mete_mpu_memory_t memory;
    size_t waste_max;  ///< So many bytes that are nobody's may get these rights, too.
} mete_plan_wish_t;

/// What a wish costs. Written by init; read it after.
typedef struct mete_plan_share {
    size_t waste_size;  ///< Bytes that are nobody's and got its rights.
    size_t
        region_count;  ///< Hardware regions. Where wishes share some: at the first, 0 at the others.
} mete_plan_share_t;

/// What a hardware region grants to whom: what its image says, for who asks for verdicts. Written by init.
typedef struct mete_plan_range {
    uintptr_t start;  ///< First byte,
    uintptr_t rest;   ///< and how many are behind it.
    uint32_t
        rights;  ///< mete_access_t values of unprivileged code; those of privileged code METE_PLAN_PRIVILEGED_SHIFT higher.
} mete_plan_range_t;

/// In the rights of a range and in what is asked of mete_plan_allows_span().
#define METE_PLAN_PRIVILEGED_SHIFT 3U

struct mete_plan_backend;

/// What is wished for, and where the plan is kept. It must outlive the plan; const is best.
typedef struct mete_plan_config {
    const struct mete_plan_backend *backend;
    const mete_plan_wish_t *wishes;
    size_t wish_count;          ///< 0 ... METE_PLAN_WISH_MAX. 0: nobody may touch anything.
    mete_plan_share_t *shares;  ///< wish_count of them.
    mete_mpu_image_t *images;   ///< image_max of them,
    mete_plan_range_t *ranges;  ///< and as many of these.
    size_t image_max;           ///< Hardware regions that may be used.
    bool has_background;  ///< Where no region is, privileged code may do what it could without
                          ///< protection. On RISC-V it may in any case.
} mete_plan_config_t;

/// The fields are here so that it can be static.
typedef struct mete_plan {
    const struct mete_plan_backend *backend;
    const mete_mpu_image_t *images;
    size_t image_count;
    const mete_plan_range_t *ranges;  // By rank: the first that has an address decides.
    size_t range_count;
    const mete_plan_config_t *config;
} mete_plan_t;

/// What became of the wishes.
typedef enum mete_plan_allows_span {
    METE_PLAN_FITS = 0,
    METE_PLAN_ILLEGAL,  ///< It ends before it starts, has no name, or a right or memory type that does not exist; or,
                        ///< with no wish, the config breaks a limit stated above.
    METE_PLAN_BEYOND,    ///< No region can govern its addresses.
    METE_PLAN_RIGHTS,    ///< The hardware cannot grant just these rights, or not in this memory.
    METE_PLAN_OVERLAPS,  ///< It shares bytes with another one.
    METE_PLAN_ALIGN,  ///< It can only be granted with more of its neighbours' or of nobody's bytes than it may have.
    METE_PLAN_FULL  ///< All together take more regions than there are.
} mete_plan_verdict_t;

/// The first that applies, and about whom it is.
typedef struct mete_plan_result {
    mete_plan_verdict_t verdict;
    const mete_plan_wish_t *wish;  ///< METE_PLAN_FULL: the one that takes the most regions.
    const mete_plan_wish_t *
        other;  ///< METE_PLAN_OVERLAPS: the other one; METE_PLAN_ALIGN: who is in the way. Or NULL.
    /// METE_PLAN_ALIGN and METE_PLAN_FULL: where the wish would fit, with its size or a little more, in one region if
    /// the hardware can, and with no waste. Both 0: nowhere, or it takes no more than one already.
    uintptr_t start;
    uintptr_t last;
} mete_plan_result_t;

/// How much a plan takes.
typedef struct {
    size_t region_count;
    size_t waste_size;  ///< Of all wishes; SIZE_MAX if that is more than fits.
} mete_plan_usage_t;

/// Makes a plan. Unless the verdict is METE_PLAN_FITS, nothing has changed.
mete_plan_result_t mete_plan_init(mete_plan_t *plan, const mete_plan_config_t *config);

/// How much the plan takes. O(wishes).
mete_plan_usage_t mete_plan_usage(const mete_plan_t *plan);

/// True if the images still mean the ranges, and these grant the first and the last byte of every wish its rights and no
/// others. Changes and reports nothing. O(wishes * regions).
bool mete_plan_check(const mete_plan_t *plan);

// ---- For back ends

/// How a run of wishes is granted.
typedef struct mete_plan_cover {
    size_t region_count;
    size_t waste_before;  // Bytes that are nobody's, in front of the run,
    size_t waste_behind;  // and behind it.
} mete_plan_cover_t;

struct mete_plan_scene;

/// A kind of hardware.
typedef struct mete_plan_backend {
    mete_mpu_rules_t rules;
    /// True if a region can have the wish's rights and memory type. Only asked of legal wishes.
    bool (*encodes)(const mete_plan_config_t *config, const mete_plan_wish_t *wish);
    /// Finds the fewest regions, and of those the ones with least waste, for the wishes first ... last (by address;
    /// no byte between them is nobody's) under those on top. False if there are none. Writes their images if the
    /// scene says where.
    bool (*cover)(const struct mete_plan_scene *scene, size_t first, size_t last,
                  mete_plan_cover_t *cover);
    /// What the n-th image grants. False if that is nothing to anybody, or not in one piece, which no cover has.
    bool (*decode)(const mete_mpu_image_t *images, size_t n, mete_plan_range_t *range);
    /// What privileged code may do where no region is.
    uint32_t (*background)(const mete_plan_config_t *config, uintptr_t address);
} mete_plan_backend_t;

// ---- The hardware

/// Hands the plan to the hardware. Whether it is enforced is for mete_mpu_enable() and mete_mpu_disable(). A kernel does
/// so at every switch of tasks, thus it is compiled into the caller.
METE_INLINE void mete_plan_commit(const mete_plan_t *plan, mete_mpu_t mpu)
{
    if ((METE_CHECK_LEVEL >= 1) && (mpu.ops->kind != plan->backend->rules.kind)) {
        METE_FAULT(METE_FAULT_FOREIGN, (const void *)plan, (const void *)mpu.self);
    } else if ((METE_CHECK_LEVEL >= 1) && (plan->image_count > mete_mpu_region_count(mpu))) {
        METE_FAULT(METE_FAULT_SIZE, (const void *)plan, (const void *)mpu.self);
    } else {
        mpu.ops->commit(mpu.self, plan->images, plan->image_count, plan->config->has_background);
    }
}

// ---- Verdicts

/// As mete_plan_allows(), of the bytes from `first` to `last`, at most 8: of more only the ends would be judged. `request`
/// is shifted by METE_PLAN_PRIVILEGED_SHIFT if privileged code asks.
bool mete_plan_allows_span(const mete_plan_t *plan, uintptr_t first, uintptr_t last,
                           uint32_t request);

/// What the hardware would say, by its own rules, to an access of 1, 2, 4 or 8 bytes at `address` that does all of `access`
/// (mete_access_t values, joined). An access that runs past the end of the address space is denied.
METE_INLINE bool mete_plan_allows(const mete_plan_t *plan, uintptr_t address, size_t size,
                                  uint32_t access, mete_privilege_t privilege)
{
    const unsigned shift = (privilege == METE_PRIVILEGED) ? METE_PLAN_PRIVILEGED_SHIFT : 0U;
    return mete_plan_allows_span(plan, address, address + size - 1U,
                                 (access & METE_ACCESS_ALL) << shift);
}

#ifdef __cplusplus
}
#endif
#endif

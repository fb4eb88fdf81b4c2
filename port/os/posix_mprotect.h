// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_POSIX_MPROTECT_H
#define METE_PORT_POSIX_MPROTECT_H

/// Driver of the pages of a process: what mete/protect/plan.h has planned for mete_plan_pages, mprotect() enforces. So a
/// program that protects its tasks on a device does so on a host, too, where it can be tested.
///
///     static unsigned char arena[16 * 4096] __attribute__((aligned(4096)));
///     static mete_posix_mprotect_t unit;
///     const mete_mpu_t mpu = mete_posix_mprotect_init(&unit, (mete_span_t){arena, sizeof arena});
///     mete_plan_commit(&plan, mpu);
///     mete_mpu_enable(mpu);
///     mete_posix_mprotect_set_privilege(&unit, METE_UNPRIVILEGED);  // In front of a task,
///     task();
///     mete_posix_mprotect_set_privilege(&unit, METE_PRIVILEGED);  // and behind it.
///
/// Only the arena is governed. A process from which its own code, stack or libc were taken could not even say so; what
/// plans say of memory outside is passed over, and of a region that crosses the arena's edge the part inside counts.
///
/// A process has one set of rights at a time, and plans have two. So the driver is told whom the process plays, and
/// the rights are those of that privilege: privileged after init. That keeps nobody from changing sides; it holds
/// to its rights who does not.
///
/// While protection is off, all of the arena is readable and writable. That is also what privileged code may do where no region
/// is, if the plan has_background: nothing is executable but by a region.
///
///   Time     commit, enable, disable, set_privilege: a system call for each stretch of the arena whose rights change, at
///            most 2 * 65 of them.
///   Space    One mete_posix_mprotect_t: 0.6 KiB, half of that on 32 bits. Linux keeps one mapping for each stretch.
///   Align    The arena starts and ends on pages of the system.
///   Threads  All threads share the arena and its rights. Calls exclude each other, and as rights change one
///            stretch after the other, no other thread may touch the arena meanwhile. May be called in a signal handler.
///   Errors   An arena that is not whole pages: METE_FAULT_ALIGN. One whose rights cannot be set, or a process in which reading
///            implies executing (Linux: personality(2)): 0 regions, so that mete_plan_commit() writes no plan. A plan for smaller
///            pages than the system's, with a region that does not end on one: METE_FAULT_ALIGN, and nothing is changed.
///            If the system refuses a change (ENOMEM: too many mappings, Linux: vm.max_map_count; EACCES: a policy
///            against executing what was writable), abort(): who went on would be protected by half.

#include "mete/core/mpu.h"
#include "mete/core/span.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Most regions: as many as a plan for pages can have.
#define METE_POSIX_MPROTECT_REGION_MAX 32U

/// What is enforced. Private.
typedef struct mete_posix_mprotect_state {
    const mete_mpu_image_t *images;
    size_t image_count;
    bool has_background;
    bool is_on;
    mete_privilege_t privilege;
} mete_posix_mprotect_state_t;

/// The driver. The fields are here so that it can be static; a program may have several, with an arena each.
typedef struct mete_posix_mprotect {
    mete_mpu_unit_t unit;
    mete_span_t arena;  // Of size 0: it was refused.
    uintptr_t page_size;
    mete_posix_mprotect_state_t state;
    mete_mpu_image_t images[METE_POSIX_MPROTECT_REGION_MAX];
} mete_posix_mprotect_t;

/// Makes the arena readable and writable, and the driver ready: off, no regions, but a background. The arena is the driver's as long as
/// that is used: nobody else may change its rights. Whoever gives it back calls mete_mpu_disable() first.
mete_mpu_t mete_posix_mprotect_init(mete_posix_mprotect_t *unit, mete_span_t arena);

/// From now on the process plays this privilege. Nothing but rights that differ is changed, and none while protection is off.
void mete_posix_mprotect_set_privilege(mete_posix_mprotect_t *unit, mete_privilege_t privilege);

#ifdef __cplusplus
}
#endif
#endif

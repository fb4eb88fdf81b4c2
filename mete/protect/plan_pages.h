// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PLAN_PAGES_H
#define METE_PLAN_PAGES_H

/// Pages of an operating system with mprotect(), for mete/protect/plan.h: the same plans on a host.
///
/// A region goes from page to page; none overlap. What a driver makes of two privileges in one process is its own affair:
/// both rights are in the image. Writing and executing need reading, for that is what processors make of them: on x86
/// what is writable is readable, and what is only executable is readable unless the processor has protection keys. Where no region
/// is, privileged code may read and write if the plan has_background, but not execute, as in memory that a process
/// allocates.

#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Pages of 4096 bytes, up to 32 regions. Where pages are larger: a copy with another rules.granule.
extern const mete_plan_backend_t mete_plan_pages;

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VIOLATIONS_H
#define METE_VIOLATIONS_H

/// What becomes of an access that protection did not let happen: it is judged, told to whoever listens, and the task that
/// tried is killed, while the rest goes on.
///
///     static const mete_violations_config_t config = {.map = &map, .observer = {on_event, NULL}};
///     static mete_violations_t violations;
///     (void)mete_violations_init(&violations, &config);
///
///     void on_fault(const uint32_t *frame, uint32_t exc_return)  // In the kernel; see port/cpu/cortex_m_violation.h.
///     {
///         const mete_violation_t what = mete_cortex_m_violation(frame, exc_return);
///         const mete_violations_task_t who = {task->name, &task->plan, mete_stacks_guard(&stacks, task->stack)};
///         switch (mete_violations_handle(&violations, &what, &who)) {
///         case METE_VIOLATIONS_KILL: end(task); break;
///         case METE_VIOLATIONS_RETRY: break;
///         default: mete_port_on_fault();
///         }
///     }
///
/// The verdict says why the access was stopped:
///
///   NULL      a data access or a fetch in the first METE_VIOLATIONS_NULL_SIZE bytes: through NULL, or a field of it.
///   OVERFLOW  the address is in the guard below the task's stack, or the processor could not use the stack.
///   DENIED    the task's plan does not allow it.
///   ALLOWED   the task's plan allows it: the hardware holds other regions, or there is no memory at that address.
///   UNKNOWN   the hardware does not know the address or the access, or the task has no plan.
///
/// The observer hears METE_EVENT_FAULT: of METE_FAULT_OVERFLOW, or METE_FAULT_ACCESS for all others; `block` is the address,
/// `caller` the pc, `source` the mete_violations_t. mete_audit_as_observer(), mete_postmortem_as_observer() and
/// mete_health_as_observer() listen to that.
///
///   Time     handle: O(log(regions of the map)) + O(regions of the plan). docs/costs.md: instructions.
///   Space    One mete_violations_t.
///   Threads  handle is called in the handler of the fault, of which there is one at a time. The others: as the caller sees
///            to it.
///   Errors   Nothing here faults, for it is called by fault handlers; but a map that was overwritten is reported as
///            mete_map_find() says. An access that is none, METE_VIOLATION_NONE, is the caller's to deal with: STOP.

#include "mete/core/observe.h"
#include "mete/core/span.h"
#include "mete/core/violation.h"
#include "mete/protect/map.h"
#include "mete/protect/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/// So many bytes from address 0 are taken for what a NULL pointer leads to.
#define METE_VIOLATIONS_NULL_SIZE 256U

/// Why an access was stopped.
typedef enum mete_violations_verdict {
    METE_VIOLATIONS_UNKNOWN = 0,
    METE_VIOLATIONS_NULL,
    METE_VIOLATIONS_OVERFLOW,
    METE_VIOLATIONS_DENIED,
    METE_VIOLATIONS_ALLOWED
} mete_violations_verdict_t;

/// What is to be done.
typedef enum mete_violations_action {
    METE_VIOLATIONS_STOP = 0,  ///< Nobody can go on: it was the kernel itself, or no violation.
    METE_VIOLATIONS_KILL,      ///< The task ends; the others go on.
    METE_VIOLATIONS_RETRY  ///< The program's handler has mended the cause: the instruction is executed again.
} mete_violations_action_t;

/// Who tried, as far as the caller knows.
typedef struct mete_violations_task {
    const char *name;         ///< For people. NULL: unknown.
    const mete_plan_t *plan;  ///< What it may do. NULL: unknown.
    mete_span_t stack_guard;  ///< What lies below its stack and is nobody's. Size 0: there is none.
} mete_violations_task_t;

/// A violation and what was made of it.
typedef struct mete_violations_report {
    mete_violation_t what;
    mete_violations_task_t who;
    const mete_map_region_t *region;  ///< Where the address lies; NULL: nobody's, or unknown.
    mete_violations_verdict_t verdict;
} mete_violations_report_t;

/// It must outlive the module; const is best. All of it may be zero.
typedef struct mete_violations_config {
    const mete_map_t *map;  ///< Says whose memory it was. NULL: nobody knows.
    mete_observer_t observer;
    /// The program's own handler, called in that of the fault, after the observer. NULL: unprivileged code is killed; for
    /// privileged code everything stops.
    mete_violations_action_t (*decide)(void *self, const mete_violations_report_t *report);
    void *self;
} mete_violations_config_t;

/// The fields are here so that it can be static.
typedef struct mete_violations {
    const mete_violations_config_t *config;
    size_t count;
    mete_violations_report_t last;
} mete_violations_t;

/// Starts with none. Returns false, changing nothing, without a config.
bool mete_violations_init(mete_violations_t *violations, const mete_violations_config_t *config);

/// Judges, tells and decides. `who` NULL: nobody knows. METE_VIOLATION_NONE: STOP, and it is neither counted nor told.
mete_violations_action_t mete_violations_handle(mete_violations_t *violations,
                                                const mete_violation_t *what,
                                                const mete_violations_task_t *who);

/// The last one, or NULL.
const mete_violations_report_t *mete_violations_last(const mete_violations_t *violations);

/// How many there were. Wraps.
size_t mete_violations_count(const mete_violations_t *violations);

#ifdef __cplusplus
}
#endif
#endif

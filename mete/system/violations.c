// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/violations.h"

static bool lies_in(mete_span_t span, uintptr_t address)
{
    return address - (uintptr_t)span.start < span.size;  // One bound serves both ends.
}

static mete_violations_verdict_t judge(const mete_violation_t *what,
                                       const mete_violations_task_t *who, bool knows_address)
{
    if (what->kind == METE_VIOLATION_STACK) {
        return METE_VIOLATIONS_OVERFLOW;
    }
    if (!knows_address) {
        return METE_VIOLATIONS_UNKNOWN;
    }
    if (lies_in(who->stack_guard, what->address)) {
        return METE_VIOLATIONS_OVERFLOW;
    }
    if (what->address < METE_VIOLATIONS_NULL_SIZE) {
        return METE_VIOLATIONS_NULL;
    }
    if ((who->plan == NULL) || !mete_violation_knows(what, METE_VIOLATION_KNOWS_ACCESS)) {
        return METE_VIOLATIONS_UNKNOWN;
    }
    const bool is_allowed =
        mete_plan_allows(who->plan, what->address, 1U, what->access, what->privilege);
    return is_allowed ? METE_VIOLATIONS_ALLOWED : METE_VIOLATIONS_DENIED;
}

static void tell(const mete_violations_t *violations, mete_observer_t observer)
{
    const mete_violations_report_t *const report = &violations->last;
    const bool is_overflow = report->verdict == METE_VIOLATIONS_OVERFLOW;
    const mete_event_t event = {METE_EVENT_FAULT, violations, (const void *)report->what.address,
                                is_overflow ? METE_FAULT_OVERFLOW : METE_FAULT_ACCESS,
                                (const void *)report->what.pc};
    mete_observe(observer, &event);
}

static mete_violations_action_t decide(const mete_violations_t *violations,
                                       const mete_violations_config_t *config)
{
    if (config->decide != NULL) {
        return config->decide(config->self, &violations->last);
    }
    return (violations->last.what.privilege == METE_UNPRIVILEGED) ? METE_VIOLATIONS_KILL
                                                                  : METE_VIOLATIONS_STOP;
}

// Field by field: the assignment of a whole struct may become a call to memcpy(), which is libc. The two do not overlap,
// as `restrict` says, so that a compiler may move several fields at once.
static void keep_what(mete_violation_t *restrict kept, const mete_violation_t *restrict what)
{
    kept->kind = what->kind;
    kept->known = what->known;
    kept->access = what->access;
    kept->privilege = what->privilege;
    kept->address = what->address;
    kept->pc = what->pc;
    kept->cause = what->cause;
}

static void keep_who(mete_violations_task_t *restrict kept,
                     const mete_violations_task_t *restrict who)
{
    kept->name = who->name;
    kept->plan = who->plan;
    kept->stack_guard.start = who->stack_guard.start;
    kept->stack_guard.size = who->stack_guard.size;
}

bool mete_violations_init(mete_violations_t *violations, const mete_violations_config_t *config)
{
    if (config == NULL) {
        return false;
    }
    violations->config = config;
    violations->count = 0U;
    return true;
}

mete_violations_action_t mete_violations_handle(mete_violations_t *violations,
                                                const mete_violation_t *what,
                                                const mete_violations_task_t *who)
{
    static const mete_violations_task_t nobody = {NULL, NULL, {NULL, 0U}};
    if (what->kind == METE_VIOLATION_NONE) {
        return METE_VIOLATIONS_STOP;
    }
    const mete_violations_config_t *const config = violations->config;
    const bool knows_address = mete_violation_knows(what, METE_VIOLATION_KNOWS_ADDRESS);
    mete_violations_report_t *const last = &violations->last;
    keep_what(&last->what, what);
    keep_who(&last->who, (who != NULL) ? who : &nobody);
    last->verdict = judge(&last->what, &last->who, knows_address);
    last->region = (knows_address && (config->map != NULL))
                       ? mete_map_find(config->map, last->what.address)
                       : NULL;
    violations->count++;
    tell(violations, config->observer);
    return decide(violations, config);
}

const mete_violations_report_t *mete_violations_last(const mete_violations_t *violations)
{
    return (violations->count != 0U) ? &violations->last : NULL;
}

size_t mete_violations_count(const mete_violations_t *violations)
{
    return violations->count;
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/violations.h"

static bool lies_in(mete_span_t span, uintptr_t address)
{
    return address - (uintptr_t)span.start < span.size;  // One bound serves both ends.
}

static mete_violations_verdict_t judge(const mete_violation_t *what,
                                       const mete_violations_task_t *who)
{
    const bool knows_address = mete_violation_knows(what, METE_VIOLATION_KNOWS_ADDRESS);
    if ((what->kind == METE_VIOLATION_STACK) ||
        (knows_address && lies_in(who->stack_guard, what->address))) {
        return METE_VIOLATIONS_OVERFLOW;
    }
    if (knows_address && (what->address < METE_VIOLATIONS_NULL_SIZE)) {
        return METE_VIOLATIONS_NULL;
    }
    if ((who->plan == NULL) || !knows_address ||
        !mete_violation_knows(what, METE_VIOLATION_KNOWS_ACCESS)) {
        return METE_VIOLATIONS_UNKNOWN;
    }
    const bool is_allowed =
        mete_plan_allows(who->plan, what->address, 1U, what->access, what->privilege);
    return is_allowed ? METE_VIOLATIONS_ALLOWED : METE_VIOLATIONS_DENIED;
}

static const mete_map_region_t *region_of(const mete_map_t *map, const mete_violation_t *what)
{
    const bool can_tell = (map != NULL) && mete_violation_knows(what, METE_VIOLATION_KNOWS_ADDRESS);
    return can_tell ? mete_map_find(map, what->address) : NULL;
}

static void tell(const mete_violations_t *violations)
{
    const mete_violations_report_t *const report = &violations->last;
    const bool is_overflow = report->verdict == METE_VIOLATIONS_OVERFLOW;
    const mete_event_t event = {METE_EVENT_FAULT, violations, (const void *)report->what.address,
                                is_overflow ? METE_FAULT_OVERFLOW : METE_FAULT_ACCESS,
                                (const void *)report->what.pc};
    mete_observe(violations->config->observer, &event);
}

static mete_violations_action_t decide(const mete_violations_t *violations)
{
    const mete_violations_config_t *const config = violations->config;
    if (config->decide != NULL) {
        return config->decide(config->self, &violations->last);
    }
    return (violations->last.what.privilege == METE_UNPRIVILEGED) ? METE_VIOLATIONS_KILL
                                                                  : METE_VIOLATIONS_STOP;
}

// Field by field: the assignment of a whole struct may become a call to memcpy(), which is libc.
static void keep_what(mete_violation_t *kept, const mete_violation_t *what)
{
    kept->kind = what->kind;
    kept->known = what->known;
    kept->access = what->access;
    kept->privilege = what->privilege;
    kept->address = what->address;
    kept->pc = what->pc;
    kept->cause = what->cause;
}

static void keep_who(mete_violations_task_t *kept, const mete_violations_task_t *who)
{
    kept->name = (who != NULL) ? who->name : NULL;
    kept->plan = (who != NULL) ? who->plan : NULL;
    kept->stack_guard.start = (who != NULL) ? who->stack_guard.start : NULL;
    kept->stack_guard.size = (who != NULL) ? who->stack_guard.size : 0U;
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
    if (what->kind == METE_VIOLATION_NONE) {
        return METE_VIOLATIONS_STOP;
    }
    mete_violations_report_t *const last = &violations->last;
    keep_what(&last->what, what);
    keep_who(&last->who, who);
    last->region = region_of(violations->config->map, what);
    last->verdict = judge(what, &last->who);
    violations->count++;
    tell(violations);
    return decide(violations);
}

const mete_violations_report_t *mete_violations_last(const mete_violations_t *violations)
{
    return (violations->count != 0U) ? &violations->last : NULL;
}

size_t mete_violations_count(const mete_violations_t *violations)
{
    return violations->count;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One word counts down the calls until the next judgement, and that is all a call costs in between: it is
// passed on by a jump. While somebody is refused the word stays 0, so that every request comes by.
//
// While a judgement is made the word is as high as it can be: what actions do with the view is passed on.

#include "mete/system/health.h"

#include "mete/core/pass.h"

enum { INTERVAL_DEFAULT = 16, WINDOW_DEFAULT = 64 };

static const mete_health_rule_t default_rules[] = {
    {METE_HEALTH_USAGE, 900U, 850U, METE_HEALTH_WARN, 0U},
    {METE_HEALTH_FRAGMENTATION, 300U, 250U, METE_HEALTH_COMPACT, 0U},
};

enum { DEFAULT_RULE_COUNT = sizeof default_rules / sizeof default_rules[0] };

// ---- Values

// part * 1000 / whole, rounded up, at most UINT16_MAX; 0 if there is no part.
static uint16_t permille_of(size_t part, size_t whole)
{
    if (part == 0U) {
        return 0U;
    }
    // Multiply first, unless that overflows: then a thousandth of the whole is exact enough.
    const bool is_small = part <= SIZE_MAX / 1000U;
    const size_t share = is_small ? part * 1000U : part;
    const size_t unit = is_small ? whole : whole / 1000U;
    const size_t permille =
        (unit != 0U) ? share / unit + ((share % unit != 0U) ? 1U : 0U) : SIZE_MAX;
    return (uint16_t)((permille < UINT16_MAX) ? permille : UINT16_MAX);
}

static size_t free_size_of(const mete_health_usage_t *usage)
{
    return (usage->total_size > usage->in_use_size) ? usage->total_size - usage->in_use_size : 0U;
}

static uint16_t usage_permille(const mete_health_usage_t *usage)
{
    const uint16_t permille = permille_of(usage->in_use_size, usage->total_size);
    return (usage->total_size == 0U) ? 0U : permille;
}

// Rounded down: the share of the largest block is rounded up.
static uint16_t fragmentation_permille(const mete_health_usage_t *usage)
{
    const size_t free_size = free_size_of(usage);
    if (usage->largest_free_size == SIZE_MAX) {
        return usage->frag_permille;
    }
    const uint16_t largest = permille_of(usage->largest_free_size, free_size);
    return ((free_size == 0U) || (largest >= 1000U)) ? 0U : (uint16_t)(1000U - largest);
}

// At most so much is in the largest free block.
static size_t largest_of(const mete_health_usage_t *usage)
{
    if ((usage->largest_free_size != SIZE_MAX) || (usage->frag_permille > 1000U)) {
        return usage->largest_free_size;
    }
    const size_t free_size = free_size_of(usage);
    const size_t share = 1000U - usage->frag_permille;
    const size_t rest = free_size % 1000U;
    return (free_size / 1000U) * share + (rest * share + 999U) / 1000U;
}

static uint16_t room_permille(const mete_health_t *health)
{
    const mete_health_usage_t *const usage = &health->usage;
    const bool is_known = (usage->total_size != 0U) || (usage->largest_free_size != SIZE_MAX);
    return is_known ? permille_of(health->config->request_size, largest_of(usage)) : 0U;
}

static size_t window_of(const mete_health_t *health)
{
    const size_t count = health->config->window_count;
    return (count != 0U) ? count : WINDOW_DEFAULT;
}

// The worse of the last window and this one, of which it is assumed that nothing more will be refused.
static uint16_t failures_permille(const mete_health_t *health)
{
    const size_t requests = health->usage.requests - health->window_requests;
    const size_t refusals = health->usage.refusals - health->window_refusals;
    const size_t window = window_of(health);
    const uint16_t now = permille_of(refusals, (requests > window) ? requests : window);
    return (now > health->failure_permille) ? now : health->failure_permille;
}

uint16_t mete_health_permille(const mete_health_t *health, mete_health_measure_t measure)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    switch (measure) {
    case METE_HEALTH_USAGE:
        return usage_permille(&health->usage);
    case METE_HEALTH_FRAGMENTATION:
        return fragmentation_permille(&health->usage);
    case METE_HEALTH_ROOM:
        return room_permille(health);
    case METE_HEALTH_FAULTS:
        return health->fault_permille;
    case METE_HEALTH_FAILURES:
    default:
        return failures_permille(health);
    }
}

// ---- Judging

static void look(mete_health_t *health)
{
    mete_health_usage_t *const usage = &health->usage;
    usage->total_size = 0U;
    usage->in_use_size = 0U;
    usage->largest_free_size = SIZE_MAX;
    usage->frag_permille = 0U;
    usage->requests = 0U;
    usage->refusals = 0U;
    for (size_t i = 0U; i < health->source_count; i++) {
        health->sources[i].read(health->sources[i].self, usage);
    }
}

// Closes the window when it is full.
static void turn_window(mete_health_t *health)
{
    const size_t requests = health->usage.requests - health->window_requests;
    if (requests >= window_of(health)) {
        const size_t refusals = health->usage.refusals - health->window_refusals;
        health->failure_permille = permille_of(refusals, requests);
        health->window_requests = health->usage.requests;
        health->window_refusals = health->usage.refusals;
    }
}

// Faults are heard at any time: what is counted behind the one look at it is for the next judgement.
static void count_faults(mete_health_t *health)
{
    const size_t count = health->fault_count;
    health->fault_permille = (count != health->faults_judged) ? 1000U : 0U;
    health->faults_judged = count;
}

static void tell(const mete_health_t *health, mete_event_kind_t kind, const void *what, size_t size,
                 const void *caller)
{
    const mete_event_t event = {kind, health, what, size, caller};
    mete_observe(health->config->observer, &event);
}

// True if it did something.
static bool run(const mete_health_action_t *action, const mete_health_rule_t *rule)
{
    return (action->run != NULL) && action->run(action->self, rule);
}

static bool act(const mete_health_t *health, const mete_health_rule_t *rule)
{
    const mete_health_config_t *const config = health->config;
    switch (rule->act) {
    case METE_HEALTH_COMPACT:
        return run(&config->compact, rule);
    case METE_HEALTH_PURGE:
        return run(&config->purge, rule);
    case METE_HEALTH_CALL:
        return run(&config->call, rule);
    case METE_HEALTH_WARN:
    case METE_HEALTH_REFUSE:
    default:
        return false;
    }
}

// Whether the rule is raised now. Tells if that is new.
static bool compare(mete_health_t *health, size_t index)
{
    const mete_health_rule_t *const rule = &health->rules[index];
    const uint32_t bit = (uint32_t)1U << index;
    const bool was_raised = (health->raised & bit) != 0U;
    const uint16_t value = mete_health_permille(health, rule->measure);
    const bool is_raised = value >= (was_raised ? rule->clear_permille : rule->raise_permille);
    if (is_raised != was_raised) {
        health->raised ^= bit;
        health->working = is_raised ? health->working | bit : health->working & ~bit;
        tell(health, is_raised ? METE_EVENT_THRESHOLD : METE_EVENT_RELIEF, rule, value, NULL);
    }
    return is_raised;
}

static void judge_rule(mete_health_t *health, size_t index)
{
    const uint32_t bit = (uint32_t)1U << index;
    if (!compare(health, index) || ((health->working & bit) == 0U)) {
        return;
    }
    if (act(health, &health->rules[index])) {
        look(health);
    } else {
        health->working &= ~bit;
    }
}

// The most that a raised rule demands.
static uint32_t refuse_below_of(const mete_health_t *health)
{
    uint32_t below = 0U;
    for (size_t i = 0U; i < health->rule_count; i++) {
        const mete_health_rule_t *const rule = &health->rules[i];
        const bool refuses = (rule->act == METE_HEALTH_REFUSE) && mete_health_is_raised(health, i);
        below = (refuses && (rule->refuse_below > below)) ? rule->refuse_below : below;
    }
    return below;
}

static size_t calls_until_next(const mete_health_t *health)
{
    const size_t interval = health->config->interval;
    return (health->refuse_below != 0U) ? 0U
                                        : ((interval != 0U) ? interval : INTERVAL_DEFAULT) - 1U;
}

void mete_health_judge(mete_health_t *health)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    if (health->is_judging) {
        return;
    }
    health->is_judging = true;
    health->calls_left = SIZE_MAX;
    look(health);
    turn_window(health);
    count_faults(health);
    for (size_t i = 0U; i < health->rule_count; i++) {
        judge_rule(health, i);
    }
    health->refuse_below = refuse_below_of(health);
    health->calls_left = calls_until_next(health);
    health->is_judging = false;
    METE_ASSERT(mete_health_check(health));
}

bool mete_health_relieve(void *self, size_t size)
{
    mete_health_t *const health = (mete_health_t *)self;
    METE_ASSERT((health != NULL) && (health->config != NULL));
    (void)size;
    if (health->is_judging) {
        return false;
    }
    const size_t calls_left = health->calls_left;
    health->is_judging = true;
    health->calls_left = SIZE_MAX;
    const bool has_purged = run(&health->config->purge, NULL);
    const bool has_compacted = run(&health->config->compact, NULL);
    health->calls_left = calls_left;
    health->is_judging = false;
    return has_purged || has_compacted;
}

// ---- Calls

static bool is_refused(mete_health_t *health, size_t size, const void *caller)
{
    const mete_health_config_t *const config = health->config;
    if ((health->refuse_below == 0U) ||
        (config->priority(config->priority_self) >= health->refuse_below)) {
        return false;
    }
    health->refusals++;
    tell(health, METE_EVENT_REFUSE, NULL, size, caller);
    return true;
}

__attribute__((noinline)) static void *acquire_and_judge(mete_health_t *health, size_t size,
                                                         size_t align, const void *caller)
{
    void *const block = is_refused(health, size, caller)
                            ? NULL
                            : health->inner.ops->acquire(health->inner.self, size, align);
    mete_health_judge(health);
    return block;
}

__attribute__((noinline)) static void release_and_judge(mete_health_t *health, void *block,
                                                        size_t size, size_t align)
{
    health->inner.ops->release(health->inner.self, block, size, align);
    mete_health_judge(health);
}

static void *acquire(void *self, size_t size, size_t align)
{
    mete_health_t *const health = (mete_health_t *)self;
    if (METE_LIKELY(health->calls_left != 0U)) {
        health->calls_left--;
        return health->inner.ops->acquire(health->inner.self, size, align);
    }
    return acquire_and_judge(health, size, align, METE_CALLER());
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_health_t *const health = (mete_health_t *)self;
    if (METE_LIKELY(health->calls_left != 0U)) {
        health->calls_left--;
        health->inner.ops->release(health->inner.self, block, size, align);
        return;
    }
    release_and_judge(health, block, size, align);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_health_t *const health = (mete_health_t *)self;
    if (METE_LIKELY(health->calls_left != 0U)) {
        health->calls_left--;
        return health->inner.ops->resize(health->inner.self, block, old_size, new_size, align);
    }
    const bool is_refused_growth =
        (new_size > old_size) && is_refused(health, new_size, METE_CALLER());
    const bool is_done = !is_refused_growth && health->inner.ops->resize(health->inner.self, block,
                                                                         old_size, new_size, align);
    mete_health_judge(health);
    return is_done;
}

// ---- Public functions

static bool is_legal_rule(const mete_health_rule_t *rule, const mete_health_config_t *config)
{
    const bool has_limits =
        (rule->clear_permille != 0U) && (rule->clear_permille <= rule->raise_permille);
    const bool is_known = ((unsigned)rule->measure <= (unsigned)METE_HEALTH_FAULTS) &&
                          ((unsigned)rule->act <= (unsigned)METE_HEALTH_CALL);
    return has_limits && is_known &&
           ((rule->measure != METE_HEALTH_ROOM) || (config->request_size != 0U)) &&
           ((rule->act != METE_HEALTH_REFUSE) || (config->priority != NULL));
}

static bool is_legal(const mete_health_config_t *config)
{
    if (config->rule_count > ((config->rules != NULL) ? METE_HEALTH_RULE_COUNT_MAX : 0U)) {
        return false;
    }
    for (size_t i = 0U; i < config->rule_count; i++) {
        if (!is_legal_rule(&config->rules[i], config)) {
            return false;
        }
    }
    return true;
}

bool mete_health_init(mete_health_t *health, mete_alloc_t inner,
                      const mete_health_source_t *sources, size_t source_count,
                      const mete_health_config_t *config)
{
    METE_ASSERT(health != NULL);
    if ((inner.ops == NULL) || (sources == NULL) || (source_count == 0U) || (config == NULL) ||
        !is_legal(config)) {
        return false;
    }
    mete_words_fill(health, 0U, sizeof *health);
    health->inner.ops = inner.ops;
    health->inner.self = inner.self;
    health->config = config;
    health->sources = sources;
    health->source_count = source_count;
    health->rules = (config->rules != NULL) ? config->rules : default_rules;
    health->rule_count = (config->rules != NULL) ? config->rule_count : DEFAULT_RULE_COUNT;
    look(health);
    health->window_requests = health->usage.requests;
    health->window_refusals = health->usage.refusals;
    health->calls_left = calls_until_next(health);
    return true;
}

mete_health_usage_t mete_health_usage(const mete_health_t *health)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    const mete_health_usage_t *const last = &health->usage;
    const mete_health_usage_t usage = {last->total_size,        last->in_use_size,
                                       last->largest_free_size, last->frag_permille,
                                       last->requests,          last->refusals};
    return usage;
}

bool mete_health_is_raised(const mete_health_t *health, size_t rule_index)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    return (rule_index < health->rule_count) && (((health->raised >> rule_index) & 1U) != 0U);
}

size_t mete_health_refusals(const mete_health_t *health)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    return health->refusals;
}

bool mete_health_check(const mete_health_t *health)
{
    METE_ASSERT((health != NULL) && (health->config != NULL));
    const size_t rule_count = health->rule_count;
    const bool is_full = rule_count == METE_HEALTH_RULE_COUNT_MAX;
    return (is_full || ((rule_count < METE_HEALTH_RULE_COUNT_MAX) &&
                        ((health->raised >> rule_count) == 0U))) &&
           ((health->working & ~health->raised) == 0U) &&
           (health->refuse_below == refuse_below_of(health)) &&
           ((health->refuse_below == 0U) || health->is_judging || (health->calls_left == 0U));
}

static void on_event(void *self, const mete_event_t *event)
{
    mete_health_t *const health = (mete_health_t *)self;
    if (event->kind == METE_EVENT_FAULT) {
        health->fault_count = health->fault_count + 1U;
    }
}

mete_observer_t mete_health_as_observer(mete_health_t *health)
{
    METE_ASSERT(health != NULL);
    const mete_observer_t observer = {on_event, health};
    return observer;
}

mete_alloc_t mete_health_as_alloc(mete_health_t *health)
{
    static const mete_alloc_ops_t tables[METE_PASS_TABLE_COUNT] =
        METE_PASS_TABLES(acquire, release, resize, mete_pass_owns, mete_pass_size_of);
    METE_ASSERT((health != NULL) && (health->inner.ops != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(health->inner)], health};
    return view;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_HEALTH_H
#define METE_HEALTH_H

/// Health: notices that memory gets scarce before it is out, and does something about it.
///
/// It looks at numbers that an allocator has in O(1), compares them with thresholds, and acts: warns,
/// compacts, purges caches, refuses requests of low priority, or calls a function of the program's. It looks
/// after every so many calls that pass it, or whenever mete_health_judge() is called, from a timer say.
///
///     static const mete_health_source_t sources[] = {{mete_health_read_heap, &app_heap}};
///     static const mete_health_config_t config = {.observer = {on_event, NULL}};  // Or all zeros.
///     (void)mete_health_init(&health, mete_heap_as_alloc(app_heap), sources, 1, &config);
///     const mete_alloc_t alloc = mete_health_as_alloc(&health);
///
/// By default use of 90 % warns and fragmentation of 30 % compacts. A threshold is raised at one value and
/// cleared below another, lower one: so what goes to and fro between the two is told once. Fragmentation is
/// judged by the lower end of what it can be: it is never an exaggeration, and one free block is 0 %.
///
///   Time     A few instructions a call. A judgement: what the sources take to be read (those of
///            mete/system/health_sources.h say), and O(rules); once more for each action that did something.
///   Space    One mete_health_t. Nothing a block.
///   Align    As the allocator behind.
///   Threads  Not synchronised. Calls must exclude each other, judge included: put mete/wrap/lock.h in
///            front, and take that lock to judge from a timer. What is read must not change meanwhile. But the
///            observer may be called in the middle of all of these, by a fault handler.
///   Errors   As the allocator behind. What is refused for its priority is counted and observed.
///
/// Actions may use the view: they are neither judged nor refused.

#include "mete/core/alloc.h"
#include "mete/core/observe.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_HEALTH_RULE_COUNT_MAX 32U

/// What sources say: any part of it. What none of them says is unknown, and no rule about it is ever raised.
typedef struct {
    size_t total_size;         ///< Bytes that blocks can occupy; 0: unknown.
    size_t in_use_size;        ///< Bytes in blocks handed out.
    size_t largest_free_size;  ///< Bytes in the largest free block; SIZE_MAX: unknown.
    uint16_t
        frag_permille;  ///< Fragmentation of the free memory: at least this. Of no effect if the
                        ///< largest free block is known.
    size_t requests;    ///< Ever made, refused ones included; 0: unknown. May wrap.
    size_t refusals;    ///< Of these. May wrap.
} mete_health_usage_t;

/// Where numbers come from: `read` writes those it knows over what is there.
typedef struct mete_health_source {
    void (*read)(const void *self, mete_health_usage_t *usage);
    const void *self;
} mete_health_source_t;

/// What a rule is about: a value in thousandths, the higher the worse.
typedef enum mete_health_measure {
    METE_HEALTH_USAGE,          ///< In use, of all memory.
    METE_HEALTH_FRAGMENTATION,  ///< At least so much of the free memory is not in its largest block.
    METE_HEALTH_ROOM,  ///< The largest request that the config declares, of the largest free block, which
                       ///< is at most so large. Above 1000 such a request will be refused.
    METE_HEALTH_FAILURES,  ///< Refused requests, of those of the last window.
    METE_HEALTH_FAULTS  ///< 1000 if a fault was heard between the last judgement and the one before it, else 0.
} mete_health_measure_t;

/// What is done when a rule is raised. The observer hears of every one.
typedef enum mete_health_act {
    METE_HEALTH_WARN,     ///< Nothing else.
    METE_HEALTH_COMPACT,  ///< The config's `compact`.
    METE_HEALTH_PURGE,    ///< The config's `purge`.
    METE_HEALTH_REFUSE,  ///< Requests of a priority below `refuse_below`, growth included, are refused.
    METE_HEALTH_CALL  ///< The config's `call`.
} mete_health_act_t;

typedef struct mete_health_rule {
    mete_health_measure_t measure;
    uint16_t raise_permille;  ///< Raised at this value or more; not 0.
    uint16_t clear_permille;  ///< Cleared below this one; not 0 and not more than raise_permille.
    mete_health_act_t act;
    uint32_t refuse_below;  ///< For METE_HEALTH_REFUSE; else of no effect.
} mete_health_rule_t;

/// What can be done about a rule that was raised: true if it has freed or moved something. Then it is called
/// once more at the next judgement if the rule is still raised: so long work can be done in steps.
typedef struct mete_health_action {
    bool (*run)(void *self, const mete_health_rule_t *rule);
    void *self;
} mete_health_action_t;

/// It must outlive the module; const is best. All of it may be zero.
typedef struct mete_health_config {
    /// In order of priority. After an action that did something, memory is looked at again before the next
    /// rule is judged: so a rule that refuses need not be raised if one in front of it brought relief.
    const mete_health_rule_t
        *rules;         ///< NULL: usage 900, cleared at 850, warns; fragmentation 300, 250,
                        ///< compacts.
    size_t rule_count;  ///< Up to METE_HEALTH_RULE_COUNT_MAX.

    mete_health_action_t compact, purge, call;  ///< Without `run`: nothing is done but to warn.

    size_t interval;      ///< Calls from one judgement to the next; 1: after every call; 0: 16.
    size_t request_size;  ///< The largest request that must not fail; for METE_HEALTH_ROOM.
    size_t window_count;  ///< Requests in a window, for METE_HEALTH_FAILURES; 0: 64.

    /// The priority of who is asking, the higher the more important; for METE_HEALTH_REFUSE.
    uint32_t (*priority)(void *self);
    void *priority_self;

    /// Hears METE_EVENT_THRESHOLD and METE_EVENT_RELIEF: a rule, `block`, was raised or cleared, at the
    /// value `size`. And METE_EVENT_REFUSE of what was refused for its priority.
    mete_observer_t observer;
} mete_health_config_t;

/// The fields are here so that it can be static.
typedef struct mete_health {
    mete_alloc_t inner;
    size_t calls_left;  // Until the one behind which there is a judgement.
    const mete_health_config_t *config;
    const mete_health_source_t *sources;
    size_t source_count;
    const mete_health_rule_t *rules;
    size_t rule_count;
    uint32_t raised;        // Bit i: rule i.
    uint32_t working;       // Likewise: raised, and its action will be called again.
    uint32_t refuse_below;  // Of all rules that are raised; 0: nobody is refused.
    bool is_judging;
    uint16_t failure_permille;  // Of the last whole window.
    size_t window_requests;     // When this window began.
    size_t window_refusals;
    size_t refusals;
    volatile size_t fault_count;  // Heard; wraps. Only the observer writes it.
    size_t faults_judged;         // Of these: heard before the last judgement.
    uint16_t fault_permille;      // What that judgement found.
    mete_health_usage_t usage;
} mete_health_t;

/// Puts it in front of `inner`, with all rules cleared. The sources must outlive it. Returns false, changing
/// nothing, if the allocator, the config or all sources are missing, or if a rule breaks a limit stated above
/// or needs what the config lacks: a request_size, a priority.
bool mete_health_init(mete_health_t *health, mete_alloc_t inner,
                      const mete_health_source_t *sources, size_t source_count,
                      const mete_health_config_t *config);

/// Looks, compares and acts, now. Does nothing if called from an action.
void mete_health_judge(mete_health_t *health);

/// Makes room whatever the thresholds say: purges, then compacts. True if either did something. As the
/// on_refusal of a heap's config, with the mete_health_t, it lets the heap try once more. `size` is not used.
bool mete_health_relieve(void *self, size_t size);

/// What the sources said last.
mete_health_usage_t mete_health_usage(const mete_health_t *health);

/// The value of a measure then, in thousandths; METE_HEALTH_ROOM up to UINT16_MAX. 0 if it is unknown.
uint16_t mete_health_permille(const mete_health_t *health, mete_health_measure_t measure);

/// True if the rule with this index is raised.
bool mete_health_is_raised(const mete_health_t *health, size_t rule_index);

/// Requests that were refused for their priority.
size_t mete_health_refusals(const mete_health_t *health);

/// True if what is raised, refused and counted agrees with the rules. Changes nothing. O(rules).
bool mete_health_check(const mete_health_t *health);

/// A listener that takes down METE_EVENT_FAULT of any module for METE_HEALTH_FAULTS, for the config of
/// mete/system/violations.h say. It takes a few instructions and acts on nothing: the next judgement does. It must
/// not be called in the middle of itself.
mete_observer_t mete_health_as_observer(mete_health_t *health);

/// The allocator that is looked after. It can resize, and knows owns and size_of, if the one behind does.
mete_alloc_t mete_health_as_alloc(mete_health_t *health);

#ifdef __cplusplus
}
#endif
#endif

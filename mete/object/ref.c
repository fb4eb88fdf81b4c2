// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Both counts stand in one word. Its upper half says how many strong references there are beyond the
// first, so that "one at least, and not too many" is a single compare. Three values at its top are none:
//
//     SATURATED  As many as can be told: no call changes it any more.
//     DYING      The last one was dropped, and the cleanup has not returned.
//     DEAD       It has.
//
// The lower half counts the weak references, and one more for all strong ones together, which is given up
// when the cleanup has returned. So the memory is free when it is 0, whoever was last. All ones: saturated,
// as one less is once the object is dead.
// The word that is left in free memory, DEAD and 0, is that of no object: it is what tells a double free.
//
// Every change replaces the word that was judged: in one step, in the form for tasks, interrupts and cores,
// which is atomic_ref.c and includes this file; what differs is in the block below. There, what a thread
// did with an object is released when it drops its reference, and acquired by whoever finds that his was the
// last, or that nobody else holds any.

#ifndef METE_ATOMIC_REF_H
#include "mete/object/ref.h"
#define REF(name) mete_ref_##name
typedef mete_ref_t kind_t;

static inline size_t read(const size_t *word)
{
    return *word;
}

static inline size_t read_acquire(const size_t *word)
{
    return *word;
}

static inline void write_release(size_t *word, size_t value)
{
    *word = value;
}

static inline bool replace(size_t *word, size_t from, size_t to)
{
    (void)from;
    *word = to;
    return true;
}

static inline bool replace_release(size_t *word, size_t from, size_t to)
{
    return replace(word, from, to);
}

static inline void count(size_t *word, size_t value)
{
    *word += value;
}

static inline void wait(size_t *pauses)
{
    (void)pauses;
}

// Has two words loaded together, which is one instruction on cores that can.
#define READ_TOGETHER(kind, counts) __asm__("" : "+r"(kind), "+r"(counts))

// Level 3 looks at everything after every operation.
#define IS_SOUND(kind) ((METE_CHECK_LEVEL < 3) || mete_ref_check(kind))
#endif

enum { HALF_BITS = 4 * (int)sizeof(size_t) };

#define STRONG    ((size_t)1 << HALF_BITS)  // One strong reference, in the upper half.
#define DEAD      (SIZE_MAX - (STRONG - 1U))
#define DYING     (DEAD - STRONG)
#define SATURATED (DYING - STRONG)
#define WEAK_MAX  (STRONG - 1U)
#define ALONE     ((size_t)1)  // One strong reference, no weak one.

_Static_assert(sizeof(size_t) == sizeof(uintptr_t), "what is kept is a word as the counts are");
_Static_assert((SATURATED / STRONG) + 1U == METE_REF_COUNT_MAX, "the highest strong count");
_Static_assert(WEAK_MAX - 1U == METE_REF_COUNT_MAX, "the highest weak count");

// What is not an object, in the place of one that is kept.
enum { KEPT_NONE = 0, KEPT_CLAIMED = 1 };

// What became of a call. What is wrong is told by the public function.
typedef enum outcome { DONE, LAST, REFUSED, WRONG } outcome_t;

_Static_assert(sizeof(mete_ref_header_t) == sizeof(void *) + sizeof(size_t), "no gap");

// Both parts of a header are reached from the object, not from each other: that saves an instruction.
static inline const void **kind_of(const void *object)
{
    return (const void **)((uintptr_t)object - sizeof(mete_ref_header_t));
}

static inline size_t *counts_of(const void *object)
{
    return (size_t *)((uintptr_t)object - sizeof(size_t));
}

static inline bool is_of(const kind_t *kind, const void *object)
{
    return (METE_CHECK_LEVEL < 1) || (*kind_of(object) == kind);
}

static inline size_t weak_in(size_t counts)
{
    return counts & WEAK_MAX;
}

// The part of the weak count that stands for the strong references.
static inline size_t implied_in(size_t counts)
{
    return (counts < DEAD) ? 1U : 0U;
}

// No call changes the weak count any more. It counts one more while the object is alive.
static inline bool is_weak_full(size_t counts)
{
    return weak_in(counts) - implied_in(counts) >= METE_REF_COUNT_MAX;
}

static inline size_t block_size(const kind_t *kind)
{
    return kind->prefix_size + kind->config->object_size;
}

static inline size_t block_align(const mete_ref_config_t *config)
{
    return (config->align > _Alignof(mete_ref_header_t)) ? config->align
                                                         : _Alignof(mete_ref_header_t);
}

// Why a call was refused that expects a reference. At level 0 nothing is.
__attribute__((unused)) static mete_fault_t fault_of(const kind_t *kind, const void *object)
{
    return is_of(kind, object) ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
}

// ---- The counts

// One strong reference more, unless the object is dead.
static inline outcome_t add_strong(const kind_t *kind, const void *object)
{
    size_t pauses = 0U;
    for (;;) {  // Each repeat is another caller's progress.
        const void *owner = *kind_of(object);
        size_t counts = read(counts_of(object));
        READ_TOGETHER(owner, counts);
        const bool is_ours = (METE_CHECK_LEVEL < 1) || (owner == kind);
        if (!METE_LIKELY(is_ours && (counts < SATURATED))) {
            return (is_ours && (counts < DYING)) ? DONE : WRONG;
        }
        if (METE_LIKELY(replace(counts_of(object), counts, counts + STRONG))) {
            return DONE;
        }
        wait(&pauses);
    }
}

// What nearly every drop is: one strong reference less, it is not the last, and nobody comes in between.
// False, with nothing changed, if it is something else.
static inline bool is_taken(const kind_t *kind, const void *object)
{
    const void *owner = *kind_of(object);
    size_t counts = read(counts_of(object));
    READ_TOGETHER(owner, counts);
    return METE_LIKELY(((METE_CHECK_LEVEL < 1) || (owner == kind)) &&
                       (counts - STRONG < SATURATED - STRONG)) &&
           METE_LIKELY(replace_release(counts_of(object), counts, counts - STRONG));
}

// The last reference is the kind's own, which nobody drops: purge ends what is kept by another way. A place
// that somebody has claimed hides what stands in it.
static bool is_kept(const kind_t *kind, const void *object)
{
    bool is_found = false;
    for (size_t i = 0U; (i < kind->config->kept_count) && !is_found; i++) {
        is_found = read(&kind->config->kept[i]) == (uintptr_t)object;
    }
    return is_found;
}

// All that it can be. The last reference leaves the object DYING, for the caller to end.
static outcome_t take_strong(const kind_t *kind, const void *object)
{
    size_t pauses = 0U;
    for (;;) {  // Likewise.
        const size_t counts = read(counts_of(object));
        const bool is_last = counts < STRONG;
        const size_t less = is_last ? counts + DYING : counts - STRONG;
        if (!is_of(kind, object) || (counts >= DYING) ||
            ((METE_CHECK_LEVEL >= 1) && is_last && is_kept(kind, object))) {
            return WRONG;
        }
        if (counts >= SATURATED) {
            return DONE;
        }
        if (replace_release(counts_of(object), counts, less)) {
            return is_last ? LAST : DONE;
        }
        wait(&pauses);
    }
}

static inline outcome_t add_weak(const kind_t *kind, const void *object)
{
    size_t pauses = 0U;
    for (;;) {  // Likewise.
        const size_t counts = read(counts_of(object));
        if (!is_of(kind, object) || (weak_in(counts) == 0U)) {
            return WRONG;
        }
        if (is_weak_full(counts) || replace(counts_of(object), counts, counts + 1U)) {
            return DONE;
        }
        wait(&pauses);
    }
}

// One weak reference less. LAST: the memory is nobody's.
static inline outcome_t take_weak(const kind_t *kind, const void *object)
{
    size_t pauses = 0U;
    for (;;) {  // Likewise.
        const size_t counts = read(counts_of(object));
        if (!is_of(kind, object) || (weak_in(counts) <= implied_in(counts))) {
            return WRONG;
        }
        if (is_weak_full(counts)) {
            return DONE;
        }
        if (replace_release(counts_of(object), counts, counts - 1U)) {
            return (counts - 1U == DEAD) ? LAST : DONE;
        }
        wait(&pauses);
    }
}

// A dying object becomes a dead one, and the weak reference of all strong ones is given up with that.
static outcome_t become_dead(const void *object)
{
    size_t pauses = 0U;
    for (;;) {  // Likewise.
        const size_t counts = read(counts_of(object));
        const size_t then = counts + STRONG - 1U;
        if (replace_release(counts_of(object), counts, then)) {
            return (then == DEAD) ? LAST : DONE;
        }
        wait(&pauses);
    }
}

// ---- The end of an object

static void give_back(kind_t *kind, void *object)
{
    (void)read_acquire(counts_of(object));
    count(&kind->in_use, SIZE_MAX);
    kind->alloc.ops->release(kind->alloc.self, (unsigned char *)object - kind->prefix_size,
                             block_size(kind), block_align(kind->config));
}

// Returns the object whose reference is dropped next, or NULL.
static void *end(kind_t *kind, void *object)
{
    const mete_ref_config_t *const config = kind->config;
    void *next = NULL;
    (void)read_acquire(counts_of(object));
    if (config->cleanup != NULL) {
        next = config->cleanup(config->self, object);
    }
    if (become_dead(object) == LAST) {
        give_back(kind, object);
    }
    return next;
}

// Drops a reference, and then that which a cleanup returned, and so on. Returns what was wrong, or NULL.
static __attribute__((noinline)) const void *drop_all(kind_t *kind, void *object)
{
    while (object != NULL) {  // Once; and once more for each object that ended.
        const outcome_t outcome = take_strong(kind, object);
        if (outcome != LAST) {
            return (outcome == WRONG) ? object : NULL;
        }
        object = end(kind, object);
    }
    return NULL;
}

// ---- Objects that are kept. Who works on one has claimed its place: to all others it is occupied, by
// nothing that they could have. So an object is not ended while another looks at it.

static void *claim(uintptr_t *place)
{
    const uintptr_t object = read(place);
    if ((object <= KEPT_CLAIMED) || !replace(place, object, KEPT_CLAIMED)) {
        return NULL;
    }
    (void)read_acquire(place);
    return (void *)object;
}

// Replaces the counts of an object that nobody else holds, and sees what the last who did has done.
static bool replace_alone(void *object, size_t to)
{
    size_t *const counts = counts_of(object);
    const bool is_alone = (read(counts) == ALONE) && replace(counts, ALONE, to);
    if (is_alone) {
        (void)read_acquire(counts);
    }
    return is_alone;
}

// Hands out what is kept in a place. LAST: `object` is the caller's.
static outcome_t take_kept(const kind_t *kind, uintptr_t *place, void **object)
{
    *object = claim(place);
    if (*object == NULL) {
        return REFUSED;
    }
    const bool is_good = is_of(kind, *object);
    const bool is_alone = is_good && replace_alone(*object, ALONE + STRONG);
    write_release(place, (uintptr_t)*object);
    return is_alone ? LAST : (is_good ? REFUSED : WRONG);
}

// Ends what is kept in a place, if it is nobody else's.
static outcome_t drop_kept(kind_t *kind, uintptr_t *place, void **next)
{
    void *const object = claim(place);
    if (object == NULL) {
        return REFUSED;
    }
    const bool is_good = is_of(kind, object);
    const bool is_alone = is_good && replace_alone(object, ALONE + DYING);
    write_release(place, is_alone ? KEPT_NONE : (uintptr_t)object);
    if (is_alone) {
        *next = end(kind, object);
    }
    return is_alone ? LAST : (is_good ? REFUSED : WRONG);
}

// Finds a place for a new object, which then has a reference more.
static void keep(const kind_t *kind, void *object)
{
    *counts_of(object) = ALONE + STRONG;
    for (size_t i = 0U; i < kind->config->kept_count; i++) {
        uintptr_t *const place = &kind->config->kept[i];
        if ((read(place) == KEPT_NONE) && replace_release(place, KEPT_NONE, (uintptr_t)object)) {
            return;
        }
    }
    *counts_of(object) = ALONE;
}

// ---- Public functions

static bool is_legal(const mete_ref_config_t *config)
{
    return mete_align_is_legal(config->align) && (config->align <= SIZE_MAX / 8U) &&
           (config->object_size != 0U) && (config->object_size <= SIZE_MAX / 2U) &&
           ((config->kept == NULL) == (config->kept_count == 0U));
}

bool REF(init)(kind_t *kind, mete_alloc_t alloc, const mete_ref_config_t *config)
{
    METE_ASSERT(kind != NULL);
    if ((alloc.ops == NULL) || (config == NULL) || !is_legal(config)) {
        return false;
    }
    kind->alloc = alloc;
    kind->config = config;
    kind->prefix_size = mete_align_up(sizeof(mete_ref_header_t), config->align);
    kind->in_use = 0U;
    kind->refusals = 0U;
    for (size_t i = 0U; i < config->kept_count; i++) {
        config->kept[i] = KEPT_NONE;
    }
    METE_ASSERT(REF(check)(kind));
    return true;
}

void *REF(alloc)(kind_t *kind)
{
    METE_ASSERT((kind != NULL) && (kind->config != NULL));
    unsigned char *const block = (unsigned char *)kind->alloc.ops->acquire(
        kind->alloc.self, block_size(kind), block_align(kind->config));
    if (block == NULL) {
        count(&kind->refusals, 1U);
        return NULL;
    }
    void *const object = block + kind->prefix_size;
    *kind_of(object) = kind;
    *counts_of(object) = ALONE;
    count(&kind->in_use, 1U);
    METE_ASSERT(IS_SOUND(kind));
    return object;
}

void *REF(get)(kind_t *kind)
{
    METE_ASSERT((kind != NULL) && (kind->config != NULL));
    void *object = NULL;
    for (size_t i = 0U; i < kind->config->kept_count; i++) {
        const outcome_t outcome = take_kept(kind, &kind->config->kept[i], &object);
        if (outcome == WRONG) {
            METE_FAULT(METE_FAULT_CORRUPT, kind, object);
            return NULL;
        }
        if (outcome == LAST) {
            return object;
        }
    }
    object = REF(alloc)(kind);
    if (object != NULL) {
        keep(kind, object);
    }
    METE_ASSERT(IS_SOUND(kind));
    return object;
}

size_t REF(purge)(kind_t *kind)
{
    METE_ASSERT((kind != NULL) && (kind->config != NULL));
    size_t purged_count = 0U;
    for (size_t i = 0U; i < kind->config->kept_count; i++) {
        void *next = NULL;
        const outcome_t outcome = drop_kept(kind, &kind->config->kept[i], &next);
        if (outcome == WRONG) {
            METE_FAULT(METE_FAULT_CORRUPT, kind, (const void *)kind->config->kept[i]);
        }
        purged_count += (outcome == LAST) ? 1U : 0U;
        REF(drop)(kind, next);
    }
    METE_ASSERT(IS_SOUND(kind));
    return purged_count;
}

void REF(retain)(kind_t *kind, void *object)
{
    METE_ASSERT((kind != NULL) && (object != NULL));
    if (!METE_LIKELY(add_strong(kind, object) == DONE) && (METE_CHECK_LEVEL >= 1)) {
        METE_FAULT(fault_of(kind, object), kind, object);
    }
}

void REF(drop)(kind_t *kind, void *object)
{
    METE_ASSERT(kind != NULL);
    if (METE_LIKELY((object == NULL) || is_taken(kind, object))) {
        return;
    }
    const void *const wrong = drop_all(kind, object);
    if ((METE_CHECK_LEVEL >= 1) && (wrong != NULL)) {
        METE_FAULT(fault_of(kind, wrong), kind, wrong);
    }
    METE_ASSERT(IS_SOUND(kind));
}

void REF(retain_weak)(kind_t *kind, void *object)
{
    METE_ASSERT((kind != NULL) && (object != NULL));
    if ((add_weak(kind, object) == WRONG) && (METE_CHECK_LEVEL >= 1)) {
        METE_FAULT(fault_of(kind, object), kind, object);
    }
}

void REF(drop_weak)(kind_t *kind, void *object)
{
    METE_ASSERT(kind != NULL);
    if (object == NULL) {
        return;
    }
    const outcome_t outcome = take_weak(kind, object);
    if (outcome == LAST) {
        give_back(kind, object);
    } else if ((outcome == WRONG) && (METE_CHECK_LEVEL >= 1)) {
        METE_FAULT(fault_of(kind, object), kind, object);
    }
}

bool REF(upgrade)(kind_t *kind, void *object)
{
    METE_ASSERT((kind != NULL) && (object != NULL));
    if (add_strong(kind, object) == DONE) {
        return true;
    }
    const bool is_held = is_of(kind, object) && (weak_in(read(counts_of(object))) != 0U);
    if ((METE_CHECK_LEVEL >= 1) && !is_held) {
        METE_FAULT(fault_of(kind, object), kind, object);
    }
    return false;
}

mete_ref_counts_t REF(counts)(const kind_t *kind, const void *object)
{
    METE_ASSERT((kind != NULL) && (object != NULL));
    const size_t counts = is_of(kind, object) ? read_acquire(counts_of(object)) : DEAD;
    // Field by field: an initialiser may become a call to memset(), which is libc.
    mete_ref_counts_t result;
    result.strong = 0U;
    result.weak = 0U;
    if (weak_in(counts) != 0U) {
        result.strong = (counts < DYING) ? (counts / STRONG) + 1U : 0U;
        result.weak = weak_in(counts) - implied_in(counts);
    } else if (METE_CHECK_LEVEL >= 1) {
        METE_FAULT(fault_of(kind, object), kind, object);
    }
    return result;
}

// True if what stands in a place may stand there.
static bool is_kept_well(const kind_t *kind, uintptr_t kept)
{
    const void *const object = (const void *)kept;
    return (kept > KEPT_CLAIMED) && mete_align_fits(kept, kind->config->align) &&
           mete_align_fits(kept, _Alignof(mete_ref_header_t)) && (*kind_of(object) == kind) &&
           (*counts_of(object) < DYING) && (weak_in(*counts_of(object)) != 0U);
}

mete_ref_usage_t REF(usage)(const kind_t *kind)
{
    METE_ASSERT((kind != NULL) && (kind->config != NULL));
    mete_ref_usage_t usage = {read(&kind->in_use), 0U, read(&kind->refusals)};
    for (size_t i = 0U; i < kind->config->kept_count; i++) {
        usage.kept += (read(&kind->config->kept[i]) != KEPT_NONE) ? 1U : 0U;
    }
    return usage;
}

bool REF(check)(const kind_t *kind)
{
    METE_ASSERT(kind != NULL);
    const mete_ref_config_t *const config = kind->config;
    if ((config == NULL) || (kind->alloc.ops == NULL) || !is_legal(config) ||
        (kind->prefix_size != mete_align_up(sizeof(mete_ref_header_t), config->align))) {
        return false;
    }
    size_t kept_count = 0U;
    for (size_t i = 0U; i < config->kept_count; i++) {
        const uintptr_t kept = read(&config->kept[i]);
        kept_count += (kept != KEPT_NONE) ? 1U : 0U;
        if ((kept != KEPT_NONE) && !is_kept_well(kind, kept)) {
            return false;
        }
    }
    return kept_count <= kind->in_use;
}

// ---- The references, for others

static bool upgrade(void *self, void *object)
{
    return REF(upgrade)((kind_t *)self, object);
}

static void retain(void *self, void *object)
{
    REF(retain)((kind_t *)self, object);
}

static void drop(void *self, void *object)
{
    REF(drop)((kind_t *)self, object);
}

static void retain_weak(void *self, void *object)
{
    REF(retain_weak)((kind_t *)self, object);
}

static void drop_weak(void *self, void *object)
{
    REF(drop_weak)((kind_t *)self, object);
}

mete_shared_t REF(as_shared)(kind_t *kind)
{
    static const mete_shared_ops_t ops = {upgrade, retain, drop, retain_weak, drop_weak};
    const mete_shared_t shared = {&ops, kind};
    return shared;
}

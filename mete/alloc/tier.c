// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The fallback is an entry behind the classes, of unlimited size: so every request has a class, and the
// search for it needs no other end. Without a fallback, that entry's member has nothing and owns nothing.
//
// Whose block is this? Release names the size, and that names the class. As long as no block of the class
// was ever served elsewhere, only the class's own member can be meant, and nobody need be asked. So a
// class keeps two pointers, whom to release to: its member, or, once its blocks are scattered, us. It
// stays so: a count of those that are elsewhere would be wrong after a single misuse that a member refused.
//
// Peaks are brought up to date when blocks come back, for only then can the number in use have been at
// its highest: acquire need not compare.

#include "mete/alloc/tier.h"

#include "mete/core/bits.h"

// A copy that the compiler does not know to be one. A value that is handed to a call and needed behind it
// otherwise moves to the register that is kept and from there back to that of the argument.
#define KEPT(value) \
    __extension__({ \
        size_t kept = (value); \
        __asm__("" : "+r"(kept)); \
        kept; \
    })

static void release_scattered(void *self, void *block, size_t size, size_t align);

// ---- Classes

// From a class on, the first that is for this size.
static inline mete_tier_class_t *class_from(mete_tier_class_t *home, size_t size)
{
    while (size > home->size) {  // At most class_count times: the fallback's size is SIZE_MAX.
        home++;
    }
    return home;
}

static inline mete_tier_class_t *class_of(const mete_tier_t *tier, size_t size)
{
    if (size - 1U < tier->linear_max) {
        return &tier->classes[(size - 1U) >> tier->shift];
    }
    return class_from(tier->classes, size);
}

// ---- Owners

static inline bool is_scattered(const mete_tier_class_t *home)
{
    return home->release == release_scattered;
}

// A block for a request of `home` now lies with a member, or may lie with any.
static void place(mete_tier_class_t *home, const mete_tier_class_t *member)
{
    if (home != member) {
        home->release = release_scattered;
        home->release_self = home;
    }
}

static bool has(const mete_tier_class_t *member, const void *block)
{
    return (member->ops->owns != NULL) && member->ops->owns(member->self, block);
}

// The member that owns a block: the class's own is asked first. A fallback that cannot tell owns what no
// class does. NULL: nobody's.
static mete_tier_class_t *owner_of(mete_tier_class_t *home, const void *block)
{
    if (has(home, block)) {
        return home;
    }
    mete_tier_class_t *const fallback = home->tier->fallback;
    mete_tier_class_t *member = home->tier->classes;
    while ((member != fallback) && !has(member, block)) {  // At most class_count times.
        member++;
    }
    const bool is_found =
        (member != fallback) || (fallback->ops->owns == NULL) || has(fallback, block);
    return is_found ? member : NULL;
}

// ---- The fallback that there is not

static void *acquire_nothing(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

static bool owns_nothing(const void *self, const void *address)
{
    (void)self, (void)address;
    return false;
}

static const mete_alloc_ops_t nothing = {acquire_nothing, NULL, NULL, owns_nothing, NULL};

// ---- Acquire

// What `member` hands out for a request of `home`.
static void *take(mete_tier_class_t *home, mete_tier_class_t *member, size_t size, size_t align)
{
    void *const block = member->acquire(member->self, size, align);
    if (block != NULL) {
        member->acquires++;
        member->in_use++;
        member->guests++;
        place(home, member);
    }
    return block;
}

// The class's own member had none left: asks the larger classes within reach, then the fallback.
static void *acquire_elsewhere(mete_tier_class_t *home, size_t size, size_t align)
{
    mete_tier_class_t *const fallback = home->tier->fallback;
    size_t left = home->tier->config->reach;
    home->misses++;
    if (home == fallback) {
        return NULL;
    }
    void *block = NULL;
    mete_tier_class_t *member = home + 1;
    for (; (member != fallback) && (left != 0U) && (block == NULL); left--) {
        block = take(home, member, size, align);
        member++;
    }
    if (block != NULL) {
        home->spills++;
        return block;
    }
    block = take(home, fallback, size, align);
    home->fallbacks += (block != NULL) ? 1U : 0U;
    return block;
}

// Level 3 looks at everything after every operation.
static inline bool is_sound(const mete_tier_class_t *home)
{
    return (METE_CHECK_LEVEL < 3) || mete_tier_check(home->tier);
}

static inline void *acquire_from(mete_tier_class_t *home, size_t size, size_t align)
{
    const size_t kept_align = KEPT(align);
    const size_t kept_size = KEPT(size);
    void *block = home->acquire(home->self, size, align);
    if (METE_LIKELY(block != NULL)) {
        home->acquires++;
        home->in_use++;
    } else {
        block = acquire_elsewhere(home, kept_size, kept_align);
    }
    if (!is_sound(home)) {
        METE_FAULT(METE_FAULT_CORRUPT, home->tier, NULL);
    }
    return block;
}

// ---- Release

// Counts a block as given back to a member.
static inline void count_release(mete_tier_class_t *member)
{
    const size_t in_use = member->in_use;
    if (in_use > member->in_use_peak) {
        member->in_use_peak = in_use;
    }
    member->in_use = in_use - 1U;
}

// Counted already, as if the block lay with its class's own member.
static void release_scattered(void *self, void *block, size_t size, size_t align)
{
    mete_tier_class_t *const home = (mete_tier_class_t *)self;
    mete_tier_class_t *const owner = owner_of(home, block);
    if (owner != home) {
        home->in_use++;
    }
    if (owner == NULL) {
        METE_FAULT(METE_FAULT_FOREIGN, home->tier, block);
        return;
    }
    if (owner != home) {
        count_release(owner);
    }
    owner->ops->release(owner->self, block, size, align);
}

static inline void release_to(mete_tier_class_t *home, void *block, size_t size, size_t align)
{
    count_release(home);
    home->release(home->release_self, block, size, align);
    if (!is_sound(home)) {
        METE_FAULT(METE_FAULT_CORRUPT, home->tier, NULL);
    }
}

// ---- Public functions

// The first so many sizes are what the formula says.
static bool is_linear(const mete_tier_config_t *config)
{
    const size_t step = config->sizes[0];
    if (config->linear_count > config->class_count) {
        return false;
    }
    size_t i = 0U;
    while ((i < config->linear_count) && (config->sizes[i] == (i + 1U) * step)) {
        i++;
    }
    const bool is_power = mete_align_is_legal(step) && (step <= UINT32_MAX);
    return (i == config->linear_count) && ((i == 0U) || is_power);
}

static size_t shift_of(const mete_tier_config_t *config)
{
    return (config->linear_count != 0U) ? mete_bits_ctz((uint32_t)config->sizes[0]) : 0U;
}

static bool is_legal(const mete_tier_config_t *config)
{
    if ((config->sizes == NULL) || (config->classes == NULL) || (config->class_count == 0U) ||
        (config->sizes[0] == 0U)) {
        return false;
    }
    size_t i = 1U;
    while ((i < config->class_count) && (config->sizes[i] > config->sizes[i - 1U])) {
        i++;
    }
    return (i == config->class_count) && (config->sizes[i - 1U] != SIZE_MAX) && is_linear(config);
}

static bool are_all_able(const mete_alloc_t members[], size_t count)
{
    size_t i = 0U;
    while ((i < count) && (members[i].ops != NULL) && (members[i].ops->owns != NULL)) {
        i++;
    }
    return i == count;
}

static void init_class(mete_tier_t *tier, size_t index, mete_alloc_t member, size_t size)
{
    mete_tier_class_t *const home = &tier->classes[index];
    home->size = size;
    home->self = member.self;
    home->ops = member.ops;
    home->acquire = member.ops->acquire;
    home->tier = tier;
    home->acquires = 0U;
    home->in_use = 0U;
    home->in_use_peak = 0U;
    home->misses = 0U;
    home->spills = 0U;
    home->fallbacks = 0U;
    home->guests = 0U;
    home->release = member.ops->release;
    home->release_self = member.self;
}

bool mete_tier_init(mete_tier_t *tier, const mete_alloc_t members[], mete_alloc_t fallback,
                    const mete_tier_config_t *config)
{
    METE_ASSERT(tier != NULL);
    if ((members == NULL) || (config == NULL) || !is_legal(config) ||
        !are_all_able(members, config->class_count)) {
        return false;
    }
    tier->config = config;
    tier->classes = config->classes;
    tier->fallback = &config->classes[config->class_count];
    tier->linear_max = config->linear_count * config->sizes[0];
    tier->shift = shift_of(config);
    for (size_t i = 0U; i < config->class_count; i++) {
        init_class(tier, i, members[i], config->sizes[i]);
    }
    const mete_alloc_t nobody = {&nothing, tier};
    init_class(tier, config->class_count, (fallback.ops != NULL) ? fallback : nobody, SIZE_MAX);
    if (fallback.ops == NULL) {  // Nothing that comes back is of that size.
        place(tier->fallback, NULL);
    }
    METE_ASSERT(mete_tier_check(tier));
    return true;
}

// Blocks in use and the most there can be, as a thousandth. 1000 only if none is left; the whole is divided
// first where the product might not fit 32 bits.
static uint16_t permille_of(size_t part, size_t whole)
{
    if ((whole == 0U) || (part >= whole)) {
        return (whole == 0U) ? 0U : 1000U;
    }
    return (uint16_t)((whole < 4000000U) ? (part * 1000U) / whole : part / ((whole / 1000U) + 1U));
}

mete_tier_usage_t mete_tier_usage(const mete_tier_t *tier, size_t index)
{
    METE_ASSERT((tier != NULL) && (tier->config != NULL));
    static const mete_tier_class_t none;
    const mete_tier_config_t *const config = tier->config;
    const mete_tier_class_t *const home =
        (index <= config->class_count) ? &tier->classes[index] : &none;
    const bool has_count = (config->counts != NULL) && (index < config->class_count);
    const size_t in_use = home->in_use;
    mete_tier_usage_t usage;
    usage.size = home->size;
    usage.hits = home->acquires - home->guests;
    usage.misses = home->misses;
    usage.spills = home->spills;
    usage.fallbacks = home->fallbacks;
    usage.refusals = home->misses - home->spills - home->fallbacks;
    usage.guests = home->guests;
    usage.in_use = in_use;
    usage.in_use_peak = (in_use > home->in_use_peak) ? in_use : home->in_use_peak;
    usage.in_use_permille = permille_of(in_use, has_count ? config->counts[index] : 0U);
    return usage;
}

static bool is_class_sound(const mete_tier_t *tier, size_t index)
{
    const mete_tier_class_t *const home = &tier->classes[index];
    const bool is_last = index == tier->config->class_count;
    const bool is_direct =
        (home->release == home->ops->release) && (home->release_self == home->self);
    return (home->tier == tier) && (home->acquire == home->ops->acquire) &&
           (home->size == (is_last ? SIZE_MAX : tier->config->sizes[index])) &&
           (is_direct || (is_scattered(home) && (home->release_self == home)));
}

bool mete_tier_check(const mete_tier_t *tier)
{
    METE_ASSERT(tier != NULL);
    const mete_tier_config_t *const config = tier->config;
    if ((config == NULL) || (tier->classes != config->classes) ||
        (tier->fallback != &config->classes[config->class_count]) ||
        (tier->linear_max != config->linear_count * config->sizes[0]) ||
        (tier->shift != shift_of(config))) {
        return false;
    }
    size_t i = 0U;
    while ((i <= config->class_count) && is_class_sound(tier, i)) {
        i++;
    }
    return i > config->class_count;
}

// ---- The tier as an allocator. Without a formula its self are the classes: one load less.

static void *acquire_by_table(void *self, size_t size, size_t align)
{
    return acquire_from(class_from((mete_tier_class_t *)self, size), size, align);
}

static void *acquire_by_formula(void *self, size_t size, size_t align)
{
    return acquire_from(class_of((const mete_tier_t *)self, size), size, align);
}

static void release_by_table(void *self, void *block, size_t size, size_t align)
{
    release_to(class_from((mete_tier_class_t *)self, size), block, size, align);
}

static void release_by_formula(void *self, void *block, size_t size, size_t align)
{
    release_to(class_of((const mete_tier_t *)self, size), block, size, align);
}

static bool resize_in(mete_tier_class_t *home, void *block, size_t old_size, size_t new_size,
                      size_t align)
{
    mete_tier_class_t *const owner = is_scattered(home) ? owner_of(home, block) : home;
    if (owner == NULL) {
        METE_FAULT(METE_FAULT_FOREIGN, home->tier, block);
        return false;
    }
    if (owner->ops->resize == NULL) {
        return new_size == old_size;
    }
    if (!owner->ops->resize(owner->self, block, old_size, new_size, align)) {
        return false;
    }
    place(class_of(home->tier, new_size), owner);
    return true;
}

static bool resize_by_table(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_tier_class_t *const home = class_from((mete_tier_class_t *)self, old_size);
    return resize_in(home, block, old_size, new_size, align);
}

static bool resize_by_formula(void *self, void *block, size_t old_size, size_t new_size,
                              size_t align)
{
    mete_tier_class_t *const home = class_of((const mete_tier_t *)self, old_size);
    return resize_in(home, block, old_size, new_size, align);
}

static bool is_owned(mete_tier_class_t *classes, const void *address)
{
    mete_tier_class_t *const fallback = classes->tier->fallback;
    mete_tier_class_t *member = classes;
    while ((member != fallback) && !has(member, address)) {  // At most class_count times.
        member++;
    }
    return has(member, address);
}

static bool owns_by_table(const void *self, const void *address)
{
    return is_owned((mete_tier_class_t *)(uintptr_t)self, address);
}

static bool owns_by_formula(const void *self, const void *address)
{
    return is_owned(((const mete_tier_t *)self)->classes, address);
}

static size_t size_in(mete_tier_class_t *classes, const void *block)
{
    const mete_tier_class_t *const owner = owner_of(classes, block);
    const bool is_known = (owner != NULL) && (owner->ops->size_of != NULL);
    return is_known ? owner->ops->size_of(owner->self, block) : 0U;
}

static size_t size_of_by_table(const void *self, const void *block)
{
    return size_in((mete_tier_class_t *)(uintptr_t)self, block);
}

static size_t size_of_by_formula(const void *self, const void *block)
{
    return size_in(((const mete_tier_t *)self)->classes, block);
}

mete_alloc_t mete_tier_as_alloc(mete_tier_t *tier)
{
    static const mete_alloc_ops_t table_ops = {acquire_by_table, release_by_table, resize_by_table,
                                               owns_by_table, size_of_by_table};
    static const mete_alloc_ops_t formula_ops = {acquire_by_formula, release_by_formula,
                                                 resize_by_formula, owns_by_formula,
                                                 size_of_by_formula};
    const mete_alloc_t by_table = {&table_ops, tier->classes};
    const mete_alloc_t by_formula = {&formula_ops, tier};
    return (tier->linear_max != 0U) ? by_formula : by_table;
}

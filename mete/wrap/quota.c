// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What is not used of the reserves is one number, kept up to date with each account. So a request is
// judged without a look at the other owners: what they may still claim is the sum less one's own part.

#include "mete/wrap/quota.h"

#include "mete/core/pass.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: accounts that do not add up are reported by the next call.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(quota) \
    (mete_quota_check(quota) ? (void)0 : (void)(METE_FAULT(METE_FAULT_CORRUPT, (quota), NULL)))
#else
#define CHECK_ALL(quota) ((void)0)
#endif

enum { EMERGENCY_ALIGN = 8, PERMILLE = 1000 };

typedef mete_quota_record_t record_t;
typedef mete_quota_owner_t owner_t;

_Static_assert(offsetof(mete_quota_t, inner) == 0U, "what passes calls on expects it there");

// ---- The record in front of a block

static record_t *record_of(const void *block)
{
    return (record_t *)((uintptr_t)block - sizeof(record_t));
}

// Of this wrapper's own records only: another one's accounts are not ours to change.
static uintptr_t check_of(const mete_quota_t *quota, const record_t *record)
{
    return (uintptr_t)quota + 3U * (uintptr_t)record->size + 5U * (uintptr_t)record->align +
           7U * record->owner + 9U * (uintptr_t)record;
}

// Of a record whose block was released. It depends on nothing else in the record, for the allocator behind
// usually writes its own links to the start of free memory.
static uintptr_t released_check_of(const mete_quota_t *quota, const record_t *record)
{
    return ~((uintptr_t)quota + (uintptr_t)record);
}

static size_t outer_align_of(size_t align)
{
    return (align > _Alignof(record_t)) ? align : _Alignof(record_t);
}

static size_t prefix_size_of(size_t align)
{
    return mete_align_up(sizeof(record_t), outer_align_of(align));
}

// The record must lie in memory that may be read, as far as the allocator behind can tell.
static bool may_be_ours(const mete_quota_t *quota, const void *block)
{
    const mete_alloc_t inner = quota->inner;
    const unsigned char *const end = block;
    return mete_align_fits((uintptr_t)block, _Alignof(record_t)) &&
           ((inner.ops->owns == NULL) || (inner.ops->owns(inner.self, record_of(block)) &&
                                          inner.ops->owns(inner.self, end - 1)));
}

// What can be told of an account without a look at the others: its limits hold, every block has a byte, and
// it is part of the whole.
static bool is_account_sound(const mete_quota_t *quota, size_t index)
{
    const mete_quota_limit_t *const limit = &quota->config->limits[index];
    const owner_t *const owner = &quota->config->owners[index];
    const size_t capacity_size = quota->config->capacity_size;
    return (owner->in_use_size <= limit->size_max) && (owner->in_use_count <= limit->count_max) &&
           (owner->in_use_count <= owner->in_use_size) &&
           (owner->in_use_size <= quota->in_use_size) && (quota->in_use_size <= capacity_size) &&
           (quota->unused_reserve_size <= capacity_size - quota->in_use_size);
}

// The account of a block's owner holds at least this block.
static bool holds(const mete_quota_t *quota, const record_t *record)
{
    const owner_t *const owner = &quota->config->owners[record->owner];
    return is_account_sound(quota, record->owner) && (owner->in_use_size >= record->size) &&
           (owner->in_use_count != 0U);
}

// What is wrong with a block that is to be released or resized; 0 if nothing is.
static int fault_of(const mete_quota_t *quota, const void *block, size_t size, size_t align)
{
    if (!IS_CHECKED) {
        return 0;
    }
    if (!may_be_ours(quota, block)) {
        return METE_FAULT_FOREIGN;
    }
    const record_t *const record = record_of(block);
    if (record->check == released_check_of(quota, record)) {
        return METE_FAULT_DOUBLE_FREE;
    }
    if ((record->check != check_of(quota, record)) ||
        (record->owner >= quota->config->owner_count) || !holds(quota, record)) {
        return METE_FAULT_CORRUPT;
    }
    return ((record->size == size) && (record->align == align)) ? 0 : METE_FAULT_SIZE;
}

// ---- Accounts

static size_t unused_reserve_of(const mete_quota_limit_t *limit, size_t in_use_size)
{
    return (limit->reserve_size > in_use_size) ? limit->reserve_size - in_use_size : 0U;
}

// May this owner have so many bytes and blocks more?
static bool allows(const mete_quota_t *quota, size_t index, size_t size, size_t count)
{
    const mete_quota_limit_t *const limit = &quota->config->limits[index];
    const owner_t *const owner = &quota->config->owners[index];
    const size_t own_reserve = unused_reserve_of(limit, owner->in_use_size);
    const size_t common =
        quota->config->capacity_size - quota->in_use_size - quota->unused_reserve_size;
    return (size <= limit->size_max - owner->in_use_size) &&
           (count <= limit->count_max - owner->in_use_count) &&
           ((size <= own_reserve) || (size - own_reserve <= common));
}

// Warns once when the account reaches the share, and again only after it was calm.
static void judge(const mete_quota_t *quota, owner_t *owner, const void *caller)
{
    if (owner->in_use_size <= owner->calm_size) {
        owner->is_warned = false;
    }
    if ((owner->warn_size != 0U) && (owner->in_use_size >= owner->warn_size) && !owner->is_warned) {
        owner->is_warned = true;
        const mete_event_t event = {METE_EVENT_THRESHOLD, owner, NULL, owner->in_use_size, caller};
        mete_observe(quota->config->observer, &event);
    }
}

// Sets what the account holds, and with it the sums over all.
static void book(mete_quota_t *quota, size_t index, size_t size, size_t count, const void *caller)
{
    const mete_quota_limit_t *const limit = &quota->config->limits[index];
    owner_t *const owner = &quota->config->owners[index];
    quota->unused_reserve_size -= unused_reserve_of(limit, owner->in_use_size);
    quota->unused_reserve_size += unused_reserve_of(limit, size);
    quota->in_use_size += size - owner->in_use_size;
    owner->in_use_size = size;
    owner->in_use_count = count;
    if (owner->in_use_peak < size) {
        owner->in_use_peak = size;
    }
    judge(quota, owner, caller);
}

static const void *caller_of(const mete_quota_t *quota, const void *own_caller)
{
    return (quota->config->site != NULL) ? quota->config->site->caller : own_caller;
}

static void tell(const mete_quota_t *quota, mete_event_kind_t kind, size_t size, const void *caller)
{
    const mete_event_t event = {kind, quota, NULL, size, caller};
    mete_observe(quota->config->observer, &event);
}

static size_t asking(const mete_quota_t *quota)
{
    const mete_quota_config_t *const config = quota->config;
    return (config->owner != NULL) ? config->owner(config->owner_self) : 0U;
}

// ---- Running out

static bool give_up_emergency(mete_quota_t *quota, const void *caller)
{
    void *const emergency = quota->emergency;
    if (emergency == NULL) {
        return false;
    }
    const size_t size = quota->config->emergency_size;
    quota->emergency = NULL;
    quota->inner.ops->release(quota->inner.self, emergency, size, EMERGENCY_ALIGN);
    tell(quota, METE_EVENT_THRESHOLD, size, caller);
    return true;
}

// Asks the allocator behind; if it refuses, asks the hook to free something, then gives up the reserve. The
// hook may have released blocks, but an account that was below its limit still is.
static void *acquire_behind(mete_quota_t *quota, size_t size, size_t align, const void *caller)
{
    const mete_quota_config_t *const config = quota->config;
    const mete_alloc_t inner = quota->inner;
    void *memory = inner.ops->acquire(inner.self, size, align);
    if ((memory == NULL) && (config->on_refusal != NULL) &&
        config->on_refusal(config->on_refusal_self, size)) {
        memory = inner.ops->acquire(inner.self, size, align);
    }
    if ((memory == NULL) && give_up_emergency(quota, caller)) {
        memory = inner.ops->acquire(inner.self, size, align);
    }
    return memory;
}

// ---- The allocator

static void *acquire(void *self, size_t size, size_t align)
{
    mete_quota_t *const quota = self;
    const void *const caller = caller_of(quota, METE_CALLER());
    const size_t index = asking(quota);
    const size_t prefix_size = prefix_size_of(align);
    const bool is_known = index < quota->config->owner_count;
    unsigned char *memory = NULL;
    if (IS_CHECKED && is_known && !is_account_sound(quota, index)) {
        METE_FAULT(METE_FAULT_CORRUPT, quota, NULL);
        return NULL;
    }
    if (is_known && (size <= SIZE_MAX - prefix_size) && allows(quota, index, size, 1U)) {
        memory = acquire_behind(quota, prefix_size + size, outer_align_of(align), caller);
    }
    if (memory == NULL) {
        if (is_known) {
            quota->config->owners[index].refusals++;
        }
        tell(quota, METE_EVENT_REFUSE, size, caller);
        return NULL;
    }
    void *const block = memory + prefix_size;
    record_t *const record = record_of(block);
    record->size = size;
    record->align = align;
    record->owner = index;
    record->check = check_of(quota, record);
    const owner_t *const owner = &quota->config->owners[index];
    book(quota, index, owner->in_use_size + size, owner->in_use_count + 1U, caller);
    CHECK_ALL(quota);
    return block;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    mete_quota_t *const quota = self;
    const void *const caller = caller_of(quota, METE_CALLER());
    const int fault = fault_of(quota, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, quota, block);
        return;
    }
    record_t *const record = record_of(block);
    const size_t index = record->owner;
    const owner_t *const owner = &quota->config->owners[index];
    record->check = released_check_of(quota, record);
    book(quota, index, owner->in_use_size - size, owner->in_use_count - 1U, caller);
    CHECK_ALL(quota);
    const size_t prefix_size = prefix_size_of(align);
    quota->inner.ops->release(quota->inner.self, (unsigned char *)block - prefix_size,
                              prefix_size + size, outer_align_of(align));
}

static bool resize_behind(const mete_quota_t *quota, void *block, size_t old_size, size_t new_size,
                          size_t align)
{
    const size_t prefix_size = prefix_size_of(align);
    return (new_size <= SIZE_MAX - prefix_size) &&
           quota->inner.ops->resize(quota->inner.self, (unsigned char *)block - prefix_size,
                                    prefix_size + old_size, prefix_size + new_size,
                                    outer_align_of(align));
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    mete_quota_t *const quota = self;
    const void *const caller = caller_of(quota, METE_CALLER());
    const int fault = fault_of(quota, block, old_size, align);
    if (fault != 0) {
        METE_FAULT(fault, quota, block);
        return false;
    }
    record_t *const record = record_of(block);
    const size_t index = record->owner;
    const owner_t *const owner = &quota->config->owners[index];
    if (((new_size > old_size) && !allows(quota, index, new_size - old_size, 0U)) ||
        !resize_behind(quota, block, old_size, new_size, align)) {
        return false;
    }
    record->size = new_size;
    record->check = check_of(quota, record);
    book(quota, index, owner->in_use_size - old_size + new_size, owner->in_use_count, caller);
    CHECK_ALL(quota);
    return true;
}

static size_t size_of(const void *self, const void *block)
{
    (void)self;
    return record_of(block)->size;
}

// ---- Start and report

static bool is_legal(const mete_quota_config_t *config)
{
    if ((config->limits == NULL) || (config->owners == NULL) || (config->owner_count == 0U)) {
        return false;
    }
    size_t left = config->capacity_size;
    for (size_t i = 0U; i < config->owner_count; i++) {
        const mete_quota_limit_t *const limit = &config->limits[i];
        const bool has_sane_warning =
            (limit->warn_permille == 0U) ||
            ((limit->warn_permille <= PERMILLE) && (limit->calm_permille < limit->warn_permille));
        if (!has_sane_warning || (limit->reserve_size > limit->size_max) ||
            (limit->reserve_size > left)) {
            return false;
        }
        left -= limit->reserve_size;
    }
    return true;
}

// Rounded down. Without overflow: thousandths of what is below a thousand are counted apart.
static size_t share_of(size_t size, size_t permille)
{
    return (size / PERMILLE) * permille + (size % PERMILLE) * permille / PERMILLE;
}

static void open_account(mete_quota_t *quota, size_t index)
{
    const mete_quota_limit_t *const limit = &quota->config->limits[index];
    owner_t *const owner = &quota->config->owners[index];
    owner->in_use_size = 0U;
    owner->in_use_count = 0U;
    owner->in_use_peak = 0U;
    owner->refusals = 0U;
    // Rounded up, for reaching a share of a small limit is not the same as holding nothing.
    owner->warn_size =
        limit->size_max - share_of(limit->size_max, (size_t)PERMILLE - limit->warn_permille);
    owner->calm_size = share_of(limit->size_max, limit->calm_permille);
    owner->is_warned = false;
    quota->unused_reserve_size += limit->reserve_size;
}

static void *acquire_emergency(mete_alloc_t inner, size_t size)
{
    return (size != 0U) ? inner.ops->acquire(inner.self, size, EMERGENCY_ALIGN) : NULL;
}

bool mete_quota_init(mete_quota_t *quota, mete_alloc_t inner, const mete_quota_config_t *config)
{
    METE_ASSERT(quota != NULL);
    if ((inner.ops == NULL) || (config == NULL) || !is_legal(config)) {
        return false;
    }
    void *const emergency = acquire_emergency(inner, config->emergency_size);
    if ((emergency == NULL) && (config->emergency_size != 0U)) {
        return false;
    }
    quota->inner.ops = inner.ops;
    quota->inner.self = inner.self;
    quota->config = config;
    quota->in_use_size = 0U;
    quota->unused_reserve_size = 0U;
    quota->emergency = emergency;
    for (size_t i = 0U; i < config->owner_count; i++) {
        open_account(quota, i);
    }
    return true;
}

const mete_quota_owner_t *mete_quota_usage(const mete_quota_t *quota, uint32_t owner)
{
    METE_ASSERT((quota != NULL) && (quota->config != NULL));
    return (owner < quota->config->owner_count) ? &quota->config->owners[owner] : NULL;
}

bool mete_quota_add_emergency(mete_quota_t *quota)
{
    METE_ASSERT((quota != NULL) && (quota->config != NULL));
    if (quota->emergency == NULL) {
        quota->emergency = acquire_emergency(quota->inner, quota->config->emergency_size);
    }
    return quota->emergency != NULL;
}

bool mete_quota_check(const mete_quota_t *quota)
{
    METE_ASSERT((quota != NULL) && (quota->config != NULL));
    const mete_quota_config_t *const config = quota->config;
    size_t in_use_size = 0U;
    size_t unused_reserve_size = 0U;
    for (size_t i = 0U; i < config->owner_count; i++) {
        const owner_t *const owner = &config->owners[i];
        const mete_quota_limit_t *const limit = &config->limits[i];
        if ((owner->in_use_size > limit->size_max) || (owner->in_use_count > limit->count_max) ||
            (owner->in_use_size < owner->in_use_count) ||
            (owner->in_use_peak < owner->in_use_size)) {
            return false;
        }
        in_use_size += owner->in_use_size;
        unused_reserve_size += unused_reserve_of(limit, owner->in_use_size);
    }
    return (in_use_size == quota->in_use_size) &&
           (unused_reserve_size == quota->unused_reserve_size) &&
           (in_use_size <= config->capacity_size) &&
           (unused_reserve_size <= config->capacity_size - in_use_size);
}

mete_alloc_t mete_quota_as_alloc(mete_quota_t *quota)
{
    // What the allocator behind cannot do is NULL here too: one table for each case.
    static const mete_alloc_ops_t tables[4] = {
        {acquire, release, NULL, NULL, size_of},
        {acquire, release, resize, NULL, size_of},
        {acquire, release, NULL, mete_pass_owns, size_of},
        {acquire, release, resize, mete_pass_owns, size_of},
    };
    METE_ASSERT((quota != NULL) && (quota->config != NULL));
    const mete_alloc_t view = {&tables[mete_pass_index_of(quota->inner) % 4U], quota};
    return view;
}

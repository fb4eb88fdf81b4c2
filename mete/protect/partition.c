// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Whose a block is must be exact, and nothing that an owner can write may decide it. So there is no record at the block. Of a
// home the address says it. Of common memory a table beside it does: one entry for each granule, at which at most one block
// starts, with the owner and the block's granules; a block that was released leaves its owner without granules.
//
// What nearly every call is, an owner's own in his home, is known by two compares, of numbers and of addresses. To
// whatever else must be looked at, those two are made to fail: `open_size` is 0 while somebody waits, or if
// the owner has no right to release; `acquire` is that of an allocator that has nothing, if he has no right to acquire.

#include "mete/protect/partition.h"

#include "mete/core/bits.h"

// Paranoid: what does not add up is reported by the next call that is not an owner's own in his home.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(partition) \
    (mete_partition_check(partition) \
         ? (void)0 \
         : (void)(METE_FAULT(METE_FAULT_CORRUPT, (const void *)(partition), NULL)))
#else
#define CHECK_ALL(partition) ((void)0)
#endif

// What is taken out of the way of the calls that are frequent.
#define RARE __attribute__((noinline, cold)) static

enum { OWNER_SHIFT = 12 };  // In an entry, above the number of granules. Owners count from 1 there.
_Static_assert(METE_PARTITION_GRANULE_MAX < (1U << OWNER_SHIFT), "granules fit below the owner");
_Static_assert(((METE_PARTITION_OWNER_MAX + 1U) << OWNER_SHIFT) - 1U <= UINT16_MAX, "and he above");
_Static_assert(offsetof(mete_partition_request_t, link) == 0U, "a link is cast to its request");

typedef mete_partition_owner_t owner_t;
typedef mete_partition_request_t request_t;

static const mete_partition_terms_t *terms_of(const owner_t *owner)
{
    return &owner->partition->config->terms[owner->number];
}

static bool is_at_home(const owner_t *owner, const void *address)
{
    return (uintptr_t)address - owner->start < terms_of(owner)->span.size;
}

static uint32_t asking(const mete_partition_t *partition)
{
    return partition->config->owner(partition->config->owner_self);
}

static bool may(const owner_t *owner, uint32_t asker, mete_partition_right_t operation)
{
    const mete_partition_config_t *const config = owner->partition->config;
    return (asker < config->owner_count) &&
           ((config->rights[(owner->number * config->owner_count) + asker] & (uint32_t)operation) !=
            0U);
}

// ---- The table of common memory

static size_t granules_of(const mete_partition_config_t *config, size_t size)
{
    const size_t shift = mete_bits_ctz((uint32_t)config->common_granule);
    return (size >> shift) + (((size & (config->common_granule - 1U)) != 0U) ? 1U : 0U);
}

// NULL if no block of common memory can start there.
static uint16_t *entry_of(const mete_partition_t *partition, const void *block)
{
    const mete_partition_config_t *const config = partition->config;
    const size_t offset = (size_t)((uintptr_t)block - (uintptr_t)config->common.start);
    return (mete_span_has(config->common, block) && mete_align_fits(offset, config->common_granule))
               ? &config->common_table[granules_of(config, offset)]
               : NULL;
}

static uint16_t entry_for(const owner_t *owner, size_t granules)
{
    return (uint16_t)(((owner->number + 1U) << OWNER_SHIFT) | granules);
}

static size_t granules_in(uint16_t entry)
{
    return entry & METE_PARTITION_GRANULE_MAX;
}

// Whose a block is whose entry has granules.
static uint32_t owner_in(uint16_t entry)
{
    return (granules_in(entry) != 0U) ? ((uint32_t)entry >> OWNER_SHIFT) - 1U
                                      : METE_PARTITION_NOBODY;
}

uint32_t mete_partition_owner_of(const mete_partition_t *partition, const void *address)
{
    METE_ASSERT((partition != NULL) && (partition->config != NULL));
    const mete_partition_config_t *const config = partition->config;
    const uint16_t *const entry = entry_of(partition, address);
    if (entry != NULL) {
        return owner_in(*entry);
    }
    for (uint32_t i = 0U; i < config->owner_count; i++) {
        if (is_at_home(&config->owners[i], address)) {
            return i;
        }
    }
    return METE_PARTITION_NOBODY;
}

// ---- The line, as a list

// As long as its count says, and in order.
static bool is_line_sound(const mete_partition_t *partition)
{
    const mete_dlist_link_t *link = &partition->line;
    uint32_t before = UINT32_MAX;
    for (size_t left = partition->line_count; left != 0U; left--) {
        const mete_dlist_link_t *const next = link->next;
        const request_t *const request = (const request_t *)(const void *)next;
        if ((next == &partition->line) || (next->previous != link) || (request->owner == NULL) ||
            (request->owner->partition != partition)) {
            return false;
        }
        const uint32_t priority = terms_of(request->owner)->priority;
        if ((partition->config->policy == METE_PARTITION_PRIORITY) && (priority > before)) {
            return false;
        }
        before = priority;
        link = next;
    }
    return (link->next == &partition->line) && (partition->line.previous == link);
}

// ---- What is refused, and how it is told

static void report(mete_partition_t *partition, uint32_t asker, uint32_t owner,
                   mete_partition_right_t operation, const void *block)
{
    partition->last.asker = asker;
    partition->last.owner = owner;
    partition->last.operation = operation;
    partition->last.block = block;
    partition->fault_total++;
}

// Says what is wrong, and to whom: 0 if nothing is.
static int told(mete_partition_t *partition, int fault, const void *block)
{
    if (fault != 0) {
        const mete_event_t event = {METE_EVENT_FAULT, partition, block, (size_t)fault, NULL};
        mete_observe(partition->config->observer, &event);
    }
    return fault;
}

// What is wrong with a block that is said to be this owner's, whoever asks.
static int fault_of(const owner_t *owner, const void *block, size_t size)
{
    const mete_partition_config_t *const config = owner->partition->config;
    if (is_at_home(owner, block)) {
        return 0;  // The allocator behind knows the rest.
    }
    const uint16_t *const entry = entry_of(owner->partition, block);
    if ((entry != NULL) && (*entry == entry_for(owner, 0U))) {
        return METE_FAULT_DOUBLE_FREE;
    }
    if ((entry == NULL) || (owner_in(*entry) != owner->number)) {
        return METE_FAULT_FOREIGN;
    }
    if (granules_in(*entry) != granules_of(config, size)) {
        return METE_FAULT_SIZE;
    }
    return (granules_in(*entry) * config->common_granule <= owner->in_use_size)
               ? 0
               : METE_FAULT_CORRUPT;
}

// Foreign comes before forbidden: who names another's block is told whose it is, not that he has no right.
static int judge(const owner_t *owner, mete_partition_right_t operation, const void *block,
                 size_t size)
{
    mete_partition_t *const partition = owner->partition;
    const uint32_t asker = asking(partition);
    int fault = (block != NULL) ? fault_of(owner, block, size) : 0;
    if ((fault == 0) && !may(owner, asker, operation)) {
        fault = METE_FAULT_ACCESS;
    }
    if ((fault == 0) && !is_line_sound(partition)) {
        fault =
            METE_FAULT_CORRUPT;  // Now, for those who wait are served when nothing may fail any more.
    }
    if (fault != 0) {
        const uint32_t whose =
            (block != NULL) ? mete_partition_owner_of(partition, block) : owner->number;
        report(partition, asker, whose, operation, block);
    }
    return told(partition, fault, block);
}

// ---- Common memory

static bool is_in_quota(const owner_t *owner, size_t granules)
{
    const mete_partition_config_t *const config = owner->partition->config;
    return (granules <= METE_PARTITION_GRANULE_MAX) &&
           (granules * config->common_granule <= terms_of(owner)->common_max - owner->in_use_size);
}

// Sets what the owner's account holds.
static void book(owner_t *owner, size_t in_use_size)
{
    owner->in_use_size = in_use_size;
    if (owner->in_use_peak < in_use_size) {
        owner->in_use_peak = in_use_size;
    }
}

static size_t common_align(const mete_partition_t *partition, size_t align)
{
    const size_t granule = partition->config->common_granule;
    return (align > granule) ? align : granule;
}

static void *acquire_common(owner_t *owner, size_t size, size_t align)
{
    const mete_partition_t *const partition = owner->partition;
    const mete_alloc_t common = partition->common;
    if (common.ops == NULL) {
        return NULL;
    }
    const size_t granules = granules_of(partition->config, size);
    const size_t outer_align = common_align(partition, align);
    void *const block =
        is_in_quota(owner, granules) ? common.ops->acquire(common.self, size, outer_align) : NULL;
    uint16_t *const entry = entry_of(partition, block);
    if (entry != NULL) {
        *entry = entry_for(owner, granules);
        book(owner, owner->in_use_size + (granules * partition->config->common_granule));
        return block;
    }
    if (block != NULL) {  // Not of the span that it should be of: nobody could tell whose it is.
        common.ops->release(common.self, block, size, outer_align);
    }
    return NULL;
}

// What is wrong with size or alignment within a granule only the allocator behind can tell. It is asked, by a resize to the same
// size, before anything is booked: else a block that it then refuses would be off the account, and in use.
static void release_common(owner_t *owner, void *block, size_t size, size_t align)
{
    const mete_partition_t *const partition = owner->partition;
    const mete_alloc_t common = partition->common;
    uint16_t *const entry = entry_of(partition, block);
    const size_t outer_align = common_align(partition, align);
    if ((common.ops->resize != NULL) &&
        !common.ops->resize(common.self, block, size, size, outer_align)) {
        return;
    }
    owner->in_use_size -= granules_in(*entry) * partition->config->common_granule;
    *entry = entry_for(owner, 0U);
    common.ops->release(common.self, block, size, outer_align);
}

static bool resize_common(owner_t *owner, void *block, size_t old_size, size_t new_size,
                          size_t align)
{
    const mete_partition_t *const partition = owner->partition;
    const mete_alloc_t common = partition->common;
    const size_t before = granules_of(partition->config, old_size);
    const size_t after = granules_of(partition->config, new_size);
    const bool is_let = (after <= before) || ((after <= METE_PARTITION_GRANULE_MAX) &&
                                              is_in_quota(owner, after - before));
    if (!is_let || !common.ops->resize(common.self, block, old_size, new_size,
                                       common_align(partition, align))) {
        return false;
    }
    *entry_of(partition, block) = entry_for(owner, after);
    book(owner, owner->in_use_size + (after * partition->config->common_granule) -
                    (before * partition->config->common_granule));
    return true;
}

// ---- The line

static request_t *request_at(mete_dlist_link_t *link)
{
    return (request_t *)(void *)link;
}

// Lets releases pass by without a look at the line, or no longer.
static void open_homes(const mete_partition_t *partition)
{
    const mete_partition_config_t *const config = partition->config;
    for (size_t i = 0U; i < config->owner_count; i++) {
        owner_t *const owner = &config->owners[i];
        const bool is_open =
            (partition->line_count == 0U) && may(owner, owner->number, METE_PARTITION_RELEASE);
        owner->open_size = is_open ? config->terms[i].span.size : 0U;
    }
}

static void leave_line(mete_partition_t *partition, request_t *request)
{
    mete_dlist_remove(&request->link);
    request->owner = NULL;
    partition->line_count--;
    if (partition->line_count == 0U) {
        open_homes(partition);
    }
}

// In front of which link a request belongs.
static mete_dlist_link_t *place_of(mete_partition_t *partition, const owner_t *owner)
{
    mete_dlist_link_t *place = &partition->line;
    if (partition->config->policy == METE_PARTITION_PRIORITY) {
        const uint32_t priority = terms_of(owner)->priority;
        for (size_t i = partition->line_count; i != 0U; i--) {
            if (terms_of(request_at(place->previous)->owner)->priority >= priority) {
                return place;
            }
            place = place->previous;
        }
    }
    return place;
}

// What a request gets: of its owner's home, or of common memory unless one in front of it waits for that. If it now waits for
// that itself, those behind it are told.
static void *serve_one(const request_t *request, bool *is_claimed)
{
    owner_t *const owner = request->owner;
    void *block = (owner->ops != NULL)
                      ? owner->ops->acquire(owner->home, request->size, request->align)
                      : NULL;
    if ((block == NULL) && !*is_claimed) {
        block = acquire_common(owner, request->size, request->align);
        *is_claimed = (block == NULL) &&
                      is_in_quota(owner, granules_of(owner->partition->config, request->size));
    }
    return block;
}

// Gives those who wait what there is. The line is sound.
static void serve(mete_partition_t *partition)
{
    bool is_claimed = false;
    mete_dlist_link_t *link = partition->line.next;
    for (size_t left = partition->line_count; left != 0U; left--) {
        request_t *const request = request_at(link);
        link = link->next;
        void *const block = serve_one(request, &is_claimed);
        if (block != NULL) {
            leave_line(partition, request);
            request->on_served(request->self, block);
        }
    }
}

// Could a request be met if nothing were in use?
static bool is_possible(const owner_t *owner, size_t size)
{
    const mete_partition_t *const partition = owner->partition;
    const mete_partition_terms_t *const terms = terms_of(owner);
    if ((owner->ops != NULL) && (size <= terms->span.size)) {
        return true;
    }
    if (partition->common.ops == NULL) {
        return false;
    }
    const size_t granules = granules_of(partition->config, size);
    return (granules <= METE_PARTITION_GRANULE_MAX) &&
           (granules * partition->config->common_granule <= terms->common_max);
}

bool mete_partition_queue(mete_partition_t *partition, uint32_t owner,
                          mete_partition_request_t *request)
{
    METE_ASSERT((partition != NULL) && (partition->config != NULL) && (request != NULL));
    METE_ASSERT(request->on_served != NULL);
    if (!mete_align_is_legal(request->align)) {
        METE_FAULT(METE_FAULT_ALIGN, (const void *)partition, NULL);
        return false;
    }
    if ((owner >= partition->config->owner_count) || (request->size == 0U)) {
        return false;
    }
    owner_t *const whose = &partition->config->owners[owner];
    int fault = judge(whose, METE_PARTITION_ACQUIRE, NULL, 0U);
    if ((fault == 0) && (request->owner != NULL)) {
        fault = METE_FAULT_ORDER;
    }
    if (fault != 0) {
        METE_FAULT(fault, (const void *)partition, (const void *)request);
        return false;
    }
    if (!is_possible(whose, request->size)) {
        return false;
    }
    request->owner = whose;
    mete_dlist_append(place_of(partition, whose), &request->link);
    partition->line_count++;
    open_homes(partition);
    serve(partition);
    CHECK_ALL(partition);
    return true;
}

bool mete_partition_remove(mete_partition_t *partition, mete_partition_request_t *request)
{
    METE_ASSERT((partition != NULL) && (partition->config != NULL) && (request != NULL));
    if (request->owner == NULL) {
        return false;
    }
    if ((request->owner->partition != partition) || !mete_dlist_agrees(&request->link)) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)partition, (const void *)request);
        return false;
    }
    leave_line(partition, request);
    CHECK_ALL(partition);
    return true;
}

size_t mete_partition_requests(const mete_partition_t *partition)
{
    METE_ASSERT(partition != NULL);
    return partition->line_count;
}

// ---- The allocator

// Two hints, each of which saves an instruction where nearly all calls pass: a pointer is kept in one register, so that
// words can be loaded in pairs; and a call is not made a jump, which would move its address once more.
#define ONE_REGISTER(pointer) __asm__("" : "+r"(pointer))
#define CALL_ENDS_HERE()      __asm__ volatile("")

static inline uint32_t ask(const owner_t *owner)
{
    uint32_t (*const who)(void *) = owner->ask;
    return who(owner->ask_self);
}

// What an owner without the right to acquire is served by.
static void *acquire_none(void *self, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    return NULL;
}

// What is wrong with an acquire by who is asking; 0 if nothing is.
RARE int fault_of_acquire(owner_t *owner)
{
    return judge(owner, METE_PARTITION_ACQUIRE, NULL, 0U);
}

// Of an owner whose home is full, or of another who may.
RARE void *acquire_closer(owner_t *owner, size_t size, size_t align)
{
    void *block = NULL;
    if ((asking(owner->partition) != owner->number) && (owner->ops != NULL)) {
        block = owner->ops->acquire(owner->home, size, align);
    }
    if (block == NULL) {
        block = acquire_common(owner, size, align);
    }
    if (block == NULL) {
        owner->refusals++;
        const mete_event_t event = {METE_EVENT_REFUSE, owner, NULL, size, NULL};
        mete_observe(owner->partition->config->observer, &event);
    }
    return block;
}

static void *acquire(void *self, size_t size, size_t align)
{
    owner_t *const owner = self;
    if (METE_LIKELY(ask(owner) == owner->number)) {
        void *const block = owner->acquire(owner->home, size, align);
        if (METE_LIKELY(block != NULL)) {
            METE_ASSERT(is_at_home(owner, block));
            return block;
        }
    }
    const int fault = fault_of_acquire(owner);
    if (fault != 0) {
        METE_FAULT(fault, (const void *)owner->partition, NULL);
        return NULL;
    }
    void *const block = acquire_closer(owner, size, align);
    CHECK_ALL(owner->partition);
    return block;
}

RARE int release_closer(owner_t *owner, void *block, size_t size, size_t align)
{
    const int fault = judge(owner, METE_PARTITION_RELEASE, block, size);
    if (fault != 0) {
        return fault;
    }
    if (is_at_home(owner, block)) {
        owner->ops->release(owner->home, block, size, align);
    } else {
        release_common(owner, block, size, align);
    }
    serve(owner->partition);
    return 0;
}

static void release(void *self, void *block, size_t size, size_t align)
{
    owner_t *owner = self;
    ONE_REGISTER(owner);
    const uint32_t asker = ask(owner);
    const uint32_t number = owner->number;
    const uintptr_t start = owner->start;
    if (METE_LIKELY((asker == number) && ((uintptr_t)block - start < owner->open_size))) {
        owner->release(owner->home, block, size, align);
        CALL_ENDS_HERE();
        return;
    }
    const int fault = release_closer(owner, block, size, align);
    if (fault != 0) {
        METE_FAULT(fault, (const void *)owner->partition, (const void *)block);
    }
    CHECK_ALL(owner->partition);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    owner_t *const owner = self;
    mete_partition_t *const partition = owner->partition;
    const int fault = judge(owner, METE_PARTITION_RESIZE, block, old_size);
    if (fault != 0) {
        METE_FAULT(fault, (const void *)partition, (const void *)block);
        return false;
    }
    const bool resized = is_at_home(owner, block)
                             ? owner->ops->resize(owner->home, block, old_size, new_size, align)
                             : resize_common(owner, block, old_size, new_size, align);
    if (resized && (new_size < old_size)) {
        serve(partition);
    }
    CHECK_ALL(partition);
    return resized;
}

static bool owns(const void *self, const void *address)
{
    const owner_t *const owner = self;
    return is_at_home(owner, address) || mete_span_has(owner->partition->config->common, address);
}

static size_t size_of(const void *self, const void *block)
{
    const owner_t *const owner = self;
    const mete_alloc_t common = owner->partition->common;
    return is_at_home(owner, block) ? owner->ops->size_of(owner->home, block)
                                    : common.ops->size_of(common.self, block);
}

mete_alloc_t mete_partition_as_alloc(mete_partition_t *partition, uint32_t owner)
{
    static const mete_alloc_ops_t tables[4] = {
        {acquire, release, NULL, owns, NULL},
        {acquire, release, resize, owns, NULL},
        {acquire, release, NULL, owns, size_of},
        {acquire, release, resize, owns, size_of},
    };
    METE_ASSERT((partition != NULL) && (partition->config != NULL));
    mete_alloc_t view;
    view.ops = NULL;  // One by one: for a whole struct a compiler may call memset(), which is libc.
    view.self = NULL;
    if (owner < partition->config->owner_count) {
        owner_t *const whose = &partition->config->owners[owner];
        const mete_alloc_ops_t *const home = whose->ops;
        const mete_alloc_ops_t *const common = partition->common.ops;
        const bool resizes = ((home == NULL) || (home->resize != NULL)) &&
                             ((common == NULL) || (common->resize != NULL));
        const bool knows_size = ((home == NULL) || (home->size_of != NULL)) &&
                                ((common == NULL) || (common->size_of != NULL));
        view.ops = &tables[(resizes ? 1U : 0U) + (knows_size ? 2U : 0U)];
        view.self = whose;
    }
    return view;
}

// ---- Start and report

static bool is_apart(mete_span_t a, mete_span_t b)
{
    return (a.size == 0U) || (b.size == 0U) ||
           (!mete_span_has(a, b.start) && !mete_span_has(b, a.start));
}

// A span with an allocator, or neither.
static bool is_paired(mete_span_t span, mete_alloc_t alloc)
{
    return (alloc.ops != NULL) ? (mete_span_is_legal(span) && (span.size != 0U))
                               : (span.size == 0U);
}

static bool is_common_legal(const mete_partition_config_t *config, mete_alloc_t common)
{
    const size_t granule = config->common_granule;
    return is_paired(config->common, common) &&
           ((common.ops == NULL) ||
            (mete_align_is_legal(granule) && (granule <= UINT32_MAX / 2U) &&
             mete_align_fits((uintptr_t)config->common.start | config->common.size, granule) &&
             (config->common_table != NULL)));
}

static bool is_legal(const mete_alloc_t *homes, mete_alloc_t common,
                     const mete_partition_config_t *config)
{
    if ((config->terms == NULL) || (config->owners == NULL) || (config->rights == NULL) ||
        (config->owner == NULL) || (config->owner_count == 0U) ||
        (config->owner_count > METE_PARTITION_OWNER_MAX) || !is_common_legal(config, common)) {
        return false;
    }
    for (size_t i = 0U; i < config->owner_count; i++) {
        const mete_span_t span = config->terms[i].span;
        bool is_good = is_paired(span, homes[i]) && is_apart(span, config->common);
        for (size_t j = 0U; j < i; j++) {
            is_good = is_good && is_apart(span, config->terms[j].span);
        }
        if (!is_good) {
            return false;
        }
    }
    return true;
}

static void init_owner(mete_partition_t *partition, uint32_t number, mete_alloc_t home)
{
    owner_t *const owner = &partition->config->owners[number];
    owner->ask = partition->config->owner;
    owner->ask_self = partition->config->owner_self;
    owner->number = number;
    owner->start = (uintptr_t)partition->config->terms[number].span.start;
    owner->partition = partition;
    owner->ops = home.ops;
    owner->home = home.self;
    owner->release = (home.ops != NULL) ? home.ops->release : NULL;
    const bool serves = (home.ops != NULL) && may(owner, number, METE_PARTITION_ACQUIRE);
    owner->acquire = serves ? home.ops->acquire : acquire_none;
    owner->in_use_size = 0U;
    owner->in_use_peak = 0U;
    owner->refusals = 0U;
}

bool mete_partition_init(mete_partition_t *partition, const mete_alloc_t *homes,
                         mete_alloc_t common, const mete_partition_config_t *config)
{
    METE_ASSERT(partition != NULL);
    if ((homes == NULL) || (config == NULL) || !is_legal(homes, common, config)) {
        return false;
    }
    partition->config = config;
    partition->common.ops = common.ops;
    partition->common.self = common.self;
    mete_dlist_init(&partition->line);
    partition->line_count = 0U;
    partition->fault_total = 0U;
    for (uint32_t i = 0U; i < config->owner_count; i++) {
        init_owner(partition, i, homes[i]);
    }
    if (common.ops != NULL) {
        const size_t entry_count = granules_of(config, config->common.size);
        mete_words_fill(config->common_table, 0U, entry_count * sizeof *config->common_table);
    }
    open_homes(partition);
    return true;
}

const mete_partition_report_t *mete_partition_last(const mete_partition_t *partition)
{
    METE_ASSERT(partition != NULL);
    return (partition->fault_total != 0U) ? &partition->last : NULL;
}

const mete_partition_owner_t *mete_partition_usage(const mete_partition_t *partition,
                                                   uint32_t owner)
{
    METE_ASSERT((partition != NULL) && (partition->config != NULL));
    return (owner < partition->config->owner_count) ? &partition->config->owners[owner] : NULL;
}

// The bytes of an owner's blocks, by the table; SIZE_MAX if blocks overlap or are nobody's.
static size_t size_in_table(const mete_partition_t *partition, uint32_t number)
{
    const mete_partition_config_t *const config = partition->config;
    const size_t entry_count = granules_of(config, config->common.size);
    size_t granules = 0U;
    size_t end = 0U;  // Of the last block.
    for (size_t i = 0U; i < entry_count; i++) {
        const uint16_t entry = config->common_table[i];
        const size_t count = granules_in(entry);
        const bool is_good = (count == 0U) || ((i >= end) && (count <= entry_count - i) &&
                                               (owner_in(entry) < config->owner_count));
        if (!is_good) {
            return SIZE_MAX;
        }
        end = (count != 0U) ? i + count : end;
        granules += (owner_in(entry) == number) ? count : 0U;
    }
    return granules * config->common_granule;
}

static bool is_owner_sound(const mete_partition_t *partition, uint32_t number)
{
    const owner_t *const owner = &partition->config->owners[number];
    const mete_partition_terms_t *const terms = &partition->config->terms[number];
    const bool is_open =
        (partition->line_count == 0U) && may(owner, number, METE_PARTITION_RELEASE);
    const size_t in_use_size =
        (partition->common.ops != NULL) ? size_in_table(partition, number) : 0U;
    return (owner->partition == partition) && (owner->number == number) &&
           (owner->start == (uintptr_t)terms->span.start) &&
           (owner->open_size == (is_open ? terms->span.size : 0U)) &&
           (owner->in_use_size == in_use_size) && (in_use_size <= terms->common_max) &&
           (owner->in_use_peak >= in_use_size);
}

bool mete_partition_check(const mete_partition_t *partition)
{
    METE_ASSERT((partition != NULL) && (partition->config != NULL));
    for (uint32_t i = 0U; i < partition->config->owner_count; i++) {
        if (!is_owner_sound(partition, i)) {
            return false;
        }
    }
    return is_line_sound(partition);
}

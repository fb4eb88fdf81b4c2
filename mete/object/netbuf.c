// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A head says which bytes of a storage are its own; a storage counts its heads. Only who holds the one reference may
// change bytes, and only he can make another: so a count of one, once seen, stays one.
//
// A head is tagged with its address. What is dropped gets the complement of its tag, so that a head dropped twice is told
// from an address that never was one.
//
// The last drop must see what all others wrote before they dropped: each releases by its decrement, the last one acquires.

#include "mete/object/netbuf.h"

enum { LIVE = 0x6D657465 };

static uintptr_t tag_of(const mete_netbuf_t *head)
{
    return (uintptr_t)head ^ (uintptr_t)LIVE;
}

static size_t front_size(const mete_netbuf_config_t *config)
{
    return mete_align_up(sizeof(mete_netbuf_storage_t), config->align);
}

static size_t bytes_size(const mete_netbuf_config_t *config)
{
    return mete_align_up(config->size, config->align);
}

static size_t block_size(const mete_netbuf_config_t *config)
{
    return front_size(config) + bytes_size(config);
}

static unsigned char *bytes_of(const mete_netbuf_t *head)
{
    return (unsigned char *)head->storage + front_size(head->pool->config);
}

// ---- What must be true before a head is believed

// Its bytes lie in its storage, of which there is a reference.
static bool is_within(const mete_netbuf_t *head)
{
    const size_t offset = (uintptr_t)head->start - (uintptr_t)bytes_of(head);
    const size_t size = bytes_size(head->pool->config);
    return (offset <= size) && (head->size <= size - offset) &&
           (mete_atomic_load_relaxed(&head->storage->count) != 0U);
}

static bool is_live(const mete_netbuf_t *head)
{
    return head->tag == tag_of(head);
}

// 0 if a buffer is sound, whatever is behind it; else what is wrong with it.
static int fault_of_one(const mete_netbuf_t *buffer)
{
    if (!is_live(buffer)) {
        return (buffer->tag == ~tag_of(buffer)) ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN;
    }
    return is_within(buffer) ? 0 : METE_FAULT_CORRUPT;
}

// 0 if the whole chain is sound; else what is wrong with it.
static int fault_of(const mete_netbuf_t *packet)
{
    if (!is_live(packet)) {
        return fault_of_one(packet);
    }
    const mete_netbuf_pool_t *const pool = packet->pool;
    const mete_netbuf_t *head = packet;
    for (size_t left = pool->config->chain_max; (left != 0U) && (head != NULL); left--) {
        if (!is_live(head) || (head->pool != pool) || !is_within(head)) {
            return METE_FAULT_CORRUPT;
        }
        head = head->next;
    }
    return (head == NULL) ? 0 : METE_FAULT_CORRUPT;
}

// ---- Counters

static void count(size_t *counter)
{
    (void)mete_atomic_add_relaxed(counter, 1U);
}

static void discount(size_t *counter)
{
    (void)mete_atomic_add_relaxed(counter, SIZE_MAX);
}

// Each repeat is another caller's new peak.
static void raise_peak(size_t *peak, size_t to)
{
    size_t now = mete_atomic_load_relaxed(peak);
    while ((now < to) && !mete_atomic_replace_relaxed(peak, now, to)) {
        now = mete_atomic_load_relaxed(peak);
    }
}

static void count_refusal(mete_netbuf_pool_t *pool, mete_netbuf_use_t use)
{
    count((use == METE_NETBUF_SEND) ? &pool->send_refusals : &pool->receive_refusals);
}

// ---- Heads and storages

// The number of the storage that is taken next; 0 if `use` may have no more. It is counted before it is asked for, so that no two
// callers take the same last one. Who may have none counts nothing, so that he is in nobody's way. Each repeat is another caller's
// storage.
static size_t count_storage(mete_netbuf_pool_t *pool, mete_netbuf_use_t use)
{
    const size_t reserve = (use == METE_NETBUF_SEND) ? pool->config->receive_reserve : 0U;
    const size_t limit = pool->config->storage_max - reserve;
    size_t now = mete_atomic_load_relaxed(&pool->in_use);
    while ((now < limit) && !mete_atomic_replace_relaxed(&pool->in_use, now, now + 1U)) {
        now = mete_atomic_load_relaxed(&pool->in_use);
    }
    return (now < limit) ? now + 1U : 0U;
}

static mete_netbuf_storage_t *take_storage(mete_netbuf_pool_t *pool, mete_netbuf_use_t use)
{
    const mete_netbuf_config_t *const config = pool->config;
    const size_t in_use = count_storage(pool, use);
    if (in_use == 0U) {
        return NULL;
    }
    mete_netbuf_storage_t *const storage =
        (mete_netbuf_storage_t *)mete_acquire(config->storages, block_size(config), config->align);
    if (storage == NULL) {
        discount(&pool->in_use);
        return NULL;
    }
    raise_peak(&pool->in_use_peak, in_use);
    storage->count = 1U;
    return storage;
}

static void give_storage(mete_netbuf_pool_t *pool, mete_netbuf_storage_t *storage)
{
    const mete_netbuf_config_t *const config = pool->config;
    mete_release(config->storages, storage, block_size(config), config->align);
    discount(&pool->in_use);
}

// True if that was the last reference. Each repeat is another caller's drop or clone.
static bool is_last_drop(mete_netbuf_storage_t *storage)
{
    size_t now = mete_atomic_load_acquire(&storage->count);
    while ((now > 1U) && !mete_atomic_replace_release(&storage->count, now, now - 1U)) {
        now = mete_atomic_load_acquire(&storage->count);
    }
    return now == 1U;
}

static void drop_storage(mete_netbuf_pool_t *pool, mete_netbuf_storage_t *storage)
{
    if (is_last_drop(storage)) {
        give_storage(pool, storage);
    }
}

static mete_netbuf_t *take_head(mete_netbuf_pool_t *pool)
{
    mete_netbuf_t *const head = (mete_netbuf_t *)mete_acquire(
        pool->config->heads, sizeof(mete_netbuf_t), __alignof__(mete_netbuf_t));
    if (head != NULL) {
        head->next = NULL;
        head->pool = pool;
        head->tag = tag_of(head);
        count(&pool->head_count);
    }
    return head;
}

static void give_head(mete_netbuf_t *head)
{
    mete_netbuf_pool_t *const pool = head->pool;
    head->tag = ~tag_of(head);
    mete_release(pool->config->heads, head, sizeof(mete_netbuf_t), __alignof__(mete_netbuf_t));
    discount(&pool->head_count);
}

// A reference of `caller` to a storage that is counted already.
static void refer(mete_netbuf_t *head, mete_netbuf_storage_t *storage, const void *caller)
{
    const mete_netbuf_config_t *const config = head->pool->config;
    head->storage = storage;
    head->caller = (size_t)(uintptr_t)caller;
    head->owner = (config->owner != NULL) ? config->owner(config->self) : 0U;
    mete_atomic_store_relaxed(&storage->caller, head->caller);
    mete_atomic_store_relaxed(&storage->owner, head->owner);
}

static void drop_all(mete_netbuf_t *packet)
{
    mete_netbuf_t *head = packet;
    while (head != NULL) {  // At most chain_max: it was walked before.
        mete_netbuf_t *const next = head->next;
        drop_storage(head->pool, head->storage);
        give_head(head);
        head = next;
    }
}

// One more head on what `from` shows.
static mete_netbuf_t *clone_one(const mete_netbuf_t *from, const void *caller)
{
    mete_netbuf_t *const head = take_head(from->pool);
    if (head != NULL) {
        (void)mete_atomic_add_relaxed(&from->storage->count, 1U);
        head->start = from->start;
        head->size = from->size;
        refer(head, from->storage, caller);
        count(&from->pool->clone_total);
    }
    return head;
}

static mete_netbuf_t *clone_all(const mete_netbuf_t *packet, const void *caller)
{
    mete_netbuf_t *first = NULL;
    mete_netbuf_t **link = &first;
    for (const mete_netbuf_t *from = packet; from != NULL; from = from->next) {
        *link = clone_one(from, caller);
        if (*link == NULL) {
            drop_all(first);
            return NULL;
        }
        link = &(*link)->next;
    }
    return first;
}

// ---- Public functions

static bool is_legal(const mete_netbuf_config_t *config)
{
    const bool has_allocs = (config->heads.ops != NULL) && (config->storages.ops != NULL);
    const bool has_sizes = mete_align_is_legal(config->align) &&
                           (config->align >= __alignof__(mete_netbuf_storage_t)) &&
                           (config->align <= SIZE_MAX / 8U) && (config->size != 0U) &&
                           (config->size <= SIZE_MAX / 2U) && (config->headroom <= config->size);
    return has_allocs && has_sizes && (config->storage_max != 0U) && (config->chain_max != 0U) &&
           (config->receive_reserve <= config->storage_max);
}

bool mete_netbuf_init(mete_netbuf_pool_t *pool, const mete_netbuf_config_t *config)
{
    METE_ASSERT(pool != NULL);
    if ((config == NULL) || !is_legal(config)) {
        return false;
    }
    pool->in_use = 0U;
    pool->in_use_peak = 0U;
    pool->head_count = 0U;
    pool->get_total = 0U;
    pool->clone_total = 0U;
    pool->send_refusals = 0U;
    pool->receive_refusals = 0U;
    pool->config = config;
    return true;
}

mete_netbuf_t *mete_netbuf_get(mete_netbuf_pool_t *pool, mete_netbuf_use_t use)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    mete_netbuf_storage_t *const storage = take_storage(pool, use);
    mete_netbuf_t *const head = (storage != NULL) ? take_head(pool) : NULL;
    if (head == NULL) {
        if (storage != NULL) {
            give_storage(pool, storage);
        }
        count_refusal(pool, use);
        return NULL;
    }
    refer(head, storage, METE_CALLER());
    head->start = bytes_of(head) + pool->config->headroom;
    head->size = 0U;
    count(&pool->get_total);
    METE_ASSERT(mete_netbuf_check(head));
    return head;
}

mete_netbuf_t *mete_netbuf_clone(const mete_netbuf_t *packet)
{
    METE_ASSERT(packet != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(packet) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)packet);
        return NULL;
    }
    return clone_all(packet, METE_CALLER());
}

void mete_netbuf_drop(mete_netbuf_t *packet)
{
    if (packet == NULL) {
        return;
    }
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(packet) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)packet);
        return;
    }
    drop_all(packet);
}

bool mete_netbuf_is_shared(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    return mete_atomic_load_acquire(&buffer->storage->count) != 1U;
}

size_t mete_netbuf_headroom(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    return mete_netbuf_is_shared(buffer) ? 0U : (size_t)(buffer->start - bytes_of(buffer));
}

size_t mete_netbuf_tailroom(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    const unsigned char *const end = bytes_of(buffer) + bytes_size(buffer->pool->config);
    return mete_netbuf_is_shared(buffer) ? 0U : (size_t)(end - buffer->start) - buffer->size;
}

void *mete_netbuf_push(mete_netbuf_t *buffer, size_t size)
{
    METE_ASSERT(buffer != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of_one(buffer) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)buffer);
        return NULL;
    }
    if (size > mete_netbuf_headroom(buffer)) {
        return NULL;
    }
    buffer->start -= size;
    buffer->size += size;
    return buffer->start;
}

bool mete_netbuf_pull(mete_netbuf_t *buffer, size_t size)
{
    METE_ASSERT(buffer != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of_one(buffer) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)buffer);
        return false;
    }
    if (size > buffer->size) {
        return false;
    }
    buffer->start += size;
    buffer->size -= size;
    return true;
}

void *mete_netbuf_put(mete_netbuf_t *buffer, size_t size)
{
    METE_ASSERT(buffer != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of_one(buffer) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)buffer);
        return NULL;
    }
    if (size > mete_netbuf_tailroom(buffer)) {
        return NULL;
    }
    unsigned char *const end = buffer->start + buffer->size;
    buffer->size += size;
    return end;
}

bool mete_netbuf_trim(mete_netbuf_t *buffer, size_t size)
{
    METE_ASSERT(buffer != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of_one(buffer) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)buffer);
        return false;
    }
    if (size > buffer->size) {
        return false;
    }
    buffer->size = size;
    return true;
}

// The last buffer of a packet; `count_of` gets how many it has. NULL if `other` is among them.
static mete_netbuf_t *last_of(mete_netbuf_t *packet, size_t *count_of, const mete_netbuf_t *other)
{
    mete_netbuf_t *last = packet;
    bool has_other = packet == other;
    *count_of = 1U;
    while ((last->next != NULL) && (*count_of < packet->pool->config->chain_max)) {
        last = last->next;
        has_other = has_other || (last == other);
        (*count_of)++;
    }
    return has_other ? NULL : last;
}

// Why a packet cannot stand behind one of this pool.
static int fault_of_rest(const mete_netbuf_t *rest, const mete_netbuf_pool_t *pool)
{
    const int fault = fault_of(rest);
    return ((fault == 0) && (rest->pool != pool)) ? METE_FAULT_FOREIGN : fault;
}

bool mete_netbuf_append(mete_netbuf_t *packet, mete_netbuf_t *rest)
{
    METE_ASSERT((packet != NULL) && (rest != NULL));
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(packet) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)packet);
        return false;
    }
    const int rest_fault = (METE_CHECK_LEVEL >= 1) ? fault_of_rest(rest, packet->pool) : 0;
    if (rest_fault != 0) {
        METE_FAULT((mete_fault_t)rest_fault, NULL, (const void *)rest);
        return false;
    }
    size_t packet_count = 0U;
    size_t rest_count = 0U;
    mete_netbuf_t *const last = last_of(packet, &packet_count, rest);
    const bool is_in_rest = last_of(rest, &rest_count, packet) == NULL;
    if ((METE_CHECK_LEVEL >= 1) && ((last == NULL) || is_in_rest)) {
        METE_FAULT(METE_FAULT_ORDER, NULL, (const void *)rest);
        return false;
    }
    if (packet_count + rest_count > packet->pool->config->chain_max) {
        return false;
    }
    last->next = rest;
    return true;
}

mete_netbuf_t *mete_netbuf_remove(mete_netbuf_t *packet)
{
    METE_ASSERT(packet != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of_one(packet) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)packet);
        return NULL;
    }
    mete_netbuf_t *const rest = packet->next;
    packet->next = NULL;
    return rest;
}

size_t mete_netbuf_length(const mete_netbuf_t *packet)
{
    METE_ASSERT((packet != NULL) && is_live(packet));
    size_t length = 0U;
    const mete_netbuf_t *head = packet;
    for (size_t left = packet->pool->config->chain_max; (left != 0U) && (head != NULL); left--) {
        length += head->size;
        head = head->next;
    }
    return length;
}

size_t mete_netbuf_read(const mete_netbuf_t *packet, size_t offset, void *to, size_t size)
{
    METE_ASSERT((packet != NULL) && is_live(packet) && (to != NULL));
    size_t passed = 0U;  // Bytes of the packet in front of `head`.
    size_t done = 0U;
    const mete_netbuf_t *head = packet;
    for (size_t left = packet->pool->config->chain_max; (left != 0U) && (head != NULL); left--) {
        const size_t skip = (offset + done > passed) ? offset + done - passed : 0U;
        const size_t there = (skip < head->size) ? head->size - skip : 0U;
        const size_t part = (there < size - done) ? there : size - done;
        if (part != 0U) {
            mete_words_copy((unsigned char *)to + done, head->start + skip, part);
        }
        done += part;
        passed += head->size;
        head = head->next;
    }
    return done;
}

bool mete_netbuf_linearise(mete_netbuf_t *packet, mete_netbuf_use_t use)
{
    METE_ASSERT(packet != NULL);
    const int fault = (METE_CHECK_LEVEL >= 1) ? fault_of(packet) : 0;
    if (fault != 0) {
        METE_FAULT((mete_fault_t)fault, NULL, (const void *)packet);
        return false;
    }
    if ((packet->next == NULL) && !mete_netbuf_is_shared(packet)) {
        return true;
    }
    mete_netbuf_pool_t *const pool = packet->pool;
    const size_t length = mete_netbuf_length(packet);
    const size_t size = bytes_size(pool->config);
    if (length > size) {
        return false;
    }
    const size_t front = (size_t)(packet->start - bytes_of(packet));
    const size_t headroom = (front <= size - length) ? front : size - length;
    mete_netbuf_storage_t *const storage = take_storage(pool, use);
    if (storage == NULL) {
        count_refusal(pool, use);
        return false;
    }
    unsigned char *const start = (unsigned char *)storage + front_size(pool->config) + headroom;
    (void)mete_netbuf_read(packet, 0U, start, length);
    drop_all(mete_netbuf_remove(packet));
    drop_storage(pool, packet->storage);
    packet->start = start;
    packet->size = length;
    refer(packet, storage, METE_CALLER());
    METE_ASSERT(mete_netbuf_check(packet));
    return true;
}

mete_span_t mete_netbuf_span_lines(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    const size_t align = buffer->pool->config->align;
    const uintptr_t first = mete_align_down((uintptr_t)buffer->start, align);
    const uintptr_t end = mete_align_up((uintptr_t)buffer->start + buffer->size, align);
    mete_span_t span;
    span.start = (void *)first;
    span.size = (buffer->size != 0U) ? end - first : 0U;
    return span;
}

mete_netbuf_holder_t mete_netbuf_last(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    mete_netbuf_holder_t holder;
    holder.caller = (const void *)mete_atomic_load_relaxed(&buffer->storage->caller);
    holder.owner = (uint32_t)mete_atomic_load_relaxed(&buffer->storage->owner);
    holder.count = mete_atomic_load_relaxed(&buffer->storage->count);
    return holder;
}

mete_netbuf_holder_t mete_netbuf_owner(const mete_netbuf_t *buffer)
{
    METE_ASSERT((buffer != NULL) && is_live(buffer));
    mete_netbuf_holder_t holder;
    holder.caller = (const void *)buffer->caller;
    holder.owner = (uint32_t)buffer->owner;
    holder.count = mete_atomic_load_relaxed(&buffer->storage->count);
    return holder;
}

mete_netbuf_usage_t mete_netbuf_usage(const mete_netbuf_pool_t *pool)
{
    METE_ASSERT((pool != NULL) && (pool->config != NULL));
    mete_netbuf_usage_t usage;
    usage.in_use = mete_atomic_load_relaxed(&pool->in_use);
    usage.in_use_peak = mete_atomic_load_relaxed(&pool->in_use_peak);
    usage.head_count = mete_atomic_load_relaxed(&pool->head_count);
    usage.get_total = mete_atomic_load_relaxed(&pool->get_total);
    usage.clone_total = mete_atomic_load_relaxed(&pool->clone_total);
    usage.send_refusals = mete_atomic_load_relaxed(&pool->send_refusals);
    usage.receive_refusals = mete_atomic_load_relaxed(&pool->receive_refusals);
    return usage;
}

bool mete_netbuf_check(const mete_netbuf_t *packet)
{
    METE_ASSERT(packet != NULL);
    return fault_of(packet) == 0;
}

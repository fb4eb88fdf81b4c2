// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Packet buffers as a subject of exhaustion: a few heads and storages, chained, cloned and filled in every way. Behind them are
// blocks of which the first free one is handed out, unless the call says that this request is refused. The model knows which
// bytes of which storage each head shows, who refers to it and what is in it. Which blocks are used is masked: packets are told
// apart by what they show, and by which of them share.

#include "mete/object/netbuf.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

// A size that is no multiple of the alignment: two lines have room for 16 bytes.
enum { SIZE = 9, ALIGN = 8, ROOM = 16, CHAIN_MAX = 3 };

// The first head and the first storage are those of another pool. Of storages there is one more than there may be.
enum { HEAD_MAX = 7, STORAGE_MAX = 6, STRANGER = 0, NONE = 0 };

enum {
    GET_TO_SEND = EXHAUST_OWN,
    GET_TO_RECEIVE,
    CLONE,
    DROP,
    PUSH,
    PULL,
    PUT,
    TRIM,
    APPEND,
    REMOVE,
    LINEARISE_TO_SEND,
    LINEARISE_TO_RECEIVE,
    APPENDED
};
static const char *const verbs[] = {"get (to send)",
                                    "get (to receive)",
                                    "clone",
                                    "drop",
                                    "push",
                                    "pull",
                                    "put",
                                    "trim",
                                    "append",
                                    "remove",
                                    "linearise (to send)",
                                    "linearise (to receive)",
                                    "append (behind another)"};

// Blocks are told by their numbers; NONE is also that of the other pool's, which is not in any of these packets.
typedef struct one {
    bool is_live;
    bool was_live;
    uint8_t storage;
    uint8_t at;
    uint8_t size;
    uint8_t next;
    uint32_t owner;
    const void *caller;
} one_t;

typedef struct store {
    uint32_t owner;
    const void *caller;
    unsigned char bytes[ROOM];
} store_t;

typedef struct storage_block {
    _Alignas(ALIGN) unsigned char front[METE_NETBUF_FRONT_SIZE(ALIGN)];
    unsigned char bytes[ROOM];
} storage_block_t;
_Static_assert(sizeof(storage_block_t) == METE_NETBUF_STORAGE_SIZE(SIZE, ALIGN), "as it is");

typedef struct layout {
    mete_netbuf_pool_t pool, other;
    mete_netbuf_t heads[HEAD_MAX];
    storage_block_t storages[STORAGE_MAX];
    bool is_head_lent[HEAD_MAX];
    bool is_storage_lent[STORAGE_MAX];
    // The model.
    one_t ones[HEAD_MAX];
    store_t stores[STORAGE_MAX];
    mete_netbuf_usage_t usage;
    uint32_t who;
    uint32_t stamp;  // Bytes written so far.
} layout_t;

// A packet as it is told apart.
typedef struct key {
    size_t count;
    uint8_t heads[CHAIN_MAX];
    uint8_t at[CHAIN_MAX];
    uint8_t size[CHAIN_MAX];
} key_t;

static layout_t *layout;
static mete_netbuf_config_t config;
static size_t head_end;  // Blocks there are.
static size_t storage_end;
static size_t step;  // Bytes are added and taken in so many, or multiples.

static struct {
    size_t refused_at;                 // The request that is refused, counted from 1; 0: none.
    size_t head_count, storage_count;  // Requests for them.
} behind;

// What is free, as it was when it was given back.
static mete_netbuf_t seen_heads[HEAD_MAX];
static storage_block_t seen_storages[STORAGE_MAX];

// ---- What stands behind

static size_t index_of(const mete_netbuf_t *head)
{
    return ((uintptr_t)head - (uintptr_t)layout->heads) / sizeof *head;
}

static size_t storage_of(const void *storage)
{
    return ((uintptr_t)storage - (uintptr_t)layout->storages) / sizeof(storage_block_t);
}

// The first that is not lent, or `end`.
static size_t first_free(const bool *is_lent, size_t end)
{
    size_t i = 0U;
    while ((i < end) && is_lent[i]) {
        i++;
    }
    return (behind.head_count + behind.storage_count == behind.refused_at) ? end : i;
}

static void *lend_head(void *self, size_t size, size_t align)
{
    EXHAUST_EXPECT((self == &head_end) && (size == sizeof(mete_netbuf_t)) &&
                   (align == _Alignof(mete_netbuf_t)));
    behind.head_count++;
    const size_t i = first_free(layout->is_head_lent, head_end);
    if (i == head_end) {
        return NULL;
    }
    layout->is_head_lent[i] = true;
    layout->ones[i].was_live = true;
    return &layout->heads[i];
}

static void take_head_back(void *self, void *head, size_t size, size_t align)
{
    const size_t i = index_of(head);
    EXHAUST_EXPECT((self == &head_end) && (size == sizeof(mete_netbuf_t)) &&
                   (align == _Alignof(mete_netbuf_t)));
    if (EXHAUST_EXPECT((i < head_end) && (head == &layout->heads[i]) && layout->is_head_lent[i])) {
        layout->is_head_lent[i] = false;
        memcpy(&seen_heads[i], head, sizeof seen_heads[i]);
    }
}

static void *lend_storage(void *self, size_t size, size_t align)
{
    EXHAUST_EXPECT((self == &storage_end) && (size == sizeof(storage_block_t)) && (align == ALIGN));
    behind.storage_count++;
    const size_t i = first_free(layout->is_storage_lent, storage_end);
    if (i == storage_end) {
        return NULL;
    }
    layout->is_storage_lent[i] = true;
    return &layout->storages[i];
}

static void take_storage_back(void *self, void *storage, size_t size, size_t align)
{
    const size_t i = storage_of(storage);
    EXHAUST_EXPECT((self == &storage_end) && (size == sizeof(storage_block_t)) && (align == ALIGN));
    if (EXHAUST_EXPECT((i < storage_end) && (storage == &layout->storages[i]) &&
                       layout->is_storage_lent[i])) {
        layout->is_storage_lent[i] = false;
        memcpy(&seen_storages[i], storage, sizeof seen_storages[i]);
    }
}

static const mete_alloc_ops_t head_ops = {lend_head, take_head_back, NULL, NULL, NULL};
static const mete_alloc_ops_t storage_ops = {lend_storage, take_storage_back, NULL, NULL, NULL};

static uint32_t who(void *self)
{
    EXHAUST_EXPECT(self == &config);
    return layout->who;
}

// ---- Start

static exhaust_offer_t begin(mete_span_t arena, size_t head_count,
                             const mete_netbuf_config_t *terms)
{
    layout = arena.start;
    config = *terms;
    config.heads = (mete_alloc_t){&head_ops, &head_end};
    config.storages = (mete_alloc_t){&storage_ops, &storage_end};
    config.size = SIZE;
    config.align = ALIGN;
    config.self = &config;
    head_end = head_count + 1U;
    storage_end = config.storage_max + 2U;
    EXHAUST_EXPECT((head_end <= HEAD_MAX) && (storage_end <= STORAGE_MAX));
    EXHAUST_EXPECT(mete_netbuf_init(&layout->pool, &config));
    EXHAUST_EXPECT(mete_netbuf_init(&layout->other, &config));
    behind.refused_at = 0U;
    EXHAUST_EXPECT(mete_netbuf_get(&layout->other, METE_NETBUF_RECEIVE) ==
                   &layout->heads[STRANGER]);
    return (exhaust_offer_t){
        {NULL, NULL}, {layout->storages, sizeof layout->storages}, sizeof *layout};
}

// Packets of several buffers, in whole lines.
static exhaust_offer_t begin_lines(mete_span_t arena, size_t scale)
{
    step = 8U;
    return begin(arena, scale + 1U,
                 &(mete_netbuf_config_t){.headroom = 8U,
                                         .storage_max = scale,
                                         .receive_reserve = 1U,
                                         .chain_max = (scale < CHAIN_MAX) ? scale : CHAIN_MAX,
                                         .owner = who});
}

// Fewer buffers, that start and end between lines, too. Nobody wants to know who, and nothing is reserved.
static exhaust_offer_t begin_bytes(mete_span_t arena, size_t scale)
{
    step = 2U;
    return begin(arena, scale,
                 &(mete_netbuf_config_t){.headroom = 2U, .storage_max = scale, .chain_max = 2U});
}

// ---- The model: what must happen

static size_t count_to(size_t storage)
{
    size_t count = 0U;
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        count += (layout->ones[i].is_live && (layout->ones[i].storage == storage)) ? 1U : 0U;
    }
    return count;
}

static bool is_shared(size_t index)
{
    return count_to(layout->ones[index].storage) != 1U;
}

static size_t headroom_of(size_t index)
{
    return is_shared(index) ? 0U : layout->ones[index].at;
}

static size_t tailroom_of(size_t index)
{
    const one_t *const one = &layout->ones[index];
    return is_shared(index) ? 0U : (size_t)ROOM - one->at - one->size;
}

static bool is_first(size_t index)
{
    bool is_behind = false;
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        is_behind = is_behind || (layout->ones[i].is_live && (layout->ones[i].next == index));
    }
    return layout->ones[index].is_live && !is_behind;
}

static size_t chain_count(size_t index)
{
    size_t count = 0U;
    for (size_t i = index; i != NONE; i = layout->ones[i].next) {
        count++;
    }
    return count;
}

static size_t length_of(size_t index)
{
    size_t length = 0U;
    for (size_t i = index; i != NONE; i = layout->ones[i].next) {
        length += layout->ones[i].size;
    }
    return length;
}

// Its content; returns how much that is.
static size_t gather(size_t index, unsigned char *to)
{
    size_t length = 0U;
    for (size_t i = index; i != NONE; i = layout->ones[i].next) {
        const one_t *const one = &layout->ones[i];
        memcpy(to + length, layout->stores[one->storage].bytes + one->at, one->size);
        length += one->size;
    }
    return length;
}

static bool may_take_storage(mete_netbuf_use_t use)
{
    const size_t reserve = (use == METE_NETBUF_SEND) ? config.receive_reserve : 0U;
    return layout->usage.in_use < config.storage_max - reserve;
}

// A storage was taken, maybe only for a moment.
static void count_taken(void)
{
    layout->usage.in_use++;
    if (layout->usage.in_use > layout->usage.in_use_peak) {
        layout->usage.in_use_peak = layout->usage.in_use;
    }
}

static void count_refusal(mete_netbuf_use_t use)
{
    if (use == METE_NETBUF_SEND) {
        layout->usage.send_refusals++;
    } else {
        layout->usage.receive_refusals++;
    }
}

static void give_up(size_t index)
{
    const size_t storage = layout->ones[index].storage;
    layout->ones[index] = (one_t){.was_live = true};
    layout->usage.head_count--;
    layout->usage.in_use -= (count_to(storage) == 0U) ? 1U : 0U;
}

static void give_all_up(size_t index)
{
    for (size_t i = index; i != NONE;) {
        const size_t next = layout->ones[i].next;
        give_up(i);
        i = next;
    }
}

static uint32_t owner_now(void)
{
    return (config.owner != NULL) ? layout->who : 0U;
}

// A head refers to a storage from now on. What it says about its caller is taken down.
static void refer(size_t index, size_t storage)
{
    one_t *const one = &layout->ones[index];
    const mete_netbuf_holder_t holder = mete_netbuf_owner(&layout->heads[index]);
    EXHAUST_EXPECT(holder.caller != NULL);
    one->storage = (uint8_t)storage;
    one->owner = owner_now();
    one->caller = holder.caller;
    layout->stores[storage].owner = one->owner;
    layout->stores[storage].caller = one->caller;
}

static void add_head(size_t index, size_t storage, size_t at, size_t size)
{
    layout->ones[index] =
        (one_t){.is_live = true, .was_live = true, .at = (uint8_t)at, .size = (uint8_t)size};
    layout->usage.head_count++;
    refer(index, storage);
}

// ---- What is there

static unsigned char *bytes_of(size_t storage)
{
    return layout->storages[storage].bytes;
}

static bool is_holder(mete_netbuf_holder_t holder, uint32_t owner, const void *caller, size_t count)
{
    return (holder.owner == owner) && (holder.caller == caller) && (holder.count == count);
}

static bool has_right_lines(size_t index)
{
    const one_t *const one = &layout->ones[index];
    const size_t first = one->at / ALIGN * ALIGN;
    const size_t end = (one->at + (size_t)one->size + ALIGN - 1U) / ALIGN * ALIGN;
    const mete_span_t lines = mete_netbuf_span_lines(&layout->heads[index]);
    return (one->size == 0U)
               ? (lines.size == 0U)
               : (lines.start == bytes_of(one->storage) + first) && (lines.size == end - first);
}

static bool is_right(size_t index)
{
    const one_t *const one = &layout->ones[index];
    const mete_netbuf_t *const head = &layout->heads[index];
    const store_t *const store = &layout->stores[one->storage];
    const size_t count = count_to(one->storage);
    return (head->next == ((one->next != NONE) ? &layout->heads[one->next] : NULL)) &&
           (head->start == bytes_of(one->storage) + one->at) && (head->size == one->size) &&
           (mete_netbuf_is_shared(head) == (count != 1U)) &&
           (mete_netbuf_headroom(head) == headroom_of(index)) &&
           (mete_netbuf_tailroom(head) == tailroom_of(index)) && has_right_lines(index) &&
           is_holder(mete_netbuf_owner(head), one->owner, one->caller, count) &&
           is_holder(mete_netbuf_last(head), store->owner, store->caller, count);
}

static bool is_right_packet(size_t index)
{
    unsigned char right[CHAIN_MAX * ROOM];
    unsigned char read[CHAIN_MAX * ROOM + 1U];
    const mete_netbuf_t *const packet = &layout->heads[index];
    const size_t length = gather(index, right);
    return mete_netbuf_check(packet) && (mete_netbuf_length(packet) == length) &&
           (mete_netbuf_read(packet, 0U, read, sizeof read) == length) &&
           (memcmp(read, right, length) == 0);
}

static bool are_heads_right(void)
{
    bool is_good = true;
    for (size_t i = STRANGER + 1U; (i < head_end) && is_good; i++) {
        is_good = (layout->is_head_lent[i] == layout->ones[i].is_live) &&
                  (!layout->ones[i].is_live || is_right(i)) && (!is_first(i) || is_right_packet(i));
    }
    return is_good;
}

static bool are_storages_right(void)
{
    bool is_good = true;
    for (size_t i = STRANGER + 1U; (i < storage_end) && is_good; i++) {
        is_good = (layout->is_storage_lent[i] == (count_to(i) != 0U)) &&
                  (!layout->is_storage_lent[i] ||
                   (memcmp(bytes_of(i), layout->stores[i].bytes, ROOM) == 0));
    }
    return is_good;
}

static bool is_sound(void)
{
    const mete_netbuf_usage_t usage = mete_netbuf_usage(&layout->pool);
    const mete_netbuf_usage_t other = mete_netbuf_usage(&layout->other);
    return are_heads_right() && are_storages_right() &&
           (memcmp(&usage, &layout->usage, sizeof usage) == 0) && (other.in_use == 1U) &&
           (other.head_count == 1U);
}

static void see_free(void)
{
    memcpy(seen_heads, layout->heads, sizeof seen_heads);
    memcpy(seen_storages, layout->storages, sizeof seen_storages);
}

// Nothing was written to what is free.
static bool are_free_untouched(void)
{
    bool is_good = true;
    for (size_t i = 0U; (i < head_end) && is_good; i++) {
        is_good = layout->is_head_lent[i] ||
                  (memcmp(&seen_heads[i], &layout->heads[i], sizeof seen_heads[i]) == 0);
    }
    for (size_t i = 0U; (i < storage_end) && is_good; i++) {
        is_good = layout->is_storage_lent[i] ||
                  (memcmp(&seen_storages[i], &layout->storages[i], sizeof seen_storages[i]) == 0);
    }
    return is_good;
}

// ---- Calls and what must come of them

static void expect_requests(size_t storage_count, size_t head_count)
{
    EXHAUST_EXPECT((behind.storage_count == storage_count) && (behind.head_count == head_count));
}

static size_t free_heads(void)
{
    return head_end - 1U - layout->usage.head_count;
}

static void get(mete_netbuf_use_t use)
{
    const bool has_storage = may_take_storage(use) && (behind.refused_at != 1U);
    const bool has_head = has_storage && (free_heads() != 0U) && (behind.refused_at != 2U);
    const mete_netbuf_t *const buffer = mete_netbuf_get(&layout->pool, use);
    EXHAUST_EXPECT((buffer != NULL) == has_head);
    expect_requests(may_take_storage(use) ? 1U : 0U, has_storage ? 1U : 0U);
    if (has_storage) {
        count_taken();
    }
    if ((buffer == NULL) || !has_head) {
        layout->usage.in_use -= has_storage ? 1U : 0U;
        count_refusal(use);
        exhaust_unchanged();
        return;
    }
    const size_t storage = storage_of(buffer->storage);
    if (EXHAUST_EXPECT((index_of(buffer) < head_end) && (storage < storage_end))) {
        add_head(index_of(buffer), storage, config.headroom, 0U);
        memcpy(layout->stores[storage].bytes, bytes_of(storage), ROOM);
        layout->usage.get_total++;
    }
}

// Heads that were made, and given back because there were not enough.
static void expect_no_clone(size_t index, size_t made_count)
{
    size_t from = index;
    for (size_t i = 0U; i < made_count; i++) {
        store_t *const store = &layout->stores[layout->ones[from].storage];
        const mete_netbuf_holder_t last = mete_netbuf_last(&layout->heads[from]);
        EXHAUST_EXPECT(last.caller != NULL);
        store->owner = owner_now();
        store->caller = last.caller;
        from = layout->ones[from].next;
    }
    if (made_count == 0U) {  // Else another head may be the next.
        exhaust_unchanged();
    }
}

static void clone(size_t index)
{
    const size_t count = chain_count(index);
    size_t made_count = (free_heads() < count) ? free_heads() : count;
    if ((behind.refused_at != 0U) && (behind.refused_at <= made_count)) {
        made_count = behind.refused_at - 1U;
    }
    const mete_netbuf_t *head = mete_netbuf_clone(&layout->heads[index]);
    EXHAUST_EXPECT((head != NULL) == (made_count == count));
    expect_requests(0U, (made_count == count) ? count : made_count + 1U);
    layout->usage.clone_total += made_count;
    if (head == NULL) {
        expect_no_clone(index, made_count);
        return;
    }
    one_t *before = NULL;
    for (size_t from = index;
         (from != NONE) && EXHAUST_EXPECT((head != NULL) && (index_of(head) < head_end));
         from = layout->ones[from].next) {
        const one_t *const one = &layout->ones[from];
        add_head(index_of(head), one->storage, one->at, one->size);
        if (before != NULL) {
            before->next = (uint8_t)index_of(head);
        }
        before = &layout->ones[index_of(head)];
        head = head->next;
    }
}

// New bytes, as whoever added them writes them.
static void write_bytes(size_t storage, size_t at, size_t size)
{
    for (size_t i = at; i < at + size; i++) {
        layout->stamp = (layout->stamp + 1U) % 251U;
        bytes_of(storage)[i] = (unsigned char)layout->stamp;
        layout->stores[storage].bytes[i] = (unsigned char)layout->stamp;
    }
}

static void add_bytes(size_t index, size_t size, bool is_in_front)
{
    one_t *const one = &layout->ones[index];
    mete_netbuf_t *const buffer = &layout->heads[index];
    const size_t room = is_in_front ? headroom_of(index) : tailroom_of(index);
    const unsigned char *const start =
        is_in_front ? mete_netbuf_push(buffer, size) : mete_netbuf_put(buffer, size);
    if (size > room) {
        EXHAUST_EXPECT(start == NULL);
        exhaust_unchanged();
        return;
    }
    one->at = (uint8_t)(one->at - (is_in_front ? size : 0U));
    const size_t at = (size_t)one->at + (is_in_front ? 0U : one->size);
    one->size = (uint8_t)(one->size + size);
    EXHAUST_EXPECT(start == bytes_of(one->storage) + at);
    write_bytes(one->storage, at, size);
}

static void take_bytes(size_t index, size_t size, bool is_in_front)
{
    one_t *const one = &layout->ones[index];
    mete_netbuf_t *const buffer = &layout->heads[index];
    const bool is_done =
        is_in_front ? mete_netbuf_pull(buffer, size) : mete_netbuf_trim(buffer, size);
    EXHAUST_EXPECT(is_done == (size <= one->size));
    if (!is_done) {
        exhaust_unchanged();
        return;
    }
    one->at = (uint8_t)(one->at + (is_in_front ? size : 0U));
    one->size = (uint8_t)(is_in_front ? one->size - size : size);
}

static void append(size_t index, size_t rest)
{
    const bool is_done = mete_netbuf_append(&layout->heads[index], &layout->heads[rest]);
    EXHAUST_EXPECT(is_done == (chain_count(index) + chain_count(rest) <= config.chain_max));
    if (!is_done) {
        exhaust_unchanged();
        return;
    }
    size_t last = index;
    while (layout->ones[last].next != NONE) {
        last = layout->ones[last].next;
    }
    layout->ones[last].next = (uint8_t)rest;
}

static void remove_rest(size_t index)
{
    one_t *const one = &layout->ones[index];
    const mete_netbuf_t *const rest = mete_netbuf_remove(&layout->heads[index]);
    EXHAUST_EXPECT(rest == ((one->next != NONE) ? &layout->heads[one->next] : NULL));
    one->next = NONE;
}

// Into the storage that the head has now.
static void expect_in_one(size_t index, size_t length)
{
    unsigned char content[CHAIN_MAX * ROOM];
    one_t *const one = &layout->ones[index];
    const size_t old = one->storage;
    const size_t storage = storage_of(layout->heads[index].storage);
    if (!EXHAUST_EXPECT((storage < storage_end) && (count_to(storage) == 0U))) {
        return;
    }
    (void)gather(index, content);
    give_all_up(one->next);
    one->next = NONE;
    one->at = (uint8_t)((one->at <= ROOM - length) ? one->at : ROOM - length);
    one->size = (uint8_t)length;
    refer(index, storage);
    layout->usage.in_use -= (count_to(old) == 0U) ? 1U : 0U;
    EXHAUST_EXPECT(memcmp(bytes_of(storage) + one->at, content, length) == 0);
    memcpy(layout->stores[storage].bytes, bytes_of(storage), ROOM);
}

static void linearise(size_t index, mete_netbuf_use_t use)
{
    const size_t length = length_of(index);
    const bool is_one = (layout->ones[index].next == NONE) && !is_shared(index);
    const bool asks = !is_one && (length <= ROOM) && may_take_storage(use);
    const bool is_served = asks && (behind.refused_at != 1U);
    const bool is_done = mete_netbuf_linearise(&layout->heads[index], use);
    EXHAUST_EXPECT(is_done == (is_one || is_served));
    expect_requests(asks ? 1U : 0U, 0U);
    if (is_done && !is_one) {
        count_taken();
        expect_in_one(index, length);
        return;
    }
    if (!is_one && (length <= ROOM)) {
        count_refusal(use);
    }
    exhaust_unchanged();
}

static void call(const exhaust_op_t *op)
{
    const size_t index = (size_t)op->at;
    switch (op->verb) {
    case GET_TO_SEND:
    case GET_TO_RECEIVE:
        get((op->verb == GET_TO_SEND) ? METE_NETBUF_SEND : METE_NETBUF_RECEIVE);
        break;
    case CLONE:
        clone(index);
        break;
    case DROP:
        mete_netbuf_drop(&layout->heads[index]);
        give_all_up(index);
        break;
    case PUSH:
    case PUT:
        add_bytes(index, op->size, op->verb == PUSH);
        break;
    case PULL:
    case TRIM:
        take_bytes(index, op->size, op->verb == PULL);
        break;
    case APPEND:
        append(index, op->size);
        break;
    case REMOVE:
        remove_rest(index);
        break;
    default:
        linearise(index, (op->verb == LINEARISE_TO_SEND) ? METE_NETBUF_SEND : METE_NETBUF_RECEIVE);
        break;
    }
}

static void perform(const exhaust_op_t *op)
{
    behind.refused_at = op->more;
    behind.head_count = 0U;
    behind.storage_count = 0U;
    layout->who++;
    see_free();
    call(op);
    EXHAUST_EXPECT(is_sound() && are_free_untouched());
}

// ---- What can be called

static void add(exhaust_ops_t *ops, unsigned verb, size_t index, size_t size, size_t refused_at)
{
    exhaust_add_op(ops, (uint8_t)verb, (int)index, size, 0U);
    ops->ops[ops->count - 1U].more = (uint8_t)refused_at;
}

// And one that is too many.
static void add_sizes(exhaust_ops_t *ops, unsigned verb, size_t index, size_t most)
{
    for (size_t size = 0U; size <= most; size += step) {
        add(ops, verb, index, size, 0U);
    }
    add(ops, verb, index, most + 1U, 0U);
}

static void list_buffer(exhaust_ops_t *ops, size_t index)
{
    add_sizes(ops, PUSH, index, headroom_of(index));
    add_sizes(ops, PUT, index, tailroom_of(index));
    add_sizes(ops, PULL, index, layout->ones[index].size);
    add_sizes(ops, TRIM, index, layout->ones[index].size);
    add(ops, REMOVE, index, 0U, 0U);
}

static void list_packet(exhaust_ops_t *ops, size_t index)
{
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        if ((i != index) && is_first(i)) {
            add(ops, APPEND, index, i, 0U);
        }
    }
    for (size_t refused_at = 0U; refused_at <= chain_count(index); refused_at++) {
        add(ops, CLONE, index, 0U, refused_at);
    }
    for (size_t refused_at = 0U; refused_at <= 1U; refused_at++) {
        add(ops, LINEARISE_TO_SEND, index, 0U, refused_at);
        add(ops, LINEARISE_TO_RECEIVE, index, 0U, refused_at);
    }
    add(ops, DROP, index, 0U, 0U);
}

static void list(exhaust_ops_t *ops)
{
    for (size_t refused_at = 0U; refused_at <= 2U; refused_at++) {
        add(ops, GET_TO_SEND, 0U, 0U, refused_at);
        add(ops, GET_TO_RECEIVE, 0U, 0U, refused_at);
    }
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        if (layout->ones[i].is_live) {
            list_buffer(ops, i);
        }
        if (is_first(i)) {
            list_packet(ops, i);
        }
    }
}

// ---- What does not matter

static key_t key_of(size_t index)
{
    key_t key = {0};
    for (size_t i = index; (i != NONE) && (key.count < CHAIN_MAX); i = layout->ones[i].next) {
        key.heads[key.count] = (uint8_t)i;
        key.at[key.count] = layout->ones[i].at;
        key.size[key.count] = layout->ones[i].size;
        key.count++;
    }
    return key;
}

// By what they show.
static bool is_less(const key_t *a, const key_t *b)
{
    if (a->count != b->count) {
        return a->count < b->count;
    }
    const int order = memcmp(a->at, b->at, sizeof a->at);
    return (order != 0) ? (order < 0) : (memcmp(a->size, b->size, sizeof a->size) < 0);
}

static size_t sorted_keys(key_t *keys)
{
    size_t count = 0U;
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        if (is_first(i)) {
            const key_t key = key_of(i);
            size_t place = count;
            for (; (place != 0U) && is_less(&key, &keys[place - 1U]); place--) {
                keys[place] = keys[place - 1U];
            }
            keys[place] = key;
            count++;
        }
    }
    return count;
}

// What the head that is handed out next was before: none, never used, dropped, dropped with others behind.
static size_t next_head(void)
{
    size_t i = STRANGER + 1U;
    while ((i < head_end) && layout->ones[i].is_live) {
        i++;
    }
    if ((i == head_end) || !layout->ones[i].was_live) {
        return (i == head_end) ? 0U : 1U;
    }
    return (layout->heads[i].next == NULL) ? 2U : 3U;
}

// A state is its packets in order of what they show, storages numbered as they come.
static void mask(unsigned char *copy)
{
    key_t keys[HEAD_MAX];
    uint8_t numbers[STORAGE_MAX] = {0};
    uint8_t number_count = 0U;
    unsigned char *to = copy;
    memset(copy, 0, sizeof *layout);
    const size_t count = sorted_keys(keys);
    *to++ = (unsigned char)next_head();
    for (size_t i = 0U; i < count; i++) {
        *to++ = (unsigned char)keys[i].count;
        for (size_t j = 0U; j < keys[i].count; j++) {
            uint8_t *const number = &numbers[layout->ones[keys[i].heads[j]].storage];
            if (*number == 0U) {
                number_count++;
                *number = number_count;
            }
            *to++ = *number;
            *to++ = keys[i].at[j];
            *to++ = keys[i].size[j];
        }
    }
}

// ---- Misuse

// A packet that is good, to be named beside one that is not; the stranger, if there is none.
static mete_netbuf_t *good_packet(const mete_netbuf_t *but)
{
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        if (is_first(i) && (&layout->heads[i] != but)) {
            return &layout->heads[i];
        }
    }
    return &layout->heads[STRANGER];
}

// A word of bookkeeping that is wrong during a call.
typedef struct damage {
    void *at;  // NULL: none.
    uintptr_t bad;
} damage_t;

static uintptr_t swap_word(void *at, uintptr_t word)
{
    uintptr_t old = 0U;
    memcpy(&old, at, sizeof old);
    memcpy(at, &word, sizeof word);
    return old;
}

// True if it says that it did nothing.
static bool is_refusal(unsigned verb, mete_netbuf_t *buffer, mete_netbuf_t *good)
{
    switch (verb) {
    case CLONE:
        return mete_netbuf_clone(buffer) == NULL;
    case DROP:
        mete_netbuf_drop(buffer);
        return true;
    case PUSH:
        return mete_netbuf_push(buffer, 0U) == NULL;
    case PULL:
        return !mete_netbuf_pull(buffer, 0U);
    case PUT:
        return mete_netbuf_put(buffer, 0U) == NULL;
    case TRIM:
        return !mete_netbuf_trim(buffer, 0U);
    case APPEND:
        return !mete_netbuf_append(buffer, good);
    case APPENDED:
        return !mete_netbuf_append(good, buffer);
    case REMOVE:
        return mete_netbuf_remove(buffer) == NULL;
    default:
        return !mete_netbuf_linearise(buffer, (verb == LINEARISE_TO_SEND) ? METE_NETBUF_SEND
                                                                          : METE_NETBUF_RECEIVE);
    }
}

static void misuse_by(unsigned verb, mete_netbuf_t *buffer, damage_t damage, unsigned faults)
{
    mete_netbuf_t *const good = good_packet(buffer);
    exhaust_doing((uint8_t)verb, exhaust_at(buffer), 0U, 0U);
    uintptr_t right = 0U;
    if (damage.at != NULL) {
        right = swap_word(damage.at, damage.bad);
    }
    EXHAUST_EXPECT(!mete_netbuf_check(buffer));
    EXHAUST_EXPECT(is_refusal(verb, buffer, good));
    if (damage.at != NULL) {
        EXHAUST_EXPECT(swap_word(damage.at, right) == damage.bad);
    }
    exhaust_refused(faults);
}

// What looks at one buffer alone.
static void misuse_one(mete_netbuf_t *buffer, damage_t damage, unsigned faults)
{
    static const unsigned calls[] = {PUSH, PULL, PUT, TRIM, REMOVE};
    for (size_t i = 0U; i < sizeof calls / sizeof calls[0]; i++) {
        misuse_by(calls[i], buffer, damage, faults);
    }
}

// What looks at all that are behind.
static void misuse_packet(mete_netbuf_t *packet, damage_t damage, unsigned faults)
{
    static const unsigned calls[] = {
        CLONE, DROP, APPEND, APPENDED, LINEARISE_TO_SEND, LINEARISE_TO_RECEIVE};
    for (size_t i = 0U; i < sizeof calls / sizeof calls[0]; i++) {
        misuse_by(calls[i], packet, damage, faults);
    }
}

// Whatever is no head, or is one no more.
static void misuse_address(int at)
{
    static const damage_t none = {NULL, 0U};
    mete_netbuf_t *const address = exhaust_address(at);
    const size_t index = index_of(address);
    const bool is_head = (index < HEAD_MAX) && (address == &layout->heads[index]);
    if (is_head && ((index == STRANGER) || layout->ones[index].is_live)) {
        return;
    }
    const bool was_dropped = is_head && layout->ones[index].was_live;
    const unsigned faults = 1U << (was_dropped ? METE_FAULT_DOUBLE_FREE : METE_FAULT_FOREIGN);
    misuse_one(address, none, faults);
    misuse_packet(address, none, faults);
}

// Bytes outside of their storage, or one without references: seen by calls on this buffer, and on the packet.
static void misuse_bytes(size_t first, size_t index)
{
    mete_netbuf_t *const packet = &layout->heads[first];
    mete_netbuf_t *const buffer = &layout->heads[index];
    const one_t *const one = &layout->ones[index];
    const uintptr_t start = (uintptr_t)bytes_of(one->storage);
    const damage_t all[] = {
        {&buffer->start, start - 1U},
        {&buffer->start, start + ROOM - one->size + 1U},
        {&buffer->start, (uintptr_t)layout->storages - 1U},
        {&buffer->size, (uintptr_t)ROOM - one->at + 1U},
        {&buffer->size, UINTPTR_MAX},
        {&buffer->size, UINTPTR_MAX - one->at + 1U},
        {&layout->storages[one->storage], 0U},
    };
    for (size_t i = 0U; i < sizeof all / sizeof all[0]; i++) {
        // From the storage's start on so many bytes may be there: 0.
        if ((all[i].at != &buffer->size) || (all[i].bad != 0U)) {
            misuse_one(buffer, all[i], 1U << METE_FAULT_CORRUPT);
            misuse_packet(packet, all[i], 1U << METE_FAULT_CORRUPT);
        }
    }
}

// What is behind is the packet itself, another pool's, dropped, or nothing that was ever a head.
static void misuse_next(size_t first, size_t index)
{
    mete_netbuf_t *const packet = &layout->heads[first];
    mete_netbuf_t *const buffer = &layout->heads[index];
    misuse_packet(packet, (damage_t){&buffer->next, (uintptr_t)packet}, 1U << METE_FAULT_CORRUPT);
    misuse_packet(packet, (damage_t){&buffer->next, (uintptr_t)layout->heads},
                  1U << METE_FAULT_CORRUPT);
    for (size_t i = STRANGER + 1U; i < HEAD_MAX; i++) {
        if (!layout->ones[i].is_live) {
            misuse_packet(packet, (damage_t){&buffer->next, (uintptr_t)&layout->heads[i]},
                          1U << METE_FAULT_CORRUPT);
        }
    }
}

static void misuse_order(size_t a, size_t b)
{
    exhaust_doing(APPEND, exhaust_at(&layout->heads[a]), b, 0U);
    EXHAUST_EXPECT(!mete_netbuf_append(&layout->heads[a], &layout->heads[b]));
    exhaust_refused(1U << METE_FAULT_ORDER);
}

static void misuse_stranger(mete_netbuf_t *packet)
{
    mete_netbuf_t *const stranger = &layout->heads[STRANGER];
    exhaust_doing(APPEND, exhaust_at(packet), STRANGER, 0U);
    EXHAUST_EXPECT(!mete_netbuf_append(packet, stranger));
    exhaust_refused(1U << METE_FAULT_FOREIGN);
    EXHAUST_EXPECT(!mete_netbuf_append(stranger, packet));
    exhaust_refused(1U << METE_FAULT_FOREIGN);
}

// More than any storage has.
static void misuse_huge(size_t index)
{
    mete_netbuf_t *const buffer = &layout->heads[index];
    exhaust_doing(PUSH, exhaust_at(buffer), UINT16_MAX, 0U);
    for (size_t less = 0U; less <= 2U * (size_t)ROOM; less++) {
        EXHAUST_EXPECT((mete_netbuf_push(buffer, SIZE_MAX - less) == NULL) &&
                       (mete_netbuf_put(buffer, SIZE_MAX - less) == NULL) &&
                       !mete_netbuf_pull(buffer, SIZE_MAX - less) &&
                       !mete_netbuf_trim(buffer, SIZE_MAX - less));
    }
    exhaust_refused(0U);
}

// Every stretch can be read, and no byte more.
static void read_all(size_t index)
{
    unsigned char right[CHAIN_MAX * ROOM];
    unsigned char read[CHAIN_MAX * ROOM + 2U];
    const size_t length = gather(index, right);
    for (size_t offset = 0U; offset <= length + 1U; offset++) {
        const size_t left = (offset < length) ? length - offset : 0U;
        for (size_t size = 0U; size <= left + 1U; size++) {
            const size_t count = (size < left) ? size : left;
            memset(read, 0xEE, sizeof read);
            EXHAUST_EXPECT(
                (mete_netbuf_read(&layout->heads[index], offset, read, size) == count) &&
                (memcmp(read, right + offset - ((count == 0U) ? offset : 0U), count) == 0) &&
                (read[count] == 0xEEU));
        }
    }
    exhaust_refused(0U);
}

static void misuse_live(size_t first)
{
    for (size_t i = first; i != NONE; i = layout->ones[i].next) {
        misuse_bytes(first, i);
        misuse_next(first, i);
        misuse_huge(i);
        for (size_t j = first; j != NONE; j = layout->ones[j].next) {
            misuse_order(i, j);
        }
        if (i != first) {
            misuse_packet(&layout->heads[first], (damage_t){&layout->heads[i].tag, 0U},
                          1U << METE_FAULT_CORRUPT);
            misuse_packet(&layout->heads[first],
                          (damage_t){&layout->heads[i].pool, (uintptr_t)&layout->other},
                          1U << METE_FAULT_CORRUPT);
        }
    }
    misuse_stranger(&layout->heads[first]);
    read_all(first);
}

static void misuse_init(void)
{
    const mete_netbuf_config_t good = config;
    mete_netbuf_config_t bad[] = {good, good, good, good, good, good, good, good, good, good};
    bad[0].heads.ops = NULL;
    bad[1].storages.ops = NULL;
    bad[2].size = 0U;
    bad[3].size = SIZE_MAX / 2U + 1U;
    bad[4].align = 24U;
    bad[5].align = 1U;
    bad[6].headroom = SIZE + 1U;
    bad[7].storage_max = 0U;
    bad[8].receive_reserve = good.storage_max + 1U;
    bad[9].chain_max = 0U;
    for (size_t i = 0U; i < sizeof bad / sizeof bad[0]; i++) {
        EXHAUST_EXPECT(!mete_netbuf_init(&layout->pool, &bad[i]));
    }
    EXHAUST_EXPECT(!mete_netbuf_init(&layout->pool, NULL));
    exhaust_refused(0U);
}

static void misuse(void)
{
    behind.refused_at = 0U;
    behind.head_count = 0U;
    behind.storage_count = 0U;
    for (int at = exhaust_first(); at < exhaust_end(); at += (int)_Alignof(mete_netbuf_t)) {
        misuse_address(at);
    }
    for (size_t i = STRANGER + 1U; i < head_end; i++) {
        if (is_first(i)) {
            misuse_live(i);
        }
    }
    mete_netbuf_drop(NULL);
    misuse_init();
    expect_requests(0U, 0U);
}

const exhaust_subject_t exhaust_netbuf = {
    .name = "netbuf",
    .verbs = verbs,
    .init = begin_lines,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t exhaust_netbuf_bytes = {
    .name = "netbuf.bytes",
    .verbs = verbs,
    .init = begin_bytes,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

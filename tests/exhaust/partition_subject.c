// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The partition as a subject of exhaustion: three owners, each with one slot at home, and a few slots in common. The first
// may have all that is common, the others little; all may wait. The model knows who holds which slot and who came when, and
// says which slot each gets. Whoever has room at home must be served there, whatever the others took.

#include "mete/protect/partition.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum {
    OWNERS = 3,
    COMMON_MAX = 6,
    SLOTS_MAX = OWNERS + COMMON_MAX,
    SLOT = 16,
    GRANULE = 8,
    WAITING_SIZE = 16
};
enum { ALIGN = 8, SMALL = 5, LARGE = 16 };

enum { TAKE = EXHAUST_OWN, GIVE, FETCH, WAIT, LEAVE };
static const char *const verbs[] = {"acquire (by owner)", "release", "release (by another who may)",
                                    "queue", "remove"};

// What stands behind: the first slot that is free. Slots of all lie in one row, those of the homes first.
typedef struct room {
    uint16_t first, count;
} room_t;

typedef struct layout {
    mete_partition_t partition;
    mete_partition_owner_t owners[OWNERS];
    mete_partition_request_t requests[OWNERS];
    room_t rooms[OWNERS + 1];
    uint16_t table[COMMON_MAX * SLOT / GRANULE];
    uint8_t is_taken[SLOTS_MAX];
    // The model: of each slot, who holds it, counted from 1, and how much; and who waits, the first one first.
    uint8_t holders[SLOTS_MAX];
    uint8_t sizes[SLOTS_MAX];
    uint8_t line[OWNERS];
    uint8_t line_count;
    _Alignas(SLOT) unsigned char slots[SLOTS_MAX * SLOT];
} layout_t;

static layout_t *layout;
static mete_partition_terms_t terms[OWNERS];
static mete_partition_config_t config;
static size_t slot_count;
static uint32_t asker;

// Whom the callbacks of the last call served, and with which slot.
static size_t served_count;
static struct {
    size_t owner, slot;
} served[OWNERS];

// ---- What stands behind

static void *room_acquire(void *self, size_t size, size_t align)
{
    const room_t *const room = self;
    for (size_t i = room->first;
         (i < (size_t)room->first + room->count) && (size <= SLOT) && (align <= SLOT); i++) {
        if (layout->is_taken[i] == 0U) {
            layout->is_taken[i] = 1U;
            return &layout->slots[i * SLOT];
        }
    }
    return NULL;
}

static size_t slot_of(const void *block)
{
    return ((uintptr_t)block - (uintptr_t)layout->slots) / SLOT;
}

static void room_release(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    layout->is_taken[slot_of(block)] = 0U;
}

static bool room_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)self, (void)block, (void)old_size, (void)align;
    return new_size <= SLOT;
}

static const mete_alloc_ops_t room_ops = {room_acquire, room_release, room_resize, NULL, NULL};

static uint32_t who(void *self)
{
    (void)self;
    return asker;
}

static void on_served(void *self, void *block)
{
    const mete_partition_request_t *const request = self;
    if (EXHAUST_EXPECT(served_count < OWNERS)) {
        served[served_count].owner = (size_t)(request - layout->requests);
        served[served_count].slot = slot_of(block);
        served_count++;
    }
}

// ---- Start

// The last owner may take away what the first has, as one does that gets messages.
static const uint8_t rights[OWNERS][OWNERS] = {{METE_PARTITION_ALL, 0U, METE_PARTITION_RELEASE},
                                               {0U, METE_PARTITION_ALL, 0U},
                                               {0U, 0U, METE_PARTITION_ALL}};

static exhaust_offer_t begin_with(mete_span_t arena, size_t scale, mete_partition_policy_t policy)
{
    static const size_t quotas[OWNERS] = {COMMON_MAX * SLOT, 3U * GRANULE, 2U * GRANULE};
    mete_alloc_t homes[OWNERS];
    layout = arena.start;
    slot_count = OWNERS + scale;
    for (size_t i = 0U; i < OWNERS; i++) {
        layout->rooms[i] = (room_t){(uint16_t)i, 1U};
        homes[i] = (mete_alloc_t){&room_ops, &layout->rooms[i]};
        terms[i] =
            (mete_partition_terms_t){{&layout->slots[i * SLOT], SLOT}, quotas[i], (uint32_t)i};
    }
    layout->rooms[OWNERS] = (room_t){OWNERS, (uint16_t)scale};
    config = (mete_partition_config_t){.terms = terms,
                                       .owners = layout->owners,
                                       .rights = rights[0],
                                       .owner_count = OWNERS,
                                       .common = {&layout->slots[OWNERS * SLOT], scale * SLOT},
                                       .common_granule = GRANULE,
                                       .common_table = layout->table,
                                       .policy = policy,
                                       .owner = who};
    const mete_alloc_t common = {&room_ops, &layout->rooms[OWNERS]};
    EXHAUST_EXPECT(mete_partition_init(&layout->partition, homes, common, &config));
    const mete_span_t blocks = {layout->slots, slot_count * SLOT};
    return (exhaust_offer_t){{NULL, NULL}, blocks, offsetof(layout_t, slots) + blocks.size};
}

static exhaust_offer_t begin_by_priority(mete_span_t arena, size_t scale)
{
    return begin_with(arena, scale, METE_PARTITION_PRIORITY);
}

static exhaust_offer_t begin_in_order(mete_span_t arena, size_t scale)
{
    return begin_with(arena, scale, METE_PARTITION_FIFO);
}

// ---- The model

static size_t granules(size_t size)
{
    return (size + GRANULE - 1U) / GRANULE;
}

// Bytes of common memory that an owner has.
static size_t common_size(size_t owner)
{
    size_t size = 0U;
    for (size_t i = OWNERS; i < slot_count; i++) {
        size += (layout->holders[i] == owner + 1U) ? granules(layout->sizes[i]) * GRANULE : 0U;
    }
    return size;
}

static bool has_quota(size_t owner, size_t size)
{
    return common_size(owner) + (granules(size) * GRANULE) <= terms[owner].common_max;
}

// The slot that an owner must get, or slot_count.
static size_t slot_for(size_t owner, size_t size, bool is_claimed)
{
    if (layout->holders[owner] == 0U) {
        return owner;
    }
    size_t i = OWNERS;
    while ((i < slot_count) && (layout->holders[i] != 0U)) {
        i++;
    }
    return (has_quota(owner, size) && !is_claimed) ? i : slot_count;
}

static void hold(size_t slot, size_t owner, size_t size)
{
    layout->holders[slot] = (uint8_t)(owner + 1U);
    layout->sizes[slot] = (uint8_t)size;
    (void)exhaust_hold(&layout->slots[slot * SLOT], size, ALIGN);
}

static void leave_line(size_t place)
{
    layout->line_count--;
    for (size_t i = place; i < layout->line_count; i++) {
        layout->line[i] = layout->line[i + 1U];
    }
    layout->line[layout->line_count] = 0U;
}

static size_t place_in_line(size_t owner)
{
    size_t place = 0U;
    while ((place < layout->line_count) && (layout->line[place] != owner)) {
        place++;
    }
    return place;
}

static void enter_line(size_t owner)
{
    size_t place = layout->line_count;
    while ((config.policy == METE_PARTITION_PRIORITY) && (place != 0U) &&
           (terms[layout->line[place - 1U]].priority < terms[owner].priority)) {
        layout->line[place] = layout->line[place - 1U];
        place--;
    }
    layout->line[place] = (uint8_t)owner;
    layout->line_count++;
}

// Those who were served just now are those who had to be, in that order.
static void expect_served(void)
{
    size_t count = 0U;
    bool is_claimed = false;
    for (size_t place = 0U; place < layout->line_count;) {
        const size_t owner = layout->line[place];
        const size_t slot = slot_for(owner, WAITING_SIZE, is_claimed);
        if (slot == slot_count) {
            is_claimed = is_claimed || has_quota(owner, WAITING_SIZE);
            place++;
            continue;
        }
        if (!EXHAUST_EXPECT(count < served_count) ||
            !EXHAUST_EXPECT(served[count].owner == owner) ||
            !EXHAUST_EXPECT(served[count].slot == slot)) {
            return;
        }
        leave_line(place);
        hold(slot, owner, WAITING_SIZE);
        count++;
    }
    EXHAUST_EXPECT(count == served_count);
}

// ---- Calls

static mete_alloc_t view(size_t owner)
{
    return mete_partition_as_alloc(&layout->partition, (uint32_t)owner);
}

static void take(size_t owner, size_t size)
{
    const size_t slot = slot_for(owner, size, false);
    asker = (uint32_t)owner;
    const void *const block = mete_acquire(view(owner), size, ALIGN);
    EXHAUST_EXPECT((block != NULL) == (slot < slot_count));
    if (block == NULL) {
        exhaust_unchanged();
    } else if (EXHAUST_EXPECT(slot_of(block) == slot)) {
        hold(slot, owner, size);
    }
}

static void give(int at, bool is_by_another)
{
    void *const block = exhaust_address(at);
    const size_t slot = slot_of(block);
    const size_t owner = layout->holders[slot] - 1U;
    exhaust_drop(at);
    asker = is_by_another ? OWNERS - 1U : (uint32_t)owner;
    mete_release(view(owner), block, layout->sizes[slot], ALIGN);
    layout->holders[slot] = 0U;
    layout->sizes[slot] = 0U;
    expect_served();
}

static void wait_for(size_t owner)
{
    mete_partition_request_t *const request = &layout->requests[owner];
    *request = (mete_partition_request_t){
        .size = WAITING_SIZE, .align = ALIGN, .on_served = on_served, .self = request};
    asker = (uint32_t)owner;
    EXHAUST_EXPECT(mete_partition_queue(&layout->partition, (uint32_t)owner, request));
    enter_line(owner);
    expect_served();
}

static void leave(size_t owner)
{
    EXHAUST_EXPECT(mete_partition_remove(&layout->partition, &layout->requests[owner]));
    leave_line(place_in_line(owner));
}

static void perform(const exhaust_op_t *op)
{
    served_count = 0U;
    switch (op->verb) {
    case TAKE:
        take(op->more, op->size);
        break;
    case GIVE:
        give(op->at, false);
        break;
    case FETCH:
        give(op->at, true);
        break;
    case WAIT:
        wait_for(op->more);
        break;
    case LEAVE:
        leave(op->more);
        break;
    default:
        exhaust_perform(op);
        break;
    }
    EXHAUST_EXPECT(tap_take_fault() == 0);
}

static void add_own(exhaust_ops_t *ops, uint8_t verb, size_t owner, size_t size)
{
    exhaust_add_op(ops, verb, 0, size, ALIGN);
    ops->ops[ops->count - 1U].more = (uint8_t)owner;
}

static void list(exhaust_ops_t *ops)
{
    for (size_t owner = 0U; owner < OWNERS; owner++) {
        add_own(ops, TAKE, owner, SMALL);
        add_own(ops, TAKE, owner, LARGE);
        const bool is_waiting = place_in_line(owner) != layout->line_count;
        add_own(ops, is_waiting ? LEAVE : WAIT, owner, 0U);
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        exhaust_add_op(ops, GIVE, exhaust_blocks[i].at, 0U, 0U);
        if (layout->holders[slot_of(exhaust_address(exhaust_blocks[i].at))] == 1U) {
            exhaust_add_op(ops, FETCH, exhaust_blocks[i].at, 0U, 0U);
        }
    }
}

// ---- What holds in every state

static bool is_sound(void)
{
    bool is_good = mete_partition_check(&layout->partition) &&
                   (mete_partition_requests(&layout->partition) == layout->line_count);
    for (size_t i = 0U; i < slot_count; i++) {
        const uint32_t owner =
            mete_partition_owner_of(&layout->partition, &layout->slots[i * SLOT]);
        const uint32_t holder = (uint32_t)layout->holders[i] - 1U;  // Of none: nobody.
        is_good = is_good && (owner == ((i < OWNERS) ? i : holder)) &&
                  ((layout->is_taken[i] != 0U) == (layout->holders[i] != 0U)) &&
                  ((i >= OWNERS) || (holder == i) || (layout->holders[i] == 0U));
    }
    for (size_t owner = 0U; owner < OWNERS; owner++) {
        is_good = is_good && (layout->owners[owner].in_use_size == common_size(owner));
    }
    return is_good;
}

static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    memset(&masked->partition.last, 0, sizeof masked->partition.last);
    masked->partition.fault_total = 0U;
    for (size_t i = 0U; i < OWNERS; i++) {
        masked->owners[i].in_use_peak = 0U;
        masked->owners[i].refusals = 0U;
        if (masked->requests[i].owner == NULL) {
            memset(&masked->requests[i], 0, sizeof masked->requests[i]);
        }
    }
    memset(masked->slots, 0, slot_count * SLOT);
}

// ---- Misuse

// The call just made was refused, told with both owners, and changed nothing else.
static void expect_told(unsigned faults, uint32_t owner, const void *block,
                        mete_partition_report_t before, size_t fault_total)
{
    mete_partition_t *const partition = &layout->partition;
    const mete_partition_report_t *const last = mete_partition_last(partition);
    EXHAUST_EXPECT((partition->fault_total == fault_total + 1U) && (last->asker == asker) &&
                   (last->owner == owner) && (last->block == block));
    partition->last = before;
    partition->fault_total = fault_total;
    exhaust_refused(faults);
}

static void misuse_one(size_t through, void *address, size_t size, unsigned faults, uint32_t owner)
{
    const mete_partition_report_t before = layout->partition.last;
    const size_t fault_total = layout->partition.fault_total;
    mete_release(view(through), address, size, ALIGN);
    expect_told(faults, owner, address, before, fault_total);
    EXHAUST_EXPECT(!mete_resize(view(through), address, size, LARGE, ALIGN));
    expect_told(faults, owner, address, before, fault_total);
}

// Where no block of common memory starts, whoever asks through whichever view; homes leave that to what stands behind.
static void misuse_address(int at)
{
    void *const address = exhaust_address(at);
    const uint32_t owner = mete_partition_owner_of(&layout->partition, address);
    const bool is_common = mete_span_has(config.common, address);
    for (size_t through = 0U; through < OWNERS; through++) {
        asker = (uint32_t)through;
        if (owner != through) {
            exhaust_doing(GIVE, at, 0U, 0U);
            misuse_one(through, address, SMALL,
                       (1U << METE_FAULT_FOREIGN) | (is_common ? 1U << METE_FAULT_DOUBLE_FREE : 0U),
                       owner);
        }
    }
}

// A block that is held, by everybody who may not.
static void misuse_block(const exhaust_block_t *block)
{
    void *const address = exhaust_address(block->at);
    const size_t owner = layout->holders[slot_of(address)] - 1U;
    exhaust_doing(GIVE, block->at, block->size, 0U);
    for (asker = 0U; asker <= OWNERS; asker++) {
        const uint32_t may = (asker < OWNERS) ? rights[owner][asker] : 0U;
        const mete_partition_report_t before = layout->partition.last;
        const size_t fault_total = layout->partition.fault_total;
        if ((may & METE_PARTITION_RELEASE) == 0U) {
            mete_release(view(owner), address, block->size, ALIGN);
            expect_told(1U << METE_FAULT_ACCESS, (uint32_t)owner, address, before, fault_total);
        }
        if ((may & METE_PARTITION_RESIZE) == 0U) {
            EXHAUST_EXPECT(!mete_resize(view(owner), address, block->size, LARGE, ALIGN));
            expect_told(1U << METE_FAULT_ACCESS, (uint32_t)owner, address, before, fault_total);
        }
    }
    asker = (uint32_t)owner;
    if (mete_span_has(config.common, address)) {
        misuse_one(owner, address, (block->size == SMALL) ? LARGE : SMALL, 1U << METE_FAULT_SIZE,
                   (uint32_t)owner);
    }
}

static void misuse(void)
{
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        misuse_address(at);
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        misuse_block(&exhaust_blocks[i]);
    }
    for (size_t owner = 0U; owner < OWNERS; owner++) {
        for (asker = 0U; asker <= OWNERS; asker++) {
            if (asker != owner) {
                const mete_partition_report_t before = layout->partition.last;
                const size_t fault_total = layout->partition.fault_total;
                exhaust_doing(TAKE, 0, SMALL, ALIGN);
                EXHAUST_EXPECT(mete_acquire(view(owner), SMALL, ALIGN) == NULL);
                expect_told(1U << METE_FAULT_ACCESS, (uint32_t)owner, NULL, before, fault_total);
            }
        }
    }
}

const exhaust_subject_t exhaust_partition_by_priority = {
    .name = "partition.priority",
    .verbs = verbs,
    .init = begin_by_priority,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t exhaust_partition_in_order = {
    .name = "partition.fifo",
    .verbs = verbs,
    .init = begin_in_order,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

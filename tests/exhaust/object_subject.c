// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The object pool as a subject of exhaustion. Behind it are boards of which any free one may be handed out, none, or one on
// which no object can be made. The model says which callbacks there are in each call, and what is asked of the boards, in which
// order; and which object comes out.

#include "mete/object/object.h"

#include "tests/exhaust/events.h"
#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

// A size that is odd, so that a byte lies between an object and its index; boards that are no closer than alignment asks.
enum { SIZE = 13, ALIGN = 4, BLOCK_SIZE = 16, BOARD_SIZE = 20, COUNT_MAX = 6, BOARD_MAX = 7 };
enum { AS_MADE = 0x5A, AS_RESET = 0x3C };

// Calls in which all goes well; in which the n-th request for memory is refused; in which the n-th object cannot be made; in
// which whoever is asked for memory first has the pool shrunk.
enum {
    GET = EXHAUST_OWN,
    GET_REFUSED,
    GET_UNMADE,
    RESERVE,
    RESERVE_REFUSED,
    RESERVE_UNMADE,
    RESERVE_SHRUNK,
    PUT,
    TAKE,
    LEAVE,
    SHRINK
};
static const char *const verbs[] = {"get",
                                    "get (no memory)",
                                    "get (cannot be made)",
                                    "reserve",
                                    "reserve (no memory)",
                                    "reserve (cannot be made)",
                                    "reserve (shrunk meanwhile)",
                                    "put",
                                    "take",
                                    "release (of what was taken)",
                                    "shrink"};

// What happens behind.
enum { ASKED, MADE, RESET, UNMADE, RETURNED };

// What is on a board.
enum { NOTHING, UNUSED, IN_USE, TAKEN };

typedef struct layout {
    mete_object_t pool;
    mete_object_slot_t table[COUNT_MAX];
    uint8_t is_lent[BOARD_MAX];
    // The model.
    uint8_t boards[BOARD_MAX];
    uint8_t is_fresh[BOARD_MAX];  // Not used since it was made.
    uint8_t unused[COUNT_MAX];    // Boards; the next to come out is the last.
    uint8_t unused_count;
    uint8_t calls;    // Of get, in this period,
    uint8_t needed;   // and the most in use at once.
    uint8_t surplus;  // Still to be given back.
    mete_object_usage_t usage;
    _Alignas(8) unsigned char padding[4];
    unsigned char storage[];
} layout_t;
_Static_assert(offsetof(layout_t, storage) % 8U == ALIGN, "aligned to 4, and not to 8");

static layout_t *layout;
static mete_object_config_t config;
static size_t board_count;

static struct {
    size_t first;        // The board that is looked at first.
    size_t refused_at;   // Counted from 1; 0: none.
    size_t not_made_at;  // Likewise.
    bool shrinks;
} behind;
static events_t happened, expected;

// ---- What stands behind

static unsigned char *board(size_t index)
{
    return &layout->storage[index * BOARD_SIZE];
}

static size_t board_of(const void *object)
{
    return ((uintptr_t)object - (uintptr_t)layout->storage) / BOARD_SIZE;
}

// Whether a board is handed out, of those of which `lent` is not 0 none: the next free one. Or board_count.
static size_t next_board(const uint8_t *lent, const events_t *events)
{
    size_t i = (events_count(events, ASKED) == behind.refused_at) ? board_count : 0U;
    while ((i < board_count) && (lent[(behind.first + i) % board_count] != 0U)) {
        i++;
    }
    return (i < board_count) ? (behind.first + i) % board_count : board_count;
}

static void *lend(void *self, size_t size, size_t align)
{
    EXHAUST_EXPECT((self == &board_count) && (size == BLOCK_SIZE) && (align == ALIGN));
    if (behind.shrinks) {
        (void)mete_object_shrink(&layout->pool, 0U);
    }
    events_add(&happened, ASKED, 0U);
    const size_t next = next_board(layout->is_lent, &happened);
    if (next == board_count) {
        return NULL;
    }
    layout->is_lent[next] = 1U;
    return board(next);
}

static void take_back(void *self, void *block, size_t size, size_t align)
{
    const size_t index = board_of(block);
    EXHAUST_EXPECT((self == &board_count) && (size == BLOCK_SIZE) && (align == ALIGN));
    if (EXHAUST_EXPECT((index < board_count) && (block == board(index)) &&
                       (layout->is_lent[index] != 0U))) {
        layout->is_lent[index] = 0U;
        events_add(&happened, RETURNED, index);
    }
}

static const mete_alloc_ops_t behind_ops = {lend, take_back, NULL, NULL, NULL};
static const mete_alloc_t backing = {&behind_ops, &board_count};

static bool make(void *self, void *object)
{
    EXHAUST_EXPECT(self == &config);
    events_add(&happened, MADE, board_of(object));
    memset(object, AS_MADE, SIZE);
    return events_count(&happened, MADE) != behind.not_made_at;
}

static void make_as_new(void *self, void *object)
{
    EXHAUST_EXPECT((self == &config) &&
                   exhaust_is_painted(exhaust_at(object), exhaust_at(object), SIZE));
    events_add(&happened, RESET, board_of(object));
    memset(object, AS_RESET, SIZE);
}

static void unmake(void *self, void *object)
{
    EXHAUST_EXPECT((self == &config) && (layout->is_lent[board_of(object)] != 0U));
    events_add(&happened, UNMADE, board_of(object));
}

// ---- Start

static exhaust_offer_t begin(mete_span_t arena, size_t count, const mete_object_config_t *terms)
{
    layout = arena.start;
    board_count = count + 2U;
    config = *terms;
    config.object_size = SIZE;
    config.align = ALIGN;
    config.object_max = count;
    config.table = layout->table;
    config.self = &config;
    EXHAUST_EXPECT(mete_object_init(&layout->pool, backing, &config));
    const mete_span_t blocks = {layout->storage, board_count * BOARD_SIZE};
    return (exhaust_offer_t){mete_object_as_alloc(&layout->pool), blocks,
                             offsetof(layout_t, storage) + blocks.size};
}

// As METE_OBJECT_DEFINE makes it, without callbacks.
static exhaust_offer_t begin_plain(mete_span_t arena, size_t count)
{
    return begin(arena, count, &(mete_object_config_t){.kept_max = count});
}

static exhaust_offer_t begin_made(mete_span_t arena, size_t count)
{
    return begin(arena, count,
                 &(mete_object_config_t){.kept_max = count - (count / 3U),
                                         .kept_min = count / 3U,
                                         .shrink_after = 3U,
                                         .resets = true,
                                         .construct = make,
                                         .reset = make_as_new,
                                         .destruct = unmake});
}

// ---- The model: what must happen

static size_t count_of(int what)
{
    size_t count = 0U;
    for (size_t i = 0U; i < board_count; i++) {
        count += (layout->boards[i] == what) ? 1U : 0U;
    }
    return count;
}

static size_t object_count(void)
{
    return count_of(IN_USE) + layout->unused_count;
}

static void push(size_t index, bool is_fresh)
{
    layout->boards[index] = UNUSED;
    layout->is_fresh[index] = is_fresh ? 1U : 0U;
    layout->unused[layout->unused_count] = (uint8_t)index;
    layout->unused_count++;
}

static size_t pop(void)
{
    layout->unused_count--;
    const size_t index = layout->unused[layout->unused_count];
    layout->unused[layout->unused_count] = 0U;
    return index;
}

static void end(size_t index)
{
    layout->boards[index] = NOTHING;
    layout->usage.release_total++;
    if (config.destruct != NULL) {
        events_add(&expected, UNMADE, index);
    }
    events_add(&expected, RETURNED, index);
}

static size_t shrink(size_t kept)
{
    size_t count = 0U;
    for (; layout->unused_count > kept; count++) {
        end(pop());
    }
    return count;
}

// One more object, unused. False if there is none.
static bool create(void)
{
    if (object_count() == config.object_max) {
        return false;
    }
    if (behind.shrinks) {
        (void)shrink(0U);
    }
    events_add(&expected, ASKED, 0U);
    const size_t index = next_board(layout->boards, &expected);
    if (index == board_count) {
        return false;
    }
    if (config.construct != NULL) {
        events_add(&expected, MADE, index);
    }
    if ((behind.not_made_at != 0U) && (events_count(&expected, MADE) == behind.not_made_at)) {
        events_add(&expected, RETURNED, index);
        return false;
    }
    push(index, true);
    layout->usage.create_total++;
    return true;
}

// After so many calls what none of them needed is surplus; of that this call and those that follow give back one each.
static void end_period(void)
{
    if (layout->surplus == 0U) {
        layout->calls++;
    }
    if (layout->calls == config.shrink_after) {
        const size_t count = object_count();
        layout->surplus = (count > layout->needed) ? (uint8_t)(count - layout->needed) : 0U;
        layout->needed = (uint8_t)count_of(IN_USE);
        layout->calls = 0U;
    }
    if (layout->unused_count <= config.kept_min) {
        layout->surplus = 0U;
    }
    if (layout->surplus != 0U) {
        layout->surplus--;
        end(pop());
    }
}

// The board of the object that comes out, or board_count.
static size_t get(void)
{
    if ((layout->unused_count == 0U) && !create()) {
        layout->usage.refusals++;
        return board_count;
    }
    const size_t index = pop();
    layout->boards[index] = IN_USE;
    layout->usage.get_total++;
    const size_t in_use = count_of(IN_USE);
    if (in_use > layout->usage.in_use_peak) {
        layout->usage.in_use_peak = in_use;
    }
    layout->needed = (in_use > layout->needed) ? (uint8_t)in_use : layout->needed;
    if (config.shrink_after != 0U) {
        end_period();
    }
    return index;
}

static void put(size_t index)
{
    layout->usage.put_total++;
    if (layout->unused_count == config.kept_max) {
        end(index);
        return;
    }
    push(index, false);
    if (config.reset != NULL) {
        events_add(&expected, RESET, index);
    }
}

// So many tries at most as there may be objects, if what was made is given back meanwhile.
static bool reserve(size_t count)
{
    bool is_made = count <= config.kept_max;
    for (size_t i = 0U; (i < config.object_max) && is_made && (layout->unused_count < count); i++) {
        is_made = create();
    }
    const bool has_enough = layout->unused_count >= count;
    layout->usage.refusals += has_enough ? 0U : 1U;
    return has_enough;
}

// ---- Contents

static bool is_filled(size_t index, unsigned char byte)
{
    size_t i = 0U;
    while ((i < SIZE) && (board(index)[i] == byte)) {
        i++;
    }
    return i == SIZE;
}

// An object that is not in use is as it was made, as new, or as it was left.
static bool has_right_content(size_t index)
{
    const int at = exhaust_at(board(index));
    if (layout->is_fresh[index] != 0U) {
        return (config.construct == NULL) || is_filled(index, AS_MADE);
    }
    return config.resets ? is_filled(index, (config.reset != NULL) ? AS_RESET : 0U)
                         : exhaust_is_painted(at, at, SIZE);
}

// ---- Calls

static void expect_got(void *object)
{
    const size_t index = get();
    if (!EXHAUST_EXPECT(object == ((index < board_count) ? board(index) : NULL))) {
        return;
    }
    if (object == NULL) {
        exhaust_unchanged();
    } else {
        EXHAUST_EXPECT(has_right_content(index));
        (void)exhaust_hold(object, SIZE, ALIGN);
    }
}

// Through the view.
static void acquire(size_t size, size_t align)
{
    void *const object = mete_acquire(mete_object_as_alloc(&layout->pool), size, align);
    if ((size <= SIZE) && (align <= ALIGN)) {
        expect_got(object);
    } else {
        EXHAUST_EXPECT(object == NULL);
        layout->usage.refusals++;
        exhaust_unchanged();
    }
}

static void put_back(void *object, bool is_by_view)
{
    exhaust_drop(exhaust_at(object));
    if (is_by_view) {
        mete_release(mete_object_as_alloc(&layout->pool), object, SIZE, ALIGN);
    } else {
        mete_object_put(&layout->pool, object);
    }
    put(board_of(object));
}

// The content stays, and is its owner's, all of it.
static void take(void *object)
{
    EXHAUST_EXPECT(mete_object_take(&layout->pool, object));
    EXHAUST_EXPECT(mete_object_block_size(&layout->pool) == BLOCK_SIZE);
    layout->boards[board_of(object)] = TAKEN;
    layout->usage.take_total++;
}

static void leave(void *object)
{
    exhaust_drop(exhaust_at(object));
    mete_release(backing, object, mete_object_block_size(&layout->pool), ALIGN);
    layout->boards[board_of(object)] = NOTHING;
    events_add(&expected, RETURNED, board_of(object));
}

static void choose_behind(const exhaust_op_t *op)
{
    const bool is_get = (op->verb == GET) || (op->verb == EXHAUST_ACQUIRE);
    behind.first = is_get ? op->more : 0U;
    behind.refused_at = (op->verb == GET_REFUSED) || (op->verb == RESERVE_REFUSED) ? op->more : 0U;
    behind.not_made_at = (op->verb == GET_UNMADE) || (op->verb == RESERVE_UNMADE) ? op->more : 0U;
    behind.shrinks = op->verb == RESERVE_SHRUNK;
    happened.count = 0U;
    expected.count = 0U;
}

static void call(const exhaust_op_t *op)
{
    switch (op->verb) {
    case EXHAUST_ACQUIRE:
        acquire(op->size, op->align);
        break;
    case GET:
    case GET_REFUSED:
    case GET_UNMADE:
        expect_got(mete_object_get(&layout->pool));
        break;
    case EXHAUST_RELEASE:
    case PUT:
        put_back(exhaust_address(op->at), op->verb != PUT);
        break;
    case TAKE:
        take(exhaust_address(op->at));
        break;
    case LEAVE:
        leave(exhaust_address(op->at));
        break;
    case SHRINK:
        EXHAUST_EXPECT(mete_object_shrink(&layout->pool, op->size) == shrink(op->size));
        break;
    case EXHAUST_RESIZE:
        exhaust_perform(op);
        break;
    default:
        EXHAUST_EXPECT(mete_object_reserve(&layout->pool, op->size) == reserve(op->size));
        break;
    }
}

static bool has_counts(void)
{
    mete_object_usage_t right = layout->usage;
    right.object_count = object_count();
    right.in_use = count_of(IN_USE);
    right.unused_count = layout->unused_count;
    const mete_object_usage_t usage = mete_object_usage(&layout->pool);
    return memcmp(&usage, &right, sizeof usage) == 0;
}

// A refusal changes nothing but a total, for which the engine does not look.
static void perform(const exhaust_op_t *op)
{
    choose_behind(op);
    call(op);
    EXHAUST_EXPECT(events_are_equal(&happened, &expected) && has_counts());
}

static chance_t may_resize(const exhaust_block_t *block, size_t size)
{
    (void)block;
    return (size <= SIZE) ? MUST_SUCCEED : MUST_FAIL;
}

// ---- What can be called

static void add(exhaust_ops_t *ops, uint8_t verb, size_t size, size_t more)
{
    exhaust_add_op(ops, verb, 0, size, (verb == EXHAUST_ACQUIRE) ? ALIGN : 0U);
    ops->ops[ops->count - 1U].more = (uint8_t)more;
}

static void list_gets(exhaust_ops_t *ops)
{
    for (size_t i = 0U; i < board_count; i++) {
        if ((layout->boards[i] == NOTHING) && (layout->unused_count == 0U)) {
            add(ops, GET, 0U, i);
        }
    }
    add(ops, GET_REFUSED, 0U, 1U);
    add(ops, EXHAUST_ACQUIRE, 1U, 0U);
    add(ops, EXHAUST_ACQUIRE, SIZE + 1U, 0U);
    exhaust_add_op(ops, EXHAUST_ACQUIRE, 0, 1U, 2U * ALIGN);
    if (config.construct != NULL) {
        add(ops, GET_UNMADE, 0U, 1U);
    }
}

static void list_reserves(exhaust_ops_t *ops, size_t count)
{
    add(ops, RESERVE, count, 0U);
    add(ops, RESERVE_SHRUNK, count, 0U);
    for (size_t nth = 1U; nth + layout->unused_count <= count; nth++) {
        add(ops, RESERVE_REFUSED, count, nth);
        if (config.construct != NULL) {
            add(ops, RESERVE_UNMADE, count, nth);
        }
    }
}

static void list_held(exhaust_ops_t *ops, int at)
{
    if (layout->boards[board_of(exhaust_address(at))] == TAKEN) {
        exhaust_add_op(ops, LEAVE, at, 0U, 0U);
        return;
    }
    exhaust_add_op(ops, PUT, at, 0U, 0U);
    exhaust_add_op(ops, EXHAUST_RELEASE, at, 0U, 0U);
    exhaust_add_op(ops, TAKE, at, 0U, 0U);
    exhaust_add_op(ops, EXHAUST_RESIZE, at, SIZE, 0U);
    exhaust_add_op(ops, EXHAUST_RESIZE, at, SIZE + 1U, 0U);
}

static void list(exhaust_ops_t *ops)
{
    list_gets(ops);
    for (size_t count = 0U; count <= config.object_max + 1U; count++) {
        list_reserves(ops, count);
        add(ops, SHRINK, count, 0U);
    }
    for (size_t i = 0U; i < exhaust_block_count(); i++) {
        list_held(ops, exhaust_blocks[i].at);
    }
}

// ---- What holds in every state

// What is walked is what is there, and not twice.
static bool is_as_modelled(void *self, const mete_object_one_t *one)
{
    size_t *const left = self;
    const size_t index = board_of(one->object);
    const bool is_one = (*left != 0U) && (index < board_count) && (one->object == board(index));
    *left -= is_one ? 1U : 0U;
    return is_one && (layout->boards[index] == (one->is_in_use ? IN_USE : UNUSED));
}

static bool is_sound(void)
{
    size_t left = object_count();
    bool is_good = mete_object_check(&layout->pool) && has_counts() &&
                   mete_object_walk(&layout->pool, is_as_modelled, &left) && (left == 0U);
    for (size_t i = 0U; i < board_count; i++) {
        is_good = is_good && ((layout->is_lent[i] != 0U) == (layout->boards[i] != NOTHING)) &&
                  ((layout->boards[i] != UNUSED) || has_right_content(i));
    }
    return is_good;
}

// Totals and contents decide nothing; calls of get only if there are periods of them.
static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    if (config.shrink_after == 0U) {
        masked->pool.countdown = 0U;
    }
    masked->pool.gets = 0U;
    masked->pool.peak = 0U;
    masked->pool.create_total = 0U;
    masked->pool.take_total = 0U;
    masked->pool.refusals = 0U;
    memset(&masked->usage, 0, sizeof masked->usage);
    memset(masked->is_fresh, 0, sizeof masked->is_fresh);
    memset(masked->storage, 0, board_count * BOARD_SIZE);
}

// ---- Misuse

static unsigned fault_at(int at)
{
    const size_t index = board_of(exhaust_address(at));
    const bool is_start = (index < board_count) && (exhaust_address(at) == board(index));
    return 1U << ((is_start && (layout->boards[index] == UNUSED)) ? METE_FAULT_DOUBLE_FREE
                                                                  : METE_FAULT_FOREIGN);
}

static void misuse_address(int at)
{
    const mete_alloc_t alloc = mete_object_as_alloc(&layout->pool);
    void *const address = exhaust_address(at);
    exhaust_doing(PUT, at, 0U, 0U);
    mete_object_put(&layout->pool, address);
    exhaust_refused(fault_at(at));
    mete_release(alloc, address, SIZE, ALIGN);
    exhaust_refused(fault_at(at));
    exhaust_doing(TAKE, at, 0U, 0U);
    EXHAUST_EXPECT(!mete_object_take(&layout->pool, address));
    exhaust_refused(fault_at(at));
    exhaust_doing(EXHAUST_RESIZE, at, 0U, 0U);
    EXHAUST_EXPECT(!mete_resize(alloc, address, SIZE, 1U, ALIGN));
    exhaust_refused(fault_at(at));
}

static bool is_in_object(int at)
{
    const size_t offset = (size_t)(at - exhaust_at(layout->storage));
    const size_t index = offset / BOARD_SIZE;
    return (index < board_count) && (offset % BOARD_SIZE < SIZE) &&
           ((layout->boards[index] == IN_USE) || (layout->boards[index] == UNUSED));
}

// Another index behind an object in use is damage; behind anything else no index makes it one.
static void misuse_index(size_t index, uint16_t wrong)
{
    unsigned char *const behind_object = board(index) + BLOCK_SIZE - sizeof wrong;
    const int at = exhaust_at(board(index));
    uint16_t right = 0U;
    memcpy(&right, behind_object, sizeof right);
    const bool is_in_use = layout->boards[index] == IN_USE;
    if (is_in_use && (wrong == right)) {
        return;
    }
    exhaust_doing(PUT, at, 0U, 0U);
    memcpy(behind_object, &wrong, sizeof wrong);
    EXHAUST_EXPECT(!is_in_use || !mete_object_check(&layout->pool));
    mete_object_put(&layout->pool, board(index));
    memcpy(behind_object, &right, sizeof right);
    exhaust_refused(is_in_use ? 1U << METE_FAULT_CORRUPT : fault_at(at));
}

static unsigned faults_of_size(const exhaust_block_t *block, size_t size, size_t align)
{
    const bool is_taken = layout->boards[board_of(exhaust_address(block->at))] == TAKEN;
    const bool fits = (size <= SIZE) && (align <= ALIGN);
    return (fits ? 0U : 1U << METE_FAULT_SIZE) | (is_taken ? 1U << METE_FAULT_FOREIGN : 0U);
}

static void misuse(void)
{
    happened.count = 0U;
    for (int at = exhaust_first(); at < exhaust_end(); at++) {
        EXHAUST_EXPECT(mete_object_owns(&layout->pool, exhaust_address(at)) == is_in_object(at));
        if ((exhaust_block_at(at) == NULL) ||
            (layout->boards[board_of(exhaust_address(at))] == TAKEN)) {
            misuse_address(at);
        }
    }
    for (size_t i = 0U; i < board_count; i++) {
        for (size_t wrong = 0U; wrong <= config.object_max; wrong++) {
            misuse_index(i, (uint16_t)wrong);
        }
        misuse_index(i, UINT16_MAX);
    }
    EXHAUST_EXPECT(happened.count == 0U);
    exhaust_misuse_sizes(faults_of_size);
    exhaust_misuse_huge();
}

const exhaust_subject_t exhaust_object_plain = {
    .name = "object.plain",
    .verbs = verbs,
    .init = begin_plain,
    .list = list,
    .perform = perform,
    .aligns = (const uint16_t[]){1U, 4U, 8U, 0U},
    .may_resize = may_resize,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t exhaust_object_made = {
    .name = "object.made",
    .verbs = verbs,
    .init = begin_made,
    .list = list,
    .perform = perform,
    .aligns = (const uint16_t[]){1U, 4U, 8U, 0U},
    .may_resize = may_resize,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

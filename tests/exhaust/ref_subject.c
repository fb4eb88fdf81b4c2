// SPDX-License-Identifier: MIT OR Apache-2.0
//
// References as a subject of exhaustion: a few objects of two kinds, which the caller holds, which are kept for get, and which
// hold each other. The model says when an object ends, whom its cleanup names, and when its memory goes.
// atomic_ref_subject.c includes this file for the atomic form.

#ifndef METE_ATOMIC_REF_H
#include "mete/object/ref.h"
#define REF(name)        mete_ref_##name
#define SUBJECT(variant) exhaust_ref##variant
#define NAME             "ref"
typedef mete_ref_t kind_t;
#endif

#include "tests/exhaust/events.h"
#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

// Objects of the first kind are cleaned up and kept, those of the second are not.
enum { FIRST, SECOND, KIND_COUNT };
enum { SIZE = 13, ALIGN = 16, SECOND_SIZE = 5, BOARD_SIZE = 32, BOARD_MAX = 5, KEPT_COUNT = 2 };

// References of either sort that the caller has of an object; and so many more that with these all can be told.
enum { HELD_MAX = 3 };
#define MANY (METE_REF_COUNT_MAX - HELD_MAX)

enum {
    ALLOC = EXHAUST_OWN,
    ALLOC_SECOND,
    ALLOC_REFUSED,
    GET,
    GET_REFUSED,
    PURGE,
    RETAIN,
    DROP,
    RETAIN_WEAK,
    DROP_WEAK,
    UPGRADE,
    LINK,
    UNLINK,
    FILL,
    FILL_WEAK
};
static const char *const verbs[] = {"alloc",
                                    "alloc (of the second kind)",
                                    "alloc (no memory)",
                                    "get",
                                    "get (no memory)",
                                    "purge",
                                    "retain",
                                    "drop",
                                    "retain_weak",
                                    "drop_weak",
                                    "upgrade",
                                    "hand over to",
                                    "take from",
                                    "retain many times, or drop",
                                    "retain_weak many times, or drop_weak"};

// What the first cleanup of a call does besides.
enum { PLAIN, HOLD_WEAKLY, MAKE_ANOTHER, ACT_COUNT };

// What happens behind.
enum { LENT, CLEANED, RETURNED };

enum { GONE, ALIVE, DEAD };

typedef struct one {
    uint8_t state;
    uint8_t kind;
    uint8_t strong, weak;             // References that the caller has,
    uint8_t has_many, has_many_weak;  // and MANY more;
    uint8_t is_full, is_full_weak;    // as many as can be told.
    uint8_t is_kept;
    uint8_t next;  // The object of which it has a reference, counted from 1.
} one_t;

typedef struct layout {
    kind_t kinds[KIND_COUNT];
    uintptr_t kept[KEPT_COUNT];
    uint8_t lent_sizes[BOARD_MAX];  // 0: not lent.
    // The model.
    one_t ones[BOARD_MAX];
    uint8_t last_kinds[BOARD_MAX];  // Of what was on a board last, counted from 1,
    uint8_t all_kinds[BOARD_MAX];   // and ever: a bit each.
    size_t refusals;
    _Alignas(ALIGN) unsigned char storage[];
} layout_t;

static layout_t *layout;
static mete_ref_config_t configs[KIND_COUNT];
static size_t board_count;
static bool is_filling;

// How the call goes.
static bool is_refused;
static unsigned act;
static events_t happened, expected;

// ---- What stands behind

static unsigned char *board(size_t index)
{
    return &layout->storage[index * BOARD_SIZE];
}

static size_t board_of(const void *address)
{
    return ((uintptr_t)address - (uintptr_t)layout->storage) / BOARD_SIZE;
}

static size_t prefix_of(size_t kind)
{
    return METE_REF_PREFIX_SIZE(configs[kind].align);
}

static void *object_of(size_t index, size_t kind)
{
    return board(index) + prefix_of(kind);
}

static mete_ref_header_t *header_of(size_t index)
{
    return (mete_ref_header_t *)object_of(index, layout->ones[index].kind) - 1;
}

static bool is_block_of(size_t kind, size_t size, size_t align)
{
    const size_t least = _Alignof(mete_ref_header_t);
    const size_t own = configs[kind].align;
    return (size == prefix_of(kind) + configs[kind].object_size) &&
           (align == ((own > least) ? own : least));
}

static void *lend(void *self, size_t size, size_t align)
{
    EXHAUST_EXPECT((self == &board_count) &&
                   (is_block_of(FIRST, size, align) || is_block_of(SECOND, size, align)));
    for (size_t i = 0U; (i < board_count) && !is_refused; i++) {
        if (layout->lent_sizes[i] == 0U) {
            layout->lent_sizes[i] = (uint8_t)size;
            events_add(&happened, LENT, i);
            return board(i);
        }
    }
    return NULL;
}

static void take_back(void *self, void *block, size_t size, size_t align)
{
    const size_t index = board_of(block);
    const size_t kind = is_block_of(FIRST, size, align) ? FIRST : SECOND;
    EXHAUST_EXPECT((self == &board_count) && is_block_of(kind, size, align));
    if (EXHAUST_EXPECT((index < board_count) && (block == board(index)) &&
                       (layout->lent_sizes[index] == size))) {
        layout->lent_sizes[index] = 0U;
        events_add(&happened, RETURNED, index);
        exhaust_drop(exhaust_at(object_of(index, kind)));
    }
}

static const mete_alloc_ops_t behind_ops = {lend, take_back, NULL, NULL, NULL};
static const mete_alloc_t backing = {&behind_ops, &board_count};

static mete_shared_t view(size_t kind)
{
    return REF(as_shared)(&layout->kinds[kind]);
}

static bool has_counts(size_t kind, const void *object, size_t strong, size_t weak)
{
    const mete_ref_counts_t counts = REF(counts)(&layout->kinds[kind], object);
    return (counts.strong == strong) && (counts.weak == weak);
}

static void hold(size_t kind, void *object)
{
    (void)exhaust_hold(object, configs[kind].object_size, configs[kind].align);
}

// ---- The cleanup

static unsigned act_of(const events_t *events)
{
    return (events_count(events, CLEANED) == 1U) ? act : PLAIN;
}

// In a cleanup its object has no strong reference, and the weak ones that it had.
static void expect_dying(void *object, size_t weak)
{
    const mete_shared_t shared = view(FIRST);
    EXHAUST_EXPECT(!shared.ops->upgrade(shared.self, object) && (tap_take_fault() == 0));
    if (METE_CHECK_LEVEL >= 1) {
        shared.ops->retain(shared.self, object);
        EXHAUST_EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
        shared.ops->drop(shared.self, object);
        EXHAUST_EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    }
    if ((METE_CHECK_LEVEL >= 1) && (weak == 0U)) {
        shared.ops->drop_weak(shared.self, object);
        EXHAUST_EXPECT(tap_take_fault() == METE_FAULT_DOUBLE_FREE);
    }
    EXHAUST_EXPECT(has_counts(FIRST, object, 0U, weak));
}

static size_t weak_of(const one_t *one);

static void *cleanup(void *self, void *object)
{
    const size_t index = board_of(object);
    const one_t *const one = &layout->ones[index];
    events_add(&happened, CLEANED, index);
    EXHAUST_EXPECT((self == &act) && (object == object_of(index, FIRST)));
    expect_dying(object, weak_of(one));
    if (act_of(&happened) == HOLD_WEAKLY) {
        view(FIRST).ops->retain_weak(&layout->kinds[FIRST], object);
    } else if (act_of(&happened) == MAKE_ANOTHER) {
        void *const another = REF(alloc)(&layout->kinds[FIRST]);
        if (another != NULL) {
            hold(FIRST, another);
        }
    }
    return (one->next != 0U) ? object_of(one->next - 1U, FIRST) : NULL;
}

// ---- Start

static exhaust_offer_t begin_with(mete_span_t arena, size_t count, bool fills)
{
    layout = arena.start;
    board_count = count;
    is_filling = fills;
    configs[FIRST] = (mete_ref_config_t){SIZE, ALIGN, cleanup, &act, layout->kept, KEPT_COUNT};
    configs[SECOND] = (mete_ref_config_t){SECOND_SIZE, 1U, NULL, NULL, NULL, 0U};
    for (size_t kind = 0U; kind < KIND_COUNT; kind++) {
        EXHAUST_EXPECT(REF(init)(&layout->kinds[kind], backing, &configs[kind]));
    }
    const mete_span_t blocks = {layout->storage, count * BOARD_SIZE};
    return (exhaust_offer_t){{NULL, NULL}, blocks, offsetof(layout_t, storage) + blocks.size};
}

static exhaust_offer_t begin(mete_span_t arena, size_t count)
{
    return begin_with(arena, count, false);
}

// So many that counts can saturate.
static exhaust_offer_t begin_full(mete_span_t arena, size_t count)
{
    return begin_with(arena, count, true);
}

// ---- The model: what must happen

// References that objects hold of this one.
static size_t links_to(size_t index)
{
    size_t count = 0U;
    for (size_t i = 0U; i < board_count; i++) {
        count += (layout->ones[i].next == index + 1U) ? 1U : 0U;
    }
    return count;
}

static size_t strong_of(size_t index)
{
    const one_t *const one = &layout->ones[index];
    const size_t many = (one->has_many != 0U) ? MANY : 0U;
    return (one->is_full != 0U) ? METE_REF_COUNT_MAX
                                : links_to(index) + one->strong + one->is_kept + many;
}

static size_t weak_of(const one_t *one)
{
    const size_t many = (one->has_many_weak != 0U) ? MANY : 0U;
    return (one->is_full_weak != 0U) ? METE_REF_COUNT_MAX : one->weak + many;
}

static void add_strong(size_t index)
{
    one_t *const one = &layout->ones[index];
    if (one->is_full == 0U) {
        one->strong++;
        one->is_full = (strong_of(index) == METE_REF_COUNT_MAX) ? 1U : 0U;
    }
}

static void add_weak(size_t index)
{
    one_t *const one = &layout->ones[index];
    if (one->is_full_weak == 0U) {
        one->weak++;
        one->is_full_weak = (weak_of(one) == METE_REF_COUNT_MAX) ? 1U : 0U;
    }
}

static bool is_lone(const one_t *one)
{
    return (one->is_kept != 0U) && (strong_of((size_t)(one - layout->ones)) == 1U) &&
           (weak_of(one) == 0U);
}

// The board of a new object, or board_count.
static size_t make(size_t kind)
{
    size_t index = 0U;
    while ((index < board_count) && (layout->ones[index].state != GONE)) {
        index++;
    }
    if (is_refused || (index == board_count)) {
        layout->refusals++;
        return board_count;
    }
    events_add(&expected, LENT, index);
    layout->ones[index] = (one_t){.state = ALIVE, .kind = (uint8_t)kind, .strong = 1U};
    layout->last_kinds[index] = (uint8_t)(kind + 1U);
    layout->all_kinds[index] |= (uint8_t)(1U << kind);
    return index;
}

static void release_if_unheld(size_t index)
{
    one_t *const one = &layout->ones[index];
    if ((one->state == DEAD) && (weak_of(one) == 0U)) {
        events_add(&expected, RETURNED, index);
        *one = (one_t){0};
    }
}

// Returns the object that it held, or board_count.
static size_t end(size_t index)
{
    one_t *const one = &layout->ones[index];
    const size_t next = (one->next != 0U) ? one->next - 1U : board_count;
    one->next = 0U;
    if (one->kind == FIRST) {
        events_add(&expected, CLEANED, index);
        if (act_of(&expected) == HOLD_WEAKLY) {
            add_weak(index);
        } else if (act_of(&expected) == MAKE_ANOTHER) {
            (void)make(FIRST);
        }
    }
    one->state = DEAD;
    release_if_unheld(index);
    return next;
}

// A strong reference was given up. As many objects may end as there are.
static void end_unheld(size_t index)
{
    for (size_t i = 0U; (i < board_count) && (index != board_count); i++) {
        index = (strong_of(index) == 0U) ? end(index) : board_count;
    }
}

static void take_strong(size_t index)
{
    if (layout->ones[index].is_full == 0U) {
        layout->ones[index].strong--;
        end_unheld(index);
    }
}

static void take_weak(size_t index)
{
    if (layout->ones[index].is_full_weak == 0U) {
        layout->ones[index].weak--;
        release_if_unheld(index);
    }
}

// ---- Calls and what must come of them

static void alloc(size_t kind)
{
    void *const object = REF(alloc)(&layout->kinds[kind]);
    const size_t index = make(kind);
    EXHAUST_EXPECT(object == ((index != board_count) ? object_of(index, kind) : NULL));
    if (object != NULL) {
        hold(kind, object);
    } else {
        exhaust_unchanged();
    }
}

static size_t count_if(bool (*is_such)(const one_t *one))
{
    size_t count = 0U;
    for (size_t i = 0U; i < board_count; i++) {
        count += is_such(&layout->ones[i]) ? 1U : 0U;
    }
    return count;
}

static bool is_kept(const one_t *one)
{
    return one->is_kept != 0U;
}

// One that nobody else holds, as it was left; or a new one, which is kept if there is room.
static void get(void)
{
    const bool has_lone = count_if(is_lone) != 0U;
    const bool has_room = count_if(is_kept) < KEPT_COUNT;
    void *const object = REF(get)(&layout->kinds[FIRST]);
    const size_t index = has_lone ? board_of(object) : make(FIRST);
    if (!EXHAUST_EXPECT(object == ((index < board_count) ? object_of(index, FIRST) : NULL))) {
        return;
    }
    if (object == NULL) {
        exhaust_unchanged();
    } else if (has_lone) {
        EXHAUST_EXPECT(is_lone(&layout->ones[index]));
        add_strong(index);
    } else {
        layout->ones[index].is_kept = has_room ? 1U : 0U;
        hold(FIRST, object);
    }
}

static void purge(void)
{
    uintptr_t kept[KEPT_COUNT];
    memcpy(kept, layout->kept, sizeof kept);
    const size_t purged_count = REF(purge)(&layout->kinds[FIRST]);
    size_t count = 0U;
    for (size_t i = 0U; i < KEPT_COUNT; i++) {
        const size_t index = board_of((const void *)kept[i]);
        if ((kept[i] != 0U) && is_lone(&layout->ones[index])) {
            layout->ones[index].is_kept = 0U;
            count++;
            end_unheld(index);
        }
    }
    EXHAUST_EXPECT(purged_count == count);
}

static void call_strong(uint8_t verb, size_t index)
{
    one_t *const one = &layout->ones[index];
    const mete_shared_t shared = view(one->kind);
    void *const object = object_of(index, one->kind);
    if (verb == RETAIN) {
        shared.ops->retain(shared.self, object);
        add_strong(index);
    } else if (verb == DROP) {
        shared.ops->drop(shared.self, object);
        take_strong(index);
    } else if (EXHAUST_EXPECT(shared.ops->upgrade(shared.self, object) == (one->state == ALIVE)) &&
               (one->state == ALIVE)) {
        add_strong(index);
    } else {
        exhaust_unchanged();
    }
}

static void call_weak(uint8_t verb, size_t index)
{
    one_t *const one = &layout->ones[index];
    const mete_shared_t shared = view(one->kind);
    void *const object = object_of(index, one->kind);
    if (verb == RETAIN_WEAK) {
        shared.ops->retain_weak(shared.self, object);
        add_weak(index);
    } else {
        shared.ops->drop_weak(shared.self, object);
        take_weak(index);
    }
}

// The caller's reference becomes that of an object, or the other way round.
static void link(size_t index, size_t to)
{
    layout->ones[to].strong--;
    layout->ones[index].next = (uint8_t)(to + 1U);
}

static void unlink(size_t index)
{
    const size_t to = layout->ones[index].next - 1U;
    layout->ones[index].next = 0U;
    layout->ones[to].strong++;
}

// As if the call had been made many times.
static void fill(size_t index, uint8_t *has_many, size_t one_more)
{
    const size_t change = one_more * MANY;
    header_of(index)->counts += (*has_many != 0U) ? 0U - change : change;
    *has_many = (uint8_t)(*has_many ^ 1U);
}

static void call_on(const exhaust_op_t *op, size_t index)
{
    one_t *const one = &layout->ones[index];
    switch (op->verb) {
    case RETAIN_WEAK:
    case DROP_WEAK:
        call_weak(op->verb, index);
        break;
    case LINK:
        link(index, op->size - 1U);
        break;
    case UNLINK:
        unlink(index);
        break;
    case FILL:
        fill(index, &one->has_many, (size_t)1 << (4U * sizeof(size_t)));
        break;
    case FILL_WEAK:
        fill(index, &one->has_many_weak, 1U);
        break;
    default:
        call_strong(op->verb, index);
        break;
    }
}

static void perform(const exhaust_op_t *op)
{
    is_refused = (op->verb == ALLOC_REFUSED) || (op->verb == GET_REFUSED);
    act = op->more;
    happened.count = 0U;
    expected.count = 0U;
    switch (op->verb) {
    case ALLOC:
    case ALLOC_REFUSED:
        alloc(FIRST);
        break;
    case ALLOC_SECOND:
        alloc(SECOND);
        break;
    case GET:
    case GET_REFUSED:
        get();
        break;
    case PURGE:
        purge();
        break;
    default:
        call_on(op, board_of(exhaust_address(op->at)));
        break;
    }
    EXHAUST_EXPECT(events_are_equal(&happened, &expected));
}

// ---- What can be called

static void add(exhaust_ops_t *ops, uint8_t verb, size_t index, size_t size, unsigned more)
{
    exhaust_add_op(ops, verb, exhaust_at(object_of(index, layout->ones[index].kind)), size, 0U);
    ops->ops[ops->count - 1U].more = (uint8_t)more;
}

static void add_acts(exhaust_ops_t *ops, uint8_t verb, size_t index, bool ends)
{
    for (unsigned more = PLAIN; more < (ends ? (unsigned)ACT_COUNT : 1U); more++) {
        if ((more != HOLD_WEAKLY) || (layout->ones[index].weak < HELD_MAX)) {
            add(ops, verb, index, 0U, more);
        }
    }
}

static bool has_strong(const one_t *one)
{
    return (one->strong != 0U) || (one->has_many != 0U);
}

static bool has_weak(const one_t *one)
{
    return (one->weak != 0U) || (one->has_many_weak != 0U);
}

static void list_strong(exhaust_ops_t *ops, size_t index)
{
    const one_t *const one = &layout->ones[index];
    const bool can_more = (one->strong < HELD_MAX) || (one->is_full != 0U);
    if (has_strong(one) && can_more) {
        add(ops, RETAIN, index, 0U, PLAIN);
    }
    if (has_weak(one) && can_more) {
        add(ops, UPGRADE, index, 0U, PLAIN);
    }
    if (one->strong != 0U) {
        add_acts(ops, DROP, index, (one->kind == FIRST) && (strong_of(index) == 1U));
    }
}

static void list_weak(exhaust_ops_t *ops, size_t index)
{
    const one_t *const one = &layout->ones[index];
    const bool can_more = (one->weak < HELD_MAX) || (one->is_full_weak != 0U);
    if ((has_strong(one) || has_weak(one)) && can_more) {
        add(ops, RETAIN_WEAK, index, 0U, PLAIN);
    }
    if (one->weak != 0U) {
        add(ops, DROP_WEAK, index, 0U, PLAIN);
    }
}

// Of an object of the first kind that the caller holds, and others of this kind.
static void list_links(exhaust_ops_t *ops, size_t index)
{
    const one_t *const one = &layout->ones[index];
    if ((one->kind != FIRST) || (one->strong == 0U)) {
        return;
    }
    for (size_t i = 0U; (i < board_count) && (one->next == 0U); i++) {
        if ((layout->ones[i].kind == FIRST) && (layout->ones[i].strong != 0U)) {
            add(ops, LINK, index, i + 1U, PLAIN);
        }
    }
    if ((one->next != 0U) && (layout->ones[one->next - 1U].strong < HELD_MAX)) {
        add(ops, UNLINK, index, 0U, PLAIN);
    }
}

static void list_fills(exhaust_ops_t *ops, size_t index)
{
    const one_t *const one = &layout->ones[index];
    const bool can_more = (one->has_many != 0U) || (strong_of(index) < HELD_MAX);
    const bool can_more_weak = (one->has_many_weak != 0U) || (one->weak < HELD_MAX);
    if ((one->strong != 0U) && (one->is_full == 0U) && can_more) {
        add(ops, FILL, index, 0U, PLAIN);
    }
    if ((one->weak != 0U) && (one->is_full_weak == 0U) && can_more_weak) {
        add(ops, FILL_WEAK, index, 0U, PLAIN);
    }
}

static void list(exhaust_ops_t *ops)
{
    for (unsigned verb = ALLOC; verb <= GET_REFUSED; verb++) {
        exhaust_add_op(ops, (uint8_t)verb, 0, 0U, 0U);
    }
    for (unsigned more = PLAIN; more < ACT_COUNT; more++) {
        exhaust_add_op(ops, PURGE, 0, 0U, 0U);
        ops->ops[ops->count - 1U].more = (uint8_t)more;
    }
    for (size_t i = 0U; i < board_count; i++) {
        list_strong(ops, i);
        list_weak(ops, i);
        list_links(ops, i);
        if (is_filling) {
            list_fills(ops, i);
        }
    }
}

// ---- What holds in every state

static bool is_kept_once(size_t index)
{
    const uintptr_t object = (uintptr_t)object_of(index, FIRST);
    size_t count = 0U;
    for (size_t i = 0U; i < KEPT_COUNT; i++) {
        count += (layout->kept[i] == object) ? 1U : 0U;
    }
    return count == layout->ones[index].is_kept;
}

static bool is_as_modelled(size_t index)
{
    const one_t *const one = &layout->ones[index];
    if (one->state == GONE) {
        return layout->lent_sizes[index] == 0U;
    }
    return (layout->lent_sizes[index] != 0U) && is_kept_once(index) &&
           has_counts(one->kind, object_of(index, one->kind),
                      (one->state == ALIVE) ? strong_of(index) : 0U, weak_of(one));
}

static bool is_first(const one_t *one)
{
    return (one->state != GONE) && (one->kind == FIRST);
}

static bool is_second(const one_t *one)
{
    return (one->state != GONE) && (one->kind == SECOND);
}

static bool is_sound(void)
{
    const mete_ref_usage_t first = REF(usage)(&layout->kinds[FIRST]);
    const mete_ref_usage_t second = REF(usage)(&layout->kinds[SECOND]);
    bool is_good = REF(check)(&layout->kinds[FIRST]) && REF(check)(&layout->kinds[SECOND]) &&
                   (first.in_use == count_if(is_first)) && (first.kept == count_if(is_kept)) &&
                   (second.in_use == count_if(is_second)) && (second.kept == 0U) &&
                   (first.refusals + second.refusals == layout->refusals);
    for (size_t i = 0U; i < board_count; i++) {
        is_good = is_good && is_as_modelled(i);
    }
    return is_good;
}

// Of a board only the header in front of its object matters.
static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    for (size_t i = 0U; i < board_count; i++) {
        const mete_ref_header_t header = *header_of(i);
        const size_t at = (size_t)((unsigned char *)header_of(i) - layout->storage);
        memset(masked->storage + (i * BOARD_SIZE), 0, BOARD_SIZE);
        if (layout->ones[i].state != GONE) {
            memcpy(masked->storage + at, &header, sizeof header);
        }
    }
    for (size_t kind = 0U; kind < KIND_COUNT; kind++) {
        masked->kinds[kind].refusals = 0U;
    }
    memset(masked->last_kinds, 0, sizeof masked->last_kinds);
    memset(masked->all_kinds, 0, sizeof masked->all_kinds);
    masked->refusals = 0U;
}

// ---- Misuse

static void misuse_drop(size_t kind, void *object, unsigned faults)
{
    const mete_shared_t shared = view(kind);
    exhaust_doing(DROP, exhaust_at(object), kind, 0U);
    shared.ops->drop(shared.self, object);
    exhaust_refused(faults);
}

static void misuse_strong(size_t kind, void *object, unsigned faults)
{
    const mete_shared_t shared = view(kind);
    exhaust_doing(RETAIN, exhaust_at(object), kind, 0U);
    shared.ops->retain(shared.self, object);
    exhaust_refused(faults);
    misuse_drop(kind, object, faults);
}

static void misuse_weak(size_t kind, void *object, unsigned faults)
{
    const mete_shared_t shared = view(kind);
    exhaust_doing(DROP_WEAK, exhaust_at(object), kind, 0U);
    shared.ops->drop_weak(shared.self, object);
    exhaust_refused(faults);
}

// No call may take this for an object of the kind.
static void misuse_all(size_t kind, void *object, unsigned faults)
{
    const mete_shared_t shared = view(kind);
    misuse_strong(kind, object, faults);
    misuse_weak(kind, object, faults);
    exhaust_doing(RETAIN_WEAK, exhaust_at(object), kind, 0U);
    shared.ops->retain_weak(shared.self, object);
    exhaust_refused(faults);
    exhaust_doing(UPGRADE, exhaust_at(object), kind, 0U);
    EXHAUST_EXPECT(!shared.ops->upgrade(shared.self, object));
    exhaust_refused(faults);
    EXHAUST_EXPECT(has_counts(kind, object, 0U, 0U));
    exhaust_refused(faults);
}

// What is left of an object that is gone tells so; what is left of an older one may.
static unsigned faults_at(size_t kind, const void *address)
{
    const size_t index = board_of(address);
    if ((index >= board_count) || (address != object_of(index, kind)) ||
        ((layout->all_kinds[index] & (1U << kind)) == 0U)) {
        return 1U << METE_FAULT_FOREIGN;
    }
    const bool is_last =
        (layout->ones[index].state == GONE) && (layout->last_kinds[index] == kind + 1U);
    return (1U << METE_FAULT_DOUBLE_FREE) | (is_last ? 0U : 1U << METE_FAULT_FOREIGN);
}

static void misuse_held(size_t index)
{
    const one_t *const one = &layout->ones[index];
    void *const object = object_of(index, one->kind);
    if (one->state == DEAD) {
        misuse_strong(one->kind, object, 1U << METE_FAULT_DOUBLE_FREE);
    }
    if ((one->state == ALIVE) && (one->is_kept != 0U) && (strong_of(index) == 1U)) {
        misuse_drop(one->kind, object, 1U << METE_FAULT_DOUBLE_FREE);  // It is the kind's own.
    }
    if (weak_of(one) == 0U) {
        misuse_weak(one->kind, object, 1U << METE_FAULT_DOUBLE_FREE);
    }
}

static void misuse_address(size_t kind, void *address)
{
    const size_t index = board_of(address);
    const bool is_object = (index < board_count) && (layout->ones[index].state != GONE) &&
                           (layout->ones[index].kind == kind) &&
                           (address == object_of(index, kind));
    if (is_object) {
        misuse_held(index);
    } else {
        misuse_all(kind, address, faults_at(kind, address));
    }
}

static void misuse(void)
{
    happened.count = 0U;
    for (size_t kind = 0U; kind < KIND_COUNT; kind++) {
        for (int at = exhaust_first(); at < exhaust_end(); at += (int)sizeof(void *)) {
            misuse_address(kind, exhaust_address(at));
        }
        view(kind).ops->drop(&layout->kinds[kind], NULL);
        view(kind).ops->drop_weak(&layout->kinds[kind], NULL);
        exhaust_refused(0U);
    }
    EXHAUST_EXPECT(happened.count == 0U);
}

const exhaust_subject_t SUBJECT() = {
    .name = NAME,
    .verbs = verbs,
    .init = begin,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t SUBJECT(_full) = {
    .name = NAME ".full",
    .verbs = verbs,
    .init = begin_full,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

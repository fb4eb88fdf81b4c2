// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The buffer as a subject of exhaustion: two of them, with different limits, in one memory of a few bytes, where the one is in
// the way of the other; and one alone in more. Behind them is an allocator that takes the first gap and grows a block where it
// stands if there is room; so many requests of a call as the call says it refuses. What it answered the model is told, and says
// which requests there must be, for how much, and where the bytes then stand.

#include "mete/object/buffer.h"

#include "tests/exhaust/subjects.h"
#include "tests/support/tap.h"

#include <string.h>

enum { BUFFER_MAX = 2, MEMORY_MAX = 128, LENT_MAX = BUFFER_MAX + 1, REQUEST_MAX = 4 };
enum { OTHERS = 0xA5, JUST_LENT = 0xDD, GIVEN_BACK = 0xEE };

// `at` of a call is the buffer, `more` how many requests are refused.
enum { APPEND = EXHAUST_OWN, APPEND_SPACE, RESERVE, CONSUME, SHRINK, RESET, PURGE };
static const char *const verbs[] = {"append", "append_space", "reserve", "consume",
                                    "shrink", "reset",        "purge"};

typedef struct block {
    uint16_t at;
    uint16_t size;  // 0: none.
} block_t;

typedef struct model {
    uint16_t room_size;
    uint16_t first;
    uint16_t length;
    unsigned char bytes[MEMORY_MAX];
} model_t;

typedef struct layout {
    mete_buffer_t buffers[BUFFER_MAX];
    block_t lent[LENT_MAX];
    model_t models[BUFFER_MAX];
    uint32_t stamp;  // Bytes written so far.
    _Alignas(16) unsigned char memory[];
} layout_t;

// What was asked for behind a call, and what the answer was.
typedef enum what { RESIZED, ACQUIRED, RELEASED } what_t;
typedef struct request {
    what_t what;
    size_t size;
    bool is_served;
} request_t;

static layout_t *layout;
static size_t buffer_count;
static size_t memory_size;
static const mete_buffer_config_t *configs[BUFFER_MAX];
static mete_buffer_config_t limits[BUFFER_MAX];

static request_t requests[2U * REQUEST_MAX];
static size_t request_count;   // Made,
static size_t request_judged;  // and of these found right.
static size_t refused_count;   // So many of the first are refused.
static unsigned char
    seen[MEMORY_MAX];  // The memory, as only the allocator and the buffer's owner may change it.

// ---- What stands behind

static size_t align_of(size_t index)
{
    return ((configs[index] != NULL) && (configs[index]->align != 0U)) ? configs[index]->align : 1U;
}

static size_t offset_of(const void *address)
{
    return (uintptr_t)address - (uintptr_t)layout->memory;
}

static void paint(size_t at, size_t size, int byte)
{
    memset(layout->memory + at, byte, size);
    memset(seen + at, byte, size);
}

// True if it is refused because the call says so.
static bool note(what_t what, size_t size)
{
    if (!EXHAUST_EXPECT(request_count < sizeof requests / sizeof requests[0])) {
        return true;
    }
    requests[request_count] = (request_t){what, size, what == RELEASED};
    request_count++;
    return request_count <= refused_count;
}

static void note_served(void)
{
    requests[request_count - 1U].is_served = true;
}

// A lent block other than `but` that reaches into this stretch, or NULL.
static const block_t *block_in(size_t at, size_t size, const block_t *but)
{
    for (size_t i = 0U; i < LENT_MAX; i++) {
        const block_t *const block = &layout->lent[i];
        if ((block != but) && (block->size != 0U) && (block->at < at + size) &&
            (at < (size_t)block->at + block->size)) {
            return block;
        }
    }
    return NULL;
}

static block_t *block_at(size_t at)
{
    for (size_t i = 0U; i < LENT_MAX; i++) {
        if ((layout->lent[i].size != 0U) && (layout->lent[i].at == at)) {
            return &layout->lent[i];
        }
    }
    return NULL;
}

static bool is_clear(size_t at, size_t size, const block_t *but)
{
    return (size <= memory_size) && (at <= memory_size - size) && (block_in(at, size, but) == NULL);
}

static block_t *unused_entry(void)
{
    size_t i = 0U;
    while ((i + 1U < LENT_MAX) && (layout->lent[i].size != 0U)) {
        i++;
    }
    EXHAUST_EXPECT(layout->lent[i].size == 0U);
    return &layout->lent[i];
}

static void *lend(void *self, size_t size, size_t align)
{
    EXHAUST_EXPECT(self == layout);
    if (note(ACQUIRED, size)) {
        return NULL;
    }
    size_t at = 0U;
    while ((at < memory_size) && !is_clear(at, size, NULL)) {
        at += align;
    }
    if (!is_clear(at, size, NULL)) {
        return NULL;
    }
    *unused_entry() = (block_t){(uint16_t)at, (uint16_t)size};
    paint(at, size, JUST_LENT);
    note_served();
    return layout->memory + at;
}

static void take_back(void *self, void *start, size_t size, size_t align)
{
    block_t *const block = block_at(offset_of(start));
    (void)note(RELEASED, size);
    if (EXHAUST_EXPECT((self == layout) && (block != NULL) && (block->size == size) &&
                       (block->at % align == 0U))) {
        paint(block->at, size, GIVEN_BACK);
        *block = (block_t){0U, 0U};
    }
}

static bool grow(void *self, void *start, size_t old_size, size_t size, size_t align)
{
    block_t *const block = block_at(offset_of(start));
    const bool is_refused = note(RESIZED, size);
    if (!EXHAUST_EXPECT((self == layout) && (block != NULL) && (block->size == old_size) &&
                        (block->at % align == 0U)) ||
        is_refused || !is_clear(block->at, size, block)) {
        return false;
    }
    if (EXHAUST_EXPECT(size >= old_size)) {
        paint((size_t)block->at + old_size, size - old_size, JUST_LENT);
    }
    block->size = (uint16_t)size;
    note_served();
    return true;
}

static const mete_alloc_ops_t growing_ops = {lend, take_back, grow, NULL, NULL};
static const mete_alloc_ops_t moving_ops = {lend, take_back, NULL, NULL, NULL};
static const mete_alloc_ops_t *behind_ops;

// ---- Start

static exhaust_offer_t begin(mete_span_t arena, size_t count, size_t size)
{
    layout = arena.start;
    buffer_count = count;
    memory_size = size;
    memset(layout->memory, OTHERS, size);
    for (size_t i = 0U; i < count; i++) {
        const mete_alloc_t alloc = {behind_ops, layout};
        EXHAUST_EXPECT(!mete_buffer_check(&layout->buffers[i]));
        EXHAUST_EXPECT(mete_buffer_init(&layout->buffers[i], alloc, configs[i]));
    }
    return (exhaust_offer_t){
        {NULL, NULL}, {layout->memory, size}, offsetof(layout_t, memory) + size};
}

static exhaust_offer_t begin_two(mete_span_t arena, size_t size)
{
    limits[0] = (mete_buffer_config_t){.size_min = 1U};
    // The least room is 16 bytes then, unless that is more than the most.
    limits[1] = (mete_buffer_config_t){0U, size - (size / 4U), size / 3U, 2U};
    configs[0] = &limits[0];
    configs[1] = &limits[1];
    behind_ops = &growing_ops;
    return begin(arena, 2U, size);
}

static exhaust_offer_t begin_plain(mete_span_t arena, size_t size)
{
    configs[0] = NULL;
    behind_ops = &growing_ops;
    return begin(arena, 1U, size);
}

static exhaust_offer_t begin_moving(mete_span_t arena, size_t size)
{
    limits[0] = (mete_buffer_config_t){3U, (size / 2U) + 1U, 5U, 4U};
    configs[0] = &limits[0];
    behind_ops = &moving_ops;
    return begin(arena, 1U, size);
}

// ---- The model: what must happen

static size_t size_min_of(size_t index)
{
    const size_t size = (configs[index] != NULL) ? configs[index]->size_min : 0U;
    return (size != 0U) ? size : 16U;
}

static size_t size_max_of(size_t index)
{
    const size_t size = (configs[index] != NULL) ? configs[index]->size_max : 0U;
    return (size != 0U) ? size : SIZE_MAX / 2U;
}

static size_t kept_size_of(size_t index)
{
    const size_t size = (configs[index] != NULL) ? configs[index]->kept_size : 0U;
    return (size != 0U) ? size : SIZE_MAX;
}

// The next request was this one. Returns whether it was served.
static bool was_served(what_t what, size_t size)
{
    if (!EXHAUST_EXPECT(request_judged < request_count)) {
        return false;
    }
    const request_t *const request = &requests[request_judged];
    request_judged++;
    EXHAUST_EXPECT((request->what == what) && (request->size == size));
    return request->is_served;
}

// In place, or elsewhere.
static bool has_become(model_t *model, size_t size)
{
    if ((model->room_size != 0U) && (behind_ops->resize != NULL) && was_served(RESIZED, size)) {
        model->room_size = (uint16_t)size;
        model->first = 0U;
        return true;
    }
    if (!was_served(ACQUIRED, size)) {
        return false;
    }
    if (model->room_size != 0U) {
        EXHAUST_EXPECT(was_served(RELEASED, model->room_size));
    }
    model->room_size = (uint16_t)size;
    model->first = 0U;
    return true;
}

// To twice as much, or to what is needed.
static size_t wanted_size(size_t index, size_t needed)
{
    size_t size = 2U * (size_t)layout->models[index].room_size;
    size = (size < needed) ? needed : size;
    size = (size < size_min_of(index)) ? size_min_of(index) : size;
    return (size > size_max_of(index)) ? size_max_of(index) : size;
}

static bool must_grow(size_t index, size_t needed)
{
    const size_t size = wanted_size(index, needed);
    return (needed <= size_max_of(index)) &&
           (has_become(&layout->models[index], size) ||
            ((size > needed) && has_become(&layout->models[index], needed)));
}

// There is room for so many bytes more behind those that are there.
static bool must_have_room(size_t index, size_t size)
{
    model_t *const model = &layout->models[index];
    if (size <= (size_t)model->room_size - model->first - model->length) {
        return true;
    }
    const size_t needed = model->length + size;
    if (needed > model->room_size) {
        return must_grow(index, needed);
    }
    if ((model->first >= model->length) || (model->room_size >= size_max_of(index)) ||
        !has_become(model, wanted_size(index, 0U))) {
        model->first = 0U;
    }
    return true;
}

// ---- What is there

static const unsigned char *room_of(size_t index)
{
    return layout->buffers[index].room;
}

// Of a room that was acquired in this call nothing was written behind the bytes: only what is in a buffer is copied.
static bool is_rest_as_lent(size_t index)
{
    const model_t *const model = &layout->models[index];
    bool is_acquired = false;
    for (size_t i = 0U; i < request_count; i++) {
        is_acquired = is_acquired || ((requests[i].what == ACQUIRED) && requests[i].is_served);
    }
    size_t i = (size_t)model->first + model->length;
    while (is_acquired && (i < model->room_size) && (room_of(index)[i] == JUST_LENT)) {
        i++;
    }
    return !is_acquired || (i == model->room_size);
}

static bool is_right_span(size_t index)
{
    const model_t *const model = &layout->models[index];
    const mete_span_t span = mete_buffer_span(&layout->buffers[index]);
    if (model->room_size == 0U) {
        return (span.start == NULL) && (span.size == 0U);
    }
    const unsigned char *const start = room_of(index) + model->first;
    return (span.size == model->length) && (span.start == start) &&
           (memcmp(start, model->bytes, model->length) == 0);
}

static bool is_right(size_t index)
{
    const mete_buffer_t *const buffer = &layout->buffers[index];
    const model_t *const model = &layout->models[index];
    const block_t *const block =
        (model->room_size != 0U) ? block_at(offset_of(room_of(index))) : NULL;
    const bool has_room = (model->room_size == 0U)
                              ? (room_of(index) == NULL)
                              : (block != NULL) && (block->size == model->room_size) &&
                                    (block->at % align_of(index) == 0U);
    return has_room && mete_buffer_check(buffer) &&
           (mete_buffer_size_of(buffer) == model->room_size) && is_right_span(index);
}

static size_t lent_count(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < LENT_MAX; i++) {
        count += (layout->lent[i].size != 0U) ? 1U : 0U;
    }
    return count;
}

static bool is_sound(void)
{
    bool is_good = true;
    size_t room_count = 0U;
    for (size_t i = 0U; i < buffer_count; i++) {
        is_good = is_good && is_right(i);
        room_count += (layout->models[i].room_size != 0U) ? 1U : 0U;
    }
    return is_good && (lent_count() == room_count);
}

// Nothing but its room was written to.
static bool are_others_untouched(size_t index)
{
    const size_t size = layout->models[index].room_size;
    const size_t at = (size != 0U) ? offset_of(room_of(index)) : 0U;
    return (at + size <= memory_size) && (memcmp(layout->memory, seen, at) == 0) &&
           (memcmp(layout->memory + at + size, seen + at + size, memory_size - at - size) == 0);
}

// ---- Calls and what must come of them

// An empty buffer's next byte may stand anywhere in the room.
static void look_where_empty(size_t index)
{
    model_t *const model = &layout->models[index];
    if ((model->length == 0U) && (model->room_size != 0U)) {
        const mete_span_t span = mete_buffer_span(&layout->buffers[index]);
        const size_t first = (uintptr_t)span.start - (uintptr_t)room_of(index);
        if (EXHAUST_EXPECT(first <= model->room_size)) {
            model->first = (uint16_t)first;
        }
    }
}

// The bytes to append, no two alike that are near.
static void write_next(unsigned char *to, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        layout->stamp = (layout->stamp + 1U) % 251U;
        to[i] = (unsigned char)layout->stamp;
    }
}

static void append(size_t index, size_t size, bool is_space)
{
    model_t *const model = &layout->models[index];
    mete_buffer_t *const buffer = &layout->buffers[index];
    unsigned char bytes[MEMORY_MAX * 2U];
    unsigned char after[MEMORY_MAX * 2U];
    const size_t old_room = model->room_size;
    write_next(bytes, size);
    memcpy(after, bytes, size);
    unsigned char *const space =
        is_space ? (unsigned char *)mete_buffer_append_space(buffer, size) : NULL;
    const bool is_done = is_space ? (space != NULL) : mete_buffer_append(buffer, bytes, size);
    const bool must = (size == 0U) ? !is_space : must_have_room(index, size);
    if (!EXHAUST_EXPECT((is_done == must) && (memcmp(bytes, after, size) == 0))) {
        return;
    }
    if (!is_done || (size == 0U)) {
        exhaust_unchanged();
        return;
    }
    unsigned char *const right =
        layout->memory + offset_of(room_of(index)) + model->first + model->length;
    if (is_space && EXHAUST_EXPECT(space == right)) {
        memcpy(space, bytes, size);
    }
    memcpy(model->bytes + model->length, bytes, size);
    model->length = (uint16_t)(model->length + size);
    const size_t most = 4U * (size_t)model->length;
    EXHAUST_EXPECT((model->room_size == old_room) || (model->room_size <= most) ||
                   (model->room_size <= size_min_of(index)));
}

static void reserve(size_t index, size_t size)
{
    const bool is_done = mete_buffer_reserve(&layout->buffers[index], size);
    EXHAUST_EXPECT(is_done == must_have_room(index, size));
    if (!is_done) {
        exhaust_unchanged();
    }
}

static void consume(size_t index, size_t size)
{
    model_t *const model = &layout->models[index];
    const bool is_done = mete_buffer_consume(&layout->buffers[index], size);
    EXHAUST_EXPECT(is_done == (size <= model->length));
    if (!is_done) {
        exhaust_unchanged();
        return;
    }
    model->first = (uint16_t)(model->first + size);
    model->length = (uint16_t)(model->length - size);
    memmove(model->bytes, model->bytes + size, model->length);
    look_where_empty(index);
}

static void empty(size_t index, bool gives_back)
{
    model_t *const model = &layout->models[index];
    model->first = 0U;
    model->length = 0U;
    if (gives_back && (model->room_size != 0U)) {
        EXHAUST_EXPECT(was_served(RELEASED, model->room_size));
        model->room_size = 0U;
    }
    look_where_empty(index);
}

static void call(const exhaust_op_t *op)
{
    const size_t index = (size_t)op->at;
    mete_buffer_t *const buffer = &layout->buffers[index];
    model_t *const model = &layout->models[index];
    switch (op->verb) {
    case APPEND:
    case APPEND_SPACE:
        append(index, op->size, op->verb == APPEND_SPACE);
        break;
    case RESERVE:
        reserve(index, op->size);
        break;
    case CONSUME:
        consume(index, op->size);
        break;
    case SHRINK:
        mete_buffer_shrink(buffer, op->size);
        model->length = (op->size < model->length) ? op->size : model->length;
        look_where_empty(index);
        break;
    case RESET:
        mete_buffer_reset(buffer);
        empty(index, model->room_size > kept_size_of(index));
        break;
    default:
        mete_buffer_purge(buffer);
        empty(index, true);
        break;
    }
}

static void perform(const exhaust_op_t *op)
{
    request_count = 0U;
    request_judged = 0U;
    refused_count = op->more;
    memcpy(seen, layout->memory, memory_size);
    call(op);
    EXHAUST_EXPECT((request_judged == request_count) && is_sound() &&
                   are_others_untouched((size_t)op->at) && is_rest_as_lent((size_t)op->at));
}

// ---- What can be called

// So many of its requests are refused as there can be.
static void add_growing(exhaust_ops_t *ops, uint8_t verb, size_t index, size_t size)
{
    const model_t *const model = &layout->models[index];
    const bool asks = size > (size_t)model->room_size - model->first - model->length;
    for (unsigned refused = 0U; refused <= (asks ? (unsigned)REQUEST_MAX : 0U); refused++) {
        exhaust_add_op(ops, verb, (int)index, size, 0U);
        ops->ops[ops->count - 1U].more = (uint8_t)refused;
    }
}

static bool is_wanted(size_t index, size_t size)
{
    const model_t *const model = &layout->models[index];
    const size_t behind = (size_t)model->room_size - model->first - model->length;
    const size_t unused = (size_t)model->room_size - model->length;
    const size_t left = size_max_of(index) - model->length;
    return (memory_size <= 16U) || (size <= 3U) || (size - behind <= 1U) || (size - unused <= 1U) ||
           (size - left <= 1U) || (size == 17U);
}

static void list_of(exhaust_ops_t *ops, size_t index)
{
    for (size_t size = 0U; size <= memory_size + 1U; size++) {
        if (is_wanted(index, size)) {
            add_growing(ops, APPEND, index, size);
            add_growing(ops, APPEND_SPACE, index, size);
            add_growing(ops, RESERVE, index, size);
        }
    }
    for (size_t size = 0U; size <= (size_t)layout->models[index].length + 1U; size++) {
        exhaust_add_op(ops, CONSUME, (int)index, size, 0U);
        exhaust_add_op(ops, SHRINK, (int)index, size, 0U);
    }
    exhaust_add_op(ops, RESET, (int)index, 0U, 0U);
    exhaust_add_op(ops, PURGE, (int)index, 0U, 0U);
}

static void list(exhaust_ops_t *ops)
{
    for (size_t i = 0U; i < buffer_count; i++) {
        list_of(ops, i);
    }
}

// ---- What does not matter

static void mask(unsigned char *copy)
{
    layout_t *const masked = (layout_t *)(void *)copy;
    for (size_t i = 0U; i < buffer_count; i++) {
        memset(masked->models[i].bytes, 0, MEMORY_MAX);
    }
    memset(masked->lent, 0, sizeof masked->lent);
    masked->stamp = 0U;
    memset(masked->memory, 0, memory_size);
}

// ---- Misuse

// Changes a buffer for one call.
static void expect_corrupt(size_t index, const mete_buffer_t *damaged, uint8_t verb, size_t size)
{
    mete_buffer_t *const buffer = &layout->buffers[index];
    const mete_buffer_t good = *buffer;
    exhaust_doing(verb, (int)index, size, 0U);
    *buffer = *damaged;
    mete_span_t span = {NULL, 0U};
    switch (verb) {
    case APPEND:
        EXHAUST_EXPECT(!mete_buffer_append(buffer, "byte", size));
        break;
    case APPEND_SPACE:
        EXHAUST_EXPECT(mete_buffer_append_space(buffer, size) == NULL);
        break;
    case RESERVE:
        EXHAUST_EXPECT(!mete_buffer_reserve(buffer, size));
        break;
    case CONSUME:
        EXHAUST_EXPECT(!mete_buffer_consume(buffer, size));
        break;
    case SHRINK:
        mete_buffer_shrink(buffer, size);
        break;
    case RESET:
        mete_buffer_reset(buffer);
        break;
    case PURGE:
        mete_buffer_purge(buffer);
        break;
    default:
        span = mete_buffer_span(buffer);
        EXHAUST_EXPECT((span.start == NULL) && (span.size == 0U));
        break;
    }
    EXHAUST_EXPECT(!mete_buffer_check(buffer) && (memcmp(buffer, damaged, sizeof *buffer) == 0));
    *buffer = good;
    exhaust_refused(1U << METE_FAULT_CORRUPT);
}

// To take bytes away needs no room: where the numbers agree, consume looks no further.
static void expect_damage(size_t index, const mete_buffer_t *damaged)
{
    const bool agrees = (damaged->first <= damaged->room_size) &&
                        (damaged->length <= damaged->room_size - damaged->first);
    for (unsigned verb = APPEND; verb <= PURGE + 1U; verb++) {
        if ((verb != CONSUME) || !agrees) {
            expect_corrupt(index, damaged, (uint8_t)verb, 0U);
            expect_corrupt(index, damaged, (uint8_t)verb, 1U);
        }
    }
}

static void misuse_damaged(size_t index)
{
    const mete_buffer_t good = layout->buffers[index];
    const size_t behind = good.room_size - good.first;
    const mete_buffer_t all[] = {
        {good.room, good.room_size, good.room_size + 1U, 0U, good.alloc, good.config},
        {good.room, good.room_size, good.room_size + 1U, good.length, good.alloc, good.config},
        {good.room, good.room_size, SIZE_MAX, 1U, good.alloc, good.config},
        {good.room, good.room_size, good.first, behind + 1U, good.alloc, good.config},
        {good.room, good.room_size, good.first, SIZE_MAX, good.alloc, good.config},
        {good.room, good.room_size, good.first, SIZE_MAX - good.first, good.alloc, good.config},
        {good.room, good.room_size, 1U, SIZE_MAX, good.alloc, good.config},
        {(good.room != NULL) ? NULL : layout->memory, good.room_size, good.first, good.length,
         good.alloc, good.config},
        {good.room, (good.room != NULL) ? 0U : 1U, 0U, 0U, good.alloc, good.config},
    };
    for (size_t i = 0U; i < sizeof all / sizeof all[0]; i++) {
        expect_damage(index, &all[i]);
    }
}

// A room of which calls take no notice.
static void misuse_check(size_t index)
{
    mete_buffer_t *const buffer = &layout->buffers[index];
    const mete_buffer_t good = *buffer;
    if (good.room != NULL) {
        buffer->room_size = size_max_of(index) + 1U;
        EXHAUST_EXPECT(!mete_buffer_check(buffer));
        buffer->room_size = good.room_size;
        buffer->room++;
        EXHAUST_EXPECT(mete_buffer_check(buffer) == (align_of(index) == 1U));
    }
    *buffer = good;
    exhaust_refused(0U);
}

// More than any buffer may have: nobody is asked.
static void misuse_huge(size_t index)
{
    mete_buffer_t *const buffer = &layout->buffers[index];
    const size_t left = size_max_of(index) - layout->models[index].length;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - layout->models[index].length,
                            SIZE_MAX - layout->models[index].length + 1U, left + 1U};
    for (size_t i = 0U; i < sizeof sizes / sizeof sizes[0]; i++) {
        // Without bytes in it there is nothing that SIZE_MAX + 1 would be more than.
        const size_t size = (sizes[i] != 0U) ? sizes[i] : SIZE_MAX;
        exhaust_doing(RESERVE, (int)index, size, 0U);
        EXHAUST_EXPECT(!mete_buffer_reserve(buffer, size));
        EXHAUST_EXPECT(mete_buffer_append_space(buffer, size) == NULL);
        EXHAUST_EXPECT(!mete_buffer_append(buffer, "byte", size));
        exhaust_refused(0U);
    }
}

static void misuse_init(size_t index)
{
    mete_buffer_t *const buffer = &layout->buffers[index];
    static const mete_buffer_config_t wrong[] = {
        {.align = 3U},
        {.size_min = 3U, .size_max = 2U},
        {.size_min = SIZE_MAX / 2U + 1U},
        {.size_max = SIZE_MAX / 2U + 1U},
    };
    EXHAUST_EXPECT(!mete_buffer_init(buffer, (mete_alloc_t){NULL, layout}, configs[index]));
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXHAUST_EXPECT(!mete_buffer_init(buffer, buffer->alloc, &wrong[i]));
    }
    exhaust_refused(0U);
}

static void misuse(void)
{
    request_count = 0U;
    refused_count = 0U;
    for (size_t i = 0U; i < buffer_count; i++) {
        misuse_damaged(i);
        misuse_check(i);
        misuse_huge(i);
        misuse_init(i);
    }
    EXHAUST_EXPECT(request_count == 0U);
}

const exhaust_subject_t exhaust_buffer = {
    .name = "buffer",
    .verbs = verbs,
    .init = begin_two,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t exhaust_buffer_plain = {
    .name = "buffer.plain",
    .verbs = verbs,
    .init = begin_plain,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

const exhaust_subject_t exhaust_buffer_moving = {
    .name = "buffer.moving",
    .verbs = verbs,
    .init = begin_moving,
    .list = list,
    .perform = perform,
    .is_sound = is_sound,
    .mask = mask,
    .misuse = misuse,
};

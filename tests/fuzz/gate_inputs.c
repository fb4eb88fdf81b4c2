// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes choose levels, regions, gates, and then what three tasks do: calls with arguments near and far from what is allowed,
// returns, transfers, writes, kills. Beside it runs a model that knows the policy's text and nothing of the module: who is
// where, whose is what, and what each byte of memory must be.

#include "tests/fuzz/gate_inputs.h"

#include "mete/core/words.h"
#include "tests/fuzz/stream.h"
#include "tests/unit/protect/domain_fixture.h"

enum {
    REGION_COUNT = 7,
    GATE_COUNT = 3,
    DEPTH_MAX = GATE_COUNT + 1,
    ARENA_SIZE = UNIT_COUNT * UNIT
};
enum { ARGUMENTS = METE_DOMAIN_ARGUMENT_MAX };

gate_inputs_counts_t gate_inputs_counts;

static mete_domain_region_t regions[REGION_COUNT];
static mete_domain_gate_t gates[GATE_COUNT];
static uint8_t owners[REGION_COUNT];
static mete_domain_call_t calls[GATE_COUNT];
static mete_domain_usage_t usages[DOMAIN_COUNT];
static mete_domain_config_t config;
static mete_domain_t domains;
static mete_domain_task_t tasks[DOMAIN_COUNT];

// ---- What there is

// Some next to each other, some apart. The first is common.
static void make_regions(stream_t *stream)
{
    static const uint8_t rights[] = {RW, RW, RW, R, RX, RW, RW, RW};
    size_t unit = 0U;
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        const uint32_t choice = stream_byte(stream);
        regions[i] = (mete_domain_region_t){
            .name = "region",
            .start = unit_at(unit),
            .size = UNIT * (1U + (choice & 1U)),
            .owner = (uint8_t)((i == 0U) ? METE_DOMAIN_COMMON : i % DOMAIN_COUNT),
            .rights = (i == 0U) ? RX : rights[(choice >> 1) & 7U],
            .isolation = (mete_domain_isolation_t)((i == 0U) ? 0U : (choice >> 4) % 3U)};
        if ((regions[i].rights == RW) && (i >= DOMAIN_COUNT + 1U)) {
            regions[i].receivers = stream_byte(stream) & 7U;
        }
        unit += 2U + (choice >> 6);
    }
}

// Mostly legal; what is not, init must notice.
static void make_arguments(stream_t *stream, mete_domain_gate_t *gate)
{
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        const uint32_t choice = stream_byte(stream);
        const bool is_due = (i != 0U) && (gate->arguments[i - 1U].kind >= METE_DOMAIN_IN) &&
                            (gate->arguments[i - 1U].kind <= METE_DOMAIN_IN_OUT);
        gate->arguments[i].kind = (uint8_t)(is_due ? METE_DOMAIN_SIZE : (choice & 7U) % 5U);
        gate->arguments[i].limit = (choice >> 3) & 15U;
        if (choice == 0xFFU) {
            gate->arguments[i].kind = (uint8_t)(stream_byte(stream) & 7U);
            gate->arguments[i].limit = stream_word(stream);
        } else if (!is_due && (i + 1U == ARGUMENTS) &&
                   (gate->arguments[i].kind > METE_DOMAIN_VALUE)) {
            gate->arguments[i].kind = METE_DOMAIN_VALUE;
        }
    }
}

static bool suits_a_buffer(const mete_domain_region_t *region)
{
    return (region->owner != METE_DOMAIN_COMMON) && (region->rights == RW) &&
           (region->isolation != METE_DOMAIN_READ_SHARED) && (region->receivers == 0U);
}

// Mostly the next one that suits.
static size_t region_for_buffer(uint32_t choice)
{
    size_t region = 1U + (choice & 7U) % (REGION_COUNT - 1U);
    for (size_t left = ((choice >> 3) != 31U) ? (size_t)REGION_COUNT : 0U;
         (left != 0U) && !suits_a_buffer(&regions[region]); left--) {
        region = (region + 1U) % REGION_COUNT;
    }
    return region;
}

static void make_gates(stream_t *stream)
{
    for (size_t i = 0U; i < GATE_COUNT; i++) {
        const uint32_t choice = stream_byte(stream);
        const size_t region = region_for_buffer(choice);
        gates[i] = (mete_domain_gate_t){
            .name = "gate",
            .domain = regions[region].owner,
            .callers = (choice >> 3) & 7U,
            .buffer = {(void *)regions[region].start, ((choice & 0x40U) != 0U) ? 32U : UNIT}};
        make_arguments(stream, &gates[i]);
    }
}

static bool make_all(stream_t *stream)
{
    const uint32_t levels = stream_byte(stream);
    make_members();
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        members[i].level = (uint8_t)((levels >> (2U * i)) & 3U);
        books[i][1].wish_max = ((levels & 0xC0U) == 0xC0U) ? 5U : WISH_MAX;
    }
    make_regions(stream);
    make_gates(stream);
    config = (mete_domain_config_t){.members = members,
                                    .member_count = DOMAIN_COUNT,
                                    .regions = regions,
                                    .region_count = REGION_COUNT,
                                    .gates = gates,
                                    .gate_count = GATE_COUNT,
                                    .owners = owners,
                                    .calls = calls,
                                    .usages = usages,
                                    .backend = &backend};
    return mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY;
}

// ---- The model

typedef struct crossing {
    size_t gate;
    uintptr_t arguments[ARGUMENTS];
} crossing_t;

// A task, and the gates that it is in, the outermost first.
typedef struct model_task {
    crossing_t crossings[DEPTH_MAX];
    size_t depth;
} model_task_t;

static model_task_t model[DOMAIN_COUNT];
static uint8_t model_owners[REGION_COUNT];
static unsigned char shadow[ARENA_SIZE];
static size_t running;

static size_t where(size_t task)
{
    const model_task_t *const own = &model[task];
    return (own->depth == 0U) ? task : gates[own->crossings[own->depth - 1U].gate].domain;
}

static uint32_t ref_rights(size_t task, size_t region)
{
    const mete_domain_region_t *const asked = &regions[region];
    const size_t domain = where(task);
    const size_t owner = model_owners[region];
    if (owner == METE_DOMAIN_COMMON) {
        return asked->rights;
    }
    if (owner == domain) {
        const bool is_closed =
            (asked->isolation == METE_DOMAIN_GATE_ONLY) && (model[task].depth == 0U);
        return is_closed ? 0U : asked->rights;
    }
    if ((asked->isolation != METE_DOMAIN_READ_SHARED) ||
        (members[domain].level < members[owner].level)) {
        return 0U;
    }
    return (uint32_t)asked->rights & R;
}

// Byte by byte: each must be in the region of the first one.
static bool ref_allows(size_t task, uintptr_t start, size_t size, uint32_t access)
{
    if (size == 0U) {
        return true;
    }
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        const uintptr_t last = regions[i].start + (regions[i].size - 1U);
        if ((start >= regions[i].start) && (start <= last)) {
            return (size <= last - start + 1U) && ((ref_rights(task, i) & access) == access);
        }
    }
    return false;
}

static uint32_t needed_for(uint32_t kind)
{
    static const uint8_t needed[] = {0U, 0U, R, W, RW, 0U};
    return needed[kind];
}

static bool ref_is_tame(size_t task, const mete_domain_gate_t *gate, const uintptr_t *arguments)
{
    bool is_tame = true;
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        const uint32_t kind = gate->arguments[i].kind;
        const bool has_limit = (kind == METE_DOMAIN_VALUE) || (kind == METE_DOMAIN_SIZE);
        is_tame = is_tame && (!has_limit || (arguments[i] <= gate->arguments[i].limit));
        if (needed_for(kind) != 0U) {
            is_tame =
                is_tame && ref_allows(task, arguments[i], arguments[i + 1U], needed_for(kind));
        }
    }
    return is_tame;
}

static bool is_serving(size_t gate)
{
    bool is_it = false;
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        for (size_t k = 0U; k < model[i].depth; k++) {
            is_it = is_it || (model[i].crossings[k].gate == gate);
        }
    }
    return is_it;
}

static mete_domain_answer_t ref_enter(size_t gate, const uintptr_t *arguments)
{
    if (gate >= GATE_COUNT) {
        return METE_DOMAIN_ABSENT;
    }
    if ((gates[gate].callers & bit(where(running))) == 0U) {
        return METE_DOMAIN_FORBIDDEN;
    }
    if (!ref_is_tame(running, &gates[gate], arguments)) {
        return METE_DOMAIN_WILD;
    }
    return is_serving(gate) ? METE_DOMAIN_BUSY : METE_DOMAIN_DONE;
}

// ---- Memory as it must be

static size_t offset_of(uintptr_t address)
{
    return (size_t)(address - unit_at(0U));
}

// In whole: as if by way of a third place.
static void shadow_copy(uintptr_t to, uintptr_t from, size_t size)
{
    if (size != 0U) {
        mete_words_move(&shadow[offset_of(to)], &shadow[offset_of(from)], size);
    }
}

static void shadow_clear(uintptr_t start, size_t size)
{
    if (size != 0U) {
        mete_words_fill(&shadow[offset_of(start)], 0U, size);
    }
}

static uintptr_t round_up(uintptr_t size)
{
    return (size + 7U) / 8U * 8U;
}

static bool is_memory_as_it_must_be(void)
{
    bool is_right = true;
    for (size_t i = 0U; i < ARENA_SIZE; i++) {
        is_right = is_right && (arena[i] == shadow[i]);
    }
    return is_right;
}

// ---- What is done, and whether it was right

// What the callee gets, and where.
static const char *check_arguments(const mete_domain_gate_t *gate, const uintptr_t *given,
                                   const uintptr_t *got)
{
    uintptr_t place = (uintptr_t)gate->buffer.start;
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        const uint32_t kind = gate->arguments[i].kind;
        uintptr_t wanted = (kind == METE_DOMAIN_UNUSED) ? 0U : given[i];
        if (needed_for(kind) != 0U) {
            wanted = place;
            if (kind == METE_DOMAIN_OUT) {
                shadow_clear(place, given[i + 1U]);
            } else {
                shadow_copy(place, given[i], given[i + 1U]);
            }
            place += round_up(gate->arguments[i + 1U].limit);
        }
        if (got[i] != wanted) {
            return "a callee gets an argument that it must not see";
        }
    }
    return NULL;
}

static const char *do_enter(size_t gate, const uintptr_t *given)
{
    uintptr_t got[ARGUMENTS];
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        got[i] = given[i];
    }
    const mete_domain_answer_t wanted = ref_enter(gate, given);
    const mete_domain_answer_t answer = mete_domain_enter(&domains, gate, got);
    gate_inputs_counts.answers[answer]++;
    if (answer != wanted) {
        return (answer == METE_DOMAIN_DONE) ? "a call is let in that must not be"
                                            : "a call is refused that must be let in, or wrongly";
    }
    if (answer != METE_DOMAIN_DONE) {
        return NULL;
    }
    model_task_t *const own = &model[running];
    own->crossings[own->depth].gate = gate;
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        own->crossings[own->depth].arguments[i] = given[i];
    }
    own->depth++;
    return check_arguments(&gates[gate], given, got);
}

static const char *do_leave(void)
{
    model_task_t *const own = &model[running];
    const mete_domain_answer_t answer = mete_domain_leave(&domains);
    if (own->depth == 0U) {
        return (answer == METE_DOMAIN_ABSENT) ? NULL : "a task comes back from nowhere";
    }
    gate_inputs_counts.leaves++;
    own->depth--;
    const crossing_t *const crossing = &own->crossings[own->depth];
    const mete_domain_gate_t *const gate = &gates[crossing->gate];
    uintptr_t place = (uintptr_t)gate->buffer.start;
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        const uint32_t needed = needed_for(gate->arguments[i].kind);
        if (needed != 0U) {
            const uintptr_t to = crossing->arguments[i];
            const size_t size = crossing->arguments[i + 1U];
            if (((needed & W) != 0U) && ref_allows(running, to, size, W)) {
                shadow_copy(to, place, size);
            }
            place += round_up(gate->arguments[i + 1U].limit);
        }
    }
    shadow_clear((uintptr_t)gate->buffer.start, gate->buffer.size);
    return (answer == METE_DOMAIN_DONE) ? NULL : "a task does not come back";
}

static const char *do_reset(size_t task)
{
    mete_domain_reset(&domains, &tasks[task]);
    for (size_t i = 0U; i < model[task].depth; i++) {
        const mete_span_t buffer = gates[model[task].crossings[i].gate].buffer;
        shadow_clear((uintptr_t)buffer.start, buffer.size);
    }
    model[task].depth = 0U;
    return NULL;
}

static const char *do_transfer(size_t region, size_t receiver)
{
    mete_domain_answer_t wanted = METE_DOMAIN_DONE;
    if ((region >= REGION_COUNT) || (receiver >= DOMAIN_COUNT)) {
        wanted = METE_DOMAIN_ABSENT;
    } else if ((model_owners[region] != where(running)) ||
               ((ref_rights(running, region) & RW) != RW) || (receiver == where(running)) ||
               ((regions[region].receivers & bit(receiver)) == 0U)) {
        wanted = METE_DOMAIN_FORBIDDEN;
    }
    const mete_domain_answer_t answer = mete_domain_transfer(&domains, region, receiver);
    if (answer == METE_DOMAIN_DONE) {
        gate_inputs_counts.transfers++;
        model_owners[region] = (uint8_t)receiver;
        shadow_clear(regions[region].start, regions[region].size);
    }
    const bool is_full = (wanted == METE_DOMAIN_DONE) && (answer == METE_DOMAIN_FULL);
    return ((answer == wanted) || is_full) ? NULL
                                           : "a region goes where it must not, or not where it may";
}

// Code of the running domain writes where it may.
static const char *do_write(uintptr_t address, uint8_t byte)
{
    const bool is_allowed = mete_domain_allows(&domains, address, 1U, W);
    if (is_allowed != ref_allows(running, address, 1U, W)) {
        return "a write is judged wrongly";
    }
    if (is_allowed) {
        *(unsigned char *)address = byte;
        shadow[offset_of(address)] = byte;
    }
    return NULL;
}

// What the plan that is in force lets happen, at both ends of each region.
static const char *check_plan(void)
{
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        for (uint32_t access = R; access <= (uint32_t)X; access <<= 1) {
            const bool wanted = (ref_rights(running, i) & access) != 0U;
            const uintptr_t last = regions[i].start + regions[i].size - 1U;
            const mete_plan_t *const plan = tasks[running].plan;
            if ((mete_plan_allows(plan, regions[i].start, 1U, access, METE_UNPRIVILEGED) !=
                 wanted) ||
                (mete_plan_allows(plan, last, 1U, access, METE_UNPRIVILEGED) != wanted)) {
                return "a plan grants what the policy does not, or not what it does";
            }
        }
    }
    return NULL;
}

// Near an edge of a region, or anywhere.
static uintptr_t next_address(stream_t *stream)
{
    const uint32_t choice = stream_byte(stream);
    if (choice == 0xFFU) {
        return stream_word(stream);
    }
    const mete_domain_region_t *const region = &regions[choice % REGION_COUNT];
    const uint32_t offset = stream_byte(stream);
    return (offset < 0xC0U) ? region->start + offset % UNIT
                            : region->start + region->size + offset - 0xE0U;
}

static uintptr_t next_size(stream_t *stream)
{
    const uint32_t choice = stream_byte(stream);
    return (choice == 0xFFU) ? stream_word(stream) : choice & 15U;
}

static const char *call(stream_t *stream)
{
    const uint32_t choice = stream_byte(stream);
    const size_t gate = (choice < 0xF8U) ? choice % GATE_COUNT : (size_t)stream_word(stream);
    uintptr_t given[ARGUMENTS];
    for (size_t i = 0U; i < ARGUMENTS; i++) {
        const uint32_t kind = (gate < GATE_COUNT) ? gates[gate].arguments[i].kind : 0U;
        given[i] = (needed_for(kind) != 0U) ? next_address(stream) : next_size(stream);
    }
    return do_enter(gate, given);
}

static const char *step(stream_t *stream)
{
    const uint32_t choice = stream_byte(stream);
    switch (choice & 7U) {
    case 0U:
        running = (choice >> 3) % DOMAIN_COUNT;
        mete_domain_switch(&domains, &tasks[running]);
        return NULL;
    case 1U:
        return do_leave();
    case 2U:
        return do_transfer((choice >> 3) % (REGION_COUNT + 1U),
                           stream_byte(stream) % (DOMAIN_COUNT + 1U));
    case 3U:
        return do_write(next_address(stream), (uint8_t)stream_byte(stream));
    case 4U:
        return ((choice >> 3) < 24U) ? call(stream) : do_reset((choice >> 3) % DOMAIN_COUNT);
    default:
        return call(stream);
    }
}

static void begin(void)
{
    for (size_t i = 0U; i < ARENA_SIZE; i++) {
        arena[i] = (unsigned char)(i * 7U + 1U);
        shadow[i] = arena[i];
    }
    for (size_t i = 0U; i < REGION_COUNT; i++) {
        model_owners[i] = regions[i].owner;
    }
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        (void)mete_domain_add(&domains, &tasks[i], i);
        model[i].depth = 0U;
    }
    running = 0U;
    mete_domain_switch(&domains, &tasks[0]);
}

const char *gate_inputs_check(const uint8_t *bytes, size_t size)
{
    stream_t stream = {bytes, size};
    if (!make_all(&stream)) {
        gate_inputs_counts.refused_configs++;
        return NULL;
    }
    begin();
    const char *broken = NULL;
    while ((broken == NULL) && (stream.left != 0U)) {
        broken = step(&stream);
        broken = (broken == NULL) ? check_plan() : broken;
        if ((broken == NULL) && !is_memory_as_it_must_be()) {
            broken = "memory is not as it must be";
        }
        if ((broken == NULL) && !mete_domain_check(&domains)) {
            broken = "the books do not agree";
        }
    }
    return broken;
}

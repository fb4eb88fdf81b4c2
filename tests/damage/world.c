// SPDX-License-Identifier: MIT OR Apache-2.0

#define _GNU_SOURCE  // MAP_ANONYMOUS, sigsetjmp()

#include "tests/damage/world.h"

#include "mete/core/align.h"
#include "tests/support/random.h"
#include "tests/support/tap.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

enum {
    PAGE = 4096,
    ARENA_MAX = 4 * PAGE,
    LIVE_MIN = 20,
    FREE_MIN = 8,
    BUILD_MIN = 500,  // Operations that lead to a state.
    BUILD_MAX = 20000,
    STEP_MAX = WORLD_STEP_COUNT + (2 * WORLD_SLOT_COUNT),
    STRIDE = 17 * 8,  // Between the contents of two slots.
    TICK_US = 250000,
};
// Beyond the farthest that a link or a header can lead: 2^32 words of 8 bytes, and a block of 2^31
// granules behind that. Where addresses have 32 bits such a link can lead anywhere; the guards are
// then what fits.
#if UINTPTR_MAX > 0xFFFFFFFFU
static const size_t guard_size = (size_t)64 << 30;
#else
static const size_t guard_size = (size_t)128 << 20;
#endif

typedef enum verb { ALLOC, FREE, RESIZE, REALLOC } verb_t;

typedef struct step {
    verb_t verb;
    size_t slot;
    size_t size;
    size_t align;
    bool is_served;     // By the undamaged allocator,
    const void *start;  // and where.
} step_t;

world_slot_t world_slots[WORLD_SLOT_COUNT];
mete_span_t world_arena;
world_harm_t world_harm;
size_t world_step;

static unsigned char *memory;
static const damage_subject_t *subject;
static damage_offer_t offer;
static bool is_displaced;  // In this run: a block lies elsewhere than the twin's.
static step_t steps[STEP_MAX];
static size_t step_count;
static unsigned char contents[ARENA_MAX + (WORLD_SLOT_COUNT * STRIDE)];
static struct {
    unsigned char arena[ARENA_MAX];
    world_slot_t slots[WORLD_SLOT_COUNT];
} kept;

// ---- What leads out of the arena, and what does not return

static struct {
    sigjmp_buf way_out;
    volatile sig_atomic_t is_armed;
    volatile uint32_t run;   // Number of the run.
    volatile uint32_t seen;  // The run in which the clock ticked last.
} watch;

static void on_bad_access(int number)
{
    if (!watch.is_armed) {  // A bug of the campaign itself: let it be fatal.
        (void)signal(number, SIG_DFL);
        return;
    }
    siglongjmp(watch.way_out, WORLD_WILD);
}

// A run takes less than a thousandth of a tick: if two ticks fall into one it will not end.
static void on_tick(int number)
{
    (void)number;
    if (watch.is_armed && (watch.seen == watch.run)) {
        siglongjmp(watch.way_out, WORLD_HUNG);
    }
    watch.seen = watch.run;
}

static void catch_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

bool world_open(void)
{
    void *const mapped = mmap(NULL, (2U * guard_size) + ARENA_MAX, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
        return false;
    }
    memory = (unsigned char *)mapped + guard_size;
    catch_signal(SIGSEGV, on_bad_access);
    catch_signal(SIGBUS, on_bad_access);
    catch_signal(SIGVTALRM, on_tick);
    // Time of this process only: a busy machine makes nothing hang.
    const struct itimerval timer = {{0, TICK_US}, {0, TICK_US}};
    return setitimer(ITIMER_VIRTUAL, &timer, NULL) == 0;
}

// ---- Contents

static const unsigned char *content_of(size_t slot)
{
    return contents + (slot * STRIDE);
}

static void paint(size_t slot)
{
    memcpy(world_slots[slot].start, content_of(slot), world_slots[slot].size);
}

static bool is_intact(size_t slot)
{
    const world_slot_t *const held = &world_slots[slot];
    return (held->start == NULL) || (memcmp(held->start, content_of(slot), held->size) == 0);
}

static bool are_all_intact(void)
{
    size_t slot = 0U;
    while ((slot < WORLD_SLOT_COUNT) && is_intact(slot)) {
        slot++;
    }
    return slot == WORLD_SLOT_COUNT;
}

// ---- Operations

static bool is_in_arena(const unsigned char *start, size_t size)
{
    const uintptr_t offset = (uintptr_t)start - (uintptr_t)offer.blocks.start;
    return (offset <= offer.blocks.size) && (size <= offer.blocks.size - offset);
}

// What is wrong with a block that was handed out for a slot.
static world_harm_t harm_of(size_t slot, size_t align)
{
    const unsigned char *const start = world_slots[slot].start;
    const size_t size = world_slots[slot].size;
    if (!is_in_arena(start, size) || ((uintptr_t)start % align != 0U)) {
        return HARM_OVERLAP;
    }
    for (size_t i = 0U; i < WORLD_SLOT_COUNT; i++) {
        const world_slot_t *const other = &world_slots[i];
        if ((i != slot) && (other->start != NULL) && (start < other->start + other->size) &&
            (other->start < start + size)) {
            return HARM_OVERLAP;
        }
    }
    return HARM_NONE;
}

static unsigned char *locate(void *name)
{
    return (subject->locate != NULL) ? subject->locate(name) : name;
}

// Finds the blocks anew that a call may have moved. One said to lie outside does harm, and is not looked
// at; one whose name is refused is taken to be where it was.
static world_harm_t find_blocks(void)
{
    world_harm_t harm = HARM_NONE;
    for (size_t slot = 0U; (slot < WORLD_SLOT_COUNT) && (subject->locate != NULL); slot++) {
        world_slot_t *const held = &world_slots[slot];
        unsigned char *const start = (held->start != NULL) ? subject->locate(held->name) : NULL;
        if ((start != NULL) && !is_in_arena(start, held->size)) {
            harm = HARM_OVERLAP;
        } else if (start != NULL) {
            held->start = start;
        }
    }
    return harm;
}

// Fills a slot whose block is new or resized. Only a block that does no harm is written to.
static world_harm_t hold(size_t slot, void *name, size_t size, size_t align)
{
    unsigned char *const start = locate(name);
    if (start == NULL) {
        return HARM_NONE;  // That was a fault.
    }
    world_slots[slot] = (world_slot_t){start, name, size};
    const world_harm_t moved = find_blocks();
    const world_harm_t harm = (moved != HARM_NONE) ? moved : harm_of(slot, align);
    if (harm == HARM_NONE) {
        paint(slot);
    }
    return harm;
}

static world_harm_t perform_alloc(const step_t *step, bool *is_served)
{
    void *const name = subject->alloc(step->size, step->align);
    *is_served = name != NULL;
    return (name != NULL) ? hold(step->slot, name, step->size, step->align) : find_blocks();
}

static world_harm_t perform_realloc(const step_t *step, bool *is_served)
{
    world_slot_t *const held = &world_slots[step->slot];
    void *const name = subject->realloc(held->name, step->size);
    *is_served = name != NULL;
    if (name == NULL) {
        return find_blocks();
    }
    const size_t kept_size = (held->size < step->size) ? held->size : step->size;
    unsigned char *const start = locate(name);
    if (start == NULL) {
        return HARM_NONE;  // That was a fault.
    }
    *held = (world_slot_t){start, name, step->size};
    world_harm_t harm = find_blocks();
    harm = (harm != HARM_NONE) ? harm : harm_of(step->slot, 8U);
    if ((harm == HARM_NONE) && (memcmp(start, content_of(step->slot), kept_size) != 0)) {
        harm = HARM_PAYLOAD;
    }
    return (harm == HARM_NONE) ? hold(step->slot, name, step->size, 8U) : harm;
}

static world_harm_t perform_resize(const step_t *step, bool *is_served)
{
    void *const name = world_slots[step->slot].name;
    *is_served = subject->resize(name, step->size);
    return *is_served ? hold(step->slot, name, step->size, 8U) : find_blocks();
}

static world_harm_t perform(const step_t *step, bool *is_served)
{
    world_slot_t *const held = &world_slots[step->slot];
    *is_served = true;
    if ((held->start == NULL) && (step->verb != ALLOC)) {
        return HARM_NONE;  // Harm that nobody minded: the block was refused.
    }
    switch (step->verb) {
    case ALLOC:
        return perform_alloc(step, is_served);
    case RESIZE:
        return perform_resize(step, is_served);
    case REALLOC:
        return perform_realloc(step, is_served);
    case FREE:
        subject->free(held->name);
        held->start = NULL;
        break;
    }
    return find_blocks();
}

// ---- Random work

// Every fourth operation on a held block changes its size, if the allocator can do that.
static step_t next_step(uint32_t *random)
{
    step_t step = {ALLOC, random_below(random, WORLD_SLOT_COUNT), 0U, 8U, false, NULL};
    step.size = 1U + random_below(random, (uint32_t)offer.size_max);
    const uint32_t choice = random_below(random, 8U);
    if (world_slots[step.slot].start == NULL) {
        step.align = (choice == 0U) ? offer.align_max >> random_below(random, 3U) : 8U;
        step.align = (step.align < 8U) ? 8U : step.align;
    } else if ((subject->resize != NULL) && (choice < 2U)) {
        step.verb = ((choice == 0U) || (subject->realloc == NULL)) ? RESIZE : REALLOC;
    } else {
        step.verb = FREE;
    }
    return step;
}

static size_t count_live(void)
{
    size_t count = 0U;
    for (size_t slot = 0U; slot < WORLD_SLOT_COUNT; slot++) {
        count += (world_slots[slot].start != NULL) ? 1U : 0U;
    }
    return count;
}

static size_t count_free(void)
{
    static damage_block_t blocks[WORLD_BLOCK_MAX];
    const size_t count = subject->list_blocks(blocks, WORLD_BLOCK_MAX);
    size_t free_count = 0U;
    for (size_t i = 0U; i < count; i++) {
        free_count += blocks[i].is_live ? 0U : 1U;
    }
    return free_count;
}

bool world_build(const damage_subject_t *chosen, uint32_t search, uint32_t seed)
{
    uint32_t random = seed;
    subject = chosen;
    world_arena = (mete_span_t){memory, (size_t)PAGE * (1U + random_below(&random, 4U))};
    (void)mprotect(memory, ARENA_MAX, PROT_NONE);
    (void)mprotect(memory, world_arena.size, PROT_READ | PROT_WRITE);
    memset(memory, 0, world_arena.size);
    memset(world_slots, 0, sizeof world_slots);
    offer = subject->init(world_arena, search);
    const size_t count_min = BUILD_MIN + random_below(&random, BUILD_MIN);
    for (size_t i = 0U; i < BUILD_MAX; i++) {
        if ((i >= count_min) && (count_live() >= LIVE_MIN) && (count_free() >= FREE_MIN)) {
            return tap_take_fault() == 0;
        }
        const step_t step = next_step(&random);
        bool is_served = false;
        if (perform(&step, &is_served) != HARM_NONE) {
            return false;
        }
    }
    return false;
}

// ---- Fill

// Random bytes, or the headers of random blocks one after the other.
static void make_contents(world_fill_t fill, uint32_t *random, const damage_block_t *blocks,
                          size_t count)
{
    memset(contents, 0, sizeof contents);
    const size_t size = (fill == FILL_COPIES) ? subject->header_size : 1U;
    for (size_t i = 0U; (fill != FILL_ZEROS) && (size != 0U) && (i < sizeof contents); i += size) {
        if (fill == FILL_COPIES) {
            const damage_block_t *const block = &blocks[random_below(random, (uint32_t)count)];
            memcpy(contents + i, block->start - size, size);
        } else {
            contents[i] = (unsigned char)(random_next(random) >> 8);
        }
    }
}

void world_fill(world_fill_t fill, uint32_t seed)
{
    static damage_block_t blocks[WORLD_BLOCK_MAX];
    uint32_t random = seed;
    const size_t count = subject->list_blocks(blocks, WORLD_BLOCK_MAX);
    make_contents(fill, &random, blocks, count);
    for (size_t i = 0U; i < count; i++) {
        const size_t kept_size = blocks[i].is_live ? 0U : subject->link_size;
        memcpy(blocks[i].start + kept_size, content_of(i % WORLD_SLOT_COUNT),
               blocks[i].size - kept_size);
    }
    for (size_t slot = 0U; slot < WORLD_SLOT_COUNT; slot++) {
        if (world_slots[slot].start != NULL) {
            paint(slot);
        }
    }
}

// ---- The script

static bool record_step(step_t step)
{
    const world_harm_t harm = perform(&step, &step.is_served);
    step.start = world_slots[step.slot].start;
    steps[step_count] = step;
    step_count++;
    return (harm == HARM_NONE) && (tap_take_fault() == 0);
}

// Frees everything and asks for all there is.
static bool record_end(void)
{
    bool is_sound = true;
    for (size_t slot = 0U; slot < WORLD_SLOT_COUNT; slot++) {
        if (world_slots[slot].start != NULL) {
            is_sound = record_step((step_t){FREE, slot, 0U, 8U, false, NULL}) && is_sound;
        }
    }
    for (size_t i = 0U; i < offer.whole_count; i++) {
        is_sound = record_step((step_t){ALLOC, i, offer.whole_size, 8U, false, NULL}) && is_sound &&
                   steps[step_count - 1U].is_served;
    }
    return is_sound;
}

bool world_record(uint32_t seed)
{
    memcpy(kept.arena, memory, world_arena.size);
    memcpy(kept.slots, world_slots, sizeof kept.slots);
    uint32_t random = seed;
    bool is_sound = true;
    step_count = 0U;
    while (step_count < WORLD_STEP_COUNT) {
        is_sound = record_step(next_step(&random)) && is_sound;
    }
    return record_end() && is_sound;
}

void world_restore(void)
{
    memcpy(memory, kept.arena, world_arena.size);
    memcpy(world_slots, kept.slots, sizeof world_slots);
}

const world_slot_t *world_slot_at(const unsigned char *start)
{
    size_t slot = 0U;
    while ((slot < WORLD_SLOT_COUNT) && (world_slots[slot].start != start)) {
        slot++;
    }
    return (slot < WORLD_SLOT_COUNT) ? &world_slots[slot] : NULL;
}

bool world_is_same_but(const unsigned char *start, size_t size)
{
    const size_t front = (size_t)(start - memory);
    return (memcmp(memory, kept.arena, front) == 0) &&
           (memcmp(start + size, kept.arena + front + size, world_arena.size - front - size) == 0);
}

// ---- Running the script on a damaged allocator

// Bytes from where a block begins to where the next one could.
static size_t extent_of(size_t size)
{
    return mete_align_up(size + subject->header_size, 8U);
}

// Bytes between a block and the next that is held; in front of all blocks if `held` is NULL.
static size_t gap_behind(const world_slot_t *held)
{
    const unsigned char *const first = offer.blocks.start;
    const unsigned char *const from = (held != NULL) ? held->start + extent_of(held->size) : first;
    const unsigned char *to = first + extent_of(offer.blocks.size);
    for (size_t slot = 0U; slot < WORLD_SLOT_COUNT; slot++) {
        const unsigned char *const start = world_slots[slot].start;
        to = ((start != NULL) && (start >= from) && (start < to)) ? start : to;
    }
    return (to > from) ? (size_t)(to - from) : 0U;
}

// A request was refused that the twin serves. Must it be, with the blocks that are held?
static bool must_serve(const step_t *step)
{
    const world_slot_t *const held = &world_slots[step->slot];
    if (step->verb == RESIZE) {
        return extent_of(held->size) + gap_behind(held) >= extent_of(step->size);
    }
    size_t largest = gap_behind(NULL);
    for (size_t slot = 0U; slot < WORLD_SLOT_COUNT; slot++) {
        const size_t gap = (world_slots[slot].start != NULL) ? gap_behind(&world_slots[slot]) : 0U;
        largest = (gap > largest) ? gap : largest;
    }
    return subject->must_serve(largest, step->size, step->align);
}

// Does one step. A block that was refused to the twin goes back at once.
static world_harm_t follow(const step_t *step)
{
    bool is_served = false;
    const world_harm_t harm = perform(step, &is_served);
    if ((harm == HARM_NONE) && step->is_served && !is_served) {
        return HARM_REFUSED;
    }
    is_displaced = is_displaced || (world_slots[step->slot].start != step->start);
    if ((harm == HARM_NONE) && !step->is_served && is_served && (step->verb == ALLOC)) {
        subject->free(world_slots[step->slot].name);
        world_slots[step->slot].start = NULL;
    }
    return harm;
}

// A call has reported a fault. What it was called for was intact until then; so must be all the rest.
static world_verdict_t judge_fault(const step_t *step)
{
    world_harm = is_intact(step->slot) ? HARM_NONE : HARM_PAYLOAD;
    const world_slot_t held = world_slots[step->slot];
    world_slots[step->slot].start = NULL;
    const bool is_rest_intact = are_all_intact();
    world_slots[step->slot] = held;
    if (!is_rest_intact) {
        world_harm = HARM_PAYLOAD;
    }
    return is_rest_intact ? WORLD_DETECTED : WORLD_SILENT;
}

static world_verdict_t follow_script(bool minds_harm)
{
    is_displaced = false;
    for (world_step = 0U; world_step < step_count; world_step++) {
        const step_t *const step = &steps[world_step];
        const bool is_lost = minds_harm && !is_intact(step->slot);
        world_harm = is_lost ? HARM_PAYLOAD : follow(step);
        if (tap_take_fault() != 0) {
            return minds_harm ? judge_fault(step) : WORLD_DETECTED;
        }
        if (minds_harm && (world_harm == HARM_REFUSED) && is_displaced && !must_serve(step)) {
            return WORLD_DISPLACED;
        }
        if (minds_harm && (world_harm != HARM_NONE)) {
            return WORLD_SILENT;
        }
    }
    world_harm = are_all_intact() ? HARM_NONE : HARM_PAYLOAD;
    return (world_harm == HARM_NONE) ? WORLD_HARMLESS : WORLD_SILENT;
}

world_verdict_t world_run(bool minds_harm)
{
    watch.run++;
    const int caught = sigsetjmp(watch.way_out, 0);
    world_verdict_t verdict = (world_verdict_t)caught;
    if (caught == 0) {
        watch.is_armed = 1;
        verdict = follow_script(minds_harm);
    }
    watch.is_armed = 0;
    return verdict;
}

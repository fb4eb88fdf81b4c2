// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The subject's memory lies between two margins, so that a write just outside it shows. Contents are
// made from a seed a block, so that a block cannot be mistaken for its neighbour.

#include "mete/core/bits.h"
#include "tests/conformance/cases.h"

#define MARGIN_SIZE SUITE_ARENA_ALIGN
#define MARGIN_BYTE 0xC3U

static struct {
    _Alignas(SUITE_ARENA_ALIGN) unsigned char before[MARGIN_SIZE];
    unsigned char arena[SUITE_ARENA_SIZE];
    unsigned char after[MARGIN_SIZE];
} memory;

static unsigned char elsewhere[64];
static suite_t suite;
static const suite_case_t *running;

static void *call_acquire(mete_alloc_t alloc, size_t size, size_t align)
{
    return mete_acquire(alloc, size, align);
}

static void call_release(mete_alloc_t alloc, void *block, size_t size, size_t align)
{
    mete_release(alloc, block, size, align);
}

static bool call_resize(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                        size_t align)
{
    return mete_resize(alloc, block, old_size, new_size, align);
}

static void *call_realloc(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                          size_t align)
{
    return mete_realloc(alloc, block, old_size, new_size, align);
}

static void *call_acquire_zeroed(mete_alloc_t alloc, size_t size, size_t align)
{
    return mete_acquire_zeroed(alloc, size, align);
}

static void *call_acquire_array(mete_alloc_t alloc, size_t count, size_t size, size_t align)
{
    return mete_acquire_array(alloc, count, size, align);
}

const suite_calls_t suite_calls = {
    .acquire = call_acquire,
    .release = call_release,
    .resize = call_resize,
    .realloc = call_realloc,
    .acquire_zeroed = call_acquire_zeroed,
    .acquire_array = call_acquire_array,
};

bool suite_expect(suite_t *s, bool holds, const char *condition, const char *file, int line)
{
    if (!holds && (s->failure == NULL)) {
        s->failure = condition;
        s->failure_file = file;
        s->failure_line = line;
    }
    return holds;
}

void suite_fresh(suite_t *s, uint8_t rubbish)
{
    mete_words_fill(memory.before, MARGIN_BYTE, sizeof memory.before);
    mete_words_fill(memory.arena, rubbish, sizeof memory.arena);
    mete_words_fill(memory.after, MARGIN_BYTE, sizeof memory.after);
    s->count = 0U;
    s->alloc = s->subject->make(s->arena);
}

bool suite_has(const suite_t *s, unsigned traits)
{
    return (s->subject->traits & traits) == traits;
}

void *suite_acquire(const suite_t *s, size_t size, size_t align)
{
    return s->calls->acquire(s->alloc, size, align);
}

void suite_release(const suite_t *s, void *block, size_t size, size_t align)
{
    s->calls->release(s->alloc, block, size, align);
}

// Neither a constant nor a counter: a block shifted by a few bytes must not look right.
static uint8_t pattern(uint8_t seed, size_t index)
{
    return (uint8_t)(seed + (index * 7U) + (index >> 8));
}

static void paint(suite_slot_t *slot)
{
    for (size_t i = 0U; i < slot->size; i++) {
        slot->block[i] = pattern(slot->seed, i);
    }
}

suite_slot_t *suite_take(suite_t *s, size_t size, size_t align)
{
    if (s->count == SUITE_SLOT_COUNT) {
        return NULL;
    }
    unsigned char *const block = suite_acquire(s, size, align);
    // A wrong allocator may hand out what is not its own; that must not be written to.
    if ((block == NULL) || !CHECK(suite_is_inside(s, block, size))) {
        return NULL;
    }
    suite_slot_t *const slot = &s->slots[s->count];
    slot->block = block;
    slot->size = size;
    slot->align = align;
    slot->seed = s->seed_next;
    s->seed_next = (uint8_t)(s->seed_next + 37U);
    s->count++;
    paint(slot);
    return slot;
}

void suite_give(suite_t *s, size_t index)
{
    if (!CHECK(index < s->count)) {
        return;
    }
    const suite_slot_t *const slot = &s->slots[index];
    suite_release(s, slot->block, slot->size, slot->align);
    s->count--;
    for (size_t i = index; i < s->count; i++) {
        s->slots[i] = s->slots[i + 1U];
    }
}

void suite_refill(suite_t *s, suite_slot_t *slot, size_t size)
{
    slot->size = size;
    slot->seed = s->seed_next;
    s->seed_next = (uint8_t)(s->seed_next + 37U);
    paint(slot);
}

bool suite_is_intact(const suite_slot_t *slot, const void *block, size_t size)
{
    const unsigned char *const bytes = block;
    size_t i = 0U;
    while ((i < size) && (bytes[i] == pattern(slot->seed, i))) {
        i++;
    }
    return i == size;
}

bool suite_all_intact(const suite_t *s)
{
    size_t i = 0U;
    while ((i < s->count) && suite_is_intact(&s->slots[i], s->slots[i].block, s->slots[i].size)) {
        i++;
    }
    return i == s->count;
}

bool suite_is_inside(const suite_t *s, const void *block, size_t size)
{
    const uintptr_t offset = (uintptr_t)block - (uintptr_t)s->arena.start;
    return (offset < s->arena.size) && (size <= s->arena.size - offset);
}

static bool overlap(const suite_slot_t *a, const suite_slot_t *b)
{
    return (a->block < b->block + b->size) && (b->block < a->block + a->size);
}

bool suite_any_overlap(const suite_t *s)
{
    bool found = false;
    for (size_t i = 0U; i < s->count; i++) {
        for (size_t j = 0U; j < i; j++) {
            found |= overlap(&s->slots[i], &s->slots[j]);
        }
    }
    return found;
}

bool suite_margins_intact(const suite_t *s)
{
    (void)s;
    return (mete_words_scan(memory.before, MARGIN_BYTE, MARGIN_SIZE) == MARGIN_SIZE) &&
           (mete_words_scan(memory.after, MARGIN_BYTE, MARGIN_SIZE) == MARGIN_SIZE);
}

size_t suite_fill(suite_t *s, size_t size)
{
    while (suite_take(s, size, s->align) != NULL) {
    }
    return s->count;
}

void suite_drain_last_first(suite_t *s)
{
    while (s->count != 0U) {
        suite_give(s, s->count - 1U);
    }
}

void suite_drain_first_first(suite_t *s)
{
    while (s->count != 0U) {
        suite_give(s, 0U);
    }
}

void suite_drain_random(suite_t *s)
{
    while (s->count != 0U) {
        suite_give(s, random_below(&s->random, (uint32_t)s->count));
    }
}

void suite_step(suite_t *s)
{
    if ((s->count != 0U) && (random_below(&s->random, 9U) < 4U)) {
        suite_give(s, random_below(&s->random, (uint32_t)s->count));
        return;
    }
    const size_t size_max = (s->size_fill < 64U) ? s->size_fill : 2U * s->size_fill;
    const size_t limit = suite_has(s, SUITE_MIXED) ? size_max : s->size;
    const size_t size = 1U + random_below(&s->random, (uint32_t)limit);
    const size_t align = (size_t)1U << random_below(&s->random, 6U);
    (void)suite_take(s, size, (align <= s->align) ? align : s->align);
}

void *suite_foreign(suite_t *s, size_t which)
{
    void *const addresses[] = {&memory.before[MARGIN_SIZE - 16U], &memory.after[16], elsewhere + 32,
                               s};
    return (which < sizeof addresses / sizeof addresses[0]) ? addresses[which] : NULL;
}

static const suite_group_t *const groups[] = {
    &suite_group_acquire, &suite_group_refuse, &suite_group_release, &suite_group_resize,
    &suite_group_realloc, &suite_group_misuse, &suite_group_report,
};
#define GROUP_COUNT (sizeof groups / sizeof groups[0])

size_t suite_case_count(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < GROUP_COUNT; i++) {
        count += groups[i]->count;
    }
    return count;
}

const suite_case_t *suite_case(size_t index)
{
    size_t group = 0U;
    while (index >= groups[group]->count) {
        index -= groups[group]->count;
        group++;
    }
    return &groups[group]->cases[index];
}

static size_t smaller(size_t a, size_t b)
{
    return (a < b) ? a : b;
}

suite_verdict_t suite_run(const suite_case_t *one, const suite_subject_t *subject)
{
    if ((subject->traits & one->needs) != one->needs) {
        return SUITE_SKIPPED;
    }
    suite_t *const s = &suite;
    s->subject = subject;
    s->calls = (subject->calls != NULL) ? subject->calls : &suite_calls;
    s->arena = (mete_span_t){memory.arena, sizeof memory.arena};
    s->size = smaller(24U, subject->size_max);
    s->size_fill = smaller(SUITE_ARENA_SIZE / 64U, subject->size_max);
    s->align = smaller(8U, subject->align_max);
    s->random = 0x2545F491U;
    s->failure = NULL;
    suite_fresh(s, 0xA5U);
    (void)tap_take_fault();
    one->run(s);
    (void)CHECK(tap_take_fault() == 0);
    (void)CHECK((subject->check == NULL) || subject->check());
    return (s->failure == NULL) ? SUITE_PASSED : SUITE_FAILED;
}

static void run_as_tap(void)
{
    (void)suite_run(running, suite.subject);
    if (suite.failure != NULL) {
        (void)tap_expect(false, suite.failure, suite.failure_file, suite.failure_line);
    }
}

// Why a case is skipped, by the trait that is missing: bit n of suite_trait_t is entry n.
static const char *const reasons[] = {
    "serves one size only",
    "takes no memory back",
    "takes back only the block acquired last",
    "does not join free blocks",
    "does not resize in place",
    "cannot tell what it owns",
    "cannot tell the size of a block",
    "does not know the size of a block at release",
    "does not notice a size that is too small",
    "does not know the alignment of a block",
    "does not notice foreign addresses",
    "does not notice addresses inside blocks",
    "does not notice a double free",
    "does not know where blocks start",
    "joins and grows only what belongs together",
};

static const char *reason_to_skip(unsigned missing)
{
    return reasons[mete_bits_ctz(missing)];
}

// "subject: case", cut off if it were longer than TAP lines should be.
static const char *title(const suite_subject_t *subject, const suite_case_t *one)
{
    static char text[128];
    const char *const parts[] = {subject->name, ": ", one->name};
    size_t length = 0U;
    for (size_t i = 0U; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t j = 0U; (parts[i][j] != '\0') && (length < sizeof text - 1U); j++) {
            text[length] = parts[i][j];
            length++;
        }
    }
    text[length] = '\0';
    return text;
}

void suite_test(const suite_subject_t *subject)
{
    for (size_t i = 0U; i < suite_case_count(); i++) {
        running = suite_case(i);
        const unsigned missing = running->needs & ~subject->traits;
        suite.subject = subject;
        if (missing != 0U) {
            tap_skip(title(subject, running), reason_to_skip(missing));
        } else {
            tap_run(run_as_tap, title(subject, running));
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A change never touches the newest record. It is made in a copy of it, over the older one; the copy is no
// record until its first word is written, last of all. So there is a whole record at every moment.

#include "mete/system/postmortem.h"

#include "mete/core/crc.h"
#include "mete/core/words.h"

enum {
    DEPTH = METE_POSTMORTEM_DEPTH,
    PEAK_COUNT = METE_POSTMORTEM_PEAK_COUNT,
    SITE_COUNT = METE_POSTMORTEM_SITE_COUNT
};

_Static_assert(sizeof(mete_postmortem_record_t) ==
                   (7U + 11U * DEPTH + PEAK_COUNT + 3U * SITE_COUNT + 1U) * sizeof(size_t),
               "the host finds numbers by counting words");

static size_t crc_of(const mete_postmortem_record_t *record)
{
    const size_t first = offsetof(mete_postmortem_record_t, word_size);
    return mete_crc32(0U, &record->word_size, offsetof(mete_postmortem_record_t, crc) - first);
}

static bool is_whole(const mete_postmortem_record_t *record)
{
    return (record->magic == METE_POSTMORTEM_MAGIC) && (record->word_size == sizeof(size_t)) &&
           (record->crc == crc_of(record));
}

static mete_postmortem_record_t *record_at(const mete_postmortem_t *postmortem, size_t index)
{
    return &postmortem->config->store->records[index % 2U];
}

// An empty record that is not yet valid.
static void clear(mete_postmortem_record_t *record)
{
    mete_words_fill(record, 0U, sizeof *record);
    record->word_size = sizeof(size_t);
}

// Makes room for a change: returns a copy of the newest whole record, not yet valid. If what should be
// the newest one was overwritten that is the older one, or else an empty one.
static mete_postmortem_record_t *begin(const mete_postmortem_t *postmortem)
{
    const mete_postmortem_record_t *const newest = record_at(postmortem, postmortem->current);
    mete_postmortem_record_t *const other = record_at(postmortem, postmortem->current + 1U);
    const bool is_newest_whole = is_whole(newest);
    const bool is_other_whole = !is_newest_whole && is_whole(other);
    *(volatile size_t *)&other->magic = 0U;
    __asm__ volatile("" ::: "memory");
    if (is_newest_whole) {
        mete_words_copy(&other->word_size, &newest->word_size,
                        sizeof *other - offsetof(mete_postmortem_record_t, word_size));
    } else if (!is_other_whole) {
        clear(other);
    }
    other->damage_total += is_newest_whole ? 0U : 1U;
    return other;
}

// Makes the change valid.
static void end(mete_postmortem_t *postmortem, mete_postmortem_record_t *record)
{
    record->sequence++;
    record->crc = crc_of(record);
    __asm__ volatile("" ::: "memory");
    *(volatile size_t *)&record->magic = METE_POSTMORTEM_MAGIC;
    postmortem->current = (postmortem->current + 1U) % 2U;
}

bool mete_postmortem_init(mete_postmortem_t *postmortem, const mete_postmortem_config_t *config)
{
    METE_ASSERT((postmortem != NULL) && (config != NULL) && (config->store != NULL));
    postmortem->config = config;
    mete_postmortem_record_t *const a = record_at(postmortem, 0U);
    const mete_postmortem_record_t *const b = record_at(postmortem, 1U);
    const bool is_a = is_whole(a);
    const bool is_b = is_whole(b);
    // Later by less than half of all numbers, for they wrap.
    const bool is_b_later = is_b && (!is_a || (b->sequence - a->sequence - 1U < SIZE_MAX / 2U));
    postmortem->current = is_b_later ? 1U : 0U;
    if (!is_a && !is_b) {
        clear(a);
        a->crc = crc_of(a);
        a->magic = METE_POSTMORTEM_MAGIC;
    }
    mete_postmortem_record_t *const record = begin(postmortem);
    record->boot++;
    end(postmortem, record);
    return is_a || is_b;
}

const mete_postmortem_record_t *mete_postmortem_last(const mete_postmortem_t *postmortem)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    return record_at(postmortem, postmortem->current);
}

static size_t now(const mete_postmortem_t *postmortem)
{
    return (postmortem->config->clock != NULL) ? postmortem->config->clock() : 0U;
}

void mete_postmortem_note_fault(mete_postmortem_t *postmortem, mete_fault_t fault,
                                const void *object, const void *address, const void *caller)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    mete_postmortem_record_t *const record = begin(postmortem);
    mete_postmortem_fault_t *const entry = &record->faults[record->fault_total % DEPTH];
    entry->kind = (size_t)fault;
    entry->object = (size_t)object;
    entry->address = (size_t)address;
    entry->caller = (size_t)caller;
    entry->tick = now(postmortem);
    entry->boot = record->boot;
    record->fault_total++;
    end(postmortem, record);
}

void mete_postmortem_note_refusal(mete_postmortem_t *postmortem, size_t size, const void *caller)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    const mete_postmortem_config_t *const config = postmortem->config;
    mete_postmortem_record_t *const record = begin(postmortem);
    mete_postmortem_refusal_t *const entry = &record->refusals[record->refusal_total % DEPTH];
    entry->size = size;
    entry->caller = (size_t)caller;
    entry->largest_free_size =
        (config->largest_free != NULL) ? config->largest_free(config->largest_free_self) : SIZE_MAX;
    entry->tick = now(postmortem);
    entry->boot = record->boot;
    record->refusal_total++;
    end(postmortem, record);
}

void mete_postmortem_note_peak(mete_postmortem_t *postmortem, size_t index, size_t value)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL) && (index < PEAK_COUNT));
    if ((index >= PEAK_COUNT) || (mete_postmortem_last(postmortem)->peaks[index] >= value)) {
        return;
    }
    mete_postmortem_record_t *const record = begin(postmortem);
    record->peaks[index] = value;
    end(postmortem, record);
}

// The entry of a call site; or, as it has none, the one with the fewest bytes.
static size_t place_of(const mete_postmortem_record_t *record, size_t caller)
{
    size_t least = 0U;
    for (size_t i = 0U; i < SITE_COUNT; i++) {
        const mete_postmortem_site_t *const site = &record->sites[i];
        if ((site->caller == caller) && (site->size != 0U)) {
            return i;
        }
        least = (site->size < record->sites[least].size) ? i : least;
    }
    return least;
}

void mete_postmortem_note_site(mete_postmortem_t *postmortem, const void *caller, size_t count,
                               size_t size)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    const mete_postmortem_record_t *const last = mete_postmortem_last(postmortem);
    if (last->sites[place_of(last, (size_t)caller)].size >= size) {
        return;
    }
    mete_postmortem_record_t *const record = begin(postmortem);
    mete_postmortem_site_t *const site = &record->sites[place_of(record, (size_t)caller)];
    site->caller = (size_t)caller;
    site->count = count;
    site->size = size;
    end(postmortem, record);
}

static void on_event(void *self, const mete_event_t *event)
{
    mete_postmortem_t *const postmortem = (mete_postmortem_t *)self;
    if (event->kind == METE_EVENT_REFUSE) {
        mete_postmortem_note_refusal(postmortem, event->size, event->caller);
    } else if (event->kind == METE_EVENT_FAULT) {
        mete_postmortem_note_fault(postmortem, (mete_fault_t)event->size, event->source,
                                   event->block, event->caller);
    }
}

mete_observer_t mete_postmortem_as_observer(mete_postmortem_t *postmortem)
{
    const mete_observer_t observer = {on_event, postmortem};
    return observer;
}

void mete_postmortem_reset(mete_postmortem_t *postmortem)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    mete_postmortem_record_t *const record = begin(postmortem);
    const size_t boot = record->boot;
    const size_t sequence = record->sequence;
    clear(record);
    record->boot = boot;
    record->sequence = sequence;
    end(postmortem, record);
}

bool mete_postmortem_check(const mete_postmortem_t *postmortem)
{
    METE_ASSERT((postmortem != NULL) && (postmortem->config != NULL));
    return (postmortem->current < 2U) && is_whole(record_at(postmortem, postmortem->current));
}

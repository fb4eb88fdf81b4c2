// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The tag of each entry covers the tag before it. The tag of the last entry that left the ring is kept, so that
// the oldest one that is still there can be verified like the others; and the newest tag is kept, so that a
// newest entry written anew, tag and all, differs from what the log knows.

#include "mete/system/audit.h"

#include "mete/core/crc.h"
#include "mete/core/text.h"

static void seal(const mete_audit_t *audit, const mete_audit_tag_t *previous,
                 const mete_audit_entry_t *entry, mete_audit_tag_t *tag)
{
    const mete_audit_config_t *const config = audit->config;
    const size_t size = offsetof(mete_audit_entry_t, tag);
    if (config->seal != NULL) {
        config->seal(config->seal_self, previous, entry, size, tag);
        return;
    }
    tag->words[0] = mete_crc32(previous->words[0], entry, size);
    tag->words[1] = 0U;
}

static bool is_equal(const mete_audit_tag_t *a, const mete_audit_tag_t *b)
{
    return (a->words[0] == b->words[0]) && (a->words[1] == b->words[1]);
}

static void copy(mete_audit_tag_t *to, const mete_audit_tag_t *from)
{
    to->words[0] = from->words[0];
    to->words[1] = from->words[1];
}

// The index of the entry so many places behind the oldest.
static size_t index_of(const mete_audit_t *audit, size_t place)
{
    const size_t entry_count = audit->config->entry_count;
    const size_t oldest = (audit->count < entry_count) ? 0U : audit->next;
    return (place < entry_count - oldest) ? oldest + place : place - (entry_count - oldest);
}

// Walks and checks must not leave the entries, whatever was overwritten.
static bool is_bounded(const mete_audit_t *audit)
{
    const size_t entry_count = audit->config->entry_count;
    return (audit->count <= entry_count) && (audit->next < entry_count) &&
           ((audit->count == entry_count) || (audit->count == audit->next));
}

bool mete_audit_init(mete_audit_t *audit, const mete_audit_config_t *config)
{
    METE_ASSERT((audit != NULL) && (config != NULL));
    if ((config->entries == NULL) || (config->entry_count == 0U)) {
        return false;
    }
    audit->config = config;
    audit->next = 0U;
    audit->count = 0U;
    audit->events = 0U;
    audit->first.words[0] = 0U;
    audit->first.words[1] = 0U;
    copy(&audit->last, &audit->first);
    return true;
}

static bool is_wanted(const mete_audit_config_t *config, mete_event_kind_t kind)
{
    return (config->kinds == 0U) || (((config->kinds >> ((unsigned)kind % 32U)) & 1U) != 0U);
}

static void fill(const mete_audit_t *audit, mete_audit_entry_t *entry, const mete_event_t *event)
{
    const mete_audit_config_t *const config = audit->config;
    entry->block = (uintptr_t)event->block;
    entry->caller = (uintptr_t)event->caller;
    entry->size = event->size;
    entry->number = audit->events + 1U;
    entry->tick = (config->clock != NULL) ? config->clock() : 0U;
    entry->kind = (uint32_t)event->kind;
    entry->owner = (config->owner != NULL) ? config->owner(config->owner_self) : 0U;
}

void mete_audit_note(mete_audit_t *audit, const mete_event_t *event)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL) && (event != NULL));
    const mete_audit_config_t *const config = audit->config;
    if (!is_wanted(config, event->kind)) {
        return;
    }
    if ((METE_CHECK_LEVEL >= 1) && !is_bounded(audit)) {
        METE_FAULT(METE_FAULT_CORRUPT, audit, NULL);
        return;
    }
    mete_audit_entry_t *const entry = &config->entries[audit->next];
    if (audit->count == config->entry_count) {
        copy(&audit->first, &entry->tag);
    } else {
        audit->count++;
    }
    fill(audit, entry, event);
    seal(audit, &audit->last, entry, &entry->tag);
    copy(&audit->last, &entry->tag);
    audit->events++;
    audit->next = (audit->next + 1U < config->entry_count) ? audit->next + 1U : 0U;
}

static void on_event(void *self, const mete_event_t *event)
{
    mete_audit_note((mete_audit_t *)self, event);
}

mete_observer_t mete_audit_as_observer(mete_audit_t *audit)
{
    const mete_observer_t observer = {on_event, audit};
    return observer;
}

size_t mete_audit_count(const mete_audit_t *audit)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL));
    return audit->count;
}

uint32_t mete_audit_events(const mete_audit_t *audit)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL));
    return audit->events;
}

mete_audit_tag_t mete_audit_last(const mete_audit_t *audit)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL));
    const mete_audit_tag_t tag = {{audit->last.words[0], audit->last.words[1]}};
    return tag;
}

// The entry at `place` follows one with the tag `previous`, and is the last only if its tag is known.
static bool is_sound(const mete_audit_t *audit, size_t place, const mete_audit_tag_t *previous)
{
    const mete_audit_entry_t *const entry = &audit->config->entries[index_of(audit, place)];
    const bool is_last = place + 1U == audit->count;
    mete_audit_tag_t tag;
    seal(audit, previous, entry, &tag);
    return is_equal(&tag, &entry->tag) &&
           (entry->number == audit->events - (uint32_t)(audit->count - 1U - place)) &&
           (!is_last || is_equal(&tag, &audit->last));
}

size_t mete_audit_verify(const mete_audit_t *audit)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL));
    const size_t count = is_bounded(audit) ? audit->count : 0U;
    mete_audit_tag_t previous;
    copy(&previous, &audit->first);
    size_t place = 0U;
    while ((place < count) && is_sound(audit, place, &previous)) {
        copy(&previous, &audit->config->entries[index_of(audit, place)].tag);
        place++;
    }
    return place;
}

bool mete_audit_check(const mete_audit_t *audit)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL));
    const bool is_empty = audit->count == 0U;
    return is_bounded(audit) && (mete_audit_verify(audit) == audit->count) &&
           (!is_empty || ((audit->events == 0U) && is_equal(&audit->first, &audit->last)));
}

bool mete_audit_walk(const mete_audit_t *audit,
                     bool (*visit)(void *self, const mete_audit_entry_t *entry), void *self)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL) && (visit != NULL));
    const size_t count = is_bounded(audit) ? audit->count : 0U;
    for (size_t place = 0U; place < count; place++) {
        if (!visit(self, &audit->config->entries[index_of(audit, place)])) {
            return false;
        }
    }
    return true;
}

// ---- Text

static const char *name_of(uint32_t kind)
{
    static const char *const names[] = {"event", "acquire",   "release", "resize", "refuse",
                                        "mark",  "threshold", "relief",  "switch", "fault"};
    return names[(kind < sizeof names / sizeof names[0]) ? kind : 0U];
}

static void write_number(mete_sink_t sink, const char *name, size_t value)
{
    mete_text_string(sink, name);
    mete_text_decimal(sink, value);
}

static void write_address(mete_sink_t sink, const char *name, uintptr_t value)
{
    mete_text_string(sink, name);
    mete_text_hex(sink, value);
}

static void write_entry(mete_sink_t sink, const mete_audit_entry_t *entry)
{
    mete_text_string(sink, name_of(entry->kind));
    write_number(sink, " number=", entry->number);
    write_number(sink, " at=", entry->tick);
    write_number(sink, " owner=", entry->owner);
    write_address(sink, " block=", entry->block);
    write_number(sink, " size=", entry->size);
    write_address(sink, " call=", entry->caller);
    mete_text_string(sink, "\n");
}

typedef struct page {
    mete_sink_t sink;
    size_t left;  // Sound entries yet to come.
} page_t;

static bool report_entry(void *self, const mete_audit_entry_t *entry)
{
    page_t *const page = (page_t *)self;
    // Field by field: for ARMv6-M a copy of the struct may become a call to memcpy(), which is libc.
    const mete_sink_t sink = {page->sink.write, page->sink.self};
    if (page->left == 0U) {
        mete_text_string(sink, "damaged ");
    } else {
        page->left--;
    }
    write_entry(sink, entry);
    return true;
}

bool mete_audit_report(const mete_audit_t *audit, mete_sink_t sink)
{
    METE_ASSERT((audit != NULL) && (audit->config != NULL) && (sink.write != NULL));
    const size_t sound = mete_audit_verify(audit);
    write_number(sink, "audit events=", audit->events);
    write_number(sink, " kept=", audit->count);
    write_number(sink, " sound=", sound);
    mete_text_string(sink, "\n");
    page_t page = {sink, sound};
    return mete_audit_walk(audit, report_entry, &page) && (sound == audit->count);
}

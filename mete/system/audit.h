// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_AUDIT_H
#define METE_AUDIT_H

/// Audit log: who acquired, released, was refused, switched; and evidence if somebody changes it afterwards.
///
/// It listens to the observers of other modules and keeps the last events in a ring. Every entry carries a tag
/// computed from its contents and the tag before it, so that the entries form a chain: whatever is changed, left
/// out or exchanged is found, and from which entry on nothing can be relied on. The tag is a CRC-32, against
/// accident; or what a function of the program's computes, a MAC with a key, against intent.
///
///     static mete_audit_entry_t entries[64];
///     static const mete_audit_config_t config = {.entries = entries, .entry_count = 64, .owner = task};
///     (void)mete_audit_init(&audit, &config);
///     track_config.observer = mete_audit_as_observer(&audit);
///     ...
///     (void)mete_audit_report(&audit, sink);
///
/// writes, oldest first:
///
///     audit events=1042 kept=64 sound=64
///     acquire number=979 at=51200 owner=3 block=0x20001240 size=100 call=0x0800134a
///
/// and, if an entry is not as it was written, `sound` is less than `kept` and "damaged" stands in front of it.
///
///   Time     An event: O(1); the CRC of an entry takes about ten instructions a byte, a MAC what it takes.
///            verify, check, report, walk: O(entries).
///   Space    36 bytes an entry on 32-bit cores, 48 on 64-bit ones, and one mete_audit_t.
///   Threads  Not synchronised. Events must exclude each other, and reading excludes events.
///   Errors   None: the oldest event makes room for the newest. What has left the ring can be verified no more;
///            who must know that nothing was cut off from the end compares `events` and the last tag with
///            what he noted elsewhere.

#include "mete/core/observe.h"
#include "mete/core/platform.h"
#include "mete/core/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

/// 64 bits that vouch for an entry and all in front of it.
typedef struct {
    uint32_t words[2];
} mete_audit_tag_t;

typedef struct mete_audit_entry {
    uintptr_t block;  ///< As the event has them.
    uintptr_t caller;
    size_t size;
    uint32_t number;  ///< 1 for the first event ever. Wraps at 2^32.
    uint32_t tick;    ///< When.
    uint32_t kind;    ///< A mete_event_kind_t.
    uint32_t owner;   ///< Who.
    mete_audit_tag_t tag;
} mete_audit_entry_t;

/// It must outlive the log; const is best.
typedef struct mete_audit_config {
    mete_audit_entry_t *entries;  ///< Owned by the log from init onwards.
    size_t entry_count;           ///< At least 1.

    /// Which events are kept: bit k for a mete_event_kind_t k. 0: all.
    uint32_t kinds;

    mete_clock_t clock;  ///< NULL: all ticks are 0.

    /// Who is running: a task or domain, say. NULL: all owners are 0.
    uint32_t (*owner)(void *self);
    void *owner_self;

    /// Computes the tag of `size` bytes behind `previous`: a MAC over both, cut to 64 bits. NULL: a CRC-32.
    void (*seal)(void *self, const mete_audit_tag_t *previous, const void *bytes, size_t size,
                 mete_audit_tag_t *tag);
    void *seal_self;
} mete_audit_config_t;

/// The fields are here so that it can be static.
typedef struct mete_audit {
    const mete_audit_config_t *config;
    size_t next;             // Where the next entry goes.
    size_t count;            // Entries kept.
    uint32_t events;         // Ever kept.
    mete_audit_tag_t first;  // Of the entry that has left the ring last.
    mete_audit_tag_t last;
} mete_audit_t;

/// Starts with an empty log. Returns false, changing nothing, if the config breaks a limit stated above.
bool mete_audit_init(mete_audit_t *audit, const mete_audit_config_t *config);

/// Keeps an event. Called by observers; the program may report what it knows itself, such as
/// METE_EVENT_SWITCH.
void mete_audit_note(mete_audit_t *audit, const mete_event_t *event);

/// The log as a listener, for the configs of other modules.
mete_observer_t mete_audit_as_observer(mete_audit_t *audit);

/// Entries now in the log, and events ever kept, modulo 2^32.
size_t mete_audit_count(const mete_audit_t *audit);
uint32_t mete_audit_events(const mete_audit_t *audit);

/// How many entries, from the oldest on, are as they were written. If not all are, the next one is the first
/// that is broken, or was exchanged, or stands behind one that is missing.
size_t mete_audit_verify(const mete_audit_t *audit);

/// The tag of the newest entry, which vouches for all: to be noted elsewhere.
mete_audit_tag_t mete_audit_last(const mete_audit_t *audit);

/// Shows every entry, oldest first, until `visit` returns false. Returns true if all were shown.
bool mete_audit_walk(const mete_audit_t *audit,
                     bool (*visit)(void *self, const mete_audit_entry_t *entry), void *self);

/// Writes the log as text, in the form shown above. True if all entries are sound.
bool mete_audit_report(const mete_audit_t *audit, mete_sink_t sink);

/// True if all entries are as they were written and the log itself makes sense. Changes nothing.
bool mete_audit_check(const mete_audit_t *audit);

#ifdef __cplusplus
}
#endif
#endif

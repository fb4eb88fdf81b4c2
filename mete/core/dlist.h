// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DLIST_H
#define METE_DLIST_H

/// A circular doubly linked list whose links live inside the things that are listed.
///
/// The list is a link of its own: empty, it points at itself. So adding and removing have no special
/// case and need neither a loop nor memory. Every call is O(1). Not synchronised.

#include <stdbool.h>
#include <stddef.h>

typedef struct mete_dlist_link {
    struct mete_dlist_link *next;
    struct mete_dlist_link *previous;
} mete_dlist_link_t;

/// Makes `list` empty.
static inline void mete_dlist_init(mete_dlist_link_t *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool mete_dlist_is_empty(const mete_dlist_link_t *list)
{
    return list->next == list;
}

/// Puts `link` last: before the list's own link.
static inline void mete_dlist_append(mete_dlist_link_t *list, mete_dlist_link_t *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

/// Takes `link` out of whichever list it is in.
static inline void mete_dlist_remove(mete_dlist_link_t *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

/// True if both neighbours point back at `link`: what must hold before it is removed.
static inline bool mete_dlist_agrees(const mete_dlist_link_t *link)
{
    return (link->next->previous == link) && (link->previous->next == link);
}

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_LIST_H
#define METE_LIST_H

/// A circular doubly linked list whose links live inside the things that are listed.
///
/// The list is a link of its own: empty, it points at itself. So adding and removing have no special
/// case and need neither a loop nor memory. Every call is O(1). Not synchronised.

#include <stdbool.h>
#include <stddef.h>

typedef struct mete_list_link {
    struct mete_list_link *next;
    struct mete_list_link *previous;
} mete_list_link_t;

/// Makes `list` empty.
static inline void mete_list_init(mete_list_link_t *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool mete_list_is_empty(const mete_list_link_t *list)
{
    return list->next == list;
}

/// Puts `link` last: before the list's own link.
static inline void mete_list_append(mete_list_link_t *list, mete_list_link_t *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

/// Takes `link` out of whichever list it is in.
static inline void mete_list_remove(mete_list_link_t *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

/// True if both neighbours point back at `link`: what must hold before it is removed.
static inline bool mete_list_agrees(const mete_list_link_t *link)
{
    return (link->next->previous == link) && (link->previous->next == link);
}

#endif

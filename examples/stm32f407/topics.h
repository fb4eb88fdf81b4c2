// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_TOPICS_H
#define TOUR_TOPICS_H

/// What the tour shows, a file each. Every function logs what it sees, gives back what it acquires,
/// and returns true if all was as it must be.

#include "examples/stm32f407/memory.h"

bool heap_topic(memory_t *memory);
bool pools_topic(memory_t *memory);
bool stack_topic(memory_t *memory);
bool leaks_topic(memory_t *memory);
bool fragmentation_topic(memory_t *memory);
bool watchers_topic(memory_t *memory);    ///< Needs memory->watchers,
bool protection_topic(memory_t *memory);  ///< and so do these.
bool objects_topic(memory_t *memory);
bool references_topic(memory_t *memory);

typedef struct topic {
    const char *name;
    bool (*run)(memory_t *memory);
} topic_t;

/// Those of the program, in order: topics.c or topics_watched.c.
extern const topic_t topics[];
extern const size_t topic_count;

#endif

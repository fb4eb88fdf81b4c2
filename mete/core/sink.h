// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_SINK_H
#define METE_SINK_H

/// Where bytes go: a log, a trace, a report. Implemented in port/io/ and by tests.

#include <stddef.h>

/// Takes up to `size` bytes and returns how many it took; fewer means the rest was dropped.
typedef struct mete_sink {
    size_t (*write)(void *self, const void *bytes, size_t size);
    void *self;
} mete_sink_t;

static inline size_t mete_sink_write(mete_sink_t sink, const void *bytes, size_t size)
{
    return sink.write(sink.self, bytes, size);
}

#endif

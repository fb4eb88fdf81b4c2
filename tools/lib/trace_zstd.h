// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_TRACE_ZSTD_H
#define METE_TOOLS_TRACE_ZSTD_H

/// Traces from files, compressed with zstd or plain: the first bytes tell which.

#include "tools/lib/trace.h"

/// Reads the trace at `path`, "-" for standard input. False, with `trace` empty, if the file cannot
/// be read or is damaged; lines are those of the text, also in a compressed file.
bool trace_load(trace_t *trace, const char *path, trace_error_t *error);

#endif

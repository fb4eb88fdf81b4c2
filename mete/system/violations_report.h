// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VIOLATIONS_REPORT_H
#define METE_VIOLATIONS_REPORT_H

/// A violation as text, one line:
///
///     violation task=reader verdict=denied kind=data access=read address=0x20004000 region=secrets pc=0x00000812
///         privilege=unprivileged cause=0x00000082
///
/// (It is one line; here it is broken.) What the hardware does not know is said to be "unknown".
///
///   Time     What the sink takes: about 150 bytes.
///   Space    None but the stack.
///   Threads  As the sink.
///   Errors   None of its own. A sink that takes less loses the rest.

#include "mete/core/sink.h"
#include "mete/system/violations.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the line.
void mete_violations_report_write(const mete_violations_report_t *report, mete_sink_t sink);

#ifdef __cplusplus
}
#endif
#endif

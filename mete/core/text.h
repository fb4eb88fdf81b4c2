// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEXT_H
#define METE_TEXT_H

/// Text into a sink, without printf: reports must not drag libc into firmware.
///
/// Each call writes at once and keeps nothing. O(length).

#include "mete/core/sink.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A string up to its NUL.
void mete_text_string(mete_sink_t sink, const char *string);

/// A number in decimal, without padding.
void mete_text_decimal(mete_sink_t sink, size_t value);

/// A number in hexadecimal: "0x" and as many digits as a pointer has.
void mete_text_hex(mete_sink_t sink, uintptr_t value);

#ifdef __cplusplus
}
#endif
#endif

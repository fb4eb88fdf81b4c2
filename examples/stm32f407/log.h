// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef TOUR_LOG_H
#define TOUR_LOG_H

/// The log: every byte goes to RTT and to the serial port. It is mete_port_console, too, so faults are
/// reported in it.

#include <stddef.h>

/// Makes RTT and the serial port ready. What is logged before is lost.
void log_init(void);

/// Logs a text.
void log_text(const char *text);

/// Logs a text in which each # stands for the next of `values`, in decimal.
void log_numbers(const char *text, const size_t *values);

/// log_numbers() with the values one by one.
#define LOG(text, ...) log_numbers((text), (const size_t[]){__VA_ARGS__})

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_SEMIHOSTING_H
#define METE_PORT_SEMIHOSTING_H

/// The debugger's or emulator's console, files and exit, by Arm's semihosting interface, which RISC-V
/// shares ("Semihosting for AArch32 and AArch64"; "RISC-V Semihosting").
///
/// Only with a debugger or an emulator that serves it: without one, each call here is a fault.
///
///     const mete_sink_t console = {mete_semihosting_write_text, NULL};
///     mete_text_string(console, "hello\n");
///
///   Time     The core stands still until the host has served the call.
///   Space    No state. Text passes through a small buffer on the stack.
///   Threads  Each call is whole, so that tasks may share it; lines may interleave.
///   Errors   Of files: a negative handle, or fewer bytes than asked for.

#include "mete/core/sink.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Shows text on the host's console. The write function of a sink, whose self is not used. NUL bytes
/// are left out. Returns `size`.
size_t mete_semihosting_write_text(void *self, const void *bytes, size_t size);

/// Ends the emulator with an exit code, of which 8 bits count.
__attribute__((noreturn)) void mete_semihosting_exit(int code);

/// How a file is opened; bytes as they are, no text conversion.
typedef enum mete_semihosting_mode {
    METE_SEMIHOSTING_READ = 1,  ///< From the start; it must exist.
    METE_SEMIHOSTING_WRITE = 5  ///< Anew, losing what was there.
} mete_semihosting_mode_t;

/// A file of the host, open. handle is negative if it could not be opened.
typedef struct mete_semihosting_file {
    int handle;
} mete_semihosting_file_t;

/// Opens a file. A relative path starts where the emulator was started. Returns false if the host
/// refuses.
bool mete_semihosting_open(mete_semihosting_file_t *file, const char *path,
                           mete_semihosting_mode_t mode);

/// Writes; returns how many bytes were taken. The write function of a sink whose self is the file.
size_t mete_semihosting_write(void *self, const void *bytes, size_t size);

/// Reads up to `size` bytes; returns how many came. Fewer: the file has ended.
size_t mete_semihosting_read(mete_semihosting_file_t *file, void *bytes, size_t size);

/// Closes a file. Returns false if the host says that something was lost.
bool mete_semihosting_close(mete_semihosting_file_t *file);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_GDB_REMOTE_H
#define METE_TOOLS_GDB_REMOTE_H

/// Reads a target's memory through a GDB server: a debug probe's (OpenOCD, J-Link, pyOCD), QEMU's, gdbserver.
///
/// The GDB remote serial protocol, as in the manual of GDB, appendix E; of it only `m` and, at the end, `D`: nothing is
/// written, and no breakpoint touched. Most servers halt the target when somebody connects, and the protocol has no
/// question for whether it ran before; so who closes says what shall become of it.
///
///     gdb_remote_t gdb;
///     if (!gdb_open(&gdb, "localhost:3333") || !gdb_read(&gdb, 0x20000000U, bytes, sizeof bytes)) {
///         puts(gdb.reason);
///     }
///     gdb_close(&gdb, true);

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gdb_remote {
    int socket;  // -1: not connected.
    int64_t deadline_ms;
    size_t received_count, taken_count;
    unsigned char received[1024];
    char reason[200];  ///< Why a call returned false: "found X, expected Y".
} gdb_remote_t;

/// Connects to "HOST:PORT", an empty HOST being this machine; an IPv6 address stands in brackets.
bool gdb_open(gdb_remote_t *gdb, const char *place);

/// Reads all of `size` bytes.
bool gdb_read(gdb_remote_t *gdb, uint64_t address, void *bytes, size_t size);

/// Ends the connection, if there is one, in whatever state it is: with `runs` the target goes on, else it is left as
/// the server leaves it, which most often is halted.
void gdb_close(gdb_remote_t *gdb, bool runs);

#endif

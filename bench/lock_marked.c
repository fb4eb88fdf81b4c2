// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The port's lock that masks interrupts, with a critical section whose ends are marked.

#include "bench/marked.h"

// Beside the library's own copies.
#define mete_bare_metal_lock   marked_lock
#define mete_bare_metal_signal marked_signal
#define mete_fault_report      marked_report
#include "port/os/bare_metal.c"

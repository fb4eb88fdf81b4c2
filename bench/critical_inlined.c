// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wrapper as a program has it whose METE_CONFIG_HEADER includes port/os/bare_metal_inline.h.

#include "port/os/bare_metal_inline.h"

// Beside the library's own copy.
#define mete_critical_init     inlined_init
#define mete_critical_as_alloc inlined_as_alloc
#include "mete/wrap/critical.c"

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The wrapper with a critical section whose ends are marked.

#include "bench/marked.h"

// Beside the library's own copy.
#define mete_critical_init     marked_init
#define mete_critical_as_alloc marked_as_alloc
#include "mete/wrap/critical.c"

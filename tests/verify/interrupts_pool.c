// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic pool a second time, under other names: for everything but the call that is interrupted. So
// what is executed of the first one is that call's alone.

#define mete_atomic_pool_init              second_init
#define mete_atomic_pool_alloc             second_alloc
#define mete_atomic_pool_alloc_reserved    second_alloc_reserved
#define mete_atomic_pool_free              second_free
#define mete_atomic_pool_owns              second_owns
#define mete_atomic_pool_usage             second_usage
#define mete_atomic_pool_walk              second_walk
#define mete_atomic_pool_check             second_check
#define mete_atomic_pool_as_alloc          second_as_alloc
#define mete_atomic_pool_as_alloc_reserved second_as_alloc_reserved

#include "mete/alloc/atomic_pool.c"

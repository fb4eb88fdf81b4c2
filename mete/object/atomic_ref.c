// SPDX-License-Identifier: MIT OR Apache-2.0
//
// References whose counts are changed in one step: see ref.c, which this compiles under other names.

#include "mete/object/atomic_ref.h"

#include "mete/core/atomic.h"

#define REF(name) mete_atomic_ref_##name
typedef mete_atomic_ref_t kind_t;

#define read            mete_atomic_load_relaxed
#define read_acquire    mete_atomic_load_acquire
#define write_release   mete_atomic_store_release
#define replace         mete_atomic_replace_relaxed
#define replace_release mete_atomic_replace_release
#define count(word, by) ((void)mete_atomic_add_relaxed(word, by))
#define wait            mete_atomic_wait

#define READ_TOGETHER(kind, counts) ((void)0)
// What is half done by others would look like damage.
#define IS_SOUND(kind) true

#include "mete/object/ref.c"

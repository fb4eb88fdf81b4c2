// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The atomic references as a subject of exhaustion: see ref_subject.c.

#include "mete/object/atomic_ref.h"

#define REF(name)        mete_atomic_ref_##name
#define SUBJECT(variant) exhaust_atomic_ref##variant
#define NAME             "atomic_ref"
typedef mete_atomic_ref_t kind_t;

#include "tests/exhaust/ref_subject.c"

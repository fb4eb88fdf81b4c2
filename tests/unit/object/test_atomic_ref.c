// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The tests of ref, all of which the atomic form must pass, too. What one caller cannot show is in
// tests/verify/.

#include "mete/object/atomic_ref.c"

#include "tests/unit/object/test_ref.c"

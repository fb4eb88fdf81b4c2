// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Lives of domains and calls of gates, chosen by libFuzzer, which looks for bytes that reach code that none have reached before:
// tools/dev/fuzz, and for a moment as a test where clang is the compiler.

#include "tests/fuzz/gate_inputs.h"

#include <stdio.h>

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *const broken = gate_inputs_check(bytes, size);
    if (broken != NULL) {
        (void)fprintf(stderr, "fuzz: %s\n", broken);
        __builtin_trap();
    }
    return 0;
}
// NOLINTEND(readability-identifier-naming)

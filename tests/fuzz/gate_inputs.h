// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_GATE_INPUTS_H
#define METE_TEST_GATE_INPUTS_H

/// Makes domains, gates and a life of calls of any bytes, and holds each answer and each byte of memory to what the policy says.
/// For libFuzzer (fuzz_gates.c) and, with bytes of a generator, for a test that runs everywhere (test_gate_inputs.c).

#include "mete/protect/domain.h"

/// What happened, over all lives: to see that the inputs are what they should be.
typedef struct gate_inputs_counts {
    size_t refused_configs;
    size_t answers[METE_DOMAIN_FULL + 1];  ///< Of calls of gates.
    size_t leaves;
    size_t transfers;
} gate_inputs_counts_t;

/// The first promise that was broken, as text; NULL: none.
const char *gate_inputs_check(const uint8_t *bytes, size_t size);

extern gate_inputs_counts_t gate_inputs_counts;

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_PLAN_INPUTS_H
#define METE_TEST_PLAN_INPUTS_H

/// Makes a plan of any bytes and looks whether it keeps its promises. For libFuzzer (fuzz_plan.c) and, with bytes of a
/// generator, for a test that runs everywhere (test_plan_inputs.c).

#include "mete/protect/plan.h"

/// The first promise that was broken, as text; NULL: none.
const char *plan_inputs_check(const uint8_t *bytes, size_t size);

/// What became of the plan that was made last.
extern mete_plan_result_t plan_inputs_result;

#endif

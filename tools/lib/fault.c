// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/fault.h"

#include "tools/lib/config.h"

static int first_fault;

void fault_record(int fault)
{
    // The first one: those that follow are often its consequence.
    if (first_fault == 0) {
        first_fault = fault;
    }
}

int fault_take(void)
{
    const int fault = first_fault;
    first_fault = 0;
    return fault;
}

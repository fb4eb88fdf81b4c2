// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that fails in the way that FAULT names. Its test looks at what it says at the end.

#include "mete/core/platform.h"

enum { REPORT = 1, TRAP, LOAD, OVERFLOW };

// Not a tail call, so that each level needs its stack.
__attribute__((noinline)) static unsigned sink_down(const volatile unsigned *above)
{
    volatile unsigned here[64];
    here[0] = *above + 1U;
    return sink_down(here) + here[0];
}

int main(void)
{
    volatile unsigned start = 0U;
    switch (FAULT) {
    case REPORT:
        mete_fault_report(METE_FAULT_SIZE, (const void *)0x1234, NULL, __builtin_return_address(0));
    case TRAP:
        __builtin_trap();
    case LOAD:
        return (int)*(volatile uint32_t *)0xA0000000U;
    case OVERFLOW:
        return (int)sink_down(&start);
    default:
        return 0;
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that fails in the way that FAULT names. Its test looks at what it says at the end.

#include "mete/core/platform.h"

enum { REPORT = 1, TRAP, LOAD, OVERFLOW };

// More than any main stack has.
static int overflow(void)
{
    volatile char block[32768];
    block[0] = 1;
    return block[0];
}

int main(void)
{
    switch (FAULT) {
    case REPORT:
        mete_fault_report(METE_FAULT_SIZE, (const void *)0x1234, NULL, __builtin_return_address(0));
    case TRAP:
        __builtin_trap();
    case LOAD:
        return (int)*(volatile uint32_t *)0xB0000000U;
    case OVERFLOW:
        return overflow();
    default:
        return 0;
    }
}

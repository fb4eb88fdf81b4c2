// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that fails in the way that FAULT names. Its test looks at what it says at the end.

// What base.h recommends, and nothing of Mete but base.h: its declaration must suffice.
#define METE_FAULT(f, o, a) mete_fault_report(f, o, a, __builtin_return_address(0))

#include "mete/core/base.h"

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
        METE_FAULT(METE_FAULT_SIZE, (const void *)0x1234, NULL);
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

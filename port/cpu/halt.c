// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The end of a program in silicon: there is nobody to return to.

#include "port/cpu/start.h"

void mete_port_exit(int code)
{
    (void)code;
    for (;;) {
        __asm volatile("wfi");
    }
}

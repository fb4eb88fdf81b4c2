// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The end of a program on an emulated machine: the emulator ends, with the program's exit code.

#include "port/cpu/start.h"
#include "port/io/semihosting.h"

void mete_port_exit(int code)
{
    mete_semihosting_exit(code);
}

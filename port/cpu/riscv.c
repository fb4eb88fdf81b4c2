// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/cpu/riscv.h"

#include "mete/core/text.h"

#define READ_CSR(name) \
    __extension__({ \
        uintptr_t value_; \
        __asm volatile("csrr %0, " #name : "=r"(value_)); \
        value_; \
    })

static void say(const char *name, uintptr_t value)
{
    mete_text_string(mete_port_console, name);
    mete_text_hex(mete_port_console, value);
}

void mete_port_on_trap(uintptr_t stack_pointer)
{
    mete_text_string(mete_port_console, "fault: mcause ");
    mete_text_decimal(mete_port_console, READ_CSR(mcause));
    say(", pc ", READ_CSR(mepc));
    say(", sp ", stack_pointer);
    say(", mtval ", READ_CSR(mtval));
    mete_text_string(mete_port_console, "\n");
    mete_port_exit(METE_PORT_EXIT_FAULT);
}

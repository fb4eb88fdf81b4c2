// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/cpu/riscv_violation.h"

#define READ_CSR(name) \
    __extension__({ \
        uintptr_t value_; \
        __asm volatile("csrr %0, " #name : "=r"(value_)); \
        value_; \
    })

enum { FETCH_FAULT = 1, LOAD_FAULT = 5, STORE_FAULT = 7 };

#define MSTATUS_MPP (3U << 11)

// METE_ACCESS_... of an access fault; 0: it is something else.
static uint8_t access_of(uintptr_t cause)
{
    uint8_t access = 0U;
    if (cause == FETCH_FAULT) {
        access = METE_ACCESS_EXECUTE;
    } else if (cause == LOAD_FAULT) {
        access = METE_ACCESS_READ;
    } else if (cause == STORE_FAULT) {
        access = METE_ACCESS_WRITE;
    }
    return access;
}

mete_violation_t mete_riscv_violation(void)
{
    const uintptr_t cause = READ_CSR(mcause);
    mete_violation_t violation = {.access = access_of(cause), .cause = cause};
    violation.privilege =
        ((READ_CSR(mstatus) & MSTATUS_MPP) == 0U) ? METE_UNPRIVILEGED : METE_PRIVILEGED;
    if (violation.access != 0U) {
        violation.kind =
            (violation.access == METE_ACCESS_EXECUTE) ? METE_VIOLATION_FETCH : METE_VIOLATION_DATA;
        violation.known =
            METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;
        violation.address = READ_CSR(mtval);
        violation.pc = READ_CSR(mepc);
    }
    return violation;
}

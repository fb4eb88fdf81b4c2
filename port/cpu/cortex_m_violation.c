// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/cpu/cortex_m_violation.h"

#define SCB_CFSR  (*(volatile uint32_t *)0xE000ED28U)
#define SCB_MMFAR (*(volatile uint32_t *)0xE000ED34U)
#define SCB_BFAR  (*(volatile uint32_t *)0xE000ED38U)

#define CFSR_IACCVIOL (1U << 0)
#define CFSR_DACCVIOL (1U << 1)
#define CFSR_STACKING \
    ((1U << 3) | (1U << 4) | (1U << 5) | (1U << 20))  // MUNSTKERR, MSTKERR, MLSPERR, STKOF.
#define CFSR_MMARVALID (1U << 7)
#define CFSR_PRECISE   ((1U << 9) | (1U << 15))  // PRECISERR, BFARVALID.

#define EXC_RETURN_THREAD (1U << 3)
#define CONTROL_NPRIV     (1U << 0)
#define PPB_MASK          0xFFF00000U
#define PPB_START         0xE0000000U

enum { FRAME_PC = 6 };

static mete_privilege_t privilege_of(uint32_t exc_return)
{
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    const bool is_thread = (exc_return & EXC_RETURN_THREAD) != 0U;
    return (is_thread && ((control & CONTROL_NPRIV) != 0U)) ? METE_UNPRIVILEGED : METE_PRIVILEGED;
}

// Whether an instruction that accesses memory loads or stores: a bit, but where a register is the offset (DDI 0403E,
// A5.2.4, A5.3).
static uint8_t access_of(uint16_t instruction)
{
    bool loads = (instruction & (1U << 11)) != 0U;
    if ((instruction >> 11) >= 0x1DU) {  // The first half of 32 bits.
        loads = (instruction & (1U << 4)) != 0U;
    } else if ((instruction >> 12) == 5U) {
        loads = ((instruction >> 9) & 7U) >= 3U;
    }
    return loads ? METE_ACCESS_READ : METE_ACCESS_WRITE;
}

static void tell_fetch(mete_violation_t *violation, uintptr_t pc)
{
    violation->kind = METE_VIOLATION_FETCH;
    violation->known =
        METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;
    violation->access = METE_ACCESS_EXECUTE;
    violation->address = pc;
    violation->pc = pc;
}

static void tell_data(mete_violation_t *violation, uintptr_t pc)
{
    violation->kind = METE_VIOLATION_DATA;
    violation->known |= METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;
    violation->access = access_of(*(const uint16_t *)pc);
    violation->pc = pc;
}

static void tell_address(mete_violation_t *violation, uintptr_t address)
{
    violation->known |= METE_VIOLATION_KNOWS_ADDRESS;
    violation->address = address;
}

mete_violation_t mete_cortex_m_violation(const uint32_t *frame, uint32_t exc_return)
{
    const uint32_t cfsr = SCB_CFSR;
    mete_violation_t violation = {.privilege = privilege_of(exc_return), .cause = cfsr};
    if (((cfsr & CFSR_MMARVALID) != 0U)) {
        tell_address(&violation, SCB_MMFAR);
    }
    if ((cfsr & CFSR_STACKING) != 0U) {
        violation.kind = METE_VIOLATION_STACK;
    } else if ((cfsr & CFSR_IACCVIOL) != 0U) {
        tell_fetch(&violation, frame[FRAME_PC]);
    } else if ((cfsr & CFSR_DACCVIOL) != 0U) {
        tell_data(&violation, frame[FRAME_PC]);
    } else if (((cfsr & CFSR_PRECISE) == CFSR_PRECISE) &&
               (violation.privilege == METE_UNPRIVILEGED) && ((SCB_BFAR & PPB_MASK) == PPB_START)) {
        tell_address(&violation, SCB_BFAR);
        tell_data(&violation, frame[FRAME_PC]);
    }
    SCB_CFSR = cfsr;  // Ones clear.
    return violation;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Accesses on a Cortex-M. Unprivileged ones are those of ldrt and strt, but for fetches. Before each, the emulator must
// forget what it knows of regions under a page: writing the control register does that.

#include "port/cpu/cortex_m.h"
#include "tests/port/mpu_verdicts.h"

#define MPU_CTRL  (*(volatile uint32_t *)0xE000ED94U)
#define SCB_CFSR  (*(volatile uint32_t *)0xE000ED28U)
#define SCB_MMFAR (*(volatile uint32_t *)0xE000ED34U)

#define CFSR_IACCVIOL  1U
#define CFSR_MMARVALID 0x80U

// `bx lr`
const uint16_t mpu_return = 0x4770U;

static volatile uint32_t fault_count;
static volatile uintptr_t fault_address;  // 1: the hardware does not say.

// ---- Faults

// Goes on behind the access: all that are tried are four bytes long. After a fetch, where it was called from.
__attribute__((used)) static void on_violation(uint32_t *frame)
{
    const uint32_t cfsr = SCB_CFSR;
    fault_count++;
    fault_address = ((cfsr & CFSR_MMARVALID) != 0U) ? SCB_MMFAR : 1U;
    frame[6] = ((cfsr & CFSR_IACCVIOL) != 0U) ? (frame[5] & ~1U) : (frame[6] + 4U);
    SCB_CFSR = cfsr;
}

__attribute__((naked)) static void memory_fault(void)
{
    __asm volatile("tst   lr, #4  \n\t"
                   "ite   eq      \n\t"
                   "mrseq r0, msp \n\t"
                   "mrsne r0, psp \n\t"
                   "b     %c0     \n\t" ::"i"(on_violation));
}

// The way back from unprivileged code.
__attribute__((naked)) static void become_privileged(void)
{
    __asm volatile("movs r0, #0      \n\t"
                   "msr  control, r0 \n\t"
                   "bx   lr          \n\t");
}

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = {
    .stack_end = mete_port_stack_end,
    .reset = mete_port_start,
    .nmi = mete_port_on_fault,
    .hard_fault = mete_port_on_fault,
    .memory_fault = memory_fault,
    .bus_fault = mete_port_on_fault,
    .usage_fault = mete_port_on_fault,
    .svcall = become_privileged,
    .debug_monitor = mete_port_on_fault,
    .pendsv = mete_port_on_fault,
};

// ---- Accesses

#define TRY(instruction, address) \
    __asm volatile(instruction " r1, [%0]" ::"r"(address) : "r1", "memory")

static void load(const access_t *access)
{
    const bool is_privileged = access->privilege == METE_PRIVILEGED;
    switch (access->size * (is_privileged ? 1U : 16U)) {
    case 1U:
        TRY("ldrb.w", access->address);
        break;
    case 2U:
        TRY("ldrh.w", access->address);
        break;
    case 4U:
        TRY("ldr.w", access->address);
        break;
    case 16U:
        TRY("ldrbt", access->address);
        break;
    case 32U:
        TRY("ldrht", access->address);
        break;
    default:
        TRY("ldrt", access->address);
        break;
    }
}

static void store(const access_t *access)
{
    const bool is_privileged = access->privilege == METE_PRIVILEGED;
    switch (access->size * (is_privileged ? 1U : 16U)) {
    case 1U:
        TRY("strb.w", access->address);
        break;
    case 2U:
        TRY("strh.w", access->address);
        break;
    case 4U:
        TRY("str.w", access->address);
        break;
    case 16U:
        TRY("strbt", access->address);
        break;
    case 32U:
        TRY("strht", access->address);
        break;
    default:
        TRY("strt", access->address);
        break;
    }
}

// Calls what lies there, which returns at once, in the mode that the low bit of `control` says.
__attribute__((naked, noinline)) static void call(__attribute__((unused)) uintptr_t address,
                                                  __attribute__((unused)) uint32_t control)
{
    __asm volatile("push {r4, lr}    \n\t"
                   "orr  r0, r0, #1  \n\t"
                   "msr  control, r1 \n\t"
                   "isb              \n\t"
                   "blx  r0          \n\t"
                   "svc  0           \n\t"
                   "isb              \n\t"
                   "pop  {r4, pc}    \n\t");
}

bool mpu_happens(const access_t *access, uintptr_t *told)
{
    const uint32_t before = fault_count;
    MPU_CTRL = MPU_CTRL;
    __asm volatile("dsb\n\tisb" ::: "memory");
    if (access->kind == METE_ACCESS_READ) {
        load(access);
    } else if (access->kind == METE_ACCESS_WRITE) {
        store(access);
    } else {
        call(access->address, (access->privilege == METE_PRIVILEGED) ? 0U : 1U);
    }
    *told = (access->kind == METE_ACCESS_EXECUTE) ? access->address : fault_address;
    return fault_count == before;
}

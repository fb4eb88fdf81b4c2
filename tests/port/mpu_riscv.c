// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Accesses on a RISC-V core. Unprivileged loads and stores are those of M-mode with mstatus.MPRV, which takes the rights
// of the mode in MPP; a fetch takes place in U-mode itself, which comes back by ecall.
//
// Between an access and its trap handler there is an agreement: t3 is 1 if it failed, then t4 is the address; t6 is where
// to go on if that is not the next instruction; t2 and t5 are the handler's.

#include "tests/port/mpu_verdicts.h"

// `c.jr ra`
const uint16_t mpu_return = 0x8082U;

#define MSTATUS_MPRV (1U << 17)
#define MSTATUS_MPP  (3U << 11)

__attribute__((naked, aligned(4))) static void on_trap(void)
{
    __asm volatile(".option push           \n\t"
                   ".option norvc          \n\t"
                   "csrr t5, mcause        \n\t"
                   "li   t2, 8             \n\t"
                   "beq  t5, t2, 1f        \n\t"  // ecall: back from U-mode.
                   "li   t3, 1             \n\t"
                   "csrr t4, mtval         \n\t"
                   "beq  t5, t3, 1f        \n\t"  // A fetch: where it was called from.
                   "csrr t2, mepc          \n\t"
                   "addi t2, t2, 4         \n\t"
                   "csrw mepc, t2          \n\t"
                   "mret                   \n"
                   "1:                     \n\t"
                   "csrw mepc, t6          \n\t"
                   "li   t2, 0x1800        \n\t"
                   "csrs mstatus, t2       \n\t"
                   "mret                   \n\t"
                   ".option pop            \n\t");
}

typedef struct outcome {
    uintptr_t has_failed;
    uintptr_t address;
} outcome_t;

// After the access M-mode is itself again, whatever it took for its rights.
#define TRY(instruction, access, mode, outcome) \
    __asm volatile(".option push           \n\t" \
                   ".option norvc          \n\t" \
                   "li   t3, 0             \n\t" \
                   "li   t4, 0             \n\t" \
                   "csrs mstatus, %3       \n\t" instruction " t1, 0(%2) \n\t" \
                   "csrc mstatus, %3       \n\t" \
                   "mv   %0, t3            \n\t" \
                   "mv   %1, t4            \n\t" \
                   ".option pop            \n\t" \
                   : "=&r"((outcome)->has_failed), "=&r"((outcome)->address) \
                   : "r"((access)->address), "r"(mode) \
                   : "t1", "t2", "t3", "t4", "t5", "memory")

static void load(const access_t *access, uintptr_t mode, outcome_t *outcome)
{
    switch (access->size) {
    case 1U:
        TRY("lbu", access, mode, outcome);
        break;
    case 2U:
        TRY("lhu", access, mode, outcome);
        break;
    default:
        TRY("lw", access, mode, outcome);
        break;
    }
}

static void store(const access_t *access, uintptr_t mode, outcome_t *outcome)
{
    switch (access->size) {
    case 1U:
        TRY("sb", access, mode, outcome);
        break;
    case 2U:
        TRY("sh", access, mode, outcome);
        break;
    default:
        TRY("sw", access, mode, outcome);
        break;
    }
}

static void call_unprivileged(uintptr_t address, outcome_t *outcome)
{
    __asm volatile("la   ra, 2f            \n\t"
                   "la   t6, 3f            \n\t"
                   "li   t3, 0             \n\t"
                   "csrw mepc, %2          \n\t"
                   "mret                   \n\t"
                   ".balign 4              \n"
                   "2:                     \n\t"
                   "ecall                  \n"
                   "3:                     \n\t"
                   "mv   %0, t3            \n\t"
                   "mv   %1, t4            \n\t"
                   : "=&r"(outcome->has_failed), "=&r"(outcome->address)
                   : "r"(address)
                   : "ra", "t2", "t3", "t4", "t5", "t6", "memory");
}

static void call_privileged(uintptr_t address, outcome_t *outcome)
{
    __asm volatile("la   t6, 3f            \n\t"
                   "li   t3, 0             \n\t"
                   "jalr ra, 0(%2)         \n"
                   "3:                     \n\t"
                   "mv   %0, t3            \n\t"
                   "mv   %1, t4            \n\t"
                   : "=&r"(outcome->has_failed), "=&r"(outcome->address)
                   : "r"(address)
                   : "ra", "t2", "t3", "t4", "t5", "t6", "memory");
}

bool mpu_happens(const access_t *access, uintptr_t *told)
{
    const bool is_privileged = access->privilege == METE_PRIVILEGED;
    const uintptr_t mode = is_privileged ? 0U : MSTATUS_MPRV;
    outcome_t outcome = {0U, 0U};
    __asm volatile("csrw mtvec, %0" ::"r"(on_trap));
    __asm volatile("csrc mstatus, %0" ::"r"(MSTATUS_MPP));
    if (access->kind == METE_ACCESS_READ) {
        load(access, mode, &outcome);
    } else if (access->kind == METE_ACCESS_WRITE) {
        store(access, mode, &outcome);
    } else if (is_privileged) {
        call_privileged(access->address, &outcome);
    } else {
        call_unprivileged(access->address, &outcome);
    }
    *told = outcome.address;
    return outcome.has_failed == 0U;
}

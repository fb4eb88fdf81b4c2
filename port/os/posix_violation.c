// SPDX-License-Identifier: MIT OR Apache-2.0
//
// On x86 the kernel hands on what the processor pushed for a page fault, the error code: Intel 64 and IA-32 Architectures
// Software Developer's Manual, Volume 3A, 4.7 and 6.15 (interrupt 14).

#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // REG_ERR and its like
#endif

#include "port/os/posix_violation.h"

#include <errno.h>
#include <signal.h>
#include <ucontext.h>

// The system gives a handler nothing of ours; so it is found here.
static mete_posix_violation_t *watching;

// A program may send these signals, too, and then the context says nothing of them.
static bool is_from_kernel(const siginfo_t *signal)
{
    return signal->si_code > 0;
}

static mete_violation_t nothing_known(const siginfo_t *signal)
{
    return (mete_violation_t){.kind = METE_VIOLATION_NONE,
                              .privilege = METE_UNPRIVILEGED,
                              .cause = (uintptr_t)(unsigned)signal->si_signo};
}

#if defined(__linux__) && (defined(__x86_64__) || defined(__i386__))

#ifdef __x86_64__
enum { REG_PC = REG_RIP };
#else
enum { REG_PC = REG_EIP };
#endif

enum { PAGE_FAULT = 14 };  // The number of the interrupt.

#define ERROR_WRITE (1U << 1)
#define ERROR_FETCH (1U << 4)

// The number alone would not do: what the kernel itself sends finds that of an earlier interrupt there. And memory that is
// broken makes page faults, too.
static bool is_page_fault(const siginfo_t *signal, greg_t trap)
{
    const bool is_segv = (signal->si_signo == SIGSEGV) && (signal->si_code != SI_KERNEL);
    const bool is_bus = (signal->si_signo == SIGBUS) && (signal->si_code == BUS_ADRERR);
    return (trap == PAGE_FAULT) && (is_segv || is_bus);
}

static void read_page_fault(mete_violation_t *violation, const siginfo_t *signal, uint32_t error)
{
    const bool is_fetch = (error & ERROR_FETCH) != 0U;
    const uint8_t data = ((error & ERROR_WRITE) != 0U) ? METE_ACCESS_WRITE : METE_ACCESS_READ;
    violation->kind = is_fetch ? METE_VIOLATION_FETCH : METE_VIOLATION_DATA;
    violation->access = is_fetch ? (uint8_t)METE_ACCESS_EXECUTE : data;
    violation->address = (uintptr_t)signal->si_addr;
    violation->known |= METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_ACCESS;
}

mete_violation_t mete_posix_violation_of(const siginfo_t *signal, const void *context)
{
    mete_violation_t violation = nothing_known(signal);
    if (is_from_kernel(signal)) {
        const greg_t *const registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
        violation.pc = (uintptr_t)registers[REG_PC];
        violation.known = METE_VIOLATION_KNOWS_PC;
        if (is_page_fault(signal, registers[REG_TRAPNO])) {
            read_page_fault(&violation, signal, (uint32_t)registers[REG_ERR]);
        }
    }
    return violation;
}

#else

mete_violation_t mete_posix_violation_of(const siginfo_t *signal, const void *context)
{
    (void)context;
    mete_violation_t violation = nothing_known(signal);
    const bool has_address = (signal->si_code == SEGV_MAPERR) || (signal->si_code == SEGV_ACCERR);
    if ((signal->si_signo == SIGSEGV) && has_address) {
        violation.kind = METE_VIOLATION_DATA;
        violation.address = (uintptr_t)signal->si_addr;
        violation.known = METE_VIOLATION_KNOWS_ADDRESS;
    }
    return violation;
}

#endif

// The access is tried again, and the same signal meets whoever had it before. One that was sent does not come by itself.
static void pass_on(const siginfo_t *signal)
{
    mete_posix_violation_close(watching);
    if (!is_from_kernel(signal)) {
        (void)raise(signal->si_signo);
    }
}

static void on_signal(int number, siginfo_t *signal, void *context)
{
    (void)number;
    const int error_before = errno;
    const mete_posix_violation_config_t *const config = watching->config;
    const mete_violation_t violation = mete_posix_violation_of(signal, context);
    if (!config->on_violation(config->self, &violation)) {
        pass_on(signal);
    }
    errno = error_before;
}

bool mete_posix_violation_add_stack(void *bytes, size_t size)
{
    const stack_t stack = {
        .ss_sp = bytes, .ss_flags = (bytes == NULL) ? SS_DISABLE : 0, .ss_size = size};
    return sigaltstack(&stack, NULL) == 0;
}

bool mete_posix_violation_init(mete_posix_violation_t *watch,
                               const mete_posix_violation_config_t *config)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = on_signal;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaddset(&action.sa_mask, SIGSEGV);
    (void)sigaddset(&action.sa_mask, SIGBUS);
    watch->config = config;
    watch->watch_before = watching;
    watching = watch;
    return (sigaction(SIGSEGV, &action, &watch->segv_before) == 0) &&
           (sigaction(SIGBUS, &action, &watch->bus_before) == 0);
}

void mete_posix_violation_close(mete_posix_violation_t *watch)
{
    (void)sigaction(SIGSEGV, &watch->segv_before, NULL);
    (void)sigaction(SIGBUS, &watch->bus_before, NULL);
    watching = watch->watch_before;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_POSIX_VIOLATION_H
#define METE_PORT_POSIX_VIOLATION_H

/// Makes a mete_violation_t of the signal that a forbidden access raises, and calls who is to decide what becomes of it.
///
///     static bool on_violation(void *self, const mete_violation_t *violation)
///     {
///         note(violation);
///         siglongjmp(kernel, 1);  // The task is no more. Else: return false.
///     }
///     static const mete_posix_violation_config_t config = {on_violation, NULL};
///     static mete_posix_violation_t watch;
///     static unsigned char stack[METE_POSIX_VIOLATION_STACK_SIZE];
///     if (mete_posix_violation_add_stack(stack, sizeof stack) && mete_posix_violation_init(&watch, &config)) { ... }
///
/// What is told, and of what:
///
///   page fault              kind DATA or FETCH, address, PC, access. The address is that of the first byte that could not be had
///   everything else         kind NONE, PC: an address that no memory can have (x86-64: not canonical) comes without the
///                           address, and is not to be told from a forbidden instruction
///   sent by a program       kind NONE, nothing is known
///   other processors        than x86: kind DATA and the address; it may have been a fetch. Not the PC, not the access
///
/// `cause` is the signal's number. All of a process is unprivileged for the processor: that is what is told. Who plays
/// two privileges (port/os/posix_mprotect.h) knows which it was.
///
/// Not only rights make page faults: memory that is not mapped does, as NULL; and, by SIGBUS, a file that is shorter than its mapping.
///
///   Time     O(1).
///   Threads  One handler for the process; each thread needs a stack of its own for it.
///   Signals  SIGSEGV and SIGBUS. Whoever had them before gets what is passed on.

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE  // siginfo_t, with -std=c11, too. NOLINT(bugprone-reserved-identifier)
#endif

#include "mete/core/violation.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Large enough for the system's frame, and a handler that does not print with floating-point numbers. Bytes.
#define METE_POSIX_VIOLATION_STACK_SIZE 65536U

/// Who decides. It must outlive the watch.
typedef struct mete_posix_violation_config {
    /// Called in the thread that was stopped, on that thread's stack for it, both signals blocked: only what a signal
    /// handler may do (signal-safety(7)), and no memory that is forbidden right now. To kill a task, leave by
    /// siglongjmp(), to where sigsetjmp() saved the mask. True: the access is tried again; what forbade it must have changed. False:
    /// whoever had the signal before gets it, and from now on all; that mostly ends the process.
    bool (*on_violation)(void *self, const mete_violation_t *violation);
    void *self;
} mete_posix_violation_config_t;

/// The watch. The fields are here so that it can be static.
typedef struct mete_posix_violation {
    const mete_posix_violation_config_t *config;
    struct mete_posix_violation *watch_before;  // Or NULL.
    struct sigaction segv_before;
    struct sigaction bus_before;
} mete_posix_violation_t;

/// What a signal says. `context` is the third argument of its handler. May be called in one.
mete_violation_t mete_posix_violation_of(const siginfo_t *signal, const void *context);

/// Gives the calling thread a stack for the handler, so that it can be told of the overflow of its own. Nobody else
/// may use it until the thread has ended or called this with NULL and 0: then it has none. False if the system does not take it.
bool mete_posix_violation_add_stack(void *bytes, size_t size);

/// Installs the handler, for all threads. A watch before this one is asked again when this one is closed or has passed
/// something on. The watch must not be in use already. False if the system does not let it.
bool mete_posix_violation_init(mete_posix_violation_t *watch,
                               const mete_posix_violation_config_t *config);

/// Gives the signals back to whoever had them before the watch. Watches are closed in reverse order.
void mete_posix_violation_close(mete_posix_violation_t *watch);

#ifdef __cplusplus
}
#endif
#endif

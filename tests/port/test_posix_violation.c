// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Signals of forbidden accesses, each raised by one. What only x86 tells is expected only there.

#define _GNU_SOURCE  // pthread_getattr_np()

#include "port/os/posix_violation.c"

#include "tests/support/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, FRAME = 512 };

#if defined(__x86_64__) || defined(__i386__)
#define IS_X86 true
#else
#define IS_X86 false
#endif

static const unsigned knows_all =
    METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;

static unsigned char *page;  // Readable, and nothing else.
static sigjmp_buf back;
static volatile unsigned violation_count;
static mete_violation_t violation;
static uintptr_t handled_at;  // An address on the stack of the handler.
static bool is_blocked;       // Both signals were, in the handler.

static unsigned char stack[METE_POSIX_VIOLATION_STACK_SIZE];
static mete_posix_violation_t watch;

static void note(const mete_violation_t *told)
{
    const unsigned char here = 0U;
    handled_at = (uintptr_t)&here;
    violation = *told;
    violation_count++;
    sigset_t blocked;
    is_blocked = (pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0) &&
                 (sigismember(&blocked, SIGSEGV) == 1) && (sigismember(&blocked, SIGBUS) == 1);
}

static bool leave(void *self, const mete_violation_t *told)
{
    note(told);
    siglongjmp(*(sigjmp_buf *)self, 1);
}

static void setup(void)
{
    static const mete_posix_violation_config_t config = {leave, &back};
    violation_count = 0U;
    violation = (mete_violation_t){.kind = METE_VIOLATION_STACK};
    EXPECT(mete_posix_violation_add_stack(stack, sizeof stack));
    EXPECT(mete_posix_violation_init(&watch, &config));
}

static void finish(void)
{
    mete_posix_violation_close(&watch);
    EXPECT(mete_posix_violation_add_stack(NULL, 0U));
}

static void make_page(void)
{
    page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool is_page_fault_at(mete_violation_kind_t kind, uint32_t access, uintptr_t address)
{
    const bool is_whole = mete_violation_knows(&violation, knows_all) &&
                          (violation.access == access) && (violation.kind == kind);
    return (violation_count == 1U) && (is_whole || !IS_X86) && (violation.address == address) &&
           (violation.privilege == METE_UNPRIVILEGED);
}

// The code of this program is not far.
static bool is_in(uintptr_t pc, const void *function)
{
    return !IS_X86 || (pc - (uintptr_t)function < 4096U);
}

// ---- What is told

__attribute__((noinline)) static void write_at(uintptr_t address)
{
    *(volatile unsigned char *)address = 1U;
}

__attribute__((noinline, no_sanitize("address", "undefined"))) static void
read_at(uintptr_t address)
{
    (void)*(volatile unsigned char *)address;
}

__attribute__((noinline, no_sanitize("address", "undefined"))) static void
call_at(uintptr_t address)
{
    ((void (*)(void))address)();
}

static void test_a_write_to_what_is_read_only(void)
{
    setup();
    if (sigsetjmp(back, 1) == 0) {
        write_at((uintptr_t)page + 17U);
    }
    EXPECT(is_page_fault_at(METE_VIOLATION_DATA, METE_ACCESS_WRITE, (uintptr_t)page + 17U));
    EXPECT(is_in(violation.pc, (const void *)(uintptr_t)write_at));
    EXPECT((violation.cause == SIGSEGV) && is_blocked);
    finish();
}

static void test_a_read_of_what_nobody_may(void)
{
    setup();
    EXPECT(mprotect(page, PAGE, PROT_NONE) == 0);
    if (sigsetjmp(back, 1) == 0) {
        read_at((uintptr_t)page + PAGE - 1U);
    }
    EXPECT(mprotect(page, PAGE, PROT_READ) == 0);
    EXPECT(is_page_fault_at(METE_VIOLATION_DATA, METE_ACCESS_READ, (uintptr_t)page + PAGE - 1U));
    EXPECT(is_in(violation.pc, (const void *)(uintptr_t)read_at));
    finish();
}

static void test_a_fetch_of_data(void)
{
    setup();
    if (sigsetjmp(back, 1) == 0) {
        call_at((uintptr_t)page + 3U);
    }
    EXPECT(is_page_fault_at(METE_VIOLATION_FETCH, METE_ACCESS_EXECUTE, (uintptr_t)page + 3U));
    EXPECT(!IS_X86 || (violation.pc == violation.address));
    finish();
}

static void test_a_read_and_a_call_of_null(void)
{
    setup();
    if (sigsetjmp(back, 1) == 0) {
        read_at(0U);
    }
    EXPECT(is_page_fault_at(METE_VIOLATION_DATA, METE_ACCESS_READ, 0U));
    violation_count = 0U;
    if (sigsetjmp(back, 1) == 0) {
        call_at(0U);
    }
    EXPECT(is_page_fault_at(METE_VIOLATION_FETCH, METE_ACCESS_EXECUTE, 0U));
    finish();
}

#ifdef __x86_64__
// Bits 47 to 63 of an address must be equal.
static void test_an_address_that_none_can_have_is_not_told(void)
{
    setup();
    if (sigsetjmp(back, 1) == 0) {
        read_at(0x123456789ABCDEF0U);
    }
    EXPECT((violation_count == 1U) && (violation.kind == METE_VIOLATION_NONE));
    EXPECT(violation.known == METE_VIOLATION_KNOWS_PC);
    EXPECT(is_in(violation.pc, (const void *)(uintptr_t)read_at));
    EXPECT((violation.address == 0U) && (violation.access == 0U));
    EXPECT(violation.cause == SIGSEGV);
    finish();
}
#endif

static void test_what_lies_behind_the_end_of_a_file(void)
{
    char name[] = "/tmp/mete_violation_XXXXXX";
    setup();
    const int file = mkstemp(name);
    EXPECT((file >= 0) && (unlink(name) == 0) && (ftruncate(file, PAGE) == 0));
    unsigned char *const bytes = mmap(NULL, (size_t)2 * PAGE, PROT_READ, MAP_SHARED, file, 0);
    EXPECT(bytes != MAP_FAILED);
    if (sigsetjmp(back, 1) == 0) {
        read_at((uintptr_t)bytes + PAGE + 5U);
    }
    EXPECT((violation_count == 1U) && (violation.cause == SIGBUS) && is_blocked);
    EXPECT(!IS_X86 ||
           is_page_fault_at(METE_VIOLATION_DATA, METE_ACCESS_READ, (uintptr_t)bytes + PAGE + 5U));
    EXPECT((munmap(bytes, (size_t)2 * PAGE) == 0) && (close(file) == 0));
    finish();
}

// In the context of such a signal there is still what the interrupt before it left.
static void test_of_a_signal_that_was_sent_nothing_is_known(void)
{
    setup();
    if (sigsetjmp(back, 1) == 0) {
        write_at((uintptr_t)page);
    }
    EXPECT(violation.kind == (IS_X86 ? METE_VIOLATION_DATA : violation.kind));
    violation_count = 0U;
    if (sigsetjmp(back, 1) == 0) {
        (void)raise(SIGSEGV);
    }
    EXPECT((violation_count == 1U) && (violation.kind == METE_VIOLATION_NONE));
    EXPECT((violation.known == 0U) && (violation.pc == 0U) && (violation.address == 0U));
    EXPECT(violation.cause == SIGSEGV);
    finish();
}

#if defined(__x86_64__) || defined(__i386__)
// Contexts that are hard to come by. 14 is the interrupt of a page fault, 13 of what is forbidden otherwise.
static void test_what_is_no_page_fault_has_no_address(void)
{
    static const struct {
        int signal, code, trap;
        bool is_page_fault;
    } cases[] = {
        {SIGSEGV, SEGV_ACCERR, 14, true},  {SIGSEGV, SEGV_MAPERR, 14, true},
        {SIGSEGV, SEGV_ACCERR, 13, false}, {SIGSEGV, SI_KERNEL, 14, false},
        {SIGBUS, BUS_ADRERR, 14, true},    {SIGBUS, BUS_MCEERR_AR, 14, false},
        {SIGBUS, BUS_ADRALN, 17, false},
    };
    for (size_t i = 0U; i < sizeof cases / sizeof cases[0]; i++) {
        siginfo_t signal = {.si_signo = cases[i].signal, .si_code = cases[i].code};
        ucontext_t context = {.uc_flags = 0U};
        signal.si_addr = page + 1;
        context.uc_mcontext.gregs[REG_TRAPNO] = cases[i].trap;
        context.uc_mcontext.gregs[REG_ERR] = 7;
        context.uc_mcontext.gregs[REG_PC] = 0x1234;
        const mete_violation_t told = mete_posix_violation_of(&signal, &context);
        EXPECT(told.known == (cases[i].is_page_fault ? knows_all : METE_VIOLATION_KNOWS_PC));
        EXPECT((told.kind == METE_VIOLATION_DATA) == cases[i].is_page_fault);
        EXPECT(told.address == (cases[i].is_page_fault ? (uintptr_t)page + 1U : 0U));
        EXPECT(told.access == (cases[i].is_page_fault ? METE_ACCESS_WRITE : 0U));
        EXPECT((told.pc == 0x1234U) && (told.cause == (uintptr_t)cases[i].signal));
    }
}
#endif

// ---- An overflow of a thread's stack

static volatile unsigned depth_max = 1000000U;
static uintptr_t thread_low;  // The lowest address of the thread's stack that is not its guard.

__attribute__((noinline, no_sanitize("address", "undefined"))) static unsigned burn(unsigned depth)
{
    volatile unsigned char frame[FRAME];
    frame[depth % FRAME] = (unsigned char)depth;
    return (depth < depth_max) ? burn(depth + 1U) + frame[depth % FRAME] : 0U;
}

static void *overflow(void *self)
{
    static unsigned char own[METE_POSIX_VIOLATION_STACK_SIZE];
    pthread_attr_t attributes;
    size_t size = 0U;
    (void)self;
    EXPECT(mete_posix_violation_add_stack(own, sizeof own));
    EXPECT(pthread_getattr_np(pthread_self(), &attributes) == 0);
    EXPECT(pthread_attr_getstack(&attributes, &self, &size) == 0);
    EXPECT(pthread_attr_destroy(&attributes) == 0);
    thread_low = (uintptr_t)self;
    if (sigsetjmp(back, 1) == 0) {
        (void)burn(0U);
    }
    EXPECT(handled_at - (uintptr_t)own < sizeof own);
    EXPECT(mete_posix_violation_add_stack(NULL, 0U));
    return NULL;
}

static void test_the_overflow_of_a_threads_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    setup();
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstacksize(&attributes, (size_t)64 * PAGE) == 0);
    EXPECT(pthread_attr_setguardsize(&attributes, PAGE) == 0);
    EXPECT(pthread_create(&thread, &attributes, overflow, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(pthread_attr_destroy(&attributes) == 0);
    EXPECT(violation_count == 1U);
    // glibc before 2.35 counts the guard to the stack.
    EXPECT((violation.address >= thread_low - PAGE) && (violation.address < thread_low + PAGE));
    EXPECT(!IS_X86 || (violation.kind == METE_VIOLATION_DATA));
    EXPECT(!IS_X86 || is_in(violation.pc, (const void *)(uintptr_t)burn));
    finish();
}

// ---- What is done about it

static bool allow(void *self, const mete_violation_t *told)
{
    (void)self;
    note(told);
    errno = ENOMEM;
    return mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0;
}

static void test_an_access_is_tried_again(void)
{
    static const mete_posix_violation_config_t config = {allow, NULL};
    setup();
    finish();
    EXPECT(mete_posix_violation_add_stack(stack, sizeof stack));
    EXPECT(mete_posix_violation_init(&watch, &config));
    errno = EBADF;
    write_at((uintptr_t)page + 5U);
    EXPECT(errno == EBADF);
    EXPECT((violation_count == 1U) && (page[5] == 1U));
    EXPECT(handled_at - (uintptr_t)stack < sizeof stack);
    EXPECT(mprotect(page, PAGE, PROT_READ) == 0);
    finish();
}

static bool refuse(void *self, const mete_violation_t *told)
{
    (void)told;
    (*(unsigned *)self)++;
    return false;
}

static void test_what_is_passed_on_meets_the_watch_before(void)
{
    static unsigned refused;
    static const mete_posix_violation_config_t config = {refuse, &refused};
    static mete_posix_violation_t inner;
    setup();
    for (unsigned round = 1U; round <= 2U; round++) {
        violation_count = 0U;
        EXPECT(mete_posix_violation_init(&inner, &config));
        if (sigsetjmp(back, 1) == 0) {
            if (round == 1U) {
                write_at((uintptr_t)page + 9U);
            } else {
                (void)raise(SIGBUS);
            }
        }
        EXPECT((refused == round) && (violation_count == 1U));
    }
    EXPECT((violation.kind == METE_VIOLATION_NONE) && (violation.cause == SIGBUS));
    finish();
    struct sigaction now;
    EXPECT((sigaction(SIGSEGV, NULL, &now) == 0) && (now.sa_sigaction != on_signal));
    EXPECT((sigaction(SIGBUS, NULL, &now) == 0) && (now.sa_sigaction != on_signal));
}

// Returns how a process ends in which nobody wants the signal.
static int end_of_child(bool is_sent)
{
    static unsigned refused;
    static const mete_posix_violation_config_t config = {refuse, &refused};
    static mete_posix_violation_t ours;
    const pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        if (!mete_posix_violation_init(&ours, &config)) {
            _exit(2);
        }
        if (is_sent) {
            (void)raise(SIGSEGV);
        } else {
            write_at((uintptr_t)page);
        }
        _exit(3);
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_what_nobody_wants_ends_the_process(void)
{
    EXPECT(end_of_child(false) == SIGSEGV);
    EXPECT(end_of_child(true) == SIGSEGV);
}

static void test_a_stack_that_is_too_small_is_refused(void)
{
    EXPECT(!mete_posix_violation_add_stack(stack, 16U));
    EXPECT(errno == ENOMEM);
}

int main(void)
{
    make_page();
    RUN(test_a_write_to_what_is_read_only);
    RUN(test_a_read_of_what_nobody_may);
    RUN(test_a_fetch_of_data);
    RUN(test_a_read_and_a_call_of_null);
#ifdef __x86_64__
    RUN(test_an_address_that_none_can_have_is_not_told);
#endif
    RUN(test_what_lies_behind_the_end_of_a_file);
    RUN(test_of_a_signal_that_was_sent_nothing_is_known);
#if defined(__x86_64__) || defined(__i386__)
    RUN(test_what_is_no_page_fault_has_no_address);
#endif
    RUN(test_the_overflow_of_a_threads_stack);
    RUN(test_an_access_is_tried_again);
    RUN(test_what_is_passed_on_meets_the_watch_before);
    RUN(test_what_nobody_wants_ends_the_process);
    RUN(test_a_stack_that_is_too_small_is_refused);
    return tap_finish();
}

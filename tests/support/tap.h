// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_TAP_H
#define METE_TEST_TAP_H

/// Tests without libc: the same file runs on the host and on a board.
///
///     static void test_alloc_gives_null_when_full(void) { EXPECT(...); }
///     int main(void) { RUN(test_alloc_gives_null_when_full); return tap_finish(); }
///
/// Output is TAP, then one line PASS or FAIL; the exit code says the same.

#include "mete/core/base.h"
#include "mete/core/sink.h"
#include "mete/core/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Where output goes. Defined by the platform: stdout on the host, semihosting on a board.
extern const mete_sink_t tap_sink;

#define EXPECT(condition) tap_expect((condition), #condition, __FILE__, __LINE__)
#define RUN(test)         tap_run((test), #test)

/// Records the failure of an expectation; the first few of a test are printed. Returns `holds`.
bool tap_expect(bool holds, const char *condition, const char *file, int line);

/// Runs one test and prints its result.
void tap_run(void (*test)(void), const char *name);

/// Prints that a test was left out here, and why.
void tap_skip(const char *name, const char *reason);

/// Prints a remark: "# text number".
void tap_note(const char *text, size_t number);

/// Prints the plan and the verdict, which it returns: 0 if nothing failed.
int tap_finish(void);

/// What METE_FAULT does in tests: remembers the fault and lets the call return. A failed assertion
/// is not survivable: it ends the test run.
void tap_record_fault(int fault, const void *object, const void *address);

/// The fault recorded last, or 0; forgets it.
int tap_take_fault(void);

/// Where the last fault recorded happened: the object and the address it named.
extern const void *tap_fault_object;
extern const void *tap_fault_address;

/// Ends the run at once with a failing verdict. Defined by the platform.
__attribute__((noreturn)) void tap_abort(void);

#ifdef __cplusplus
}
#endif
#endif

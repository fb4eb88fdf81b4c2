// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

enum { PRINTED_MAX = 5 };  // Failures printed for each test; the rest are only counted.

static size_t test_count;
static size_t failed_test_count;
static size_t failures;  // Of the test that runs.
static int last_fault;
const void *tap_fault_object;
const void *tap_fault_address;

static void say(const char *text)
{
    mete_text_string(tap_sink, text);
}

bool tap_expect(bool holds, const char *condition, const char *file, int line)
{
    if (holds) {
        return true;
    }
    failures++;
    if (failures <= PRINTED_MAX) {
        say("# ");
        say(file);
        say(":");
        mete_text_decimal(tap_sink, (size_t)line);
        say(": expected ");
        say(condition);
        say("\n");
    }
    return false;
}

void tap_run(void (*test)(void), const char *name)
{
    failures = 0U;
    last_fault = 0;
    test();
    test_count++;
    failed_test_count += (failures != 0U) ? 1U : 0U;
    say((failures == 0U) ? "ok " : "not ok ");
    mete_text_decimal(tap_sink, test_count);
    say(" - ");
    say(name);
    say("\n");
}

void tap_skip(const char *name, const char *reason)
{
    test_count++;
    say("ok ");
    mete_text_decimal(tap_sink, test_count);
    say(" - ");
    say(name);
    say(" # SKIP ");
    say(reason);
    say("\n");
}

void tap_note(const char *text, size_t number)
{
    say("# ");
    say(text);
    say(" ");
    mete_text_decimal(tap_sink, number);
    say("\n");
}

int tap_finish(void)
{
    say("1..");
    mete_text_decimal(tap_sink, test_count);
    const bool passed = (failed_test_count == 0U) && (test_count != 0U);
    say(passed ? "\nPASS\n" : "\nFAIL\n");
    return passed ? 0 : 1;
}

void tap_record_fault(int fault, const void *object, const void *address)
{
    if (fault == METE_FAULT_ASSERT) {
        say("# an assertion failed inside the module\nFAIL\n");
        tap_abort();
    }
    last_fault = fault;
    tap_fault_object = object;
    tap_fault_address = address;
}

int tap_take_fault(void)
{
    const int fault = last_fault;
    last_fault = 0;
    return fault;
}

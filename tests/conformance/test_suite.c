// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The suite itself, put to the test: the reference passes every case, and each case is failed by the
// wrong allocator made for it. A case without one, or one that it passes, proves nothing.

#include "tests/conformance/wrong/wrong.h"
#include "tests/support/tap.h"

static reference_t reference;
static const wrong_t *wrong;  // The one under test; NULL: the reference as it is.
static const suite_case_t *expected;
static mete_alloc_ops_t ops;
static suite_calls_t calls;

static mete_alloc_t make(mete_span_t arena)
{
    void (*const init)(reference_t *, mete_span_t) =
        ((wrong != NULL) && (wrong->init != NULL)) ? wrong->init : reference_init;
    init(&reference, arena);
    return (mete_alloc_t){&ops, &reference};
}

static const suite_subject_t subject = {
    .name = "reference",
    .make = make,
    .size_max = SUITE_ARENA_SIZE,
    .align_max = SUITE_ALIGN_MAX,
    .traits = SUITE_ALL,
    .calls = &calls,
};

#define OR(flawed, right) (((flawed) != NULL) ? (flawed) : (right))

static void put_flaw_in(const wrong_t *flaw)
{
    static const wrong_t none = {0};
    const wrong_t *const from = (flaw != NULL) ? flaw : &none;
    ops.acquire = OR(from->ops.acquire, reference_acquire);
    ops.release = OR(from->ops.release, reference_release);
    ops.resize = OR(from->ops.resize, reference_resize);
    ops.owns = OR(from->ops.owns, reference_owns);
    ops.size_of = OR(from->ops.size_of, reference_size_of);
    calls.acquire = OR(from->calls.acquire, suite_calls.acquire);
    calls.release = OR(from->calls.release, suite_calls.release);
    calls.resize = OR(from->calls.resize, suite_calls.resize);
    calls.realloc = OR(from->calls.realloc, suite_calls.realloc);
    calls.acquire_zeroed = OR(from->calls.acquire_zeroed, suite_calls.acquire_zeroed);
    calls.acquire_array = OR(from->calls.acquire_array, suite_calls.acquire_array);
    reference_init(&reference, (mete_span_t){NULL, 0U});
    wrong = flaw;
}

static const wrong_group_t *const groups[] = {
    &wrong_group_acquire, &wrong_group_refuse, &wrong_group_release, &wrong_group_resize,
    &wrong_group_realloc, &wrong_group_misuse, &wrong_group_report,
};
#define GROUP_COUNT (sizeof groups / sizeof groups[0])

static bool is_same(const char *a, const char *b)
{
    while ((*a != '\0') && (*a == *b)) {
        a++;
        b++;
    }
    return *a == *b;
}

// The wrong allocator for a case, or NULL.
static const wrong_t *wrong_for(const suite_case_t *one)
{
    const wrong_t *found = NULL;
    for (size_t i = 0U; i < GROUP_COUNT; i++) {
        for (size_t j = 0U; j < groups[i]->count; j++) {
            const wrong_t *const candidate = &groups[i]->wrongs[j];
            found = is_same(candidate->case_name, one->name) ? candidate : found;
        }
    }
    return found;
}

static void test_there_are_as_many_wrong_allocators_as_cases(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i < GROUP_COUNT; i++) {
        count += groups[i]->count;
    }
    EXPECT(count == suite_case_count());
    EXPECT(count >= 40U);
    tap_note("cases:", count);
}

static void run_one_that_must_fail(void)
{
    const wrong_t *const flaw = wrong_for(expected);
    if (EXPECT(flaw != NULL)) {
        put_flaw_in(flaw);
        EXPECT(suite_run(expected, &subject) == SUITE_FAILED);
        put_flaw_in(NULL);
        EXPECT(suite_run(expected, &subject) == SUITE_PASSED);
    }
}

int main(void)
{
    put_flaw_in(NULL);
    suite_test(&subject);
    RUN(test_there_are_as_many_wrong_allocators_as_cases);
    for (size_t i = 0U; i < suite_case_count(); i++) {
        expected = suite_case(i);
        tap_run(run_one_that_must_fail, expected->name);
    }
    return tap_finish();
}

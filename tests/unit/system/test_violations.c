// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Every verdict, and which comes first where several would do; who is told what; who is killed. The hardware's plan is
// one that answers as a test says. At the end the whole: a real plan, an audit log and a post-mortem record.

#include "mete/system/violations.c"

#include "mete/protect/plan_armv7m.h"
#include "mete/system/audit.h"
#include "mete/system/postmortem.h"
#include "tests/support/tap.h"

enum {
    RW = METE_ACCESS_READ | METE_ACCESS_WRITE,
    ALL_KNOWN =
        METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS,
    SECRETS = 0x20004000,
    GUARD = 0x20008000,
    GUARD_SIZE = 32
};

// ---- What the module is given

// A plan of one region: nothing is granted elsewhere.
static uint32_t nothing(const mete_plan_config_t *plan_config, uintptr_t address)
{
    (void)plan_config;
    (void)address;
    return 0U;
}

static const mete_plan_backend_t backend = {.background = nothing};
static mete_plan_range_t range;
static const mete_plan_t plan = {.backend = &backend, .ranges = &range, .range_count = 1U};

static void grant_all(void)
{
    range = (mete_plan_range_t){0U, UINTPTR_MAX, 0x3FU};
}

static mete_map_region_t regions[3];
static const mete_map_config_t map_config = {regions, 3U};
static mete_map_t map;

static mete_event_t heard;
static size_t heard_count;
static bool observer_knew;

static mete_violations_config_t config;
static mete_violations_t violations;
static mete_violation_t what;
static mete_violations_task_t who;

static void hear(void *self, const mete_event_t *event)
{
    heard = *event;
    heard_count++;
    observer_knew = (self == &heard) && (mete_violations_last(&violations) != NULL) &&
                    (mete_violations_count(&violations) == heard_count);
}

static void add_region(const char *name, uintptr_t start, size_t size)
{
    const mete_map_region_t region = {.name = name, .start = start, .size = size};
    EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
}

// A task with a plan and a guard reads where it must not.
static void setup(void)
{
    (void)mete_map_init(&map, &map_config);
    add_region("secrets", SECRETS, 64U);
    add_region("end", UINTPTR_MAX - 7U, 8U);
    range = (mete_plan_range_t){0U, 0U, 0U};
    heard_count = 0U;
    observer_knew = false;
    config = (mete_violations_config_t){.map = &map, .observer = {hear, &heard}};
    what = (mete_violation_t){.kind = METE_VIOLATION_DATA,
                              .known = ALL_KNOWN,
                              .access = METE_ACCESS_READ,
                              .privilege = METE_UNPRIVILEGED,
                              .address = SECRETS,
                              .pc = 0x812U,
                              .cause = 0x82U};
    who = (mete_violations_task_t){"reader", &plan, {(void *)(uintptr_t)GUARD, GUARD_SIZE}};
    EXPECT(mete_violations_init(&violations, &config));
}

static mete_violations_verdict_t judged(void)
{
    (void)mete_violations_handle(&violations, &what, &who);
    return mete_violations_last(&violations)->verdict;
}

static mete_violations_verdict_t judged_at(uintptr_t address)
{
    what.address = address;
    return judged();
}

// ---- init

static void test_init_refuses_to_be_without_config(void)
{
    violations.count = 7U;
    violations.config = NULL;
    EXPECT(!mete_violations_init(&violations, NULL));
    EXPECT((violations.count == 7U) && (violations.config == NULL));
}

static void test_before_the_first_there_is_no_last(void)
{
    setup();
    EXPECT((mete_violations_last(&violations) == NULL) &&
           (mete_violations_count(&violations) == 0U));
    (void)judged();
    EXPECT(mete_violations_last(&violations) == &violations.last);
    EXPECT(mete_violations_init(&violations, &config));
    EXPECT((mete_violations_last(&violations) == NULL) &&
           (mete_violations_count(&violations) == 0U));
}

// ---- Verdicts

static void test_what_the_plan_denies_is_denied(void)
{
    setup();
    EXPECT(judged() == METE_VIOLATIONS_DENIED);
    grant_all();
    range.rights = 0x3FU & ~(uint32_t)METE_ACCESS_READ;
    EXPECT(judged() == METE_VIOLATIONS_DENIED);
    what.kind = METE_VIOLATION_FETCH;
    what.access = METE_ACCESS_EXECUTE;
    what.privilege = METE_PRIVILEGED;
    range.rights = 0x3FU & ~((uint32_t)METE_ACCESS_EXECUTE << METE_PLAN_PRIVILEGED_SHIFT);
    EXPECT(judged() == METE_VIOLATIONS_DENIED);
}

// One byte is asked for, and just the access.
static void test_what_the_plan_allows_was_stopped_by_something_else(void)
{
    setup();
    range = (mete_plan_range_t){SECRETS + 3U, 0U, METE_ACCESS_WRITE};
    what.access = METE_ACCESS_WRITE;
    EXPECT(judged_at(SECRETS + 3U) == METE_VIOLATIONS_ALLOWED);
}

static void test_the_guard_is_hit_from_its_first_byte_to_its_last(void)
{
    setup();
    EXPECT(judged_at(GUARD) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(GUARD + GUARD_SIZE - 1U) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(GUARD - 1U) == METE_VIOLATIONS_DENIED);
    EXPECT(judged_at(GUARD + GUARD_SIZE) == METE_VIOLATIONS_DENIED);
}

static void test_a_guard_without_bytes_is_never_hit(void)
{
    setup();
    who.stack_guard.size = 0U;
    EXPECT(judged_at(GUARD) == METE_VIOLATIONS_DENIED);
    who.stack_guard.start = NULL;
    EXPECT(judged_at(0U) == METE_VIOLATIONS_NULL);
    EXPECT(judged_at(UINTPTR_MAX) == METE_VIOLATIONS_DENIED);
}

static void test_a_guard_may_end_with_the_address_space(void)
{
    setup();
    who.stack_guard = (mete_span_t){(void *)(UINTPTR_MAX - 31U), 32U};
    EXPECT(judged_at(UINTPTR_MAX) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(UINTPTR_MAX - 32U) == METE_VIOLATIONS_DENIED);
    EXPECT(judged_at(0U) == METE_VIOLATIONS_NULL);
}

static void test_null_leads_to_the_first_256_bytes(void)
{
    setup();
    grant_all();
    EXPECT(METE_VIOLATIONS_NULL_SIZE == 256U);
    EXPECT(judged_at(0U) == METE_VIOLATIONS_NULL);
    EXPECT((judged_at(255U) == METE_VIOLATIONS_NULL));
    EXPECT(judged_at(256U) == METE_VIOLATIONS_ALLOWED);
    what.kind = METE_VIOLATION_FETCH;
    EXPECT(judged_at(4U) == METE_VIOLATIONS_NULL);
}

static void test_a_guard_goes_before_null_and_null_before_the_plan(void)
{
    setup();
    who.stack_guard = (mete_span_t){(void *)(uintptr_t)0x40U, 64U};
    EXPECT(judged_at(0x40U) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(0x3FU) == METE_VIOLATIONS_NULL);
    EXPECT(judged_at(0x80U) == METE_VIOLATIONS_NULL);
}

static void test_a_stack_that_the_processor_could_not_use_ran_over(void)
{
    setup();
    what = (mete_violation_t){.kind = METE_VIOLATION_STACK};
    EXPECT(judged() == METE_VIOLATIONS_OVERFLOW);
    what.known = ALL_KNOWN;
    EXPECT(judged_at(0U) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(SECRETS) == METE_VIOLATIONS_OVERFLOW);
    EXPECT((mete_violations_handle(&violations, &what, NULL) == METE_VIOLATIONS_KILL) &&
           (violations.last.verdict == METE_VIOLATIONS_OVERFLOW));
}

static void test_what_is_not_known_is_not_guessed(void)
{
    setup();
    what.known = METE_VIOLATION_KNOWS_PC | METE_VIOLATION_KNOWS_ACCESS;
    EXPECT(judged_at(0U) == METE_VIOLATIONS_UNKNOWN);  // 0 is no NULL here,
    EXPECT(violations.last.region == NULL);
    EXPECT(judged_at(GUARD) == METE_VIOLATIONS_UNKNOWN);  // nor the guard hit,
    EXPECT(judged_at(SECRETS) == METE_VIOLATIONS_UNKNOWN);
    EXPECT(violations.last.region == NULL);  // nor is it anybody's.
    setup();
    what.known = METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC;
    EXPECT(judged() == METE_VIOLATIONS_UNKNOWN);
    EXPECT(judged_at(GUARD) == METE_VIOLATIONS_OVERFLOW);
    EXPECT(judged_at(0U) == METE_VIOLATIONS_NULL);
    setup();
    who.plan = NULL;
    EXPECT(judged() == METE_VIOLATIONS_UNKNOWN);
    who.plan = &plan;
    what.known = METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_ACCESS;
    EXPECT((judged_at(SECRETS) == METE_VIOLATIONS_DENIED));
}

static void test_if_nobody_knows_who_little_is_known(void)
{
    setup();
    EXPECT(mete_violations_handle(&violations, &what, NULL) == METE_VIOLATIONS_KILL);
    const mete_violations_report_t *const last = mete_violations_last(&violations);
    EXPECT((last->verdict == METE_VIOLATIONS_UNKNOWN) && (last->region == &regions[0]));
    EXPECT((last->who.name == NULL) && (last->who.plan == NULL));
    EXPECT((last->who.stack_guard.start == NULL) && (last->who.stack_guard.size == 0U));
    what.address = 0U;
    (void)mete_violations_handle(&violations, &what, NULL);
    EXPECT(violations.last.verdict == METE_VIOLATIONS_NULL);
}

// ---- Whose memory

static void test_the_region_is_found(void)
{
    setup();
    (void)judged();
    EXPECT(violations.last.region == &regions[0]);
    (void)judged_at(SECRETS + 63U);
    EXPECT(violations.last.region == &regions[0]);
    (void)judged_at(SECRETS + 64U);
    EXPECT(violations.last.region == NULL);
    (void)judged_at(UINTPTR_MAX);
    EXPECT(violations.last.region == &regions[1]);
    config.map = NULL;
    (void)judged_at(SECRETS);
    EXPECT(violations.last.region == NULL);
}

static void test_all_that_is_known_is_kept(void)
{
    setup();
    (void)judged();
    const mete_violations_report_t *const last = mete_violations_last(&violations);
    EXPECT((last->what.kind == METE_VIOLATION_DATA) && (last->what.known == ALL_KNOWN));
    EXPECT((last->what.access == METE_ACCESS_READ) && (last->what.privilege == METE_UNPRIVILEGED));
    EXPECT((last->what.address == SECRETS) && (last->what.pc == 0x812U) &&
           (last->what.cause == 0x82U));
    EXPECT((last->who.name == who.name) && (last->who.plan == &plan));
    EXPECT((last->who.stack_guard.start == (void *)(uintptr_t)GUARD) &&
           (last->who.stack_guard.size == GUARD_SIZE));
}

// ---- Who is told

static bool was_told(size_t fault, uintptr_t address, uintptr_t pc)
{
    return (heard.kind == METE_EVENT_FAULT) && (heard.source == &violations) &&
           (heard.block == (const void *)address) && (heard.size == fault) &&
           (heard.caller == (const void *)pc);
}

static void test_the_observer_hears_each(void)
{
    setup();
    (void)judged();
    EXPECT((heard_count == 1U) && observer_knew && was_told(METE_FAULT_ACCESS, SECRETS, 0x812U));
    (void)judged_at(GUARD + 4U);
    EXPECT((heard_count == 2U) && observer_knew &&
           was_told(METE_FAULT_OVERFLOW, GUARD + 4U, 0x812U));
    (void)judged_at(0U);
    EXPECT(was_told(METE_FAULT_ACCESS, 0U, 0x812U));
    grant_all();
    (void)judged_at(UINTPTR_MAX);
    EXPECT(was_told(METE_FAULT_ACCESS, UINTPTR_MAX, 0x812U));
    what = (mete_violation_t){.kind = METE_VIOLATION_STACK};
    (void)judged();
    EXPECT((heard_count == 5U) && was_told(METE_FAULT_OVERFLOW, 0U, 0U));
    EXPECT(tap_take_fault() == 0);
}

static void test_no_violation_is_neither_counted_nor_told(void)
{
    setup();
    (void)judged();
    what.kind = METE_VIOLATION_NONE;
    what.address = GUARD;
    EXPECT(mete_violations_handle(&violations, &what, &who) == METE_VIOLATIONS_STOP);
    EXPECT((heard_count == 1U) && (mete_violations_count(&violations) == 1U));
    EXPECT(violations.last.what.address == SECRETS);
}

// ---- What is done

static void test_unprivileged_code_is_killed_and_for_the_kernel_all_stops(void)
{
    setup();
    config.observer.on_event = NULL;
    EXPECT(mete_violations_handle(&violations, &what, &who) == METE_VIOLATIONS_KILL);
    what.privilege = METE_PRIVILEGED;
    EXPECT(mete_violations_handle(&violations, &what, &who) == METE_VIOLATIONS_STOP);
    EXPECT(mete_violations_count(&violations) == 2U);
}

static mete_violations_action_t program_says;
static bool program_knew;

static mete_violations_action_t program(void *self, const mete_violations_report_t *report)
{
    program_knew = (self == &program_says) && (report == mete_violations_last(&violations)) &&
                   (mete_violations_count(&violations) == heard_count) &&
                   (report->verdict == METE_VIOLATIONS_DENIED);
    return program_says;
}

static void test_the_program_has_the_last_word(void)
{
    static const mete_violations_action_t actions[] = {METE_VIOLATIONS_RETRY, METE_VIOLATIONS_STOP,
                                                       METE_VIOLATIONS_KILL};
    setup();
    config.decide = program;
    config.self = &program_says;
    for (size_t i = 0U; i < 3U; i++) {
        program_says = actions[i];
        program_knew = false;
        what.privilege = (i == 2U) ? METE_PRIVILEGED : METE_UNPRIVILEGED;
        EXPECT(mete_violations_handle(&violations, &what, &who) == actions[i]);
        EXPECT(program_knew && (heard_count == i + 1U));
    }
    program_knew = false;
    what.kind = METE_VIOLATION_NONE;
    EXPECT(mete_violations_handle(&violations, &what, &who) == METE_VIOLATIONS_STOP);
    EXPECT(!program_knew);
}

// ---- The whole

static mete_audit_t audit;
static mete_postmortem_t postmortem;

static void hear_for_both(void *self, const mete_event_t *event)
{
    (void)self;
    mete_observe(mete_audit_as_observer(&audit), event);
    mete_observe(mete_postmortem_as_observer(&postmortem), event);
}

static void start_records(void)
{
    static mete_audit_entry_t entries[3];
    static const mete_audit_config_t audit_config = {.entries = entries, .entry_count = 3U};
    static mete_postmortem_store_t store;
    static const mete_postmortem_config_t postmortem_config = {.store = &store};
    EXPECT(mete_audit_init(&audit, &audit_config));
    (void)mete_postmortem_init(&postmortem, &postmortem_config);
}

static void test_audit_and_postmortem_hear_of_a_task_that_reads_what_its_plan_denies(void)
{
    static const mete_plan_wish_t wishes[] = {
        {"stack", GUARD + GUARD_SIZE, GUARD + 0xFFFU, {RW, RW}, METE_MPU_CACHED, 0U}};
    mete_plan_share_t share;
    mete_mpu_image_t images[8];
    mete_plan_range_t ranges[8];
    const mete_plan_config_t plan_config = {.backend = &mete_plan_armv7m,
                                            .wishes = wishes,
                                            .wish_count = 1U,
                                            .shares = &share,
                                            .images = images,
                                            .ranges = ranges,
                                            .image_max = 8U};
    mete_plan_t real;
    EXPECT(mete_plan_init(&real, &plan_config).verdict == METE_PLAN_FITS);
    setup();
    start_records();
    who.plan = &real;
    config.observer = (mete_observer_t){hear_for_both, NULL};
    EXPECT(judged() == METE_VIOLATIONS_DENIED);
    EXPECT(judged_at(GUARD + GUARD_SIZE) == METE_VIOLATIONS_ALLOWED);
    EXPECT(judged_at(GUARD) == METE_VIOLATIONS_OVERFLOW);

    const mete_audit_entry_t *const entry = &audit.config->entries[0];
    EXPECT((mete_audit_count(&audit) == 3U) && mete_audit_check(&audit));
    EXPECT((entry->kind == METE_EVENT_FAULT) && (entry->block == SECRETS));
    EXPECT((entry->size == METE_FAULT_ACCESS) && (entry->caller == 0x812U));
    EXPECT(audit.config->entries[2].size == METE_FAULT_OVERFLOW);

    const mete_postmortem_record_t *const record = mete_postmortem_last(&postmortem);
    const mete_postmortem_fault_t *const fault = &record->faults[2];
    EXPECT((record->fault_total == 3U) && mete_postmortem_check(&postmortem));
    EXPECT((fault->kind == METE_FAULT_OVERFLOW) && (fault->address == GUARD));
    EXPECT((fault->object == (uintptr_t)&violations) && (fault->caller == 0x812U));
    EXPECT(record->faults[0].kind == METE_FAULT_ACCESS);
}

int main(void)
{
    RUN(test_init_refuses_to_be_without_config);
    RUN(test_before_the_first_there_is_no_last);
    RUN(test_what_the_plan_denies_is_denied);
    RUN(test_what_the_plan_allows_was_stopped_by_something_else);
    RUN(test_the_guard_is_hit_from_its_first_byte_to_its_last);
    RUN(test_a_guard_without_bytes_is_never_hit);
    RUN(test_a_guard_may_end_with_the_address_space);
    RUN(test_null_leads_to_the_first_256_bytes);
    RUN(test_a_guard_goes_before_null_and_null_before_the_plan);
    RUN(test_a_stack_that_the_processor_could_not_use_ran_over);
    RUN(test_what_is_not_known_is_not_guessed);
    RUN(test_if_nobody_knows_who_little_is_known);
    RUN(test_the_region_is_found);
    RUN(test_all_that_is_known_is_kept);
    RUN(test_the_observer_hears_each);
    RUN(test_no_violation_is_neither_counted_nor_told);
    RUN(test_unprivileged_code_is_killed_and_for_the_kernel_all_stops);
    RUN(test_the_program_has_the_last_word);
    RUN(test_audit_and_postmortem_hear_of_a_task_that_reads_what_its_plan_denies);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/io/rtt.h"
#include "port/os/posix.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200000, PATIENCE_MS = 20000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile size_t counter;  // Not atomic: without exclusion, increments get lost.

static void *count_in_lock(void *self)
{
    (void)self;
    const mete_lock_t lock = mete_posix_lock(&mutex);
    for (size_t i = 0U; i < ROUNDS; i++) {
        lock.ops->enter(lock.self);
        counter++;
        lock.ops->leave(lock.self);
    }
    return NULL;
}

static void *count_in_critical_section(void *self)
{
    (void)self;
    for (size_t i = 0U; i < ROUNDS; i++) {
        const uintptr_t outer = mete_critical_enter();
        const uintptr_t inner = mete_critical_enter();
        mete_critical_leave(inner);
        counter++;  // Still inside the outer one.
        mete_critical_leave(outer);
    }
    return NULL;
}

static void run_two(void *(*work)(void *))
{
    pthread_t threads[2];
    counter = 0U;
    for (size_t i = 0U; i < 2U; i++) {
        EXPECT(pthread_create(&threads[i], NULL, work, NULL) == 0);
    }
    for (size_t i = 0U; i < 2U; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
}

static void test_the_lock_excludes_two_threads(void)
{
    run_two(count_in_lock);
    EXPECT(counter == (size_t)2U * ROUNDS);
}

static void test_the_critical_section_excludes_two_threads_and_nests(void)
{
    run_two(count_in_critical_section);
    EXPECT(counter == (size_t)2U * ROUNDS);
}

static void test_the_clock_counts_milliseconds(void)
{
    const struct timespec pause = {0, 20000000};
    const uint32_t start = mete_clock_ms();
    EXPECT(nanosleep(&pause, NULL) == 0);
    const uint32_t elapsed = mete_clock_ms() - start;
    EXPECT(elapsed >= 19U);
    EXPECT(elapsed < 10000U);
}

static mete_posix_signal_t sleeper;

static void test_a_signal_stays_set_until_it_is_waited_for(void)
{
    mete_posix_signal_init(&sleeper);
    const mete_signal_t signal = mete_posix_signal(&sleeper);
    EXPECT(!signal.ops->wait(signal.self, 0U));
    signal.ops->notify(signal.self);
    signal.ops->notify(signal.self);
    EXPECT(signal.ops->wait(signal.self, METE_SIGNAL_FOREVER));
    EXPECT(!signal.ops->wait(signal.self, 0U));
}

static void test_a_wait_ends_when_its_time_has_passed(void)
{
    mete_posix_signal_init(&sleeper);
    const mete_signal_t signal = mete_posix_signal(&sleeper);
    const uint32_t start = mete_clock_ms();
    EXPECT(!signal.ops->wait(signal.self, 1001U));  // More than the part below a second.
    EXPECT(mete_clock_ms() - start >= 1000U);
}

static void *notify_late(void *self)
{
    const struct timespec pause = {0, 20000000};
    (void)self;
    (void)nanosleep(&pause, NULL);
    const mete_signal_t signal = mete_posix_signal(&sleeper);
    signal.ops->notify(signal.self);
    return NULL;
}

static void test_a_notification_ends_the_sleep(void)
{
    pthread_t thread;
    mete_posix_signal_init(&sleeper);
    const mete_signal_t signal = mete_posix_signal(&sleeper);
    EXPECT(pthread_create(&thread, NULL, notify_late, NULL) == 0);
    EXPECT(signal.ops->wait(signal.self, PATIENCE_MS));
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(pthread_create(&thread, NULL, notify_late, NULL) == 0);
    EXPECT(signal.ops->wait(signal.self, METE_SIGNAL_FOREVER));
    EXPECT(pthread_join(thread, NULL) == 0);
}

static void test_a_fault_report_says_what_and_aborts(void)
{
    int ends[2];
    EXPECT(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        mete_fault_report(METE_FAULT_DOUBLE_FREE, (void *)0x1234, (void *)0x5678, (void *)0x9abc);
    }
    (void)close(ends[1]);
    char text[200] = {0};
    EXPECT(read(ends[0], text, sizeof text - 1U) > 0);
    (void)close(ends[0]);
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFSIGNALED(status) && (WTERMSIG(status) == SIGABRT));
    EXPECT(strcmp(text, "mete: fault 4, object 0x1234, address 0x5678, caller 0x9abc\n") == 0);
}

// The host's part of a blocked write, played by a thread.
static char ring_bytes[16];
static mete_rtt_t rtt;
static char received[ROUNDS];

static void *read_ring(void *self)
{
    (void)self;
    const uint32_t start = mete_clock_ms();
    size_t count = 0U;
    while ((count < sizeof received) && (mete_clock_ms() - start < PATIENCE_MS)) {
        count += mete_rtt_read(&rtt.up[0], received + count, sizeof received - count);
    }
    return NULL;
}

static void test_a_blocked_rtt_write_goes_on_as_the_host_reads(void)
{
    static char sent[ROUNDS];
    const mete_rtt_config_t config = {
        .up = {{.name = "Up",
                .bytes = ring_bytes,
                .size = sizeof ring_bytes,
                .mode = METE_RTT_BLOCK}},
    };
    for (size_t i = 0U; i < sizeof sent; i++) {
        sent[i] = (char)(i % 251U);
    }
    mete_rtt_init(&rtt, &config);
    pthread_t reader;
    EXPECT(pthread_create(&reader, NULL, read_ring, NULL) == 0);
    size_t done = 0U;
    while (done <
           sizeof sent) {  // The reader may be off its core for longer than a write is patient.
        done += mete_rtt_write(&rtt.up[0], sent + done, sizeof sent - done);
    }
    EXPECT(pthread_join(reader, NULL) == 0);
    EXPECT(memcmp(sent, received, sizeof sent) == 0);
}

int main(void)
{
    RUN(test_the_lock_excludes_two_threads);
    RUN(test_the_critical_section_excludes_two_threads_and_nests);
    RUN(test_the_clock_counts_milliseconds);
    RUN(test_a_signal_stays_set_until_it_is_waited_for);
    RUN(test_a_wait_ends_when_its_time_has_passed);
    RUN(test_a_notification_ends_the_sleep);
    RUN(test_a_fault_report_says_what_and_aborts);
    RUN(test_a_blocked_rtt_write_goes_on_as_the_host_reads);
    return tap_finish();
}

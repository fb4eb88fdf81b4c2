// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The long form of exhaustion: tools/dev/exhaust runs it.
//
//     exhaust -l
//     exhaust [-s SUBJECT] [-c SCALE] [-n STATES]
//
// Lists the subjects, or explores every subject, or one, to its long scale or the one given, up to so many states. One line for
// each: its name, figure, states, calls, refused calls, requests the model left open, depth, complete.
// Exit code 1 if something did not hold.

#include "tests/exhaust/plans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    const char *subject;  // NULL: all.
    size_t scale;         // 0: the subject's.
    uint32_t state_max;
    bool is_list;
} options_t;

static bool read_options(options_t *options, int count, char **arguments)
{
    *options = (options_t){NULL, 0U, 8000000U, false};
    for (int option = 0; (option = getopt(count, arguments, "ls:c:n:")) != -1;) {
        switch (option) {
        case 'l':
            options->is_list = true;
            break;
        case 's':
            options->subject = optarg;
            break;
        case 'c':
            options->scale = (size_t)strtoul(optarg, NULL, 10);
            break;
        case 'n':
            options->state_max = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return (optind == count) && (options->state_max != 0U);
}

static bool run(const exhaust_plan_t *plan, const options_t *options)
{
    const explore_plan_t wanted = {plan->subject,
                                   (options->scale != 0U) ? options->scale : plan->long_scale,
                                   options->state_max, false};
    explore_result_t result;
    const bool is_good = explore(&wanted, &result);
    printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu32 "\t%s\n",
           plan->subject->name, plan->figure, result.state_count, result.call_count,
           result.refused_count, result.may_count, result.depth,
           is_good ? (result.is_complete ? "complete" : "cut off") : "FAILED");
    (void)fflush(stdout);
    return is_good;
}

int main(int count, char **arguments)
{
    options_t options;
    if (!read_options(&options, count, arguments)) {
        (void)fprintf(stderr, "usage: exhaust -l | [-s SUBJECT] [-c SCALE] [-n STATES]\n");
        return 64;
    }
    bool is_good = true;
    for (size_t i = 0U; i < exhaust_plan_count; i++) {
        if (options.is_list) {
            printf("%s\n", exhaust_plans[i].subject->name);
        } else if ((options.subject == NULL) ||
                   (strcmp(options.subject, exhaust_plans[i].subject->name) == 0)) {
            is_good = run(&exhaust_plans[i], &options) && is_good;
        }
    }
    return is_good ? 0 : 1;
}

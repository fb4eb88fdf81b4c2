// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The long form of the damage campaign: tools/dev/damage runs it. States are dealt out to as many
// processes as asked for; what they count is added up here.
//
//     damage [-n STATES] [-f FIRST] [-j PROCESSES] [-s SUBJECT] [-o FIGURES.json]
//
// STATES for each subject and search, from number FIRST on. The output is a table and every case
// that is silent, wild or hung. Exit code 1 if something is wild or hung.

#define _GNU_SOURCE  // MAP_ANONYMOUS

#include "tests/damage/campaign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const campaign_plan_t plans[] = {
    {&damage_heap, 0U, true},      {&damage_heap, 2U, true},     {&damage_heap_wide, 0U, true},
    {&damage_heap_wide, 2U, true}, {&damage_pool, 0U, false},    {&damage_atomic_pool, 0U, false},
    {&damage_slab, 0U, false},     {&damage_movable, 0U, false}, {&damage_list, 0U, true},
    {&damage_buddy, 0U, false},    {&damage_guard, 0U, true},    {&damage_quota, 0U, false},
    {&damage_defer, 0U, false},    {&damage_track, 0U, true},
};
enum { PLAN_COUNT = sizeof plans / sizeof plans[0], PROCESS_MAX = 64 };

typedef struct options {
    uint32_t state_count, first_state;
    unsigned process_count;
    const char *subject;  // NULL: all.
    const char *figures;  // NULL: none are written.
} options_t;

typedef campaign_tally_t results_t[PLAN_COUNT];

static bool read_options(options_t *options, int count, char **arguments)
{
    *options = (options_t){200U, 0U, 1U, NULL, NULL};
    for (int option = 0; (option = getopt(count, arguments, "n:f:j:s:o:")) != -1;) {
        switch (option) {
        case 'n':
            options->state_count = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            options->first_state = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'j':
            options->process_count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options->subject = optarg;
            break;
        case 'o':
            options->figures = optarg;
            break;
        default:
            return false;
        }
    }
    return (optind == count) && (options->process_count >= 1U) &&
           (options->process_count <= PROCESS_MAX);
}

static bool is_wanted(const options_t *options, const campaign_plan_t *plan)
{
    return (options->subject == NULL) || (strcmp(options->subject, plan->subject->name) == 0);
}

// ---- Work

// Every process_count-th state of every plan.
static int work(const options_t *options, unsigned process, results_t *results)
{
    if (!world_open()) {
        perror("damage: no memory for the arena and its guards");
        return 1;
    }
    for (size_t p = 0U; p < PLAN_COUNT; p++) {
        for (uint32_t n = process; (n < options->state_count) && is_wanted(options, &plans[p]);
             n += options->process_count) {
            campaign_state(&plans[p], options->first_state + n, &(*results)[p]);
            fflush(stdout);
        }
    }
    return 0;
}

// True if every process ended well.
static bool work_all(const options_t *options, results_t *results)
{
    for (unsigned process = 0U; process < options->process_count; process++) {
        const pid_t child = fork();
        if (child < 0) {
            perror("damage: fork");
            return false;
        }
        if (child == 0) {
            exit(work(options, process, &results[process]));
        }
    }
    bool is_good = true;
    for (int status = 0; wait(&status) > 0;) {
        is_good = is_good && WIFEXITED(status) && (WEXITSTATUS(status) == 0);
    }
    return is_good;
}

// A tally is nothing but counters.
static void add(campaign_tally_t *sum, const campaign_tally_t *tally)
{
    uint64_t *const to = (uint64_t *)(void *)sum;
    const uint64_t *const from = (const uint64_t *)(const void *)tally;
    for (size_t i = 0U; i < sizeof *sum / sizeof *to; i++) {
        to[i] += from[i];
    }
}

// ---- Output

static void print_verdicts(const uint64_t counts[WORLD_VERDICT_COUNT])
{
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        printf(" %10" PRIu64, counts[v]);
    }
    printf("\n");
}

static void print_tally(const campaign_plan_t *plan, const campaign_tally_t *tally)
{
    printf("%s, search %u\n%-24s", plan->subject->name, (unsigned)plan->search, "");
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        printf(" %10s", campaign_verdict_names[v]);
    }
    printf("\n");
    for (int fill = 0; fill < FILL_COUNT; fill++) {
        for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
            const uint64_t *const counts = tally->flips[fill][kind];
            uint64_t sum = 0U;
            for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
                sum += counts[v];
            }
            if (sum != 0U) {
                printf("  %-8s%-14s", campaign_fill_names[fill], campaign_kind_names[kind]);
                print_verdicts(counts);
            }
        }
    }
    if (plan->has_overruns) {
        printf("  %-22s", "overruns");
        print_verdicts(tally->overruns);
    }
    printf("  silent by refusal %" PRIu64 ", reported but changed %" PRIu64
           ", overruns absorbed %" PRIu64 ", states that failed %" PRIu64 "\n",
           tally->refused, tally->spoilt, tally->absorbed, tally->failures);
}

static uint64_t count_flips(const campaign_tally_t *tally, world_fill_t fill)
{
    uint64_t sum = 0U;
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        sum += campaign_flips(tally, fill, (world_verdict_t)v);
    }
    return sum;
}

// Flips with zeros and with random bytes.
static uint64_t count_plain(const campaign_tally_t *tally, world_verdict_t verdict)
{
    return campaign_flips(tally, FILL_ZEROS, verdict) + campaign_flips(tally, FILL_RANDOM, verdict);
}

// Flips that must not happen at all, whatever memory is filled with.
static uint64_t count_any(const campaign_tally_t *tally, world_verdict_t verdict)
{
    return count_plain(tally, verdict) + campaign_flips(tally, FILL_COPIES, verdict);
}

// The heaps are added up; each of the others has figures of its own.
static bool is_of_heap(const campaign_plan_t *plan)
{
    return (plan->subject == &damage_heap) || (plan->subject == &damage_heap_wide);
}

// Flips of all subjects.
static uint64_t count_all(const campaign_tally_t sums[PLAN_COUNT], world_verdict_t verdict)
{
    uint64_t count = 0U;
    for (size_t p = 0U; p < PLAN_COUNT; p++) {
        count += count_any(&sums[p], verdict);
    }
    return count;
}

// Overruns that changed more than unused bytes of the block itself.
static uint64_t count_overruns(const campaign_tally_t *tally)
{
    uint64_t count = 0U;
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        count += tally->overruns[v];
    }
    return count;
}

static double detected_share(const campaign_tally_t *tally)
{
    const uint64_t count = count_overruns(tally);
    return (count != 0U) ? (double)tally->overruns[WORLD_DETECTED] / (double)count : 0.0;
}

static void write_heap(FILE *file, const campaign_tally_t *heap)
{
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"flips", count_flips(heap, FILL_ZEROS) + count_flips(heap, FILL_RANDOM)},
        {"detected", count_plain(heap, WORLD_DETECTED)},
        {"harmless", count_plain(heap, WORLD_HARMLESS)},
        {"displaced", count_plain(heap, WORLD_DISPLACED)},
        {"silent", count_plain(heap, WORLD_SILENT)},
        {"copies.flips", count_flips(heap, FILL_COPIES)},
        {"copies.silent", campaign_flips(heap, FILL_COPIES, WORLD_SILENT)},
        {"overruns", count_overruns(heap) + heap->absorbed},
        {"overrun.absorbed", heap->absorbed},
        {"overrun.wild", heap->overruns[WORLD_WILD]},
        {"overrun.hung", heap->overruns[WORLD_HUNG]},
    };
    for (size_t i = 0U; i < sizeof figures / sizeof figures[0]; i++) {
        fprintf(file, " \"damage.%s\": %" PRIu64 ",\n", figures[i].name, figures[i].value);
    }
    fprintf(file, " \"damage.overrun.detected\": %.4f,\n", detected_share(heap));
}

static uint64_t count_kind(const campaign_tally_t *tally, damage_kind_t kind,
                           world_verdict_t verdict)
{
    uint64_t count = 0U;
    for (int fill = 0; fill < FILL_COUNT; fill++) {
        count += tally->flips[fill][kind][verdict];
    }
    return count;
}

// Of each kind of word that there is.
static void write_silent(FILE *file, const char *name, const campaign_tally_t *tally)
{
    for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
        uint64_t flips = 0U;
        for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
            flips += count_kind(tally, (damage_kind_t)kind, (world_verdict_t)v);
        }
        if (flips != 0U) {
            fprintf(file, " \"damage.%s.silent.%s\": %" PRIu64 ",\n", name,
                    campaign_kind_names[kind],
                    count_kind(tally, (damage_kind_t)kind, WORLD_SILENT));
        }
    }
}

static void write_beside(FILE *file, const campaign_plan_t *plan, const campaign_tally_t *tally)
{
    const char *const name = plan->subject->name;
    uint64_t flips = 0U;
    for (int fill = 0; fill < FILL_COUNT; fill++) {
        flips += count_flips(tally, (world_fill_t)fill);
    }
    fprintf(file, " \"damage.%s.flips\": %" PRIu64 ",\n", name, flips);
    for (int v = 0; v < WORLD_VERDICT_COUNT; v++) {
        fprintf(file, " \"damage.%s.%s\": %" PRIu64 ",\n", name, campaign_verdict_names[v],
                count_any(tally, (world_verdict_t)v));
    }
    write_silent(file, name, tally);
    if (plan->has_overruns) {
        fprintf(file, " \"damage.%s.overruns\": %" PRIu64 ",\n", name,
                count_overruns(tally) + tally->absorbed);
        fprintf(file, " \"damage.%s.overrun.detected\": %.4f,\n", name, detected_share(tally));
    }
}

static bool write_figures(const char *path, const campaign_tally_t sums[PLAN_COUNT])
{
    FILE *const file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        return false;
    }
    fprintf(file, "{\n");
    campaign_tally_t heap = {0};
    for (size_t p = 0U; p < PLAN_COUNT; p++) {
        if (is_of_heap(&plans[p])) {
            add(&heap, &sums[p]);
        } else {
            write_beside(file, &plans[p], &sums[p]);
        }
    }
    write_heap(file, &heap);
    fprintf(file, " \"damage.wild\": %" PRIu64 ",\n", count_all(sums, WORLD_WILD));
    fprintf(file, " \"damage.hung\": %" PRIu64 "\n}\n", count_all(sums, WORLD_HUNG));
    return fclose(file) == 0;
}

int main(int count, char **arguments)
{
    options_t options;
    if (!read_options(&options, count, arguments)) {
        fprintf(stderr, "usage: damage [-n STATES] [-f FIRST] [-j PROCESSES] [-s SUBJECT] "
                        "[-o FIGURES.json]\n");
        return 64;
    }
    results_t *const results = mmap(NULL, PROCESS_MAX * sizeof(results_t), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ((results == MAP_FAILED) || !work_all(&options, results)) {
        fprintf(stderr, "damage: a process did not end well\n");
        return 2;
    }
    static campaign_tally_t sums[PLAN_COUNT];
    uint64_t failures = 0U;
    for (size_t p = 0U; p < PLAN_COUNT; p++) {
        for (unsigned process = 0U; process < options.process_count; process++) {
            add(&sums[p], &results[process][p]);
        }
        if (is_wanted(&options, &plans[p])) {
            print_tally(&plans[p], &sums[p]);
        }
        failures += sums[p].failures;
    }
    if ((options.figures != NULL) && !write_figures(options.figures, sums)) {
        return 2;
    }
    const uint64_t must_not = count_all(sums, WORLD_WILD) + count_all(sums, WORLD_HUNG);
    return (must_not + failures != 0U) ? 1 : 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// mete postmortem: says in words what the record in a dump holds. docs/guide/postmortem.md describes it.

#include "tools/lib/remains.h"
#include "tools/mete/command.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_SIZE_MAX = 256 * 1024 * 1024 };

typedef struct settings {
    const char *command_name;
    const char *path;
} settings_t;

static const char description[] =
    "Explains what mete_postmortem has kept: DUMP is raw memory that holds its store, or a whole "
    "RAM; - is "
    "standard input.\v"
    "Exit code: 0 a record was found, 2 there is no whole record or no file, 64 wrong usage.";

static error_t parse(int key, char *argument, struct argp_state *state)
{
    settings_t *const settings = state->input;
    if (key == ARGP_KEY_ARG) {
        if (settings->path != NULL) {
            argp_error(state, "found '%s', expected one DUMP", argument);
        }
        settings->path = argument;
        return 0;
    }
    if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "found no argument, expected DUMP");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

// All of a file, which the caller frees; NULL, with errno set, if it cannot be read.
static unsigned char *read_all(const char *path, size_t *size)
{
    FILE *const file = (strcmp(path, "-") == 0) ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    unsigned char *bytes = NULL;
    size_t room = 0U;
    size_t count = 0U;
    bool is_over = false;
    while (!is_over) {
        room = (room != 0U) ? 2U * room : 65536U;
        unsigned char *const more = (room <= DUMP_SIZE_MAX) ? realloc(bytes, room) : NULL;
        if (more == NULL) {
            errno = (room <= DUMP_SIZE_MAX) ? ENOMEM : EFBIG;
            break;
        }
        bytes = more;
        count += fread(bytes + count, 1U, room - count, file);
        is_over = count < room;
    }
    const bool is_good = is_over && (ferror(file) == 0);
    if (file != stdin) {
        (void)fclose(file);
    }
    *size = count;
    if (!is_good) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

// ---- In words

typedef struct fault_name {
    const char *name;
    const char *meaning;
} fault_name_t;

static const fault_name_t fault_names[] = {
    [0] = {"unknown fault", "its number is none of Mete's"},
    [METE_FAULT_ASSERT] = {"assertion", "a precondition or an internal invariant did not hold"},
    [METE_FAULT_ALIGN] = {"bad alignment", "zero, or no power of two"},
    [METE_FAULT_FOREIGN] = {"foreign block",
                            "the address is not the start of a block of this allocator"},
    [METE_FAULT_DOUBLE_FREE] = {"double free", "the block was free already"},
    [METE_FAULT_SIZE] = {"wrong size",
                         "the size or alignment is not what the block was acquired with"},
    [METE_FAULT_ORDER] = {"wrong order", "calls came in an order that was excluded"},
    [METE_FAULT_OVERFLOW] = {"overflow", "a stack or buffer ran over its end"},
    [METE_FAULT_CORRUPT] = {"corruption", "the bookkeeping was overwritten"},
};

static const fault_name_t *name_of(uint64_t kind)
{
    return &fault_names[(kind < sizeof fault_names / sizeof fault_names[0]) ? kind : 0U];
}

static uint64_t unknown_of(const remains_t *remains)
{
    return (remains->word_size == 4U) ? UINT32_MAX : UINT64_MAX;
}

static void print_caller(uint64_t caller)
{
    if (caller != 0U) {
        printf(", called from 0x%" PRIx64, caller);
    }
}

static void print_fault(const remains_t *remains, size_t index)
{
    const uint64_t *const fault =
        &remains->words[REMAINS_INDEX(faults[0]) +
                        (index * (sizeof(mete_postmortem_fault_t) / sizeof(size_t)))];
    const fault_name_t *const name = name_of(fault[0]);
    printf("  %s: %s\n", name->name, name->meaning);
    printf("    start %" PRIu64 ", tick %" PRIu64 ", object 0x%" PRIx64 ", address 0x%" PRIx64,
           fault[5], fault[4], fault[1], fault[2]);
    print_caller(fault[3]);
    printf("\n");
}

static void print_refusal(const remains_t *remains, size_t index)
{
    const uint64_t *const refusal =
        &remains->words[REMAINS_INDEX(refusals[0]) +
                        (index * (sizeof(mete_postmortem_refusal_t) / sizeof(size_t)))];
    const uint64_t largest = refusal[2];
    printf("  %" PRIu64 " bytes: ", refusal[0]);
    if (largest == unknown_of(remains)) {
        printf("how much was free is not known\n");
    } else if (largest < refusal[0]) {
        printf("the largest free block had %" PRIu64 "\n", largest);
    } else {
        printf("though a block of %" PRIu64 " was free: a quota, an alignment or a priority\n",
               largest);
    }
    printf("    start %" PRIu64 ", tick %" PRIu64, refusal[4], refusal[3]);
    print_caller(refusal[1]);
    printf("\n");
}

// The last of `total` entries, newest first.
static void print_last(const remains_t *remains, const char *what, uint64_t total,
                       void (*print)(const remains_t *remains, size_t index))
{
    const uint64_t count = (total < METE_POSTMORTEM_DEPTH) ? total : METE_POSTMORTEM_DEPTH;
    printf("%" PRIu64 " %s%s", total, what, (total == 1U) ? "" : "s");
    printf("%s\n", (total > count) ? "; the last ones, newest first:"
                                   : ((count > 1U) ? ", newest first:" : ""));
    for (uint64_t i = 1U; i <= count; i++) {
        print(remains, (size_t)((total - i) % METE_POSTMORTEM_DEPTH));
    }
}

static void print_peaks(const remains_t *remains)
{
    for (size_t i = 0U; i < METE_POSTMORTEM_PEAK_COUNT; i++) {
        const uint64_t peak = remains->words[REMAINS_INDEX(peaks[0]) + i];
        if (peak != 0U) {
            printf("peak %zu: %" PRIu64 "\n", i, peak);
        }
    }
}

static void print_remains(const remains_t *remains)
{
    const uint64_t *const words = remains->words;
    const uint64_t damage = words[REMAINS_INDEX(damage_total)];
    printf("record of a %u-bit core at 0x%zx: start %" PRIu64 ", change %" PRIu64 "\n",
           8U * remains->word_size, remains->offset, words[REMAINS_INDEX(boot)],
           words[REMAINS_INDEX(sequence)]);
    if (damage != 0U) {
        printf("a record was overwritten and dropped, %" PRIu64
               " times: some of what happened is missing\n",
               damage);
    }
    if (remains->broken_count != 0U) {
        printf("beside it %zu that is not whole: a change cut short by a reset, or overwritten\n",
               remains->broken_count);
    }
    print_last(remains, "fault", words[REMAINS_INDEX(fault_total)], print_fault);
    print_last(remains, "refused request", words[REMAINS_INDEX(refusal_total)], print_refusal);
    print_peaks(remains);
}

int postmortem_command(int argument_count, char **arguments)
{
    settings_t settings = {arguments[0], NULL};
    const struct argp argp = {.parser = parse, .args_doc = "DUMP", .doc = description};
    if (argp_parse(&argp, argument_count, arguments, 0, NULL, &settings) != 0) {
        return EXIT_FAILURE;
    }
    size_t size = 0U;
    unsigned char *const bytes = read_all(settings.path, &size);
    if (bytes == NULL) {
        fprintf(stderr, "%s: %s: %s\n", settings.command_name, settings.path, strerror(errno));
        return STATUS_UNREADABLE;
    }
    remains_t remains;
    remains_find(bytes, size, &remains);
    free(bytes);
    if (remains.word_size == 0U) {
        fprintf(stderr, "%s: %s: no whole record in %zu bytes, %zu broken; is the store in it?\n",
                settings.command_name, settings.path, size, remains.broken_count);
        return STATUS_UNREADABLE;
    }
    print_remains(&remains);
    return STATUS_OK;
}

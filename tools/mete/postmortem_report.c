// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/postmortem_report.h"

#include <inttypes.h>

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
    [METE_FAULT_ACCESS] = {"forbidden access", "protection did not let it happen"},
};

static const fault_name_t *name_of(uint64_t kind)
{
    return &fault_names[(kind < sizeof fault_names / sizeof fault_names[0]) ? kind : 0U];
}

static uint64_t unknown_of(const remains_t *remains)
{
    return (remains->word_size == 4U) ? UINT32_MAX : UINT64_MAX;
}

static void print_caller(FILE *file, postmortem_report_t *report, uint64_t caller)
{
    if (caller != 0U) {
        fprintf(file, ", called from 0x%" PRIx64, caller);
    }
    fputs("\n", file);
    symbols_t *const symbols = report->source->symbols;
    if ((caller != 0U) && (symbols != NULL)) {
        const uint64_t call = symbols_call_before(caller) - report->source->base;
        const bool is_known = source_print(file, symbols, call, "      ");
        report->known_count += is_known ? 1U : 0U;
        report->unknown_count += is_known ? 0U : 1U;
    }
}

static void print_fault(FILE *file, postmortem_report_t *report, size_t index)
{
    const uint64_t *const fault =
        &report->remains->words[REMAINS_INDEX(faults[0]) +
                                (index * (sizeof(mete_postmortem_fault_t) / sizeof(size_t)))];
    const fault_name_t *const name = name_of(fault[0]);
    fprintf(file, "  %s: %s\n", name->name, name->meaning);
    fprintf(file,
            "    start %" PRIu64 ", tick %" PRIu64 ", object 0x%" PRIx64 ", address 0x%" PRIx64,
            fault[5], fault[4], fault[1], fault[2]);
    print_caller(file, report, fault[3]);
}

static void print_refusal(FILE *file, postmortem_report_t *report, size_t index)
{
    const uint64_t *const refusal =
        &report->remains->words[REMAINS_INDEX(refusals[0]) +
                                (index * (sizeof(mete_postmortem_refusal_t) / sizeof(size_t)))];
    const uint64_t largest = refusal[2];
    fprintf(file, "  %" PRIu64 " bytes: ", refusal[0]);
    if (largest == unknown_of(report->remains)) {
        fprintf(file, "how much was free is not known\n");
    } else if (largest < refusal[0]) {
        fprintf(file, "the largest free block had %" PRIu64 "\n", largest);
    } else {
        fprintf(file,
                "though a block of %" PRIu64 " was free: a quota, an alignment or a priority\n",
                largest);
    }
    fprintf(file, "    start %" PRIu64 ", tick %" PRIu64, refusal[4], refusal[3]);
    print_caller(file, report, refusal[1]);
}

// The last of `total` entries, newest first.
static void print_last(FILE *file, postmortem_report_t *report, const char *what, uint64_t total,
                       void (*print)(FILE *file, postmortem_report_t *report, size_t index))
{
    const uint64_t count = (total < METE_POSTMORTEM_DEPTH) ? total : METE_POSTMORTEM_DEPTH;
    fprintf(file, "%" PRIu64 " %s%s", total, what, (total == 1U) ? "" : "s");
    fprintf(file, "%s\n",
            (total > count) ? "; the last ones, newest first:"
                            : ((count > 1U) ? ", newest first:" : ""));
    for (uint64_t i = 1U; i <= count; i++) {
        print(file, report, (size_t)((total - i) % METE_POSTMORTEM_DEPTH));
    }
}

static void print_peaks(FILE *file, const remains_t *remains)
{
    for (size_t i = 0U; i < METE_POSTMORTEM_PEAK_COUNT; i++) {
        const uint64_t peak = remains->words[REMAINS_INDEX(peaks[0]) + i];
        if (peak != 0U) {
            fprintf(file, "peak %zu: %" PRIu64 "\n", i, peak);
        }
    }
}

// ---- Sites

enum { SITE_COUNT = METE_POSTMORTEM_SITE_COUNT, SITE_WORDS = 3 };

// One of the words of a mete_postmortem_site_t: caller, count, size.
static uint64_t site_word(const remains_t *remains, size_t index, size_t word)
{
    return remains->words[REMAINS_INDEX(sites[0]) + (index * SITE_WORDS) + word];
}

// The largest of the sites that are not shown yet; SITE_COUNT: there is none.
static size_t next_site(const remains_t *remains, const bool *is_shown)
{
    size_t next = SITE_COUNT;
    uint64_t most = 0U;
    for (size_t i = 0U; i < SITE_COUNT; i++) {
        if (!is_shown[i] && (site_word(remains, i, 2U) > most)) {
            most = site_word(remains, i, 2U);
            next = i;
        }
    }
    return next;
}

static void print_sites(FILE *file, postmortem_report_t *report)
{
    const remains_t *const remains = report->remains;
    bool is_shown[SITE_COUNT] = {false};
    size_t index = next_site(remains, is_shown);
    if (index != SITE_COUNT) {
        fputs("call sites that held most, and when they held most:\n", file);
    }
    while (index != SITE_COUNT) {
        const uint64_t count = site_word(remains, index, 1U);
        const uint64_t size = site_word(remains, index, 2U);
        fprintf(file, "  %" PRIu64 " byte%s in %" PRIu64 " block%s", size, (size == 1U) ? "" : "s",
                count, (count == 1U) ? "" : "s");
        print_caller(file, report, site_word(remains, index, 0U));
        is_shown[index] = true;
        index = next_site(remains, is_shown);
    }
}

void postmortem_report_print(FILE *file, postmortem_report_t *report)
{
    const remains_t *const remains = report->remains;
    const uint64_t *const words = remains->words;
    const uint64_t damage = words[REMAINS_INDEX(damage_total)];
    fprintf(file,
            "record of a %u-bit core at 0x%" PRIx64 ": start %" PRIu64 ", change %" PRIu64 "\n",
            8U * remains->word_size, report->address + remains->offset, words[REMAINS_INDEX(boot)],
            words[REMAINS_INDEX(sequence)]);
    if (damage != 0U) {
        fprintf(file,
                "a record was overwritten and dropped, %" PRIu64
                " times: some of what happened is missing\n",
                damage);
    }
    if (remains->broken_count != 0U) {
        fprintf(file,
                "beside it %zu that is not whole: a change cut short by a reset, or overwritten\n",
                remains->broken_count);
    }
    print_last(file, report, "fault", words[REMAINS_INDEX(fault_total)], print_fault);
    print_last(file, report, "refused request", words[REMAINS_INDEX(refusal_total)], print_refusal);
    print_peaks(file, remains);
    print_sites(file, report);
}

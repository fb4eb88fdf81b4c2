// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/system/violations_report.h"

#include "mete/core/text.h"

static void write_name(mete_sink_t sink, const char *key, const char *name)
{
    mete_text_string(sink, key);
    mete_text_string(sink, (name != NULL) ? name : "unknown");
}

static void write_number(mete_sink_t sink, const char *key, bool is_known, uintptr_t number)
{
    mete_text_string(sink, key);
    if (is_known) {
        mete_text_hex(sink, number);
    } else {
        mete_text_string(sink, "unknown");
    }
}

static const char *access_name(const mete_violation_t *what)
{
    const char *name = NULL;
    if (what->access == METE_ACCESS_READ) {
        name = "read";
    } else if (what->access == METE_ACCESS_WRITE) {
        name = "write";
    } else if (what->access == METE_ACCESS_EXECUTE) {
        name = "execute";
    }
    return name;
}

// Nobody's is known as well, if the address is.
static const char *region_name(const mete_violations_report_t *report)
{
    if (report->region != NULL) {
        return report->region->name;
    }
    return mete_violation_knows(&report->what, METE_VIOLATION_KNOWS_ADDRESS) ? "none" : NULL;
}

void mete_violations_report_write(const mete_violations_report_t *report, mete_sink_t sink)
{
    static const char *const verdicts[] = {"unknown", "null", "overflow", "denied", "allowed"};
    static const char *const kinds[] = {"none", "data", "fetch", "stack"};
    const mete_violation_t *const what = &report->what;
    write_name(sink, "violation task=", report->who.name);
    write_name(sink, " verdict=", verdicts[report->verdict]);
    write_name(sink, " kind=", kinds[what->kind]);
    write_name(sink, " access=", access_name(what));
    write_number(sink, " address=", mete_violation_knows(what, METE_VIOLATION_KNOWS_ADDRESS),
                 what->address);
    write_name(sink, " region=", region_name(report));
    write_number(sink, " pc=", mete_violation_knows(what, METE_VIOLATION_KNOWS_PC), what->pc);
    write_name(sink,
               " privilege=", (what->privilege == METE_PRIVILEGED) ? "privileged" : "unprivileged");
    write_number(sink, " cause=", true, what->cause);
    mete_text_string(sink, "\n");
}

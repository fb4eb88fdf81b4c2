// SPDX-License-Identifier: MIT OR Apache-2.0
//
// QEMU plugin: counts the instructions that calls of chosen functions execute.
//
// A probe is a pair of addresses. The count of one call is the number of instructions executed between
// the one at `begin` and the one at `end`, both exclusive. With `begin` a call and `end` where it
// returns to, that is the function with everything it calls, its own return included. A conditional
// instruction counts whether or not its condition holds, for it takes its slot in the pipeline either
// way. An interrupt in between would be counted too; the firmware that is measured has none.
//
// Arguments, each after a comma on QEMU's command line:
//
//     probe=NAME:BEGIN:END   addresses as hexadecimal numbers, without the Thumb bit; repeatable
//     phase=ADDRESS          executing this address starts a new phase: counts are kept per phase
//     out=FILE               where the result goes at exit
//
// The result is JSON: a list of phases, each a list of probes with `count`, `sum`, `min`, `max`,
// `max_at` (the call that was the first to reach max, from 1) and `histogram` ([instructions,
// calls] pairs in ascending order).

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The part of QEMU's plugin interface, version 1, that is used here. Debian ships no header.
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS = 0, INLINE_ADD_U64 = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*cb)(unsigned vcpu, void *user), int flags,
                                            void *user);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *target,
                                                uint64_t value);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *),
                                    void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

enum { PROBES_MAX = 32, PHASES_MAX = 256, LENGTH_MAX = 65536 };

typedef struct tally {
    uint64_t count, sum, min, max, max_at;
    uint32_t *histogram;  // LENGTH_MAX entries; the last one stands for everything longer.
} tally_t;

typedef struct probe {
    char name[64];
    uint64_t begin, end;
    uint64_t started;  // Value of `executed` at the beginning of the call, if `is_open`.
    bool is_open;
    tally_t phases[PHASES_MAX];
} probe_t;

static uint64_t executed;  // All instructions so far; QEMU adds 1 before each.
static probe_t probes[PROBES_MAX];
static size_t probe_count;
static uint64_t phase_address = UINT64_MAX;
static size_t phase;  // Phase 0 is what comes before the first.
static const char *out_path;

static void on_phase(unsigned vcpu, void *user)
{
    (void)vcpu;
    (void)user;
    if (phase + 1U < PHASES_MAX) {
        phase++;
    }
}

static void on_begin(unsigned vcpu, void *user)
{
    (void)vcpu;
    probe_t *const probe = user;
    probe->started = executed + 1U;  // The instruction at `begin` itself is about to be counted.
    probe->is_open = true;
}

static void on_end(unsigned vcpu, void *user)
{
    (void)vcpu;
    probe_t *const probe = user;
    if (!probe->is_open) {
        return;
    }
    probe->is_open = false;
    const uint64_t length = executed - probe->started;
    tally_t *const tally = &probe->phases[phase];
    if (tally->histogram == NULL) {
        tally->histogram = calloc(LENGTH_MAX, sizeof tally->histogram[0]);
        tally->min = UINT64_MAX;
    }
    tally->count++;
    tally->sum += length;
    tally->min = (length < tally->min) ? length : tally->min;
    if (length > tally->max) {
        tally->max = length;
        tally->max_at = tally->count;
    }
    tally->histogram[(length < LENGTH_MAX) ? length : LENGTH_MAX - 1]++;
}

// Callbacks of an instruction run in the order they are registered: what an address means comes
// before its own instruction is counted.
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0U; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *const insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address == phase_address) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_phase, CB_NO_REGS, NULL);
        }
        for (size_t p = 0U; p < probe_count; p++) {
            if (address == probes[p].end) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, CB_NO_REGS, &probes[p]);
            }
            if (address == probes[p].begin) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, on_begin, CB_NO_REGS, &probes[p]);
            }
        }
        qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &executed, 1U);
    }
}

static void write_tally(FILE *out, const char *name, const tally_t *tally)
{
    fprintf(out,
            "\"%s\": {\"count\": %" PRIu64 ", \"sum\": %" PRIu64 ", \"min\": %" PRIu64
            ", \"max\": %" PRIu64 ", \"max_at\": %" PRIu64 ", \"histogram\": [",
            name, tally->count, tally->sum, tally->min, tally->max, tally->max_at);
    const char *separator = "";
    for (size_t i = 0U; i < LENGTH_MAX; i++) {
        if (tally->histogram[i] != 0U) {
            fprintf(out, "%s[%zu, %" PRIu32 "]", separator, i, tally->histogram[i]);
            separator = ", ";
        }
    }
    fprintf(out, "]}");
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *user)
{
    (void)id;
    (void)user;
    FILE *const out = fopen(out_path, "w");
    if (out == NULL) {
        perror(out_path);
        return;
    }
    fprintf(out, "{\"executed\": %" PRIu64 ", \"phases\": [", executed);
    for (size_t i = 0U; i <= phase; i++) {
        fprintf(out, "%s\n{", (i == 0U) ? "" : ",");
        const char *separator = "";
        for (size_t p = 0U; p < probe_count; p++) {
            if (probes[p].phases[i].count != 0U) {
                fprintf(out, "%s", separator);
                write_tally(out, probes[p].name, &probes[p].phases[i]);
                separator = ",\n ";
            }
        }
        fprintf(out, "}");
    }
    fprintf(out, "\n]}\n");
    if (fclose(out) != 0) {
        perror(out_path);
    }
}

// Reads a hexadecimal number that `end` must follow, and moves on behind that.
static bool take_address(const char **text, char end, uint64_t *address)
{
    char *rest = NULL;
    *address = strtoull(*text, &rest, 16);
    const bool is_number = (rest != *text) && (*rest == end);
    *text = rest + (is_number && (end != '\0') ? 1 : 0);
    return is_number;
}

static bool add_probe(const char *text)
{
    const size_t length = strcspn(text, ":");
    if ((probe_count == PROBES_MAX) || (length >= sizeof probes[0].name) ||
        (text[length] == '\0')) {
        return false;
    }
    probe_t *const probe = &probes[probe_count++];
    memcpy(probe->name, text, length);
    text += length + 1U;
    return take_address(&text, ':', &probe->begin) && take_address(&text, '\0', &probe->end);
}

static bool take_argument(const char *argument)
{
    if (strncmp(argument, "probe=", 6) == 0) {
        return add_probe(argument + 6);
    }
    if (strncmp(argument, "phase=", 6) == 0) {
        const char *text = argument + 6;
        return take_address(&text, '\0', &phase_address);
    }
    if (strncmp(argument, "out=", 4) == 0) {
        out_path = strdup(argument + 4);
        return out_path != NULL;
    }
    return false;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!take_argument(argv[i])) {
            fprintf(stderr, "insn_count: cannot use argument '%s'\n", argv[i]);
            return 1;
        }
    }
    if (out_path == NULL) {
        fprintf(stderr, "insn_count: out=FILE is missing\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/stack_report.h"

typedef unsigned long long number_t;

static uint64_t most_of(const stack_answer_t *answer)
{
    const uint64_t seen = answer->question.seen;
    const uint64_t bytes = (answer->depth != NULL) ? answer->depth->bytes : 0U;
    return (seen > bytes) ? seen : bytes;
}

bool stack_fits(const stack_answer_t *answer)
{
    return (answer->question.size == 0U) || (most_of(answer) <= answer->question.size);
}

// ---- Text

static void print_seen(FILE *file, const stack_answer_t *answer)
{
    const uint64_t seen = answer->question.seen;
    const uint64_t bytes = answer->depth->bytes;
    if (seen > bytes) {
        fprintf(file, "    seen %llu: %llu more than its calls take, as what interrupts push\n",
                (number_t)seen, (number_t)(seen - bytes));
    } else if (seen != 0U) {
        fprintf(file, "    seen %llu: %llu were never reached\n", (number_t)seen,
                (number_t)(bytes - seen));
    }
}

static void print_size(FILE *file, const stack_answer_t *answer)
{
    const uint64_t size = answer->question.size;
    const uint64_t most = most_of(answer);
    if (most > size) {
        fprintf(file, "    of %llu: %llu TOO FEW\n", (number_t)size, (number_t)(most - size));
    } else {
        fprintf(file, "    of %llu: %llu to spare, for interrupts among others\n", (number_t)size,
                (number_t)(size - most));
    }
}

static void print_chain(FILE *file, const depth_t *depth)
{
    fputs("   ", file);
    for (const depth_t *at = depth; at != NULL; at = at->below) {
        fprintf(file, " %llu %s%s", (number_t)at->own, at->function->name,
                (at->below != NULL) ? " >" : "\n");
    }
}

void stack_print_text(FILE *file, const char *command_name, const stack_answer_t *answer)
{
    if (answer->depth == NULL) {
        (void)fflush(file);
        fprintf(stderr, "%s: %s\n", command_name, answer->reason);
        return;
    }
    fprintf(file, "%-32s %8llu", answer->question.name, (number_t)answer->depth->bytes);
    if (answer->place.file != NULL) {
        fprintf(file, "  %s:%d", program_base_name(answer->place.file), answer->place.line);
    }
    fputs("\n", file);
    print_seen(file, answer);
    if (answer->question.size != 0U) {
        print_size(file, answer);
    }
    print_chain(file, answer->depth);
    for (size_t i = 0U; answer->used[i] != NULL; i++) {
        fprintf(file, "    %s: %s\n", answer->used[i]->at, answer->used[i]->reason);
    }
}

// ---- JSON

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *chain_to_json(const depth_t *depth)
{
    json_t *const chain = json_array();
    for (const depth_t *at = depth; at != NULL; at = at->below) {
        json_array_append_new(chain, json_pack("{s:s, s:o}", "function", at->function->name,
                                               "bytes", number(at->own)));
    }
    return chain;
}

json_t *stack_to_json(const stack_answer_t *answer)
{
    json_t *const object = json_pack("{s:s}", "function", answer->question.name);
    if (answer->question.seen != 0U) {
        json_object_set_new(object, "seen", number(answer->question.seen));
    }
    if (answer->question.size != 0U) {
        json_object_set_new(object, "size", number(answer->question.size));
    }
    if (answer->depth == NULL) {
        json_object_set_new(object, "refused", json_string(answer->reason));
        return object;
    }
    json_object_set_new(object, "bytes", number(answer->depth->bytes));
    if (answer->place.file != NULL) {
        json_object_set_new(object, "file", json_string(answer->place.file));
        json_object_set_new(object, "line", json_integer(answer->place.line));
    }
    json_object_set_new(object, "chain", chain_to_json(answer->depth));
    json_t *const notes = json_array();
    for (size_t i = 0U; answer->used[i] != NULL; i++) {
        json_array_append_new(notes, json_pack("{s:s, s:s}", "at", answer->used[i]->at, "reason",
                                               answer->used[i]->reason));
    }
    json_object_set_new(object, "assumes", notes);
    return object;
}

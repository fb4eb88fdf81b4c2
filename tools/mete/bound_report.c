// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/mete/bound_report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void bound_answer_free(bound_answer_t *answer)
{
    free(answer->path);
    free((void *)answer->used);
    answer->path = NULL;
    answer->used = NULL;
}

static void print_place(FILE *file, const note_t *note)
{
    if (note->kind == NOTE_APART) {
        fprintf(file, "%s; %s", note->at, note->second);
    } else {
        fputs(note->at, file);
    }
    if (note->kind == NOTE_LOOP) {
        fprintf(file, " (%llu)", (unsigned long long)note->passes);
    }
}

void bound_print_text(FILE *file, const char *command_name, const bound_answer_t *answer)
{
    if (answer->is_refused) {
        (void)fflush(file);
        fprintf(stderr, "%s: %s\n", command_name, answer->reason);
        return;
    }
    fprintf(file, "%-32s %8llu", answer->name, (unsigned long long)answer->length);
    if (answer->file != NULL) {
        fprintf(file, "  %s:%d", program_base_name(answer->file), answer->line);
    }
    if (answer->case_name[0] != '\0') {
        fprintf(file, "  case %s", answer->case_name);
    }
    fputs("\n", file);
    for (size_t i = 0U; answer->used[i] != NULL; i++) {
        fputs("    ", file);
        print_place(file, answer->used[i]);
        fprintf(file, ": %s\n", answer->used[i]->reason);
    }
}

// ---- The path

typedef struct run {
    place_t place;
    unsigned count;
} run_t;

static void print_run(FILE *file, program_t *program, const run_t *run)
{
    size_t length = 0U;
    const char *line = program_line(program, run->place.file, run->place.line, &length);
    while ((line != NULL) && (length != 0U) && isspace((unsigned char)line[0])) {
        line++;
        length--;
    }
    fprintf(file, "    %3u  %s:%d  %.*s\n", run->count, run->place.function, run->place.line,
            (int)length, (line != NULL) ? line : "");
}

static bool is_same(const place_t *a, const place_t *b)
{
    return (a->line == b->line) && (strcmp(a->function, b->function) == 0);
}

void bound_print_path(FILE *file, program_t *program, const bound_answer_t *answer)
{
    const program_function_t *const function = program_function_at(program, answer->address);
    run_t run = {{NULL, NULL, 0, false, NULL}, 0U};
    for (size_t i = 0U; (function != NULL) && (i < answer->path_count); i++) {
        place_t places[PLACE_COUNT_MAX];
        const size_t count = program_places(program, function, answer->path[i], places);
        const place_t *const place = &places[count - 1U];
        if ((run.count != 0U) && is_same(&run.place, place)) {
            run.count++;
            continue;
        }
        if (run.count != 0U) {
            print_run(file, program, &run);
        }
        run = (run_t){*place, 1U};
    }
    if (run.count != 0U) {
        print_run(file, program, &run);
    }
}

// ---- JSON

static json_t *note_to_json(const note_t *note)
{
    static const char *const kinds[] = {"loop", "never", "apart", "indirect"};
    json_t *const object =
        json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind", kinds[note->kind], "at", note->at, "reason",
                  note->reason, "file", note->file, "line", (int)note->line);
    if (note->kind == NOTE_LOOP) {
        json_object_set_new(object, "passes", json_integer((json_int_t)note->passes));
    }
    if (note->kind == NOTE_APART) {
        json_object_set_new(object, "second", json_string(note->second));
    }
    return object;
}

json_t *bound_to_json(const bound_answer_t *answer)
{
    json_t *const object =
        json_pack("{s:s, s:s}", "function", answer->name, "case", answer->case_name);
    if (answer->is_refused) {
        json_object_set_new(object, "refused", json_string(answer->reason));
        return object;
    }
    json_object_set_new(object, "instructions", json_integer((json_int_t)answer->length));
    json_object_set_new(object, "address", json_integer((json_int_t)answer->address));
    if (answer->file != NULL) {
        json_object_set_new(object, "file", json_string(answer->file));
        json_object_set_new(object, "line", json_integer(answer->line));
    }
    json_t *const notes = json_array();
    for (size_t i = 0U; answer->used[i] != NULL; i++) {
        json_array_append_new(notes, note_to_json(answer->used[i]));
    }
    json_object_set_new(object, "assumes", notes);
    return object;
}

// ---- The header

static unsigned long long number_of(const bound_answer_t *answer)
{
    const bool is_known = (answer != NULL) && !answer->is_refused && (answer->length <= UINT32_MAX);
    return is_known ? (unsigned long long)answer->length : 0ULL;
}

static void print_comment(FILE *file, const char *operation, const bound_answer_t *answer)
{
    if (answer->is_refused) {
        fprintf(file, "// %s: %s\n", operation, answer->reason);
        return;
    }
    for (size_t i = 0U; answer->used[i] != NULL; i++) {
        fprintf(file, "// %s: ", operation);
        print_place(file, answer->used[i]);
        fprintf(file, ": %s\n", answer->used[i]->reason);
    }
}

static void print_line(FILE *file, const bound_line_t *line)
{
    static const char *const names[] = {"acquire", "release", "resize"};
    fputs("\n", file);
    for (size_t i = 0U; i < 3U; i++) {
        if (line->answers[i] != NULL) {
            print_comment(file, names[i], line->answers[i]);
        }
    }
    fputs("#define METE_BOUND_", file);
    for (const char *c = line->name; *c != '\0'; c++) {
        fputc(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_', file);
    }
    fprintf(file, " {%lluU, %lluU, %lluU}\n", number_of(line->answers[0]),
            number_of(line->answers[1]), number_of(line->answers[2]));
}

char *bound_header(const char *program_name, const bound_line_t *lines, size_t count)
{
    char *text = NULL;
    size_t size = 0U;
    FILE *const file = open_memstream(&text, &size);
    if (file == NULL) {
        return NULL;
    }
    fprintf(file,
            "// Written by `mete bound %s`. Write it again when the program has changed.\n"
            "#ifndef METE_BOUNDS_H\n#define METE_BOUNDS_H\n\n"
            "/// Instructions that calls of an allocator's view take at most: a "
            "mete_timing_costs_t of acquire,\n"
            "/// release, resize, for all size classes, if what stands above each is true. 0: "
            "unknown, for the reason given.\n",
            program_name);
    for (size_t i = 0U; i < count; i++) {
        print_line(file, &lines[i]);
    }
    fputs("\n#endif\n", file);
    return (fclose(file) == 0) ? text : NULL;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A reader that believes nothing. It keeps for each id where it went live, so that a line which
// cannot be true is found where it stands and not by an allocator that falls over it later. A cut
// file shows in three ways: the last line has no newline, a line lacks a number, or there are fewer
// operations than the first comment counts.

#include "tools/lib/trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct object {
    size_t line;  // Where its id was last acquired or freed.
    uint32_t size;
    bool is_live;
} object_t;

typedef struct reader {
    trace_t *trace;
    trace_error_t *error;
    object_t *objects;  // One for each id, as many as fit in object_room.
    size_t object_room;
    size_t op_room;
    uint64_t live_size;
    size_t stated_op_count;  // What a comment says.
    size_t stated_line;      // Where; 0 if none does.
    const char *at;          // The next character of the line.
    const char *end;         // Behind its last.
    size_t line;
} reader_t;

void trace_free(trace_t *trace)
{
    free(trace->ops);
    *trace = (trace_t){0};
}

// Room for one element more: at least doubles, so that reading stays linear.
static bool reserve(void **elements, size_t *room, size_t count, size_t element_size)
{
    if (count < *room) {
        return true;
    }
    const size_t wanted = (*room == 0U) ? 1024U : *room * 2U;
    void *const moved = realloc(*elements, wanted * element_size);
    if (moved == NULL) {
        return false;
    }
    *elements = moved;
    *room = wanted;
    return true;
}

// ---- Words of a line

static bool is_space(char c)
{
    return (c == ' ') || (c == '\t') || (c == '\r');
}

static void skip_spaces(reader_t *reader)
{
    while ((reader->at < reader->end) && is_space(*reader->at)) {
        reader->at++;
    }
}

typedef struct word {
    const char *start;
    size_t length;  // 0 at the end of the line.
} word_t;

static word_t next_word(reader_t *reader)
{
    skip_spaces(reader);
    word_t word = {reader->at, 0U};
    while ((reader->at < reader->end) && !is_space(*reader->at)) {
        reader->at++;
        word.length++;
    }
    return word;
}

// Fails with what was found in place of what was expected. Bytes that do not print show as '?'.
static bool fail_at(const reader_t *reader, word_t found, const char *expected)
{
    if (found.length == 0U) {
        return TRACE_FAIL(reader->error, reader->line, "found the end of the line, expected %s",
                          expected);
    }
    char shown[25] = {0};
    for (size_t i = 0U; (i < found.length) && (i < sizeof shown - 1U); i++) {
        shown[i] = (char)(isprint((unsigned char)found.start[i]) ? found.start[i] : '?');
    }
    return TRACE_FAIL(reader->error, reader->line, "found '%s%s', expected %s", shown,
                      (found.length >= sizeof shown) ? "..." : "", expected);
}

// Fails because of an id that cannot stand here.
static bool fail_id(const reader_t *reader, uint32_t id, const char *expected)
{
    return TRACE_FAIL(reader->error, reader->line, "found id %u, expected %s", id, expected);
}

static bool read_number(reader_t *reader, uint32_t *number, const char *what)
{
    const word_t word = next_word(reader);
    uint64_t value = 0U;
    for (size_t i = 0U; i < word.length; i++) {
        if (!isdigit((unsigned char)word.start[i])) {
            return fail_at(reader, word, what);
        }
        value = (value * 10U) + (uint64_t)(word.start[i] - '0');
        if (value > UINT32_MAX) {
            return fail_at(reader, word, "a number up to 4294967295");
        }
    }
    *number = (uint32_t)value;
    return (word.length != 0U) || fail_at(reader, word, what);
}

// ---- Operations

static bool append(reader_t *reader, trace_op_t op)
{
    trace_t *const trace = reader->trace;
    void *ops = trace->ops;
    if (!reserve(&ops, &reader->op_room, trace->op_count, sizeof op)) {
        return TRACE_FAIL(reader->error, reader->line, "no memory for more operations");
    }
    trace->ops = ops;
    trace->ops[trace->op_count++] = op;
    if (trace->size_max < op.size) {
        trace->size_max = op.size;
    }
    return true;
}

// Books that an object has a new size; it is live from here on, or no longer.
static void book(reader_t *reader, uint32_t id, uint32_t size, bool is_live)
{
    object_t *const object = &reader->objects[id];
    reader->live_size += (uint64_t)size - object->size;
    if (reader->trace->live_size_peak < reader->live_size) {
        reader->trace->live_size_peak = reader->live_size;
    }
    if (object->is_live != is_live) {
        object->line = reader->line;
    }
    object->size = size;
    object->is_live = is_live;
}

// An id to acquire: one that is free, or the next that was never used.
static bool read_free_id(reader_t *reader, uint32_t *id)
{
    trace_t *const trace = reader->trace;
    if (!read_number(reader, id, "an id")) {
        return false;
    }
    char expected[96];
    if (*id > trace->id_count) {
        snprintf(expected, sizeof expected, "at most %zu, the next id not used so far",
                 trace->id_count);
        return fail_id(reader, *id, expected);
    }
    if (*id < trace->id_count) {
        const object_t *const object = &reader->objects[*id];
        snprintf(expected, sizeof expected, "one that is free: this is live since line %zu",
                 object->line);
        return !object->is_live || fail_id(reader, *id, expected);
    }
    void *objects = reader->objects;
    if (!reserve(&objects, &reader->object_room, *id, sizeof *reader->objects)) {
        return TRACE_FAIL(reader->error, reader->line, "no memory for more ids");
    }
    reader->objects = objects;
    reader->objects[trace->id_count++] = (object_t){0U, 0U, false};
    return true;
}

static bool read_live_id(reader_t *reader, uint32_t *id)
{
    if (!read_number(reader, id, "an id")) {
        return false;
    }
    if (*id >= reader->trace->id_count) {
        return fail_id(reader, *id, "one that is live: this was never allocated");
    }
    char expected[96];
    snprintf(expected, sizeof expected, "one that is live: this was freed in line %zu",
             reader->objects[*id].line);
    return reader->objects[*id].is_live || fail_id(reader, *id, expected);
}

static bool read_acquire(reader_t *reader)
{
    trace_op_t op = {TRACE_ACQUIRE, 0U, 0U, TRACE_ALIGN};
    if (!read_free_id(reader, &op.id) || !read_number(reader, &op.size, "a size")) {
        return false;
    }
    skip_spaces(reader);
    const word_t rest = {reader->at, (size_t)(reader->end - reader->at)};
    if ((rest.length != 0U) && !read_number(reader, &op.align, "an alignment")) {
        return false;
    }
    if ((op.align == 0U) || ((op.align & (op.align - 1U)) != 0U)) {
        return fail_at(reader, rest, "an alignment, a power of two");
    }
    book(reader, op.id, op.size, true);
    return append(reader, op);
}

static bool read_resize(reader_t *reader)
{
    trace_op_t op = {TRACE_RESIZE, 0U, 0U, 0U};
    if (!read_live_id(reader, &op.id) || !read_number(reader, &op.size, "a size")) {
        return false;
    }
    book(reader, op.id, op.size, true);
    return append(reader, op);
}

static bool read_release(reader_t *reader)
{
    trace_op_t op = {TRACE_RELEASE, 0U, 0U, 0U};
    if (!read_live_id(reader, &op.id)) {
        return false;
    }
    book(reader, op.id, 0U, false);
    return append(reader, op);
}

// ---- Lines

// A comment may say how many operations follow: "ops=123;".
static void read_comment(reader_t *reader)
{
    static const char key[] = "ops=";
    const size_t key_length = sizeof key - 1U;
    for (; (size_t)(reader->end - reader->at) > key_length; reader->at++) {
        if ((memcmp(reader->at, key, key_length) == 0) && !isalnum((unsigned char)reader->at[-1]) &&
            isdigit((unsigned char)reader->at[key_length])) {
            reader->stated_op_count = (size_t)strtoull(reader->at + key_length, NULL, 10);
            reader->stated_line = reader->line;
            return;
        }
    }
}

static bool read_line(reader_t *reader)
{
    const word_t word = next_word(reader);
    const char kind = (char)((word.length == 1U) ? *word.start : '\0');
    bool is_sound = false;
    if ((word.length == 0U) || (*word.start == '#')) {
        reader->at = word.start + ((word.length != 0U) ? 1 : 0);
        read_comment(reader);
        return true;
    }
    if (kind == 'a') {
        is_sound = read_acquire(reader);
    } else if (kind == 'r') {
        is_sound = read_resize(reader);
    } else if (kind == 'f') {
        is_sound = read_release(reader);
    } else {
        return fail_at(reader, word, "an operation: a, r or f");
    }
    const word_t rest = is_sound ? next_word(reader) : (word_t){NULL, 0U};
    return is_sound && ((rest.length == 0U) || fail_at(reader, rest, "the end of the line"));
}

static bool read_lines(reader_t *reader, const char *text, size_t size)
{
    const char *const end = text + size;
    for (const char *start = text; start < end; start = reader->end + 1) {
        const char *const newline = memchr(start, '\n', (size_t)(end - start));
        reader->line++;
        if (newline == NULL) {
            return TRACE_FAIL(reader->error, reader->line,
                              "found the end of the file, expected the end of the line");
        }
        reader->at = start;
        reader->end = newline;
        if (!read_line(reader)) {
            return false;
        }
    }
    const trace_t *const trace = reader->trace;
    if (trace->op_count == 0U) {
        return TRACE_FAIL(reader->error, reader->line + 1U,
                          "found the end of the file, expected an operation: a, r or f");
    }
    if ((reader->stated_line != 0U) && (reader->stated_op_count != trace->op_count)) {
        return TRACE_FAIL(reader->error, reader->line + 1U,
                          "found the end of the file after %zu operations, expected %zu as line "
                          "%zu says",
                          trace->op_count, reader->stated_op_count, reader->stated_line);
    }
    return true;
}

bool trace_parse(trace_t *trace, const char *text, size_t size, trace_error_t *error)
{
    *trace = (trace_t){0};
    *error = (trace_error_t){0};
    reader_t reader = {.trace = trace, .error = error};
    const bool is_sound = read_lines(&reader, text, size);
    free(reader.objects);
    if (!is_sound) {
        trace_free(trace);
    }
    return is_sound;
}

char *trace_slurp(FILE *file, size_t *size, trace_error_t *error)
{
    void *bytes = NULL;
    size_t room = 0U;
    *size = 0U;
    while (reserve(&bytes, &room, *size, 1U)) {
        const size_t got = fread((char *)bytes + *size, 1U, room - *size, file);
        *size += got;
        if (got == 0U) {
            if (!ferror(file)) {
                return bytes;
            }
            (void)TRACE_FAIL(error, 0U, "%s", strerror(errno));
            free(bytes);
            return NULL;
        }
    }
    (void)TRACE_FAIL(error, 0U, "no memory for the file");
    free(bytes);
    return NULL;
}

bool trace_read(trace_t *trace, FILE *file, trace_error_t *error)
{
    *trace = (trace_t){0};
    size_t size = 0U;
    char *const text = trace_slurp(file, &size, error);
    const bool is_sound = (text != NULL) && trace_parse(trace, text, size, error);
    free(text);
    return is_sound;
}

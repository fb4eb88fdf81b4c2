// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A line of text and an object of JSON have the same fields, so one table serves both.

#include "tools/lib/leak_report.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_COUNT_MAX = 1024, LEAK_COUNT_MAX = 10000000 };

#define FAIL(error, at_line, ...) \
    ((error)->line = (at_line), (void)snprintf((error)->text, sizeof((error)->text), __VA_ARGS__), \
     false)

typedef struct field {
    const char *name;
    size_t offset;  // In leak_t.
    bool is_address;
    bool is_required;
} field_t;

static const field_t fields[] = {
    {"block", offsetof(leak_t, block), true, true},
    {"size", offsetof(leak_t, size), false, true},
    {"sequence", offsetof(leak_t, sequence), false, false},
    {"age", offsetof(leak_t, age), false, false},
    {"owner", offsetof(leak_t, owner), false, false},
    {"suspect", offsetof(leak_t, suspect), false, false},
    {"call", offsetof(leak_t, call), true, true},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0], FRAMES = FIELD_COUNT };

typedef struct reader {
    leak_series_t *series;
    leak_error_t *error;
    size_t line;
    leak_report_t open;  // The report whose totals were not read yet.
} reader_t;

static uint64_t *value_of(leak_t *leak, size_t which)
{
    return (uint64_t *)(void *)((unsigned char *)leak + fields[which].offset);
}

// ---- What was found, for messages: short, and nothing that a terminal might obey

typedef struct quote {
    char text[40];
} quote_t;

static quote_t quote(const char *text)
{
    quote_t quoted;
    size_t used = 1U;
    quoted.text[0] = '\'';
    for (; (text[used - 1U] != '\0') && (used < 25U); used++) {
        quoted.text[used] = isprint((unsigned char)text[used - 1U]) ? text[used - 1U] : '?';
    }
    (void)snprintf(quoted.text + used, sizeof quoted.text - used, "%s'",
                   (text[used - 1U] != '\0') ? "..." : "");
    return quoted;
}

// ---- Numbers

// A whole number of 64 bits, decimal or as 0x...
static bool parse_number(const char *text, bool is_address, uint64_t *value)
{
    const bool has_prefix = (text[0] == '0') && (text[1] == 'x');
    const char *at = is_address ? text + 2 : text;
    uint64_t sum = 0U;
    if ((is_address != has_prefix) || (*at == '\0')) {
        return false;
    }
    for (; *at != '\0'; at++) {
        const char *const digits = "0123456789abcdef";
        const char *const digit = strchr(digits, tolower((unsigned char)*at));
        const uint64_t base = is_address ? 16U : 10U;
        if ((digit == NULL) || ((uint64_t)(digit - digits) >= base) ||
            __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(digit - digits), &sum)) {
            return false;
        }
    }
    *value = sum;
    return true;
}

static const char *form_of(bool is_address)
{
    return is_address ? "an address, as 0x08001234" : "a number";
}

static bool add_frame(reader_t *reader, leak_t *leak, const char *text)
{
    uint64_t value = 0U;
    if (!parse_number(text, true, &value)) {
        return FAIL(reader->error, reader->line, "found frame %s, expected %s", quote(text).text,
                    form_of(true));
    }
    if (leak->frame_count == FRAME_COUNT_MAX) {
        return FAIL(reader->error, reader->line, "found more than %d frames", FRAME_COUNT_MAX);
    }
    uint64_t *const more = realloc(leak->frames, (leak->frame_count + 1U) * sizeof *more);
    if (more == NULL) {
        return FAIL(reader->error, reader->line, "no memory for the frames");
    }
    leak->frames = more;
    leak->frames[leak->frame_count] = value;
    leak->frame_count++;
    return true;
}

// ---- Text

// Splits a line at `separator`: returns what comes first and moves on; NULL at the end.
static char *next_part(char **at, char separator)
{
    char *const part = *at;
    if (part == NULL) {
        return NULL;
    }
    char *const end = strchr(part, separator);
    *at = (end != NULL) ? end + 1 : NULL;
    if (end != NULL) {
        *end = '\0';
    }
    return part;
}

static size_t field_named(const char *name)
{
    size_t which = 0U;
    while ((which < FIELD_COUNT) && (strcmp(fields[which].name, name) != 0)) {
        which++;
    }
    return which;
}

static bool parse_frames(reader_t *reader, leak_t *leak, char *value)
{
    for (char *frame = next_part(&value, ','); frame != NULL; frame = next_part(&value, ',')) {
        if (!add_frame(reader, leak, frame)) {
            return false;
        }
    }
    return true;
}

// One NAME=VALUE. `seen` has a bit for each field.
static bool parse_field(reader_t *reader, leak_t *leak, char *part, unsigned *seen)
{
    char *const value = strchr(part, '=');
    if (value == NULL) {
        return FAIL(reader->error, reader->line, "found %s, expected NAME=VALUE", quote(part).text);
    }
    *value = '\0';
    const size_t which = field_named(part);
    const bool is_frames = (strcmp(part, "frames") == 0);
    if ((which == FIELD_COUNT) && !is_frames) {
        return FAIL(reader->error, reader->line,
                    "found %s, expected one of: block, size, sequence, age, owner, suspect, call, "
                    "frames",
                    quote(part).text);
    }
    if ((*seen & (1U << which)) != 0U) {
        return FAIL(reader->error, reader->line, "found a second %s, expected one", part);
    }
    *seen |= 1U << which;
    if (is_frames) {
        return parse_frames(reader, leak, value + 1);
    }
    if (!parse_number(value + 1, fields[which].is_address, value_of(leak, which))) {
        return FAIL(reader->error, reader->line, "found %s %s, expected %s", part,
                    quote(value + 1).text, form_of(fields[which].is_address));
    }
    return true;
}

static bool has_required(reader_t *reader, unsigned seen)
{
    for (size_t i = 0U; i < FIELD_COUNT; i++) {
        if (fields[i].is_required && ((seen & (1U << i)) == 0U)) {
            return FAIL(reader->error, reader->line, "found a leak without %s, expected %s",
                        fields[i].name, form_of(fields[i].is_address));
        }
    }
    return true;
}

static bool parse_text_leak(reader_t *reader, leak_t *leak, char *line)
{
    unsigned seen = 0U;
    (void)next_part(&line, ' ');
    for (char *part = next_part(&line, ' '); part != NULL; part = next_part(&line, ' ')) {
        if (!parse_field(reader, leak, part, &seen)) {
            return false;
        }
    }
    return has_required(reader, seen);
}

// ---- JSON

static bool parse_json_frames(reader_t *reader, leak_t *leak, const json_t *frames)
{
    if ((frames != NULL) && !json_is_array(frames)) {
        return FAIL(reader->error, reader->line, "found frames that are no array of addresses");
    }
    for (size_t i = 0U; i < json_array_size(frames); i++) {
        const char *const text = json_string_value(json_array_get(frames, i));
        if (!add_frame(reader, leak, (text != NULL) ? text : "no string")) {
            return false;
        }
    }
    return true;
}

static bool parse_json_leak(reader_t *reader, leak_t *leak, const json_t *object)
{
    unsigned seen = 0U;
    for (size_t i = 0U; i < FIELD_COUNT; i++) {
        const json_t *const value = json_object_get(object, fields[i].name);
        if (value == NULL) {
            continue;
        }
        seen |= 1U << i;
        const char *const text = json_string_value(value);
        const bool is_right = fields[i].is_address
                                  ? (text != NULL) && parse_number(text, true, value_of(leak, i))
                                  : json_is_integer(value) && (json_integer_value(value) >= 0);
        if (!is_right) {
            return FAIL(reader->error, reader->line, "found a wrong %s, expected %s",
                        fields[i].name, form_of(fields[i].is_address));
        }
        if (!fields[i].is_address) {
            *value_of(leak, i) = (uint64_t)json_integer_value(value);
        }
    }
    return has_required(reader, seen) &&
           parse_json_frames(reader, leak, json_object_get(object, "frames"));
}

// ---- Reports

static void free_report(leak_report_t *report)
{
    for (size_t i = 0U; i < report->leak_count; i++) {
        free(report->leaks[i].frames);
    }
    free(report->leaks);
    *report = (leak_report_t){NULL, 0U, 0U, false};
}

static bool add_leak(reader_t *reader, leak_t leak)
{
    leak_report_t *const report = &reader->open;
    const size_t count = report->leak_count;
    if ((count & (count - 1U)) == 0U) {  // Full: a power of two, or nothing.
        const size_t room = (count != 0U) ? 2U * count : 1U;
        leak_t *const more =
            (count < LEAK_COUNT_MAX) ? realloc(report->leaks, room * sizeof *more) : NULL;
        if (more == NULL) {
            free(leak.frames);
            return FAIL(reader->error, reader->line, "no memory for more leaks");
        }
        report->leaks = more;
    }
    report->leaks[count] = leak;
    report->leak_count = count + 1U;
    report->size += leak.size;
    return true;
}

// The line of totals. It vouches for the lines before: a log may have lost some.
static bool end_report(reader_t *reader, uint64_t count, uint64_t size, const char *records)
{
    leak_report_t *const report = &reader->open;
    report->is_sound = (strcmp(records, "sound") == 0);
    if (!report->is_sound && (strcmp(records, "damaged") != 0)) {
        return FAIL(reader->error, reader->line, "found records %s, expected sound or damaged",
                    quote(records).text);
    }
    if ((report->leak_count != count) || (report->size != size)) {
        return FAIL(
            reader->error, reader->line,
            "found %zu leaks of %llu bytes before this line, expected %llu of %llu, as it says",
            report->leak_count, (unsigned long long)report->size, (unsigned long long)count,
            (unsigned long long)size);
    }
    leak_series_t *const series = reader->series;
    leak_report_t *const more =
        realloc(series->reports, (series->report_count + 1U) * sizeof *more);
    if (more == NULL) {
        return FAIL(reader->error, reader->line, "no memory for more reports");
    }
    series->reports = more;
    series->reports[series->report_count] = *report;
    series->report_count++;
    *report = (leak_report_t){NULL, 0U, 0U, false};
    return true;
}

static bool read_text_total(reader_t *reader, char *line)
{
    static const char *const names[] = {"count=", "size=", "records="};
    char *values[3] = {NULL, NULL, NULL};
    uint64_t numbers[2] = {0U, 0U};
    (void)next_part(&line, ' ');
    for (size_t i = 0U; i < 3U; i++) {
        char *const part = next_part(&line, ' ');
        const size_t length = strlen(names[i]);
        if ((part == NULL) || (strncmp(part, names[i], length) != 0)) {
            return FAIL(reader->error, reader->line, "found %s, expected %s",
                        (part != NULL) ? quote(part).text : "the end of the line", names[i]);
        }
        values[i] = part + length;
        if ((i < 2U) && !parse_number(values[i], false, &numbers[i])) {
            return FAIL(reader->error, reader->line, "found %s, expected a number",
                        quote(values[i]).text);
        }
    }
    return end_report(reader, numbers[0], numbers[1], values[2]);
}

static bool read_text_leak(reader_t *reader, char *line)
{
    leak_t leak = {.frames = NULL};
    if (!parse_text_leak(reader, &leak, line)) {
        free(leak.frames);
        return false;
    }
    return add_leak(reader, leak);
}

static bool read_json_leak(reader_t *reader, const json_t *object)
{
    leak_t leak = {.frames = NULL};
    if (!parse_json_leak(reader, &leak, object)) {
        free(leak.frames);
        return false;
    }
    return add_leak(reader, leak);
}

static bool read_json_total(reader_t *reader, const json_t *object)
{
    const json_t *const count = json_object_get(object, "count");
    const json_t *const size = json_object_get(object, "size");
    const char *const records = json_string_value(json_object_get(object, "records"));
    if (!json_is_integer(count) || !json_is_integer(size) || (records == NULL)) {
        return FAIL(reader->error, reader->line,
                    "found leaks without count, size or records, expected all three");
    }
    return end_report(reader, (uint64_t)json_integer_value(count),
                      (uint64_t)json_integer_value(size), records);
}

static bool read_json(reader_t *reader, const char *line, size_t length)
{
    json_error_t why;
    json_t *const root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        return FAIL(reader->error, reader->line, "found no JSON: %.80s; expected an object",
                    why.text);
    }
    const json_t *const leak = json_object_get(root, "leak");
    const json_t *const leaks = json_object_get(root, "leaks");
    bool is_read = false;
    if (json_is_object(leak)) {
        is_read = read_json_leak(reader, leak);
    } else if (json_is_object(leaks)) {
        is_read = read_json_total(reader, leaks);
    } else {
        (void)FAIL(reader->error, reader->line, "found an object without leak or leaks");
    }
    json_decref(root);
    return is_read;
}

static bool read_line(reader_t *reader, char *line, size_t length)
{
    if (line[0] == '{') {
        return read_json(reader, line, length);
    }
    if (strlen(line) != length) {
        return true;  // A log may hold anything; no report holds a NUL.
    }
    if (strncmp(line, "leak ", 5U) == 0) {
        return read_text_leak(reader, line);
    }
    return (strncmp(line, "leaks ", 6U) != 0) || read_text_total(reader, line);
}

static bool read_lines(reader_t *reader, FILE *file)
{
    char *line = NULL;
    size_t room = 0U;
    bool is_good = true;
    ssize_t length = getline(&line, &room, file);
    while (is_good && (length >= 0)) {
        reader->line++;
        size_t end = (size_t)length;
        while ((end != 0U) && ((line[end - 1U] == '\n') || (line[end - 1U] == '\r'))) {
            end--;
        }
        line[end] = '\0';
        is_good = read_line(reader, line, end);
        length = getline(&line, &room, file);
    }
    free(line);
    return is_good;
}

bool leak_series_read(leak_series_t *series, FILE *file, leak_error_t *error)
{
    reader_t reader = {series, error, 0U, {NULL, 0U, 0U, false}};
    const size_t before = series->report_count;
    bool is_good = read_lines(&reader, file);
    if (is_good && ferror(file)) {
        is_good = FAIL(error, 0U, "could not be read to its end");
    } else if (is_good && (reader.open.leak_count != 0U)) {
        is_good = FAIL(error, reader.line + 1U,
                       "found the end of the file after %zu leaks, expected a line that begins "
                       "with leaks",
                       reader.open.leak_count);
    } else if (is_good && (series->report_count == before)) {
        is_good = FAIL(error, reader.line + 1U,
                       "found the end of the file, expected a report: lines that begin with leak "
                       "or leaks");
    }
    free_report(&reader.open);
    return is_good;
}

void leak_series_free(leak_series_t *series)
{
    for (size_t i = 0U; i < series->report_count; i++) {
        free_report(&series->reports[i]);
    }
    free(series->reports);
    *series = (leak_series_t){NULL, 0U};
}

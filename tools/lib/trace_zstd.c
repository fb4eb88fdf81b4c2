// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/trace_zstd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

typedef struct text {
    char *bytes;
    size_t size;
    size_t room;
} text_t;

static bool is_compressed(const char *bytes, size_t size)
{
    static const unsigned char magic[] = {0x28U, 0xB5U, 0x2FU, 0xFDU};
    return (size >= sizeof magic) && (memcmp(bytes, magic, sizeof magic) == 0);
}

// The line on which text ends.
static size_t last_line(const text_t *text)
{
    size_t line = 1U;
    for (size_t i = 0U; (text->bytes != NULL) && (i < text->size); i++) {
        line += (text->bytes[i] == '\n') ? 1U : 0U;
    }
    return line;
}

static bool make_room(text_t *text, size_t size)
{
    if (text->room - text->size >= size) {
        return true;
    }
    const size_t room = (2U * text->room) + size;
    char *const moved = realloc(text->bytes, room);
    if (moved == NULL) {
        return false;
    }
    text->bytes = moved;
    text->room = room;
    return true;
}

// Decompresses all frames of `in`. What could be decompressed is in `text` in either case.
static bool decompress(ZSTD_DStream *stream, ZSTD_inBuffer in, text_t *text, trace_error_t *error)
{
    size_t expected = 1U;  // 0 at the end of a frame.
    // zstd holds back the last byte of its input until all output has been taken.
    while (in.pos < in.size) {
        if (!make_room(text, ZSTD_DStreamOutSize())) {
            return TRACE_FAIL(error, last_line(text), "no memory for the decompressed text");
        }
        ZSTD_outBuffer out = {text->bytes, text->room, text->size};
        expected = ZSTD_decompressStream(stream, &out, &in);
        text->size = out.pos;
        if (ZSTD_isError(expected)) {
            return TRACE_FAIL(error, last_line(text),
                              "found damaged zstd data (%s), expected a whole zstd frame",
                              ZSTD_getErrorName(expected));
        }
    }
    return (expected == 0U) ||
           TRACE_FAIL(error, last_line(text),
                      "found the end of the file, expected the rest of a zstd frame");
}

static bool parse_compressed(trace_t *trace, const char *bytes, size_t size, trace_error_t *error)
{
    text_t text = {NULL, 0U, 0U};
    ZSTD_DStream *const stream = ZSTD_createDStream();
    const bool is_whole = (stream != NULL)
                              ? decompress(stream, (ZSTD_inBuffer){bytes, size, 0U}, &text, error)
                              : TRACE_FAIL(error, 0U, "no memory to decompress");
    const bool is_sound = is_whole && trace_parse(trace, text.bytes, text.size, error);
    ZSTD_freeDStream(stream);
    free(text.bytes);
    return is_sound;
}

bool trace_load(trace_t *trace, const char *path, trace_error_t *error)
{
    *trace = (trace_t){0};
    const bool is_stdin = (strcmp(path, "-") == 0);
    FILE *const file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return TRACE_FAIL(error, 0U, "%s", strerror(errno));
    }
    size_t size = 0U;
    char *const bytes = trace_slurp(file, &size, error);
    if (!is_stdin) {
        fclose(file);
    }
    if (bytes == NULL) {
        return false;
    }
    const bool is_sound = is_compressed(bytes, size) ? parse_compressed(trace, bytes, size, error)
                                                     : trace_parse(trace, bytes, size, error);
    free(bytes);
    return is_sound;
}

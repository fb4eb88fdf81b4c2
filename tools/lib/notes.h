// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_NOTES_H
#define METE_TOOLS_NOTES_H

/// What machine code does not say, read from TOML. docs/guide/bound.md describes the format.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum note_kind { NOTE_LOOP, NOTE_NEVER, NOTE_APART, NOTE_INDIRECT } note_kind_t;

/// All text lasts as long as the notes it belongs to.
typedef struct note {
    note_kind_t kind;
    const char *in;      ///< The file, without its folder, that its places are in; NULL: any.
    const char *at;      ///< A place; of NOTE_APART the first.
    const char *second;  ///< Of NOTE_APART.
    const char *reason;
    const char *file;
    uint32_t line;
    uint64_t passes;           ///< Of NOTE_LOOP, at least 1.
    const char *const *calls;  ///< Of NOTE_INDIRECT: names of functions; NULL behind the last.
    const char *const *cases;  ///< Those it holds in; NULL behind the last. Empty: in all.
} note_t;

/// An allocator whose operations `--header` writes a line for.
typedef struct note_allocator {
    const char *name;
    const char *functions[3];  ///< Acquire, release, resize; NULL: it has none.
} note_allocator_t;

typedef struct notes notes_t;

notes_t *notes_new(void);
void notes_free(notes_t *notes);

/// What `passes = "NAME"` means from now on. False without memory.
bool notes_set(notes_t *notes, const char *name, uint64_t value);

/// Adds notes from text; `file` names them in messages. False with a reason that starts "file:line: " if they are
/// damaged, and then they must not be used.
bool notes_parse(notes_t *notes, const char *text, size_t size, const char *file, char *reason,
                 size_t reason_size);

/// The same from a file.
bool notes_read(notes_t *notes, const char *path, char *reason, size_t reason_size);

size_t notes_count(const notes_t *notes);
const note_t *notes_at(const notes_t *notes, size_t index);

/// The parts of a case, one after another; NULL behind the last. A case that is not divided is its own part.
const char *notes_part(const notes_t *notes, const char *name, size_t index);

/// True if a note holds in a part.
bool note_holds(const note_t *note, const char *part);

/// The case in which a function is bounded if none was asked for; "" if nothing is said.
const char *notes_default_case(const notes_t *notes, const char *function);

/// Functions that something is said of by default, one after another; NULL behind the last.
const char *notes_default_function(const notes_t *notes, size_t index);

/// True if a case is mentioned anywhere.
bool notes_know_case(const notes_t *notes, const char *name);

/// Allocators, one after another; NULL behind the last.
const note_allocator_t *notes_allocator(const notes_t *notes, size_t index);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_SOURCE_H
#define METE_TOOLS_SOURCE_H

/// The program that reported addresses: the options that name it, and how a place in its source is shown.
///
///     case ARGP_KEY_INIT:
///         state->child_inputs[0] = &settings->source;  // source_argp is the first of the children.
///     ...
///     if (source_open(&settings.source, command_name)) {
///         source_print(stdout, settings.source.symbols, call, "    ");
///         source_close(&settings.source);
///     }

#include "tools/lib/symbols.h"
#include "tools/mete/command.h"

typedef struct source {
    const char *path;  ///< NULL: none was given.
    uint64_t base;     ///< Where it was loaded: its addresses are less by this.
    bool has_base;
    symbols_t *symbols;  ///< While it is open; NULL: addresses are shown as they are.
} source_t;

/// The options --elf and --base; its input is a source_t.
extern const struct argp source_argp;

/// Opens the program, if one was given. False, and says why, if it cannot be used.
bool source_open(source_t *source, const char *command_name);

void source_close(source_t *source);

/// Prints which functions an address inside a call lies in, innermost first, a line each; or the address, if that
/// is unknown. Returns whether it is known.
bool source_print(FILE *file, symbols_t *symbols, uint64_t address, const char *indent);

/// The same as objects, behind those in an array.
void source_to_json(json_t *array, symbols_t *symbols, uint64_t address);

#endif

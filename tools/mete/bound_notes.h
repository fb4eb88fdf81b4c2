// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_BOUND_NOTES_H
#define METE_TOOLS_BOUND_NOTES_H

/// The text of bound_notes.toml: what the machine code of Mete's own modules does not say.
#ifdef __cplusplus
extern "C"
#else
extern
#endif
    const char bound_notes[];

#endif

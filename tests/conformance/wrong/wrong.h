// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_WRONG_H
#define METE_TEST_WRONG_H

/// Allocators that break one promise each. Every case of the suite has one that it must fail.

#include "tests/conformance/suite.h"
#include "tests/conformance/wrong/reference.h"

typedef struct wrong {
    const char *case_name;  ///< The case that must notice.
    /// The operations that are wrong; those that are NULL are the reference's.
    mete_alloc_ops_t ops;
    /// How it is made, if that is what is wrong; NULL: reference_init().
    void (*init)(reference_t *reference, mete_span_t arena);
    suite_calls_t calls;  ///< Likewise the calls in front of it; NULL: the interface's.
} wrong_t;

/// A group for each group of cases.
typedef struct wrong_group {
    const wrong_t *wrongs;
    size_t count;
} wrong_group_t;

#define WRONG_GROUP(wrongs) \
    { \
        (wrongs), sizeof(wrongs) / sizeof((wrongs)[0]) \
    }

extern const wrong_group_t wrong_group_acquire;
extern const wrong_group_t wrong_group_refuse;
extern const wrong_group_t wrong_group_release;
extern const wrong_group_t wrong_group_resize;
extern const wrong_group_t wrong_group_realloc;
extern const wrong_group_t wrong_group_misuse;
extern const wrong_group_t wrong_group_report;

#endif

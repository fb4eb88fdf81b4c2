// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXHAUST_STATE_H
#define METE_EXHAUST_STATE_H

/// What the engine does with a subject's state as a whole.

#include "tests/exhaust/exhaust.h"

/// Everything: memory with its margins, and the blocks that are held.
typedef struct state {
    size_t block_count;
    exhaust_block_t blocks[EXHAUST_BLOCK_MAX];
    unsigned char memory[EXHAUST_MARGIN + EXHAUST_ARENA_MAX + EXHAUST_MARGIN];
} state_t;

typedef struct state_failure {
    const char *condition;  ///< What did not hold first, or NULL.
    const char *file;
    int line;
    exhaust_op_t doing;  ///< The call that was made.
} state_failure_t;

extern state_failure_t state_failure;
extern uint64_t state_refused_count;
extern uint64_t state_may_count;

/// Makes a subject's allocator anew.
void state_begin(const exhaust_subject_t *subject, size_t scale);

/// Makes a call, and looks at everything that must hold afterwards. Returns the new state's hash.
uint64_t state_perform(const exhaust_op_t *op);

/// Makes a call that was looked at before.
void state_repeat(const exhaust_op_t *op);

void state_list(exhaust_ops_t *ops);
void state_misuse(void);

/// A number that tells states apart: a hash of all that matters.
uint64_t state_hash(void);

/// Where refused calls are to leave the state, and to which it can go back.
void state_keep(void);
void state_restore(void);

/// The state that state_begin() made, again.
void state_restart(void);

void state_print_op(const exhaust_op_t *op);

#endif

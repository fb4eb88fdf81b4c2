// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef ISOLATION_ATTACKS_H
#define ISOLATION_ATTACKS_H

/// What an attacker tries, and who has to stop it.

#include "examples/qemu/isolation/kernel.h"

typedef enum guardian {
    BY_HARDWARE,   ///< The protection unit: the task is killed.
    BY_PROCESSOR,  ///< Likewise, or the processor itself, because the instruction is privileged.
    BY_POLICY,     ///< The domains' policy: the request is refused.
    BY_KERNEL,     ///< The kernel looks where a request is before it reads it.
    BY_ALLOCATOR,  ///< The allocator: no such block, METE_FAULT.
    BY_LIMIT       ///< What the domain has is used up.
} guardian_t;

typedef struct attack {
    const char *name;
    void (*entry)(void *board);
    guardian_t by;
    mete_violations_verdict_t verdict;  ///< BY_HARDWARE.
    uint8_t access;
    mete_domain_answer_t answer;  ///< BY_POLICY: of the last try.
} attack_t;

enum { STAGE_BEFORE = 1, STAGE_AFTER = 2, READ_ATTACK = 0, WRITE_ATTACK = 1 };

extern const attack_t attacks[];
extern const size_t attack_count;

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DOMAIN_POLICY_H
#define METE_DOMAIN_POLICY_H

// A part of domain.c: what a domain may do with a region, and what gates' arguments are. Everything is judged by this, a config
// before it is used, plans, and requests.

#include "mete/protect/domain.h"

enum {
    NO_GATE = 0xFF,
    READ_WRITE = METE_ACCESS_READ | METE_ACCESS_WRITE,
    WRITE_EXECUTE = METE_ACCESS_WRITE | METE_ACCESS_EXECUTE
};

typedef mete_domain_config_t config_t;
typedef mete_domain_region_t region_t;
typedef mete_domain_member_t member_t;
typedef mete_domain_gate_t gate_t;
typedef mete_domain_task_t task_t;
typedef mete_domain_call_t call_t;
typedef mete_domain_books_t books_t;
typedef mete_domain_result_t result_t;

// ---- The policy

static inline bool is_in(uint32_t mask, size_t domain)
{
    return ((mask >> domain) & 1U) != 0U;
}

static inline uint32_t rights_of(const config_t *config, size_t index, size_t domain,
                                 bool is_in_gate)
{
    const region_t *const region = &config->regions[index];
    const size_t owner = config->owners[index];
    if (owner == METE_DOMAIN_COMMON) {
        return region->rights;
    }
    if (owner == domain) {
        return (is_in_gate || (region->isolation != METE_DOMAIN_GATE_ONLY)) ? region->rights : 0U;
    }
    const bool is_shared = (region->isolation == METE_DOMAIN_READ_SHARED) &&
                           (config->members[domain].level >= config->members[owner].level);
    return is_shared ? ((uint32_t)region->rights & METE_ACCESS_READ) : 0U;
}

// One bound serves both ends, and sizes that run past the end of the address space.
static inline bool has_all(const region_t *region, uintptr_t start, size_t size)
{
    const uintptr_t offset = start - region->start;
    return (offset < region->size) && (size <= region->size - offset);
}

static inline bool shares_bytes(uintptr_t start, size_t size, uintptr_t other, size_t other_size)
{
    return (start - other < other_size) || (other - start < size);
}

// ---- Arguments of gates

static inline bool is_span(uint32_t kind)
{
    return (kind >= METE_DOMAIN_IN) && (kind <= METE_DOMAIN_IN_OUT);
}

// How much room a span has in the buffer; 0: what is no span, or larger than any buffer.
static inline size_t room_of(const gate_t *gate, size_t argument)
{
    const size_t limit =
        is_span(gate->arguments[argument].kind) ? gate->arguments[argument + 1U].limit : 0U;
    return (limit <= SIZE_MAX / 2U) ? mete_align_up(limit, METE_DOMAIN_BUFFER_ALIGN) : 0U;
}

#endif

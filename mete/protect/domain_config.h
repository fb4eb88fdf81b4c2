// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_DOMAIN_CONFIG_H
#define METE_DOMAIN_CONFIG_H

// A part of domain.c: what a config must be like, and what is wrong with one that is not. It only looks.

#include "mete/protect/domain_policy.h"

// ---- What a config must be like

static inline bool has_tables(const config_t *config)
{
    return (config->members != NULL) && (config->member_count - 1U < METE_DOMAIN_MAX) &&
           (config->regions != NULL) && (config->region_count - 1U < METE_DOMAIN_REGION_MAX) &&
           (config->gate_count <= METE_DOMAIN_GATE_MAX) &&
           ((config->gate_count == 0U) || ((config->gates != NULL) && (config->calls != NULL))) &&
           (config->owners != NULL) && (config->usages != NULL) && (config->backend != NULL);
}

static inline bool is_mask_legal(const config_t *config, uint32_t mask)
{
    return (config->member_count == METE_DOMAIN_MAX) || ((mask >> config->member_count) == 0U);
}

static inline bool has_rights(const region_t *region, uint32_t rights)
{
    return (rights & ~(uint32_t)region->rights) == 0U;
}

static inline bool is_region_legal(const config_t *config, const region_t *region)
{
    const bool is_common = region->owner == METE_DOMAIN_COMMON;
    const bool has_place = (region->name != NULL) && (region->size != 0U) &&
                           (region->size - 1U <= UINTPTR_MAX - region->start);
    const bool has_policy = (region->rights <= METE_ACCESS_ALL) &&
                            !has_rights(region, WRITE_EXECUTE) &&
                            ((uint32_t)region->isolation <= METE_DOMAIN_GATE_ONLY) &&
                            is_mask_legal(config, region->receivers) &&
                            ((region->receivers == 0U) || has_rights(region, READ_WRITE));
    return has_place && has_policy &&
           (is_common ? !has_rights(region, METE_ACCESS_WRITE)
                      : (region->owner < config->member_count));
}

static inline size_t find_overlap(const config_t *config, size_t index)
{
    const region_t *const region = &config->regions[index];
    size_t other = 0U;
    while ((other < index) &&
           !shares_bytes(region->start, region->size, config->regions[other].start,
                         config->regions[other].size)) {
        other++;
    }
    return other;
}

static inline bool may_have_gate_only(const config_t *config, size_t domain)
{
    for (size_t i = 0U; i < config->region_count; i++) {
        const region_t *const region = &config->regions[i];
        if ((region->isolation == METE_DOMAIN_GATE_ONLY) &&
            ((region->owner == domain) || is_in(region->receivers, domain))) {
            return true;
        }
    }
    return false;
}

static inline bool has_books(const books_t *books)
{
    return ((books->wish_max == 0U) || ((books->wishes != NULL) && (books->shares != NULL))) &&
           ((books->image_max == 0U) || ((books->images != NULL) && (books->ranges != NULL)));
}

static inline bool is_member_legal(const config_t *config, size_t index)
{
    const member_t *const member = &config->members[index];
    return (member->name != NULL) && (member->books != NULL) && has_books(member->books) &&
           ((member->gate_books != NULL) ? has_books(member->gate_books)
                                         : !may_have_gate_only(config, index));
}

static inline size_t find_same_alloc(const config_t *config, size_t index)
{
    const mete_alloc_t *const alloc = &config->members[index].alloc;
    size_t other = 0U;
    while ((other < index) &&
           ((alloc->ops == NULL) || (config->members[other].alloc.ops != alloc->ops) ||
            (config->members[other].alloc.self != alloc->self))) {
        other++;
    }
    return other;
}

// ---- Gates

// Sizes follow spans, and nothing else; all spans have room.
static inline bool are_arguments_legal(const gate_t *gate)
{
    size_t left = gate->buffer.size;
    bool is_size_due = false;
    for (size_t i = 0U; i < METE_DOMAIN_ARGUMENT_MAX; i++) {
        const uint32_t kind = gate->arguments[i].kind;
        if ((kind > METE_DOMAIN_SIZE) || (is_size_due != (kind == METE_DOMAIN_SIZE)) ||
            (is_size_due && (gate->arguments[i].limit > left))) {
            return false;
        }
        is_size_due = is_span(kind);
        if (is_size_due && (i + 1U == METE_DOMAIN_ARGUMENT_MAX)) {
            return false;
        }
        if (!is_size_due && (i != 0U)) {
            const size_t room = room_of(gate, i - 1U);
            if (room > left) {
                return false;
            }
            left -= room;
        }
    }
    return true;
}

// In memory that its domain alone has, and keeps.
static inline bool is_buffer_legal(const config_t *config, const gate_t *gate)
{
    const uintptr_t start = (uintptr_t)gate->buffer.start;
    for (size_t i = 0U; i < config->region_count; i++) {
        const region_t *const region = &config->regions[i];
        if (has_all(region, start, gate->buffer.size)) {
            return (region->owner == gate->domain) && has_rights(region, READ_WRITE) &&
                   (region->isolation != METE_DOMAIN_READ_SHARED) && (region->receivers == 0U) &&
                   mete_align_fits(start, METE_DOMAIN_BUFFER_ALIGN);
        }
    }
    return false;
}

static inline bool is_gate_legal(const config_t *config, const gate_t *gate)
{
    return (gate->name != NULL) && (gate->domain < config->member_count) &&
           is_mask_legal(config, gate->callers) && are_arguments_legal(gate) &&
           ((gate->buffer.size == 0U) || is_buffer_legal(config, gate));
}

// ---- What no domain may write to

// The region in which a domain could write to some of it, or region_count.
static inline size_t find_exposed(const config_t *config, const void *start, size_t size)
{
    size_t i = 0U;
    while ((i < config->region_count) &&
           ((size == 0U) || !has_rights(&config->regions[i], METE_ACCESS_WRITE) ||
            !shares_bytes(config->regions[i].start, config->regions[i].size, (uintptr_t)start,
                          size))) {
        i++;
    }
    return i;
}

typedef struct piece {
    const void *start;
    size_t size;
} piece_t;

static inline size_t find_exposed_piece(const config_t *config, const piece_t *pieces, size_t count)
{
    size_t found = config->region_count;
    for (size_t i = 0U; (found == config->region_count) && (i < count); i++) {
        found = find_exposed(config, pieces[i].start, pieces[i].size);
    }
    return found;
}

static inline size_t find_exposed_books(const config_t *config, const books_t *books)
{
    const piece_t pieces[] = {{books, sizeof *books},
                              {books->wishes, books->wish_max * sizeof *books->wishes},
                              {books->shares, books->wish_max * sizeof *books->shares},
                              {books->images, books->image_max * sizeof *books->images},
                              {books->ranges, books->image_max * sizeof *books->ranges}};
    return find_exposed_piece(config, pieces, sizeof pieces / sizeof pieces[0]);
}

static inline size_t find_exposed_member(const config_t *config, const member_t *member)
{
    size_t found = find_exposed_books(config, member->books);
    if ((found == config->region_count) && (member->gate_books != NULL)) {
        found = find_exposed_books(config, member->gate_books);
    }
    if ((found == config->region_count) && (member->alloc.ops != NULL)) {
        found = find_exposed(config, member->alloc.self, 1U);
    }
    return found;
}

static inline size_t find_exposed_any(const mete_domain_t *domains, const config_t *config)
{
    const piece_t pieces[] = {{domains, sizeof *domains},
                              {config, sizeof *config},
                              {config->members, config->member_count * sizeof *config->members},
                              {config->regions, config->region_count * sizeof *config->regions},
                              {config->gates, config->gate_count * sizeof *config->gates},
                              {config->owners, config->region_count},
                              {config->calls, config->gate_count * sizeof *config->calls},
                              {config->usages, config->member_count * sizeof *config->usages}};
    size_t found = find_exposed_piece(config, pieces, sizeof pieces / sizeof pieces[0]);
    for (size_t i = 0U; (found == config->region_count) && (i < config->member_count); i++) {
        found = find_exposed_member(config, &config->members[i]);
    }
    return found;
}

// ---- The first that is wrong

static inline void set_result(result_t *result, mete_domain_verdict_t verdict, size_t index,
                              size_t other)
{
    result->verdict = verdict;
    result->index = index;
    result->other = other;
}

static inline bool judge_regions(const config_t *config, result_t *result)
{
    for (size_t i = 0U; i < config->region_count; i++) {
        if (!is_region_legal(config, &config->regions[i])) {
            set_result(result, METE_DOMAIN_BAD_REGION, i, i);
            return false;
        }
        const size_t other = find_overlap(config, i);
        if (other != i) {
            set_result(result, METE_DOMAIN_OVERLAP, i, other);
            return false;
        }
    }
    return true;
}

static inline bool judge_members(const config_t *config, result_t *result)
{
    for (size_t i = 0U; i < config->member_count; i++) {
        const size_t other = find_same_alloc(config, i);
        if ((other != i) || !is_member_legal(config, i)) {
            set_result(result, METE_DOMAIN_BAD_MEMBER, i, other);
            return false;
        }
    }
    return true;
}

static inline bool judge_gates(const config_t *config, result_t *result)
{
    for (size_t i = 0U; i < config->gate_count; i++) {
        if (!is_gate_legal(config, &config->gates[i])) {
            set_result(result, METE_DOMAIN_BAD_GATE, i, i);
            return false;
        }
    }
    return true;
}

static inline bool judge(const mete_domain_t *domains, const config_t *config, result_t *result)
{
    if ((config == NULL) || !has_tables(config)) {
        set_result(result, METE_DOMAIN_NO_TABLE, 0U, 0U);
        return false;
    }
    if (!judge_regions(config, result) || !judge_members(config, result) ||
        !judge_gates(config, result)) {
        return false;
    }
    const size_t exposed = find_exposed_any(domains, config);
    if (exposed != config->region_count) {
        set_result(result, METE_DOMAIN_EXPOSED, exposed, exposed);
        return false;
    }
    if ((config->mpu.ops != NULL) && (config->mpu.ops->kind != config->backend->rules.kind)) {
        set_result(result, METE_DOMAIN_NO_MPU, 0U, 0U);
        return false;
    }
    return true;
}

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the rights are at an address is computed from what was committed, for the state that was and for the state that shall
// be; where both agree nothing is called. So there is no table of pages, and to play another privilege, to be switched on or off and
// to get new regions are one and the same: a change of state.

#include "port/os/posix_mprotect.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/personality.h>
#endif

typedef mete_posix_mprotect_state_t state_t;

enum { OPEN = PROT_READ | PROT_WRITE };

// Rights that hold from an address on up to another.
typedef struct stretch {
    int mode;
    uintptr_t last;
} stretch_t;

static int mode_of(uint32_t rights)
{
    return (((rights & METE_ACCESS_READ) != 0U) ? PROT_READ : 0) |
           (((rights & METE_ACCESS_WRITE) != 0U) ? PROT_WRITE : 0) |
           (((rights & METE_ACCESS_EXECUTE) != 0U) ? PROT_EXEC : 0);
}

static uintptr_t start_of(const mete_mpu_image_t *image)
{
    return image->words[0] & ~(uintptr_t)METE_MPU_PAGES_RIGHTS;
}

static int image_mode(const state_t *state, const mete_mpu_image_t *image)
{
    const unsigned shift = (state->privilege == METE_PRIVILEGED)
                               ? METE_MPU_PAGES_PRIVILEGED_SHIFT
                               : METE_MPU_PAGES_UNPRIVILEGED_SHIFT;
    return mode_of((uint32_t)(image->words[0] >> shift) & METE_ACCESS_ALL);
}

// The first image that has the address decides, as for the plan's verdicts. It may hold farther than it says here, not less.
static stretch_t stretch_at(const state_t *state, uintptr_t address, uintptr_t arena_last)
{
    const bool is_open =
        !state->is_on || (state->has_background && (state->privilege == METE_PRIVILEGED));
    stretch_t stretch = {is_open ? OPEN : PROT_NONE, arena_last};
    bool is_decided = false;
    for (size_t i = 0U; state->is_on && (i < state->image_count); i++) {
        const uintptr_t start = start_of(&state->images[i]);
        const uintptr_t last = state->images[i].words[1];
        uintptr_t until = UINTPTR_MAX;
        if (start > address) {
            until = start - 1U;
        } else if (!is_decided && (address <= last)) {
            stretch.mode = image_mode(state, &state->images[i]);
            until = last;
            is_decided = true;
        }
        stretch.last = (until < stretch.last) ? until : stretch.last;
    }
    return stretch;
}

static void demand_mode(uintptr_t start, uintptr_t last, int mode)
{
    if (mprotect((void *)start, last - start + 1U, mode) != 0) {
        perror("mete: mprotect");
        abort();
    }
}

// Every turn passes at least one edge of a region, old or new, or ends.
static void change(mete_posix_mprotect_t *unit, const state_t *wanted)
{
    uintptr_t address = (uintptr_t)unit->arena.start;
    size_t left = unit->arena.size;
    while (left != 0U) {
        const uintptr_t arena_last = address + left - 1U;
        const stretch_t is = stretch_at(&unit->state, address, arena_last);
        const stretch_t shall = stretch_at(wanted, address, arena_last);
        const uintptr_t last = (is.last < shall.last) ? is.last : shall.last;
        if (is.mode != shall.mode) {
            demand_mode(address, last, shall.mode);
        }
        left = arena_last - last;
        address = last + 1U;
    }
    unit->state = *wanted;
}

static const mete_mpu_image_t *find_off_page(const mete_posix_mprotect_t *unit,
                                             const mete_mpu_image_t *images, size_t image_count)
{
    const uintptr_t rest = unit->page_size - 1U;
    for (size_t i = 0U; i < image_count; i++) {
        if (((start_of(&images[i]) & rest) != 0U) || ((images[i].words[1] & rest) != rest)) {
            return &images[i];
        }
    }
    return NULL;
}

static void commit(void *self, const mete_mpu_image_t *images, size_t image_count,
                   bool has_background)
{
    mete_posix_mprotect_t *const unit = self;
    METE_ASSERT(image_count <= METE_POSIX_MPROTECT_REGION_MAX);
    const mete_mpu_image_t *const wrong = find_off_page(unit, images, image_count);
    if (wrong != NULL) {
        METE_FAULT(METE_FAULT_ALIGN, (const void *)unit, (const void *)start_of(wrong));
        return;
    }
    state_t wanted = unit->state;
    wanted.images = images;
    wanted.image_count = image_count;
    wanted.has_background = has_background;
    change(unit, &wanted);
    // The caller's may be written over; those of the state before are no longer asked.
    for (size_t i = 0U; i < image_count; i++) {
        unit->images[i] = images[i];
    }
    unit->state.images = unit->images;
}

static void enable(void *self)
{
    mete_posix_mprotect_t *const unit = self;
    state_t wanted = unit->state;
    wanted.is_on = true;
    change(unit, &wanted);
}

static void disable(void *self)
{
    mete_posix_mprotect_t *const unit = self;
    state_t wanted = unit->state;
    wanted.is_on = false;
    change(unit, &wanted);
}

// Set where a program of 32 bits says that its stack is executable.
static bool reading_implies_executing(void)
{
#ifdef __linux__
    enum { ASK = -1 };
    return (personality((unsigned long)ASK) & READ_IMPLIES_EXEC) != 0;
#else
    return false;
#endif
}

static bool is_whole_pages(mete_span_t arena, uintptr_t page_size)
{
    return mete_span_is_legal(arena) && (arena.size != 0U) && (arena.size % page_size == 0U) &&
           ((uintptr_t)arena.start % page_size == 0U);
}

mete_mpu_t mete_posix_mprotect_init(mete_posix_mprotect_t *unit, mete_span_t arena)
{
    static const mete_mpu_ops_t ops = {METE_MPU_PAGES, commit, enable, disable};
    unit->page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    unit->unit.region_count = 0U;
    unit->arena = (mete_span_t){arena.start, 0U};
    unit->state = (state_t){unit->images, 0U, true, false, METE_PRIVILEGED};
    if (!is_whole_pages(arena, unit->page_size)) {
        METE_FAULT(METE_FAULT_ALIGN, (const void *)unit, arena.start);
    } else if (!reading_implies_executing() && (mprotect(arena.start, arena.size, OPEN) == 0)) {
        unit->arena.size = arena.size;
        unit->unit.region_count = METE_POSIX_MPROTECT_REGION_MAX;
    }
    return (mete_mpu_t){&ops, &unit->unit};
}

void mete_posix_mprotect_set_privilege(mete_posix_mprotect_t *unit, mete_privilege_t privilege)
{
    state_t wanted = unit->state;
    wanted.privilege = privilege;
    change(unit, &wanted);
}

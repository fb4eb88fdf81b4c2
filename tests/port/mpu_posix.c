// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Pages of a process beside what plans say: see mpu_verdicts.c. Whoever tries plays the privilege for that long, and what
// is forbidden ends in a signal, whose decoder must have understood what was tried. On x86.

#include "mete/protect/plan_pages.h"
#include "port/os/posix_mprotect.h"
#include "port/os/posix_violation.h"
#include "tests/port/mpu_verdicts.h"

#include <setjmp.h>

// `ret`, twice.
const uint16_t mpu_return = 0xC3C3U;

static mete_posix_mprotect_t unit;
static sigjmp_buf back;
static mete_violation_t violation;

static bool on_violation(void *self, const mete_violation_t *told)
{
    (void)self;
    violation = *told;
    siglongjmp(back, 1);
}

static void load(const access_t *access)
{
    switch (access->size) {
    case 1U:
        (void)*(volatile uint8_t *)access->address;
        break;
    case 2U:
        (void)*(volatile uint16_t *)access->address;
        break;
    default:
        (void)*(volatile uint32_t *)access->address;
        break;
    }
}

static void store(const access_t *access)
{
    switch (access->size) {
    case 1U:
        *(volatile uint8_t *)access->address = 0U;
        break;
    case 2U:
        *(volatile uint16_t *)access->address = 0U;
        break;
    default:
        *(volatile uint32_t *)access->address = 0U;
        break;
    }
}

static bool attempt(const access_t *access)
{
    if (sigsetjmp(back, 1) != 0) {
        return false;
    }
    if (access->kind == METE_ACCESS_READ) {
        load(access);
    } else if (access->kind == METE_ACCESS_WRITE) {
        store(access);
    } else {
        ((void (*)(void))access->address)();
    }
    return true;
}

static bool is_understood(uint32_t kind)
{
    const bool is_fetch = kind == METE_ACCESS_EXECUTE;
    return (violation.kind == (is_fetch ? METE_VIOLATION_FETCH : METE_VIOLATION_DATA)) &&
           (violation.access == kind) && (violation.cause == SIGSEGV) &&
           (!is_fetch || (violation.pc == violation.address)) &&
           mete_violation_knows(&violation, METE_VIOLATION_KNOWS_ADDRESS | METE_VIOLATION_KNOWS_PC |
                                                METE_VIOLATION_KNOWS_ACCESS);
}

bool mpu_happens(const access_t *access, uintptr_t *told)
{
    mete_posix_mprotect_set_privilege(&unit, access->privilege);
    const bool is_done = attempt(access);
    mete_posix_mprotect_set_privilege(&unit, METE_PRIVILEGED);
    *told = (!is_done && is_understood(access->kind)) ? violation.address : 1U;
    return is_done;
}

static mete_mpu_t init(void)
{
    static const mete_posix_violation_config_t config = {on_violation, NULL};
    static mete_posix_violation_t watch;
    static unsigned char stack[METE_POSIX_VIOLATION_STACK_SIZE];
    if ((watch.config == NULL) && (!mete_posix_violation_add_stack(stack, sizeof stack) ||
                                   !mete_posix_violation_init(&watch, &config))) {
        return (mete_mpu_t){NULL, NULL};
    }
    return mete_posix_mprotect_init(&unit, mpu_arena);
}

static const mete_rights_t rights[] = {{0, 0}, {0, 1}, {0, 3}, {1, 1}, {1, 3}, {3, 3}, {3, 1},
                                       {1, 0}, {5, 5}, {5, 7}, {7, 7}, {0, 5}, {7, 0}, {3, 5}};

// Code and stack are not the driver's: where nothing is mapped it must not even try.
const mpu_target_t mpu_target = {.backend = &mete_plan_pages,
                                 .init = init,
                                 .region_count = METE_POSIX_MPROTECT_REGION_MAX,
                                 .code_start = 0x1000U,
                                 .code_last = 0x1FFFU,
                                 .stack_start = 0x3000U,
                                 .stack_last = 0x3FFFU,
                                 .rights = rights,
                                 .rights_count = sizeof rights / sizeof rights[0],
                                 .enable = ~(uintptr_t)0xFFFU};

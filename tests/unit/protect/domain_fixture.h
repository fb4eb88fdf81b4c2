// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_DOMAIN_FIXTURE_H
#define METE_TEST_DOMAIN_FIXTURE_H

/// Three domains in a small memory, with pages of 64 bytes, and a protection unit that takes down what it is told.

#include "mete/alloc/pool.h"
#include "mete/protect/domain.h"
#include "mete/protect/plan_pages.h"
#include "tests/support/tap.h"

enum { LOW, MID, HIGH, DOMAIN_COUNT };
enum { UNIT = 64, UNIT_COUNT = 32, WISH_MAX = 12, IMAGE_MAX = 12, BLOCK = 16 };
enum {
    R = METE_ACCESS_READ,
    W = METE_ACCESS_WRITE,
    X = METE_ACCESS_EXECUTE,
    RW = METE_ACCESS_READ | METE_ACCESS_WRITE,
    RX = METE_ACCESS_READ | METE_ACCESS_EXECUTE
};

typedef struct tables {
    mete_plan_wish_t wishes[WISH_MAX];
    mete_plan_share_t shares[WISH_MAX];
    mete_mpu_image_t images[IMAGE_MAX];
    mete_plan_range_t ranges[IMAGE_MAX];
} tables_t;

// Memory, in units: what is at which is the tests' to say.
static _Alignas(UNIT) unsigned char arena[UNIT_COUNT * UNIT];
static mete_plan_backend_t backend;

static tables_t tables[DOMAIN_COUNT][2];
static mete_domain_books_t books[DOMAIN_COUNT][2];
static mete_domain_member_t members[DOMAIN_COUNT];

static void bind_books(mete_domain_books_t *own, tables_t *table)
{
    own->wishes = table->wishes;
    own->shares = table->shares;
    own->wish_max = WISH_MAX;
    own->images = table->images;
    own->ranges = table->ranges;
    own->image_max = IMAGE_MAX;
}

static void make_members(void)
{
    static const char *const names[DOMAIN_COUNT] = {"low", "mid", "high"};
    backend.rules.kind = METE_MPU_PAGES;
    backend.rules.region_max = mete_plan_pages.rules.region_max;
    backend.rules.slice_count = 0U;
    backend.rules.granule = UNIT;
    backend.rules.last = UINTPTR_MAX;
    backend.rules.holds_privilege = true;
    backend.encodes = mete_plan_pages.encodes;
    backend.cover = mete_plan_pages.cover;
    backend.decode = mete_plan_pages.decode;
    backend.background = mete_plan_pages.background;
    for (size_t i = 0U; i < DOMAIN_COUNT; i++) {
        bind_books(&books[i][0], &tables[i][0]);
        bind_books(&books[i][1], &tables[i][1]);
        members[i].name = names[i];
        members[i].level = (uint8_t)i;
        members[i].books = &books[i][0];
        members[i].gate_books = &books[i][1];
    }
}

static uintptr_t unit_at(size_t unit)
{
    return (uintptr_t)&arena[unit * UNIT];
}

static uint32_t bit(size_t domain)
{
    return 1U << domain;
}

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What plans promise, on random wishes: the verdict of mete_plan_allows() is that of the hardware, at every edge and for
// every kind of access; each byte of a wish has its rights; what is nobody's has none but for the waste that was told.

#include "tests/unit/protect/plan_fixture.h"

#ifndef PLAN_COUNT
#define PLAN_COUNT 40
#endif

enum { WINDOW = 2048 };

// Where plans lie: in the middle, over the largest possible boundary, at both ends of the address space.
static const uintptr_t windows[] = {0x20000000U, 0x7FFFFC00U, 0U, 0xDFFFF800U, 0x40000000U};

static const unsigned char cortex_rights[][2] = {{RX, RX}, {RW, RW},   {0, RW}, {R, RW},
                                                 {R, R},   {RWX, RWX}, {0, R},  {0, 0}};
static const unsigned char pmp_rights[][2] = {{RX, RX}, {RW, RW}, {0, RWX},  {R, RWX},
                                              {X, RWX}, {0, 0},   {RW, RWX}, {X, X}};

static uint32_t random_address(uint32_t *seed, uint32_t below)
{
    const uint32_t granules[] = {1U, 4U, 32U, 32U, 128U, 256U};
    const uint32_t granule = granules[random_below(seed, 6U)];
    return random_below(seed, below) / granule * granule;
}

// Up to eight stretches of a window, cut at random places; some are left out.
static void make_wishes(uint32_t *seed, uintptr_t window, uint32_t unit)
{
    const bool is_pmp = config.backend->rules.kind == METE_MPU_PMP;
    const uint32_t count_max = 1U + random_below(seed, 10U);
    uint32_t start = random_address(seed, WINDOW / 4U);
    for (uint32_t i = 0U; i < count_max; i++) {
        const uint32_t size = 1U + random_address(seed, WINDOW / 3U) + 31U * random_below(seed, 2U);
        if (start + size > (uint32_t)WINDOW) {
            break;
        }
        const unsigned char *const rights =
            is_pmp ? pmp_rights[random_below(seed, 8U)] : cortex_rights[random_below(seed, 8U)];
        const uintptr_t first = window + (uintptr_t)start * unit;
        wish(first, first + (uintptr_t)size * unit - 1U, rights[0], rights[1]);
        const size_t waste_max[] = {0U, 100U, 1000U, SIZE_MAX};
        wishes[config.wish_count - 1U].waste_max = waste_max[random_below(seed, 4U)];
        start += size + ((random_below(seed, 2U) == 0U) ? random_address(seed, 300U) : 0U);
    }
}

// Takes suggestions until the plan fits. What nothing can be done about is left out.
static void make_fit(void)
{
    mete_plan_result_t result = mete_plan_init(&plan, &config);
    for (size_t i = 0U; (result.verdict != METE_PLAN_FITS) && (i < 100U); i++) {
        mete_plan_wish_t *const blamed = &wishes[result.wish - wishes];
        if (((result.start | result.last) != 0U) && (i < 60U)) {
            blamed->start = result.start;
            blamed->last = result.last;
        } else {
            config.wish_count--;
            *blamed = wishes[config.wish_count];
        }
        result = mete_plan_init(&plan, &config);
    }
    EXPECT(result.verdict == METE_PLAN_FITS);
}

static size_t differences;

static void compare(uint64_t address)
{
    static const uint32_t sizes[] = {1U, 2U, 4U, 8U};
    for (size_t i = 0U; i < 32U; i++) {
        const access_t access = {address, sizes[i & 3U], 1U << ((i >> 2) % 3U), (i >> 4) != 0U};
        if (address > UINTPTR_MAX) {
            return;
        }
        const bool allowed =
            mete_plan_allows(&plan, (uintptr_t)address, access.size, access.kind,
                             access.is_privileged ? METE_PRIVILEGED : METE_UNPRIVILEGED);
        differences += (allowed != ref_allows(&plan, &access)) ? 1U : 0U;
    }
}

static void compare_around(uint64_t edge)
{
    for (uint64_t i = 0U; i < 20U; i++) {
        compare((edge >= 10U) ? edge - 10U + i : i);
    }
}

// Wherever a wish or a region, or a part of one, starts or ends.
static void compare_edges(void)
{
    differences = 0U;
    for (size_t i = 0U; i < config.wish_count; i++) {
        compare_around(wishes[i].start);
        compare_around((uint64_t)wishes[i].last + 1U);
    }
    for (size_t n = 0U; n < plan.image_count; n++) {
        const uint64_t first = plan.images[n].words[0];
        const uint64_t second = plan.images[n].words[1];
        const bool is_pmp = config.backend->rules.kind == METE_MPU_PMP;
        compare_around(is_pmp ? first << 2 : first & ~31ULL);
        compare_around(is_pmp ? (first & (first + 1U)) << 2 : (second | 31U) + 1U);
        const uint64_t slice = (2ULL << bits_of(second, 5U, 1U)) / 8U;
        for (uint64_t k = 1U; (config.backend->rules.kind == METE_MPU_ARMV7M) && (k <= 8U); k++) {
            compare_around((first & ~31ULL) / slice * slice + k * slice);
        }
    }
    EXPECT(differences == 0U);
}

static bool is_granted(uintptr_t address, bool is_privileged, uint32_t rights)
{
    bool is_right = true;
    for (uint32_t kind = R; kind <= (uint32_t)X; kind <<= 1) {
        const access_t access = {address, 1U, kind, is_privileged};
        is_right = is_right && (ref_allows(&plan, &access) == ((rights & kind) != 0U));
    }
    return is_right;
}

static const mete_plan_wish_t *owner_of(uintptr_t address)
{
    for (size_t i = 0U; i < config.wish_count; i++) {
        if ((address >= wishes[i].start) && (address <= wishes[i].last)) {
            return &wishes[i];
        }
    }
    return NULL;
}

// The rights of privileged code where no region is are those of the background.
static bool is_background(uintptr_t address)
{
    const bool is_open = config.has_background || (config.backend->rules.kind == METE_MPU_PMP);
    bool is_right = is_granted(address, false, 0U);
    for (uint32_t kind = R; kind <= (uint32_t)X; kind <<= 1) {
        const bool is_cortex = config.backend->rules.kind <= METE_MPU_ARMV8M;
        const bool is_pages = config.backend->rules.kind == METE_MPU_PAGES;
        const bool is_allowed =
            is_open && (!is_cortex || ref_default_map(address, kind)) && (!is_pages || (kind != X));
        const access_t access = {address, 1U, kind, true};
        is_right = is_right && (ref_allows(&plan, &access) == is_allowed);
    }
    return is_right;
}

// Goes through the window and what lies around it.
static void check_bytes(uintptr_t window, uint32_t unit)
{
    size_t wrong = 0U;
    size_t wasted = 0U;
    const bool holds_privilege = config.backend->rules.holds_privilege;
    const uintptr_t margin = (window >= 2048U) ? 2048U : 0U;
    for (uintptr_t i = 0U; i < WINDOW + 2U * margin; i++) {
        const uintptr_t address = window - margin * unit + i * unit;
        const mete_plan_wish_t *const owner = owner_of(address);
        const bool is_cortex = config.backend->rules.kind <= METE_MPU_ARMV8M;
        if (is_cortex && (address >= 0xE0000000U)) {
            break;
        }
        if (owner == NULL) {
            wasted += is_background(address) ? 0U : 1U;
        } else {
            const uint32_t privileged = holds_privilege ? owner->rights.privileged : RWX;
            wrong += is_granted(address, false, owner->rights.unprivileged) ? 0U : 1U;
            wrong += is_granted(address, true, privileged) ? 0U : 1U;
        }
    }
    EXPECT(wrong == 0U);
    // Waste of two wishes may lie in the same place.
    EXPECT(wasted <= mete_plan_usage(&plan).waste_size);
}

static void check_shares(void)
{
    size_t regions = 0U;
    for (size_t i = 0U; i < config.wish_count; i++) {
        regions += shares[i].region_count;
        EXPECT(shares[i].waste_size <= wishes[i].waste_max);
    }
    EXPECT(regions == plan.image_count);
    EXPECT(mete_plan_check(&plan));
}

static void work(const mete_plan_backend_t *backend, uint32_t unit)
{
    uint32_t seed = 2026U;
    size_t regions = 0U;
    for (size_t i = 0U; i < PLAN_COUNT; i++) {
        setup(backend, 8U + random_below(&seed, 2U) * 8U, random_below(&seed, 2U) != 0U);
        const uintptr_t window = windows[i % 5U] & ~(uintptr_t)(WINDOW * unit - 1U);
        const uintptr_t at =
            (windows[i % 5U] == 0x7FFFFC00U) ? window + WINDOW * unit / 2U : window;
        make_wishes(&seed, at, unit);
        // What no region can say is not wished for.
        for (size_t k = 0U; k < config.wish_count; k++) {
            if (!backend->encodes(&config, &wishes[k])) {
                wishes[k].rights = (mete_rights_t){RW, RW};
            }
        }
        make_fit();
        regions += plan.image_count;
        check_shares();
        compare_edges();
        check_bytes(at, unit);
    }
    tap_note("regions", regions);
    EXPECT(regions > PLAN_COUNT);
}

static void test_armv7m(void)
{
    work(&mete_plan_armv7m, 1U);
}

static void test_armv8m(void)
{
    work(&mete_plan_armv8m, 1U);
}

static void test_pmp(void)
{
    work(&mete_plan_pmp, 1U);
}

static void test_pmp_with_locks(void)
{
    work(&mete_plan_pmp_locked, 1U);
}

static void test_pages(void)
{
    work(&mete_plan_pages, 128U);
}

static void spoil(const mete_plan_backend_t *backend, size_t n, bool is_small, uint32_t *seed)
{
    const bool is_pmp = backend->rules.kind == METE_MPU_PMP;
    const uint32_t at = 0x20000000U + random_below(seed, 64U) * 32U;
    images[n].words[0] =
        is_pmp ? (0x20000000U >> 2) + random_below(seed, 64U) : (at | random_below(seed, 32U));
    images[n].words[1] = random_next(seed);
    if (backend->rules.kind == METE_MPU_ARMV7M) {
        // 32 bytes to 2 KiB mostly, of which the slices that are kept stand in a row.
        const uint32_t first = random_below(seed, 8U);
        const uint32_t kept = (0xFFU >> random_below(seed, 8U - first)) & (0xFFU << first);
        images[n].words[1] |= 0xFF00U;
        images[n].words[1] &= ~((uintptr_t)kept << 8);
        images[n].words[1] &= ~0x3EU;
        images[n].words[1] |=
            (is_small) ? (4U + random_below(seed, 7U)) << 1 : (4U + random_below(seed, 28U)) << 1;
        images[n].words[1] &= (bits_of(images[n].words[1], 5U, 1U) < 7U) ? ~0xFF00U : ~0U;
    } else if (backend->rules.kind == METE_MPU_ARMV8M) {
        // The hardware denies what two regions have. No plan has such, and mete_plan_check() does not take it for one.
        const uint32_t start = 0x20000000U + (uint32_t)n * 256U + random_below(seed, 4U) * 32U;
        images[n].words[0] = start | random_below(seed, 32U);
        images[n].words[1] = start + random_below(seed, 128U);
    }
}

// Images that no plan makes: regions that are off, are empty, have other rights; entries in any order, one over another.
static void work_on_garbage(const mete_plan_backend_t *backend)
{
    uint32_t seed = 77U;
    differences = 0U;
    for (size_t i = 0U; i < 10U * PLAN_COUNT; i++) {
        setup(backend, IMAGE_MAX, (i & 1U) != 0U);
        EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
        const bool is_pmp = backend->rules.kind == METE_MPU_PMP;
        plan.image_count = random_below(&seed, 9U);
        for (size_t n = 0U; n < plan.image_count; n++) {
            spoil(backend, n, (i & 7U) != 0U, &seed);
        }
        decode_images();
        for (size_t k = 0U; k < 60U; k++) {
            compare(0x20000000U + random_below(&seed, is_pmp ? 300U : 2100U));
        }
    }
    EXPECT(differences == 0U);
}

static void test_garbage_armv7m(void)
{
    work_on_garbage(&mete_plan_armv7m);
}

static void test_garbage_armv8m(void)
{
    work_on_garbage(&mete_plan_armv8m);
}

static void test_garbage_pmp(void)
{
    work_on_garbage(&mete_plan_pmp);
}

static void test_the_space_of_the_system(void)
{
    static const mete_plan_backend_t *const backends[] = {&mete_plan_armv7m, &mete_plan_armv8m};
    for (size_t i = 0U; i < 4U; i++) {
        setup(backends[i & 1U], 8U, i < 2U);
        wish(0x20000000U, 0x200000FFU, RW, RW);
        EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
        differences = 0U;
        compare_around(0xE0000000U);
        compare_around(0xE0100000U);
        compare_around(0xFFFFFFFFU - 20U);
        compare_around(0x40000000U);
        compare_around(0x60000000U);
        compare_around(0xA0000000U);
        EXPECT(differences == 0U);
    }
}

int main(void)
{
    RUN(test_armv7m);
    RUN(test_armv8m);
    RUN(test_pmp);
    RUN(test_pmp_with_locks);
    RUN(test_pages);
    RUN(test_garbage_armv7m);
    RUN(test_garbage_armv8m);
    RUN(test_garbage_pmp);
    RUN(test_the_space_of_the_system);
    return tap_finish();
}

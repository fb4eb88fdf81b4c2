// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Plans: the rules of each kind of hardware, one at a time; who is refused, why, and what would fit; what a driver gets.

#include "tests/unit/protect/plan_fixture.h"

static const mete_plan_backend_t *const backends[] = {
    &mete_plan_armv7m, &mete_plan_armv8m, &mete_plan_pmp, &mete_plan_pmp_locked, &mete_plan_pages};
enum { BACKEND_COUNT = 5 };

static mete_plan_result_t result;

static mete_plan_verdict_t make(void)
{
    result = mete_plan_init(&plan, &config);
    return result.verdict;
}

static bool has_image(size_t n, uintptr_t first, uintptr_t second)
{
    return (n < plan.image_count) && (images[n].words[0] == first) &&
           (images[n].words[1] == second);
}

static bool is_refused(mete_plan_verdict_t verdict, size_t index)
{
    return (make() == verdict) && (result.wish == &wishes[index]);
}

// RASR: the size as bits, and what is left out; cached memory.
static uint32_t rasr(uint32_t ap, bool is_executable, unsigned bits, uint32_t left_out)
{
    return (is_executable ? 0U : 1U << 28) | (ap << 24) | 0x000B0000U | (left_out << 8) |
           ((bits - 1U) << 1) | 1U;
}

// ---- ARMv7-M

static void test_armv7m_takes_a_power_of_two_as_it_is(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20001000U, 0x20001FFFU, RW, RW);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U));
    EXPECT(has_image(0U, 0x20001010U, rasr(3U, false, 12U, 0U)));
    wishes[0].last = 0x2000101FU;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20001010U, rasr(3U, false, 5U, 0U)));
    wishes[0].start = 0U;
    wishes[0].last = 0x7FFFFFFFU;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x10U, rasr(3U, false, 31U, 0U)));
    wishes[0].last = 0xDFFFFFFFU;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x10U, rasr(3U, false, 32U, 0x80U)));
}

static void test_armv7m_leaves_slices_out_from_256_bytes_on(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000020U, 0x200000BFU, RW, RW);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U));
    EXPECT(has_image(0U, 0x20000010U, rasr(3U, false, 8U, 0xC1U)));
    wishes[0].start = 0x20000000U;
    wishes[0].last = 0x2000005FU;  // 96 of 256, not of 128.
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20000010U, rasr(3U, false, 8U, 0xF8U)));
    wishes[0].last = 0x20005FFFU;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20000010U, rasr(3U, false, 15U, 0xC0U)));
}

static void test_armv7m_knows_the_rights_that_exist(void)
{
    static const struct {
        unsigned char unprivileged, privileged, ap;
    } known[] = {{0U, 0U, 0U},   {0U, RW, 1U}, {R, RW, 2U},   {RW, RW, 3U},
                 {0U, R, 5U},    {R, R, 6U},   {0U, RWX, 1U}, {RX, RWX, 2U},
                 {RWX, RWX, 3U}, {0U, RX, 5U}, {RX, RX, 6U}};
    size_t count = 0U;
    for (uint32_t both = 0U; both < 64U; both++) {
        setup(&mete_plan_armv7m, 8U, true);
        wish(0x20000000U, 0x200000FFU, both % 8U, both / 8U);
        const mete_plan_verdict_t verdict = make();
        bool is_known = false;
        for (size_t i = 0U; i < sizeof known / sizeof known[0]; i++) {
            if ((known[i].unprivileged == both % 8U) && (known[i].privileged == both / 8U)) {
                const bool is_executable = ((both / 8U) & X) != 0U;
                is_known = true;
                EXPECT(has_image(0U, 0x20000010U, rasr(known[i].ap, is_executable, 8U, 0U)));
            }
        }
        EXPECT(verdict == (is_known ? METE_PLAN_FITS : METE_PLAN_RIGHTS));
        EXPECT(result.wish == (is_known ? NULL : &wishes[0]));
        count += is_known ? 1U : 0U;
    }
    EXPECT(count == sizeof known / sizeof known[0]);
}

static void test_armv7m_knows_memory_types(void)
{
    static const uint32_t bits[] = {0x000B0000U, 0x00080000U, 0x00010000U, 0U};
    for (uint32_t type = 0U; type < METE_MPU_MEMORY_COUNT; type++) {
        setup(&mete_plan_armv7m, 8U, true);
        wish(0x40000000U, 0x400003FFU, RW, RW);
        wishes[0].memory = (mete_mpu_memory_t)type;
        EXPECT(make() == METE_PLAN_FITS);
        EXPECT((images[0].words[1] & 0x003F0000U) == bits[type]);
        wishes[0].rights = (mete_rights_t){RX, RX};  // Device memory is never executed.
        EXPECT(make() == ((type < 2U) ? METE_PLAN_FITS : METE_PLAN_RIGHTS));
    }
}

static void test_armv7m_lays_a_guard_over_a_stack(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000020U, 0x20000FFFU, RW, RW);
    wish(0x20000000U, 0x2000001FU, 0U, 0U);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    EXPECT(has_image(0U, 0x20000010U, rasr(3U, false, 12U, 0U)));
    EXPECT(has_image(1U, 0x20000011U, rasr(0U, false, 5U, 0U)));
    EXPECT((shares[0].region_count == 1U) && (shares[1].region_count == 1U));
    EXPECT(mete_plan_usage(&plan).waste_size == 0U);
}

static void test_wishes_that_touch_share_what_they_can(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x08000000U, 0x08000FFFU, RX, RX);
    wish(0x08001000U, 0x08001FFFU, RX, RX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U));
    EXPECT((shares[0].region_count == 1U) && (shares[1].region_count == 0U));
    wishes[1].memory = METE_MPU_UNCACHED;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    wishes[1].memory = METE_MPU_CACHED;
    wishes[1].rights.unprivileged = 0U;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    // Something else in their midst lies on top.
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x08000000U, 0x080002FFU, RX, RX);
    wish(0x08000300U, 0x0800031FU, 0U, 0U);
    wish(0x08000320U, 0x08000FFFU, RX, RX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    EXPECT(has_image(1U, 0x08000311U, rasr(0U, false, 5U, 0U)));
    setup(&mete_plan_armv8m, 8U, false);
    wish(0x08000000U, 0x08000FFFU, RX, RX);
    wish(0x08001000U, 0x08001FFFU, RX, RX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U));
    setup(&mete_plan_pages, 8U, false);
    wish(0x08000000U, 0x08000FFFU, RX, RX);
    wish(0x08001000U, 0x08001FFFU, RX, RX);
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x08000000U | (RX << 3) | RX, 0x08001FFFU));
}

static void test_waste_is_what_was_agreed_to(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000000U, 0x20002100U, RW, RW);
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U) && (result.other == NULL));
    wishes[0].waste_max = 30U;
    EXPECT(make() == METE_PLAN_ALIGN);
    wishes[0].waste_max = 31U;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 3U) && (shares[0].waste_size == 31U));
    wishes[0].waste_max = 127U;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U) && (shares[0].waste_size == 63U));
    wishes[0].waste_max = 1791U;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U) &&
           (shares[0].waste_size == 1791U));
    EXPECT(mete_plan_usage(&plan).waste_size == 1791U);
}

// ---- ARMv8-M

static void test_armv8m_takes_granules(void)
{
    setup(&mete_plan_armv8m, 8U, true);
    wish(0x20000020U, 0x200011DFU, RW, RW);
    wish(0x40000000U, 0x400003FFU, 0U, RW);
    wishes[1].memory = METE_MPU_STRONGLY_ORDERED;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    const size_t low = (images[0].words[0] < images[1].words[0]) ? 0U : 1U;
    EXPECT(has_image(low, 0x20000020U | 3U, 0x200011C0U | 1U));
    EXPECT(has_image(1U - low, 0x40000000U | 1U, 0x400003E0U | (3U << 1) | 1U));
    EXPECT(METE_MPU_MAIR0 == 0x000444FFU);
}

static void test_armv8m_knows_the_rights_that_exist(void)
{
    static const unsigned char known[][3] = {{0U, RWX, 0U}, {0U, RW, 1U}, {RWX, RWX, 2U},
                                             {RW, RW, 3U},  {0U, RX, 4U}, {0U, R, 5U},
                                             {RX, RX, 6U},  {R, R, 7U}};
    for (uint32_t both = 0U; both < 64U; both++) {
        setup(&mete_plan_armv8m, 8U, true);
        wish(0x20000000U, 0x200000FFU, both % 8U, both / 8U);
        const mete_plan_verdict_t verdict = make();
        bool is_known = false;
        for (size_t i = 0U; i < 8U; i++) {
            if ((known[i][0] == both % 8U) && (known[i][1] == both / 8U)) {
                is_known = true;
                EXPECT(has_image(0U, 0x20000000U | known[i][2], 0x200000E1U));
            }
        }
        EXPECT(verdict == (is_known ? METE_PLAN_FITS : METE_PLAN_RIGHTS));
    }
}

static void test_armv8m_grants_nothing_by_leaving_out(void)
{
    setup(&mete_plan_armv8m, 8U, false);
    wish(0x20000000U, 0x2000000FU, 0U, 0U);  // Not even whole granules.
    wish(0x20000020U, 0x200000FFU, RW, RW);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U) && mete_plan_check(&plan));
    EXPECT(shares[0].region_count == 0U);
    wishes[1].start = 0x20000010U;  // But its bytes are still its own.
    wishes[1].waste_max = SIZE_MAX;
    EXPECT(is_refused(METE_PLAN_ALIGN, 1U) && (result.other == &wishes[0]));
    config.has_background = true;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
}

// The hardware denies what two regions have: such images are no plan.
static void test_armv8m_overlap_is_noticed(void)
{
    setup(&mete_plan_armv8m, 8U, true);
    wish(0x20000000U, 0x200000FFU, RW, RW);
    wish(0x20000100U, 0x200001FFU, R, R);
    EXPECT((make() == METE_PLAN_FITS) && mete_plan_check(&plan));
    images[1].words[0] -= 0x20U;
    EXPECT(!mete_plan_check(&plan));
}

// ---- RISC-V

static void test_pmp_takes_napot_and_na4(void)
{
    setup(&mete_plan_pmp, 16U, false);
    wish(0x80000000U, 0x80000FFFU, RX, RWX);
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20000000U | 0x1FFU, 0x1DU));
    wishes[0].last = 0x80000007U;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20000000U, 0x1DU));
    wishes[0].last = 0x80000003U;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x20000000U, 0x15U));
    wishes[0].start = 0U;
    wishes[0].last = 0xFFFFFFFFU;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x1FFFFFFFU, 0x1DU));
}

static void test_pmp_takes_tor_with_the_entry_before(void)
{
    setup(&mete_plan_pmp, 16U, false);
    wish(0x80000010U, 0x8000FFE3U, RX, RWX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    EXPECT(has_image(0U, 0x20000004U, 0U) && has_image(1U, 0x20003FF9U, 0x0DU));
    // The next goes on where this one ends.
    wish(0x8000FFE4U, 0x800100FFU, RW, RWX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 3U));
    EXPECT(has_image(1U, 0x20003FF9U, 0x0DU) && has_image(2U, 0x20004040U, 0x0BU));
    EXPECT((shares[0].region_count == 3U) && (shares[1].region_count == 0U));
    // To the end of the address space.
    setup(&mete_plan_pmp, 16U, false);
    wish(0xFFFF0004U, 0xFFFFFFFFU, R, RWX);
    EXPECT((make() == METE_PLAN_FITS) && has_image(1U, 0x40000000U, 0x09U));
}

static void test_pmp_lays_a_guard_over_a_stack(void)
{
    setup(&mete_plan_pmp, 16U, false);
    wish(0x80000100U, 0x80000FFFU, RW, RWX);
    wish(0x80000000U, 0x800000FFU, 0U, RWX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    EXPECT(has_image(0U, 0x2000001FU, 0x18U) && has_image(1U, 0x200001FFU, 0x1BU));
}

static void test_pmp_runs_on_under_what_lies_on_top(void)
{
    setup(&mete_plan_pmp, 16U, false);
    wish(0x80000010U, 0x800000FBU, RW, RWX);
    wish(0x800000FCU, 0x800000FFU, 0U, RWX);
    wish(0x80000100U, 0x8000FFE3U, RW, RWX);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 3U) && mete_plan_check(&plan));
    EXPECT(has_image(0U, 0x2000003FU, 0x10U));
    EXPECT(has_image(1U, 0x20000004U, 0U) && has_image(2U, 0x20003FF9U, 0x0BU));
}

static void test_pmp_locks_only_where_it_must(void)
{
    setup(&mete_plan_pmp_locked, 16U, false);
    wish(0x80000000U, 0x80000FFFU, RX, RX);
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x200001FFU, 0x9DU));
    wishes[0].rights.privileged = RWX;
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x200001FFU, 0x1DU));
    wishes[0].rights.privileged = RW;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
    config.backend = &mete_plan_pmp;  // M-mode is held to nothing.
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x200001FFU, 0x1DU));
    wishes[0].rights.unprivileged = W;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
    wishes[0].rights.unprivileged = W | X;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
}

static void test_pmp_denies_an_access_that_an_entry_has_only_in_part(void)
{
    setup(&mete_plan_pmp, 16U, false);
    wish(0x80000000U, 0x800000FFU, RW, RWX);
    wish(0x80000100U, 0x800001FFU, RW, RWX);
    wishes[1].memory = METE_MPU_UNCACHED;  // So that they do not share.
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 2U));
    EXPECT(mete_plan_allows(&plan, 0x800000FCU, 4U, W, METE_UNPRIVILEGED));
    EXPECT(!mete_plan_allows(&plan, 0x800000FEU, 4U, W, METE_UNPRIVILEGED));
    EXPECT(!mete_plan_allows(&plan, 0x800000FEU, 4U, W, METE_PRIVILEGED));
    EXPECT(mete_plan_allows(&plan, 0x80000200U, 4U, RWX, METE_PRIVILEGED));
    EXPECT(!mete_plan_allows(&plan, 0x80000200U, 4U, R, METE_UNPRIVILEGED));
}

// ---- Pages

static void test_pages_hold_both_rights(void)
{
    setup(&mete_plan_pages, 16U, true);
    wish(0x10000U, 0x11FFFU, R, RW);
    EXPECT((make() == METE_PLAN_FITS) && has_image(0U, 0x10000U | (RW << 3) | R, 0x11FFFU));
    wishes[0].rights.unprivileged = W;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
    wishes[0].rights.unprivileged = 0U;
    wishes[0].rights.privileged = X;
    EXPECT(is_refused(METE_PLAN_RIGHTS, 0U));
    static mete_plan_backend_t larger;
    larger = mete_plan_pages;
    larger.rules.granule = 65536U;
    config.backend = &larger;
    wishes[0] = (mete_plan_wish_t){"wish", 0x10000U, 0x11FFFU, {R, R}, METE_MPU_CACHED, 0U};
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U) && (result.start == 0x10000U) &&
           (result.last == 0x1FFFFU));
}

// ---- Refusals

static void test_wishes_that_make_no_sense_are_refused_by_name(void)
{
    for (size_t b = 0U; b < (size_t)BACKEND_COUNT; b++) {
        setup(backends[b], 8U, true);
        wish(0x20000000U, 0x20000FFFU, RX, RX);
        wish(0x20001000U, 0x20001FFFU, RW, RW);
        wishes[1].rights.privileged = (b == 2U) ? RWX : RW;
        EXPECT(make() == METE_PLAN_FITS);
        const mete_plan_wish_t good = wishes[1];
        wishes[1].name = NULL;
        EXPECT(is_refused(METE_PLAN_ILLEGAL, 1U));
        wishes[1] = good;
        wishes[1].last = wishes[1].start - 1U;
        EXPECT(is_refused(METE_PLAN_ILLEGAL, 1U));
        wishes[1] = good;
        wishes[1].rights.privileged = 8U;
        EXPECT(is_refused(METE_PLAN_ILLEGAL, 1U));
        wishes[1] = good;
        wishes[1].rights.unprivileged = 0x83U;
        EXPECT(is_refused(METE_PLAN_ILLEGAL, 1U));
        wishes[1] = good;
        wishes[1].memory = (mete_mpu_memory_t)METE_MPU_MEMORY_COUNT;
        EXPECT(is_refused(METE_PLAN_ILLEGAL, 1U));
        wishes[1] = good;
        wishes[1].start = 0x20000FFFU;
        EXPECT(is_refused(METE_PLAN_OVERLAPS, 1U) && (result.other == &wishes[0]));
        wishes[1].start = 0U;
        EXPECT(is_refused(METE_PLAN_OVERLAPS, 0U) && (result.other == &wishes[1]));
        wishes[1] = wishes[0];
        EXPECT(make() == METE_PLAN_OVERLAPS);
    }
}

static void test_what_no_region_governs_is_refused(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0xE0000000U, 0xE0000FFFU, 0U, RW);
    EXPECT(is_refused(METE_PLAN_BEYOND, 0U));
    config.backend = &mete_plan_armv8m;
    EXPECT(is_refused(METE_PLAN_BEYOND, 0U));
    config.backend = &mete_plan_pages;
    EXPECT(make() == METE_PLAN_FITS);
#if UINTPTR_MAX > 0xFFFFFFFFU
    config.backend = &mete_plan_pmp;
    wishes[0] = (mete_plan_wish_t){
        "far", UINTPTR_MAX >> 8, UINTPTR_MAX >> 8, {0U, METE_ACCESS_ALL}, METE_MPU_CACHED, 3U};
    EXPECT(make() == METE_PLAN_FITS);
    wishes[0].last++;
    EXPECT(is_refused(METE_PLAN_BEYOND, 0U));
#endif
}

static void test_a_config_that_makes_no_sense_is_refused(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000000U, 0x20000FFFU, RW, RW);
    config.backend = NULL;
    EXPECT((make() == METE_PLAN_ILLEGAL) && (result.wish == NULL));
    config.backend = &mete_plan_armv7m;
    config.wishes = NULL;
    EXPECT(make() == METE_PLAN_ILLEGAL);
    config.wishes = wishes;
    config.shares = NULL;
    EXPECT(make() == METE_PLAN_ILLEGAL);
    config.shares = shares;
    config.images = NULL;
    EXPECT(make() == METE_PLAN_ILLEGAL);
    config.images = images;
    config.ranges = NULL;
    EXPECT(make() == METE_PLAN_ILLEGAL);
    config.ranges = ranges;
    config.wish_count = METE_PLAN_WISH_MAX + 1U;
    EXPECT((make() == METE_PLAN_ILLEGAL) && (plan.config == NULL));
}

static void test_without_wishes_nothing_is_allowed(void)
{
    for (size_t b = 0U; b < (size_t)BACKEND_COUNT; b++) {
        setup(backends[b], 0U, false);
        config.wishes = NULL;
        config.shares = NULL;
        config.images = NULL;
        config.ranges = NULL;
        EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 0U) && mete_plan_check(&plan));
        EXPECT(!mete_plan_allows(&plan, 0x20000000U, 4U, R, METE_UNPRIVILEGED));
        const bool is_pmp = backends[b]->rules.kind == METE_MPU_PMP;
        EXPECT(mete_plan_allows(&plan, 0x20000000U, 4U, R, METE_PRIVILEGED) == is_pmp);
        EXPECT(!mete_plan_allows(&plan, UINTPTR_MAX, 2U, R, METE_PRIVILEGED));
        config.has_background = true;
        EXPECT(make() == METE_PLAN_FITS);
        EXPECT(!mete_plan_allows(&plan, UINTPTR_MAX, 2U, R, METE_PRIVILEGED));
#if UINTPTR_MAX > 0xFFFFFFFFU
        const bool is_cortex = backends[b]->rules.kind <= METE_MPU_ARMV8M;
        EXPECT(mete_plan_allows(&plan, 0x120000000U, 4U, R, METE_PRIVILEGED) == !is_cortex);
        EXPECT(!mete_plan_allows(&plan, UINTPTR_MAX - 1U, 4U, R, METE_PRIVILEGED));
#endif
    }
}

static void test_neighbours_in_one_granule_are_refused_with_a_way_out(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000000U, 0x2000000FU, RW, RW);
    wish(0x20000010U, 0x20000FFFU, R, R);
    wishes[0].waste_max = SIZE_MAX;
    wishes[1].waste_max = SIZE_MAX;
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U) && (result.other == &wishes[1]));
    EXPECT((result.start == 0x20001000U) && (result.last == 0x2000101FU));
    wishes[0].start = result.start;
    wishes[0].last = result.last;
    EXPECT(make() == METE_PLAN_FITS);
}

static void test_a_suggestion_stays_where_the_wish_was_if_it_can(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000004U, 0x20000067U, RW, RW);  // 100 bytes.
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U));
    EXPECT((result.start == 0x20000000U) && (result.last == 0x2000007FU));
    wishes[0].last = 0x20000FA3U;  // 4000 bytes: eight slices of 512.
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U));
    EXPECT((result.start == 0x20000000U) && (result.last == 0x20000FFFU));
    // A byte that it would hit.
    setup(&mete_plan_armv8m, 8U, false);
    wish(0x20000004U, 0x20000067U, RW, RW);
    wish(0x20000000U, 0x20000000U, 0U, 0U);
    EXPECT(is_refused(METE_PLAN_ALIGN, 0U) && (result.other == &wishes[1]));
    EXPECT((result.start == 0x20000020U) && (result.last == 0x2000009FU));
    setup(&mete_plan_armv7m, 8U, true);
    wish(0xDFFFFFF0U, 0xDFFFFFFFU, RW, RW);
    wish(0xDFFFFF00U, 0xDFFFFFEFU, R, R);
    EXPECT(make() == METE_PLAN_ALIGN);
    EXPECT((result.wish != &wishes[0]) || ((result.start | result.last) == 0U));  // Nowhere.
}

static void test_more_than_six_are_cut_at_the_widest_gap(void)
{
    setup(&mete_plan_armv7m, 16U, true);
    for (uintptr_t i = 0U; i < 5U; i++) {
        wish(0x20010000U - i * 4096U, 0x2001001FU - i * 4096U, RW, RW);
    }
    wish(0x20020000U, 0x2002001FU, 0U, 0U);
    wish(0x20020020U, 0x20020FFFU, RW, RW);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 7U) && mete_plan_check(&plan));
}

static void test_too_few_regions_name_the_greediest(void)
{
    setup(&mete_plan_armv7m, 3U, true);
    wish(0x20000000U, 0x200000FFU, RW, RW);
    wish(0x20001020U, 0x2000301FU, R, R);
    wish(0x20008000U, 0x2000801FU, RW, RW);
    EXPECT(is_refused(METE_PLAN_FULL, 1U));
    EXPECT((result.start == 0x20002000U) && (result.last == 0x20003FFFU));
    wishes[1].start = result.start;
    wishes[1].last = result.last;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 3U));
    config.image_max = 2U;
    EXPECT((make() == METE_PLAN_FULL) && ((result.start | result.last) == 0U));
    // Of more than the hardware can have the rest is not used.
    setup(&mete_plan_armv7m, IMAGE_MAX, true);
    for (uintptr_t i = 0U; i < 17U; i++) {
        wish(0x20000000U + i * 64U, 0x2000001FU + i * 64U, RW, RW);
    }
    EXPECT(make() == METE_PLAN_FULL);
    config.wish_count--;
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 16U) && mete_plan_check(&plan));
}

// ---- Garbage changes nothing

static uint32_t sum_of(const void *bytes, size_t size)
{
    uint32_t sum = 0U;
    for (size_t i = 0U; i < size; i++) {
        sum = sum * 31U + ((const unsigned char *)bytes)[i];
    }
    return sum;
}

static uint32_t sum_of_all(void)
{
    return sum_of(images, sizeof images) ^ sum_of(shares, sizeof shares) ^
           sum_of(&plan, sizeof plan);
}

static void make_garbage(uint32_t *seed)
{
    static const uintptr_t bounds[] = {0U, UINTPTR_MAX, 0xDFFFFFFFU, 0xFFFFFFFFU, 0x20000000U};
    config.wish_count = random_below(seed, METE_PLAN_WISH_MAX + 2U);
    if (random_below(seed, 2U) != 0U) {
        config.wish_count %= 5U;
    }
    config.image_max = random_below(seed, IMAGE_MAX + 1U);
    config.has_background = random_below(seed, 2U) != 0U;
    for (size_t i = 0U; i < WISH_MAX; i++) {
        const uintptr_t start = (random_below(seed, 9U) == 0U) ? bounds[random_below(seed, 5U)]
                                                               : (uintptr_t)random_next(seed);
        const uint32_t size = random_next(seed) >> random_below(seed, 32U);
        wishes[i] = (mete_plan_wish_t){
            (random_below(seed, 60U) == 0U) ? NULL : "wish",
            start,
            (random_below(seed, 40U) == 0U) ? bounds[random_below(seed, 5U)] : start + size,
            {(uint8_t)(random_below(seed, 30U) == 0U ? random_next(seed) : 3U),
             (uint8_t)(random_below(seed, 30U) == 0U ? random_next(seed) : 3U)},
            (mete_mpu_memory_t)(random_below(seed, 50U) == 0U ? 7U : random_below(seed, 4U)),
            (random_below(seed, 2U) == 0U) ? SIZE_MAX : random_next(seed)};
    }
}

static void test_garbage_is_refused_and_changes_nothing(void)
{
    uint32_t seed = 99U;
    size_t refused = 0U;
    size_t fitting = 0U;
    for (size_t i = 0U; i < 1500U; i++) {
        setup(backends[i % (size_t)BACKEND_COUNT], 16U, true);
        wish(0x20000000U, 0x20000FFFU, RW, RW);
        EXPECT(make() == METE_PLAN_FITS);
        const uint32_t sum = sum_of_all();
        make_garbage(&seed);
        if (make() != METE_PLAN_FITS) {
            refused++;
            EXPECT(sum_of_all() == sum);
            EXPECT((result.wish != NULL) || (result.verdict == METE_PLAN_ILLEGAL));
            EXPECT(result.start <= result.last);
        } else {
            fitting++;
            EXPECT(mete_plan_check(&plan));
        }
    }
    EXPECT((refused > 500U) && (fitting > 100U));
}

// ---- The driver

typedef struct driver {
    mete_mpu_unit_t unit;
    size_t commits;
    const mete_mpu_image_t *images;
    size_t image_count;
    bool has_background;
    bool is_enabled;
} driver_t;

static void driver_commit(void *self, const mete_mpu_image_t *given, size_t image_count,
                          bool has_background)
{
    driver_t *const driver = self;
    driver->commits++;
    driver->images = given;
    driver->image_count = image_count;
    driver->has_background = has_background;
}

static void driver_enable(void *self)
{
    ((driver_t *)self)->is_enabled = true;
}

static void driver_disable(void *self)
{
    ((driver_t *)self)->is_enabled = false;
}

static void test_a_driver_gets_the_images(void)
{
    static const mete_mpu_ops_t ops = {METE_MPU_ARMV7M, driver_commit, driver_enable,
                                       driver_disable};
    driver_t driver = {.unit = {8U}};
    const mete_mpu_t mpu = {&ops, &driver.unit};
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000020U, 0x20000FFFU, RW, RW);
    wish(0x20000000U, 0x2000001FU, 0U, 0U);
    EXPECT(make() == METE_PLAN_FITS);
    mete_plan_commit(&plan, mpu);
    EXPECT((driver.commits == 1U) && (driver.images == images) && (driver.image_count == 2U));
    EXPECT(driver.has_background && !driver.is_enabled && (tap_take_fault() == 0));
    mete_mpu_enable(mpu);
    EXPECT(driver.is_enabled && (mete_mpu_region_count(mpu) == 8U));
    mete_mpu_disable(mpu);
    EXPECT(!driver.is_enabled);
    driver.unit.region_count = 2U;
    mete_plan_commit(&plan, mpu);
    EXPECT(driver.commits == 2U);
}

#if METE_CHECK_LEVEL >= 1
static void test_a_plan_for_other_hardware_is_not_written(void)
{
    static const mete_mpu_ops_t ops = {METE_MPU_ARMV8M, driver_commit, driver_enable,
                                       driver_disable};
    static const mete_mpu_ops_t few_ops = {METE_MPU_ARMV7M, driver_commit, driver_enable,
                                           driver_disable};
    driver_t driver = {.unit = {1U}};
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000020U, 0x20000FFFU, RW, RW);
    wish(0x20000000U, 0x2000001FU, 0U, 0U);
    EXPECT(make() == METE_PLAN_FITS);
    mete_plan_commit(&plan, (mete_mpu_t){&ops, &driver.unit});
    EXPECT((tap_take_fault() == METE_FAULT_FOREIGN) && (tap_fault_object == &plan));
    mete_plan_commit(&plan, (mete_mpu_t){&few_ops, &driver.unit});
    EXPECT((tap_take_fault() == METE_FAULT_SIZE) && (driver.commits == 0U));
}
#endif

static void make_two(const mete_plan_backend_t *backend)
{
    setup(backend, 8U, true);
    wish(0x20000000U, 0x20000FFFU, RX, RX);
    wish(0x20002000U, 0x20002FFFU, R, R);
    EXPECT((make() == METE_PLAN_FITS) && mete_plan_check(&plan));
}

static void test_check_notices_images_that_are_others(void)
{
    for (size_t b = 0U; b < (size_t)BACKEND_COUNT; b++) {
        make_two(backends[b]);
        const mete_mpu_image_t image = images[1];
        images[1] = images[0];
        EXPECT(!mete_plan_check(&plan));
        images[1] = image;
        EXPECT(mete_plan_check(&plan));
        plan.image_count--;
        EXPECT(!mete_plan_check(&plan));
        plan.image_count++;
        plan.range_count--;
        EXPECT(!mete_plan_check(&plan));
        plan.range_count += 2U;
        EXPECT(!mete_plan_check(&plan));
    }
}

// What an image says besides: its region's number, memory types, what is reserved.
static bool is_silent(size_t word, unsigned bit)
{
    switch (config.backend->rules.kind) {
    case METE_MPU_ARMV7M:
        // Regions of 4096 bytes have bits of their base that the hardware does not look at; AP 6 and 7 are the same.
        return (word == 0U) ? bit < 12U
                            : ((bit >= 6U) && (bit <= 7U)) || ((bit >= 16U) && (bit <= 23U)) ||
                                  (bit == 24U) || (bit == 27U) || (bit >= 29U);
    case METE_MPU_ARMV8M:
        return (word == 0U) ? (bit == 3U) || (bit == 4U) : (bit >= 1U) && (bit <= 4U);
    case METE_MPU_PMP:
        // Without a lock there are no rights of privileged code.
        return (word == 1U) && (((bit >= 5U) && (bit <= 6U)) || (bit >= 8U));
    default:
        return false;  // A driver refuses what is not on a page.
    }
}

static void flip_image(size_t i)
{
    images[i / 64U].words[(i / 32U) % 2U] ^= (uintptr_t)1U << (i % 32U);
}

static void flip_range(size_t i)
{
    mete_plan_range_t *const range = &ranges[i / 96U];
    const uint32_t flip = 1U << (i % 32U);
    const size_t field = (i / 32U) % 3U;
    range->start ^= (field == 0U) ? flip : 0U;
    range->rest ^= (field == 1U) ? flip : 0U;
    range->rights ^= (field == 2U) ? flip : 0U;
}

static void expect_noticed(void)
{
    for (size_t i = 0U; i < plan.image_count * 64U; i++) {
        flip_image(i);
        EXPECT(mete_plan_check(&plan) == is_silent((i / 32U) % 2U, (unsigned)(i % 32U)));
        flip_image(i);
    }
    for (size_t i = 0U; i < plan.range_count * 96U; i++) {
        flip_range(i);
        EXPECT(!mete_plan_check(&plan));
        flip_range(i);
    }
}

static void test_check_notices_each_bit_that_matters(void)
{
    for (size_t b = 0U; b < (size_t)BACKEND_COUNT; b++) {
        make_two(backends[b]);
        expect_noticed();
    }
}

// Six slices of eight: what is left out behind them must stay so, and something must be left.
static void test_check_notices_slices_that_come_back(void)
{
    setup(&mete_plan_armv7m, 8U, true);
    wish(0x20000000U, 0x200002FFU, R, R);
    EXPECT((make() == METE_PLAN_FITS) && (plan.image_count == 1U) && mete_plan_check(&plan));
    const uintptr_t rasr = images[0].words[1];
    EXPECT((rasr & 0xFF00U) != 0U);
    for (uintptr_t slice = 0x100U; slice <= 0x8000U; slice <<= 1) {
        images[0].words[1] = rasr ^ slice;
        EXPECT(!mete_plan_check(&plan));
    }
    images[0].words[1] = rasr | 0xFF00U;
    EXPECT(!mete_plan_check(&plan));
}

int main(void)
{
    RUN(test_armv7m_takes_a_power_of_two_as_it_is);
    RUN(test_armv7m_leaves_slices_out_from_256_bytes_on);
    RUN(test_armv7m_knows_the_rights_that_exist);
    RUN(test_armv7m_knows_memory_types);
    RUN(test_armv7m_lays_a_guard_over_a_stack);
    RUN(test_wishes_that_touch_share_what_they_can);
    RUN(test_waste_is_what_was_agreed_to);
    RUN(test_armv8m_takes_granules);
    RUN(test_armv8m_knows_the_rights_that_exist);
    RUN(test_armv8m_grants_nothing_by_leaving_out);
    RUN(test_armv8m_overlap_is_noticed);
    RUN(test_pmp_takes_napot_and_na4);
    RUN(test_pmp_takes_tor_with_the_entry_before);
    RUN(test_pmp_lays_a_guard_over_a_stack);
    RUN(test_pmp_runs_on_under_what_lies_on_top);
    RUN(test_pmp_locks_only_where_it_must);
    RUN(test_pmp_denies_an_access_that_an_entry_has_only_in_part);
    RUN(test_pages_hold_both_rights);
    RUN(test_wishes_that_make_no_sense_are_refused_by_name);
    RUN(test_what_no_region_governs_is_refused);
    RUN(test_a_config_that_makes_no_sense_is_refused);
    RUN(test_without_wishes_nothing_is_allowed);
    RUN(test_neighbours_in_one_granule_are_refused_with_a_way_out);
    RUN(test_a_suggestion_stays_where_the_wish_was_if_it_can);
    RUN(test_more_than_six_are_cut_at_the_widest_gap);
    RUN(test_too_few_regions_name_the_greediest);
    RUN(test_garbage_is_refused_and_changes_nothing);
    RUN(test_a_driver_gets_the_images);
#if METE_CHECK_LEVEL >= 1
    RUN(test_a_plan_for_other_hardware_is_not_written);
#endif
    RUN(test_check_notices_images_that_are_others);
    RUN(test_check_notices_each_bit_that_matters);
    RUN(test_check_notices_slices_that_come_back);
    return tap_finish();
}

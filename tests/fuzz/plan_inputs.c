// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Bytes choose the hardware, the tables and the wishes. Most wishes come near each other and near edges of the hardware, for
// that is where plans are hard, some come from anywhere, and few are illegal, or nothing would ever fit.

#include "tests/fuzz/plan_inputs.h"

#include "tests/fuzz/stream.h"
#include "tests/unit/protect/plan_fixture.h"

enum { IMAGE_LIMIT = 40, PATTERN = 0x5A };

static const mete_plan_backend_t *const backends[] = {
    &mete_plan_armv7m, &mete_plan_armv8m, &mete_plan_pmp, &mete_plan_pmp_locked, &mete_plan_pages};

mete_plan_result_t plan_inputs_result;

// ---- Inputs

// RV64 has no entries for the end of 64 bits (Volume II, 3.7.1: 56 bits), and plans are for 32.
static uintptr_t address_mask(void)
{
    return (config.backend->rules.kind == METE_MPU_PMP) ? 0xFFFFFFFFU : UINTPTR_MAX;
}

static uintptr_t base_of(uint32_t choice)
{
    static const uintptr_t bases[] = {0U,          0x1FFFFF00U, 0x20000000U, 0x40000000U,
                                      0x7FFFFF00U, 0xDFFFF000U, 0xFFFFF000U, UINTPTR_MAX - 0xFFFU};
    return bases[choice % 8U] & address_mask();
}

static size_t waste_of(uint32_t choice)
{
    return (choice == 255U) ? SIZE_MAX
                            : (size_t)(choice & 15U) << ((choice >> 4) * ((choice & 1U) + 1U));
}

// Mostly the same for both; few that do not exist.
static mete_rights_t rights_of(uint32_t choice)
{
    static const uint8_t known[] = {0U, R, RW, RX, RWX, X, W, 9U};
    const uint32_t privileged = choice >> 4;
    const uint8_t same = known[choice % 5U];
    return (mete_rights_t){(choice < 0xF0U) ? same : known[choice & 7U],
                           (privileged < 10U) ? same : known[privileged % 5U]};
}

static mete_mpu_memory_t memory_of(uint32_t choice)
{
    return (mete_mpu_memory_t)((choice == 255U) ? METE_MPU_MEMORY_COUNT : choice & 3U);
}

static size_t image_max_of(uint32_t choice)
{
    const size_t few = (choice >> 1) % 6U;
    return ((choice & 1U) == 0U)      ? 8U
           : ((choice & 0x80U) != 0U) ? choice % (IMAGE_LIMIT + 1U)
                                      : few;
}

// Next to the wish before, behind a gap, or rarely over its end.
static void wish_near(stream_t *stream, mete_plan_wish_t *wished, uintptr_t *place, uintptr_t unit)
{
    const uint32_t gap = stream_byte(stream);
    const uint32_t extent = stream_byte(stream);
    wished->start = *place + ((gap < 128U) ? 0U : (gap & 15U) * unit + (gap >> 4) - 9U);
    wished->last = wished->start + (1U + (extent & 63U)) * unit - 1U - (extent >> 7);
    wished->start &= address_mask();
    wished->last &= address_mask();
    *place = wished->last + 1U;
}

static void make_wish(stream_t *stream, mete_plan_wish_t *wished, uintptr_t *place, uintptr_t unit)
{
    const uint32_t form = stream_byte(stream);
    wished->name = (form == 255U) ? NULL : "wish";
    if ((form & 63U) == 63U) {
        wished->start = stream_word(stream) & address_mask();
        wished->last = stream_word(stream) & address_mask();
    } else {
        wish_near(stream, wished, place, unit);
    }
    wished->rights = rights_of(((form & 32U) != 0U) ? stream_byte(stream) : 2U);
    wished->memory = memory_of(((form & 16U) != 0U) ? stream_byte(stream) : 0U);
    wished->waste_max = ((form & 8U) != 0U) ? waste_of(stream_byte(stream)) : 0U;
}

// In the order of addresses, or not.
static void mix(uint32_t step)
{
    for (size_t i = 0U; (config.wish_count <= WISH_MAX) && (i + step < config.wish_count);
         i += 2U) {
        const mete_plan_wish_t other = wishes[i];
        wishes[i] = wishes[i + step];
        wishes[i + step] = other;
    }
}

static void make_inputs(const uint8_t *bytes, size_t size)
{
    static const uint8_t units[] = {32U, 1U, 4U, 8U, 128U, 255U, 64U, 33U};
    stream_t stream = {bytes, size};
    const uint32_t hardware = stream_byte(&stream);
    const uint32_t where = stream_byte(&stream);
    const uint32_t tables = stream_byte(&stream);
    const uint32_t count = stream_byte(&stream);
    setup(backends[hardware % 5U], image_max_of(tables), (hardware & 0x80U) != 0U);
    const bool is_pages = config.backend == &mete_plan_pages;
    uintptr_t place = base_of(where);
    config.wish_count = (count < 224U) ? count % 9U : 2U + (count - 224U);
    for (size_t i = 0U; (i < config.wish_count) && (i < WISH_MAX); i++) {
        make_wish(&stream, &wishes[i], &place, units[where >> 5] * (is_pages ? 128U : 1U));
    }
    mix((tables >> 5) & 3U);
}

// ---- What must not change

static mete_plan_wish_t wishes_before[WISH_MAX];

static void fill(void *bytes, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        ((volatile unsigned char *)bytes)[i] = PATTERN;
    }
}

static bool is_filled(const void *bytes, size_t size)
{
    bool is_right = true;
    for (size_t i = 0U; i < size; i++) {
        is_right = is_right && (((const unsigned char *)bytes)[i] == PATTERN);
    }
    return is_right;
}

static void remember(void)
{
    fill(images, sizeof images);
    fill(ranges, sizeof ranges);
    fill(shares, sizeof shares);
    fill(&plan, sizeof plan);
    for (size_t i = 0U; i < WISH_MAX; i++) {
        wishes_before[i] = wishes[i];
    }
}

static bool wishes_are_as_before(void)
{
    bool is_right = true;
    for (size_t i = 0U; i < WISH_MAX; i++) {
        const mete_plan_wish_t *const is = &wishes[i];
        const mete_plan_wish_t *const was = &wishes_before[i];
        is_right = is_right && (is->start == was->start) && (is->last == was->last) &&
                   (is->name == was->name) && (is->waste_max == was->waste_max);
    }
    return is_right;
}

// ---- Verdicts

static size_t legal_count(void)
{
    return (config.wish_count <= WISH_MAX) ? config.wish_count : 0U;
}

static bool is_ours_or_null(const mete_plan_wish_t *wished)
{
    bool is_right = wished == NULL;
    for (size_t i = 0U; i < legal_count(); i++) {
        is_right = is_right || (wished == &wishes[i]);
    }
    return is_right;
}

static bool has_overlap(const mete_plan_wish_t *one, const mete_plan_wish_t *other)
{
    return (one != other) && (one->start <= other->last) && (other->start <= one->last);
}

// Who is to blame must be in the table, and be to blame.
static const char *check_blame(const mete_plan_result_t *result)
{
    const mete_plan_wish_t *const who = result->wish;
    const bool has_place = (result->start != 0U) || (result->last != 0U);
    const bool may_have_place =
        (result->verdict == METE_PLAN_ALIGN) || (result->verdict == METE_PLAN_FULL);
    if (!is_ours_or_null(who) || !is_ours_or_null(result->other)) {
        return "a verdict names a wish that is not in the table";
    }
    if ((who == NULL) != ((result->verdict == METE_PLAN_FITS) ||
                          ((result->verdict == METE_PLAN_ILLEGAL) && (legal_count() == 0U)))) {
        return "a verdict names nobody, or somebody without need";
    }
    if ((result->verdict == METE_PLAN_BEYOND) && (who->last <= config.backend->rules.last)) {
        return "a wish is refused as beyond, and is not";
    }
    if ((result->verdict == METE_PLAN_OVERLAPS) && !has_overlap(who, result->other)) {
        return "two wishes are said to overlap, and do not";
    }
    return (has_place && !may_have_place) ? "a place is told with a verdict that has none" : NULL;
}

// ---- What was granted

static uint32_t granted_at(uintptr_t address, bool is_privileged)
{
    uint32_t granted = 0U;
    for (uint32_t kind = R; kind <= (uint32_t)X; kind <<= 1) {
        const access_t access = {address, 1U, kind, is_privileged};
        granted |= ref_allows(&plan, &access) ? kind : 0U;
    }
    return granted;
}

static bool is_granted(const mete_plan_wish_t *wished, uintptr_t address)
{
    const uint32_t privileged =
        config.backend->rules.holds_privilege ? wished->rights.privileged : (uint32_t)RWX;
    return (granted_at(address, false) == wished->rights.unprivileged) &&
           (granted_at(address, true) == privileged);
}

static bool is_granted_throughout(const mete_plan_wish_t *wished)
{
    const uintptr_t extent = wished->last - wished->start;
    bool is_right = is_granted(wished, wished->last) && is_granted(wished, wished->start);
    for (uintptr_t offset = 1U; (offset != 0U) && (offset < extent); offset <<= 1) {
        is_right = is_right && is_granted(wished, wished->start + offset) &&
                   is_granted(wished, wished->last - offset);
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

// What an address has to which no region gives anything.
static bool is_background(uintptr_t address)
{
    const mete_plan_t bare = {plan.backend, plan.images, 0U, plan.ranges, 0U, plan.config};
    bool is_right = true;
    for (uint32_t kind = R; kind <= (uint32_t)X; kind <<= 1) {
        const access_t one = {address, 1U, kind, false};
        const access_t other = {address, 1U, kind, true};
        is_right = is_right && (ref_allows(&plan, &one) == ref_allows(&bare, &one)) &&
                   (ref_allows(&plan, &other) == ref_allows(&bare, &other));
    }
    return is_right;
}

// How many bytes from `start` to `last` are nobody's.
static uintptr_t count_nobodys(uintptr_t start, uintptr_t last)
{
    uintptr_t count = last - start + 1U;
    for (size_t i = 0U; i < config.wish_count; i++) {
        const uintptr_t from = (wishes[i].start > start) ? wishes[i].start : start;
        const uintptr_t to = (wishes[i].last < last) ? wishes[i].last : last;
        count -= (from <= to) ? to - from + 1U : 0U;
    }
    return count;
}

// Waste lies at its wish: no more of nobody's bytes are between than are waste.
static bool is_waste(uintptr_t address)
{
    bool is_somebodys = false;
    for (size_t i = 0U; i < config.wish_count; i++) {
        const mete_plan_wish_t *const wished = &wishes[i];
        const uintptr_t between = (address < wished->start)
                                      ? count_nobodys(address, wished->start - 1U)
                                      : count_nobodys(wished->last + 1U, address);
        is_somebodys = is_somebodys || (between <= shares[i].waste_size);
    }
    return is_somebodys;
}

static bool is_given_away(uintptr_t address)
{
    return (owner_of(address) == NULL) && !is_background(address) && !is_waste(address);
}

static bool gives_away_near(const mete_plan_wish_t *wished)
{
    bool is_wrong = false;
    for (uintptr_t distance = 1U; distance != 0U; distance <<= 1) {
        const uintptr_t below = wished->start - distance;
        const uintptr_t above = wished->last + distance;
        is_wrong = is_wrong || ((below < wished->start) && is_given_away(below)) ||
                   ((above > wished->last) && is_given_away(above));
    }
    return is_wrong;
}

static bool verdicts_agree_at(uintptr_t address)
{
    bool is_right = true;
    for (uint32_t size = 1U; size <= 8U; size *= 2U) {
        for (uint32_t both = 0U; both < 6U; both++) {
            const access_t access = {address, size, 1U << (both / 2U), (both & 1U) != 0U};
            const mete_privilege_t privilege =
                access.is_privileged ? METE_PRIVILEGED : METE_UNPRIVILEGED;
            is_right = is_right && (ref_allows(&plan, &access) ==
                                    mete_plan_allows(&plan, address, size, access.kind, privilege));
        }
    }
    return is_right;
}

static const char *check_wish(const mete_plan_wish_t *wished)
{
    if (!is_granted_throughout(wished)) {
        return "a wish does not have just its rights";
    }
    if (gives_away_near(wished)) {
        return "bytes that are nobody's are given away, and are not told as waste";
    }
    for (uintptr_t offset = 0U; offset < 10U; offset++) {
        if (!verdicts_agree_at(wished->start - 8U + offset) ||
            !verdicts_agree_at(wished->last - 8U + offset)) {
            return "a verdict is not what the hardware would say";
        }
    }
    return NULL;
}

static const char *check_tables(void)
{
    size_t regions = 0U;
    size_t waste = 0U;
    for (size_t i = 0U; i < config.wish_count; i++) {
        regions += shares[i].region_count;
        waste += shares[i].waste_size;
        if (shares[i].waste_size > wishes[i].waste_max) {
            return "a wish has more waste than it may have";
        }
    }
    const mete_plan_usage_t usage = mete_plan_usage(&plan);
    if ((regions != plan.image_count) || (usage.region_count != regions) ||
        (usage.waste_size != waste)) {
        return "the shares are not the whole";
    }
    if ((regions > config.image_max) || (regions > config.backend->rules.region_max)) {
        return "a plan has more regions than there are";
    }
    if (!is_filled(&images[regions], sizeof images - regions * sizeof images[0]) ||
        !is_filled(&ranges[regions], sizeof ranges - regions * sizeof ranges[0]) ||
        !is_filled(&shares[config.wish_count],
                   sizeof shares - config.wish_count * sizeof shares[0])) {
        return "something was written behind the tables";
    }
    return mete_plan_check(&plan) ? NULL : "the check of a new plan fails";
}

static const char *check_plan(void)
{
    const char *broken = check_tables();
    for (size_t i = 0U; (broken == NULL) && (i < config.wish_count); i++) {
        broken = check_wish(&wishes[i]);
    }
    return broken;
}

// ---- What would fit

// The wish has been moved to where it was said that it fits; `i` is its index.
static const char *check_moved(size_t i, const mete_plan_wish_t *was, mete_plan_verdict_t verdict)
{
    for (size_t k = 0U; k < config.wish_count; k++) {
        if (has_overlap(&wishes[i], &wishes[k])) {
            return "a place is told where others are";
        }
    }
    if (wishes[i].last - wishes[i].start < was->last - was->start) {
        return "a place is told that is too small";
    }
    const mete_plan_result_t again = mete_plan_init(&plan, &config);
    if ((verdict == METE_PLAN_ALIGN) && (again.verdict == METE_PLAN_ALIGN) &&
        (again.wish == &wishes[i])) {
        return "where a wish was said to fit it does not";
    }
    return NULL;
}

// By itself, without waste and in one region if the hardware has regions of any such size at all.
static const char *check_alone(size_t i)
{
    const bool is_pmp = config.backend->rules.kind == METE_MPU_PMP;
    const size_t waste_max = wishes[i].waste_max;
    wishes[i].waste_max = 0U;
    config.wishes = &wishes[i];
    config.wish_count = 1U;
    config.image_max = IMAGE_LIMIT;
    const mete_plan_result_t alone = mete_plan_init(&plan, &config);
    config.wishes = wishes;
    wishes[i].waste_max = waste_max;
    if (alone.verdict != METE_PLAN_FITS) {
        return "where a wish was said to fit it does not even by itself";
    }
    return (plan.image_count > (is_pmp ? 2U : 1U)) ? "a place is told that takes several regions"
                                                   : NULL;
}

static const char *check_place(const mete_plan_result_t *result)
{
    if ((result->start == 0U) && (result->last == 0U)) {
        return NULL;
    }
    const size_t i = (size_t)(result->wish - wishes);
    const mete_plan_wish_t was = wishes[i];
    const size_t count = config.wish_count;
    const size_t image_max = config.image_max;
    wishes[i].start = result->start;
    wishes[i].last = result->last;
    const char *broken = check_moved(i, &was, result->verdict);
    broken = (broken == NULL) ? check_alone(i) : broken;
    wishes[i] = was;
    config.wish_count = count;
    config.image_max = image_max;
    return broken;
}

const char *plan_inputs_check(const uint8_t *bytes, size_t size)
{
    make_inputs(bytes, size);
    remember();
    plan_inputs_result = mete_plan_init(&plan, &config);
    const char *broken = check_blame(&plan_inputs_result);
    if (!wishes_are_as_before()) {
        broken = "the wishes have changed";
    } else if ((broken == NULL) && (plan_inputs_result.verdict == METE_PLAN_FITS)) {
        broken = check_plan();
    } else if ((broken == NULL) &&
               (!is_filled(images, sizeof images) || !is_filled(ranges, sizeof ranges) ||
                !is_filled(shares, sizeof shares) || !is_filled(&plan, sizeof plan))) {
        broken = "a plan that does not fit has changed something";
    }
    return (broken == NULL) ? check_place(&plan_inputs_result) : broken;
}

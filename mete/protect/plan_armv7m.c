// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The registers are those of DDI 0403E, B3.5.8 and B3.5.9. RASR: XN bit 28, AP 26-24, TEX 21-19, S 18, C 17, B 16, SRD 15-8,
// SIZE 5-1, ENABLE 0; a region has 2^(SIZE+1) bytes, and a one in SRD leaves a part out.
//
// Of a row of regions from a wish's first byte to its last, only the first can cover something in front of it, and only
// the last something behind it. What is between covers bytes of the wish alone, or bytes that the row has already. So the
// least waste for the fewest regions is found by trying each size for the first region. From there on the region that
// reaches farthest is as good as any: whatever can follow a shorter one can follow it as well.

#include "mete/protect/plan_armv7m.h"

#include "mete/core/bits.h"
#include "mete/protect/plan_cortex.h"
#include "mete/protect/plan_scene.h"

enum { BITS_MIN = 5, SLICED_BITS_MIN = 8, BITS_MAX = 32, ROW_MAX = 32, AP_COUNT = 8 };

#define RBAR_VALID  0x10U
#define RASR_XN     (1U << 28)
#define RASR_ENABLE 1U

// What AP lets each mode do, 1 read and 2 write: four bits for each of its values, the upper two for privileged code (DDI
// 0403E, table B3-15).
#define AP_RIGHTS 0x5540FDC0U

// A region that serves a wish from `start` to `last`, without the slices that it does not need.
typedef struct piece {
    uintptr_t start;
    uintptr_t last;
    uintptr_t waste;  // Bytes behind the wish that are nobody's.
    unsigned bits;
} piece_t;

// What is to be covered, and how far it may go beyond.
typedef struct row {
    const mete_plan_scene_t *scene;
    uint32_t attributes;  // Of RASR.
    uintptr_t start;
    uintptr_t last;
    uintptr_t lowest;
    uintptr_t highest;
} row_t;

// ---- Rights

// Executing needs reading, too.
static uint32_t rights_of(uint32_t rasr, mete_privilege_t privilege)
{
    const uint32_t mode = (privilege == METE_PRIVILEGED) ? 2U : 0U;
    const uint32_t data = (AP_RIGHTS >> (((rasr >> 22) & 0x1CU) | mode)) & 3U;
    const bool is_executable = ((data & METE_ACCESS_READ) != 0U) && ((rasr & RASR_XN) == 0U);
    return data | (is_executable ? METE_ACCESS_EXECUTE : 0U);
}

// The bits of RASR that grant what is wished. 0: there are none, for AP 0 goes with XN.
static uint32_t rights_for(uint32_t unprivileged, uint32_t privileged)
{
    uint32_t found = 0U;
    for (uint32_t ap = 0U; ap < (uint32_t)AP_COUNT; ap++) {
        for (uint32_t xn = 0U; xn <= RASR_XN; xn += RASR_XN) {
            const uint32_t rasr = (ap << 24) | xn;
            const bool is_match = (rights_of(rasr, METE_UNPRIVILEGED) == unprivileged) &&
                                  (rights_of(rasr, METE_PRIVILEGED) == privileged);
            found = (is_match && (found == 0U)) ? rasr : found;
        }
    }
    return found;
}

static bool encodes(const mete_plan_config_t *config, const mete_plan_wish_t *wish)
{
    (void)config;
    return mete_plan_cortex_is_sane(wish) &&
           (rights_for(wish->rights.unprivileged, wish->rights.privileged) != 0U);
}

// TEX, C and B: write-back with write-allocate; normal; shared device; strongly ordered (DDI 0403E, table B3-13).
static uint32_t memory_for(mete_mpu_memory_t memory)
{
    switch (memory) {
    case METE_MPU_CACHED:
        return (1U << 19) | (1U << 17) | (1U << 16);
    case METE_MPU_UNCACHED:
        return 1U << 19;
    case METE_MPU_DEVICE:
        return 1U << 16;
    default:
        return 0U;
    }
}

// ---- Regions

// Their size, less 1.
static uintptr_t rest_of(unsigned bits)
{
    return ((((uintptr_t)1 << (bits - 1U)) << 1) - 1U) & 0xFFFFFFFFU;
}

static uintptr_t slice_rest_of(unsigned bits)
{
    return (bits >= (unsigned)SLICED_BITS_MIN) ? rest_of(bits) >> 3 : rest_of(bits);
}

// The slices from `start` to `last` of the region that has so many bits.
static void write_image(const row_t *row, const piece_t *piece, size_t number)
{
    mete_mpu_image_t *const image = &row->scene->images[number];
    const uintptr_t base = piece->start & ~rest_of(piece->bits);
    uint32_t left_out = 0U;
    if (piece->bits >= (unsigned)SLICED_BITS_MIN) {
        const unsigned first = (unsigned)((piece->start - base) >> (piece->bits - 3U));
        const unsigned last = (unsigned)((piece->last - base) >> (piece->bits - 3U));
        left_out = 0xFFU & ~((0xFFU << first) & (0xFFU >> (7U - last)));
    }
    image->words[0] = base | RBAR_VALID | (row->scene->image_index + number);
    image->words[1] = row->attributes | (left_out << 8) | ((piece->bits - 1U) << 1) | RASR_ENABLE;
}

// The region with so many bits that has `from`: how far it can go, with no more waste behind than allowed.
// False if it cannot even have `from`.
static bool shape(const row_t *row, uintptr_t from, unsigned bits, uintptr_t waste_max,
                  piece_t *piece)
{
    const uintptr_t slice_rest = slice_rest_of(bits);
    piece->bits = bits;
    piece->waste = 0U;
    piece->start = from & ~slice_rest;
    piece->last = from | rest_of(bits);
    if (piece->last > row->last) {
        piece->last = row->last | slice_rest;
        const bool is_free = piece->last <= row->highest;
        piece->waste = is_free ? mete_plan_waste(row->scene, row->last + 1U, piece->last + 1U) : 0U;
        if (!is_free || (piece->waste > waste_max)) {
            piece->waste = 0U;
            piece->last = (row->last & ~slice_rest) - 1U;
            return (row->last & ~slice_rest) > from;
        }
    }
    return true;
}

// True if a larger region may be better. Not so if this one reaches the end and has slices: a larger one's are coarser.
static bool is_worth_more(const row_t *row, uintptr_t from, unsigned bits)
{
    return (bits < (unsigned)SLICED_BITS_MIN) || ((from | rest_of(bits)) < row->last);
}

static bool is_better(const row_t *row, const piece_t *piece, const piece_t *best)
{
    if (piece->last < row->last) {
        return piece->last > best->last;
    }
    return (best->last < row->last) || (piece->waste < best->waste);
}

// The region that goes on from `from`: to the end with least waste, else as far as one can. False if none can. One
// that has bytes in front of the row is not asked for: it could have been the first.
static bool follow(const row_t *row, uintptr_t from, uintptr_t waste_max, piece_t *best)
{
    bool is_found = false;
    bool is_within = true;
    for (unsigned bits = BITS_MIN; is_within && (bits <= (unsigned)BITS_MAX); bits++) {
        piece_t piece;
        if (((from & ~slice_rest_of(bits)) >= row->start) &&
            shape(row, from, bits, waste_max, &piece) &&
            (!is_found || is_better(row, &piece, best))) {
            best->start = piece.start;
            best->last = piece.last;
            best->waste = piece.waste;
            best->bits = piece.bits;
            is_found = true;
        }
        is_within = is_worth_more(row, from, bits);
    }
    return is_found;
}

// The row whose first region has so many bits. Returns its length, or ROW_MAX if there is none.
static size_t lay(const row_t *row, unsigned bits, uintptr_t waste_max, uintptr_t *waste)
{
    piece_t piece;
    bool is_found = shape(row, row->start, bits, waste_max, &piece);
    size_t count = 0U;
    while (is_found && (count < (size_t)ROW_MAX - 1U)) {
        if (row->scene->images != NULL) {
            write_image(row, &piece, count);
        }
        count++;
        if (piece.last >= row->last) {
            *waste = piece.waste;
            return count;
        }
        is_found = follow(row, piece.last + 1U, waste_max, &piece);
    }
    return ROW_MAX;
}

// Keeps the row that starts with so many bits if it is better than what the cover says.
static bool try_row(const row_t *row, unsigned bits, uintptr_t before, uintptr_t behind_max,
                    mete_plan_cover_t *cover)
{
    uintptr_t behind = 0U;
    const size_t count = lay(row, bits, behind_max, &behind);
    const bool is_less_waste = before + behind < cover->waste_before + cover->waste_behind;
    const bool is_best =
        (count < cover->region_count) ||
        ((count == cover->region_count) && (count != (size_t)ROW_MAX) && is_less_waste);
    if (is_best) {
        cover->region_count = count;
        cover->waste_before = before;
        cover->waste_behind = behind;
    }
    return is_best;
}

// Tries each size for the first region, from the smallest to the first that has all. Returns the best one's bits, or 0.
static unsigned choose(const row_t *row, size_t first, size_t last, mete_plan_cover_t *cover)
{
    const uintptr_t before_max = mete_plan_wish_of(row->scene, first)->waste_max;
    unsigned best = 0U;
    bool is_within = true;
    for (unsigned bits = BITS_MIN; is_within && (bits <= (unsigned)BITS_MAX); bits++) {
        const uintptr_t start = row->start & ~slice_rest_of(bits);
        const uintptr_t before =
            (start >= row->lowest) ? mete_plan_waste(row->scene, start, row->start) : 0U;
        if ((start >= row->lowest) && (before <= before_max)) {
            const uintptr_t behind_max = mete_plan_waste_left(row->scene, first, last, before);
            best = try_row(row, bits, before, behind_max, cover) ? bits : best;
        }
        is_within = is_worth_more(row, row->start, bits);
    }
    return best;
}

static bool cover_run(const mete_plan_scene_t *scene, size_t first, size_t last,
                      mete_plan_cover_t *cover)
{
    if (!mete_plan_is_uniform(scene, first, last)) {
        return false;
    }
    const mete_plan_wish_t *const wish = mete_plan_wish_of(scene, first);
    const mete_plan_scene_t blind = {scene->config, scene->order, scene->on_top, NULL, 0U};
    row_t row = {&blind,
                 rights_for(wish->rights.unprivileged, wish->rights.privileged) |
                     memory_for(wish->memory),
                 wish->start,
                 mete_plan_wish_of(scene, last)->last,
                 mete_plan_lowest(scene, first),
                 mete_plan_highest(scene, last)};
    cover->region_count = ROW_MAX;
    const unsigned bits = choose(&row, first, last, cover);
    if ((bits != 0U) && (scene->images != NULL)) {
        row.scene = scene;
        uintptr_t behind = 0U;
        (void)lay(&row, bits, mete_plan_waste_left(scene, first, last, cover->waste_before),
                  &behind);
    }
    return bits != 0U;
}

// ---- What images mean

// The low bits of RBAR do no harm: no region is so small.
static bool decode(const mete_mpu_image_t *images, size_t n, mete_plan_range_t *range)
{
    const uint32_t rasr = (uint32_t)images[n].words[1];
    const unsigned bits = ((rasr >> 1) & 31U) + 1U;
    const bool is_sliced = bits >= (unsigned)SLICED_BITS_MIN;
    const uint32_t kept = is_sliced ? ~(rasr >> 8) & 0xFFU : 1U;
    if (((rasr & RASR_ENABLE) == 0U) || (kept == 0U)) {
        return false;
    }
    const unsigned first = mete_bits_ctz(kept);
    const uint32_t slices = kept >> first;
    const uintptr_t slice_size = slice_rest_of(bits) + 1U;
    range->start = (images[n].words[0] & ~rest_of(bits)) + first * slice_size;
    range->rest = (uintptr_t)mete_bits_ctz(~slices) * slice_size - 1U;
    range->rights = mete_plan_cortex_rights(rights_of(rasr, METE_UNPRIVILEGED),
                                            rights_of(rasr, METE_PRIVILEGED));
    return (slices & (slices + 1U)) == 0U;
}

const mete_plan_backend_t mete_plan_armv7m = {
    {METE_MPU_ARMV7M, 16U, 8U, 32U, METE_PLAN_CORTEX_LAST, true},
    encodes,
    cover_run,
    decode,
    mete_plan_cortex_background};

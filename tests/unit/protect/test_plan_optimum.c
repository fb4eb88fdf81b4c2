// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Random wishes on ARMv7-M, planned by another method: every order of runs, one after the other; for each run every region
// that could serve it, with every stretch of its slices, and the least waste for each number of them from granule to
// granule. No plan may have more regions. A line for tools/dev:
//
//     # plan: sets; worse; waste ratio; naive ratio
//
// `worse` counts sets whose plan has more regions than the optimum, or differs in whether there is one. The ratios
// are waste over that of the optimum: of the plan, and of one power of two around each wish.
//
// And fewer wishes in fewer granules, where every set of regions in every order is tried, whatever it serves:
//
//     # plan anyhow: sets; worse
//
// There a plan may be worse, for wishes with nobody's bytes between them share no region.

#include "tests/unit/protect/plan_fixture.h"

enum { BASE = 0x20000000, WINDOW = 4096, GRANULE = 32, GRANULE_COUNT = WINDOW / GRANULE };
enum { SET_COUNT = 1000, SET_WISH_MAX = 6, PIECE_MAX = 1400, ROW_MAX = 24, NEVER = 1000 };

typedef struct piece {
    unsigned first;  // Granules.
    unsigned last;
} piece_t;

typedef struct cost {
    size_t regions;
    size_t waste;
} cost_t;

static piece_t pieces[PIECE_MAX];
static size_t piece_count;
static cost_t memo[1U << SET_WISH_MAX][SET_WISH_MAX][SET_WISH_MAX];
static bool is_known[1U << SET_WISH_MAX][SET_WISH_MAX][SET_WISH_MAX];
static mete_plan_wish_t sorted[SET_WISH_MAX];
static size_t count;

static void add_piece(unsigned first, unsigned last)
{
    for (size_t i = 0U; i < piece_count; i++) {
        if ((pieces[i].first == first) && (pieces[i].last == last)) {
            return;
        }
    }
    pieces[piece_count] = (piece_t){first, last};
    piece_count++;
}

static void make_pieces(void)
{
    piece_count = 0U;
    for (unsigned size = GRANULE; size <= (unsigned)WINDOW; size *= 2U) {
        const unsigned parts = (size >= 256U) ? 8U : 1U;
        const unsigned part = size / parts / GRANULE;
        for (unsigned base = 0U; base < (unsigned)GRANULE_COUNT; base += parts * part) {
            for (unsigned i = 0U; i < parts; i++) {
                for (unsigned k = i; k < parts; k++) {
                    add_piece(base + i * part, base + (k + 1U) * part - 1U);
                }
            }
        }
    }
}

// ---- One run

// Bytes of each granule that are nobody's, in front of the run and behind it; and whether somebody is in the way.
static size_t before[GRANULE_COUNT], behind[GRANULE_COUNT];
static bool is_barred[GRANULE_COUNT];

static void look(size_t first, size_t last, uint32_t on_top)
{
    for (unsigned g = 0U; g < (unsigned)GRANULE_COUNT; g++) {
        before[g] = 0U;
        behind[g] = 0U;
        is_barred[g] = false;
    }
    for (uintptr_t byte = 0U; byte < (uintptr_t)WINDOW; byte++) {
        const uintptr_t address = BASE + byte;
        size_t owner = NEVER;
        for (size_t i = 0U; i < count; i++) {
            owner = ((address >= sorted[i].start) && (address <= sorted[i].last)) ? i : owner;
        }
        const size_t g = byte / GRANULE;
        if (owner == (size_t)NEVER) {
            before[g] += (address < sorted[first].start) ? 1U : 0U;
            behind[g] += (address > sorted[last].last) ? 1U : 0U;
        } else if (((owner < first) || (owner > last)) && (((on_top >> owner) & 1U) == 0U)) {
            is_barred[g] = true;
        }
    }
}

// The least waste with which so many regions cover at least up to each granule.
static size_t least[ROW_MAX + 1][GRANULE_COUNT + 1];

// What so many regions can do if the last of them is this one.
static void add_one_more(size_t k, const piece_t *piece, const mete_plan_wish_t *first,
                         const mete_plan_wish_t *last)
{
    size_t front = 0U;
    size_t back = 0U;
    bool is_free = (piece->last >= (first->start - BASE) / GRANULE) &&
                   (piece->first <= (last->last - BASE) / GRANULE);
    for (unsigned g = piece->first; is_free && (g <= piece->last); g++) {
        is_free = !is_barred[g];
        front += before[g];
        back += behind[g];
    }
    if (!is_free || (least[k - 1U][piece->first] == SIZE_MAX) || (front > first->waste_max) ||
        (back > last->waste_max)) {
        return;
    }
    const size_t waste = least[k - 1U][piece->first] + front + back;
    for (unsigned g = 0U; g <= piece->last + 1U; g++) {
        least[k][g] = (waste < least[k][g]) ? waste : least[k][g];
    }
}

static cost_t cover_run(size_t first, size_t last, uint32_t on_top)
{
    const unsigned start = (unsigned)((sorted[first].start - BASE) / GRANULE);
    const unsigned end = (unsigned)((sorted[last].last - BASE) / GRANULE);
    look(first, last, on_top);
    for (unsigned g = 0U; g <= (unsigned)GRANULE_COUNT; g++) {
        least[0][g] = (g <= start) ? 0U : SIZE_MAX;
    }
    for (size_t k = 1U; k <= (size_t)ROW_MAX; k++) {
        for (unsigned g = 0U; g <= (unsigned)GRANULE_COUNT; g++) {
            least[k][g] = SIZE_MAX;
        }
        for (size_t i = 0U; i < piece_count; i++) {
            add_one_more(k, &pieces[i], &sorted[first], &sorted[last]);
        }
        const size_t waste = least[k][end + 1U];
        if ((waste != SIZE_MAX) && ((first != last) || (waste <= sorted[first].waste_max))) {
            return (cost_t){k, waste};
        }
    }
    return (cost_t){NEVER, 0U};
}

static bool are_alike(size_t i, size_t k)
{
    return (sorted[i].rights.unprivileged == sorted[k].rights.unprivileged) &&
           (sorted[i].rights.privileged == sorted[k].rights.privileged);
}

static cost_t cost_of(size_t first, size_t last, uint32_t on_top)
{
    if (!is_known[on_top][first][last]) {
        is_known[on_top][first][last] = true;
        memo[on_top][first][last] = cover_run(first, last, on_top);
    }
    return memo[on_top][first][last];
}

// ---- All orders

static cost_t best;

static void try_all(uint32_t on_top, cost_t so_far);

static void try_run(uint32_t on_top, uint32_t made, size_t first, size_t last, cost_t so_far)
{
    const cost_t cost = cost_of(first, last, on_top);
    if (cost.regions != (size_t)NEVER) {
        try_all(made, (cost_t){so_far.regions + cost.regions, so_far.waste + cost.waste});
    }
}

static void try_all(uint32_t on_top, cost_t so_far)
{
    if ((so_far.regions > best.regions) ||
        ((so_far.regions == best.regions) && (so_far.waste >= best.waste))) {
        return;
    }
    if (on_top == (1U << count) - 1U) {
        best = so_far;
        return;
    }
    for (size_t first = 0U; first < count; first++) {
        uint32_t made = on_top;
        for (size_t last = first; last < count; last++) {
            const bool touches =
                (last == first) || (sorted[last].start == sorted[last - 1U].last + 1U);
            const bool is_taken = ((on_top >> last) & 1U) != 0U;
            if (!touches || ((last == first) && is_taken) ||
                (!is_taken && !are_alike(first, last))) {
                break;
            }
            made |= 1U << last;
            if (!is_taken) {
                try_run(on_top, made, first, last, so_far);
            }
        }
    }
}

static cost_t optimum(void)
{
    for (uint32_t set = 0U; set < (1U << count); set++) {
        for (size_t i = 0U; i < count; i++) {
            for (size_t k = 0U; k < count; k++) {
                is_known[set][i][k] = false;
            }
        }
    }
    best = (cost_t){NEVER, 0U};
    try_all(0U, (cost_t){0U, 0U});
    return best;
}

// ---- Random sets

static const unsigned char rights[][2] = {{RW, RW}, {R, R}, {0, RW}, {0, 0}};

static void make_set(uint32_t *seed, uint32_t count_max, uint32_t window)
{
    static const uint32_t units[] = {GRANULE, GRANULE, GRANULE, 128U, 1U};
    static const size_t waste_max[] = {0U, 64U, 512U, SIZE_MAX};
    setup(&mete_plan_armv7m, 16U, true);
    const uint32_t unit = units[random_below(seed, 5U)];
    const size_t waste = waste_max[random_below(seed, 4U)];
    const uint32_t wanted = 1U + random_below(seed, count_max);
    uint32_t start = random_below(seed, window / 4U) / unit * unit;
    for (uint32_t i = 0U; i < wanted; i++) {
        const uint32_t size = (1U + random_below(seed, window / wanted / unit)) * unit;
        if (start + size > window) {
            break;
        }
        const unsigned char *const both = rights[random_below(seed, 4U)];
        wish(BASE + start, BASE + start + size - 1U, both[0], both[1]);
        wishes[config.wish_count - 1U].waste_max = (unit == 1U) ? waste + GRANULE : waste;
        wishes[config.wish_count - 1U].waste_max |= waste;
        start += size + ((random_below(seed, 2U) == 0U)
                             ? random_below(seed, window / wanted) / unit * unit
                             : 0U);
    }
    count = config.wish_count;
    for (size_t i = 0U; i < count; i++) {
        sorted[i] = wishes[i];
    }
}

static size_t naive_waste(void)
{
    size_t waste = 0U;
    for (size_t i = 0U; i < count; i++) {
        uintptr_t rest = GRANULE - 1U;
        while (rest < (sorted[i].start ^ sorted[i].last)) {
            rest = 2U * rest + 1U;
        }
        waste += rest - (sorted[i].last - sorted[i].start);
    }
    return waste;
}

static void say_ratio(size_t of, size_t over)
{
    const size_t permille = (over != 0U) ? (1000U * of + over / 2U) / over : 1000U;
    mete_text_string(tap_sink, "; ");
    mete_text_decimal(tap_sink, permille / 1000U);
    mete_text_string(tap_sink, ".");
    for (size_t digit = 100U; digit != 0U; digit /= 10U) {
        mete_text_decimal(tap_sink, permille / digit % 10U);
    }
}

static void say_line(const char *name, size_t sets, size_t worse)
{
    mete_text_string(tap_sink, name);
    mete_text_decimal(tap_sink, sets);
    mete_text_string(tap_sink, "; ");
    mete_text_decimal(tap_sink, worse);
}

static void test_no_other_method_finds_fewer_regions(void)
{
    uint32_t seed = 34U;
    size_t worse = 0U, wasted = 0U, least_wasted = 0U, naive = 0U, fitting = 0U, joined = 0U;
    make_pieces();
    for (size_t i = 0U; i < (size_t)SET_COUNT; i++) {
        make_set(&seed, SET_WISH_MAX, WINDOW);
        const bool fits = mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS;
        const cost_t other = optimum();
        if (fits != (other.regions <= config.image_max)) {
            worse++;
        }
        if (!fits) {
            continue;
        }
        worse += (plan.image_count > other.regions) ? 1U : 0U;
        EXPECT(plan.image_count >= other.regions);
        EXPECT((plan.image_count != other.regions) ||
               (mete_plan_usage(&plan).waste_size == other.waste));
        fitting++;
        for (size_t k = 0U; k < count; k++) {
            joined += (shares[k].region_count == 0U) ? 1U : 0U;
        }
        wasted += mete_plan_usage(&plan).waste_size;
        least_wasted += other.waste;
        naive += naive_waste();
    }
    say_line("# plan: ", SET_COUNT, worse);
    say_ratio(wasted, least_wasted);
    say_ratio(naive, least_wasted);
    mete_text_string(tap_sink, "\n");
    tap_note("sets that fit", fitting);
    tap_note("wishes that share", joined);
    EXPECT((worse == 0U) && (20U * wasted <= 21U * least_wasted) && (fitting > SET_COUNT / 2));
}

// ---- Every set of regions in every order, from the top down

enum { SMALL_GRANULES = 16, SMALL_SETS = 300, SMALL_WISHES = 4, NOBODY = 255 };

static unsigned char owner[SMALL_GRANULES];
static bool may_waste;

// Decides what is left undecided and may be, with rights like those of `like`. False if that is nothing.
static bool decide(bool *is_decided, unsigned first, unsigned size, size_t like)
{
    const unsigned part = (size >= 8U) ? size / 8U : size;
    bool is_new = false;
    for (unsigned at = first; at < first + size; at += part) {
        bool is_right = true;
        bool is_wanted = false;
        for (unsigned g = at; g < at + part; g++) {
            const bool is_free = owner[g] == (unsigned char)NOBODY;
            is_right =
                is_right && (is_free ? may_waste : is_decided[g] || are_alike(owner[g], like));
            is_wanted = is_wanted || (!is_free && !is_decided[g]);
        }
        if (is_right && is_wanted) {
            is_new = true;
            for (unsigned g = at; g < at + part; g++) {
                is_decided[g] = true;
            }
        }
    }
    return is_new;
}

static bool is_possible(const bool *was_decided, size_t regions);

static bool is_possible_with(const bool *was_decided, size_t regions, unsigned first, unsigned size,
                             size_t like)
{
    bool is_decided[SMALL_GRANULES];
    for (unsigned g = 0U; g < (unsigned)SMALL_GRANULES; g++) {
        is_decided[g] = was_decided[g];
    }
    return decide(is_decided, first, size, like) && is_possible(is_decided, regions - 1U);
}

static bool is_possible(const bool *was_decided, size_t regions)
{
    unsigned missing = SMALL_GRANULES;
    for (unsigned g = SMALL_GRANULES; g > 0U; g--) {
        missing =
            ((owner[g - 1U] != (unsigned char)NOBODY) && !was_decided[g - 1U]) ? g - 1U : missing;
    }
    if (missing == (unsigned)SMALL_GRANULES) {
        return true;
    }
    for (unsigned size = 1U; (regions != 0U) && (size <= (unsigned)SMALL_GRANULES); size *= 2U) {
        for (unsigned first = 0U; first < (unsigned)SMALL_GRANULES; first += size) {
            for (size_t like = 0U; like < count; like++) {
                if (is_possible_with(was_decided, regions, first, size, like)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static size_t fewest(size_t at_most)
{
    static const bool none[SMALL_GRANULES];
    size_t regions = 0U;
    while ((regions < at_most) && !is_possible(none, regions)) {
        regions++;
    }
    return regions;
}

// Returns how many plans have more regions than need be.
static size_t compare_with_anything(bool all_differ, uint32_t seed)
{
    size_t worse = 0U, sets = 0U, total = 0U, least_total = 0U;
    while (sets < (size_t)SMALL_SETS) {
        make_set(&seed, SMALL_WISHES, SMALL_GRANULES * GRANULE);
        may_waste = (sets & 1U) != 0U;
        for (unsigned g = 0U; g < (unsigned)SMALL_GRANULES; g++) {
            owner[g] = NOBODY;
        }
        for (size_t i = 0U; i < count; i++) {
            wishes[i].waste_max = may_waste ? SIZE_MAX : 0U;
            if (all_differ) {
                wishes[i].rights = (mete_rights_t){rights[i][0], rights[i][1]};
                sorted[i].rights = wishes[i].rights;
            }
            sorted[i].start = wishes[i].start / GRANULE * GRANULE;
            for (uintptr_t a = wishes[i].start; a <= wishes[i].last; a++) {
                owner[(a - BASE) / GRANULE] = (unsigned char)i;
            }
        }
        if (mete_plan_init(&plan, &config).verdict != METE_PLAN_FITS || (plan.image_count > 5U)) {
            continue;
        }
        sets++;
        const size_t regions = fewest(plan.image_count);
        worse += (regions < plan.image_count) ? 1U : 0U;
        total += plan.image_count;
        least_total += regions;
    }
    say_line(all_differ ? "# plan anyhow, all rights differ: " : "# plan anyhow: ", sets, worse);
    mete_text_string(tap_sink, "\n");
    tap_note("regions", total);
    tap_note("fewest", least_total);
    return worse;
}

static void test_how_often_any_regions_at_all_could_be_fewer(void)
{
    EXPECT(compare_with_anything(false, 7U) * 4U <= (size_t)SMALL_SETS);
}

static void test_no_regions_at_all_are_fewer_if_nobody_could_share(void)
{
    EXPECT(compare_with_anything(true, 8U) == 0U);
}

int main(void)
{
    RUN(test_no_other_method_finds_fewer_regions);
    RUN(test_how_often_any_regions_at_all_could_be_fewer);
    RUN(test_no_regions_at_all_are_fewer_if_nobody_could_share);
    return tap_finish();
}

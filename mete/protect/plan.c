// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Which wish lies on top of which is what there is to decide: under one that has its regions already, a large region
// may run through where else several small ones had to go around. So the search goes through the sets of wishes that
// are on top. The cheapest way to have a set on top is the cheapest way to have a smaller one there, and what the
// run of wishes costs that is placed beneath. With six wishes that are 64 sets, in a table; each is looked at after all that
// it can be made of, as its number is larger.

#include "mete/protect/plan.h"

#include "mete/protect/plan_scene.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

typedef mete_plan_wish_t wish_t;
typedef mete_plan_scene_t scene_t;
typedef mete_plan_result_t result_t;
typedef mete_plan_range_t range_t;

enum { GROUP_MAX = 6, GROUP_MIN = 4, SET_COUNT = 1 << GROUP_MAX, NO_REGIONS = UINT8_MAX };

// The cheapest way to a set.
typedef struct cell {
    size_t waste;
    uint8_t regions;  // NO_REGIONS: there is none.
    uint8_t before;   // The set that it was made of,
    uint8_t first;    // and the run that was added, by places in the group.
    uint8_t last;
} cell_t;

// Neighbours by address, planned together.
typedef struct group {
    size_t start;
    size_t count;
} group_t;

// All that a plan takes, and the wish that takes most of it.
typedef struct bill {
    size_t regions;
    size_t most;
    const wish_t *greedy;
} bill_t;

static size_t add_up(size_t one, size_t other)
{
    return (one <= SIZE_MAX - other) ? one + other : SIZE_MAX;
}

static void set_result(result_t *result, mete_plan_verdict_t verdict, const wish_t *wish,
                       const wish_t *other)
{
    result->verdict = verdict;
    result->wish = wish;
    result->other = other;
    result->start = 0U;
    result->last = 0U;
}

// ---- What is wished for

static bool is_legal_wish(const wish_t *wish)
{
    const uint32_t rights = (uint32_t)wish->rights.unprivileged | wish->rights.privileged;
    return (wish->name != NULL) && (wish->start <= wish->last) &&
           ((rights & ~METE_ACCESS_ALL) == 0U) && ((uint32_t)wish->memory < METE_MPU_MEMORY_COUNT);
}

static bool is_legal(const mete_plan_config_t *config)
{
    return (config->backend != NULL) && (config->wish_count <= METE_PLAN_WISH_MAX) &&
           ((config->wish_count == 0U) || ((config->wishes != NULL) && (config->shares != NULL))) &&
           ((config->image_max == 0U) || ((config->images != NULL) && (config->ranges != NULL)));
}

static mete_plan_verdict_t judge(const mete_plan_config_t *config, const wish_t *wish)
{
    if (!is_legal_wish(wish)) {
        return METE_PLAN_ILLEGAL;
    }
    if (wish->last > config->backend->rules.last) {
        return METE_PLAN_BEYOND;
    }
    return config->backend->encodes(config, wish) ? METE_PLAN_FITS : METE_PLAN_RIGHTS;
}

static void judge_all(const mete_plan_config_t *config, result_t *result)
{
    for (size_t i = 0U; (result->verdict == METE_PLAN_FITS) && (i < config->wish_count); i++) {
        const mete_plan_verdict_t verdict = judge(config, &config->wishes[i]);
        set_result(result, verdict, (verdict != METE_PLAN_FITS) ? &config->wishes[i] : NULL, NULL);
    }
}

static void sort(const mete_plan_config_t *config, uint8_t *order)
{
    for (size_t i = 0U; i < config->wish_count; i++) {
        size_t k = i;
        while ((k > 0U) && (config->wishes[order[k - 1U]].start > config->wishes[i].start)) {
            order[k] = order[k - 1U];
            k--;
        }
        order[k] = (uint8_t)i;
    }
}

static void find_overlap(const scene_t *scene, result_t *result)
{
    for (size_t k = 1U; (result->verdict == METE_PLAN_FITS) && (k < scene->config->wish_count);
         k++) {
        const wish_t *const lower = mete_plan_wish_of(scene, k - 1U);
        const wish_t *const upper = mete_plan_wish_of(scene, k);
        if (upper->start <= lower->last) {
            set_result(result, METE_PLAN_OVERLAPS, upper, lower);
        }
    }
}

// ---- The search

// Field by field, as everywhere: what initialises a whole struct may become a call to memset(), which is libc.
static void clear(mete_plan_cover_t *cover)
{
    cover->region_count = 0U;
    cover->waste_before = 0U;
    cover->waste_behind = 0U;
}

// Up to six wishes from `start` on. What is left over is cut off at the widest gap.
static group_t group_from(const scene_t *scene, size_t start)
{
    const size_t left = scene->config->wish_count - start;
    group_t group = {start, (left < (size_t)GROUP_MAX) ? left : (size_t)GROUP_MAX};
    uintptr_t widest = 0U;
    for (size_t count = GROUP_MIN; (left > (size_t)GROUP_MAX) && (count <= (size_t)GROUP_MAX);
         count++) {
        const uintptr_t gap = mete_plan_wish_of(scene, start + count)->start -
                              mete_plan_wish_of(scene, start + count - 1U)->last;
        group.count = (gap >= widest) ? count : group.count;
        widest = (gap >= widest) ? gap : widest;
    }
    return group;
}

static void relax(cell_t *cells, uint32_t set, uint32_t made, size_t first, size_t last,
                  const mete_plan_cover_t *cover)
{
    const size_t regions = cells[set].regions + cover->region_count;
    const size_t waste = add_up(cells[set].waste, add_up(cover->waste_before, cover->waste_behind));
    cell_t *const cell = &cells[made];
    if ((regions < cell->regions) || ((regions == cell->regions) && (waste < cell->waste))) {
        cell->regions = (uint8_t)regions;
        cell->waste = waste;
        cell->before = (uint8_t)set;
        cell->first = (uint8_t)first;
        cell->last = (uint8_t)last;
    }
}

// Places every run that starts with `first` beneath the set. Runs end where something nobody's lies between.
static void place_runs(scene_t *scene, group_t group, cell_t *cells, uint32_t set, size_t first)
{
    uint32_t made = set;
    for (size_t last = first; last < group.count; last++) {
        const size_t k = group.start + last;
        const bool is_taken = ((set >> last) & 1U) != 0U;
        if ((last != first) &&
            (mete_plan_wish_of(scene, k)->start != mete_plan_wish_of(scene, k - 1U)->last + 1U)) {
            break;
        }
        made |= 1U << last;
        mete_plan_cover_t cover;
        clear(&cover);
        if (!is_taken && scene->config->backend->cover(scene, group.start + first, k, &cover)) {
            relax(cells, set, made, first, last, &cover);
        }
    }
}

// Where regions must not overlap everybody is in the way, always.
static void set_on_top(scene_t *scene, group_t group, uint32_t set)
{
    const bool is_overlaid = scene->config->backend->rules.slice_count != 0U;
    scene->on_top = is_overlaid ? set << group.start : 0U;
}

// The last set is that of all.
static void search(scene_t *scene, group_t group, cell_t *cells)
{
    for (uint32_t set = 0U; set < (uint32_t)SET_COUNT; set++) {
        cells[set].regions = (set == 0U) ? 0U : (uint8_t)NO_REGIONS;
        cells[set].waste = 0U;
    }
    scene->images = NULL;
    for (uint32_t set = 0U; set < (1U << group.count); set++) {
        set_on_top(scene, group, set);
        for (size_t first = 0U; first < group.count; first++) {
            if ((cells[set].regions != NO_REGIONS) && (((set >> first) & 1U) == 0U)) {
                place_runs(scene, group, cells, set, first);
            }
        }
    }
}

// ---- The first time, to see whether it fits

static void add_to_bill(const scene_t *scene, group_t group, const cell_t *cells, bill_t *bill)
{
    uint32_t set = (1U << group.count) - 1U;
    while (set != 0U) {
        const cell_t *const cell = &cells[set];
        const size_t regions = (size_t)cell->regions - cells[cell->before].regions;
        bill->regions += regions;
        if (regions > bill->most) {
            bill->most = regions;
            bill->greedy = mete_plan_wish_of(scene, group.start + cell->first);
        }
        set = cell->before;
    }
}

// Whose bytes lie nearest to the wish, within a granule of it or else at all.
static const wish_t *nearest(const scene_t *scene, size_t k)
{
    const wish_t *const wish = mete_plan_wish_of(scene, k);
    const wish_t *const below = (k > 0U) ? mete_plan_wish_of(scene, k - 1U) : NULL;
    const wish_t *const above =
        (k + 1U < scene->config->wish_count) ? mete_plan_wish_of(scene, k + 1U) : NULL;
    const uintptr_t rest = scene->config->backend->rules.granule - 1U;
    if ((below != NULL) && (below->last >= (wish->start & ~rest))) {
        return below;
    }
    return ((above != NULL) && (above->start <= (wish->last | rest))) ? above : NULL;
}

// Names a wish that cannot be placed beneath the largest set that can be had.
static void blame(const scene_t *scene, group_t group, const cell_t *cells, result_t *result)
{
    uint32_t set = (1U << group.count) - 1U;
    while (cells[set].regions == NO_REGIONS) {
        set--;
    }
    size_t first = 0U;
    while (((set >> first) & 1U) != 0U) {
        first++;
    }
    set_result(result, METE_PLAN_ALIGN, mete_plan_wish_of(scene, group.start + first),
               nearest(scene, group.start + first));
}

// ---- What would fit

static const wish_t *find_hit(const mete_plan_config_t *config, const wish_t *wish, uintptr_t start,
                              uintptr_t last)
{
    const wish_t *hit = NULL;
    for (size_t i = 0U; i < config->wish_count; i++) {
        const wish_t *const other = &config->wishes[i];
        if ((other != wish) && (other->start <= last) && (other->last >= start)) {
            hit = other;
        }
    }
    return hit;
}

// What a region that holds so many bytes starts at a multiple of, and must not cross a multiple of, less 1.
typedef struct grid {
    uintptr_t slice_rest;
    uintptr_t block_rest;
} grid_t;

static grid_t grid_of(const mete_mpu_rules_t *rules, uintptr_t extent)
{
    grid_t grid = {rules->granule - 1U, UINTPTR_MAX};
    if (rules->slice_count == 0U) {
        return grid;
    }
    grid.block_rest = grid.slice_rest;
    while (grid.block_rest < extent) {
        grid.block_rest = (grid.block_rest << 1) | 1U;
    }
    const uintptr_t slice_rest = grid.block_rest / rules->slice_count;
    grid.slice_rest = (slice_rest >= rules->granule - 1U) ? slice_rest : grid.block_rest;
    return grid;
}

// At or below where it should start, else behind whoever is in the way. Each wish is passed but once.
static void suggest(const mete_plan_config_t *config, result_t *result)
{
    const wish_t *const wish = result->wish;
    const uintptr_t extent = wish->last - wish->start;
    const grid_t grid = grid_of(&config->backend->rules, extent);
    uintptr_t start = wish->start & ~grid.slice_rest;
    for (size_t i = 0U; i <= config->wish_count; i++) {
        uintptr_t last = (start + extent) | grid.slice_rest;
        if (((start ^ last) & ~grid.block_rest) != 0U) {
            start = (start | grid.block_rest) + 1U;
            last = (start + extent) | grid.slice_rest;
        }
        if ((last < start) || (last > config->backend->rules.last)) {
            return;
        }
        const wish_t *const hit = find_hit(config, wish, start, last);
        if (hit == NULL) {
            result->start = start;
            result->last = last;
            return;
        }
        start = (hit->last | grid.slice_rest) + 1U;
    }
}

static size_t region_max(const mete_plan_config_t *config)
{
    const size_t most = config->backend->rules.region_max;
    return (config->image_max < most) ? config->image_max : most;
}

static void count_all(scene_t *scene, cell_t *cells, bill_t *bill, result_t *result)
{
    size_t start = 0U;
    while ((result->verdict == METE_PLAN_FITS) && (start < scene->config->wish_count)) {
        const group_t group = group_from(scene, start);
        start += group.count;
        search(scene, group, cells);
        if (cells[(1U << group.count) - 1U].regions == NO_REGIONS) {
            blame(scene, group, cells, result);
            suggest(scene->config, result);
        } else {
            add_to_bill(scene, group, cells, bill);
        }
    }
    if ((result->verdict == METE_PLAN_FITS) && (bill->regions > region_max(scene->config))) {
        set_result(result, METE_PLAN_FULL, bill->greedy, NULL);
        if (bill->most > 1U) {
            suggest(scene->config, result);
        }
    }
}

// ---- The second time, to write it

static bool lowest_wins(const mete_plan_config_t *config)
{
    return config->backend->rules.kind == METE_MPU_PMP;
}

static void share_out(const scene_t *scene, group_t group, const cell_t *cell,
                      const mete_plan_cover_t *cover)
{
    mete_plan_share_t *const shares = scene->config->shares;
    for (size_t place = cell->first; place <= cell->last; place++) {
        if ((((uint32_t)cell->before >> place) & 1U) == 0U) {
            shares[scene->order[group.start + place]].waste_size = 0U;
            shares[scene->order[group.start + place]].region_count = 0U;
        }
    }
    shares[scene->order[group.start + cell->first]].region_count = cover->region_count;
    shares[scene->order[group.start + cell->first]].waste_size += cover->waste_before;
    shares[scene->order[group.start + cell->last]].waste_size += cover->waste_behind;
}

// Writes a group from the bottom to the top. Regions are numbered so that what is on top wins: `index` is the
// number of the first, where the highest wins, or lies behind the last. Returns the same for the next group.
static size_t write_group(scene_t *scene, group_t group, const cell_t *cells, size_t index)
{
    const bool is_downwards = lowest_wins(scene->config);
    uint32_t set = (1U << group.count) - 1U;
    while (set != 0U) {
        const cell_t *const cell = &cells[set];
        const size_t regions = (size_t)cell->regions - cells[cell->before].regions;
        index -= is_downwards ? regions : 0U;
        set_on_top(scene, group, cell->before);
        scene->images = &scene->config->images[index];
        scene->image_index = index;
        mete_plan_cover_t cover;
        clear(&cover);
        (void)scene->config->backend->cover(scene, group.start + cell->first,
                                            group.start + cell->last, &cover);
        share_out(scene, group, cell, &cover);
        index += is_downwards ? 0U : regions;
        set = cell->before;
    }
    return index;
}

static void write_all(scene_t *scene, cell_t *cells, size_t regions)
{
    size_t index = lowest_wins(scene->config) ? regions : 0U;
    size_t start = 0U;
    while (start < scene->config->wish_count) {
        const group_t group = group_from(scene, start);
        start += group.count;
        if (group.count != scene->config->wish_count) {  // Else the table still holds it.
            search(scene, group, cells);
        }
        index = write_group(scene, group, cells, index);
    }
}

// The number of the image that decides before all but `rank` others.
static size_t image_of_rank(const mete_plan_config_t *config, size_t image_count, size_t rank)
{
    return lowest_wins(config) ? rank : image_count - 1U - rank;
}

// What the images mean, in the order in which they decide. No more ranges than images. Returns how many.
static size_t decode_all(const mete_plan_config_t *config, size_t image_count)
{
    size_t count = 0U;
    for (size_t i = 0U; i < image_count; i++) {
        const size_t n = image_of_rank(config, image_count, i);
        count += config->backend->decode(config->images, n, &config->ranges[count]) ? 1U : 0U;
    }
    return count;
}

mete_plan_result_t mete_plan_init(mete_plan_t *plan, const mete_plan_config_t *config)
{
    METE_ASSERT((plan != NULL) && (config != NULL));
    uint8_t order[METE_PLAN_WISH_MAX];
    cell_t cells[SET_COUNT];
    scene_t scene;
    scene.config = config;
    scene.order = order;
    bill_t bill;
    bill.regions = 0U;
    bill.most = 0U;
    bill.greedy = NULL;
    result_t result;
    set_result(&result, is_legal(config) ? METE_PLAN_FITS : METE_PLAN_ILLEGAL, NULL, NULL);
    judge_all(config, &result);
    if (result.verdict == METE_PLAN_FITS) {
        sort(config, order);
        find_overlap(&scene, &result);
        count_all(&scene, cells, &bill, &result);
    }
    if (result.verdict == METE_PLAN_FITS) {
        write_all(&scene, cells, bill.regions);
        plan->backend = config->backend;
        plan->images = config->images;
        plan->image_count = bill.regions;
        plan->ranges = config->ranges;
        plan->range_count = decode_all(config, bill.regions);
        plan->config = config;
    }
    // Field by field: to copy the whole may become a call to memcpy(), which is libc.
    return (result_t){result.verdict, result.wish, result.other, result.start, result.last};
}

// ---- What was made

mete_plan_usage_t mete_plan_usage(const mete_plan_t *plan)
{
    METE_ASSERT((plan != NULL) && (plan->config != NULL));
    mete_plan_usage_t usage = {plan->image_count, 0U};
    for (size_t i = 0U; i < plan->config->wish_count; i++) {
        usage.waste_size = add_up(usage.waste_size, plan->config->shares[i].waste_size);
    }
    return usage;
}

static bool is_same_range(const range_t *one, const range_t *other)
{
    return (one->start == other->start) && (one->rest == other->rest) &&
           (one->rights == other->rights);
}

// True if the images still mean the ranges.
static bool is_decoded(const mete_plan_t *plan)
{
    bool is_right = true;
    size_t count = 0U;
    for (size_t i = 0U; is_right && (i < plan->image_count); i++) {
        const size_t n = image_of_rank(plan->config, plan->image_count, i);
        range_t range;
        if (plan->backend->decode(plan->images, n, &range)) {
            is_right = (count < plan->range_count) && is_same_range(&range, &plan->ranges[count]);
            count++;
        }
    }
    return is_right && (count == plan->range_count);
}

static bool grants(const mete_plan_t *plan, uintptr_t address, mete_privilege_t privilege,
                   uint32_t rights)
{
    uint32_t granted = 0U;
    for (uint32_t access = METE_ACCESS_READ; access <= METE_ACCESS_EXECUTE; access <<= 1) {
        granted |= mete_plan_allows(plan, address, 1U, access, privilege) ? access : 0U;
    }
    return granted == rights;
}

bool mete_plan_check(const mete_plan_t *plan)
{
    METE_ASSERT((plan != NULL) && (plan->config != NULL));
    const bool holds_privilege = plan->backend->rules.holds_privilege;
    bool is_right = is_decoded(plan);
    for (size_t i = 0U; is_right && (i < plan->config->wish_count); i++) {
        const wish_t *const wish = &plan->config->wishes[i];
        const uint32_t privileged = holds_privilege ? wish->rights.privileged : METE_ACCESS_ALL;
        is_right = grants(plan, wish->start, METE_UNPRIVILEGED, wish->rights.unprivileged) &&
                   grants(plan, wish->last, METE_UNPRIVILEGED, wish->rights.unprivileged) &&
                   grants(plan, wish->start, METE_PRIVILEGED, privileged) &&
                   grants(plan, wish->last, METE_PRIVILEGED, privileged);
    }
    return is_right;
}

// ---- Verdicts

static inline bool has(const range_t *range, uintptr_t address)
{
    return address - range->start <= range->rest;
}

// The range that decides about an address, or NULL. Two a turn: a kernel asks at every call that hands it an address.
static inline __attribute__((always_inline)) const range_t *find(const mete_plan_t *plan,
                                                                 uintptr_t address)
{
    const range_t *range = plan->ranges;
    size_t left = plan->range_count;
    if ((left & 1U) != 0U) {
        if (has(range, address)) {
            return range;
        }
        range++;
        left--;
    }
    for (; left != 0U; left -= 2U) {
        if (has(range, address)) {
            return range;
        }
        range++;
        if (has(range, address)) {
            return range;
        }
        range++;
    }
    return NULL;
}

// What privileged code does where no range is. Apart: nothing that it needs is to be kept while looking.
static __attribute__((noinline)) bool lies_open(const mete_plan_t *plan, uintptr_t address,
                                                uint32_t access)
{
    return (access & ~plan->backend->background(plan->config, address)) == 0U;
}

static inline __attribute__((always_inline)) bool decide(const mete_plan_t *plan, uintptr_t address,
                                                         uint32_t request)
{
    const range_t *const range = find(plan, address);
    if (range != NULL) {
        return (request & ~range->rights) == 0U;
    }
    const uint32_t access = request >> METE_PLAN_PRIVILEGED_SHIFT;
    return (access != 0U) && lies_open(plan, address, access);
}

// RISC-V wants an access whole in the entry that has any of it; elsewhere each byte is judged for itself, and none is
// between the ends that is in neither's region.
static __attribute__((noinline)) bool decide_ends(const mete_plan_t *plan, uintptr_t first,
                                                  uintptr_t last, uint32_t request)
{
    if (last < first) {
        return false;
    }
    for (size_t i = 0U; (plan->backend->rules.kind == METE_MPU_PMP) && (i < plan->range_count);
         i++) {
        const range_t *const range = &plan->ranges[i];
        if ((first <= range->start + range->rest) && (last >= range->start)) {
            return has(range, first) && has(range, last) && ((request & ~range->rights) == 0U);
        }
    }
    return decide(plan, first, request) && decide(plan, last, request);
}

bool mete_plan_allows_span(const mete_plan_t *plan, uintptr_t first, uintptr_t last,
                           uint32_t request)
{
    METE_ASSERT(plan != NULL);
    return (((first ^ last) >> 2) == 0U) ? decide(plan, first, request)
                                         : decide_ends(plan, first, last, request);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What it costs to find an address in a map of 7 and of 31 regions, and to add and remove the lowest one: then
// all others move.

#include "mete/protect/map.h"
#include "bench/probe.h"

enum { REGION_MAX = 31, STEP = 1024 };

static mete_map_region_t regions[REGION_MAX];
static mete_map_t map;

PROBE(mete_map_find);
const mete_map_region_t *probe_mete_map_find(const mete_map_t *map, uintptr_t address);
PROBE(mete_map_add);
mete_map_result_t probe_mete_map_add(mete_map_t *map, const mete_map_region_t *region);
PROBE(mete_map_remove);
bool probe_mete_map_remove(mete_map_t *map, uintptr_t start);

static mete_map_region_t region_at(uintptr_t start)
{
    return (mete_map_region_t){.name = "bench", .start = start, .size = STEP / 2};
}

static void work(const char *phase, const mete_map_config_t *config)
{
    start_phase(phase);
    (void)mete_map_init(&map, config);
    for (size_t i = 1U; i < config->region_max; i++) {
        const mete_map_region_t region = region_at(i * STEP);
        (void)mete_map_add(&map, &region);
    }
    const mete_map_region_t lowest = region_at(0U);
    (void)probe_mete_map_add(&map, &lowest);
    for (uintptr_t address = 0U; address < (REGION_MAX + 1U) * STEP; address += STEP / 4) {
        (void)probe_mete_map_find(&map, address);
    }
    (void)probe_mete_map_remove(&map, 0U);
}

int main(void)
{
    static const mete_map_config_t few = {regions, 7U};
    static const mete_map_config_t many = {regions, REGION_MAX};
    work("map 7", &few);
    work("map 31", &many);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The memory map of an STM32F407 as a program would declare it. Somebody moves the stack of a task over the heap; a
// fault handler asks whose an address is.

#include "mete/protect/map_report.h"

#include <stdio.h>

enum { RW = METE_ACCESS_READ | METE_ACCESS_WRITE, RX = METE_ACCESS_READ | METE_ACCESS_EXECUTE };

static size_t heap_in_use(const void *self)
{
    (void)self;
    return 12000U;  // In a program: mete_heap_usage(heap).in_use_size.
}

static const mete_map_region_t fixed[] = {
    {"peripherals", 0x40000000U, 0x20000000U, METE_MAP_DEVICE, {0U, RW}, 0U, NULL, NULL},
    {"flash", 0x08000000U, 0x100000U, METE_MAP_CODE, {RX, RX}, METE_REGION_EXECUTABLE, NULL, NULL},
    {"heap", 0x10000000U, 32768U, METE_MAP_HEAP, {RW, RW}, METE_REGION_FAST, heap_in_use, NULL},
    {"main stack", 0x2001E000U, 8192U, METE_MAP_STACK, {0U, RW}, METE_REGION_DMA, NULL, NULL},
};

static size_t print(void *self, const void *bytes, size_t size)
{
    (void)self;
    return fwrite(bytes, 1U, size, stdout);
}

// Tells if it was refused, and why.
static void add(mete_map_t *map, const mete_map_region_t *region)
{
    const mete_map_result_t result = mete_map_add(map, region);
    if (result.verdict != METE_MAP_ADDED) {
        mete_map_report_write_result(&result, (mete_sink_t){print, NULL});
    }
}

int main(void)
{
    static mete_map_region_t regions[8];
    static const mete_map_config_t config = {regions, 8U};
    mete_map_t map;
    (void)mete_map_init(&map, &config);
    for (size_t i = 0U; i < sizeof fixed / sizeof fixed[0]; i++) {
        add(&map, &fixed[i]);
    }
    mete_map_region_t task = {"radio",  0x10007C00U, 2048U, METE_MAP_STACK,
                              {RW, RW}, 0U,          NULL,  NULL};
    add(&map, &task);
    task.start = 0x10008000U;
    add(&map, &task);
    printf("0x100080ff: %s\n", mete_map_find(&map, 0x100080FFU)->name);
    (void)mete_map_remove(&map, task.start);  // The task has ended.
    printf("0x100080ff: %s\n", (mete_map_find(&map, 0x100080FFU) == NULL) ? "nobody" : "somebody");
    const mete_map_usage_t heaps = mete_map_usage(&map, METE_MAP_HEAP);
    printf("heaps: %zu of %zu bytes\n", heaps.in_use_size, heaps.total_size);
    return mete_map_check(&map) ? 0 : 1;
}

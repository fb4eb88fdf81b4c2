// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/protect/map_report.h"

#include "mete/core/text.h"

static const char *const kinds[] = {
    [METE_MAP_CODE] = "code",         [METE_MAP_DATA] = "data", [METE_MAP_BSS] = "bss",
    [METE_MAP_STACK] = "stack",       [METE_MAP_HEAP] = "heap", [METE_MAP_DEVICE] = "device",
    [METE_MAP_RESERVED] = "reserved",
};

// In the order of their bits.
static const char *const attributes[] = {
    "dma", "executable", "retained", "fast", "external", "encrypted", "shared", "cacheable",
};

_Static_assert(sizeof kinds / sizeof kinds[0] == METE_MAP_KIND_COUNT, "every kind has a name");
_Static_assert((1U << (sizeof attributes / sizeof attributes[0])) - 1U == METE_REGION_ALL,
               "every attribute has a name");

// The sink by pointer: some compilers copy it with memcpy() for each call it is passed to.
static void write_text(const mete_sink_t *sink, const char *text)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, text);
}

static void write_number(const mete_sink_t *sink, const char *before, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_decimal(by_value, value);
}

static void write_address(const mete_sink_t *sink, const char *before, uintptr_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, before);
    mete_text_hex(by_value, value);
}

static void write_rights(const mete_sink_t *sink, const char *before, unsigned rights)
{
    write_text(sink, before);
    write_text(sink, ((rights & METE_ACCESS_READ) != 0U) ? "r" : "-");
    write_text(sink, ((rights & METE_ACCESS_WRITE) != 0U) ? "w" : "-");
    write_text(sink, ((rights & METE_ACCESS_EXECUTE) != 0U) ? "x" : "-");
}

static void write_attributes(const mete_sink_t *sink, uint32_t joined)
{
    const char *before = " attributes=";
    for (size_t i = 0U; i < sizeof attributes / sizeof attributes[0]; i++) {
        if ((joined & (1U << i)) != 0U) {
            write_text(sink, before);
            write_text(sink, attributes[i]);
            before = ",";
        }
    }
    if ((joined & METE_REGION_ALL) == 0U) {
        write_text(sink, " attributes=none");
    }
}

// The name comes last: it may have spaces.
static void write_region(const mete_sink_t *sink, const mete_map_region_t *region)
{
    write_address(sink, "map start=", region->start);
    write_address(sink, " last=", mete_map_last(region));
    write_number(sink, " size=", region->size);
    write_number(sink, " in_use=", mete_map_in_use(region));
    write_text(sink, " kind=");
    write_text(sink, kinds[region->kind]);
    write_rights(sink, " privileged=", region->rights.privileged);
    write_rights(sink, " unprivileged=", region->rights.unprivileged);
    write_attributes(sink, region->attributes);
    write_text(sink, " name=");
    write_text(sink, region->name);
    write_text(sink, "\n");
}

static bool show_region(void *self, const mete_map_region_t *region)
{
    write_region(self, region);
    return true;
}

static void write_kind(const mete_sink_t *sink, const mete_map_t *map, mete_map_kind_t kind)
{
    const mete_map_usage_t usage = mete_map_usage(map, kind);
    if (usage.region_count == 0U) {
        return;
    }
    write_text(sink, "map kind=");
    write_text(sink, kinds[kind]);
    write_number(sink, " regions=", usage.region_count);
    write_number(sink, " size=", usage.total_size);
    write_number(sink, " in_use=", usage.in_use_size);
    write_text(sink, "\n");
}

bool mete_map_report_write(const mete_map_t *map, mete_sink_t sink)
{
    METE_ASSERT((map != NULL) && (map->config != NULL));
    const bool is_sound = mete_map_check(map);
    if (is_sound) {
        (void)mete_map_walk(map, show_region, &sink);
        for (unsigned kind = 0U; kind < METE_MAP_KIND_COUNT; kind++) {
            write_kind(&sink, map, (mete_map_kind_t)kind);
        }
    }
    write_number(&sink, "map regions=", map->region_count);
    write_number(&sink, " max=", map->config->region_max);
    write_text(&sink, is_sound ? " table=sound\n" : " table=damaged\n");
    return is_sound;
}

void mete_map_report_write_region(const mete_map_region_t *region, mete_sink_t sink)
{
    METE_ASSERT(region != NULL);
    write_region(&sink, region);
}

void mete_map_report_write_result(const mete_map_result_t *result, mete_sink_t sink)
{
    static const char *const verdicts[] = {
        [METE_MAP_ADDED] = ": added",
        [METE_MAP_ILLEGAL] = ": no name, or an unknown kind, right or attribute",
        [METE_MAP_EMPTY] = ": no bytes",
        [METE_MAP_WRAPS] = ": runs past the end of the address space",
        [METE_MAP_OVERLAPS] = ": overlaps ",
        [METE_MAP_FULL] = ": table is full",
        [METE_MAP_DAMAGED] = ": the map is damaged",
    };
    METE_ASSERT((result != NULL) && (result->region != NULL));
    write_text(&sink, "map ");
    write_text(&sink, (result->region->name != NULL) ? result->region->name : "(no name)");
    write_text(&sink, verdicts[result->verdict]);
    if (result->other != NULL) {
        write_text(&sink, result->other->name);
    }
    write_text(&sink, "\n");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The list, with no limit to its search.

#include "mete/alloc/list.h"
#include "bench/churn.h"

PROBE(mete_list_alloc);
void *probe_mete_list_alloc(mete_list_t *list, size_t size);
PROBE(mete_list_free);
void probe_mete_list_free(mete_list_t *list, void *block);

static mete_list_t *list;

static void start(mete_span_t span, uint32_t variant)
{
    (void)variant;
    const mete_list_config_t config = {.storage = span};
    list = mete_list_init(&config);
}

static void *alloc(uint32_t size)
{
    return probe_mete_list_alloc(list, size);
}

static void give(void *block, uint32_t size)
{
    (void)size;
    probe_mete_list_free(list, block);
}

static void describe(void)
{
    const mete_list_usage_t usage = mete_list_usage(list);
    say_both(", ", (uint32_t)usage.in_use_size);
    say_both(" bytes in use, free blocks: ", (uint32_t)usage.free_count);
}

int main(void)
{
    static const churn_subject_t subject = {"", start, alloc, give, describe, 0U};
    churn_run(&subject, 1U);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Objects that hold each other are never freed, and the tracker in front of their memory says so.

#include "mete/alloc/heap.h"
#include "mete/object/ref.h"
#include "mete/wrap/track.h"
#include "mete/wrap/track_report.h"

#include "tests/support/tap.h"

typedef struct node {
    struct node *child, *parent;
    bool is_parent_weak;
} node_t;

METE_HEAP_DEFINE(memory, 4096);
static mete_track_t track;
static mete_ref_t nodes;

static void *let_go(void *self, void *object)
{
    node_t *const node = (node_t *)object;
    (void)self;
    if (node->is_parent_weak) {
        mete_ref_drop_weak(&nodes, node->parent);
    } else {
        mete_ref_drop(&nodes, node->parent);
    }
    return node->child;
}

static void setup(void)
{
    static const mete_track_config_t watch = {0};
    static const mete_ref_config_t config = {
        .object_size = sizeof(node_t), .align = 8U, .cleanup = let_go};
    EXPECT(mete_track_init(&track, mete_heap_as_alloc(mete_heap_init(&memory_config)), &watch));
    EXPECT(mete_ref_init(&nodes, mete_track_as_alloc(&track), &config));
}

static node_t *make(void)
{
    node_t *const node = (node_t *)mete_ref_alloc(&nodes);
    node->child = NULL;
    node->parent = NULL;
    node->is_parent_weak = false;
    return node;
}

// A parent that holds its child, which knows its parent: the only reference that is left is the one returned.
static node_t *make_family(bool is_parent_weak)
{
    node_t *const parent = make();
    parent->child = make();
    parent->child->parent = parent;
    parent->child->is_parent_weak = is_parent_weak;
    if (is_parent_weak) {
        mete_ref_retain_weak(&nodes, parent);
    } else {
        mete_ref_retain(&nodes, parent);
    }
    return parent;
}

static size_t line_count;

static size_t count_lines(void *self, const void *bytes, size_t size)
{
    (void)self;
    for (size_t i = 0U; i < size; i++) {
        line_count += (((const char *)bytes)[i] == '\n') ? 1U : 0U;
    }
    return size;
}

static void test_a_cycle_of_strong_references_is_in_the_report(void)
{
    setup();
    mete_ref_drop(&nodes, make_family(false));
    const mete_track_total_t leaks =
        mete_track_report_write(&track, NULL, (mete_sink_t){count_lines, NULL});
    EXPECT((leaks.count == 2U) && leaks.is_sound && (line_count == 3U));
    EXPECT(leaks.size == 2U * (METE_REF_PREFIX_SIZE(8U) + sizeof(node_t)));
    EXPECT(mete_ref_usage(&nodes).in_use == 2U);
}

static void test_with_one_direction_weak_there_is_none(void)
{
    setup();
    mete_ref_drop(&nodes, make_family(true));
    EXPECT((mete_track_total(&track, NULL).count == 0U) && (mete_ref_usage(&nodes).in_use == 0U));
    EXPECT(tap_take_fault() == 0);
}

int main(void)
{
    RUN(test_a_cycle_of_strong_references_is_in_the_report);
    RUN(test_with_one_direction_weak_there_is_none);
    return tap_finish();
}

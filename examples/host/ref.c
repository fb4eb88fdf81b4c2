// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A tree whose nodes are shared: parents hold their children, children know their parent weakly. The same with
// strong references both ways is a cycle, which nothing frees: the tracker lists it.

#include "mete/object/ref.h"
#include "mete/alloc/heap.h"
#include "mete/wrap/track.h"

#include <stdio.h>

typedef struct node {
    struct node *child, *parent;
    bool is_parent_weak;
} node_t;

METE_HEAP_DEFINE(app, 4096);
static mete_ref_t nodes;

static void *cleanup(void *self, void *object)
{
    node_t *const node = object;
    (void)self;
    if (node->is_parent_weak) {
        mete_ref_drop_weak(&nodes, node->parent);
    }
    return node->child;  // Its reference is dropped next.
}

static node_t *make_family(bool is_parent_weak)
{
    node_t *const parent = mete_ref_alloc(&nodes);
    node_t *const child = mete_ref_alloc(&nodes);
    *parent = (node_t){child, NULL, false};
    *child = (node_t){NULL, parent, is_parent_weak};
    (is_parent_weak ? mete_ref_retain_weak : mete_ref_retain)(&nodes, parent);
    const mete_ref_counts_t counts = mete_ref_counts(&nodes, parent);
    printf("parent: %zu strong, %zu weak\n", counts.strong, counts.weak);
    return parent;
}

int main(void)
{
    static const mete_ref_config_t config = {sizeof(node_t), 8U, cleanup, NULL, NULL, 0U};
    static const mete_track_config_t watch = {.clock = NULL};
    static mete_track_t track;
    (void)mete_track_init(&track, mete_heap_as_alloc(mete_heap_init(&app_config)), &watch);
    (void)mete_ref_init(&nodes, mete_track_as_alloc(&track), &config);

    mete_ref_drop(&nodes, make_family(true));
    printf("a weak way back: %zu nodes left\n", mete_track_total(&track, NULL).count);
    mete_ref_drop(&nodes, make_family(false));
    printf("a cycle:         %zu nodes left\n", mete_track_total(&track, NULL).count);
    return 0;
}

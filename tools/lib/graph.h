// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TOOLS_GRAPH_H
#define METE_TOOLS_GRAPH_H

/// Control flow: nodes that stand for instructions, each with up to two successors. Node 0 is where it is entered.
/// Nodes are never removed, but they can be left out; when a loop is unrolled, copies are added.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAPH_NONE UINT32_MAX

typedef struct graph_node {
    uint32_t insn;  ///< Index of an instruction. Of the return: GRAPH_NONE.
    uint32_t next[2];
    bool is_in;
} graph_node_t;

typedef struct graph {
    graph_node_t *nodes;
    uint32_t count;
    uint32_t capacity;
    uint32_t exit;  ///< The return.
} graph_t;

/// A copy. False without memory.
bool graph_copy(graph_t *to, const graph_t *from);
void graph_free(graph_t *graph);

/// A new node without successors. GRAPH_NONE without memory, or beyond GRAPH_COUNT_MAX.
uint32_t graph_add(graph_t *graph, uint32_t insn);

#define GRAPH_COUNT_MAX 4000000U

/// Marks in `seen` what can be reached from the entry without `avoided`, which may be GRAPH_NONE. False without memory.
bool graph_reach(const graph_t *graph, uint32_t avoided, bool *seen);

/// Leaves out what does not lie on a path from the entry to the return. False without memory.
bool graph_trim(graph_t *graph);

/// Leaves out what cannot be reached from the entry. False without memory.
bool graph_prune(graph_t *graph);

/// Nodes in the order that a search in depth leaves them, successors first; memory that the caller frees.
uint32_t *graph_finish_order(const graph_t *graph, uint32_t *count);

/// Numbers each node that is in a loop with its loop, 1 ...; 0: in none. Returns how many, or GRAPH_NONE
/// without memory.
uint32_t graph_loops(const graph_t *graph, uint32_t *loop_of);

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/graph.h"

#include <stdlib.h>
#include <string.h>

bool graph_copy(graph_t *to, const graph_t *from)
{
    *to = *from;
    to->capacity = from->count;
    to->nodes = malloc((from->count + 1U) * sizeof *to->nodes);
    if (to->nodes == NULL) {
        return false;
    }
    memcpy(to->nodes, from->nodes, from->count * sizeof *to->nodes);
    return true;
}

void graph_free(graph_t *graph)
{
    free(graph->nodes);
    graph->nodes = NULL;
}

uint32_t graph_add(graph_t *graph, uint32_t insn)
{
    if (graph->count >= GRAPH_COUNT_MAX) {
        return GRAPH_NONE;
    }
    if (graph->count == graph->capacity) {
        const uint32_t capacity = 2U * graph->capacity + 16U;
        graph_node_t *const nodes = realloc(graph->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            return GRAPH_NONE;
        }
        graph->nodes = nodes;
        graph->capacity = capacity;
    }
    graph->nodes[graph->count] = (graph_node_t){insn, {GRAPH_NONE, GRAPH_NONE}, true};
    return graph->count++;
}

bool graph_reach(const graph_t *graph, uint32_t avoided, bool *seen)
{
    memset(seen, 0, graph->count * sizeof *seen);
    if (!graph->nodes[0].is_in || (avoided == 0U)) {
        return true;
    }
    uint32_t *const work = malloc((graph->count + 1U) * sizeof *work);
    if (work == NULL) {
        return false;
    }
    uint32_t left = 1U;
    work[0] = 0U;
    seen[0] = true;
    while (left != 0U) {
        const graph_node_t *const node = &graph->nodes[work[--left]];
        for (size_t i = 0U; i < 2U; i++) {
            const uint32_t next = node->next[i];
            if ((next != GRAPH_NONE) && graph->nodes[next].is_in && !seen[next] &&
                (next != avoided)) {
                seen[next] = true;
                work[left++] = next;
            }
        }
    }
    free(work);
    return true;
}

// What leads to each node: of node n those at before[first[n]] ... before[first[n + 1] - 1].
typedef struct backward {
    uint32_t *first;
    uint32_t *before;
} backward_t;

static void backward_free(backward_t *back)
{
    free(back->first);
    free(back->before);
}

static bool backward_of(const graph_t *graph, backward_t *back)
{
    back->first = calloc(graph->count + 2U, sizeof *back->first);
    back->before = malloc((2U * (size_t)graph->count + 1U) * sizeof *back->before);
    if ((back->first == NULL) || (back->before == NULL)) {
        backward_free(back);
        return false;
    }
    uint32_t *const count = back->first + 1;  // Of node n in first[n + 2] to begin with.
    for (uint32_t n = 0U; n < graph->count; n++) {
        for (size_t i = 0U; graph->nodes[n].is_in && (i < 2U); i++) {
            const uint32_t next = graph->nodes[n].next[i];
            if ((next != GRAPH_NONE) && graph->nodes[next].is_in) {
                count[next + 1U]++;
            }
        }
    }
    for (uint32_t n = 0U; n < graph->count; n++) {
        count[n + 1U] += count[n];
    }
    for (uint32_t n = 0U; n < graph->count; n++) {
        for (size_t i = 0U; graph->nodes[n].is_in && (i < 2U); i++) {
            const uint32_t next = graph->nodes[n].next[i];
            if ((next != GRAPH_NONE) && graph->nodes[next].is_in) {
                back->before[count[next]++] = n;
            }
        }
    }
    return true;
}

// Marks with `mark` what leads to `start`, through nodes that are not marked yet; returns how many.
static uint32_t mark_before(const backward_t *back, uint32_t start, uint32_t mark, uint32_t *marks,
                            uint32_t *work)
{
    uint32_t count = 1U;
    uint32_t left = 1U;
    work[0] = start;
    marks[start] = mark;
    while (left != 0U) {
        const uint32_t node = work[--left];
        for (uint32_t i = back->first[node]; i < back->first[node + 1U]; i++) {
            const uint32_t before = back->before[i];
            if (marks[before] == GRAPH_NONE) {
                marks[before] = mark;
                work[left++] = before;
                count++;
            }
        }
    }
    return count;
}

bool graph_prune(graph_t *graph)
{
    bool *const seen = malloc((graph->count + 1U) * sizeof *seen);
    const bool is_done = (seen != NULL) && graph_reach(graph, GRAPH_NONE, seen);
    for (uint32_t n = 0U; is_done && (n < graph->count); n++) {
        graph->nodes[n].is_in = graph->nodes[n].is_in && seen[n];
    }
    free(seen);
    return is_done;
}

bool graph_trim(graph_t *graph)
{
    backward_t back;
    if (!graph_prune(graph) || !backward_of(graph, &back)) {
        return false;
    }
    uint32_t *const marks = malloc((graph->count + 1U) * sizeof *marks);
    uint32_t *const work = malloc((graph->count + 1U) * sizeof *work);
    const bool is_done = (marks != NULL) && (work != NULL);
    if (is_done) {
        memset(marks, 0xFF, graph->count * sizeof *marks);
        if (graph->nodes[graph->exit].is_in) {
            (void)mark_before(&back, graph->exit, 1U, marks, work);
        }
        for (uint32_t n = 0U; n < graph->count; n++) {
            graph->nodes[n].is_in = graph->nodes[n].is_in && (marks[n] == 1U);
        }
    }
    free(marks);
    free(work);
    backward_free(&back);
    return is_done;
}

uint32_t *graph_finish_order(const graph_t *graph, uint32_t *count)
{
    uint32_t *const order = malloc((graph->count + 1U) * sizeof *order);
    uint32_t *const stack = malloc((graph->count + 1U) * sizeof *stack);
    uint8_t *const taken =
        calloc(graph->count + 1U, sizeof *taken);  // Successors looked at; 3: done.
    *count = 0U;
    if ((order == NULL) || (stack == NULL) || (taken == NULL)) {
        free(order);
        free(stack);
        free(taken);
        return NULL;
    }
    bool *const seen = (bool *)calloc(graph->count + 1U, sizeof *seen);
    uint32_t depth = 0U;
    if ((seen != NULL) && graph->nodes[0].is_in) {
        stack[depth++] = 0U;
        seen[0] = true;
    }
    while (depth != 0U) {
        const uint32_t node = stack[depth - 1U];
        if (taken[node] == 2U) {
            order[(*count)++] = node;
            depth--;
            continue;
        }
        const uint32_t next = graph->nodes[node].next[taken[node]++];
        if ((next != GRAPH_NONE) && graph->nodes[next].is_in && !seen[next]) {
            seen[next] = true;
            stack[depth++] = next;
        }
    }
    free(stack);
    free(taken);
    free(seen);
    return order;
}

static bool leads_to_itself(const graph_t *graph, uint32_t node)
{
    return (graph->nodes[node].next[0] == node) || (graph->nodes[node].next[1] == node);
}

// Kosaraju's algorithm: strongly connected components, of which those without a cycle are no loops.
uint32_t graph_loops(const graph_t *graph, uint32_t *loop_of)
{
    uint32_t loops = 0U;
    uint32_t count = 0U;
    backward_t back = {NULL, NULL};
    uint32_t *const order = graph_finish_order(graph, &count);
    uint32_t *const work = malloc((graph->count + 1U) * sizeof *work);
    if ((order == NULL) || (work == NULL) || !backward_of(graph, &back)) {
        free(order);
        free(work);
        return GRAPH_NONE;
    }
    memset(loop_of, 0xFF, graph->count * sizeof *loop_of);
    for (uint32_t i = count; i-- > 0U;) {
        const uint32_t start = order[i];
        if (loop_of[start] != GRAPH_NONE) {
            continue;
        }
        const uint32_t size = mark_before(&back, start, loops + 1U, loop_of, work);
        if ((size > 1U) || leads_to_itself(graph, start)) {
            loops++;
        } else {
            loop_of[start] = 0U;
        }
    }
    for (uint32_t n = 0U; n < graph->count; n++) {
        loop_of[n] = (graph->nodes[n].is_in && (loop_of[n] != GRAPH_NONE)) ? loop_of[n] : 0U;
    }
    free(order);
    free(work);
    backward_free(&back);
    return loops;
}

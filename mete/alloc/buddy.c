// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A tree, a byte for each node, lies in the table as a heap does in an array: node n has the children
// 2n and 2n + 1, the root is 1, and the leaves, one for each smallest block, begin at `leaves`. A node
// stands for a block; its byte says how large a piece of it can be had: nothing, or a piece of some order,
// up to its own. Then the node is whole.
//
// So alloc goes down from the root, to the left wherever that suffices, which is the lowest address;
// and both alloc and free write the larger of two children into their parent on the way up. A block
// handed out is a node with nothing in it under which all are whole still. That is what free goes up to
// find, from the leaf of an address: the first with nothing is the block that this address lies in, and
// there is none if the address is free. Hence what is no block is recognised exactly, and no size need be
// remembered. Blocks beyond the last have nothing, as if handed out for ever; their leaves are left out.
//
// Bytes lie three apart, because no two of these differ by a power of two: a single flipped bit never makes
// one valid byte of another (AN codes; Brown, "Error Detecting and Correcting Binary Codes for Arithmetic
// Operations", 1960). alloc and free act only on bytes that are exactly what they must be. They begin at 127,
// nothing: whoever flips one of its bits makes it say less, but for one bit, and so lures no alloc into blocks
// in use.

#include "mete/alloc/buddy.h"

#include "mete/core/bits.h"

enum { ROOT = 1, NONE = 0 };       // Nodes.
enum { NOTHING = 127, STEP = 3 };  // Bytes: the least, and what each order has more.
enum { WORD_BITS = 8 * (int)sizeof(size_t) };

// Keeps loads of neighbouring fields together, which some cores do in one instruction.
#define IN_ORDER() __asm__("" ::: "memory")

// Hides from the compiler what it knows of a number. It would keep an address in a register where base and
// index cost nothing, or share an instruction between loops.
#define HIDE(value) __asm__("" : "+r"(value))

// ---- Numbers. A block of order r has 2^(r-1) smallest blocks. These are named by their leaves; a node is
// named by its first leaf, which is its own number times that of its leaves.

METE_INLINE uint32_t leading_zeros_of(size_t value)
{
    return (sizeof(size_t) > 4U) ? mete_bits_clz64(value) : mete_bits_clz((uint32_t)value);
}

// The order of a block for `size` bytes: the bits of the number of smallest blocks in front of its last
// byte, and one more. Of size 0 and of sizes near the top beyond every order.
METE_INLINE uint32_t order_for(const mete_buddy_t *buddy, size_t size)
{
    return (uint32_t)WORD_BITS - leading_zeros_of(((size - 1U) >> buddy->half_shift) | 1U);
}

// A block that has an alignment is at least as large: what to ask for. Size 0 stays refused.
METE_INLINE size_t size_with(size_t size, size_t align)
{
    return (size - 1U < align - 1U) ? align : size;
}

METE_INLINE size_t count_of(uint32_t order)
{
    return ((size_t)1U << (WORD_BITS - 1)) >> ((uint32_t)WORD_BITS - order);
}

METE_INLINE uint32_t order_of(const mete_buddy_t *buddy, uint32_t node)
{
    return mete_bits_clz(node) - mete_bits_clz(buddy->leaves) + 1U;
}

// Bytes in so many smallest blocks.
METE_INLINE size_t size_of_all(const mete_buddy_t *buddy, size_t count)
{
    return (count << buddy->half_shift) * 2U;
}

METE_INLINE void *address_of(const mete_buddy_t *buddy, size_t leaf)
{
    const uint32_t half_shift = buddy->half_shift;
    const uintptr_t origin = buddy->origin;
    IN_ORDER();
    return (void *)(origin + ((leaf << half_shift) * 2U));
}

// The leaf of the smallest block that an address lies in; beyond all leaves if there is none.
METE_INLINE size_t leaf_of(const mete_buddy_t *buddy, const void *address)
{
    return (((uintptr_t)address - buddy->origin) >> buddy->half_shift) / 2U;
}

// Of a smallest block, not of what the tree has in front of the first and behind the last.
METE_INLINE bool is_leaf(const mete_buddy_t *buddy, size_t leaf)
{
    const uint32_t leaves = buddy->leaves;
    const size_t block_count = buddy->block_count;
    IN_ORDER();
    return leaf - leaves < block_count;
}

// ---- The tree

// The byte of a whole node of an order, or of any in which a piece of that order can be had.
METE_INLINE uint32_t whole_of(uint32_t order)
{
    return (uint32_t)NOTHING + ((uint32_t)STEP * order);
}

// Tells a node and all above it what can be had there. Reads the table's byte 0, which is no node, as the
// root's sibling, to no effect.
METE_INLINE void tell(uint8_t *table, uint32_t node, uint32_t best)
{
    while (node != NONE) {
        table[node] = (uint8_t)best;
        const uint32_t other = table[node ^ 1U];
        best = (other > best) ? other : best;
        node >>= 1;
    }
}

// Leaves nothing in a node.
METE_INLINE void clear(uint8_t *table, uint32_t node)
{
    table[node] = NOTHING;
    tell(table, node >> 1, table[node ^ 1U]);
}

// The node of an order that the first piece as large begins with; the root has said that there is one. A
// node has children of this order or above as long as 2 * node < table_size / count; `end` is half of that,
// rounded up. Only a damaged table leads to where this ends the way too early.
METE_INLINE uint32_t find(const uint8_t *table, uint32_t table_size, uint32_t order)
{
    const uint32_t end = (uint32_t)((table_size + count_of(order)) >> order);
    uint32_t node = ROOT;
    while (node < end) {
        // To the right if less can be had on the left: the sign of a difference is shorter than an if.
        node = (2U * node) + ((table[(size_t)2U * node] - whole_of(order)) >> 31);
    }
    return node;
}

// The node of the block in use that a smallest block lies in; NONE if it is free.
METE_INLINE uint32_t node_over(const mete_buddy_t *buddy, size_t leaf)
{
    uint32_t node = (uint32_t)leaf;
    while ((node != NONE) && (buddy->table[node] != NOTHING)) {
        node >>= 1;
    }
    return node;
}

// A node with nothing in it is a block in use if what can be had below is all whole. If it is not, blocks in
// use lie below, and one that does not look like one led here.
METE_INLINE bool is_block(const mete_buddy_t *buddy, uint32_t node)
{
    if (node >= buddy->leaves) {
        return true;
    }
    return buddy->table[(size_t)2U * node] == whole_of(order_of(buddy, node) - 1U);
}

// The node of the block in use that begins at an address, or NONE.
METE_INLINE uint32_t node_at(const mete_buddy_t *buddy, const void *address)
{
    const size_t leaf = leaf_of(buddy, address);
    if (METE_CHECK_LEVEL < 1) {
        return node_over(buddy, leaf);
    }
    if (!is_leaf(buddy, leaf) || (address_of(buddy, leaf) != address)) {
        return NONE;
    }
    const uint32_t node = node_over(buddy, leaf);
    const bool begins = (node != NONE) && (node * count_of(order_of(buddy, node)) == leaf);
    return (begins && is_block(buddy, node)) ? node : (uint32_t)NONE;
}

// ---- The moves of a block

// What is in use is largest before it becomes less: alloc need not look.
METE_INLINE void note_peak(mete_buddy_t *buddy)
{
    if (buddy->in_use > buddy->in_use_peak) {
        buddy->in_use_peak = buddy->in_use;
    }
}

typedef enum outcome { DONE, NO_ROOM, DAMAGE } outcome_t;

// Takes a block of an order out of the tree; `block` becomes its address. That the way down does not end
// at a whole node, all of it smallest blocks, shows that the table is damaged.
METE_INLINE outcome_t take(mete_buddy_t *buddy, uint32_t order, void **block)
{
    uint8_t *const table = buddy->table;
    const uint32_t table_size = buddy->table_size;
    IN_ORDER();
    if (table[ROOT] < whole_of(order)) {
        return NO_ROOM;
    }
    uint32_t node = find(table, table_size, order);
    const size_t count = count_of(order);
    const size_t leaf = node * count;
    if ((METE_CHECK_LEVEL >= 1) &&
        ((table[node] != whole_of(order)) || !is_leaf(buddy, leaf + count - 1U))) {
        return DAMAGE;
    }
    METE_ASSERT(node_over(buddy, leaf) == NONE);
    HIDE(node);
    *block = address_of(buddy, leaf);
    buddy->in_use += (uint32_t)count;
    clear(table, node);
    return DONE;
}

// Frees a block in use, and joins it with its buddy as long as that is whole.
METE_INLINE void give(mete_buddy_t *buddy, uint32_t node)
{
    uint8_t *const table = buddy->table;
    const uint32_t order = order_of(buddy, node);
    uint32_t whole = whole_of(order);
    note_peak(buddy);
    buddy->in_use -= (uint32_t)count_of(order);
    while ((node > ROOT) && (table[node ^ 1U] == whole)) {
        table[node] = (uint8_t)whole;
        node >>= 1;
        whole += STEP;
    }
    HIDE(node);
    tell(table, node, whole);
}

// True if a node can take in its buddies, all of which must lie behind it, up to an order. Behind odd nodes,
// of which the root is one, there is none.
static bool can_grow(const mete_buddy_t *buddy, uint32_t node, uint32_t order)
{
    for (uint32_t at = order_of(buddy, node); at < order; at++) {
        if ((node % 2U != 0U) || (buddy->table[node ^ 1U] != whole_of(at))) {
            return false;
        }
        node >>= 1;
    }
    return (METE_CHECK_LEVEL < 1) || is_leaf(buddy, ((node + 1U) * count_of(order)) - 1U);
}

// Makes a block in use one of a higher order; under it all is whole.
static void grow(mete_buddy_t *buddy, uint32_t node, uint32_t order)
{
    for (uint32_t at = order_of(buddy, node); at < order; at++) {
        buddy->table[node] = (uint8_t)whole_of(at);
        node >>= 1;
    }
    clear(buddy->table, node);
}

// In place or not at all. What a block that becomes smaller gives back is whole already.
static bool fit(mete_buddy_t *buddy, uint32_t node, uint32_t order)
{
    const uint32_t old_order = order_of(buddy, node);
    if ((order > old_order) && !can_grow(buddy, node, order)) {
        return false;
    }
    note_peak(buddy);
    buddy->in_use += (uint32_t)(count_of(order) - count_of(old_order));
    if (order > old_order) {
        grow(buddy, node, order);
    } else if (order < old_order) {
        clear(buddy->table, node << (old_order - order));
    }
    return true;
}

// ---- init

// As the macros of the header say, but without the compiler's runtime.
static uint32_t leaves_for(size_t block_count)
{
    return (uint32_t)1U << (31U - mete_bits_clz((2U * (uint32_t)block_count) - 1U));
}

static uint32_t table_size_for(size_t block_count)
{
    const uint32_t count = (uint32_t)block_count;
    return leaves_for(block_count) + count + ((count > 1U) ? count % 2U : 0U);
}

// Twice as many leaves as blocks, at most, must be addresses that do not overlap.
static bool is_legal(const mete_buddy_config_t *config)
{
    const bool has_numbers = mete_align_is_legal(config->block_size) &&
                             (config->block_size >= 8U) &&
                             (config->block_count - 1U < METE_BUDDY_BLOCK_COUNT_MAX) &&
                             (config->block_size <= SIZE_MAX / 4U / config->block_count);
    return has_numbers && (config->blocks != NULL) && (config->table != NULL) &&
           (config->block_size * config->block_count <= UINTPTR_MAX - (uintptr_t)config->blocks);
}

// The byte of a node; NOTHING for those that are left out.
static uint32_t byte_of(const mete_buddy_t *buddy, uint32_t node)
{
    return (node < buddy->table_size) ? buddy->table[node] : (uint32_t)NOTHING;
}

// What can be had in a node by its children: all of it if both are whole, or the larger piece of the two.
static uint32_t best_of(const mete_buddy_t *buddy, uint32_t node)
{
    const uint32_t whole = whole_of(order_of(buddy, node));
    const uint32_t left = byte_of(buddy, 2U * node);
    const uint32_t right = byte_of(buddy, (2U * node) + 1U);
    const bool is_whole = (left == whole - STEP) && (right == left);
    return is_whole ? whole : (left > right) ? left : right;
}

static void plant(const mete_buddy_t *buddy)
{
    for (uint32_t node = buddy->table_size - 1U; node >= buddy->leaves; node--) {
        buddy->table[node] = is_leaf(buddy, node) ? (uint8_t)whole_of(1U) : (uint8_t)NOTHING;
    }
    for (uint32_t node = buddy->leaves - 1U; node >= ROOT; node--) {
        buddy->table[node] = (uint8_t)best_of(buddy, node);
    }
}

static uintptr_t origin_for(const mete_buddy_t *buddy)
{
    return (uintptr_t)buddy->config->blocks - size_of_all(buddy, buddy->leaves);
}

bool mete_buddy_init(mete_buddy_t *buddy, const mete_buddy_config_t *config)
{
    METE_ASSERT(buddy != NULL);
    if ((config == NULL) || !is_legal(config)) {
        return false;
    }
    // Field by field: a whole-struct assignment may become a call to memset(), which is libc.
    buddy->config = config;
    buddy->block_count = config->block_count;
    buddy->half_shift = WORD_BITS - 2U - leading_zeros_of(config->block_size);
    buddy->table = config->table;
    buddy->leaves = leaves_for(config->block_count);
    buddy->table_size = table_size_for(config->block_count);
    buddy->origin = origin_for(buddy);
    buddy->in_use = 0U;
    buddy->in_use_peak = 0U;
    buddy->refusals = 0U;
    plant(buddy);
    METE_ASSERT(mete_buddy_check(buddy));
    return true;
}

// Why an address was refused.
__attribute__((unused)) static mete_fault_t fault_of(const mete_buddy_t *buddy, const void *address)
{
    const size_t leaf = leaf_of(buddy, address);
    if (!is_leaf(buddy, leaf)) {
        return METE_FAULT_FOREIGN;
    }
    const uint32_t node = node_over(buddy, leaf);
    if (node == NONE) {
        return METE_FAULT_DOUBLE_FREE;
    }
    return is_block(buddy, node) ? METE_FAULT_FOREIGN : METE_FAULT_CORRUPT;
}

// Level 3 looks at everything after every operation.
METE_INLINE bool is_sound(const mete_buddy_t *buddy)
{
    return (METE_CHECK_LEVEL < 3) || mete_buddy_check(buddy);
}

// ---- Public functions

METE_DIRECT void *mete_buddy_alloc(mete_buddy_t *buddy, size_t size)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    void *block = NULL;
    const outcome_t outcome = take(buddy, order_for(buddy, size), &block);
    if ((METE_CHECK_LEVEL >= 1) && (outcome == DAMAGE)) {
        METE_FAULT(METE_FAULT_CORRUPT, buddy, NULL);
        return NULL;
    }
    if (outcome != DONE) {
        buddy->refusals++;
        return NULL;
    }
    if (!is_sound(buddy)) {
        METE_FAULT(METE_FAULT_CORRUPT, buddy, NULL);
    }
    return block;
}

METE_DIRECT void *mete_buddy_alloc_aligned(mete_buddy_t *buddy, size_t size, size_t align)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    if (!mete_align_is_legal(align)) {
        METE_FAULT(METE_FAULT_ALIGN, buddy, NULL);
        return NULL;
    }
    const bool can_align = mete_align_fits((uintptr_t)buddy->config->blocks, align);
    return mete_buddy_alloc(buddy, can_align ? size_with(size, align) : 0U);
}

METE_DIRECT void mete_buddy_free(mete_buddy_t *buddy, void *block)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    if (block == NULL) {
        return;
    }
    const uint32_t node = node_at(buddy, block);
    if ((METE_CHECK_LEVEL >= 1) && (node == NONE)) {
        METE_FAULT(fault_of(buddy, block), buddy, block);
        return;
    }
    give(buddy, node);
    if (!is_sound(buddy)) {
        METE_FAULT(METE_FAULT_CORRUPT, buddy, NULL);
    }
}

METE_DIRECT bool mete_buddy_resize(mete_buddy_t *buddy, void *block, size_t size)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    if (block == NULL) {
        return false;
    }
    const uint32_t node = node_at(buddy, block);
    if ((METE_CHECK_LEVEL >= 1) && (node == NONE)) {
        METE_FAULT(fault_of(buddy, block), buddy, block);
        return false;
    }
    const bool is_done = fit(buddy, node, order_for(buddy, size));
    if (!is_sound(buddy)) {
        METE_FAULT(METE_FAULT_CORRUPT, buddy, NULL);
    }
    return is_done;
}

bool mete_buddy_owns(const mete_buddy_t *buddy, const void *address)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    return is_leaf(buddy, leaf_of(buddy, address));
}

size_t mete_buddy_size_of(const mete_buddy_t *buddy, const void *block)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL) && (block != NULL));
    const uint32_t node = node_at(buddy, block);
    return (node != NONE) ? size_of_all(buddy, count_of(order_of(buddy, node))) : 0U;
}

mete_buddy_usage_t mete_buddy_usage(const mete_buddy_t *buddy)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL));
    mete_buddy_usage_t usage;
    usage.total_size = size_of_all(buddy, buddy->block_count);
    usage.in_use_size = size_of_all(buddy, buddy->in_use);
    const uint32_t peak = (buddy->in_use > buddy->in_use_peak) ? buddy->in_use : buddy->in_use_peak;
    usage.in_use_peak = size_of_all(buddy, peak);
    const uint32_t order = (buddy->table[ROOT] - (uint32_t)NOTHING) / (uint32_t)STEP;
    const bool has_free = (order - 1U < order_of(buddy, ROOT));
    usage.largest_free_size = has_free ? size_of_all(buddy, count_of(order)) : 0U;
    usage.refusals = buddy->refusals;
    return usage;
}

// The largest free block that begins with a free leaf, in a sound table.
static uint32_t whole_over(const mete_buddy_t *buddy, uint32_t leaf)
{
    uint32_t node = leaf;
    uint32_t whole = whole_of(2U);
    while ((node > ROOT) && (buddy->table[node / 2U] == whole)) {
        node /= 2U;
        whole += STEP;
    }
    return node;
}

bool mete_buddy_walk(const mete_buddy_t *buddy,
                     bool (*visit)(void *self, const mete_buddy_block_t *block), void *self)
{
    METE_ASSERT((buddy != NULL) && (buddy->config != NULL) && (visit != NULL));
    if (!mete_buddy_check(buddy)) {
        return false;
    }
    for (uint32_t leaf = buddy->leaves; is_leaf(buddy, leaf);) {
        const uint32_t live = node_over(buddy, leaf);
        const uint32_t node = (live != NONE) ? live : whole_over(buddy, leaf);
        const size_t count = count_of(order_of(buddy, node));
        const mete_buddy_block_t block = {address_of(buddy, leaf), size_of_all(buddy, count),
                                          live != NONE};
        if (!visit(self, &block)) {
            return false;
        }
        leaf += (uint32_t)count;
    }
    return true;
}

// ---- check

// The buddy's own copies say what the config says.
static bool agrees_with_config(const mete_buddy_t *buddy)
{
    const mete_buddy_config_t *const config = buddy->config;
    return (config != NULL) && (buddy->half_shift < (uint32_t)WORD_BITS) &&
           (size_of_all(buddy, 1U) == config->block_size) &&
           (buddy->block_count == config->block_count) && (buddy->table == config->table) &&
           (buddy->table_size == table_size_for(config->block_count)) &&
           (buddy->leaves == leaves_for(config->block_count)) &&
           (buddy->origin == origin_for(buddy));
}

// What follows for a node from its children; for a leaf, whether it is a block.
static uint32_t due_of(const mete_buddy_t *buddy, uint32_t node)
{
    if (node < buddy->leaves) {
        return best_of(buddy, node);
    }
    return is_leaf(buddy, node) ? whole_of(1U) : (uint32_t)NOTHING;
}

// How a block in use looks: nothing, where all could be had.
static bool is_taken(const mete_buddy_t *buddy, uint32_t node)
{
    return (buddy->table[node] == NOTHING) &&
           (due_of(buddy, node) == whole_of(order_of(buddy, node)));
}

bool mete_buddy_check(const mete_buddy_t *buddy)
{
    METE_ASSERT(buddy != NULL);
    if (!agrees_with_config(buddy)) {
        return false;
    }
    size_t in_use = 0U;
    for (uint32_t node = ROOT; node < buddy->table_size; node++) {
        const bool is_block = is_taken(buddy, node);
        if (!is_block && (buddy->table[node] != due_of(buddy, node))) {
            return false;
        }
        in_use += is_block ? count_of(order_of(buddy, node)) : 0U;
    }
    return (in_use == buddy->in_use) && (buddy->in_use_peak <= buddy->block_count);
}

// ---- The buddy as an allocator

static void *acquire(void *self, size_t size, size_t align)
{
    return mete_buddy_alloc_aligned((mete_buddy_t *)self, size, align);
}

// True if a block in use was acquired as the caller says. One that is not in use passes: what is
// wrong with it is for free and resize to say.
static bool is_as_named(const mete_buddy_t *buddy, const void *block, size_t size, size_t align)
{
    if (METE_CHECK_LEVEL < 1) {
        return true;
    }
    const uint32_t node = node_at(buddy, block);
    return (node == NONE) || (mete_align_fits((uintptr_t)block, align) &&
                              (order_of(buddy, node) == order_for(buddy, size_with(size, align))));
}

static void release(void *self, void *block, size_t size, size_t align)
{
    if (!is_as_named((const mete_buddy_t *)self, block, size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return;
    }
    mete_buddy_free((mete_buddy_t *)self, block);
}

static bool resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    if (!is_as_named((const mete_buddy_t *)self, block, old_size, align)) {
        METE_FAULT(METE_FAULT_SIZE, self, block);
        return false;
    }
    return mete_buddy_resize((mete_buddy_t *)self, block, size_with(new_size, align));
}

static bool owns(const void *self, const void *address)
{
    return mete_buddy_owns((const mete_buddy_t *)self, address);
}

static size_t size_of(const void *self, const void *block)
{
    return mete_buddy_size_of((const mete_buddy_t *)self, block);
}

mete_alloc_t mete_buddy_as_alloc(mete_buddy_t *buddy)
{
    static const mete_alloc_ops_t ops = {acquire, release, resize, owns, size_of};
    const mete_alloc_t alloc = {&ops, buddy};
    return alloc;
}

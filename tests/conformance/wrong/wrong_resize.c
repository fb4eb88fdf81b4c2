// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What can be wrong with resizing in place.

#include "tests/conformance/wrong/wrong.h"

static bool clears_what_it_shrinks(void *self, void *block, size_t old_size, size_t new_size,
                                   size_t align)
{
    const bool done = reference_resize(self, block, old_size, new_size, align);
    if (done && (new_size < old_size)) {
        mete_words_fill((unsigned char *)block + (new_size - 1U), 0U, old_size - new_size);
    }
    return done;
}

static bool keeps_what_is_shrunk_off(void *self, void *block, size_t old_size, size_t new_size,
                                     size_t align)
{
    (void)align;
    (void)self;
    (void)block;
    return new_size <= old_size;
}

static bool never_grows(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    return (new_size <= old_size) && reference_resize(self, block, old_size, new_size, align);
}

static bool grows_over_its_neighbour(void *self, void *block, size_t old_size, size_t new_size,
                                     size_t align)
{
    return reference_resize(self, block, old_size, new_size, align) || (new_size < 1024U);
}

static bool only_changes(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    return (new_size != old_size) && reference_resize(self, block, old_size, new_size, align);
}

static bool header_added_that_wraps(void *self, void *block, size_t old_size, size_t new_size,
                                    size_t align)
{
    const bool done = reference_resize(self, block, old_size, new_size + 8U, align);
    return done && reference_resize(self, block, new_size + 8U, old_size, align);
}

static bool size_zero_served(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                             size_t align)
{
    return alloc.ops->resize(alloc.self, block, old_size, new_size, align);
}

static bool null_not_filtered(mete_alloc_t alloc, void *block, size_t old_size, size_t new_size,
                              size_t align)
{
    return alloc.ops->resize(alloc.self, block, old_size, new_size, align);
}

static bool refused_but_noted(void *self, void *block, size_t old_size, size_t new_size,
                              size_t align)
{
    reference_t *const reference = self;
    const bool done = reference_resize(self, block, old_size, new_size, align);
    if (!done) {
        reference->blocks[reference_find(reference, block)].size--;
    }
    return done;
}

static bool done_but_not_noted(void *self, void *block, size_t old_size, size_t new_size,
                               size_t align)
{
    const bool done = reference_resize(self, block, old_size, new_size, align);
    return done && reference_resize(self, block, new_size, old_size, align);
}

static bool footer_behind_the_block(void *self, void *block, size_t old_size, size_t new_size,
                                    size_t align)
{
    unsigned char *const behind = (unsigned char *)block + old_size;
    *behind = (unsigned char)~*behind;
    return reference_resize(self, block, old_size, new_size, align);
}

static const wrong_t wrongs[] = {
    {"shrinking works in place and keeps contents", .ops.resize = clears_what_it_shrinks},
    {"what is shrunk off can be had", .ops.resize = keeps_what_is_shrunk_off},
    {"the last block grows in place and keeps contents", .ops.resize = never_grows},
    {"growing takes no neighbour's memory", .ops.resize = grows_over_its_neighbour},
    {"resizing to the same size is done and changes nothing", .ops.resize = only_changes},
    {"a huge resize is refused", .ops.resize = header_added_that_wraps},
    {"resizing to zero is refused", .calls.resize = size_zero_served},
    {"resizing NULL is refused", .calls.resize = null_not_filtered},
    {"a refused resize leaves the block as it was", .ops.resize = refused_but_noted},
    {"a resized block is released with its new size", .ops.resize = done_but_not_noted},
    {"resizing leaves other blocks alone", .ops.resize = footer_behind_the_block},
};

const wrong_group_t wrong_group_resize = WRONG_GROUP(wrongs);

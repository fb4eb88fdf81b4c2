// SPDX-License-Identifier: MIT OR Apache-2.0

#include "mete/wrap/guard_report.h"

#include "mete/core/text.h"

enum {
    DUMP_SIZE = 32,  // Bytes shown before and behind the first damaged one.
    DUMP_ROW = 16,
};

// The sink by pointer: some compilers copy it with memcpy() for each call it is passed to.
static void write_text(const mete_sink_t *sink, const char *text)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, text);
}

static void write_number(const mete_sink_t *sink, const char *name, size_t value)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, name);
    mete_text_decimal(by_value, value);
}

static void write_address(const mete_sink_t *sink, const char *name, const void *address)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    mete_text_string(by_value, name);
    mete_text_hex(by_value, (uintptr_t)address);
}

static void write_byte(const mete_sink_t *sink, unsigned char byte)
{
    const mete_sink_t by_value = {sink->write, sink->self};
    char text[3];
    text[0] = ' ';
    text[1] = "0123456789abcdef"[byte >> 4];
    text[2] = "0123456789abcdef"[byte & 15U];
    (void)mete_sink_write(by_value, text, sizeof text);
}

static void write_state(const mete_sink_t *sink, bool is_quarantined)
{
    write_text(sink, is_quarantined ? " state=quarantined" : " state=live");
}

static void write_damage(const mete_sink_t *sink, mete_guard_damage_t damage)
{
    static const char *const names[] = {
        [METE_GUARD_WHOLE] = " damage=none\n",      [METE_GUARD_HEAD] = " damage=head",
        [METE_GUARD_TAIL] = " damage=tail",         [METE_GUARD_CONTENT] = " damage=content",
        [METE_GUARD_FOREIGN] = " damage=foreign\n",
    };
    write_text(sink, names[damage.side]);
    if ((damage.side != METE_GUARD_WHOLE) && (damage.side != METE_GUARD_FOREIGN)) {
        const bool is_below = damage.offset < 0;
        write_number(sink, is_below ? " offset=-" : " offset=",
                     (size_t)(is_below ? -damage.offset : damage.offset));
        write_text(sink, "\n");
    }
}

// What the guard knows of a block and of the nearest ones. `block` NULL: nothing.
typedef struct surroundings {
    uintptr_t address;
    mete_guard_block_t block;
    mete_guard_block_t below;
    mete_guard_block_t above;
} surroundings_t;

// Field by field: an assignment may become a call to memcpy(), which is libc.
static void keep(mete_guard_block_t *to, const mete_guard_block_t *from)
{
    to->block = from->block;
    to->size = from->size;
    to->align = from->align;
    to->is_quarantined = from->is_quarantined;
}

static bool look(void *self, const mete_guard_block_t *found)
{
    surroundings_t *const around = self;
    const uintptr_t address = (uintptr_t)found->block;
    if (address == around->address) {
        keep(&around->block, found);
    } else if (address < around->address) {
        if (address > (uintptr_t)around->below.block) {
            keep(&around->below, found);
        }
    } else if ((around->above.block == NULL) || (address < (uintptr_t)around->above.block)) {
        keep(&around->above, found);
    }
    return true;
}

static void write_neighbour(const mete_sink_t *sink, const char *name,
                            const mete_guard_block_t *neighbour)
{
    if (neighbour->block == NULL) {
        write_text(sink, name);
        write_text(sink, "none\n");
        return;
    }
    write_address(sink, name, neighbour->block);
    write_number(sink, " size=", neighbour->size);
    write_state(sink, neighbour->is_quarantined);
    write_text(sink, "\n");
}

static void write_rows(const mete_sink_t *sink, const unsigned char *from, const unsigned char *end)
{
    for (const unsigned char *row = from; row < end; row += DUMP_ROW) {
        write_address(sink, "guard dump ", row);
        for (size_t i = 0U; (i < DUMP_ROW) && (row + i < end); i++) {
            write_byte(sink, row[i]);
        }
        write_text(sink, "\n");
    }
}

// Of a block whose record was overwritten one byte is sure to be there.
static void write_dump(const mete_sink_t *sink, const unsigned char *block, size_t size,
                       ptrdiff_t offset)
{
    const unsigned char *const first = block - sizeof(mete_record_t);
    const unsigned char *const end = block + size + METE_GUARD_TAIL_SIZE;
    const unsigned char *const hit = block + offset;
    write_rows(sink, (hit - first > DUMP_SIZE) ? hit - DUMP_SIZE : first,
               (end - hit > DUMP_SIZE) ? hit + DUMP_SIZE : end);
}

void mete_guard_report_write(const mete_guard_t *guard, const void *block,
                             const mete_guard_describer_t *describer, mete_sink_t sink)
{
    METE_ASSERT((guard != NULL) && (guard->config != NULL));
    const mete_guard_damage_t damage = mete_guard_damage_of(guard, block);
    surroundings_t around;
    around.address = (uintptr_t)block;
    around.block.block = NULL;
    around.block.size = 1U;
    around.below.block = NULL;
    around.above.block = NULL;
    (void)mete_guard_walk(guard, look, &around);
    write_address(&sink, "guard block=", block);
    if (around.block.block != NULL) {
        write_number(&sink, " size=", around.block.size);
        write_number(&sink, " align=", around.block.align);
        write_state(&sink, around.block.is_quarantined);
    }
    write_damage(&sink, damage);
    write_neighbour(&sink, "guard below=", &around.below);
    write_neighbour(&sink, "guard above=", &around.above);
    if (describer != NULL) {
        describer->describe(describer->self, block, &sink);
    }
    if (damage.side != METE_GUARD_FOREIGN) {
        write_dump(&sink, block, around.block.size, damage.offset);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/remains.h"

#include "mete/core/crc.h"

static uint64_t word_at(const unsigned char *bytes, unsigned word_size, size_t index)
{
    uint64_t word = 0U;
    for (unsigned i = 0U; i < word_size; i++) {
        word |= (uint64_t)bytes[(index * word_size) + i] << (8U * i);
    }
    return word;
}

// True if a record with such words may begin here: the first two words say so.
static bool begins(const unsigned char *bytes, size_t size, unsigned word_size)
{
    return (size >= (size_t)REMAINS_WORD_COUNT * word_size) &&
           (word_at(bytes, word_size, REMAINS_INDEX(magic)) == METE_POSTMORTEM_MAGIC) &&
           (word_at(bytes, word_size, REMAINS_INDEX(word_size)) == word_size);
}

static bool is_whole(const unsigned char *bytes, unsigned word_size)
{
    const size_t first = REMAINS_INDEX(word_size);
    const uint32_t crc =
        mete_crc32(0U, bytes + (first * word_size), (REMAINS_INDEX(crc) - first) * word_size);
    return word_at(bytes, word_size, REMAINS_INDEX(crc)) == crc;
}

// Sequence numbers wrap at the core's word.
static bool is_later(const remains_t *remains, const unsigned char *bytes, unsigned word_size)
{
    const uint64_t step = word_at(bytes, word_size, REMAINS_INDEX(sequence)) -
                          remains->words[REMAINS_INDEX(sequence)];
    const bool is_ahead =
        (word_size == 4U) ? ((uint32_t)step < 0x80000000U) : (step < ((uint64_t)1U << 63));
    return (remains->word_size == 0U) || is_ahead;
}

static void take(remains_t *remains, const unsigned char *bytes, unsigned word_size, size_t offset)
{
    remains->word_size = word_size;
    remains->offset = offset;
    for (size_t i = 0U; i < REMAINS_WORD_COUNT; i++) {
        remains->words[i] = word_at(bytes, word_size, i);
    }
}

void remains_find(const unsigned char *bytes, size_t size, remains_t *remains)
{
    *remains = (remains_t){.word_size = 0U};
    for (size_t offset = 0U; offset < size; offset += 4U) {
        const unsigned char *const at = bytes + offset;
        const unsigned word_size = begins(at, size - offset, 4U) ? 4U : 8U;
        if (!begins(at, size - offset, word_size)) {
            continue;
        }
        if (!is_whole(at, word_size)) {
            remains->broken_count++;
            continue;
        }
        remains->whole_count++;
        if (is_later(remains, at, word_size)) {
            take(remains, at, word_size, offset);
        }
    }
}

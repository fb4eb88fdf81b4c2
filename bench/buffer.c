// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Pieces of 1 to 32 bytes, appended where there is room for them, and where a full room of 64 bytes grows: where it stands,
// or to another place. What the allocator takes for that is next to nothing here.

#include "mete/object/buffer.h"
#include "bench/view.h"

enum { PIECE_MAX = 32, ROOM = FLAT_SIZE, FULL = 64, ROUNDS = 2000 };

static const uint32_t source[2 * PIECE_MAX / 4];
static flat_t flat;
static mete_buffer_t buffer;

PROBE(mete_buffer_append);
bool probe_mete_buffer_append(mete_buffer_t *to, const void *bytes, size_t size);
PROBE(mete_buffer_consume);
bool probe_mete_buffer_consume(mete_buffer_t *from, size_t size);

static bool append_piece(uint32_t *random)
{
    const unsigned char *const piece = (const unsigned char *)source + random_below(random, 4U);
    return probe_mete_buffer_append(&buffer, piece, 1U + random_below(random, PIECE_MAX));
}

// Filled, then emptied: nothing has to be moved in between.
static void work_within(mete_alloc_t alloc)
{
    static const mete_buffer_config_t config = {.size_min = ROOM, .size_max = ROOM};
    start_phase("buffer within");
    (void)mete_buffer_init(&buffer, alloc, &config);
    (void)mete_buffer_reserve(&buffer, ROOM);
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        while (mete_buffer_span(&buffer).size <= ROOM - PIECE_MAX) {
            (void)append_piece(&random);
        }
        while (mete_buffer_span(&buffer).size >= PIECE_MAX) {
            (void)probe_mete_buffer_consume(&buffer, 1U + random_below(&random, PIECE_MAX));
        }
        mete_buffer_reset(&buffer);
    }
    mete_buffer_purge(&buffer);
}

static void work_growth(const char *phase, mete_alloc_t alloc)
{
    static const mete_buffer_config_t config = {.size_min = FULL};
    start_phase(phase);
    uint32_t random = 1U;
    for (size_t i = 0U; i < ROUNDS; i++) {
        (void)mete_buffer_init(&buffer, alloc, &config);
        (void)mete_buffer_append_space(&buffer, FULL);
        (void)append_piece(&random);
        mete_buffer_purge(&buffer);
    }
}

static bool resize_any(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    (void)self, (void)block, (void)old_size, (void)new_size, (void)align;
    return true;
}

int main(void)
{
    static const mete_alloc_ops_t in_place = {
        .acquire = flat_acquire, .release = flat_release, .resize = resize_any};
    const mete_alloc_t elsewhere = flat_init(&flat);
    work_within(elsewhere);
    work_growth("buffer grow", (mete_alloc_t){&in_place, &flat});
    work_growth("buffer move", elsewhere);
    return 0;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a step of mete_integrity_check_next() costs, for slices of 64 and of 256 bytes: the difference, by
// 192, is what a byte costs. And what 64 and 256 bytes cost with other ways to compute the same CRC.

#include "mete/protect/integrity.h"
#include "bench/probe.h"
#include "mete/core/crc.h"

enum { SIZE = 4096, ROUNDS = 3 };

static unsigned char memory[SIZE];
static mete_integrity_slice_t slices[SIZE / 64];
static mete_integrity_gate_t gate;
static mete_integrity_t integrity;
static uint32_t remainders[256];

PROBE(mete_integrity_check_next);
mete_integrity_step_t probe_mete_integrity_check_next(mete_integrity_t *integrity);
PROBE(mete_integrity_open);
bool probe_mete_integrity_open(mete_integrity_t *integrity, size_t region_index);
PROBE(mete_integrity_close);
void probe_mete_integrity_close(mete_integrity_t *integrity, size_t region_index);

uint32_t nibble(const void *bytes, size_t size);
__attribute__((noinline)) uint32_t nibble(const void *bytes, size_t size)
{
    return mete_crc32(0U, bytes, size);
}

static inline uint32_t eight_steps(uint32_t rest)
{
    for (int bit = 0; bit < 8; bit++) {
        rest = (rest >> 1) ^ (0xEDB88320U & (0U - (rest & 1U)));
    }
    return rest;
}

uint32_t bitwise(const unsigned char *bytes, size_t size);
__attribute__((noinline)) uint32_t bitwise(const unsigned char *bytes, size_t size)
{
    uint32_t rest = ~0U;
    for (size_t i = 0U; i < size; i++) {
        rest = eight_steps(rest ^ bytes[i]);
    }
    return ~rest;
}

uint32_t table(const unsigned char *bytes, size_t size);
__attribute__((noinline)) uint32_t table(const unsigned char *bytes, size_t size)
{
    uint32_t rest = ~0U;
    for (size_t i = 0U; i < size; i++) {
        rest = (rest >> 8) ^ remainders[(rest ^ bytes[i]) & 255U];
    }
    return ~rest;
}

PROBE(nibble);
uint32_t probe_nibble(const void *bytes, size_t size);
PROBE(bitwise);
uint32_t probe_bitwise(const unsigned char *bytes, size_t size);
PROBE(table);
uint32_t probe_table(const unsigned char *bytes, size_t size);

static void work(const char *phase, size_t slice_size)
{
    static mete_integrity_config_t config;
    static mete_integrity_region_t region;
    region = (mete_integrity_region_t){memory, SIZE, slices, &gate};
    config =
        (mete_integrity_config_t){.regions = &region, .region_count = 1U, .slice_size = slice_size};
    start_phase(phase);
    (void)mete_integrity_init(&integrity, &config);
    for (size_t i = 0U; i < ROUNDS * (SIZE / slice_size); i++) {
        (void)probe_mete_integrity_check_next(&integrity);
    }
    (void)probe_mete_integrity_open(&integrity, 0U);
    probe_mete_integrity_close(&integrity, 0U);
    (void)probe_nibble(memory, slice_size);
    (void)probe_bitwise(memory, slice_size);
    (void)probe_table(memory, slice_size);
}

int main(void)
{
    for (uint32_t i = 0U; i < 256U; i++) {
        remainders[i] = eight_steps(i);
    }
    for (size_t i = 0U; i < SIZE; i++) {
        memory[i] = (unsigned char)(i * 7U);
    }
    work("slice 64", 64U);
    work("slice 256", 256U);
    return 0;
}

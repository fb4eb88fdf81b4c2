// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_TEST_RECORDING_FAKE_H
#define METE_TEST_RECORDING_FAKE_H

/// Stands where a board has its cipher, and shows what that is asked to do. IT IS NOT A CIPHER: it turns every bit
/// over, which hides nothing from anybody, and adds a sum that anybody can compute.
///
/// It records what it was asked, counts nonces that did not rise, and can be told to fail. When it fails it behaves as badly as
/// a cipher may: it leaves plain text where the result was to be.

#include "mete/core/cipher.h"

typedef struct recording_fake {
    mete_cipher_ops_t ops;
    uint32_t key;
    mete_cipher_verdict_t verdict;  // Of the next calls.
    size_t seal_count, open_count;
    size_t repeated_count;
    uint64_t last_number;
    uint8_t nonce[METE_CIPHER_NONCE_MAX];  // Of the last call.
    size_t size;
} recording_fake_t;

static inline uint32_t fake_sum(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *const from = (const uint8_t *)bytes;
    for (size_t i = 0U; i < size; i++) {
        sum = (sum ^ from[i]) * 16777619U;
    }
    return sum;
}

static inline uint8_t fake_tag_at(const recording_fake_t *fake, const mete_cipher_job_t *job,
                                  const void *sealed, size_t index)
{
    uint32_t sum = fake_sum(2166136261U + fake->key, job->nonce, fake->ops.nonce_size);
    sum = fake_sum(sum, job->bound, job->bound_size);
    sum = fake_sum(sum, sealed, job->size);
    return (uint8_t)((sum * (uint32_t)(2U * index + 1U)) >> 24);
}

// The last eight bytes of a nonce, the lowest first.
static inline uint64_t fake_number(const recording_fake_t *fake)
{
    uint64_t number = 0U;
    for (size_t i = 0U; i < 8U; i++) {
        number |= (uint64_t)fake->nonce[fake->ops.nonce_size - 8U + i] << (8U * i);
    }
    return number;
}

static inline void fake_record(recording_fake_t *fake, const mete_cipher_job_t *job)
{
    for (size_t i = 0U; i < fake->ops.nonce_size; i++) {
        fake->nonce[i] = job->nonce[i];
    }
    fake->size = job->size;
}

static inline mete_cipher_verdict_t fake_seal(void *self, const mete_cipher_job_t *job,
                                              const void *plain, void *sealed, uint8_t *tag)
{
    recording_fake_t *const fake = (recording_fake_t *)self;
    const bool fails = fake->verdict != METE_CIPHER_DONE;
    fake_record(fake, job);
    fake->repeated_count +=
        ((fake->seal_count != 0U) && (fake_number(fake) <= fake->last_number)) ? 1U : 0U;
    fake->last_number = fake_number(fake);
    fake->seal_count++;
    for (size_t i = 0U; i < job->size; i++) {
        const uint8_t byte = ((const uint8_t *)plain)[i];
        ((uint8_t *)sealed)[i] = fails ? byte : (uint8_t)~byte;
    }
    for (size_t i = 0U; i < fake->ops.tag_size; i++) {
        tag[i] = fake_tag_at(fake, job, sealed, i);
    }
    return fake->verdict;
}

static inline mete_cipher_verdict_t fake_open(void *self, const mete_cipher_job_t *job,
                                              const void *sealed, const uint8_t *tag, void *plain)
{
    recording_fake_t *const fake = (recording_fake_t *)self;
    bool is_right = true;
    fake_record(fake, job);
    fake->open_count++;
    for (size_t i = 0U; i < job->size; i++) {
        ((uint8_t *)plain)[i] = (uint8_t) ~((const uint8_t *)sealed)[i];
    }
    for (size_t i = 0U; i < fake->ops.tag_size; i++) {
        is_right = is_right && (tag[i] == fake_tag_at(fake, job, sealed, i));
    }
    return !is_right ? METE_CIPHER_FORGED : fake->verdict;
}

static inline mete_cipher_t fake_setup(recording_fake_t *fake)
{
    fake->ops.nonce_size = 12U;
    fake->ops.tag_size = 16U;
    fake->ops.seal = fake_seal;
    fake->ops.open = fake_open;
    fake->key = 7U;
    fake->verdict = METE_CIPHER_DONE;
    fake->seal_count = 0U;
    fake->open_count = 0U;
    fake->repeated_count = 0U;
    fake->last_number = 0U;
    return (mete_cipher_t){&fake->ops, fake};
}

#endif

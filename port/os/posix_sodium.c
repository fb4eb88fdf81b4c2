// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/os/posix_sodium.h"

#include <sodium.h>
#include <string.h>

_Static_assert(METE_POSIX_SODIUM_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "libsodium's");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES <= METE_CIPHER_NONCE_MAX,
               "there is room");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES <= METE_CIPHER_TAG_MAX, "there is room");

static mete_cipher_verdict_t seal_text(void *self, const mete_cipher_job_t *job, const void *plain,
                                       void *sealed, uint8_t *tag)
{
    const mete_posix_sodium_t *const sodium = self;
    if (!sodium->has_key) {
        return METE_CIPHER_UNAVAILABLE;
    }
    const int failed = crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
        sealed, tag, NULL, plain, job->size, job->bound, job->bound_size, NULL, job->nonce,
        sodium->key);
    return (failed == 0) ? METE_CIPHER_DONE : METE_CIPHER_UNAVAILABLE;
}

static mete_cipher_verdict_t open_text(void *self, const mete_cipher_job_t *job, const void *sealed,
                                       const uint8_t *tag, void *plain)
{
    const mete_posix_sodium_t *const sodium = self;
    if (!sodium->has_key) {
        return METE_CIPHER_UNAVAILABLE;
    }
    const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
        plain, NULL, sealed, job->size, tag, job->bound, job->bound_size, job->nonce, sodium->key);
    return (failed == 0) ? METE_CIPHER_DONE : METE_CIPHER_FORGED;
}

bool mete_posix_sodium_init(mete_posix_sodium_t *sodium, const uint8_t *key)
{
    METE_ASSERT(sodium != NULL);
    sodium->has_key = false;
    if (sodium_init() < 0) {
        return false;
    }
    (void)sodium_mlock(sodium->key, sizeof sodium->key);
    if (key != NULL) {
        memcpy(sodium->key, key, sizeof sodium->key);
    } else {
        crypto_aead_xchacha20poly1305_ietf_keygen(sodium->key);
    }
    sodium->has_key = true;
    return true;
}

void mete_posix_sodium_reset(mete_posix_sodium_t *sodium)
{
    METE_ASSERT(sodium != NULL);
    sodium->has_key = false;
    (void)sodium_munlock(sodium->key, sizeof sodium->key);  // Wipes first.
    sodium_memzero(sodium->key, sizeof sodium->key);        // Where memory cannot be locked, too.
}

mete_cipher_t mete_posix_sodium_cipher(mete_posix_sodium_t *sodium)
{
    static const mete_cipher_ops_t ops = {crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                                          crypto_aead_xchacha20poly1305_ietf_ABYTES, seal_text,
                                          open_text};
    METE_ASSERT(sodium != NULL);
    return (mete_cipher_t){&ops, sodium};
}

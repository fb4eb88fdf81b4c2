// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_CIPHER_H
#define METE_CIPHER_H

/// An authenticated cipher, as data: what to do, and on whom. Mete has none of its own.
///
/// What it acts on holds the key, and looks after it: on a board the application's library or the AES unit, on POSIX systems
/// port/os/posix_sodium.h. Any cipher with associated data will do: AES-GCM, AES-CCM, ChaCha20-Poly1305.
///
///     static const mete_cipher_ops_t my_aes = {.nonce_size = 12, .tag_size = 16, .seal = my_seal, .open = my_open};
///     const mete_cipher_t cipher = {&my_aes, &my_key};
///
/// A nonce is used for one sealing and never again with that key: whoever calls sees to it. With most ciphers, a nonce used twice
/// gives away both texts, and with AES-GCM the key of the tags, too.

#include "mete/core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The largest nonce and tag there may be, in bytes.
#define METE_CIPHER_NONCE_MAX 24U
#define METE_CIPHER_TAG_MAX   32U

/// What came of it.
typedef enum mete_cipher_verdict {
    METE_CIPHER_DONE = 0,
    METE_CIPHER_UNAVAILABLE,  ///< It could not be tried, or not be finished: a unit that is busy or has failed.
    METE_CIPHER_FORGED  ///< Of open: this was not sealed with this key, nonce and binding, or it was changed.
} mete_cipher_verdict_t;

/// What is sealed or opened. `bound` is authenticated with the text and not part of it: what it belongs to.
typedef struct mete_cipher_job {
    const uint8_t *nonce;  ///< nonce_size bytes.
    const void *bound;
    size_t bound_size;
    size_t size;  ///< Of the text, sealed or not: they are equally long.
} mete_cipher_job_t;

/// What a cipher can do. The texts do not overlap.
typedef struct mete_cipher_ops {
    size_t nonce_size;  ///< At most METE_CIPHER_NONCE_MAX.
    size_t tag_size;    ///< At most METE_CIPHER_TAG_MAX.
    /// Encrypts `plain` to `sealed` and writes the tag.
    mete_cipher_verdict_t (*seal)(void *self, const mete_cipher_job_t *job, const void *plain,
                                  void *sealed, uint8_t *tag);
    /// Decrypts `sealed` to `plain` if the tag is right. If it is not, `plain` may hold anything: the caller wipes it.
    mete_cipher_verdict_t (*open)(void *self, const mete_cipher_job_t *job, const void *sealed,
                                  const uint8_t *tag, void *plain);
} mete_cipher_ops_t;

/// A cipher. {NULL, NULL} is none: inits refuse it.
typedef struct mete_cipher {
    const mete_cipher_ops_t *ops;
    void *self;
} mete_cipher_t;

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_POSIX_SODIUM_H
#define METE_PORT_POSIX_SODIUM_H

/// The cipher of POSIX systems for mete/object/vault.h: libsodium's XChaCha20-Poly1305.
///
/// Nonces have 24 bytes, tags 16. A key lies in a struct of the program's, which is locked into memory, so that it is not
/// written to disk, until it is wiped.
///
///     static mete_posix_sodium_t sodium;
///     if (mete_posix_sodium_init(&sodium, NULL)) {  // A new random key.
///         (void)mete_vault_init(&vault, sealed, plain, mete_posix_sodium_cipher(&sodium), &config);
///     }
///     mete_posix_sodium_reset(&sodium);  // Wiped: nothing can be opened any more.
///
///   Time     O(size).
///   Space    One mete_posix_sodium_t.
///   Threads  Ciphers may be used by several threads at once, but not while they are made or wiped.
///   Errors   Without a key, which is before init and after reset: METE_CIPHER_UNAVAILABLE.
///
/// Link with libsodium. This is a file of its own, and a library of its own (mete_port_posix_sodium), for programs
/// that do not need it.

#include "mete/core/cipher.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_POSIX_SODIUM_KEY_SIZE 32U

/// A key. The fields are here so that it can be static.
typedef struct mete_posix_sodium {
    uint8_t key[METE_POSIX_SODIUM_KEY_SIZE];
    bool has_key;
} mete_posix_sodium_t;

/// Takes a key, METE_POSIX_SODIUM_KEY_SIZE bytes, which is copied and left to the caller to wipe; NULL: makes one that is random. False if
/// libsodium cannot start. Where the system does not let memory be locked, the key is not.
bool mete_posix_sodium_init(mete_posix_sodium_t *sodium, const uint8_t *key);

/// Wipes the key.
void mete_posix_sodium_reset(mete_posix_sodium_t *sodium);

/// The cipher with this key.
mete_cipher_t mete_posix_sodium_cipher(mete_posix_sodium_t *sodium);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_VAULT_H
#define METE_VAULT_H

/// Secrets that are encrypted and authenticated in memory as long as nobody uses them.
///
/// Keys, tokens, passwords: what must not be found in a dump of memory, on an external bus, or in what another task
/// reads past the end of its buffer. A secret is sealed when it is stored, by a cipher of the application's
/// (mete/core/cipher.h), and plain in a block of its own from open to close. That block is wiped before it is given back, and
/// so is everything on every way that fails. Sealed and plain text may come from different allocators: sealed from
/// external memory, plain from memory that no DMA reaches.
///
///     static mete_vault_entry_t entries[8];
///     static const mete_vault_config_t config = {.entries = entries, .entry_count = 8, .nonce_end = UINT64_MAX};
///     (void)mete_vault_init(&vault, mete_heap_as_alloc(external), mete_heap_as_alloc(internal), cipher, &config);
///     const mete_vault_handle_t handle = mete_vault_store(&vault, password, sizeof password);  // Wipes `password`.
///     const char *const plain = mete_vault_open(&vault, handle);
///     mete_vault_close(&vault, handle);  // Wiped.
///
///   Time     store, open: O(size), what the cipher and an allocator take; store looks for a free entry: O(entries). close: O(size).
///            remove: O(size). reset, check: O(entries), and O(size) of what is wiped.
///   Space    One mete_vault_entry_t for each secret there may be. A secret: its size and that of a tag; the same again, without tag, while
///            it is open.
///   Align    Plain text to METE_VAULT_ALIGN.
///   Threads  Not synchronised. Calls exclude each other.
///   Errors   Out of memory, entries or nonces, or a cipher that cannot work now: no handle or NULL, counted. Misuse: METE_FAULT, and
///            nothing changes. FOREIGN: no secret has this handle, or no longer. ORDER: closed without being open, or removed while
///            open. CORRUPT: the entry was overwritten; or the sealed text was changed or exchanged, or the
///            cipher has another key than it was sealed with, which cannot be told apart.
///
/// Nonces are counted and none is used twice, not even if a sealing fails. The count starts at `nonce_first` and ends at `nonce_end`,
/// when store refuses. After a reset of the device that count begins anew: a nonce would be used a second time if the key is
/// still the same. So make a new random key at every start, for no secret in RAM is missed after it; or, if the key must
/// stay, keep in non-volatile memory up to where nonces are spent, write the new end there *before* init, and start at the old one.
/// Two vaults that share a key need different prefixes.
///
/// What is not protected: a secret that is open; copies that the program makes, registers and the cipher's own stack; the
/// key, which is the cipher's to guard; an attacker who runs as privileged as the vault. How long secrets are can be seen.

#include "mete/core/alloc.h"
#include "mete/core/cipher.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METE_VAULT_ENTRY_MAX 65535U
#define METE_VAULT_ALIGN     8U

/// Names a secret. 0 names none. A handle names another secret after 65535 others were stored in the same entry.
typedef uint32_t mete_vault_handle_t;

/// What is kept about a secret. The caller provides a table of these and looks at none.
typedef struct mete_vault_entry {
    uint64_t counter;     // Of its nonce.
    uint8_t *sealed;      // Text, then tag; NULL: no secret.
    uint8_t *plain;       // NULL: not open.
    size_t size;          // Of the text.
    uint32_t generation;  // 1 ... 65535; stays when the secret goes.
    uint32_t open_count;
    uintptr_t check;  // Over all of these.
} mete_vault_entry_t;

/// It must outlive the vault; const is best.
typedef struct mete_vault_config {
    mete_vault_entry_t *entries;  ///< Owned by the vault from init onwards.
    size_t entry_count;           ///< 1 ... METE_VAULT_ENTRY_MAX.
    uint64_t nonce_first;         ///< The first number that was never used with this key.
    uint64_t nonce_end;           ///< From here on none may be used. Above nonce_first.
    /// What nonces begin with: the cipher's nonce_size, less 8 bytes for the number. NULL: zeros.
    const uint8_t *nonce_prefix;
} mete_vault_config_t;

/// How full it is.
typedef struct mete_vault_usage {
    size_t secret_count;  ///< Stored.
    size_t open_count;    ///< Of these plain now.
    size_t sealed_size;   ///< Bytes that the sealed ones take, with tags.
    size_t plain_size;    ///< Bytes that are plain now.
    size_t refusals;      ///< Stores and opens that could not be done.
    uint64_t nonce_left;  ///< Secrets that can still be sealed.
} mete_vault_usage_t;

/// The fields are here so that it can be static; use the functions to read them.
typedef struct mete_vault {
    mete_alloc_t sealed;
    mete_alloc_t plain;
    mete_cipher_t cipher;
    const mete_vault_config_t *config;
    uint64_t counter;  // Of the next nonce.
    size_t refusals;
} mete_vault_t;

/// An empty vault. `sealed` gives memory for what is sealed, `plain` for what is open; they may be the same. Returns false, changing
/// nothing, if an allocator, the cipher, one of its functions or the config is missing or breaks a limit stated above, or a nonce has no
/// room for its number.
bool mete_vault_init(mete_vault_t *vault, mete_alloc_t sealed, mete_alloc_t plain,
                     mete_cipher_t cipher, const mete_vault_config_t *config);

/// Seals `size` bytes, at least 1, and wipes them where they were. 0 if that cannot be done; then they are as they were, and the caller's.
mete_vault_handle_t mete_vault_store(mete_vault_t *vault, void *secret, size_t size);

/// The plain text, aligned to METE_VAULT_ALIGN, until it is closed. What is open already is not opened again: all get the same
/// block, and the last to close it wipes it. To change a secret store it anew: what is written here is lost. NULL if there is no
/// memory, or after a fault.
void *mete_vault_open(mete_vault_t *vault, mete_vault_handle_t handle);

/// Ends what an open began. The last one wipes the plain text.
void mete_vault_close(mete_vault_t *vault, mete_vault_handle_t handle);

/// Forgets a secret that is not open. What was sealed is wiped, too.
void mete_vault_remove(mete_vault_t *vault, mete_vault_handle_t handle);

/// Wipes and forgets all, open or not: for when somebody tampers with the device. Handles name nothing any more, nonces stay used. Faults
/// with CORRUPT for each entry that was overwritten; what it named is passed over.
void mete_vault_reset(mete_vault_t *vault);

/// Size of a secret in bytes; 0, after a fault, if no secret has this handle.
size_t mete_vault_size_of(const mete_vault_t *vault, mete_vault_handle_t handle);

/// How full the vault is. O(entries).
void mete_vault_read(const mete_vault_t *vault, mete_vault_usage_t *usage);

/// True if no entry was overwritten, as far as can be told without a key. Changes nothing.
bool mete_vault_check(const mete_vault_t *vault);

#ifdef __cplusplus
}
#endif
#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What a vault takes beside its cipher, with secrets of 16 bytes: what stands in for one copies words, and hides nothing.

#include "mete/object/vault.h"
#include "bench/view.h"

enum { SECRET_SIZE = 16, TAG_SIZE = 16, ENTRY_COUNT = 8, ROUNDS = 50 };

static mete_cipher_verdict_t copy_to_sealed(void *self, const mete_cipher_job_t *job,
                                            const void *plain, void *sealed, uint8_t *tag)
{
    (void)self, (void)tag;
    mete_words_copy(sealed, plain, job->size);
    return METE_CIPHER_DONE;
}

static mete_cipher_verdict_t copy_to_plain(void *self, const mete_cipher_job_t *job,
                                           const void *sealed, const uint8_t *tag, void *plain)
{
    (void)self, (void)tag;
    mete_words_copy(plain, sealed, job->size);
    return METE_CIPHER_DONE;
}

PROBE(mete_vault_store);
mete_vault_handle_t probe_mete_vault_store(mete_vault_t *vault, void *secret, size_t size);
PROBE(mete_vault_open);
void *probe_mete_vault_open(mete_vault_t *vault, mete_vault_handle_t handle);
PROBE(mete_vault_close);
void probe_mete_vault_close(mete_vault_t *vault, mete_vault_handle_t handle);
PROBE(mete_vault_remove);
void probe_mete_vault_remove(mete_vault_t *vault, mete_vault_handle_t handle);

int main(void)
{
    static const mete_cipher_ops_t no_cipher = {12U, TAG_SIZE, copy_to_sealed, copy_to_plain};
    static mete_vault_entry_t entries[ENTRY_COUNT];
    static const mete_vault_config_t config = {
        .entries = entries, .entry_count = ENTRY_COUNT, .nonce_end = UINT64_MAX};
    static flat_t flat;
    static mete_vault_t vault;
    static uint32_t secret[SECRET_SIZE / 4];
    const mete_alloc_t memory = flat_init(&flat);
    (void)mete_vault_init(&vault, memory, memory, (mete_cipher_t){&no_cipher, NULL}, &config);
    start_phase("vault");
    for (uint32_t i = 0U; i < ROUNDS; i++) {
        const mete_vault_handle_t handle = probe_mete_vault_store(&vault, secret, SECRET_SIZE);
        (void)probe_mete_vault_open(&vault, handle);
        probe_mete_vault_close(&vault, handle);
        probe_mete_vault_remove(&vault, handle);
    }
    return 0;
}

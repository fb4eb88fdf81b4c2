// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A token that is in memory for as long as it is used, and then no more. The cipher is libsodium's, with a key that
// ends with the process; on a device it would be the application's.

#include "mete/object/vault.h"
#include "mete/alloc/heap.h"
#include "port/os/posix_sodium.h"

#include <stdio.h>
#include <string.h>

METE_HEAP_DEFINE(device, 4096);

// What somebody finds who can read the heap's memory.
static size_t count_in_memory(const char *word)
{
    const unsigned char *const start = device_config.storage.start;
    const size_t size = strlen(word);
    size_t count = 0U;
    for (size_t i = 0U; i + size <= device_config.storage.size; i++) {
        count += (memcmp(&start[i], word, size) == 0) ? 1U : 0U;
    }
    return count;
}

int main(void)
{
    static mete_vault_entry_t entries[4];
    static const mete_vault_config_t config = {
        .entries = entries, .entry_count = 4U, .nonce_end = UINT64_MAX};
    static mete_posix_sodium_t sodium;
    static mete_vault_t vault;
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&device_config));
    if (!mete_posix_sodium_init(&sodium, NULL) ||
        !mete_vault_init(&vault, heap, heap, mete_posix_sodium_cipher(&sodium), &config)) {
        return 1;
    }
    char token[] = "token=5up3r-s3cr3t";
    const mete_vault_handle_t handle = mete_vault_store(&vault, token, sizeof token);
    printf("stored:  %zu in memory; the program's copy begins with %d\n", count_in_memory("s3cr3t"),
           token[0]);
    const char *const plain = mete_vault_open(&vault, handle);
    printf("open:    %zu in memory: %s\n", count_in_memory("s3cr3t"), plain);
    mete_vault_close(&vault, handle);
    printf("closed:  %zu in memory\n", count_in_memory("s3cr3t"));
    mete_posix_sodium_reset(&sodium);
    printf("no key:  %s\n", (mete_vault_open(&vault, handle) == NULL) ? "stays closed" : "opens");
    mete_vault_reset(&vault);
    return mete_vault_check(&vault) ? 0 : 1;
}

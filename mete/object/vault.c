// SPDX-License-Identifier: MIT OR Apache-2.0
//
// All that is known of a secret is in the caller's table, beside the memory; so sealed blocks hold nothing but text and tag, and may
// lie where others write. Handle and size are authenticated with the text: one that was exchanged for another's, or for an
// older one of the same entry, does not open.
//
// A number of a nonce is spent when it is taken, before the cipher is asked: whatever happens then, it never comes again.

#include "mete/object/vault.h"

#define IS_CHECKED (METE_CHECK_LEVEL >= 1)

// Paranoid: an entry that was overwritten is reported by the next call.
#if METE_CHECK_LEVEL >= 3
#define CHECK_ALL(vault) \
    (mete_vault_check(vault) \
         ? (void)0 \
         : (void)(METE_FAULT(METE_FAULT_CORRUPT, (const void *)(vault), NULL)))
#else
#define CHECK_ALL(vault) ((void)0)
#endif

enum { NUMBER_SIZE = 8, BOUND_SIZE = 8, GENERATION_SHIFT = 16, GENERATION_MAX = 0xFFFF };

_Static_assert(METE_VAULT_ENTRY_MAX <= GENERATION_MAX, "an index fits below the generation");

typedef mete_vault_entry_t entry_t;

// ---- Wiping

// Nobody reads what is wiped, so a compiler that sees all could leave the writes out. It must take it that this reads them.
static void wipe(void *memory, size_t size)
{
    mete_words_fill(memory, 0U, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static size_t sealed_size(const mete_vault_t *vault, size_t size)
{
    return size + vault->cipher.ops->tag_size;
}

static void give_back_plain(const mete_vault_t *vault, void *plain, size_t size)
{
    wipe(plain, size);
    vault->plain.ops->release(vault->plain.self, plain, size, METE_VAULT_ALIGN);
}

// Sealed text is wiped as well: a cipher that failed may have left plain text in it, and a key may leak later.
static void give_back_sealed(const mete_vault_t *vault, void *sealed, size_t size)
{
    wipe(sealed, sealed_size(vault, size));
    vault->sealed.ops->release(vault->sealed.self, sealed, sealed_size(vault, size),
                               METE_VAULT_ALIGN);
}

// ---- Entries and handles

static uintptr_t check_of(const entry_t *entry)
{
    return (uintptr_t)entry + (uintptr_t)entry->counter + 3U * (uintptr_t)(entry->counter >> 32) +
           5U * (uintptr_t)entry->sealed + 7U * (uintptr_t)entry->plain +
           9U * (uintptr_t)entry->size + 11U * (uintptr_t)entry->generation +
           13U * (uintptr_t)entry->open_count;
}

static bool is_sound(const mete_vault_t *vault, const entry_t *entry)
{
    return (entry->check == check_of(entry)) && (entry->generation <= GENERATION_MAX) &&
           ((entry->plain != NULL) == (entry->open_count != 0U)) &&
           ((entry->sealed != NULL) ? (entry->counter < vault->counter) : (entry->plain == NULL));
}

static mete_vault_handle_t handle_of(const mete_vault_t *vault, const entry_t *entry)
{
    return (entry->generation << GENERATION_SHIFT) | (uint32_t)(entry - vault->config->entries);
}

// The entry that a handle may name; NULL if there is none of that index.
static entry_t *entry_of(const mete_vault_t *vault, mete_vault_handle_t handle)
{
    const size_t index = handle % (1U << GENERATION_SHIFT);
    return (index < vault->config->entry_count) ? &vault->config->entries[index] : NULL;
}

// What is wrong with a handle; 0 if it names a secret. At every check level, as whose secret it is depends on it.
static int fault_of(const mete_vault_t *vault, mete_vault_handle_t handle)
{
    const entry_t *const entry = entry_of(vault, handle);
    if (entry == NULL) {
        return METE_FAULT_FOREIGN;
    }
    if (IS_CHECKED && !is_sound(vault, entry)) {
        return METE_FAULT_CORRUPT;
    }
    return ((entry->sealed != NULL) && (handle_of(vault, entry) == handle)) ? 0
                                                                            : METE_FAULT_FOREIGN;
}

// One that is free; NULL if there is none. One that was overwritten is not taken for free.
static entry_t *free_entry(const mete_vault_t *vault)
{
    for (size_t i = 0U; i < vault->config->entry_count; i++) {
        entry_t *const entry = &vault->config->entries[i];
        if ((entry->sealed == NULL) && (!IS_CHECKED || is_sound(vault, entry))) {
            return entry;
        }
    }
    return NULL;
}

// Without a secret. Its generation stays, so that old handles stay old.
static void clear(entry_t *entry)
{
    entry->counter = 0U;
    entry->sealed = NULL;
    entry->plain = NULL;
    entry->size = 0U;
    entry->open_count = 0U;
    entry->check = check_of(entry);
}

// ---- The cipher's job

typedef struct job {
    mete_cipher_job_t job;
    uint8_t nonce[METE_CIPHER_NONCE_MAX];
    uint32_t bound[BOUND_SIZE / 4];
} job_t;

// The number stands last, lowest byte first.
static void write_nonce(const mete_vault_t *vault, uint64_t counter, uint8_t *nonce)
{
    const size_t prefix_size = vault->cipher.ops->nonce_size - NUMBER_SIZE;
    if (vault->config->nonce_prefix != NULL) {
        mete_words_copy(nonce, vault->config->nonce_prefix, prefix_size);
    } else {
        mete_words_fill(nonce, 0U, prefix_size);
    }
    for (size_t i = 0U; i < NUMBER_SIZE; i++) {
        nonce[prefix_size + i] = (uint8_t)(counter >> (8U * i));
    }
}

static void describe(const mete_vault_t *vault, mete_vault_handle_t handle, uint64_t counter,
                     size_t size, job_t *job)
{
    write_nonce(vault, counter, job->nonce);
    job->bound[0] = handle;
    job->bound[1] = (uint32_t)size;
    job->job.nonce = job->nonce;
    job->job.bound = job->bound;
    job->job.bound_size = BOUND_SIZE;
    job->job.size = size;
}

// ---- Storing

// Seals into a new block. NULL, with nothing left behind but a spent nonce, if that cannot be done.
static uint8_t *seal(mete_vault_t *vault, mete_vault_handle_t handle, const void *secret,
                     size_t size)
{
    uint8_t *const sealed =
        vault->sealed.ops->acquire(vault->sealed.self, sealed_size(vault, size), METE_VAULT_ALIGN);
    if (sealed == NULL) {
        return NULL;
    }
    job_t job;
    describe(vault, handle, vault->counter, size, &job);
    vault->counter++;
    const mete_cipher_t cipher = vault->cipher;
    if (cipher.ops->seal(cipher.self, &job.job, secret, sealed, sealed + size) !=
        METE_CIPHER_DONE) {
        give_back_sealed(vault, sealed, size);
        return NULL;
    }
    return sealed;
}

mete_vault_handle_t mete_vault_store(mete_vault_t *vault, void *secret, size_t size)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL) && (secret != NULL));
    entry_t *const entry = free_entry(vault);
    const bool is_possible = (entry != NULL) && (size != 0U) &&
                             (size <= UINT32_MAX - METE_CIPHER_TAG_MAX) &&
                             (vault->counter < vault->config->nonce_end);
    uint8_t *sealed = NULL;
    if (is_possible) {
        const uint64_t counter = vault->counter;
        entry->generation = (entry->generation < GENERATION_MAX) ? entry->generation + 1U : 1U;
        entry->check = check_of(entry);
        sealed = seal(vault, handle_of(vault, entry), secret, size);
        if (sealed != NULL) {
            entry->counter = counter;
            entry->sealed = sealed;
            entry->size = size;
            entry->check = check_of(entry);
            wipe(secret, size);
        }
    }
    vault->refusals += (sealed == NULL) ? 1U : 0U;
    CHECK_ALL(vault);
    return (sealed != NULL) ? handle_of(vault, entry) : 0U;
}

// ---- Opening

// Opens into a new block. `verdict` says why it could not, if the cipher was asked.
static uint8_t *unseal(const mete_vault_t *vault, const entry_t *entry,
                       mete_cipher_verdict_t *verdict)
{
    uint8_t *const plain =
        vault->plain.ops->acquire(vault->plain.self, entry->size, METE_VAULT_ALIGN);
    if (plain == NULL) {
        return NULL;
    }
    job_t job;
    describe(vault, handle_of(vault, entry), entry->counter, entry->size, &job);
    const mete_cipher_t cipher = vault->cipher;
    *verdict =
        cipher.ops->open(cipher.self, &job.job, entry->sealed, entry->sealed + entry->size, plain);
    if (*verdict != METE_CIPHER_DONE) {
        give_back_plain(vault, plain, entry->size);
        return NULL;
    }
    return plain;
}

void *mete_vault_open(mete_vault_t *vault, mete_vault_handle_t handle)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    entry_t *const entry = entry_of(vault, handle);
    const int fault = fault_of(vault, handle);
    if (fault != 0) {
        METE_FAULT(fault, (const void *)vault, (const void *)(uintptr_t)handle);
        return NULL;
    }
    mete_cipher_verdict_t verdict = METE_CIPHER_DONE;
    uint8_t *const plain = (entry->plain != NULL) ? entry->plain : unseal(vault, entry, &verdict);
    if (verdict == METE_CIPHER_FORGED) {
        METE_FAULT(METE_FAULT_CORRUPT, (const void *)vault, (const void *)(uintptr_t)handle);
    } else if (plain == NULL) {
        vault->refusals++;
    } else {
        entry->plain = plain;
        entry->open_count++;
        entry->check = check_of(entry);
    }
    CHECK_ALL(vault);
    return plain;
}

void mete_vault_close(mete_vault_t *vault, mete_vault_handle_t handle)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    entry_t *const entry = entry_of(vault, handle);
    int fault = fault_of(vault, handle);
    if ((fault == 0) && (entry->open_count == 0U)) {
        fault = METE_FAULT_ORDER;
    }
    if (fault != 0) {
        METE_FAULT(fault, (const void *)vault, (const void *)(uintptr_t)handle);
        return;
    }
    entry->open_count--;
    if (entry->open_count == 0U) {
        give_back_plain(vault, entry->plain, entry->size);
        entry->plain = NULL;
    }
    entry->check = check_of(entry);
    CHECK_ALL(vault);
}

void mete_vault_remove(mete_vault_t *vault, mete_vault_handle_t handle)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    entry_t *const entry = entry_of(vault, handle);
    int fault = fault_of(vault, handle);
    if ((fault == 0) && (entry->open_count != 0U)) {
        fault = METE_FAULT_ORDER;
    }
    if (fault != 0) {
        METE_FAULT(fault, (const void *)vault, (const void *)(uintptr_t)handle);
        return;
    }
    give_back_sealed(vault, entry->sealed, entry->size);
    clear(entry);
    CHECK_ALL(vault);
}

// ---- Start, end and report

void mete_vault_reset(mete_vault_t *vault)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    for (size_t i = 0U; i < vault->config->entry_count; i++) {
        entry_t *const entry = &vault->config->entries[i];
        if (IS_CHECKED && !is_sound(vault, entry)) {
            METE_FAULT(METE_FAULT_CORRUPT, (const void *)vault, (const void *)entry);
            continue;
        }
        if (entry->plain != NULL) {
            give_back_plain(vault, entry->plain, entry->size);
        }
        if (entry->sealed != NULL) {
            give_back_sealed(vault, entry->sealed, entry->size);
        }
        clear(entry);
    }
}

size_t mete_vault_size_of(const mete_vault_t *vault, mete_vault_handle_t handle)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    const int fault = fault_of(vault, handle);
    if (fault != 0) {
        METE_FAULT(fault, (const void *)vault, (const void *)(uintptr_t)handle);
        return 0U;
    }
    return entry_of(vault, handle)->size;
}

void mete_vault_read(const mete_vault_t *vault, mete_vault_usage_t *usage)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL) && (usage != NULL));
    usage->secret_count = 0U;
    usage->open_count = 0U;
    usage->sealed_size = 0U;
    usage->plain_size = 0U;
    usage->refusals = vault->refusals;
    usage->nonce_left = vault->config->nonce_end - vault->counter;
    for (size_t i = 0U; i < vault->config->entry_count; i++) {
        const entry_t *const entry = &vault->config->entries[i];
        usage->secret_count += (entry->sealed != NULL) ? 1U : 0U;
        usage->open_count += (entry->plain != NULL) ? 1U : 0U;
        usage->sealed_size += (entry->sealed != NULL) ? sealed_size(vault, entry->size) : 0U;
        usage->plain_size += (entry->plain != NULL) ? entry->size : 0U;
    }
}

bool mete_vault_check(const mete_vault_t *vault)
{
    METE_ASSERT((vault != NULL) && (vault->config != NULL));
    for (size_t i = 0U; i < vault->config->entry_count; i++) {
        if (!is_sound(vault, &vault->config->entries[i])) {
            return false;
        }
    }
    return vault->counter <= vault->config->nonce_end;
}

static bool is_cipher_legal(mete_cipher_t cipher)
{
    return (cipher.ops != NULL) && (cipher.ops->nonce_size >= NUMBER_SIZE) &&
           (cipher.ops->nonce_size <= METE_CIPHER_NONCE_MAX) && (cipher.ops->tag_size != 0U) &&
           (cipher.ops->tag_size <= METE_CIPHER_TAG_MAX) && (cipher.ops->seal != NULL) &&
           (cipher.ops->open != NULL);
}

bool mete_vault_init(mete_vault_t *vault, mete_alloc_t sealed, mete_alloc_t plain,
                     mete_cipher_t cipher, const mete_vault_config_t *config)
{
    METE_ASSERT(vault != NULL);
    if ((sealed.ops == NULL) || (plain.ops == NULL) || !is_cipher_legal(cipher) ||
        (config == NULL) || (config->entries == NULL) || (config->entry_count == 0U) ||
        (config->entry_count > METE_VAULT_ENTRY_MAX) ||
        (config->nonce_first >= config->nonce_end)) {
        return false;
    }
    vault->sealed.ops = sealed.ops;
    vault->sealed.self = sealed.self;
    vault->plain.ops = plain.ops;
    vault->plain.self = plain.self;
    vault->cipher.ops = cipher.ops;
    vault->cipher.self = cipher.self;
    vault->config = config;
    vault->counter = config->nonce_first;
    vault->refusals = 0U;
    for (size_t i = 0U; i < config->entry_count; i++) {
        config->entries[i].generation = 0U;
        clear(&config->entries[i]);
    }
    return true;
}

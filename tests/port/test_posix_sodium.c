// SPDX-License-Identifier: MIT OR Apache-2.0
//
// libsodium behind the cipher's interface: a published example, every bit that may be changed, and a vault whose secrets are
// searched for in all of its memory.

#include "mete/alloc/heap.h"
#include "mete/object/vault.h"
#include "port/os/posix_sodium.h"
#include "tests/support/tap.h"

#include <string.h>

// draft-irtf-cfrg-xchacha-03, A.3.1.
static const char text[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
    "the future, sunscreen would be it.";
static const uint8_t bound[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
static const uint8_t sealed_start[] = {0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83,
                                       0xd4, 0x3b, 0x95, 0x76, 0x57, 0x94};
static const uint8_t sealed_tag[] = {0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79,
                                     0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49};

enum { TEXT_SIZE = sizeof text - 1U, KEY_FIRST = 0x80, NONCE_FIRST = 0x40 };

static mete_posix_sodium_t sodium;
static mete_cipher_t cipher;
static uint8_t nonce[METE_CIPHER_NONCE_MAX];
static mete_cipher_job_t job;
static uint8_t sealed[TEXT_SIZE];
static uint8_t tag[METE_CIPHER_TAG_MAX];
static uint8_t plain[TEXT_SIZE];

static void count_up(uint8_t *bytes, size_t size, size_t first)
{
    for (size_t i = 0U; i < size; i++) {
        bytes[i] = (uint8_t)(first + i);
    }
}

static void setup(void)
{
    uint8_t key[METE_POSIX_SODIUM_KEY_SIZE];
    count_up(key, sizeof key, KEY_FIRST);
    count_up(nonce, sizeof nonce, NONCE_FIRST);
    EXPECT(mete_posix_sodium_init(&sodium, key));
    cipher = mete_posix_sodium_cipher(&sodium);
    job = (mete_cipher_job_t){nonce, bound, sizeof bound, TEXT_SIZE};
    EXPECT(cipher.ops->seal(cipher.self, &job, text, sealed, tag) == METE_CIPHER_DONE);
}

static mete_cipher_verdict_t open_sealed(void)
{
    memset(plain, 0, sizeof plain);
    return cipher.ops->open(cipher.self, &job, sealed, tag, plain);
}

static void test_it_seals_as_published(void)
{
    setup();
    EXPECT((cipher.ops->nonce_size == 24U) && (cipher.ops->tag_size == sizeof sealed_tag));
    EXPECT(memcmp(sealed, sealed_start, sizeof sealed_start) == 0);
    EXPECT(memcmp(tag, sealed_tag, sizeof sealed_tag) == 0);
    EXPECT((open_sealed() == METE_CIPHER_DONE) && (memcmp(plain, text, TEXT_SIZE) == 0));
}

static void expect_every_bit_counts(uint8_t *bytes, size_t size)
{
    for (size_t i = 0U; i < 8U * size; i++) {
        bytes[i / 8U] ^= (uint8_t)(1U << (i % 8U));
        EXPECT((open_sealed() == METE_CIPHER_FORGED) && (memcmp(plain, text, TEXT_SIZE) != 0));
        bytes[i / 8U] ^= (uint8_t)(1U << (i % 8U));
    }
}

static void test_every_bit_that_is_changed_is_noticed(void)
{
    static uint8_t belongs_to[sizeof bound];
    setup();
    expect_every_bit_counts(sealed, sizeof sealed);
    expect_every_bit_counts(tag, sizeof sealed_tag);
    expect_every_bit_counts(nonce, sizeof nonce);
    expect_every_bit_counts(sodium.key, sizeof sodium.key);
    memcpy(belongs_to, bound, sizeof bound);
    job.bound = belongs_to;
    expect_every_bit_counts(belongs_to, sizeof belongs_to);
    EXPECT(open_sealed() == METE_CIPHER_DONE);
}

static void test_random_keys_differ(void)
{
    static mete_posix_sodium_t other;
    setup();
    EXPECT(mete_posix_sodium_init(&sodium, NULL) && mete_posix_sodium_init(&other, NULL));
    EXPECT(memcmp(sodium.key, other.key, sizeof other.key) != 0);
    EXPECT(open_sealed() == METE_CIPHER_FORGED);
    mete_posix_sodium_reset(&other);
}

static void test_without_a_key_nothing_is_sealed_or_opened(void)
{
    setup();
    mete_posix_sodium_reset(&sodium);
    EXPECT(mete_words_scan(sodium.key, 0U, sizeof sodium.key) == sizeof sodium.key);
    EXPECT((open_sealed() == METE_CIPHER_UNAVAILABLE) &&
           (mete_words_scan(plain, 0U, TEXT_SIZE) == TEXT_SIZE));
    EXPECT(cipher.ops->seal(cipher.self, &job, text, sealed, tag) == METE_CIPHER_UNAVAILABLE);
}

// ---- A vault

static unsigned char memory[8192] __attribute__((aligned(8)));
static mete_vault_entry_t entries[4];
static mete_vault_t vault;

// How often eight bytes in a row of the text stand in the vault's memory.
static size_t seen(void)
{
    size_t count = 0U;
    for (size_t i = 0U; i + 8U <= sizeof memory; i++) {
        for (size_t at = 0U; at + 8U <= TEXT_SIZE; at++) {
            count += (memcmp(&memory[i], &text[at], 8U) == 0) ? 1U : 0U;
        }
    }
    return count;
}

static mete_vault_handle_t store(void)
{
    char secret[TEXT_SIZE];
    memcpy(secret, text, sizeof secret);
    const mete_vault_handle_t handle = mete_vault_store(&vault, secret, sizeof secret);
    EXPECT(mete_words_scan(secret, 0U, sizeof secret) == sizeof secret);
    return handle;
}

static void test_a_vault_keeps_its_secrets(void)
{
    static const mete_vault_config_t config = {
        .entries = entries, .entry_count = 4U, .nonce_end = UINT64_MAX};
    static const mete_heap_config_t heap_config = {.storage = {memory, sizeof memory}};
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&heap_config));
    setup();
    EXPECT(mete_vault_init(&vault, heap, heap, cipher, &config));
    const mete_vault_handle_t handle = store();
    const mete_vault_handle_t other = store();
    EXPECT((handle != 0U) && (other != 0U) && (seen() == 0U));
    const char *const open_text = mete_vault_open(&vault, handle);
    EXPECT((open_text != NULL) && (memcmp(open_text, text, TEXT_SIZE) == 0) && (seen() != 0U));
    mete_vault_close(&vault, handle);
    EXPECT(seen() == 0U);
    sodium.key[5] ^= 1U;
    EXPECT((mete_vault_open(&vault, other) == NULL) && (tap_take_fault() == METE_FAULT_CORRUPT));
    sodium.key[5] ^= 1U;
    EXPECT(seen() == 0U);
    mete_posix_sodium_reset(&sodium);
    EXPECT((mete_vault_open(&vault, other) == NULL) && (tap_take_fault() == 0) && (seen() == 0U));
    mete_vault_reset(&vault);
    EXPECT((seen() == 0U) && (tap_take_fault() == 0));
}

int main(void)
{
    RUN(test_it_seals_as_published);
    RUN(test_every_bit_that_is_changed_is_noticed);
    RUN(test_random_keys_differ);
    RUN(test_without_a_key_nothing_is_sealed_or_opened);
    RUN(test_a_vault_keeps_its_secrets);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A secret is searched for, byte by byte, in everything that the vault has touched: its memory, its table, the stack. On every
// way, also on those that fail, it may be in the buffer that is open, and nowhere else.

#include "mete/object/vault.c"

#include "tests/support/random.h"
#include "tests/support/tap.h"
#include "tests/unit/object/recording_fake.h"
#include "tests/unit/wrap/inner.h"

enum { ENTRY_COUNT = 5, SECRET_SIZE = 29, TAG_SIZE = 16, SEEN_SIZE = 5, STACK_SIZE = 1024 };

static inner_t inner;
static recording_fake_t fake;
static mete_cipher_t cipher;
static mete_vault_entry_t entries[ENTRY_COUNT];
static mete_vault_config_t config;
static mete_vault_t vault;
static uint8_t secret[64];
static size_t plain_acquires;

// ---- Secrets, and the search for them

// Bytes of which no five in a row occur by chance, nor in what the fake makes of them. Called for one byte at a time: else a
// compiler may work out several at once, and leave those on the stack.
__attribute__((noinline)) static uint8_t secret_at(size_t which, size_t index)
{
    uint32_t word = (uint32_t)(which * 977U + index + 1U) * 2654435761U;
    word ^= word >> 15;
    return (uint8_t)((word * 2246822519U) >> 24);
}

static void write_secret(size_t which, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        secret[i] = secret_at(which, i);
    }
}

static bool is_secret(const void *text, size_t which, size_t size)
{
    bool is_it = text != NULL;
    for (size_t i = 0U; is_it && (i < size); i++) {
        is_it = ((const uint8_t *)text)[i] == secret_at(which, i);
    }
    return is_it;
}

// How often any five bytes of the secret stand somewhere. Not a sanitizer's business: stacks are searched, too.
__attribute__((noinline, no_sanitize("address"))) static size_t
seen(size_t which, const volatile uint8_t *from, size_t size)
{
    size_t count = 0U;
    for (size_t i = 0U; i + SEEN_SIZE <= size; i++) {
        for (size_t at = 0U; at + SEEN_SIZE <= SECRET_SIZE; at++) {
            size_t length = 0U;
            while ((length < SEEN_SIZE) && (from[i + length] == secret_at(which, at + length))) {
                length++;
            }
            count += (length == SEEN_SIZE) ? 1U : 0U;
        }
    }
    return count;
}

// What calls before this one left on the stack.
__attribute__((noinline, no_sanitize("address"))) static size_t seen_on_stack(size_t which)
{
    const volatile uint8_t *const here = (const volatile uint8_t *)__builtin_frame_address(0);
    return seen(which, here - STACK_SIZE, STACK_SIZE);
}

static size_t seen_anywhere(size_t which)
{
    return seen_on_stack(which) + seen(which, inner_arena, sizeof inner_arena) +
           seen(which, (const volatile uint8_t *)&vault, sizeof vault) +
           seen(which, (const volatile uint8_t *)entries, sizeof entries) +
           seen(which, (const volatile uint8_t *)&fake, sizeof fake) +
           seen(which, secret, sizeof secret);
}

// ---- The fixture

// Plain text has its own view of the same memory.
static void *plain_acquire(void *self, size_t size, size_t align)
{
    plain_acquires++;
    return inner_acquire(self, size, align);
}

static const mete_alloc_ops_t plain_ops = {.acquire = plain_acquire, .release = inner_release};

static mete_alloc_t inner_view(void)
{
    return (mete_alloc_t){&inner.ops, &inner};
}

static void prepare(void)
{
    (void)inner_setup(&inner, INNER_ALL);
    mete_words_fill(inner_arena, 0xEEU, sizeof inner_arena);
    mete_words_fill(secret, 0U, sizeof secret);
    cipher = fake_setup(&fake);
    config = (mete_vault_config_t){
        .entries = entries, .entry_count = ENTRY_COUNT, .nonce_end = UINT64_MAX};
    plain_acquires = 0U;
    (void)tap_take_fault();
}

static bool start(void)
{
    return mete_vault_init(&vault, inner_view(), (mete_alloc_t){&plain_ops, &inner}, cipher,
                           &config);
}

static void setup(void)
{
    prepare();
    EXPECT(start() && mete_vault_check(&vault));
}

static mete_vault_handle_t store_sized(size_t which, size_t size)
{
    write_secret(which, size);
    return mete_vault_store(&vault, secret, size);
}

static mete_vault_handle_t store(size_t which)
{
    return store_sized(which, SECRET_SIZE);
}

static mete_vault_usage_t usage(void)
{
    mete_vault_usage_t now;
    mete_vault_read(&vault, &now);
    return now;
}

// A fault that names the vault and the handle; nothing has changed.
static bool said(int fault, mete_vault_handle_t handle)
{
    return (tap_take_fault() == fault) && (tap_fault_object == &vault) &&
           (tap_fault_address == (const void *)(uintptr_t)handle);
}

// ---- Start

static bool is_refused(void)
{
    vault.refusals = 77U;
    const bool refused = !start() && (vault.refusals == 77U);
    prepare();
    return refused;
}

static void test_init_refuses_what_is_missing(void)
{
    prepare();
    EXPECT(!mete_vault_init(&vault, (mete_alloc_t){NULL, NULL}, inner_view(), cipher, &config));
    EXPECT(!mete_vault_init(&vault, inner_view(), (mete_alloc_t){NULL, NULL}, cipher, &config));
    EXPECT(
        !mete_vault_init(&vault, inner_view(), inner_view(), (mete_cipher_t){NULL, NULL}, &config));
    EXPECT(!mete_vault_init(&vault, inner_view(), inner_view(), cipher, NULL));
    config.entries = NULL;
    EXPECT(is_refused());
    config.entry_count = 0U;
    EXPECT(is_refused());
    config.entry_count = METE_VAULT_ENTRY_MAX + 1U;
    EXPECT(is_refused());
    config.nonce_first = 5U;
    config.nonce_end = 5U;
    EXPECT(is_refused());
    EXPECT(start());
}

static void test_init_refuses_a_cipher_whose_sizes_do_not_fit(void)
{
    prepare();
    fake.ops.nonce_size = 7U;
    EXPECT(is_refused());
    fake.ops.nonce_size = METE_CIPHER_NONCE_MAX + 1U;
    EXPECT(is_refused());
    fake.ops.tag_size = 0U;
    EXPECT(is_refused());
    fake.ops.tag_size = METE_CIPHER_TAG_MAX + 1U;
    EXPECT(is_refused());
    fake.ops.nonce_size = METE_CIPHER_NONCE_MAX;
    fake.ops.tag_size = METE_CIPHER_TAG_MAX;
    EXPECT(start());
    const mete_vault_handle_t handle = store(1U);
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE));
    fake.ops.nonce_size = 8U;
    fake.ops.tag_size = 1U;
    EXPECT(start() && (store(1U) != 0U));
}

static void test_init_refuses_a_cipher_that_cannot_seal_or_open(void)
{
    prepare();
    const mete_cipher_ops_t whole = fake.ops;
    fake.ops.seal = NULL;
    EXPECT(is_refused());
    fake.ops = whole;
    fake.ops.open = NULL;
    EXPECT(is_refused());
    fake.ops = whole;
    EXPECT(start());
}

// ---- Store, open, close, remove

static void test_a_stored_secret_is_found_nowhere(void)
{
    setup();
    write_secret(1U, SECRET_SIZE);
    EXPECT(seen_anywhere(1U) != 0U);  // The search finds what is there.
    const mete_vault_handle_t handle = mete_vault_store(&vault, secret, SECRET_SIZE);
    EXPECT((handle != 0U) && (seen_anywhere(1U) == 0U));
    EXPECT(mete_words_scan(secret, 0U, SECRET_SIZE) == SECRET_SIZE);
    EXPECT((mete_vault_size_of(&vault, handle) == SECRET_SIZE) && (plain_acquires == 0U));
    EXPECT((inner_live_count(&inner) == 1U) && mete_vault_check(&vault) && (tap_take_fault() == 0));
}

static void test_an_open_secret_is_in_its_buffer_and_nowhere_else(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    uint8_t *const plain = mete_vault_open(&vault, handle);
    EXPECT(is_secret(plain, 1U, SECRET_SIZE) &&
           mete_align_fits((uintptr_t)plain, METE_VAULT_ALIGN));
    EXPECT(seen(1U, plain, SECRET_SIZE) == seen_anywhere(1U));
    EXPECT((plain_acquires == 1U) && (usage().plain_size == SECRET_SIZE));
    mete_vault_close(&vault, handle);
    EXPECT((seen_anywhere(1U) == 0U) && (mete_words_scan(plain, 0U, SECRET_SIZE) == SECRET_SIZE));
    EXPECT((inner_live_count(&inner) == 1U) && (tap_take_fault() == 0) && (inner.complaints == 0U));
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE));  // And again.
}

static void test_a_secret_that_is_open_twice_is_wiped_at_the_last_close(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    const void *const plain = mete_vault_open(&vault, handle);
    EXPECT((mete_vault_open(&vault, handle) == plain) && (fake.open_count == 1U));
    mete_vault_close(&vault, handle);
    EXPECT(is_secret(plain, 1U, SECRET_SIZE) && (usage().open_count == 1U));
    mete_vault_close(&vault, handle);
    EXPECT((seen_anywhere(1U) == 0U) && (usage().open_count == 0U) && (tap_take_fault() == 0));
}

static void test_a_secret_that_was_removed_leaves_nothing_behind(void)
{
    prepare();
    config.nonce_first = 7U;
    EXPECT(start());
    const mete_vault_handle_t handle = store(1U);
    const uint8_t *const sealed = entries[0].sealed;
    mete_vault_remove(&vault, handle);
    EXPECT(mete_words_scan(sealed, 0U, SECRET_SIZE + TAG_SIZE) == SECRET_SIZE + TAG_SIZE);
    EXPECT((inner_live_count(&inner) == 0U) && (usage().secret_count == 0U) &&
           (tap_take_fault() == 0));
    EXPECT((entries[0].size == 0U) && (entries[0].counter == 0U));  // Nor how long it was.
}

static void test_secrets_of_every_size_come_back_as_they_were(void)
{
    setup();
    for (size_t size = 1U; size <= sizeof secret; size++) {
        const mete_vault_handle_t handle = store_sized(size, size);
        EXPECT(is_secret(mete_vault_open(&vault, handle), size, size));
        mete_vault_close(&vault, handle);
        mete_vault_remove(&vault, handle);
    }
    EXPECT((inner_live_count(&inner) == 0U) && (inner.complaints == 0U) && (tap_take_fault() == 0));
}

static void test_numbers_tell_what_there_is(void)
{
    setup();
    const mete_vault_handle_t first = store(1U);
    (void)store_sized(2U, 10U);
    (void)mete_vault_open(&vault, first);
    const mete_vault_usage_t now = usage();
    EXPECT((now.secret_count == 2U) && (now.open_count == 1U) && (now.refusals == 0U));
    EXPECT((now.sealed_size == SECRET_SIZE + 10U + (2U * TAG_SIZE)) &&
           (now.plain_size == SECRET_SIZE));
    EXPECT(now.nonce_left == UINT64_MAX - 2U);
}

// ---- What cannot be done

static void test_what_is_refused_is_still_the_callers(void)
{
    setup();
    inner.refuse_every = 1U;
    EXPECT((store(1U) == 0U) && is_secret(secret, 1U, SECRET_SIZE) && (usage().refusals == 1U));
    inner.refuse_every = 0U;
    EXPECT((mete_vault_store(&vault, secret, 0U) == 0U) && is_secret(secret, 1U, SECRET_SIZE));
    for (size_t i = 0U; i < ENTRY_COUNT; i++) {
        EXPECT(store(2U) != 0U);
    }
    EXPECT((store(1U) == 0U) && is_secret(secret, 1U, SECRET_SIZE) && (usage().refusals == 3U));
    EXPECT((inner_live_count(&inner) == ENTRY_COUNT) && (tap_take_fault() == 0) &&
           mete_vault_check(&vault));
}

static void test_a_size_that_no_memory_has_is_refused(void)
{
    setup();
    EXPECT((mete_vault_store(&vault, secret, SIZE_MAX) == 0U) &&
           (mete_vault_store(&vault, secret, SIZE_MAX - TAG_SIZE + 1U) == 0U));
    EXPECT((mete_vault_store(&vault, secret, (size_t)UINT32_MAX) == 0U) &&
           (usage().refusals == 3U));
    EXPECT((inner.calls == 0U) && (tap_take_fault() == 0));
}

static void test_a_cipher_that_cannot_seal_leaves_no_plain_text(void)
{
    setup();
    fake.verdict = METE_CIPHER_UNAVAILABLE;
    EXPECT((store(1U) == 0U) && is_secret(secret, 1U, SECRET_SIZE));
    mete_words_fill(secret, 0U, sizeof secret);
    EXPECT((seen_anywhere(1U) == 0U) && (inner_live_count(&inner) == 0U) &&
           (usage().refusals == 1U));
    fake.verdict = METE_CIPHER_DONE;
    EXPECT((store(1U) != 0U) && (tap_take_fault() == 0) && (inner.complaints == 0U));
}

static void test_a_cipher_that_cannot_open_leaves_no_plain_text(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    fake.verdict = METE_CIPHER_UNAVAILABLE;
    EXPECT((mete_vault_open(&vault, handle) == NULL) && (seen_anywhere(1U) == 0U));
    EXPECT((tap_take_fault() == 0) && (usage().refusals == 1U) && (usage().open_count == 0U));
    fake.verdict = METE_CIPHER_DONE;
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE) && (inner.complaints == 0U));
}

static void test_without_memory_a_secret_stays_closed(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    inner.refuse_every = 1U;
    EXPECT((mete_vault_open(&vault, handle) == NULL) && (tap_take_fault() == 0));
    inner.refuse_every = 0U;
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE) && (usage().refusals == 1U));
}

// ---- Nonces

static void test_no_nonce_is_used_twice_whatever_fails(void)
{
    setup();
    for (size_t i = 0U; i < 60U; i++) {
        inner.refuse_every = (i % 7U == 3U) ? 1U : 0U;
        fake.verdict = (i % 5U == 2U) ? METE_CIPHER_UNAVAILABLE : METE_CIPHER_DONE;
        const mete_vault_handle_t handle = store(i);
        inner.refuse_every = 0U;
        if (handle != 0U) {
            (void)mete_vault_open(&vault, handle);
            mete_vault_close(&vault, handle);
            mete_vault_remove(&vault, handle);
        }
    }
    EXPECT((fake.repeated_count == 0U) && (fake.seal_count > 40U) && (tap_take_fault() == 0));
    EXPECT(usage().nonce_left == UINT64_MAX - fake.seal_count);
    mete_vault_reset(&vault);
    EXPECT((store(1U) != 0U) && (fake.repeated_count == 0U));
}

static void test_nonces_begin_where_the_last_ones_ended_and_end_for_good(void)
{
    prepare();
    config.nonce_first = 0xFFFFFFFFU;
    config.nonce_end = 0x100000001U;
    EXPECT(start() && (usage().nonce_left == 2U));
    EXPECT((store(1U) != 0U) && (fake_number(&fake) == 0xFFFFFFFFU));
    EXPECT((store(2U) != 0U) && (fake_number(&fake) == 0x100000000U));
    EXPECT((store(3U) == 0U) && (fake.seal_count == 2U) && (usage().nonce_left == 0U));
    mete_vault_reset(&vault);
    EXPECT((store(3U) == 0U) && is_secret(secret, 3U, SECRET_SIZE) && (usage().refusals == 2U));
    EXPECT((tap_take_fault() == 0) && mete_vault_check(&vault));
}

static void test_a_nonce_is_the_prefix_and_then_the_number(void)
{
    static const uint8_t prefix[4] = {9U, 8U, 7U, 6U};
    static const uint8_t expected[12] = {9U,    8U,    7U, 6U, 0x04U, 0x03U,
                                         0x02U, 0x01U, 0U, 0U, 0U,    0x80U};
    prepare();
    config.nonce_first = 0x8000000001020304U;
    EXPECT(start());
    const mete_vault_handle_t handle = store(1U);
    EXPECT((mete_words_scan(fake.nonce, 0U, 4U) == 4U) && (fake.nonce[4] == 0x04U));
    config.nonce_prefix = prefix;
    EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
    EXPECT(start() && (store(1U) != 0U));
    for (size_t i = 0U; i < sizeof expected; i++) {
        EXPECT(fake.nonce[i] == expected[i]);
    }
}

// ---- What was changed

static void test_the_wrong_key_opens_nothing(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    fake.key++;
    EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
    EXPECT((seen_anywhere(1U) == 0U) && (usage().open_count == 0U) &&
           (inner_live_count(&inner) == 1U));
    fake.key--;
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE) && (inner.complaints == 0U));
}

static void test_every_byte_that_was_changed_is_noticed(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    for (size_t i = 0U; i < SECRET_SIZE + TAG_SIZE; i++) {
        entries[0].sealed[i] ^= (uint8_t)(1U << (i % 8U));
        EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
        EXPECT(inner_live_count(&inner) == 1U);
        entries[0].sealed[i] ^= (uint8_t)(1U << (i % 8U));
    }
    EXPECT((seen_anywhere(1U) == 0U) &&
           is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE));
}

static void test_secrets_that_were_exchanged_do_not_open(void)
{
    setup();
    const mete_vault_handle_t first = store(1U);
    const mete_vault_handle_t second = store(2U);
    for (size_t i = 0U; i < SECRET_SIZE + TAG_SIZE; i++) {
        const uint8_t byte = entries[0].sealed[i];
        entries[0].sealed[i] = entries[1].sealed[i];
        entries[1].sealed[i] = byte;
    }
    EXPECT((mete_vault_open(&vault, first) == NULL) && said(METE_FAULT_CORRUPT, first));
    EXPECT((mete_vault_open(&vault, second) == NULL) && said(METE_FAULT_CORRUPT, second));
    EXPECT((seen_anywhere(1U) == 0U) && (seen_anywhere(2U) == 0U));
    entries[0].counter = 1U;  // With nonce and all, and a sum that is right.
    entries[0].check = check_of(&entries[0]);
    EXPECT((mete_vault_open(&vault, first) == NULL) && said(METE_FAULT_CORRUPT, first));
}

static void test_an_older_secret_of_the_same_place_does_not_open(void)
{
    static uint8_t kept[SECRET_SIZE + TAG_SIZE];
    setup();
    mete_vault_remove(&vault, store(9U));
    const mete_vault_handle_t old = store(1U);
    mete_words_copy(kept, entries[0].sealed, sizeof kept);
    const uint64_t counter = entries[0].counter;
    mete_vault_remove(&vault, old);
    const mete_vault_handle_t handle = store(2U);
    mete_words_copy(entries[0].sealed, kept, sizeof kept);
    EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
    entries[0].counter = counter;
    entries[0].check = check_of(&entries[0]);
    EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
    EXPECT(seen_anywhere(1U) == 0U);
}

// A size that was changed along with its sum.
static void test_a_part_of_a_secret_does_not_open(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    entries[0].size--;
    entries[0].check = check_of(&entries[0]);
    mete_words_copy(&entries[0].sealed[SECRET_SIZE - 1U], &entries[0].sealed[SECRET_SIZE], 1U);
    EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle));
}

#define SPOIL(field, value) \
    do { \
        __typeof__(field) const kept = (field); \
        (field) = (value); \
        EXPECT(!mete_vault_check(&vault)); \
        EXPECT((mete_vault_open(&vault, handle) == NULL) && said(METE_FAULT_CORRUPT, handle)); \
        mete_vault_close(&vault, handle); \
        EXPECT(said(METE_FAULT_CORRUPT, handle)); \
        mete_vault_remove(&vault, handle); \
        EXPECT(said(METE_FAULT_CORRUPT, handle)); \
        EXPECT((mete_vault_size_of(&vault, handle) == 0U) && said(METE_FAULT_CORRUPT, handle)); \
        (field) = kept; \
        EXPECT(mete_vault_check(&vault)); \
    } while (0)

static void test_an_entry_that_was_overwritten_is_not_followed(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    SPOIL(entries[0].counter, 1U);
    SPOIL(entries[0].counter, entries[0].counter + 0x100000000U);
    SPOIL(entries[0].sealed, entries[0].sealed + 1);
    SPOIL(entries[0].plain, entries[0].sealed);
    SPOIL(entries[0].size, SECRET_SIZE + 1U);
    SPOIL(entries[0].generation, 2U);
    SPOIL(entries[0].open_count, 1U);
    SPOIL(entries[0].check, entries[0].check + 1U);
    SPOIL(vault.counter, 0U);
    EXPECT(is_secret(mete_vault_open(&vault, handle), 1U, SECRET_SIZE) && (inner.complaints == 0U));
    SPOIL(entries[0].plain, NULL);
    SPOIL(entries[0].open_count, 2U);
    vault.counter = config.nonce_end;
    EXPECT(mete_vault_check(&vault));
    config.nonce_end--;
    EXPECT(!mete_vault_check(&vault));
}

// With sums that are right.
static void test_check_notices_what_cannot_be(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    entries[0].open_count = 1U;
    entries[0].check = check_of(&entries[0]);
    EXPECT(!mete_vault_check(&vault));
    entries[0].open_count = 0U;
    entries[0].counter = vault.counter;
    entries[0].check = check_of(&entries[0]);
    EXPECT(!mete_vault_check(&vault));
    entries[0].counter = 0U;
    entries[0].generation = 0x10001U;
    entries[0].check = check_of(&entries[0]);
    EXPECT(!mete_vault_check(&vault) && (mete_vault_open(&vault, handle) == NULL));
    entries[1].plain = secret;
    entries[1].open_count = 1U;
    entries[1].check = check_of(&entries[1]);
    EXPECT(!is_sound(&vault, &entries[1]));
}

static void test_a_free_entry_that_was_overwritten_is_not_used(void)
{
    setup();
    entries[0].size = 3U;
    EXPECT((store(1U) != 0U) && (entries[0].sealed == NULL) && (entries[1].sealed != NULL));
}

// ---- Handles

static void test_a_handle_that_names_nothing_is_refused(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    const mete_vault_handle_t wrong[] = {0U,
                                         handle + 1U,
                                         handle + ENTRY_COUNT,
                                         handle + (1U << 16),
                                         handle ^ (1U << 31),
                                         handle - (1U << 16),
                                         0xFFFFU,
                                         UINT32_MAX};
    for (size_t i = 0U; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT((mete_vault_open(&vault, wrong[i]) == NULL) && said(METE_FAULT_FOREIGN, wrong[i]));
        mete_vault_close(&vault, wrong[i]);
        EXPECT(said(METE_FAULT_FOREIGN, wrong[i]));
        mete_vault_remove(&vault, wrong[i]);
        EXPECT(said(METE_FAULT_FOREIGN, wrong[i]));
        EXPECT((mete_vault_size_of(&vault, wrong[i]) == 0U) && said(METE_FAULT_FOREIGN, wrong[i]));
    }
    EXPECT((usage().secret_count == 1U) && mete_vault_check(&vault));
}

static void test_a_handle_of_a_secret_that_is_gone_stays_so(void)
{
    setup();
    const mete_vault_handle_t old = store(1U);
    mete_vault_remove(&vault, old);
    EXPECT((mete_vault_open(&vault, old) == NULL) && said(METE_FAULT_FOREIGN, old));
    const mete_vault_handle_t handle = store(2U);
    EXPECT((handle != old) && (handle % 65536U == old % 65536U));
    EXPECT((mete_vault_open(&vault, old) == NULL) && said(METE_FAULT_FOREIGN, old));
    EXPECT(is_secret(mete_vault_open(&vault, handle), 2U, SECRET_SIZE));
}

static void test_generations_begin_anew_at_one(void)
{
    setup();
    mete_vault_remove(&vault, store(1U));
    entries[0].generation = 65534U;
    entries[0].check = check_of(&entries[0]);
    const mete_vault_handle_t last = store(1U);
    EXPECT(last == 0xFFFF0000U);
    mete_vault_remove(&vault, last);
    const mete_vault_handle_t first = store(1U);
    EXPECT((first == 0x10000U) && is_secret(mete_vault_open(&vault, first), 1U, SECRET_SIZE));
}

static void test_calls_out_of_order_are_refused(void)
{
    setup();
    const mete_vault_handle_t handle = store(1U);
    mete_vault_close(&vault, handle);
    EXPECT(said(METE_FAULT_ORDER, handle));
    const void *const plain = mete_vault_open(&vault, handle);
    mete_vault_remove(&vault, handle);
    EXPECT(said(METE_FAULT_ORDER, handle) && is_secret(plain, 1U, SECRET_SIZE));
    mete_vault_close(&vault, handle);
    mete_vault_close(&vault, handle);
    EXPECT(said(METE_FAULT_ORDER, handle) && mete_vault_check(&vault));
}

// ---- Reset

static void test_reset_wipes_and_forgets_all(void)
{
    setup();
    const mete_vault_handle_t first = store(1U);
    const mete_vault_handle_t second = store(2U);
    EXPECT(mete_vault_open(&vault, second) != NULL);
    mete_vault_reset(&vault);
    EXPECT((seen_anywhere(1U) == 0U) && (seen_anywhere(2U) == 0U) &&
           (inner_live_count(&inner) == 0U));
    EXPECT((inner.complaints == 0U) && (usage().secret_count == 0U) && (tap_take_fault() == 0));
    EXPECT((mete_vault_open(&vault, first) == NULL) && said(METE_FAULT_FOREIGN, first));
    const mete_vault_handle_t third = store(3U);
    EXPECT((third != first) && is_secret(mete_vault_open(&vault, third), 3U, SECRET_SIZE));
}

static void test_reset_passes_over_what_was_overwritten(void)
{
    setup();
    (void)store(1U);
    (void)store(2U);
    entries[0].size = 1000U;
    mete_vault_reset(&vault);
    EXPECT((tap_take_fault() == METE_FAULT_CORRUPT) && (tap_fault_address == &entries[0]));
    EXPECT((inner_live_count(&inner) == 1U) && (entries[1].sealed == NULL) &&
           (entries[0].size == 1000U));
}

// ---- Beside a model

static struct {
    mete_vault_handle_t handle;  // 0: none.
    size_t which, size, open_count;
} model[ENTRY_COUNT];

static void work_like_the_model(uint32_t *random, size_t step)
{
    const size_t index = random_below(random, ENTRY_COUNT);
    const uint32_t choice = random_below(random, 4U);
    if (model[index].handle == 0U) {
        model[index].which = step;
        model[index].size = SEEN_SIZE + random_below(random, SECRET_SIZE - SEEN_SIZE);
        model[index].handle = store_sized(step, model[index].size);
        model[index].open_count = 0U;
        EXPECT(model[index].handle != 0U);
    } else if (choice < 2U) {
        EXPECT(is_secret(mete_vault_open(&vault, model[index].handle), model[index].which,
                         model[index].size));
        model[index].open_count++;
    } else if (model[index].open_count != 0U) {
        mete_vault_close(&vault, model[index].handle);
        model[index].open_count--;
    } else if (choice == 3U) {
        mete_vault_remove(&vault, model[index].handle);
        model[index].handle = 0U;
    }
}

static void test_random_work_agrees_with_a_model(void)
{
    setup();
    mete_words_fill(model, 0U, sizeof model);
    uint32_t random = 0x2545F491U;
    for (size_t step = 1U; step < 2000U; step++) {
        work_like_the_model(&random, step);
        size_t secret_count = 0U;
        size_t open_count = 0U;
        for (size_t i = 0U; i < ENTRY_COUNT; i++) {
            secret_count += (model[i].handle != 0U) ? 1U : 0U;
            open_count += (model[i].open_count != 0U) ? 1U : 0U;
        }
        EXPECT((usage().secret_count == secret_count) && (usage().open_count == open_count));
        EXPECT((inner_live_count(&inner) == secret_count + open_count) && mete_vault_check(&vault));
        EXPECT(tap_take_fault() == 0);
    }
    EXPECT((inner.complaints == 0U) && (fake.repeated_count == 0U));
}

static void run_damage(void)
{
    RUN(test_the_wrong_key_opens_nothing);
    RUN(test_every_byte_that_was_changed_is_noticed);
    RUN(test_secrets_that_were_exchanged_do_not_open);
    RUN(test_an_older_secret_of_the_same_place_does_not_open);
    RUN(test_a_part_of_a_secret_does_not_open);
    if ((METE_CHECK_LEVEL >= 1) && (METE_CHECK_LEVEL < 3)) {  // There, the call before tells it.
        RUN(test_an_entry_that_was_overwritten_is_not_followed);
        RUN(test_check_notices_what_cannot_be);
        RUN(test_a_free_entry_that_was_overwritten_is_not_used);
        RUN(test_reset_passes_over_what_was_overwritten);
    }
}

int main(void)
{
    RUN(test_init_refuses_what_is_missing);
    RUN(test_init_refuses_a_cipher_whose_sizes_do_not_fit);
    RUN(test_init_refuses_a_cipher_that_cannot_seal_or_open);
    RUN(test_a_stored_secret_is_found_nowhere);
    RUN(test_an_open_secret_is_in_its_buffer_and_nowhere_else);
    RUN(test_a_secret_that_is_open_twice_is_wiped_at_the_last_close);
    RUN(test_a_secret_that_was_removed_leaves_nothing_behind);
    RUN(test_secrets_of_every_size_come_back_as_they_were);
    RUN(test_numbers_tell_what_there_is);
    RUN(test_what_is_refused_is_still_the_callers);
    RUN(test_a_size_that_no_memory_has_is_refused);
    RUN(test_a_cipher_that_cannot_seal_leaves_no_plain_text);
    RUN(test_a_cipher_that_cannot_open_leaves_no_plain_text);
    RUN(test_without_memory_a_secret_stays_closed);
    RUN(test_no_nonce_is_used_twice_whatever_fails);
    RUN(test_nonces_begin_where_the_last_ones_ended_and_end_for_good);
    RUN(test_a_nonce_is_the_prefix_and_then_the_number);
    run_damage();
    RUN(test_a_handle_that_names_nothing_is_refused);
    RUN(test_a_handle_of_a_secret_that_is_gone_stays_so);
    RUN(test_generations_begin_anew_at_one);
    RUN(test_calls_out_of_order_are_refused);
    RUN(test_reset_wipes_and_forgets_all);
    RUN(test_random_work_agrees_with_a_model);
    return tap_finish();
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The modules of object, protect, power and system, used from C++17: as test_cpp_alloc.cpp does with the others.

#include "mete/alloc/heap.h"
#include "mete/alloc/list.h"
#include "mete/alloc/movable.h"
#include "mete/core/alloc.h"
#include "mete/core/observe.h"
#include "mete/core/text.h"
#include "mete/core/words.h"
#include "mete/object/atomic_ref.h"
#include "mete/object/buffer.h"
#include "mete/object/cache.h"
#include "mete/object/fixed.h"
#include "mete/object/netbuf.h"
#include "mete/object/object.h"
#include "mete/object/ref.h"
#include "mete/object/vault.h"
#include "mete/power/bank.h"
#include "mete/power/bank_report.h"
#include "mete/power/evacuation.h"
#include "mete/power/optimiser.h"
#include "mete/protect/domain.h"
#include "mete/protect/integrity.h"
#include "mete/protect/map.h"
#include "mete/protect/map_report.h"
#include "mete/protect/partition.h"
#include "mete/protect/plan.h"
#include "mete/protect/plan_armv7m.h"
#include "mete/protect/plan_armv8m.h"
#include "mete/protect/plan_pages.h"
#include "mete/protect/plan_pmp.h"
#include "mete/protect/stack.h"
#include "mete/protect/stacks.h"
#include "mete/system/audit.h"
#include "mete/system/health.h"
#include "mete/system/health_actions.h"
#include "mete/system/postmortem.h"
#include "mete/system/protection.h"
#include "mete/system/system.h"
#include "mete/system/violations_report.h"
#include "tests/cpp/common.h"

namespace
{

// ---- object

void test_buffer()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    mete_buffer_t buffer;
    EXPECT(mete_buffer_init(&buffer, mete_heap_as_alloc(heap), nullptr));
    EXPECT(mete_buffer_append(&buffer, "Hello, World!", 13U) && mete_buffer_consume(&buffer, 7U));
    const mete_span_t bytes = mete_buffer_span(&buffer);
    EXPECT((bytes.size == 6U) && (*static_cast<const char *>(bytes.start) == 'W'));
    EXPECT(mete_buffer_check(&buffer));
    mete_buffer_purge(&buffer);
}

void test_netbuf()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    mete_alloc_t const alloc = mete_heap_as_alloc(heap);
    mete_netbuf_config_t const config = {alloc, alloc, 100U, 8U, 20U, 2U, 1U, 2U, nullptr, nullptr};
    mete_netbuf_pool_t net;
    EXPECT(mete_netbuf_init(&net, &config));
    mete_netbuf_t *const packet = mete_netbuf_get(&net, METE_NETBUF_SEND);
    EXPECT((mete_netbuf_put(packet, 10U) != nullptr) && (mete_netbuf_push(packet, 8U) != nullptr));
    EXPECT((mete_netbuf_length(packet) == 18U) && mete_netbuf_check(packet));
    mete_netbuf_drop(packet);
    EXPECT(mete_netbuf_usage(&net).in_use == 0U);
}

METE_FIXED_VECTOR(samples, int16_t, 4);
METE_FIXED_RING(letterbox, message, 2);
METE_FIXED_STRING(label, 7);

// As in a header that C shares.
extern "C" {
METE_FIXED_VECTOR(shared_samples, int16_t, 4);
METE_FIXED_STRING(shared_label, 7);
}

void test_fixed()
{
    samples_t samples = {};
    EXPECT(samples_append(&samples, 3) && samples_append(&samples, 4));
    int sum = 0;
    for (int16_t const sample : samples) {
        sum += sample;
    }
    EXPECT((sum == 7) && (samples.count == 2U));
    letterbox_t letterbox = {};
    message one = {};
    EXPECT(letterbox_append(&letterbox, message{7U, 1U, {}}) && letterbox_take(&letterbox, &one) &&
           (one.number == 7U));
    label_t label = {};
    EXPECT(label_append(&label, "abc") && !label_append(&label, "defgh"));
    mete_text_decimal(label_as_sink(&label), 42U);
    size_t length = 0U;
    for (char const c : label) {
        length += (c != '\0') ? 1U : 0U;
    }
    EXPECT((length == 5U) && label_check(&label));
    shared_samples_t const shared = {1U, {5}};
    for (int16_t const sample : shared) {
        sum += sample;
    }
    shared_label_t const none = {};
    for (char const c : none) {
        sum += c;
    }
    EXPECT(sum == 12);
}

METE_OBJECT_DEFINE(letters, message, 3, nullptr, nullptr, nullptr);

void test_object()
{
    mete_heap_t *const heap = mete_heap_init(&app_config);
    EXPECT(mete_object_init(&letters, mete_heap_as_alloc(heap), &letters_config));
    {
        METE_SCOPED(message, one, mete_object_as_alloc(&letters));
        EXPECT((one != nullptr) && mete_object_owns(&letters, one));
    }
    EXPECT(mete_object_usage(&letters).in_use == 0U);
    auto *const one = static_cast<message *>(mete_object_get(&letters));
    mete_object_put(&letters, one);
    use(mete_object_as_alloc(&letters), sizeof(message));
    EXPECT((mete_object_shrink(&letters, 0U) == 1U) && mete_object_check(&letters));
}

void *count_end(void *self, void *)
{
    ++*static_cast<unsigned *>(self);
    return nullptr;
}

// Either form: one reference of each sort, through the functions and through a view.
template <typename Kind>
void share(mete_shared_t view, Kind *kind, void *object, void (*drop)(Kind *, void *),
           const unsigned *end_count)
{
    view.ops->retain_weak(view.self, object);
    EXPECT(view.ops->upgrade(view.self, object));
    drop(kind, object);
    drop(kind, object);
    EXPECT((*end_count == 1U) && !view.ops->upgrade(view.self, object));
    view.ops->drop_weak(view.self, object);
}

void test_references()
{
    static unsigned end_count;
    static const mete_ref_config_t config = {sizeof(message), alignof(message), count_end,
                                             &end_count,      nullptr,          0U};
    static mete_ref_t kind;
    static mete_atomic_ref_t atomic_kind;
    const mete_alloc_t alloc = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_ref_init(&kind, alloc, &config));
    share(mete_ref_as_shared(&kind), &kind, mete_ref_alloc(&kind), mete_ref_drop, &end_count);
    end_count = 0U;
    EXPECT(mete_atomic_ref_init(&atomic_kind, alloc, &config));
    share(mete_atomic_ref_as_shared(&atomic_kind), &atomic_kind,
          mete_atomic_ref_alloc(&atomic_kind), mete_atomic_ref_drop, &end_count);
    EXPECT((mete_ref_usage(&kind).in_use == 0U) &&
           (mete_atomic_ref_usage(&atomic_kind).in_use == 0U));
    EXPECT(tap_take_fault() == 0);
}

uint32_t hash_number(void *, const void *key)
{
    return *static_cast<const uint32_t *>(key);
}

bool has_number(void *, const void *key, const void *object)
{
    return static_cast<const message *>(object)->number == *static_cast<const uint32_t *>(key);
}

METE_CACHE_DEFINE(messages, 8, 4, 1, hash_number, has_number);

void test_cache()
{
    static const mete_ref_config_t config = {sizeof(message), alignof(message), nullptr,
                                             nullptr,         nullptr,          0U};
    static mete_ref_t kind;
    EXPECT(mete_ref_init(&kind, mete_heap_as_alloc(mete_heap_init(&app_config)), &config));
    EXPECT(mete_cache_init(&messages, mete_ref_as_shared(&kind), &messages_config));
    auto *const one = static_cast<message *>(mete_ref_alloc(&kind));
    one->number = 7U;
    mete_cache_insert(&messages, &one->number, one, 0U);
    mete_ref_drop(&kind, one);
    const uint32_t key = 7U;
    EXPECT(mete_cache_find(&messages, &key) == one);
    mete_ref_drop(&kind, one);
    EXPECT((mete_cache_purge(&messages, 0U, 1U) == 1U) && (mete_ref_usage(&kind).in_use == 0U));
}

mete_cipher_verdict_t hides_nothing(void * /*self*/, const mete_cipher_job_t *job,
                                    const void *plain, void *sealed, uint8_t *tag)
{
    mete_words_copy(sealed, plain, job->size);
    *tag = 1U;
    return METE_CIPHER_DONE;
}

mete_cipher_verdict_t believes_all(void * /*self*/, const mete_cipher_job_t *job,
                                   const void *sealed, const uint8_t * /*tag*/, void *plain)
{
    mete_words_copy(plain, sealed, job->size);
    return METE_CIPHER_DONE;
}

void test_vault()
{
    static const mete_cipher_ops_t ops = {12U, 1U, hides_nothing, believes_all};
    static mete_vault_entry_t entries[2];
    static const mete_vault_config_t config = {entries, 2U, 0U, 10U, nullptr};
    static mete_vault_t vault;
    const mete_alloc_t heap = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_vault_init(&vault, heap, heap, {&ops, nullptr}, &config));
    char secret[] = "secret";
    const mete_vault_handle_t handle = mete_vault_store(&vault, secret, sizeof secret);
    EXPECT((handle != 0U) && (secret[0] == '\0') &&
           (mete_vault_size_of(&vault, handle) == sizeof secret));
    const char *const plain = static_cast<const char *>(mete_vault_open(&vault, handle));
    EXPECT((plain != nullptr) && (plain[0] == 's'));
    mete_vault_close(&vault, handle);
    mete_vault_remove(&vault, handle);
    mete_vault_reset(&vault);
    mete_vault_usage_t usage;
    mete_vault_read(&vault, &usage);
    EXPECT((usage.nonce_left == 9U) && mete_vault_check(&vault) && (tap_take_fault() == 0));
}

// ---- protect

uint32_t nobody_else(void * /*self*/)
{
    return 0U;
}

void on_served(void *self, void *block)
{
    *static_cast<void **>(self) = block;
}

void test_partition()
{
    static const mete_partition_terms_t terms = {
        {app_config.storage.start, app_config.storage.size}, 0U, 1U};
    static const uint8_t rights = METE_PARTITION_ACQUIRE | METE_PARTITION_RELEASE;
    static mete_partition_owner_t owner;
    static const mete_partition_config_t config = {
        &terms,        &owner,  &rights,           1U,
        {nullptr, 0U}, 0U,      nullptr,           METE_PARTITION_FIFO,
        nobody_else,   nullptr, {nullptr, nullptr}};
    static mete_partition_t partition;
    const mete_alloc_t home = mete_heap_as_alloc(mete_heap_init(&app_config));
    EXPECT(mete_partition_init(&partition, &home, {nullptr, nullptr}, &config));
    const mete_alloc_t view = mete_partition_as_alloc(&partition, 0U);
    void *block = nullptr;
    mete_partition_request_t request = {};
    request.size = 100U;
    request.align = 8U;
    request.on_served = on_served;
    request.self = &block;
    EXPECT(mete_partition_queue(&partition, 0U, &request) && (block != nullptr));
    EXPECT((mete_partition_owner_of(&partition, block) == 0U) &&
           !mete_partition_remove(&partition, &request));
    mete_release(view, block, 100U, 8U);
    EXPECT((mete_partition_last(&partition) == nullptr) &&
           (mete_partition_requests(&partition) == 0U));
    EXPECT(mete_partition_check(&partition) &&
           (mete_partition_usage(&partition, 0U)->refusals == 0U));
    EXPECT(tap_take_fault() == 0);
}

void test_integrity()
{
    unsigned char memory[40] = {};
    mete_integrity_slice_t slices[METE_INTEGRITY_SLICE_COUNT(sizeof memory, 16U)];
    mete_integrity_gate_t gate;
    const mete_integrity_region_t region = {memory, sizeof memory, slices, &gate};
    const mete_integrity_config_t config = {&region, 1U, 16U, nullptr, 0U, 0U};
    mete_integrity_t integrity;
    EXPECT(mete_integrity_init(&integrity, &config));
    EXPECT(mete_integrity_check_next(&integrity) == METE_INTEGRITY_RIGHT);
    EXPECT(mete_integrity_open(&integrity, 0U));
    memory[7] = 1U;
    mete_integrity_close(&integrity, 0U);
    EXPECT(mete_integrity_check(&integrity));
}

void test_map()
{
    static mete_map_region_t regions[2];
    static const mete_map_config_t config = {regions, 2U};
    static mete_map_t map;
    EXPECT(mete_map_init(&map, &config));
    mete_map_region_t region = {};
    region.name = "flash";
    region.size = 1024U;
    region.rights.privileged = METE_ACCESS_READ | METE_ACCESS_EXECUTE;
    EXPECT(mete_map_add(&map, &region).verdict == METE_MAP_ADDED);
    const mete_map_result_t result = mete_map_add(&map, &region);
    EXPECT((result.verdict == METE_MAP_OVERLAPS) && (result.other == mete_map_find(&map, 1023U)));
    EXPECT(mete_map_usage(&map, METE_MAP_CODE).in_use_size == 1024U);
    EXPECT((mete_map_last(result.other) == 1023U) && mete_map_check(&map));
    size_t size = 0U;
    EXPECT(mete_map_report_write(&map, {count_bytes, &size}) && (size != 0U));
    EXPECT(mete_map_remove(&map, 0U) && !mete_map_remove(&map, 0U));
}

void test_plan()
{
    const mete_plan_backend_t *const backends[] = {&mete_plan_armv7m, &mete_plan_armv8m,
                                                   &mete_plan_pages, &mete_plan_pmp,
                                                   &mete_plan_pmp_locked};
    for (const mete_plan_backend_t *backend : backends) {
        const mete_plan_wish_t wish = {
            "code", 0x10000U, 0x10FFFU, {METE_ACCESS_READ, METE_ACCESS_READ}, METE_MPU_CACHED, 0U};
        mete_plan_share_t share;
        mete_mpu_image_t image;
        mete_plan_range_t range;
        const mete_plan_config_t config = {backend, &wish, 1U, &share, &image, &range, 1U, false};
        mete_plan_t plan;
        EXPECT(mete_plan_init(&plan, &config).verdict == METE_PLAN_FITS);
        EXPECT(mete_plan_allows(&plan, 0x10FFCU, 4U, METE_ACCESS_READ, METE_UNPRIVILEGED));
        EXPECT(!mete_plan_allows(&plan, 0x11000U, 4U, METE_ACCESS_READ, METE_UNPRIVILEGED));
        EXPECT(mete_plan_check(&plan) && (mete_plan_usage(&plan).region_count == 1U));
    }
}

void test_stack()
{
    static uintptr_t memory[128];
    mete_stack_t stack;
    EXPECT(mete_stack_init(&stack, {memory, sizeof memory}) && mete_stack_paint(&stack));
    memory[100] = 0U;
    EXPECT(mete_stack_in_use_peak(&stack) == 28U * sizeof memory[0]);
    EXPECT(mete_stack_check(&stack));
    memory[0] = 0U;
    EXPECT(!mete_stack_check(&stack) && (tap_take_fault() == METE_FAULT_OVERFLOW));
}

void test_stacks()
{
    METE_LIST_DEFINE(stack_memory, 1024);
    mete_stacks_record_t records[2];
    mete_stacks_config_t config{};
    config.alloc = mete_list_as_alloc(mete_list_init(&stack_memory_config));
    config.records = records;
    config.record_max = 2;
    config.guard_size = 32;
    config.align = 32;
    mete_stacks_t stacks;
    EXPECT(mete_stacks_init(&stacks, &config) && mete_stacks_reserve(&stacks, 512));
    const mete_stacks_record_t *const record = mete_stacks_alloc(&stacks, &config, "task", 500);
    EXPECT((record == &records[0]) && (mete_stacks_guard(&stacks, record).size == 32U));
    EXPECT(mete_stacks_check_switch(&stacks, record, mete_stacks_top(record)));
    EXPECT(mete_stacks_find(&stacks, mete_stacks_limit(record)) == record);
    EXPECT(!mete_stacks_check_switch(&stacks, record, mete_stacks_span(record).start));
    EXPECT(tap_take_fault() == METE_FAULT_OVERFLOW);
    mete_stacks_free(&stacks, record);
    EXPECT((mete_stacks_purge(&stacks) == 512U) && mete_stacks_check(&stacks));
}

void test_domain()
{
    mete_plan_wish_t wishes[2];
    mete_plan_share_t shares[2];
    mete_mpu_image_t images[2];
    mete_plan_range_t ranges[2];
    mete_domain_books_t books{};
    books.wishes = wishes;
    books.shares = shares;
    books.wish_max = 2;
    books.images = images;
    books.ranges = ranges;
    books.image_max = 2;
    const mete_domain_member_t member{"one", 0, {nullptr, nullptr}, &books, nullptr};
    const uint8_t rw = METE_ACCESS_READ | METE_ACCESS_WRITE;
    const mete_domain_region_t region{
        "own", 0xA0000000, 0x1000, 0, rw, METE_DOMAIN_EXCLUSIVE, METE_MPU_CACHED, 0};
    uint8_t owner = 0;
    mete_domain_usage_t usage;
    mete_domain_config_t config{};
    config.members = &member;
    config.member_count = 1;
    config.regions = &region;
    config.region_count = 1;
    config.owners = &owner;
    config.usages = &usage;
    config.backend = &mete_plan_pages;
    mete_domain_t domains;
    mete_domain_task_t task;
    EXPECT(mete_domain_init(&domains, &config).verdict == METE_DOMAIN_READY);
    EXPECT(mete_domain_add(&domains, &task, 0));
    mete_domain_switch(&domains, &task);
    EXPECT(mete_domain_allows(&domains, 0xA0000000, 16, rw) && mete_domain_check(&domains));
    EXPECT(mete_domain_leave(&domains) == METE_DOMAIN_ABSENT);
    EXPECT(mete_domain_last(&domains)->request == METE_DOMAIN_LEAVE);
}

// ---- power

uint32_t no_clock()
{
    return 0U;
}

bool change_bank(void *self, const mete_ram_change_t *change)
{
    *static_cast<mete_ram_state_t *>(self) = change->to;
    return true;
}

void test_bank()
{
    static char memory[64];
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE] = {100U, true};
    kind.changes[METE_RAM_ACTIVE][METE_RAM_SLEEP].is_legal = true;
    kind.changes[METE_RAM_SLEEP][METE_RAM_ACTIVE].is_legal = true;
    const mete_bank_place_t place = {{memory, sizeof memory}, &kind};
    const mete_ram_ops_t ops = {change_bank};
    mete_ram_state_t state = METE_RAM_ACTIVE;
    mete_bank_record_t record;
    mete_bank_config_t config{};
    config.places = &place;
    config.records = &record;
    config.bank_count = 1U;
    config.ram = {&ops, &state};
    config.clock = no_clock;
    config.tick_us = 1U;
    mete_bank_t bank;
    EXPECT(mete_bank_init(&bank, &config) && mete_bank_sleep(&bank, 0U, METE_RAM_SLEEP));
    EXPECT((state == METE_RAM_SLEEP) && !mete_bank_is_awake(&bank, 0U));
    mete_bank_usage_t usage;
    EXPECT(mete_bank_wake(&bank, 0U) && mete_bank_read(&bank, 0U, &usage));
    EXPECT(usage.change_count == 2U);
    EXPECT((mete_bank_find(&bank, memory) == 0U) && mete_bank_check(&bank));
    size_t size = 0U;
    EXPECT(mete_bank_report_write(&bank, {count_bytes, &size}) && (size != 0U));
}

// Two banks; what is in the second moves to the first.
void test_evacuation()
{
    METE_MOVABLE_DEFINE(movables, 256, 6);
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE].retains = true;
    kind.changes[METE_RAM_ACTIVE][METE_RAM_DEEP_SLEEP].is_legal = true;
    kind.changes[METE_RAM_DEEP_SLEEP][METE_RAM_ACTIVE].is_legal = true;
    const mete_bank_place_t places[] = {{{movables_storage, 128}, &kind},
                                        {{movables_storage + 16, 128}, &kind}};
    const mete_ram_ops_t ops = {change_bank};
    mete_ram_state_t state = METE_RAM_ACTIVE;
    mete_bank_record_t records[2];
    mete_bank_config_t bank_config{};
    bank_config.places = places;
    bank_config.records = records;
    bank_config.bank_count = 2U;
    bank_config.ram = {&ops, &state};
    bank_config.clock = no_clock;
    bank_config.tick_us = 1U;
    mete_bank_t bank;
    EXPECT(mete_bank_init(&bank, &bank_config) && mete_movable_init(&movables, &movables_config));
    mete_evacuation_load_t loads[2];
    mete_span_t order[METE_EVACUATION_ORDER_COUNT(2)];
    mete_evacuation_config_t config{};
    config.bank = &bank;
    config.mover = mete_movable_as_mover(&movables);
    config.loads = loads;
    config.order = order;
    config.step_size = 64U;
    config.state = METE_RAM_DEEP_SLEEP;
    mete_evacuation_t evacuation;
    EXPECT(mete_evacuation_init(&evacuation, &config));
    const mete_movable_handle_t first = mete_movable_alloc(&movables, 100U);
    (void)mete_movable_alloc(&movables, 100U);
    mete_movable_free(&movables, first);
    mete_evacuation_plan_t plan;
    EXPECT(mete_evacuation_plan(&evacuation, 2U, &plan) && (plan.move_size == 104U) && plan.fits);
    mete_evacuation_commit(&evacuation, &plan);
    while (mete_evacuation_move_next(&evacuation)) {
    }
    EXPECT((mete_evacuation_sleep(&evacuation) == 2U) && (state == METE_RAM_DEEP_SLEEP));
    EXPECT(mete_evacuation_check(&evacuation) && mete_movable_check(&movables));
}

void test_optimiser()
{
    mete_bank_kind_t kind{};
    kind.modes[METE_RAM_ACTIVE] = {100U, true};
    kind.modes[METE_RAM_SLEEP] = {10U, true};
    kind.changes[METE_RAM_ACTIVE][METE_RAM_SLEEP] = {1U, 50U, true};
    kind.changes[METE_RAM_SLEEP][METE_RAM_ACTIVE] = {1U, 40U, true};
    mete_optimiser_idle_t idle;
    EXPECT(mete_optimiser_init(&idle, 100U, 8U, 1000U));
    mete_optimiser_note(&idle, 1100U, 10U);
    const mete_optimiser_demand_t demand = {5U, true};
    mete_optimiser_schedule_t schedule;
    mete_optimiser_choose(&idle, &kind, &demand, &schedule);
    EXPECT((schedule.states[0] == METE_RAM_SLEEP) && (schedule.energy_nj < schedule.active_nj));
    EXPECT(mete_optimiser_break_even_us(&kind, METE_RAM_SLEEP) == 1000U);
    EXPECT(mete_optimiser_check(&idle));
}

// ---- system

void test_audit()
{
    static mete_audit_entry_t entries[3];
    static const mete_audit_config_t config = {entries, 3U,      0U,      nullptr,
                                               nullptr, nullptr, nullptr, nullptr};
    static mete_audit_t audit;
    EXPECT(mete_audit_init(&audit, &config));
    const mete_event_t event = {METE_EVENT_SWITCH, nullptr, nullptr, 4U, nullptr};
    mete_observe(mete_audit_as_observer(&audit), &event);
    EXPECT((mete_audit_count(&audit) == 1U) && mete_audit_check(&audit));
}

void test_postmortem()
{
    static mete_postmortem_store_t store;
    static const mete_postmortem_config_t config = {&store, nullptr, nullptr, nullptr};
    static mete_postmortem_t postmortem;
    EXPECT(!mete_postmortem_init(&postmortem, &config));
    const mete_event_t event = {METE_EVENT_REFUSE, nullptr, nullptr, 4U, nullptr};
    mete_observe(mete_postmortem_as_observer(&postmortem), &event);
    EXPECT(mete_postmortem_init(&postmortem, &config) && mete_postmortem_check(&postmortem));
    EXPECT(mete_postmortem_last(&postmortem)->refusal_total == 1U);
}

void test_violations()
{
    static const mete_violations_config_t config = {};
    static mete_violations_t violations;
    EXPECT(mete_violations_init(&violations, &config));
    mete_violation_t what = {};
    what.kind = METE_VIOLATION_DATA;
    what.known = METE_VIOLATION_KNOWS_ADDRESS;
    EXPECT(mete_violations_handle(&violations, &what, nullptr) == METE_VIOLATIONS_KILL);
    EXPECT(mete_violations_last(&violations)->verdict == METE_VIOLATIONS_NULL);
    size_t size = 0U;
    mete_violations_report_write(mete_violations_last(&violations), {count_bytes, &size});
    EXPECT((size != 0U) && (mete_violations_count(&violations) == 1U));
}

void test_protection()
{
    static mete_map_region_t table[1];
    static mete_protection_config_t config = {};
    static mete_protection_t protection;
    config.map = {table, 1U};
    config.plan.backend = &mete_plan_armv7m;
    config.plan.has_background = true;
    mete_mpu_image_t image;
    mete_plan_share_t share;
    mete_plan_range_t range;
    config.plan.images = &image;
    config.plan.ranges = &range;
    config.plan.image_max = 1U;
    config.plan.shares = &share;
    EXPECT(mete_protection_init(&protection, &config, nullptr));
    EXPECT(mete_map_check(&protection.map) && mete_plan_check(&protection.plan));
}

// A program's own part beside a system, and what health does about the pool that fills it.
struct beside_state {
    const int *own;
    mete_object_t pool;
};
mete_object_slot_t beside_slots[4];
mete_object_config_t beside_pool{};

bool init_beside(void *memory, const mete_system_place_t *place, mete_alloc_t *)
{
    auto *const state = static_cast<beside_state *>(memory);
    state->own = static_cast<const int *>(place->own);
    const mete_alloc_t any = mete_system_as_alloc(place->system, METE_SYSTEM_VARIABLE);
    return mete_object_init(&state->pool, any, &beside_pool) &&
           mete_object_reserve(&state->pool, 4U);
}

void test_system_and_what_stands_beside()
{
    static uint64_t memory[512];
    static const int own = 7;
    beside_pool.object_size = 64U;
    beside_pool.align = 8U;
    beside_pool.object_max = 4U;
    beside_pool.table = beside_slots;
    beside_pool.kept_max = 4U;
    const mete_system_part_t part = {sizeof(beside_state), 0U, 0U, false, init_beside, nullptr};
    const mete_system_beside_t beside[] = {{&part, &own}};
    mete_system_config_t config{};
    config.storage = {memory, sizeof memory};
    config.beside = beside;
    config.beside_count = 1U;
    mete_system_t *const system = mete_system_init(&config, nullptr);
    EXPECT(system != nullptr);
    auto *const state = static_cast<beside_state *>(mete_system_beside(system, 0U));
    EXPECT((*state->own == 7) && (mete_system_beside(system, 1U) == nullptr));
    const mete_heap_t *const heap = mete_system_heap(system);
    EXPECT(mete_heap_usage(heap).in_use_size >= 256U);
    const mete_health_action_t actions[] = {{mete_health_shrink_object, &state->pool}};
    mete_health_list_t list = {actions, 1U};
    EXPECT(mete_health_run_list(&list, nullptr) && !mete_health_run_list(&list, nullptr));
    EXPECT((mete_heap_usage(heap).in_use_size == 0U) && mete_system_check(system));
}

}  // namespace

int main()
{
    RUN(test_buffer);
    RUN(test_netbuf);
    RUN(test_fixed);
    RUN(test_object);
    RUN(test_references);
    RUN(test_cache);
    RUN(test_vault);
    RUN(test_partition);
    RUN(test_integrity);
    RUN(test_map);
    RUN(test_plan);
    RUN(test_stack);
    RUN(test_stacks);
    RUN(test_domain);
    RUN(test_bank);
    RUN(test_evacuation);
    RUN(test_optimiser);
    RUN(test_audit);
    RUN(test_postmortem);
    RUN(test_violations);
    RUN(test_protection);
    RUN(test_system_and_what_stands_beside);
    return tap_finish();
}

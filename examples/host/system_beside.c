// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A system with a partition beside it: of the memory that all share a shell may take so much and a radio so much. When it gets
// short, sessions that nobody uses are given back.

#include "mete/object/object.h"
#include "mete/protect/partition.h"
#include "mete/system/health_actions.h"
#include "mete/system/system.h"

#include <stdio.h>

enum { RADIO, SHELL, OWNERS, ALL = METE_PARTITION_ALL };

static uint64_t ram[1100];
METE_OBJECT_DEFINE(sessions, char[250], 12, NULL, NULL, NULL);
static const mete_alloc_t homes[OWNERS];  // None: all they have is what is common.
static uint32_t running;                  // An operating system would know which task runs.

static uint32_t who_asks(void *self)
{
    return *(const uint32_t *)self;
}

static const mete_partition_terms_t terms[OWNERS] = {
    [RADIO] = {.common_max = 1024U}, [SHELL] = {.common_max = 2048U}};
static const uint8_t rights[OWNERS][OWNERS] = {{ALL, 0U}, {0U, ALL}};
static mete_partition_owner_t owners[OWNERS];
static const mete_partition_config_t partition = {
    terms, owners, rights[0], OWNERS, .common_granule = 32U, .owner = who_asks, &running};
static const mete_system_partition_t of_tasks = {&partition, homes};
static const mete_system_beside_t beside[] = {{&mete_system_with_partition, &of_tasks}};

static const mete_health_rule_t rule = {METE_HEALTH_USAGE, 800U, 700U, METE_HEALTH_PURGE, 0U};
static const mete_health_config_t health = {.rules = &rule,
                                            .rule_count = 1U,
                                            .interval = 1U,
                                            .purge = {mete_health_shrink_object, &sessions}};
static const mete_system_config_t config = {.storage = {ram, sizeof ram},
                                            .heap_size = 5000U,
                                            .kept_size = 512U,
                                            .health = &mete_system_with_health,
                                            .health_config = &health,
                                            .beside = beside,
                                            .beside_count = 1U};

int main(void)
{
    mete_system_t *const memory = mete_system_init(&config, NULL);
    mete_partition_t *const tasks = mete_system_beside(memory, 0U);
    const mete_alloc_t any = mete_system_as_alloc(memory, METE_SYSTEM_VARIABLE);
    (void)(mete_object_init(&sessions, any, &sessions_config) &&
           mete_object_reserve(&sessions, 12U));
    running = SHELL;
    size_t count = 0U;
    for (; mete_acquire(mete_partition_as_alloc(tasks, SHELL), 64U, 8U) != NULL; count++) {
    }
    printf("shell: %zu blocks; sessions: %zu\n", count, mete_object_usage(&sessions).object_count);
    return (mete_partition_check(tasks) && mete_system_check(memory)) ? 0 : 1;
}

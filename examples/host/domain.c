// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A parser of what comes from outside, and a keeper of a key, in domains of their own. The parser has messages sealed through a
// gate; the key it does not get.

#include "mete/protect/domain.h"
#include "mete/protect/plan_pages.h"

#include <stdio.h>

enum { PARSER, KEEPER, DOMAIN_COUNT, SEAL = 0, MAX = 4, PAGE = 4096, KEY = 64 };
enum { RW = METE_ACCESS_READ | METE_ACCESS_WRITE };

static _Alignas(PAGE) unsigned char inbox[PAGE] = "hello";
static _Alignas(PAGE) unsigned char vault[PAGE] = {[KEY] = 42U};  // In front, the gate's buffer.
METE_DOMAIN_BOOKS_DEFINE(of_parser, MAX, MAX);
METE_DOMAIN_BOOKS_DEFINE(of_keeper, MAX, MAX);
METE_DOMAIN_BOOKS_DEFINE(of_gate, MAX, MAX);
static const mete_domain_member_t members[] = {{"parser", 0, {NULL, NULL}, &of_parser, NULL},
                                               {"keeper", 1, {NULL, NULL}, &of_keeper, &of_gate}};
static uint8_t owners[2];
static mete_domain_call_t calls[1];
static mete_domain_usage_t usages[DOMAIN_COUNT];
static mete_domain_t domains;

static void seal(unsigned char *message, size_t size)
{
    uintptr_t registers[4] = {(uintptr_t)message, size, 0U, 0U};
    if (mete_domain_enter(&domains, SEAL, registers) != METE_DOMAIN_DONE) {
        printf("refused to the %s\n", members[mete_domain_last(&domains)->caller].name);
        return;
    }
    unsigned char *const copy = (unsigned char *)registers[0];  // The keeper runs.
    for (size_t i = 0U; i < registers[1]; i++) {
        copy[i] ^= vault[KEY];
    }
    (void)mete_domain_leave(&domains);
    printf("sealed: %02x %02x ...\n", message[0], message[1]);
}

int main(void)
{
    const mete_domain_region_t regions[] = {
        {"inbox", (uintptr_t)inbox, PAGE, PARSER, RW, METE_DOMAIN_EXCLUSIVE, METE_MPU_CACHED, 0U},
        {"vault", (uintptr_t)vault, PAGE, KEEPER, RW, METE_DOMAIN_GATE_ONLY, METE_MPU_CACHED, 0U}};
    const mete_domain_gate_t gate = {
        "seal",       0U,           KEEPER,
        1U << PARSER, {vault, KEY}, {{METE_DOMAIN_IN_OUT, 0U}, {METE_DOMAIN_SIZE, KEY}}};
    const mete_domain_config_t config = {
        members, DOMAIN_COUNT, regions,          2U,           &gate,       1U, owners,
        calls,   usages,       &mete_plan_pages, {NULL, NULL}, {NULL, NULL}};
    mete_domain_task_t task;
    (void)mete_domain_init(&domains, &config);
    (void)mete_domain_add(&domains, &task, PARSER);
    mete_domain_switch(&domains, &task);
    seal(inbox, 5U);
    seal(&vault[KEY], 1U);  // The key itself.
}

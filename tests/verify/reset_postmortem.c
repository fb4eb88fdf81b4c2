// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Firmware that really resets its machine, twice, and finds what it has noted before. Emulated machines leave RAM
// alone at a reset where the image does not describe it: so the image must be a raw one.

#include "mete/system/postmortem.h"
#include "tests/support/tap.h"

#if defined(__riscv)
#define RESET_REGISTER (*(volatile uint32_t *)0x00100000U)  // The test device of QEMU's virt.
#define RESET_VALUE    0x7777U
#else
#define RESET_REGISTER (*(volatile uint32_t *)0xE000ED0CU)  // AIRCR.
#define RESET_VALUE    0x05FA0004U                          // Its key, and SYSRESETREQ.
#endif

METE_POSTMORTEM_PLACE static mete_postmortem_store_t store;

static size_t largest_free(const void *self)
{
    (void)self;
    return 96U;
}

static const mete_postmortem_config_t config = {.store = &store, .largest_free = largest_free};
static mete_postmortem_t postmortem;
static uint32_t zeroed;  // What start-up clears, to see that it did.

__attribute__((noreturn)) static void reset(void)
{
    RESET_REGISTER = RESET_VALUE;
    for (;;) {
    }
}

static void test_a_record_survives_two_resets(void)
{
    const mete_postmortem_record_t *const record = mete_postmortem_last(&postmortem);
    EXPECT((record->boot == 3U) && (record->damage_total == 0U) && (zeroed == 1U));
    EXPECT((record->fault_total == 1U) && (record->faults[0].kind == METE_FAULT_CORRUPT));
    EXPECT((record->faults[0].boot == 1U) && (record->faults[0].address == (size_t)&store));
    EXPECT((record->refusal_total == 1U) && (record->refusals[0].size == 1234U));
    EXPECT((record->refusals[0].boot == 2U) && (record->refusals[0].largest_free_size == 96U));
    EXPECT((record->peaks[1] == 4321U) && mete_postmortem_check(&postmortem));
}

int main(void)
{
    zeroed++;
    const bool has_survived = mete_postmortem_init(&postmortem, &config);
    if (!has_survived) {
        mete_postmortem_note_fault(&postmortem, METE_FAULT_CORRUPT, NULL, &store, NULL);
        reset();
    }
    if (mete_postmortem_last(&postmortem)->boot == 2U) {
        mete_postmortem_note_refusal(&postmortem, 1234U, NULL);
        mete_postmortem_note_peak(&postmortem, 1U, 4321U);
        reset();
    }
    RUN(test_a_record_survives_two_resets);
    return tap_finish();
}

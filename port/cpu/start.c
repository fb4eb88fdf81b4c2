// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/cpu/start.h"

#include <stdint.h>

// Drawn by the linker script; all are multiples of 8.
extern uint32_t mete_port_data_start[];
extern uint32_t mete_port_data_end[];
extern const uint32_t mete_port_data_load[];
extern uint32_t mete_port_bss_start[];
extern uint32_t mete_port_bss_end[];
extern uint32_t mete_port_ccm_start[];
extern uint32_t mete_port_ccm_end[];

int main(void);

static void zero(uint32_t *from, const uint32_t *end)
{
    for (uint32_t *word = from; word < end; word++) {
        *word = 0U;
    }
}

void mete_port_run(void)
{
    const uint32_t *from = mete_port_data_load;
    for (uint32_t *to = mete_port_data_start; to < mete_port_data_end; to++) {
        *to = *from;
        from++;
    }
    zero(mete_port_bss_start, mete_port_bss_end);
    zero(mete_port_ccm_start, mete_port_ccm_end);
    mete_port_exit(main());
}

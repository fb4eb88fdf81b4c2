// SPDX-License-Identifier: MIT OR Apache-2.0

#include "port/board/stm32l4_ram.h"

#define RCC_APB1ENR1 ((uintptr_t)0x40021058U)
#define PWR_CR3      ((uintptr_t)0x40007008U)

#define APB1ENR1_PWREN (1U << 28)
#define CR3_RRS        (1U << 8)

// Returns what is read back.
static uint32_t modify(const mete_stm32l4_ram_bus_t *bus, uintptr_t address, uint32_t clear,
                       uint32_t set)
{
    bus->write(address, (bus->read(address) & ~clear) | set);
    return bus->read(address);
}

static bool change(void *self, const mete_ram_change_t *wanted)
{
    const mete_stm32l4_ram_t *const driver = self;
    if ((wanted->index != driver->index) || (wanted->to == METE_RAM_STANDBY)) {
        return false;
    }
    if (wanted->to == METE_RAM_ACTIVE) {
        return true;
    }
    if (wanted->retains && (wanted->to == METE_RAM_DEEP_SLEEP)) {
        return false;
    }
    if ((modify(driver->bus, RCC_APB1ENR1, 0U, APB1ENR1_PWREN) & APB1ENR1_PWREN) == 0U) {
        return false;
    }
    const uint32_t retention = (wanted->to == METE_RAM_SLEEP) ? CR3_RRS : 0U;
    return (modify(driver->bus, PWR_CR3, CR3_RRS, retention) & CR3_RRS) == retention;
}

static uint32_t read_register(uintptr_t address)
{
    return *(volatile uint32_t *)address;
}

static void write_register(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

const mete_stm32l4_ram_bus_t mete_stm32l4_ram_bus = {read_register, write_register};

mete_ram_t mete_stm32l4_ram_init(const mete_stm32l4_ram_t *driver)
{
    static const mete_ram_ops_t ops = {change};
    return (mete_ram_t){&ops, (void *)(uintptr_t)driver};
}

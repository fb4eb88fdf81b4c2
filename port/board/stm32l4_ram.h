// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_STM32L4_RAM_H
#define METE_PORT_STM32L4_RAM_H

/// SRAM2 of an STM32L4: whether it keeps its contents while the part is in Standby. A driver for mete/power/bank.h.
///
/// UNTESTED ON SILICON. What it writes is compared with the sequence of the reference manual, no more.
///
/// In Standby the part's regulator is off, and with it all RAM, but SRAM2 if PWR_CR3.RRS is set: then the low-power regulator
/// supplies it. (STM32L47x, L48x, L49x, L4Ax: reference manual RM0351; STM32L41x to L46x: RM0394; chapter "Power control", Standby
/// mode and PWR_CR3.) So a state here is what SRAM2 will be in the next Standby, which the program enters:
///
///   state        PWR_CR3.RRS   SRAM2 in Standby
///   ACTIVE       not touched   as was said last; the part is running
///   SLEEP        1             kept
///   DEEP_SLEEP   0             lost
///   STANDBY      there is none; the change is refused
///
///   register       address                    bit      means
///   RCC_APB1ENR1   0x40021000 + 0x58          PWREN 28 PWR has a clock, so that it can be written
///   PWR_CR3        0x40007000 + 0x08          RRS 8    SRAM2 is kept in Standby
///
/// The sequence: set PWREN; read RCC_APB1ENR1 back, for a peripheral answers only some cycles after its clock is on; set or
/// clear RRS, keeping all other bits; read PWR_CR3 back. PWREN is left on: others use PWR, too.
///
///     static const mete_stm32l4_ram_t sram2 = {METE_STM32L4_RAM_BUS, 1};  // SRAM2 is bank 1 of the bank module's table.
///     const mete_ram_t ram = mete_stm32l4_ram_init(&sram2);
///
/// After a wake-up from Standby the part starts as from a reset, and mete_bank_init() is called anew.
///
///   Time     Four loads and two stores.
///   Threads  The two registers are read, changed and written: nobody else may write them meanwhile.
///   Errors   A bank other than SRAM2, STANDBY, a DEEP_SLEEP that is said to retain, or bits that do not stay as they were written:
///            the change is refused.

#include "mete/core/ram.h"

#ifdef __cplusplus
extern "C" {
#endif

/// How registers are read and written; a test takes its own.
typedef struct mete_stm32l4_ram_bus {
    uint32_t (*read)(uintptr_t address);
    void (*write)(uintptr_t address, uint32_t value);
} mete_stm32l4_ram_bus_t;

/// The part's own registers.
extern const mete_stm32l4_ram_bus_t mete_stm32l4_ram_bus;
#define METE_STM32L4_RAM_BUS (&mete_stm32l4_ram_bus)

/// The driver. Const: it has no state but the part's.
typedef struct mete_stm32l4_ram {
    const mete_stm32l4_ram_bus_t *bus;
    size_t index;  ///< Of the bank that is SRAM2.
} mete_stm32l4_ram_t;

/// The driver as the bank module takes it. Touches no register.
mete_ram_t mete_stm32l4_ram_init(const mete_stm32l4_ram_t *driver);

#ifdef __cplusplus
}
#endif
#endif

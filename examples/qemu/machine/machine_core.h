// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef EXAMPLE_MACHINE_CORE_H
#define EXAMPLE_MACHINE_CORE_H

/// In what ARMv7-M and ARMv8-M differ.

#include "examples/qemu/machine/machine.h"

mete_mpu_t core_mpu_init(void);

/// As a task would try to.
void core_switch_off_protection(void);

/// For the task that runs next. Nothing where the core has no such limit.
void core_set_stack_limit(const void *limit);

#endif

# SPDX-License-Identifier: MIT OR Apache-2.0
# What runs tasks as unprivileged code here: sources in `machine`, empty if nothing does, and the plan's back end.
if(METE_CPU MATCHES "^cortex-m[347]$")
    set(machine machine_cortex_m.c machine_armv7m.c)
    set(machine_backend protect/plan_armv7m)
elseif(METE_CPU STREQUAL "cortex-m33")
    set(machine machine_cortex_m.c machine_armv8m.c)
    set(machine_backend protect/plan_armv8m)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "riscv32")
    set(machine machine_riscv.c)
    set(machine_backend protect/plan_pmp)
elseif(NOT METE_BOARD AND NOT CMAKE_C_FLAGS MATCHES "fsanitize")  # Sanitizers do not follow tasks on stacks of their own.
    set(machine machine_posix.c)
    set(machine_backend protect/plan_pages)
else()
    set(machine)
endif()
list(TRANSFORM machine PREPEND ${CMAKE_CURRENT_LIST_DIR}/)

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_BENCH_BOARD_H
#define METE_BENCH_BOARD_H

/// The little that a measured program needs of its machine, mps2-an386 under QEMU: text out, one
/// line of arguments in, an exit code. All by semihosting. Interrupts stay off, so that counts are
/// exact.

#include <stdint.h>

/// Called after reset. Its result is QEMU's exit code.
int bench_main(void);

/// Prints `text`, in which each % is replaced by the next of `numbers`, in decimal.
void board_print(const char *text, const uint32_t *numbers);

/// Fills in up to `count` decimal numbers from the command line; what is not given becomes 0.
void board_arguments(uint32_t *numbers, uint32_t count);

#endif

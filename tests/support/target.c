// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include "port/io/semihosting.h"

const mete_sink_t tap_sink = {mete_semihosting_write_text, NULL};

void tap_abort(void)
{
    mete_semihosting_exit(1);
}

// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tests/support/tap.h"

#include <stdio.h>
#include <stdlib.h>

static size_t write_stdout(void *self, const void *bytes, size_t size)
{
    (void)self;
    return fwrite(bytes, 1U, size, stdout);
}

const mete_sink_t tap_sink = {write_stdout, NULL};

void tap_abort(void)
{
    fflush(stdout);
    exit(1);
}

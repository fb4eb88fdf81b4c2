// SPDX-License-Identifier: MIT OR Apache-2.0
//
// On a host there is no console of the port: it is standard output here.

#include "examples/qemu/sensor/unit.h"

#include "port/cpu/start.h"
#include "port/os/posix_mprotect.h"

#include <stdio.h>

static size_t write_out(void *self, const void *bytes, size_t size)
{
    (void)self;
    return fwrite(bytes, 1U, size, stdout);
}

const mete_sink_t mete_port_console = {write_out, NULL};

// A system that cannot say what is forbidden: contents are lost, but nobody is stopped.
mete_mpu_t unit_init(mete_span_t arena)
{
    static mete_posix_mprotect_t unit;
    const mete_mpu_t mpu = mete_posix_mprotect_init(&unit, arena);
    return (mete_mpu_region_count(mpu) != 0U) ? mpu : (mete_mpu_t){NULL, NULL};
}

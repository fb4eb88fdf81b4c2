// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The console of emulated machines. A firmware that defines mete_port_console itself does not link
// this file.

#include "port/cpu/start.h"
#include "port/io/semihosting.h"

const mete_sink_t mete_port_console = {mete_semihosting_write_text, NULL};

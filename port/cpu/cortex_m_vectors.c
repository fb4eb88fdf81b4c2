// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Alone in its file: a firmware that defines mete_port_vectors itself does not link this one.

#include "port/cpu/cortex_m.h"
#include "port/os/bare_metal.h"

extern const mete_vectors_t mete_port_vectors;
const mete_vectors_t mete_port_vectors METE_VECTORS_PLACE = METE_VECTORS_CORE(mete_bare_metal_tick);

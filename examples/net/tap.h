// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXAMPLE_TAP_H
#define METE_EXAMPLE_TAP_H

/// A network device of Linux whose other side is this program.

#include "mete/object/netbuf.h"

/// Makes one, gives the host the address `ip` on it, in a network of four, and returns its descriptor, which does not block. -1 if that may not be.
int tap_open(uint32_t ip);

/// Sends a frame, all its buffers. False if the device does not take it.
bool tap_send(int tap, const mete_netbuf_t *frame);

/// Receives a frame into a buffer without bytes. False if there is none.
bool tap_receive(int tap, mete_netbuf_t *frame);

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_EXAMPLE_PACKET_H
#define METE_EXAMPLE_PACKET_H

/// Ethernet, ARP, IPv4 and UDP over packet buffers: as much as an echo server needs. No fragments, no options.

#include "mete/object/netbuf.h"

enum { ETHERNET_SIZE = 14, IP_SIZE = 20, UDP_SIZE = 8 };
enum { HEADERS_SIZE = ETHERNET_SIZE + IP_SIZE + UDP_SIZE };

/// A station on the network, or where on it.
typedef struct address {
    uint8_t mac[6];
    uint32_t ip;
    uint16_t port;
} address_t;

/// What became of a frame.
typedef enum frame_kind {
    FRAME_OTHER,  ///< Not for this station, or damaged.
    FRAME_ARP,    ///< Was a question for it, and is the answer now.
    FRAME_UDP     ///< A datagram for it: its headers were taken away.
} frame_kind_t;

/// Judges a frame that came in for `self`, and says who sent it.
frame_kind_t packet_receive(mete_netbuf_t *frame, const address_t *self, address_t *from);

/// Puts headers in front of a datagram, into the headroom of its first buffer. False if there is too little.
bool packet_wrap(mete_netbuf_t *datagram, const address_t *from, const address_t *to);

#endif

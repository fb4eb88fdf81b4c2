// SPDX-License-Identifier: MIT OR Apache-2.0
//
// RFC 826 (ARP), 791 (IPv4), 768 (UDP), 1071 (the sum of all three).

#include "examples/net/packet.h"

enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, PROTOCOL_UDP = 17, ARP_SIZE = 28, TTL = 64 };

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)((at[0] << 8) | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return ((uint32_t)get16(at) << 16) | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

// ---- The Internet checksum, which may start at an odd byte of what is summed up

typedef struct sum {
    uint32_t value;
    bool is_odd;
} sum_t;

static void sum_bytes(sum_t *sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0U; i < size; i++) {
        sum->value += sum->is_odd ? bytes[i] : (uint32_t)bytes[i] << 8;
        sum->is_odd = !sum->is_odd;
    }
    sum->value = (sum->value & 0xFFFFU) + (sum->value >> 16);
}

static uint16_t sum_result(const sum_t *sum)
{
    const uint32_t folded = (sum->value & 0xFFFFU) + (sum->value >> 16);
    return (uint16_t) ~((folded & 0xFFFFU) + (folded >> 16));
}

static uint16_t ip_sum(const uint8_t *ip)
{
    sum_t sum = {0U, false};
    sum_bytes(&sum, ip, IP_SIZE);
    return sum_result(&sum);
}

// Over the pseudo header and all buffers of a packet that starts with its UDP header.
static uint16_t udp_sum(const mete_netbuf_t *packet, uint32_t from, uint32_t to)
{
    uint8_t pseudo[12] = {0};
    put32(pseudo, from);
    put32(pseudo + 4, to);
    pseudo[9] = PROTOCOL_UDP;
    put16(pseudo + 10, (uint32_t)mete_netbuf_length(packet));
    sum_t sum = {0U, false};
    sum_bytes(&sum, pseudo, sizeof pseudo);
    for (const mete_netbuf_t *part = packet; part != NULL; part = part->next) {
        sum_bytes(&sum, part->start, part->size);
    }
    return sum_result(&sum);
}

// ---- Sending

static void wrap_ethernet(uint8_t *frame, const uint8_t *from, const uint8_t *to, uint16_t type)
{
    mete_words_copy(frame, to, 6U);
    mete_words_copy(frame + 6, from, 6U);
    put16(frame + 12, type);
}

bool packet_wrap(mete_netbuf_t *datagram, const address_t *from, const address_t *to)
{
    if (mete_netbuf_headroom(datagram) < HEADERS_SIZE) {
        return false;
    }
    uint8_t *const udp = mete_netbuf_push(datagram, UDP_SIZE);
    const uint32_t udp_size = (uint32_t)mete_netbuf_length(datagram);
    put16(udp, from->port);
    put16(udp + 2, to->port);
    put16(udp + 4, udp_size);
    put16(udp + 6, 0U);
    const uint16_t sum = udp_sum(datagram, from->ip, to->ip);
    put16(udp + 6, (sum != 0U) ? sum : 0xFFFFU);  // 0 says that there is none.

    uint8_t *const ip = mete_netbuf_push(datagram, IP_SIZE);
    mete_words_fill(ip, 0U, IP_SIZE);
    ip[0] = 0x45U;
    put16(ip + 2, udp_size + IP_SIZE);
    ip[8] = TTL;
    ip[9] = PROTOCOL_UDP;
    put32(ip + 12, from->ip);
    put32(ip + 16, to->ip);
    put16(ip + 10, ip_sum(ip));

    wrap_ethernet(mete_netbuf_push(datagram, ETHERNET_SIZE), from->mac, to->mac, TYPE_IP);
    return true;
}

// ---- Receiving

static bool answer_arp(mete_netbuf_t *frame, const address_t *self)
{
    uint8_t *const arp = frame->start + ETHERNET_SIZE;
    const bool is_question = (frame->size >= ETHERNET_SIZE + ARP_SIZE) && (get16(arp + 6) == 1U) &&
                             (get32(arp + 24) == self->ip);
    if (is_question && !mete_netbuf_is_shared(frame)) {
        put16(arp + 6, 2U);
        mete_words_copy(arp + 18, arp + 8, 10U);  // Who asked is whom it is for.
        mete_words_copy(arp + 8, self->mac, 6U);
        put32(arp + 14, self->ip);
        wrap_ethernet(frame->start, self->mac, arp + 18, TYPE_ARP);
    }
    return is_question;
}

// The IP header is right and whole, and the packet for this station. What Ethernet padded is trimmed.
static bool is_ip_for(mete_netbuf_t *packet, const address_t *self)
{
    const uint8_t *const ip = packet->start;
    if ((packet->size < IP_SIZE + UDP_SIZE) || (ip[0] != 0x45U) || (ip_sum(ip) != 0U) ||
        (ip[9] != PROTOCOL_UDP) || (get32(ip + 16) != self->ip) ||
        ((get16(ip + 6) & 0x3FFFU) != 0U)) {
        return false;
    }
    const size_t size = get16(ip + 2);
    return (packet->next != NULL) ? size == mete_netbuf_length(packet)
                                  : mete_netbuf_trim(packet, size);
}

static bool is_udp_for(const mete_netbuf_t *packet, const address_t *self, uint32_t from)
{
    const uint8_t *const udp = packet->start;
    return (get16(udp + 2) == self->port) && (get16(udp + 4) == mete_netbuf_length(packet)) &&
           ((get16(udp + 6) == 0U) || (udp_sum(packet, from, self->ip) == 0U));
}

frame_kind_t packet_receive(mete_netbuf_t *frame, const address_t *self, address_t *from)
{
    if (frame->size < ETHERNET_SIZE) {
        return FRAME_OTHER;
    }
    const uint16_t type = get16(frame->start + 12);
    if (type == TYPE_ARP) {
        return answer_arp(frame, self) ? FRAME_ARP : FRAME_OTHER;
    }
    mete_words_copy(from->mac, frame->start + 6, sizeof from->mac);
    (void)mete_netbuf_pull(frame, ETHERNET_SIZE);
    if ((type != TYPE_IP) || !is_ip_for(frame, self)) {
        return FRAME_OTHER;
    }
    from->ip = get32(frame->start + 12);
    (void)mete_netbuf_pull(frame, IP_SIZE);
    from->port = get16(frame->start);
    if (!is_udp_for(frame, self, from->ip)) {
        return FRAME_OTHER;
    }
    (void)mete_netbuf_pull(frame, UDP_SIZE);
    return FRAME_UDP;
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A UDP echo server on packet buffers, and a client that checks every byte that comes back.
//
//     netbuf_udp [DATAGRAMS [pair]]
//
// Where it may make a TAP device (Linux, as root) the client is a socket of the kernel, which sends through its own
// network stack to ours. Else, or if told so, client and server are a pair of stations on a wire in memory: then each datagram
// is a header buffer chained in front of a payload that the client shares until it has come back.
// The last lines are figures: datagrams that came back, and buffers that were left in the end.

#define _GNU_SOURCE
#include "examples/net/packet.h"
#include "examples/net/tap.h"
#include "mete/alloc/pool.h"
#include "mete/object/fixed.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_SIZE = 64, FRAME_SIZE = 1664, HEADROOM = 64, STORAGE_MAX = 96, HEAD_MAX = 192 };
enum { WINDOW = 24, PAYLOAD_MIN = 18, PAYLOAD_MAX = 1400, ECHO_PORT = 7, WAIT_MS = 2000 };

typedef struct storage {
    unsigned char bytes[METE_NETBUF_STORAGE_SIZE(FRAME_SIZE, LINE_SIZE)]
        __attribute__((aligned(LINE_SIZE)));
} storage_t;

METE_POOL_DEFINE(heads, mete_netbuf_t, HEAD_MAX);
METE_POOL_DEFINE(storages, storage_t, STORAGE_MAX);
METE_FIXED_RING(wire, mete_netbuf_t *, WINDOW);

static mete_netbuf_pool_t net;
static address_t server = {{2, 0, 0, 0, 0, 2}, 0U, ECHO_PORT};
static address_t client = {{2, 0, 0, 0, 0, 1}, 0U, 4000};
static size_t lost;

// Four addresses of those that RFC 2544 sets apart for measuring, others for each process.
static void choose_addresses(void)
{
    const uint32_t net_of_four = 0xC6120000U + (((uint32_t)getpid() & 0x7FFFU) << 2);
    client.ip = net_of_four + 1U;
    server.ip = net_of_four + 2U;
}

static size_t payload_size(size_t number)
{
    return PAYLOAD_MIN + ((number * 37U) % (PAYLOAD_MAX - PAYLOAD_MIN));
}

static void fill(unsigned char *bytes, size_t number)
{
    const size_t size = payload_size(number);
    for (size_t i = 0U; i < size; i++) {
        bytes[i] = (unsigned char)(number + (i * 7U));
    }
}

// ---- The server: what comes in goes out again, in the same buffers

static mete_netbuf_t *serve(mete_netbuf_t *frame)
{
    address_t from = {{0}, 0U, 0U};
    const frame_kind_t kind = packet_receive(frame, &server, &from);
    const bool is_answer =
        (kind == FRAME_ARP) || ((kind == FRAME_UDP) && packet_wrap(frame, &server, &from));
    if (!is_answer) {
        mete_netbuf_drop(frame);
    }
    return is_answer ? frame : NULL;
}

// ---- A pair of stations

static wire_t to_server, to_client;
static mete_netbuf_t *waiting[WINDOW];  // The client's own references to what is under way.

// A header in front of a payload that stays shared: not a byte is copied until it is read.
static bool send_one(size_t number)
{
    mete_netbuf_t *const payload = mete_netbuf_get(&net, METE_NETBUF_SEND);
    mete_netbuf_t *const header = mete_netbuf_get(&net, METE_NETBUF_SEND);
    if ((payload == NULL) || (header == NULL)) {
        mete_netbuf_drop(payload);
        mete_netbuf_drop(header);
        return false;
    }
    fill(mete_netbuf_put(payload, payload_size(number)), number);
    mete_netbuf_t *const kept = mete_netbuf_clone(payload);
    waiting[number % WINDOW] = kept;
    return (kept != NULL) && mete_netbuf_append(header, payload) &&
           packet_wrap(header, &client, &server) && wire_append(&to_server, header);
}

// What came back is what was kept, byte for byte.
static bool is_what_was_sent(const mete_netbuf_t *datagram, size_t number)
{
    static unsigned char bytes[PAYLOAD_MAX];
    const mete_netbuf_t *const kept = waiting[number % WINDOW];
    const size_t size = mete_netbuf_length(datagram);
    return (size == kept->size) && (mete_netbuf_read(datagram, 0U, bytes, size) == size) &&
           (memcmp(bytes, kept->start, size) == 0);
}

static bool accept_one(size_t number)
{
    mete_netbuf_t *frame = NULL;
    address_t from;
    const bool is_right = wire_take(&to_client, &frame) &&
                          (packet_receive(frame, &client, &from) == FRAME_UDP) &&
                          is_what_was_sent(frame, number);
    mete_netbuf_drop(frame);
    mete_netbuf_drop(waiting[number % WINDOW]);
    waiting[number % WINDOW] = NULL;
    return is_right;
}

// What has arrived at the server; every eighth in one piece first, as a driver may want it.
static void serve_wire(void)
{
    mete_netbuf_t *frame = NULL;
    for (size_t i = 0U; wire_take(&to_server, &frame); i++) {
        if ((i % 8U == 0U) && !mete_netbuf_linearise(frame, METE_NETBUF_RECEIVE)) {
            lost++;
        }
        mete_netbuf_t *const answer = serve(frame);
        lost += ((answer != NULL) && wire_append(&to_client, answer)) ? 0U : 1U;
    }
}

static size_t run_pair(size_t count)
{
    size_t done = 0U;
    for (size_t first = 0U; first < count; first += WINDOW) {
        const size_t end = (first + WINDOW < count) ? first + WINDOW : count;
        for (size_t number = first; number < end; number++) {
            lost += send_one(number) ? 0U : 1U;
        }
        serve_wire();
        for (size_t number = first; number < end; number++) {
            done += accept_one(number) ? 1U : 0U;
        }
    }
    return done;
}

// ---- The kernel's stack at the other side of a TAP device

static void serve_tap(int tap)
{
    mete_netbuf_t *frame = mete_netbuf_get(&net, METE_NETBUF_RECEIVE);
    while ((frame != NULL) && tap_receive(tap, frame)) {
        mete_netbuf_t *const answer = serve(frame);
        if (answer != NULL) {
            (void)tap_send(tap, answer);
            mete_netbuf_drop(answer);
        }
        frame = mete_netbuf_get(&net, METE_NETBUF_RECEIVE);
    }
    mete_netbuf_drop(frame);
}

static bool send_to_kernel(int peer, size_t number)
{
    static unsigned char bytes[PAYLOAD_MAX];
    fill(bytes, number);
    return send(peer, bytes, payload_size(number), MSG_DONTWAIT) == (ssize_t)payload_size(number);
}

static bool accept_from_kernel(int peer, size_t number, bool *is_right)
{
    static unsigned char bytes[PAYLOAD_MAX + 1], expected[PAYLOAD_MAX];
    const ssize_t size = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT);
    fill(expected, number);
    *is_right =
        (size == (ssize_t)payload_size(number)) && (memcmp(bytes, expected, (size_t)size) == 0);
    return size >= 0;
}

// One after the other in each direction: the kernel keeps their order.
static size_t run_tap(int tap, int peer, size_t count)
{
    size_t sent = 0U;
    size_t done = 0U;
    bool is_right = true;
    while ((done < count) && is_right) {
        while ((sent < count) && (sent - done < WINDOW) && send_to_kernel(peer, sent)) {
            sent++;
        }
        serve_tap(tap);
        const size_t before = done;
        while (is_right && (done < sent) && accept_from_kernel(peer, done, &is_right)) {
            done += is_right ? 1U : 0U;
        }
        struct pollfd ready[] = {{tap, POLLIN, 0}, {peer, POLLIN, 0}};
        if ((done == before) && (poll(ready, 2U, WAIT_MS) <= 0)) {
            break;
        }
    }
    return done;
}

static int connect_peer(void)
{
    const int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(ECHO_PORT), .sin_addr.s_addr = htonl(server.ip)};
    if ((peer >= 0) && (connect(peer, (const struct sockaddr *)&to, sizeof to) != 0)) {
        (void)close(peer);
        return -1;
    }
    return peer;
}

int main(int argc, char **argv)
{
    const size_t count = (argc > 1) ? (size_t)strtoul(argv[1], NULL, 10) : 1000000U;
    const bool is_pair = argc > 2;
    if (!mete_pool_init(&heads, &heads_config) || !mete_pool_init(&storages, &storages_config)) {
        return 1;
    }
    const mete_netbuf_config_t config = {
        .heads = mete_pool_as_alloc(&heads),
        .storages = mete_pool_as_alloc(&storages),
        .size = FRAME_SIZE,
        .align = LINE_SIZE,
        .headroom = HEADROOM,
        .storage_max = STORAGE_MAX,
        .receive_reserve = 16U,
        .chain_max = 4U,
    };
    if (!mete_netbuf_init(&net, &config)) {
        return 1;
    }
    choose_addresses();
    const int tap = is_pair ? -1 : tap_open(client.ip);
    const int peer = (tap >= 0) ? connect_peer() : -1;
    const size_t by_tap = (peer >= 0) ? run_tap(tap, peer, count) : 0U;
    const bool is_tap = by_tap != 0U;  // Where nothing at all comes back, something is in the way.
    const size_t done = is_tap ? by_tap : run_pair(count);

    printf("link         %s\n", is_tap ? "TAP device, and the kernel's stack" : "pair of stations");
    const mete_netbuf_usage_t usage = mete_netbuf_usage(&net);
    const size_t leaked = usage.in_use + usage.head_count + mete_pool_usage(&heads).in_use +
                          mete_pool_usage(&storages).in_use;
    printf("datagrams    %zu there and back of %zu\n", done, count);
    printf("buffers      %zu taken, %zu clones, %zu at most at a time\n", usage.get_total,
           usage.clone_total, usage.in_use_peak);
    printf("refused      %zu\n", usage.send_refusals + usage.receive_refusals);
    printf("# netbuf.packets %zu\n# netbuf.leaked %zu\n", done, leaked);
    return ((done == count) && (leaked == 0U) && (lost == 0U)) ? 0 : 1;
}

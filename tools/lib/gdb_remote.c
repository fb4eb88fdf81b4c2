// SPDX-License-Identifier: MIT OR Apache-2.0

#include "tools/lib/gdb_remote.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ANSWER_MS = 5000,  // For a connection, and for each exchange of packets, with all repetitions.
    LEAVE_MS = 1000,   // For what is only polite.
    TRIES = 4,         // Of an exchange in which packets arrive damaged.
    CHUNK = 256,       // Bytes in a request: small servers have room for not much more in a packet.
    TEXT_MAX = (2 * CHUNK) + 1,
};

__attribute__((format(printf, 2, 3))) static bool refuse(gdb_remote_t *gdb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(gdb->reason, sizeof gdb->reason, format, arguments);
    va_end(arguments);
    return false;
}

// ---- Bytes

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000) + (now.tv_nsec / 1000000);
}

static void allow(gdb_remote_t *gdb, int64_t ms)
{
    gdb->deadline_ms = now_ms() + ms;
}

// Waits until the socket can be read or written.
static bool await(gdb_remote_t *gdb, short event)
{
    struct pollfd wanted = {gdb->socket, event, 0};
    const int64_t left = gdb->deadline_ms - now_ms();
    const int count = (left > 0) ? poll(&wanted, 1U, (int)left) : 0;
    if (count < 0) {
        return (errno == EINTR) || refuse(gdb, "%s", strerror(errno));
    }
    return (count > 0) || refuse(gdb, "no answer in time, expected a GDB server");
}

static bool send_all(gdb_remote_t *gdb, const char *text, size_t size)
{
    size_t done = 0U;
    while (done < size) {
        const ssize_t count = send(gdb->socket, text + done, size - done, MSG_NOSIGNAL);
        if (count >= 0) {
            done += (size_t)count;
        } else if ((errno != EAGAIN) && (errno != EINTR)) {
            return refuse(gdb, "%s", strerror(errno));
        } else if (!await(gdb, POLLOUT)) {
            return false;
        }
    }
    return true;
}

static bool next_byte(gdb_remote_t *gdb, char *byte)
{
    while (gdb->taken_count == gdb->received_count) {
        if (!await(gdb, POLLIN)) {
            return false;
        }
        const ssize_t count = recv(gdb->socket, gdb->received, sizeof gdb->received, 0);
        if (count == 0) {
            return refuse(gdb, "found the end of the connection, expected an answer");
        }
        if ((count < 0) && (errno != EAGAIN) && (errno != EINTR)) {
            return refuse(gdb, "%s", strerror(errno));
        }
        gdb->taken_count = 0U;
        gdb->received_count = (count > 0) ? (size_t)count : 0U;
    }
    *byte = (char)gdb->received[gdb->taken_count];
    gdb->taken_count++;
    return true;
}

// ---- Packets: $text#checksum, each answered with + or, damaged, with -

typedef enum arrival { ARRIVED, ARRIVED_DAMAGED, ARRIVED_REFUSAL, ARRIVED_NOT } arrival_t;

static int digit_of(char c)
{
    const int lower = tolower((unsigned char)c);
    return isdigit(lower)                       ? lower - '0'
           : ((lower >= 'a') && (lower <= 'f')) ? lower - 'a' + 10
                                                : -1;
}

// Up to the packet's `$`.
static arrival_t find_packet(gdb_remote_t *gdb)
{
    char c = '\0';
    do {
        if (!next_byte(gdb, &c)) {
            return ARRIVED_NOT;
        }
    } while ((c != '$') && (c != '-'));
    return (c == '$') ? ARRIVED : ARRIVED_REFUSAL;
}

// Adds a character; or, behind a *, as many of the last one as its number says, less 29.
static bool add(char *text, size_t *length, char c, bool *is_run)
{
    if ((c == '*') && !*is_run && (*length != 0U)) {
        *is_run = true;
        return true;
    }
    const size_t count = *is_run ? (size_t)((unsigned char)c - 29U) : 1U;
    char what = c;
    if (*is_run) {
        what = text[*length - 1U];
    }
    if ((*is_run && (c < ' ')) || (count > TEXT_MAX - 1U - *length)) {
        return false;
    }
    memset(text + *length, what, count);
    *length += count;
    *is_run = false;
    return true;
}

static arrival_t receive(gdb_remote_t *gdb, char text[TEXT_MAX])
{
    const arrival_t start = find_packet(gdb);
    if (start != ARRIVED) {
        return start;
    }
    size_t length = 0U;
    unsigned sum = 0U;
    bool is_run = false;
    bool fits = true;
    char c = '\0';
    while (next_byte(gdb, &c) && (c != '#')) {
        sum += (unsigned char)c;
        fits = fits && add(text, &length, c, &is_run);
    }
    char high = '\0';
    char low = '\0';
    if ((c != '#') || !next_byte(gdb, &high) || !next_byte(gdb, &low)) {
        return ARRIVED_NOT;
    }
    text[length] = '\0';
    if ((digit_of(high) != (int)(sum / 16U % 16U)) || (digit_of(low) != (int)(sum % 16U))) {
        (void)refuse(gdb, "found a packet with a wrong checksum, %d times", TRIES);
        return ARRIVED_DAMAGED;
    }
    if (!fits || is_run) {
        (void)refuse(gdb, "found a packet of more than %d characters or a bad run in it", TEXT_MAX);
        return ARRIVED_NOT;
    }
    return ARRIVED;
}

static bool send_packet(gdb_remote_t *gdb, const char *text)
{
    unsigned sum = 0U;
    for (const char *at = text; *at != '\0'; at++) {
        sum += (unsigned char)*at;
    }
    char packet[64];
    const int size = snprintf(packet, sizeof packet, "$%s#%02x", text, sum % 256U);
    return send_all(gdb, packet, (size_t)size);
}

// True for what a server says when the target halts, as it does when somebody connects: nobody asked for it.
static bool is_stop(const char *text)
{
    return (text[0] == 'T') || (text[0] == 'S');
}

// Asks, and gets the answer. What arrives damaged, on either side, is sent once more.
static bool exchange(gdb_remote_t *gdb, const char *question, char answer[TEXT_MAX])
{
    bool is_sent = send_packet(gdb, question);
    (void)refuse(gdb, "found that the target halts again and again, expected an answer");
    for (int i = 0; is_sent && (i < TRIES); i++) {
        switch (receive(gdb, answer)) {
        case ARRIVED:
            is_sent = send_all(gdb, "+", 1U);
            if (!is_sent || !is_stop(answer)) {
                return is_sent;
            }
            break;
        case ARRIVED_DAMAGED:
            is_sent = send_all(gdb, "-", 1U);
            break;
        case ARRIVED_REFUSAL:
            (void)refuse(gdb, "the server refused the question %d times, as damaged", TRIES);
            is_sent = send_packet(gdb, question);
            break;
        default:
            return false;
        }
    }
    return false;
}

// ---- Connection

// Cuts "host:port" in two. False if it is none.
static bool parse_place(char *place, const char **host, const char **port)
{
    char *const colon = strrchr(place, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    *port = colon + 1;
    const size_t length = (size_t)(colon - place);
    const bool has_brackets = (length >= 2U) && (place[0] == '[') && (place[length - 1U] == ']');
    if (has_brackets) {
        place[length - 1U] = '\0';
    }
    *host = has_brackets ? place + 1 : place;
    const size_t digits = strspn(*port, "0123456789");
    const long number = strtol(*port, NULL, 10);
    return (digits != 0U) && (digits <= 5U) && ((*port)[digits] == '\0') && (number != 0) &&
           (number <= UINT16_MAX) && (has_brackets || (strchr(place, ':') == NULL));
}

static bool connect_to(gdb_remote_t *gdb, const struct addrinfo *address)
{
    gdb->socket = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (gdb->socket < 0) {
        return refuse(gdb, "%s", strerror(errno));
    }
    allow(gdb, ANSWER_MS);
    int error = (connect(gdb->socket, address->ai_addr, address->ai_addrlen) == 0) ? 0 : errno;
    if ((error == EINPROGRESS) && await(gdb, POLLOUT)) {
        socklen_t size = sizeof error;
        (void)getsockopt(gdb->socket, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if ((error != 0) && (error != EINPROGRESS)) {
        (void)refuse(gdb, "%s", strerror(error));
    }
    if (error != 0) {
        (void)close(gdb->socket);
        gdb->socket = -1;
    }
    return error == 0;
}

bool gdb_open(gdb_remote_t *gdb, const char *place)
{
    *gdb = (gdb_remote_t){.socket = -1};
    char *const copy = strdup(place);
    const char *host = NULL;
    const char *port = NULL;
    if ((copy == NULL) || !parse_place(copy, &host, &port)) {
        free(copy);
        return refuse(gdb, "found no HOST:PORT, expected one, as localhost:3333");
    }
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    const int error = getaddrinfo((host[0] != '\0') ? host : NULL, port, &wanted, &addresses);
    free(copy);
    if (error != 0) {
        return refuse(gdb, "%s", gai_strerror(error));
    }
    bool is_open = false;
    for (const struct addrinfo *at = addresses; !is_open && (at != NULL); at = at->ai_next) {
        is_open = connect_to(gdb, at);
    }
    freeaddrinfo(addresses);
    return is_open;
}

void gdb_close(gdb_remote_t *gdb, bool runs)
{
    if (gdb->socket < 0) {
        return;
    }
    if (runs) {
        // The answer is waited for: a server may act on D only while somebody is there. What it is matters to nobody,
        // and the reason why we leave stays what it was.
        gdb_remote_t leaving = *gdb;
        char answer[TEXT_MAX];
        allow(&leaving, LEAVE_MS);
        (void)exchange(&leaving, "D", answer);
    }
    (void)close(gdb->socket);
    gdb->socket = -1;
}

// ---- Memory

// How many bytes an answer holds, at most `size`; 0: it is none.
static size_t parse_bytes(const char *text, unsigned char *bytes, size_t size)
{
    const size_t length = strlen(text);
    if ((length % 2U != 0U) || (length / 2U > size)) {
        return 0U;
    }
    for (size_t i = 0U; i < length / 2U; i++) {
        const int high = digit_of(text[2U * i]);
        const int low = digit_of(text[(2U * i) + 1U]);
        if ((high < 0) || (low < 0)) {
            return 0U;
        }
        bytes[i] = (unsigned char)((16 * high) + low);
    }
    return length / 2U;
}

// Reads some of the bytes. Returns how many; 0: none.
static size_t read_some(gdb_remote_t *gdb, uint64_t address, unsigned char *bytes, size_t size)
{
    char question[40];
    char answer[TEXT_MAX] = "";
    (void)snprintf(question, sizeof question, "m%" PRIx64 ",%zx", address, size);
    allow(gdb, ANSWER_MS);
    if (!exchange(gdb, question, answer)) {
        return 0U;
    }
    const size_t count = parse_bytes(answer, bytes, size);
    if ((count == 0U) && (answer[0] == 'E') && (strlen(answer) == 3U)) {
        (void)refuse(gdb, "the target has no memory to read at 0x%" PRIx64 ", %zu bytes (%s)",
                     address, size, answer);
    } else if (count == 0U) {
        for (char *at = answer; *at != '\0'; at++) {
            *at = isprint((unsigned char)*at) ? *at : '?';
        }
        (void)refuse(gdb, "found '%.40s', expected %zu bytes of memory, in hexadecimal", answer,
                     size);
    }
    return count;
}

bool gdb_read(gdb_remote_t *gdb, uint64_t address, void *bytes, size_t size)
{
    size_t done = 0U;
    while (done < size) {
        const size_t left = size - done;
        const size_t count = read_some(gdb, address + done, (unsigned char *)bytes + done,
                                       (left < CHUNK) ? left : CHUNK);
        if (count == 0U) {
            return false;
        }
        done += count;
    }
    return true;
}

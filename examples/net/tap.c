// SPDX-License-Identifier: MIT OR Apache-2.0

#include "examples/net/tap.h"

#ifdef __linux__

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PART_MAX = 8, FRAME_MAX = 1518 };

static void set_address(struct ifreq *request, uint32_t ip)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
    mete_words_copy(&request->ifr_addr, &address, sizeof address);
}

static bool bring_up(struct ifreq *request, uint32_t ip)
{
    const int control = socket(AF_INET, SOCK_DGRAM, 0);
    set_address(request, ip);
    bool is_up = (control >= 0) && (ioctl(control, SIOCSIFADDR, request) == 0);
    set_address(request, 0xFFFFFFFCU);
    is_up = is_up && (ioctl(control, SIOCSIFNETMASK, request) == 0);
    request->ifr_flags = IFF_UP | IFF_RUNNING;
    is_up = is_up && (ioctl(control, SIOCSIFFLAGS, request) == 0);
    if (control >= 0) {
        (void)close(control);
    }
    return is_up;
}

int tap_open(uint32_t ip)
{
    const int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_name = "mete%d"};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if ((tap >= 0) && ((ioctl(tap, TUNSETIFF, &request) != 0) || !bring_up(&request, ip))) {
        (void)close(tap);
        return -1;
    }
    return tap;
}

bool tap_send(int tap, const mete_netbuf_t *frame)
{
    struct iovec parts[PART_MAX];
    int count = 0;
    for (const mete_netbuf_t *part = frame; (part != NULL) && (count < PART_MAX);
         part = part->next) {
        parts[count].iov_base = part->start;
        parts[count].iov_len = part->size;
        count++;
    }
    return writev(tap, parts, count) == (ssize_t)mete_netbuf_length(frame);
}

bool tap_receive(int tap, mete_netbuf_t *frame)
{
    void *const room = mete_netbuf_put(frame, FRAME_MAX);
    const ssize_t size = (room != NULL) ? read(tap, room, FRAME_MAX) : -1;
    return (size > 0) && mete_netbuf_trim(frame, (size_t)size);
}

#else

int tap_open(uint32_t ip)
{
    (void)ip;
    return -1;
}

bool tap_send(int tap, const mete_netbuf_t *frame)
{
    (void)tap, (void)frame;
    return false;
}

bool tap_receive(int tap, mete_netbuf_t *frame)
{
    (void)tap, (void)frame;
    return false;
}

#endif

// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A firmware that sends more lines by RTT than its ring can hold, waiting for the host, and says PASS
// when the host has taken all.

#include "mete/core/text.h"
#include "port/cpu/start.h"
#include "port/io/rtt.h"

enum { LINES = 300, PATIENCE = 1000000000 };

static mete_rtt_t rtt;

// Gives the rest to the ring again and again: the host looks in only now and then.
static size_t write_all(void *self, const void *bytes, size_t size)
{
    const unsigned char *const byte = bytes;
    size_t done = 0U;
    for (size_t tries = 0U; (done < size) && (tries < 1000U); tries++) {
        done += mete_rtt_write(self, byte + done, size - done);
    }
    return done;
}

int main(void)
{
    static char bytes[61];
    static const mete_rtt_config_t config = {
        .up = {{.name = "Terminal", .bytes = bytes, .size = sizeof bytes, .mode = METE_RTT_BLOCK}},
    };
    const mete_sink_t host = {write_all, &rtt.up[0]};
    mete_rtt_init(&rtt, &config);
    for (size_t i = 0U; i < LINES; i++) {
        mete_text_string(host, "line ");
        mete_text_decimal(host, i);
        mete_text_string(host, "\n");
    }
    for (size_t i = 0U; (i < PATIENCE) && (rtt.up[0].read != rtt.up[0].write); i++) {
    }
    const bool taken = rtt.up[0].read == rtt.up[0].write;
    mete_text_string(mete_port_console, taken ? "PASS\n" : "FAIL\n");
    return taken ? 0 : 1;
}

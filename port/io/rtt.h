// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef METE_PORT_RTT_H
#define METE_PORT_RTT_H

/// Output through memory that a debug probe reads while the program runs: SEGGER's Real Time Transfer.
///
/// A write is a copy into a ring; the probe needs nothing from the program, and the program does not
/// stop for the probe. The layout is SEGGER's ("J-Link User Guide", UM08001, RTT), so J-Link RTT Viewer,
/// OpenOCD, pyOCD and probe-rs can read it. They search RAM for the control block's identifier, or
/// look for a symbol named _SEGGER_RTT: a good name for the block.
///
///     mete_rtt_t _SEGGER_RTT;
///     static char terminal[1024];
///     static const mete_rtt_config_t config = {
///         .up = {{.name = "Terminal", .bytes = terminal, .size = sizeof terminal}},
///     };
///     mete_rtt_init(&_SEGGER_RTT, &config);
///     const mete_sink_t log = {mete_rtt_write, &_SEGGER_RTT.up[0]};
///
///   Time     O(size) copied. Only METE_RTT_BLOCK waits, at most METE_RTT_POLL_COUNT_MAX polls.
///   Space    The control block and the rings' bytes, of which one stays empty.
///   Threads  One writer for each ring. The host reads at any time.
///   Errors   A full ring is ordinary: what is not taken is the writer's to count.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a write does if the ring is full.
typedef enum mete_rtt_mode {
    METE_RTT_SKIP = 0,  ///< Takes all of it or nothing: messages stay whole.
    METE_RTT_TRIM = 1,  ///< Takes what fits.
    METE_RTT_BLOCK = 2  ///< Waits for the host; gives up if it takes nothing for too long.
} mete_rtt_mode_t;

/// How often a blocked write looks whether the host has read, before it drops the rest.
#define METE_RTT_POLL_COUNT_MAX 1000000U

/// Rings in a control block: up to the host, down from it.
#define METE_RTT_UP_COUNT   2U
#define METE_RTT_DOWN_COUNT 1U

/// A ring as the host knows it. Empty if write and read are equal.
typedef struct mete_rtt_ring {
    const char *name;
    char *bytes;
    uint32_t size;
    volatile uint32_t write;  // Index of the next byte written; the writer's.
    volatile uint32_t read;   // Index of the next byte read; the reader's.
    volatile uint32_t flags;  // Bits 0 and 1: a mete_rtt_mode_t. The host may change it.
} mete_rtt_ring_t;

/// The control block as the host knows it.
typedef struct mete_rtt {
    volatile char id[16];
    int32_t up_count;
    int32_t down_count;
    mete_rtt_ring_t up[METE_RTT_UP_COUNT];
    mete_rtt_ring_t down[METE_RTT_DOWN_COUNT];
} mete_rtt_t;

/// A ring to be. All zero: not used.
typedef struct mete_rtt_ring_config {
    const char *name;
    void *bytes;
    uint32_t size;  ///< At least 2.
    mete_rtt_mode_t mode;
} mete_rtt_ring_config_t;

typedef struct mete_rtt_config {
    mete_rtt_ring_config_t up[METE_RTT_UP_COUNT];
    mete_rtt_ring_config_t down[METE_RTT_DOWN_COUNT];
} mete_rtt_config_t;

/// Empties the rings, then makes the block visible to the host. May be called again to start afresh.
void mete_rtt_init(mete_rtt_t *rtt, const mete_rtt_config_t *config);

/// Puts bytes into an up ring; returns how many were taken. The write function of a sink whose self
/// is the ring. Takes nothing if the ring is not used, not initialised or damaged.
size_t mete_rtt_write(void *self, const void *bytes, size_t size);

/// Takes up to `size` bytes out of a down ring; returns how many there were. Never waits.
size_t mete_rtt_read(mete_rtt_ring_t *ring, void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif

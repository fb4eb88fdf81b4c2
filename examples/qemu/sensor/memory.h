// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef SENSOR_MEMORY_H
#define SENSOR_MEMORY_H

/// The node's memory and its time: a store of movable blocks in four banks of RAM, and a bank for the radio. While the node
/// idles all of them sleep, and those without live bytes lose their contents.

#include "mete/alloc/movable.h"
#include "mete/power/bank.h"

enum { BANK_SIZE = 4096, STORE_BANK_COUNT = 4 };

/// Blocks that outlive a cycle.
extern mete_movable_t store;

/// How full the store is, and whether its books are right.
typedef struct memory_state {
    size_t block_count;
    size_t live_size;
    size_t largest_free;
} memory_state_t;

/// Empty, all banks awake, at time 0.
bool memory_init(void);

/// Virtual milliseconds since init.
uint32_t memory_now_ms(void);

/// The node is busy for so long.
void memory_work(uint32_t ms);

/// The node idles for so long, and its memory sleeps.
void memory_idle(uint32_t ms);

/// Pins a block and wakes the banks in which it lies. NULL: they do not wake.
void *memory_pin(mete_movable_handle_t handle);

/// Moves live blocks into as few banks as can be.
void memory_tidy(void);

/// Wakes all banks and moves live blocks together: what is free becomes one piece.
void memory_compact(void);

/// Chooses anew what banks sleep in, from how long the node has idled.
void memory_choose(void);

/// The radio's bank, which is awake from now on.
mete_span_t memory_wake_radio(void);

/// Until it is woken the radio's bank sleeps while the node idles. `is_live`: its contents must be kept.
void memory_leave_radio(bool is_live);

memory_state_t memory_state(void);

/// True if the books of store, banks, evacuation and idle times are right.
bool memory_check(void);

/// Writes what was used, and what sleep has saved. False: less than half.
bool memory_report(void);

/// Whatever sleeps may be touched from now on: by a debugger, or by what looks for leaks when the program ends.
void memory_close(void);

#endif

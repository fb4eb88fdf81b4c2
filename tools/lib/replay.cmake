# SPDX-License-Identifier: MIT OR Apache-2.0
# What replaying traces is made of that needs no library but libc: for the command, and for tests where it is not built.
set(METE_REPLAY_FILES
    backend
    fit
    replayer
    trace)
set(METE_REPLAY_MODULES
    alloc/arena
    alloc/buddy
    alloc/heap
    alloc/heap_wide
    alloc/list
    alloc/movable)

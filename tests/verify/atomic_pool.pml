// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The algorithm of mete/alloc/atomic_pool.c for the model checker Spin: any mixture of alloc and free by
// WORKERS processes, OPERATIONS each, who may hold two blocks at a time; and two processes that free one
// and the same block. Every access to a shared word is a step, as in the C code; the comments name what
// they stand for there. tests/verify/spin runs it. With NO_TAG the tag stands still, with TORN_CLAIM a
// block can be claimed twice: bugs to be found.

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef OPERATIONS
#define OPERATIONS 4
#endif

#define BLOCKS 3        // Common ones, 0 ... BLOCKS - 1. One more is reserved.
#define RESERVED BLOCKS
#define END  200        // The end mark,
#define LIVE 201        // the mark of a live block,
#define NONE 202        // no block.

#ifdef NO_TAG
#define NEXT_TAG(tag) tag
#else
#define NEXT_TAG(tag) (tag + 1)  // No more than 255 frees: it does not come round.
#endif

#ifdef TORN_CLAIM
#define CLAIM
#else
#define CLAIM d_step
#endif

byte top[2], tag[2];       // pool->common and pool->reserved: two numbers in one word.
byte link[BLOCKS + 1];     // pool->links
byte owners[BLOCKS + 1];   // Who holds a block: what alloc has returned, and free was not called with.
byte freed, refused;       // Of the block that is freed twice.
byte ended;

// pop() and the mark of hand_out(). Leaves the index in `got`, or NONE.
inline alloc(list, got) {
    d_step { i = top[list]; t = tag[list] };                      // mete_atomic_load_acquire(list)
    do
    :: i == END -> got = NONE; break
    :: else ->
        next = link[i];                                           // mete_atomic_load_relaxed(link)
        d_step {
            swapped = false;
            if
            :: next != LIVE && top[list] == i && tag[list] == t ->  // mete_atomic_replace_relaxed(list)
                top[list] = next; swapped = true
            :: else
            fi
        };
        if
        :: swapped ->
            d_step {
                link[i] = LIVE;                                   // mete_atomic_store_relaxed(link)
                assert(owners[i] == 0);                           // Nobody else has it.
                owners[i]++; got = i
            };
            break
        :: else ->
            d_step {
                assert(!(next == LIVE && top[list] == i && tag[list] == t));  // No damage is seen.
                i = top[list]; t = tag[list]                      // mete_atomic_load_acquire(list)
            }
        fi
    od;
    atomic { i = 0; t = 0; next = 0; swapped = false }            // Fewer states: forget.
}

// mete_atomic_pool_free(). Leaves in `swapped` if the block was live.
inline release(list, block) {
    d_step { i = top[list]; t = tag[list] };                      // mete_atomic_load_relaxed(list)
    CLAIM {                                                       // claim()
        swapped = (link[block] == LIVE);
        if
        :: swapped -> link[block] = i; owners[block]--
        :: else -> skip
        fi
    };
    if
    :: !swapped -> skip
    :: else ->                                                    // push()
        do
        :: atomic {                                               // mete_atomic_replace_release(list)
            top[list] == i && tag[list] == t -> top[list] = block; tag[list] = NEXT_TAG(t); break
           }
        :: atomic {
            else -> i = top[list]; t = tag[list]                  // mete_atomic_load_relaxed(list)
           };
            link[block] = i                                       // mete_atomic_store_relaxed(link)
        od
    fi
}

proctype worker() {
    byte i, t, next, count;
    byte first = NONE, second = NONE;
    bool swapped;
    do
    :: count < OPERATIONS && first == NONE -> count++; alloc(0, first)
    :: count < OPERATIONS && second == NONE -> count++; alloc(0, second)
    :: count < OPERATIONS && first != NONE -> count++;
        release(0, first); assert(swapped);                       // What is held is never refused.
        atomic { first = NONE; i = 0; t = 0; swapped = false }
    :: count < OPERATIONS && second != NONE -> count++;
        release(0, second); assert(swapped);
        atomic { second = NONE; i = 0; t = 0; swapped = false }
    :: count == OPERATIONS -> break
    od;
    ended++
}

proctype freer() {
    byte i, t;
    bool swapped;
    release(1, RESERVED);
    atomic {
        if
        :: swapped -> freed++
        :: else -> refused++
        fi;
        ended++
    }
}

init {
    byte n, length, live;
    atomic {
        link[0] = 1; link[1] = 2; link[2] = END; top[0] = 0;
        link[RESERVED] = LIVE; owners[RESERVED] = 1; top[1] = END;
        n = 0;
        do
        :: n < WORKERS -> run worker(); n++
        :: else -> break
        od;
        run freer(); run freer()
    };
    ended == WORKERS + 2 ->
    d_step {
        assert(freed == 1 && refused == 1);                       // Of two frees, one.
        assert(top[1] == RESERVED && link[RESERVED] == END && owners[RESERVED] == 0);
        n = top[0]; length = 0;
        do
        :: n != END && length <= BLOCKS -> assert(owners[n] == 0 && link[n] != LIVE); n = link[n]; length++
        :: else -> break
        od;
        n = 0; live = 0;
        do
        :: n < BLOCKS -> live = live + owners[n]; n++
        :: else -> break
        od;
        assert(length + live == BLOCKS)                           // No block is lost.
    }
}

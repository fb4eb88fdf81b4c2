// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The algorithm of mete/object/ref.c, in its atomic form, for the model checker Spin. HOLDERS processes start
// with a strong reference to one object each has, take and drop references of both sorts, OPERATIONS each, and
// then give all back. GETTERS processes get an object and drop it, OPERATIONS times, while PURGERS drop what is
// kept; memory that was given back serves the next one who makes an object. Every access to a shared word is a
// step, as in the C code; the comments name what they stand for there. tests/verify/spin runs it. Bugs to be
// found: with TORN a replace compares in one step and writes in another, with BLIND an upgrade does not look
// whether the object is dying, with EARLY the strong references give up their weak one before the cleanup, with
// UNCLAIMED a kept object is looked at without claiming its place.

#ifndef HOLDERS
#define HOLDERS 2
#endif
#ifndef GETTERS
#define GETTERS 0
#endif
#ifndef PURGERS
#define PURGERS 0
#endif
#ifndef OPERATIONS
#define OPERATIONS 4
#endif

#define OBJECTS (GETTERS + PURGERS + 1)
#define DYING   100     // The strong half: references beyond the first, or one of these.
#define DEAD    101
#define NONE    200     // The place of a kept object: empty,
#define CLAIMED 201     // claimed.

#ifdef TORN
#define REPLACE
#else
#define REPLACE d_step
#endif

byte strong[OBJECTS], weak[OBJECTS];      // The counts: two numbers in one word.
byte place = NONE;                        // config->kept
bool taken[OBJECTS];                      // Its memory has not been given back.
byte holders[OBJECTS], watchers[OBJECTS]; // Who holds strong and weak references, beyond a doubt.
byte getters[OBJECTS];                    // Who has it from get.
byte ended[OBJECTS];                      // Cleanups.
byte done;

inline read(o) {                                                  // mete_atomic_load_relaxed(counts)
    atomic { assert(taken[o]); s = strong[o]; w = weak[o] }
}

inline replace(o, to_strong, to_weak) {                           // mete_atomic_replace_...(counts)
    REPLACE {
        assert(taken[o]);
        swapped = (strong[o] == s && weak[o] == w);
        if
        :: swapped -> strong[o] = to_strong; weak[o] = to_weak
        :: else
        fi
    }
}

inline give_back(o) {                                             // give_back()
    d_step {
        assert(taken[o] && ended[o] == 1 && holders[o] == 0 && watchers[o] == 0);
        taken[o] = false
    }
}

inline retain(o) {                                                // add_strong(), for who holds one
    do
    :: read(o);
        assert(s < DYING);
        replace(o, s + 1, w);
        if
        :: swapped -> break
        :: else
        fi
    od;
    atomic { holders[o]++; s = 0; w = 0; swapped = false }
}

inline cleanup(o) {
    d_step { assert(taken[o] && holders[o] == 0 && ended[o] == 0); ended[o]++ };
    assert(taken[o] && holders[o] == 0)                           // Nor while others go on.
}

inline end(o) {                                                   // end()
#ifndef EARLY
    cleanup(o);
#endif
    do
    :: read(o);                                                   // become_dead()
        replace(o, s + 1, w - 1);
        if
        :: swapped -> break
        :: else
        fi
    od;
#ifdef EARLY
    cleanup(o);
#endif
    if
    :: w == 1 -> give_back(o)
    :: else
    fi
}

inline drop(o) {                                                  // drop_all(), take_strong()
    holders[o]--;
    do
    :: read(o);
        assert(s < DYING);
        if
        :: s == 0 -> assert(place != o); replace(o, DYING, w)     // is_kept(): never of who holds one.
        :: else -> replace(o, s - 1, w)
        fi;
        if
        :: swapped -> break
        :: else
        fi
    od;
    if
    :: s == 0 -> end(o)
    :: else
    fi;
    atomic { s = 0; w = 0; swapped = false }
}

inline retain_weak(o) {                                           // add_weak()
    do
    :: read(o);
        assert(w != 0);
        replace(o, s, w + 1);
        if
        :: swapped -> break
        :: else
        fi
    od;
    atomic { watchers[o]++; s = 0; w = 0; swapped = false }
}

inline drop_weak(o) {                                             // take_weak()
    watchers[o]--;
    do
    :: read(o);
        assert(w > (s == DEAD -> 0 : 1));
        replace(o, s, w - 1);
        if
        :: swapped -> break
        :: else
        fi
    od;
    if
    :: w == 1 -> give_back(o)
    :: else
    fi;
    atomic { s = 0; w = 0; swapped = false }
}

inline upgrade(o) {                                               // add_strong(), for who holds a weak one
    was_ended = (ended[o] != 0);
    do
    :: read(o);
#ifdef BLIND
        if
        :: false
#else
        if
        :: s >= DYING -> assert(holders[o] == 0); swapped = false; break
#endif
        :: else -> replace(o, s + 1, w)
        fi;
        if
        :: swapped -> break
        :: else
        fi
    od;
    atomic {
        if
        :: swapped -> assert(!was_ended && ended[o] == 0); holders[o]++; mine++
        :: else
        fi;
        s = 0; w = 0; swapped = false; was_ended = false
    }
}

proctype holder() {
    byte s, w, count;
    byte mine = 1, seen;                                          // References of its own: strong, weak.
    bool swapped, was_ended;
    do
    :: count < OPERATIONS && mine != 0 && mine < 3 -> count++; retain(0); mine++
    :: count < OPERATIONS && mine != 0 -> count++; mine--; drop(0)
    :: count < OPERATIONS && mine + seen != 0 && seen < 2 -> count++; retain_weak(0); seen++
    :: count < OPERATIONS && seen != 0 -> count++; seen--; drop_weak(0)
    :: count < OPERATIONS && seen != 0 && mine < 3 -> count++; upgrade(0)
    :: count == OPERATIONS || mine + seen == 0 -> break
    od;
    do
    :: mine != 0 -> mine--; drop(0)
    :: seen != 0 -> seen--; drop_weak(0)
    :: mine + seen == 0 -> break
    od;
    done++
}

// Leaves the kept object in o, its place claimed; or NONE.
inline claim() {                                                  // claim()
    o = place;
#ifndef UNCLAIMED
    d_step {                                                      // mete_atomic_replace_relaxed(place)
        if
        :: o < NONE && place == o -> place = CLAIMED
        :: else -> o = NONE
        fi
    }
#else
    if
    :: o >= NONE -> o = NONE
    :: else
    fi
#endif
}

// Makes the counts of o others, if nobody else holds it.
inline replace_alone(to_strong) {                                 // replace_alone()
    read(o);
    if
    :: s == 0 && w == 1 -> replace(o, to_strong, 1)
    :: else -> swapped = false
    fi
}

inline make() {                                                   // alloc(), keep()
    d_step {
        o = 0;
        do
        :: taken[o] -> o++
        :: else -> break
        od;
        taken[o] = true; ended[o] = 0; strong[o] = 1; weak[o] = 1
    };
    d_step {
        if
        :: place == NONE -> place = o; swapped = true
        :: else -> swapped = false
        fi
    };
    if
    :: swapped
    :: else -> strong[o] = 0
    fi
}

proctype getter() {
    byte s, w, o, count;
    bool swapped;
    do
    :: count < OPERATIONS ->
        count++;
        claim();
        if
        :: o != NONE ->                                           // take_kept()
            replace_alone(1);
            place = o
        :: else -> swapped = false
        fi;
        if
        :: swapped
        :: else -> make()
        fi;
        d_step {
            assert(taken[o] && ended[o] == 0 && holders[o] == 0 && getters[o] == 0);  // Nobody else's.
            getters[o]++; holders[o]++; s = 0; w = 0; swapped = false
        };
        getters[o]--;
        drop(o);
        o = 0
    :: else -> break
    od;
    done++
}

proctype purger() {
    byte s, w, o, count;
    bool swapped;
    do
    :: count < OPERATIONS ->
        count++;
        claim();
        if
        :: o != NONE ->                                           // drop_kept()
            replace_alone(DYING);
            if
            :: swapped -> place = NONE; s = 0; w = 0; end(o)
            :: else -> place = o
            fi
        :: else
        fi;
        d_step { s = 0; w = 0; o = 0; swapped = false }
    :: else -> break
    od;
    done++
}

init {
    byte n, left;
    atomic {
        if
        :: HOLDERS != 0 -> taken[0] = true; strong[0] = HOLDERS - 1; weak[0] = 1; holders[0] = HOLDERS
        :: else
        fi;
        n = 0;
        do
        :: n < HOLDERS -> run holder(); n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < GETTERS -> run getter(); n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < PURGERS -> run purger(); n++
        :: else -> break
        od
    };
    done == HOLDERS + GETTERS + PURGERS ->
    d_step {
        n = 0; left = 0;
        do
        :: n < OBJECTS ->
            if
            :: taken[n] -> left++; assert(place == n && strong[n] == 0 && weak[n] == 1 && ended[n] == 0)
            :: else
            fi;
            n++
        :: else -> break
        od;
        assert(left == (place == NONE -> 0 : 1))                  // Nothing is lost.
    }
}

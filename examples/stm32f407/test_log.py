#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""test_log.py [--watched] ELF: one round of the tour on an emulated board says what expected.txt says, or
expected_watched.txt.

There {name} stands for a number. Every number is recomputed from others: the heap's statistics from
the events that the log lists, fragmentation from the free blocks, leaks and sizes from the ELF file.
Then each number is changed in turn, and the change must be noticed.
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "..", "tools", "dev")
sys.path.insert(0, TOOLS)
sys.dont_write_bytecode = True
import calls  # noqa: E402

CCM_START = 0x20020000  # port/board/netduinoplus2.ld
CYCLES_PER_MS = 168000  # port/board/netduinoplus2.c
PREFIX_SIZE, HEADER_SIZE, GRANULE = 32, 4, 8  # Of the tracker's record; of the heap.
PATTERNS = {"block": "0x[0-9a-f]{8}", "call": "0x[0-9a-f]{8}", "events": "(?: [-+=!][0-9]+)*"}
# What depends on how fast the emulator is; these have only bounds. A byte does not move a call to
# another line, nor a stack's peak to another percentage.
BOUNDED = {"uptime", "ms", "age", "call", "stack_peak"}


class Lean:
    """The tour of memory.c: what reaches the tracker is what the program wants, when it wants it."""
    expected = "expected.txt"
    topic_count = 5
    storage = ("heap_storage", 32768)
    added_size = 0
    bounded = BOUNDED
    pool_refusals = 1
    retries = False
    emulator = []


class Watched:
    """The tour of watched.c: in front of the tracker are a guard and a quota, with records of their own.
    The guard holds back what is released, so that the tracker sees it later: the program's own peak is not
    known from that. If a request is refused, one block after the other leaves the quarantine, and after
    each the guard tries again."""
    expected = "expected_watched.txt"
    topic_count = 9
    storage = ("memory_storage", 36864)
    added_size = 16 + 4 + 16  # The guard's record and tail; the quota's record.
    bounded = BOUNDED | {"peak_bytes", "acquire_cycles", "release_cycles"}
    pool_refusals = 2  # The last block of the pool was in quarantine when it was asked for.
    retries = True
    # Time goes by instructions: what calls take does not depend on what else the host does.
    emulator = ["--", "-icount", "shift=3,sleep=off"]


class Mismatch(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Mismatch(what)


def same(what, logged, computed):
    expect(logged == computed, f"{what}: the log says {logged}, recomputed it is {computed}")


# ---- Line by line

def pattern_of(line):
    """A line of expected.txt as a regular expression, and the names in it."""
    parts = re.split(r"\{(\w+)\}", line)
    names = parts[1::2]
    parts[0::2] = [re.escape(text) for text in parts[0::2]]
    parts[1::2] = [f"({PATTERNS.get(name, '[0-9]+')})" for name in names]
    return re.compile("".join(parts)), names


def match(expected, lines):
    """The numbers of the log as name -> list of texts; and where each stands, for spoiling it."""
    values, places = {}, []
    for number, (want, line) in enumerate(zip(expected, lines), 1):
        pattern, names = pattern_of(want)
        found = pattern.fullmatch(line)
        expect(found, f"line {number} is\n    {line}\nexpected\n    {want}")
        for group, name in enumerate(names, 1):
            values.setdefault(name, []).append(found[group])
            places.append((number - 1, found.span(group), name))
    same("lines", len(lines), len(expected))
    return values, places


# ---- The heap's statistics, from its events

class Heap:
    """What the events say that the heap's statistics must be."""

    def __init__(self, tour):
        self.tour = tour
        self.acquired, self.live = [], []  # Sizes: ever acquired, in order; held now.
        self.total = self.peak = self.used_peak = self.refusals = 0
        self.refused = None  # What was refused last, with nothing acquired since.

    def stored(self, size):
        return -(-(size + self.tour.added_size + PREFIX_SIZE + HEADER_SIZE) // GRANULE) * GRANULE

    def used(self):
        return sum(map(self.stored, self.live))

    def apply(self, kind, size):
        if kind == "+":
            self.acquired.append(size)
            self.live.append(size)
            self.total += size
        elif kind == "=":  # In the tour only the block acquired last is resized.
            self.total += size - self.live[-1]
            self.live[-1] = size
        elif kind == "-":
            expect(size in self.live, f"a release of {size} bytes that nobody held")
            self.live.remove(size)
        elif not self.tour.retries or size != self.refused:
            self.refusals += 1
        if kind != "-":
            self.refused = size if kind == "!" else None
        self.peak = max(self.peak, sum(self.live))
        self.used_peak = max(self.used_peak, self.used())


def check_heap_report(heap, report):
    events = report["events"].split()
    same("number of events", report["event_count"], len(events))
    for event in events:
        heap.apply(event[0], int(event[1:]))
    same("what is held between topics", heap.live, heap.acquired[:1])
    requests = len(heap.acquired) + heap.refusals
    expect(requests > 0, "no request was ever made")
    for name, computed in {
            "acquires": len(heap.acquired), "live": len(heap.live), "bytes": heap.total,
            "live_bytes": sum(heap.live), "refusals": heap.refusals,
            "refusal_permille": -(-1000 * heap.refusals // requests), "used": heap.used(),
            "used_peak": heap.used_peak, "free_count": 1, "frag_low": 0, "frag_high": 0}.items():
        same(name, report[name], computed)
    if "peak_bytes" in heap.tour.bounded:
        expect(max(heap.acquired) <= report["peak_bytes"] <= heap.peak, "the peak is out of bounds")
    else:
        same("peak_bytes", report["peak_bytes"], heap.peak)


# ---- The topics

def check_leaks(values, heap, symbols, elf):
    """The leaks are blocks that the events know, lie in the heap, and were acquired where leaks.c does."""
    start, size = symbols[heap.tour.storage[0]]
    added_size = heap.tour.added_size  # What the tracker knows is larger by that.
    leaks = [dict(zip(("block", "leak", "sequence", "age", "call"), row)) for row in
             zip(*(values[name] for name in ("block", "leak", "sequence", "age", "call")))]
    same("leaks", values["leak_count"], [len(leaks)])
    same("leaked bytes", values["leak_bytes"], [sum(leak["leak"] for leak in leaks)])
    same("leaks", len(leaks), 5)
    same("leaked bytes", values["leak_bytes"], [640 + 5 * added_size])
    with open(os.path.join(HERE, "leaks.c"), encoding="utf-8") as file:
        source = file.read().splitlines()
    leaks.reverse()  # The newest is the first.
    for before, leak in zip([{"sequence": 0, "block": start, "leak": 0}] + leaks, leaks):
        expect(leak["sequence"] > before["sequence"], f"{leak} does not follow {before}")
        asked = leak["leak"] - added_size
        same("size of a leak", asked, heap.acquired[leak["sequence"] - 1])
        expect(before["block"] + before["leak"] + PREFIX_SIZE <= leak["block"]
               <= start + size - leak["leak"] and leak["block"] % GRANULE == 0, f"misplaced: {leak}")
        call = calls.resolve(elf, leak["call"])
        expect(os.path.basename(call.file) == "leaks.c"
               and f"mete_acquire(alloc, {asked}U" in source[int(call.line) - 1],
               f"{call} acquires no {asked} bytes")


def frag_of(pieces):
    """The interval in which fragmentation lies: mete/core/frag.h."""
    granules = [(piece + HEADER_SIZE) // GRANULE for piece in pieces]
    total, squares = sum(granules), sum(g * g for g in granules)
    root = next(r for r in range(total + 1) if r * r >= squares)
    return max(0, 1000 - -(-1000 * root // total)), 1000 - 1000 * (squares // total) // total


def check_fragmentation(values, heap, reports):
    filled, thinned = values["filled"][0], values["thinned"][0]
    same("blocks", filled, reports[4]["events"].count("+2048"))
    same("every second block", thinned, (filled + 1) // 2)
    in_pieces, whole = values["piece"][:-1], values["piece"][-1:]
    for i, pieces in enumerate((in_pieces, whole)):
        same("free bytes", values["free_bytes"][i], sum(pieces))
        same("free blocks", values["pieces"][i], len(pieces))
        same("fragmentation", (values["low"][i], values["high"][i]), frag_of(pieces))
        used = reports[4]["used"] + (0 if i else (filled - thinned) * heap.stored(2048))
        same("free and used", used + sum(p + HEADER_SIZE for p in pieces), reports[4]["size"])


def check_pool(tour, report, is_past):
    """The pool is used by its topic only: one block, then all, then one too many."""
    blocks = 16
    for name, computed in {"pool_live": 0, "pool_peak": blocks, "pool_allocs": blocks + 1,
                           "pool_frees": blocks + 1, "pool_refusals": tour.pool_refusals}.items():
        same(name, report[name], computed if is_past else 0)


def check_time(values):
    """Topics begin at whole seconds, and none takes longer than the time between reports allows."""
    for i, (uptime, ms) in enumerate(zip(values["uptime"], values["ms"])):
        expect(uptime >= 1000 * i, f"second {i} is over after {uptime} ms")
        expect(uptime >= ms, f"topic {i} takes {ms} ms of {uptime}")
    expect(all(age <= values["ms"][3] + 1 for age in values["age"]), "a leak is older than its topic")


def check_stack(reports, symbols):
    size = symbols["mete_port_stack_size"][0]
    for report in reports:
        same("stack size", report["stack_size"], size)
        same("stack percentage", report["stack_percent"], 100 * report["stack_peak"] // size)
        expect(report["stack_peak"] < size, "the main stack is full")
    peaks = [report["stack_peak"] for report in reports]
    expect(peaks == sorted(peaks), f"a peak that falls: {peaks}")


def check_watchers(values, reports):
    """A call takes some time, but no longer than the longest topic; what was refused is in the black box."""
    for name in ("acquire_cycles", "release_cycles"):
        expect(100 < values[name][0] <= CYCLES_PER_MS * (max(values["ms"]) + 1), f"{name} is out of bounds")
    same("refusals in the black box", values["box_refusals"],
         [sum(report["events"].count("!") for report in reports)])


def check_numbers(tour, texts, symbols, elf):
    values = {name: [text if name == "events" else int(text, 0) for text in found]
              for name, found in texts.items()}
    reports = [{name: found[i] for name, found in values.items() if len(found) == tour.topic_count}
               for i in range(tour.topic_count)]
    heap = Heap(tour)
    for i, report in enumerate(reports):
        check_heap_report(heap, report)
        check_pool(tour, report, i >= 1)
        same("size of the heap", report["size"], reports[0]["size"])
    check_leaks(values, heap, symbols, elf)
    check_fragmentation(values, heap, reports)
    check_time(values)
    check_stack(reports, symbols)
    name, size = tour.storage
    same("memory in the ELF file", symbols[name], (CCM_START, size))
    if tour is Watched:
        check_watchers(values, reports)
    else:
        same("pool in the ELF file", symbols["pool_blocks"][1], 16 * 64)


def symbols_of(elf):
    """name -> (value, size) of the ELF file's symbols."""
    table = subprocess.run(["arm-none-eabi-nm", "-S", elf], check=True, stdout=subprocess.PIPE,
                           text=True).stdout
    rows = [line.split() for line in table.splitlines()]
    return {row[-1]: (int(row[0], 16), int(row[1], 16) if len(row) == 4 else 0)
            for row in rows if len(row) >= 3}


# ---- The test

def check(tour, expected, lines, symbols, elf):
    values, places = match(expected, lines)
    check_numbers(tour, values, symbols, elf)
    return places


def spoiled(lines, place):
    """The log with another number in one place: one more, or one event less."""
    line, (start, end), name = place
    old = lines[line][start:end]
    if name == "events":
        new = old.rpartition(" ")[0]
    elif old.startswith("0x"):
        new = f"0x{int(old, 16) + 1:08x}"
    else:
        new = str(int(old) + 1)
    changed = list(lines)
    changed[line] = lines[line][:start] + new + lines[line][end:]
    return changed, old != new


def unnoticed(tour, expected, lines, places, symbols, elf):
    """Places at which a wrong number passes the check."""
    for place in places:
        changed, differs = spoiled(lines, place)
        if place[2] in tour.bounded or not differs:
            continue
        try:
            check(tour, expected, changed, symbols, elf)
        except Mismatch:
            continue
        yield f"line {place[0] + 1}: {changed[place[0]]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--watched", action="store_const", dest="tour", const=Watched, default=Lean)
    parser.add_argument("elf")
    arguments = parser.parse_args()
    tour, elf = arguments.tour, arguments.elf
    with open(os.path.join(HERE, tour.expected), encoding="utf-8") as file:
        expected = file.read().splitlines()
    run = subprocess.run([os.path.join(TOOLS, "qemu-run"), "netduinoplus2", elf, *tour.emulator],
                         stdout=subprocess.PIPE, text=True)
    print(run.stdout)
    lines, symbols = run.stdout.splitlines(), symbols_of(elf)
    try:
        same("exit code", run.returncode, 0)
        places = check(tour, expected, lines, symbols, elf)
    except Mismatch as mismatch:
        sys.exit(f"test_log.py: {mismatch}")
    missed = list(unnoticed(tour, expected, lines, places, symbols, elf))
    if missed:
        sys.exit("test_log.py: not noticed:\n" + "\n".join(missed))


if __name__ == "__main__":
    main()

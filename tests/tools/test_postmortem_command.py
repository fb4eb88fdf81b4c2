#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete postmortem` from outside: what it says about whole, broken and missing records, and its exit code.

usage: test_postmortem_command.py METE
"""

import os
import random
import struct
import subprocess
import sys
import unittest
import zlib

METE = os.path.abspath(sys.argv[1])
OK, UNREADABLE, USAGE = 0, 2, 64
MAGIC, DEPTH, PEAKS, SITES = 0x4D505431, 4, 4, 4


def record(bits=32, sequence=7, boot=3, damage=0, faults=(), refusals=(), peaks=(), sites=(), fault_total=None):
    """A record as a core writes it. Faults and refusals: those of the ring, from its start."""
    rows = list(faults) + [(0,) * 6] * (DEPTH - len(faults))
    requests = list(refusals) + [(0,) * 5] * (DEPTH - len(refusals))
    total = len(faults) if fault_total is None else fault_total
    words = [bits // 8, sequence, boot, damage, total, len(refusals)]
    words += [word for row in rows + requests for word in row]
    words += list(peaks) + [0] * (PEAKS - len(peaks))
    words += [word for row in list(sites) + [(0,) * 3] * (SITES - len(sites)) for word in row]
    letter = "I" if bits == 32 else "Q"
    body = struct.pack(f"<{len(words)}{letter}", *words)
    return struct.pack("<" + letter, MAGIC) + body + struct.pack("<" + letter, zlib.crc32(body))


def run(dump, *arguments):
    return subprocess.run([METE, "postmortem", *(arguments or ["-"])], input=dump, capture_output=True, check=False)


class Command(unittest.TestCase):
    def says(self, dump, *expected):
        done = run(dump)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, OK, done.stderr)
        for line in expected:
            self.assertIn(line, text)
        return text

    def test_a_fault_is_explained(self):
        for bits in 32, 64:
            fault = (4, 0x20000100, 0x20000400, 0x08001235, 1000, 2)
            self.says(record(bits, faults=[fault]), f"record of a {bits}-bit core at 0x0: start 3, change 7\n1 fault\n",
                      "  double free: the block was free already\n    start 2, tick 1000, object 0x20000100, "
                      "address 0x20000400, called from 0x8001235\n", "0 refused requests\n")

    def test_a_fault_of_a_later_version_is_shown(self):
        self.says(record(faults=[(99, 0, 0, 0, 0, 1)]), "unknown fault")

    def test_refusals_say_why(self):
        for bits in 32, 64:
            unknown = 2**bits - 1
            self.says(record(bits, refusals=[(500, 0x8000, 77, 10, 1), (600, 0, 600, 11, 1), (700, 0, unknown, 12, 1)]),
                      "3 refused requests, newest first:\n  700 bytes: how much was free is not known\n",
                      "  600 bytes: though a block of 600 was free: a quota, an alignment or a priority\n",
                      "  500 bytes: the largest free block had 77\n    start 1, tick 10, called from 0x8000\n")

    def test_the_newest_of_many_comes_first(self):
        ring = [(kind, 0, 0, 0, tick, 1) for kind, tick in ((2, 5), (3, 6), (5, 3), (6, 4))]
        text = self.says(record(faults=ring, fault_total=6), "6 faults; the last ones, newest first:")
        ticks = [int(line.split("tick ")[1].split(",")[0]) for line in text.splitlines() if "tick" in line]
        self.assertEqual(ticks, [6, 5, 4, 3])

    def test_peaks_and_dropped_records_are_named(self):
        text = self.says(record(peaks=[0, 4321], damage=2), "peak 1: 4321\n", "dropped, 2 times")
        self.assertNotIn("peak 0", text)

    def test_sites_come_with_the_most_bytes_first(self):
        text = self.says(record(sites=[(0x8001, 1, 24), (0, 0, 0), (0x8003, 3, 300), (0, 2, 200)]),
                         "call sites that held most, and when they held most:\n"
                         "  300 bytes in 3 blocks, called from 0x8003\n  200 bytes in 2 blocks\n"
                         "  24 bytes in 1 block, called from 0x8001\n")
        self.assertEqual(text.count(" in "), 3)
        self.assertNotIn("held", self.says(record()))

    def test_the_newest_whole_record_counts_wherever_it_lies(self):
        noise = random.Random(1).randbytes(4096)
        old, new = record(sequence=8, boot=4), record(sequence=9, boot=5)
        self.says(noise + new + noise[:400] + old + noise, "at 0x1000: start 5, change 9")
        torn = bytearray(new)
        torn[40] ^= 1
        self.says(old + bytes(torn), "start 4, change 8", "beside it 1 that is not whole")
        for bits in 32, 64:
            self.says(record(bits, sequence=2**bits - 1, boot=1) + record(bits, sequence=0, boot=2), "start 2, change 0")

    def test_every_bit_of_a_record_matters(self):
        whole = record(faults=[(8, 1, 2, 3, 4, 5)])
        for bit in range(0, 8 * len(whole), 7):
            broken = bytearray(whole)
            broken[bit // 8] ^= 1 << bit % 8
            self.assertEqual(run(bytes(broken)).returncode, UNREADABLE, bit)

    def test_what_holds_no_record_is_refused(self):
        for dump in b"", b"x", record()[:-1], bytes(10000):
            done = run(dump)
            self.assertEqual(done.returncode, UNREADABLE)
            self.assertIn(b"no whole record", done.stderr)
        done = run(b"", "/nowhere/dump")
        self.assertEqual(done.returncode, UNREADABLE)
        self.assertIn(b"/nowhere/dump: No such file", done.stderr)

    def test_wrong_usage(self):
        self.assertEqual(subprocess.run([METE, "postmortem"], capture_output=True, check=False).returncode, USAGE)
        self.assertEqual(run(b"", "a", "b").returncode, USAGE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

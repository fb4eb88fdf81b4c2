#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete replay` from outside: what it says about good, damaged and missing files, and its exit code.

usage: test_replay_command.py METE TRACES_FOLDER
"""

import csv
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
import unittest

METE, TRACES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
OK, FAILURES, UNREADABLE, USAGE = 0, 1, 2, 64

GOOD = "# by hand\na 0 100\na 1 1000 64\nr 0 300\nf 1\na 1 7\nf 0\n"

# What the file holds, and what is said about it.
DAMAGED = [
    ("", "1: found the end of the file, expected an operation: a, r or f"),
    ("# only this\n\n", "3: found the end of the file, expected an operation: a, r or f"),
    ("a 0 8\nx 0\n", "2: found 'x', expected an operation: a, r or f"),
    ("aa 0 8\n", "1: found 'aa', expected an operation: a, r or f"),
    ("\x01\x02 0 8\n", "1: found '??', expected an operation: a, r or f"),
    ("a\n", "1: found the end of the line, expected an id"),
    ("a 0\n", "1: found the end of the line, expected a size"),
    ("a 0 8\nr 0\n", "2: found the end of the line, expected a size"),
    ("f\n", "1: found the end of the line, expected an id"),
    ("a 0 eight\n", "1: found 'eight', expected a size"),
    ("a 0 -8\n", "1: found '-8', expected a size"),
    ("a 0 8x\n", "1: found '8x', expected a size"),
    ("a zero 8\n", "1: found 'zero', expected an id"),
    ("a 0 4294967296\n", "1: found '4294967296', expected a number up to 4294967295"),
    ("a 0 99999999999999999999999999\n",
     "1: found '999999999999999999999999...', expected a number up to 4294967295"),
    ("a 0 8 0\n", "1: found '0', expected an alignment, a power of two"),
    ("a 0 8 24\n", "1: found '24', expected an alignment, a power of two"),
    ("a 0 8 x\n", "1: found 'x', expected an alignment"),
    ("a 0 8 8 8\n", "1: found '8', expected the end of the line"),
    ("a 0 8\nf 0 8\n", "2: found '8', expected the end of the line"),
    ("a 1 8\n", "1: found id 1, expected at most 0, the next id not used so far"),
    ("# c\na 0 8\na 0 8\n", "3: found id 0, expected one that is free: this is live since line 2"),
    ("f 0\n", "1: found id 0, expected one that is live: this was never allocated"),
    ("r 3 8\n", "1: found id 3, expected one that is live: this was never allocated"),
    ("a 0 8\nf 0\nf 0\n", "3: found id 0, expected one that is live: this was freed in line 2"),
    ("a 0 8\nf 0\nr 0 8\n", "3: found id 0, expected one that is live: this was freed in line 2"),
    ("a 0 8\na 1 12", "2: found the end of the file, expected the end of the line"),
    ("# ops=3; ids=2\na 0 8\na 1 12\n",
     "4: found the end of the file after 2 operations, expected 3 as line 1 says"),
    ("# ops=0;\na 0 8\n",
     "3: found the end of the file after 1 operations, expected 0 as line 1 says"),
]

WRONG_USAGE = [
    ([], "found no trace, expected at least one file"),
    (["--alloc", "slab", "t"],
     "--alloc: found 'slab', expected one of: heap, heap_wide, list, buddy, arena, movable, malloc"),
    (["--search", "256", "t"], "--search: found '256', expected a number from 0 to 255"),
    (["--search", "-1", "t"], "--search: found '-1', expected a number from 0 to 255"),
    (["--search", "2x", "t"], "--search: found '2x', expected a number from 0 to 255"),
    (["--arena", "0", "t"], "--arena: found '0', expected bytes, as 65536, 64K or 1M"),
    (["--arena", "8G", "t"], "--arena: found '8G', expected bytes, as 65536, 64K or 1M"),
    (["--arena", "99999999999999999999", "t"],
     "--arena: found '99999999999999999999', expected bytes, as 65536, 64K or 1M"),
    (["--format", "xml", "t"], "--format: found 'xml', expected text or json"),
    (["--fit", "--arena", "1K", "t"],
     "--fit finds the arena that --arena gives: expected one of them"),
    (["--alloc", "malloc", "--fit", "t"],
     "malloc has no arena: expected neither --arena nor --fit"),
]


def traces():
    return sorted(os.path.join(TRACES, n) for n in os.listdir(TRACES) if n.endswith(".trace.zst"))


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, content, name="t"):
        mode = "wb" if isinstance(content, bytes) else "w"
        folder = self.folder.name.encode() if isinstance(name, bytes) else self.folder.name
        with open(os.path.join(folder, name), mode) as file:
            file.write(content)
        return name

    def run_mete(self, *arguments, status=OK, locale="C", **more):
        run = subprocess.run([METE, *arguments], cwd=self.folder.name, errors="replace", timeout=250,
                             capture_output=True, env={**os.environ, "LC_ALL": locale}, **more)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run

    def replay(self, *arguments, status=OK, **more):
        return self.run_mete("replay", *arguments, status=status, **more)

    def replay_json(self, *arguments, status=OK):
        return json.loads(self.replay("--format=json", *arguments, status=status).stdout)

    def compress(self, content):
        return subprocess.run(["zstd", "-qc"], input=content, capture_output=True,
                              check=True).stdout


class Damage(Case):
    def test_each_kind_of_damage_is_named_with_its_line(self):
        for content, message in DAMAGED:
            with self.subTest(message):
                run = self.replay(self.write(content), status=UNREADABLE)
                self.assertEqual(run.stderr, f"t:{message}\n")
                self.assertEqual(run.stdout, "")

    def test_damage_in_a_compressed_file_is_named_with_the_line_of_its_text(self):
        self.write(self.compress(b"a 0 8\nx\n"))
        run = self.replay("t", status=UNREADABLE)
        self.assertEqual(run.stderr, "t:2: found 'x', expected an operation: a, r or f\n")

    def test_a_truncated_compressed_file_is_refused_at_every_length(self):
        whole = self.compress(GOOD.encode())
        for length in range(4, len(whole), 5):
            run = self.replay(self.write(whole[:length]), status=UNREADABLE)
            self.assertRegex(run.stderr, r"^t:\d+: found the end of the file, "
                                         r"expected the rest of a zstd frame\n$")

    def test_a_long_truncated_file_is_refused_with_the_line_where_it_ends(self):
        with open(traces()[0], "rb") as file:
            whole = file.read()
        run = self.replay(self.write(whole[:len(whole) // 2]), status=UNREADABLE)
        line = int(re.match(r"t:(\d+): found the end of the file", run.stderr)[1])
        self.assertGreater(line, 1000)

    def test_a_damaged_compressed_file_is_refused(self):
        whole = bytearray(self.compress(GOOD.encode()))
        whole[len(whole) // 2] ^= 0xFF
        run = self.replay(self.write(bytes(whole)), status=UNREADABLE)
        self.assertRegex(run.stderr,
                         r"^t:\d+: found damaged zstd data \(.*\), expected a whole zstd frame\n$")

    def test_a_missing_file_and_a_folder_are_refused(self):
        run = self.replay("none", status=UNREADABLE)
        self.assertEqual(run.stderr, "mete replay: none: No such file or directory\n")
        run = self.replay(".", status=UNREADABLE)
        self.assertEqual(run.stderr, "mete replay: .: Is a directory\n")

    def test_a_damaged_file_does_not_keep_the_others_from_being_replayed(self):
        self.write(GOOD, "good")
        self.write("a 0 8\nx\n", "bad")
        run = self.replay("bad", "good", "none", status=UNREADABLE)
        self.assertIn("good\n  operations     6: 3 allocate, 1 resize, 2 free\n", run.stdout)
        self.assertTrue(run.stdout.endswith("3 traces: 1 good, 0 failed, 2 unreadable\n"))
        self.assertEqual(len(run.stderr.splitlines()), 2)

    def test_damage_is_part_of_the_json_report(self):
        report = self.replay_json(self.write("a 0 8\nx\n"), status=UNREADABLE)
        self.assertEqual(report["traces"], [{"file": "t", "error": {
            "line": 2, "text": "found 'x', expected an operation: a, r or f"}}])
        self.assertEqual(report["summary"], {"traces": 1, "failed": 0, "unreadable": 1})

    def test_a_file_name_that_is_no_utf_8_is_part_of_the_json_report_too(self):
        self.write(GOOD, b"good\xff")
        report = self.replay_json(b"good\xff", b"none\xfe", status=UNREADABLE)
        self.assertEqual([t["file"] for t in report["traces"]], ["good?", "none?"])
        self.assertEqual(report["traces"][0]["operations"], 6)


class CommandLine(Case):
    def test_wrong_usage_is_explained(self):
        for arguments, message in WRONG_USAGE:
            with self.subTest(message):
                run = self.replay(*arguments, status=USAGE)
                self.assertEqual(run.stderr.splitlines()[0], f"mete replay: {message}")
        expected = "expected a subcommand: bound, replay, leaks, postmortem, stack"
        for arguments, found in (([], "found no argument"), (["play"], "found 'play'")):
            run = self.run_mete(*arguments, status=USAGE)
            self.assertEqual(run.stderr.splitlines()[0], f"mete: {found}, {expected}")

    def test_help_and_version(self):
        self.assertRegex(self.run_mete("--version").stdout, r"^mete \d+\.\d+\.\d+\n$")
        self.assertIn("replay       replay recorded traces", self.run_mete("--help").stdout)
        text = self.replay("--help").stdout
        for option in ("alloc", "search", "arena", "fit", "verify", "floor", "format", "chart"):
            self.assertIn("--" + option, text)
        for line in ("Exit code: 0", "  heap_wide  wide heap, for larger memory\n"):
            self.assertIn(line, text)

    def test_sizes_take_k_and_m(self):
        self.write(GOOD)
        for text, size in (("65536", 65536), ("64K", 65536), ("1M", 1048576)):
            trace = self.replay_json("--alloc=heap_wide", "--arena", text, "t")["traces"][0]
            self.assertEqual(trace["arena_size"], size)

    def test_a_report_that_cannot_be_written_is_no_success(self):
        self.write(GOOD)
        with open("/dev/full", "w") as full:
            run = subprocess.run([METE, "replay", "t"], cwd=self.folder.name, stdout=full,
                                 stderr=subprocess.PIPE, text=True)
        self.assertEqual(run.returncode, UNREADABLE)
        self.assertIn("the report could not be written", run.stderr)


class Report(Case):
    def test_text(self):
        self.write(GOOD)
        run = self.replay("--verify", "--floor", "--alloc=arena", "--arena=4K", "t")
        self.assertEqual(run.stderr, "")
        self.assertEqual(run.stdout, """\
t
  operations     6: 3 allocate, 1 resize, 2 free
  failures       0
  peak live      1300 bytes, 2 objects, the largest 1000
  allocator      arena, in an arena of 4096 bytes
  peak arena     1503 bytes, 1.156 of peak live
  floor          1368 bytes, 1.052 of peak live: blocks 1304, control 64
  verified       the contents and place of every block
""")

    def test_standard_input_compressed_and_plain(self):
        for content in (GOOD.encode(), self.compress(GOOD.encode()),
                        self.compress(GOOD[:30].encode()) + self.compress(GOOD[30:].encode())):
            run = subprocess.run([METE, "replay", "-"], input=content, capture_output=True)
            self.assertEqual(run.returncode, OK, run.stderr)
            self.assertIn(b"operations     6:", run.stdout)

    def test_text_much_larger_than_its_compressed_file_is_read_to_its_end(self):
        self.write(self.compress(b"a 0 8\nf 0\n" * 100000))
        self.assertEqual(self.replay_json("t")["traces"][0]["operations"], 200000)

    def test_failures_are_reported_and_are_the_exit_code(self):
        self.write("a 0 100\na 1 5000\na 2 6000\n")
        run = self.replay("--alloc=heap", "--arena=4096", "t", status=FAILURES)
        self.assertIn("  failures       2 requests, the first at operation 2\n", run.stdout)
        run = self.replay("--alloc=heap", "--arena=16", "t", status=FAILURES)
        self.assertIn("  failures       the arena is too small for the allocator\n", run.stdout)
        run = self.replay("--alloc=heap", "--arena=1M", "t", status=FAILURES)
        self.assertIn("  failures       the arena is too large for the allocator\n", run.stdout)

    def test_the_allocator_is_chosen_by_what_fits(self):
        self.write("a 0 100000\n", "small")
        self.write("a 0 300000\n", "large")
        for name, allocator in (("small", "heap"), ("large", "heap_wide")):
            for fit in ([], ["--fit"]):
                trace = self.replay_json(*fit, name)["traces"][0]
                self.assertEqual((trace["allocator"], trace["failures"]), (allocator, 0))

    def test_there_is_no_safe_arena_for_what_does_not_fit(self):
        run = self.replay("--alloc=heap", "--fit", self.write("a 0 300000\n"), status=FAILURES)
        self.assertIn("none up to 262144 bytes, the largest tried with heap\n", run.stdout)

    def test_the_chart_is_drawn_in_the_locale_s_characters(self):
        self.write("".join(f"a {i} 100\n" for i in range(64)))
        run = self.replay("--chart", "--alloc=arena", "t")
        rows = [line for line in run.stdout.splitlines() if re.match(r" *\d+ \|", line)]
        self.assertEqual(len(rows), 10)
        self.assertRegex(rows[0], r"\| {50,}\.+#+$")
        self.assertRegex(rows[-1], r"\| {0,4}\.{1,4}#{56,}$")
        self.assertTrue(run.stdout.isascii())
        self.assertIn("█", self.replay("--chart", "t", locale="C.UTF-8").stdout)

    def test_json_and_text_say_the_same(self):
        path = os.path.join(TRACES, "coap_server.trace.zst")
        arguments = ["--fit", "--floor", "--verify", path]
        text = self.replay(*arguments).stdout
        trace = self.replay_json(*arguments)["traces"][0]
        for line in (
                f"operations     {trace['operations']}: {trace['allocates']} allocate, "
                f"{trace['resizes']} resize, {trace['frees']} free",
                f"failures       {trace['failures']}",
                f"peak live      {trace['live_size_peak']} bytes, {trace['live_count_peak']} "
                f"objects, the largest {trace['size_max']}",
                f"allocator      {trace['allocator']}, search {trace['search']}, in an arena of "
                f"{trace['arena_size']} bytes",
                f"peak arena     {trace['arena_peak']} bytes",
                f"safe arena     {trace['fit']['size']} bytes, {trace['fit']['ratio']:.3f} of peak "
                f"live, found in {trace['fit']['trials']} replays",
                f"floor          {trace['floor']['size']} bytes",
                f"blocks {trace['floor']['block_size']}, control {trace['floor']['control_size']}",
                "verified "):
            self.assertIn(line, text)
        self.assertTrue(trace["verified"])
        quarters = [trace["samples"][i]["frag_low_permille"] / 10 for i in (15, 31, 47, 63)]
        self.assertIn("at least: " + " ".join(f"{q:.1f} %" for q in quarters) + "\n", text)

    def test_samples_are_a_series_over_the_whole_trace(self):
        trace = self.replay_json(os.path.join(TRACES, "lua_json.trace.zst"))["traces"][0]
        samples = trace["samples"]
        self.assertEqual(len(samples), 64)
        self.assertEqual(samples[-1]["operations"], trace["operations"])
        for sample in samples:
            self.assertLessEqual(sample["live_size"], sample["extent"])
            self.assertLessEqual(sample["extent"], trace["arena_peak"])
            self.assertLessEqual(sample["frag_low_permille"], sample["frag_high_permille"])
            self.assertLessEqual(sample["frag_high_permille"], 1000)
        moments = [sample["operations"] for sample in samples]
        self.assertEqual(moments, sorted(set(moments)))


class Traces(Case):
    def test_every_trace_has_the_figures_of_its_index(self):
        with open(os.path.join(TRACES, "index.tsv"), encoding="utf-8") as file:
            index = {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}
        report = self.replay_json("--verify", *traces())
        self.assertEqual(len(report["traces"]), len(index))
        for trace in report["traces"]:
            row = index[os.path.basename(trace["file"]).split(".")[0]]
            self.assertEqual(
                [trace["operations"], trace["allocates"], trace["resizes"], trace["frees"],
                 trace["live_size_peak"], trace["live_count_peak"], trace["size_max"]],
                [int(row[k]) for k in ("ops", "mallocs", "reallocs", "frees", "peak_live_bytes",
                                       "peak_objects", "max_size")])
            self.assertEqual((trace["failures"], trace["verified"]), (0, True))

    def test_every_allocator_replays_every_trace(self):
        for allocator in ("heap_wide", "arena", "movable", "malloc"):
            report = self.replay_json("--verify", "--alloc", allocator, *traces())
            self.assertEqual(report["summary"]["failed"], 0)
            self.assertTrue(all(trace["verified"] for trace in report["traces"]))

    def test_a_fit_is_safe_and_its_floor_below_it(self):
        for name in ("coap_server", "lua_json"):
            path = os.path.join(TRACES, name + ".trace.zst")
            trace = self.replay_json("--fit", "--floor", path)["traces"][0]
            size = trace["fit"]["size"]
            self.assertLessEqual(trace["floor"]["size"], size)
            self.assertLessEqual(trace["fit"]["first_size"], size)
            self.assertLessEqual(trace["arena_peak"], size)
            for step in range(31):
                larger = -(-size * (1000 + 5 * step) // 1000 // 8) * 8
                self.replay("--alloc", trace["allocator"], "--arena", str(larger), path)
            # And no smaller one is: 8 bytes less fail themselves, or at a step above them.
            smaller = [-(-(size - 8) * (1000 + 5 * step) // 1000 // 8) * 8 for step in range(31)]
            self.assertIn(FAILURES, [
                subprocess.run([METE, "replay", "--alloc", trace["allocator"], "--arena",
                                str(larger), path], capture_output=True).returncode
                for larger in smaller])


class Progress(Case):
    def replay_on_a_terminal(self, delay):
        """Replays from a pipe that is silent for so many seconds; returns what a terminal shows."""
        master, terminal = pty.openpty()
        run = subprocess.Popen([METE, "replay", "-"], stdin=subprocess.PIPE, stderr=terminal,
                               stdout=subprocess.DEVNULL)
        os.close(terminal)
        time.sleep(delay)
        run.communicate(b"a 0 8\nf 0\n" * 10000)
        self.assertEqual(run.returncode, OK)
        shown = b""
        try:
            while part := os.read(master, 65536):
                shown += part
        except OSError:
            pass  # How a terminal says that the last program on it has ended.
        os.close(master)
        return shown

    def test_a_bar_is_drawn_on_a_terminal_after_a_second_and_wiped(self):
        shown = self.replay_on_a_terminal(delay=1.2)
        self.assertRegex(shown, rb"^(\r\[#*\.*\] +\d+ % -)+\r\x1b\[K$")

    def test_nothing_is_drawn_before_a_second_has_passed(self):
        start = time.monotonic()
        shown = self.replay_on_a_terminal(delay=0.2)
        if time.monotonic() - start > 1:
            self.skipTest("this machine is too busy to tell")
        self.assertEqual(shown, b"")

    def test_none_is_drawn_without_a_terminal(self):
        run = self.replay("--fit", os.path.join(TRACES, "duktape.trace.zst"))
        self.assertEqual(run.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete leaks` from outside: programs that leak, on the host and on emulated boards; damaged reports.

usage: test_leaks_command.py METE
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
METE = os.path.abspath(sys.argv[1])
CLEAN, LEAKS, UNREADABLE, USAGE = 0, 1, 2, 64

SOURCES = ["tests/tools/leaky.c", "mete/wrap/track.c", "mete/wrap/track_report.c", "mete/alloc/heap.c",
           "mete/core/words.c", "mete/core/realloc.c", "mete/core/text.c"]
PORT = ["port/cpu/start.c", "port/cpu/compiler.c", "port/os/bare_metal.c", "port/io/semihosting.c",
        "port/io/semihosting_console.c", "port/io/semihosting_exit.c"]
BARE = ["-ffreestanding", "-ffunction-sections", "-nostdlib", "-nostartfiles", "-Wl,--gc-sections",
        "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-Lport/board"]
# Compiler with options, further sources, options behind them, and the machine.
TARGETS = {
    "host": (["gcc", "-no-pie"], ["port/os/posix_trace.c"], [], None),
    "movable": (["gcc", "-pie", "-fPIE"], ["port/os/posix_trace.c"], [], None),
    "arm": (["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *BARE],
            [*PORT, "port/board/mps2.c", "port/cpu/cortex_m.c", "port/cpu/cortex_m_vectors.c",
             "port/cpu/cortex_m_trace.c", "port/os/bare_metal_cortex_m.c"],
            ["-Tmps2-an386.ld", "-lgcc"], "mps2-an386"),
    "arm small": (["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", *BARE],
                  [*PORT, "port/board/mps2.c", "port/cpu/cortex_m.c", "port/cpu/cortex_m_vectors.c",
                   "port/cpu/cortex_m_trace.c", "port/os/bare_metal_cortex_m.c"],
                  ["-Tmps2-an385.ld", "-lgcc"], "mps2-an385"),
    "riscv": (["riscv64-unknown-elf-gcc", "-march=rv32imac", "-misa-spec=2.2", "-mabi=ilp32",
               "-mcmodel=medany", "-msmall-data-limit=0", "-fno-omit-frame-pointer", *BARE],
              [*PORT, "port/board/virt.c", "port/cpu/riscv_start.S", "port/cpu/riscv.c",
               "port/cpu/riscv_trace.c", "port/os/bare_metal_riscv.c"], ["-Tvirt.ld", "-lgcc"], "virt"),
}

LINE = "leak block=0x20000428 size=8 sequence=1 age=2 owner=3 call=0x0800045f\n"
TOTAL = "leaks count=1 size=8 records=sound\n"
OBJECT = '{"leak":{"block":"0x10","size":8,"sequence":1,"age":2,"owner":3,"suspect":1,"call":"0x45"}}\n'
OBJECTS = '{"leaks":{"count":1,"size":8,"records":"sound"}}\n'
FIELDS = "expected one of: block, size, sequence, age, owner, suspect, call, frames"

# What a file holds, and what is said about it.
DAMAGED = [
    ("", "1: found the end of the file, expected a report: lines that begin with leak or leaks"),
    ("some log\nleaking\n",
     "3: found the end of the file, expected a report: lines that begin with leak or leaks"),
    (LINE, "2: found the end of the file after 1 leaks, expected a line that begins with leaks"),
    ("log\n" + LINE.replace("size=8", "size=x") + TOTAL, "2: found size 'x', expected a number"),
    (LINE.replace("size=8", "size=-8"), "1: found size '-8', expected a number"),
    (LINE.replace("size=8", "size="), "1: found size '', expected a number"),
    (LINE.replace("size=8", "size=99999999999999999999"),
     "1: found size '99999999999999999999', expected a number"),
    (LINE.replace("size=8", "size"), "1: found 'size', expected NAME=VALUE"),
    (LINE.replace(" size=8", "  size=8"), "1: found '', expected NAME=VALUE"),
    (LINE.replace("size=8", "sise=8"), f"1: found 'sise', {FIELDS}"),
    (LINE.replace("size=8", "\x01\x02=8"), f"1: found '??', {FIELDS}"),
    (LINE.replace(" size=8", ""), "1: found a leak without size, expected a number"),
    (LINE.replace("size=8", "size=8 size=8"), "1: found a second size, expected one"),
    (LINE.replace("=0x20000428", "=20000428"),
     "1: found block '20000428', expected an address, as 0x08001234"),
    (LINE.replace(" call=0x0800045f", ""),
     "1: found a leak without call, expected an address, as 0x08001234"),
    (LINE.replace("45f\n", "45f frames=0x1,\n"),
     "1: found frame '', expected an address, as 0x08001234"),
    (LINE.replace("45f\n", "45f frames=0x1,zebra\n"),
     "1: found frame 'zebra', expected an address, as 0x08001234"),
    (LINE + "leaks count=1\n", "2: found the end of the line, expected size="),
    (LINE + "leaks size=8 count=1\n", "2: found 'size=8', expected count="),
    (LINE + TOTAL.replace("sound", "fine"), "2: found records 'fine', expected sound or damaged"),
    (LINE + TOTAL.replace("count=1", "count=2"),
     "2: found 1 leaks of 8 bytes before this line, expected 2 of 8, as it says"),
    (LINE + TOTAL.replace("size=8", "size=9"),
     "2: found 1 leaks of 8 bytes before this line, expected 1 of 9, as it says"),
    (OBJECT[:-4] + "\n", "1: found no JSON: premature end of input near '\"0x45'; expected an object"),
    ('{"leek":{}}\n', "1: found an object without leak or leaks"),
    ('{"leak":{}}\n', "1: found a leak without block, expected an address, as 0x08001234"),
    (OBJECT.replace('"0x10"', "16"), "1: found a wrong block, expected an address, as 0x08001234"),
    (OBJECT.replace(":8,", ':"8",'), "1: found a wrong size, expected a number"),
    (OBJECT.replace(":8,", ":-8,"), "1: found a wrong size, expected a number"),
    (OBJECT.replace('"0x45"', '"0x45","frames":5'),
     "1: found frames that are no array of addresses"),
    (OBJECT.replace('"0x45"', '"0x45","frames":[5]'),
     "1: found frame 'no string', expected an address, as 0x08001234"),
    (OBJECT + '{"leaks":{"count":1}}\n',
     "2: found leaks without count, size or records, expected all three"),
    (OBJECT + OBJECTS.replace('"count":1', '"count":3'),
     "2: found 1 leaks of 8 bytes before this line, expected 3 of 8, as it says"),
]

WRONG_USAGE = [
    ([], "found no report, expected at least one file"),
    (["--format", "xml", "r"], "--format: found 'xml', expected text or json"),
    (["--base", "4096", "r"],
     "--base: found '4096', expected an address, as 0x555555554000"),
    (["--base", "0xg", "r"], "--base: found '0xg', expected an address, as 0x555555554000"),
]


def mete(*arguments, text=""):
    return subprocess.run([METE, "leaks", *map(str, arguments)], input=text, text=True, cwd=ROOT,
                          capture_output=True, timeout=120)


def source_lines():
    """The lines of leaky.c by the name of their site."""
    lines = {}
    for number, line in enumerate((HERE / "leaky.c").read_text().splitlines(), 1):
        site = re.search(r"// Site: (.*)", line)
        if site:
            lines[site[1]] = number
    return lines


class Programs(unittest.TestCase):
    """Programs are built once, and run once for each form of the report."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.lines = source_lines()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def build(self, target, *options):
        compiler, sources, behind, _ = TARGETS[target]
        elf = pathlib.Path(self.folder.name) / re.sub(r"\W", "_", target + "".join(options))
        subprocess.run([*compiler, "-std=gnu11", "-Wall", "-Wextra", "-I.", *options, *SOURCES, *sources,
                        *behind, "-o", elf], cwd=ROOT, check=True)
        return elf

    def run_program(self, target, elf):
        machine = TARGETS[target][3]
        command = [elf] if machine is None else ["tools/dev/qemu-run", machine, elf]
        done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def chain(self, site):
        """The calls of a site that lie in leaky.c, as (function, line, inlined)."""
        return [(call["function"], call["line"], call["inlined"]) for call in site["calls"]
                if call["file"] and call["file"].endswith("leaky.c")]

    def wanted(self):
        """The chains of the three sites, in the order of their bytes."""
        at = self.lines
        main = ("main", at["main"], False)
        return ([("copy_name", at["name"], False), ("greet", at["greet"], False),
                 ("serve", at["serve greets"], False), main],
                [("open_buffer", at["buffer"], True), ("serve", at["serve opens"], False), main],
                [("copy_name", at["name"], False), ("dismiss", at["dismiss"], False),
                 ("serve", at["serve dismisses"], False), main])

    def expect_sites(self, found, depth):
        """What leaky.c leaks, with so many callers at least."""
        self.assertEqual((found["reports"], found["count"], found["size"], found["records"]),
                         (3, 10, 6 * 24 + 100 + 3 * 24, "sound"))
        greets, opens, dismisses = found["sites"]
        self.assertEqual((greets["size"], greets["count"], greets["counts"], greets["growing"]),
                         (144, 6, [1, 3, 6], True))
        self.assertEqual((opens["size"], opens["counts"], opens["growing"]),
                         (100, [1, 1, 1], False))
        self.assertEqual((dismisses["size"], dismisses["counts"], dismisses["growing"]),
                         (72, [1, 2, 3], True))
        for site, wanted in zip(found["sites"], self.wanted()):
            chain = self.chain(site)
            self.assertGreaterEqual(len(chain), min(depth, len(wanted)))
            self.assertEqual(chain, wanted[:len(chain)])
            self.assertEqual(site["calls"][0]["function"], "mete_acquire")

    def check(self, target, depth, *options):
        elf = self.build(target, "-g", *options)
        report = self.run_program(target, elf)
        told = mete("--format", "json", "--elf", elf, "-", text=report)
        self.assertEqual((told.returncode, told.stderr), (LEAKS, ""))
        self.expect_sites(json.loads(told.stdout), depth)
        return elf, report

    def test_a_program_of_the_host_is_told_to_main(self):
        for options in (["-O2"], ["-O0"], ["-Os"], ["-O2", "-DLEAKY_JSON"]):
            self.check("host", 4, *options)

    def test_a_firmware_for_cortex_m_is_unwound_from_its_stack_alone(self):
        for options in (["-O2"], ["-Os"], ["-O2", "-DLEAKY_JSON"]):
            self.check("arm", 4, *options)
        self.check("arm", 3, "-Og")
        self.check("arm small", 4, "-O2")

    def test_frame_pointers_of_unoptimised_thumb_code_are_followed(self):
        self.check("arm", 4, "-O0", "-DLEAKY_FRAMES=120U")

    def test_a_firmware_for_riscv_is_told_by_its_chain_of_frames(self):
        for options in (["-O2"], ["-Os"], ["-O2", "-DLEAKY_JSON"]):
            self.check("riscv", 4, *options)

    def found_with(self, target, frames):
        """The sites of a program that records so many frames, or words of its stack."""
        elf = self.build(target, "-g", "-O2", f"-DLEAKY_FRAMES={frames}U")
        told = mete("--format", "json", "--elf", elf, "-", text=self.run_program(target, elf))
        self.assertEqual((told.returncode, told.stderr), (LEAKS, ""))
        return json.loads(told.stdout)["sites"]

    def test_without_frames_the_call_itself_is_exact(self):
        for target in "host", "arm", "arm small", "riscv":
            names, buffers = self.found_with(target, 0)
            self.assertEqual((names["size"], names["count"], names["counts"]), (216, 9, [2, 5, 9]))
            self.assertEqual(self.chain(names), self.wanted()[0][:1])
            self.assertEqual((buffers["size"], buffers["count"]), (100, 1))
            self.assertEqual(self.chain(buffers), self.wanted()[1][:2])  # Two functions, one of them inlined.

    def test_as_many_callers_are_told_as_are_recorded(self):
        for target, depths in (("host", (1, 2, 3, 4, 8)), ("riscv", (1, 2, 3, 4, 8)), ("arm", (6, 18, 30, 54))):
            longest = []
            for frames in depths:
                chains = [self.chain(site) for site in self.found_with(target, frames)]
                for chain in chains:
                    self.assertIn(chain, [wanted[:len(chain)] for wanted in self.wanted()])
                longest.append(max(map(len, chains)))
            self.assertEqual(longest, sorted(longest), target)
            self.assertLess(longest[0], 4)
            self.assertEqual(longest[-1], 4)
            self.assertGreaterEqual(len(set(longest)), 2)

    def test_text_says_the_same_as_json(self):
        elf, report = self.check("host", 4, "-O2")
        told = mete("--elf", elf, "-", text=report)
        self.assertEqual(told.returncode, LEAKS)
        lines = told.stdout.splitlines()
        self.assertEqual(lines[0], "316 bytes in 10 blocks from 3 sites")
        self.assertIn("144 bytes in 6 blocks, age 0, owner 0", lines)
        self.assertIn("    mete_acquire at mete/core/alloc.h:", told.stdout)
        self.assertIn(f"    greet at tests/tools/leaky.c:{self.lines['greet']}", lines)
        self.assertIn("    blocks over time: 1 3 6, growing", lines)
        self.assertIn("    blocks over time: 1 1 1", lines)
        self.assertIn(f"    open_buffer at tests/tools/leaky.c:{self.lines['buffer']}, inlined", lines)

    def test_reports_in_several_files_are_a_series(self):
        elf, report = self.check("host", 4, "-O2")
        parts = re.split(r"(?<=sound\n)", report)
        paths = []
        for number, part in enumerate(parts[:3]):
            paths.append(pathlib.Path(self.folder.name) / f"part{number}")
            paths[-1].write_text(part)
        told = mete("--format", "json", "--elf", elf, *paths)
        self.expect_sites(json.loads(told.stdout), 4)

    def test_a_program_that_is_loaded_anywhere_needs_its_base(self):
        elf = self.build("movable", "-g", "-O2")
        report = self.run_program("movable", elf)
        told = mete("--elf", elf, "-", text=report)
        self.assertEqual(told.returncode, UNREADABLE)
        self.assertIn("found a program that is loaded anywhere, expected --base ADDRESS", told.stderr)
        # Where it was loaded: what the call of a site is less than its address in the file.
        symbols = subprocess.run(["nm", elf], check=True, text=True, stdout=subprocess.PIPE).stdout
        start = int(re.search(r"^(\w+) . copy_name$", symbols, re.M)[1], 16)
        calls = [int(call, 16) for call in re.findall(r"call=0x(\w+)", report)]
        bases = {call - start & ~0xFFF for call in calls}
        tried = [mete("--format", "json", "--elf", elf, "--base", hex(base), "-", text=report)
                 for base in bases]
        for told in tried:
            if "copy_name" in told.stdout and "open_buffer" in told.stdout:
                self.expect_sites(json.loads(told.stdout), 4)
                break
        else:
            self.fail(f"none of {bases}")

    def test_a_program_without_debug_information_is_refused(self):
        elf = self.build("host", "-O2")
        told = mete("--elf", elf, "-", text=LINE + TOTAL)
        self.assertEqual((told.returncode, told.stdout), (UNREADABLE, ""))
        self.assertEqual(told.stderr, f"mete leaks: {elf}: found no debug information, expected a "
                                      "program compiled with -g\n")


class Reports(unittest.TestCase):
    def test_damage_is_named_with_its_line(self):
        for text, wanted in DAMAGED:
            with self.subTest(text=text):
                told = mete("-", text=text)
                self.assertEqual((told.returncode, told.stdout), (UNREADABLE, ""))
                self.assertEqual(told.stderr, f"-:{wanted}\n")

    def test_wrong_usage_is_named(self):
        for arguments, wanted in WRONG_USAGE:
            with self.subTest(arguments=arguments):
                told = mete(*arguments)
                self.assertEqual(told.returncode, USAGE)
                self.assertIn(wanted, told.stderr)

    def test_without_a_program_addresses_are_shown(self):
        for text in (LINE + TOTAL, OBJECT + OBJECTS, LINE.replace("\n", "\r\n") + TOTAL):
            told = mete("-", text="log\n" + text + "more log\n")
            self.assertEqual((told.returncode, told.stderr), (LEAKS, ""))
            self.assertIn("8 bytes in 1 block from 1 site\n", told.stdout)
            self.assertRegex(told.stdout, "8 bytes in 1 block, age 2, owner 3(, 1 of them suspected)?\n")
            self.assertRegex(told.stdout, r"    0x(0800045f|00000045)\n")

    def test_no_leaks_are_no_failure(self):
        told = mete("-", text=LINE + TOTAL + "leaks count=0 size=0 records=sound\n")
        self.assertEqual((told.returncode, told.stdout), (CLEAN, "0 bytes in 0 blocks from 0 sites\n"))

    def test_damaged_records_are_told(self):
        told = mete("-", text=LINE + TOTAL.replace("sound", "damaged"))
        self.assertIn("; a record was overwritten, there may be more\n", told.stdout)

    def test_sites_with_most_bytes_come_first(self):
        text = "".join(LINE.replace("size=8", f"size={size}").replace("45f", f"{site}1")
                       for size, site in ((8, "10"), (9, "20"), (4, "10"), (500, "30")))
        told = mete("--format", "json", "-", text=text + "leaks count=4 size=521 records=sound\n")
        found = json.loads(told.stdout)
        self.assertEqual([(s["size"], s["count"], s["calls"][0]["address"]) for s in found["sites"]],
                         [(500, 1, "0x08000301"), (12, 2, "0x08000101"), (9, 1, "0x08000201")])

    def test_files_that_cannot_be_used_are_named(self):
        told = mete("/nowhere")
        self.assertEqual((told.returncode, told.stderr),
                         (UNREADABLE, "mete leaks: /nowhere: No such file or directory\n"))
        told = mete("--elf", "/nowhere", "-", text=LINE + TOTAL)
        self.assertEqual((told.returncode, told.stderr),
                         (UNREADABLE, "mete leaks: /nowhere: No such file or directory\n"))
        told = mete("--elf", __file__, "-", text=LINE + TOTAL)
        self.assertEqual(told.returncode, UNREADABLE)
        self.assertIn("found no ELF file, expected the program that ran", told.stderr)

    def test_a_copied_stack_of_garbage_ends_and_shows_the_call(self):
        words = ",".join(hex(0xFFFFFFFF - 7 * i) for i in range(60))
        told = mete("-", text=LINE.replace("45f\n", f"45f frames=0x1,{words}\n") + TOTAL)
        self.assertEqual(told.returncode, LEAKS)
        self.assertIn("    0x0800045f\n", told.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

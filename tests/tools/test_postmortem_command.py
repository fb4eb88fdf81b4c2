#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete postmortem` from outside: what it says about whole, broken and missing records; of emulated boards that die, read
through their GDB port and from a dump; of GDB servers that misbehave.

usage: test_postmortem_command.py METE
"""

import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
METE = os.path.abspath(sys.argv[1])
OK, OTHER, UNREADABLE, USAGE = 0, 1, 2, 64
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
        for arguments, wanted in ((["a", "b"], "found 'b', expected one DUMP"),
                                  (["a", "--gdb", ":1"], "found both, expected one of DUMP and --gdb"),
                                  (["a", "--at", "0x1"], "expected neither --at nor --halted with it"),
                                  (["a", "--halted"], "expected neither --at nor --halted with it"),
                                  (["--gdb", ":1"], "found --gdb without --elf, expected --at with an address"),
                                  (["--gdb", ":1", "--at", "store"], "expected --at with an address"),
                                  (["--gdb", ":1", "--elf", "x", "--at", "0xg"], "found '0xg', expected an address")):
            done = run(b"", *arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertIn(wanted, done.stderr.decode())


class Server:
    """A GDB server for one connection, which answers reads of a memory and keeps what it was sent. `spoil` may change
    what goes out: a function of the number of the packet, from 0, and of the packet as bytes."""

    ADDRESS = 0x20000000

    def __init__(self, memory, spoil=lambda number, packet: packet, answer=None):
        self.memory, self.spoil, self.answer = memory, spoil, answer
        self.packets, self.acks = [], b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def reply(self, text):
        if text == "D":
            return "OK"
        if self.answer is not None:
            return self.answer
        address, size = (int(part, 16) for part in text[1:].split(","))
        start = address - self.ADDRESS
        return self.memory[start:start + size].hex() or "E14"

    @staticmethod
    def send(peer, text):
        try:
            peer.sendall(text)
        except ConnectionError:
            pass  # Receiving will say so.

    def serve(self):
        number, last = 0, b""
        peer, _ = self.listener.accept()
        with peer:
            received = b""
            while True:
                try:
                    more = peer.recv(4096)
                except ConnectionError:
                    return
                received += more
                while received[:1] in (b"+", b"-"):
                    self.acks += received[:1]
                    resends = received[:1] == b"-"
                    received = received[1:]
                    if resends:
                        self.send(peer, self.spoil(number, last))
                        number += 1
                packet = re.match(rb"\$([^#]*)#([0-9a-f]{2})", received)
                if packet:
                    assert sum(packet[1]) % 256 == int(packet[2], 16)
                    received = received[packet.end():]
                    text = packet[1].decode()
                    self.packets.append(text)
                    body = self.reply(text).encode()
                    last = b"$%s#%02x" % (body, sum(body) % 256)
                    out = self.spoil(number, last)
                    number += 1
                    if out is None:
                        return
                    self.send(peer, b"+" + out if out[:1] == b"$" else out)
                if not more:
                    return

    def ask(self, *arguments):
        done = subprocess.run([METE, "postmortem", "--gdb", self.place, "--at", hex(self.ADDRESS), *arguments],
                              capture_output=True, text=True, check=False, timeout=60)
        self.thread.join(30)
        self.listener.close()
        return done


class Servers(unittest.TestCase):
    store = record(sequence=1) + record(sequence=2, faults=[(4, 1, 2, 0x8001, 5, 1)])

    def is_understood(self, server):
        done = server.ask()
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        self.assertIn(f"record of a 32-bit core at {server.ADDRESS + len(record()):#x}: start 3, change 2", done.stdout)
        self.assertIn("double free", done.stdout)
        self.assertEqual(server.packets[-1], "D")
        self.assertTrue(all(re.fullmatch(r"m[0-9a-f]+,[0-9a-f]+|D", packet) for packet in server.packets))
        return server

    def is_refused(self, wanted, spoil=lambda number, packet: packet, answer=None, memory=store):
        server = Server(memory, spoil, answer)
        done = server.ask()
        self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
        self.assertEqual(done.stderr, f"mete postmortem: {server.place}: {wanted}\n")
        return server

    def test_a_store_is_read_and_the_target_let_go(self):
        server = self.is_understood(Server(self.store + bytes(2000)))
        self.assertNotIn("-", server.acks.decode())

    def test_a_target_that_was_halted_stays_so(self):
        server = Server(self.store)
        self.assertEqual(server.ask("--halted").returncode, OK)
        self.assertNotIn("D", server.packets)

    def test_a_store_at_the_end_of_memory_is_read(self):
        self.is_understood(Server(self.store))

    def test_a_64_bit_store_is_read(self):
        server = Server(record(64, sequence=1) + record(64, sequence=2))
        self.assertIn("record of a 64-bit core", server.ask().stdout)

    def test_a_damaged_packet_is_asked_for_again(self):
        def spoil(number, packet):
            high, low = packet[-2:-1], packet[-1:]
            return {0: packet[:-2] + b"z" + low, 1: packet[:-2] + high + b"z", 2: packet[:9] + b"z" + packet[10:]}.get(number, packet)
        server = self.is_understood(Server(self.store, spoil))
        self.assertEqual(server.acks.count(b"-"), 3)

    def test_that_the_target_halts_is_no_answer(self):
        self.is_understood(Server(self.store, lambda number, packet: b"$T02thread:01;#04" + packet if number == 0 else packet))

    def test_a_question_that_arrived_damaged_is_asked_again(self):
        server = self.is_understood(Server(self.store, lambda number, packet: b"-" if number == 0 else packet))
        self.assertEqual(server.packets[0], server.packets[1])

    def test_answers_may_be_short_and_in_capitals_and_come_in_pieces(self):
        class Small(Server):
            def reply(self, text):
                return super().reply(text)[:14].upper() if text != "D" and "E14" not in super().reply(text) else super().reply(text)
        self.is_understood(Small(self.store))

    def test_runs_of_a_character_are_understood(self):
        def shorten(number, packet):
            body = re.sub(rb"0{8}", b"0*$", packet[1:-3])  # 7 more: 29 + 7 is a $, which may stand in no packet.
            body = body.replace(b"*$", b'*"00')  # So 5 more, and 2.
            return b"$%s#%02x" % (body, sum(body) % 256)
        self.is_understood(Server(self.store, shorten))

    def test_a_server_that_misbehaves_is_named(self):
        end = "found the end of the connection, expected an answer"
        self.is_refused(end, lambda number, packet: None)
        self.is_refused("found a packet with a wrong checksum, 4 times", lambda number, packet: packet[:-2] + b"00")
        self.is_refused("the server refused the question 4 times, as damaged", lambda number, packet: b"-")
        self.is_refused("the target has no memory to read at 0x20000000, 256 bytes (E14)", memory=b"")
        self.is_refused("found '', expected 256 bytes of memory, in hexadecimal", answer="")
        self.is_refused("found '123', expected 256 bytes of memory, in hexadecimal", answer="123")
        self.is_refused("found 'OK', expected 256 bytes of memory, in hexadecimal", answer="OK")
        self.is_refused("found 'W0?', expected 256 bytes of memory, in hexadecimal", answer="W0\x01")
        self.is_refused("found that the target halts again and again, expected an answer",
                        lambda number, packet: b"$S05#b8" * 9)
        self.is_refused("found a packet of more than 513 characters or a bad run in it", answer="00" * 400)
        self.is_refused("found a packet of more than 513 characters or a bad run in it", answer="0*~" * 9)
        self.is_refused("found a packet of more than 513 characters or a bad run in it", answer="00*")
        self.is_refused("found a packet of more than 513 characters or a bad run in it", answer="00*\x02")

    def test_a_server_that_does_not_end_an_answer_is_given_up(self):
        for spoil in (lambda number, packet: b"+", lambda number, packet: packet[:-3], lambda number, packet: b"x" * 100000):
            self.is_refused("no answer in time, expected a GDB server", spoil)

    def test_what_is_read_may_hold_no_record(self):
        server = self.is_refused(f"no whole record in {2 * len(self.store)} bytes, 0 broken; is the store in it?",
                                 memory=bytes(4000))
        self.assertEqual(server.packets[-1], "D")

    def test_places_that_are_none_are_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for place, wanted in ((f"127.0.0.1:{port}", "Connection refused"), (f":{port}", "Connection refused"),
                              (f"[::1]:{port}", ""), ("localhost", "found no HOST:PORT"), ("::1:80", "found no HOST:PORT"),
                              ("localhost:", "found no HOST:PORT"), ("localhost:gdb", "found no HOST:PORT"),
                              ("localhost:0", "found no HOST:PORT"), ("localhost:65536", "found no HOST:PORT")):
            done = run(b"", "--gdb", place, "--at", "0x20000000")
            self.assertEqual((done.returncode, done.stdout), (UNREADABLE, b""), place)
            self.assertIn(f"mete postmortem: {place}: {wanted}", done.stderr.decode())


SOURCES = ["tests/tools/dying.c", "mete/system/postmortem.c", "mete/wrap/track.c", "mete/wrap/growth.c", "mete/alloc/heap.c",
           "mete/core/words.c", "mete/core/realloc.c", "mete/core/text.c", "port/cpu/start.c", "port/cpu/compiler.c",
           "port/os/bare_metal.c", "port/io/semihosting.c", "port/io/semihosting_console.c", "port/io/semihosting_exit.c"]
OPTIONS = ["-std=gnu11", "-Wall", "-Wextra", "-I.", "-ffreestanding", "-ffunction-sections", "-nostdlib", "-nostartfiles",
           "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-Lport/board",
           '-DMETE_CONFIG_HEADER="tests/tools/dying.h"']
# Compiler with options, further sources, its objcopy, the emulator, and where RAM is, with its size.
BOARDS = {
    "arm": (["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Tmps2-an386.ld"],
            ["port/board/mps2.c", "port/cpu/cortex_m.c", "port/cpu/cortex_m_vectors.c", "port/os/bare_metal_cortex_m.c"],
            "arm-none-eabi-objcopy", ["qemu-system-arm", "-M", "mps2-an386"], (0x20000000, 0x10000)),
    "riscv": (["riscv64-unknown-elf-gcc", "-march=rv32imac", "-misa-spec=2.2", "-mabi=ilp32", "-mcmodel=medany",
               "-msmall-data-limit=0", "-Tvirt.ld"],
              ["port/board/virt.c", "port/cpu/riscv_start.S", "port/cpu/riscv.c", "port/os/bare_metal_riscv.c"],
              "riscv64-unknown-elf-objcopy", ["qemu-system-riscv32", "-bios", "none", "-M", "virt"], (0x80800000, 0x100000)),
}


class Machine:
    """An emulated board that runs until it waits."""

    def __init__(self, board, image, *options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.place = f"localhost:{free.getsockname()[1]}"
        port = self.place.split(":")[1]
        self.process = subprocess.Popen(
            [*BOARDS[board][3], "-display", "none", "-serial", "none", "-monitor", "stdio", "-gdb", f"tcp:127.0.0.1:{port}",
             "-semihosting-config", "enable=on,target=native", "-kernel", image, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.watchdog = threading.Timer(60, self.process.kill)
        self.watchdog.start()

    def wait(self):
        for line in self.process.stderr:
            if line.strip() == "WAITING":
                return
        raise AssertionError("the board does not wait")

    def monitor(self, command, wanted):
        """What the emulator's monitor answers, as the part that `wanted` describes."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            found = re.search(wanted, line)
            if found:
                return found[0]
        raise AssertionError(f"no {wanted}")

    def status(self):
        return self.monitor("info status", r"VM status: \w+").split()[-1]

    def dump(self, path, start, size):
        self.monitor(f'pmemsave {start} {size} "{path}"\ninfo status', r"VM status")
        return pathlib.Path(path).read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()


class Boards(unittest.TestCase):
    """Firmwares are built once, and run for each test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.lines = {found[1]: number for number, line in enumerate((HERE / "dying.c").read_text().splitlines(), 1)
                     if (found := re.search(r"// Site: (.*)", line))}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def build(self, board, *options):
        compiler, sources, objcopy, _, _ = BOARDS[board]
        elf = pathlib.Path(self.folder.name) / (board + "".join(options))
        raw = elf.with_suffix(".raw")
        if not elf.exists():
            subprocess.run([*compiler, *OPTIONS, *options, *SOURCES, *sources, "-lgcc", "-o", elf], cwd=ROOT, check=True)
            subprocess.run([objcopy, "-O", "binary", elf, raw], check=True)
        return elf, raw

    def ask(self, *arguments):
        return subprocess.run([METE, "postmortem", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True,
                              check=False, timeout=60)

    def explains(self, done, start, change):
        """All of what dying.c does, with the lines it does it in."""
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        at = self.lines
        first = re.match(rf"record of a 32-bit core at 0x[0-9a-f]+: start {start}, change {change}\n", done.stdout)
        self.assertTrue(first, done.stdout)
        path = "tests/tools/dying.c"
        self.assertRegex(done.stdout, rf"""1 fault
  double free: .*
    start 1, tick 0, object 0x[0-9a-f]+, address 0x[0-9a-f]+, called from 0x[0-9a-f]+
      serve at {path}:{at['twice']}
1 refused request
  100000 bytes: how much was free is not known
    start 1, tick 0, called from 0x[0-9a-f]+
      mete_acquire at mete/core/alloc.h:\d+, inlined
      open_buffer at {path}:{at['buffer']}, inlined
      serve at {path}:{at['serve opens']}
call sites that held most, and when they held most:
  72 bytes in 3 blocks, called from 0x[0-9a-f]+
      mete_acquire at mete/core/alloc.h:\d+, inlined
      keep at {path}:{at['kept']}
$""")
        return first[0]

    def test_a_board_that_died_is_explained_through_its_gdb_port(self):
        for board in BOARDS:
            for level in "-O2", "-Os":
                elf, _ = self.build(board, "-g", level)
                with Machine(board, elf) as machine:
                    machine.wait()
                    self.explains(self.ask("--gdb", machine.place, "--elf", elf), 1, 4)
                    self.assertEqual(machine.status(), "running")
                    self.explains(self.ask("--gdb", machine.place, "-e", elf, "--at", "store", "--halted"), 1, 4)
                    self.assertEqual(machine.status(), "paused")

    def test_a_board_that_was_reset_is_explained_from_its_port_and_from_dumps(self):
        for board, (_, _, _, _, ram) in BOARDS.items():
            elf, raw = self.build(board, "-g", "-O2", "-DDYING_RESETS")
            with Machine(board, raw) as machine:
                machine.wait()
                first = self.explains(self.ask("--gdb", machine.place, "--elf", elf), 2, 5)
                address = int(re.search(r"0x(\w+)", first)[1], 16)
                found = self.ask("--gdb", machine.place, "--at", hex(address))
                self.assertIn("called from 0x", found.stdout)
                path = pathlib.Path(self.folder.name) / f"{board}.dump"
                machine.dump(path, *ram)
                told = self.explains(self.ask(path, "--elf", elf), 2, 5)
                self.assertIn(f"at {address - ram[0]:#x}:", told)

    def test_a_halted_board_stays_so_and_is_told_to_hold_no_record(self):
        elf, _ = self.build("arm", "-g", "-O2")
        with Machine("arm", elf, "-S") as machine:
            self.assertRegex(machine.status(), "paused|prelaunch")
            done = self.ask("--gdb", machine.place, "--elf", elf, "--halted")
            self.assertEqual(done.returncode, UNREADABLE)
            self.assertRegex(done.stderr, r"no whole record in \d+ bytes, 0 broken")
            self.assertRegex(machine.status(), "paused|prelaunch")

    def test_another_program_is_not_used(self):
        elf, _ = self.build("arm", "-g", "-O2")
        other, _ = self.build("arm", "-g", "-Os")
        foreign, _ = self.build("riscv", "-g", "-O2")
        with Machine("arm", elf) as machine:
            machine.wait()
            for program in other, foreign:
                done = self.ask("--gdb", machine.place, "--elf", program)
                self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
                self.assertRegex(done.stderr, "found other code at 0x|the target has no memory to read at 0x80000000")
            self.assertEqual(machine.status(), "running")
            done = self.ask("--gdb", machine.place, "--elf", elf, "--at", "stoer")
            self.assertIn("found 0 variables of the name 'stoer', expected one", done.stderr)
            dump = pathlib.Path(self.folder.name) / "other.dump"
            machine.dump(dump, *BOARDS["arm"][4])
        done = self.ask(dump, "--elf", foreign)
        self.assertEqual(done.returncode, OTHER)
        self.assertIn("double free", done.stdout)
        self.assertIn(f"{foreign}: found none of the callers in it, expected the program that ran", done.stderr)
        done = self.ask(dump, "--elf", METE)
        self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
        self.assertIn("found a program that is loaded anywhere", done.stderr)
        done = self.ask(dump, "--elf", METE, "--base", "0x0")
        self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
        self.assertIn("found a program of 64 bits, expected one of 32, as the record's core", done.stderr)
        for program, wanted in (("/nowhere", "No such file"), (HERE / "dying.c", "found no ELF file"),
                                (self.build("arm", "-O2")[0], "found no debug information")):
            done = self.ask(dump, "--elf", program)
            self.assertEqual((done.returncode, done.stdout), (UNREADABLE, ""))
            self.assertIn(wanted, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""test_rtt.py ELF: what the tour says by RTT is what it says on the serial port.

Compared is what the ring holds if nobody reads: with a slow reader the rest may have gaps.
"""

import os
import subprocess
import sys
import tempfile
import time

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "dev")
RING_SIZE = 1024  # log.c; one byte stays empty.

with tempfile.TemporaryDirectory() as folder:
    port = os.path.join(folder, "gdb")
    runner = subprocess.Popen([os.path.join(TOOLS, "qemu-run"), "netduinoplus2", sys.argv[1], "--",
                               "-S", "-gdb", f"unix:{port},server=on,wait=off"],
                              stdout=subprocess.PIPE, text=True)
    patience = time.monotonic() + 10
    while not os.path.exists(port) and time.monotonic() < patience:
        time.sleep(0.01)
    reader = subprocess.run([os.path.join(TOOLS, "rtt-read"), port], stdout=subprocess.PIPE, text=True,
                            timeout=60)
    said, _ = runner.communicate(timeout=60)

print(reader.stdout)
if runner.returncode != 0 or len(said) < RING_SIZE:
    sys.exit(f"test_rtt.py: the tour failed\n{said}")
if not reader.stdout.startswith(said[:RING_SIZE - 1]):
    sys.exit(f"test_rtt.py: the serial port said otherwise\n{said}")

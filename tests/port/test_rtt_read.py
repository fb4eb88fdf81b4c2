#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""test_rtt_read.py TOOLS MACHINE ELF: rtt-read gets every line of a firmware that runs, in order."""

import os
import subprocess
import sys
import tempfile
import time

tools, machine, elf = sys.argv[1:]
expected = "".join(f"line {i}\n" for i in range(300))

with tempfile.TemporaryDirectory() as folder:
    port = os.path.join(folder, "gdb")
    runner = subprocess.Popen([f"{tools}/qemu-run", machine, elf, "--", "-S", "-gdb",
                               f"unix:{port},server=on,wait=off"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    patience = time.monotonic() + 10
    while not os.path.exists(port) and time.monotonic() < patience:
        time.sleep(0.01)
    reader = subprocess.run([f"{tools}/rtt-read", port], stdout=subprocess.PIPE, text=True, timeout=60)
    said, _ = runner.communicate(timeout=60)

with open(elf, "rb") as file:
    once = b"SEGGER RTT" not in file.read()
results = {
    "every line arrives, in order": reader.stdout == expected,
    "the reader ends without complaint when the program does": reader.returncode == 0,
    "the program sees that all was taken": runner.returncode == 0 and said == "PASS\n",
    "the identifier stands nowhere in the image": once,
}
for number, (name, holds) in enumerate(results.items(), 1):
    print("ok" if holds else "not ok", number, "-", name)
print(f"1..{len(results)}")
print("PASS" if all(results.values()) else f"FAIL\n{said}\n{reader.stdout}")
sys.exit(not all(results.values()))

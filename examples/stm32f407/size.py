#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""size.py ELF [JSON]: the tour's size in silicon, against its budget; and where its memory lies.

Writes the figures tour.text (code and constants) and tour.static (variables, without the main stack)
to the file JSON.
"""

import json
import subprocess
import sys

TEXT_MAX = 15360
STATIC_MAX = 35840
HEAP_START = 0x10000000  # CCM
HEAP_SIZE = 32768


def sections(elf):
    """Size of each section."""
    table = subprocess.run(["arm-none-eabi-size", "-A", elf], check=True, stdout=subprocess.PIPE,
                           text=True).stdout
    rows = [line.split() for line in table.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}


def heap_symbol(elf):
    """Address and size of the heap's storage."""
    table = subprocess.run(["arm-none-eabi-nm", "-S", elf], check=True, stdout=subprocess.PIPE,
                           text=True).stdout
    row = next(line.split() for line in table.splitlines() if line.endswith(" heap_storage"))
    return int(row[0], 16), int(row[1], 16)


def main():
    elf = sys.argv[1]
    size = sections(elf)
    figures = {
        # What .data starts with lies in flash, too.
        "tour.text": sum(size.get(name, 0) for name in (".text", ".ARM.exidx", ".data")),
        "tour.static": sum(size[name] for name in (".data", ".bss", ".noinit", ".ccm")),
    }
    print(f"tour.text {figures['tour.text']} of {TEXT_MAX} bytes, "
          f"tour.static {figures['tour.static']} of {STATIC_MAX} bytes, stack {size['.stack']} bytes")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump(figures, file)
    if figures["tour.text"] > TEXT_MAX or figures["tour.static"] > STATIC_MAX:
        sys.exit("size.py: over the budget")
    if heap_symbol(elf) != (HEAP_START, HEAP_SIZE):
        sys.exit("size.py: heap_storage at %#x has %d bytes" % heap_symbol(elf))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT OR Apache-2.0
"""Names the calls in a firmware whose addresses a leak report gives."""

import collections
import os
import subprocess

Call = collections.namedtuple("Call", "function file line")


def resolve(elf, address):
    """The program's call at an address: what the library inlines there is stepped over."""
    told = subprocess.run(["arm-none-eabi-addr2line", "-i", "-f", "-e", elf, hex(address)],
                          check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    frames = [Call(function, *place.split(" ")[0].rsplit(":", 1))
              for function, place in zip(told[0::2], told[1::2])]
    outside = [f for f in frames if "/mete/core/" not in os.path.normpath(f.file)]
    return (outside or frames)[0]

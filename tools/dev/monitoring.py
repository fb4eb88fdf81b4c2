# SPDX-License-Identifier: MIT OR Apache-2.0
"""What all watchers together take of a processor, computed from what they were measured to take."""

CORE_HZ = 168_000_000  # An STM32F407.
CYCLES_PER_INSTRUCTION = 2  # More than the estimate at the head of docs/costs.md: flash has wait states.
BLOCKS_PER_SECOND = 1000  # Acquired, and as many released.
CHECKED_SIZE, CHECKED_SECONDS, SLICE_SIZE = 256 * 1024, 10, 256  # What integrity goes through, and how fast.


def parts(figures):
    """(what, instructions a second) of each."""
    slices = CHECKED_SIZE / CHECKED_SECONDS / SLICE_SIZE
    return [(f'{BLOCKS_PER_SECOND} acquires, {figures["system.all.acquire.added"]:.0f} instructions more each',
             BLOCKS_PER_SECOND * figures['system.all.acquire.added']),
            (f'{BLOCKS_PER_SECOND} releases, {figures["system.all.release.added"]:.0f} more each',
             BLOCKS_PER_SECOND * figures['system.all.release.added']),
            (f'{slices:g} slices of {SLICE_SIZE} bytes, so that {CHECKED_SIZE // 1024} KiB are checked in '
             f'{CHECKED_SECONDS} s, {figures["integrity.l1.check_next.256.max"]:g} each',
             slices * figures['integrity.l1.check_next.256.max'])]


def measure(figures):
    instructions = sum(count for _, count in parts(figures))
    return {'monitoring.cpu.permille': 1000 * instructions * CYCLES_PER_INSTRUCTION / CORE_HZ}


def text(figures):
    lines = ''.join(f'| {what} | {count:,.0f} |\n' for what, count in parts(figures))
    total = sum(count for _, count in parts(figures))
    return ('\n## What watching takes of the processor\n\n'
            'All watchers at once: health, timing, statistics, guard with fills of 24 bytes and a full quarantine, '
            'tracker;\nhealth judges every 16 calls. Beside them integrity goes through the code.\n\n'
            '| each second | instructions |\n|---|---|\n' + lines +
            f'| together | {total:,.0f} |\n\n'
            f'At {CYCLES_PER_INSTRUCTION} cycles each, which is high, these are {total * CYCLES_PER_INSTRUCTION:,.0f} '
            f'of the {CORE_HZ:,} cycles of a core at {CORE_HZ // 1_000_000} MHz:\n'
            f'**{measure(figures)["monitoring.cpu.permille"]:.1f} permille**.\n')

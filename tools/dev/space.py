# SPDX-License-Identifier: MIT OR Apache-2.0
"""Space on the recorded traces: smallest safe arena over peak of live requested bytes."""
import collections
import math
import subprocess

from measure import BUILD, CORE, ROOT, run

SOURCES = ['bench/space.c', *(f'tools/lib/{name}.c' for name in ('trace', 'backend', 'replayer', 'fit', 'fault')),
           *(f'mete/alloc/{name}.c' for name in ('heap', 'heap_wide', 'arena')), *CORE]
HEAPS = {'heap': 'heap.space', 'heap_wide': 'heap.wide.space'}  # To the names of figures.
Trace = collections.namedtuple('Trace', 'name search heap arena peak ratio')


def measure():
    """A Trace for each recording and search."""
    program = BUILD / 'space'
    run('gcc', '-m32', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', f'-I{ROOT}',
        '-DMETE_CONFIG_HEADER="tools/lib/config.h"', *SOURCES, '-o', program)
    found = []
    for file in sorted((ROOT / 'tests' / 'traces').glob('*.trace.zst')):
        with subprocess.Popen(['zstd', '-dc', file], stdout=subprocess.PIPE) as text:
            told = run(program, stdin=text.stdout)
        for line in told.splitlines():
            search, heap, arena, peak = line.split()
            found.append(Trace(file.name.split('.')[0], int(search), heap, int(arena), int(peak),
                               int(arena) / int(peak)))
    return found


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def figures_of(traces):
    figures = {}
    for heap, prefix in HEAPS.items():
        for search in 0, 2:
            ratios = [t.ratio for t in traces if t.heap == heap and t.search == search]
            figures[f'{prefix}.k{search}.geomean'] = geomean(ratios)
            figures[f'{prefix}.k{search}.max'] = max(ratios)
            figures[f'{prefix}.k{search}.traces'] = len(ratios)
    return figures

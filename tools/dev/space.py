# SPDX-License-Identifier: MIT OR Apache-2.0
"""Space on the recorded traces: smallest safe arena over peak of live requested bytes."""
import collections
import concurrent.futures
import math
import os
import subprocess

from measure import BUILD, CORE, ROOT, run
from modules import variants

LIBRARY = [f'tools/lib/{name}.c' for name in ('trace', 'backend', 'replayer', 'fit', 'fault')]
SMALL_PEAK = 220 * 1024  # Recordings with no larger peak fit the narrow heap: the ones to compare on.
Trace = collections.namedtuple('Trace', 'name heap search arena peak floor ratio')


def subjects(modules):
    """(name of figures, backend, search) of each allocator and variant that is measured here."""
    for name, module in modules.items():
        if 'space' in module:
            for variant in variants(module) or ['']:
                yield f'{name}.space.{variant}'.rstrip('.'), module['space'], int(variant.strip('k') or 0)


def build(name):
    """A program of bench/, with what the traces can be replayed on."""
    program = BUILD / name
    backends = sorted(str(path) for path in (ROOT / 'mete' / 'alloc').glob('*.c'))
    run('gcc', '-m32', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', f'-I{ROOT}',
        '-DMETE_CONFIG_HEADER="tools/lib/config.h"', f'bench/{name}.c', *LIBRARY, *backends, *CORE,
        '-o', program)
    return program


def small_recordings():
    """Their names."""
    lines = (ROOT / 'tests' / 'traces' / 'index.tsv').read_text().splitlines()
    rows = (dict(zip(lines[0].split('\t'), line.split('\t'))) for line in lines[1:])
    return {row['name'] for row in rows if int(row['peak_live_bytes']) <= SMALL_PEAK}


def on_recordings(program, arguments_for):
    """The lines that a program prints of all recordings, with the name of the recording in front. The
    name decides on its arguments."""
    def one(file):
        name = file.name.split('.')[0]
        with subprocess.Popen(['zstd', '-dc', file], stdout=subprocess.PIPE) as text:
            told = run(program, *arguments_for(name), stdin=text.stdout)
        return [f'{name} {line}' for line in told.splitlines()]
    files = sorted((ROOT / 'tests' / 'traces').glob('*.trace.zst'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(one, files), [])


def measure(modules):
    """A Trace for each recording and allocator that it fits."""
    small = small_recordings()

    def arguments_for(name):
        used = {key: m for key, m in modules.items() if name in small or 'small_only' not in m}
        return [f'{backend}:{search}' for _, backend, search in subjects(used)]
    lines = (line.split() for line in on_recordings(build('space'), arguments_for))
    return [Trace(name, heap, int(search), int(arena), int(peak), int(floor), int(arena) / int(peak))
            for name, heap, search, arena, peak, floor in lines]


def measure_policies():
    """(geomean, largest) of the space of each allocator whose rules bench/policies.c knows, on the small
    recordings."""
    ratios = {}
    for line in on_recordings(build('policies'), lambda _: []):
        _, arena, peak, name = line.split(maxsplit=3)
        if int(peak) <= SMALL_PEAK:
            ratios.setdefault(name, []).append(int(arena) / int(peak))
    return {name: (geomean(values), max(values)) for name, values in ratios.items()}


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def chosen(traces, search):
    """The heap's traces: on the narrow one where they fit, else on the wide one."""
    narrow = {t.name for t in traces if t.heap == 'heap'}
    return [t for t in traces if t.search == search and
            (t.heap == 'heap' or t.heap == 'heap_wide' and t.name not in narrow)]


def summary(figure, traces):
    ratios = [t.ratio for t in traces]
    return {f'{figure}.geomean': geomean(ratios), f'{figure}.max': max(ratios),
            f'{figure}.traces': len(ratios)}


def figures_of(modules, traces):
    """heap.space.* of the recordings that fit the narrow heap, heap.wide.space.* of the others; and, to
    compare, .small.* of each allocator on the small recordings."""
    figures = {}
    for search in 0, 2:
        used = chosen(traces, search)
        figures |= summary(f'heap.space.k{search}', [t for t in used if t.heap == 'heap'])
        figures |= summary(f'heap.wide.space.k{search}', [t for t in used if t.heap == 'heap_wide'])
    for figure, backend, search in subjects(modules):
        used = [t for t in traces if t.heap == backend and t.search == search]
        figures |= summary(f'{figure}.small', [t for t in used if t.peak <= SMALL_PEAK])
        # Over what perfect compaction would need, with the same headers and control structures.
        figures[f'{figure}.over_floor'] = geomean([t.arena / t.floor for t in used])
    return figures

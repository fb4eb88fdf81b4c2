# SPDX-License-Identifier: MIT OR Apache-2.0
"""Draws docs/allocators.svg: instructions against space, of our general allocators and of others."""
import collections
import html
import math

from costs import space_of
from measure import ROOT
from modules import churn_names

# `label` is empty at level 1, which stands above its level 0. `mean` and `worst`: instructions of an alloc
# and a free together. `space`: percent above the peak.
Point = collections.namedtuple('Point', 'label space mean worst kind')
Box = collections.namedtuple('Box', 'left top right bottom')

WIDTH, HEIGHT = 900, 600
AREA = Box(74, 66, 876, 528)
LEGEND = Box(530, 80, 862, 0)
SPACE = (12, 115)  # Limits of the axes.
WORK = (55, 25000)
SPACE_TICKS = (12, 15, 20, 30, 40, 60, 80, 100)
WORK_TICKS = (100, 200, 500, 1000, 2000, 5000, 10000, 20000)
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.paper { fill: #ffffff; } .grid { stroke: #d8dee4; stroke-width: 1; }
.title { font-size: 17px; font-weight: 600; } .quiet { fill: #57606a; font-size: 12px; }
.peer { stroke: #8c959f; fill: #8c959f; } .l0 { stroke: #0550ae; fill: #0550ae; }
.l1 { stroke: #bf5600; fill: #bf5600; } .range { stroke-width: 2; opacity: 0.6; }
text.peer, text.l0 { stroke: none; } text.l0 { font-weight: 600; } text.peer { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .paper { fill: #0d1117; } .grid { stroke: #30363d; } .quiet { fill: #9198a1; }
.peer { stroke: #9198a1; fill: #9198a1; } text.peer { fill: #b1bac4; }
.l0 { stroke: #6cb6ff; fill: #6cb6ff; } .l1 { stroke: #f69d50; fill: #f69d50; }
}
"""


# ---- What is drawn

def percent(ratio):
    return 100 * (ratio - 1)


def ours(figures, known):
    for name, module in known.items():
        if 'space' not in module:
            continue
        for level in 0, 1:
            for title, _, variant in churn_names(name, module, level):
                work = [sum(figures[f'{title}.{kind}.{what}'] for kind in ('alloc', 'free'))
                        for what in ('mean', 'max')]
                label = f'{name.replace(".", "_")} {variant}'.rstrip() if level == 0 else ''
                yield Point(label, percent(figures[space_of(name, variant)]), *work, f'l{level}')


def peers():
    lines = (ROOT / 'bench' / 'peers.tsv').read_text().splitlines()
    head = lines[1].removeprefix('# ').split('\t')
    for line in lines:
        cells = dict(zip(head, line.split('\t')))
        if not line.startswith('#') and cells['space'] != '-':
            mean = sum(int(cells[f'{kind} mean 64K / 256K'].split()[0]) for kind in ('alloc', 'free'))
            worst = sum(int(cells[f'worst {kind}']) for kind in ('alloc', 'free'))
            name = cells['allocator'].split(' (')[0]
            yield Point(name, percent(float(cells['space'])), mean, worst, 'peer')


# ---- Where

def place(value, limits, start, end):
    """On a logarithmic axis."""
    low, high = map(math.log, limits)
    return start + (end - start) * (math.log(value) - low) / (high - low)


def across(space):
    return place(space, SPACE, AREA.left, AREA.right)


def up(work):
    return place(work, WORK, AREA.bottom, AREA.top)


def overlap(one, other):
    return (one.left < other.right and other.left < one.right and
            one.top < other.bottom and other.top < one.bottom)


def mark_box(point):
    x = across(point.space)
    return Box(x - 5, up(point.worst) - 2, x + 5, up(point.mean) + 5)


def places(point):
    """Where the letter of a point may stand, best first: below or beside the mean, above the worst."""
    x, mean, worst = across(point.space), up(point.mean), up(point.worst)
    for middle, y in ((x, mean + 13), (x - 11, mean), (x + 11, mean), (x, worst - 10), (x - 11, worst + 4),
                      (x + 11, worst + 4), (x - 9, mean + 11), (x + 9, mean + 11)):
        yield Box(middle - 5, y - 6, middle + 5, y + 6)


def place_letters(points):
    """A box for the letter of each point, clear of all marks and each other; else below the mean."""
    marks, boxes = [mark_box(p) for p in points], {}
    for point in points:
        if point.label:
            taken = [*marks, *boxes.values()]
            clear = (box for box in places(point) if not any(overlap(box, other) for other in taken))
            boxes[point] = next(clear, next(places(point)))
    return boxes


# ---- Drawing

def line(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(kind, x, y, words, anchor='start', more=''):
    return (f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
            f'{html.escape(words)}</text>')


def axes():
    for tick in SPACE_TICKS:
        yield line('grid', across(tick), AREA.top, across(tick), AREA.bottom)
        yield text('quiet', across(tick), AREA.bottom + 18, f'{tick} %', 'middle')
    for tick in WORK_TICKS:
        yield line('grid', AREA.left, up(tick), AREA.right, up(tick))
        yield text('quiet', AREA.left - 8, up(tick) + 4, f'{tick:,}'.replace(',', ' '), 'end')
    middle = (AREA.top + AREA.bottom) / 2
    yield text('', (AREA.left + AREA.right) / 2, AREA.bottom + 42, 'memory beyond the peak of live bytes',
               'middle')
    yield text('', 18, middle, 'instructions, an alloc and a free', 'middle',
               f' transform="rotate(-90 18 {middle})"')


def key():
    for kind, what, x in (('l0', 'Mete, level 0', 470), ('l1', 'Mete, level 1, the default', 576),
                          ('peer', 'others, no checks', 756)):
        yield f'<circle class="{kind}" cx="{x}" cy="44" r="4"/>'
        yield text('quiet', x + 9, 48, what)


def legend(points, letters):
    """What the letters mean, with the figures, where the plot is empty."""
    height = 19 * (len(letters) + 1) + 12
    yield (f'<rect class="paper grid" x="{LEGEND.left}" y="{LEGEND.top}" '
           f'width="{LEGEND.right - LEGEND.left}" height="{height}"/>')
    columns = LEGEND.left + 36, LEGEND.right - 118, LEGEND.right - 66, LEGEND.right - 12
    for x, word in zip(columns, ('', 'space', 'mean', 'worst')):
        yield text('quiet', x, LEGEND.top + 19, word, 'end')
    for row, (point, letter) in enumerate(letters.items(), 1):
        y = LEGEND.top + 19 * (row + 1)
        yield text(point.kind, LEGEND.left + 14, y, letter)
        yield text(point.kind, columns[0], y, point.label)
        for x, cell in zip(columns[1:], (f'{point.space:.0f} %', f'{point.mean:.0f}', f'{point.worst:.0f}')):
            yield text(point.kind, x, y, cell, 'end')


def mark(point):
    x, mean, worst = across(point.space), up(point.mean), up(point.worst)
    yield line(f'{point.kind} range', x, mean, x, worst)
    yield line(f'{point.kind}', x - 5, worst, x + 5, worst)
    yield f'<circle class="{point.kind}" cx="{x:.1f}" cy="{mean:.1f}" r="4"/>'


def drawing(points):
    boxes = place_letters(points)
    letters = {point: chr(ord('a') + i) for i, point in enumerate(boxes)}
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
             f'height="{HEIGHT}" role="img" aria-label="Instructions against space of general allocators">',
             f'<style>{STYLE}</style>', f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
             text('title', AREA.left, 28, 'General allocators: time against space'),
             text('quiet', AREA.left, 48, 'Dot: mean. Bar: worst. Down and left is better.'), *key(), *axes()]
    for point in points:
        parts += mark(point)
    parts += [text(p.kind, (b.left + b.right) / 2, b.bottom - 2, letters[p], 'middle')
              for p, b in boxes.items()]
    return '\n'.join([*parts, *legend(points, letters), '</svg>', ''])


def write(figures, known):
    points = sorted([*ours(figures, known), *peers()], key=lambda p: p.space)
    (ROOT / 'docs' / 'allocators.svg').write_text(drawing(points))

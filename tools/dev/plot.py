# SPDX-License-Identifier: MIT OR Apache-2.0
"""Draws docs/allocators.svg: instructions against space, of our general allocators and of others."""
import collections
import html
import math

from costs import space_of
from measure import ROOT
from modules import churn_names

# `mean` and `worst`: instructions of an alloc and a free together. `space`: percent above the peak.
Point = collections.namedtuple('Point', 'label space mean worst kind')
Box = collections.namedtuple('Box', 'left top right bottom')

WIDTH, HEIGHT = 900, 600
AREA = Box(74, 66, 876, 528)
SPACE = (12, 115)       # Limits of the axes.
WORK = (60, 45000)
SPACE_TICKS = (12, 15, 20, 30, 40, 60, 80, 100)
WORK_TICKS = (100, 200, 500, 1000, 2000, 5000, 10000, 20000)
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.paper { fill: #ffffff; } .grid { stroke: #d8dee4; stroke-width: 1; }
.title { font-size: 17px; font-weight: 600; } .quiet { fill: #57606a; font-size: 12px; }
.peer { stroke: #8c959f; fill: #8c959f; } .l0 { stroke: #0550ae; fill: #0550ae; }
.l1 { stroke: #bf5600; fill: #bf5600; } .range { stroke-width: 2; opacity: 0.6; }
text.peer, text.l0, text.l1 { stroke: none; } text.l0, text.l1 { font-weight: 600; } text.peer { fill: #57606a; }
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
                label = f'{name.replace(".", "_")} {variant}'.rstrip() + f', level {level}'
                yield Point(label, percent(figures[space_of(name, variant)]), *work, f'l{level}')


def peers():
    lines = (ROOT / 'bench' / 'peers.tsv').read_text().splitlines()
    head = lines[1].removeprefix('# ').split('\t')
    for line in lines:
        cells = dict(zip(head, line.split('\t')))
        if not line.startswith('#') and cells['space'] != '-':
            mean = sum(int(cells[f'{kind} mean 64K / 256K'].split()[0]) for kind in ('alloc', 'free'))
            worst = sum(int(cells[f'worst {kind}']) for kind in ('alloc', 'free'))
            yield Point(cells['allocator'].split(' (')[0], percent(float(cells['space'])), mean, worst, 'peer')


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


def column(point):
    """Where its line stands: level 1 a little beside level 0, which has the same space."""
    return across(point.space) + (6 if point.kind == 'l1' else 0)


def mark_box(point):
    x = column(point)
    return Box(x - 5, up(point.worst) - 2, x + 5, up(point.mean) + 5)


def candidates(point, width):
    """Places for a label, best first: beside the mean or the worst, above, below; then farther off."""
    x, mean, worst = column(point), up(point.mean), up(point.worst)
    for distance in range(0, 140, 7):
        for y in mean + distance, worst + distance, mean - distance, worst - distance:
            for left in x + 9, x - 9 - width:
                yield Box(left, y - 8, left + width, y + 8)
        for y in worst - 12 - distance, mean + 14 + distance:
            yield Box(x - width / 2, y - 8, x + width / 2, y + 8)


def place_labels(points):
    """A box for the label of each point, clear of all marks and of each other."""
    taken, boxes = [mark_box(p) for p in points], {}
    for point in sorted(points, key=lambda p: p.kind == 'peer'):
        width = 7.1 * len(point.label)
        for box in candidates(point, width):
            inside = AREA.left < box.left and box.right < AREA.right and AREA.top < box.top < AREA.bottom - 16
            if inside and not any(overlap(box, other) for other in taken):
                boxes[point] = box
                taken.append(box)
                break
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
    yield text('', (AREA.left + AREA.right) / 2, AREA.bottom + 42, 'memory beyond the peak of live bytes', 'middle')
    yield text('', 18, middle, 'instructions, an alloc and a free', 'middle', f' transform="rotate(-90 18 {middle})"')


def mark(point, box):
    x, mean, worst = column(point), up(point.mean), up(point.worst)
    yield line(f'{point.kind} range', x, mean, x, worst)
    yield line(f'{point.kind}', x - 5, worst, x + 5, worst)
    yield f'<circle class="{point.kind}" cx="{x:.1f}" cy="{mean:.1f}" r="4"/>'
    if box:
        yield text(point.kind, box.left, box.bottom - 4, point.label)


def drawing(points):
    boxes = place_labels(points)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
             f'height="{HEIGHT}" role="img" aria-label="Instructions against space of general allocators">',
             f'<style>{STYLE}</style>', f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
             text('title', AREA.left, 28, 'General allocators: time against space'),
             text('quiet', AREA.left, 48, 'dot: mean; bar: worst. Mete at check level 0 (as the others) and at '
                  'level 1, the default. Down and left is better.'), *axes()]
    for point in points:
        parts += mark(point, boxes.get(point))
    return '\n'.join([*parts, '</svg>', ''])


def write(figures, known):
    points = [*ours(figures, known), *peers()]
    (ROOT / 'docs' / 'allocators.svg').write_text(drawing(points))

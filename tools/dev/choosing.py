# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fills in what modules cost in the tables of the guides that choose between them.

A row is of the module whose header it links first. In columns headed `instructions`, `code` and `RAM`
stands what was measured; what a module lacks figures for, and all other columns, stay as they are.
"""
import re

from measure import ROOT
from modules import churn_names

GUIDES = [ROOT / 'docs' / 'guide' / f'{name}.md' for name in ('choosing', 'objects', 'sleeping')]


def pair(figures, title):
    """Worst alloc and free. Where no number bounds them, their means."""
    if f'{title}.alloc.bound' in figures and f'{title}.alloc.bound.each' not in figures:
        return f'{figures[f"{title}.alloc.max"]:g} / {figures[f"{title}.free.max"]:g}'
    return f'mean {figures[f"{title}.alloc.mean"]:.0f} / {figures[f"{title}.free.mean"]:.0f}'


def instructions(figures, name, module):
    if 'added' in module:
        return f'+{figures[f"{name}.l1.added.max"]:g}'
    variants = list(churn_names(name, module, 1))
    if variants:
        return ', '.join(f'{variant}: {pair(figures, title)}' if variant else pair(figures, title)
                         for title, _, variant in variants)
    calls, title = module.get('calls', {}), module.get('figures', f'{name}.l1')
    if 'alloc' in calls and 'free' in calls:
        return pair(figures, title)
    if 'alloc' in calls:
        return f'{figures[f"{title}.alloc.max"]:g}'
    return ', '.join(f'{call} {figures[f"{title}.{call}.max"]:g}' for call in calls) or '–'


def memory(figures, name, module):
    block = f', {module["header"]} a block' if module.get('header') else ''
    return f'{figures[f"{name}.control"]}{block}'


def cells(figures, name, module):
    """What stands in the columns, by their heads."""
    return {'instructions': instructions(figures, name, module),
            'code': str(figures[f'{name}.text.l1']), 'RAM': memory(figures, name, module)}


def filled(text, figures, known):
    """The text with the figures in its tables."""
    by_header = {re.sub(r'\.c$', '.h', module['source']): name for name, module in known.items()}
    lines, head = [], []
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip('|').split('|')] if line.startswith('|') else []
        header = re.search(r'\((?:\.\./)+(mete/\w+/\w+\.h)\)', line)
        name = by_header.get(header[1]) if row and header else None
        if not row or not head:
            head = row
        elif name and 'code' in head:
            try:
                found = cells(figures, name, known[name])
                row = [found.get(title, cell) for title, cell in zip(head, row)]
                line = '| ' + ' | '.join(row) + ' |'
            except KeyError:
                pass  # Never measured.
        lines.append(line)
    return '\n'.join(lines) + '\n'


def write(figures, known):
    for guide in GUIDES:
        guide.write_text(filled(guide.read_text(), figures, known))

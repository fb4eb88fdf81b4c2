# SPDX-License-Identifier: MIT OR Apache-2.0
"""Measures what bench/modules.toml lists; bench/README.md has the meaning of its fields."""
import collections
import functools
import json
import pathlib
import tomllib

import measure
from measure import BUILD, CORE, ROOT, run

LEVELS = (0, 1)
REGISTRY = ROOT / 'bench' / 'modules.toml'
FIELDS = {'source', 'control', 'needs', 'text', 'text_full', 'firmware', 'figures', 'levels', 'calls',
          'churn', 'header', 'order', 'space', 'small_only', 'bound',
          'excess', 'added', 'passed', 'asks', 'grows'}
CALL_FIELDS = {'function', 'phase', 'mean', 'inline', 'case', 'bound'}
KINDS = {'alloc': 1, 'free': 2}  # As bench/churn.h numbers them.
Worst = collections.namedtuple('Worst', 'count phase number call')


def registry():
    """The tables of bench/modules.toml by name. A field that does not exist is refused."""
    modules = tomllib.loads(REGISTRY.read_text())
    for name, module in modules.items():
        unknown = set(module) - FIELDS
        for call in module.get('calls', {}).values():
            unknown |= set(call) - CALL_FIELDS
        if unknown:
            raise SystemExit(f'{REGISTRY.name}: {name} has no field {", ".join(sorted(unknown))}')
    return modules


@functools.cache
def count(elf):
    return json.loads(run('tools/dev/insn-count', elf))


def mean_of(tally):
    return tally['sum'] / tally['count']


# ---- Bounds

def bound(elf, function, case=''):
    text = run(measure.mete(), 'bound', elf, function, '--notes', 'bench/bounds.toml', '--case', case)
    return int(text.split()[1])


def tentative_bound(elf, function, case=''):
    """As bound(), but 0 where the notes do not fit the code: a quick look does not stop at that."""
    try:
        return bound(elf, function, case)
    except SystemExit:
        return 0


# ---- Instructions

def firmware_of(module, level):
    needs = [module['source'], *module.get('needs', [])]
    return measure.build_firmware(module['firmware'], needs, level)


def tallies(phases, start, function):
    """Of all phases whose name begins so."""
    found = [t[function] for name, t in phases.items() if name.startswith(start) and function in t]
    if not found:
        raise SystemExit(f'no call of {function} in a phase {start}')
    return found


def inline_cost(of_four, of_eight):
    """Of one operation inlined, from functions that do it four and eight times and store the results."""
    return (of_eight - of_four) / 4 - 1


def measure_call(elf, name, call, function, bound_of):
    """Figures of one operation: worst, mean, bound."""
    phases, case = count(elf), call.get('case', '')
    if inline := call.get('inline'):
        worst = [max(t['max'] for t in tallies(phases, call['phase'], f)) for f in inline]
        figures = {f'{name}.max': inline_cost(*worst)}
        if call.get('bound', True):
            figures[f'{name}.bound'] = inline_cost(*(bound_of(elf, f, case) for f in inline))
        return figures
    figures = {f'{name}.max': max(t['max'] for t in tallies(phases, call['phase'], function)),
               f'{name}.mean': mean_of(tallies(phases, call.get('mean', call['phase']), function)[0])}
    if call.get('bound', True):
        figures[f'{name}.bound'] = bound_of(elf, function, case)
    return figures


def measure_calls(name, module, level, bound_of):
    elf, figures = firmware_of(module, level), {}
    prefix = module.get('figures', f'{name}.l{level}')
    stem = 'mete_' + pathlib.Path(module['source']).stem
    for operation, call in module['calls'].items():
        call = {'phase': pathlib.Path(module['firmware']).stem} | call
        function = call.get('function', f'{stem}_{operation}')
        figures |= measure_call(elf, f'{prefix}.{operation}', call, function, bound_of)
    return figures


# ---- Churn

def worst_of(phases, prefix, function):
    """The longest call of a function in the phases whose name begins so; and which call it was."""
    found = [Worst(tally['max'], name, number, tally['max_at'])
             for number, (name, tallies) in enumerate(phases.items())
             if name.startswith(prefix) and (tally := tallies.get(function))]
    return max(found, key=lambda worst: worst.count)


def describe(elf, worsts):
    """Has the firmware describe the allocator before the worst calls. Returns its words by figure."""
    def kind(figure):
        return KINDS[figure.rsplit('.', 1)[1]]
    show = BUILD / 'show'
    show.write_text(''.join(f'{w.number} {kind(f)} {w.call}\n' for f, w in worsts.items()))
    try:
        text = run('tools/dev/insn-count', elf, '--text')
    finally:
        show.unlink()
    told = dict(line.removeprefix('show ').split(' operation ') for line in text.splitlines()
                if line.startswith('show '))
    return {figure: f'{w.phase} B, operation ' + told[f'{w.number} {kind(figure)}']
            for figure, w in worsts.items()}


def variants(module):
    """Of a general allocator: "" if there is but one."""
    return module.get('churn', [])


def churn_names(name, module, level):
    """(start of the figures, start of the phases, the variant) of each variant."""
    for variant in variants(module):
        title = f'{name}.l{level}'
        yield (f'{title}.{variant}', f'{variant} ', variant) if variant else (title, '', '')


FEW = 10  # Passes of the loops in the cases MODULE.KIND.few of bounds.toml; one more in MODULE.KIND.more.


def growing_bound(elf, function, case, description, bound_of):
    """(bound, of which each pass of the loops) of a call whose loops run as often as what was described
    says last: the free blocks."""
    few = bound_of(elf, function, f'{case}.few')
    each = bound_of(elf, function, f'{case}.more') - few
    return few + (int(description.rsplit(' ', 1)[1]) - FEW) * each, each


def growing_bounds(name, module, level, inputs, bound_of):
    elf, figures = firmware_of(module, level), {}
    stem = pathlib.Path(module['source']).stem
    for figure, description in inputs.items():
        kind = figure.rsplit('.', 1)[1]
        whole, each = growing_bound(elf, f'mete_{stem}_{kind}', f'{name}.{kind}', description, bound_of)
        figures |= {f'{figure}.bound': whole, f'{figure}.bound.each': each}
    return figures


def measure_churn(name, module, level, bound_of=bound):
    """Figures of alloc and free of a general allocator, and the inputs that reach the worst."""
    elf = firmware_of(module, level)
    phases, figures, worsts = count(elf), {}, {}
    for title, start, variant in churn_names(name, module, level):
        for kind in KINDS:
            figure, function = f'{title}.{kind}', f'mete_{pathlib.Path(module["source"]).stem}_{kind}'
            figures[f'{figure}.mean'] = mean_of(phases[f'{start}churn 65536'][function])
            figures[f'{figure}.mean.256k'] = mean_of(phases[f'{start}churn 262144'][function])
            worsts[figure] = worst_of(phases, start, function)
            figures[f'{figure}.max'] = worsts[figure].count
            if module.get('bound', True):
                figures[f'{figure}.bound'] = bound_of(elf, function, variant or f'{name}.{kind}')
            if 'excess' in module:
                figures[f'{figure}.excess'] = worsts[figure].count - module['excess']
    inputs = describe(elf, worsts)
    if module.get('grows'):
        figures |= growing_bounds(name, module, level, inputs, bound_of)
    return figures, inputs


# ---- Added

def most_of(phases, function):
    """What a call of a function took at most, in any phase."""
    return max(t[function]['max'] for t in phases.values() if function in t)


def added_of(phases, phase, kind, passed=0, asks=0):
    """(mean, worst) of what acquire or release takes more than the allocators beneath: the flat one, and so
    many that an acquire asks in vain; and than the program's callback, asked so many times."""
    bare, tally = phases['bare'][kind], phases[phase][kind]
    if bare['min'] != bare['max']:
        raise SystemExit(f'{kind}: the phase bare is not the flat allocator')
    beneath = bare['max']
    if passed and kind == 'acquire':
        beneath += passed * most_of(phases, 'acquire_none')
    if asks:
        beneath += asks * most_of(phases, 'ask')
    return mean_of(tally) - beneath, tally['max'] - beneath


def measure_added(name, module):
    """What a wrapper or a composite adds, level 1. The first phase names the figures."""
    phases, figures = count(firmware_of(module, 1)), {}
    for place, phase in enumerate(module['added']):
        title = f'{name}.{phase}' if place else name
        passed = module.get('passed', {}).get(phase, 0)
        asks = module.get('asks', {}).get(phase, 0)
        added = {kind: added_of(phases, phase, kind, passed, asks) for kind in ('acquire', 'release')}
        figures |= {f'{title}.{kind}.added': mean for kind, (mean, _) in added.items()}
        level = f'{name}.l1.{phase}' if place else f'{name}.l1'
        figures[f'{level}.added.max'] = max(worst for _, worst in added.values())
        figures[f'{level}.added.mean'] = max(mean for mean, _ in added.values())
    return figures


# ---- Size

def objects_of(source, optimise, level):
    return [measure.compile_object(s, optimise, level) for s in [source, *CORE]]


def measure_text(name, module, level):
    """Bytes of the functions that `text` names and of those of `text_full`; and of all public ones."""
    figures = {}
    wanted = {'': module.get('text', []), '.full': module.get('text_full'), '.all': []}
    for extent, functions in wanted.items():
        if functions is None or (extent == '.all' and 'text' not in module):
            continue
        size = int(run('tools/dev/text-size', *objects_of(module['source'], '-Os', level), '--', *functions))
        figures[f'{name}.text.l{level}{extent}'] = size
    return figures


def measure_control(modules):
    """sizeof, from the sizes of arrays in an object."""
    source = BUILD / 'control.c'
    symbols = {name: name.replace('.', '_') for name in modules if 'control' in modules[name]}
    lines = [f'#include "{pathlib.Path(modules[name]["source"]).with_suffix(".h")}"\n'
             f'char {symbol}[sizeof({modules[name]["control"]})];\n' for name, symbol in symbols.items()]
    source.write_text(''.join(lines))
    obj = source.with_suffix('.o')
    run(measure.CC, *measure.OPTIONS, '-c', source, '-o', obj)
    sizes = {f[3]: int(f[1], 16) for f in map(str.split, run('arm-none-eabi-nm', '-S', obj).splitlines())}
    return {f'{name}.control': sizes[symbol] for name, symbol in symbols.items()}


def stack_lines(module):
    """What stack-depth says of all public functions, level 1."""
    graphs = [o.with_suffix('.ci') for o in objects_of(module['source'], '-O2', 1)]
    return run('tools/dev/stack-depth', *graphs, '--').splitlines()


# ---- A module

Measured = collections.namedtuple('Measured', 'figures inputs stack_lines')


def measure_module(name, module, bound_of=bound):
    """All figures of a module but its control block."""
    figures, inputs = {}, {}
    for level in LEVELS:
        figures |= measure_text(name, module, level)
        if level in module.get('levels', LEVELS):
            if 'calls' in module:
                figures |= measure_calls(name, module, level, bound_of)
            if 'churn' in module:
                more, worst = measure_churn(name, module, level, bound_of)
                figures |= more
                inputs |= worst
    if 'added' in module:
        figures |= measure_added(name, module)
    lines = stack_lines(module)
    figures[f'{name}.stack.l1'] = max(int(line.split()[1]) for line in lines)
    return Measured(figures, inputs, lines)


def measure_modules(modules, bound_of=bound):
    """All of some modules together."""
    whole = Measured(measure_control(modules), {}, [])
    for name, module in modules.items():
        part = measure_module(name, module, bound_of)
        whole.figures.update(part.figures)
        whole.inputs.update(part.inputs)
        whole.stack_lines.extend(part.stack_lines)
    return whole

#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""The measuring tools on programs whose figures are known by reading them."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
DEV = HERE.parents[1] / 'tools' / 'dev'
sys.path.insert(0, str(DEV))
import choosing  # noqa: E402
import measure  # noqa: E402
import modules  # noqa: E402


def load(name):
    """A script of tools/dev as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace('-', '_'), str(DEV / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class InsnCount(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lock = measure.lock_build()
        elf = measure.build_firmware('tests/measure/loop.c', [])
        cls.phases, cls.text = load('insn-count').count(elf)
        lock.close()

    def test_counts_a_loop_exactly(self):
        tally = self.phases['first']['loop']
        self.assertEqual(tally['count'], 3)
        self.assertEqual(tally['sum'], 3 + 2001 + 2001)
        self.assertEqual((tally['min'], tally['max']), (3, 2001))
        self.assertEqual(tally['histogram'], [[3, 1], [2001, 2]])

    def test_names_the_first_call_that_reached_the_worst(self):
        self.assertEqual(self.phases['first']['loop']['max_at'], 2)

    def test_counts_instructions_that_do_not_act(self):
        self.assertEqual(self.phases['first']['choose']['histogram'], [[6, 2]])

    def test_counts_what_is_called_and_one_of_two_returns(self):
        self.assertEqual(self.phases['second']['caller']['histogram'], [[45, 1]])

    def test_keeps_phases_apart(self):
        self.assertEqual(self.phases['']['loop']['histogram'], [[15, 1]])
        self.assertNotIn('loop', self.phases['second'])

    def test_passes_on_what_the_firmware_says(self):
        self.assertEqual(self.text, ['something else'])


class StackDepth(unittest.TestCase):
    GRAPH = '''graph: { title: "a.c"
node: { title: "a.c:leaf" label: "leaf\\na.c:1:1\\n16 bytes (static)" }
node: { title: "middle" label: "middle\\na.c:2:1\\n8 bytes (static)" }
node: { title: "top" label: "top\\na.c:3:1\\n24 bytes (dynamic,bounded)" }
node: { title: "caller" label: "caller\\na.c:4:1\\n4 bytes (static)" }
node: { title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }
edge: { sourcename: "middle" targetname: "a.c:leaf" label: "a.c:2:3" }
edge: { sourcename: "top" targetname: "a.c:leaf" label: "a.c:3:3" }
edge: { sourcename: "top" targetname: "middle" label: "a.c:3:3" }
edge: { sourcename: "caller" targetname: "__indirect_call" label: "a.c:4:4" }
}
'''

    def depths(self, text, *functions):
        module = load('stack-depth')
        with tempfile.NamedTemporaryFile('w', suffix='.ci') as file:
            file.write(text)
            file.flush()
            try:
                return module.stack_depths([file.name], functions)
            except module.Refusal as refusal:
                return str(refusal)

    def test_adds_up_the_deepest_chain(self):
        self.assertEqual(self.depths(self.GRAPH, 'top', 'leaf'), {'top': (48, False), 'leaf': (16, False)})

    def test_lists_all_public_functions(self):
        self.assertEqual(list(self.depths(self.GRAPH)), ['middle', 'top', 'caller'])

    def test_tells_of_calls_through_pointers(self):
        self.assertEqual(self.depths(self.GRAPH, 'caller'), {'caller': (4, True)})

    def test_refuses_recursion_and_frames_without_bound(self):
        loop = self.GRAPH + 'edge: { sourcename: "a.c:leaf" targetname: "top" label: "x" }\n'
        self.assertIn('recursion', self.depths(loop, 'top'))
        unbounded = self.GRAPH.replace('8 bytes (static)', '8 bytes (dynamic)')
        self.assertIn('unbounded', self.depths(unbounded, 'top'))


class TextSize(unittest.TestCase):
    SOURCE = '''
static int three(int x) __attribute__((noinline));
__attribute__((naked)) static int three(int x) { __asm__("nop\\nnop\\nbx lr"); }
__attribute__((naked)) int user(int x) { __asm__("push {r4, lr}\\nbl three\\npop {r4, pc}"); }
__attribute__((naked)) int other(int x) { __asm__("nop\\nb.w three"); }
int keep(void) { return three(1); }
__attribute__((naked)) static int four(int x) { __asm__("nop\\nnop\\nnop\\nbx lr"); }
static int (*const table[])(int) = {four};
int (*const *pointed(void))(int) { return table; }
'''

    def test_counts_each_function_called_once(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / 'a.c'
            source.write_text(self.SOURCE)
            obj = source.with_suffix('.o')
            measure.run(measure.CC, '-mcpu=cortex-m4', '-mthumb', '-Os', '-ffunction-sections', '-w', '-c',
                        source, '-o', obj)
            size = load('text-size').text_size
            self.assertEqual(size([obj], ['user']), 8 + 6)
            self.assertEqual(size([obj], ['user', 'other']), 8 + 6 + 6)
            self.assertEqual(size([obj], []), size([obj], ['user', 'other', 'keep', 'pointed']))
            # What a table of operations holds can be called: 8 bytes, and a function that returns its address.
            self.assertEqual(size([obj], ['pointed']), 8 + 8)


class Figures(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.module = load('figures')
        self.module.FIGURES = pathlib.Path(self.folder.name) / 'results' / 'figures.json'
        self.module.TARGETS = pathlib.Path(self.folder.name) / 'targets.tsv'

    def test_merging_keeps_what_others_measured(self):
        self.module.merge({'a': 1, 'b': 2.5})
        self.module.merge({'b': 3})
        self.assertEqual(json.loads(self.module.FIGURES.read_text()), {'a': 1, 'b': 3})

    def test_refuses_what_is_not_a_number(self):
        for value in 'text', True, None, [1]:
            with self.assertRaises(SystemExit):
                self.module.merge({'a': value})

    def test_the_table_counts_what_is_missed_or_unknown(self):
        self.module.merge({'good': 1, 'fair': 3, 'bad': 9, 'more': 5})
        self.module.TARGETS.write_text('# comment\ngood\t<=\t4\t2\tg\nfair\t<=\t4\t2\tf\nbad\t<=\t4\t2\tb\n'
                                       'more\t>=\t4\t5\tm\nabsent\t<=\t4\t2\ta\n')
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(self.module.table(), 2)
        verdicts = [line.split()[5] for line in printed.getvalue().splitlines()[1:]]
        self.assertEqual(verdicts, ['aim', 'must', 'MISSED', 'aim', 'not'])


class Registry(unittest.TestCase):
    def test_a_field_that_does_not_exist_is_refused(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as file:
            file.write('[pool]\nsource = "mete/alloc/pool.c"\ncalls.alloc = {cases = "x"}\n')
            file.flush()
            with unittest.mock.patch.object(modules, 'REGISTRY', pathlib.Path(file.name)):
                with self.assertRaisesRegex(SystemExit, 'pool has no field cases'):
                    modules.registry()

    def test_added_needs_an_allocator_beneath_that_always_takes_the_same(self):
        phases = {'bare': {'acquire': {'min': 9, 'max': 9}},
                  'lock': {'acquire': {'count': 2, 'sum': 50, 'max': 27}}}
        self.assertEqual(modules.added_of(phases, 'lock', 'acquire'), (16, 18))
        phases['bare']['acquire']['min'] = 8
        with self.assertRaises(SystemExit):
            modules.added_of(phases, 'lock', 'acquire')

    def test_what_members_take_that_are_passed_is_not_added(self):
        phases = {'bare': {kind: {'min': 9, 'max': 9} for kind in ('acquire', 'release')},
                  'first': {'acquire_none': {'max': 2}},
                  'third': {kind: {'count': 2, 'sum': 60, 'max': 30} for kind in ('acquire', 'release')}}
        self.assertEqual(modules.added_of(phases, 'third', 'acquire', passed=2), (17, 17))
        self.assertEqual(modules.added_of(phases, 'third', 'release', passed=2), (21, 21))

    def test_what_a_callback_takes_that_is_asked_is_not_added(self):
        phases = {'bare': {'release': {'min': 10, 'max': 10, 'sum': 10, 'count': 1}},
                  'asked': {'release': {'min': 34, 'max': 34, 'sum': 34, 'count': 1},
                            'ask': {'min': 2, 'max': 2, 'sum': 2, 'count': 1}}}
        self.assertEqual(modules.added_of(phases, 'asked', 'release', asks=2), (20, 20))

    def test_a_bound_that_grows_is_for_as_many_free_blocks_as_were_described(self):
        def bound_of(_elf, _function, case):
            return {'list.alloc.few': 242, 'list.alloc.more': 262}[case]
        found = modules.growing_bound('', 'mete_list_alloc', 'list.alloc', 'alloc; free blocks: 218', bound_of)
        self.assertEqual(found, (4402, 20))


class Choosing(unittest.TestCase):
    KNOWN = {'pool': {'source': 'mete/alloc/pool.c', 'calls': {'alloc': {}, 'free': {}}, 'header': 2},
             'lock': {'source': 'mete/wrap/lock.c', 'added': ['lock']}}
    FIGURES = {'pool.l1.alloc.max': 24, 'pool.l1.free.max': 18, 'pool.l1.alloc.bound': 24,
               'pool.text.l1': 342, 'pool.control': 48}

    def test_fills_in_costs_by_the_header_linked(self):
        head = '| take | RAM | why | code | instructions |\n|---|---|---|---|---|\n'
        row = '| [p](../../mete/alloc/pool.h) | {} | small, 7 | {} | {} |\n'
        filled = choosing.filled(head + row.format('9', '', 'x'), self.FIGURES, self.KNOWN)
        self.assertEqual(filled, head + row.format('48, 2 a block', '342', '24 / 18'))

    def test_leaves_alone_what_was_never_measured_and_other_tables(self):
        text = ('| take | code |\n|---|---|\n| [l](../../mete/wrap/lock.h) | 7 |\n\nText.\n\n'
                '| take | why |\n|---|---|\n| [p](../../mete/alloc/pool.h) | 7 |\n')
        self.assertEqual(choosing.filled(text, self.FIGURES, self.KNOWN), text)

    def test_the_guides_say_what_was_measured(self):
        figures = json.loads((choosing.ROOT / 'bench' / 'results' / 'figures.json').read_text())
        for guide in choosing.GUIDES:
            text = guide.read_text()
            self.assertEqual(choosing.filled(text, figures, modules.registry()), text, f'{guide.name}: make bench')

    def test_the_guide_and_the_readme_name_every_allocator_and_wrapper(self):
        there = {f'mete/{path.parent.name}/{path.stem}.h' for layer in ('alloc', 'wrap')
                 for path in (choosing.ROOT / 'mete' / layer).glob('*.c')}
        for file in choosing.GUIDES[0], choosing.ROOT / 'README.md':
            named = set(re.findall(r'\]\((?:\.\./)*(mete/(?:alloc|wrap)/\w+\.h)\)', file.read_text()))
            self.assertEqual(named, there, file.name)

    def test_every_allocator_and_wrapper_is_measured(self):
        there = {f'mete/{path.parent.name}/{path.name}' for layer in ('alloc', 'wrap')
                 for path in (choosing.ROOT / 'mete' / layer).glob('*.c')}
        self.assertEqual(there - {m['source'] for m in modules.registry().values()}, set())


if __name__ == '__main__':
    unittest.main()

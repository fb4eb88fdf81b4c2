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
import subprocess
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

REASON = 'reason = "a test"\n'


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


class LongestPath(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.elf = f'{cls.folder.name}/paths.elf'
        measure.run(measure.CC, '-mcpu=cortex-m4', '-mthumb', '-g', '-nostdlib', '-Wl,-e,straight',
                    'tests/measure/paths.s', '-o', cls.elf)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def ask(self, function, notes='', case=''):
        """(what was printed, what was complained of)"""
        file = pathlib.Path(self.folder.name) / 'notes.toml'
        file.write_text(notes)
        done = subprocess.run([DEV / 'longest-path', self.elf, function, '--notes', file, '--case', case],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode != 0, done.stderr != '')
        return done.stdout.strip(), done.stderr

    def expect(self, function, bound, notes='', case=''):
        self.assertEqual(self.ask(function, notes, case), (f'{function} {bound}', ''))

    def expect_refusal(self, function, *words, notes=''):
        printed, complaint = self.ask(function, notes)
        self.assertEqual(printed, '')
        for word in words:
            self.assertIn(word, complaint)

    @staticmethod
    def loop(at, passes):
        return f'[[loop]]\nat = "{at}"\npasses = {passes}\n{REASON}'

    def test_follows_the_longer_side_of_a_fork(self):
        self.expect('straight', 3)
        self.expect('fork', 6)

    def test_counts_all_of_an_it_block(self):
        self.expect('in_it_block', 6)

    def test_adds_what_is_called(self):
        self.expect('calls', 4 + 3 + 6)
        self.expect('tail', 2 + 3)

    def test_does_not_count_a_way_that_never_returns(self):
        self.expect('traps', 3)
        self.expect('hangs', 3)

    def test_refuses_a_loop_without_a_bound_and_says_where(self):
        address = measure.run('arm-none-eabi-nm', self.elf).split(' T one_loop')[0].split()[-1]
        self.expect_refusal('one_loop', 'loop', 'one_loop', f'{(int(address, 16) & ~1) + 2:#x}')

    def test_counts_a_loop_as_often_as_stated(self):
        for passes in 1, 2, 5, 300:
            self.expect('one_loop', 2 + 3 * passes, self.loop('one_loop', passes))
        self.expect('one_loop', 2 + 3 * 5, self.loop('one_loop: turn', 5))
        self.expect_refusal('one_loop', 'loop', notes=self.loop('one_loop: elsewhere', 5))

    def test_multiplies_nested_loops(self):
        notes = self.loop('nested: outer', 3) + self.loop('nested', 2)
        self.expect('nested', 1 + 3 * (1 + 2 * 2 + 2) + 1, notes)

    def test_counts_passes_where_the_notes_say(self):
        self.expect('entered_late', 2 + 4 * 2 + 5 * 2 + 1, self.loop('entered_late: body', 4))
        self.expect('entered_late', 2 + 3 * 2 + 4 * 2 + 1, self.loop('entered_late', 4))

    def test_lets_a_loop_be_left_in_the_middle(self):
        self.expect('left_early', 1 + 3 * 4 + 2 + 3, self.loop('left_early', 4))

    def test_excludes_what_the_notes_exclude(self):
        self.expect('two_choices', 10)
        self.expect('two_choices', 8, f'[[never]]\nat = "two_choices: first side"\n{REASON}')

    def test_keeps_apart_what_excludes_each_other(self):
        notes = f'[[apart]]\nfirst = "two_choices: first side"\nsecond = "two_choices: second"\n{REASON}'
        self.expect('two_choices', 8, notes)

    def test_takes_the_largest_part_of_a_case(self):
        notes = ('[cases]\nboth = ["b", "a"]\n'
                 f'[[never]]\nat = "two_choices: first side"\ncases = ["a"]\n{REASON}'
                 f'[[never]]\nat = "two_choices: second side"\ncases = ["b"]\n{REASON}')
        self.expect('two_choices', 8, notes, 'a')
        self.expect('two_choices', 7, notes, 'b')
        self.expect('two_choices', 8, notes, 'both')

    def test_refuses_recursion_tables_and_pointers(self):
        self.expect_refusal('recursive', 'recursion')
        self.expect_refusal('table', 'table')
        self.expect_refusal('pointer', 'pointer')
        notes = f'[[indirect]]\nat = "pointer"\ncalls = ["straight", "fork"]\n{REASON}'
        self.expect('pointer', 3 + 6, notes=notes)

    def test_leaves_out_calls_that_are_not_made(self):
        notes = f'[[indirect]]\nat = "hook"\ncalls = []\n{REASON}'
        self.expect_refusal('hook', 'pointer')
        self.expect('hook', 4, notes)

    def test_refuses_a_note_without_a_reason(self):
        self.expect_refusal('straight', 'reason', notes='[[never]]\nat = "fork"\n')


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

    def test_the_guide_says_what_was_measured(self):
        figures = json.loads((choosing.ROOT / 'bench' / 'results' / 'figures.json').read_text())
        text = choosing.GUIDE.read_text()
        self.assertEqual(choosing.filled(text, figures, modules.registry()), text, 'make bench')

    def test_the_guide_and_the_readme_name_every_allocator_and_wrapper(self):
        there = {f'mete/{path.parent.name}/{path.name}' for layer in ('alloc', 'wrap')
                 for path in (choosing.ROOT / 'mete' / layer).glob('*.h')}
        for file in choosing.GUIDE, choosing.ROOT / 'README.md':
            named = set(re.findall(r'\]\((?:\.\./)*(mete/(?:alloc|wrap)/\w+\.h)\)', file.read_text()))
            self.assertEqual(named, there, file.name)

    def test_every_allocator_and_wrapper_is_measured(self):
        there = {f'mete/{path.parent.name}/{path.name}' for layer in ('alloc', 'wrap')
                 for path in (choosing.ROOT / 'mete' / layer).glob('*.c')}
        self.assertEqual(there - {m['source'] for m in modules.registry().values()}, set())


if __name__ == '__main__':
    unittest.main()

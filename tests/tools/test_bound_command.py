#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete bound` from outside: programs whose bounds are known by reading them, and what it says of bad files.

usage: test_bound_command.py METE FLOW_LIST
"""

import functools
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

METE, FLOW_LIST = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ROOT = pathlib.Path(__file__).resolve().parents[2]
OK, REFUSED, UNREADABLE, USAGE = 0, 1, 2, 64
REASON = 'reason = "a test"\n'
ARM = ['arm-none-eabi-gcc', '-mthumb', '-g', '-nostdlib']
M4 = ARM + ['-mcpu=cortex-m4']
M0 = ARM + ['-mcpu=cortex-m0plus']
RISCV = ['riscv64-unknown-elf-gcc', '-march=rv32imac', '-misa-spec=2.2', '-mabi=ilp32', '-g', '-nostdlib']
FOLDER = tempfile.TemporaryDirectory()
HERE = pathlib.Path(FOLDER.name)


def build(name, compiler, *arguments):
    elf = HERE / name
    subprocess.run([*compiler, *arguments, '-o', elf], cwd=ROOT, check=True)
    return elf


def loop(at, passes, more=''):
    return f'[[loop]]\nat = "{at}"\npasses = {passes}\n{more}{REASON}'


class Command(unittest.TestCase):
    elf = None

    def run_it(self, *arguments):
        """(exit code, what was printed, what was complained of)"""
        done = subprocess.run([METE, 'bound', *arguments], capture_output=True, text=True, check=False, cwd=HERE)
        return done.returncode, done.stdout, done.stderr

    def ask(self, function, notes='', *more):
        (HERE / 'notes.toml').write_text(notes)
        return self.run_it('--bare', '--notes', 'notes.toml', self.elf, function, *more)

    def expect(self, function, bound, notes='', *more):
        code, printed, complaint = self.ask(function, notes, *more)
        self.assertEqual((code, complaint), (OK, ''))
        self.assertEqual(printed.split()[:2], [function, str(bound)])

    def expect_refusal(self, function, *words, notes=''):
        code, printed, complaint = self.ask(function, notes)
        self.assertEqual((code, printed), (REFUSED, ''))
        self.assertTrue(complaint.startswith('mete bound: '))
        for word in words:
            self.assertIn(word, complaint)


class Thumb2(Command):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('paths.elf', M4, '-Wl,-e,straight', 'tests/measure/paths.s')

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
        names = subprocess.run(['arm-none-eabi-nm', self.elf], capture_output=True, text=True, check=True).stdout
        address = int(names.split(' T one_loop')[0].split()[-1], 16) & ~1
        self.expect_refusal('one_loop', 'one_loop: a loop of one_loop without a stated bound',
                            f'{address + 2:#x} in one_loop (paths.s:')

    def test_counts_a_loop_as_often_as_stated(self):
        for passes in 1, 2, 5, 300:
            self.expect('one_loop', 2 + 3 * passes, loop('one_loop', passes))
        self.expect('one_loop', 2 + 3 * 5, loop('one_loop: turn', 5))
        self.expect_refusal('one_loop', 'loop', notes=loop('one_loop: elsewhere', 5))

    def test_takes_passes_from_a_parameter(self):
        notes = '[parameters]\n"a.b" = 5\n' + loop('one_loop', '"a.b"')
        self.expect('one_loop', 2 + 3 * 5, notes)
        self.expect('one_loop', 2 + 3 * 9, notes, '--set', 'a.b=9')
        self.expect('one_loop', 2 + 3 * 4, '[parameters]\nn = 5\n' + loop('one_loop', '"n - 1"'))
        self.expect('one_loop', 2 + 3 * 7, '[parameters]\nn = 5\n' + loop('one_loop', '"n + 2"'))
        self.expect('one_loop', 2 + 3 * 1, '[parameters]\nn = 1\n' + loop('one_loop', '"n - 1"'))

    def test_a_note_may_name_the_file(self):
        self.expect('one_loop', 2 + 3 * 5, loop('one_loop', 5, 'in = "paths.s"\n'))
        self.expect_refusal('one_loop', 'loop', notes=loop('one_loop', 5, 'in = "other.s"\n'))

    def test_multiplies_nested_loops(self):
        self.expect('nested', 1 + 3 * (1 + 2 * 2 + 2) + 1, loop('nested: outer', 3) + loop('nested', 2))

    def test_counts_passes_where_the_notes_say(self):
        self.expect('entered_late', 2 + 4 * 2 + 5 * 2 + 1, loop('entered_late: body', 4))
        self.expect('entered_late', 2 + 3 * 2 + 4 * 2 + 1, loop('entered_late', 4))

    def test_lets_a_loop_be_left_in_the_middle(self):
        self.expect('left_early', 1 + 3 * 4 + 2 + 3, loop('left_early', 4))

    def test_refuses_more_passes_than_it_can_count_out(self):
        self.expect_refusal('nested', 'notes.toml:5', 'more passes than can be counted out',
                            notes=loop('nested: outer', 3000) + loop('nested', 4000000000))

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
        self.expect('two_choices', 8, notes, '--case', 'a')
        self.expect('two_choices', 7, notes, '--case', 'b')
        self.expect('two_choices', 8, notes, '--case', 'both')
        self.expect('two_choices', 7, '[default]\ntwo_choices = "b"\n' + notes)

    def test_refuses_recursion_tables_and_pointers(self):
        self.expect_refusal('recursive', 'recursive: recursion into recursive')
        self.expect_refusal('table', 'table: a jump through a table at 0x', 'in table (paths.s:')
        self.expect_refusal('pointer', 'pointer: a call through a pointer at 0x', 'in pointer (paths.s:')
        notes = f'[[indirect]]\nat = "pointer"\ncalls = ["straight", "fork"]\n{REASON}'
        self.expect('pointer', 3 + 6, notes)

    def test_leaves_out_calls_that_are_not_made(self):
        notes = f'[[indirect]]\nat = "hook"\ncalls = []\n{REASON}'
        self.expect_refusal('hook', 'pointer')
        self.expect('hook', 4, notes)

    def test_refuses_what_it_does_not_find(self):
        self.expect_refusal('nowhere', 'nowhere: found 0 functions of this name, expected one')
        notes = f'[[indirect]]\nat = "pointer"\ncalls = ["nowhere"]\n{REASON}'
        self.expect_refusal('pointer', 'notes.toml:1: found 0 functions nowhere in the program', notes=notes)

    def test_a_refusal_does_not_keep_others_from_their_bounds(self):
        code, printed, complaint = self.run_it('--bare', self.elf, 'one_loop', 'straight', 'table', 'fork')
        self.assertEqual((code, len(complaint.splitlines())), (REFUSED, 2))
        self.assertEqual([line.split()[:2] for line in printed.splitlines()], [['straight', '3'], ['fork', '6']])

    def test_says_what_it_assumes(self):
        printed = self.ask('one_loop', loop('one_loop', 5))[1]
        self.assertIn('\n    one_loop (5): a test\n', printed)
        self.assertNotIn('a test', self.ask('straight', loop('one_loop', 5))[1])

    def test_prints_the_path_by_line(self):
        printed = self.ask('left_early', loop('left_early', 2), '--path')[1]
        counts = [int(line.split()[0]) for line in printed.splitlines()[2:]]
        self.assertEqual(sum(counts), 1 + 4 + 2 + 3)
        self.assertIn('beq 2f', printed)

    def test_reports_in_json(self):
        (HERE / 'notes.toml').write_text(loop('one_loop', 5))
        code, printed, _ = self.run_it('--bare', '--notes', 'notes.toml', '--format', 'json', self.elf, 'one_loop',
                                       'table')
        report = json.loads(printed)
        self.assertEqual((code, report['machine']), (REFUSED, 'thumb'))
        good, bad = report['functions']
        self.assertEqual((good['function'], good['instructions'], good['line']), ('one_loop', 17, 67))
        self.assertEqual(good['assumes'][0] | {'file': ''},
                         {'kind': 'loop', 'at': 'one_loop', 'passes': 5, 'reason': 'a test', 'file': '', 'line': 1})
        self.assertIn('a jump through a table', bad['refused'])


class Thumb1(Command):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('v6m.elf', M0, '-Wl,-e,fork', 'tests/measure/paths_v6m.s')

    def test_knows_what_small_cores_have(self):
        for function, bound in ('fork', 5), ('calls', 8), ('high', 2), ('with_data', 3):
            self.expect(function, bound)

    def test_a_popped_register_is_a_return_and_another_is_not(self):
        self.expect('above', 6)
        self.expect_refusal('pointer', 'a call through a pointer')
        self.expect('pointer', 4 + 5, f'[[indirect]]\nat = "pointer"\ncalls = ["fork"]\n{REASON}')

    def test_refuses_tables(self):
        self.expect_refusal('table', 'a jump through a table')


class RiscV(Command):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('riscv.elf', RISCV, '-Wl,-e,straight', 'tests/measure/paths_riscv.s')

    def test_follows_branches_and_calls(self):
        for function, bound in (('straight', 3), ('fork', 5), ('wide', 5), ('calls', 6 + 3 + 5), ('far', 6),
                                ('far_tail', 5), ('tail_near', 5), ('alternate', 3)):
            self.expect(function, bound)

    def test_tells_traps_from_calls_of_the_debugger(self):
        self.expect('traps', 2)
        self.expect('debugger', 4)

    def test_counts_loops(self):
        self.expect_refusal('one_loop', 'a loop of one_loop without a stated bound', '(paths_riscv.s:')
        self.expect('one_loop', 2 + 3 * 5, loop('one_loop', 5))

    def test_refuses_recursion_and_pointers(self):
        self.expect_refusal('recursive', 'recursion')
        self.expect_refusal('pointer', 'a call through a pointer')
        self.expect_refusal('jump_pointer', 'a call through a pointer')
        notes = ''.join(f'[[indirect]]\nat = "{name}"\ncalls = ["straight"]\n{REASON}'
                        for name in ('pointer', 'jump_pointer'))
        self.expect('pointer', 5 + 3, notes)
        self.expect('jump_pointer', 1 + 3, notes)


class BadFiles(Command):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('paths.elf', M4, '-Wl,-e,straight', 'tests/measure/paths.s')

    def expect_unreadable(self, path, *words):
        code, printed, complaint = self.run_it(path, 'straight')
        self.assertEqual((code, printed), (UNREADABLE, ''))
        for word in (f'mete bound: {path}: ', *words):
            self.assertIn(word, complaint)

    def test_says_what_is_wrong_with_a_program(self):
        (HERE / 'text').write_text('This is no program.\n')
        (HERE / 'empty').write_text('')
        self.expect_unreadable('missing', 'No such file')
        self.expect_unreadable('text', 'found no ELF file, expected a linked program')
        self.expect_unreadable('empty', 'found no ELF file')
        self.expect_unreadable(METE, 'found machine 62, 64 bits, expected ARM or RISC-V of 32 bits')
        self.expect_unreadable('.', '')

    def test_wants_a_program_that_is_linked_and_not_stripped(self):
        subprocess.run([*M4, '-c', ROOT / 'tests/measure/paths.s', '-o', HERE / 'paths.o'], check=True)
        self.expect_unreadable('paths.o', 'found a file that is not linked, expected a program')
        subprocess.run(['arm-none-eabi-strip', self.elf, '-o', HERE / 'stripped'], check=True)
        self.expect_unreadable('stripped', 'found no symbols of functions, expected a program that is not stripped')
        subprocess.run(['arm-none-eabi-strip', '-g', self.elf, '-o', HERE / 'no_lines'], check=True)
        self.expect_unreadable('no_lines', 'found no debug information, expected a program compiled with -g')

    def test_survives_damaged_programs(self):
        whole = bytearray(self.elf.read_bytes())
        chance = random.Random(7)
        for turn in range(12):
            damaged = bytearray(whole[:chance.randrange(20, len(whole))] if turn % 2 else whole)
            for _ in range(chance.randrange(1, 40)):
                damaged[chance.randrange(min(len(damaged), 4096))] = chance.randrange(256)
            (HERE / 'damaged').write_bytes(damaged)
            code, _, complaint = self.run_it('damaged', 'straight', 'nested', 'pointer')
            self.assertIn(code, (OK, REFUSED, UNREADABLE), complaint)

    NOTES = [
        ('x = \n', '1: found what is no TOML'),
        ('[[loop]]\nat = "a"\npasses = 2\n', "1: found a [[loop]] without 'reason', expected one"),
        (f'\n[[loop]]\nat = "a"\n{REASON}', "2: found a [[loop]] without 'passes', expected a number"),
        (f'[[loop]]\nat = "a"\npasses = 0\n{REASON}', '3: passes: found 0, expected a number from 1'),
        (f'[[loop]]\nat = "a"\npasses = -1\n{REASON}', '3: passes: found -1, expected a number from 1'),
        (f'[[loop]]\nat = "a"\npasses = "n"\n{REASON}',
         "3: passes: found 'n', expected a number or a name of [parameters]"),
        (f'[[loop]]\npasses = 1\n{REASON}', "1: found a [[loop]] without 'at', expected one"),
        (f'[[loop]]\nat = 5\npasses = 1\n{REASON}', '2: at: found 5, expected a text'),
        (f'[[loop]]\nat = ""\npasses = 1\n{REASON}', "2: at: found '', expected a text"),
        (f'[[loop]]\nat = "a"\npasses = 1\npases = 1\n{REASON}', "4: found 'pases' in a [[loop]]"),
        (f'[[never]]\nat = "a"\ncases = "x"\n{REASON}', "3: cases: found 'x', expected an array"),
        (f'[[never]]\nat = "a"\ncases = [1]\n{REASON}', '3: cases: found 1, expected a text'),
        (f'[[indirect]]\nat = "a"\n{REASON}', "1: found a [[indirect]] without 'calls', expected one"),
        (f'[[apart]]\nfirst = "a"\n{REASON}', "1: found a [[apart]] without 'second', expected one"),
        ('[loop]\nat = "a"\n', '1: found [loop], expected [[loop]]'),
        ('[[loops]]\nat = "a"\n', "1: found 'loops', expected [cases]"),
        ('[cases]\na = []\n', '2: cases: found no parts, expected at least one'),
        ('[parameters]\na = "1"\n', "2: a: found '1', expected a number from 1"),
        ('[default]\na = 1\n', '2: a: found 1, expected the name of a case'),
        ('[[allocator]]\nname = "a"\nacquire = "b"\n', "1: found a [[allocator]] without 'release', expected one"),
    ]

    def test_says_what_is_wrong_with_notes(self):
        for text, words in self.NOTES:
            with self.subTest(text=text):
                code, printed, complaint = self.ask('straight', text)
                self.assertEqual((code, printed), (UNREADABLE, ''))
                self.assertTrue(complaint.startswith(f'mete bound: notes.toml:{words}'), complaint)

    def test_says_what_is_wrong_with_the_command_line(self):
        for arguments, words in (
                ([], 'found no program, expected an ELF file'),
                (['--format', 'xml', 'x'], "--format: found 'xml', expected text or json"),
                (['--set', 'a', 'x'], "--set: found 'a', expected NAME=NUMBER, from 1"),
                (['--set', 'a=0', 'x'], "--set: found 'a=0'"), (['--set', 'a=-1', 'x'], "--set: found 'a=-1'"),
                (['--set', '=1', 'x'], "--set: found '=1'"), (['--set', 'a=1x', 'x'], "--set: found 'a=1x'")):
            code, printed, complaint = self.run_it(*arguments)
            self.assertEqual((code, printed), (USAGE, ''))
            self.assertIn(words, complaint)
        for arguments, words in ((['--case', 'kk', self.elf], "--case: found 'kk', expected a case"),
                                 (['--notes', 'missing', self.elf], 'missing: No such file')):
            code, printed, complaint = self.run_it(*arguments)
            self.assertEqual((code, printed), (UNREADABLE, ''))
            self.assertIn(words, complaint)


SPIN = """
extern volatile int v;
static inline __attribute__((always_inline)) void spin(int n)
{
    do {
        v = n;
    } while (--n != 0);
}
"""
LEFT_OUT = """
#include "spin.h"
volatile int v;
void first(void)
{
    v = 0;
}
void live(int n)
{
    v = 2;
    spin(n);
}
void left_out(void)
{
""" + '    v = 1;\n' * 60 + '}\n'


class LeftOut(Command):
    """What the linker leaves out still stands in the debug information, from address 0 on, where there is other code."""

    @classmethod
    def setUpClass(cls):
        source = HERE / 'left_out.c'
        source.write_text(LEFT_OUT)
        (HERE / 'spin.h').write_text(SPIN)
        cls.elf = build('left_out.elf', M4, '-O2', '-ffunction-sections', '-Wl,--gc-sections', '-Wl,-e,live',
                        '-Wl,-u,first', '-Wl,-Ttext=0', source)

    def test_does_not_hide_what_is_there(self):
        self.assertEqual(self.ask('live', loop('spin', 5, 'in = "spin.h"\n'))[0], OK)
        self.assertIn('live > spin', self.ask('live')[2])


class User(Command):
    """A program with all of Mete, and no notes of its own: for every core and way to compile."""
    MODULES = ['arena', 'atomic_pool', 'buddy', 'heap', 'heap_wide', 'list', 'movable', 'pool', 'slab']
    NAMES = {'ARENA', 'ATOMIC_POOL', 'BUDDY', 'HEAP', 'HEAP_WIDE', 'POOL', 'SLAB'}
    BUILDS = {'m4': [*M4, '-O2'], 'm33': ['arm-none-eabi-gcc', '-mcpu=cortex-m33+nofp', *ARM[1:], '-Os'],
              'm0': [*M0, '-Os'], 'rv_s': [*RISCV, '-Os'], 'rv_2': [*RISCV, '-O2']}

    @staticmethod
    @functools.cache
    def build(name):
        sources = [f'mete/alloc/{m}.c' for m in User.MODULES] + ['mete/core/words.c', 'mete/core/realloc.c']
        return build(f'user_{name}.elf', User.BUILDS[name], '-std=gnu11', '-ffreestanding', f'-I{ROOT}', '-Wl,-e,main',
                     '-ffunction-sections', '-Wl,--gc-sections', 'tests/tools/bound_user.c', 'port/cpu/compiler.c',
                     *sources, '-lgcc')

    def test_everything_has_a_bound(self):
        for name in self.BUILDS:
            with self.subTest(build=name):
                elf, header = self.build(name), HERE / f'bounds_{name}.h'
                code, printed, complaint = self.run_it(elf, '--header', header)
                self.assertEqual((code, complaint), (OK, ''))
                self.assertGreater(int(re.search(r'^mete_heap_alloc +(\d+)', printed, re.M)[1]), 100)
                found = dict(re.findall(r'^#define METE_BOUND_(\w+) \{(\d+U, \d+U, \d+U)\}$', header.read_text(), re.M))
                self.assertEqual(set(found), self.NAMES)
                self.assertTrue(found['SLAB'].startswith('0U, '))  # To add a slab is not bounded: it is said, too.
                self.assertIn('// acquire: add_slab: a ', header.read_text())
                for allocator in self.NAMES - {'SLAB'}:
                    self.assertNotIn(' 0U', ' ' + found[allocator], allocator)

    def test_the_header_is_one_for_timing_and_stays_as_it_is(self):
        elf, header = self.build('m4'), HERE / 'bounds.h'
        self.assertEqual(self.run_it(elf, '--header', header)[0], OK)
        before = os.stat(header).st_mtime_ns
        self.assertEqual(self.run_it(elf, '--header', header)[0], OK)
        self.assertEqual(os.stat(header).st_mtime_ns, before)
        for compiler in (['arm-none-eabi-gcc', '-std=c11'], ['arm-none-eabi-g++', '-std=c++17']):
            source = HERE / ('use.c' if compiler[1] == '-std=c11' else 'use.cpp')
            source.write_text('#include "bounds.h"\n#include "mete/wrap/timing.h"\n'
                              'extern const mete_timing_costs_t bounds;\n'
                              'const mete_timing_costs_t bounds = METE_BOUND_HEAP;\n')
            subprocess.run([*compiler, '-Wall', '-Wextra', '-Werror', f'-I{ROOT}', '-c', source, '-o', HERE / 'use.o'],
                           check=True)

    def test_parameters_change_what_depends_on_them(self):
        elf = self.build('m4')
        small, large = (int(self.run_it(elf, 'mete_buddy_alloc', '--set', f'buddy.levels={n}')[1].split()[1])
                        for n in (4, 20))
        self.assertLess(small + 16 * 10, large)

    def test_static_functions_are_told_apart_by_file(self):
        elf = self.build('m4')
        code, _, complaint = self.run_it(elf, 'acquire')
        self.assertEqual(code, REFUSED)
        self.assertRegex(complaint, r'found \d functions of this name, expected one: FILE:FUNCTION says which')
        self.assertEqual(self.run_it(elf, 'heap.c:acquire', 'heap_wide.c:acquire', 'pool.c:acquire')[0], OK)

    def test_a_header_that_cannot_be_written(self):
        code, _, complaint = self.run_it(self.build('m4'), 'mete_pool_alloc', '--header', '/nowhere/bounds.h')
        self.assertEqual(code, UNREADABLE)
        self.assertIn('/nowhere/bounds.h', complaint)


class Decoding(unittest.TestCase):
    """Every instruction of 16 bits, and many of 32, as binutils read them."""

    def listed(self, words, machine, *objdump):
        """Of each word what binutils say, and what we do."""
        blob = HERE / 'blob'
        blob.write_bytes(b''.join(struct.pack('<I', w) for w in words))
        text = subprocess.run([*objdump, '-D', '-b', 'binary', '--no-show-raw-insn', blob], capture_output=True,
                              text=True, check=True).stdout
        theirs = {int(a, 16): (m, o.strip()) for a, m, o in re.findall(r'^ *([0-9a-f]+):\t(\S+)[ \t]*([^;<@\n]*)', text, re.M)}
        with open(blob, 'rb') as file:
            ours = subprocess.run([FLOW_LIST, machine], stdin=file, capture_output=True, text=True,
                                  check=True).stdout.split('\n')
        for i, word in enumerate(words):
            if 4 * i in theirs:
                yield word, theirs[4 * i], tuple(ours[i].split())

    def expect(self, word, said, kind, target, ours):
        self.assertEqual(ours, (kind, f'{target:x}'), f'{word:#x}: {" ".join(said)}')

    CONDITION = '(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)'

    def thumb_kind(self, name, operands):
        name = re.sub(r'\.[nw]$', '', name)
        if name == 'bl':
            return 'c'
        if name == 'b':
            return 'j'
        if name in ('cbz', 'cbnz') or re.fullmatch('b' + self.CONDITION, name):
            return 'b'
        if name in ('blx', 'blxns'):
            return 'p'
        if name in ('bx', 'bxns'):
            return 'r' if operands == 'lr' else 'q'
        if name == 'udf':
            return 'x'
        if re.match('(pop|ldm)', name) and re.search(r'\bpc\b', operands.split('{')[-1]):
            return 'r'
        if name in ('tbb', 'tbh'):
            return 't'
        if name in ('mov', 'add', 'ldr') and operands.startswith('pc'):
            return 'r' if (name, operands) == ('mov', 'pc, lr') or re.match(r'pc, \[sp\], #\d', operands) else 't'
        return 'n'

    def check_thumb(self, words):
        count = 0
        for word, said, ours in self.listed(words, 'thumb', 'arm-none-eabi-objdump', '-marm', '-Mforce-thumb'):
            name, operands = said
            if 'UNDEFINED' in operands or 'UNPREDICTABLE' in operands or 'illegal' in operands or name.startswith('.'):
                continue
            if operands.startswith('pc') and (name == 'ldrt' or name.endswith('.w') and name != 'ldr.w'):
                continue  # Unpredictable, though binutils do not say so.
            kind = self.thumb_kind(name, operands)
            target = int(operands.split()[-1].removeprefix('0x'), 16) if kind in 'bjc' else 0
            self.expect(word, said, kind, target, ours)
            count += 1
        return count

    def test_all_of_thumb_in_16_bits(self):
        # Behind each a NOP, which an if-then before it makes conditional.
        halves = [h for h in range(0xE800) if not 0xBF01 <= h <= 0xBFFF]
        self.assertGreater(self.check_thumb([h | 0xBF000000 for h in halves]), 50000)

    def test_thumb_in_32_bits(self):
        chance = random.Random(5)
        words = [chance.randrange(0x10000) << 16 | chance.randrange(0xE800, 0x10000) for _ in range(40000)]
        words += [chance.randrange(0x8000, 0x10000) << 16 | chance.randrange(0xF000, 0xF800) for _ in range(40000)]
        words += [0xF000 | 1 << 16 | 0xE8D0, 0xFB04F85D, 0xF000F8DF, 0x8000E8BD, 0x8FF0E8BD, 0xA000F7F0]
        words = [w for w in words if (w & 0xFFFF, w >> 28) not in ((0xF3AF, 8),)]
        words = [w for w in words if not ((w & 0xF800) == 0xF000 and (w >> 16) & 0xD000 == 0xC000)]  # Of A and v8.1-M
        self.assertGreater(self.check_thumb(words), 30000)

    def riscv_kind(self, name, operands):
        if name in ('beqz', 'bnez', 'blez', 'bgez', 'bltz', 'bgtz', 'beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu', 'bgt',
                    'ble', 'bgtu', 'bleu'):
            return 'b'
        return {'ret': 'r', 'mret': 'r', 'j': 'j', 'jal': 'c', 'ebreak': 'x', 'unimp': 'x'}.get(name) or (
            ('r' if operands in ('t0', 'ra') else 'q') if name == 'jr' else 'p' if name == 'jalr' else 'n')

    def check_riscv(self, words):
        count = 0
        for word, said, ours in self.listed(words, 'riscv', 'riscv64-unknown-elf-objdump', '-mriscv:rv32'):
            name, operands = said
            if name.startswith(('.', '0x')) or name == 'c.unimp' or name in ('sret', 'uret', 'dret'):
                continue
            kind = self.riscv_kind(name, operands)
            if kind in 'qp' and word & 3 == 3 and (word >> 7) & 31 == 0:
                kind = 'q'
            target = int(operands.split(',')[-1].removeprefix('0x'), 16) & 0xFFFFFFFF if kind in 'bjc' else 0
            self.expect(word, said, kind, target, ours)
            count += 1
        return count

    def test_all_of_risc_v_in_16_bits(self):
        self.assertGreater(self.check_riscv([h | 0x00010000 for h in range(1, 0x10000) if h & 3 != 3]), 30000)

    def test_risc_v_in_32_bits(self):
        chance = random.Random(6)
        words = [chance.getrandbits(25) << 7 | chance.choice((0x63, 0x67, 0x6F, 0x13, 0x33, 0x17, 0x37, 0x73, 0x03))
                 for _ in range(60000)]
        self.assertGreater(self.check_riscv(words + [0x00008067, 0x00028067, 0x30200073, 0x00100073, 0xC0001073]), 30000)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

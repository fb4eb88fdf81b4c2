#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""`mete stack` from outside: functions whose stack is known by reading them, and all of Mete beside what the compiler
says of its frames.

usage: test_stack_command.py METE
"""

import functools
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

METE = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
OK, REFUSED, UNREADABLE, USAGE = 0, 1, 2, 64
ARM = ['arm-none-eabi-gcc', '-mthumb', '-g', '-nostdlib']
M4 = ARM + ['-mcpu=cortex-m4']
M4F = M4 + ['-mfloat-abi=hard', '-mfpu=fpv4-sp-d16']
M0 = ARM + ['-mcpu=cortex-m0plus']
M33 = ARM + ['-mcpu=cortex-m33+nofp']
RISCV = ['riscv64-unknown-elf-gcc', '-march=rv32imac', '-misa-spec=2.2', '-mabi=ilp32', '-g', '-nostdlib']
ARGUMENTS = 16  # Bytes of registers that hold arguments.
FOLDER = tempfile.TemporaryDirectory()
HERE = pathlib.Path(FOLDER.name)


def build(name, compiler, *arguments):
    elf = HERE / name
    subprocess.run([*compiler, *arguments, '-o', elf], cwd=ROOT, check=True)
    return elf


def run_it(*arguments):
    """(exit code, what was printed, what was complained of)"""
    done = subprocess.run([METE, 'stack', *arguments], capture_output=True, text=True, check=False, cwd=HERE)
    return done.returncode, done.stdout, done.stderr


def ask(elf, *questions, notes=''):
    """Exit code, and what JSON says of each question."""
    (HERE / 'notes.toml').write_text(notes)
    code, printed, complaint = run_it('--bare', '--notes', 'notes.toml', '--format', 'json', elf, *questions)
    assert complaint == '', complaint
    return code, json.loads(printed)['functions']


class Known(unittest.TestCase):
    def expect(self, function, size):
        code, (answer,) = ask(self.elf, function)
        self.assertEqual((function, answer.get('bytes', answer.get('refused'))), (function, size))
        self.assertEqual(code, OK)
        self.assertEqual(sum(link['bytes'] for link in answer['chain']), size)
        return [link['function'] for link in answer['chain']]

    def expect_refusal(self, function, *words, notes=''):
        code, (answer,) = ask(self.elf, function, notes=notes)
        self.assertEqual(code, REFUSED)
        for word in words:
            self.assertIn(word, answer['refused'])


class Thumb(Known):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('frames', M4F, '-Wl,-e,nothing', 'tests/tools/stack_frames.s')

    def test_adds_what_instructions_take(self):
        for function, size in (('nothing', 0), ('pushes', 12), ('makes_room', 48), ('with_pointer', 24),
                               ('late_information', 20), ('wide', 36 + 1024 + 4000 + 8 + 16 + 4)):
            self.expect(function, size)

    def test_follows_the_deeper_call_from_where_it_is_made(self):
        self.assertEqual(self.expect('calls', 56), ['calls', 'makes_room'])
        self.assertEqual(self.expect('between', 48), ['between'])
        self.assertEqual(self.expect('tail', 48), ['tail', 'makes_room'])
        self.assertEqual(self.expect('switches', 56), ['switches', 'makes_room'])

    def test_counts_what_never_returns(self):
        self.expect('forever', 20)
        self.expect('traps', 56)

    def test_knows_that_a_return_is_not_always_taken(self):
        self.expect('early', 48)
        self.expect('beyond_return', 60)
        self.expect('sometimes', 56)

    def test_refuses_what_has_no_bound(self):
        self.expect_refusal('unknown_size', 'unknown_size: a frame whose size is known only at run time at 0x')
        self.expect_refusal('adds_register', 'adds_register: a frame whose size')
        self.expect_refusal('other_stack', 'other_stack: a frame whose size')
        self.expect_refusal('ping', 'pong: recursion into ping, called by ping')
        self.expect_refusal('nowhere', 'nowhere: found 0 functions of this name, expected one')

    def test_asks_where_a_pointer_leads(self):
        self.expect_refusal('pointer', 'pointer: a call through a pointer at 0x')
        self.expect_refusal('reaches_pointer', 'pointer: a call through a pointer at 0x', ', called by reaches_pointer')
        note = '[[indirect]]\nat = "pointer"\ncalls = ["pushes", "makes_room"]\nreason = "a test"\n'
        code, (answer,) = ask(self.elf, 'reaches_pointer', notes=note)
        self.assertEqual((code, answer['bytes']), (OK, 8 + 8 + 48))
        self.assertEqual(answer['assumes'], [{'at': 'pointer', 'reason': 'a test'}])
        code, (answer,) = ask(self.elf, 'pointer', notes=note.replace('["pushes", "makes_room"]', '[]'))
        self.assertEqual((code, answer['bytes']), (OK, 8))

    def test_tells_the_gap(self):
        for question, code, words in (
                ('calls=50', OK, ['seen 50: 6 were never reached']),
                ('calls=56/64', OK, ['seen 56: 0 were never reached', 'of 64: 8 to spare']),
                ('calls=/56', OK, ['of 56: 0 to spare']), ('calls=/55', REFUSED, ['of 55: 1 TOO FEW']),
                ('calls=160', OK, ['seen 160: 104 more than its calls take']),
                ('calls=160/128', REFUSED, ['seen 160: 104 more than its calls take', 'of 128: 32 TOO FEW'])):
            found, printed, complaint = run_it(self.elf, question)
            self.assertEqual((found, complaint), (code, ''), question)
            for word in ['8 calls > 48 makes_room', *words]:
                self.assertIn(word, printed)

    def test_reports_in_json(self):
        code, (answer,) = ask(self.elf, 'calls=50/64')
        del answer['file'], answer['line']
        self.assertEqual(code, OK)
        self.assertEqual(answer, {'function': 'calls', 'seen': 50, 'size': 64, 'bytes': 56, 'assumes': [],
                                  'chain': [{'function': 'calls', 'bytes': 8}, {'function': 'makes_room', 'bytes': 48}]})

    def test_a_refusal_does_not_keep_others_from_their_answers(self):
        code, printed, complaint = run_it(self.elf, 'ping', 'pushes')
        self.assertEqual(code, REFUSED)
        self.assertIn('pushes', printed)
        self.assertIn('mete stack: pong: recursion', complaint)

    def test_says_what_is_wrong_with_the_command_line(self):
        wanted = 'expected FUNCTION[=SEEN][/SIZE], in bytes from 1'
        for arguments, words in (([], 'found no program, expected an ELF file'),
                                 (['--format', 'xml', self.elf], "--format: found 'xml'"),
                                 *(([self.elf, q], f"found '{q}', {wanted}") for q in (
                                     '', '=1', 'a=', 'a=0', 'a=-1', 'a=x', 'a=1x', 'a=1/', 'a=1/0', 'a=/', 'a=1/2/3',
                                     'a=4294967296', 'a=99999999999999999999'))):
            code, printed, complaint = run_it(*arguments)
            self.assertEqual((code, printed), (USAGE, ''), arguments)
            self.assertIn(words, complaint)

    def test_says_what_is_wrong_with_a_file(self):
        for arguments, words in ((['missing'], 'missing: No such file'), ([METE], 'found machine 62'),
                                 (['--notes', 'missing', self.elf], 'missing: No such file')):
            code, printed, complaint = run_it(*arguments)
            self.assertEqual((code, printed), (UNREADABLE, ''))
            self.assertIn(words, complaint)


class RiscV(Known):
    @classmethod
    def setUpClass(cls):
        cls.elf = build('frames_riscv', RISCV, '-Wl,-e,nothing', 'tests/tools/stack_frames_riscv.s')

    def test_adds_what_instructions_take(self):
        for function, size in (('nothing', 0), ('small', 16), ('middle', 496), ('large', 2032), ('calls', 512), ('with_pointer', 48),
                               ('tail', 2032), ('forever', 32)):
            self.expect(function, size)

    def test_refuses_what_has_no_bound(self):
        self.expect_refusal('unknown_size', 'unknown_size: a frame whose size is known only at run time at 0x')
        self.expect_refusal('other_stack', 'other_stack: a frame whose size')
        self.expect_refusal('pointer', 'pointer: a call through a pointer at 0x')


class Compiled(unittest.TestCase):
    """All of Mete that calls no pointers, beside the compiler's own word on each frame. It forgets registers that hold
    part of an argument whose rest is in memory, and that a function stores in front of its frame."""
    MODULES = ['alloc/heap', 'alloc/list', 'alloc/pool', 'alloc/buddy', 'alloc/arena', 'alloc/movable', 'protect/stack',
               'protect/integrity']
    PLAIN = ['-fno-optimize-sibling-calls', '-fno-shrink-wrap']  # So that all calls are made from whole frames.

    @staticmethod
    @functools.cache
    def oracle():
        loader = importlib.machinery.SourceFileLoader('stack_depth', str(ROOT / 'tools/dev/stack-depth'))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader('stack_depth', loader))
        loader.exec_module(module)
        return module

    def expected(self, frames, calls, name):
        try:
            return self.oracle().depth_of(name, frames, calls)
        except self.oracle().Refusal:
            return None

    def compare(self, name, compiler, *options):
        folder = HERE / name
        folder.mkdir()
        objects = []
        for module in self.MODULES:
            objects.append(folder / f'{pathlib.Path(module).name}.o')
            subprocess.run([*compiler, *options, *self.PLAIN, f'-I{ROOT}', '-ffreestanding', '-fcallgraph-info=su', '-c',
                            f'mete/{module}.c', '-o', objects[-1]], cwd=ROOT, check=True)
        elf = folder / 'all'
        subprocess.run([*compiler, *objects, '-Wl,-e,mete_heap_init,--unresolved-symbols=ignore-all', '-lgcc', '-o', elf],
                       cwd=ROOT, check=True)
        graphs = sorted(folder.glob('*.ci'))
        names = [line.split('"')[1] for graph in graphs for line in graph.read_text().splitlines()
                 if line.startswith('node:') and 'bytes (' in line and ':' not in line.split('"')[1]]
        _, answers = ask(elf, *names)
        frames, calls = self.oracle().read(graphs)
        same, others = 0, 0
        for answer in answers:
            expected = self.expected(frames, calls, answer['function'])
            if 'bytes' in answer and expected is not None and not expected[1]:
                more = answer['bytes'] - expected[0]
                self.assertIn(more, range(0, ARGUMENTS * len(answer['chain']) + 1), (name, answer))
                same += (more == 0)
                others += (more != 0)
        self.assertGreater(same, 20, name)
        self.assertLess(others, same / 10, name)

    def test_the_notes_on_mete_are_built_in(self):
        elf = build('heap', M4, '-O2', f'-I{ROOT}', '-ffreestanding', 'mete/alloc/heap.c', 'mete/core/words.c',
                    '-Wl,-e,mete_heap_init,--unresolved-symbols=ignore-all')
        code, printed, complaint = run_it(elf, 'mete_heap_alloc')
        self.assertEqual((code, complaint), (OK, ''))
        self.assertIn('hook', printed)
        code, _, complaint = run_it('--bare', elf, 'mete_heap_alloc')
        self.assertEqual(code, REFUSED)
        self.assertIn('a call through a pointer', complaint)

    def test_cortex_m4(self):
        for level in '0', 's', '2':
            self.compare(f'm4_{level}', M4, f'-O{level}')

    def test_cortex_m0(self):
        self.compare('m0_0', M0, '-O0')
        self.compare('m0_s', M0, '-Os')

    def test_cortex_m33(self):
        self.compare('m33_2', M33, '-O2')

    def test_risc_v(self):
        for level in '0', 's', '2':
            self.compare(f'rv_{level}', RISCV, f'-O{level}')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""tools/dev/who-allocates on a program of which it is known who allocates."""
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'dev' / 'who-allocates'
SOURCES = ['tests/measure/allocates.c', 'mete/alloc/arena.c', 'mete/core/words.c', 'mete/core/realloc.c']
COMMON = ['-std=gnu11', '-ffreestanding', '-fno-builtin', '-nostdlib', '-Wl,-e,main', '-Wl,--build-id=none', '-I.']
COMPILERS = {
    'x86-64': ['gcc', '-static'],
    'x86-64, position independent': ['gcc', '-pie', '-fPIE'],
    'x86': ['gcc', '-m32', '-static', '-fno-pie'],
    'cortex-m4': ['arm-none-eabi-gcc', '-mcpu=cortex-m4', '-mthumb', '-nostartfiles'],
    'cortex-m33': ['arm-none-eabi-gcc', '-mcpu=cortex-m33', '-mthumb', '-nostartfiles'],
    'riscv32': ['riscv64-unknown-elf-gcc', '-march=rv32imac', '-mabi=ilp32', '-nostartfiles'],
}
INTERFACE = {
    'acquires: acquires through mete_acquire',
    'acquires_last: acquires through mete_acquire',
    'acquires_in_a_helper: acquires through mete_acquire',
    'releases: releases through mete_release',
    'resizes: resizes through mete_resize',
    'reallocates: acquires through mete_acquire',
    'reallocates: releases through mete_release',
    'reallocates: resizes through mete_resize',
}
DIRECT = {
    'reallocates: acquires by mete_realloc_move',
    'uses_malloc: acquires by malloc',
    'uses_free: releases by free',
    'uses_arena: acquires by mete_arena_alloc_checked',
}


class WhoAllocates(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def tell(self, compiler, *options, debug='-g', optimise='-O2'):
        """What the tool says about the program: its findings without places, the rest, its exit code."""
        elf = f'{self.folder.name}/elf'
        libgcc = [] if compiler[0] == 'gcc' else ['-lgcc']
        subprocess.run([*compiler, optimise, debug, *COMMON, *SOURCES, *libgcc, '-o', elf], cwd=ROOT, check=True,
                       capture_output=True)
        done = subprocess.run([TOOL, elf, *options], capture_output=True, text=True)
        self.assertEqual(done.stderr, '')
        lines = done.stdout.splitlines()
        found = {line.rpartition(' at ')[0] for line in lines if ' at ' in line}
        return found, [line for line in lines if ' at ' not in line], done.returncode, lines

    def test_finds_everybody_and_nobody_else(self):
        for name, compiler in COMPILERS.items():
            for optimise in '-O0', '-O2', '-Os':
                with self.subTest(name=name, optimise=optimise):
                    found, rest, code, _ = self.tell(compiler, optimise=optimise)
                    # Without optimisation a helper stays a function.
                    helper = 'helper' if optimise == '-O0' else 'acquires_in_a_helper'
                    expected = {f.replace('acquires_in_a_helper', helper) for f in INTERFACE | DIRECT}
                    self.assertEqual(found, expected)
                    self.assertIn('stored: the address of malloc', rest)
                    self.assertIn('9 functions call an allocator; 1 other calls through pointers', rest)
                    self.assertEqual(code, 1)

    def test_says_where_in_the_program(self):
        line = 1 + [i for i, text in enumerate((ROOT / SOURCES[0]).read_text().splitlines())
                    if 'return malloc(' in text][0]
        _, _, _, lines = self.tell(COMPILERS['cortex-m4'])
        self.assertIn(f'uses_malloc: acquires by malloc at allocates.c:{line}', lines)

    def test_knows_more_allocators_if_told(self):
        found, *_ = self.tell(COMPILERS['cortex-m4'], '--also', 'board_get_.*')
        self.assertEqual(found, INTERFACE | DIRECT | {'uses_own: acquires by board_get_buffer'})

    def test_leaves_out_whom_it_is_told_to(self):
        found, rest, code, _ = self.tell(COMPILERS['cortex-m4'], '--skip', 'acquires.*|re.*|uses.*')
        self.assertEqual((found, code), (set(), 0))
        self.assertIn('0 functions call an allocator; 1 other calls through pointers', rest)

    def test_lists_other_calls_through_pointers(self):
        found, *_ = self.tell(COMPILERS['cortex-m4'], '--pointers')
        self.assertEqual(found - INTERFACE - DIRECT, {'calls_a_pointer: calls through a pointer'})

    def test_admits_what_it_cannot_see_without_debugging_information(self):
        found, rest, code, _ = self.tell(COMPILERS['cortex-m4'], debug='-g0')
        self.assertEqual(found, DIRECT)
        self.assertIn("some have no debugging information: calls through pointers there may be anybody's", rest)
        self.assertEqual(code, 1)

    def test_refuses_other_machines(self):
        elf = pathlib.Path(self.folder.name) / 'elf'
        subprocess.run(['gcc', '-c', '-xc', '/dev/null', '-o', elf], check=True)
        image = bytearray(elf.read_bytes())
        image[18:20] = (8).to_bytes(2, 'little')  # MIPS
        elf.write_bytes(image)
        done = subprocess.run([TOOL, elf], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn('no idea', done.stderr)

    def test_a_file_that_is_none_is_no_verdict(self):
        for name, text in (('/nonexistent', 'No such file'), (ROOT / 'README.md', 'Not an ELF file')):
            done = subprocess.run([TOOL, name], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            self.assertRegex(done.stderr, f'^who-allocates: readelf: .*{text}.*\n$')

    def test_a_broken_expression_is_explained(self):
        done = subprocess.run([TOOL, 'elf', '--skip', '('], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("error: argument --skip: '(': ", done.stderr)


if __name__ == '__main__':
    unittest.main()

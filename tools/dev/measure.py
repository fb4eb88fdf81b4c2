# SPDX-License-Identifier: MIT OR Apache-2.0
"""How the measured programs are built: one set of options for every figure of docs/costs.md.

Cortex-M4, gcc. Instructions, bounds and stack at -O2, code size at -Os. Faults trap, as they do unless
a program says otherwise.
"""
import fcntl
import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / 'build' / 'bench'
CC = 'arm-none-eabi-gcc'
OPTIONS = ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=soft', '-std=gnu11', '-ffreestanding',
           '-ffunction-sections', '-fdata-sections', '-g', '-Wall', '-Wextra', '-Werror', f'-I{ROOT}']
CORE = ['mete/core/words.c', 'mete/core/realloc.c', 'mete/core/text.c']
PORT = ['port/board/mps2.c', 'port/cpu/start.c', 'port/cpu/compiler.c', 'port/cpu/cortex_m.c',
        'port/cpu/cortex_m_vectors.c', 'port/os/bare_metal.c', 'port/os/bare_metal_cortex_m.c',
        'port/io/semihosting.c', 'port/io/semihosting_console.c', 'port/io/semihosting_exit.c']


def run(*command, **more):
    """Runs a command in the root of the tree; its failure is ours. Returns what it prints."""
    done = subprocess.run([str(c) for c in command], cwd=ROOT, stdout=subprocess.PIPE, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f'{command[0]} ended with {done.returncode}: {" ".join(map(str, command))}')
    return done.stdout


def lock_build():
    """Keeps others out of the build folder until the program ends. Returns what must be kept open."""
    BUILD.mkdir(parents=True, exist_ok=True)
    lock = open(BUILD / 'lock', 'w', encoding='ascii')
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def is_current(target):
    """True if no file that the object was compiled from, nor this one, is newer."""
    listed = target.with_suffix('.d')
    if not (target.exists() and listed.exists()):
        return False
    sources = listed.read_text().replace('\\\n', ' ').split(':', 1)[1].split()
    sources.append(__file__)
    return all((ROOT / s).exists() and (ROOT / s).stat().st_mtime <= target.stat().st_mtime
               for s in sources)


def compile_object(source, optimise='-O2', level=1):
    """The object of a source file; its call graph with stack sizes lies beside it, as .ci."""
    folder = BUILD / f'{optimise.strip("-")}.l{level}'
    target = folder / pathlib.Path(source).with_suffix('.o')
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_current(target):
        return target
    run(CC, *OPTIONS, optimise, f'-DMETE_CHECK_LEVEL={level}', '-fstack-usage', '-fcallgraph-info=su',
        '-MMD', '-c', source, '-o', target)
    return target


@functools.cache
def mete():
    """The host command, as it is now."""
    folder = BUILD / 'tools'
    run('cmake', '-S', ROOT, '-B', folder, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DMETE_BUILD_TESTS=OFF',
        '-DMETE_BUILD_EXAMPLES=OFF')
    run('ninja', '-C', folder, 'mete_command')
    return folder / 'bin' / 'mete'


def build_firmware(source, modules, level=1):
    """Links a program of bench/ with the modules it measures; for the emulated mps2-an386."""
    elf = BUILD / f'{pathlib.Path(source).stem}.l{level}.elf'
    objects = [compile_object(s, '-O2', level) for s in [source, *modules, *CORE, *PORT]]
    run(CC, *OPTIONS, '-nostdlib', '-nostartfiles', '-Wl,--gc-sections', '-Wl,--build-id=none',
        '-Wl,--no-warn-rwx-segments', '-Lport/board', '-Tmps2-an386.ld', *objects, '-lgcc', '-o', elf)
    return elf

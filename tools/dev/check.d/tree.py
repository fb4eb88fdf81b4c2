# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the rule checks share: the tree they look at, and how they report.

A check is a program with one function that yields a Finding for each breach. It takes the folder to
judge as its only argument, the project's own by default: so the self-test can feed it bad trees.
"""

import collections
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

Finding = collections.namedtuple("Finding", "where wrong expected")

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
CODE = (".c", ".h", ".cpp")
NOT_OURS = ("build", "__pycache__")  # Folders, besides those that start with a dot.

# Presets whose objects are plain: the sanitizers call functions of their own everywhere.
PLAIN_PRESETS = ("host64", "host64-clang", "host32", "cortex-m0plus", "cortex-m4", "cortex-m33",
                 "riscv32")


def judge(check):
    """Runs a check on the tree named on the command line; exits 1 if it finds anything."""
    root = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else HOME
    count = 0
    for finding in check(root):
        count += 1
        print(f"{finding.where}: {finding.wrong}\n    expected: {finding.expected}")
    sys.exit(1 if count else 0)


def files(root, endings, *folders):
    """Paths, relative to the root, of the files with one of the endings, in order."""
    found = []
    for folder in folders or (".",):
        for path, subfolders, names in os.walk(os.path.join(root, folder)):
            subfolders[:] = [s for s in subfolders if s not in NOT_OURS and not s.startswith(".")]
            found += [os.path.relpath(os.path.join(path, n), root) for n in names
                      if n.endswith(endings)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def modules(root):
    """The modules of mete/ outside core, such as alloc/pool: every .c there has a .h of its name, but for
    the parts of system/, with_<part>.c."""
    return [path[len("mete/"):-len(".c")] for path in files(root, ".c", "mete")
            if not path.startswith(("mete/core/", "mete/system/with_"))]


def parts(root, module):
    """The parts that a system can be given, each in mete/system/with_<part>.c."""
    return [path for path in files(root, ".c", "mete")
            if module == "system/system" and path.startswith("mete/system/with_")]


def includes(text):
    """Yields line number, name and whether it is in quotes, for each #include of a file's text."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def layer_exceptions(root):
    """Yields line number, includer, included and reason from tools/dev/layer-exceptions.txt."""
    path = "tools/dev/layer-exceptions.txt"
    if not os.path.exists(os.path.join(root, path)):
        return
    for number, line in enumerate(read(root, path).splitlines(), 1):
        names, _, reason = line.partition("#")
        if names.strip():
            includer, included = names.split()
            yield number, includer, included, reason.strip()


def run(command, cwd=None):
    """Exit code and all output of a command."""
    done = subprocess.run(command, cwd=cwd, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def in_parallel(function, arguments):
    """Results of function(*a) for each a, in order, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda a: function(*a), arguments))


def scratch(root, name):
    """A folder for a check's own files, below the build folder."""
    path = os.path.join(root, os.environ.get("BUILD", "build"), "check", name)
    os.makedirs(path, exist_ok=True)
    return path


def library_commands(root, preset):
    """How CMake compiles each file of the library for a preset: path -> command, without the
    optimisation level, the output and the file."""
    folder = scratch(root, preset)
    code, output = run(["cmake", "--preset", preset, "-B", folder, "-DMETE_BOARD=",
                        "-DMETE_BUILD_TESTS=OFF", "-DMETE_BUILD_TOOLS=OFF",
                        "-DMETE_BUILD_EXAMPLES=OFF"], cwd=root)
    if code != 0:
        sys.exit(f"{preset}: the library cannot be configured\n{output}")
    commands = {}
    with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            path = os.path.relpath(entry["file"], root)
            words = shlex.split(entry["command"])
            end = words.index("-o")
            commands[path] = [w for w in words[:end] if not re.fullmatch(r"-O\w*|-g", w)]
    return commands

"""Running a program under callgrind, and what it counted.

Valgrind counts instructions, not time, so the figures repeat exactly. A figure per span is the difference between a
run with 2N spans and one with N, over N: what is done once cancels out. Only the main thread counts, and of it only the
program's function `measured`: what it does at its start and end depends on where the worker is just then.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77


def need(*programs):
    """Skips the test when a program is missing; under CI that is a failure."""
    for program in programs:
        if not shutil.which(program):
            print(f"{program} is not installed")
            sys.exit(1 if os.environ.get("CI") else SKIP)


def run(command, by_instruction=False):
    """The main thread's instructions: {(object file, address, function): executions}; else one sum, at None."""
    with tempfile.TemporaryDirectory() as temporary:
        out = pathlib.Path(temporary) / "out"
        finished = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--separate-threads=yes", "--toggle-collect=*measured*",
             f"--dump-instr={'yes' if by_instruction else 'no'}", "--compress-pos=no", "--compress-strings=no",
             "--combine-dumps=no", *command], capture_output=True, text=True, timeout=900)
        if finished.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit {finished.returncode}\n{finished.stderr[-2000:]}")
        dumps = sorted(pathlib.Path(temporary).glob("out*"))
        main_thread = [dump for dump in dumps if dump.name.endswith("-01")] or dumps[-1:]
        counts = collections.Counter()
        for dump in main_thread:
            counts.update(parse(dump.read_text(errors="replace"), by_instruction))
        if not counts:
            sys.exit(f"callgrind left no figures for {' '.join(command)}: {[dump.name for dump in dumps]}")
        return counts


def parse(text, by_instruction):
    """The self cost of each instruction of one dump (format: valgrind's callgrind manual, section 9.2)."""
    if not by_instruction:
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        return {None: int(total.group(1))} if total else {}
    counts = collections.Counter()
    object_file = function = "?"
    after_call = False
    for line in text.splitlines():
        if line.startswith("ob="):
            object_file = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            after_call = True  # the next line is the callee's inclusive cost, not a cost of this instruction
        elif line.startswith("0x"):
            if not after_call:
                fields = line.split()
                counts[(object_file, int(fields[0], 16), function)] += int(fields[2]) if len(fields) > 2 else 0
            after_call = False
    return counts


def per_span(program, mode, count):
    """Instructions a span of `PROGRAM MODE N`."""
    def counted(spans):
        return run([program, mode, str(spans)])[None]

    return (counted(2 * count) - counted(count)) / count

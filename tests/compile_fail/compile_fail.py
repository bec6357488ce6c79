"""What must not compile does not, and says why in our words.

    compile_fail.py --include DIRECTORY FILE COMPILER...

A file holds its mistake between `#ifdef MISTAKE` and `#endif`, and above it one line `// expect: text` for each text
that the compiler must print (`// expect[g++]: text` for one compiler only). Without the mistake the file must compile:
that is the control. The file has a `main` or none; nothing is linked.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--include", required=True)
parser.add_argument("file")
parser.add_argument("compilers", nargs="+")
arguments = parser.parse_args()

EXPECT = re.compile(r"^\s*// expect(?:\[([^\]]+)\])?: (.+?)\s*$", re.M)
expectations = EXPECT.findall(pathlib.Path(arguments.file).read_text())
problems = []
if not expectations:
    problems.append(f"{arguments.file}: no line `// expect: text`")


def compile_it(compiler, *flags):
    return subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I",
                           arguments.include, *flags, arguments.file], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"})


for compiler in arguments.compilers:
    if not shutil.which(compiler):
        if os.environ.get("CI"):
            problems.append(f"{compiler} is not installed")
        continue
    control = compile_it(compiler)
    if control.returncode != 0:
        problems.append(f"{compiler}: does not compile even without the mistake:\n{control.stderr[:2000]}")
        continue
    mistaken = compile_it(compiler, "-DMISTAKE")
    if mistaken.returncode == 0:
        problems.append(f"{compiler}: compiles with the mistake")
        continue
    family = "clang++" if "clang" in compiler else "g++"
    for only, text in expectations:
        if (not only or only == family) and text not in mistaken.stderr:
            problems.append(f"{compiler}: does not say: {text}\nbut:\n{mistaken.stderr[:2000]}")

print(*problems, sep="\n")
sys.exit(1 if problems else 0)

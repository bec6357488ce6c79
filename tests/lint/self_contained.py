"""Each header compiles by itself, twice in a row, without a warning, under every compiler given.

    self_contained.py [--cache FILE] COMPILER...

With a cache, what passed before and has not changed since is not compiled again.
"""

import argparse
import pathlib
import subprocess

from common import INCLUDE, WARNINGS, Passed, compilers, finish, headers, package_flags, parallel

FLAGS = ["-std=c++20", "-fsyntax-only", "-I", str(INCLUDE), *WARNINGS, *package_flags("--cflags")]
# The one header that a macro steers.
EXTRA = {"fulgurite/select.hpp": ["-DFULGURITE_BACKEND=noop"]}


parser = argparse.ArgumentParser()
parser.add_argument("--cache", type=pathlib.Path)
parser.add_argument("compilers", nargs="+")
arguments = parser.parse_args()
passed = Passed(arguments.cache)


def compile_alone(job):
    compiler, header = job
    flags = FLAGS + EXTRA.get(str(header), [])
    key = passed.key(compiler, flags, header)
    if key in passed:
        return None
    # Twice: a header without a guard defines everything again.
    source = f"#include <{header}>\n#include <{header}>\n"
    run = subprocess.run([compiler, *flags, "-x", "c++", "-"], input=source, capture_output=True, text=True)
    if run.returncode == 0:
        passed.add(key)
        return None
    return f"{compiler}: {header} does not compile alone:\n" + "\n".join(run.stderr.splitlines()[:20])


present = compilers(arguments.compilers)
jobs = [(compiler, header) for compiler in present for header in headers()]
problems = [problem for problem in parallel(compile_alone, jobs) if problem]
passed.save()
finish(problems, f"{len(jobs) // len(present)} headers under {', '.join(present)}")

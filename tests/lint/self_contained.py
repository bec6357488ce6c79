"""Each header compiles by itself, twice in a row, without a warning, under every compiler given.

    self_contained.py COMPILER...
"""

import subprocess
import sys

from common import INCLUDE, WARNINGS, compilers, finish, headers, package_flags, parallel

FLAGS = ["-std=c++20", "-fsyntax-only", "-I", str(INCLUDE), *WARNINGS, *package_flags("--cflags")]
# The one header that a macro steers.
EXTRA = {"fulgurite/select.hpp": ["-DFULGURITE_BACKEND=noop"]}


def compile_alone(job):
    compiler, header = job
    # Twice: a header without a guard defines everything again.
    source = f"#include <{header}>\n#include <{header}>\n"
    run = subprocess.run([compiler, *FLAGS, *EXTRA.get(str(header), []), "-x", "c++", "-"], input=source,
                         capture_output=True, text=True)
    if run.returncode == 0:
        return None
    return f"{compiler}: {header} does not compile alone:\n" + "\n".join(run.stderr.splitlines()[:20])


present = compilers(sys.argv[1:])
jobs = [(compiler, header) for compiler in present for header in headers()]
finish([problem for problem in parallel(compile_alone, jobs) if problem],
       f"{len(jobs) // len(present)} headers under {', '.join(present)}")

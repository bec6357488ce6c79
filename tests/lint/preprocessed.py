"""How many lines the compiler reads for each tier, against its limit: the size of a header is part of its interface.

    preprocessed.py COMPILER
"""

import subprocess
import sys

from common import INCLUDE, finish, package_flags

# header: (goal, limit that fails the test)
TIERS = {
    "fulgurite/noop.hpp": (30_000, 30_000),
    # The goal is missed: threads, chrono and shared_ptr are 90,000 lines by themselves. The limit holds what there is.
    "fulgurite/fulgurite.hpp": (80_000, 113_000),
    "fulgurite/any_tracer.hpp": (80_000, 110_000),
    "fulgurite/runtime.hpp": (85_000, 114_000),
}


def lines(compiler, source):
    run = subprocess.run([compiler, "-std=c++20", "-E", "-I", str(INCLUDE), *package_flags("--cflags"), "-x", "c++",
                          "-"], input=source, capture_output=True, text=True)
    return run.stdout.count("\n") if run.returncode == 0 else None


compiler = sys.argv[1]
problems = []
# Not a constant: what the standard library itself weighs under this compiler.
for name in ("string_view", "thread", "chrono"):
    print(f"{lines(compiler, f'#include <{name}>'):>8,}  <{name}>")
for header, (goal, limit) in TIERS.items():
    if not (INCLUDE / header).exists():
        print(f"{'-':>8}  <{header}> does not exist yet")
        continue
    count = lines(compiler, f"#include <{header}>")
    if count is None:
        problems.append(f"{header} does not preprocess")
        continue
    print(f"{count:>8,}  <{header}> (goal {goal:,}, limit {limit:,})")
    if count >= limit:
        problems.append(f"{header}: {count:,} lines after preprocessing, the limit is {limit:,}")
finish(problems, f"{len(TIERS)} tiers under {compiler}")

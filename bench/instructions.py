"""Instructions a span, counted by callgrind, beside their goals; and what is promised about the code of the hot path.

    instructions.py --program PROGRAM --floor CLOCK_READS

PROGRAM is tests/codegen/hot_path.cpp, CLOCK_READS is bench/clock_reads.cpp: two reads of the clock and nothing else.
"""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys

import table

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODEGEN = ROOT / "tests" / "codegen"
sys.path.insert(0, str(CODEGEN))
import callgrind  # noqa: E402  (the tests' own)

# The case of the program, what the table calls it, and the goal.
CASES = [
    ("child", "child", 70),
    ("attributes", "child + 4 schema attributes", 100),
    ("set_attributes", "child + 4 run-time attributes", 170),
    ("root", "root", 120),
    ("unsampled", "unsampled child", 10),
    ("any_off", "any_tracer: off", 10),
]
PEERS = [("any_child", "child"), ("any_attributes", "attributes"), ("any_root", "root")]
COUNT = 60


def promise(name, *command):
    """A row of a test that passes or fails."""
    result = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    if result.returncode == callgrind.SKIP:
        return None
    return {"name": name, "figure": 0 if result.returncode == 0 else 1, "unit": "failed", "at_most": 0}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--floor", required=True)
    arguments = parser.parse_args()
    callgrind.need("valgrind")

    modes = [mode for mode, _, _ in CASES] + [mode for mode, _ in PEERS]
    jobs = [(arguments.floor, "floor")] + [(arguments.program, mode) for mode in modes]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        floor, *counts = pool.map(lambda job: callgrind.per_span(*job, COUNT), jobs)
    counts = dict(zip(modes, counts))

    names = {mode: name for mode, name, _ in CASES}
    rows = [{"name": name, "figure": counts[mode], "unit": "instructions", "at_most": goal, "floor": floor,
             "floor_name": "two clock reads"} for mode, name, goal in CASES]
    rows += [{"name": f"any_tracer: {names[peer]}", "figure": counts[mode], "unit": "instructions",
              "at_most": round(1.05 * counts[peer], 1), "floor": counts[peer], "floor_name": "the static tracer"}
             for mode, peer in PEERS]
    rows.append(promise("noop_tracer: functions with any code of it", CODEGEN / "noop_is_nothing.py", "--source",
                        CODEGEN / "noop_pairs.cpp", "--include", ROOT / "include", os.environ.get("CXX", "g++")))
    rows.append(promise("allocation, lock or system call on the path", CODEGEN / "no_locks.py", "--program",
                        arguments.program, *[f"{mode}:{COUNT}" for mode in ("child", "attributes", "root", "unsampled")],
                        "set_attributes:35"))
    table.print_rows([row for row in rows if row])


if __name__ == "__main__":
    main()

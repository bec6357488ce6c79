"""One table of the benchmarks' figures: the least time of each case, and its ratio to the floor of the same run.

    table.py RESULTS.json...    (Google Benchmark's JSON)
"""

import json
import sys

FLOOR = "floor: two clock reads"
# Ratios to the floor; the instruction counts that tests gate are in tests/codegen/meson.build.
GOALS = {"child": 1.20, "child + 4 schema attributes": 1.35}

for path in sys.argv[1:]:
    with open(path) as file:
        runs = json.load(file)["benchmarks"]
    least = {}
    for run in runs:
        # A benchmark that is repeated shows its least run; one that is not, its only one.
        if run.get("aggregate_name", "min") == "min":
            least[run["run_name"].split("/iterations:")[0]] = run
    floor = least.get(FLOOR)
    if floor:
        floor = floor["real_time"]
        print(f"{'':44}{'ns':>8}{'x floor':>10}   goal")
        for name, run in least.items():
            time = run["real_time"]
            goal = GOALS.get(name)
            verdict = "" if goal is None else f"   <= {goal:.2f}  {'met' if time <= goal * floor else 'MISSED'}"
            print(f"{name:44}{time:8.1f}{time / floor:10.2f}{verdict}")
    else:
        print(f"{'':44}{'ns a span':>10}{'M spans/s':>11}{'MB/s':>9}")
        for name, run in least.items():
            spans = run.get("items_per_second", 0)
            octets = run.get("bytes_per_second", 0)
            per_span = 1e9 / spans if spans else run["real_time"]
            print(f"{name:44}{per_span:10.1f}{spans / 1e6:11.1f}{octets / 1e6:9.0f}")

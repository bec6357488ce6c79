"""Instructions per span stay below their limits.

    callgrind_gate.py --program PROGRAM MODE:N:LIMIT...

The program is called as `PROGRAM MODE N` and makes N spans of that kind. A limit may be a fraction. A mode that costs
nothing at all fails too, unless its limit is 0: a program that ignores N would pass everything.
"""

import argparse
import sys

import callgrind

parser = argparse.ArgumentParser()
parser.add_argument("--program", required=True)
parser.add_argument("gates", nargs="+", metavar="MODE:N:LIMIT")
arguments = parser.parse_args()

callgrind.need("valgrind")
failed = False
for gate in arguments.gates:
    mode, count, limit = gate.split(":")
    count, limit = int(count), float(limit)
    per_span = callgrind.per_span(arguments.program, mode, count)
    good = per_span <= limit and (per_span > 0 or limit == 0)
    failed |= not good
    print(f"{mode}: {per_span:.2f} instructions a span, limit {limit:g}{'' if good else '  FAILED'}")
sys.exit(1 if failed else 0)

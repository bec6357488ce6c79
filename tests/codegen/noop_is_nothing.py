"""Code traced by the noop tracer compiles to the same machine code as code without tracing.

    noop_is_nothing.py [--expect-different] --source FILE --include DIRECTORY COMPILER...

The file defines pairs of functions, `traced_<x>` and `plain_<x>`, that differ only in tracing. Both are compiled at -O2
and their disassembly must be equal, and no symbol of the library may remain in the object file. With
--expect-different every pair must differ instead: the control that shows that this test can fail.
"""

import argparse
import pathlib
import re
import sys
import tempfile

import disassembly

PAIR = re.compile(r"_Z\d+(traced|plain)_(\w+)(.*)")


def bodies(object_file):
    """Function name without its prefix -> {prefix: [instructions]}."""
    pairs = {}
    for name, body in disassembly.functions(object_file).items():
        # A part that was cut off, `_Z12traced_throwi.cold`, belongs to its function.
        if pair := PAIR.match(name):
            side = pairs.setdefault(pair.group(2), {}).setdefault(pair.group(1), [])
            if pair.group(3):
                side.append(f"{pair.group(3)}:")
            side += [re.sub(r"(?:_Z\d+)?(?:traced|plain)_(\w+)", r"self_\1", line) for line in body]
    return pairs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect-different", action="store_true")
    parser.add_argument("--source", required=True)
    parser.add_argument("--include", required=True)
    parser.add_argument("compilers", nargs="+")
    arguments = parser.parse_args()

    problems = []
    for compiler in disassembly.installed(arguments.compilers, problems):
        with tempfile.TemporaryDirectory() as temporary:
            object_file = str(pathlib.Path(temporary) / "pairs.o")
            disassembly.compile_object(compiler, arguments.source, object_file,
                                       ["-I", arguments.include, "-Wall", "-Wextra", "-Werror"])
            pairs = bodies(object_file)
            left = disassembly.leftovers(object_file)
        if not pairs:
            problems.append(f"{compiler}: no pairs in {arguments.source}")
        for name, sides in sorted(pairs.items()):
            if set(sides) != {"traced", "plain"}:
                problems.append(f"{compiler}: {name} has no twin")
                continue
            traced, plain = sides["traced"], sides["plain"]
            print(f"{compiler}: {name}: {len(traced)} lines traced, {len(plain)} plain")
            if not plain:
                problems.append(f"{compiler}: {name}: nothing was disassembled")
            if (traced == plain) == arguments.expect_different:
                problems.append(f"{compiler}: {name}: the machine code "
                                + ("is the same, though it must differ" if traced == plain else
                                   "differs" + disassembly.difference(traced, plain)))
        if left and not arguments.expect_different:
            problems.append(f"{compiler}: symbols remain:\n  " + "\n  ".join(left))

    print(*problems, sep="\n")
    sys.exit(1 if problems else 0)


main()

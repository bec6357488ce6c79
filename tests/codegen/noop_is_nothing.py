"""Code traced by the noop tracer compiles to the same machine code as code without tracing.

    noop_is_nothing.py [--expect-different] --source FILE --include DIRECTORY COMPILER...

The file defines pairs of functions, `traced_<x>` and `plain_<x>`, that differ only in tracing. Both are compiled at -O2
and their disassembly must be equal, and no symbol of the library may remain in the object file. With
--expect-different every pair must differ instead: the control that shows that this test can fail.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(.*)$")
RELOCATION = re.compile(r"^\s+[0-9a-f]+: (R_\S+)\s+(.*)$")
PADDING = re.compile(r"^(nop|cs nop|data16|xchg   %ax,%ax|xchg %ax,%ax|int3)")


def compile_object(compiler, source, include, target):
    # One section a function, so that its addresses start at nought. GCC would merge equal functions into one, and
    # leave nothing to compare.
    flags = ["-std=c++20", "-O2", "-ffunction-sections", "-I", include, "-Wall", "-Wextra", "-Werror"]
    if "clang" not in compiler:
        flags.append("-fno-ipa-icf")
    subprocess.run([compiler, *flags, "-c", source, "-o", target], check=True)


def bodies(object_file):
    """Function name without its prefix -> {prefix: [normalised instructions]}."""
    text = subprocess.run(["objdump", "-d", "-r", "-C", "--no-show-raw-insn", object_file], check=True,
                          capture_output=True, text=True).stdout
    pairs = {}
    body = name = None
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            name = found.group(1)
            body = None
            # `traced_x(int) [clone .cold]` counts as a part of its function.
            if pair := re.match(r"(traced|plain)_(\w+)", name):
                body = pairs.setdefault(pair.group(2), {}).setdefault(pair.group(1), [])
                if ".cold" in name:
                    body.append("cold part:")
        elif body is not None and (found := RELOCATION.match(line) or INSTRUCTION.match(line)):
            instruction = " ".join(group.strip() for group in found.groups())
            instruction = re.sub(r"\s*#.*$", "", instruction)
            # A jump inside the function: `12 <traced_x(int)+0x12>`. Keep the offset, drop the name.
            instruction = re.sub(r"\b[0-9a-f]+ <(?:traced|plain)_\w+(?:\([^)]*\))?((?: \[clone [^\]]*\])?(?:\+0x[0-9a-f]+)?)>",
                                 r"<self\1>", instruction)
            # A section named after its function: `.text.unlikely._Z12traced_throwi`.
            instruction = re.sub(r"\b_Z\d+(?:traced|plain)_\w+", "self", instruction)
            instruction = re.sub(r"\b(?:traced|plain)_(\w+)", r"self_\1", instruction)
            body.append(instruction)
    for sides in pairs.values():
        for body in sides.values():
            while body and PADDING.match(body[-1]):
                body.pop()
    return pairs


def leftovers(object_file):
    text = subprocess.run(["nm", "-C", object_file], check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if "fulgurite" in line]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect-different", action="store_true")
    parser.add_argument("--source", required=True)
    parser.add_argument("--include", required=True)
    parser.add_argument("compilers", nargs="+")
    arguments = parser.parse_args()

    problems = []
    for compiler in arguments.compilers:
        if not shutil.which(compiler):
            if os.environ.get("CI"):
                problems.append(f"{compiler} is not installed")
            else:
                print(f"{compiler} is not installed: left out")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            object_file = str(pathlib.Path(temporary) / "pairs.o")
            compile_object(compiler, arguments.source, arguments.include, object_file)
            pairs = bodies(object_file)
            left = leftovers(object_file)
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
                                   "differs\n  traced:\n    " + "\n    ".join(traced[:40]) + "\n  plain:\n    "
                                   + "\n    ".join(plain[:40])))
        if left and not arguments.expect_different:
            problems.append(f"{compiler}: symbols remain:\n  " + "\n  ".join(left))

    print(*problems, sep="\n")
    sys.exit(1 if problems else 0)


main()

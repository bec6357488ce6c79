"""The machine code of an object file, in a form that can be compared."""

import os
import re
import shutil
import subprocess

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(.*)$")
RELOCATION = re.compile(r"^\s+[0-9a-f]+: (R_\S+)\s+(.*)$")
PADDING = re.compile(r"^(nop|cs nop|data16|xchg   %ax,%ax|xchg %ax,%ax|int3)")
# Where a jump inside its own section leads: `12 <name+0x12>`. The name and the distance from it say all.
TARGET = re.compile(r"\b[0-9a-f]+ (<[^>]+>)")
LABEL = re.compile(r"\.L[\w.$]*")
SYMBOL = re.compile(r"^([0-9a-f]+) .{7} (\S+)\s[0-9a-f]+ (\.L\S*)$")
EQUALITY = re.compile(r"^(cmp\w*\s+)(%\w+),(%\w+)$")
CONTENT = re.compile(r"^ ([0-9a-f]+) ((?:[0-9a-f]+ ){1,4})")

OPTIONS = {
    # Equal functions would be merged, and there would be nothing to compare.
    "g++": ["-fno-ipa-icf",
            # GCC inlines until a function, a frame or the file has grown by so much, in an order that depends on how
            # much is declared: including a header that is not used changes the code of some functions in a file as long
            # as examples/agent.cpp. Without these limits, and without clones for the callers of one file, it does not.
            "-fno-ipa-sra", *(word for limit in ("inline-unit-growth", "large-function-growth", "large-function-insns",
                                                 "large-stack-frame-growth", "large-unit-insns")
                              for word in ("--param", f"{limit}=10000000"))],
    "clang": [],
}


def installed(compilers, problems):
    """Those that are there; under CI it is a problem when one is not."""
    for compiler in compilers:
        if shutil.which(compiler):
            yield compiler
        elif os.environ.get("CI"):
            problems.append(f"{compiler} is not installed")
        else:
            print(f"{compiler} is not installed: left out")


def compile_object(compiler, source, target, flags, directory=".", options=None):
    """At -O2, and with what makes functions comparable unless other options are given."""
    if options is None:
        # One section a function, so that its addresses start at nought.
        options = ["-ffunction-sections", *OPTIONS["clang" if "clang" in compiler else "g++"]]
    subprocess.run([compiler, "-std=c++20", "-O2", *options, *flags, "-c", source, "-o", target], check=True,
                   cwd=directory)


def objdump(*arguments):
    return subprocess.run(["objdump", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()


def constants(object_file):
    """What lies at a label that the compiler made up, whose number says nothing: a text, or a number in hexadecimal."""
    contents = {}
    for line in objdump("-s", object_file):
        if line.startswith("Contents of section "):
            section = contents.setdefault(line[len("Contents of section "):-1], {})
        elif match := CONTENT.match(line):
            section[int(match.group(1), 16)] = bytes.fromhex(match.group(2))
    found = {}
    for match in filter(None, map(SYMBOL.match, objdump("-t", object_file))):
        section = match.group(2)
        data = b"".join(part for _, part in sorted(contents.get(section, {}).items()))[int(match.group(1), 16):]
        if ".str" in section:
            found[match.group(3)] = repr(data[:data.find(0)])
        elif size := re.search(r"\.cst(\d+)$", section):
            found[match.group(3)] = data[:int(size.group(1))].hex()
        else:
            found[match.group(3)] = section
    return found


def functions(object_file):
    """Mangled name -> the instructions and relocations of that function."""
    found = {}
    labels = constants(object_file)
    body = None
    for line in objdump("-d", "-r", "--no-show-raw-insn", object_file):
        if match := FUNCTION.match(line):
            body = found.setdefault(match.group(1), [])
        elif body is not None and (match := RELOCATION.match(line) or INSTRUCTION.match(line)):
            instruction = " ".join(group.strip() for group in match.groups())
            if RELOCATION.match(line) and body:
                # Where it leads is said by the relocation; what objdump says is the symbol that happens to lie there.
                body[-1] = TARGET.sub("<...>", body[-1])
            instruction = TARGET.sub(r"\1", re.sub(r"\s*#.*$", "", instruction))
            body.append(LABEL.sub(lambda label: labels.get(label.group(), label.group()), instruction))
    for body in found.values():
        while body and PADDING.match(body[-1]):
            body.pop()
        # Whether a equals b or b equals a is asked, GCC decides by the numbers of their declarations.
        for place, after in enumerate(body[1:]):
            if after.startswith(("je ", "jne ")) and (match := EQUALITY.match(body[place])):
                body[place] = match.group(1) + ",".join(sorted(match.group(2, 3)))
    return found


def leftovers(object_file):
    """The symbols of the library that remain."""
    text = subprocess.run(["nm", "-C", object_file], check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if "fulgurite" in line]


def readable(name):
    return subprocess.run(["c++filt", name], capture_output=True, text=True).stdout.strip() or name


def difference(traced, plain, most=40):
    """Both bodies from shortly before the first line that differs."""
    same = 0
    while same < min(len(traced), len(plain)) and traced[same] == plain[same]:
        same += 1
    start = max(0, same - 5)
    return ("\n  traced:\n    " + "\n    ".join(traced[start:start + most])
            + "\n  plain:\n    " + "\n    ".join(plain[start:start + most]))

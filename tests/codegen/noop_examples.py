"""An example under `noop_tracer` compiles to the same machine code as the example without tracing.

    noop_examples.py [--expect-different] [--only NAME] --examples DIRECTORY --include DIRECTORY --build DIRECTORY COMPILER...

Each examples/*.cpp, with the headers in its folder, is written down in two forms. The noop form is the example with
another tracer, by the replacements below. The plain form is the noop form without its tracing statements, and without
the library: it is compiled where the library's headers are not found. Both are compiled at -O2; they must have the same
functions with the same instructions (disassembly.py says which options that takes), and without those options too no
symbol of the library.

The plain form is derived, so that it follows the example. What the derivation does not understand stays in it, and is
found as a word of the library or does not compile; so does a variable that is left over. What may be said to a tracer
and costs something even if nobody listens makes a difference: write it as a callable.

With --expect-different the noop form gets one costly argument and must differ: the control of this test.
"""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import disassembly

# File -> what makes the noop form of it; each text occurs exactly once.
NOOP = {
    "quickstart.cpp": {
        "quickstart.cpp": [
            ("#include <fulgurite/exporter/console.hpp>\n#include <fulgurite/fulgurite.hpp>\n",
             "#include <fulgurite/noop.hpp>\n"),
            ('fg::tracer tracer{fg::resource{.service_name = "checkout"}, fg::always_on_sampler{}, '
             "fg::console_exporter{}};", "fg::noop_tracer tracer;"),
        ],
    },
    "agent.cpp": {
        "agent/tracing.hpp": [
            ("#include <fulgurite/any_tracer.hpp>\n", "#include <fulgurite/noop.hpp>\n"),
            ("fg::any_tracer", "fg::noop_tracer"),
        ],
        "agent.cpp": [
            ("#include <fulgurite/backends.hpp>\n", ""),
            ("fg::get_tracer_from_env()", "fg::noop_tracer()"),
        ],
    },
}

TEXT = re.compile(r'//[^\n]*|R"\((.*?)\)"|"(?:\\.|[^"\\])*"|(?<!\w)\'(?:\\.|[^\'\\])+\'', re.S)
LIBRARY = re.compile(r"\b(?:fulgurite|fg|tracer|noop\w*|_a)\b|\"_a\b")
MAKES_SPAN = re.compile(r"(?:static )?auto (\w+)\([^()]*\) (?:const )?(?=\{\s*return tracer\.(?:trace_context|start_span)\()")
DECLARATIONS = re.compile(r"#include <fulgurite/[^\n]*\n|namespace fg = fulgurite;|using namespace fg::literals;"
                          r"|using agent::tracer;|(?:inline )?fg::noop_tracer tracer;")
# What the noop tracer answers with false, so that nothing of what hangs on it is left.
ASKS = re.compile(r"if \((?:\w+\.is_on\(\)|\w+\.is_recording\(\)|!\w+\.force_flush\(\))\)\s+")
EMPTY_BRANCH = re.compile(r"if (?=\()")


class not_understood(Exception):
    pass


class source:
    """A file without comments; literals are kept apart, so that no bracket or name in them counts."""

    def __init__(self, text):
        self.literals = []
        self.removed = 0

        def keep(match):
            if match.group().startswith("//"):
                return ""
            self.literals.append(match.group())
            return f'"{len(self.literals) - 1}"'

        # Not in the lines that include: `<a//b>` and `"file"` are no literals.
        self.text = "".join(line if line.startswith("#include") else TEXT.sub(keep, line)
                            for line in re.split(r"(^#include[^\n]*\n)", text, flags=re.M))

    def whole(self):
        return re.sub(r'"(\d+)"', lambda match: self.literals[int(match.group(1))], self.text)

    def closing(self, opening):
        """The place of the bracket that closes the one here."""
        depth = 0
        for place in range(opening, len(self.text)):
            depth += self.text[place] in "([{"
            depth -= self.text[place] in ")]}"
            if depth == 0:
                return place
        raise not_understood(f"an open bracket: {self.text[opening:opening + 60]!r}")

    def end_of_statement(self, start):
        if self.text[start] == "{":
            return self.closing(start) + 1
        place = start
        while self.text[place] != ";":
            place = self.closing(place) + 1 if self.text[place] in "([{" else place + 1
        return place + 1

    def remove(self, start, end):
        """A statement that something hangs on, such as an `if`, becomes an empty block."""
        hangs = re.search(r"(?:\)|\belse)\s*\Z", self.text[:start])
        self.text = self.text[:start] + ("{}" if hangs else "") + self.text[end:]
        self.removed += 1


def statement(names):
    """A statement of tracing: one of these is asked to do something, or makes a span."""
    named = "|".join(sorted(names))
    return re.compile(rf"(?:\bauto (?P<span>\w+) =\s+)?(?:\bagent::)?\b(?:{named})(?=\.|\(| = )")


def without_tracing(code, makers):
    """Removes every statement of tracing; gives how many there were."""
    code.text = DECLARATIONS.sub("", code.text)
    while match := MAKES_SPAN.search(code.text):
        makers.add(match.group(1))
        code.text = code.text[:match.start()] + code.text[code.closing(match.end()) + 1:]
        code.removed += 1
    while match := ASKS.search(code.text):
        code.remove(match.start(), code.end_of_statement(match.end()))
    if "tracer.trace(" in code.text:
        raise not_understood("tracer.trace(name, function): write a scope with tracer.trace_context(name)")
    names = {"tracer"} | makers
    names |= {match.group("span") for match in statement(names).finditer(code.text) if match.group("span")}
    while match := statement(names).search(code.text):
        if not re.search(r"(?:[;{})]|\belse)\s*\Z", code.text[:match.start()]):
            raise not_understood(f"tracing that is no statement: {code.text[match.start() - 40:match.end() + 20]!r}")
        code.remove(match.start(), code.end_of_statement(match.start()))
    place = 0
    while match := EMPTY_BRANCH.search(code.text, place):
        end = code.closing(match.end()) + 1
        if nothing := re.match(r"\s*\{\s*\}(?!\s*else\b)", code.text[end:]):
            code.text = code.text[:match.start()] + code.text[end + nothing.end():]
            place = 0
        else:
            place = match.end()


def forms(directory, name):
    """The files of an example in both forms, and the number of its tracing statements."""
    files = [directory / name, *sorted((directory / pathlib.Path(name).stem).glob("*.hpp"))]
    replacements = dict(NOOP[name])
    noop, plain, makers = {}, {}, set()
    removed = 0
    # Headers first: what they define is used in the example's own file.
    for path in reversed(files):
        relative = str(path.relative_to(directory))
        text = path.read_text()
        for old, new in replacements.pop(relative, []):
            if text.count(old) != 1:
                raise not_understood(f"{relative}: {text.count(old)} times instead of once: {old!r}")
            text = text.replace(old, new)
        noop[relative] = text
        code = source(text)
        before = words(code.text)
        without_tracing(code, makers)
        if found := LIBRARY.search(code.text):
            line = next(line for line in code.text.splitlines() if LIBRARY.search(line))
            raise not_understood(f"{relative}: {found.group()!r} is left after the removal of tracing: {line.strip()}")
        after = words(code.text)
        if only := [word for word, count in after.items() if count == 1 and before[word] > 1
                    and re.search(rf"[\w>&*] {word}(?:;| =|\{{)", code.text)]:
            raise not_understood(f"{relative}: only tracing uses {', '.join(only)}")
        plain[relative] = code.whole()
        removed += code.removed
    if replacements:
        raise not_understood(f"{name}: no file {', '.join(replacements)}")
    return noop, plain, removed


def words(text):
    """How often each is there. A variable that is there once is declared, and not used."""
    counts = {}
    for word in re.findall(r"\b[A-Za-z_]\w*", text):
        counts[word] = counts.get(word, 0) + 1
    return counts


def with_a_cost(text):
    """One argument that the compiler may not drop."""
    text, count = re.subn(r"(auto (\w+) =\s+tracer\.trace_context\([^;]*;)", r'\1 \2.set_attribute("cost", cost());', text,
                          count=1)
    if not count:
        raise not_understood("no span to make costly")
    return "int cost();\n" + text


def flags_of(build, path, include):
    """The options by which the build finds the headers of others; None for a file that it leaves out."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        directory = pathlib.Path(entry["directory"])
        if (directory / entry["file"]).resolve() != path.resolve():
            continue
        flags = []
        options = iter(shlex.split(entry["command"]))
        for option in options:
            if option.startswith("-D"):
                flags.append(option)
            elif found := re.match(r"-I|-isystem", option):
                where = directory / (option[found.end():] or next(options))
                if where.resolve() not in (include, path.parent.resolve()):
                    flags.append(f"-isystem{where.resolve()}")
        return flags
    return None


def compiled(compiler, files, name, directory, flags, options=None):
    for relative, text in files.items():
        path = directory / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    disassembly.compile_object(compiler, name, "example.o", flags, directory, options)
    return str(directory / "example.o")


def compare(compiler, noop, plain, problem, expect_different):
    """Two object files, function by function."""
    traced, without = disassembly.functions(noop), disassembly.functions(plain)
    print(f"{compiler}: {len(traced)} functions under noop_tracer, {len(without)} without tracing, "
          f"{sum(map(len, without.values()))} lines")
    if not traced or not any(without.values()):
        problem("there is no function to compare")
    for title, more, less in (("under noop_tracer", traced, without), ("without tracing", without, traced)):
        for name in sorted(set(more) - set(less)):
            if not expect_different:
                problem(f"only {title}: {disassembly.readable(name)}")
    different = [name for name in sorted(set(traced) & set(without)) if traced[name] != without[name]]
    if expect_different:
        if not different:
            problem("the machine code is the same, though it must differ")
        return
    for name in different:
        problem(f"{disassembly.readable(name)} differs" + disassembly.difference(traced[name], without[name]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect-different", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--examples", required=True, type=pathlib.Path)
    parser.add_argument("--include", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("compilers", nargs="+")
    arguments = parser.parse_args()

    arguments.include = arguments.include.resolve()

    problems = []
    compilers = list(disassembly.installed(arguments.compilers, problems))
    examples = sorted(path.name for path in arguments.examples.glob("*.cpp"))
    compared = 0
    for name in sorted(set(examples) ^ set(NOOP)):
        problems.append(f"{name}: " + ("nothing says here how to make its noop form" if name in examples else
                                       "there is no such example"))
    for name in sorted(set(examples) & set(NOOP)):
        if arguments.only not in (None, name):
            continue
        flags = flags_of(arguments.build, arguments.examples / name, arguments.include)
        if flags is None:
            print(f"{name} is not in this build: left out")
            continue
        try:
            noop, plain, removed = forms(arguments.examples, name)
            if arguments.expect_different:
                noop[name] = with_a_cost(noop[name])
        except not_understood as error:
            problems.append(str(error))
            continue
        print(f"{name}: {removed} statements of tracing")
        if not removed:
            problems.append(f"{name}: it has no tracing")
        for compiler in compilers:
            def problem(text):
                problems.append(f"{compiler}: {name}: {text}")

            with_library = [*flags, f"-I{arguments.include}", "-Wall", "-Wextra", "-Werror"]
            try:
                with tempfile.TemporaryDirectory() as temporary:
                    path = pathlib.Path(temporary)
                    compare(compiler, compiled(compiler, noop, name, path / "noop", with_library),
                            compiled(compiler, plain, name, path / "plain", [*flags, "-Wall", "-Werror"]), problem,
                            arguments.expect_different)
                    left = disassembly.leftovers(compiled(compiler, noop, name, path / "left", with_library, []))
                    if left and not arguments.expect_different:
                        problem("symbols remain:\n  " + "\n  ".join(left))
            except subprocess.CalledProcessError as error:
                problem(f"{error.cmd[0]} fails")
            compared += 1
    if not compared:
        problems.append("no example was compared")

    print(*problems, sep="\n")
    sys.exit(1 if problems else 0)


main()

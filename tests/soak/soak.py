"""The list of the long runs, and how one is started; `./dev soak` calls this.

    soak.py BUILD --check [NAME...]                 the list where no name is given; else are there such?
    soak.py BUILD --run NAME [--minutes N]
"""

import ast
import json
import pathlib
import subprocess
import sys


def runs(build):
    """{name: (command, minutes, sentence)} of the tests of the suite `soak`."""
    answer = subprocess.run(["meson", "introspect", build, "--tests"], capture_output=True, text=True, check=True)
    found = {}
    for test in json.loads(answer.stdout):
        if not any(suite.split(":")[-1] == "soak" for suite in test["suite"]):
            continue
        script = next(part for part in test["cmd"] if part.endswith(".py"))
        tree = ast.parse(pathlib.Path(script).read_text())
        minutes = next(ast.literal_eval(line.value) for line in tree.body
                       if isinstance(line, ast.Assign) and line.targets[0].id == "MINUTES")
        found[test["name"].removeprefix("soak_")] = (test["cmd"], minutes, ast.get_docstring(tree).splitlines()[0])
    return found


def main():
    build, what, *rest = sys.argv[1:]
    known = runs(build)
    if what == "--run":
        sys.exit(subprocess.run([*known[rest[0]][0], *rest[1:]]).returncode)
    unknown = [name for name in rest if name not in known]
    if unknown:
        sys.exit(f"dev: there is no long run {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if not rest:
        for name, (_, minutes, sentence) in sorted(known.items()):
            print(f"./dev soak {name:<14} {minutes:>4} min  {sentence}")


if __name__ == "__main__":
    main()

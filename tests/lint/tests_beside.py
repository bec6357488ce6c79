"""Every header has a test beside it, and every test is built.

include/fulgurite/<path>.hpp has tests/<path>.cpp (headers below a detail/ folder are tested through those that use
them), and each .cpp below tests/ is named in the meson.build of its folder or of one above it.
"""

import re

from common import ROOT, finish, headers, tracked_files

TESTS = ROOT / "tests"
problems = []

for header in headers():
    path = header.relative_to("fulgurite")
    if "detail" in path.parts:
        continue
    if not (TESTS / path).with_suffix(".cpp").exists():
        problems.append(f"include/{header} has no test: tests/{path.with_suffix('.cpp')}")


def listed(path):
    for folder in path.parents:
        build = TESTS / folder / "meson.build"
        name = re.escape(path.relative_to(folder).as_posix())
        if build.exists() and re.search(rf"'{name}'", build.read_text()):
            return True
    return False


sources = [path.relative_to("tests") for path in tracked_files() if path.parts[0] == "tests" and path.suffix == ".cpp"]
problems += [f"tests/{path} is in no meson.build" for path in sources if not listed(path)]
finish(problems, f"{len(headers())} headers, {len(sources)} test files")

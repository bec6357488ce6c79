"""What may not be in the repository, and what must be.

No path of somebody's machine, no note to come back later, nothing at the top that the architecture does not name,
no header without its opening paragraph, and no code in the README that is not the compiled example.
"""

import re

from common import ROOT, finish, headers, tracked_files

TOP = {
    "meson.build", "meson_options.txt", "include", "tests", "bench", "examples", "subprojects", "docs", "README.md",
    "CHANGELOG.md", "CONTRIBUTING.md", "UPGRADING.md", "LICENSE", ".clang-format", ".clang-tidy",
    ".gitignore", ".ci", "dev",
}
LONG = 300

# Spelled in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~$}{*/-])/(?:" + "|".join(["wo" "rk", "tm" "p", "ro" "ot", "ho" "me"]) + r")/")
LATER = re.compile(r"\b(?:" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X"]) + r")\b")
TEXT = {".hpp", ".cpp", ".h", ".c", ".py", ".md", ".build", ".txt", ".wrap", ".in", ".sh", ".yml", ".yaml", ".json",
        ".toml", ".html", ".js", ".css", ".proto", ""}

problems = []
warnings = []
files = tracked_files()

for path in files:
    if path.parts[0] not in TOP:
        problems.append(f"{path}: {path.parts[0]} does not belong at the top of the repository")
    if path.suffix not in TEXT:
        continue
    try:
        text = (ROOT / path).read_text()
    except UnicodeDecodeError:
        continue
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE_PATH.search(line):
            problems.append(f"{path}:{number}: a path of one machine ({found.group()}...)")
        if found := LATER.search(line):
            problems.append(f"{path}:{number}: {found.group()}: do it, or open an issue")

for header in headers():
    text = (ROOT / "include" / header).read_text()
    lines = text.splitlines()
    essay = 0
    while essay < len(lines) and lines[essay].startswith("//"):
        essay += 1
    if essay == 0:
        problems.append(f"include/{header}: begin with a comment that says what this is")
    if "#pragma once" not in lines[:essay + 2]:
        problems.append(f"include/{header}: #pragma once follows the opening comment")
    if re.search(r"^namespace fulgurite\b(?!.*inline namespace v1)[^\n]*\{\s*\n(?!\s*inline namespace v1)", text, re.M):
        problems.append(f"include/{header}: everything in namespace fulgurite is in inline namespace v1")
    if len(lines) > LONG:
        warnings.append(f"include/{header}: {len(lines)} lines")


def readme_code():
    """The first C++ block of the README and the example it must equal, without the example's opening comment."""
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^```cpp\n(.*?)^```", readme, re.M | re.S)
    example = (ROOT / "examples" / "quickstart.cpp").read_text()
    example = re.sub(r"\A(?://[^\n]*\n)+\n*", "", example)
    return (block.group(1) if block else ""), example


for name in ("README.md", "examples/quickstart.cpp"):
    if not (ROOT / name).exists():
        problems.append(f"{name} is missing")
if (ROOT / "README.md").exists() and (ROOT / "examples" / "quickstart.cpp").exists():
    shown, compiled = readme_code()
    if shown.strip() != compiled.strip():
        problems.append("README.md: its first C++ block is not examples/quickstart.cpp")

for warning in warnings:
    print(f"warning: {warning}, more than {LONG}")
finish(problems, f"{len(files)} files")

"""The reference: Doxygen over the headers and documents, with nothing to complain about.

    reference.py [--output DIRECTORY]

Every public name has a sentence; members of a class may do with their names, where a concept or the class says what
they do. What a docstring refers to exists, and so does what a document links to in the repository. --output keeps the
pages.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from common import ROOT, SKIP, finish, tracked_files

# Doxygen's own trouble, not ours: links to a heading (`links` looks at them), a specialisation in another library's
# namespace, deduction guides, specialisations.
NOT_OURS = re.compile(r"\.md:\d+: warning: unable to resolve reference to \S+ for \\ref command"
                      r"|Internal inconsistency: scope for class fmt::formatter"
                      r"|Member \S+\(.*\) -> .* is not documented"
                      r"|(Member|Compound) [^( ]*< .* is not documented"
                      r"|Member .* of (class|struct) .* is not documented"
                      r"|Compound fulgurite::\w+::\w+ is not documented")


def anchors(document):
    """The names that headings get: lower case, words joined by dashes, punctuation left out."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links():
    """The links of documents that lead nowhere in the repository."""
    wrong = []
    for path in (path for path in tracked_files() if path.suffix == ".md"):
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", (ROOT / path).read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, heading = target.partition("#")
            if re.match(r"[a-z]+:", file):
                continue
            led = (ROOT / path.parent / file).resolve() if file else ROOT / path
            if not led.exists():
                wrong.append(f"{path}: there is no {file}")
            elif heading and heading not in anchors(led):
                wrong.append(f"{path}: {file or path} has no heading #{heading}")
    return wrong


parser = argparse.ArgumentParser()
parser.add_argument("--output")
options = parser.parse_args()

if not shutil.which("doxygen"):
    print("doxygen is not installed")
    sys.exit(1 if os.environ.get("CI") else SKIP)

with tempfile.TemporaryDirectory() as temporary:
    output = options.output or temporary
    os.makedirs(output, exist_ok=True)
    settings = (ROOT / "docs" / "Doxyfile").read_text() + f'\nOUTPUT_DIRECTORY = "{os.path.abspath(output)}"\n'
    done = subprocess.run(["doxygen", "-"], input=settings, cwd=ROOT, capture_output=True, text=True)
    said = done.stderr.replace(f"{ROOT}/", "").splitlines()
    problems = [line for line in said if re.search(r": (warning|error): |^(warning|error): ", line)
                and not NOT_OURS.search(line)]
    if done.returncode != 0:
        problems.append(f"doxygen: exit {done.returncode}")
    pages = os.path.join(output, "html")
    written = len(os.listdir(pages)) if os.path.isdir(pages) else 0
    # One page that must be there: a filter that eats everything would leave nothing to complain about.
    if not os.path.exists(os.path.join(pages, "classfulgurite_1_1tracer.html")):
        problems.append("no page of the class fulgurite::tracer was written")
finish(problems + links(), f"{written} files")

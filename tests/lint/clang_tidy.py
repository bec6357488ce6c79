"""clang-tidy has nothing to say about any header: names as in the standard library, and the checks of .clang-tidy.

    clang_tidy.py [--cache FILE]

One file that includes every header is checked, which takes half a minute; with --cache only when something changed.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from common import INCLUDE, ROOT, SKIP, Passed, finish, headers, package_flags

TIDY = "clang-tidy-19"

parser = argparse.ArgumentParser()
parser.add_argument("--cache", type=pathlib.Path)
passed = Passed(parser.parse_args().cache)

if not shutil.which(TIDY):
    print(f"{TIDY} is not installed")
    sys.exit(1 if os.environ.get("CI") else SKIP)

problems = []
with tempfile.TemporaryDirectory() as temporary:
    # A copy: clang maps the files it reads, and dies when an editor shortens one.
    copy = pathlib.Path(temporary).resolve() / "include"
    shutil.copytree(INCLUDE, copy)
    everything = pathlib.Path(temporary) / "everything.cpp"
    everything.write_text("".join(f"#include <{header}>\n" for header in headers()))
    # select.hpp, where it exists, wants to be told which.
    flags = ["-std=c++20", "-pthread", "-DFULGURITE_BACKEND=runtime", *package_flags("--cflags")]
    texts = [(copy / header).read_text() for header in headers()]
    key = passed.key(TIDY, [*flags, (ROOT / ".clang-tidy").read_text(), *texts], pathlib.Path("everything"))
    if key not in passed:
        done = subprocess.run([TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(everything), "--",
                               f"-I{copy}", *flags], capture_output=True, text=True)
        said = done.stdout.replace(f"{copy}/", "include/")
        problems = [line for line in said.splitlines() if re.search(r": (warning|error): ", line)]
        if done.returncode != 0 and not problems:
            problems = [f"{TIDY}: exit {done.returncode}", *said.splitlines()[-5:], *done.stderr.splitlines()[-5:]]
    if not problems:
        passed.add(key)
passed.save()
finish(problems, f"{len(texts)} headers")

"""Every tracked C++ file is formatted as .clang-format says, by the version that CI uses."""

import os
import shutil
import subprocess
import sys

from common import ROOT, SKIP, finish, parallel, tracked_files

TOOL = "clang-format-19"

if not shutil.which(TOOL):
    print(f"{TOOL} is not installed")
    sys.exit(1 if os.environ.get("CI") else SKIP)

files = [path for path in tracked_files() if path.suffix in {".cpp", ".hpp", ".h"} and path.parts[0] != "subprojects"
         or path.suffix in {".cpp", ".hpp", ".h"} and path.parts[:1] == ("subprojects",)
         and path.parts[1].startswith("fulgurite-")]


def check(path):
    run = subprocess.run([TOOL, "--dry-run", "-Werror", str(path)], cwd=ROOT, capture_output=True, text=True)
    return f"{path} is not formatted: ./dev format" if run.returncode != 0 else None


finish([problem for problem in parallel(check, files) if problem], f"{len(files)} files")

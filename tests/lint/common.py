"""What the lint tests share: where the repository is, its tracked files, and how a header is compiled."""

import concurrent.futures
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
SKIP = 77  # Meson's exit code for a skipped test

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
# Every third-party library that a header may include. Those not installed are left out; a header that needs one then
# fails to compile and names it.
PACKAGES = ["fmt", "simdjson", "cpp-httplib", "openssl", "zlib", "libcurl", "sqlite3", "libpq", "hiredis", "rdkafka"]


def headers():
    """Every header of the library, relative to include/."""
    return sorted(path.relative_to(INCLUDE) for path in (INCLUDE / "fulgurite").rglob("*.hpp"))


def tracked_files():
    """The repository's files, relative to its root; outside a git checkout, all but build directories."""
    # Files not yet added count too: they are about to be.
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True)
    if listing.returncode == 0:
        names = [name.decode() for name in listing.stdout.split(b"\0") if name]
        return sorted(pathlib.Path(name) for name in set(names) if (ROOT / name).is_file())
    found = []
    for path in ROOT.rglob("*"):
        relative = path.relative_to(ROOT)
        if path.is_file() and not relative.parts[0].startswith(("build", ".git")):
            found.append(relative)
    return sorted(found)


def package_flags(what):
    """`pkg-config --cflags` or `--libs` of the packages that are here."""
    flags = []
    for package in PACKAGES:
        answer = subprocess.run(["pkg-config", what, package], capture_output=True, text=True)
        if answer.returncode == 0:
            flags += shlex.split(answer.stdout)
    return list(dict.fromkeys(flags))


def compilers(names):
    """The compilers asked for that are installed. One that is missing is an error under CI, else a printed line."""
    present = []
    for name in names:
        if shutil.which(name):
            present.append(name)
        elif os.environ.get("CI"):
            sys.exit(f"{name} is not installed")
        else:
            print(f"{name} is not installed: left out")
    if not present:
        sys.exit(SKIP)
    return present


def parallel(function, items):
    """`[function(item) ...]`, two at a time."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))


def finish(problems, summary):
    """Prints the problems, or one line that says what was checked; exits accordingly."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s); {summary}")
    sys.exit(1 if problems else 0)

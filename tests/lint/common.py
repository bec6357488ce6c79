"""What the lint tests share: where the repository is, its tracked files, and how a header is compiled."""

import concurrent.futures
import hashlib
import os
import pathlib
import re
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


class Passed:
    """Remembers in a file what passed before, so that a second run compiles only what changed since."""

    def __init__(self, file):
        self.file = file
        self.keys = set(file.read_text().split()) if file and file.exists() else set()
        self.used = set()

    @staticmethod
    def closure(header, seen=None):
        """The header and all of ours that it includes, in a fixed order."""
        seen = {} if seen is None else seen
        if header not in seen and (INCLUDE / header).exists():
            text = (INCLUDE / header).read_text()
            seen[header] = text
            for name in re.findall(r"^\s*#\s*include\s*<(fulgurite/[^>]+)>", text, re.M):
                Passed.closure(pathlib.Path(name), seen)
        return seen

    def key(self, compiler, flags, header):
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
        parts = [version, *flags] + [f"{name}\0{text}" for name, text in sorted(self.closure(header).items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def __contains__(self, key):
        if key in self.keys:
            self.used.add(key)
        return key in self.keys

    def add(self, key):
        self.used.add(key)

    def save(self):
        if self.file:
            self.file.write_text("\n".join(sorted(self.used)))


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

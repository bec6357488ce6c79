"""The README's commands in a minimal Debian 12: what a newcomer's first hour is like.

    chroot.py [--minutes N] [--only STEP]

Debian's debootstrap makes the system from the mirror that this machine uses. A copy of the working tree goes in, and
there, as root: the README's `apt-get install` line, then every header is compiled with what that brought (headers);
then the two commands it shows, `./dev demo` (demo) and `./dev test` (test). Needs root, debootstrap and the mirror.
More than --minutes for all of it is a failure: it is the time after which a newcomer has left.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MINUTES = 60
SUITE = "bookworm"
ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIP = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def mirror():
    """Where this machine has Debian 12 from, in either form of apt's lists."""
    lists = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    for path in lists:
        if not path.is_file():
            continue
        text = path.read_text()
        for line in re.findall(rf"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+{SUITE}\s+.*\bmain\b", text, re.M):
            return line
        for paragraph in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", paragraph, re.M))
            if SUITE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                return fields["URIs"].split()[0]
    return None


def log_of(done):
    return "\n".join((done.stdout or "").splitlines()[-40:])


class Chroot:
    def __init__(self, where, deadline):
        self.where, self.deadline = where, deadline

    def run(self, what, command):
        """One shell command inside, with what a machine mounts and nothing of this shell's environment; its output."""
        started = time.monotonic()
        # Mounts and processes of a namespace of their own: both are gone when the command is.
        inside = f"mount -t proc proc /proc && mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && " \
                 f"mount -t tmpfs tmpfs /dev/shm && cd /srv/fulgurite && {command}"
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive", "HOME": "/var/lib/newcomer"}
        for name in ("http_proxy", "https_proxy", "no_proxy", "FULGURITE_JOBS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        try:
            done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot", str(self.where),
                                   "/bin/bash", "-c", inside], env=environment, text=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=max(1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired as late:
            shown = late.stdout or b""  # bytes, whatever was asked for
            end = (shown if isinstance(shown, str) else shown.decode(errors="replace")).splitlines()[-20:]
            sys.exit("\n".join([*end, f"{what}: not done in time"]))
        print(f"{what}: {time.monotonic() - started:.0f} s", flush=True)
        if done.returncode != 0:
            sys.exit(f"{log_of(done)}\n{what}: exit {done.returncode}")
        return done.stdout


def make(where, source):
    print(f"debootstrap {SUITE}", flush=True)
    started = time.monotonic()
    done = subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(where), source], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        skip(f"debootstrap does not work here: {(done.stdout.splitlines() or ['no reason given'])[-1]}")
    print(f"debootstrap: {time.monotonic() - started:.0f} s", flush=True)
    shutil.copy("/etc/resolv.conf", where / "etc" / "resolv.conf")
    shutil.copy("/etc/hosts", where / "etc" / "hosts")
    # A mirror that stands still is as good as any here.
    (where / "etc/apt/apt.conf.d/90still").write_text('Acquire::Check-Valid-Until "false";\n')
    (where / "var/lib/newcomer").mkdir()

    # What a clone of this working tree would bring.
    files = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           capture_output=True, check=True).stdout.decode().split("\0")
    tree = where / "srv" / "fulgurite"
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


def headers(chroot):
    """The README's line brings all that any header needs, beside a compiler."""
    line = re.search(r"`(apt-get install [^`]+)`", (ROOT / "README.md").read_text()).group(1)
    install = line.replace("apt-get install", "apt-get install -y --no-install-recommends")
    chroot.run("the README's packages, g++ and pkg-config",
               f"apt-get update -qq && {install} && apt-get install -y --no-install-recommends g++ pkg-config")
    chroot.run("every header compiled",
               r"""cd include && find fulgurite -name '*.hpp' | sort | sed 's/.*/#include <&>/' > ../all.cpp && cd .. &&
               printf 'int main() {}\n' >> all.cpp &&
               g++ -std=c++20 -DFULGURITE_BACKEND=runtime -Iinclude all.cpp -o all -pthread \
                 $(pkg-config --cflags --libs fmt cpp-httplib openssl zlib simdjson) && ./all && rm all all.cpp""")


def demo(chroot):
    shown = chroot.run("./dev demo", "./dev demo")
    for text in ("$ fulgurite trace latest", "├─", "What to try next"):
        if text not in shown:
            sys.exit(f"{shown}\n./dev demo: no '{text}' in what it shows")


def test(chroot):
    shown = chroot.run("./dev test", "./dev test")
    last = shown.strip().splitlines()[-1]
    print(last)
    if not re.fullmatch(r"[1-9]\d* passed, 0 failed, \d+ skipped", last):
        sys.exit("./dev test: its last line is not the sums")


def main():
    steps = {step.__name__: step for step in (headers, demo, test)}
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--only", choices=steps)
    options = parser.parse_args()
    if os.geteuid() != 0:
        skip("needs root, for chroot")
    if not shutil.which("debootstrap"):
        skip("needs debootstrap: apt-get install debootstrap")
    source = mirror()
    if not source:
        skip(f"apt's lists here name no mirror of {SUITE}")
    deadline = time.monotonic() + options.minutes * 60
    # Not on a small file system in memory: the system and the build take some gigabytes.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="fulgurite-chroot-") as temporary:
        where = pathlib.Path(temporary) / "system"
        make(where, source)
        chroot = Chroot(where, deadline)
        for name, step in steps.items():
            if options.only in (None, name):
                step(chroot)
    print("chroot: all is well")


if __name__ == "__main__":
    main()

"""What including the library costs: CPU time of the compiler, preprocessed lines, size of the program.

    footprint.py

Compiled by $CXX (g++) with -O2. The floor of each is a translation unit with the same standard headers and nothing of
the library; the exporter is also shown beside one with the standard and the third-party headers.
"""

import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile

import table

INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"
CXX = shlex.split(os.environ.get("CXX", "g++"))
FLAGS = ["-std=c++20", "-O2", "-pthread"]
REPETITIONS = 3
THIRD_PARTY = ("httplib.h", "zlib.h", "openssl/")

CORE = """#include <fulgurite/fulgurite.hpp>
namespace fg = fulgurite;
using namespace fg::literals;
int main() {
  fg::tracer tracer{fg::resource{.service_name = "checkout"}, fg::always_on_sampler{}, fg::noop_exporter{}};
  auto span = tracer.trace_context("charge card", "order.id"_a = 7);
}
"""
HTTP = "#include <fulgurite/exporter/otlp_http.hpp>\n" + CORE.replace("fg::noop_exporter{}", "fg::otlp_http_exporter{}")


def packages(option):
    """The exporter's third-party packages, as pkg-config knows them; None where it does not."""
    try:
        return subprocess.check_output(["pkg-config", option, "cpp-httplib", "openssl", "zlib"], text=True,
                                       stderr=subprocess.DEVNULL).split()
    except (OSError, subprocess.CalledProcessError):
        return None


def run(command):
    """The CPU seconds of a command, in user space."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{shlex.join(command)}\n{result.stderr[-2000:]}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(folder, name, text, flags, libraries):
    """(CPU seconds of the compiler, preprocessed lines, bytes of the stripped program)."""
    source, built = folder / f"{name}.cpp", folder / name
    source.write_text(text)
    command = [*CXX, *FLAGS, f"-I{INCLUDE}", *flags, str(source)]
    seconds = min(run([*command, "-c", "-o", f"{built}.o"]) for _ in range(REPETITIONS))
    preprocessed = subprocess.check_output([*command, "-E", "-P"], text=True)
    lines = sum(1 for line in preprocessed.splitlines() if line.strip())
    run([*CXX, "-pthread", f"{built}.o", "-o", str(built), "-s", "-Wl,--as-needed", *libraries])
    return seconds, lines, built.stat().st_size


def headers_of(text, flags):
    """The headers that the library's own headers include for this text: (standard and POSIX, third-party)."""
    rule = subprocess.run([*CXX, *FLAGS, f"-I{INCLUDE}", *flags, "-M", "-x", "c++", "-"], input=text,
                          capture_output=True, text=True, check=True).stdout
    found = set()
    for path in rule.replace("\\\n", " ").split():
        if "/fulgurite/" in path:
            found |= set(re.findall(r"^#include <([^>]+)>", pathlib.Path(path).read_text(), re.M))
    # A header that only some systems have is not part of the floor where this one does not have it.
    others = sorted(header for header in found if not header.startswith("fulgurite/"))
    return [h for h in others if not h.startswith(THIRD_PARTY)], [h for h in others if h.startswith(THIRD_PARTY)]


def only(headers):
    return "".join(f"#if __has_include(<{h}>)\n#include <{h}>\n#endif\n" for h in headers) + "int main() {}\n"


def rows_of(name, goal, found, floor, floor_name="its standard headers"):
    figures = zip(("compile time", "preprocessed lines", "stripped program"), ("s CPU", "lines", "KB"), found, floor,
                  (1, 1, 1024), (goal, None, None))
    return [{"name": f"{name}: {what}", "figure": figure / divisor, "unit": unit, "at_most": limit,
             "floor": least / divisor, "floor_name": floor_name}
            for what, unit, figure, least, divisor, limit in figures]


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        standard, _ = headers_of(CORE, [])
        floor = measure(folder, "core_floor", only(standard), [], [])
        rows = rows_of("core", 1.2, measure(folder, "core", CORE, [], []), floor)

        flags, libraries = packages("--cflags"), packages("--libs")
        if flags is None:
            print("the exporter is left out: pkg-config does not know cpp-httplib, openssl and zlib")
        else:
            standard, third_party = headers_of(HTTP, flags)
            floor = measure(folder, "http_floor", only(standard), flags, [])
            found = measure(folder, "http", HTTP, flags, libraries)
            rows += rows_of("OTLP/HTTP", 3, found, floor)
            with_others = measure(folder, "http_others", only(standard + third_party), flags, libraries)
            rows.append(rows_of("OTLP/HTTP", None, found, with_others, "and cpp-httplib, OpenSSL, zlib")[0])
        table.print_rows(rows)


if __name__ == "__main__":
    main()

"""Two translation units that both include every header link into one program, which runs.

A definition in a header that is not inline shows here and nowhere else.

    two_units.py COMPILER...
"""

import pathlib
import subprocess
import sys
import tempfile

from common import INCLUDE, compilers, finish, headers, package_flags, parallel

FLAGS = ["-std=c++20", "-O0", "-I", str(INCLUDE), "-pthread", "-DFULGURITE_BACKEND=runtime",
         *package_flags("--cflags")]
UNITS = {"first": "int second();\nint main() { return second(); }\n", "second": "int second();\nint second() { return 0; }\n"}


def build_and_run(compiler, directory):
    everything = "".join(f"#include <{header}>\n" for header in headers())

    def compile_unit(unit):
        source = directory / f"{unit}.cpp"
        source.write_text(everything + UNITS[unit])
        return subprocess.run([compiler, *FLAGS, "-c", str(source), "-o", str(source.with_suffix(".o"))],
                              capture_output=True, text=True)

    objects = [str(directory / f"{unit}.o") for unit in UNITS]
    program = str(directory / "both")
    steps = parallel(compile_unit, UNITS)
    if all(step.returncode == 0 for step in steps):
        steps = [subprocess.run([compiler, *objects, "-pthread", "-o", program, *package_flags("--libs")],
                                capture_output=True, text=True)]
    if all(step.returncode == 0 for step in steps):
        steps = [subprocess.run([program], capture_output=True, text=True, timeout=60)]
    return [f"{compiler}: exit {step.returncode}\n" + "\n".join(step.stderr.splitlines()[:20])
            for step in steps if step.returncode != 0]


problems = []
present = compilers(sys.argv[1:])
for name in present:
    with tempfile.TemporaryDirectory() as temporary:
        problems += build_and_run(name, pathlib.Path(temporary))
finish(problems, f"{len(headers())} headers in two units under {', '.join(present)}")

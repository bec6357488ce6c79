"""Runs the benchmarks of a build directory, one after the other, and shows each as a table.

    run.py BUILD [NAME...] [-- ARGUMENTS]

Without names all of them run, in the order of bench/meson.build. ARGUMENTS go to the programs of Google Benchmark.
"""

import json
import os
import subprocess
import sys

import table


def main():
    build, *names = sys.argv[1:]
    arguments = []
    if "--" in names:
        at = names.index("--")
        names, arguments = names[:at], names[at + 1:]
    known = json.loads(subprocess.check_output(["meson", "introspect", build, "--benchmarks"], text=True))
    if unknown := set(names) - {benchmark["name"] for benchmark in known}:
        sys.exit(f"run.py: no benchmark {', '.join(sorted(unknown))}; there are "
                 f"{', '.join(benchmark['name'] for benchmark in known)}")
    failed = []
    for benchmark in known:
        if names and benchmark["name"] not in names:
            continue
        print(f"== {benchmark['name']}", flush=True)
        environment = os.environ | benchmark["env"]
        if "fulgurite:tables" in benchmark["suite"]:
            good = subprocess.run(benchmark["cmd"], env=environment).returncode in (0, 77)
        else:
            extra = arguments if "--benchmark_format=json" in benchmark["cmd"] else []
            result = subprocess.run([*benchmark["cmd"], *extra], env=environment, capture_output=True, text=True)
            good = result.returncode == 0
            if good:
                table.show(json.loads(result.stdout))
            else:
                print(result.stdout + result.stderr, file=sys.stderr)
        if not good:
            failed.append(benchmark["name"])
        print(flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

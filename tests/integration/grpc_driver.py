"""What grpc_reference.py and grpc_faults.py share: the program under test, and sentences about what it said."""

import json
import subprocess
import sys
import time

import proofs

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

# grpc_answer::failure, in order.
NONE, REFUSED, TIMED_OUT, INTERRUPTED, DISCONNECTED, RESET, TLS, TOO_LARGE, NOT_GRPC = range(9)


class Driver:
    """grpc_reference.cpp, started for one endpoint; the connection lives as long as this."""

    def __init__(self, program, url, *arguments, **environment):
        self.process = subprocess.Popen([program, url, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment or None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(timeout=20)
        self.process.stdout.close()
        expect(status == 0, f"the program ended with {status}")

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the program died: {self.process.wait()}")
        return json.loads(line)

    def call(self, message=b"", timeout=10_000, gzip=False, interrupt_after=-1, path=EXPORT):
        return self.ask("call", path, timeout, int(gzip), interrupt_after, message.hex())

    def post(self, message=b"", timeout=10_000, gzip=False):
        return self.ask("post", timeout, int(gzip), message.hex())


checks = 0
problems = []


def expect(condition, complaint):
    global checks
    checks += 1
    if not condition:
        problems.append(complaint)
        print(f"WRONG: {complaint}")


def expect_is(answer, what, **fields):
    """Each named field is as given; a text that begins with `...` need only be part of it."""
    for name, value in fields.items():
        got = answer[name]
        if isinstance(value, str) and value.startswith("..."):
            good = value[3:] in got
        else:
            good = got == value
        expect(good, f"{what}: {name} is {got!r} and not {value!r} in {answer}")


def run(cases, packages):
    """Runs the functions, or those that are named on the command line after the program; `packages` of PyPI are what is
    compared with."""
    named = sys.argv[2:]
    for case in cases:
        if named and case.__name__ not in named:
            continue
        started, before = time.monotonic(), checks
        case()
        print(f"{case.__name__}: {checks - before} checks, {time.monotonic() - started:.1f} s", flush=True)
        if checks == before:
            problems.append(f"{case.__name__} checked nothing")
    print(f"{checks} checks, {len(problems)} wrong")
    if problems or checks == 0:
        sys.exit(1)
    names = [case.__name__.replace("_", " ") for case in cases]
    sys.exit(0 if named else proofs.reference("otlp_grpc", packages, names))

"""Every way a process may end while it traces, with every exporter: nothing is lost that is not counted.

    endings.py [--ways pairs|triples|all] [--only KEY=VALUE,...] [--wrap COMMAND] [--jobs N] [--table FILE] NAME=FILE...

A combination is a program (tests/endings/program.cpp) with settings: who holds the tracer, how the process ends, the
exporter, what the program had used before, whether a batch went out before, what the backend does. `pairs` and
`triples` run so many of them that every two or three values meet that can. For each the spans that arrived, the account
that the program's log handler wrote, the exit status and the time are compared with what that ending must give.
NAME=FILE names the programs: fmt, http, grpc, all, plugin_host, plugin_http, plugin_grpc; `fulgurite` the command.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import random
import re
import select
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from sinks import Sinks, names_in  # noqa: E402
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from certificates import Certificates  # noqa: E402

MINUTES = 60
LONGEST = 30  # seconds, for one program

SHAPES = ("static", "namespace", "global", "main", "thread_local", "leaked", "two")
# {ending: (status, spans that it adds)}
DELIVERS = {
    "return": (0, []), "exit": (3, []), "exit_thread": (3, ["thread_0"]), "exit_exporter": (3, []),
    "exit_log": (3, []), "quick_exit": (4, []), "atexit_after": (0, ["atexit_0"]),
    "fork_traced": (0, ["child_0", "after_0"]), "fork_silent": (0, ["after_0"]), "daemon": (0, ["daemon_0"]),
    "pthread_exit": (0, []), "sigterm_flag": (0, []), "plugin": (0, []),
}
# What ends after the last delivery is counted; before it, delivered.
DELIVERS_OR_COUNTS = {"static_dtor_early": (0, ["static_0"]), "static_dtor_late": (0, ["static_0"]),
                      "atexit_before": (0, ["atexit_0"])}
BUSY = {"exit_busy": (3, [])}
KILLED = {"_exit": (5, []), "abort": (-signal.SIGABRT, []), "sigterm": (-signal.SIGTERM, [])}
ENDINGS = {**DELIVERS, **DELIVERS_OR_COUNTS, **BUSY, **KILLED}

# {exporter: (program, wire, whether by TLS, path)}
EXPORTERS = {
    "otlp_http": ("http", "http", False, "/v1/traces"), "otlp_http+tls": ("http", "http", True, "/v1/traces"),
    "otlp_grpc": ("grpc", "grpc", False, ""), "otlp_grpc+tls": ("grpc", "grpc", True, ""),
    "jaeger_http": ("http", "http", False, "/api/traces"), "zipkin": ("http", "http", False, "/api/v2/spans"),
    "agentops": ("http", None, False, ""), "jaeger_udp": ("fmt", "udp", False, ""),
    "file": ("fmt", None, False, ""), "console": ("fmt", None, False, ""), "fan_out": ("all", "http", True, "/v1/traces"),
}
USED = {"fmt": ("nothing",), "http": ("nothing", "httplib", "openssl"), "grpc": ("nothing", "libcurl", "openssl_alone"),
        "all": ("nothing", "httplib", "openssl", "libcurl")}
BACKENDS = ("keeps", "closes", "breaks", "hushes", "silent", "dead")

Case = collections.namedtuple("Case", "shape ending exporter program used sent backend")


def is_possible(case):
    if case.program not in (EXPORTERS[case.exporter][0], "all"):
        return False
    if case.used not in USED[case.program]:
        return False
    wire = EXPORTERS[case.exporter][1]
    if case.backend not in {"http": BACKENDS, "grpc": BACKENDS, "udp": ("keeps", "dead"), None: ("keeps",)}[wire]:
        return False
    # One that never answers would hold up the flush that sends the first batch; one that answers once must.
    if case.backend in ("silent", "dead", "breaks") and case.sent:
        return False
    if case.backend == "hushes" and not case.sent:
        return False
    # A tracer that is gone when static objects are destroyed must not be used any more.
    if case.shape in ("main", "thread_local") and (case.ending in DELIVERS_OR_COUNTS or case.ending == "atexit_after"):
        return False
    if case.ending == "plugin" and (case.program not in ("http", "grpc") or case.shape == "global"):
        return False
    return True


def possible_cases():
    axes = (SHAPES, ENDINGS, EXPORTERS, USED, ("nothing", "httplib", "openssl", "libcurl", "openssl_alone"),
            (False, True), BACKENDS)
    return [case for case in map(Case._make, itertools.product(*axes)) if is_possible(case)]


def covering(cases, width, seed=1):
    """Some of the cases in which every `width` values meet that meet in any of them: greedily, the best first."""
    cases = list(cases)
    random.Random(seed).shuffle(cases)
    columns = list(itertools.combinations(range(len(Case._fields)), width))
    groups = [[tuple((at, case[at]) for at in chosen) for chosen in columns] for case in cases]
    missing = set(itertools.chain.from_iterable(groups))
    taken = []
    most = len(columns)
    for least in sorted({most, most * 3 // 4, most // 2, most // 3, most // 5, most // 10, 2, 1} - {0}, reverse=True):
        for case, group in zip(cases, groups):
            if sum(one in missing for one in group) >= least:
                missing.difference_update(group)
                taken.append(case)
    assert not missing
    return taken


# ------------------------------------------------------------------------------------------------------------ one run

class Account:
    """What a program wrote to descriptor 3."""

    LOST = re.compile(r"log (\d+) \d (.*): of (\d+) spans (\d+) were not delivered \((.*)\)$")

    def __init__(self, text):
        self.text = text
        self.made, self.flushed, self.child, lost = [], False, None, {}
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "made":
                self.made.append(rest)
            elif word == "flushed":
                self.flushed = True
            elif word == "child":
                self.child = int(rest)
            elif found := self.LOST.match(line):
                causes = dict((name, int(count)) for name, count in
                              (part.rsplit(" ", 1) for part in found[5].split(", ")))
                lost[found[1], found[2]] = (int(found[3]), int(found[4]), causes)  # the last counts
        self.others_lost = [value for (_, service), value in lost.items() if service == "other"]
        ours = [value for (_, service), value in lost.items() if service != "other"]
        self.has_line = bool(ours)
        self.sampled, self.lost = sum(one[0] for one in ours), sum(one[1] for one in ours)
        self.causes = collections.Counter()
        for one in ours:
            self.causes.update(one[2])


class Runner:
    def __init__(self, programs, sinks, certificates, folder, wrap):
        self.programs, self.sinks, self.certificates, self.folder, self.wrap = programs, sinks, certificates, folder, wrap
        self.numbers = itertools.count(1)

    def settings(self, case, number, folder, timeout):
        exporter, wire, tls, path = case.exporter.split("+")[0], *EXPORTERS[case.exporter][1:]
        given = {"case": number, "shape": case.shape, "ending": case.ending, "exporter": exporter, "used": case.used,
                 "sent": "yes" if case.sent else "no", "timeout": timeout, "ca": self.certificates.path("ca.pem"),
                 "file": folder / "spans.json", "data": folder / "data",
                 "other": self.sinks.port("http", False, "keeps")}
        scheme = "https" if tls else "http"
        if wire == "udp":
            given["endpoint"] = self.sinks.port(wire, tls, case.backend)
        elif wire:
            given["endpoint"] = f"{scheme}://127.0.0.1:{self.sinks.port(wire, tls, case.backend)}{path}"
        if exporter == "fan_out":
            given["second"] = f"{scheme}://127.0.0.1:{self.sinks.port('grpc', tls, case.backend)}"
        return ";".join(f"{key}={value}" for key, value in given.items())

    def run(self, case, timeout=None, environment=None):
        """[complaint]"""
        number = next(self.numbers)
        # What never gets through is given up after a moment.
        if timeout is None:
            timeout = 200 if case.backend in ("silent", "dead", "hushes", "breaks") else 5000
            timeout *= 10 if self.wrap else 1  # valgrind's programs are so much slower
        folder = self.folder / str(number)
        folder.mkdir()
        program = case.program
        if case.ending == "plugin":
            program = "plugin_host"
        everything = dict(os.environ, ENDING=self.settings(case, number, folder, timeout), HOME=str(folder),
                          PATH=f"{pathlib.Path(self.programs.get('fulgurite', '/')).parent}:{os.environ['PATH']}",
                          **(environment or {}))
        if case.ending == "plugin":
            everything["PLUGIN"] = self.programs["plugin_" + case.program]
        reading, writing = os.pipe()
        started = time.monotonic()
        with open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            process = self.start(program, everything, out, err, folder, writing)
        os.close(writing)
        # The pipe ends with the last of the processes: the program's, and those that it has forked.
        text, until = b"", time.monotonic() + LONGEST * (10 if self.wrap else 1)
        with open(reading, "rb", buffering=0) as pipe:
            while select.select([pipe], [], [], max(0, until - time.monotonic()))[0] and (more := pipe.read(65536)):
                text += more
        hangs = time.monotonic() >= until
        if hangs:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        seconds = time.monotonic() - started
        account = Account(text.decode(errors="replace"))
        complaints = self.judge(case, number, folder, timeout, status, seconds, account)
        if hangs:
            complaints.insert(0, f"it had not ended after {seconds:.0f} s, and was killed")
        if complaints:
            complaints += [f"-- {line}" for line in account.text.splitlines()[-12:]]
            complaints += [f"-- err: {line}" for line in (folder / "err").read_text(errors="replace").splitlines()[-40:]]
        else:
            shutil.rmtree(folder, ignore_errors=True)
        return complaints

    def start(self, program, environment, out, err, folder, writing):
        # A shell gives the program its descriptor 3: the fork of a process with threads must not run Python.
        return subprocess.Popen(["bash", "-c", f'exec "$@" 3>&{writing} {writing}>&-', "bash", *self.wrap,
                                 self.programs[program]], env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=err, pass_fds=(writing,), cwd=folder, start_new_session=True)

    def received(self, case, number, folder):
        """{sink: [name]}"""
        by_sink = collections.defaultdict(list)
        for sink, name in self.sinks.names(number):
            by_sink[sink].append(name)
        exporter = case.exporter
        for file in {"console": ["out"], "file": ["spans.json"], "fan_out": ["spans.json"]}.get(exporter, []):
            with contextlib.suppress(FileNotFoundError):
                by_sink[file] += [name for _, name in names_in((folder / file).read_bytes())]
        store = folder / "data" / "traces.db"
        if exporter == "agentops" and store.exists():
            with contextlib.suppress(sqlite3.Error), contextlib.closing(
                    sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=5)) as database:
                rows = database.execute("SELECT name FROM spans").fetchall()
                by_sink["store"] += [name for row in rows for _, name in names_in(row[0].encode())]
        return by_sink

    def judge(self, case, number, folder, timeout, status, seconds, account):
        complaints = []

        def expect(condition, sentence):
            if not condition:
                complaints.append(sentence)

        wanted_status, added = ENDINGS[case.ending]
        expect(status == wanted_status, f"exit status {status} instead of {wanted_status}")
        slow = 10 if self.wrap else 1
        if not self.wrap:
            expect(seconds <= timeout / 1000 + 5, f"it took {seconds:.1f} s with a shutdown timeout of {timeout} ms")
        before = [f"before_{i}" for i in range(3)] if case.sent else []
        body = [f"body_{i}" for i in range(10)]
        expect([name for name in account.made if name in before + body] == before + body, "it did not do its work")
        if case.sent:
            expect(account.flushed, "the first batch was not flushed")
        if case.ending.startswith("fork_"):
            expect(account.child == 6, f"the child of the fork ended with {account.child}")
        if case.ending in ("exit_exporter", "exit_log"):
            expect(account.others_lost == [(1, 1, {"shutdown": 1})], f"of the tracer that ends: {account.others_lost}")

        reliable = case.backend in ("keeps", "closes")
        if case.ending in KILLED:
            sure, maybe = before, []
        elif case.ending in DELIVERS_OR_COUNTS:
            sure, maybe = before + body, added
        else:
            sure, maybe = before + body + added, []
        sinks = {"fan_out": 3}.get(case.exporter, 1)
        expected_sinks = sinks if reliable else {"fan_out": 1}.get(case.exporter, 0)

        deadline = time.monotonic() + 5 * slow
        while True:
            received = self.received(case, number, folder)
            complete = sum(set(sure) <= set(names) for names in received.values()) >= expected_sinks
            came = sum(map(len, received.values()))
            if reliable and case.ending in BUSY and account.has_line and case.exporter != "fan_out" and case.shape != "two":
                complete = complete and came >= account.sampled - account.lost
            if reliable and maybe:
                complete = complete and came >= sinks * (len(sure) + len(maybe) - account.lost)
            if complete or not sure or time.monotonic() > deadline:
                break
            time.sleep(0.02)

        busy = re.compile("busy[ab]_")
        lost_ones = []
        for sink, names in received.items():
            known = [name for name in names if not busy.match(name)]
            if case.backend != "breaks" or sink == "spans.json":
                twice = [name for name, count in collections.Counter(names).items() if count > 1]
                expect(not twice, f"{sink}: came more than once: {twice}")
            strange = set(known) - set(sure) - set(maybe)
            expect(not strange, f"{sink}: came, and could not: {sorted(strange)}")
            local = sink == "spans.json" or reliable or case.ending in KILLED
            if local:
                # Where the others use up the time, what comes after the first delivery is counted.
                spare = added if not reliable and case.ending == "atexit_after" else []
                missing = [name for name in sure if name not in known + spare]
                expect(not missing, f"{sink}: did not come: {missing}")
                lost_ones = [name for name in maybe if name not in known]
        if reliable and case.ending not in KILLED:
            expect(len(received) == sinks, f"spans came to {sorted(map(str, received))}")
        if case.backend == "hushes" and case.ending not in KILLED:
            for sink, names in received.items():
                if sink != "spans.json":
                    expect(set(before) <= set(names), f"{sink}: the first batch did not come: {names}")

        # A static tracer's destructor that runs in the first moment of its process, before the engine's thread has
        # registered the first delivery, does not know of the end yet: what comes after it is not recorded.
        early = 1 if case.shape in ("static", "two") and case.ending == "static_dtor_late" and not case.sent else 0

        # The account.
        if case.ending in KILLED:
            expect(not account.has_line, "there is an account, and nobody can have written it")
        elif case.ending in BUSY:
            # Of two tracers the one that has lost nothing writes no account.
            if reliable and account.has_line and case.exporter != "fan_out" and case.shape != "two":
                expect(account.sampled - account.lost == came,
                       f"{account.sampled} spans less {account.lost} lost, and {came} came")
        elif reliable:
            expect(len(lost_ones) - early <= account.lost <= len(lost_ones),
                   f"{account.lost} spans are said to be lost, and {lost_ones} did not come")
            expect(set(account.causes) <= {"shutdown"}, f"lost by {dict(account.causes)}")
        else:
            made = [name for name in account.made if name not in (before if case.backend == "hushes" else [])]
            late = early
            if case.exporter == "jaeger_udp":
                late = len(made)  # a datagram that nobody takes is refused, but the last of them in nobody's time
            expect(len(made) - late <= account.lost <= len(made),
                   f"{len(made)} spans were made that cannot be delivered, and {account.lost} are said to be lost")
        return complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ways", choices=("pairs", "triples", "all"), default="pairs")
    parser.add_argument("--only", default="", help="KEY=VALUE,...: of the cases those with these values")
    parser.add_argument("--wrap", default="", help="run the programs by this command")
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count())
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long")
    parser.add_argument("--table", help="write what was run into this file")
    parser.add_argument("programs", nargs="+", metavar="NAME=FILE")
    arguments = parser.parse_args()
    programs = {name: os.path.abspath(file) for name, file in (one.split("=", 1) for one in arguments.programs)}
    cases = [case for case in possible_cases() if case.program in programs]
    cases = [case for case in cases if case.ending != "plugin" or "plugin_" + case.program in programs]
    if "fulgurite" not in programs:
        cases = [case for case in cases if case.exporter != "agentops"]
    for key, value in (one.split("=") for one in arguments.only.split(",") if one):
        cases = [case for case in cases if str(getattr(case, key)) in value.split("|")]
    possible = len(cases)
    if arguments.ways != "all":
        cases = covering(cases, 2 if arguments.ways == "pairs" else 3)
    random.Random(2).shuffle(cases)
    failed = ran = 0
    started = time.monotonic()
    tally = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificates = Certificates(folder)
        sinks = Sinks(certificates)
        runner = Runner(programs, sinks, certificates, folder, shlex.split(arguments.wrap))
        work = [(case, None) for case in cases]
        # Of the dead and the silent backend one each with the time that a tracer has by default.
        if not arguments.only and not arguments.wrap:
            work += [(case, 5000) for case in
                     [next((one for one in cases if one.backend == backend and one.ending == "return"), None)
                      for backend in ("silent", "dead")] if case]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            def one(item):
                if arguments.minutes and time.monotonic() - started > arguments.minutes * 60:
                    return item, None
                return item, runner.run(*item)
            for (case, timeout), complaints in pool.map(one, work):
                if complaints is None:
                    continue
                ran += 1
                tally[case.ending, case.exporter, "failed" if complaints else "passed"] += 1
                if complaints:
                    failed += 1
                    if failed <= 25:
                        print(" ".join(f"{key}={value}" for key, value in case._asdict().items()),
                              *complaints, sep="\n  ", flush=True)
    if arguments.table:
        write_table(arguments.table, tally)
    print(f"{ran} endings of {possible} possible ones, {failed} failed, {time.monotonic() - started:.0f} s")
    sys.exit(1 if failed or not ran else 0)


def write_table(path, tally):
    """Endings down, exporters across; in each field how many combinations passed of those that ran."""
    exporters = list(EXPORTERS)
    lines = ["| ending | " + " | ".join(exporters) + " |", "|---" * (len(exporters) + 1) + "|"]
    for ending in ENDINGS:
        fields = []
        for exporter in exporters:
            passed, failed = tally[ending, exporter, "passed"], tally[ending, exporter, "failed"]
            fields.append(f"{passed}/{passed + failed}" if passed + failed else "")
        lines.append(f"| {ending} | " + " | ".join(fields) + " |")
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

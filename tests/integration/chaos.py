"""Chaos: 8 threads trace in every way, the program is killed and restarted on its spool, the backend fails as it can.

    chaos.py PROGRAM [--minutes N] [--seed N]     (the program chaos.cpp; a seed of its own when none is given)

The backend is a process of its own that writes down the ids of the spans in each request, parsed by the official
protobuf classes, before it answers; it is slow, refuses, closes in the middle, and is killed and started again. Compared
by id at the end: every span that arrived had been made; every span that was made arrived, or was counted as dropped or
failed, or is within what docs/spool.md says a kill -9 may lose. The same seed gives the same schedule, of the threads
(`chaos --schedule`) and of the faults.
"""

import argparse
import array
import collections
import gzip
import json
import multiprocessing
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

from backend import Handler as Base, Server, free_port

try:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
except ImportError:
    print("the packages of requirements.txt are not installed; ./dev test --all brings them")
    sys.exit(1 if os.environ.get("CI") else 77)

MINUTES = 1

# What a kill -9 may lose: the main tracer's queue and another's (chaos.cpp), the rings of its 8 threads, of 256 KiB in
# records of at least 80 bytes, and for each thread the 12 spans that may be open.
QUEUE, OTHER, RINGS, OPEN = 20_000, 1_000, 8 * (256 * 1024 // 80), 8 * 12
BOUND = QUEUE + 8 * OTHER + RINGS + OPEN


# ---------------------------------------------------------------------------------------------------------- the backend

def collect(port, store, mode):
    """Serves until it is killed. `mode` is a shared index into MODES."""
    out = open(store, "ab", buffering=0)
    lock = threading.Lock()

    class Handler(Base):
        def received(self, body):
            now = MODES[mode.value]
            if now == "slow":
                time.sleep(0.2)
            if now in ("answers", "slow", "loses answers"):
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                ids = b"".join(span.span_id for resource in ExportTraceServiceRequest.FromString(body).resource_spans
                               for scope in resource.scope_spans for span in scope.spans)
                with lock:
                    out.write(ids)
            if now == "hangs":
                time.sleep(0.8)  # longer than the exporter's timeout
            return {"refuses": 503, "hangs": None, "loses answers": None}.get(now, 200)

    Server(port, Handler).serve()


MODES = ["answers", "slow", "refuses", "hangs", "loses answers"]


class Backend:
    # Not forked from here: it would hold the programs' standard input open.
    spawn = multiprocessing.get_context("spawn")

    def __init__(self, store):
        self.store, self.port, self.mode, self.process = store, free_port(23000), self.spawn.Value("i", 0), None
        self.start()

    def start(self):
        if not self.process:
            self.process = self.spawn.Process(target=collect, args=(self.port, self.store, self.mode), daemon=True)
            self.process.start()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.join()
            self.process = None


# --------------------------------------------------------------------------------------------------------- the schedule

def faults(seed, seconds):
    """[(seconds to wait, what to do)]: the faults of a seed."""
    roll, at, plan = random.Random(seed), 0.0, []
    while at < seconds:
        pause = roll.uniform(0.2, 2.0)
        at += pause
        plan.append((pause, roll.choice(MODES + ["answers", "backend killed", "backend started", "program killed"])))
    return plan


def same_schedule(program, seed):
    """The same seed, the same schedule; another seed, another one."""
    def steps(of):
        return subprocess.run([program, "--schedule", str(of), "1000"], capture_output=True, check=True).stdout
    return steps(seed) == steps(seed) != steps(seed + 1) and faults(seed, 60) == faults(seed, 60) != faults(seed + 1, 60)


# ---------------------------------------------------------------------------------------------------------- the account

def words(path):
    numbers = array.array("Q")
    data = path.read_bytes()
    numbers.frombytes(data[:len(data) // 8 * 8])
    return numbers


def journal(path):
    """(ids of the spans made, ids of those whose tracer was gone when they ended)"""
    numbers = array.array("Q")
    with open(path, "rb") as file:
        while True:  # a sparse file: its zeros come last
            block = file.read(1 << 16)
            if not block.strip(b"\0"):
                break
            numbers.frombytes(block)
    made, late = set(), set()
    for id_, kind in zip(numbers[::2], numbers[1::2]):
        if id_:
            (made if kind == 1 else late).add(id_)
    return made, late


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    arguments = parser.parse_args()
    seconds, seed = arguments.minutes * 60, arguments.seed
    assert same_schedule(arguments.program, seed)

    running = None
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "spool").mkdir()
        target = Backend(folder / "stored")
        endpoint = f"http://127.0.0.1:{target.port}/v1/traces"
        killed, ended = [], []

        def start():
            number = len(killed) + len(ended)
            process = subprocess.Popen([arguments.program, endpoint, folder / "spool", folder / f"run{number}",
                                        str(seed * 100 + number)], stdin=subprocess.PIPE)
            process.path = folder / f"run{number}"
            return process

        try:
            running = start()
            done = collections.Counter()
            for pause, what in faults(seed, seconds):
                time.sleep(pause)
                assert running.poll() is None, f"the program ended by itself: {running.returncode}"
                done[what] += 1
                if what == "backend killed":
                    target.kill()
                elif what == "backend started":
                    target.start()
                elif what == "program killed":
                    running.send_signal(signal.SIGKILL)
                    running.wait()
                    killed.append(running)
                    running = start()
                else:
                    target.mode.value = MODES.index(what)
            # The last one ends by itself, with a backend that answers, and empties what the others left in the spool.
            target.start()
            target.mode.value = 0
            running.stdin.close()
            assert running.wait(timeout=120) == 0, f"the program ended with {running.returncode}"
            ended.append(running)
            for _ in range(20):
                left = list((folder / "spool").rglob("*.batch"))
                if not left:
                    break
                running = start()
                time.sleep(1)
                running.stdin.close()
                assert running.wait(timeout=120) == 0
                ended.append(running)
            assert not left, f"{len(left)} batches stay in the spool"
            # Children that outlived a killed parent.
            time.sleep(1)
        finally:
            if running and running.poll() is None:
                running.kill()
                running.wait()
            target.kill()

        stored = words(folder / "stored")
        arrived = set(stored)
        accounts = collections.defaultdict(collections.Counter)  # by (run, process)
        for process in killed + ended:
            try:
                lines = pathlib.Path(f"{process.path}.accounts").read_text().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                account = json.loads(line)
                own = accounts[process.path.name, account["pid"]]
                own["complete"] += account["whose"] in ("main", "child")
                for name, value in account.items():
                    if isinstance(value, int) and name != "pid":
                        own[name] += value

        every, problems = set(), []
        total, worst, kills = collections.Counter(), 0, {(p.path.name, p.pid) for p in killed}
        for path in sorted(folder.glob("run*.*")):
            if path.suffix == ".accounts":
                continue
            key = path.stem, int(path.suffix[1:])
            made, late = journal(path)
            own, missing = accounts[key], len(made - arrived)
            every |= made
            total["made"] += len(made)
            total["late"] += len(late)
            total["missing"] += missing
            total["dropped"] += own["dropped"]
            total["failed"] += own["failed"]
            total["signal"] += own["signal"]
            total["replayed"] += own["replayed"]
            total["set aside"] += own["set_aside"]
            if late & arrived:
                problems.append(f"{key}: {len(late & arrived)} spans arrived whose tracer was gone")
            if key in kills:
                worst = max(worst, missing)
                if missing > BOUND:
                    problems.append(f"{key}: killed, {missing} of {len(made)} missing, more than {BOUND}")
            elif not own["complete"]:
                problems.append(f"{key}: no account")
            else:
                total["processes that ended well"] += 1
                if own["sampled"] != len(made):
                    problems.append(f"{key}: {len(made)} made, {own['sampled']} in the accounts")
                if own["sampled"] != own["exported"] + own["failed"] + own["dropped"] + own["queued"]:
                    problems.append(f"{key}: the account does not add up: {dict(own)}")
                if own["queued"] != own["spooled"]:
                    problems.append(f"{key}: {own['queued'] - own['spooled']} stayed queued")
                if missing > own["dropped"] + own["failed"]:
                    problems.append(f"{key}: {missing} missing, {own['dropped']} dropped, {own['failed']} failed")
        if arrived - every:
            problems.append(f"{len(arrived - every)} spans arrived that were not made")

    print(f"seed {seed}, {seconds:.0f} s: " + ", ".join(f"{n} x {what}" for what, n in sorted(done.items())))
    print(f"{len(killed)} kills, {total['processes that ended well']} processes that ended well")
    print(f"made {total['made']}, arrived {len(arrived)} (and {len(stored) - len(arrived)} again), missing "
          f"{total['missing']}: dropped {total['dropped']} ({total['signal']} in handlers), failed {total['failed']}, the "
          f"others in memory at a kill: {worst} at most, bound {BOUND}; {total['late']} ended after their tracer; "
          f"{total['replayed']} replayed, {total['set aside']} files set aside")
    for problem in problems:
        print("FAILED:", problem)
    assert total["made"] > 1000 and len(arrived) > 1000, "this was no chaos"
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()

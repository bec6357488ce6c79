"""The spool under kill -9 and a backend with every fault: what was said to be safe arrives, and in order.

    spool.py PROGRAM     (the program spool.cpp)

The program is killed at random moments while the backend answers, refuses, hangs, takes a batch and loses the answer,
or is away. Whatever the killed program had counted as exported or spooled arrives at least once after the restarts, in
the order the spans ended; what is missing was in memory, and is no more than the queue and the ring hold. Every file
that a kill leaves is read here by the form's description with Python's own CRC.
"""

import collections
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

from backend import Handler, Server, free_port

program = sys.argv[1]
ROUNDS = 30
# What memory may hold: max_queue_size of spool.cpp, and a ring of 256 KiB in records of at least 64 bytes.
BOUND = 10_000 + 4096

random.seed(1)
names = re.compile(rb"([a-z]\d*)-(\d+)\.")
arrived = collections.defaultdict(list)  # prefix -> indices, by their arrival
lock = threading.Lock()
mode = "ok"


class Backend(Handler):
    def received(self, body):
        now = mode
        if now in ("ok", "answer lost"):
            with lock:
                for prefix, index in names.findall(body):
                    arrived[prefix.decode()].append(int(index))
        if now == "hangs":
            time.sleep(0.4)
        return {"ok": 200, "hangs": None, "answer lost": None}.get(now, 503)


def serve(port):
    server = Server(port, Backend)
    threading.Thread(target=server.serve, daemon=True).start()
    return server


started = []


def start(prefix, spool, port):
    process = subprocess.Popen([program, f"http://127.0.0.1:{port}/v1/traces", spool, prefix], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    started.append(process)
    process.lines = []
    process.reader = threading.Thread(target=lambda: process.lines.extend(process.stdout), daemon=True)
    process.reader.start()
    return process


Account = collections.namedtuple("Account", "made sampled exported spooled queued failed dropped replayed")


def kill(process):
    """The last whole account that the program gave before it was killed."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.reader.join()
    return account(process)


def account(process):
    whole = [line for line in process.lines if line.endswith("\n")]
    return Account(*map(int, whole[-1].split())) if whole else Account(*[0] * 8)


def batches(spool):
    return [path for path in pathlib.Path(spool).rglob("*.batch") if path.parent.name != "bad"]


def check_file(path):
    data = path.read_bytes()
    magic, version, crc, size, _, spans, kind, encoding = struct.unpack("<8sIIQQIHH", data[:40])
    assert magic == b"fgspool\n" and version == 1, path
    assert zlib.crc32(data[16:]) == crc, f"{path}: a file under its name that is not whole"
    assert data[40:40 + kind] == b"application/x-protobuf" and encoding == 0
    assert len(data) == 40 + kind + size
    assert len(names.findall(data[40 + kind:])) == spans, path


def drained(spool, limit=60):
    """Waits until no batch is left."""
    until = time.monotonic() + limit
    while batches(spool):
        assert time.monotonic() < until, f"{len(batches(spool))} batches are still there"
        time.sleep(0.05)


def first_arrivals(prefix):
    with lock:
        return list(dict.fromkeys(arrived[prefix]))


def killed_again_and_again(spool):
    global mode
    port = free_port(22000)
    server = serve(port)
    accounts, files = {}, 0
    for number in range(ROUNDS):
        prefix = f"r{number}"
        process = start(prefix, spool, port)
        until = time.monotonic() + random.uniform(0.02, 0.9)
        while (left := until - time.monotonic()) > 0:
            mode = random.choice(["ok", "503", "hangs", "answer lost", "away"])
            if mode == "away" and server:
                server.stop()
                server = None
            elif mode != "away" and not server:
                server = serve(port)
            time.sleep(min(left, random.uniform(0.02, 0.25)))
        accounts[prefix] = kill(process)
        for path in batches(spool):
            try:
                check_file(path)
                files += 1
            except FileNotFoundError:
                pass
    mode = "ok"
    server = server or serve(port)
    last = start("", spool, port)
    drained(spool)
    last.stdin.close()
    assert last.wait(timeout=60) == 0
    last.reader.join()
    server.stop()

    made = lost = twice = safe = 0
    for prefix, told in accounts.items():
        assert told.dropped == 0 and told.failed == 0, (prefix, told)
        assert told.exported + told.spooled + told.queued - told.spooled <= told.made
        order = first_arrivals(prefix)
        assert order == sorted(order), f"{prefix}: out of order"
        missing = set(range(told.made)) - set(order)
        acknowledged = told.exported + told.spooled
        assert not any(index < acknowledged for index in missing), f"{prefix}: lost what was safe: {told}"
        assert len(missing) <= BOUND, f"{prefix}: {len(missing)} lost"
        made, lost, safe = made + told.made, lost + len(missing), safe + acknowledged
        twice += len(arrived[prefix]) - len(order)
    print(f"{ROUNDS} kills: {made} spans made, {safe} said to be safe, all of these arrived; {lost} were in memory; "
          f"{twice} arrived twice; {files} files looked at, each whole")
    assert safe > 1000 and files > 20, "the test has not tested anything"
    leftovers = [path for path in pathlib.Path(spool).rglob("*") if path.is_file()]
    assert not leftovers, leftovers


def two_on_one_directory(spool):
    global mode
    port = free_port(22000)
    server = serve(port)
    mode = "503"
    one, other = start("a", spool, port), start("b", spool, port)
    until = time.monotonic() + 30
    while min(account(one).spooled, account(other).spooled) < 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    told = kill(one)
    mode = "ok"
    drained(spool)
    other.stdin.close()
    assert other.wait(timeout=60) == 0
    other.reader.join()
    server.stop()
    last = account(other)
    for prefix, safe in (("a", told.exported + told.spooled), ("b", last.exported + last.spooled)):
        with lock:
            order = list(arrived[prefix])
        assert order == sorted(set(order)), f"{prefix}: out of order, or twice"
        assert set(range(safe)) <= set(order), f"{prefix}: lost what was safe"
    assert last.replayed >= told.spooled > 0, (last, told)
    print(f"two on one directory: {told.spooled} spans of the killed one delivered once by the other")


try:
    with tempfile.TemporaryDirectory() as directory:
        killed_again_and_again(os.path.join(directory, "one"))
        two_on_one_directory(os.path.join(directory, "two"))
finally:
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()

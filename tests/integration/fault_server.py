"""A backend that is a script, over HTTP/1.1 or gRPC: what it does with the first request, the second, and so on.

What it does is a step, a function. Over HTTP it takes the connection and the request, and the connection stays where it
returns true; a step with `is_early` finds the request's body unread. Over gRPC it takes the call (grpc_server.py), and
the connection is closed where it returns false.
"""

import base64
import contextlib
import functools
import os
import socket
import struct
import sys
import threading
import time
import zlib

import h2.errors

from backend import listener
from grpc_server import HEADERS, Connection

DEADLOCK = 150  # seconds, after which nothing is waited for any more


# ------------------------------------------------------------------------------------------- what a backend does: HTTP

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


@functools.cache
def bomb():
    """256 MiB of zeros, by gzip."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


def gzip_bomb(one, _):
    answer(one, 200, ["Content-Encoding: gzip", "Content-Type: application/x-protobuf"], bomb())
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
    call.data(b"\1" + struct.pack(">I", len(bomb())) + bomb())
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
    # In one piece with the answer it may reach libcurl 7.88 first, which then calls once more.
    time.sleep(0.5)
    call.h2.close_connection(0)
    call.send()


def answer_old_http(one):
    """Whatever is said to it."""
    one.recv(65536)
    answer(one, 400, version="1.0")
    # A socket that is closed with something unread takes back what was sent.
    one.shutdown(socket.SHUT_WR)
    until_closed(one)


# ---------------------------------------------------------------------------------------------------------- the backend

class Backend:
    """Follows the script; when that is over it does what is good. Holds the first request until it is released.

    With `talk(connection)` no request is read, and connections are counted instead.
    """

    def __init__(self, script, good, is_grpc=False, talk=None):
        self.script, self.good, self.is_grpc, self.talk = list(script), good, is_grpc, talk
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
            elif self.is_grpc:
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

    def next_step(self, request):
        return self.step_at(self.arrived(request)) or self.good

    def step_at(self, number):
        return self.script[number] if number < len(self.script) else None

    def answer_call(self, call):
        request = Request("POST", call.headers[":path"], call.headers, time.monotonic())
        done = self.next_step(request)(call)
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


def bind_below(one):
    """To a port below 32768."""
    for port in range(9000 + os.getpid() % 9000, 32000):
        with contextlib.suppress(OSError):
            return one.bind(("127.0.0.1", port))
    sys.exit("no free port below 32768")

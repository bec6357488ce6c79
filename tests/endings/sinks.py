"""Backends for the tests of a process's end: they note which spans came, by the names in the bytes.

A span is named sp_<case>_<what>_<number>_, so that its name can be found in any protocol's bytes. What a backend does
with a connection is its manner:

    keeps     answers, and keeps the connection
    closes    answers, and closes the connection a moment later: the next request finds it stale
    breaks    reads the request, and closes without an answer
    hushes    answers what has spans named `before` in it, and nothing else
    silent    reads, and never answers
    dead      nobody listens there
"""

import contextlib
import gzip
import pathlib
import re
import socket
import ssl
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from backend import listener  # noqa: E402

NAME = re.compile(rb"sp_(\d+)_([a-z]+_\d+)_")
MANNERS = ("keeps", "closes", "breaks", "hushes", "silent", "dead")


def names_in(data):
    """[(case, name)] of the spans in some bytes, in their order."""
    return [(int(case), name.decode()) for case, name in NAME.findall(data)]


def inflated(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


class Sinks:
    """All of them, each on a port of its own: sinks.port(protocol, tls, manner)."""

    def __init__(self, certificates, first=22000):
        self.lock = threading.Lock()
        self.received = {}  # case -> [(sink, name)]
        self.ports, self.sockets = {}, []
        self.context = {}
        for protocol in ("http", "grpc"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.path("server.pem"), certificates.path("server.key"))
            context.set_alpn_protocols(["h2"] if protocol == "grpc" else ["http/1.1"])
            self.context[protocol] = context
        for protocol in ("http", "grpc"):
            for tls in (False, True):
                for manner in MANNERS:
                    self.open(protocol, tls, manner, first)
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        for port in range(first, 32000):
            with contextlib.suppress(OSError):
                self.datagrams.bind(("127.0.0.1", port))
                break
        self.ports["udp", False, "keeps"] = self.datagrams.getsockname()[1]
        self.ports["udp", False, "dead"] = self.ports["http", False, "dead"]  # TCP's, held; nobody has it for UDP
        threading.Thread(target=self.take_datagrams, daemon=True).start()

    def port(self, protocol, tls, manner):
        return self.ports[protocol, tls, manner]

    def names(self, case):
        with self.lock:
            return list(self.received.get(case, []))

    def note(self, sink, data):
        with self.lock:
            for case, name in names_in(data):
                self.received.setdefault(case, []).append((sink, name))

    def open(self, protocol, tls, manner, first):
        if manner == "dead":
            held = socket.socket()  # bound, so that nobody else takes the port, and not listening
            for port in range(first, 32000):
                with contextlib.suppress(OSError):
                    held.bind(("127.0.0.1", port))
                    break
            self.sockets.append(held)
            self.ports[protocol, tls, manner] = held.getsockname()[1]
            return
        server = listener(first)
        server.listen(128)
        self.sockets.append(server)
        self.ports[protocol, tls, manner] = server.getsockname()[1]
        sink = (protocol, tls, manner)

        def accept():
            while True:
                one, _ = server.accept()
                threading.Thread(target=self.serve, args=(one, sink), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def serve(self, one, sink):
        protocol, tls, manner = sink
        with contextlib.suppress(OSError, ssl.SSLError, ValueError, struct.error):
            with one:
                one.settimeout(60)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if manner == "silent":
                    # Of TLS not even the handshake is answered: the client waits in the middle of the library.
                    while one.recv(65536):
                        pass
                    return
                if tls:
                    one = self.context[protocol].wrap_socket(one, server_side=True)
                with one:
                    (self.serve_http if protocol == "http" else self.serve_grpc)(one, sink)
                    if manner == "closes":
                        # A socket that is closed with something unread takes back what was sent.
                        one = one.unwrap() if tls else one
                        one.shutdown(socket.SHUT_WR)
                        while one.recv(65536):
                            pass

    def take(self, one, sink, body):
        """Notes the spans of a request; whether it is answered."""
        manner = sink[2]
        if manner == "hushes" and b"_before_" not in body:
            while one.recv(65536):
                pass
            return False
        self.note(sink, body)
        if manner == "breaks":
            one.shutdown(socket.SHUT_RDWR)
        return manner != "breaks"

    def serve_http(self, one, sink):
        manner = sink[2]
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = one.recv(65536)
                if not more:
                    return
                data += more
            head, data = data.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
            if re.search(rb"(?i)expect: *100-continue", head):
                one.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while len(data) < length:
                more = one.recv(65536)
                if not more:
                    return
                data += more
            body, data = inflated(data[:length]), data[length:]
            if not self.take(one, sink, body):
                return
            one.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            if manner == "closes":
                return

    def serve_grpc(self, one, sink):
        """HTTP/2 as far as one unary call needs it (RFC 9113): what the request's headers say is not read."""
        manner = sink[2]

        def frame(kind, flags, stream, payload=b""):
            return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

        def literal(name, value):  # RFC 7541, 6.2.2, without indexing
            return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

        buffer = b""

        def read(size):
            nonlocal buffer
            while len(buffer) < size:
                more = one.recv(65536)
                if not more:
                    raise OSError("closed")
                buffer += more
            taken, buffer = buffer[:size], buffer[size:]
            return taken

        one.sendall(frame(4, 0, 0))
        read(24)  # the preface
        bodies = {}
        while True:
            head = read(9)
            size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
            payload = read(size)
            if kind == 4 and not flags & 1:
                one.sendall(frame(4, 1, 0))
            elif kind == 6 and not flags & 1:
                one.sendall(frame(6, 1, 0, payload))
            elif kind == 0:
                bodies[stream] = bodies.get(stream, b"") + payload
                if size:
                    one.sendall(frame(8, 0, 0, struct.pack(">I", size)) + frame(8, 0, stream, struct.pack(">I", size)))
            if kind in (0, 1) and flags & 1:
                body = inflated(bodies.pop(stream, b"")[5:])
                if not self.take(one, sink, body):
                    return
                one.sendall(frame(1, 4, stream, b"\x88" + literal(b"content-type", b"application/grpc"))
                            + frame(0, 0, stream, b"\0\0\0\0\0") + frame(1, 5, stream, literal(b"grpc-status", b"0")))
                if manner == "closes":
                    return

    def take_datagrams(self):
        while True:
            data = self.datagrams.recv(65536)
            self.note(("udp", False, "keeps"), data)

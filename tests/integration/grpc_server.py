"""An HTTP/2 server that does what no gRPC library will, for grpc_faults.py and faults.py: what it answers is a function.

By the PyPI package h2, or raw bytes.
"""

import contextlib
import os
import socket
import struct
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from backend import listener

HEADERS = [(":status", "200"), ("content-type", "application/grpc")]
def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4, 0, 0, b"")


class Call:
    """One stream: its headers, its body as far as it has come, and what to answer with."""

    def __init__(self, connection, stream, headers):
        self.connection, self.stream = connection, stream
        self.headers = dict((name.decode(), value.decode()) for name, value in headers)
        self.body, self.waits = b"", False

    @property
    def h2(self):
        return self.connection.h2

    def send(self, more=b""):
        self.connection.socket.sendall(self.h2.data_to_send() + more)

    def has_message(self):
        return self.headers.get("content-length") != "0"

    def begin(self, headers=None, end=False):
        self.h2.send_headers(self.stream, headers or HEADERS, end_stream=end)
        self.send()

    def data(self, octets, end=False):
        """As much at a time as the client's windows have room for."""
        while octets:
            room = min(self.h2.local_flow_control_window(self.stream), self.h2.max_outbound_frame_size)
            while room == 0:
                if not self.connection.pump():
                    return
                room = min(self.h2.local_flow_control_window(self.stream), self.h2.max_outbound_frame_size)
            self.h2.send_data(self.stream, octets[:room], end_stream=end and len(octets) <= room)
            octets = octets[room:]
            self.send()

    def trailers(self, *trailers):
        self.h2.send_headers(self.stream, list(trailers), end_stream=True)
        self.send()

    def succeed(self, message=b""):
        self.begin()
        self.data(b"\0" + struct.pack(">I", len(message)) + message)
        self.trailers(("grpc-status", "0"))

    def reset(self, code):
        self.h2.reset_stream(self.stream, code)
        self.send()


class Connection:
    def __init__(self, accepted, serve, early):
        self.socket, self.serve, self.early = accepted, serve, early
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, validate_outbound_headers=False,
                                                                       normalize_outbound_headers=False))
        self.calls, self.received = {}, 0

    def run(self):
        with self.socket, contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            self.h2.initiate_connection()
            self.socket.sendall(self.h2.data_to_send())
            while self.pump():
                pass
            # A socket that is closed with something unread takes back what was sent.
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(1)
            while self.socket.recv(65536):
                pass

    def pump(self):
        data = self.socket.recv(65536)
        if not data:
            return False
        ready = []
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                self.calls[event.stream_id] = Call(self, event.stream_id, event.headers)
                if self.early and (self.early != "exhausted" or not self.calls[event.stream_id].has_message()):
                    ready.append(event.stream_id)
            elif isinstance(event, h2.events.DataReceived):
                if not self.early:
                    self.calls[event.stream_id].body += event.data
                self.received += len(event.data)
                if self.early == "exhausted" and self.received == 65_535:
                    ready.append(event.stream_id)
                if self.early in (None, "discards"):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded) and (not self.early or self.calls[event.stream_id].waits):
                ready.append(event.stream_id)
        self.socket.sendall(self.h2.data_to_send())
        for stream in ready:
            if self.serve(self.calls[stream]) is False:
                return False
        return True


@contextlib.contextmanager
def listening(each):
    """Calls `each(socket)` on a thread for every connection; yields the port and the list of their numbers."""
    server = listener(20000 + os.getpid() % 9000)
    accepted = []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                one, _ = server.accept()
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                accepted.append(one)
                threading.Thread(target=each, args=(one,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1], accepted
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()

"""What the tests' own backends share: a free port, and an HTTP server whose handler decides what becomes of a request."""

import contextlib
import http.server
import socket
import sys


def free_port(first):
    """A port of loopback that is free now, from `first` on and below 32768."""
    for port in range(first, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit("no free port below 32768")


def listener(first):
    """A socket that listens on such a port: nobody can take it in between."""
    for port in range(first, 32000):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    sys.exit("no free port below 32768")


class Handler(http.server.BaseHTTPRequestHandler):
    """Calls `received(body)` with each whole body; what that returns is the answer's status, None closes unanswered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the sender was killed
        status = self.received(body)
        if status is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """On loopback; serves until `stop`, or in a process of its own until that is killed."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, handler):
        super().__init__(("127.0.0.1", port), handler)

    def serve(self):
        self.serve_forever(poll_interval=0.01)

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass  # a sender that was killed

"""OTLP over gRPC against gRPC's own server: requests arrive as they were sent, and every answer is understood.

    grpc_reference.py PROGRAM [CASE...]     (the program grpc_reference.cpp)

Exit status: 0 equal, 1 different, 77 packages missing (PyPI: grpcio, opentelemetry-proto, protobuf).
"""

import concurrent.futures
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time

try:
    import grpc
    from google.protobuf.any_pb2 import Any
    from google.protobuf.duration_pb2 import Duration
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (ExportTraceServiceRequest,
                                                                          ExportTraceServiceResponse)
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (TraceServiceServicer,
                                                                               add_TraceServiceServicer_to_server)
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI packages grpcio, opentelemetry-proto and protobuf are needed")
    sys.exit(77)

from backend import free_port
from certificates import Certificates
from grpc_driver import (DISCONNECTED, EXPORT, INTERRUPTED, NONE, REFUSED, TIMED_OUT, TLS, TOO_LARGE, Driver, expect,
                         expect_is, run)

PROGRAM = sys.argv[1]


class Service(TraceServiceServicer):
    """Keeps what it gets; `answer(request, context)` may be set to something else than success."""

    def __init__(self):
        self.requests, self.metadata, self.peers, self.left = [], [], [], []
        self.answer = lambda request, context: ExportTraceServiceResponse()

    def Export(self, request, context):
        self.requests.append(request)
        self.metadata.append(context.invocation_metadata())
        self.peers.append(context.peer())
        self.left.append(context.time_remaining())
        return self.answer(request, context)


@contextlib.contextmanager
def serving(credentials=None, port=None, options=()):
    """Yields (service, port)."""
    service = Service()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=list(options))
    add_TraceServiceServicer_to_server(service, server)
    port = port or free_port(20000 + os.getpid() % 9000)
    address = f"127.0.0.1:{port}"
    if (server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)) != port:
        sys.exit(f"port {port} is not ours")
    server.start()
    try:
        yield service, port
    finally:
        server.stop(None).wait()


def request_of(spans):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for i in range(spans):
        scope.spans.add(name=f"span {i} \u00fc", trace_id=bytes([i % 255 + 1]) * 16, span_id=bytes([i % 255 + 1]) * 8,
                        start_time_unix_nano=i, end_time_unix_nano=i + 1)
    return request


# google.rpc.Status and google.rpc.RetryInfo, built from well-known types alone: field numbers as in google/rpc.
def retry_info(seconds=0, nanos=0, with_delay=True):
    delay = Duration(seconds=seconds, nanos=nanos).SerializeToString()
    value = b"\x0a" + bytes([len(delay)]) + delay if with_delay else b""
    return Any(type_url="type.googleapis.com/google.rpc.RetryInfo", value=value)


def status_bytes(code, message, *details):
    def field(tag, content):
        return bytes([tag, len(content)]) + content
    return (bytes([8, code]) + field(0x12, message.encode()) +
            b"".join(field(0x1a, detail.SerializeToString()) for detail in details))


def failing(code, message="", *details):
    def answer(_, context):
        if details:
            context.set_trailing_metadata((("grpc-status-details-bin", status_bytes(code.value[0], message, *details)),))
        context.abort(code, message)
    return answer


# --------------------------------------------------------------------------------------------------------------- cases


def arrival():
    """The same bytes, plain and by gzip, of every size around the frames and windows of HTTP/2, on one connection."""
    with serving(options=[("grpc.max_receive_message_length", -1)]) as (service, port):
        with Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
            for spans in (0, 1, 300, 500, 2000, 60_000):
                for gzip in (False, True):
                    request = request_of(spans)
                    answer = driver.call(request.SerializeToString(), gzip=gzip)
                    expect_is(answer, f"{spans} spans, gzip {gzip}", code="OK", why=NONE, outcome="delivered", body="")
                    expect(service.requests[-1] == request, f"{spans} spans, gzip {gzip}: another request arrived")
        expect(len(set(service.peers)) == 1, f"{len(set(service.peers))} connections for one client")
        expect(len(service.peers) == 12, f"{len(service.peers)} calls instead of 12")


def by_name():
    """A host's name is looked up; the path of the endpoint is not used."""
    with serving() as (service, port), Driver(PROGRAM, f"http://localhost:{port}/ignored") as driver:
        for reused in (0, 1, 1):
            expect_is(driver.call(), "localhost", code="OK", reused=reused)
        expect_is(driver.ask("check", 5000), "check", reachable=1, reason="OK", endpoint=f"http://localhost:{port}")
        expect(len(service.requests) == 4, f"{len(service.requests)} calls")


def metadata():
    binary = bytes(range(1, 120)).decode("latin-1")
    with serving() as (service, port), Driver(
            PROGRAM, f"http://127.0.0.1:{port}", "--header", "X-Api-Key=se cret=1", "--header", "empty=", "--header",
            "TE=no", "--header", "grpc-timeout=1n", "--header", "content-type=text/html", "--header",
            f"Token-Bin={binary}", "--header", "x-evil=a\r\nb: c") as driver:
        expect_is(driver.call(timeout=5000), "metadata", code="OK")
        got = dict(service.metadata[-1])
        expect(got.get("x-api-key") == "se cret=1", f"x-api-key: {got}")
        expect(got.get("empty") == "", f"empty: {got}")
        expect(got.get("token-bin") == binary.encode(), f"token-bin: {got.get('token-bin')}")
        expect("x-evil" not in got and "b" not in got, f"a header with a line end was sent: {got}")
        expect(3 < service.left[-1] <= 5, f"the server was told {service.left[-1]} s")
        expect_is(driver.post(), "metadata", outcome="delivered")
        agent = dict(service.metadata[-1])["user-agent"]
        expect(agent.startswith("fulgurite/") and " OTel-OTLP-Exporter-Cpp/" in agent, f"user-agent {agent}")


def codes():
    """Every status, with and without RetryInfo, by OTLP's table."""
    retried = {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
    about_access = {"UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"}
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        for code in grpc.StatusCode:
            name = code.name
            if name == "OK":
                continue
            service.answer = failing(code, f"it is {name}: 100 %, \u00fc\n")
            plain = driver.call()
            expect_is(plain, name, code=name, why=NONE, message=f"it is {name}: 100 %, \u00fc\n",
                      outcome="retry" if name in retried else "refused", retry_after_ns=-1, at_once=0,
                      later=int(name in about_access or name in retried))
            expect(f"http://127.0.0.1:{port} answered {name}" in plain["reason"], f"{name}: {plain['reason']}")
            expect("100 %, \u00fc" in plain["reason"], f"{name}: {plain['reason']}")

            service.answer = failing(code, "later", retry_info(3, 250_000_000))
            asked = name in retried or name == "RESOURCE_EXHAUSTED"
            expect_is(driver.call(), f"{name} with RetryInfo", code=name, message="later",
                      outcome="retry" if asked else "refused", retry_after_ns=3_250_000_000 if asked else -1)
        service.answer = failing(grpc.StatusCode.RESOURCE_EXHAUSTED, "no time named", retry_info(with_delay=False))
        expect_is(driver.call(), "RetryInfo without a delay", outcome="retry", retry_after_ns=-1)
        other = Any(type_url="type.googleapis.com/google.rpc.DebugInfo", value=b"\x0a\x02\x08\x05")
        service.answer = failing(grpc.StatusCode.RESOURCE_EXHAUSTED, "", other)
        expect_is(driver.call(), "other details", outcome="refused", later=0)
        service.answer = failing(grpc.StatusCode.UNAVAILABLE, "", other, retry_info(0, 7))
        expect_is(driver.call(), "RetryInfo after other details", outcome="retry", retry_after_ns=7)
        expect(len(set(service.peers)) == 1, "a call that failed cost the connection")


def partial_success():
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        def partly(_, __):
            response = ExportTraceServiceResponse()
            response.partial_success.rejected_spans = 7
            response.partial_success.error_message = "too old"
            return response
        service.answer = partly
        expect_is(driver.post(), "partial success", outcome="delivered", rejected=7, message="too old")
        service.answer = lambda _, __: ExportTraceServiceResponse()
        expect_is(driver.post(), "success", outcome="delivered", rejected=0, message="")


def compressed_answers():
    """The server compresses what it says; a large answer too, and one that is too large is not taken."""
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            for size in (0, 10, 100_000, 4 * 1024 * 1024 - 100):
                response = ExportTraceServiceResponse()
                response.partial_success.error_message = "m" * size
                def answer(_, context, response=response, compression=compression):
                    context.set_compression(compression)
                    return response
                service.answer = answer
                got = driver.call()
                expect_is(got, f"{compression}, {size}", code="OK", why=NONE)
                expect(bytes.fromhex(got["body"]) == response.SerializeToString(), f"{compression}, {size}: other bytes")
            response.partial_success.error_message = "m" * (4 * 1024 * 1024)
            expect_is(driver.call(), f"{compression}, too large", code="RESOURCE_EXHAUSTED", why=TOO_LARGE,
                      outcome="refused", later=0, body="", error="the answer is larger than 4 MiB")
            response.partial_success.error_message = ""
            expect_is(driver.call(), "after it", code="OK")


def deadlines():
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        woken = threading.Event()
        def sleep(_, __):
            woken.wait(20)
            return ExportTraceServiceResponse()
        service.answer = sleep
        # The server gives up at the same time: whose word comes first is open.
        slow = driver.call(timeout=300)
        expect_is(slow, "sleeping server", code="DEADLINE_EXCEEDED")
        expect(slow["why"] in (NONE, TIMED_OUT), f"sleeping server: {slow}")
        expect(250 <= slow["ms"] < 2000, f"sleeping server: {slow['ms']} ms")
        interrupted = driver.call(timeout=20_000, interrupt_after=200)
        expect_is(interrupted, "interrupted", code="CANCELLED", why=INTERRUPTED, outcome="refused", later=1)
        expect(150 <= interrupted["ms"] < 2000, f"interrupted: {interrupted['ms']} ms")
        woken.set()
        service.answer = lambda _, __: ExportTraceServiceResponse()
        expect_is(driver.call(), "after them", code="OK")


def wrong_service():
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        expect_is(driver.call(path="/no.such.Service/Export"), "wrong service", code="UNIMPLEMENTED", why=NONE,
                  outcome="refused", later=1, reason="...nothing takes OTLP traces by gRPC at this address")
        expect(not service.requests, "it arrived all the same")


def too_large_request():
    """gRPC's servers take 4 MiB by default: refused for good, and the connection is kept or made again."""
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        answer = driver.ask("big", EXPORT, 10_000, 40 * 1024 * 1024)
        expect_is(answer, "40 MiB", code="RESOURCE_EXHAUSTED", outcome="refused", later=0)
        expect_is(driver.call(), "after it", code="OK")


def server_restart():
    """The server goes away between calls, or asks for another connection: nothing of it is seen."""
    port = free_port(20000 + os.getpid() % 9000)
    with serving(port=port) as (service, _):
        driver = Driver(PROGRAM, f"http://127.0.0.1:{port}")
        expect_is(driver.call(), "before", code="OK")
    expect_is(driver.call(timeout=2000), "while it is away", code="UNAVAILABLE", why=REFUSED, outcome="retry",
              error="connection refused: nothing listens there")
    with serving(port=port):
        expect_is(driver.call(), "back", code="OK")
    with serving(port=port):
        expect_is(driver.call(), "another one", code="OK")
        driver.__exit__()
    with serving(options=[("grpc.max_connection_age_ms", 150), ("grpc.max_connection_age_grace_ms", 5000)]) as (
            service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        for _ in range(30):
            expect_is(driver.call(), "connections of 150 ms", code="OK", why=NONE)
            time.sleep(0.03)
        expect(len(set(service.peers)) > 2, f"{len(set(service.peers))} connections: the server kept them")
        expect(len(service.peers) == 30, f"{len(service.peers)} calls arrived instead of 30")


def forks():
    with serving() as (service, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        expect_is(driver.call(), "before", code="OK", reused=0)
        for _ in range(3):
            expect_is(driver.ask("fork", EXPORT, 5000), "child", code="OK", reused=0)
            expect_is(driver.answer(), "parent", code="OK", reused=1)
        expect(len(set(service.peers)) == 4, f"{len(set(service.peers))} connections instead of 4")


def many_calls():
    """No call leaves anything behind: descriptors are counted at the end."""
    with serving() as (_, port), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
        expect_is(driver.call(), "first", code="OK")
        before = len(os.listdir(f"/proc/{driver.process.pid}/fd"))
        for i in range(200):
            if driver.call(b"x" * 10, timeout=1 if i % 20 == 0 else 5000)["why"] not in (NONE, TIMED_OUT):
                expect(False, f"call {i} failed")
        expect_is(driver.call(), "last", code="OK")
        after = len(os.listdir(f"/proc/{driver.process.pid}/fd"))
        expect(after <= before, f"{before} descriptors became {after}")


# ----------------------------------------------------------------------------------------------------------------- TLS


def credentials(made, name="server", clients=False):
    return grpc.ssl_server_credentials([(made.read(f"{name}.key"), made.read(f"{name}.pem"))],
                                       made.read("ca.pem") if clients else None, clients)


def tls():
    if not shutil.which("openssl"):
        return expect(False, "the openssl command is missing")
    with tempfile.TemporaryDirectory() as folder:
        made = Certificates(folder)
        trusting = ("--ca", made.path("ca.pem"))
        with serving(credentials(made)) as (service, port):
            for host in ("localhost", "127.0.0.1"):
                with Driver(PROGRAM, f"https://{host}:{port}", *trusting) as driver:
                    request = request_of(200)
                    expect_is(driver.call(request.SerializeToString(), gzip=True), host, code="OK", reused=0)
                    expect(service.requests[-1] == request, "another request arrived over TLS")
                    expect_is(driver.call(), host, code="OK", reused=1)
            for arguments, what in (((), "the system's certificates"), (("--ca", made.path("other.pem")), "another CA")):
                with Driver(PROGRAM, f"https://localhost:{port}", *arguments) as driver:
                    expect_is(driver.call(), what, code="UNAVAILABLE", why=TLS, outcome="refused", later=1,
                              error="...the server's certificate was not accepted: SSL certificate problem")
            with Driver(PROGRAM, f"https://localhost:{port}", "--ca", made.path("missing.pem")) as driver:
                expect_is(driver.call(), "missing CA file", why=TLS,
                          error="the trusted certificates could not be read from " + made.path("missing.pem"))
            with Driver(PROGRAM, f"http://localhost:{port}", *trusting) as driver:
                expect_is(driver.call(timeout=3000), "clear text to TLS", outcome="retry", why=DISCONNECTED)
        with serving(credentials(made, "elsewhere")) as (_, port):
            with Driver(PROGRAM, f"https://localhost:{port}", *trusting) as driver:
                expect_is(driver.call(), "another host's certificate", why=TLS,
                          error="...the server's certificate was not accepted: SSL: no alternative certificate subject")
        with serving() as (_, port), Driver(PROGRAM, f"https://localhost:{port}", *trusting) as driver:
            expect_is(driver.call(timeout=3000), "TLS to clear text", outcome="retry", why=DISCONNECTED)

        with serving(credentials(made, clients=True)) as (service, port):
            who = ("--certificate", made.path("client.pem"), "--key", made.path("client.key"))
            with Driver(PROGRAM, f"https://localhost:{port}", *trusting, *who) as driver:
                expect_is(driver.call(), "client certificate", code="OK")
                expect_is(driver.ask("check", 5000), "check", reachable=1)
                service.answer = lambda _, context: ExportTraceServiceResponse()
            with Driver(PROGRAM, f"https://localhost:{port}", *trusting) as driver:
                answer = driver.call()
                expect_is(answer, "no client certificate", code="UNAVAILABLE", body="")
                expect("certificate" in answer["error"] and answer["outcome"] != "delivered", f"no certificate: {answer}")
            with Driver(PROGRAM, f"https://localhost:{port}", *trusting, "--certificate", made.path("no.pem"), "--key",
                        made.path("no.key")) as driver:
                expect_is(driver.call(), "missing client certificate", why=TLS,
                          error="the client certificate or its key could not be read")
            with Driver(PROGRAM, f"https://localhost:{port}", *trusting, "--certificate", made.path("client.pem"),
                        "--key", made.path("server.key")) as driver:
                expect_is(driver.call(), "another's key", why=TLS)


run([arrival, by_name, metadata, codes, partial_success, compressed_answers, deadlines, wrong_service,
     too_large_request, server_restart, forks, many_calls, tls], ["grpcio", "protobuf", "opentelemetry-proto"])

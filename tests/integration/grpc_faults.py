"""OTLP over gRPC against a server that does what no gRPC library will: resets, cut-off answers, garbage, silence.

    grpc_faults.py PROGRAM [CASE...]     (the program grpc_reference.cpp)

The server is HTTP/2 by the PyPI package h2, or raw bytes. Exit status: 0 right, 1 wrong, 77 h2 missing.
"""

import contextlib
import gzip
import os
import socket
import struct
import sys
import threading
import time

try:
    import h2.errors
    import h2.exceptions
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package h2 is needed")
    sys.exit(77)

from grpc_driver import (DISCONNECTED, EXPORT, INTERRUPTED, NONE, NOT_GRPC, REFUSED, RESET, TIMED_OUT, TOO_LARGE, Driver,
                         expect, expect_is, run)
from grpc_server import HEADERS, SETTINGS, Connection, frame, listening

PROGRAM = sys.argv[1]


@contextlib.contextmanager
def answering(serve, early=None):
    """A server whose `serve(call)` answers each call once it is whole; yields driver, connections. `early`: with its headers
    already, and the message is read and discarded, or with "deaf" left where it is."""
    with listening(lambda one: Connection(one, serve, early).run()) as (port, accepted):
        with Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
            yield driver, accepted


def raw(serve):
    def each(one):
        with one, contextlib.suppress(OSError):
            serve(one)
    return listening(each)


# --------------------------------------------------------------------------------------------------------------- cases


def good():
    seen = []
    def serve(call):
        seen.append((call.headers, call.body))
        call.succeed(b"\x0a\x02\x08\x03")
    with answering(serve) as (driver, accepted):
        for size in (0, 1, 16_384, 65_531, 65_536, 3_000_000):
            message = os.urandom(size)
            expect_is(driver.call(message), f"{size} bytes", code="OK", why=NONE, body="0a020803")
            expect(seen[-1][1] == b"\0" + struct.pack(">I", size) + message, f"{size} bytes: others arrived")
        headers = seen[-1][0]
        for name, value in ((":method", "POST"), (":scheme", "http"), (":path", EXPORT), ("te", "trailers"),
                            ("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,gzip")):
            expect(headers.get(name) == value, f"{name}: {headers}")
        expect(headers[":authority"].startswith("127.0.0.1:"), f":authority: {headers}")
        expect("grpc-encoding" not in headers and "accept" not in headers and "expect" not in headers, f"{headers}")
        driver.call(b"x", gzip=True)
        expect(seen[-1][0].get("grpc-encoding") == "gzip" and seen[-1][1][0] == 1, "gzip is not announced")
        expect(gzip.decompress(seen[-1][1][5:]) == b"x", "gzip: other bytes")
        expect(len(accepted) == 1, f"{len(accepted)} connections")


def trailers_only():
    answers = [
        ((("grpc-status", "14"), ("grpc-message", "come%20back%0a%C3%BC")), dict(code="UNAVAILABLE", outcome="retry",
                                                                                message="come back\n\u00fc")),
        ((("grpc-status", "16"),), dict(code="UNAUTHENTICATED", outcome="refused", later=1)),
        ((("grpc-status", "0"),), dict(code="OK", outcome="delivered", body="")),
        ((("grpc-status", "99"),), dict(code="UNKNOWN", outcome="refused")),
        ((("grpc-status", "-1"),), dict(code="UNKNOWN", outcome="refused")),
        ((("grpc-status", ""),), dict(code="UNKNOWN", outcome="refused")),
        ((("grpc-status", "3"), ("grpc-message", "100%, %zz %41%")), dict(code="INVALID_ARGUMENT",
                                                                          message="100%, %zz A%")),
        ((("grpc-status", "8"), ("grpc-status-details-bin", "not base64!")), dict(code="RESOURCE_EXHAUSTED",
                                                                                  outcome="refused")),
    ]
    for headers, expected in answers:
        with answering(lambda call: call.begin(HEADERS + list(headers), end=True)) as (driver, _):
            for _ in range(2):
                expect_is(driver.call(b"abc"), f"{headers}", why=NONE, **expected)


def no_grpc_status():
    """What a proxy says, mapped by gRPC's table; and a gRPC answer that ends without its trailers."""
    for status, code, outcome in ((400, "INTERNAL", "refused"), (401, "UNAUTHENTICATED", "refused"),
                                  (403, "PERMISSION_DENIED", "refused"), (404, "UNIMPLEMENTED", "refused"),
                                  (429, "UNAVAILABLE", "retry"), (502, "UNAVAILABLE", "retry"),
                                  (503, "UNAVAILABLE", "retry"), (504, "UNAVAILABLE", "retry"),
                                  (500, "UNKNOWN", "refused"), (200, "UNKNOWN", "refused"), (302, "UNKNOWN", "refused")):
        def page(call):
            call.begin([(":status", str(status)), ("content-type", "text/html"), ("location", "http://127.0.0.1:1/")])
            call.data(b"<html>" + b"x" * 10_000, end=True)
        with answering(page) as (driver, _):
            expect_is(driver.call(b"abc"), f"HTTP {status}", code=code, why=NONE, outcome=outcome, body="",
                      error=f"HTTP {status} with text/html, not gRPC")
        with answering(lambda call: call.begin([(":status", str(status))], end=True)) as (driver, _):
            expect_is(driver.call(b"abc"), f"HTTP {status}, empty", code=code, outcome=outcome)
    # When the connection ends with it libcurl may have lost the trailers: a whole message is then taken for success.
    for body in (b"", b"\0\0", b"\0\0\0\0\2a", b"\0\0\0\0\0"):
        for closes in (False, True):
            def no_trailers(call):
                call.h2.send_headers(call.stream, HEADERS, end_stream=not body)
                call.data(body, end=True)
                call.send()
                return not closes
            with answering(no_trailers) as (driver, _):
                answer = driver.call()
                if not closes:
                    expect_is(answer, f"no trailers after {body}", code="UNKNOWN", why=NONE, outcome="refused",
                              error="the answer ended without a grpc-status")
                else:
                    expect(answer["code"] in ("OK" if len(body) == 5 else "UNAVAILABLE", "UNKNOWN"),
                           f"closed after {body}: {answer}")
    def late(call):
        call.h2.send_headers(call.stream, [(":status", "103"), ("link", "x")])
        call.succeed(b"\x0a\x00")
    with answering(late) as (driver, _):
        expect_is(driver.call(), "after an interim answer", code="OK", body="0a00")


def resets():
    """Every error code of HTTP/2, before and in the middle of an answer; the connection stays."""
    by_code = {0x8: ("CANCELLED", "retry"), 0xb: ("RESOURCE_EXHAUSTED", "refused"), 0xc: ("PERMISSION_DENIED", "refused")}
    for code in h2.errors.ErrorCodes:
        # HTTP_1_1_REQUIRED: libcurl does what it is told, and it cannot be stopped from it.
        if code.name in ("REFUSED_STREAM", "NO_ERROR", "HTTP_1_1_REQUIRED"):
            continue
        name, outcome = by_code.get(code, ("INTERNAL", "refused"))
        for middle in (False, True):
            mode = []
            def serve(call):
                if mode:
                    return call.succeed()
                if middle:
                    call.begin()
                    call.data(b"\0\0\0\0\x09abc")
                    time.sleep(0.05)
                call.reset(code)
            with answering(serve) as (driver, accepted):
                expect_is(driver.call(b"abc"), f"reset {code!r}, middle {middle}", code=name, why=RESET, outcome=outcome)
                mode.append(1)
                expect_is(driver.call(b"abc"), "after it", code="OK")
                expect(len(accepted) == 1, f"reset {code!r} cost the connection")
    # REFUSED_STREAM: not processed, so libcurl asks again on another connection; a server that always says so is UNAVAILABLE.
    with answering(lambda call: call.reset(h2.errors.ErrorCodes.REFUSED_STREAM)) as (driver, accepted):
        answer = driver.call(b"abc")
        expect_is(answer, "REFUSED_STREAM", code="UNAVAILABLE", outcome="retry")
        expect(len(accepted) < 10, f"{len(accepted)} connections")
    refused = []
    def once(call):
        if not refused:
            refused.append(1)
            return call.reset(h2.errors.ErrorCodes.REFUSED_STREAM)
        call.succeed()
    with answering(once) as (driver, _):
        expect_is(driver.call(b"x" * 100_000), "REFUSED_STREAM once", code="OK")


def early_answers():
    """Refused by its headers, with most of a large message unsent: the answer counts, and nobody waits for a window."""
    for reset in (False, True):
        for code, name in (("14", "UNAVAILABLE"), ("16", "UNAUTHENTICATED"), ("7", "PERMISSION_DENIED")):
            def serve(call):
                call.h2.send_headers(call.stream, HEADERS + [("grpc-status", code), ("grpc-message", "early")],
                                     end_stream=True)
                call.send(frame(3, 0, call.stream, b"\0\0\0\0") if reset and call.has_message() else b"")
            with answering(serve, early="discards" if reset else "deaf") as (driver, _):
                for size in (1000, 5_000_000):
                    answer = driver.ask("big", EXPORT, 5000, size)
                    expect_is(answer, f"early {name} to {size} bytes, reset {reset}", code=name, message="early")
                    expect(answer["ms"] < 3000, f"early {name}: {answer['ms']} ms")
    # When the client has no room left to send, libcurl 7.88 does not look any more: the deadline ends it.
    def late(call):
        call.h2.send_headers(call.stream, HEADERS + [("grpc-status", "16")], end_stream=True)
        call.send(frame(3, 0, call.stream, b"\0\0\0\0") if call.has_message() else b"")
    with answering(late, early="exhausted") as (driver, _):
        answer = driver.ask("big", EXPORT, 2000, 5_000_000)
        expect(answer["code"] in ("UNAUTHENTICATED", "DEADLINE_EXCEEDED"), f"refused with the window used up: {answer}")
        print("  refused with the window used up:", answer["code"], answer["ms"], "ms")
    def only_large(call):
        if int(call.headers.get("content-length", 0)) > 1000:
            call.h2.send_headers(call.stream, HEADERS + [("grpc-status", "8")], end_stream=True)
            call.send(frame(3, 0, call.stream, b"\0\0\0\0"))
        elif call.waits:
            call.succeed()
        else:
            call.waits = True
    with answering(only_large, early="discards") as (driver, _):
        answer = driver.ask("big", EXPORT, 2000, 5_000_000)
        expect_is(answer, "too large", outcome="refused", body="")
        expect(answer["code"] in ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"), f"too large: {answer}")


def goaway():
    # Between calls, without closing: the next one takes another connection.
    def politely(call):
        call.succeed()
        call.h2.close_connection(0)
        call.send()
    with answering(politely) as (driver, accepted):
        for i in range(3):
            answer = driver.call(b"abc", timeout=5000)
            expect_is(answer, f"GOAWAY after call {i}", code="OK", why=NONE)
            expect(answer["ms"] < 2000, f"GOAWAY: {answer['ms']} ms")
            time.sleep(0.1)
        expect(len(accepted) == 3, f"{len(accepted)} connections")
    # In the middle, our stream excluded: it was not processed.
    unprocessed = []
    def excluded(call):
        if not unprocessed:
            unprocessed.append(1)
            call.h2.close_connection(0, last_stream_id=0)
            call.send()
            return False
        call.succeed()
    with answering(excluded) as (driver, _):
        answer = driver.call(b"abc", timeout=5000)
        expect(answer["code"] == "OK" or (answer["code"] == "UNAVAILABLE" and answer["outcome"] == "retry"),
               f"GOAWAY that excludes the call: {answer}")
        expect_is(driver.call(b"abc", timeout=5000), "after it", code="OK")
    # In the middle, with an error, and closed.
    def angrily(call):
        call.begin()
        call.data(b"\0\0\0\0\x09ab")
        call.h2.close_connection(h2.errors.ErrorCodes.INTERNAL_ERROR)
        call.send()
        return False
    with answering(angrily) as (driver, _):
        answer = driver.call(b"abc", timeout=5000)
        expect_is(answer, "GOAWAY in the middle of an answer", code="UNAVAILABLE", outcome="retry")
        expect(answer["ms"] < 2000, f"GOAWAY in the middle: {answer['ms']} ms")
    # In the middle, our stream included: the answer still comes, as far as libcurl lets it through.
    def included(call):
        call.begin()
        call.h2.close_connection(0, last_stream_id=call.stream)
        call.send()
        time.sleep(0.1)
        call.connection.socket.sendall(frame(0, 0, call.stream, b"\0\0\0\0\0") +
                                       frame(1, 5, call.stream, b"\x00\x0bgrpc-status\x010"))
    with answering(included) as (driver, _):
        for _ in range(2):
            answer = driver.call(b"abc", timeout=5000)
            # libcurl 7.88 loses what comes with the last frames; then it is sent again rather than lost.
            expect(answer["outcome"] == "delivered" or (answer["code"], answer["outcome"]) == ("UNAVAILABLE", "retry"),
                   f"GOAWAY that includes the call: {answer}")


def garbage():
    answers = {
        "nothing": b"",
        "HTTP/1.1": b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        "text": b"220 mail.example.org ESMTP\r\n",
        "zeros": b"\0" * 1000,
        "settings of a wrong size": frame(4, 0, 0, b"12345"),
        "a frame of an unknown type, then data for no stream": SETTINGS + frame(0x42, 0, 0, b"x") + frame(0, 0, 7, b"x"),
        "data before headers": SETTINGS + frame(0, 1, 1, b"\0\0\0\0\0"),
        "headers that are no HPACK": SETTINGS + frame(1, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        "headers without :status": SETTINGS + frame(1, 5, 1, b"\x00\x0bgrpc-status\x010"),
        "a status of letters": SETTINGS + frame(1, 5, 1, b"\x00\x07:status\x03abc"),
        "an oversized frame": SETTINGS + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 20_000,
        "a window update of zero": SETTINGS + frame(8, 0, 0, b"\0\0\0\0"),
        "a push": SETTINGS + frame(5, 4, 1, b"\0\0\0\2\x82\x84\x86\x41\x01a"),
    }
    for name, octets in answers.items():
        def serve(one):
            one.recv(65536)
            one.sendall(octets)
            time.sleep(0.3)
        with raw(serve) as (port, _), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
            answer = driver.call(b"abc", timeout=3000)
            expect(answer["code"] != "OK" and answer["outcome"] != "delivered", f"{name}: {answer}")
            expect(answer["why"] in (DISCONNECTED, RESET, NOT_GRPC, NONE), f"{name}: {answer}")
            expect(answer["error"] != "", f"{name}: no word about it")
            expect(answer["ms"] < 2500, f"{name}: {answer['ms']} ms")
            print(f"  {name}: {answer['code']}, {answer['outcome']}: {answer['error']}")


def framing():
    """HTTP/2 is right, gRPC's own frame is not."""
    wrong = {
        "cut off": (b"\0\0\0\0\x09abc", "the message of the answer is cut off"),
        "a prefix cut off": (b"\0\0", "the message of the answer is cut off"),
        "two messages": (b"\0\0\0\0\x01a\0\0\0\0\x01b", "the answer has more than one message"),
        "compressed without an encoding": (b"\1\0\0\0\x01a", "...compressed in a way that was not asked for"),
        "a flag of 7": (b"\7\0\0\0\x01a", "...compressed in a way that was not asked for"),
    }
    for name, (body, error) in wrong.items():
        def serve(call):
            call.begin()
            call.data(body)
            call.trailers(("grpc-status", "0"))
        with answering(serve) as (driver, _):
            expect_is(driver.call(), name, code="INTERNAL", why=NONE, outcome="refused", error=error, body="")

    def packed(body):
        def serve(call):
            call.begin(HEADERS + [("grpc-encoding", "gzip")])
            call.data(b"\1" + struct.pack(">I", len(body)) + body)
            call.trailers(("grpc-status", "0"))
        return answering(serve)
    with packed(gzip.compress(b"\x0a\x00")) as (driver, _):
        expect_is(driver.call(), "gzip", code="OK", body="0a00")
    for name, body in (("not gzip", b"hello"), ("half of it", gzip.compress(os.urandom(1000))[:500]),
                       ("more behind it", gzip.compress(b"a") + b"x"), ("nothing", b"")):
        with packed(body) as (driver, _):
            expect_is(driver.call(), name, code="INTERNAL", outcome="refused",
                      error="the message of the answer could not be decompressed")
    bomb = gzip.compress(b"\0" * (1 << 30), 9)
    with packed(bomb) as (driver, _):
        answer = driver.call()
        expect_is(answer, "a bomb of 1 GiB", code="RESOURCE_EXHAUSTED", why=TOO_LARGE, outcome="refused", later=0)
        peak = int(open(f"/proc/{driver.process.pid}/status").read().split("VmHWM:")[1].split()[0])
        expect(peak < 60_000, f"the bomb took {peak} KiB")


def huge_answers():
    """Stopped where the limit is: by what the prefix announces, and by what comes."""
    def announced(call):
        call.begin()
        call.data(b"\0\xff\xff\xff\xff")
        time.sleep(3)
    def endless(call):
        call.begin(HEADERS + [("grpc-encoding", "gzip")])
        with contextlib.suppress(h2.exceptions.StreamClosedError):
            for _ in range(100):
                call.data(b"x" * 1_000_000)
        return False
    for serve in (announced, endless):
        with answering(serve) as (driver, _):
            answer = driver.call(timeout=5000)
            expect_is(answer, serve.__name__, code="RESOURCE_EXHAUSTED", why=TOO_LARGE, outcome="refused", later=0)
            expect(answer["ms"] < 2500, f"{serve.__name__}: {answer['ms']} ms")
    # libcurl 7.88 hangs over more headers than its HTTP/2 library takes: then the deadline holds.
    for kilobytes, taken in ((40, True), (90, False), (300, False)):
        def headers(call):
            call.begin(HEADERS + [(f"x-{i}", "v" * 1024) for i in range(kilobytes)] + [("grpc-status", "0")], end=True)
        with answering(headers) as (driver, _):
            answer = driver.call(timeout=500)
            expect((answer["outcome"] == "delivered") == taken, f"{kilobytes} KiB of headers: {answer}")
            expect(answer["ms"] < 1500, f"{kilobytes} KiB of headers: {answer['ms']} ms")
    def page(call):
        call.begin([(":status", "503"), ("content-type", "text/html")])
        call.data(b"x" * 10_000_000, end=True)
    with answering(page) as (driver, _):
        expect_is(driver.call(timeout=5000), "a page of 10 MB", code="UNAVAILABLE", why=NONE, outcome="retry")


def silence():
    """Whatever hangs, the deadline holds and an interruption is immediate."""
    def hang(one):
        one.recv(65536)
        time.sleep(6)
    def deaf(one):
        time.sleep(6)
    def half(call):
        call.begin()
        call.data(b"\0\0\0\0\x09abc")
        time.sleep(6)
    def drip(call):
        call.begin()
        for octet in b"\0\0\0\x40\0" + b"x" * 60:
            call.data(bytes([octet]))
            time.sleep(0.1)
    def drip_headers(one):
        one.recv(65536)
        whole = SETTINGS + frame(1, 4, 1, b"\x88" + b"\x00\x01a\x01b" * 100)
        for octet in whole:
            one.sendall(bytes([octet]))
            time.sleep(0.1)
    cases = [(name, raw(serve)) for name, serve in (("hang", hang), ("deaf", deaf), ("slow headers", drip_headers))]
    for name, server in cases:
        with server as (port, _), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
            check_silence(name, driver)
    for name, serve in (("half an answer", half), ("slow drip", drip)):
        with answering(serve) as (driver, _):
            check_silence(name, driver)


def check_silence(name, driver):
    answer = driver.call(b"abc", timeout=400)
    expect_is(answer, name, code="DEADLINE_EXCEEDED", why=TIMED_OUT, outcome="refused", later=1,
              error="no answer within the time limit")
    expect(350 <= answer["ms"] < 1500, f"{name}: {answer['ms']} ms instead of 400")
    big = driver.ask("big", EXPORT, 400, 20_000_000)
    expect_is(big, f"{name}, 20 MB", why=TIMED_OUT)
    expect(350 <= big["ms"] < 1500, f"{name}, 20 MB: {big['ms']} ms instead of 400")
    answer = driver.call(b"abc", timeout=20_000, interrupt_after=150)
    expect_is(answer, name, code="CANCELLED", why=INTERRUPTED, outcome="refused", later=1)
    expect(100 <= answer["ms"] < 1200, f"{name}: interrupted after {answer['ms']} ms instead of 150")


def closings():
    def at_once(one):
        pass
    def after_preface(one):
        one.recv(65536)
    def reset(one):
        one.recv(65536)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    def in_answer(call):
        call.begin()
        return False
    for serve in (at_once, after_preface, reset):
        with raw(serve) as (port, _), Driver(PROGRAM, f"http://127.0.0.1:{port}") as driver:
            expect_is(driver.call(b"abc", timeout=3000), serve.__name__, code="UNAVAILABLE", why=DISCONNECTED,
                      outcome="retry")
    with answering(in_answer) as (driver, _):
        expect_is(driver.call(b"abc", timeout=3000), "closed in the answer", code="UNAVAILABLE", why=DISCONNECTED,
                  outcome="retry")
    # A kept connection that the other side closed meanwhile is nothing that anybody sees.
    def once(call):
        call.succeed()
        return False
    with answering(once) as (driver, accepted):
        for i in range(4):
            expect_is(driver.call(b"abc"), f"closed after call {i}", code="OK")
            time.sleep(0.05)
        expect(len(accepted) == 4, f"{len(accepted)} connections")
    # Closed while the request is on its way, on a kept connection.
    served = []
    def second_fails(call):
        served.append(call)
        if len(served) == 2:
            return False
        call.succeed()
    with answering(second_fails) as (driver, _):
        expect_is(driver.call(b"abc"), "first", code="OK")
        answer = driver.call(b"abc")
        expect(answer["code"] == "OK" or (answer["outcome"] == "retry" and answer["at_once"] == 1),
               f"closed on a kept connection: {answer}")


def proxy():
    """By CONNECT when one is given; never because the environment names one."""
    seen = []
    def serve(call):
        seen.append(call.headers[":authority"])
        call.succeed()
    with listening(lambda one: Connection(one, serve, None).run()) as (port, _):
        asked = []
        def tunnel(one):
            head = b""
            while b"\r\n\r\n" not in head:
                head += one.recv(65536)
            asked.append(head)
            if b"Basic dXNlcjpwYXNz" not in head:
                one.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n"
                            b"content-length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as to:
                one.sendall(b"HTTP/1.1 200 Connection established\r\nx-from: proxy\r\n\r\n")
                def back():
                    with contextlib.suppress(OSError):
                        while data := to.recv(65536):
                            one.sendall(data)
                threading.Thread(target=back, daemon=True).start()
                while data := one.recv(65536):
                    to.sendall(data)
        with raw(tunnel) as (proxy_port, _):
            through = f"http://user:pass@127.0.0.1:{proxy_port}"
            with Driver(PROGRAM, "http://collector.invalid:4317", "--proxy", through) as driver:
                for _ in range(3):
                    expect_is(driver.call(b"abc"), "by a proxy", code="OK")
            expect(seen == ["collector.invalid:4317"] * 3, f"{seen}")
            expect(len(asked) == 1 and asked[0].startswith(b"CONNECT collector.invalid:4317 "), f"{asked}")
            with Driver(PROGRAM, "http://collector.invalid:4317", "--proxy", f"http://127.0.0.1:{proxy_port}") as driver:
                answer = driver.call(b"abc")
                expect_is(answer, "407", outcome="refused", later=1, error="the proxy answered HTTP 407")
            asked.clear()
            names = {name: f"http://127.0.0.1:{proxy_port}" for name in ("http_proxy", "https_proxy", "all_proxy",
                                                                         "HTTPS_PROXY", "ALL_PROXY")}
            with Driver(PROGRAM, f"http://127.0.0.1:{port}", **os.environ, **names) as driver:
                expect_is(driver.call(b"abc"), "with the variables of a proxy", code="OK")
            expect(not asked, "the environment's proxy was used")


run([good, trailers_only, no_grpc_status, resets, early_answers, goaway, garbage, framing, huge_answers, silence,
     closings, proxy], ["h2"])

"""Drives the real `fulgurite` program from outside, with the official protobuf classes as the other side.

    python3 server_test.py path/to/fulgurite        (needs requirements.txt; without it exits 77: skipped)
"""
import base64
import gzip
import http.client
import json
import os
import pwd
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from ports import free_port

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    from golden_request import attribute, every_field
except ImportError as missing:
    print(f"skipped: {missing} (pip install -r requirements.txt)")
    sys.exit(77)

FULGURITE = ""
PROTOBUF = {"Content-Type": "application/x-protobuf"}
LIMIT = 64 << 20


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def fulgurite(*arguments, **kwargs):
    return subprocess.run([FULGURITE, *arguments], capture_output=True, text=True, timeout=60, **kwargs)


class Server:
    def __init__(self, data, *arguments, port=None):
        self.port = port or free_port()
        self.process = subprocess.Popen([FULGURITE, "serve", "--port", str(self.port), "--data", data, *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first_line = self.process.stdout.readline()
        if not self.first_line:
            raise AssertionError(self.process.stderr.read())
        self.url = f"http://127.0.0.1:{self.port}"

    def request(self, method, path, body=None, headers={}, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        own.request(method, path, body, headers)
        answer = own.getresponse()
        content = answer.read()
        if not connection:
            own.close()
        return answer.status, content, answer.headers

    def post(self, body, headers={}, path="/v1/traces", connection=None):
        return self.request("POST", path, body, {**PROTOBUF, **headers}, connection)[:2]

    def kill(self):
        self.process.kill()
        self.wait()

    def stop(self, sign=signal.SIGTERM):
        self.process.send_signal(sign)
        return self.wait()

    def wait(self):
        code = self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


def one_span(trace, span, name="span", start=1, **fields):
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace.to_bytes(16, "big"), span_id=span.to_bytes(8, "big"), name=name, start_time_unix_nano=start,
        end_time_unix_nano=start + 1000, **fields)
    return request


def status_of(body):
    """google.rpc.Status{1: code, 2: message}, read with the wire format alone."""
    assert body[0] == 0x08 and body[2] == 0x12, body
    length, at, shift = 0, 3, 0
    while True:
        length |= (body[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 128:
            break
    assert at + length == len(body), body
    return body[1], body[at:].decode()


def from_otlp_json(text):
    """OTLP's JSON has identifiers in hexadecimal where protobuf's has base64; otherwise they are the same."""
    def convert(value):
        if isinstance(value, list):
            return [convert(one) for one in value]
        if isinstance(value, dict):
            return {key: base64.b64encode(bytes.fromhex(one)).decode() if key in ("traceId", "spanId", "parentSpanId") else convert(one)
                    for key, one in value.items()}
        return value
    return json_format.Parse(json.dumps(convert(json.loads(text))), TracesData())


class Base(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="fulgurite-test-")
        self.servers = []
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.addCleanup(self.end_servers)

    def serve(self, *arguments, **kwargs):
        self.servers.append(Server(self.data, *arguments, **kwargs))
        return self.servers[-1]

    def end_servers(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()

    def trace_ids(self):
        out = fulgurite("traces", "--json", "--data", self.data)
        self.assertEqual(out.returncode, 0, out.stderr)
        return [json.loads(line)["traceId"] for line in out.stdout.splitlines()]

    def span_count(self):
        out = fulgurite("traces", "--json", "--data", self.data)
        return sum(json.loads(line)["spanCount"] for line in out.stdout.splitlines())


class Receiving(Base):
    def test_first_line_and_token(self):
        server = self.serve()
        self.assertEqual(server.first_line, f"listening on http://127.0.0.1:{server.port}\n")
        for body in (b'{"api_key":"dummy"}', b""):
            status, answer, headers = server.request("POST", "/v3/auth/token", body, {"Content-Type": "application/json"})
            self.assertEqual((status, json.loads(answer)), (200, {"token": "dummy", "project_id": "dummy"}))
            self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(server.request("GET", "/health")[:2], (200, b'{"status":"ok"}'))

    def test_listens_on_loopback_only(self):
        server = self.serve()
        # IPv4 in /proc/net/tcp is little-endian hexadecimal.
        lines = [line.split() for name in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
        listening = [fields[1] for fields in lines if fields[3] == "0A" and fields[1].endswith(f":{server.port:04X}")]
        self.assertEqual(listening, [f"0100007F:{server.port:04X}"])

    def test_every_field_comes_back(self):
        server = self.serve()
        sent = every_field()
        for path, headers, body in (("/v1/traces", {}, sent.SerializeToString()),
                                    ("/traces", {"Content-Encoding": "gzip"}, gzip.compress(sent.SerializeToString())),
                                    ("/v1/traces", {"Content-Encoding": "identity", "Content-Type": "Application/X-Protobuf; x=y"},
                                     sent.SerializeToString())):
            status, answer, got = server.request("POST", path, body, {**PROTOBUF, **headers})
            self.assertEqual(status, 200)
            self.assertEqual(got["Content-Type"], "application/x-protobuf")
            self.assertEqual(ExportTraceServiceResponse.FromString(answer), ExportTraceServiceResponse())
        for where in (["--data", self.data], ["--url", server.url], ["--url", server.url + "/"]):
            out = fulgurite("trace", "latest", "--json", *where)
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertEqual(out.stdout.count("\n"), 1)
            self.assertEqual(from_otlp_json(out.stdout), sent)
            summary = fulgurite("traces", "--json", *where)
            self.assertEqual(json.loads(summary.stdout),
                             {"traceId": "5b8efff798038103d269b633813fc60c", "name": "charge card", "serviceName": "checkout",
                              "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000001",
                              "spanCount": 3, "errorCount": 1})
        status, body, _ = server.request("GET", "/api/v1/traces/5b8e", headers={"Accept": "application/x-protobuf"})
        self.assertEqual((status, TracesData.FromString(body)), (200, sent))
        status, body, _ = server.request("GET", "/api/v1/traces/latest")
        self.assertEqual((status, from_otlp_json(body)), (200, sent))

    def test_random_traces_come_back(self):
        """Trees of values made at random, compared by the official classes."""
        server = self.serve()
        dice = random.Random(1122)

        def value(depth):
            kind = dice.randrange(8 if depth < 5 else 6)
            if kind == 0: return {"string_value": "".join(chr(dice.choice([dice.randrange(1, 128), dice.randrange(0xA0, 0xD800), dice.randrange(0x10000, 0x110000)])) for _ in range(dice.randrange(6)))}
            if kind == 1: return {"bool_value": dice.random() < 0.5}
            if kind == 2: return {"int_value": dice.randrange(-2**63, 2**63) >> dice.randrange(64)}
            if kind == 3: return {"double_value": dice.choice([0.0, -0.0, 5.0, 1e300, 5e-324, dice.uniform(-1, 1), float("inf")])}
            if kind == 4: return {"bytes_value": dice.randbytes(dice.randrange(9))}
            if kind == 5: return {}
            inner = [value(depth + 1) for _ in range(dice.randrange(4))]
            if kind == 6: return {"array_value": {"values": inner}}
            return {"kvlist_value": {"values": [{"key": f"k{i}", "value": one} for i, one in enumerate(inner)]}}

        for trace in range(1, 60):
            sent = TracesData()
            for resource in range(dice.randrange(1, 3)):
                resource_spans = sent.resource_spans.add()
                resource_spans.resource.attributes.append(attribute("service.name", string_value=f"s{resource}"))
                resource_spans.resource.attributes.append(attribute("number", int_value=trace))
                for scope in range(dice.randrange(1, 3)):
                    scope_spans = resource_spans.scope_spans.add()
                    scope_spans.scope.name = f"scope{scope}"
                    for _ in range(dice.randrange(1, 5)):
                        span = scope_spans.spans.add(trace_id=trace.to_bytes(16, "big"), span_id=dice.randrange(1, 2**64).to_bytes(8, "big"),
                                                     name="n", kind=dice.randrange(6), start_time_unix_nano=trace)
                        for i in range(dice.randrange(5)):
                            one = span.attributes.add(key=f"key{i}")
                            json_format.ParseDict({}, one)
                            one.value.CopyFrom(type(one.value)(**value(0)))
            self.assertEqual(server.post(sent.SerializeToString()), (200, b""))
            out = fulgurite("trace", f"{trace:032x}", "--json", "--data", self.data)
            self.assertEqual(from_otlp_json(out.stdout).SerializeToString(deterministic=True), sent.SerializeToString(deterministic=True))

    def test_redelivery_is_stored_once(self):
        server = self.serve()
        request = every_field().SerializeToString()
        for _ in range(3):
            self.assertEqual(server.post(request), (200, b""))
        self.assertEqual(self.span_count(), 3)
        self.assertEqual(server.post(one_span(7, 1, "first").SerializeToString()), (200, b""))
        status, body = server.post(one_span(7, 1, "other").SerializeToString())
        partial = ExportTraceServiceResponse.FromString(body).partial_success
        self.assertEqual((status, partial.rejected_spans), (200, 1))
        self.assertIn("same trace and span id", partial.error_message)

    def test_chunked_and_empty_bodies(self):
        server = self.serve()
        body = one_span(3, 4).SerializeToString()
        status, _, _ = server.request("POST", "/v1/traces", iter([body[:5], body[5:]]), PROTOBUF)  # chunked
        self.assertEqual(status, 200)
        self.assertEqual(self.span_count(), 1)
        self.assertEqual(server.post(b""), (200, b""))
        with socket.create_connection(("127.0.0.1", server.port), timeout=3) as raw:  # neither length nor chunks: no body
            raw.sendall(b"POST /v3/auth/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"200 OK", raw.recv(1000))

    def test_many_clients_at_once(self):
        server = self.serve()
        failures = []

        def send(client):
            connection = http.client.HTTPConnection("localhost", server.port, timeout=30)
            for i in range(20):
                status, _ = server.post(one_span(client * 100 + i + 1, 1).SerializeToString(), connection=connection)
                if status != 200:
                    failures.append(status)
            connection.close()

        threads = [threading.Thread(target=send, args=(client,)) for client in range(24)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):  # reading meanwhile, in another process
            self.assertEqual(fulgurite("traces", "--data", self.data).returncode, 0)
        self.assertEqual(failures, [])
        self.assertEqual(len(self.trace_ids()), 480)


class Refusing(Base):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def tearDown(self):
        # Whatever came before: it lives, and stores what is right.
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(self.server.post(one_span(0xFFFF, 1).SerializeToString()), (200, b""))
        self.assertIn(f"{0xFFFF:032x}", self.trace_ids())

    def refused(self, body, headers={}, status=400, code=3, says=""):
        got, answer = self.server.post(body, headers)
        self.assertEqual(got, status, answer)
        got_code, sentence = status_of(answer)
        self.assertEqual(got_code, code)
        self.assertIn(says, sentence)
        return sentence

    def test_cut_at_each_byte(self):
        whole = one_span(1, 2, "name", attributes=[attribute("k", string_value="v"), attribute("n", int_value=300)],
                         status={"code": 2, "message": "m"}).SerializeToString()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        for size in range(1, len(whole)):
            status, answer = self.server.post(whole[:size], connection=connection)
            self.assertEqual(status, 400, size)
            self.assertRegex(status_of(answer)[1], r"^not an ExportTraceServiceRequest: byte \d+: ")
        connection.close()
        self.assertEqual(self.trace_ids(), [])

    def test_random_bytes(self):
        dice = random.Random(20261122)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        for _ in range(500):
            self.assertIn(self.server.post(dice.randbytes(dice.randrange(1, 300)), connection=connection)[0], (200, 400))
        golden = every_field().SerializeToString()
        for _ in range(500):
            damaged = bytearray(golden)
            for _ in range(dice.randrange(1, 4)):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            status, _ = self.server.post(bytes(damaged), connection=connection)
            self.assertIn(status, (200, 400))
        connection.close()
        for trace in self.trace_ids():
            out = fulgurite("trace", trace, "--json", "--data", self.data)
            self.assertEqual(out.returncode, 0, out.stderr)
            from_otlp_json(out.stdout)
            out = fulgurite("trace", trace, "--data", self.data)
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.stdout))

    def test_wrong_contents(self):
        self.refused(one_span(0, 1).SerializeToString(), says="Span.trace_id is all zeros")
        self.refused(one_span(1, 0).SerializeToString(), says="Span.span_id is all zeros")
        short = one_span(1, 1)
        short.resource_spans[0].scope_spans[0].spans[0].trace_id = b"123"
        self.refused(short.SerializeToString(), says="Span.trace_id has 3 bytes, 16 are needed")
        self.refused(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", says="bytes, 0 are left")
        self.refused(b'{"resourceSpans":[]}', says="byte ")
        deep = one_span(1, 1)
        value = deep.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="k").value
        for _ in range(100):
            value = value.array_value.values.add()
        self.refused(deep.SerializeToString(), says="nested deeper than 64 levels")
        # One bad span among good ones: nothing of the request is kept, and the client is told.
        mixed = one_span(1, 1)
        mixed.MergeFrom(one_span(0, 1))
        self.refused(mixed.SerializeToString(), says="all zeros")
        self.assertEqual(self.trace_ids(), [])

    def test_wrong_types_and_encodings(self):
        good = one_span(1, 1).SerializeToString()
        for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""):
            status, answer, _ = self.server.request("POST", "/v1/traces", good, {"Content-Type": kind})
            self.assertEqual(status, 415, kind)
            self.assertIn("application/x-protobuf", json.loads(answer)["message"])
        packed = gzip.compress(good)
        self.refused(good, {"Content-Encoding": "br"}, 415, says="not as br")
        self.refused(good, {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(packed[:-1], {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(packed[:-8], {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:], {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(packed + b"more", {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(b"", {"Content-Encoding": "gzip"}, says="not whole gzip")
        self.refused(packed, says="byte ")
        self.assertEqual(self.trace_ids(), [])

    def test_too_large(self):
        bomb = gzip.compress(bytes(LIMIT + 1))
        self.assertLess(len(bomb), 1 << 20)
        self.refused(bomb, {"Content-Encoding": "gzip"}, 413, 8, f"at most {LIMIT} bytes")
        self.refused(bomb * 20, {"Content-Encoding": "gzip"}, 413, 8)
        for path in ("/v3/auth/token", "/nowhere"):  # unpacked nowhere
            self.assertIn(self.server.post(bomb, {"Content-Encoding": "gzip"}, path)[0], (200, 404))
        self.refused(bytes(LIMIT + 1), {}, 413, 8, f"at most {LIMIT} bytes")
        status, answer, _ = self.server.request("POST", "/v1/traces", (bytes(1 << 20) for _ in range(70)),
                                                PROTOBUF)  # chunked
        self.assertEqual(status, 413)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as raw:
            raw.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                        b"Content-Length: 1000000000000\r\n\r\nabc")
            self.assertIn(b" 413 ", raw.recv(1000))

    def test_memory_stays_small_for_many_tiny_fields(self):
        """Two bytes for an empty attribute: values of them would be forty times as large as the request."""
        span = b"\x0a\x10" + bytes(15) + b"\x01" + b"\x12\x08" + bytes(7) + b"\x01" + b"\x4a\x00" * 4_000_000

        def inside(payload, tag):
            length, out = len(payload), b""
            while length > 127:
                out, length = out + bytes([length & 127 | 128]), length >> 7
            return tag + out + bytes([length]) + payload

        self.assertEqual(self.server.post(inside(inside(inside(span, b"\x12"), b"\x12"), b"\x0a"))[0], 200)
        peak = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text())
        self.assertLess(int(peak[1]), 150_000)

    def test_bodies_that_are_not_requests(self):
        """A body must never be taken for the next request."""
        smuggled = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
        for first in (b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n",
                      b"PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n",
                      b"POST /v1/traces HTTP/1.1\r\nHost: other.example\r\nContent-Length: %d\r\n\r\n",
                      b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
                      b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nX: %d\r\n\r\nzz\r\n",
                      b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: x%d\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as raw:
                raw.sendall(first % len(smuggled) + smuggled)
                received = b""
                try:
                    while chunk := raw.recv(10000):
                        received += chunk
                except ConnectionResetError:
                    pass
                self.assertEqual(received.count(b"HTTP/1.1"), 1, (first, received))
                self.assertRegex(received, rb"^HTTP/1.1 4\d\d ")
        for rubbish in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as raw:
                raw.sendall(rubbish)
                self.assertIn(b"HTTP/1.1 400", raw.recv(1000))

    def test_paths_methods_hosts(self):
        for method, path, status in (("GET", "/", 404), ("GET", "/v1/traces", 405), ("GET", "/v3/auth/token", 405), ("POST", "/v1/logs", 404),
                                     ("DELETE", "/v1/traces", 405), ("PATCH", "/", 405), ("GET", "/api/v1/traces/latest", 404),
                                     ("GET", "/api/v1/traces/xyz", 400), ("GET", "/api/v1/traces?limit=-1", 400),
                                     ("GET", "/%0a%1b", 404), ("POST", "/health", 404)):
            got, answer, _ = self.server.request(method, path)
            self.assertEqual(got, status, (method, path))
            self.assertTrue(json.loads(answer)["message"])
        for host, status in (("localhost", 200), ("LOCALHOST:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("x.localhost", 200),
                             ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403)):
            self.assertEqual(self.server.request("GET", "/health", headers={"Host": host})[0], status, host)


class Keeping(Base):
    def test_acknowledged_survives_kill(self):
        for round_ in range(1, 9):
            server = self.serve()
            acknowledged = []
            stop = threading.Event()

            def send():
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
                span = 1
                while not stop.is_set():
                    try:
                        status, _ = server.post(one_span(round_, span, attributes=[attribute("a", string_value="x" * 3000)]).SerializeToString(),
                                                connection=connection)
                    except (OSError, http.client.HTTPException):
                        break
                    if status == 200:
                        acknowledged.append(span)
                    span += 1
                connection.close()

            sender = threading.Thread(target=send)
            sender.start()
            wait_until(lambda: len(acknowledged) >= 3 * round_, "some requests")
            server.kill()
            stop.set()
            sender.join()
            out = fulgurite("trace", f"{round_:032x}", "--json", "--data", self.data)
            self.assertEqual(out.returncode, 0, out.stderr)
            kept = {int.from_bytes(span.span_id, "big") for span in from_otlp_json(out.stdout).resource_spans[0].scope_spans[0].spans}
            self.assertLessEqual(set(acknowledged), kept)
            self.assertLessEqual(len(kept) - len(acknowledged), 1)
        self.assertTrue((pathlib.Path(self.data) / "server.json").exists())  # of the killed one; the next is not misled
        self.serve()
        self.assertEqual(len(self.trace_ids()), 8)

    def test_directory(self):
        home = pathlib.Path(self.data)
        for environment, expected in (({"FULGURITE_DATA": str(home / "a/b"), "XDG_DATA_HOME": "/nowhere"}, "a/b"),
                                      ({"XDG_DATA_HOME": str(home / "x")}, "x/fulgurite"), ({"HOME": str(home)}, ".local/share/fulgurite")):
            process = subprocess.Popen([FULGURITE, "serve", f"--port={free_port()}"], env=environment, stdout=subprocess.PIPE, text=True)
            process.stdout.readline()
            self.assertTrue((home / expected / "traces.db").exists())
            self.assertEqual((home / expected).stat().st_mode & 0o777, 0o700)
            for file in ("traces.db", "traces.db-wal"):
                self.assertEqual((home / expected / file).stat().st_mode & 0o777, 0o600)
            process.terminate()
            self.assertEqual(process.wait(10), 0)
            process.stdout.close()
        # Without any variable the home directory is that of the user database, as it is for the tracer.
        of_user = pwd.getpwuid(os.getuid()).pw_dir
        out, same = fulgurite("traces", env={}), fulgurite("traces", env={"HOME": of_user})
        self.assertEqual((out.returncode, out.stdout, out.stderr), (same.returncode, same.stdout, same.stderr))
        self.assertNotIn("no data directory", out.stderr)

    def test_full_disk_is_temporary(self):
        """A file size limit stands for the full disk: the answer is 503, which clients repeat, and nothing is half stored."""
        command = f'ulimit -f 2000; trap "" XFSZ; exec "{FULGURITE}" serve --port 0 --data "{self.data}"'
        process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        statuses = []
        for i in range(1, 20):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            body = one_span(i, 1, attributes=[attribute("a", string_value="x" * 300_000)]).SerializeToString()
            connection.request("POST", "/v1/traces", body, PROTOBUF)
            answer = connection.getresponse()
            statuses.append(answer.status)
            if answer.status != 200:
                self.assertEqual(answer.headers["Retry-After"], "1")
            connection.close()
        self.assertEqual(set(statuses), {200, 503})
        self.assertEqual(len(self.trace_ids()), statuses.count(200))
        process.stdout.close()
        process.stderr.close()


class Living(Base):
    def json_file(self):
        return pathlib.Path(self.data) / "server.json"

    def test_ends_in_order(self):
        for sign in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            said = json.loads(self.json_file().read_text())
            self.assertEqual((said["pid"], said["port"], said["url"]), (server.process.pid, server.port, server.url))
            idle = socket.create_connection(("127.0.0.1", server.port))
            start = time.monotonic()
            self.assertEqual(server.stop(sign), 0)
            self.assertLess(time.monotonic() - start, 3)
            self.assertFalse(self.json_file().exists())
            idle.close()

    def test_request_in_flight_is_answered(self):
        server = self.serve()
        body = one_span(5, 5).SerializeToString()
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        raw.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                    b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        self.assertIn(b" 100 Continue", raw.recv(1000))  # so it is being read
        raw.sendall(body[:5])
        time.sleep(0.2)
        server.process.terminate()
        wait_until(lambda: not self.json_file().exists(), "the server begins to end")
        raw.sendall(body[5:])
        self.assertIn(b"200 OK", raw.recv(1000))
        raw.close()
        self.assertEqual(server.wait(), 0)
        self.assertEqual(self.span_count(), 1)

    def test_one_server_for_a_directory(self):
        server = self.serve()
        second = fulgurite("serve", "--port", "0", "--data", self.data)
        self.assertEqual(second.returncode, 1)
        self.assertEqual(second.stdout, "")
        self.assertIn(f"already runs at {server.url}\n", second.stderr)
        managed = fulgurite("serve", "--managed", "--data", self.data)
        self.assertEqual((managed.returncode, managed.stdout), (0, server.first_line))
        self.assertEqual(server.request("GET", "/health")[0], 200)
        server.kill()
        self.assertEqual(self.serve().request("GET", "/health")[0], 200)

    def test_many_starters_at_once_share_one_server(self):
        starters = [subprocess.Popen([FULGURITE, "serve", "--managed", "--owner-pid", str(os.getpid()), "--data", self.data],
                                     stdout=subprocess.PIPE, text=True) for _ in range(8)]
        lines = {starter.stdout.readline() for starter in starters}
        self.assertEqual(len(lines), 1)
        pid = json.loads(self.json_file().read_text())["pid"]
        self.assertIn(pid, [starter.pid for starter in starters])
        os.kill(pid, signal.SIGTERM)
        for starter in starters:
            self.assertEqual(starter.wait(20), 0)
            starter.stdout.close()

    def test_a_taken_port_is_said(self):
        server = self.serve()
        other = tempfile.mkdtemp(prefix="fulgurite-test-")
        self.addCleanup(shutil.rmtree, other)
        out = fulgurite("serve", "--port", str(server.port), "--data", other)
        self.assertEqual(out.returncode, 1)
        self.assertIn(f"port {server.port} of 127.0.0.1 is taken", out.stderr)

    def test_managed_ends_with_its_owner(self):
        owner = subprocess.Popen(["sleep", "1000"])
        inherited = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(inherited, True)
        process = subprocess.Popen([FULGURITE, "serve", "--managed", "--owner-pid", str(owner.pid), "--data", self.data],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False)
        os.close(inherited)
        first = process.stdout.readline().decode()
        self.assertRegex(first, r"^listening on http://127\.0\.0\.1:\d+\n$")
        # It lets go of what it inherited: whoever reads its output to the end does not wait for it to end.
        self.assertEqual(process.stdout.read() + process.stderr.read(), b"")
        links = [os.readlink(link) for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()]
        self.assertFalse([link for link in links if link.startswith("pipe:")])
        self.assertEqual(os.getsid(process.pid), process.pid)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        port = int(first.rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/v1/traces", one_span(9, 9).SerializeToString(), PROTOBUF)
        self.assertEqual(connection.getresponse().status, 200)
        self.assertIsNone(process.poll())
        owner.kill()
        self.assertEqual(process.wait(10), 0)  # before the owner is waited for: a zombie has ended
        owner.wait()
        connection.close()
        process.stdout.close()
        process.stderr.close()
        self.assertFalse(self.json_file().exists())
        self.assertEqual(self.span_count(), 1)
        out = fulgurite("serve", "--managed", "--owner-pid", str(owner.pid), "--data", self.data)
        self.assertEqual(out.returncode, 1)
        self.assertIn("does not run", out.stderr)


    def process(self):
        one = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(one.wait)
        self.addCleanup(one.kill)
        return one

    def managed(self, owner):
        """The URL, as a tracer would get it."""
        starter = subprocess.Popen([FULGURITE, "serve", "--managed", "--owner-pid", str(owner.pid), "--data", self.data],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(starter.wait, 30)
        line = starter.stdout.readline()
        starter.stdout.close()
        self.assertTrue(line.startswith("listening on "), line)
        return line.split()[-1].removeprefix("http://")

    def ask(self, address, path="/v3/auth/token", body="{}", headers={}):
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_ends_with_its_last_owner(self):
        first, by_token, by_start, stranger = (self.process() for _ in range(4))
        address = self.managed(first)
        pid = json.loads(self.json_file().read_text())["pid"]
        for _ in range(3):
            self.assertEqual(self.ask(address, headers={"Fulgurite-Owner": str(by_token.pid)}), 200)
        self.assertEqual(self.managed(by_start), address)
        self.assertEqual(self.ask(address), 200)
        for nobody in ("", "x", "0", "-1", "-" + str(stranger.pid), str(1 << 40), str((1 << 31) - 1), f"{stranger.pid} "
                       "x"):
            self.assertEqual(self.ask(address, headers={"Fulgurite-Owner": nobody}), 200, nobody)
        body = one_span(1, 1).SerializeToString()
        for ending in (first, by_start):
            ending.kill()
            time.sleep(0.3)
            self.assertEqual(self.ask(address, "/v1/traces", body, PROTOBUF), 200)
            self.assertTrue(self.json_file().exists())
        by_token.kill()
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}/exe").exists(), "the server ends with its last owner")
        self.assertFalse(self.json_file().exists())

    def test_who_has_an_address_has_a_server(self):
        # Each starts as the one before ends: the server it is told of is not the one that is just ending.
        before = self.process()
        self.managed(before)
        for trace in range(1, 31):
            owner = self.process()
            before.kill()
            address = self.managed(owner)
            self.assertEqual(self.ask(address, "/v1/traces", one_span(trace, 1).SerializeToString(), PROTOBUF), 200)
            before = owner
        self.assertEqual(len(self.trace_ids()), 30)
        before.kill()
        wait_until(lambda: not self.json_file().exists(), "the last server ends")

    def test_nobody_joins_a_server_that_ends(self):
        owner, late = self.process(), self.process()
        host, port = self.managed(owner).split(":")
        raw = socket.create_connection((host, int(port)), timeout=10)
        raw.sendall(b"POST /v3/auth/token HTTP/1.1\r\nHost: localhost\r\nFulgurite-Owner: %d\r\n"
                    b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n" % late.pid)
        self.assertIn(b" 100 Continue", raw.recv(1000))
        owner.kill()
        wait_until(lambda: not self.json_file().exists(), "the server begins to end")
        raw.sendall(b"{}")
        self.assertIn(b" 503 ", raw.recv(1000))
        raw.close()
        # It waits for the end of the one, then serves itself.
        self.assertEqual(self.ask(self.managed(late)), 200)
        late.kill()
        wait_until(lambda: not self.json_file().exists(), "the last server ends")


class Commands(Base):
    def test_usage(self):
        self.assertEqual(fulgurite("--version").returncode, 0)
        for call in (["--help"], ["-h"], ["help"], ["serve", "--help"], ["traces", "-h"]):
            out = fulgurite(*call)
            self.assertEqual(out.returncode, 0)
            self.assertIn("usage: fulgurite serve", out.stdout)
        for call, says in ((["nonsense"], 'no command "nonsense"'), ([], "a command is missing"), (["trace"], "which trace"),
                           (["serve", "--port"], "--port needs a value"), (["serve", "--port", "70000"], "from 0 to 65535"),
                           (["serve", "--port", "8x"], "from 0 to 65535"), (["traces", "--limit=-1"], "--limit is a number"),
                           (["traces", "extra"], '"extra" is not understood'), (["traces", "--jsn"], '"--jsn" is not understood'),
                           (["trace", "xyz", "--url", "http://127.0.0.1:1/"], None), (["trace", "a b", "--url", "http://127.0.0.1:1/"], "no trace id"),
                           (["traces", "--url", "u", "--data", "d"], "exclude each other"), (["traces", "--url", "nonsense"], "no URL"),
                           (["traces", "--url", "ftp://x"], '"ftp://x" is no URL that can be called: the endpoint must begin with http'),
                           (["traces", "--url", "http://h:99999"], "no URL that can be called"),
                           (["triplets"], "not in this version"), (["run"], "not in this version"),
                           (["doctor", "extra"], '"extra" is not understood'), (["doctor", "--read-back", "x"], "needs an address")):
            out = fulgurite(*call)
            self.assertEqual(out.returncode, 1 if says is None else 2, call)
            self.assertEqual(out.stdout, "")
            self.assertEqual(out.stderr.count("\n"), 1)
            self.assertIn(says or "does not answer", out.stderr)

    def test_why_a_server_does_not_answer(self):
        closing = socket.create_server(("127.0.0.1", free_port()))
        self.addCleanup(closing.close)

        def close_each():
            while True:
                try:
                    closing.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=close_each, daemon=True).start()
        for url, says in ((f"http://127.0.0.1:{free_port()}", "connection refused: nothing listens there"),
                          (f"http://localhost:{free_port()}/", "connection refused: nothing listens there"),
                          ("http://no-such-host.invalid:80", "the host's name could not be resolved: "),
                          (f"http://127.0.0.1:{closing.getsockname()[1]}", "the connection was closed")):
            for call in (["trace", "latest"], ["traces"]):
                out = fulgurite(*call, "--url", url)
                self.assertEqual((out.returncode, out.stdout), (1, ""))
                self.assertTrue(out.stderr.startswith(f"fulgurite: {url} does not answer: {says}"), out.stderr)

    def test_output_that_cannot_be_written(self):
        server = self.serve()
        server.post(every_field().SerializeToString())
        where = ["--data", self.data]
        calls = (["traces", *where], ["traces", "--json", *where], ["trace", "latest", *where], ["trace", "latest", "--json", *where],
                 ["traces", "--url", server.url], ["--help"], ["--version"], ["traces", "--help"],
                 ["serve", "--port", "0", "--data", self.data + "/other"], ["serve", "--managed", *where])
        for call in calls:
            for redirection, says in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                out = subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", FULGURITE, *call], stderr=subprocess.PIPE, text=True,
                                     timeout=30)
                self.assertEqual((out.returncode, out.stderr), (1, f"fulgurite: the output cannot be written: {says}\n"), call)
        self.assertFalse(os.path.exists(self.data + "/other/server.json"))
        self.assertEqual(len(self.trace_ids()), 1)  # nothing was written into the store
        # A reader that has left is no error: neither with SIGPIPE nor where that is ignored.
        for i in range(1, 3000):
            server.post(one_span(i, 1, "n" * 60).SerializeToString())
        for ignored in ("", 'trap "" PIPE;'):
            for call in (["traces", "--limit", "0", *where], ["traces", "--json", *where], ["--help"]):
                out = subprocess.run(["sh", "-c", f'{ignored} "$@" | head -n 1', "sh", FULGURITE, *call], capture_output=True, text=True,
                                     timeout=30)
                self.assertEqual((out.returncode, out.stderr, out.stdout.count("\n")), (0, "", 1), call)

    def test_not_found(self):
        out = fulgurite("trace", "latest", "--data", self.data + "/none")
        self.assertEqual((out.returncode, out.stdout), (1, ""))
        self.assertIn("there are no traces in", out.stderr)
        server = self.serve()
        for where in (["--data", self.data], ["--url", server.url]):
            for wanted, says in (("latest", "there is no trace yet"), ("abc", "there is no trace abc")):
                out = fulgurite("trace", wanted, *where)
                self.assertEqual((out.returncode, out.stdout, out.stderr), (1, "", f"fulgurite: {says}\n"))
            out = fulgurite("traces", *where)
            self.assertEqual((out.returncode, out.stdout), (0, ""))
            self.assertIn("no trace yet", out.stderr)

    def test_tree_and_table(self):
        server = self.serve()
        server.post(every_field().SerializeToString())
        for i in range(1, 151):
            server.post(one_span(i, 1, f"\x1b[31mtrace {i}", start=1000 + i).SerializeToString())
        for where in (["--data", self.data], ["--url", server.url]):
            out = fulgurite("trace", "5b8efff7", *where)
            self.assertEqual(out.returncode, 0, out.stderr)
            lines = out.stdout.splitlines()
            self.assertEqual(lines[0], "trace 5b8efff798038103d269b633813fc60c  checkout, rates")
            self.assertEqual(lines[1], "2018-12-13 14:51:00.000 UTC · 1.00 s · 3 spans · 1 error")
            for pattern in (r"^charge card \[server\] ·+ 1\.00 s$", r"^│  text=Grüße\\n", r"least=-9223372036854775808", r"map=\{inner: 1\.5, : true\}",
                            r"^│  • authorised  \+500 ms$", r"^│  linked to span 0102030405060708 of trace 000102", r"^│  1 more attributes were dropped$",
                            r"^└─ GET /rates \[client\] ·+ 100 ms$", r"^   │  error: declined$", r"^   └─ rates ·+ 80\.0 ms$"):
                self.assertRegex(out.stdout, re.compile(pattern, re.M))
            self.assertNotIn("\x1b", out.stdout)
            out = fulgurite("traces", *where)
            self.assertEqual(len(out.stdout.splitlines()), 100)
            self.assertIn("--limit 0 shows all", out.stderr)
            self.assertRegex(out.stdout.splitlines()[0], r"^5b8efff798038103d269b633813fc60c  2018-12-13 14:51:00\.000 UTC  1\.00 s +3  1 failed +checkout +charge card$")
            self.assertRegex(out.stdout.splitlines()[1], r" \\x1b\[31mtrace 150$")
            self.assertNotIn("\x1b", out.stdout)
            self.assertEqual(len(fulgurite("traces", "--limit", "3", *where).stdout.splitlines()), 3)
            self.assertEqual(len(fulgurite("traces", "--json", *where).stdout.splitlines()), 151)
        self.assertEqual(fulgurite("trace", "0000", "--data", self.data).returncode, 1)  # more than one

    def test_colours_on_a_terminal_only(self):
        server = self.serve()
        server.post(every_field().SerializeToString())
        for environment, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            shown, terminal = os.openpty()
            subprocess.run([FULGURITE, "trace", "latest", "--data", self.data], stdout=terminal, env=environment, timeout=30)
            os.close(terminal)
            text = b""
            try:
                while chunk := os.read(shown, 10000):
                    text += chunk
            except OSError:
                pass
            os.close(shown)
            self.assertEqual(b"\x1b[31m" in text.replace(b"\\x1b[31m", b""), coloured)
            self.assertIn("charge card".encode(), text)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: server_test.py path/to/fulgurite")
    FULGURITE = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)

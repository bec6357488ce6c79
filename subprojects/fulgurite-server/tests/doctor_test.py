"""Drives `fulgurite doctor` against servers that are there, are not, refuse, repeat secrets, or never answer.

    python3 doctor_test.py path/to/fulgurite grpc|no-grpc
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from ports import free_port

FULGURITE = ""
GRPC = True
FOREIGN = ("TRACER_", "OTEL_", "OTLP_", "JAEGER_", "ZIPKIN_", "AGENTOPS_", "AWS_", "FULGURITE_")


class Scripted:
    """An HTTP server that answers by `answer(method, path, headers, body) -> (status, content type, body)`."""

    def __init__(self, answer):
        self.requests = requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                requests.append((self.command, self.path, dict(self.headers), body))
                status, content_type, said = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def only_at(*paths):
    """Takes whatever is sent to these paths, and nothing else."""
    def answer(method, path, headers, body):
        return (200, "application/x-protobuf", b"") if method == "POST" and path in paths else (404, "text/plain", b"not here")
    return answer


class Base(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fulgurite-doctor-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"

    def scripted(self, answer):
        server = Scripted(answer)
        self.addCleanup(server.close)
        return server

    def serve(self):
        """The local server; its address."""
        process = subprocess.Popen([FULGURITE, "serve", "--port", str(free_port()), "--data", self.data], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.stdout.readline().strip().removeprefix("listening on ")

    def environment(self, variables):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN) and "proxy" not in name.lower()}
        return {**clean, "HOME": str(self.folder), "FULGURITE_DATA": str(self.data), "PATH": "/usr/bin:/bin", **variables}

    def run_doctor(self, *arguments, **variables):
        return subprocess.run([FULGURITE, "doctor", *arguments], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              stdin=subprocess.DEVNULL, env=self.environment(variables))

    def doctor(self, code, *arguments, **variables):
        out = self.run_doctor(*arguments, **variables)
        self.assertEqual((out.returncode, out.stderr), (code, ""), out.stdout)
        return out.stdout

    def checks(self, text):
        """The lines with a mark: [("ok", "reachable in 2 ms"), ...]."""
        return re.findall(r"^  (ok|failed|skipped) +(.*)$", text, re.M)

    def marks(self, text):
        return [how for how, _ in self.checks(text)]

    def verdict(self, text):
        return text.splitlines()[-1]

    def apply(self, text, variables):
        """The variables as the first piece of advice would have them."""
        found = re.search(r"Set (.*)\.$", text, re.M)
        self.assertTrue(found, text)
        changes = dict(change.split("=", 1) for change in found.group(1).split(" and "))
        self.assertTrue(changes)
        self.assertTrue(any(variables.get(name) != value for name, value in changes.items()), changes)
        return {**variables, **changes}

    def assert_advice_works(self, variables):
        before = self.doctor(1, **variables)
        after = self.apply(before, variables)
        self.assertIn("ok       test span delivered", self.doctor(0, **after))
        return before, after


class LocalServer(Base):
    def stored(self):
        out = subprocess.run([FULGURITE, "traces", "--json", "--data", self.data], capture_output=True, text=True, timeout=30)
        return [json.loads(line) for line in out.stdout.splitlines()]

    def test_by_its_address(self):
        url = self.serve()
        text = self.doctor(0, TRACER_TYPE="opentelemetry", OTLP_ENDPOINT=url + "/v1/traces", TRACER_SERVICE_NAME="shop")
        self.assertEqual(self.marks(text), ["ok", "ok", "ok"])
        [trace] = self.stored()
        self.assertEqual((trace["name"], trace["serviceName"], trace["spanCount"]), ("fulgurite.doctor", "shop", 1))
        self.assertIn(f"trace {trace['traceId']}", text)
        self.assertIn(f"read back from {url}/api/v1/traces/{trace['traceId']}\n", text)
        self.assertEqual(self.verdict(text), "All is well: the test span arrived.")
        shown = subprocess.run([FULGURITE, "trace", trace["traceId"], "--data", self.data], capture_output=True, text=True, timeout=30)
        self.assertIn("fulgurite.test=true", shown.stdout)

    def test_managed(self):
        path = {"PATH": f"{pathlib.Path(FULGURITE).parent}:/usr/bin:/bin"}
        text = self.doctor(0, **path)
        self.assertEqual(self.marks(text), ["ok", "ok", "ok"])
        self.assertIn("no local server runs yet: the first span starts one", text)
        self.assertEqual([trace["name"] for trace in self.stored()], ["fulgurite.doctor"])
        url = self.serve()
        text = self.doctor(0, **path)
        self.assertIn(f"read back from {url}/api/v1/traces/", text)
        self.assertEqual(len(self.stored()), 2)
        # A crash leaves server.json behind.
        (self.data / "server.json").write_text(json.dumps({"url": f"http://127.0.0.1:{free_port()}"}))
        self.assertIn("no local server runs yet", self.doctor(0, FULGURITE_DATA=str(self.data / "other"), **path))

    def test_not_on_path(self):
        text = self.doctor(1)
        self.assertEqual(self.marks(text), ["failed", "failed", "skipped"])
        self.assertIn("`fulgurite` is not in PATH", text)
        found = re.search(r'export PATH="(.*):\$PATH"', text)
        self.doctor(0, PATH=f"{found.group(1)}:/usr/bin:/bin")

    def test_not_in_production(self):
        text = self.doctor(1, TRACER_ENVIRONMENT="production", PATH=f"{pathlib.Path(FULGURITE).parent}:/usr/bin")
        self.assertIn("the local server is not for production", text)
        self.assertFalse(self.data.exists())


class Elsewhere(Base):
    def test_nobody_listens(self):
        port = free_port()
        for variables, name in (({"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": f"http://127.0.0.1:{port}/v1/traces"}, "OTLP_ENDPOINT"),
                                ({"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": f"http://127.0.0.1:{port}/api/v2/spans"}, "ZIPKIN_ENDPOINT"),
                                ({"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"http://127.0.0.1:{port}/api/traces"}, "JAEGER_ENDPOINT"),
                                ({"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"udp://127.0.0.1:{port}"}, "JAEGER_ENDPOINT")):
            text = self.doctor(1, **variables)
            self.assertEqual(self.marks(text), ["failed", "failed", "skipped"], text)
            self.assertRegex(self.checks(text)[0][1], "not reachable: .*(refused|nobody listens)")
            self.assertRegex(text, rf"(?m)^ {{11}}.*{name}")
            self.assertEqual(self.verdict(text), "The test span did not arrive.")

    def test_no_such_host(self):
        for variables in ({"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": "http://no-such-host.invalid:9411/api/v2/spans"},
                          {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "udp://no-such-host.invalid:6831"},
                          {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "http://no-such-host.invalid/v1/traces"}):
            text = self.doctor(1, **variables)
            self.assertEqual(self.marks(text), ["failed", "failed", "skipped"])
            self.assertIn("See the spelling in ", text)

    def test_wrong_path(self):
        for path, variables in (("/v1/traces", {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "{}/v1/trace"}),
                                ("/v1/traces", {"TRACER_TYPE": "opentelemetry", "OTEL_EXPORTER_OTLP_ENDPOINT": "{}/v1/traces"}),
                                ("/v1/traces", {"TRACER_TYPE": "opentelemetry", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "{}"}),
                                ("/api/v2/spans", {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": "{}/api/v1/spans"}),
                                ("/api/traces", {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "{}/"})):
            server = self.scripted(only_at(path))
            before, after = self.assert_advice_works({name: value.format(server.url) for name, value in variables.items()})
            self.assertIn("HTTP 404 (nothing takes spans at this path)", before)
            self.assertIn(f"works at {server.url}{path}.", before)
            self.assertEqual(set(after), set(variables))  # the address alone

    def test_wrong_protocol(self):
        def json_only(method, path, headers, body):
            if path != "/v1/traces":
                return 404, "text/plain", b""
            return (200, "application/json", b"{}") if headers["Content-Type"] == "application/json" else (415, "text/plain", b"JSON, please")
        self.assert_advice_works({"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": self.scripted(json_only).url + "/v1/traces"})
        # TLS to a port that has none.
        server = self.scripted(only_at("/v1/traces"))
        variables = {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": server.url.replace("http:", "https:") + "/v1/traces",
                     "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20planted-secret"}
        before = self.doctor(1, **variables)
        self.assertIn("TLS", before)
        self.assertTrue(server.requests)
        self.assertNotIn("planted-secret", str(server.requests))  # what was meant for TLS does not go out without it
        self.doctor(0, **self.apply(before, variables))
        self.assertIn("planted-secret", str(server.requests))

    def test_grpc(self):
        server = self.scripted(only_at("/v1/traces"))
        variables = {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": server.url}
        if GRPC:
            before, _ = self.assert_advice_works(variables)
            self.assertIn(f"OTLP over HTTP works at {server.url}/v1/traces.", before)
        else:
            self.assertIn("this `fulgurite` was built without libcurl", self.doctor(1, **variables))

    def test_one_that_answers_everything_is_not_taken_for_a_backend(self):
        def only_nothing(method, path, headers, body):
            return (404, "text/plain", b"") if path == "/v2/traces" else (202, "text/plain", b"") if not body else (400, "text/plain", b"what?")
        server = self.scripted(only_nothing)
        text = self.doctor(1, TRACER_TYPE="opentelemetry", OTLP_ENDPOINT=server.url + "/v2/traces")
        self.assertNotIn("works at", text)

    def test_a_web_page_is_no_backend(self):
        page = self.scripted(lambda method, path, headers, body: (200, "text/html; charset=utf-8", b"<!doctype html>"))
        for variables in ({"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": page.url + "/v1/traces"},
                          {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": page.url + "/api/traces"},
                          {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": page.url + "/zipkin"}):
            text = self.doctor(1, **variables)
            self.assertEqual(self.marks(text), ["failed", "skipped"])
            self.assertIn("not reachable: a web page answers at this address, not a backend", text)
            self.assertNotIn("works at", text)

    def test_no_answer(self):
        hanging = socket.create_server(("127.0.0.1", free_port()))
        self.addCleanup(hanging.close)
        port = hanging.getsockname()[1]
        text = self.doctor(1, OTEL_TRACES_EXPORTER="otlp,zipkin,jaeger", OTLP_ENDPOINT=f"http://127.0.0.1:{port}/v1/traces",
                           ZIPKIN_ENDPOINT=f"http://127.0.0.1:{port}/api/v2/spans", JAEGER_ENDPOINT=f"http://127.0.0.1:{port}/api/traces")
        self.assertEqual(self.marks(text), ["failed", "failed", "skipped"] * 3)
        self.assertIn("not reachable: no answer within the time limit", text)
        self.assertNotIn("this takes too long", text)  # every limit was kept

    def test_refused_by_the_backend(self):
        def busy(method, path, headers, body):
            return 503, "text/plain", b"full"
        text = self.doctor(1, TRACER_TYPE="zipkin", ZIPKIN_ENDPOINT=self.scripted(busy).url + "/api/v2/spans")
        self.assertIn("The backend is there and cannot take spans now", text)
        # It answers, and takes no spans: partial success of google.rpc's kind, {1: {1: 1, 2: "no"}}.
        def rejecting(method, path, headers, body):
            return 200, "application/x-protobuf", (b"\x0a\x0b\x08\x01\x12\x07too odd" if body else b"")
        text = self.doctor(1, TRACER_TYPE="opentelemetry", OTLP_ENDPOINT=self.scripted(rejecting).url + "/v1/traces")
        self.assertEqual(self.marks(text), ["ok", "failed", "skipped"])
        self.assertIn("too odd", text)

    def test_agentops_cloud(self):
        def cloud(method, path, headers, body):
            if path == "/v3/auth/token":
                return (200, "application/json", b'{"token":"planted-token"}') if b"right-key" in body else (401, "text/plain", body)
            return only_at("/v1/traces")(method, path, headers, body)
        server = self.scripted(cloud)
        where = {"AGENTOPS_API_ENDPOINT": server.url, "AGENTOPS_EXPORTER_ENDPOINT": server.url + "/v1/traces"}
        text = self.doctor(0, AGENTOPS_API_KEY="right-key", AGENTOPS_APP_URL="https://app.example/", **where)
        self.assertEqual(self.marks(text), ["ok", "ok", "skipped"])
        trace = re.search(r"trace ([0-9a-f]{32})", text).group(1)
        self.assertIn(f"It is at https://app.example/sessions?trace_id={trace}.", text)
        self.assertNotIn("right-key", text)
        self.assertNotIn("planted-token", text)
        text = self.doctor(1, AGENTOPS_API_KEY="wrong-key", **where)
        self.assertEqual(self.marks(text), ["failed", "failed", "skipped"])
        self.assertIn("AGENTOPS_API_KEY is the key of AgentOps' cloud; it is set, so its value is wrong or too old.", text)
        self.assertNotIn("wrong-key", text)

    def test_xray_without_credentials(self):
        text = self.doctor(1, TRACER_TYPE="opentelemetry", AWS_REGION="eu-west-1",
                           OTLP_ENDPOINT="https://xray.eu-west-1.amazonaws.com/v1/traces")
        self.assertEqual(self.marks(text), ["failed", "failed", "skipped"])
        self.assertIn("there are no AWS credentials: ", text)
        self.assertIn("`aws sts get-caller-identity`", text)


class Reading(Base):
    """A Zipkin that remembers."""

    def zipkin(self, shows=True):
        kept = {}

        def answer(method, path, headers, body):
            if method == "POST" and path == "/api/v2/spans":
                for span in json.loads(body):
                    kept.setdefault(span["traceId"], []).append(span)
                return 202, "text/plain", b""
            if path == "/api/v2/services":
                return 200, "application/json", b"[]"
            if not path.startswith("/api/v2/trace/") or not shows:
                return 404, "text/plain", b""
            found = [{"id": "1"}] if shows == "others" else kept.get(path.rpartition("/")[2])
            return (200, "application/json", json.dumps(found).encode()) if found else (404, "text/plain", b"")
        return self.scripted(answer), kept

    def test_found_and_missing(self):
        server, kept = self.zipkin()
        variables = {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": server.url + "/api/v2/spans", "ZIPKIN_HEADERS": "x-key=planted-secret"}
        text = self.doctor(0, **variables)
        [trace] = kept
        self.assertIn(f"read back from {server.url}/api/v2/trace/{trace}\n", text)
        self.assertTrue(all(headers.get("x-key") == "planted-secret" for _, _, headers, _ in server.requests))
        forgetful, _ = self.zipkin(shows=False)
        text = self.doctor(1, **{**variables, "ZIPKIN_ENDPOINT": forgetful.url + "/api/v2/spans"})
        self.assertEqual(self.marks(text), ["ok", "ok", "failed"])
        self.assertIn("does not show the span (HTTP 404)", text)
        confused, _ = self.zipkin(shows="others")  # spans, and not the one
        text = self.doctor(1, **{**variables, "ZIPKIN_ENDPOINT": confused.url + "/api/v2/spans"})
        self.assertEqual(self.marks(text), ["ok", "ok", "failed"])

    def test_read_back(self):
        server, kept = self.zipkin()
        blind = self.scripted(only_at("/collect"))
        variables = {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": blind.url + "/collect", "ZIPKIN_HEADERS": "x-key=planted-secret"}
        text = self.doctor(0, **variables)
        self.assertEqual(self.marks(text), ["ok", "ok", "skipped"])
        self.assertIn("`--read-back URL`", text)
        self.assertEqual(self.verdict(text), "All is well as far as can be seen from here: the test span was taken.")
        text = self.doctor(1, "--read-back", server.url + "/", **variables)
        self.assertEqual(self.marks(text), ["ok", "ok", "failed"])
        text = self.doctor(1, "--read-back", f"http://127.0.0.1:{free_port()}", **variables)
        self.assertIn("connection refused", text)
        self.assertNotIn("planted-secret", str([headers for _, _, headers, _ in server.requests]))
        # One address for what takes the spans, another one for what shows them.
        def passes_on(method, path, headers, body):
            for span in json.loads(body):
                kept.setdefault(span["traceId"], []).append(span)
            return 202, "text/plain", b""
        text = self.doctor(0, "--read-back=" + server.url, TRACER_TYPE="zipkin", ZIPKIN_ENDPOINT=self.scripted(passes_on).url + "/collect")
        self.assertEqual(self.marks(text), ["ok", "ok", "ok"])

    def test_file(self):
        file = self.folder / "spans.jsonl"
        file.write_text("something else\n" * 100_000)
        text = self.doctor(0, OTEL_TRACES_EXPORTER="file", TRACER_FILE="spans.jsonl")
        self.assertEqual(self.marks(text), ["ok", "ok", "ok"])
        self.assertIn(f"read back from the end of {file}\n", text)
        line = file.read_text().splitlines()[-1]
        self.assertEqual(json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "fulgurite.doctor")
        text = self.doctor(1, OTEL_TRACES_EXPORTER="file", TRACER_FILE=str(self.folder / "none" / "spans.jsonl"))
        self.assertEqual(self.marks(text), ["failed"])  # no tracer can be made
        self.assertIn("TRACER_FILE=", text)
        self.assertFalse((self.folder / "none").exists())
        # It can be opened, and nothing can be written to it.
        text = self.doctor(1, OTEL_TRACES_EXPORTER="file", TRACER_FILE="/dev/full")
        self.assertEqual(self.marks(text), ["ok", "failed", "skipped"])
        self.assertIn("test span not delivered: No space left on device\n           The path is set by TRACER_FILE.", text)

    def test_several(self):
        url = self.serve()
        text = self.doctor(1, OTEL_TRACES_EXPORTER="otlp,zipkin,console,file", OTLP_ENDPOINT=url + "/v1/traces",
                           ZIPKIN_ENDPOINT=f"http://127.0.0.1:{free_port()}/api/v2/spans")
        self.assertEqual(self.marks(text), ["ok", "ok", "ok", "failed", "failed", "skipped", "ok", "ok", "ok", "ok", "ok", "ok"])
        self.assertEqual(self.verdict(text), "The test span did not arrive in 1 of 4 places: Zipkin.")
        # The tree is printed below the console's heading, and all got the same span.
        trace = re.search(r"Test span  fulgurite.doctor, trace ([0-9a-f]{32})", text).group(1)
        self.assertRegex(text, rf"(?s)\nThe console  to standard output\ntrace {trace} .*\n  ok       nothing to reach")
        self.assertIn(trace, (self.folder / "traces.jsonl").read_text())
        self.assertIn(f"{url}/api/v1/traces/{trace}", text)


class Settings(Base):
    def test_problems(self):
        text = self.doctor(1, TRACER_TYPE="jeager", TRACER_SAMPLING_RATE="1.5", OTLP_ENDPOINT="http://joe:planted-secret@host")
        self.assertIn('failed   TRACER_TYPE="jeager"\n           allowed is agentops, opentelemetry, jaeger, zipkin, noop\n', text)
        self.assertIn('failed   TRACER_SAMPLING_RATE="1.5"\n           allowed is a number from 0 to 1\n', text)
        self.assertIn('failed   OTLP_ENDPOINT="http://********@host"', text)
        self.assertNotIn("planted-secret", text)
        self.assertEqual(self.verdict(text), "The configuration has 3 problems: no tracer can be made from it.")
        # What only the backend makes wrong.
        text = self.doctor(1, AGENTOPS_MANAGED="false")
        self.assertIn("AGENTOPS_API_KEY", text)
        self.assertTrue(self.verdict(text).startswith("The configuration has 1 problem:"))

    def test_file_and_origins(self):
        file = self.folder / "tracing.json"
        file.write_text(json.dumps({"tracer_type": "opentelemetry", "traces_exporters": ["file"], "service_name": "shop",
                                    "jaeger_password": "planted-secret"}))
        text = self.doctor(0, TRACER_CONFIG_FILE=str(file), OTEL_SERVICE_NAME="till")
        self.assertRegex(text, rf"(?m)^  tracer_type +opentelemetry +tracer_type in {re.escape(str(file))}$")
        self.assertRegex(text, r"(?m)^  service_name +till +OTEL_SERVICE_NAME$")
        self.assertNotIn("planted-secret", text)
        self.assertNotIn("max_batch_size", text)
        self.assertRegex(self.doctor(0, "--all", TRACER_CONFIG_FILE=str(file)), r"(?m)^  max_batch_size +4096 +default \(OTEL_BSP_MAX_EXPORT_BATCH_SIZE\)$")
        file.write_text("{")
        self.assertIn("TRACER_CONFIG_FILE", self.doctor(1, TRACER_CONFIG_FILE=str(file)))

    def test_off(self):
        for variables, setting in (({"TRACER_TYPE": "noop"}, "TRACER_TYPE=noop"), ({"OTEL_SDK_DISABLED": "true"}, "OTEL_SDK_DISABLED=true"),
                                   ({"OTEL_TRACES_EXPORTER": "none"}, "OTEL_TRACES_EXPORTER=none")):
            text = self.doctor(0, **variables)
            self.assertEqual(self.verdict(text), f"Tracing is off, by {setting}: nothing is recorded.")
            self.assertEqual(self.marks(text), [])

    def test_remarks(self):
        text = self.doctor(0, OTEL_TRACES_EXPORTER="file", TRACER_SAMPLING_RATE="0.1", TRACER_ENDPOINTS="planted-secret",
                           OTEL_BSP_MAX_QUEUE_SIZE="many", ZIPKIN_ENDPOINT="http://a")
        self.assertIn("the sampler keeps 10 % of all traces; the test span is sent in any case\n", text)
        self.assertIn("TRACER_ENDPOINTS is set, and no setting has this name: it is not read\n", text)
        self.assertIn('OTEL_BSP_MAX_QUEUE_SIZE="many" is ignored', text)
        self.assertIn("ZIPKIN_ENDPOINT, no effect with file\n", text)
        self.assertNotIn("planted-secret", text)
        text = self.doctor(1, OTLP_ENDPOINT="http://a", JAEGER_ENDPOINT="http://b")
        self.assertIn("OTLP_ENDPOINT is given, and nothing goes there without TRACER_TYPE=opentelemetry\n", text)
        self.assertIn("JAEGER_ENDPOINT is given, and nothing goes there without TRACER_TYPE=jaeger\n", text)
        text = self.doctor(0, OTEL_TRACES_EXPORTER="file", OTEL_TRACES_SAMPLER="always_off")
        self.assertTrue(self.verdict(text).endswith(", but the sampler keeps no trace: a program sends nothing."), text)
        text = self.doctor(1, OTEL_TRACES_EXPORTER="zipkin", ZIPKIN_ENDPOINT="http://no-such-host.invalid/api/v2/spans",
                           TRACER_ENVIRONMENT="production", TRACER_LOG_LEVEL="off")
        self.assertIn("spans leave a production environment unencrypted: http://no-such-host.invalid/api/v2/spans\n", text)

    def test_the_spool_is_left_alone(self):
        spool = self.folder / "spool"
        text = self.doctor(1, TRACER_TYPE="zipkin", ZIPKIN_ENDPOINT=f"http://127.0.0.1:{free_port()}/api/v2/spans", TRACER_SPOOL=str(spool))
        self.assertIn("it does not go through the spool", text)
        self.assertEqual(self.marks(text), ["failed", "failed", "skipped"])
        self.assertFalse(spool.exists())

    def test_redaction_holds_for_the_test_span(self):
        server = self.scripted(only_at("/api/v2/spans"))
        self.doctor(0, TRACER_TYPE="zipkin", ZIPKIN_ENDPOINT=server.url + "/api/v2/spans", TRACER_REDACT="fulgurite.message=drop")
        sent = b"".join(body for _, _, _, body in server.requests)
        self.assertIn(b"fulgurite.test", sent)
        self.assertNotIn(b"fulgurite.message", sent)

    def test_secrets_are_nowhere(self):
        """Every secret is planted, and the backend repeats all that it gets."""
        def parrot(method, path, headers, body):
            said = "\n".join([path, *(f"{name}: {value}" for name, value in headers.items())])
            return 401, "text/plain", said.encode() + body
        server = self.scripted(parrot)
        planted = {"AGENTOPS_API_KEY": "planted-agentops", "JAEGER_PASSWORD": "planted-jaeger", "JAEGER_USER": "joe",
                   "JAEGER_HEADERS": "x-jaeger=planted-header-1", "ZIPKIN_HEADERS": "x-zipkin=planted-header-2",
                   "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20planted-header-3,x-other=planted-header-4",
                   "AWS_SECRET_ACCESS_KEY": "planted-aws", "AWS_SESSION_TOKEN": "planted-session",
                   "TRACER_REDACT_KEY": "0123456789abcdef0123456789abcdef", "https_proxy": "http://joe:planted-proxy@127.0.0.1:1"}
        where = {"OTLP_ENDPOINT": server.url + "/v1/traces?key=planted-query", "ZIPKIN_ENDPOINT": server.url + "/api/v2/spans?key=planted-query",
                 "JAEGER_ENDPOINT": server.url + "/api/traces?key=planted-query", "AGENTOPS_API_ENDPOINT": server.url,
                 "AGENTOPS_EXPORTER_ENDPOINT": server.url + "/v1/traces"}
        said = ""
        for choice in ({"OTEL_TRACES_EXPORTER": "otlp,zipkin,jaeger"}, {"TRACER_TYPE": "agentops"}, {"JAEGER_AUTH_TOKEN": "planted-bearer", "JAEGER_USER": "", "JAEGER_PASSWORD": "", "TRACER_TYPE": "jaeger"},
                       {"TRACER_TYPE": "opentelemetry", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, {"TRACER_TYPE": "opentelemetry", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}):
            for arguments in ((), ("--all",)):
                out = self.run_doctor(*arguments, **{**planted, **where, **choice})
                self.assertEqual(out.returncode, 1, out.stdout)
                said += out.stdout + out.stderr
        heard = str(server.requests)
        for secret in ("planted-agentops", "planted-header-1", "planted-header-2", "planted-header-3", "planted-header-4", "planted-bearer", "planted-query"):
            self.assertIn(secret, heard)  # they were at hand
        self.assertEqual(re.findall(r".*(?:planted|0123456789abcdef|am9l).*", said), [])
        self.assertIn("********", said)
        self.assertIn("HTTP 401", said)
        # Wrong values, too.
        text = self.doctor(1, JAEGER_AUTH_TOKEN="planted-\x01", JAEGER_HEADERS="planted-without-equals", TRACER_REDACT_KEY="planted-key",
                           http_proxy="ftp://joe:planted-proxy@x", OTLP_ENDPOINT="joe:planted-user@host", TRACER_TYPE="jaeger")
        self.assertNotIn("planted", text)


class Terminal(Base):
    def test_help_and_usage(self):
        out = self.run_doctor("--help")
        self.assertEqual(out.returncode, 0)
        self.assertIn("fulgurite doctor [--all] [--read-back URL]", out.stdout)
        for call in (["--read-back"], ["--read-back", "host:16686"], ["--read-back", "http://a b"], ["--nonsense"], ["word"]):
            out = self.run_doctor(*call)
            self.assertEqual((out.returncode, out.stdout, out.stderr.count("\n")), (2, "", 1), call)

    def on_terminal(self, **variables):
        shown, terminal = os.openpty()
        subprocess.run([FULGURITE, "doctor"], stdout=terminal, cwd=self.folder, env=self.environment(variables), timeout=60)
        os.close(terminal)
        text = b""
        try:
            while chunk := os.read(shown, 10000):
                text += chunk
        except OSError:
            pass
        os.close(shown)
        return text

    def test_colours_on_a_terminal_only(self):
        variables = {"OTEL_TRACES_EXPORTER": "file"}
        self.assertIn(b"\x1b[32mok\x1b[0m", self.on_terminal(TERM="xterm", **variables))
        self.assertNotIn(b"\x1b", self.on_terminal(TERM="xterm", NO_COLOR="1", **variables))
        self.assertNotIn(b"\x1b", self.on_terminal(TERM="dumb", **variables))
        self.assertNotIn("\x1b", self.doctor(0, TERM="xterm", **variables))

    def test_values_cannot_move_the_cursor(self):
        def escape(method, path, headers, body):
            return 400, "text/plain", b"\x1b[2Jcleared"
        text = self.doctor(1, TRACER_TYPE="zipkin", ZIPKIN_ENDPOINT=self.scripted(escape).url + "/api/v2/spans", TRACER_SERVICE_NAME="\x1b[31m")
        self.assertNotIn("\x1b", text)

    def test_output_that_cannot_be_written(self):
        out = subprocess.run(["sh", "-c", 'exec "$@" >/dev/full', "sh", FULGURITE, "doctor"], stderr=subprocess.PIPE, text=True, timeout=60,
                             env=self.environment({"OTEL_TRACES_EXPORTER": "file"}), cwd=self.folder)
        self.assertEqual((out.returncode, out.stderr), (1, "fulgurite: the output cannot be written: No space left on device\n"))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: doctor_test.py path/to/fulgurite grpc|no-grpc")
    GRPC = sys.argv.pop(2) == "grpc"
    FULGURITE = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)

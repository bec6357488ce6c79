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

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

try:
    from fault_server import (DEADLOCK, Backend, answer_old_http, bind_below, bomb, code, drip, drip_headers, endless_headers,
                              gigantic, goaway_after, goaway_in_answer, goaway_unprocessed, grpc_bomb, grpc_drip,
                              grpc_gigantic, grpc_hang, grpc_page, grpc_partial, grpc_reset_before_answer,
                              grpc_reset_in_answer, grpc_reset_stream, gzip_bomb, hang, no_http, partial,
                              reset_before_answer, reset_in_answer, reset_in_request, retry_info, status, success)
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package h2 is needed")
    sys.exit(1 if os.environ.get("CI") else 77)
if not shutil.which("openssl"):
    print("skipped: the openssl command is missing")
    sys.exit(1 if os.environ.get("CI") else 77)

import proofs
from certificates import Certificates

FIRST, MORE = 10, 990
SECRETS = {"header": "Bearer header-5ecret-0f-a-user", "key": "key-5ecret-0f-agentops", "token": "t0ken.5ecret.agentops"}


class Exporter:
    """How the program is told where its backend is, and what the backend answers when all is well."""

    def __init__(self, kind, path, variables, limit, good=b"", content_type=""):
        self.kind, self.path, self.variables, self.limit = kind, path, variables, limit
        self.good, self.content_type = good, content_type

    def backend(self, script, talk=None):
        good = (lambda call: call.succeed()) if self.kind == "grpc" else success(self.content_type, self.good)
        return Backend(script, good, self.kind == "grpc", talk)

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
        Case("401, then 200: a new token", ["agentops"], [status(401)], 2, "exported", None),
        Case("401, also with a new token", ["agentops"], [status(401)] * 2, 2, "always failed",
             "answered HTTP 401 (the credentials are missing or wrong)"),
        Case("503 for a token, again and again", ["agentops"], [], 0, "always failed", "HTTP 503 come back later",
             tokens=[status(503, says=b"come back later")] * 100, counts_retries=False),
        Case("503 for a token, then 200", ["agentops"], [], 1, "exported", None,
             tokens=[status(503, says=b"come back later")], counts_retries=False),
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


def run(program, case, name, context):
    """Runs one case; what was observed: (tries, batch, sentence)."""
    exporter = EXPORTERS[name]
    talk = {"tls": lambda one: context.wrap_socket(one, server_side=True).close(), "HTTP/1.0": answer_old_http,
            "plain": answer_old_http}.get(case.where)
    with contextlib.ExitStack() as stack:
        token = json.dumps({"token": SECRETS["token"]}).encode()
        tokens = stack.enter_context(Backend(case.tokens or [], success("application/json", token)))
        backend = stack.enter_context(exporter.backend(case.script, talk))
        base = f"http{'s' if case.where in ('tls', 'plain') else ''}://127.0.0.1:{backend.port}"
        if case.where == "refused":
            closed = stack.enter_context(socket.socket())  # bound, so that nobody else listens there
            bind_below(closed)
            base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        elif case.where and not talk:
            base = case.where
        held = tokens if case.tokens else None if case.where and not talk else backend
        if held is not tokens:
            tokens.released.set()
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
            # At the end the tracer says how much it was in all.
            lost = {"failed": FIRST, "always failed": FIRST + MORE, "rejected": 3}.get(case.batch, 0)
            total = [line for line in lines if " were not delivered (" in line]
            wanted = re.compile(rf"fulgurite: warning: (?:\S+: )?of {FIRST + MORE} spans {lost} were not delivered \(\w+ {lost}\)")
            expect(len(total) == (1 if lost else 0) and all(map(wanted.fullmatch, total)),
                   f"it said {lines}, of {lost} that were lost")
            expect(len(lines) == 1 + len(total) and case.says in lines[0],
                   f"it said {lines} and not {case.says!r}")
        for what, secret in SECRETS.items():
            expect(secret not in log and secret.partition(" ")[2] not in (log if " " in secret else ()),
                   f"the secret {what} stands in the log: {log}")
            expect(secret not in "".join(child.lines), f"the secret {what} stands in the output")
        expect(peak <= case.memory * 1024, f"it took {peak} KiB")
        most["sleeps"], most["KiB"] = max(most["sleeps"], int(sleeps)), max(most["KiB"], peak)
        return tries, case.batch, case.says


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
    with (exporter.backend([]) as backend, tempfile.TemporaryFile("w+") as said,
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
    program, *words = sys.argv[1:]
    bomb()  # once, before the threads ask for it
    started, wrong, observed = time.monotonic(), [], {}
    with tempfile.TemporaryDirectory() as folder, EXPORTERS["zipkin"].backend([]) as redirected:
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

#!/usr/bin/env python3
"""`fulgurite doctor` against other people's servers: it finds its span in them, and what it advises works.

    doctor.py FULGURITE collector|jaeger|zipkin

Each configuration that is wrong is put right by nothing but the settings that the doctor names, and then works.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import peers  # noqa: E402

FOREIGN = ("TRACER_", "OTEL_", "OTLP_", "JAEGER_", "ZIPKIN_", "AGENTOPS_", "AWS_", "FULGURITE_")


class Doctor:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, variables, *arguments):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(FOREIGN) and "proxy" not in name.lower()}
        done = subprocess.run([self.program, "doctor", *arguments], capture_output=True, text=True, timeout=60,
                              cwd=self.folder, env={**clean, **variables, "TRACER_SERVICE_NAME": "patient"})
        assert done.returncode in (0, 1) and not done.stderr, f"{done.returncode} {done.stderr}\n{done.stdout}"
        return done.stdout

    def passes(self, variables, *arguments, seen=True):
        """The trace that was sent; the report, with `seen`, says that it was read back."""
        text = self(variables, *arguments)
        marks = re.findall(r"^  (ok|failed|skipped) ", text, re.M)
        assert marks == ["ok", "ok", "ok" if seen else "skipped"], f"{variables}\n{text}"
        print(f"passes: {variables} {text.splitlines()[-1]}")
        return re.search(r"^Test span .* ([0-9a-f]{32})$", text, re.M).group(1)

    def cures(self, variables, seen=True):
        """It fails, says what to set, and with that it passes."""
        text = self(variables)
        assert text.endswith("The test span did not arrive.\n"), text
        found = re.search(r"Set (.*)\.$", text, re.M)
        assert found, f"no advice for {variables}\n{text}"
        print(f"cured by {found.group(1)}: {variables}")
        changes = dict(change.split("=", 1) for change in found.group(1).split(" and "))
        return self.passes({**variables, **changes}, seen=seen)


OTLP = {"TRACER_TYPE": "opentelemetry"}


def otlp_mistakes(grpc, http):
    """Each protocol at the other's port, paths too many and too few, TLS where there is none."""
    at_grpc, at_http = f"http://127.0.0.1:{grpc}", f"http://127.0.0.1:{http}"
    yield {**OTLP, "OTLP_ENDPOINT": at_http}
    yield {**OTLP, "OTLP_ENDPOINT": at_grpc + "/v1/traces"}
    yield {**OTLP, "OTLP_ENDPOINT": at_http + "/v1/trace"}
    yield {**OTLP, "OTLP_ENDPOINT": at_grpc.replace("http:", "https:")}
    yield {**OTLP, "OTLP_ENDPOINT": at_http.replace("http:", "https:") + "/v1/traces"}
    yield {**OTLP, "OTEL_EXPORTER_OTLP_ENDPOINT": at_grpc}
    yield {**OTLP, "OTEL_EXPORTER_OTLP_ENDPOINT": at_http + "/v1/traces"}
    yield {**OTLP, "OTEL_EXPORTER_OTLP_ENDPOINT": at_http, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    yield {**OTLP, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": at_http}
    yield {**OTLP, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": at_http, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}


class JaegerWhereItIsLookedFor(peers.Jaeger):
    """With its query interface at the usual port, if that is free."""

    def command(self, built):
        if peers.is_free(16686):
            self.query = 16686
        return super().command(built)


def jaeger(doctor, folder):
    with JaegerWhereItIsLookedFor(folder) as peer:
        usual = peer.query == 16686
        if not usual:
            print("port 16686 is taken: the doctor's guess is not tested")
        named = ["--read-back", f"http://127.0.0.1:{peer.query}"]
        ways = [{**OTLP, "OTLP_ENDPOINT": f"http://localhost:{peer.otlp_grpc}"},
                {**OTLP, "OTLP_ENDPOINT": f"http://127.0.0.1:{peer.otlp_http}/v1/traces"},
                {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"http://127.0.0.1:{peer.jaeger_http}/api/traces"},
                {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"udp://127.0.0.1:{peer.jaeger_compact}"}]
        for variables in ways:
            for arguments in [[], named] if usual else [named]:
                trace = doctor.passes(variables, *arguments)
                spans = peer.trace(trace)["spans"]
                assert [span["operationName"] for span in spans] == ["fulgurite.doctor"], spans
        # Jaeger takes Zipkin's spans, and has not its interface.
        zipkin = {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": f"http://127.0.0.1:{peer.zipkin}/api/v2/spans"}
        doctor.passes(zipkin, seen=False)
        doctor.passes(zipkin, *named)
        doctor.cures({"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"http://127.0.0.1:{peer.jaeger_http}/"}, seen=usual)
        for variables in otlp_mistakes(peer.otlp_grpc, peer.otlp_http):
            doctor.cures(variables, seen=usual)
        # To the port of the web page, or of Zipkin's spans: no advice that does not work.
        for variables in ({**OTLP, "OTLP_ENDPOINT": f"http://127.0.0.1:{peer.query}"},
                          {**OTLP, "OTLP_ENDPOINT": f"http://127.0.0.1:{peer.query}/v1/traces"},
                          {**OTLP, "OTLP_ENDPOINT": f"http://127.0.0.1:{peer.zipkin}/v1/traces"}):
            text = doctor(variables)
            assert " failed " in text and "works at" not in text, text


def zipkin(doctor, folder):
    with peers.Zipkin(folder) as peer:
        right = {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": f"http://127.0.0.1:{peer.zipkin}/api/v2/spans"}
        trace = doctor.passes(right)
        assert [span["name"] for span in peer.trace(trace)] == ["fulgurite.doctor"]
        doctor.passes(right, "--read-back", f"http://127.0.0.1:{peer.zipkin}")
        for path in ("", "/", "/api/v2/span", "/zipkin/"):
            doctor.cures({"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": f"http://127.0.0.1:{peer.zipkin}{path}"})


def collector(doctor, folder):
    with peers.Collector(folder) as peer:
        traces = [doctor.passes({**OTLP, "OTLP_ENDPOINT": f"http://localhost:{peer.otlp_grpc}"}, seen=False)]
        for variables in otlp_mistakes(peer.otlp_grpc, peer.otlp_http):
            traces.append(doctor.cures(variables, seen=False))
        for variables in ({"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": f"http://127.0.0.1:{peer.zipkin}/api/v2/spans"},
                          {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": f"http://127.0.0.1:{peer.jaeger_http}/api/traces"}):
            traces.append(doctor.passes(variables, seen=False))
        got = lambda: {span["span"]["traceId"] for span in peer.spans()} >= set(traces)  # noqa: E731
        peers.wait_until("the collector has written the test spans", got)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("server", choices=("collector", "jaeger", "zipkin"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        doctor = Doctor(str(pathlib.Path(arguments.program).resolve()), folder)
        return peers.main_of_test(lambda: globals()[arguments.server](doctor, folder / "peer") or 0)


if __name__ == "__main__":
    sys.exit(main())

"""Spans a second that the real OpenTelemetry Collector says it received, and CPU of the program for each, by every way.

    collector.py PROGRAM [--spans N]     (the program traffic.cpp)

The Collector's pipeline is the cheapest it has (collector.yaml); it shares the machine with the program. A span counts
when it is in the Collector's own `accepted` counter. Exit status 77: the Collector cannot be had.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration" / "peers"))
import peers  # noqa: E402
import table  # noqa: E402

OTLP = {"TRACER_TYPE": "opentelemetry", "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
WAYS = {
    "otlp_http": OTLP | {"OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_http}/v1/traces"},
    "otlp_http, gzip": OTLP | {"OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_http}/v1/traces",
                               "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
    "otlp_grpc": OTLP | {"OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_grpc}"},
    "otlp_json": OTLP | {"OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_http}/v1/traces",
                         "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
    "jaeger_http": {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "http://127.0.0.1:{peer.jaeger_http}/api/traces"},
    "jaeger_udp": {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "udp://127.0.0.1:{peer.jaeger_compact}"},
    "zipkin": {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": "http://127.0.0.1:{peer.zipkin}/api/v2/spans"},
}


class Sink(peers.Collector):
    tcp = ("otlp_grpc", "otlp_http", "jaeger_http", "zipkin", "own_metrics", "health")

    def command(self, built):
        return [built / "otelcol", "--config", HERE / "collector.yaml"]

    def accepted(self):
        text = peers.get(self.own_metrics, "/metrics").decode()
        return int(sum(float(n) for n in re.findall(r"^otelcol_receiver_accepted_spans\S* (\S+)$", text, re.M)))


def measure(program, sink, variables, spans):
    before = sink.accepted()
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("TRACER_", "OTEL_", "OTLP_", "JAEGER_", "ZIPKIN_", "AGENTOPS_"))}
    environment |= {name: value.format(peer=sink) for name, value in variables.items()}
    said = json.loads(subprocess.check_output([program, str(spans)], env=environment, text=True))
    received = 0
    for _ in range(50):  # its counter may come a little later, and UDP's spans never
        received = sink.accepted() - before
        if received >= spans:
            break
        time.sleep(0.05)
    return said, received


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--spans", type=int, default=400_000)
    arguments = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory() as folder, Sink(pathlib.Path(folder) / "otelcol") as sink:
        rows = []
        for way, variables in WAYS.items():
            said, received = measure(arguments.program, sink, variables, arguments.spans)
            rows += [{"name": f"{way}: spans received", "figure": received / said["seconds"] / 1e6, "unit": "M/s"},
                     {"name": f"{way}: CPU of the program a span", "figure": said["cpu"] / said["made"] * 1e6,
                      "unit": "us"},
                     {"name": f"{way}: made and not received", "figure": said["made"] - received, "unit": "spans"}]
            if received != said["exported"] or said["lost"]:
                if way != "jaeger_udp":
                    wrong.append(f"{way}: {said} and {received} received")
        table.print_rows(rows)
    if wrong:
        sys.exit("\n".join(wrong))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except peers.Unavailable as missing:
        print(f"left out: {missing}")
        sys.exit(77)

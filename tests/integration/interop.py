#!/usr/bin/env python3
"""What a real server says it received is what was made, field by field; none missing, none twice.

    interop.py PROGRAM EXPORTER SERVER [--seed N] [--traces N]     (the program interop.cpp)

EXPORTER is how the spans travel (`EXPORTERS` below), SERVER whom they reach (`SERVERS`). The program writes down what it
gave to the exporter; mapping.py says what the server must hold then. Jaeger and Zipkin draw who calls whom, and the
counts must be right. Afterwards a control: every kind of change of what is expected must be noticed.

What came through of each feature is told from the values themselves, and stands in docs/BACKENDS.md (proofs.py): with
FULGURITE_UPDATE_DOCS=1 the run writes its row, else the row must be what was observed.

Exit status: 0 equal, 1 different, 77 the server cannot be had here, or this build has no such exporter.
"""

import argparse
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
import mapping  # noqa: E402
import peers  # noqa: E402
import proofs  # noqa: E402

# How the program is told: variables, where {peer.NAME} is a port.
EXPORTERS = {
    "otlp_http": {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_http}/v1/traces",
                  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
    "otlp_json": {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_http}/v1/traces",
                  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
    "otlp_grpc": {"TRACER_TYPE": "opentelemetry", "OTLP_ENDPOINT": "http://127.0.0.1:{peer.otlp_grpc}",
                  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
    "jaeger_http": {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "http://127.0.0.1:{peer.jaeger_http}/api/traces"},
    "jaeger_udp": {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "udp://127.0.0.1:{peer.jaeger_compact}"},
    "jaeger_udp_binary": {"TRACER_TYPE": "jaeger", "JAEGER_ENDPOINT": "udp://127.0.0.1:{peer.jaeger_binary}",
                          "OTEL_EXPORTER_JAEGER_PROTOCOL": "udp/thrift.binary"},
    "zipkin": {"TRACER_TYPE": "zipkin", "ZIPKIN_ENDPOINT": "http://127.0.0.1:{peer.zipkin}/api/v2/spans"},
}
SEED, TRACES = 20261122, 200
DATAGRAMS = {"jaeger_udp": "jaeger_compact", "jaeger_udp_binary": "jaeger_binary"}  # and the port that takes them


def is_otlp(exporter):
    return exporter.startswith("otlp")


class Says:
    """A server, what it must say it received, and what it does say."""

    peer = None              # of peers.py
    finite_of_otlp = False   # it cannot show a NaN

    @staticmethod
    def expected(exporter, made):
        return made

    @staticmethod
    def expected_calls(made):
        """Who calls whom, as `peer.dependencies()` has it; None for a server that does not say."""
        return None

    @staticmethod
    def received(exporter, peer, made):
        raise NotImplementedError


def by_trace(read, peer, made):
    """The spans of every trace that was made, as a query interface shows one."""
    traces = [peer.trace(trace_id) for trace_id in sorted({span["trace_id"] for span in made})]
    return [span for trace in traces if trace for span in read(trace)]


class CollectorSays(Says):
    """The collector's file exporter."""

    peer = peers.Collector

    @staticmethod
    def expected(exporter, made):
        if is_otlp(exporter):
            return made
        back = mapping.otlp_of_jaeger if exporter.startswith("jaeger") else mapping.otlp_of_zipkin
        return [back(span) for span in made]

    @staticmethod
    def received(exporter, peer, made):
        read = [mapping.read_otlp(span) for span in peer.spans()]
        return read if is_otlp(exporter) else [mapping.as_sets(span) for span in read]


class JaegerSays(Says):
    """Jaeger's query interface."""

    peer, finite_of_otlp = peers.Jaeger, True
    expected_calls = staticmethod(mapping.jaeger_calls)

    @staticmethod
    def expected(exporter, made):
        if is_otlp(exporter):
            return mapping.in_jaeger([mapping.to_jaeger_of_otlp(span) for span in made])
        # The agent, which takes the datagrams, passes them on in another form.
        came_as = "proto" if exporter in DATAGRAMS else "jaeger"
        return mapping.in_jaeger([mapping.to_jaeger(span, came_as) for span in made])

    @staticmethod
    def received(_, peer, made):
        return by_trace(mapping.read_jaeger, peer, made)


class ZipkinSays(Says):
    """Zipkin's query interface."""

    peer = peers.Zipkin
    expected_calls = staticmethod(mapping.zipkin_calls)

    @staticmethod
    def expected(_, made):
        return [mapping.to_zipkin(span) for span in made]

    @staticmethod
    def received(_, peer, made):
        return by_trace(mapping.read_zipkin, peer, made)


class DdapmSays(Says):
    """Datadog's agent for tests: what it decoded."""

    peer = peers.DdapmTestAgent

    @staticmethod
    def received(_, peer, made):
        return [mapping.read_otlp(span) for request in peer.traces()
                for span in peers.otlp_spans(mapping.camel(request))]


SERVERS = {"collector": CollectorSays, "jaeger": JaegerSays, "zipkin": ZipkinSays, "ddapm": DdapmSays}


def make(program, folder, exporter, peer, arguments, finite):
    """Runs the program; what it gave to the exporter."""
    file = folder / "made.jsonl"
    words = [program, file, str(arguments.seed), str(arguments.traces)]
    words += ["finite"] if finite else []
    words += ["paced"] if exporter in DATAGRAMS else []
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("TRACER_", "OTEL_", "OTLP_", "JAEGER_", "ZIPKIN_", "AGENTOPS_"))}
    variables = {name: value.format(peer=peer) for name, value in EXPORTERS[exporter].items()}
    environment = {**clean, **variables, "TRACER_SERVICE_VERSION": "2.1", "TRACER_LOG_LEVEL": "info",
                   "OTEL_RESOURCE_ATTRIBUTES": "host.name=h1,service.namespace=shop,team=%C3%9C",
                   "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "10", "OTEL_SPAN_EVENT_COUNT_LIMIT": "3",
                   "OTEL_SPAN_LINK_COUNT_LIMIT": "2"}
    port = getattr(peer, DATAGRAMS.get(exporter, ""), None)
    with open(folder / "said", "w+") as said, subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True) as program:
        while (line := program.stdout.readline()) == ".\n":
            # Datagrams are lost where they come faster than they are read, and that is nobody's fault.
            peers.wait_until("the datagrams are read", lambda: peers.datagrams_of(port)[0] == 0)
            program.stdin.write("\n")
            program.stdin.flush()
        program.stdin.close()
        status = program.wait(60)
        said.seek(0)
        said = said.read().strip()
    if status == 3:
        raise peers.Unavailable(f"this build has no {exporter}: {said}")
    assert status == 0 and not said, f"the program ended with {status} and said: {said}"
    assert port is None or peers.datagrams_of(port)[1] == 0, "the kernel has thrown datagrams away"
    accounts = json.loads(line)
    print(f"{exporter}: {accounts}")
    assert accounts["flushed"] == 1 and accounts["exported"] == accounts["sampled"] == accounts["started"], accounts
    with open(file, encoding="utf-8", newline="\n") as lines:
        made = [mapping.read_otlp(span) for line in lines for span in peers.otlp_spans(peers.loads(line))]
    assert len(made) == accounts["exported"], f"{len(made)} spans are written down"
    return made


def variety(made):
    """The spans are worth the comparison: each kind of thing is there, and often enough."""
    values = {value[0] for span in made for _, value in span["attributes"]}
    counts = {
        "kinds": len({span["kind"] for span in made}), "statuses": len({span["status"] for span in made}),
        "services": len({mapping.text_attribute(span["resource"], "service.name") for span in made}),
        "types of values": len(values), "events": sum(len(span["events"]) for span in made),
        "links": sum(len(span["links"]) for span in made),
        "of a remote parent": sum(span["flags"] & 0x200 != 0 for span in made),
        "with trace state": sum(span["trace_state"] != "" for span in made),
        "of no length": sum(span["start"] == span["end"] for span in made),
        "of a day": sum(span["end"] - span["start"] >= 86400 * 10**9 for span in made),
        "with something dropped": sum(any(span["dropped"]) for span in made),
        "beyond ASCII": sum(not str(span["attributes"]).isascii() for span in made),
    }
    print(f"{len(made)} spans: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    assert counts["kinds"] == 5 and counts["statuses"] == 3 and counts["services"] == 3 and counts["types of values"] == 8
    assert all(count >= 10 for what, count in counts.items() if what.startswith(("of ", "with", "beyond", "ev", "li")))


def control(expected, received):
    """A change in any field of what is expected, and a span more, less or twice, must be noticed."""
    assert not mapping.differences(expected, received)
    unnoticed = []
    fields = sorted({field for span in expected for field in span})
    for field in fields:
        span = next((span for span in expected if span[field]), expected[0])
        one = {**span, field: changed_value(span[field])}
        if not mapping.differences([one if other is span else other for other in expected], received):
            unnoticed.append(field)
    for what, a, b in (("less", expected, received[1:]), ("more", expected[1:], received),
                       ("twice", expected, received + received[:1])):
        if not mapping.differences(a, b):
            unnoticed.append(f"a span {what}")
    print(f"control: {len(fields) + 3} changes, {len(unnoticed)} unnoticed")
    assert not unnoticed, unnoticed


def changed_value(value):
    """Something else: in what is nested the last and innermost."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str) and value:
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    if isinstance(value, dict) and value:
        return {**value, (last := list(value)[-1]): changed_value(value[last])}
    if isinstance(value, (list, tuple)) and value:
        return type(value)([*value[:-1], changed_value(value[-1])])
    if isinstance(value, (mapping.JsonText, mapping.Annotation, mapping.Real)):
        held = copy.copy(value)
        vars(held).update({name: changed_value(of) for name, of in vars(held).items()})
        return held
    return [value]


def row(arguments, peer, made, received, has_calls):
    """Compares the run's row of docs/BACKENDS.md. 0, or 1."""
    came = mapping.features(made, received)
    assert {feature: set(parts) for feature, parts in came.items()} == mapping.PARTS, f"something was not compared: {came}"
    print("compared: " + "; ".join(f"{feature}: " + ", ".join(f"{sum(outcomes.values())} {part}".strip()
                                                              for part, outcomes in sorted(parts.items()))
                                   for feature, parts in came.items()))
    wrong = [f"{feature}, {part}" for feature, parts in came.items() for part, outcomes in parts.items()
             if outcomes["changed"]]
    assert not wrong, f"the mapping lets values through changed: {wrong}"
    unnoticed = mapping.unnoticed(made, received, came)
    assert not unnoticed, f"these could be lost unnoticed: {unnoticed}"
    if (arguments.seed, arguments.traces) != (SEED, TRACES):
        return 0
    return proofs.compare_row(
        "BACKENDS.md", "tests/integration/interop.py",
        ("exporter", "server", *mapping.PARTS, "who calls whom"),
        (arguments.exporter, f"{peer.name} {peer.version}", *(mapping.in_words(came[feature]) for feature in mapping.PARTS),
         "whole" if has_calls else "–"))


def settle(says, exporter, peer, made, seconds=30):
    """What was received, as soon as that is all, or when nothing more has come for a while."""
    end, count = time.monotonic() + seconds, -1
    while True:
        received = says.received(exporter, peer, made)
        if len(received) >= len(made) or time.monotonic() > end:
            break
        if len(received) != count:
            count, end = len(received), time.monotonic() + seconds
        time.sleep(0.3)
    time.sleep(0.5)  # and what would come twice
    return says.received(exporter, peer, made)


def compare(arguments):
    says = SERVERS[arguments.server]
    with tempfile.TemporaryDirectory() as name, says.peer(pathlib.Path(name) / "peer") as peer:
        made = make(arguments.program, pathlib.Path(name), arguments.exporter, peer, arguments,
                    says.finite_of_otlp and is_otlp(arguments.exporter))
        variety(made)
        expected = says.expected(arguments.exporter, made)
        received = settle(says, arguments.exporter, peer, made)
        found = mapping.differences(expected, received)
        print(f"{arguments.server}: {len(received)} spans received, {len(found)} differences")
        for sentence in found[:arguments.show]:
            print("  " + sentence)
        ok = not found
        expected_calls = says.expected_calls(made)
        if expected_calls is not None:
            calls = peer.dependencies()
            print(f"who calls whom: {len(calls)} pairs, {calls}")
            if calls != expected_calls:
                print(f"  but it is {dict(expected_calls)}")
                ok = False
            assert len(calls) >= 6, "three services call one another in all directions"
        if not ok:
            print("the end of the server's log:\n" + peer.log()[-2000:])
            return 1
        control(expected, received)
        return row(arguments, peer, made, received, expected_calls is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("exporter", choices=EXPORTERS)
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--show", type=int, default=10, help="so many differences")
    arguments = parser.parse_args()
    return peers.main_of_test(lambda: compare(arguments))


if __name__ == "__main__":
    sys.exit(main())

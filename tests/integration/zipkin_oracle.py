#!/usr/bin/env python3
"""Zipkin JSON says what the specification wants: what the encoder wrote is compared, field by field, with a mapping
written here from OpenTelemetry's trace/sdk_exporters/zipkin.md, common/mapping-to-non-otlp.md and common/README.md,
and with OpenTelemetry's own exporter for Python, where the two may not differ.

    zipkin_oracle.py PROGRAM [--seed N] [--count N]

PROGRAM is tests/integration/zipkin_oracle.cpp compiled. Exit status: 0 equal, 1 different, 77 packages missing (PyPI:
opentelemetry-exporter-zipkin-json).
"""
import argparse
import base64
import ipaddress
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    from opentelemetry.exporter.zipkin.json.v2 import JsonV2Encoder
    from opentelemetry.exporter.zipkin.node_endpoint import NodeEndpoint
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI package opentelemetry-exporter-zipkin-json is needed")
    sys.exit(77)

import proofs

SEED, COUNT = 20261122, 2400


# JSON, strictly.

class Number(str):
    """A number as it is written."""


def strict(text):
    def once(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError(f"a key stands twice: {[key for key, _ in pairs]}")
        return dict(pairs)

    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")
    return json.loads(text, object_pairs_hook=once, parse_constant=refuse, parse_int=Number, parse_float=Number)


def number_equals(number, text):
    """Integers are integers, doubles read back to the same bits."""
    if isinstance(number, int):
        return text == str(number)
    return struct.pack("<d", float(text)) == struct.pack("<d", number)


# What was made, as it must be shown.

def text(hexadecimal):
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def made_value(value):
    """null, bool, int, float, str, bytes, list, or a dict: of equal keys the last wins."""
    kind, held = value[0], value[1] if len(value) > 1 else None
    if kind == "string":
        return text(held)
    if kind == "bytes":
        return bytes.fromhex(held)
    if kind == "double":
        return struct.unpack("<d", struct.pack("<Q", held))[0]
    if kind == "array":
        return [made_value(element) for element in held]
    if kind == "map":
        return made_attributes(held)
    return held


def made_attributes(attributes):
    return {text(key): made_value(value) for key, value in attributes}


def special(number):
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def same_json(made, read):
    """common/README.md: values inside of arrays and maps."""
    if isinstance(made, bool) or made is None:
        return read is made
    if isinstance(made, float) and not math.isfinite(made):
        return type(read) is str and read == special(made)
    if isinstance(made, (int, float)):
        return isinstance(read, Number) and number_equals(made, read)
    if isinstance(made, bytes):
        return type(read) is str and read == base64.b64encode(made).decode()
    if isinstance(made, list):
        return isinstance(read, list) and len(made) == len(read) and all(map(same_json, made, read))
    if isinstance(made, dict):
        return isinstance(read, dict) and made.keys() == read.keys() and all(
            same_json(made[key], read[key]) for key in made)
    return type(read) is str and read == made


def same_text(made, read):
    """common/README.md: a value by itself."""
    if type(read) is not str:
        return False
    if made is None:
        return read == ""
    if isinstance(made, bool):
        return read == ("true" if made else "false")
    if isinstance(made, float) and not math.isfinite(made):
        return read == special(made)
    if isinstance(made, (int, float)):
        return number_equals(made, read)
    if isinstance(made, bytes):
        return read == base64.b64encode(made).decode()
    if isinstance(made, (list, dict)):
        return same_json(made, strict(read))
    return read == made


KINDS = {1: None, 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
PEERS = [("peer.service", None), ("server.address", None), ("net.peer.name", None),
         ("network.peer.address", "network.peer.port"), ("server.socket.domain", None),
         ("server.socket.address", "server.socket.port"), ("net.sock.peer.name", None),
         ("net.sock.peer.addr", "net.sock.peer.port"), ("peer.hostname", None), ("peer.address", None),
         ("db.name", None)]


def made_peer(attributes):
    for key, port_key in PEERS:
        peer = attributes.get(key)
        if not isinstance(peer, str) or peer == "":
            continue
        try:
            address = ipaddress.ip_address(peer)
            mapped = getattr(address, "ipv4_mapped", None)
            endpoint = {"ipv4": str(mapped or address)} if mapped or address.version == 4 else {
                "ipv6": peer.partition("%")[0]}
        except ValueError:
            endpoint = {"serviceName": peer}
        port = attributes.get(port_key)
        if isinstance(port, str) and port.isascii() and port.isdigit():
            port = int(port)
        if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536:
            endpoint["port"] = Number(port)
        return endpoint
    return None


def made_resource(name, version, environment, attributes, version_of_library):
    members = {"service.name": text(name) or "unknown_service", "service.version": text(version),
               "deployment.environment.name": text(environment), "telemetry.sdk.name": "fulgurite",
               "telemetry.sdk.language": "cpp", "telemetry.sdk.version": text(version_of_library)}
    return {key: value for key, value in members.items() if value != ""} | made_attributes(attributes)


def whole_microseconds(time):
    return max(0, time) // 1000


def made_span(line):
    """The id of a span, and the members its JSON must have; tags and annotations as values."""
    span = json.loads(line)
    attributes = made_attributes(span["attributes"])
    resource = made_resource(*span["resource"])
    scope_name, scope_version, scope_attributes = span["scope"]
    # The later wins.
    tags = {key: value for key, value in resource.items() if key != "service.name"}
    tags |= made_attributes(scope_attributes) | attributes
    for key in ("error", "otel.status_code"):
        tags.pop(key, None)
    for key, value in (("name", text(scope_name)), ("version", text(scope_version))):
        if value != "":
            tags[f"otel.scope.{key}"] = tags[f"otel.library.{key}"] = value
    for what, count in zip(("attributes", "events", "links"), span["dropped"]):
        if count != 0:
            tags[f"otel.dropped_{what}_count"] = count
    if span["status"] == 1:
        tags["otel.status_code"] = "OK"
    if span["status"] == 2:
        tags["otel.status_code"] = "ERROR"
        tags["error"] = text(span["description"])
    service = resource["service.name"]
    members = {
        "traceId": span["trace_id"], "id": span["span_id"], "parentId": span["parent"], "name": text(span["name"]),
        "kind": KINDS[span["kind"]], "timestamp": whole_microseconds(span["start"]),
        "duration": max(1, (span["end"] - span["start"]) // 1000), "service": service, "tags": tags,
        "remoteEndpoint": made_peer(attributes) if KINDS[span["kind"]] in ("CLIENT", "PRODUCER") else None,
        "annotations": [(whole_microseconds(time), text(name), made_attributes(held))
                        for name, time, held in span["events"]],
    }
    return span["span_id"], members


# What was written.

def same_annotation(made, read):
    time, name, attributes = made
    if read.keys() != {"timestamp", "value"} or read["timestamp"] != str(time):
        return False
    if not attributes:
        return read["value"] == name
    written, end = json.JSONDecoder().raw_decode(read["value"])
    return written == name and read["value"][end:end + 2] == ": " and same_json(attributes, strict(read["value"][end + 2:]))


def differences(made, read):
    """Sentences on one span: what its JSON must be and is not."""
    read = dict(read)
    found = []

    def check(what, value, good):
        if not good:
            found.append(f"{what}: read {short(value)}, made {short(made.get(what, made))}")
    for key in ("traceId", "id", "parentId", "name", "kind"):
        value = read.pop(key, None)
        check(key, value, type(value) is str and value == made[key] if made[key] else value is None)
    for key in ("timestamp", "duration"):
        value = read.pop(key, None)
        check(key, value, isinstance(value, Number) and value == str(made[key]) if made[key] else value is None)
    local = read.pop("localEndpoint", None)
    check("localEndpoint", local, isinstance(local, dict) and local.keys() == {"serviceName"} and
          same_text(made["service"], local["serviceName"]))
    remote = read.pop("remoteEndpoint", None)
    check("remoteEndpoint", remote, remote == made["remoteEndpoint"])
    tags = read.pop("tags", {})
    check("tags", tags.keys(), tags.keys() == made["tags"].keys() and ("tags" not in read))
    for key in tags.keys() & made["tags"].keys():
        if not same_text(made["tags"][key], tags[key]):
            found.append(f"tag {key!r}: read {short(tags[key])}, made {short(made['tags'][key])}")
    annotations = read.pop("annotations", [])
    check("annotations", annotations, len(annotations) == len(made["annotations"]) and
          all(map(same_annotation, made["annotations"], annotations)))
    if read:
        found.append(f"members that no span has: {sorted(read)}")
    return found


def short(value):
    shown = ascii(value)
    return shown if len(shown) < 300 else shown[:300] + f"... ({len(shown)} characters)"


def read_spans(lines):
    spans = {}
    for line in lines:
        for span in strict(line):
            if span["id"] in spans:
                raise ValueError(f"span {span['id']} stands twice")
            if span.get("tags") == {} or span.get("annotations") == []:
                raise ValueError(f"span {span['id']} has something empty")
            spans[span["id"]] = span
    return spans


def all_differences(made, read):
    found = [f"span {missing} is missing" for missing in made.keys() - read.keys()]
    found += [f"span {extra} was never made" for extra in read.keys() - made.keys()]
    for span_id in sorted(made.keys() & read.keys()):
        found += [f"span {span_id}, {sentence}" for sentence in differences(made[span_id], read[span_id])]
    return found


# OpenTelemetry's exporter for Python. It cannot take null, bytes and maps, and differs knowingly: it rounds times, has
# no least duration, no remote endpoint, `debug` for whatever is sampled, the resource over the span, `service.name`
# among the tags, empty scope tags, texts for the elements of an array, and annotations as one object. Spans made by hand
# have no dropped counts there.

def by_reference(line):
    """The same span from the reference, or None where it cannot say it."""
    span = json.loads(line)

    def taken(attributes):
        held = made_attributes(attributes)
        return held if all(isinstance(value, (bool, int, float, str)) for value in held.values()) else None
    attributes = taken(span["attributes"])
    resource = made_resource(*span["resource"])
    events = [(text(name), time, taken(held)) for name, time, held in span["events"]]
    if attributes is None or any(held is None for _, _, held in events) or "" in attributes or span["end"] == 0:
        return None
    def context(span_id):
        return SpanContext(int(span["trace_id"], 16), int(span_id, 16), False, TraceFlags(0))
    made = ReadableSpan(
        name=text(span["name"]), context=context(span["span_id"]),
        parent=context(span["parent"]) if span["parent"] else None,
        resource=Resource({"service.name": resource["service.name"]} if isinstance(resource["service.name"], str) else {}),
        attributes=attributes, events=[Event(name, held, time) for name, time, held in events], links=[],
        kind=SpanKind(span["kind"] - 1),
        status=Status(StatusCode(span["status"]), text(span["description"]) if span["status"] == 2 else None),
        start_time=span["start"], end_time=span["end"],
        instrumentation_scope=InstrumentationScope(text(span["scope"][0]), text(span["scope"][1])))
    encoder = JsonV2Encoder(max_tag_value_length=0)
    return json.loads(encoder.serialize([made], NodeEndpoint()))[0]


def reference_differences(line, read):
    reference = by_reference(line)
    if reference is None:
        return None
    found = []
    for key in ("traceId", "id", "parentId", "kind", "name"):
        if (reference.get(key) or None) != read.get(key):
            found.append(f"{key}: reference {short(reference.get(key))}, read {short(read.get(key))}")
    for key in ("timestamp", "duration"):
        if abs(max(0, reference[key]) - int(read.get(key, 0))) > 1:
            found.append(f"{key}: reference {reference[key]}, read {read.get(key)}")
    made = made_attributes(json.loads(line)["attributes"])
    tags = read.get("tags", {})
    for key, value in reference["tags"].items():
        if value in ("", None) and key.startswith(("otel.scope.", "otel.library.")) or key.startswith("telemetry.sdk."):
            continue
        if key == "service.name" or key.startswith("otel.dropped_"):
            continue
        if key in ("error", "otel.status_code") and json.loads(line)["status"] == 0:  # not removed there
            continue
        if key == "error" and json.loads(line)["status"] == 1:
            continue
        if isinstance(made.get(key), float) and value != tags.get(key):  # `2.0` and `inf` there, `2` and `Infinity` here
            if key not in tags or not same_text(float(value), tags[key]):
                found.append(f"tag {key}: reference {value}, read {tags.get(key)}")
        elif tags.get(key) != value:
            found.append(f"tag {key!r}: reference {short(value)}, read {short(tags.get(key))}")
    theirs, ours = reference.get("annotations", []), read.get("annotations", [])
    if len(theirs) != len(ours):
        return found + [f"{len(theirs)} annotations there, {len(ours)} here"]
    for a, b in zip(theirs, ours):
        (name, held), = json.loads(a["value"]).items()
        if held:
            if json.loads("{" + b["value"] + "}")[name].keys() != held.keys():
                found.append(f"annotation: reference {short(a)}, read {short(b)}")
        elif b["value"] != name:
            found.append(f"annotation: reference {short(a)}, read {short(b)}")
    return found


def files(program, seed, count, directory):
    subprocess.run([program, str(seed), str(count), directory], check=True)

    def load(name):
        with open(os.path.join(directory, name), encoding="utf-8", newline="\n") as file:
            return file.read().strip("\n").split("\n")
    lines = load("spans.txt")
    made = dict(made_span(line) for line in lines)
    if len(made) != count:
        raise ValueError(f"{len(made)} spans were made instead of {count}")
    return lines, made, load("spans.json"), load("records.jsonl")


def compare(program, seed, count):
    with tempfile.TemporaryDirectory() as directory:
        lines, made, spans, records = files(program, seed, count, directory)
    ok = True
    for what, read in (("JSON from spans", read_spans(spans)), ("JSON from records", read_spans(records))):
        found = all_differences(made, read)
        print(f"{what}: {len(made)} spans, {len(found)} differences")
        for sentence in found[:5]:
            print("  " + sentence)
        ok = ok and not found
    compared, found = 0, []
    for line in lines:
        sentences = reference_differences(line, read[json.loads(line)["span_id"]])
        if sentences is not None:
            compared += 1
            found += [f"span {json.loads(line)['span_id']}, {sentence}" for sentence in sentences]
    print(f"the reference: {compared} of {len(made)} spans, {len(found)} differences")
    for sentence in found[:5]:
        print("  " + sentence)
    return ok and not found and compared > count // 20, proofs.fields(made.values())


def self_test(program, seed):
    """Every single changed character must be noticed."""
    with tempfile.TemporaryDirectory() as directory:
        _, made, _, records = files(program, seed, 64, directory)
    pick = random.Random(seed)
    unnoticed = 0
    for _ in range(300):
        lines = list(records)
        which = pick.randrange(len(lines))
        line = lines[which]
        at = pick.randrange(len(line))
        if line[at].isdigit():
            change = str((int(line[at]) + pick.randrange(1, 10)) % 10)
        else:
            change = pick.choice([c for c in 'x"\\{}[],:1' if c != line[at]])
        lines[which] = line[:at] + change + line[at + 1:]
        try:
            noticed = bool(all_differences(made, read_spans(lines)))
        except (ValueError, KeyError, TypeError, AttributeError):
            noticed = True
        if not noticed:
            print(f"{line[at]!r} changed to {change!r} in {line[max(0, at - 40):at + 20]!r} went unnoticed")
            unnoticed += 1
    print(f"self-test: 300 changed characters, {unnoticed} unnoticed")
    return unnoticed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    ok = self_test(arguments.program, arguments.seed)
    equal, compared = compare(arguments.program, arguments.seed, arguments.count)
    if not ok or not equal:
        return 1
    if (arguments.seed, arguments.count) != (SEED, COUNT):
        return 0
    return proofs.reference("zipkin", ["opentelemetry-exporter-zipkin-json"], compared)


if __name__ == "__main__":
    sys.exit(main())

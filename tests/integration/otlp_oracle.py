#!/usr/bin/env python3
"""OTLP is exact: what the encoders wrote, read by the official protobuf classes, is what was made.

    otlp_oracle.py PROGRAM [--seed N] [--count N]

PROGRAM is tests/integration/otlp_oracle.cpp compiled. Exit status: 0 equal, 1 different, 77 packages missing (PyPI:
opentelemetry-proto, protobuf).
"""
import argparse
import base64
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    from google.protobuf import json_format
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI packages opentelemetry-proto and protobuf are needed")
    sys.exit(77)

import proofs

SEED = 20261122


# What was made, as the official classes must show it.

def text(hexadecimal):
    """Ill-formed UTF-8 becomes U+FFFD, by Python's rule, which is Unicode's."""
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def shown(number):
    """Of a NaN, which is not equal to itself, the bits."""
    return struct.pack(">d", number).hex() if math.isnan(number) else number.hex()


def real(bits):
    return shown(struct.unpack("<d", struct.pack("<Q", bits))[0])


def made_value(value):
    kind = value[0]
    if kind == "null":
        return ("null",)
    if kind == "string":
        return ("string", text(value[1]))
    if kind == "bytes":
        return ("bytes", value[1])
    if kind == "double":
        return ("double", real(value[1]))
    if kind == "array":
        return ("array", [made_value(held) for held in value[1]])
    if kind == "map":
        return ("map", made_attributes(value[1]))
    return (kind, value[1])


def made_attributes(attributes):
    return [(text(key), made_value(value)) for key, value in attributes]


def made_resource(name, version, environment, attributes, version_of_library):
    given = made_attributes(attributes)
    keys = {key for key, _ in given}
    members = [("service.name", text(name) or "unknown_service"), ("service.version", text(version)),
               ("deployment.environment.name", text(environment)), ("telemetry.sdk.name", "fulgurite"),
               ("telemetry.sdk.language", "cpp"), ("telemetry.sdk.version", text(version_of_library))]
    return [(key, ("string", value)) for key, value in members if value != "" and key not in keys] + given


def made_span(line):
    span = json.loads(line)
    return span["span_id"], {
        "trace_id": span["trace_id"], "parent": span["parent"], "name": text(span["name"]), "kind": span["kind"],
        "start": span["start"], "end": span["end"], "attributes": made_attributes(span["attributes"]),
        "events": [(text(name), time, made_attributes(attributes)) for name, time, attributes in span["events"]],
        "links": [(trace, linked, text(state), flags, made_attributes(attributes))
                  for trace, linked, state, flags, attributes in span["links"]],
        "status": span["status"], "description": text(span["description"]), "trace_state": text(span["trace_state"]),
        "flags": span["flags"], "dropped": span["dropped"], "resource": made_resource(*span["resource"]),
        "scope": (text(span["scope"][0]), text(span["scope"][1]), made_attributes(span["scope"][2])),
    }


# What was read.

def read_value(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return ("null",)
    held = getattr(value, kind)
    if kind == "string_value":
        return ("string", held)
    if kind == "bytes_value":
        return ("bytes", held.hex())
    if kind == "double_value":
        return ("double", shown(held))
    if kind == "array_value":
        return ("array", [read_value(element) for element in held.values])
    if kind == "kvlist_value":
        return ("map", read_attributes(held.values))
    return ({"bool_value": "bool", "int_value": "int"}[kind], held)


def read_attributes(attributes):
    return [(a.key, read_value(a.value) if a.HasField("value") else ("absent",)) for a in attributes]


def read_spans(traces):
    spans = {}
    for of in traces.resource_spans:
        resource = read_attributes(of.resource.attributes)
        for in_scope in of.scope_spans:
            scope = (in_scope.scope.name, in_scope.scope.version, read_attributes(in_scope.scope.attributes))
            for span in in_scope.spans:
                if span.span_id.hex() in spans:
                    raise ValueError(f"span {span.span_id.hex()} stands twice")
                spans[span.span_id.hex()] = {
                    "trace_id": span.trace_id.hex(), "parent": span.parent_span_id.hex(), "name": span.name,
                    "kind": span.kind, "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
                    "attributes": read_attributes(span.attributes),
                    "events": [(e.name, e.time_unix_nano, read_attributes(e.attributes)) for e in span.events],
                    "links": [(k.trace_id.hex(), k.span_id.hex(), k.trace_state, k.flags, read_attributes(k.attributes))
                              for k in span.links],
                    "status": span.status.code, "description": span.status.message, "trace_state": span.trace_state,
                    "flags": span.flags,
                    "dropped": [span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count],
                    "resource": resource, "scope": scope,
                }
    return spans


def from_protobuf(data):
    """Parses, and demands canonical bytes: fields in order, no padded varint, no zero written, nothing unknown."""
    traces = TracesData.FromString(data)
    if traces.SerializeToString(deterministic=True) != data:
        raise ValueError("the official classes write other bytes than were read")
    return traces


def from_json(line):
    """protobuf's own JSON mapping has bytes in base64; OTLP deviates for ids alone."""
    def with_base64_ids(node):
        if isinstance(node, dict):
            return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in ("traceId", "spanId", "parentSpanId")
                    else with_base64_ids(value) for key, value in node.items()}
        if isinstance(node, list):
            return [with_base64_ids(element) for element in node]
        return node
    return json_format.ParseDict(with_base64_ids(json.loads(line)), TracesData(), max_recursion_depth=200)


def short(value):
    shown = ascii(value)
    return shown if len(shown) < 400 else shown[:400] + f"... ({len(shown)} characters)"


def differences(made, read):
    """Sentences, the first few in full."""
    found = [f"span {missing} is missing" for missing in made.keys() - read.keys()]
    found += [f"span {extra} was never made" for extra in read.keys() - made.keys()]
    for span_id in made.keys() & read.keys():
        for field, value in made[span_id].items():
            if value != read[span_id][field]:
                if isinstance(value, list) and len(value) == len(read[span_id][field]):
                    at = next(i for i, (a, b) in enumerate(zip(value, read[span_id][field])) if a != b)
                    found.append(f"span {span_id}, {field}[{at}]:\n    made {short(value[at])}\n    read {short(read[span_id][field][at])}")
                else:
                    found.append(f"span {span_id}, {field}:\n    made {short(value)}\n    read {short(read[span_id][field])}")
    return found


def files(program, seed, count, directory):
    subprocess.run([program, str(seed), str(count), directory], check=True)
    def load(name, mode="rb"):
        with open(os.path.join(directory, name), mode, **({} if "b" in mode else {"encoding": "utf-8", "newline": "\n"})) as file:
            return file.read()
    made = dict(made_span(line) for line in load("spans.txt", "r").splitlines())
    if len(made) != count:
        raise ValueError(f"{len(made)} spans were made instead of {count}")
    return made, load("spans.pb"), load("records.pb"), load("spans.json", "r"), load("records.jsonl", "r")


def merged(traces):
    """Without the borders of requests: spans of equal resources and scopes that follow each other stand together. Bytes,
    because a NaN is not equal to itself."""
    whole = TracesData()
    for of in traces.resource_spans:
        for in_scope in of.scope_spans:
            last = whole.resource_spans[-1] if whole.resource_spans else None
            if last is None or last.resource.SerializeToString() != of.resource.SerializeToString():
                last = whole.resource_spans.add()
                last.resource.CopyFrom(of.resource)
            group = last.scope_spans[-1] if last.scope_spans else None
            if group is None or group.scope.SerializeToString() != in_scope.scope.SerializeToString():
                group = last.scope_spans.add()
                group.scope.CopyFrom(in_scope.scope)
            group.spans.extend(in_scope.spans)
    return whole.SerializeToString(deterministic=True)


def compare(program, seed, count):
    with tempfile.TemporaryDirectory() as directory:
        made, spans, records, spans_json, records_json = files(program, seed, count, directory)
    batches = TracesData()
    for line in records_json.strip("\n").split("\n"):
        batches.MergeFrom(from_json(line))
    read = {"protobuf from spans": from_protobuf(spans), "protobuf from records": from_protobuf(records),
            "JSON from spans": from_json(spans_json), "JSON from records": batches}
    ok = True
    for what, traces in read.items():
        found = differences(made, read_spans(traces))
        groups = [len(of.scope_spans) for of in traces.resource_spans]
        print(f"{what}: {len(made)} spans in {groups} scopes, {len(found)} differences")
        for sentence in found[:5]:
            print("  " + sentence)
        ok = ok and not found
    # The same messages, field for field and in the same order.
    if read["JSON from spans"].SerializeToString(deterministic=True) != spans:
        print("spans: the JSON is another message than the protobuf")
        ok = False
    if merged(read["JSON from records"]) != merged(read["protobuf from records"]):
        print("records: the JSON is another message than the protobuf")
        ok = False
    lines = records_json.count("\n")
    if lines <= len(read["protobuf from records"].resource_spans):
        print(f"{lines} lines: none of the batches was divided")
        ok = False
    return ok, proofs.fields(made.values())


def self_test(program, seed):
    """Every single changed byte must be noticed."""
    with tempfile.TemporaryDirectory() as directory:
        made, spans, _, spans_json, _ = files(program, seed, 12, directory)
    pick = random.Random(seed)
    unnoticed = 0
    for _ in range(300):
        data = bytearray(spans)
        at = pick.randrange(len(data))
        data[at] ^= 1 << pick.randrange(8)
        try:
            # Without the comparison of bytes: the fields alone must tell.
            changed = TracesData.FromString(bytes(data))
            noticed = bool(differences(made, read_spans(changed)))
            if not noticed:
                from_protobuf(bytes(data))
        except (DecodeError, ValueError, UnicodeDecodeError):
            noticed = True
        if not noticed:
            print(f"a changed byte at {at} of {len(data)} went unnoticed")
            unnoticed += 1
    changed = spans_json.replace('"boolValue":true', '"boolValue":false', 1).replace('"key.1', '"kez.1', 1)
    if not differences(made, read_spans(from_json(changed))):
        print("changed JSON went unnoticed")
        unnoticed += 1
    print(f"self-test: 300 changed bytes, {unnoticed} unnoticed")
    return unnoticed == 0


def run(description, self_test, compare, count, exporter, packages):
    """The command line of an oracle. `compare` says whether all is equal, and which fields were compared."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=count)
    arguments = parser.parse_args()
    ok = self_test(arguments.program, arguments.seed)
    equal, compared = compare(arguments.program, arguments.seed, arguments.count)
    if not ok or not equal:
        return 1
    if (arguments.seed, arguments.count) != (SEED, count):
        return 0
    return proofs.reference(exporter, packages, compared)


if __name__ == "__main__":
    sys.exit(run(__doc__, self_test, compare, 2400, "otlp_http, otlp_json, otlp_grpc", ["protobuf", "opentelemetry-proto"]))

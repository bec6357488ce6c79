#!/usr/bin/env python3
"""Jaeger's Thrift is exact: what the encoders wrote, read by Apache Thrift and Jaeger's own classes, is what was made.

    jaeger_oracle.py PROGRAM [--seed N] [--count N]

PROGRAM is tests/integration/jaeger_oracle.cpp compiled. Exit status: 0 equal, 1 different, 77 packages missing (PyPI:
jaeger-client, thrift, and those of otlp_oracle.py).
"""
import base64
import json
import math
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import proofs
from otlp_oracle import differences, made_attributes, made_resource, run, text

try:
    from jaeger_client.thrift_gen.agent.Agent import emitBatch_args
    from jaeger_client.thrift_gen.jaeger.ttypes import Batch, SpanRefType, TagType
    from thrift.protocol import TBinaryProtocol, TCompactProtocol
    from thrift.Thrift import TMessageType
    from thrift.transport import TTransport
except ImportError as missing:
    print(f"skipped: {missing}; the PyPI packages jaeger-client and thrift are needed")
    sys.exit(77)


# What was made, as Jaeger must show it. otlp_oracle.py turns texts into Unicode and doubles into hexadecimal.

def json_of(value):
    """As a value stands in JSON text: what `read_json` makes of that text."""
    kind = value[0]
    if kind == "null":
        return None
    if kind == "array":
        return [json_of(held) for held in value[1]]
    if kind == "map":
        return {"map": [(key, json_of(held)) for key, held in value[1]]}
    if kind == "bytes":
        return base64.b64encode(bytes.fromhex(value[1])).decode()
    if kind == "double":
        number = double_of(value[1])
        return number_of(number) if math.isfinite(number) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(number, "NaN")
    return number_of(value[1]) if kind == "int" else value[1]


def double_of(shown):
    """otlp_oracle.py shows a NaN by its bits, every other number as float.hex() does."""
    return math.nan if re.fullmatch("[0-9a-f]{16}", shown) else float.fromhex(shown)


def number_of(number):
    """In JSON 1.0 and 1 are the same number, and -0.0 is not 0."""
    whole = number == int(number) and not (number == 0 and math.copysign(1, number) < 0)
    return ("number", int(number) if whole else number.hex())


def made_tag(key, value):
    kind = value[0]
    if kind in ("array", "map"):
        return (key, "json", json_of(value))
    if kind == "double" and not math.isfinite(double_of(value[1])):
        return (key, "string", json_of(value))
    return (key, "string", "") if kind == "null" else (key, *value)


def made_tags(attributes):
    return [made_tag(key, value) for key, value in attributes]


def made_log(name, time, attributes):
    event = [("event", "string", name)] if name and "event" not in (key for key, _ in attributes) else []
    return (cut(time), event + made_tags(attributes))


def cut(nanoseconds):
    return nanoseconds // 1000 if nanoseconds >= 0 else -(-nanoseconds // 1000)


def made_span(line):
    span = json.loads(line)
    scope = [text(span["scope"][0]), text(span["scope"][1])]
    around = [(f"otel.{of}.{what}", "string", value) for of in ("scope", "library")
              for what, value in zip(("name", "version"), scope) if value]
    kind = ("internal", "server", "client", "producer", "consumer")[span["kind"] - 1]
    status = (None, "OK", "ERROR")[span["status"]]
    made = []
    if kind != "internal":
        made.append(("span.kind", "string", kind))
    if status:
        made.append(("otel.status_code", "string", status))
    if status == "ERROR":
        made.append(("error", "bool", True))
    if span["description"]:
        made.append(("otel.status_description", "string", text(span["description"])))
    if span["trace_state"]:
        made.append(("w3c.tracestate", "string", text(span["trace_state"])))
    made += [(f"otel.dropped_{what}_count", "int", count)
             for what, count in zip(("attributes", "events", "links"), span["dropped"]) if count]
    ours = {tag[0] for tag in around + made}
    links = [(trace, linked, made_attributes(attributes)) for trace, linked, _, _, attributes in span["links"]]
    resource = made_resource(*span["resource"])
    service = [value for key, value in resource if key == "service.name"]
    return span["span_id"], {
        "trace_id": span["trace_id"], "parent": span["parent"] or "0" * 16, "name": text(span["name"]),
        "references": [(SpanRefType.FOLLOWS_FROM, trace, linked) for trace, linked, _ in links],
        "flags": span["flags"] & 1, "start": cut(span["start"]),
        "duration": max(0, span["end"] - span["start"]) // 1000,
        "tags": around + [tag for tag in made_tags(made_attributes(span["attributes"])) if tag[0] not in ours] + made,
        "logs": [made_log(text(name), time, made_attributes(attributes)) for name, time, attributes in span["events"]]
                + [(cut(span["start"]), [("event", "string", "link"), ("trace_id", "string", trace),
                                         ("span_id", "string", linked)] + made_tags(attributes))
                   for trace, linked, attributes in links if attributes],
        "service": made_service(service[-1]),
        "process": made_tags((key, value) for key, value in resource if key != "service.name"),
    }


def made_service(value):
    """A name that is no text is told as JSON."""
    if value[0] == "string":
        return value[1] or "unknown_service"
    return ("json", json_of(value))


# What was read.

class Octets:
    """Texts as octets both ways: the generated classes take Thrift's binaries for texts, too."""

    def readString(self):
        return self.readBinary()

    def writeString(self, octets):
        self.writeBinary(octets.encode() if isinstance(octets, str) else octets)


class Binary(Octets, TBinaryProtocol.TBinaryProtocol):
    pass


class Compact(Octets, TCompactProtocol.TCompactProtocol):
    pass


PROTOCOLS = {"batch": lambda t: Binary(t, strictRead=True), "binary": lambda t: Binary(t, strictRead=True),
             "compact": Compact}


def parse(form, data):
    """Parses, and demands canonical bytes: what Apache Thrift writes of what it read."""
    buffer, again = TTransport.TMemoryBuffer(data), TTransport.TMemoryBuffer()
    protocol, writer = PROTOCOLS[form](buffer), PROTOCOLS[form](again)
    if form == "batch":
        batch = Batch()
        batch.read(protocol)
        batch.write(writer)
    else:
        name, kind, sequence = protocol.readMessageBegin()
        name = name.decode() if isinstance(name, bytes) else name
        if (name, kind, sequence) != ("emitBatch", TMessageType.ONEWAY, 0):
            raise ValueError(f"a message {name} of type {kind} with the number {sequence}")
        arguments = emitBatch_args()
        arguments.read(protocol)
        protocol.readMessageEnd()
        writer.writeMessageBegin(name, kind, sequence)
        arguments.write(writer)
        writer.writeMessageEnd()
        batch = arguments.batch
    if buffer.cstringio_buf.read(1):
        raise ValueError("something stands after the end")
    validate(batch)
    return batch, again.getvalue()


def validate(batch):
    """What is required is there."""
    batch.validate()
    batch.process.validate()
    for span in batch.spans:
        for thing in [span, *(span.references or []), *(span.tags or []), *(span.logs or []),
                      *(field for log in span.logs or [] for field in log.fields)]:
            thing.validate()


def hex_of(number):
    return struct.pack(">q", number).hex()


def read_json(octets):
    return json.loads(octets, parse_int=lambda digits: number_of(int(digits)), parse_float=lambda d: number_of(float(d)),
                      object_pairs_hook=lambda pairs: {"map": pairs},
                      parse_constant=lambda name: ("constant", name))


def read_tag(tag):
    kinds = {TagType.STRING: ("string", "vStr"), TagType.DOUBLE: ("double", "vDouble"), TagType.BOOL: ("bool", "vBool"),
             TagType.LONG: ("int", "vLong"), TagType.BINARY: ("bytes", "vBinary")}
    kind, member = kinds[tag.vType]
    if [other for _, other in kinds.values() if getattr(tag, other) is not None] != [member]:
        raise ValueError(f"a tag has other values than its type says: {tag}")
    value = getattr(tag, member)
    if kind == "string":
        value = value.decode()
    elif kind == "bytes":
        value = value.hex()
    elif kind == "double":
        value = value.hex()
    return (tag.key.decode(), kind, value)


def read_spans(batches):
    spans = {}
    for batch in batches:
        process = [read_tag(tag) for tag in batch.process.tags or []]
        for span in batch.spans:
            span_id = hex_of(span.spanId)
            if span_id in spans:
                raise ValueError(f"span {span_id} stands twice")
            spans[span_id] = {
                "trace_id": hex_of(span.traceIdHigh) + hex_of(span.traceIdLow), "parent": hex_of(span.parentSpanId),
                "name": span.operationName.decode(),
                "references": [(of.refType, hex_of(of.traceIdHigh) + hex_of(of.traceIdLow), hex_of(of.spanId))
                               for of in span.references or []],
                "flags": span.flags, "start": span.startTime, "duration": span.duration,
                "tags": [read_tag(tag) for tag in span.tags or []],
                "logs": [(log.timestamp, [read_tag(tag) for tag in log.fields]) for log in span.logs or []],
                "service": batch.process.serviceName.decode(), "process": process,
            }
    return spans


def with_json(made, read):
    """Parses the texts that were made as JSON."""
    def tags(expected, got):
        return [(*tag[:1], "json", read_json(tag[2])) if len(expected) == len(got) and other[1] == "json" else tag
                for tag, other in zip(got, expected if len(expected) == len(got) else got)]
    for span_id in made.keys() & read.keys():
        expected, span = made[span_id], dict(read[span_id])
        span["tags"], span["process"] = tags(expected["tags"], span["tags"]), tags(expected["process"], span["process"])
        if len(expected["logs"]) == len(span["logs"]):
            span["logs"] = [(time, tags(of[1], fields)) for (time, fields), of in zip(span["logs"], expected["logs"])]
        if isinstance(expected["service"], tuple):
            span["service"] = ("json", read_json(span["service"]))
        read = read | {span_id: span}
    return read


def payloads(data):
    while data:
        size = struct.unpack(">I", data[:4])[0]
        yield data[4:4 + size]
        data = data[4 + size:]


def files(program, seed, count, directory):
    subprocess.run([program, str(seed), str(count), directory], check=True)
    with open(os.path.join(directory, "spans.txt"), encoding="utf-8", newline="\n") as file:
        made = dict(made_span(line) for line in file.read().splitlines())
    if len(made) != count:
        raise ValueError(f"{len(made)} spans were made instead of {count}")
    def load(name):
        with open(os.path.join(directory, name), "rb") as file:
            return list(payloads(file.read()))
    return made, {(source, form): load(f"{source}.{form}") for source in ("records", "spans") for form in PROTOCOLS}


def compare(program, seed, count):
    with tempfile.TemporaryDirectory() as directory:
        made, written = files(program, seed, count, directory)
    ok = True
    for (source, form), all_of in written.items():
        parsed = []
        for data in all_of:
            batch, again = parse(form, data)
            if again != data:
                at = next(i for i, (a, b) in enumerate(zip(again + b"?", data + b"!")) if a != b)
                print(f"{form} from {source}: Apache Thrift writes other bytes than were read, from {at} of {len(data)}")
                ok = False
            parsed.append(batch)
        found = differences(made, with_json(made, read_spans(parsed)))
        print(f"{form} from {source}: {len(made)} spans in {len(parsed)} batches, {len(found)} differences")
        for sentence in found[:5]:
            print("  " + sentence)
        ok = ok and not found
    return ok, proofs.fields(made.values())


def self_test(program, seed):
    """Every single changed byte must be noticed."""
    with tempfile.TemporaryDirectory() as directory:
        made, written = files(program, seed, 12, directory)
    def is_wrong(form, all_of):
        parsed = [parse(form, bytes(data)) for data in all_of]
        return any(again != bytes(data) for data, (_, again) in zip(all_of, parsed)) or bool(
            differences(made, with_json(made, read_spans(batch for batch, _ in parsed))))

    pick = random.Random(seed)
    unnoticed = 0
    for form in PROTOCOLS:
        if is_wrong(form, written["spans", form]):
            print(f"{form}: what nobody changed is wrong")
            return False
        for _ in range(150):
            all_of = [bytearray(data) for data in written["spans", form]]
            data = pick.choice(all_of)
            at = pick.randrange(len(data))
            data[at] ^= 1 << pick.randrange(8)
            try:
                noticed = is_wrong(form, all_of)
            except Exception:  # whatever the reader says of bytes that are none
                noticed = True
            if not noticed:
                print(f"{form}: a changed byte at {at} of {len(data)} went unnoticed")
                unnoticed += 1
    print(f"self-test: {150 * len(PROTOCOLS)} changed bytes, {unnoticed} unnoticed")
    return unnoticed == 0


if __name__ == "__main__":
    sys.exit(run(__doc__, self_test, compare, 1200, "jaeger_http, jaeger_udp", ["thrift", "jaeger-client"]))

"""Spans in Jaeger: what its Thrift exporter must send, what its store and its query interface make of them."""

import base64
import collections

from .otlp import KIND_NAMES, as_sets, by_key, common_tags, text_attribute
from .values import JsonText, plain, real


def jaeger_value(value):
    """Jaeger's types: string, bool, int64, float64, binary."""
    kind = value[0]
    if kind in ("array", "map"):
        return ("string", JsonText(value))
    return {"null": ("string", "")}.get(kind, value)


def jaeger_tags(attributes):
    return [(key, jaeger_value(value)) for key, value in attributes]


def as_go_writes(value):
    """In Go's JSON no bytes at all are null, inside of an array or a map."""
    if value[0] == "array":
        return ("array", [("null",) if one == ("bytes", "") else as_go_writes(one) for one in value[1]])
    if value[0] == "map":
        return ("map", [(key, ("null",) if one == ("bytes", "") else as_go_writes(one)) for key, one in value[1]])
    return value


def changed(span, change):
    """The span with another value for each that it, its events and its links have."""
    def in_it(of):
        return {**of, "attributes": [(key, change(value)) for key, value in of["attributes"]]}

    return {**in_it(span), "events": [in_it(of) for of in span["events"]], "links": [in_it(of) for of in span["links"]]}


def without_special(value):
    """Jaeger shows no trace that has a NaN or an infinity: the exporter sends them as text."""
    return plain(value) if value[0] == "double" and plain(value)[0] == "string" else value


def to_jaeger(span, came_as=None):
    """What the Thrift exporter must send (trace/sdk_exporters/jaeger.md), and the tag by which Jaeger notes how it came."""
    span = changed(span, without_special)
    tags = jaeger_tags(span["attributes"])
    extra = [(key, value) for key, value in common_tags(span)]
    if span["kind"] in KIND_NAMES:
        extra.append(("span.kind", ("string", KIND_NAMES[span["kind"]])))
    if span["status"] == 2:
        extra.append(("error", ("bool", True)))
    if span["trace_state"]:
        extra.append(("w3c.tracestate", ("string", span["trace_state"])))
    if came_as:
        extra.append(("internal.span.format", ("string", came_as)))
    replaced = {key for key, _ in extra}
    tags = [(key, value) for key, value in tags if key not in replaced] + extra
    references = [("FOLLOWS_FROM", link["trace_id"], link["span_id"]) for link in span["links"]]
    # The parent stands in a field of its own, and Jaeger makes a reference of it unless one is there.
    if span["parent"] and not any(of[1:] == (span["trace_id"], span["parent"]) for of in references):
        references.append(("CHILD_OF", span["trace_id"], span["parent"]))
    made = jaeger_span(span, tags, references)
    # A reference has no attributes: what a link has of them is a log at the span's start.
    made["logs"] += [(made["start"], by_key([("event", ("string", "link")), ("trace_id", ("string", link["trace_id"])),
                                             ("span_id", ("string", link["span_id"])), *jaeger_tags(link["attributes"])]))
                     for link in span["links"] if link["attributes"]]
    return made


def to_jaeger_of_otlp(span):
    """What Jaeger 1.62 makes of OTLP (the collector's translator, 0.111)."""
    span = changed(span, as_go_writes)
    tags = jaeger_tags(span["attributes"])
    name, version, _ = span["scope"]
    tags += [(key, ("string", text)) for key, text in
             (("otel.scope.name", name), ("otel.scope.version", version), ("w3c.tracestate", span["trace_state"]),
              ("span.kind", {1: "internal", **KIND_NAMES}.get(span["kind"], "")),
              ("otel.status_code", ("", "OK", "ERROR")[span["status"]]), ("otel.status_description", span["description"]),
              ("internal.span.format", "otlp")) if text]
    if span["status"] == 2:
        tags.append(("error", ("bool", True)))
    references = [("CHILD_OF", span["trace_id"], span["parent"])] if span["parent"] else []
    for link in span["links"]:
        if references and (link["trace_id"], link["span_id"]) == (span["trace_id"], span["parent"]):
            references[0] = ("FOLLOWS_FROM", *references[0][1:])  # a link to the parent overrides that
        else:
            references.append(("FOLLOWS_FROM", link["trace_id"], link["span_id"]))
    return jaeger_span(span, tags, references)


def jaeger_span(span, tags, references):
    def fields(event):
        given = jaeger_tags(event["attributes"])
        return ([] if any(key == "event" for key, _ in given) else [("event", ("string", event["name"]))]) + given

    return {
        "trace_id": span["trace_id"], "span_id": span["span_id"], "references": sorted(references), "name": span["name"],
        "start": span["start"] // 1000, "duration": (span["end"] - span["start"]) // 1000, "tags": by_key(tags),
        "logs": [(event["time"] // 1000, by_key(fields(event))) for event in span["events"]],
        "service": text_attribute(span["resource"], "service.name"),
        "process": by_key(jaeger_tags([(key, value) for key, value in span["resource"] if key != "service.name"])),
    }


def read_jaeger_tag(tag):
    kind, held = tag["type"], tag["value"]
    if kind == "binary":
        return ("bytes", base64.b64decode(held or "").hex())
    if kind == "float64":
        return ("double", real(held))
    if kind == "int64":
        return ("int", int(held))  # text where it is more than JavaScript could hold
    return ({"string": "string", "bool": "bool"}[kind], held)


# What Jaeger remarks on spans that are outside their parents, as those of a day and of a later start are.
UNADJUSTED = "clock skew adjustment disabled; not applying calculated delta of "


def read_jaeger(trace):
    """The spans of a trace as Jaeger's query interface shows it."""
    def tags(of):
        return by_key([(tag["key"], read_jaeger_tag(tag)) for tag in of])

    return [{
        "trace_id": span["traceID"].zfill(32), "span_id": span["spanID"].zfill(16),
        "references": sorted((of["refType"], of["traceID"].zfill(32), of["spanID"].zfill(16)) for of in span["references"]),
        "name": span["operationName"], "start": span["startTime"], "duration": span["duration"],
        "tags": tags(span["tags"]), "logs": [(log["timestamp"], tags(log["fields"])) for log in span["logs"]],
        "service": trace["processes"][span["processID"]]["serviceName"],
        "process": tags(trace["processes"][span["processID"]].get("tags", [])),
        "warnings": [of for of in span.get("warnings") or [] if not of.startswith(UNADJUSTED)],
    } for span in trace["spans"]]


def in_jaeger(expected):
    """What becomes of these spans in Jaeger's own store."""
    known = {(span["trace_id"], span["span_id"]) for span in expected}

    def stored(tags):  # as protobuf that leaves out what equals zero, whatever its sign
        return [(key, ("double", real(0)) if value == ("double", real(-0.0)) else value) for key, value in tags]

    return [{**span, "tags": stored(span["tags"]), "logs": [(time, stored(fields)) for time, fields in span["logs"]],
             "process": stored(span["process"]),
             "warnings": [f"invalid parent span IDs={of}; skipping clock skew adjustment"
                          for kind, trace, of in span["references"] if kind == "CHILD_OF" and (trace, of) not in known]}
            for span in expected]


def jaeger_calls(made):
    """Jaeger's dependencies: a span whose parent is a span of another service."""
    service = {span["span_id"]: text_attribute(span["resource"], "service.name") for span in made}
    calls = collections.Counter()
    for span in made:
        caller, callee = service.get(span["parent"]), service[span["span_id"]]
        if caller is not None and caller != callee:
            calls[caller, callee] += 1
    return calls


def otlp_of_jaeger(made):
    """What the collector's Jaeger receiver makes of the Thrift exporter's span, by HTTP or in a datagram."""
    span = to_jaeger(made)
    tags = dict(span["tags"])

    def take(key):
        return tags.pop(key, ("", ""))[1]

    kind = take("span.kind")
    status, description = 0, ""
    if tags.get("error") == ("bool", True):
        status = 2
        take("error")
        description = take("otel.status_description")
    code = take("otel.status_code")
    if not status and code:
        status = 1
        description = take("otel.status_description")
    start = span["start"] * 1000
    links = [{"trace_id": trace, "span_id": of, "trace_state": "", "flags": 0, "dropped": 0,
              "attributes": [("opentracing.ref_type", ("string", kind_of.lower()))]}
             for kind_of, trace, of in (("FOLLOWS_FROM", link["trace_id"], link["span_id"]) for link in made["links"])]
    return as_sets({
        "trace_id": span["trace_id"], "span_id": span["span_id"], "parent": made["parent"], "trace_state": "",
        "flags": 0, "name": span["name"], "kind": {name: number for number, name in KIND_NAMES.items()}.get(kind, 0),
        "start": start, "end": start + span["duration"] * 1000, "attributes": list(tags.items()),
        "events": [{"time": time * 1000, "name": dict(fields)["event"][1], "dropped": 0,
                    "attributes": [field for field in fields if field[0] != "event"]} for time, fields in span["logs"]],
        "links": links, "status": status, "description": description, "dropped": [0, 0, 0],
        "resource": [("service.name", ("string", span["service"])), *span["process"]], "scope": ("", "", []),
    })

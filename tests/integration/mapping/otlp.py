"""Spans of OTLP JSON, and what all mappings to other formats share."""

import base64

from .values import attributes_of

KINDS = {"SPAN_KIND_UNSPECIFIED": 0, "SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3,
         "SPAN_KIND_PRODUCER": 4, "SPAN_KIND_CONSUMER": 5}
CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
KIND_NAMES = {2: "server", 3: "client", 4: "producer", 5: "consumer"}


def read_otlp(found):
    """One span of OTLP JSON, with its resource and scope: {"resource": ..., "scope": ..., "span": ...}."""
    span, scope = found["span"], found["scope"]
    status = span.get("status", {})

    def number(of, name, names=()):
        held = of.get(name, 0)
        return names[held] if held in names else int(held)

    return {
        "trace_id": span["traceId"].lower(), "span_id": span["spanId"].lower(),
        "parent": span.get("parentSpanId", "").lower(),
        "trace_state": span.get("traceState", ""), "flags": number(span, "flags"), "name": span.get("name", ""),
        "kind": number(span, "kind", KINDS), "start": number(span, "startTimeUnixNano"),
        "end": number(span, "endTimeUnixNano"), "attributes": attributes_of(span.get("attributes", [])),
        "events": [{"time": number(event, "timeUnixNano"), "name": event.get("name", ""),
                    "attributes": attributes_of(event.get("attributes", [])),
                    "dropped": number(event, "droppedAttributesCount")} for event in span.get("events", [])],
        "links": [{"trace_id": link["traceId"].lower(), "span_id": link["spanId"].lower(),
                   "trace_state": link.get("traceState", ""), "flags": number(link, "flags"),
                   "attributes": attributes_of(link.get("attributes", [])),
                   "dropped": number(link, "droppedAttributesCount")} for link in span.get("links", [])],
        "status": number(status, "code", CODES), "description": status.get("message", ""),
        "dropped": [number(span, f"dropped{what}Count") for what in ("Attributes", "Events", "Links")],
        "resource": attributes_of(found["resource"].get("attributes", [])),
        "scope": (scope.get("name", ""), scope.get("version", ""), attributes_of(scope.get("attributes", []))),
    }


def camel(node, key=""):
    """protobuf's JSON with the names of the .proto file, and ids in base64, as OTLP JSON."""
    if isinstance(node, dict):
        return {head + "".join(part.title() for part in rest): camel(held, name)
                for name, held in node.items() for head, *rest in [name.split("_")]}
    if isinstance(node, list):
        return [camel(one) for one in node]
    return base64.b64decode(node).hex() if key in ("trace_id", "span_id", "parent_span_id") else node


def text_attribute(attributes, *keys):
    """The first of the keys that is there, as text; None."""
    held = dict(attributes)
    return next((held[key][1] for key in keys if held.get(key, ("",))[0] == "string"), None)


def by_key(tags):
    """Tags are a set: servers sort them."""
    return sorted(tags, key=lambda tag: tag[0])


def as_sets(span):
    """An OTLP span that a translator made: its attributes come in any order."""
    return {**span, "attributes": by_key(span["attributes"]), "resource": by_key(span["resource"]),
            "events": [{**event, "attributes": by_key(event["attributes"])} for event in span["events"]],
            "links": [{**link, "attributes": by_key(link["attributes"])} for link in span["links"]]}


def common_tags(span):
    """common/mapping-to-non-otlp.md: scope, status, dropped counts; all text but the counts."""
    name, version, _ = span["scope"]
    tags = []
    for what, text in (("name", name), ("version", version)):
        if text:
            tags += [(f"otel.scope.{what}", ("string", text)), (f"otel.library.{what}", ("string", text))]
    if span["status"]:
        tags.append(("otel.status_code", ("string", ("", "OK", "ERROR")[span["status"]])))
    if span["description"]:
        tags.append(("otel.status_description", ("string", span["description"])))
    for what, count in zip(("attributes", "events", "links"), span["dropped"]):
        if count:
            tags.append((f"otel.dropped_{what}_count", ("int", count)))
    return tags

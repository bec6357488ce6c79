"""Spans in Zipkin: what its exporter must send, what its server makes of them, and who calls whom."""

import collections
import ipaddress

from .otlp import KIND_NAMES, as_sets, common_tags, text_attribute
from .values import Annotation, text_of

# In this order; the address has its port in the other attribute.
PEERS = (("peer.service", None), ("server.address", None), ("net.peer.name", None),
         ("network.peer.address", "network.peer.port"), ("server.socket.domain", None),
         ("server.socket.address", "server.socket.port"), ("net.sock.peer.name", None),
         ("net.sock.peer.addr", "net.sock.peer.port"), ("peer.hostname", None), ("peer.address", None), ("db.name", None))


def zipkin_remote(span, lower=str.lower):
    if span["kind"] not in (3, 4):
        return None
    held = dict(span["attributes"])
    for key, port in PEERS:
        text = text_attribute(span["attributes"], key)
        if not text:
            continue
        try:
            address = ipaddress.ip_address(text)
            remote = {f"ipv{address.version}": str(address)}
        except ValueError:
            remote = {"serviceName": lower(text)}
        if port and held.get(port, ("",))[0] == "int":
            remote["port"] = held[port][1]
        return remote
    return None


def zipkin_annotations(span):
    return [(event["time"] // 1000, Annotation(event["name"], event["attributes"]) if event["attributes"] else event["name"])
            for event in span["events"]]


def to_zipkin(span, lower=str.lower):
    """trace/sdk_exporters/zipkin.md, and what Zipkin's server makes of it: names in lower case."""
    # The more specific wins: resource, scope, span, and then what the mapping says.
    given = [(key, value) for key, value in span["resource"] if key != "service.name"]
    tags = {key: text_of(value) for key, value in given + span["scope"][2] + span["attributes"]}
    tags.pop("error", None)  # Zipkin's own word for a span that failed, whatever its value
    for key, value in common_tags(span):
        if key != "otel.status_description":  # it is the text of `error`
            tags[key] = text_of(value)
    if span["status"] == 2:
        tags["error"] = span["description"]
    return {
        "trace_id": span["trace_id"], "span_id": span["span_id"], "parent": span["parent"], "name": lower(span["name"]),
        "kind": KIND_NAMES.get(span["kind"], "").upper(), "start": span["start"] // 1000,
        "duration": max(1, (span["end"] - span["start"]) // 1000), "tags": sorted(tags.items()),
        "annotations": by_time(zipkin_annotations(span)),
        "service": lower(text_attribute(span["resource"], "service.name")), "remote": zipkin_remote(span, lower),
    }


def by_time(annotations):
    """In the order of their times, and those of one microsecond in that of their names, as the server has them anyhow."""
    def order(annotation):
        time, text = annotation
        return time, text.name if isinstance(text, Annotation) else text.removeprefix('"').partition('"')[0]

    return sorted(annotations, key=order)


def read_zipkin(spans):
    """The spans of a trace as Zipkin's query interface shows it."""
    read = []
    for span in spans:
        remote = span.get("remoteEndpoint")
        read.append({
            "trace_id": span["traceId"], "span_id": span["id"], "parent": span.get("parentId", ""),
            "name": span.get("name", ""), "kind": span.get("kind", ""), "start": span.get("timestamp"),
            "duration": span.get("duration"), "tags": sorted(span.get("tags", {}).items()),
            "annotations": by_time((one["timestamp"], one["value"]) for one in span.get("annotations", [])),
            "service": span.get("localEndpoint", {}).get("serviceName"),
            "remote": {**remote, **({"ipv6": str(ipaddress.ip_address(remote["ipv6"]))} if "ipv6" in remote else {})}
            if remote else None,
        })
        unknown = span.keys() - {"traceId", "id", "parentId", "name", "kind", "timestamp", "duration", "tags",
                                 "annotations", "localEndpoint", "remoteEndpoint"}
        if unknown:
            read[-1]["unknown"] = sorted(unknown)
    return read


def zipkin_calls(made):
    """Zipkin's dependencies (zipkin2.internal.DependencyLinker): {(from, to): [calls, those with errors]}.

    A call is seen from the receiving side, whose nearest ancestor with a kind is the caller; a client that names its
    peer counts by itself where nothing below it did. Messages are not requests: they need a broker's name.
    """
    by_id = {(span["trace_id"], span["span_id"]): span for span in made}
    calls = collections.defaultdict(lambda: [0, 0])

    def name(span):
        return text_attribute(span["resource"], "service.name").lower()

    def parent_of(span):
        return by_id.get((span["trace_id"], span["parent"]))

    def ancestor(span):
        at = parent_of(span)
        while at is not None and at["kind"] not in KIND_NAMES:
            at = parent_of(at)
        return at

    def failed(span):
        return span["status"] == 2

    for span in made:
        remote = (zipkin_remote(span) or {}).get("serviceName")
        if span["kind"] not in KIND_NAMES:
            continue
        caller, callee = (name(span), remote) if span["kind"] in (3, 4) else (remote, name(span))
        error = failed(span)
        if span["kind"] in (2, 3):
            above = ancestor(span)
            if above is not None:
                if span["kind"] == 3 and name(above) != name(span):
                    calls[name(above), name(span)][0] += 1
                if span["kind"] == 2 or caller is None:
                    caller = name(above)
                if not error and above["kind"] == 3 and span["parent"] == above["span_id"]:
                    error = failed(above)
        if caller is None or callee is None:
            continue
        calls[caller, callee][0] += 1
        calls[caller, callee][1] += error
    return {key: tuple(count) for key, count in calls.items()}


# What the collector's Zipkin receiver takes out of a span's tags and gives to its resource.
OF_RESOURCE = {"host.name", "service.namespace", "service.version", "telemetry.sdk.name", "telemetry.sdk.language",
               "telemetry.sdk.version"}


def otlp_of_zipkin(made):
    """What the collector's Zipkin receiver makes of the exporter's span."""
    span = to_zipkin(made, lambda name: name)
    tags = dict(span["tags"])
    tags.pop("otel.status_code", None)  # it knows `Ok` and `STATUS_CODE_OK`, and not the OK of the specification
    status = 2 if "error" in tags else 0
    scope = (tags.pop("otel.scope.name", ""), tags.pop("otel.scope.version", ""), [])
    for key in ("otel.library.name", "otel.library.version"):
        tags.pop(key, None)
    of_resource = {"service.name": span["service"], **{key: tags.pop(key) for key in OF_RESOURCE & tags.keys()}}
    remote = span["remote"] or {}
    for key, into in (("serviceName", "service.peer.name"), ("ipv4", "network.peer.address"),
                      ("ipv6", "network.peer.address"), ("port", "net.peer.port")):
        if key in remote:
            tags[into] = remote[key]
    start = span["start"] * 1000
    return as_sets({
        "trace_id": span["trace_id"], "span_id": span["span_id"], "parent": span["parent"], "trace_state": "", "flags": 0,
        "name": span["name"], "kind": made["kind"] if span["kind"] else 0, "start": start,
        "end": start + span["duration"] * 1000,
        "attributes": [(key, ("int", value) if isinstance(value, int) else ("string", value))
                       for key, value in tags.items()],
        "events": [{"time": time * 1000, "name": text, "attributes": [], "dropped": 0}
                   for time, text in zipkin_annotations(made)],
        "links": [], "status": status, "description": "", "dropped": [0, 0, 0],
        "resource": [(key, ("string", value)) for key, value in of_resource.items()], "scope": scope,
    })

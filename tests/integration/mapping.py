"""What a span must look like on the other side, written from the specifications and sharing nothing with the encoders.

A made span is read from OTLP JSON (`read_otlp`) into a plain dictionary. `to_jaeger` and `to_zipkin` give what Jaeger and
Zipkin must then hold; `otlp_of_jaeger` and `otlp_of_zipkin` what a collector makes of these in turn. `read_jaeger` and
`read_zipkin` read the servers' own answers into the same form, and `differences` compares. Nothing is compared loosely
but in one way: text that is JSON by the mapping is compared as JSON (`JsonText`), a number in text as a number (`Real`).

Sources: OpenTelemetry's common/mapping-to-non-otlp.md and trace/sdk_exporters/{zipkin,jaeger}.md, jaeger.thrift, Zipkin's
zipkin2-api.yaml, and for the way back the translators of the collector 0.155.
"""

import base64
import collections
import ipaddress
import math

from peers import loads

KINDS = {"SPAN_KIND_UNSPECIFIED": 0, "SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3,
         "SPAN_KIND_PRODUCER": 4, "SPAN_KIND_CONSUMER": 5}
CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
KIND_NAMES = {2: "server", 3: "client", 4: "producer", 5: "consumer"}


# -------------------------------------------------------------------------------------------------------------- values

def real(number):
    """A double as something that compares by its bits; JSON has the special ones as text."""
    number = float(number.replace("Infinity", "inf") if isinstance(number, str) else number)
    return "NaN" if math.isnan(number) else number.hex()


def value_of(any_value):
    """OTLP's AnyValue in JSON as (type, value)."""
    for name, held in any_value.items():
        if name == "stringValue":
            return ("string", held)
        if name == "boolValue":
            return ("bool", held)
        if name == "intValue":
            return ("int", int(held))
        if name == "doubleValue":
            return ("double", real(held))
        if name == "bytesValue":
            return ("bytes", base64.b64decode(held).hex())
        if name == "arrayValue":
            return ("array", [value_of(one) for one in held.get("values", [])])
        if name == "kvlistValue":
            return ("map", attributes_of(held.get("values", [])))
    return ("null",)


def attributes_of(key_values):
    return [(one["key"], value_of(one.get("value", {}))) for one in key_values]


def plain(value):
    """A value as JSON text shows it: numbers by value and sign, bytes in base64, what JSON lacks as text."""
    kind = value[0]
    if kind == "null":
        return ("null",)
    if kind == "double":
        if value[1] == "NaN" or "inf" in value[1]:
            return ("string", {"NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[value[1]])
        return plain_number(float.fromhex(value[1]))
    if kind == "int":
        return plain_number(value[1])
    if kind == "bytes":
        return ("string", base64.b64encode(bytes.fromhex(value[1])).decode())
    if kind == "array":
        return ("array", [plain(one) for one in value[1]])
    if kind == "map":
        return ("map", sorted((key, plain(held)) for key, held in value[1]))
    return value


def plain_number(number):
    # Python compares an int and a float exactly.
    return ("number", number, math.copysign(1, number))


def plain_of_json(held):
    if held is None:
        return ("null",)
    if isinstance(held, bool):
        return ("bool", held)
    if isinstance(held, (int, float)):
        return plain_number(held)
    if isinstance(held, str):
        return ("string", held)
    if isinstance(held, list):
        return ("array", [plain_of_json(one) for one in held])
    return ("map", sorted((key, plain_of_json(one)) for key, one in held.items()))


class JsonText:
    """Equal to any text that is JSON of this value."""

    def __init__(self, value):
        self.value = plain(value)

    def __eq__(self, text):
        if isinstance(text, JsonText):
            return self.value == text.value
        try:
            return isinstance(text, str) and plain_of_json(loads(text)) == self.value
        except ValueError:
            return False

    def __repr__(self):
        return f"JSON of {self.value!r}"


class Real:
    """Equal to any text that is a decimal number of this very double."""

    def __init__(self, held):
        self.held = held

    def __eq__(self, text):
        if isinstance(text, Real):
            return self.held == text.held
        try:
            return isinstance(text, str) and text == text.strip() and "_" not in text and real(float(text)) == self.held
        except ValueError:
            return False

    def __repr__(self):
        return f"the number {self.held}"


class Annotation:
    """Equal to any `"name": {attributes as JSON}`."""

    def __init__(self, name, attributes):
        self.value = plain(("map", [(name, ("map", attributes))]))

    def __eq__(self, text):
        try:
            return isinstance(text, str) and plain_of_json(loads("{" + text + "}")) == self.value
        except ValueError:
            return False

    def __repr__(self):
        return f"annotation {self.value!r}"


def text_of(value):
    """A value as the text of a tag (common/mapping-to-non-otlp.md, common/README.md)."""
    kind = value[0]
    if kind == "null":
        return ""
    if kind == "bool":
        return "true" if value[1] else "false"
    if kind == "int":
        return str(value[1])
    if kind == "double":
        special = plain(value)
        return special[1] if special[0] == "string" else Real(value[1])
    if kind == "bytes":
        return plain(value)[1]
    if kind in ("array", "map"):
        return JsonText(value)
    return value[1]


# ---------------------------------------------------------------------------------------------------------------- OTLP

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


# -------------------------------------------------------------------------------------------------------------- Jaeger

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


def jaeger_value(value):
    """Jaeger's types: string, bool, int64, float64, binary."""
    kind = value[0]
    if kind in ("array", "map"):
        return ("string", JsonText(value))
    if value == ("double", real(-0.0)):
        return ("double", real(0))  # its store, which is protobuf, has no sign of zero
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


def to_jaeger(span, came_as=None):
    """What the Thrift exporter must send (trace/sdk_exporters/jaeger.md), and the tag by which Jaeger notes how it came."""
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
    def go(of):
        return {**of, "attributes": [(key, as_go_writes(value)) for key, value in of["attributes"]]}

    span = {**go(span), "events": [go(event) for event in span["events"]]}
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
        "warnings": [],
    }


def by_key(tags):
    """Tags are a set: servers sort them."""
    return sorted(tags, key=lambda tag: tag[0])


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


def with_warnings(expected):
    """The same spans with what Jaeger remarks where it does not have a span's parent."""
    known = {(span["trace_id"], span["span_id"]) for span in expected}
    return [{**span, "warnings": [f"invalid parent span IDs={of}; skipping clock skew adjustment"
                                  for kind, trace, of in span["references"]
                                  if kind == "CHILD_OF" and (trace, of) not in known]} for span in expected]


def jaeger_calls(made):
    """Jaeger's dependencies: a span whose parent is a span of another service."""
    service = {span["span_id"]: text_attribute(span["resource"], "service.name") for span in made}
    calls = collections.Counter()
    for span in made:
        caller, callee = service.get(span["parent"]), service[span["span_id"]]
        if caller is not None and caller != callee:
            calls[caller, callee] += 1
    return calls


# -------------------------------------------------------------------------------------------------------------- Zipkin

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
        "annotations": sorted(((event["time"] // 1000, Annotation(event["name"], event["attributes"])
                                if event["attributes"] else event["name"]) for event in span["events"]),
                              key=lambda annotation: annotation[0]),
        "service": lower(text_attribute(span["resource"], "service.name")), "remote": zipkin_remote(span, lower),
    }


def read_zipkin(spans):
    """The spans of a trace as Zipkin's query interface shows it."""
    read = []
    for span in spans:
        remote = span.get("remoteEndpoint")
        read.append({
            "trace_id": span["traceId"], "span_id": span["id"], "parent": span.get("parentId", ""),
            "name": span.get("name", ""), "kind": span.get("kind", ""), "start": span.get("timestamp"),
            "duration": span.get("duration"), "tags": sorted(span.get("tags", {}).items()),
            "annotations": sorted(((one["timestamp"], one["value"]) for one in span.get("annotations", [])),
                                  key=lambda annotation: annotation[0]),
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


# -------------------------------------------------------------------------------------- and back to OTLP, by a collector

def as_sets(span):
    """An OTLP span that a translator made: its attributes come in any order."""
    return {**span, "attributes": by_key(span["attributes"]), "resource": by_key(span["resource"]),
            "events": [{**event, "attributes": by_key(event["attributes"])} for event in span["events"]],
            "links": [{**link, "attributes": by_key(link["attributes"])} for link in span["links"]]}


def otlp_of_jaeger(made, datagram):
    """What the collector's Jaeger receiver makes of the Thrift exporter's span; it translates datagrams by another way."""
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
    scope, trace_state = ("", "", []), ""
    if datagram:
        scope, trace_state = (take("otel.scope.name"), take("otel.scope.version"), []), take("w3c.tracestate")
    start = span["start"] * 1000
    links = [{"trace_id": trace, "span_id": of, "trace_state": "", "flags": 0, "dropped": 0,
              "attributes": [("opentracing.ref_type", ("string", kind_of.lower()))]}
             for kind_of, trace, of in (("FOLLOWS_FROM", link["trace_id"], link["span_id"]) for link in made["links"])]
    return as_sets({
        "trace_id": span["trace_id"], "span_id": span["span_id"], "parent": made["parent"], "trace_state": trace_state,
        "flags": 0, "name": span["name"], "kind": {name: number for number, name in KIND_NAMES.items()}.get(kind, 0),
        "start": start, "end": start + span["duration"] * 1000, "attributes": list(tags.items()),
        "events": [{"time": time * 1000, "name": dict(fields)["event"][1], "dropped": 0,
                    "attributes": [field for field in fields if field[0] != "event"]} for time, fields in span["logs"]],
        "links": links, "status": status, "description": description, "dropped": [0, 0, 0],
        "resource": [("service.name", ("string", span["service"])), *span["process"]], "scope": scope,
    })


# What the collector's Zipkin receiver takes out of a span's tags and gives to its resource.
OF_RESOURCE = {"host.name", "service.namespace", "service.version", "telemetry.sdk.name", "telemetry.sdk.language",
               "telemetry.sdk.version"}


def otlp_of_zipkin(made):
    """What the collector's Zipkin receiver makes of the exporter's span."""
    span = to_zipkin(made, lambda name: name)
    tags = dict(span["tags"])
    status = {"OK": 1, "ERROR": 2}.get(tags.pop("otel.status_code", ""), 0)
    if "error" in tags:
        status = 2
    scope = (tags.pop("otel.scope.name", ""), tags.pop("otel.scope.version", ""), [])
    for key in ("otel.library.name", "otel.library.version"):
        tags.pop(key, None)
    of_resource = {"service.name": span["service"], **{key: tags.pop(key) for key in OF_RESOURCE & tags.keys()}}
    remote = span["remote"] or {}
    for key, into in (("serviceName", "peer.service"), ("ipv4", "net.peer.ip"), ("ipv6", "net.peer.ip"),
                      ("port", "net.peer.port")):
        if key in remote:
            tags[into] = remote[key]
    start = span["start"] * 1000
    return as_sets({
        "trace_id": span["trace_id"], "span_id": span["span_id"], "parent": span["parent"], "trace_state": "", "flags": 0,
        "name": span["name"], "kind": made["kind"] if span["kind"] else 0, "start": start,
        "end": start + span["duration"] * 1000,
        "attributes": [(key, ("int", value) if isinstance(value, int) else ("string", value)) for key, value in tags.items()],
        "events": [{"time": time * 1000, "name": text, "attributes": [], "dropped": 0} for time, text in span["annotations"]],
        "links": [], "status": status, "description": "", "dropped": [0, 0, 0],
        "resource": [(key, ("string", value)) for key, value in of_resource.items()], "scope": scope,
    })


# ----------------------------------------------------------------------------------------------------------- comparing

def short(value):
    shown = ascii(value)
    return shown if len(shown) < 500 else shown[:500] + f"... ({len(shown)} characters)"


def differences(expected, received):
    """Sentences: none missing, none twice, none never made, and every field equal."""
    wanted = {(span["trace_id"], span["span_id"]): span for span in expected}
    count = collections.Counter((span["trace_id"], span["span_id"]) for span in received)
    found = [f"span {key} is missing" for key in wanted.keys() - count.keys()]
    found += [f"span {key} was never made" for key in count.keys() - wanted.keys()]
    found += [f"span {key} was received {times} times" for key, times in count.items() if times > 1]
    for span in received:
        made = wanted.get((span["trace_id"], span["span_id"]))
        if made is None:
            continue
        for field in sorted({*made, *span}):
            held, read = made.get(field), span.get(field)
            if not held == read:
                if isinstance(held, list) and isinstance(read, list) and len(held) == len(read):
                    held, read = next((a, b) for a, b in zip(held, read) if not a == b)
                found.append(f"span {span['span_id']}, {field}:\n    made {short(held)}\n    read {short(read)}")
    return found

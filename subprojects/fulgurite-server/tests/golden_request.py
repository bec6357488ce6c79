"""Prints golden_request.hpp: a request that uses every field of OTLP, encoded by the official protobuf classes.

    python3 golden_request.py > golden_request.hpp     (needs requirements.txt)
"""
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")


def attribute(key, **value):
    return KeyValue(key=key, value=AnyValue(**value))


def every_value():
    return [
        attribute("text", string_value="Grüße\n\"quoted\" \x1b[31m"),
        attribute("empty", string_value=""),
        attribute("true", bool_value=True),
        attribute("false", bool_value=False),
        attribute("zero", int_value=0),
        attribute("least", int_value=-(2**63)),
        attribute("most", int_value=2**63 - 1),
        attribute("real", double_value=0.1),
        attribute("huge", double_value=-1.7976931348623157e308),
        attribute("infinite", double_value=float("-inf")),
        attribute("bytes", bytes_value=bytes(range(7))),
        attribute("none"),
        attribute("list", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(string_value="two"), AnyValue()])),
        attribute("empty list", array_value=ArrayValue()),
        attribute("map", kvlist_value=KeyValueList(values=[attribute("inner", double_value=1.5), attribute("", bool_value=True)])),
        KeyValue(key="absent"),
    ]


def every_field():
    root = Span(trace_id=TRACE, span_id=bytes.fromhex("eee19b7ec3c1b174"), name="charge card", kind=Span.SPAN_KIND_SERVER,
                start_time_unix_nano=1544712660000000000, end_time_unix_nano=1544712661000000001,
                trace_state="vendor=value,other=1", flags=0x101, attributes=every_value(),
                dropped_attributes_count=1, dropped_events_count=2, dropped_links_count=3)
    root.events.add(time_unix_nano=1544712660500000000, name="authorised", attributes=[attribute("attempt", int_value=2)],
                    dropped_attributes_count=4)
    root.links.add(trace_id=bytes(range(16)), span_id=bytes(range(1, 9)), trace_state="a=b", flags=0x301,
                   attributes=[attribute("why", string_value="retry")], dropped_attributes_count=5)
    child = Span(trace_id=TRACE, span_id=bytes.fromhex("eee19b7ec3c1b175"), parent_span_id=root.span_id, name="GET /rates",
                 kind=Span.SPAN_KIND_CLIENT, start_time_unix_nano=1544712660100000000,
                 end_time_unix_nano=1544712660200000000, flags=0x300,
                 status=Status(code=Status.STATUS_CODE_ERROR, message="declined"))
    other = Span(trace_id=TRACE, span_id=bytes.fromhex("eee19b7ec3c1b176"), parent_span_id=child.span_id, name="rates",
                 start_time_unix_nano=1544712660110000000, end_time_unix_nano=1544712660190000000,
                 status=Status(code=Status.STATUS_CODE_OK))
    checkout = ResourceSpans(
        resource=Resource(attributes=[attribute("host.name", string_value="h"), attribute("service.name", string_value="checkout"),
                                      attribute("service.version", string_value="1.2")],
                          dropped_attributes_count=6,
                          entity_refs=[EntityRef(schema_url="s", type="service", id_keys=["service.name"], description_keys=["d", "e"])]),
        schema_url="https://opentelemetry.io/schemas/1.30.0")
    checkout.scope_spans.add(scope=InstrumentationScope(name="lib", version="3", attributes=[attribute("k", int_value=-1)],
                                                        dropped_attributes_count=7),
                             spans=[root, child], schema_url="https://opentelemetry.io/schemas/1.29.0")
    rates = ResourceSpans(resource=Resource(attributes=[attribute("service.name", string_value="rates")]))
    rates.scope_spans.add(spans=[other])
    return TracesData(resource_spans=[checkout, rates])


def main():
    data = every_field().SerializeToString(deterministic=True)
    print("// Made by golden_request.py: a request with every field, encoded by the official protobuf classes.\n#pragma once\n")
    print("#include <string_view>\n")
    print("inline constexpr unsigned char golden_bytes[] = {")
    for i in range(0, len(data), 20):
        print("    " + ", ".join(f"0x{b:02x}" for b in data[i:i + 20]) + ",")
    print("};\n")
    print("inline const std::string_view golden_request(reinterpret_cast<const char*>(golden_bytes), sizeof golden_bytes);")


if __name__ == "__main__":
    main()

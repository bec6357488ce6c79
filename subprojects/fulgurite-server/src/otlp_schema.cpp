#include "otlp_schema.hpp"

namespace fulgurite_server {

const otlp_field* find_field(otlp_message const& message, std::uint32_t number) noexcept {
  for (otlp_field const& field : message.fields)
    if (field.number == number) return &field;
  return nullptr;
}

namespace otlp {
namespace {

using enum otlp_type;
constexpr bool many = true;

constexpr otlp_field any_value_fields[] = {
    {1, "string_value", "stringValue", text},
    {2, "bool_value", "boolValue", boolean},
    {3, "int_value", "intValue", integer},
    {4, "double_value", "doubleValue", real},
    {5, "array_value", "arrayValue", otlp_type::message, false, &array_value},
    {6, "kvlist_value", "kvlistValue", otlp_type::message, false, &key_value_list},
    {7, "bytes_value", "bytesValue", data},
};
constexpr otlp_field array_value_fields[] = {{1, "values", "values", otlp_type::message, many, &any_value}};
constexpr otlp_field key_value_list_fields[] = {{1, "values", "values", otlp_type::message, many, &key_value}};
constexpr otlp_field key_value_fields[] = {
    {1, "key", "key", text},
    {2, "value", "value", otlp_type::message, false, &any_value},
};
constexpr otlp_field entity_ref_fields[] = {
    {1, "schema_url", "schemaUrl", text},
    {2, "type", "type", text},
    {3, "id_keys", "idKeys", text, many},
    {4, "description_keys", "descriptionKeys", text, many},
};
constexpr otlp_field resource_fields[] = {
    {1, "attributes", "attributes", otlp_type::message, many, &key_value},
    {2, "dropped_attributes_count", "droppedAttributesCount", count},
    {3, "entity_refs", "entityRefs", otlp_type::message, many, &entity_ref},
};
constexpr otlp_field scope_fields[] = {
    {1, "name", "name", text},
    {2, "version", "version", text},
    {3, "attributes", "attributes", otlp_type::message, many, &key_value},
    {4, "dropped_attributes_count", "droppedAttributesCount", count},
};
constexpr otlp_field event_fields[] = {
    {1, "time_unix_nano", "timeUnixNano", otlp_type::fixed64},
    {2, "name", "name", text},
    {3, "attributes", "attributes", otlp_type::message, many, &key_value},
    {4, "dropped_attributes_count", "droppedAttributesCount", count},
};
constexpr otlp_field link_fields[] = {
    {1, "trace_id", "traceId", id},
    {2, "span_id", "spanId", id},
    {3, "trace_state", "traceState", text},
    {4, "attributes", "attributes", otlp_type::message, many, &key_value},
    {5, "dropped_attributes_count", "droppedAttributesCount", count},
    {6, "flags", "flags", otlp_type::fixed32},
};
constexpr otlp_field status_fields[] = {{2, "message", "message", text}, {3, "code", "code", choice}};
constexpr otlp_field span_fields[] = {
    {1, "trace_id", "traceId", id},
    {2, "span_id", "spanId", id},
    {3, "trace_state", "traceState", text},
    {4, "parent_span_id", "parentSpanId", id},
    {5, "name", "name", text},
    {6, "kind", "kind", choice},
    {7, "start_time_unix_nano", "startTimeUnixNano", otlp_type::fixed64},
    {8, "end_time_unix_nano", "endTimeUnixNano", otlp_type::fixed64},
    {9, "attributes", "attributes", otlp_type::message, many, &key_value},
    {10, "dropped_attributes_count", "droppedAttributesCount", count},
    {11, "events", "events", otlp_type::message, many, &event},
    {12, "dropped_events_count", "droppedEventsCount", count},
    {13, "links", "links", otlp_type::message, many, &link},
    {14, "dropped_links_count", "droppedLinksCount", count},
    {15, "status", "status", otlp_type::message, false, &status},
    {16, "flags", "flags", otlp_type::fixed32},
};
constexpr otlp_field scope_spans_fields[] = {
    {1, "scope", "scope", otlp_type::message, false, &scope},
    {2, "spans", "spans", otlp_type::message, many, &span},
    {3, "schema_url", "schemaUrl", text},
};
constexpr otlp_field resource_spans_fields[] = {
    {1, "resource", "resource", otlp_type::message, false, &resource},
    {2, "scope_spans", "scopeSpans", otlp_type::message, many, &scope_spans},
    {3, "schema_url", "schemaUrl", text},
};
constexpr otlp_field traces_data_fields[] = {
    {1, "resource_spans", "resourceSpans", otlp_type::message, many, &resource_spans},
};

}  // namespace

constinit const otlp_message any_value = {"AnyValue", any_value_fields, true};
constinit const otlp_message array_value = {"ArrayValue", array_value_fields};
constinit const otlp_message key_value_list = {"KeyValueList", key_value_list_fields};
constinit const otlp_message key_value = {"KeyValue", key_value_fields};
constinit const otlp_message entity_ref = {"EntityRef", entity_ref_fields};
constinit const otlp_message resource = {"Resource", resource_fields};
constinit const otlp_message scope = {"InstrumentationScope", scope_fields};
constinit const otlp_message event = {"Event", event_fields};
constinit const otlp_message link = {"Link", link_fields};
constinit const otlp_message status = {"Status", status_fields};
constinit const otlp_message span = {"Span", span_fields};
constinit const otlp_message scope_spans = {"ScopeSpans", scope_spans_fields};
constinit const otlp_message resource_spans = {"ResourceSpans", resource_spans_fields};
constinit const otlp_message traces_data = {"TracesData", traces_data_fields};

}  // namespace otlp
}  // namespace fulgurite_server

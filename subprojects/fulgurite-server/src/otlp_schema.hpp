// The messages of OTLP's trace.proto, resource.proto and common.proto as tables (opentelemetry-proto 1.x).
//
// One table serves the check of a request and its translation to JSON, so that the two cannot disagree, and a field
// that the tables do not know is skipped by both.
#pragma once

#include <cstdint>
#include <span>

namespace fulgurite_server {

enum class otlp_type : std::uint8_t {
  text,     // string
  data,     // bytes, base64 in JSON
  id,       // bytes, hexadecimal in JSON
  boolean,  // bool
  integer,  // int64: a decimal string in JSON
  count,    // uint32
  choice,   // enum: its number in JSON
  fixed64,  // a decimal string in JSON
  fixed32,  // a number in JSON
  real,     // double
  message
};

struct otlp_message;

struct otlp_field {
  std::uint32_t number;
  const char* name;
  const char* json_name;
  otlp_type type;
  bool repeated = false;
  const otlp_message* inner = nullptr;
};

struct otlp_message {
  const char* name;
  std::span<const otlp_field> fields;
  /// All fields belong to one `oneof`: the last that is set counts.
  bool one_of = false;
};

/// Null for a field the table does not have.
const otlp_field* find_field(otlp_message const& message, std::uint32_t number) noexcept;

namespace otlp {
extern const otlp_message any_value, array_value, key_value_list, key_value, entity_ref, resource, scope, event, link,
    status, span, scope_spans, resource_spans, traces_data;
}

}  // namespace fulgurite_server

// Stored spans put together again as one TracesData, in either encoding of OTLP.
//
// Made from the bytes that were received, not from span_data: the library's value type has no place for some details
// (counts dropped from events, links and resources, schema URLs, entities, an unspecified kind), and its encoder says
// that fulgurite made the spans, which is not true of everybody's.
#pragma once

#include "otlp_decoder.hpp"

#include <string>
#include <vector>

namespace fulgurite_server {

/// A trace as it is stored; the positions say which resource and which scope a span belongs to.
struct stored_span {
  std::size_t resource = 0, scope = 0;
  std::string body = {};
};

struct stored_trace {
  std::vector<span_owner> resources = {}, scopes = {};
  std::vector<stored_span> spans = {};
};

/// TracesData, protobuf. Spans of one resource stand together, resources and scopes in the order they first came.
std::string to_protobuf(stored_trace const& trace);

/// An encoded TracesData as OTLP JSON in one line (opentelemetry-proto, docs/specification.md, JSON Protobuf Encoding):
/// identifiers in hexadecimal, enumerations as numbers, 64-bit integers as strings. Throws `malformed`.
std::string to_json(std::string_view traces_data);

}  // namespace fulgurite_server

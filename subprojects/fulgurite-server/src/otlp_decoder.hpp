// Reads ExportTraceServiceRequest, and TracesData, which has the same bytes.
//
// In two steps. `read_request` checks the whole of a request and notes what the store keys and sorts by; the spans, the
// resources and the scopes stay the bytes they came as, and go into the store so: nothing that a newer sender adds is
// lost, and a hostile request cannot make the server allocate much more than its own size. `decode_spans` makes the
// library's values of it, where a trace is shown.
#pragma once

#include "protobuf.hpp"

#include <fulgurite/record/span_data.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_server {

/// Values nested deeper than this are refused.
inline constexpr int max_value_depth = 64;

/// A Resource or an InstrumentationScope as it was sent: its encoded message, absent if there was none.
struct span_owner {
  std::optional<std::string> body = {};
  std::string schema_url = {};

  friend bool operator==(span_owner const&, span_owner const&) = default;
};

/// One Span: what it is found by, and its encoded message. Views point into the request.
struct received_span {
  fulgurite::trace_id trace_id = {};
  fulgurite::span_id span_id = {}, parent_span_id = {};
  /// Nanoseconds since the Unix epoch; what lies beyond the year 2262 becomes that.
  std::int64_t start_time = 0, end_time = 0;
  std::string_view name = {};
  bool failed = false;
  /// Positions in the request's `resources` and `scopes`.
  std::size_t resource = 0, scope = 0;
  std::string_view body = {};
};

struct received_request {
  std::vector<span_owner> resources = {}, scopes = {};
  std::vector<received_span> spans = {};
};

/// Checks and indexes a request. Throws `malformed` with one sentence: truncated or inconsistent bytes, a known field
/// of another type, an identifier of the wrong length or of zeros only, values nested deeper than `max_value_depth`.
/// Unknown fields are passed over; text that is not UTF-8 is kept and shown with U+FFFD.
received_request read_request(std::string_view bytes);

/// The spans of a request as the library's values, in the order they stand. Throws `malformed`. A kind or a status that
/// is not known is taken for internal or unset; a few details of OTLP have no place in span_data (counts of attributes
/// dropped from events and links, schema URLs), `to_json` of traces_data.hpp has them.
std::vector<fulgurite::span_data> decode_spans(std::string_view bytes);

/// The service that an encoded Resource names, or nothing.
std::string service_name(std::string_view resource);

}  // namespace fulgurite_server

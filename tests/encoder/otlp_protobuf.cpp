// Exactness against the official classes is tested by tests/integration/otlp_oracle.py; here a small message by hand,
// and what only the encoder's interface can do.
#include <fulgurite/encoder/otlp_protobuf.hpp>

#include "request_encoder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

fg::span_data plain() {
  fg::span_data span;
  span.name = "n";
  span.trace_id = fg::trace_id::from_numbers(0x0102030405060708, 0x090a0b0c0d0e0f10);
  span.span_id = fg::span_id::from_number(0x1112131415161718);
  span.start_time = 1;
  span.end_time = 2;
  span.flags = 0x101;
  return span;
}

/// By hand from opentelemetry/proto/trace/v1/trace.proto.
const std::string plain_bytes = std::string(
                                    "\x12\x39\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
                                    "\x12\x08\x11\x12\x13\x14\x15\x16\x17\x18\x2a\x01n\x30\x01",
                                    35) +
                                std::string("\x39\x01\0\0\0\0\0\0\0\x41\x02\0\0\0\0\0\0\0\x85\x01\x01\x01\0\0", 24);

}  // namespace

TEST_CASE("a span by hand") {
  // TracesData{ResourceSpans{resource{}, ScopeSpans{scope{}, span}}}
  const std::string in_scope = std::string("\x0a\0", 2) + plain_bytes;
  const std::string in_resource = std::string("\x0a\0", 2) + '\x12' + static_cast<char>(in_scope.size()) + in_scope;
  const std::string expected = '\x0a' + std::string(1, static_cast<char>(in_resource.size())) + in_resource;
  CHECK(fg::to_otlp_protobuf(std::vector<fg::span_data>{plain()}) == expected);
}

TEST_CASE("an encoder takes spans back and starts over") {
  fulgurite_test::check_request_encoder<fg::otlp_protobuf_encoder>(plain(), 20);
}

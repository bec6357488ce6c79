// Exactness against the official classes is tested by tests/integration/otlp_oracle.py; here a small message by hand,
// and what only the encoder's interface can do.
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

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

TEST_CASE("records and owned spans give the same bytes") {
  fg::span_data span = plain();
  span.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "shop"});
  span.scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{"lib", "1", {{"k", 1}}});
  span.attributes = {{"key", "value"}, {"list", fg::attribute_value(std::vector<fg::attribute_value>{1, "x", {}})}};
  span.events = {{"event", 3, {{"attempt", 2}}}};
  span.status = {fg::status_code::error, "declined"};
  fulgurite_test::record_builder builder(span.resource, span.scope);
  builder.add(span);
  builder.add(span, ~std::uint64_t{0});
  fg::otlp_protobuf_encoder encoder;
  const std::vector<fg::span_data> twice{span, span};
  CHECK(text(fg::to_otlp_protobuf(builder.batch(), encoder)) == fg::to_otlp_protobuf(twice));
  // Again in the same memory.
  CHECK(text(fg::to_otlp_protobuf(builder.batch(), encoder)) == fg::to_otlp_protobuf(twice));
}

TEST_CASE("an encoder takes spans back and starts over") {
  fg::otlp_protobuf_encoder encoder;
  const auto of = std::make_shared<fg::resource>(fg::resource{.service_name = "shop"});
  const auto other = std::make_shared<fg::resource>(fg::resource{.service_name = "warehouse"});
  const fg::span_data span = plain();
  encoder.begin(of, nullptr);
  const std::size_t empty = encoder.size();
  encoder.add(span);
  const std::string one = text(encoder.finish());
  encoder.begin(of, nullptr);
  CHECK(encoder.size() == empty);
  encoder.add(span);
  const std::size_t before = encoder.size();
  CHECK(before >= one.size());
  CHECK(before <= one.size() + 20);
  for (int i = 0; i < 10000; ++i) encoder.add(span);  // the memory moves
  encoder.cut(before);
  CHECK(text(encoder.finish()) == one);
  encoder.begin(other, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()).find("warehouse") != std::string::npos);
  encoder.begin(of, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()) == one);
  encoder.shrink(10);
  encoder.begin(of, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()) == one);
}

TEST_CASE("two schemas with equal places in the cache do not mix") {
  fulgurite_test::record_builder builder;
  const fg::span_data span = plain();
  constexpr std::uint64_t literal = ~std::uint64_t{0};
  // More schemas than the cache has places.
  builder.add(span, literal, {}, "key.01"_a = 1);
  builder.add(span, literal, {}, "key.02"_a = 2);
  builder.add(span, literal, {}, "key.03"_a = 3);
  builder.add(span, literal, {}, "key.04"_a = 4);
  builder.add(span, literal, {}, "key.05"_a = 5);
  builder.add(span, literal, {}, "key.06"_a = 6);
  builder.add(span, literal, {}, "key.07"_a = 7);
  builder.add(span, literal, {}, "key.08"_a = 8);
  builder.add(span, literal, {}, "key.09"_a = 9);
  builder.add(span, literal, {}, "key.10"_a = 10);
  fg::otlp_protobuf_encoder encoder;
  const std::string bytes = text(fg::to_otlp_protobuf(builder.batch(), encoder));
  for (int i = 1; i <= 10; ++i) {
    const std::string key = "key." + std::string(i < 10 ? "0" : "") + std::to_string(i);
    // KeyValue: key, then a value of two bytes that is the integer.
    CHECK(bytes.find("\x0a\x06" + key + "\x12\x02\x18" + static_cast<char>(i)) != std::string::npos);
  }
}

TEST_CASE("lengths at the borders of a varint") {
  for (const std::size_t size : {0U, 1U, 60U, 100U, 126U, 127U, 128U, 129U, 16300U, 16383U, 16384U, 16385U, 60000U}) {
    fg::span_data span = plain();
    span.name = std::string(size, 'x');
    span.attributes = {{"a", std::string(size, 'y')},
                       {"b", fg::attribute_value(std::vector<fg::attribute_value>{std::string(size, 'z')})}};
    fulgurite_test::record_builder builder(nullptr, nullptr);
    builder.add(span, ~std::uint64_t{0});
    fg::otlp_protobuf_encoder encoder;
    encoder.begin(nullptr, nullptr);
    builder.batch().for_each([&](fg::record_view const& record) { encoder.add(record); });
    CHECK(text(encoder.finish()) == fg::to_otlp_protobuf(std::vector<fg::span_data>{span}));
  }
}

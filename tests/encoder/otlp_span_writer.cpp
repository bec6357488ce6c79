// Through the encoder that uses it (encoder/otlp_protobuf.hpp).
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/encoder/otlp_span_writer.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

fg::span_data plain() {
  fg::span_data span;
  span.name.push_back('n');  // g++ 12 warns of an assignment here, wrongly
  span.span_id = fg::span_id::from_number(1);
  span.start_time = 1;
  span.end_time = 2;
  return span;
}

}  // namespace

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

#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/encoder/prepared_schema.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
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
  span.span_id = fg::span_id::from_number(1);
  span.start_time = 1;
  span.end_time = 2;
  return span;
}

}  // namespace

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

TEST_CASE("keys that cannot be prepared are left to be written one by one") {
  fg::detail::prepared_schemas schemas;
  const auto usable = [&](std::vector<std::string> const& keys) {
    std::vector<fg::detail::schema_field> fields;
    for (std::string const& key : keys)
      fields.push_back({key.data(), static_cast<std::uint32_t>(key.size()), fg::value_type::integer});
    const fg::detail::attribute_schema schema{fields.data(), static_cast<std::uint32_t>(fields.size())};
    schemas.clear();  // the schema lies where the one before lay
    return schemas.find(schema).usable;
  };
  CHECK(usable({"a"}));
  CHECK(usable({std::string(45, 'k'), "b"}));
  CHECK_FALSE(usable({std::string(46, 'k')}));
  CHECK_FALSE(usable({"a", "\xff"}));
  CHECK_FALSE(usable({""}));
  CHECK(usable(std::vector<std::string>(16, "k")));
  CHECK_FALSE(usable(std::vector<std::string>(17, "k")));
}

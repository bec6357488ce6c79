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
  CHECK(usable({std::string(57, 'k'), "b"}));
  CHECK_FALSE(usable({std::string(58, 'k')}));
  CHECK_FALSE(usable({"a", "\xff"}));
  CHECK_FALSE(usable({""}));
  CHECK(usable(std::vector<std::string>(16, "k")));
  CHECK_FALSE(usable(std::vector<std::string>(17, "k")));
}

// The other way to the same bytes is that of owned spans, which knows no schema.
TEST_CASE("what a schema prepares is what is written one by one") {
  fg::otlp_protobuf_encoder encoder;
  const auto same = [&](fg::span_data const& span, auto&&... bound) {
    fulgurite_test::record_builder builder;
    builder.add(span, ~std::uint64_t{0}, {}, bound...);
    const fg::span_batch batch = builder.batch();
    const std::string prepared = text(fg::to_otlp_protobuf(batch, encoder));
    INFO(span.name.size());
    CHECK(prepared == fg::to_otlp_protobuf(batch.spans()));
  };
  fg::span_data span = plain();
  for (std::size_t size = 0; size < 300; ++size) {
    same(span, "key"_a = std::string(size, 't'));
    same(span, "a key of thirty-two characters, "_a = std::string(size, 't'), "after"_a = size);
    same(span, "a key of fifty-seven characters is the longest prepared: "_a = std::string(size, 't'));
  }
  for (std::size_t size = 0; size < 300; ++size) {
    span.name.assign(size, 'n');
    same(span);
    same(span, "flag"_a = true);
    same(span, "a key of fifty-eight characters is not prepared any more: "_a = 1);
  }
  for (int bits = 0; bits < 64; ++bits) {
    const auto number = static_cast<std::int64_t>(std::uint64_t{1} << bits);
    same(span, "n"_a = number, "less"_a = ~number, "unsigned"_a = std::uint64_t{1} << bits,
         "a key of thirty-two characters, "_a = number >> 1, "real"_a = static_cast<double>(number), "no"_a = false);
  }
  span.parent_span_id = fg::span_id::from_number(2);
  same(span, "bad"_a = std::string("\xff"), "n"_a = 1);
  same(span, "good"_a = std::string("gr\xc3\xbc\xc3\x9f"), "n"_a = 1);
  span.name = "\xff";
  same(span, "n"_a = 1);
  span.start_time = span.end_time = 0;
  same(span, "n"_a = 1);
}

#include <fulgurite/encoder/json_value.hpp>
#include <fulgurite/encoder/span_source.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string json(fg::attribute_value const& value) {
  std::string out = "before ";
  fg::detail::append_json_value(out, fg::detail::owned_value_view(value));
  REQUIRE(out.starts_with("before "));
  return out.substr(7);
}

/// From a value as it lies in a record.
std::string packed_json(fg::value_view const& value) {
  std::vector<std::byte> packed(fg::detail::packed_size(value));
  fg::detail::write_value(packed.data(), value);
  std::string out;
  fg::detail::append_json_value(out, fg::packed_value(fg::detail::packed_type(value), packed.data()));
  return out;
}

using values = std::vector<fg::attribute_value>;
using entries = std::vector<fg::attribute>;

}  // namespace

TEST_CASE("values") {
  CHECK(json({}) == "null");
  CHECK(json(true) == "true");
  CHECK(json(false) == "false");
  CHECK(json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(json(0.1) == "0.1");
  CHECK(json(std::numeric_limits<double>::quiet_NaN()) == "\"NaN\"");
  CHECK(json(-std::numeric_limits<double>::infinity()) == "\"-Infinity\"");
  CHECK(json("a\"\n\xff") == "\"a\\\"\\n\xef\xbf\xbd\"");
  CHECK(json(fg::bytes{std::byte{1}, std::byte{255}}) == "\"Af8=\"");
  CHECK(json(values{}) == "[]");
  CHECK(json(entries{}) == "{}");
  CHECK(json(values{1, "b", values{}, entries{{"k", {}}}}) == "[1,\"b\",[],{\"k\":null}]");
  CHECK(json(entries{{"a\"", values{true}}, {"", 2.5}}) == "{\"a\\\"\":[true],\"\":2.5}");
}

TEST_CASE("values in a record") {
  const std::vector<std::uint64_t> numbers{7, ~std::uint64_t{0}};
  CHECK(packed_json(numbers) == "[7,\"18446744073709551615\"]");
  const values nested{values{1, 2}, entries{{"k", "v"}}};
  CHECK(packed_json(fg::attribute_value(nested)) == "[[1,2],{\"k\":\"v\"}]");
}

TEST_CASE("what is nested too deep is null") {
  fg::attribute_value value = 1;
  for (int i = 0; i < 70; ++i) value = values{value};
  const std::string text = json(value);
  CHECK(text == std::string(64, '[') + "null" + std::string(64, ']'));
}

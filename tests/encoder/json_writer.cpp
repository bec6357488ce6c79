#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using fg::detail::json_place;

namespace {

/// What `write(memory, out)` writes into memory that is as small as it may be.
template <class Write>
std::string written(Write&& write) {
  fg::detail::growing_bytes memory;
  char* out = fg::detail::text_room(memory, fg::detail::text_begin(memory), fg::detail::json_slack);
  const char* const end = write(memory, out);
  CHECK(memory.capacity() - static_cast<std::size_t>(end - fg::detail::text_begin(memory)) >=
        fg::detail::json_slack - 8);
  return {static_cast<const char*>(fg::detail::text_begin(memory)), end};
}

template <json_place Place = json_place::alone>
std::string text(std::string_view of) {
  return written([&](auto& memory, char* out) { return fg::detail::write_json_text<Place>(memory, out, of); });
}
template <json_place Place = json_place::alone>
std::string json(fg::attribute_value const& value) {
  return written([&](auto& memory, char* out) {
    return fg::detail::write_json_value<Place>(memory, out, fg::detail::owned_value_view(value), 0);
  });
}
std::string value_text(fg::attribute_value const& value) {
  return written([&](auto& memory, char* out) {
    return fg::detail::write_value_text(memory, out, fg::detail::owned_value_view(value));
  });
}
/// The same value, packed and read in place.
std::string packed_text(fg::value_view const& value) {
  std::vector<std::byte> bytes(fg::detail::packed_size(value) + 8);
  fg::detail::write_value(bytes.data(), value);
  return written([&](auto& memory, char* out) {
    return fg::detail::write_value_text(memory, out, fg::packed_value(fg::detail::packed_type(value), bytes.data()));
  });
}

using values = std::vector<fg::attribute_value>;
using entries = std::vector<fg::attribute>;

}  // namespace

TEST_CASE("a word tells what eight characters tell") {
  for (unsigned c = 0; c < 256; ++c)
    for (unsigned at = 0; at < 8; ++at) {
      const std::uint64_t letters = 0x6161'6161'6161'6161U;
      const std::uint64_t word = (letters & ~(std::uint64_t{0xff} << 8 * at)) | std::uint64_t{c} << 8 * at;
      CHECK((fg::detail::not_plain_json(word) == 0) == fg::detail::is_plain_json(static_cast<unsigned char>(c)));
    }
}

TEST_CASE("a word of characters at the edges of what is plain") {
  // Neighbours must not be carried into one another: every pair, and words at random.
  const unsigned char edges[] = {0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0x1f, 0x22, 0x5c, 0x7f, 0x80, 0xa0, 0xff, 0x00};
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    std::uint64_t word = 0;
    bool plain = true;
    const std::uint64_t bound = i % 2 == 0 ? 6 : sizeof edges;  // the first six are plain
    for (int at = 0; at < 8; ++at) {
      const unsigned char c = edges[random() % bound];
      word = word << 8 | c;
      plain = plain && fg::detail::is_plain_json(c);
    }
    REQUIRE((fg::detail::not_plain_json(word) == 0) == plain);
  }
}

TEST_CASE("texts of every length, plain and with one character that is not") {
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (std::size_t size = 0; size <= letters.size(); ++size) {
    const std::string plain = letters.substr(0, size);
    CHECK(text(plain) == plain);
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = plain;
      other[at] = '\n';
      CHECK(text(other) == plain.substr(0, at) + "\\n" + plain.substr(at + 1));
    }
  }
}

TEST_CASE("what is escaped, alone and in a string") {
  CHECK(text("\"\\/\n\r\t\x01\x1f\x7f") == R"(\"\\/\n\r\t\u0001\u001f\u007f)");
  CHECK(text(std::string_view("\0", 1)) == "\\u0000");
  CHECK(text("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80") == "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(text("a\xff\xc0\x80"
             "b") ==
        "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "b");
  CHECK(text<json_place::in_string>("\"\\/\n\r\t\x01\x7f") == R"(\\\"\\\\/\\n\\r\\t\\u0001\\u007f)");
  CHECK(text<json_place::in_string>("\xc3\xbc\xff") == "\xc3\xbc\xef\xbf\xbd");
  // All of it to be escaped: memory grows on the way.
  const std::string much(10000, '\x02');
  CHECK(text<json_place::in_string>(much).size() == 70000);
  CHECK(text(std::string(10000, '\xff')).size() == 30000);
}

TEST_CASE("a value's text: common/README.md, AnyValue representation for non-OTLP protocols") {
  CHECK(value_text({}).empty());
  CHECK(value_text("hello world") == "hello world");
  CHECK(value_text("") == "");
  CHECK(value_text(true) == "true");
  CHECK(value_text(false) == "false");
  CHECK(value_text(42) == "42");
  CHECK(value_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(value_text(3.14159) == "3.14159");
  CHECK(value_text(2.0) == "2");
  CHECK(value_text(-0.0) == "-0.0");
  CHECK(value_text(-1.7976931348623157e308) == "-1.7976931348623157e+308");
  CHECK(value_text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(value_text(std::numeric_limits<double>::infinity()) == "Infinity");
  CHECK(value_text(-std::numeric_limits<double>::infinity()) == "-Infinity");
  const std::string_view hello = "hello world";
  const auto* first = reinterpret_cast<const std::byte*>(hello.data());
  const fg::bytes octets(first, first + hello.size());
  CHECK(value_text(octets) == "aGVsbG8gd29ybGQ=");
  CHECK(value_text(values{}) == "[]");
  CHECK(value_text(values{1, -std::numeric_limits<double>::infinity(), "a", true, entries{{"nested", octets}}}) ==
        R"([1,\"-Infinity\",\"a\",true,{\"nested\":\"aGVsbG8gd29ybGQ=\"}])");
  CHECK(value_text(entries{}) == "{}");
  CHECK(value_text(entries{{"a", -std::numeric_limits<double>::infinity()}, {"b", 2}, {"c", values{3, {}}}}) ==
        R"({\"a\":\"-Infinity\",\"b\":2,\"c\":[3,null]})");
  CHECK(value_text(values{"say \"x\"\n"}) == R"([\"say \\\"x\\\"\\n\"])");
}

TEST_CASE("the same alone") {
  CHECK(json({}) == "null");
  CHECK(json("a\"") == R"("a\"")");
  CHECK(json(values{1.5, std::numeric_limits<double>::quiet_NaN(), values{false}}) == R"([1.5,"NaN",[false]])");
  CHECK(json(entries{{"\n", "\n"}}) == R"({"\n":"\n"})");
}

TEST_CASE("unsigned integers, which only a record holds") {
  const std::uint64_t large = std::numeric_limits<std::uint64_t>::max(), small = 7;
  CHECK(packed_text(large) == "18446744073709551615");
  CHECK(packed_text(small) == "7");
  // As the owned value has it: text where no signed integer can hold it.
  const std::vector<std::uint64_t> both{large, small};
  CHECK(packed_text(both) == R"([\"18446744073709551615\",7])");
}

TEST_CASE("a key stands once, with its last value") {
  CHECK(json(entries{{"a", 1}, {"b", 2}, {"a", 3}}) == R"({"b":2,"a":3})");
  CHECK(json(entries{{"\xff", 1}, {"\xfe", 2}}) == "{\"\xef\xbf\xbd\":2}");
  entries many;
  for (int i = 0; i < 40; ++i) many.push_back({std::to_string(i % 20), i});
  const std::string written = json(many);
  CHECK(written.starts_with(R"({"0":20,"1":21,)"));
  CHECK(written.ends_with(R"("19":39})"));
}

TEST_CASE("values nested too deep end in an empty one") {
  fg::attribute_value deep = 1;
  for (int i = 0; i < 1000; ++i) {
    deep = fg::attribute_value(values{deep});
    deep = fg::attribute_value(entries{{"k", deep}});
  }
  const std::string written = json(deep);
  CHECK(written.size() < 1000);
  CHECK(written.find("null") != std::string::npos);
}

namespace {

std::string appended(fg::attribute_value const& value) {
  std::string out = "before ";
  fg::detail::append_json_value(out, fg::detail::owned_value_view(value));
  REQUIRE(out.starts_with("before "));
  return out.substr(7);
}

/// From a value as it lies in a record.
std::string appended_packed(fg::value_view const& value) {
  std::vector<std::byte> packed(fg::detail::packed_size(value));
  fg::detail::write_value(packed.data(), value);
  std::string out;
  fg::detail::append_json_value(out, fg::packed_value(fg::detail::packed_type(value), packed.data()));
  return out;
}

using values = std::vector<fg::attribute_value>;
using entries = std::vector<fg::attribute>;

}  // namespace

TEST_CASE("values appended to a text") {
  CHECK(appended({}) == "null");
  CHECK(appended(true) == "true");
  CHECK(appended(false) == "false");
  CHECK(appended(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(appended(0.1) == "0.1");
  CHECK(appended(std::numeric_limits<double>::quiet_NaN()) == "\"NaN\"");
  CHECK(appended(-std::numeric_limits<double>::infinity()) == "\"-Infinity\"");
  CHECK(appended("a\"\n\xff") == "\"a\\\"\\n\xef\xbf\xbd\"");
  CHECK(appended(fg::bytes{std::byte{1}, std::byte{255}}) == "\"Af8=\"");
  CHECK(appended(values{}) == "[]");
  CHECK(appended(entries{}) == "{}");
  CHECK(appended(values{1, "b", values{}, entries{{"k", {}}}}) == "[1,\"b\",[],{\"k\":null}]");
  CHECK(appended(entries{{"a\"", values{true}}, {"", 2.5}}) == "{\"a\\\"\":[true],\"\":2.5}");
}

TEST_CASE("values of a record appended to a text") {
  const std::vector<std::uint64_t> numbers{7, ~std::uint64_t{0}};
  CHECK(appended_packed(numbers) == "[7,\"18446744073709551615\"]");
  const values nested{values{1, 2}, entries{{"k", "v"}}};
  CHECK(appended_packed(fg::attribute_value(nested)) == "[[1,2],{\"k\":\"v\"}]");
}

TEST_CASE("what is nested too deep is null, appended to a text") {
  fg::attribute_value value = 1;
  for (int i = 0; i < 70; ++i) value = values{value};
  const std::string text = appended(value);
  CHECK(text == std::string(64, '[') + "null" + std::string(64, ']'));
}

#include <fulgurite/encoder/text_value.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace fulgurite;

namespace {
constexpr std::int64_t ms = 1'000'000, second = 1'000'000'000;
}

TEST_CASE("durations and times") {
  CHECK(format_duration(0) == "0 ns");
  CHECK(format_duration(999) == "999 ns");
  CHECK(format_duration(1000) == "1.00 µs");
  CHECK(format_duration(12'340) == "12.3 µs");
  CHECK(format_duration(999'499) == "999 µs");
  CHECK(format_duration(999'500) == "1.00 ms");
  CHECK(format_duration(1'234 * ms) == "1.23 s");
  CHECK(format_duration(119 * second) == "119 s");
  CHECK(format_duration(150 * second) == "2 min 30 s");
  CHECK(format_duration(9000 * second) == "2.5 h");
  CHECK(format_duration(-5 * ms) == "-5.00 ms");
  CHECK(format_time(1544712660123456789) == "2018-12-13 14:51:00.123 UTC");
  CHECK(format_time(-1) == "1969-12-31 23:59:59.999 UTC");
  CHECK(format_time(std::numeric_limits<std::int64_t>::max()) == "2262-04-11 23:47:16.854 UTC");
  CHECK(format_time(std::numeric_limits<std::int64_t>::min()) == "1677-09-21 00:12:43.145 UTC");
}

TEST_CASE("values") {
  using list = std::vector<attribute_value>;
  using map = std::vector<attribute>;
  CHECK(format_value("text", 100) == "text");
  CHECK(format_value("two\nlines", 100) == "two\\nlines");
  CHECK(format_value(true, 100) == "true");
  CHECK(format_value(std::numeric_limits<std::int64_t>::min(), 100) == "-9223372036854775808");
  CHECK(format_value(0.1, 100) == "0.1");
  CHECK(format_value({}, 100) == "null");
  CHECK(format_value(bytes{std::byte{0xab}, std::byte{1}}, 100) == "0xab01");
  CHECK(format_value(map{{"a", list{1, "b", {}}}}, 100) == "{a: [1, \"b\", null]}");
}

TEST_CASE("a long value is cut to the width, and not written whole before") {
  CHECK(format_value(std::string(1'000'000, 'x'), 10) == "xxxxxxxxx…");
  CHECK(format_value(bytes(1'000'000), 10) == "0x0000000…");
  CHECK(format_value(std::vector<attribute_value>(1'000'000, 7), 10) == "[7, 7, 7,…");
  CHECK(format_value(std::vector<attribute>{{std::string(1'000'000, 'k'), 1}}, 10) == "{kkkkkkkk…");
}

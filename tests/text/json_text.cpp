#include <fulgurite/text/json_text.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

using namespace fulgurite::detail;

namespace {
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
std::string real(double number) {
  std::string out;
  append_json_real(out, number);
  return out;
}
}  // namespace

TEST_CASE("strings are escaped") {
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("a\"b\\c/") == "\"a\\\"b\\\\c/\"");
  CHECK(quoted(std::string_view("\0\x01\n\r\t\x1f\x7f", 7)) == "\"\\u0000\\u0001\\n\\r\\t\\u001f\\u007f\"");
  CHECK(quoted("\xc3\xbc\xf0\x9f\x98\x80") == "\"\xc3\xbc\xf0\x9f\x98\x80\"");
  CHECK(quoted("a\xff\"") == "\"a\xef\xbf\xbd\\\"\"");
}

TEST_CASE("numbers") {
  std::string out;
  append_number(out, std::numeric_limits<std::int64_t>::min());
  out += ' ';
  append_number(out, std::numeric_limits<std::uint64_t>::max());
  CHECK(out == "-9223372036854775808 18446744073709551615");
  CHECK(real(0.1) == "0.1");
  CHECK(real(std::nan("")) == "\"NaN\"");
  CHECK(real(INFINITY) == "\"Infinity\"");
  CHECK(real(-INFINITY) == "\"-Infinity\"");
  for (const double number : {1e300, 5e-324, 1.7976931348623157e308, -0.0, 123456789.125})
    CHECK(std::strtod(real(number).c_str(), nullptr) == number);
}

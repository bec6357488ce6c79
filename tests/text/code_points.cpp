#include <fulgurite/text/code_points.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace fulgurite;

namespace {
std::string bytes_of(std::u8string_view text) { return {text.begin(), text.end()}; }
}  // namespace

TEST_CASE("control characters, also those of C1, and what is not UTF-8 become question marks") {
  CHECK(detail::harmless("plain\nGrüße, 漢字, 🙂") == "plain\nGrüße, 漢字, 🙂");
  CHECK(detail::harmless(std::string_view("\0\t\r\x1b[31m\x7f", 9)) == "????[31m?");
  for (int c = 0x80; c < 0xa0; ++c) {
    CAPTURE(c);
    const char byte = static_cast<char>(c);
    CHECK(detail::harmless(std::string("a") + byte + "b") == "a?b");
    CHECK(detail::harmless(std::string("a\xc2") + byte + "b") == "a?b");
  }
  CHECK(detail::harmless(bytes_of(u8"\u00a0")) == bytes_of(u8"\u00a0"));
  CHECK(detail::harmless("a\xff\xc3") == "a??");
  CHECK(detail::harmless("\xe2\x80") == "?");
  CHECK(detail::harmless("").empty());
}

TEST_CASE("what turns the direction of writing becomes a question mark") {
  CHECK(detail::harmless(bytes_of(u8"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")) == "?????????");
  CHECK(detail::harmless(bytes_of(u8"\u200e\u200f\u2028\u2029\u061c")) == "?????");
  CHECK(detail::harmless(bytes_of(u8"\u2027\u202f\u2065\u206a")) == bytes_of(u8"\u2027\u202f\u2065\u206a"));
}

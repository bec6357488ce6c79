#include <fulgurite/text/printable.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace fulgurite;

TEST_CASE("printable text cannot move the cursor") {
  CHECK(printable("plain, Grüße, 漢字, 🙂") == "plain, Grüße, 漢字, 🙂");
  CHECK(printable("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(printable("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m");
  CHECK(printable(std::string_view("\0\x07\x7f", 3)) == "\\x00\\x07\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\x9b31m");  // CSI as one C1 character
  CHECK(printable("a\xe2\x80\xae"
                  "b") == "a\\u202eb");  // turns the direction of writing
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    for (const char shown : printable(std::string(1, static_cast<char>(c))))
      CHECK(static_cast<unsigned char>(shown) >= 0x20);
  }
}

TEST_CASE("what is not UTF-8 becomes U+FFFD, one for each ill-formed part") {
  const std::string fffd = "\xef\xbf\xbd";
  CHECK(printable("\xff") == fffd);
  CHECK(printable("a\xc3") == "a" + fffd);
  CHECK(printable("\xc0\x80") == fffd + fffd);             // overlong
  CHECK(printable("\xed\xa0\x80") == fffd + fffd + fffd);  // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == fffd + fffd + fffd + fffd);
  CHECK(printable("\xe2\x82z") == fffd + "z");
  CHECK(printable(fffd) == fffd);
}

TEST_CASE("what is too wide is cut to the width") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcd…");
  CHECK(printable("漢字漢字", 8) == "漢字漢字");
  CHECK(printable("漢字漢字", 7) == "漢字漢…");
  CHECK(display_width(printable("漢字漢字", 6)) <= 6);
  CHECK(display_width("e\xcc\x81") == 1);
  CHECK(printable("a\nb", 3) == "a…");  // an escape is not cut in two
  CHECK(printable("", 0).empty());
}

TEST_CASE("every code point is read as it was written") {
  // Written by the compiler, not by our encoder.
  const std::u32string points = U"\x01\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff";
  const std::u8string text = u8"\x01\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff";
  std::string_view rest(reinterpret_cast<const char*>(text.data()), text.size());
  for (const char32_t expected : points) {
    REQUIRE_FALSE(rest.empty());
    CHECK(detail::take_code_point(rest) == expected);
  }
  CHECK(rest.empty());
}

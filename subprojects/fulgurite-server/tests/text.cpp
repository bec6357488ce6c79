#include "text.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <string>

using namespace fulgurite_server;

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

TEST_CASE("what is not UTF-8 becomes U+FFFD, byte by byte") {
  const std::string fffd = "\xef\xbf\xbd";
  CHECK(printable("\xff") == fffd);
  CHECK(printable("a\xc3") == "a" + fffd);
  CHECK(printable("\xc0\x80") == fffd + fffd);             // overlong
  CHECK(printable("\xed\xa0\x80") == fffd + fffd + fffd);  // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == fffd + fffd + fffd + fffd);
  CHECK(printable("\xe2\x82z") == fffd + fffd + "z");
}

TEST_CASE("what is too wide is cut to the width") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcd…");
  CHECK(printable("漢字漢字", 8) == "漢字漢字");
  CHECK(printable("漢字漢字", 7) == "漢字漢…");
  CHECK(display_width(printable("漢字漢字", 6)) <= 6);
  CHECK(display_width("e\xcc\x81") == 1);
}

TEST_CASE("a JSON string is one for a JSON parser") {
  const std::string text = std::string("quote\" back\\ \n\t\x01 \x7f Grüße 🙂 ") + '\0';
  std::string json;
  append_json_string(json, text);
  simdjson::dom::parser parser;
  std::string_view read;
  REQUIRE(parser.parse(json).get_string().get(read) == simdjson::SUCCESS);
  CHECK(read == text);
  json.clear();
  append_json_string(json, "\xff");
  CHECK(json == "\"\xef\xbf\xbd\"");
}

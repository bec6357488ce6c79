#include <fulgurite/text/utf8.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace fulgurite::detail;

TEST_CASE("ascii is recognised at every length and a high byte at every place") {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, 'a');
    CHECK(is_ascii(text.data(), text.size()));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      CHECK_FALSE(is_ascii(text.data(), text.size()));
      text[at] = '\x7f';
    }
  }
}

TEST_CASE("well-formed text stays as it is") {
  for (const char* text : {"", "plain", "\xc2\x80", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbd"}) {
    CHECK(is_utf8(text));
    CHECK(to_utf8(text) == text);
  }
}

// The right-hand sides are what CPython's bytes.decode('utf-8', 'replace') gives; the first is Unicode 15, table 3-8.
TEST_CASE("ill-formed parts are replaced one by one") {
  const std::string r = "\xef\xbf\xbd";
  CHECK(to_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(to_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41") == r + r + r + r + r + r + r + r + "A");
  CHECK(to_utf8("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42") == r + r + r + r + r + "A" + r + r + "B");
  CHECK(to_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41") == r + r + r + r + "A");
  CHECK(to_utf8("\xe2\x82") == r);
  CHECK(to_utf8("a\xff") == "a" + r);
  CHECK_FALSE(is_utf8("abcdefghijklmnop\xff"));
}

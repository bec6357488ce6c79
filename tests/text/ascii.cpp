#include <fulgurite/text/ascii.hpp>

#include <doctest/doctest.h>

using fulgurite::detail::equal_ignoring_case;
using fulgurite::detail::lower_case;

TEST_CASE("the case of ASCII letters does not count, and nothing else is a letter") {
  CHECK(equal_ignoring_case("", ""));
  CHECK(equal_ignoring_case("Content-TYPE", "content-type"));
  CHECK_FALSE(equal_ignoring_case("content-type", "content_type"));
  CHECK_FALSE(equal_ignoring_case("ab", "abc"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));  // 0x20 apart, as letters are
  CHECK_FALSE(equal_ignoring_case("@", "`"));
  CHECK_FALSE(equal_ignoring_case("\xc3\x84", "\xc3\xa4"));
  CHECK(lower_case('A') == 'a');
  CHECK(lower_case('Z') == 'z');
  CHECK(lower_case('a') == 'a');
  CHECK(lower_case('[') == '[');
  CHECK(lower_case('\xc4') == '\xc4');
}

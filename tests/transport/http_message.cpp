#include <fulgurite/transport/http_message.hpp>

#include <doctest/doctest.h>

#include <string_view>

using fulgurite::detail::is_valid_header;

TEST_CASE("which headers may be sent") {
  CHECK(is_valid_header("X-Key", "value with \t and \xc3\xbc"));
  CHECK(is_valid_header("a", ""));
  CHECK_FALSE(is_valid_header("", "v"));
  CHECK_FALSE(is_valid_header("X Key", "v"));
  CHECK_FALSE(is_valid_header("X:Key", "v"));
  CHECK_FALSE(is_valid_header("X", "a\r\nB: c"));
  CHECK_FALSE(is_valid_header("X", std::string_view("a\0b", 3)));
}

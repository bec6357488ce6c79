#include <fulgurite/text/percent.hpp>

#include <doctest/doctest.h>

#include <string>

using fulgurite::detail::append_percent_octet;
using fulgurite::detail::percent_decode;
using fulgurite::detail::percent_octets;

TEST_CASE("percent-encoded octets") {
  CHECK(percent_octets("a%20b%2Fc%2f") == "a b/c/");
  CHECK(percent_octets("%00%ff") == std::string("\0\xff", 2));
  CHECK(percent_octets("") == "");
}

TEST_CASE("a percent sign without two digits stands for itself, and is noticed") {
  for (const char* const text : {"%", "100%", "%4", "%g1", "%1g", "a%%41"}) {
    CAPTURE(text);
    std::string out = "what was there before";
    CHECK_FALSE(percent_decode(text, out));
    CHECK(out == (std::string(text) == "a%%41" ? "a%A" : text));
  }
  std::string out;
  CHECK(percent_decode("%41%62", out));
  CHECK(out == "Ab");
}

TEST_CASE("percent signs for octets") {
  std::string out = "x";
  append_percent_octet(out, 'A');
  append_percent_octet(out, '\xff');
  append_percent_octet(out, '\0');
  CHECK(out == "x%41%FF%00");
}

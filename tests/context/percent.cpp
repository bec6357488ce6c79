#include <fulgurite/context/percent.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace fulgurite::detail;

TEST_CASE("octets for percent signs") {
  CHECK(percent_octets("") == "");
  CHECK(percent_octets("a%41%7e%7E+") == "aA~~+");
  CHECK(percent_octets("%00%ff") == std::string("\0\xff", 2));
  CHECK(percent_octets("%%41") == "%A");
  CHECK(percent_octets("%2541") == "%41");
  for (const char* as_it_is : {"%", "%4", "a%", "%zz", "%4z", "%z4"}) CHECK(percent_octets(as_it_is) == as_it_is);
}

TEST_CASE("percent signs for octets") {
  std::string out = "x";
  append_percent_octet(out, 'A');
  append_percent_octet(out, '\xff');
  append_percent_octet(out, '\0');
  CHECK(out == "x%41%FF%00");
}

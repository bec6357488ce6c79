#include <fulgurite/text/hex.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace fulgurite::detail;

TEST_CASE("every digit of either case, and nothing else") {
  const std::string lower = "0123456789abcdef", upper = "0123456789ABCDEF";
  unsigned digits = 0;
  for (int c = -128; c < 128; ++c) digits += hex_digit(static_cast<char>(c)) < 16 ? 1U : 0U;
  CHECK(digits == 22);
  for (unsigned i = 0; i < 16; ++i) {
    CHECK(hex_digit(lower[i]) == i);
    CHECK(hex_digit(upper[i]) == i);
  }
}

TEST_CASE("a word goes out and comes back") {
  std::string text = "x";
  append_hex(text, 0x0123'4567'89ab'cdefU);
  CHECK(text == "x0123456789abcdef");
  std::uint64_t word = 7;
  CHECK(parse_hex("FFfe", word));
  CHECK(word == 0xfffe);
  CHECK_FALSE(parse_hex("12g4", word));
  CHECK(word == 0xfffe);
}

TEST_CASE("octets are two digits") {
  std::string text;
  for (const int octet : {0x00, 0x0f, 0xa0, 0xff}) append_hex_octet(text, static_cast<unsigned char>(octet));
  CHECK(text == "000fa0ff");
}

#include <fulgurite/text/fast_hex.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace detail = fulgurite::detail;

TEST_CASE("16 digits are written as printf writes them, and read back") {
  std::uint64_t number = 1;
  for (int i = 0; i < 10'000; ++i) {
    number = number * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t sample = number >> (i % 64);
    char expected[17];
    std::snprintf(expected, sizeof expected, "%016llx", static_cast<unsigned long long>(sample));
    char written[16];
    detail::write_16_digits(sample, written);
    REQUIRE(std::string(written, 16) == expected);
    std::uint64_t bad = 0;
    REQUIRE(detail::read_16_digits(written, bad) == sample);
    REQUIRE(bad == 0);
  }
}

TEST_CASE("every other character is found, wherever it stands") {
  for (int place = 0; place < 16; ++place)
    for (int c = 0; c < 256; ++c) {
      std::string text = "0123456789abcdef";
      text[static_cast<std::size_t>(place)] = static_cast<char>(c);
      std::uint64_t bad = 0;
      detail::read_16_digits(text.data(), bad);
      CAPTURE(place);
      CAPTURE(c);
      REQUIRE((bad == 0) == ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')));
    }
}

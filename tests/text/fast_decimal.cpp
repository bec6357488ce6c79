#include <fulgurite/text/fast_decimal.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace d = fulgurite::detail;

namespace {

std::string eight(std::uint32_t number) {
  char out[8];
  d::write_8_decimals(number, out);
  return {out, sizeof out};
}
std::string microseconds(std::uint64_t number) {
  char out[20];
  return {out, d::write_microseconds(out, number)};
}
std::string decimal(double number) {
  char out[24];
  const char* const end = d::write_short_decimal(out, number);
  return end ? std::string(static_cast<const char*>(out), end) : "another";
}

}  // namespace

TEST_CASE("eight digits") {
  CHECK(eight(0) == "00000000");
  CHECK(eight(99'999'999) == "99999999");
  CHECK(eight(12'345'678) == "12345678");
  // Every number in each half, so every lane's every value.
  for (std::uint32_t i = 0; i < 10000; ++i) {
    const std::string digits = std::to_string(i + 10000).substr(1);
    REQUIRE(eight(i) == "0000" + digits);
    REQUIRE(eight(i * 10000) == digits + "0000");
    REQUIRE(eight(i * 10001) == digits + digits);
  }
}

TEST_CASE("times of any length") {
  std::mt19937_64 random(1);
  CHECK(microseconds(1'700'000'000'123'456) == "1700000000123456");
  std::uint64_t power = 1;
  for (int digits = 0; digits < 20; ++digits, power *= 10)
    for (const std::uint64_t number : {power - 1, power, power + random() % power})
      CHECK(microseconds(number) == std::to_string(number));
  CHECK(microseconds(0) == "0");
  CHECK(microseconds(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("numbers of three places at the most") {
  CHECK(decimal(0) == "0");
  CHECK(decimal(12.5) == "12.5");
  CHECK(decimal(-0.001) == "-0.001");
  CHECK(decimal(0.1) == "0.1");
  CHECK(decimal(0.25) == "0.25");
  CHECK(decimal(-1.05) == "-1.05");
  CHECK(decimal(100) == "100");
  CHECK(decimal(999'999'999'999.999) == "999999999999.999");
  CHECK(decimal(-999'999'999'999.999) == "-999999999999.999");
  for (const double other : {-0.0, 0.0001, 1.0 / 3, 1e12, -1e12, 1e300, 5e-324, 0.1 + 0.2, std::nextafter(12.5, 13.0),
                             999'999'999'999.9999, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    CHECK(decimal(other) == "another");
}

TEST_CASE("what is written reads back as the same number, and is the shortest text that does") {
  std::mt19937_64 random(2);
  int written = 0;
  for (int i = 0; i < 200'000; ++i) {
    // Thousandths of every size, and their neighbours.
    const auto thousandths = static_cast<double>(random() >> (14 + random() % 50));
    double number = thousandths / 1000;
    if (i % 4 == 0) number = std::nextafter(number, i % 8 == 0 ? 1e300 : -1e300);
    if (i % 3 == 0) number = -number;
    char shortest[400];
    const std::string expected(
        shortest, std::to_chars(shortest, shortest + sizeof shortest, number, std::chars_format::fixed).ptr);
    const std::string text = decimal(number);
    if (text == "another") continue;
    ++written;
    REQUIRE(text == expected);
  }
  CHECK(written > 100'000);
}

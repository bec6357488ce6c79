// Decimal digits, eight at a time, and the floating-point numbers that people write: what JSON is full of.
//
// `std::to_chars` takes 14 instructions a digit for an integer and 800 for a `double`; a time in microseconds has
// sixteen digits, and most numbers that are not whole have few places. Eight digits lie in one word, each in its own
// byte, and are divided together, as in text/fast_hex.hpp.
#pragma once

#include <fulgurite/text/fast_hex.hpp>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Writes 8 digits. `number` is below 10^8.
inline void write_8_decimals(std::uint32_t number, char* out) noexcept {
  // Two numbers below 10^4, four below 10^2, eight below 10; each product is exact in its lane.
  std::uint64_t x = number / 10000 | std::uint64_t{number % 10000} << 32;
  const std::uint64_t hundreds = (x * 10486 >> 20) & 0x0000'007f'0000'007fU;
  x = hundreds | (x - hundreds * 100) << 16;
  const std::uint64_t tens = (x * 103 >> 10) & 0x000f'000f'000f'000fU;
  x = little_endian((tens | (x - tens * 10) << 8) + every_byte * '0');
  std::memcpy(out, &x, 8);
}

/// Writes a time in microseconds; returns where it ended. It has 16 digits from 2001 to 2286. There is room for 20.
inline char* write_microseconds(char* out, std::uint64_t number) noexcept {
  constexpr std::uint64_t half = 100'000'000;
  const std::uint64_t first = number / half;
  if (first < half / 10 || first >= half) [[unlikely]]
    return std::to_chars(out, out + 20, number).ptr;
  write_8_decimals(static_cast<std::uint32_t>(first), out);
  write_8_decimals(static_cast<std::uint32_t>(number % half), out + 8);
  return out + 16;
}

/// Writes a number of three places at the most, and of fifteen digits in all; null if it is another one. There is room
/// for 24.
inline char* write_short_decimal(char* out, double number) noexcept {
  if (!(number > -1e12 && number < 1e12)) return nullptr;
  const auto thousandths = static_cast<std::int64_t>(number * 1000 + (number < 0 ? -0.5 : 0.5));
  // A quotient of integers is rounded as a text is read: the text then reads back as the number. And no shorter one
  // does, for texts of fifteen digits are read as different numbers.
  const double read = static_cast<double>(thousandths) / 1000;
  if (std::bit_cast<std::uint64_t>(read) != std::bit_cast<std::uint64_t>(number)) return nullptr;  // so not for -0
  if (thousandths < 0) *out++ = '-';
  const auto size = static_cast<std::uint64_t>(thousandths < 0 ? -thousandths : thousandths);
  out = std::to_chars(out, out + 20, size / 1000).ptr;
  const auto places = static_cast<std::uint32_t>(size % 1000);
  if (places == 0) return out;
  out[0] = '.';
  out[1] = static_cast<char>('0' + places / 100);
  out[2] = static_cast<char>('0' + places / 10 % 10);
  out[3] = static_cast<char>('0' + places % 10);
  return out + (places % 10 != 0 ? 4 : places % 100 != 0 ? 3 : 2);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

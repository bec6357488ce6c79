// Sixteen hexadecimal digits at a time, without a table and without a branch: what propagators read and write ids with.
//
// Eight digits that are read lie in one word and are worked on together, each in its own byte. The tricks keep every
// byte's sum below 256, so that nothing is carried into the next one. The sixteen that are written lie in a vector.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::uint64_t every_byte = 0x0101'0101'0101'0101U;

/// The word whose least significant byte comes first in memory.
inline std::uint64_t little_endian(std::uint64_t word) noexcept {
  if constexpr (std::endian::native == std::endian::little)
    return word;
  else
    return __builtin_bswap64(word);
}

/// Reads 8 digits, lower case only. What is no such digit leaves a bit in `bad`.
inline std::uint64_t read_8_digits(const char* text, std::uint64_t& bad) noexcept {
  std::uint64_t c = 0;
  std::memcpy(&c, text, 8);
  c = little_endian(c);
  constexpr std::uint64_t high = every_byte * 0x80;
  const std::uint64_t low = c & ~high;
  // The high bit of each byte says: at least '0', more than '9', at least 'a', more than 'f'.
  const std::uint64_t digit = (low + every_byte * (0x80 - '0')) & ~(low + every_byte * (0x7f - '9'));
  const std::uint64_t letter = (low + every_byte * (0x80 - 'a')) & ~(low + every_byte * (0x7f - 'f'));
  bad |= (c | ~(digit | letter)) & high;
  std::uint64_t value = (c & every_byte * 0x0f) + 9 * (c >> 6 & every_byte);
  value = __builtin_bswap64(value);
  value = (value | value >> 4) & 0x00ff'00ff'00ff'00ffU;
  value = (value | value >> 8) & 0x0000'ffff'0000'ffffU;
  return (value | value >> 16) & 0xffff'ffffU;
}

/// Reads 16 digits, lower case only, as W3C Trace Context wants them. What is no such digit leaves a bit in `bad`.
inline std::uint64_t read_16_digits(const char* text, std::uint64_t& bad) noexcept {
  const std::uint64_t first = read_8_digits(text, bad);
  return first << 32 | read_8_digits(text + 8, bad);
}

/// Writes 16 lower-case digits.
[[gnu::always_inline]] inline void write_16_digits(std::uint64_t number, char* out) noexcept {
  typedef signed char sixteen __attribute__((vector_size(16)));
  typedef std::uint64_t two __attribute__((vector_size(16)));
  // The first byte in memory is the most significant one; its upper half is the first digit.
  const std::uint64_t bytes = little_endian(__builtin_bswap64(number));
  const auto upper = reinterpret_cast<sixteen>(two{bytes >> 4 & every_byte * 0x0f, 0});
  const auto lower = reinterpret_cast<sixteen>(two{bytes & every_byte * 0x0f, 0});
  sixteen digits = __builtin_shufflevector(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  digits += '0' + (reinterpret_cast<sixteen>(digits > 9) & ('a' - '0' - 10));
  std::memcpy(out, &digits, sizeof digits);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

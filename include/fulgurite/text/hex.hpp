// Hexadecimal digits: of identifiers, octets, hashes. Sixteen at a time for the hot path: text/fast_hex.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr const char* hex_digits = "0123456789abcdef";

/// The value of a hexadecimal digit of either case, or 16 when it is none.
constexpr unsigned hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

/// Reads up to 16 hexadecimal digits into a host-order word; false when one of them is no digit.
constexpr bool parse_hex(std::string_view text, std::uint64_t& word) noexcept {
  std::uint64_t result = 0;
  for (const char c : text) {
    const unsigned digit = hex_digit(c);
    if (digit > 15) return false;
    result = result << 4 | digit;
  }
  word = result;
  return true;
}

/// Writes 16 lower-case hexadecimal digits.
constexpr void write_hex(std::uint64_t word, char* out) noexcept {
  for (int shift = 60; shift >= 0; shift -= 4) *out++ = hex_digits[word >> shift & 15];
}
/// Appends them.
inline void append_hex(std::string& out, std::uint64_t word) {
  char digits[16];
  write_hex(word, digits);
  out.append(digits, sizeof digits);
}

/// Appends two lower-case digits.
inline void append_hex_octet(std::string& out, unsigned char octet) {
  out += hex_digits[octet >> 4];
  out += hex_digits[octet & 15];
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

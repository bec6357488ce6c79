// The pieces that JSON is written from: strings, numbers, base64, appended to a `std::string`.
//
// Reading JSON is simdjson's (where it is needed); writing it is what encoders do, and needs only the standard library.
// The same pieces for memory that grows are in encoder/json_writer.hpp.
#pragma once

#include <fulgurite/text/base64.hpp>
#include <fulgurite/text/fast_decimal.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/utf8.hpp>

#include <bit>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Whether a byte stands in a JSON string as it is (RFC 8259, 7). Bytes of longer UTF-8 sequences are checked apart.
constexpr bool is_plain_json(unsigned char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// Whether JSON is written by itself, or into a JSON string, where its quotes and escapes are escaped once more.
enum class json_place : bool { alone, in_string };

/// The longest escape of a character, in a string in a string.
inline constexpr std::size_t max_json_escape = 7;

/// Writes the escape of a character below 0x80 that does not stand as it is; returns where it ended.
template <json_place Place = json_place::alone>
inline char* write_json_escape(char* out, unsigned char c) noexcept {
  *out++ = '\\';
  if constexpr (Place == json_place::in_string) *out++ = '\\';
  const auto letter = [&](char second) {
    *out++ = second;
    return out;
  };
  switch (c) {
    case '"':
    case '\\':
      if constexpr (Place == json_place::in_string) *out++ = '\\';
      return letter(static_cast<char>(c));
    case '\n':
      return letter('n');
    case '\r':
      return letter('r');
    case '\t':
      return letter('t');
    default:
      out[0] = 'u';
      out[1] = out[2] = '0';
      out[3] = hex_digits[c >> 4];
      out[4] = hex_digits[c & 15];
      return out + 5;
  }
}

/// Appends a quoted string. Control characters are escaped; what is no UTF-8 becomes U+FFFD.
inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain_json(static_cast<unsigned char>(text[plain]))) ++plain;
    out.append(text, at, plain - at);
    if (plain == text.size()) break;
    at = plain;
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      const utf8_step step = next_character(text, at);
      out.append(step.valid ? text.substr(at, step.size) : replacement_character);
      at += step.size;
      continue;
    }
    ++at;
    char escape[max_json_escape];
    out.append(escape, write_json_escape(escape, c));
  }
  out += '"';
}

/// The longest text of a number.
inline constexpr std::size_t max_number_text = 32;

/// Writes a number in decimal; returns where it ended.
template <std::integral Integer>
inline char* write_number(char* out, Integer number) noexcept {
  return std::to_chars(out, out + max_number_text, number).ptr;
}
/// Writes the shortest text that reads back as the same number. `number` is finite.
inline char* write_number(char* out, double number) noexcept {
  if (number == 0 && std::bit_cast<std::uint64_t>(number) != 0) {
    for (const char c : std::string_view("-0.0")) *out++ = c;  // many readers take `-0` for an integer
    return out;
  }
  if (char* const end = write_short_decimal(out, number)) return end;
  return std::to_chars(out, out + max_number_text, number).ptr;
}

template <class Number>
inline void append_number(std::string& out, Number number) {
  char digits[max_number_text];
  out.append(digits, write_number(digits, number));
}

/// Appends a number, or in quotes `NaN`, `Infinity` or `-Infinity`: the JSON mapping of protobuf.
inline void append_json_real(std::string& out, double number) {
  if (number - number == 0) return append_number(out, number);
  out += number != number ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// The pieces that JSON is written from: strings, numbers, base64, appended to a `std::string`.
//
// Reading JSON is simdjson's (where it is needed); writing it is what encoders do, and needs only the standard library.
#pragma once

#include <fulgurite/diagnostics/base64.hpp>
#include <fulgurite/encoder/utf8.hpp>

#include <bit>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Whether a byte stands in a JSON string as it is (RFC 8259, 7). Bytes of longer UTF-8 sequences are checked apart.
constexpr bool is_plain_json(unsigned char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

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
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += "0123456789abcdef"[c >> 4];
        out += "0123456789abcdef"[c & 15];
    }
  }
  out += '"';
}

template <std::integral Integer>
inline void append_number(std::string& out, Integer number) {
  char digits[24];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

/// Appends the shortest text that reads back as the same number. `number` is finite.
inline void append_number(std::string& out, double number) {
  if (number == 0 && std::bit_cast<std::uint64_t>(number) != 0)
    return void(out += "-0.0");  // many readers take `-0` for an integer
  char digits[40];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

/// Appends a number, or in quotes `NaN`, `Infinity` or `-Infinity`: the JSON mapping of protobuf.
inline void append_json_real(std::string& out, double number) {
  if (number - number == 0) return append_number(out, number);
  out += number != number ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// The pieces that JSON is written from: strings, numbers, base64; and the same appended to a `std::string`.
//
// Reading JSON is simdjson's (where it is needed); writing it is what encoders do, and needs only the standard library.
#pragma once

#include <fulgurite/encoder/utf8.hpp>

#include <algorithm>
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

/// Calls `append(std::string_view)` with the pieces of a text as it stands between the quotes of a JSON string: control
/// characters are escaped; what is no UTF-8 becomes U+FFFD.
template <class Append>
inline void escape_json(std::string_view text, Append&& append) {
  std::size_t start = 0, at = 0;  // what lies between goes out as it is
  const auto replace = [&](std::size_t size, std::string_view by) {
    append(text.substr(start, at - start));
    append(by);
    start = at += size;
  };
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (is_plain_json(c)) {
      ++at;
    } else if (c >= 0x80) {
      const utf8_step step = next_character(text, at);
      if (step.valid)
        at += step.size;
      else
        replace(step.size, replacement_character);
    } else if (c == '"') {
      replace(1, "\\\"");
    } else if (c == '\\') {
      replace(1, "\\\\");
    } else if (c == '\n') {
      replace(1, "\\n");
    } else if (c == '\r') {
      replace(1, "\\r");
    } else if (c == '\t') {
      replace(1, "\\t");
    } else {
      const char code[] = {'\\', 'u', '0', '0', "01234567"[c >> 4], "0123456789abcdef"[c & 15]};
      replace(1, {code, sizeof code});
    }
  }
  append(text.substr(start));
}

/// Appends a quoted string.
inline void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  escape_json(text, [&out](std::string_view piece) { out += piece; });
  out += '"';
}

/// What the longest number takes, with the quotes of one that is none.
inline constexpr std::size_t longest_json_number = 32;

/// Writes a number in decimal; there is room for it.
template <std::integral Integer>
inline char* write_number(char* out, Integer number) noexcept {
  return std::to_chars(out, out + longest_json_number, number).ptr;
}

/// Writes the shortest text that reads back as the same number; `NaN`, `Infinity` or `-Infinity` in quotes: the JSON
/// mapping of protobuf. There is room for it.
inline char* write_json_real(char* out, double number) noexcept {
  const auto word = [out](std::string_view text) { return std::copy(text.begin(), text.end(), out); };
  if (number - number != 0) return word(number != number ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  // Many readers take `-0` for an integer.
  if (number == 0 && std::bit_cast<std::uint64_t>(number) != 0) return word("-0.0");
  return std::to_chars(out, out + longest_json_number, number).ptr;
}

template <std::integral Integer>
inline void append_number(std::string& out, Integer number) {
  char digits[longest_json_number];
  out.append(digits, write_number(digits, number));
}

/// Appends a number as `write_json_real` does.
inline void append_json_real(std::string& out, double number) {
  char digits[longest_json_number];
  out.append(digits, write_json_real(digits, number));
}

constexpr std::size_t base64_size(std::size_t octets) noexcept { return (octets + 2) / 3 * 4; }

/// Writes octets in base64 with padding (RFC 4648, 4), without quotes; there is room for them.
inline char* write_base64(char* out, std::string_view octets) noexcept {
  constexpr const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto octet = [&](std::size_t i) -> std::uint32_t {
    return i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0U;
  };
  for (std::size_t i = 0; i < octets.size(); i += 3) {
    const std::uint32_t group = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
    *out++ = alphabet[group >> 18];
    *out++ = alphabet[group >> 12 & 63];
    *out++ = i + 1 < octets.size() ? alphabet[group >> 6 & 63] : '=';
    *out++ = i + 2 < octets.size() ? alphabet[group & 63] : '=';
  }
  return out;
}

/// Appends octets in base64.
inline void append_base64(std::string& out, std::string_view octets) {
  const std::size_t before = out.size();
  out.resize(before + base64_size(octets.size()));
  write_base64(out.data() + before, octets);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

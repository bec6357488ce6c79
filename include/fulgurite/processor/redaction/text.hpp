// What detectors share: a range of a text, classes of characters, and one quick look at a text that tells most
// detectors that they need not look.
#pragma once

#include <fulgurite/text/ascii.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// Octets of a text, from `begin` up to but not including `end`; empty: nothing was found.
struct text_range {
  std::size_t begin = 0, end = 0;

  constexpr bool empty() const noexcept { return begin == end; }
  constexpr explicit operator bool() const noexcept { return begin != end; }
  friend constexpr bool operator==(text_range, text_range) noexcept = default;
};

/// What a text has, learned in one pass.
struct text_look {
  enum : std::uint16_t {
    at_sign = 1,
    percent = 2,
    colon = 4,
    dot = 8,
    dash = 16,
    underscore = 32,
    slash = 64,
    letter_b = 128,
    letter_z = 256,
    capital_a = 512,
    capital_j = 1024,
    capital_s = 2048,
    digit = 0x8000
  };
  std::size_t size = 0;
  std::size_t digits = 0;
  unsigned has = 0;

  constexpr bool has_any(unsigned of) const noexcept { return (has & of) != 0; }
  constexpr bool has_all(unsigned of) const noexcept { return (has & of) == of; }
};

namespace detail {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) noexcept { return is_lower(c) || is_upper(c); }
constexpr bool is_alphanumeric(char c) noexcept { return is_digit(c) || is_letter(c); }
constexpr bool is_hex_digit(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_not_ascii(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
/// Spaces, line ends and control characters.
constexpr bool is_space(char c) noexcept { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }
/// The alphabet of base64url.
constexpr bool is_base64url(char c) noexcept { return is_alphanumeric(c) || c == '-' || c == '_'; }

/// Whether `word`, in lower case, stands there in any case.
constexpr bool has_word_at(std::string_view text, std::size_t at, std::string_view word) noexcept {
  return equal_ignoring_case(text.substr(at, word.size()), word);
}

/// Whether a word may begin there: after what is no letter and no digit, after a percent-encoded octet (`%3D`), after
/// an escape in quoted text (`\n`).
constexpr bool is_word_start(std::string_view text, std::size_t at) noexcept {
  if (at == 0 || !is_alphanumeric(text[at - 1])) return true;
  if (at >= 3 && text[at - 3] == '%' && is_hex_digit(text[at - 2]) && is_hex_digit(text[at - 1])) return true;
  return at >= 2 && text[at - 2] == '\\' && std::string_view("nrtbf").find(text[at - 1]) != std::string_view::npos;
}

/// Where a run of characters of a kind ends that begins there.
template <class Is>
constexpr std::size_t end_of_run(std::string_view text, std::size_t at, Is is) noexcept {
  while (at < text.size() && is(text[at])) ++at;
  return at;
}

inline constexpr std::array<std::uint16_t, 256> text_classes = [] {
  std::array<std::uint16_t, 256> classes{};
  for (unsigned char c = '0'; c <= '9'; ++c) classes[c] = text_look::digit;
  classes['@'] = text_look::at_sign;
  classes['%'] = text_look::percent;
  classes[':'] = text_look::colon;
  classes['.'] = text_look::dot;
  classes['-'] = text_look::dash;
  classes['_'] = text_look::underscore;
  classes['/'] = text_look::slash;
  classes['b'] = classes['B'] = text_look::letter_b;
  classes['z'] = classes['Z'] = text_look::letter_z;
  classes['A'] = text_look::capital_a;
  classes['J'] = text_look::capital_j;
  classes['S'] = text_look::capital_s;
  return classes;
}();

constexpr text_look look_at(std::string_view text) noexcept {
  text_look look{text.size()};
  for (const char c : text) {
    const unsigned of = text_classes[static_cast<unsigned char>(c)];
    look.has |= of;
    look.digits += of >> 15;
  }
  return look;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

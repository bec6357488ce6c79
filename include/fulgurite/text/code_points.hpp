// Text read character by character, and which characters must not reach a terminal as they are.
//
// In the lowest folder, because the library's own log shows what backends say; text/utf8.hpp (what is sent) and
// text/printable.hpp (what is shown of spans) build on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// One step through a text.
struct utf8_step {
  /// Of a well-formed character, or of the maximal part that is to be replaced; at least 1.
  std::size_t size;
  bool valid;
};

/// The character at `at`, which lies inside of `text`.
inline utf8_step next_character(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xbf;  // of the second byte: excludes overlong forms, surrogates, above U+10FFFF
  if (lead >= 0xc2 && lead <= 0xdf)
    length = 2;
  else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else
    return {1, false};
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {length, true};
}

/// How many bytes from the start are well-formed.
inline std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const utf8_step step = next_character(text, at);
    if (!step.valid) return at;
    at += step.size;
  }
  return at;
}

inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";
inline constexpr char32_t replacement_code_point = 0xfffd;

/// A copy in which each maximal part that is not well-formed is replaced.
inline std::string to_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size() + 8);
  for (std::size_t at = 0; at < text.size();) {
    const utf8_step step = next_character(text, at);
    clean.append(step.valid ? text.substr(at, step.size) : replacement_character);
    at += step.size;
  }
  return clean;
}

/// Takes one code point off the front of a text that is not empty; U+FFFD for what is not well-formed.
inline char32_t take_code_point(std::string_view& text) noexcept {
  const utf8_step step = next_character(text, 0);
  const unsigned lead = static_cast<unsigned char>(text[0]);
  char32_t c = step.size == 1 ? lead : lead & (0x7fU >> step.size);
  for (std::size_t i = 1; i < step.size; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(step.size);
  return step.valid ? c : replacement_code_point;
}

/// Whether a character is a control character of ASCII (C0, DEL) or of ISO 8859 (C1).
constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/// Whether a character changes the direction of writing or ends a line.
constexpr bool turns_text(char32_t c) noexcept {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x2028 ||
         c == 0x2029 || c == 0x061c;
}

/// Whether a character must not reach a terminal as it is.
constexpr bool moves_terminal(char32_t c) noexcept { return is_control(c) || turns_text(c); }

/// What a backend or an exception says must not move a terminal's cursor: each character that could, and each part that
/// is not UTF-8, becomes a question mark. Line ends stay.
inline std::string harmless(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const utf8_step step = next_character(text, 0);
    const std::string_view character = text.substr(0, step.size);
    const char32_t c = take_code_point(text);
    if (step.valid && (c == '\n' || !moves_terminal(c)))
      shown += character;
    else
      shown += '?';
  }
  return shown;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// UTF-8 in what is sent: protobuf and JSON strings must be valid, whatever bytes a program put into an attribute.
//
// What is not well-formed becomes U+FFFD, one for each maximal part of an ill-formed sequence (Unicode 15, 3.9, table
// 3-7 and "U+FFFD substitution of maximal subparts"), which is what Python's `decode('utf-8', 'replace')` does, too.
// Almost all text is ASCII, so that is asked first, 16 bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";

/// Whether every byte is below 0x80.
[[gnu::always_inline]] inline bool is_ascii(const char* text, std::size_t size) noexcept {
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U;
  const auto word = [text](std::size_t at) {
    std::uint64_t read;
    std::memcpy(&read, text + at, sizeof read);
    return read;
  };
  if (size >= 8) {
    // The last word overlaps what was read before, so that no byte is read alone.
    std::uint64_t seen = word(size - 8);
    std::size_t at = 0;
    for (; at + 16 <= size; at += 16) {
      seen |= word(at) | word(at + 8);
      if ((seen & high_bits) != 0) return false;
    }
    if (at + 8 <= size) seen |= word(at);
    return (seen & high_bits) == 0;
  }
  unsigned char seen = 0;
  for (std::size_t at = 0; at < size; ++at)
    seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(text[at]));
  return seen < 0x80;
}

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

inline bool is_utf8(std::string_view text) noexcept {
  return is_ascii(text.data(), text.size()) || valid_utf8_prefix(text) == text.size();
}

/// A copy in which what is not well-formed is replaced.
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

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

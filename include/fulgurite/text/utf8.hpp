// UTF-8 in what is sent: protobuf and JSON strings must be valid, whatever bytes a program put into an attribute.
//
// What is not well-formed becomes U+FFFD, one for each maximal part of an ill-formed sequence (Unicode 15, 3.9, table
// 3-7 and "U+FFFD substitution of maximal subparts"), which is what Python's `decode('utf-8', 'replace')` does, too.
// Almost all text is ASCII, so that is asked first, 16 bytes at a time.
#pragma once

#include <fulgurite/text/code_points.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

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

inline bool is_utf8(std::string_view text) noexcept {
  return is_ascii(text.data(), text.size()) || valid_utf8_prefix(text) == text.size();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

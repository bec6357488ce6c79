// Octets as text: base64 with the standard alphabet (RFC 4648, 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// How many characters octets take in base64.
constexpr std::size_t base64_size(std::size_t octets) noexcept { return (octets + 2) / 3 * 4; }

/// Writes octets in base64 with padding, without quotes; returns where it ended.
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
inline void append_base64(std::string& out, std::string_view octets) {
  const std::size_t at = out.size();
  out.resize(at + base64_size(octets.size()));
  write_base64(out.data() + at, octets);
}

/// Reads base64 with or without its padding; nothing when it is something else. Bits left over in the last character
/// are not looked at.
inline std::optional<std::string> base64_decoded(std::string_view text) {
  std::size_t padding = 0;
  while (!text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.size() % 4 == 1 || (padding != 0 && (text.size() + padding) % 4 != 0) || padding > 2) return std::nullopt;
  std::string octets;
  octets.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<std::uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9')
      value = static_cast<std::uint32_t>(c - '0' + 52);
    else if (c == '+' || c == '/')
      value = c == '+' ? 62 : 63;
    else
      return std::nullopt;
    group = group << 6 | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      octets += static_cast<char>(group >> bits & 0xff);
    }
  }
  return octets;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

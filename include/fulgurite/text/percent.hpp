// Octets written as `%41`: in baggage, in URLs, in gRPC's messages.
#pragma once

#include <fulgurite/text/hex.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Octets for `%41` (RFC 3986, 2.1), which need not be text. False where a percent sign has no two digits behind it; it
/// then stands for itself.
inline bool percent_decode(std::string_view text, std::string& out) {
  bool whole = true;
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const unsigned high = i + 2 < text.size() ? hex_digit(text[i + 1]) : 16;
      const unsigned low = i + 2 < text.size() ? hex_digit(text[i + 2]) : 16;
      if (high < 16 && low < 16) {
        out += static_cast<char>(high << 4 | low);
        i += 2;
        continue;
      }
      whole = false;
    }
    out += text[i];
  }
  return whole;
}
inline std::string percent_octets(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  percent_decode(text, decoded);
  return decoded;
}

/// `%41` for `A`.
inline void append_percent_octet(std::string& out, char c) {
  const auto octet = static_cast<unsigned char>(c);
  out += '%';
  out += "0123456789ABCDEF"[octet >> 4];
  out += "0123456789ABCDEF"[octet & 15];
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

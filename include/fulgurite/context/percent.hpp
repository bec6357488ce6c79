// Percent-encoding (RFC 3986, 2.1), octet by octet: `%41` is `A`. Who uses it says which octets need it, and what those
// that come out of it must be.
#pragma once

#include <fulgurite/context/ids.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The octets that a text stands for. A percent sign without two digits stands for itself.
inline std::string percent_octets(std::string_view text) {
  std::string octets;
  octets.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const unsigned high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 16 && low < 16) {
        octets += static_cast<char>(high << 4 | low);
        i += 2;
        continue;
      }
    }
    octets += text[i];
  }
  return octets;
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

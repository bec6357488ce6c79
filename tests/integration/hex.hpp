// Octets as hexadecimal digits: how the programs here and their scripts hand any text to each other.
#pragma once

#include <fulgurite/context/ids.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite_test {

inline std::string to_hex(std::string_view text) {
  std::string hex;
  for (const char c : text) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

inline std::string from_hex(std::string_view hex) {
  std::string text;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    text += static_cast<char>(fulgurite::detail::hex_digit(hex[i]) << 4 | fulgurite::detail::hex_digit(hex[i + 1]));
  return text;
}

}  // namespace fulgurite_test

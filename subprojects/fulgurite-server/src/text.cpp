#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fulgurite_server {
namespace {

constexpr char32_t replacement = 0xfffd;

std::size_t width_of(char32_t c) noexcept {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (in(0x300, 0x36f) || in(0x200b, 0x200d) || in(0xfe00, 0xfe0f) || in(0x20d0, 0x20ff) || c == 0xfeff) return 0;
  if (in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) || in(0xf900, 0xfaff) || in(0xfe30, 0xfe6f) ||
      in(0xff00, 0xff60) || in(0xffe0, 0xffe6) || in(0x1f300, 0x1f64f) || in(0x1f680, 0x1f6ff) ||
      in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd))
    return 2;
  return 1;
}

/// The replacement of a character that must not reach a terminal; empty for all others.
std::string escape(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  const bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f ||
                     c == 0x2028 || c == 0x2029 || c == 0x061c;
  return turns ? fmt::format("\\u{:04x}", static_cast<unsigned>(c)) : std::string();
}

}  // namespace

char32_t take_code_point(std::string_view& text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) {
    text.remove_prefix(1);
    return replacement;
  }
  char32_t c = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      text.remove_prefix(1);
      return replacement;
    }
    c = c << 6 | (byte(i) & 0x3fU);
  }
  const bool valid =
      !(length == 3 && c < 0x800) && !(length == 4 && (c < 0x10000 || c > 0x10ffff)) && !(c >= 0xd800 && c <= 0xdfff);
  text.remove_prefix(valid ? length : 1);
  return valid ? c : replacement;
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80U | ((c >> shift) & 0x3fU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0U | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0U | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string printable(std::string_view text, std::size_t max_width) {
  std::string out;
  std::size_t width = 0, fits = 0;  // `fits`: how much stays when an ellipsis must follow
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    const std::string escaped = escape(c);
    width += escaped.empty() ? width_of(c) : escaped.size();
    if (width > max_width) {
      out.resize(fits);
      return out += "…";
    }
    if (escaped.empty())
      append_utf8(out, c);
    else
      out += escaped;
    if (width < max_width) fits = out.size();
  }
  return out;
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  while (!text.empty()) width += width_of(take_code_point(text));
  return width;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      append_utf8(out, c);
    }
  }
  out += '"';
}

}  // namespace fulgurite_server

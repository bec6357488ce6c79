// Text from anybody made fit for a terminal: one line of valid UTF-8 that moves no cursor and changes no colour.
//
// Span names, keys and values come from users of the traced program. Shown as they are they could clear a screen, hide
// a line or reverse the direction of writing, so whatever the project prints of a span goes through here.
#pragma once

#include <fulgurite/text/code_points.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Columns of one code point. Coarse: whole blocks of Unicode, as terminals mostly agree on them.
constexpr std::size_t width_of(char32_t c) noexcept {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (in(0x300, 0x36f) || in(0x200b, 0x200d) || in(0xfe00, 0xfe0f) || in(0x20d0, 0x20ff) || c == 0xfeff) return 0;
  const bool wide = in(0x1100, 0x115f) || in(0x2e80, 0xa4cf) || in(0xac00, 0xd7a3) || in(0xf900, 0xfaff) ||
                    in(0xfe30, 0xfe6f) || in(0xff00, 0xff60) || in(0xffe0, 0xffe6) || in(0x1f300, 0x1f64f) ||
                    in(0x1f680, 0x1f6ff) || in(0x1f900, 0x1f9ff) || in(0x20000, 0x3fffd);
  return wide ? 2 : 1;
}

/// What stands for a character that must not reach a terminal; empty for all others.
inline std::string terminal_escape(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (!moves_terminal(c)) return {};
  const bool control = is_control(c);
  std::string text = control ? "\\x" : "\\u";
  for (int shift = control ? 4 : 12; shift >= 0; shift -= 4) text += hex_digits[c >> shift & 15U];
  return text;
}

}  // namespace detail

/// One line that cannot move the cursor or change a colour: line ends as `\n`, other control characters as `\x1b`,
/// characters that turn the direction of writing as `\u202e`, what is not UTF-8 as U+FFFD. With more than `max_width`
/// columns it is cut and ends in an ellipsis.
inline std::string printable(std::string_view text, std::size_t max_width = std::string_view::npos) {
  std::string out;
  std::size_t width = 0, fits = 0;  // `fits`: how much stays when an ellipsis must follow
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t c = detail::take_code_point(text);
    const std::string escaped = detail::terminal_escape(c);
    width += escaped.empty() ? detail::width_of(c) : escaped.size();
    if (width > max_width) {
      out.resize(fits);
      return out += "…";
    }
    if (!escaped.empty())
      out += escaped;
    else if (c == detail::replacement_code_point)
      out += detail::replacement_character;
    else
      out += before.substr(0, before.size() - text.size());
    if (width < max_width) fits = out.size();
  }
  return out;
}

/// Columns on a terminal: 0 for combining characters, 2 for wide ones.
inline std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  while (!text.empty()) width += detail::width_of(detail::take_code_point(text));
  return width;
}

}  // namespace v1
}  // namespace fulgurite

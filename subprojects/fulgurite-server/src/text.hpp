// Text from strangers made fit to show: valid UTF-8, no control characters, its width on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite_server {

/// Takes one code point off the front; U+FFFD for each byte that begins none.
char32_t take_code_point(std::string_view& text) noexcept;
void append_utf8(std::string& out, char32_t code_point);

/// One line that cannot move the cursor or change a colour: line ends as `\n`, other control characters as `\x1b`,
/// characters that turn the direction of writing as `\u202e`, what is not UTF-8 as U+FFFD. With more than `max_width`
/// columns it is cut and ends in an ellipsis.
std::string printable(std::string_view text, std::size_t max_width = std::string_view::npos);

/// Columns on a terminal: 0 for combining characters, 2 for wide ones.
std::size_t display_width(std::string_view text) noexcept;

/// A JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace fulgurite_server

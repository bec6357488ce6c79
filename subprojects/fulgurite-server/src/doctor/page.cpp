#include "page.hpp"

#include <fulgurite/platform/terminal.hpp>
#include <fulgurite/text/printable.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace fulgurite_server {
namespace {

constexpr std::size_t mark_indent = 2, text_indent = 11;

std::string painted(bool coloured, const char* code, std::string_view text) {
  return coloured && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string_view word_of(mark how) { return how == mark::ok ? "ok" : how == mark::failed ? "failed" : "skipped"; }
const char* colour_of(mark how) { return how == mark::ok ? "32" : how == mark::failed ? "31" : "2"; }

}  // namespace

page page::of_stdout() {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  return {fulgurite::detail::shows_colours(stdout), terminal ? fulgurite::detail::columns_of(stdout) : 0};
}

std::string page::heading(std::string_view text, std::string_view small) const {
  return painted(coloured, "1", text) + (small.empty() ? "" : "  " + dim(small)) + "\n";
}

std::string page::line(mark how, std::string_view text) const {
  const std::string_view word = word_of(how);
  const std::string gap(text_indent - mark_indent - word.size(), ' ');
  return std::string(mark_indent, ' ') + painted(coloured, colour_of(how), word) + gap +
         wrapped(text, text_indent, width) + "\n";
}

std::string page::below(std::string_view text) const {
  return std::string(text_indent, ' ') + wrapped(text, text_indent, width) + "\n";
}

std::string page::sentence(std::string_view text) const {
  return std::string(mark_indent, ' ') + wrapped(text, mark_indent, width) + "\n";
}

std::string page::verdict(mark how, std::string_view text) const {
  return painted(coloured,
                 how == mark::ok       ? "1;32"
                 : how == mark::failed ? "1;31"
                                       : "1",
                 wrapped(text, 0, width)) +
         "\n";
}

std::string page::dim(std::string_view text) const { return painted(coloured, "2", text); }

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  if (width <= indent + 20) return std::string(text);
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const std::size_t columns = fulgurite::display_width(word);
    if (column > indent && column + 1 + columns > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns;
    text.remove_prefix(word.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return out;
}

}  // namespace fulgurite_server

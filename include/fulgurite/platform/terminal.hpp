// What a stream's terminal can show: whether colours, and how many columns.
#pragma once

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Whether a stream is a terminal whose user has nothing against colours: `NO_COLOR` is unset or empty
/// (https://no-color.org), `TERM` is not `dumb`.
inline bool shows_colours(std::FILE* stream) noexcept {
  if (!stream || isatty(fileno(stream)) != 1) return false;
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return !(no_color && *no_color) && !(terminal && std::string_view(terminal) == "dumb");
}

/// Columns of the terminal; 100 where there is none, and where it is too narrow for a tree.
inline std::size_t columns_of(std::FILE* stream) noexcept {
  winsize size = {};
  if (stream && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) return size.ws_col;
  return 100;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// How the doctor's report looks: headings, lines with a mark before them, what belongs to a line below it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite_server {

/// How a check went.
enum class mark { ok, failed, skipped };

struct page {
  bool coloured = false;
  /// Columns at which sentences are broken; 0: never.
  std::size_t width = 0;

  /// Of standard output: coloured and broken on a terminal only.
  static page of_stdout();

  /// `Heading  small print`
  std::string heading(std::string_view text, std::string_view small = {}) const;
  /// `  failed   what it is about`
  std::string line(mark how, std::string_view text) const;
  /// What to know about the line above.
  std::string below(std::string_view text) const;
  /// A sentence of its own.
  std::string sentence(std::string_view text) const;
  std::string verdict(mark how, std::string_view text) const;
  /// Less important.
  std::string dim(std::string_view text) const;
};

/// Text broken at spaces, at most `width` columns wide with `indent` spaces before all lines but the first, which
/// begins at column `indent`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace fulgurite_server

// Letters of ASCII, whose case does not count in names of headers, of levels and of schemes.
#pragma once

#include <cstddef>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

constexpr char lower_case(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Equal but for the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  if (a == b) return true;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && lower_case(a[i]) != lower_case(b[i])) return false;
  return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

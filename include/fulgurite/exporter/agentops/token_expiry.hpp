// When a bearer token runs out, as far as it says so itself: a JSON Web Token (RFC 7519) has its end in `exp`.
//
// Nothing is verified, for nothing is decided by it but when to ask for another.
#pragma once

#include <fulgurite/text/base64.hpp>
#include <fulgurite/text/flat_json.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Seconds since the Unix epoch; nothing for what is no such token, or says nothing of its end.
inline std::optional<std::int64_t> token_expiry(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view rest = token.substr(first + 1);
  const std::size_t second = rest.find('.');
  if (second == std::string_view::npos) return std::nullopt;
  std::string claims(rest.substr(0, second));
  for (char& c : claims) c = c == '-' ? '+' : c == '_' ? '/' : c;  // base64url (RFC 4648, 5)
  const std::optional<std::string> text = base64_decoded(claims);
  const std::optional<text_members> members = text ? read_json_members(*text) : std::nullopt;
  if (!members) return std::nullopt;
  const std::string_view expiry = find_member(*members, "exp");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expiry.data(), expiry.data() + expiry.size(), seconds);
  if (error != std::errc() || seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

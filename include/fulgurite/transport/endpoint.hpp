// The address of a backend: `http://host:port/path` taken apart, or a sentence that says what is wrong with it.
#pragma once

#include <fulgurite/text/ascii.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct http_endpoint {
  bool tls = false;
  /// A name, an IPv4 address, or an IPv6 address without brackets.
  std::string host = {};
  std::uint16_t port = 0;
  /// With the query, exactly as it was given; `/` when there was none.
  std::string path = "/";

  /// The host as it stands in a URL.
  std::string bracketed_host() const { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }
  /// For messages: without the query, which may hold a key.
  std::string to_text() const {
    return (tls ? "https://" : "http://") + bracketed_host() + ":" + std::to_string(port) +
           path.substr(0, path.find('?'));
  }
};

/// Takes a URL apart (RFC 3986); returns what is wrong with it, or an empty text. The sentence does not repeat the URL:
/// a wrong one may hold a password.
inline std::string parse_endpoint(std::string_view url, http_endpoint& out) {
  const auto begins_with = [&](std::string_view prefix) {
    return equal_ignoring_case(url.substr(0, prefix.size()), prefix);
  };
  if (url.empty()) return "the endpoint is empty";
  for (const char c : url)
    if (c <= ' ' || c >= 0x7f) return "the endpoint holds a space or a character that is not printable ASCII";
  http_endpoint made;
  if (begins_with("https://"))
    made.tls = true;
  else if (!begins_with("http://"))
    return "the endpoint must begin with http:// or https://";
  url.remove_prefix(made.tls ? 8 : 7);
  if (url.find('#') != std::string_view::npos) return "the endpoint must not have a fragment (#...)";
  const std::size_t slash = url.find_first_of("/?");
  std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) {
    made.path = url.substr(slash);
    if (made.path.front() == '?') made.path.insert(0, "/");
  }
  if (authority.find('@') != std::string_view::npos)
    return "the endpoint must not hold a user name or password; send them in a header";
  std::string_view host = authority, port;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return "the endpoint's IPv6 address has no closing bracket";
    host = authority.substr(1, bracket - 1);
    if (host.find(':') == std::string_view::npos) return "the endpoint's brackets hold no IPv6 address";
    port = authority.substr(bracket + 1);
    if (!port.empty() && port.front() != ':') return "the endpoint has text between the IPv6 address and the port";
  } else {
    const std::size_t colon = authority.find(':');
    host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
    if (port.find(':', 1) != std::string_view::npos) return "the endpoint's IPv6 address must stand in brackets";
  }
  if (host.empty()) return "the endpoint has no host";
  for (const char c : host) {
    const char l = lower_case(c);
    if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':' || c == '%'))
      return "the endpoint's host holds a character that no host name has";
  }
  made.host = host;
  made.port = made.tls ? 443 : 80;
  if (!port.empty()) {
    std::uint32_t number = 0;
    port.remove_prefix(1);
    for (const char c : port) {
      if (c < '0' || c > '9' || number > 65535) return "the endpoint's port is not a number from 1 to 65535";
      number = number * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (number == 0 || number > 65535) return "the endpoint's port is not a number from 1 to 65535";
    made.port = static_cast<std::uint16_t>(number);
  }
  out = made;
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

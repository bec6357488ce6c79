// An HTTP proxy between here and a backend: its address, and who goes through it.
//
// The variables are those that curl, Go and Python agree on: `https_proxy` or `http_proxy` by the endpoint's scheme,
// the lower-case name before the upper-case one, `HTTP_PROXY` in upper case never (a CGI server sets it from a
// request's header), and `no_proxy` for the hosts that are reached without.
#pragma once

#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/percent.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Without a host: none. The password is never logged.
struct http_proxy {
  std::string host = {};
  std::uint16_t port = 0;
  std::string user = {}, password = {};

  bool is_used() const noexcept { return !host.empty(); }
};

/// Takes `http://user:password@host:port` apart, of which only the host must be there; returns what is wrong with it,
/// or an empty text. The sentence does not repeat the address: it may hold a password. An empty address is none.
inline std::string parse_proxy(std::string_view url, http_proxy& out) {
  out = {};
  if (url.empty()) return {};
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    if (!equal_ignoring_case(url.substr(0, scheme), "http")) return "a proxy's address must begin with http://";
    url.remove_prefix(scheme + 3);
  }
  http_proxy made;
  const std::size_t at = url.substr(0, url.find('/')).rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    const std::size_t colon = who.find(':');
    made.user = percent_octets(who.substr(0, colon));
    if (colon != std::string_view::npos) made.password = percent_octets(who.substr(colon + 1));
    url.remove_prefix(at + 1);
  }
  http_endpoint place;
  if (std::string problem = parse_endpoint("http://" + std::string(url), place); !problem.empty())
    return "a proxy's address is wrong: " + problem;
  if (place.path != "/") return "a proxy's address has no path";
  made.host = place.host;
  made.port = place.port;
  out = made;
  return {};
}

/// Whether `no_proxy` names this host: `*`, or between commas a name, which holds for what is below it too, or an
/// address; a port may follow.
inline bool is_without_proxy(std::string_view no_proxy, http_endpoint const& to) {
  while (!no_proxy.empty()) {
    const std::size_t comma = no_proxy.find(',');
    std::string_view entry = no_proxy.substr(0, comma);
    no_proxy.remove_prefix(comma == std::string_view::npos ? no_proxy.size() : comma + 1);
    while (!entry.empty() && (entry.front() == ' ' || entry.front() == '\t')) entry.remove_prefix(1);
    while (!entry.empty() && (entry.back() == ' ' || entry.back() == '\t')) entry.remove_suffix(1);
    if (entry == "*") return true;
    const std::size_t colon = entry.rfind(':');
    if (colon != std::string_view::npos && entry.find(':') == colon) {
      if (entry.substr(colon + 1) != std::to_string(to.port)) continue;
      entry = entry.substr(0, colon);
    }
    if (!entry.empty() && entry.front() == '.') entry.remove_prefix(1);
    if (entry.empty() || entry.size() > to.host.size()) continue;
    const std::string_view host = to.host;
    if (!equal_ignoring_case(host.substr(host.size() - entry.size()), entry)) continue;
    if (entry.size() == host.size() || host[host.size() - entry.size() - 1] == '.') return true;
  }
  return false;
}

/// The proxy that the environment names for this endpoint, as text; empty: none. `lookup(name)` gives a variable's text
/// or a null pointer.
template <class Lookup>
std::string proxy_from_environment(http_endpoint const& to, Lookup&& lookup) {
  const auto text_of = [&](const char* lower, const char* upper) -> std::string_view {
    for (const char* const name : {lower, upper})
      if (const char* const text = name ? lookup(name) : nullptr; text && *text) return text;
    return {};
  };
  const std::string_view url = to.tls ? text_of("https_proxy", "HTTPS_PROXY") : text_of("http_proxy", nullptr);
  if (url.empty() || is_without_proxy(text_of("no_proxy", "NO_PROXY"), to)) return {};
  return std::string(url);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

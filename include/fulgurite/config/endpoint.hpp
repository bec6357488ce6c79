// Addresses: their parts, what may be shown of them, and which protocol an OTLP address speaks.
//
// `OTLP_ENDPOINT` may be gRPC's or HTTP's. What `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` or `OTEL_EXPORTER_OTLP_PROTOCOL`
// say decides; unsaid, an address with a path or on port 4318 is HTTP, and any other is gRPC. An HTTP address without a
// path gets `/v1/traces`.
#pragma once

#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The parts of `scheme://user@host:port/path?query`, as they stand; the port is the scheme's where none is given.
struct endpoint_parts {
  std::string_view scheme, user, host, path, query;
  std::uint16_t port = 0;
};

/// Jaeger's agent (scheme names ignore case: RFC 3986, 3.1).
inline bool is_udp(endpoint_parts const& parts) noexcept { return equal_ignoring_case(parts.scheme, "udp"); }

/// Empty for what is not such an address: no host, a port that is none, a space or a control character anywhere.
inline std::optional<endpoint_parts> split_endpoint(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c >= 0x7f) return std::nullopt;
  endpoint_parts parts;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  parts.scheme = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 3);
  const std::size_t end = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  const std::size_t query = rest.find_first_of("?#");
  parts.path = rest.substr(0, query);
  if (query != std::string_view::npos) parts.query = rest.substr(query);

  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user = authority.substr(0, at);
    authority = authority.substr(at + 1);
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    parts.host = authority.substr(0, authority.find(':'));
    port = authority.substr(parts.host.size());
  }
  if (parts.host.empty()) return std::nullopt;
  if (port.empty()) {
    parts.port = equal_ignoring_case(parts.scheme, "https") ? 443 : is_udp(parts) ? 6831 : 80;
    return parts;
  }
  if (port.front() != ':') return std::nullopt;
  port.remove_prefix(1);
  const auto [last, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (error != std::errc() || last != port.data() + port.size() || parts.port == 0) return std::nullopt;
  return parts;
}

/// What an exporter over HTTP takes.
inline bool is_http_endpoint(std::string_view text) {
  http_endpoint parsed;
  return parse_endpoint(text, parsed).empty();
}

/// An address without what may be a secret in it: the user's name and password, which in a wrong one may hold any
/// character, the query and the fragment.
inline std::string without_secrets(std::string_view endpoint) {
  std::string shown(endpoint);
  std::size_t first = shown.find("://");
  first = first == std::string::npos ? shown.find(":/") : first + 3;
  if (first == std::string::npos) first = 0;
  // In the path of a good address an @ is no end of a password.
  if (const std::size_t at = shown.rfind('@'); at != std::string::npos && at >= first && !is_http_endpoint(endpoint))
    shown.replace(first, at - first, "********");
  if (const std::size_t rest = shown.find_first_of("?#"); rest != std::string::npos)
    shown.replace(rest + 1, std::string::npos, "********");
  return shown;
}

/// Whether a host is this machine by its name or number.
inline bool is_loopback(std::string_view host) noexcept {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1";
}

/// Whether spans to this address could be read on their way to another machine.
inline bool is_plain_and_remote(std::string_view endpoint) {
  const auto parts = split_endpoint(endpoint);
  return parts && (equal_ignoring_case(parts->scheme, "http") || is_udp(*parts)) && !is_loopback(parts->host);
}

/// Adds `v1/traces` to a base address, with exactly one slash between (OpenTelemetry, protocol/exporter.md).
inline std::string with_traces_path(std::string_view base) {
  const std::size_t query = base.find_first_of("?#");
  std::string url(base.substr(0, query));
  while (url.ends_with('/')) url.pop_back();
  url += "/v1/traces";
  if (query != std::string_view::npos) url += base.substr(query);
  return url;
}

}  // namespace detail

/// Where spans go by OTLP.
struct otlp_target {
  /// `grpc`, `http/protobuf` or `http/json`
  std::string protocol = {};
  /// For HTTP the whole address, with its path.
  std::string url = {};

  friend bool operator==(otlp_target const&, otlp_target const&) = default;
};

/// The protocol and the address that a configuration means.
inline otlp_target otlp_target_of(tracer_config const& config) {
  const std::string unset = tracer_config().otlp_endpoint;
  std::string const& endpoint = config.otlp_endpoint.empty() ? unset : config.otlp_endpoint;
  const auto parts = detail::split_endpoint(endpoint);
  const bool said = !config.otlp_protocol.empty();
  // A lone slash is the path of an address whose protocol was said: OpenTelemetry's per-signal variable is used
  // unchanged.
  const bool has_path = parts && (said ? !parts->path.empty() : parts->path.size() > 1);
  const bool http = said ? config.otlp_protocol != "grpc" : has_path || (parts && parts->port == 4318);
  if (!http) return {"grpc", endpoint};
  const std::string protocol = said ? config.otlp_protocol : "http/protobuf";
  // The default address follows the protocol.
  if (endpoint == unset) return {protocol, "http://localhost:4318/v1/traces"};
  return {protocol, has_path ? endpoint : detail::with_traces_path(endpoint)};
}

}  // namespace v1
}  // namespace fulgurite

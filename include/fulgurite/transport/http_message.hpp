// An HTTP request and what came back, without a library: transport/http.hpp sends the one and gives the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Largest answer that is read, in bytes after decompression (opentelemetry-proto, docs/specification.md).
inline constexpr std::size_t max_http_answer = 4 * 1024 * 1024;

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  const char* method = "POST";
  std::string_view path = "/";
  http_headers const& headers;
  std::span<const std::byte> body = {};
};

struct http_answer {
  enum class failure { none, refused, timed_out, interrupted, disconnected, tls, too_large };

  /// 0 when there was no whole answer; then `error` says why.
  int status = 0;
  std::string body = {}, content_type = {}, retry_after = {};
  /// The `Date` of the answer, as it was sent.
  std::string date = {};
  failure why = failure::none;
  /// In words, without the endpoint and without headers.
  std::string error = {};
  /// The connection had served before: the other side may just have closed it.
  bool reused = false;
};

/// Whether a header may be sent: a token as its name, no control character in its value (RFC 9110, 5).
inline bool is_valid_header(std::string_view name, std::string_view value) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  const auto token = [&](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           others.find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), token) &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' ? c != 0x7f : c == '\t'; });
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// gRPC's own part of a unary call, without a connection: codes, the prefix of a message, metadata, the time limit.
//
// Over HTTP/2 a call is one request whose body is a prefix of five bytes and the message, and whose result is in the
// trailers (grpc/grpc, doc/PROTOCOL-HTTP2.md). transport/grpc_response.hpp puts the answer together,
// transport/grpc.hpp sends.
#pragma once

#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/base64.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// How a call ended (grpc/grpc, doc/statuscodes.md); the numbers go over the wire.
enum class grpc_code : std::uint8_t {
  ok,
  cancelled,
  unknown,
  invalid_argument,
  deadline_exceeded,
  not_found,
  already_exists,
  permission_denied,
  resource_exhausted,
  failed_precondition,
  aborted,
  out_of_range,
  unimplemented,
  internal,
  unavailable,
  data_loss,
  unauthenticated
};

/// The name as gRPC's documents write it.
constexpr std::string_view grpc_code_name(grpc_code code) noexcept {
  constexpr std::array<std::string_view, 17> names{
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return names[static_cast<std::size_t>(code)];
}

/// The value of `grpc-status`; what is no code is `unknown`, as gRPC's own libraries read it.
constexpr grpc_code parse_grpc_code(std::string_view text) noexcept {
  unsigned number = 0;
  if (text.empty() || text.size() > 2) return grpc_code::unknown;
  for (const char c : text) {
    if (c < '0' || c > '9') return grpc_code::unknown;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number <= 16 ? static_cast<grpc_code>(number) : grpc_code::unknown;
}

/// What the status of an HTTP answer without `grpc-status` means (grpc/grpc, doc/http-grpc-status-mapping.md).
constexpr grpc_code grpc_code_of_http(int status) noexcept {
  switch (status) {
    case 400:
      return grpc_code::internal;
    case 401:
      return grpc_code::unauthenticated;
    case 403:
      return grpc_code::permission_denied;
    case 404:
      return grpc_code::unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return grpc_code::unavailable;
    default:
      return grpc_code::unknown;
  }
}

/// What a reset of the stream means: HTTP/2's error code (RFC 9113, 7) by doc/PROTOCOL-HTTP2.md, Errors.
constexpr grpc_code grpc_code_of_reset(std::uint32_t error) noexcept {
  switch (error) {
    case 0x7:  // REFUSED_STREAM
      return grpc_code::unavailable;
    case 0x8:  // CANCEL
      return grpc_code::cancelled;
    case 0xb:  // ENHANCE_YOUR_CALM
      return grpc_code::resource_exhausted;
    case 0xc:  // INADEQUATE_SECURITY
      return grpc_code::permission_denied;
    default:
      return grpc_code::internal;
  }
}

inline constexpr std::size_t grpc_prefix_size = 5;
/// What the prefix can say of a message's size, in bytes.
inline constexpr std::uint64_t max_grpc_message = 0xffff'ffff;

/// What stands before a message: whether it is compressed, and its size in four bytes, the highest first.
constexpr std::array<std::byte, grpc_prefix_size> grpc_prefix(std::uint32_t size, bool is_compressed) noexcept {
  return {static_cast<std::byte>(is_compressed ? 1 : 0), static_cast<std::byte>(size >> 24),
          static_cast<std::byte>(size >> 16 & 0xff), static_cast<std::byte>(size >> 8 & 0xff),
          static_cast<std::byte>(size & 0xff)};
}

/// The value of `grpc-timeout`: up to eight digits and a unit, the finest that has room for it, never longer than what
/// is left and at least a nanosecond.
inline std::string grpc_timeout(std::chrono::nanoseconds left) {
  constexpr std::int64_t most = 99'999'999;
  constexpr std::pair<std::int64_t, char> units[] = {
      {1, 'n'}, {1'000, 'u'}, {1'000'000, 'm'}, {1'000'000'000, 'S'}, {60'000'000'000, 'M'}, {3'600'000'000'000, 'H'}};
  const std::int64_t count = std::max<std::int64_t>(left.count(), 1);
  for (auto const& [size, unit] : units)
    if (count / size <= most) return std::to_string(count / size) + unit;
  return std::to_string(most) + 'H';
}

/// Names and values that go along with a call. A name that ends in `-bin` has any octets as its value.
using grpc_metadata = std::vector<std::pair<std::string, std::string>>;

inline bool is_binary_metadata(std::string_view name) noexcept {
  return name.size() >= 4 && equal_ignoring_case(name.substr(name.size() - 4), "-bin");
}

/// Whether gRPC can carry it: letters of either case, digits, `_`, `-` and `.` in the name, printable ASCII in the
/// value.
inline bool is_valid_metadata(std::string_view name, std::string_view value) noexcept {
  const auto in_name = [](char c) {
    const char l = lower_case(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  const auto in_value = [](char c) { return c >= ' ' && c <= '~'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), in_name) &&
         (is_binary_metadata(name) || std::all_of(value.begin(), value.end(), in_value));
}

/// Whether a name belongs to the protocol itself, so that nobody's metadata may have it.
inline bool is_reserved_metadata(std::string_view name) noexcept {
  constexpr std::string_view own[] = {"te",         "content-type", "content-length",   "transfer-encoding", "expect",
                                      "connection", "keep-alive",   "proxy-connection", "upgrade",           "accept"};
  return equal_ignoring_case(name.substr(0, 5), "grpc-") ||
         std::any_of(std::begin(own), std::end(own),
                     [&](std::string_view one) { return equal_ignoring_case(name, one); });
}

/// As it stands in the request: the name in lower case, octets in base64.
inline std::pair<std::string, std::string> encoded_metadata(std::string_view name, std::string_view value) {
  std::string key(name), text;
  std::transform(key.begin(), key.end(), key.begin(), [](char c) { return lower_case(c); });
  if (is_binary_metadata(name))
    append_base64(text, value);
  else
    text = value;
  return {std::move(key), std::move(text)};
}

struct grpc_request {
  /// `/package.Service/Method`
  std::string_view path;
  grpc_metadata const& metadata;
  std::span<const std::byte> message = {};
  /// By gzip.
  bool is_compressed = false;
};

struct grpc_answer {
  /// `none`: the other side answered, and what it said is in `code`. `reset`: it gave the call up, and `code` says how.
  /// Of all others `code` is what a gRPC library would have reported.
  enum class failure { none, refused, timed_out, interrupted, disconnected, reset, tls, too_large, not_grpc };

  grpc_code code = grpc_code::unknown;
  /// The other side's words, in UTF-8.
  std::string message = {};
  /// google.rpc.Status in protobuf, empty when there is none.
  std::string details = {};
  /// The message that came back, unpacked; with `ok` only.
  std::string body = {};
  failure why = failure::none;
  /// What went wrong, where the other side has no word for it: in words, without the endpoint and without metadata. It
  /// may hold what the other side sent.
  std::string error = {};
  /// The connection had served before: the other side may just have closed it.
  bool reused = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

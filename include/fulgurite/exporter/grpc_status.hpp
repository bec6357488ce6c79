// What the answer to a gRPC call means for a batch: delivered, worth another attempt, or refused.
//
// The table is OTLP's (opentelemetry-proto, docs/specification.md, OTLP/gRPC Response, Failures): six codes are
// retried, RESOURCE_EXHAUSTED only when the backend says with a RetryInfo that it will recover, all others never.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/transport/grpc_message.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The delay of a google.rpc.RetryInfo in a google.rpc.Status, never negative; nothing when there is none. A RetryInfo
/// that names no delay is one of zero.
inline std::optional<std::chrono::nanoseconds> parse_retry_info(std::string_view status) {
  constexpr std::string_view type = "google.rpc.RetryInfo";
  constexpr std::int64_t longest = 1'000'000'000;  // seconds; what lies beyond is beyond every timeout
  std::optional<std::chrono::nanoseconds> delay;
  for_each_field(status, [&](std::uint64_t field, std::uint64_t, std::string_view detail) {
    if (field != 3) return;
    std::string_view url, value;
    for_each_field(detail, [&](std::uint64_t inner, std::uint64_t, std::string_view content) {
      if (inner == 1) url = content;
      if (inner == 2) value = content;
    });
    // What stands before the last slash says where the type is described.
    if (url.substr(std::min(url.rfind('/') + 1, url.size())) != type) return;
    delay = std::chrono::nanoseconds(0);
    for_each_field(value, [&](std::uint64_t inner, std::uint64_t, std::string_view duration) {
      if (inner != 1) return;
      std::int64_t seconds = 0, nanos = 0;
      for_each_field(duration, [&](std::uint64_t part, std::uint64_t number, std::string_view) {
        if (part == 1) seconds = static_cast<std::int64_t>(number);
        if (part == 2) nanos = static_cast<std::int64_t>(number);
      });
      seconds = std::clamp(seconds, std::int64_t{0}, longest);
      delay = std::chrono::seconds(seconds) +
              std::chrono::nanoseconds(std::clamp(nanos, std::int64_t{0}, std::int64_t{999'999'999}));
    });
  });
  return delay;
}

/// Codes after which the same request may be sent again, whatever else the backend says.
constexpr bool is_retryable_code(grpc_code code) noexcept {
  return code == grpc_code::cancelled || code == grpc_code::deadline_exceeded || code == grpc_code::aborted ||
         code == grpc_code::out_of_range || code == grpc_code::unavailable || code == grpc_code::data_loss;
}

/// Codes that speak of the credentials, the address or a proxy, not of the batch: it may be delivered when that is put
/// right, and a wrong key must not empty a spool.
constexpr bool is_about_access(grpc_code code) noexcept {
  return code == grpc_code::unauthenticated || code == grpc_code::permission_denied || code == grpc_code::unimplemented;
}

/// What a code usually means at this place; null where its name says it.
constexpr const char* meaning_of(grpc_code code) noexcept {
  switch (code) {
    case grpc_code::unauthenticated:
      return "the credentials are missing or wrong";
    case grpc_code::permission_denied:
      return "the credentials do not allow it";
    case grpc_code::unimplemented:
      return "nothing takes OTLP traces by gRPC at this address";
    default:
      return nullptr;
  }
}

/// An answer in words.
inline std::string in_words(grpc_answer const& answer) {
  using failure = grpc_answer::failure;
  if (answer.why != failure::none && answer.why != failure::reset) return for_log(answer.error);
  std::string text(grpc_code_name(answer.code));
  if (const char* const hint = meaning_of(answer.code)) text.append(" (").append(hint).append(")");
  const std::string said = for_log(answer.message.empty() ? answer.error : answer.message);
  return said.empty() ? text : text + ": " + said;
}

/// What kind of failure it was.
constexpr failure_kind kind_of(grpc_answer::failure why, grpc_code code, bool is_retryable) noexcept {
  using failure = grpc_answer::failure;
  switch (why) {
    case failure::none:
    case failure::reset:
      break;
    case failure::refused:
      return failure_kind::unreachable;
    case failure::disconnected:
      return failure_kind::disconnected;
    case failure::too_large:
      return failure_kind::too_large;
    case failure::timed_out:
      return failure_kind::timed_out;
    case failure::interrupted:
      return failure_kind::given_up;
    case failure::tls:
      return failure_kind::tls;
    case failure::not_grpc:
      return failure_kind::address;
  }
  if (code == grpc_code::unauthenticated || code == grpc_code::permission_denied) return failure_kind::access;
  if (code == grpc_code::unimplemented) return failure_kind::address;
  return is_retryable ? failure_kind::unavailable : failure_kind::refused;
}

/// What an attempt came to. `address` stands at the beginning of the reason.
inline attempt judge(grpc_answer const& answer, std::string const& address) {
  using outcome = attempt::outcome;
  using failure = grpc_answer::failure;
  if (answer.why != failure::none && answer.why != failure::reset) {
    const bool again = answer.why == failure::refused || answer.why == failure::disconnected;
    return {.result = again ? outcome::retry : outcome::refused,
            .reason = address + ": " + in_words(answer),
            .kind = kind_of(answer.why, answer.code, again),
            .at_once = answer.reused && answer.why == failure::disconnected,
            .later = again || answer.why != failure::too_large};
  }
  if (answer.code == grpc_code::ok) return {outcome::delivered};
  std::optional<std::chrono::nanoseconds> delay = parse_retry_info(answer.details);
  const bool again = is_retryable_code(answer.code) || (answer.code == grpc_code::resource_exhausted && delay);
  // At least as long as it says: when it names no time, as long as without it.
  if (delay && delay->count() == 0) delay.reset();
  return {.result = again ? outcome::retry : outcome::refused,
          .reason = address + " answered " + in_words(answer),
          .kind = kind_of(answer.why, answer.code, again),
          .retry_after = again ? delay : std::nullopt,
          .later = again || is_about_access(answer.code)};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

// When to try again: pure computation, no clock and no sleep, so that every case is a test.
//
// The rules are OTLP's (opentelemetry-proto, docs/specification.md, Failures and Retryable Response Codes): exponential
// backoff with jitter, `Retry-After` in seconds or as a date, a date in the past meaning now.
#pragma once

#include <fulgurite/delivery/options.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// HTTP status codes after which the same request may be sent again.
constexpr bool is_retryable_status(int status) noexcept {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// Takes a number of one to `digits` digits off the text.
inline std::optional<int> take_number(std::string_view& text, std::size_t digits) noexcept {
  int number = 0;
  std::size_t taken = 0;
  for (; taken < digits && taken < text.size() && text[taken] >= '0' && text[taken] <= '9'; ++taken)
    number = number * 10 + (text[taken] - '0');
  if (taken == 0) return std::nullopt;
  text.remove_prefix(taken);
  return number;
}

inline bool take(std::string_view& text, std::string_view expected) noexcept {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// Seconds since the Unix epoch of an HTTP date in any of its three forms (RFC 9110, 5.6.7):
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
inline std::optional<std::int64_t> parse_http_date(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto take_month = [&]() -> unsigned {
    for (unsigned i = 0; i < months.size(); ++i)
      if (take(text, months[i])) return i + 1;
    return 0;
  };
  const std::size_t day_name = text.find_first_of(", ");
  if (day_name == std::string_view::npos || day_name < 3) return std::nullopt;
  text.remove_prefix(day_name);
  std::optional<int> day, year, hours, minutes, seconds;
  unsigned month = 0;
  const auto take_time = [&] {
    hours = take_number(text, 2);
    if (!take(text, ":")) return false;
    minutes = take_number(text, 2);
    if (!take(text, ":")) return false;
    seconds = take_number(text, 2);
    return hours && minutes && seconds && *hours < 24 && *minutes < 60 && *seconds < 61;
  };
  if (take(text, ", ")) {
    day = take_number(text, 2);
    const bool dashes = take(text, "-");
    if (!dashes && !take(text, " ")) return std::nullopt;
    month = take_month();
    if (!take(text, dashes ? "-" : " ")) return std::nullopt;
    year = take_number(text, dashes ? 2 : 4);
    // Two digits: the century that is not more than 50 years ahead of this one's start.
    if (year && dashes) year = *year + (*year < 70 ? 2000 : 1900);
    if (!take(text, " ") || !take_time() || !take(text, " GMT")) return std::nullopt;
  } else {
    take(text, " ");
    month = take_month();
    if (!take(text, " ")) return std::nullopt;
    take(text, " ");
    day = take_number(text, 2);
    if (!take(text, " ") || !take_time() || !take(text, " ")) return std::nullopt;
    year = take_number(text, 4);
  }
  if (!text.empty() || !day || !year || month == 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86400} + *hours * 3600 + *minutes * 60 +
         *seconds;
}

/// What a `Retry-After` header asks for, at least zero; nothing when it says nothing that can be read. `now` is seconds
/// since the Unix epoch.
inline std::optional<std::chrono::nanoseconds> parse_retry_after(std::string_view text, std::int64_t now) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t longest = 1'000'000'000;  // what lies beyond is beyond every timeout
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    for (const char c : text) seconds = std::min(seconds * 10 + (c - '0'), longest);
    return std::chrono::seconds(seconds);
  }
  const std::optional<std::int64_t> date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::chrono::seconds(std::clamp(*date - now, std::int64_t{0}, longest));
}

/// The pauses between the attempts at one request.
class retry_schedule {
 public:
  using duration = std::chrono::nanoseconds;

  retry_schedule(delivery_options const& options, std::uint64_t seed) noexcept : options_(options), state_(seed) {}

  /// The pause after the attempt that failed just now; nothing when there must be no other. `left` is the time until
  /// the deadline, and a pause that would reach it is none: nothing could be sent after it.
  std::optional<duration> next(duration left, std::optional<duration> asked_for = std::nullopt) noexcept {
    if (++attempts_ >= options_.max_attempts) return std::nullopt;
    // "Now" is obeyed once: said again and again it would use up all attempts in an instant.
    const bool now = asked_for && asked_for->count() == 0;
    const duration pause = asked_for && (!now || attempts_ == 1) ? *asked_for : backoff();
    if (pause >= left) return std::nullopt;
    return pause;
  }
  int attempts() const noexcept { return attempts_; }

 private:
  duration backoff() noexcept {
    duration pause = options_.initial_backoff;
    for (int i = 1; i < attempts_ && pause < options_.max_backoff; ++i) pause *= 2;
    pause = std::min<duration>(pause, options_.max_backoff);
    return duration(static_cast<std::int64_t>(static_cast<double>(pause.count()) *
                                              (1.0 - std::clamp(options_.jitter, 0.0, 1.0) * random())));
  }
  /// From 0 to 1 (splitmix64).
  double random() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
  }

  delivery_options options_;
  std::uint64_t state_;
  int attempts_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

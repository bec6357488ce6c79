// Dates as AWS writes and reads them: seconds since the Unix epoch from and to ISO 8601 in UTC.
//
// The dates of HTTP's own headers are delivery/retry.hpp's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `20150830T123600Z`: the basic form. What lies outside of the years 0 to 9999 becomes the nearest that does not.
inline std::string to_basic_utc(std::int64_t seconds) {
  constexpr std::int64_t first = -62'167'219'200, last = 253'402'300'799, day = 86'400;
  seconds = std::clamp(seconds, first, last);
  const std::int64_t days = (seconds - (seconds % day + day) % day) / day;
  const auto of_day = static_cast<unsigned>(seconds - days * day);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  std::string out;
  const auto digits = [&](unsigned number, unsigned highest) {
    for (; highest != 0; highest /= 10) out += static_cast<char>('0' + number / highest % 10);
  };
  digits(static_cast<unsigned>(static_cast<int>(date.year())), 1000);
  digits(static_cast<unsigned>(date.month()), 10);
  digits(static_cast<unsigned>(date.day()), 10);
  out += 'T';
  digits(of_day / 3600, 10);
  digits(of_day / 60 % 60, 10);
  digits(of_day % 60, 10);
  out += 'Z';
  return out;
}

/// Reads `2015-08-30T12:36:00Z`, with a fraction of a second (which is dropped) or an offset (`+01:00`) if there is one
/// (RFC 3339, 5.6); nothing when it is anything else.
inline std::optional<std::int64_t> parse_utc(std::string_view text) noexcept {
  bool good = true;
  const auto number = [&](std::size_t digits) {
    int value = 0;
    good = good && text.size() >= digits;
    for (std::size_t i = 0; good && i < digits; ++i) {
      good = text[i] >= '0' && text[i] <= '9';
      value = value * 10 + (text[i] - '0');
    }
    if (good) text.remove_prefix(digits);
    return value;
  };
  const auto expect = [&](char either, char other) {
    good = good && !text.empty() && (text.front() == either || text.front() == other);
    if (good) text.remove_prefix(1);
  };
  const int year = number(4);
  expect('-', '-');
  const int month = number(2);
  expect('-', '-');
  const int day = number(2);
  expect('T', 't');
  const int hours = number(2);
  expect(':', ':');
  const int minutes = number(2);
  expect(':', ':');
  const int seconds = number(2);
  if (!good || hours > 23 || minutes > 59 || seconds > 60) return std::nullopt;
  if (text.starts_with('.')) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    if (end == 1) return std::nullopt;
    text.remove_prefix(end);
  }
  std::int64_t offset = 0;
  if (text != "Z" && text != "z") {
    const bool behind = text.starts_with('-');
    expect('+', '-');
    const int offset_hours = number(2);
    expect(':', ':');
    const int offset_minutes = number(2);
    if (!good || !text.empty() || offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    offset = (offset_hours * 60 + offset_minutes) * (behind ? -60 : 60);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86'400} + hours * 3600 + minutes * 60 +
         seconds - offset;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

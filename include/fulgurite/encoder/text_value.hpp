// Values, durations and times as people read them. Needs fmt.
#pragma once

#include <fulgurite/record/attribute_value.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/printable.hpp>

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Appends a value, not yet printable, and stops soon after `limit` bytes: the rest would be cut anyway.
inline void append_value(std::string& out, attribute_value const& value, std::size_t limit, bool quoted) {
  if (out.size() > limit) return;
  // Four bytes a column are enough for any text.
  const auto append_text = [&](std::string const& text) { out.append(text, 0, std::min(text.size(), limit * 4 + 4)); };
  auto const& held = value.as_variant();
  if (const auto* text = std::get_if<std::string>(&held)) {
    if (quoted) out += '"';
    append_text(*text);
    if (quoted) out += '"';
  } else if (const auto* flag = std::get_if<bool>(&held)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<std::int64_t>(&held)) {
    out += fmt::to_string(*integer);
  } else if (const auto* real = std::get_if<double>(&held)) {
    out += fmt::format("{}", *real);
  } else if (const auto* data = std::get_if<bytes>(&held)) {
    out += "0x";
    for (const std::byte byte : *data) {
      if (out.size() > limit) return;
      append_hex_octet(out, std::to_integer<unsigned char>(byte));
    }
  } else if (const auto* array = std::get_if<std::vector<attribute_value>>(&held)) {
    out += '[';
    for (std::size_t i = 0; i < array->size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      append_value(out, (*array)[i], limit, true);
    }
    out += ']';
  } else if (const auto* map = std::get_if<std::vector<attribute>>(&held)) {
    out += '{';
    for (std::size_t i = 0; i < map->size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      append_text((*map)[i].key);
      out += ": ";
      append_value(out, (*map)[i].value, limit, true);
    }
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace detail

/// A value as it is shown after `key=`: text bare, octets in hexadecimal, arrays and maps in the manner of JSON. It is
/// `printable`, and cut after `max_width` columns.
inline std::string format_value(attribute_value const& value, std::size_t max_width) {
  std::string text;
  detail::append_value(text, value, max_width, false);
  return printable(text, max_width);
}

/// `12.3 ms`: three digits and a unit, from nanoseconds to hours. A duration below zero keeps its sign.
inline std::string format_duration(std::int64_t nanoseconds) {
  const double value = static_cast<double>(nanoseconds);
  const double size = value < 0 ? -value : value;
  const auto scaled = [](double number, const char* unit) {
    const double whole = number < 0 ? -number : number;
    return fmt::format("{:.{}f} {}", number, whole < 9.995 ? 2 : whole < 99.95 ? 1 : 0, unit);
  };
  if (size < 1e3) return fmt::format("{} ns", nanoseconds);
  if (size < 999.5e3) return scaled(value / 1e3, "µs");
  if (size < 999.5e6) return scaled(value / 1e6, "ms");
  if (size < 120e9) return scaled(value / 1e9, "s");
  const std::int64_t seconds = nanoseconds / 1'000'000'000;
  if (size < 7200e9) return fmt::format("{} min {} s", seconds / 60, seconds % 60 < 0 ? -(seconds % 60) : seconds % 60);
  return fmt::format("{:.1f} h", value / 3600e9);
}

/// `2026-11-22 10:31:07.123 UTC`, from nanoseconds since the Unix epoch.
inline std::string format_time(std::int64_t nanoseconds_since_epoch) {
  std::int64_t seconds = nanoseconds_since_epoch / 1'000'000'000;
  std::int64_t rest = nanoseconds_since_epoch % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  const auto at = static_cast<time_t>(seconds);
  struct tm parts = {};
  gmtime_r(&at, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest / 1'000'000);
}

}  // namespace v1
}  // namespace fulgurite

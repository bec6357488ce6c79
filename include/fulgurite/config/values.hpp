// A setting's value and its text: reading one from a variable, and writing one down.
//
// Two sets of rules. The tracer's own variables are strict: what cannot be read is an error. OpenTelemetry's variables
// follow its specification (configuration/common.md): what cannot be read is reported and ignored.
#pragma once

#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/context/trace_state.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/percent.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

enum class text_rules { own, opentelemetry };

inline constexpr std::string_view hidden_text = "********";

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}

/// Calls `visit` for each part between commas, without the spaces around it; stops when it returns false.
template <class Visitor>
bool for_each_part(std::string_view list, Visitor&& visit) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (!visit(trimmed(list.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

inline bool list_has(std::string_view list, std::string_view word) {
  return !for_each_part(list, [word](std::string_view part) { return part != word; });
}

// value_from_text: false where the text is not one; `out` is then as before.

inline bool value_from_text(std::string_view text, text_rules, std::string& out) {
  out = text;
  return true;
}

inline bool value_from_text(std::string_view text, text_rules rules, bool& out) {
  const std::string word = lower_case(trimmed(text));
  const bool own = rules == text_rules::own;
  if (word == "true" || (own && (word == "1" || word == "yes" || word == "on"))) return out = true;
  if (word == "false" || (own && (word == "0" || word == "no" || word == "off"))) return !(out = false);
  return false;
}

inline bool value_from_text(std::string_view text, text_rules rules, true_unless_said& out) {
  bool value = true;
  if (!value_from_text(text, rules, value)) return false;
  out = value;
  return true;
}

inline bool value_from_text(std::string_view text, text_rules, double& out) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return false;
  out = value;
  return true;
}

/// A whole number from 0 to 2^31-1: what OpenTelemetry asks for at the least, and enough.
inline bool value_from_text(std::string_view text, text_rules, std::size_t& out) {
  text = trimmed(text);
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return false;
  out = static_cast<std::size_t>(value);
  return true;
}

inline bool value_from_text(std::string_view text, text_rules rules, std::chrono::milliseconds& out) {
  std::size_t count = 0;
  if (!value_from_text(text, rules, count)) return false;
  out = std::chrono::milliseconds(count);
  return true;
}

/// A whole number up to 2^63-1, alone or with B, KiB, MiB, GiB or TiB behind it.
inline bool value_from_text(std::string_view text, text_rules, byte_count& out) {
  const std::string word = lower_case(trimmed(text));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc()) return false;
  const std::string_view unit = trimmed(std::string_view(word).substr(static_cast<std::size_t>(end - word.data())));
  int shift = -1;
  if (unit.empty() || unit == "b") shift = 0;
  for (int i = 0; i < 4; ++i)
    if (unit == std::array{"kib", "mib", "gib", "tib"}[static_cast<std::size_t>(i)]) shift = 10 * (i + 1);
  if (shift < 0 || value > static_cast<std::uint64_t>(INT64_MAX) >> shift) return false;
  out = static_cast<byte_count>(value << shift);
  return true;
}

inline bool value_from_text(std::string_view text, text_rules, tracer_type& out) {
  const std::string word = lower_case(trimmed(text));
  for (const auto type :
       {tracer_type::agentops, tracer_type::opentelemetry, tracer_type::jaeger, tracer_type::zipkin, tracer_type::noop})
    if (word == to_string(type)) {
      out = type;
      return true;
    }
  return false;
}

/// Parts between commas, each once, in lower case.
inline bool value_from_text(std::string_view text, text_rules, std::vector<std::string>& out) {
  std::vector<std::string> parts;
  for_each_part(text, [&](std::string_view part) {
    if (std::string word = lower_case(part); !word.empty() && std::ranges::find(parts, word) == parts.end())
      parts.push_back(std::move(word));
    return true;
  });
  out = std::move(parts);
  return true;
}

/// `key=value` between commas, percent-encoded; one bad entry and there is none. Empty parts are passed over; of a key
/// given twice the last value holds.
inline bool value_from_text(std::string_view text, text_rules, tracer_config::pairs& out) {
  tracer_config::pairs entries;
  const bool all_good = for_each_part(text, [&](std::string_view part) {
    if (part.empty()) return true;
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return false;
    std::string key, value;
    if (!percent_decode(trimmed(part.substr(0, equals)), key) || key.empty()) return false;
    if (!percent_decode(trimmed(part.substr(equals + 1)), value)) return false;
    std::erase_if(entries, [&](auto const& entry) { return entry.first == key; });
    entries.emplace_back(std::move(key), std::move(value));
    return true;
  });
  if (all_good) out = std::move(entries);
  return all_good;
}

// text_of: a value as a variable would spell it.

inline std::string text_of(std::string const& value) { return value; }
inline std::string text_of(bool value) { return value ? "true" : "false"; }
inline std::string text_of(true_unless_said value) { return text_of(static_cast<bool>(value)); }
inline std::string text_of(double value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, error == std::errc() ? end : digits);
}
inline std::string text_of(std::size_t value) { return std::to_string(value); }
/// In the largest unit of which it is a whole number.
inline std::string text_of(byte_count value) {
  auto number = static_cast<std::uint64_t>(value);
  const char* unit = "";
  for (const char* larger : {"KiB", "MiB", "GiB", "TiB"})
    if (number != 0 && number % 1024 == 0) {
      number /= 1024;
      unit = larger;
    } else
      break;
  return std::to_string(number) + unit;
}
inline std::string text_of(std::chrono::milliseconds value) { return std::to_string(value.count()); }
inline std::string text_of(tracer_type value) { return std::string(to_string(value)); }
inline std::string text_of(std::vector<std::string> const& values) {
  std::string text;
  for (auto const& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}
inline std::string text_of(tracer_config::pairs const& entries) {
  std::string text;
  for (auto const& [key, value] : entries) text += (text.empty() ? "" : ",") + key + "=" + value;
  return text;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

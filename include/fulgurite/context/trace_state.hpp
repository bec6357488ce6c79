// The list of vendor entries that travels beside a trace parent: W3C `tracestate`.
//
// It is kept as the text that goes on the wire, already checked and normalised: most programs only pass it on, so no
// tree of entries is built. Reading a header and writing one are the propagator's (propagator/w3c.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// At most 32 `key=value` members, the most recently changed first (W3C Trace Context level 2, 3.3).
class trace_state {
 public:
  static constexpr std::size_t max_members = 32;

  trace_state() = default;

  /// From the text of one header or of several joined with commas. Empty members are skipped, of equal keys the first
  /// is kept; a malformed member or more than 32 of them makes the whole list empty (level 2, 3.3.1).
  static trace_state from_header(std::string_view text);

  bool empty() const noexcept { return text_.empty(); }
  /// The list as it goes on the wire, `a=1,b=2`.
  std::string const& to_header() const noexcept { return text_; }
  /// The value of a key; empty when there is none (a value is never empty).
  std::string_view get(std::string_view key) const noexcept;
  /// The list with this entry in front, whatever it held under the key; unchanged when key or value is malformed. With
  /// more than 32 members the right-most goes.
  trace_state set(std::string_view key, std::string_view value) const;
  /// The list without this key.
  trace_state erase(std::string_view key) const;

  friend bool operator==(trace_state const&, trace_state const&) = default;

  static constexpr bool is_valid_key(std::string_view key) noexcept;
  static constexpr bool is_valid_value(std::string_view value) noexcept;

 private:
  explicit trace_state(std::string text) noexcept : text_(std::move(text)) {}

  std::string text_;
};

/// Lower-case letters, digits, `_ - * / @`, beginning with a letter or a digit, at most 256 characters.
constexpr bool trace_state::is_valid_key(std::string_view key) noexcept {
  const auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (key.empty() || key.size() > 256 || !letter_or_digit(key.front())) return false;
  for (const char c : key)
    if (!letter_or_digit(c) && c != '_' && c != '-' && c != '*' && c != '/' && c != '@') return false;
  return true;
}

/// 1 to 256 printable ASCII characters without comma and equals sign, not ending with a space.
constexpr bool trace_state::is_valid_value(std::string_view value) noexcept {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  for (const char c : value)
    if (c < 0x20 || c > 0x7e || c == ',' || c == '=') return false;
  return true;
}

namespace detail {

/// Takes the next member off a list; spaces and tabs around it are dropped except those that lead the value.
inline std::string_view next_member(std::string_view& list) noexcept {
  const std::size_t comma = list.find(',');
  std::string_view member = list.substr(0, comma);
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  const std::size_t first = member.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return member.substr(first, member.find_last_not_of(" \t") - first + 1);
}

inline std::string_view member_key(std::string_view member) noexcept { return member.substr(0, member.find('=')); }

}  // namespace detail

inline trace_state trace_state::from_header(std::string_view text) {
  std::string kept;
  std::size_t members = 0;
  while (!text.empty()) {
    const std::string_view member = detail::next_member(text);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || !is_valid_key(member.substr(0, equals)) ||
        !is_valid_value(member.substr(equals + 1)) || ++members > max_members)
      return {};
    if (!trace_state(kept).get(member.substr(0, equals)).empty()) continue;
    if (!kept.empty()) kept += ',';
    kept += member;
  }
  return trace_state(std::move(kept));
}

inline std::string_view trace_state::get(std::string_view key) const noexcept {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view member = detail::next_member(rest);
    if (detail::member_key(member) == key) return member.substr(key.size() + 1);
  }
  return {};
}

inline trace_state trace_state::erase(std::string_view key) const {
  std::string kept;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view member = detail::next_member(rest);
    if (detail::member_key(member) == key) continue;
    if (!kept.empty()) kept += ',';
    kept += member;
  }
  return trace_state(std::move(kept));
}

inline trace_state trace_state::set(std::string_view key, std::string_view value) const {
  if (!is_valid_key(key) || !is_valid_value(value)) return *this;
  std::string text;
  text.append(key).append("=").append(value);
  const trace_state others = erase(key);
  std::string_view rest = others.text_;
  for (std::size_t members = 1; !rest.empty() && members < max_members; ++members)
    text.append(",").append(detail::next_member(rest));
  return trace_state(std::move(text));
}

}  // namespace v1
}  // namespace fulgurite

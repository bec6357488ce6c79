// The list of vendor entries that travels beside a trace parent: W3C `tracestate`.
//
// It is kept as the text that goes on the wire, already checked and normalised: most programs only pass it on, so no
// tree of entries is built. Reading a header and writing one are the propagator's (propagator/w3c.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
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
  /// The list in at most so many characters, by leaving out whole members: first those of more than 128 characters,
  /// then any, each time from the right (level 2, 3.3.1.5).
  trace_state shortened(std::size_t limit) const;

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

namespace detail {

/// Eight characters of a value at once; a bit is left for each that is not printable ASCII, or a comma or equals sign.
inline std::uint64_t bad_in_value(const char* text) noexcept {
  std::uint64_t c = 0;
  std::memcpy(&c, text, 8);
  constexpr std::uint64_t each = 0x0101'0101'0101'0101U, high = each * 0x80, low = each * 0x7f;
  const auto is_not = [c](char sign) {  // the high bit of every byte that is another character
    const std::uint64_t difference = c ^ each * static_cast<unsigned char>(sign);
    return ((difference & low) + low) | difference;
  };
  const std::uint64_t printable = ((c & low) + each * (0x80 - 0x20)) & ~((c & low) + each) & ~c;
  return ~(printable & is_not(',') & is_not('=')) & high;
}

}  // namespace detail

/// 1 to 256 printable ASCII characters without comma and equals sign, not ending with a space.
constexpr bool trace_state::is_valid_value(std::string_view value) noexcept {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  if (!std::is_constant_evaluated() && value.size() >= 8) {
    std::uint64_t bad = detail::bad_in_value(value.data() + value.size() - 8);  // overlaps the last whole eight
    for (std::size_t i = 0; i + 8 <= value.size(); i += 8) bad |= detail::bad_in_value(value.data() + i);
    return bad == 0;
  }
  for (const char c : value)
    if (c < 0x20 || c > 0x7e || c == ',' || c == '=') return false;
  return true;
}

namespace detail {

/// Without the spaces and tabs at both ends, the optional white space of HTTP.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the next member off a list that is separated by commas.
constexpr std::string_view next_member(std::string_view& list) noexcept {
  const std::size_t comma = list.find(',');
  const std::string_view member = trimmed(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return member;
}

/// Members of a list that is being read, in the text they were found in.
struct member_list {
  std::array<std::string_view, trace_state::max_members> members;
  std::array<std::uint16_t, trace_state::max_members> key_sizes;
  std::size_t size = 0;

  bool holds(std::string_view key) const noexcept {
    for (std::size_t i = 0; i < size; ++i)
      if (key_sizes[i] == key.size() && members[i].starts_with(key)) return true;
    return false;
  }
  void add(std::string_view member, std::size_t key_size) noexcept {
    members[size] = member;
    key_sizes[size++] = static_cast<std::uint16_t>(key_size);
  }
  /// In one piece when they stand so in the text already, which is the usual case.
  std::string joined() const {
    if (size == 0) return {};
    bool contiguous = true;
    std::size_t length = members[0].size();
    for (std::size_t i = 1; i < size; ++i) {
      contiguous = contiguous && members[i].data() == members[i - 1].data() + members[i - 1].size() + 1;
      length += 1 + members[i].size();
    }
    if (contiguous) return std::string(members[0].data(), length);
    std::string text;
    text.reserve(length);
    for (std::size_t i = 0; i < size; ++i) {
      if (i != 0) text += ',';
      text += members[i];
    }
    return text;
  }
};

}  // namespace detail

inline trace_state trace_state::from_header(std::string_view text) {
  detail::member_list kept;
  std::size_t members = 0;
  while (!text.empty()) {
    const std::string_view member = detail::next_member(text);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || ++members > max_members || !is_valid_key(member.substr(0, equals)) ||
        !is_valid_value(member.substr(equals + 1)))
      return {};
    if (!kept.holds(member.substr(0, equals))) kept.add(member, equals);
  }
  return trace_state(kept.joined());
}

inline std::string_view trace_state::get(std::string_view key) const noexcept {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view member = detail::next_member(rest);
    if (member.size() > key.size() && member[key.size()] == '=' && member.starts_with(key))
      return member.substr(key.size() + 1);
  }
  return {};
}

inline trace_state trace_state::erase(std::string_view key) const {
  detail::member_list kept;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view member = detail::next_member(rest);
    const std::size_t equals = member.find('=');
    if (member.substr(0, equals) != key) kept.add(member, equals);
  }
  return trace_state(kept.joined());
}

inline trace_state trace_state::set(std::string_view key, std::string_view value) const {
  if (!is_valid_key(key) || !is_valid_value(value)) return *this;
  std::string text;
  text.reserve(key.size() + value.size() + text_.size() + 2);
  text.append(key).append("=").append(value);
  std::string_view rest = text_;
  for (std::size_t members = 1; !rest.empty() && members < max_members;) {
    const std::string_view member = detail::next_member(rest);
    if (member.substr(0, member.find('=')) == key) continue;
    text.append(",").append(member);
    ++members;
  }
  return trace_state(std::move(text));
}

inline trace_state trace_state::shortened(std::size_t limit) const {
  constexpr std::size_t long_member = 128;
  if (text_.size() <= limit) return *this;
  detail::member_list all;
  std::string_view rest = text_;
  while (!rest.empty()) all.add(detail::next_member(rest), 0);
  std::size_t length = text_.size();
  detail::member_list kept;
  std::array<bool, max_members> dropped{};
  for (const std::size_t longer_than : {long_member, std::size_t{0}})
    for (std::size_t i = all.size; i-- > 0 && length > limit;)
      if (!dropped[i] && all.members[i].size() > longer_than) {
        dropped[i] = true;
        length = length > all.members[i].size() ? length - all.members[i].size() - 1 : 0;  // the last has no comma
      }
  for (std::size_t i = 0; i < all.size; ++i)
    if (!dropped[i]) kept.add(all.members[i], 0);
  return trace_state(kept.joined());
}

}  // namespace v1
}  // namespace fulgurite

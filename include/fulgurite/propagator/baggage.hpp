// W3C Baggage: the field `baggage`, `key=value;properties,key=value`.
//
// Keys are tokens and stand as they are; values are UTF-8, percent-encoded where a character is not allowed. Properties
// (the entry's metadata) are passed on as they came. A malformed member is skipped, the others count.
#pragma once

#include <fulgurite/context/context.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/text/code_points.hpp>
#include <fulgurite/text/percent.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

enum : std::uint8_t { baggage_key_character = 1, baggage_value_character = 2, baggage_metadata_character = 4 };

/// What a character may stand in: RFC 7230's token; baggage-octet (W3C Baggage, 3.2.1.4); what properties consist of.
inline constexpr std::array<std::uint8_t, 256> baggage_characters = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0x20; c < 0x7f; ++c) {
    const char sign = static_cast<char>(c);
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    unsigned allowed = 0;
    if (letter_or_digit || std::string_view("!#$%&'*+-.^_`|~").find(sign) != std::string_view::npos)
      allowed |= baggage_key_character;
    if (c != ' ' && c != '"' && c != ',' && c != ';' && c != '\\') allowed |= baggage_value_character;
    if (c != ',') allowed |= baggage_metadata_character;
    table[c] = static_cast<std::uint8_t>(allowed);
  }
  table['\t'] = baggage_metadata_character;
  return table;
}();

constexpr bool consists_of(std::string_view text, std::uint8_t allowed) noexcept {
  for (const char c : text)
    if ((baggage_characters[static_cast<unsigned char>(c)] & allowed) == 0) return false;
  return true;
}

/// The text that was percent-encoded; octets that are no UTF-8 become U+FFFD.
inline std::string percent_decoded(std::string_view text) {
  std::string decoded = percent_octets(text);
  if (valid_utf8_prefix(decoded) == decoded.size()) return decoded;
  return to_utf8(decoded);
}

inline void append_percent_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c != '%' && (baggage_characters[static_cast<unsigned char>(c)] & baggage_value_character) != 0)
      out += c;
    else
      append_percent_octet(out, c);
  }
}

}  // namespace detail

/// W3C Baggage: the header `baggage`.
class baggage_propagator {
 public:
  /// What the specification asks to carry at least (3.3.2), and what is carried at most. A member that does not fit is
  /// left out whole, and the log says so.
  static constexpr std::size_t max_members = 64, max_size = 8192;

  template <class Setter>
  void inject(context const& from, Setter&& setter) const {
    if (from.baggage().empty()) return;
    const std::string text = to_header(from.baggage());
    if (!text.empty()) setter(std::string_view("baggage"), std::string_view(text));
  }

  template <class Getter>
  context extract(Getter&& getter) const {
    return context(span_context(), extract_baggage(getter));
  }

  template <class Getter>
  fulgurite::baggage extract_baggage(Getter&& getter) const {
    const std::optional<std::string_view> text = getter(std::string_view("baggage"));
    return text ? from_header(*text) : fulgurite::baggage();
  }

  static constexpr std::array<std::string_view, 1> fields() noexcept { return {"baggage"}; }

  /// From the text of one header or of several joined with commas. Of equal keys the last counts.
  static fulgurite::baggage from_header(std::string_view text) {
    fulgurite::baggage result;
    std::size_t members = 0, size = 0;
    while (!text.empty()) {
      const std::string_view member = detail::next_member(text);
      const std::string_view pair = member.substr(0, member.find(';'));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = detail::trimmed(pair.substr(0, equals));
      const std::string_view value = detail::trimmed(pair.substr(equals + 1));
      if (key.empty() || !detail::consists_of(key, detail::baggage_key_character) ||
          !detail::consists_of(value, detail::baggage_value_character))
        continue;
      if (members == max_members || size + (members != 0) + member.size() > max_size) {
        say_left_out();
        continue;
      }
      size += (members++ != 0) + member.size();
      const std::string_view properties = member.substr(pair.size() + (pair.size() < member.size() ? 1 : 0));
      result.set(key, detail::percent_decoded(value), detail::trimmed(properties));
    }
    return result;
  }

  /// A key that is no token cannot be written and is left out; so are properties with a comma or a control character.
  static std::string to_header(fulgurite::baggage const& from) {
    std::string text;
    std::size_t members = 0;
    for (baggage_entry const& entry : from) {
      if (!detail::consists_of(entry.key, detail::baggage_key_character)) {
        say_left_out();
        continue;
      }
      const std::size_t before = text.size();
      if (before != 0) text += ',';
      text.append(entry.key).append("=");
      detail::append_percent_encoded(text, entry.value);
      if (!entry.metadata.empty() && detail::consists_of(entry.metadata, detail::baggage_metadata_character))
        text.append(";").append(entry.metadata);
      if (members == max_members || text.size() > max_size) {
        text.resize(before);
        say_left_out();
        continue;
      }
      ++members;
    }
    return text;
  }

 private:
  [[gnu::noinline, gnu::cold]] static void say_left_out() noexcept {
    detail::log(log_level::warn,
                "baggage: left out an entry: at most 64 entries in 8192 bytes are carried, and a key must be an HTTP "
                "token");
  }
};

}  // namespace v1
}  // namespace fulgurite

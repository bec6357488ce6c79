// The text members of a small JSON object: what a credentials endpoint or a token route answers.
//
// Strict (RFC 8259), so that half an answer is no answer; what is neither text nor needed is checked and skipped. Where
// more is to be read, simdjson does it (config/file.hpp), which the exporters are to do without.
#pragma once

#include <fulgurite/text/hex.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Names and values, escapes resolved, in their order.
using text_members = std::vector<std::pair<std::string, std::string>>;

class flat_json_reader {
 public:
  /// `all`: numbers, objects and the rest are members too, as the text they are written with.
  explicit flat_json_reader(std::string_view text, bool all = false) : text_(text), all_(all) {}

  /// The members of the one object that the text is; nothing when it is anything else.
  std::optional<text_members> read() {
    text_members members;
    skip_space();
    if (!read_object(&members, 0)) return std::nullopt;
    skip_space();
    if (at_ != text_.size()) return std::nullopt;
    return members;
  }

 private:
  static constexpr int deepest = 32;

  void skip_space() noexcept { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  bool take(char c) noexcept {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) noexcept {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool read_object(text_members* into, int depth) {
    if (depth == deepest || !take('{')) return false;
    skip_space();
    if (take('}')) return true;
    std::string name, value;
    do {
      skip_space();
      if (!read_text(name)) return false;
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (at_ < text_.size() && text_[at_] == '"') {
        if (!read_text(value)) return false;
        if (into) into->emplace_back(name, value);
      } else {
        const std::size_t from = at_;
        if (!skip_value(depth)) return false;
        if (into && all_) into->emplace_back(name, text_.substr(from, at_ - from));
      }
      skip_space();
    } while (take(','));
    return take('}');
  }
  bool skip_value(int depth) {
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return read_object(nullptr, depth + 1);
      case '[':
        return skip_array(depth + 1);
      case '"': {
        std::string ignored;
        return read_text(ignored);
      }
      default:
        return take("true") || take("false") || take("null") || skip_number();
    }
  }
  bool skip_array(int depth) {
    if (depth == deepest || !take('[')) return false;
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!skip_value(depth)) return false;
      skip_space();
    } while (take(','));
    return take(']');
  }
  bool skip_digits() noexcept {
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > from;
  }
  bool skip_number() noexcept {
    take('-');
    if (!take('0') && !skip_digits()) return false;
    if (take('.') && !skip_digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return skip_digits();
    }
    return true;
  }

  bool read_text(std::string& out) {
    out.clear();
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < ' ') return false;
      if (c != '\\')
        out += c;
      else if (!read_escape(out))
        return false;
    }
    return false;
  }
  bool read_escape(std::string& out) {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c == 'u') return read_code_point(out);
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = letters.find(c);
    if (which == std::string_view::npos) return false;
    out += meanings[which];
    return true;
  }
  std::optional<char32_t> read_four_digits() noexcept {
    char32_t unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const unsigned digit = at_ < text_.size() ? hex_digit(text_[at_]) : 16;
      if (digit > 15) return std::nullopt;
      unit = unit << 4 | digit;
    }
    return unit;
  }
  bool read_code_point(std::string& out) {
    const std::optional<char32_t> unit = read_four_digits();
    if (!unit) return false;
    char32_t c = *unit;
    if (c >= 0xdc00 && c < 0xe000) return false;
    if (c >= 0xd800 && c < 0xdc00) {
      if (!take("\\u")) return false;
      const std::optional<char32_t> low = read_four_digits();
      if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
      c = 0x10000 + ((c - 0xd800) << 10) + (*low - 0xdc00);
    }
    const auto add = [&](char32_t octet) { out += static_cast<char>(octet); };
    const auto tail = [&](unsigned shift) { add(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80)
      add(c);
    else if (c < 0x800)
      add(0xc0 | c >> 6), tail(0);
    else if (c < 0x10000)
      add(0xe0 | c >> 12), tail(6), tail(0);
    else
      add(0xf0 | c >> 18), tail(12), tail(6), tail(0);
    return true;
  }

  std::string_view text_;
  bool all_;
  std::size_t at_ = 0;
};

/// The text members of a JSON object; nothing when the text is not one whole JSON object.
inline std::optional<text_members> read_flat_json(std::string_view json) { return flat_json_reader(json).read(); }

/// The same with all members: what is no text, as it is written.
inline std::optional<text_members> read_json_members(std::string_view json) {
  return flat_json_reader(json, true).read();
}

/// The first member of that name; empty when there is none.
inline std::string_view find_member(text_members const& members, std::string_view name) noexcept {
  for (auto const& [member, value] : members)
    if (member == name) return value;
  return {};
}

/// The text member `name` of a JSON object; empty when it is not there, or when it is no JSON object.
inline std::string json_text_member(std::string_view json, std::string_view name) {
  const std::optional<text_members> members = read_flat_json(json);
  return members ? std::string(find_member(*members, name)) : std::string();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

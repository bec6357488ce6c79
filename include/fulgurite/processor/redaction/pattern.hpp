// A pattern for values: a regular expression that is looked for in linear time.
//
// std::regex may recurse once a character, take exponential time, and depends on a locale; so the expression becomes an
// automaton of at most 64 positions (Glushkov's), whose states are the bits of a number: one step a character, whatever
// the expression and the text. What it understands is the part of the usual syntax that such an automaton can have:
//
//   a . [a-z] [^,;] \d \w \s \D \W \S \n \t \. ...   one octet (the classes are ASCII's; `.` is any but a line's end)
//   (ab|cd)  x*  x+  x?  x{3}  x{2,5}  x{2,}         groups, alternatives, repetitions
//   ^ at the beginning, $ at the end                 of the whole text; then alternatives stand in a group
//   (?i) at the beginning                            letters of ASCII in any case
//
// Found is every octet that is part of any match: overlapping and adjacent matches are one range.
#pragma once

#include <fulgurite/processor/redaction/text.hpp>

#include <array>
#include <bit>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// A regular expression of a small kind, found in time linear in the text.
class value_pattern {
 public:
  /// Characters and classes of an expression, with repetitions written out.
  static constexpr std::size_t max_positions = 64;
  static constexpr std::size_t max_text = 1024;

  /// Nothing where the text is no such expression; `problem` then says what is allowed.
  static std::optional<value_pattern> compile(std::string_view text, std::string& problem);

  std::string_view text() const noexcept { return text_; }

  /// Whether there is a match. Allocates nothing.
  bool matches(std::string_view text) const noexcept {
    std::uint64_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (state == 0) {
        if (at_begin_ && i != 0) return false;
        while (i < text.size() && (accepts_[static_cast<unsigned char>(text[i])] & first_) == 0 && !at_begin_) ++i;
        if (i == text.size()) return false;
      }
      state = step(state, text[i], i == 0);
      if ((state & last_) != 0 && (!at_end_ || i + 1 == text.size())) return true;
    }
    return false;
  }

  /// Calls `found(text_range)` for each run of octets that are part of a match.
  template <class Found>
  void for_each(std::string_view text, Found&& found) const {
    // Forwards: the positions that a match which began before may stand at. Backwards: those from which it can end.
    std::vector<std::uint64_t> forward(text.size());
    std::uint64_t state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) forward[i] = state = step(state, text[i], i == 0);
    std::uint64_t live = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
      const bool may_end = !at_end_ || i + 1 == text.size();
      live = forward[i] & (before(live) | (may_end ? last_ : 0));
      forward[i] = live;
    }
    for (std::size_t i = 0; i < text.size();) {
      if (forward[i] == 0) {
        ++i;
        continue;
      }
      const std::size_t begin = i;
      while (i < text.size() && forward[i] != 0) ++i;
      found(text_range{begin, i});
    }
  }

 private:
  class compiler;

  std::uint64_t step(std::uint64_t state, char c, bool at_begin) const noexcept {
    std::uint64_t next = at_begin_ && !at_begin ? 0 : first_;
    for (; state != 0; state &= state - 1) next |= follow_[static_cast<std::size_t>(std::countr_zero(state))];
    return next & accepts_[static_cast<unsigned char>(c)];
  }
  /// The positions that one of these may follow.
  std::uint64_t before(std::uint64_t live) const noexcept {
    std::uint64_t all = 0;
    for (; live != 0; live &= live - 1) all |= precede_[static_cast<std::size_t>(std::countr_zero(live))];
    return all;
  }

  std::string text_;
  std::uint64_t first_ = 0, last_ = 0;
  std::array<std::uint64_t, max_positions> follow_{}, precede_{};
  std::array<std::uint64_t, 256> accepts_{};
  bool at_begin_ = false, at_end_ = false;
};

/// Glushkov's construction, by recursive descent: of each part its first and last positions, and whether it may be
/// empty.
class value_pattern::compiler {
 public:
  compiler(std::string_view text, value_pattern& to) : text_(text), to_(to) {}

  /// Empty, or what is wrong.
  std::string run() {
    if (text_.size() > max_text) return "at most 1024 characters";
    if (take("(?i)")) any_case_ = true;
    if (take("^")) to_.at_begin_ = true;
    const part all = alternatives(0);
    if (problem_.empty() && at_ != text_.size()) problem_ = text_[at_] == ')' ? "a ( for each )" : "$ at the end only";
    if (problem_.empty() && (to_.at_begin_ || to_.at_end_) && has_alternatives_)
      problem_ = "alternatives in ( ) where there is ^ or $";
    if (problem_.empty() && all.empty) problem_ = "an expression that does not match the empty text";
    if (!problem_.empty()) return problem_;
    to_.first_ = all.first;
    to_.last_ = all.last;
    for (std::size_t p = 0; p < max_positions; ++p)
      for (std::uint64_t after = to_.follow_[p]; after != 0; after &= after - 1)
        to_.precede_[static_cast<std::size_t>(std::countr_zero(after))] |= std::uint64_t{1} << p;
    return {};
  }

 private:
  using octets = std::bitset<256>;
  struct part {
    std::uint64_t first = 0, last = 0;
    bool empty = true;
  };

  bool fail(const char* allowed) {
    if (problem_.empty()) problem_ = allowed;
    return false;
  }
  bool more() const noexcept { return problem_.empty() && at_ < text_.size(); }
  bool take(std::string_view what) noexcept {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  part alternatives(int depth) {
    part all = sequence(depth);
    while (more() && take("|")) {
      if (depth == 0) has_alternatives_ = true;
      const part one = sequence(depth);
      all = {all.first | one.first, all.last | one.last, all.empty || one.empty};
    }
    return all;
  }
  part sequence(int depth) {
    part all;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      if (text_[at_] == '$') {
        if (depth == 0 && at_ + 1 == text_.size()) {
          ++at_;
          to_.at_end_ = true;
        } else
          fail("$ at the end only");
        break;
      }
      all = joined(all, repeated(depth));
    }
    return all;
  }
  part joined(part const& a, part const& b) {
    for (std::uint64_t from = a.last; from != 0; from &= from - 1)
      to_.follow_[static_cast<std::size_t>(std::countr_zero(from))] |= b.first;
    return {a.first | (a.empty ? b.first : 0), b.last | (b.empty ? a.last : 0), a.empty && b.empty};
  }

  /// One thing and how often. What is repeated a number of times is read again for each: it needs positions of its own.
  part repeated(int depth) {
    const std::size_t begin = at_;
    part all = one(depth);
    if (!more()) return all;
    if (take("*") || take("+")) {
      const bool may_be_none = text_[at_ - 1] == '*';
      all = joined(all, all);
      all.empty = all.empty || may_be_none;
    } else if (take("?"))
      all.empty = true;
    else if (take("{"))
      all = counted(all, begin, depth);
    if (more() && (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?' || text_[at_] == '{'))
      fail("one of * + ? {...} after a thing, without a further one");
    return all;
  }
  part counted(part const& first, std::size_t begin, int depth) {
    std::size_t least = 0, most = 0;
    bool unlimited = false;
    if (!number(least)) return fail("{n}, {n,m} or {n,} with numbers to 64"), first;
    most = least;
    if (take(",") && !number(most)) unlimited = true;
    if (!take("}") || least > most + (unlimited ? least : 0) || (most == 0 && !unlimited))
      return fail("{n}, {n,m} or {n,} with numbers to 64"), first;
    const std::size_t end = at_;
    if (unlimited) most = least == 0 ? 1 : least;
    part all = first;
    if (least == 0) all.empty = true;
    part last = first;
    for (std::size_t i = 1; i < most && problem_.empty(); ++i) {
      at_ = begin;
      last = one(depth);
      if (i >= least) last.empty = true;
      all = joined(all, last);
    }
    if (unlimited) joined(last, last);
    at_ = end;
    return all;
  }
  bool number(std::size_t& value) {
    const std::size_t begin = at_;
    for (value = 0; at_ < text_.size() && detail::is_digit(text_[at_]) && value <= max_positions; ++at_)
      value = 10 * value + static_cast<std::size_t>(text_[at_] - '0');
    if (value > max_positions) fail("{n}, {n,m} or {n,} with numbers to 64");
    return at_ != begin;
  }

  part one(int depth) {
    // Groups of nothing take no positions, however often they are repeated.
    if (++things_read_ > 4 * max_text) return fail("fewer repetitions of groups"), part{};
    if (take("(")) {
      if (depth == 16) return fail("groups in groups at most 16 deep"), part{};
      if (take("?") && !take(":")) return fail("no (?...) but (?i) at the beginning and (?:...)"), part{};
      const part inner = alternatives(depth + 1);
      if (!take(")")) fail("a ) for each (");
      return inner;
    }
    octets set;
    const char c = text_[at_++];
    if (c == '.')
      set.set().reset('\n').reset('\r');
    else if (c == '[')
      class_of_octets(set);
    else if (c == '\\')
      escape(set);
    else if (std::string_view("*+?{}^]").find(c) != std::string_view::npos)
      fail("a \\ before * + ? { } ^ ] that stand for themselves");
    else
      set.set(static_cast<unsigned char>(c));
    return position(set);
  }
  part position(octets set) {
    if (count_ == max_positions) return fail("at most 64 characters and classes, with repetitions written out"), part{};
    if (any_case_)
      for (std::size_t small = 'a', large = 'A'; small <= 'z'; ++small, ++large)
        if (set[small] || set[large]) set.set(small).set(large);
    const std::uint64_t bit = std::uint64_t{1} << count_++;
    for (std::size_t c = 0; c < 256; ++c)
      if (set[c]) to_.accepts_[c] |= bit;
    return {bit, bit, false};
  }

  static std::size_t first_of(octets const& set) noexcept {
    std::size_t i = 0;
    while (i < 255 && !set[i]) ++i;
    return i;
  }
  void class_of_octets(octets& set) {
    const bool inverted = take("^");
    for (bool first = true; more() && (first || text_[at_] != ']'); first = false) {
      octets left;
      const char c = text_[at_++];
      if (c == '\\')
        escape(left);
      else
        left.set(static_cast<unsigned char>(c));
      if (left.count() == 1 && at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        ++at_;
        octets right;
        const char last = text_[at_++];
        if (last == '\\')
          escape(right);
        else
          right.set(static_cast<unsigned char>(last));
        const std::size_t from = first_of(left), to = first_of(right);
        if (right.count() != 1 || to < from) {
          fail("ranges [a-z] from the lower to the higher character");
          return;
        }
        for (std::size_t i = from; i <= to; ++i) set.set(i);
      } else
        set |= left;
    }
    if (!take("]")) fail("a ] for each [");
    if (inverted) set.flip();
  }
  void escape(octets& set) {
    if (at_ == text_.size()) {
      fail("a character after \\");
      return;
    }
    const char c = text_[at_++];
    const auto add = [&set](auto is) {
      for (std::size_t i = 0; i < 256; ++i)
        if (is(static_cast<char>(static_cast<unsigned char>(i)))) set.set(i);
    };
    switch (detail::lower_case(c)) {
      case 'd':
        add(detail::is_digit);
        break;
      case 'w':
        add([](char one) { return detail::is_alphanumeric(one) || one == '_'; });
        break;
      case 's':
        add([](char one) { return one == ' ' || (one >= '\t' && one <= '\r'); });
        break;
      default:
        if (c == 'n' || c == 't' || c == 'r')
          set.set(c == 'n' ? '\n' : c == 't' ? '\t' : '\r');
        else if (detail::is_alphanumeric(c))
          fail("\\d \\w \\s \\D \\W \\S \\n \\r \\t, or \\ before a character that is no letter and no digit");
        else
          set.set(static_cast<unsigned char>(c));
        return;
    }
    if (detail::is_upper(c)) set.flip();
  }

  std::string_view text_;
  value_pattern& to_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
  std::size_t things_read_ = 0;
  bool any_case_ = false, has_alternatives_ = false;
  std::string problem_;
};

inline std::optional<value_pattern> value_pattern::compile(std::string_view text, std::string& problem) {
  value_pattern made;
  made.text_ = text;
  problem = compiler(text, made).run();
  if (!problem.empty()) return std::nullopt;
  return made;
}

}  // namespace v1
}  // namespace fulgurite

// Detector of payment card numbers.
#pragma once

#include <fulgurite/processor/redaction/detector.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// 13 to 19 digits with a valid check digit (ISO/IEC 7812-1, Luhn) and a first digit that issuers of payment cards use,
/// in one run or in groups between single spaces, dashes, `+` or `%20`. In a longer row of groups only those groups
/// count that cards are written in (4-4-4-4, 4-6-5 and their like).
///
/// One of ten random numbers has a valid check digit. Excepted are therefore what begins with 0 or 7, what begins with
/// 1 unless it has 15 digits (times in milli-, micro- and nanoseconds begin with 1 until the year 2033), decimal
/// places, and digits in the middle of a hexadecimal id.
struct card_detector {
  static constexpr std::string_view name = "card";
  static constexpr std::size_t fewest = 13, most = 19;

  static constexpr bool may_be_in(text_look const& look) noexcept { return look.digits >= fewest; }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    bool first_group = true;
    for (std::size_t i = from; i < text.size();) {
      if (!detail::is_digit(text[i])) {
        ++i;
        first_group = true;
        continue;
      }
      const std::size_t end = detail::end_of_run(text, i, detail::is_digit);
      if (const std::size_t found = end_of_card(text, i, first_group); found != i) return {i, found};
      const std::size_t gap = separator(text, end);
      first_group = gap == 0;
      i = end + gap;
    }
    return {};
  }

  /// Luhn's check over digits 0 to 9.
  static constexpr bool is_valid(const unsigned char* digits, std::size_t count) noexcept {
    unsigned sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const unsigned digit = digits[count - 1 - i];
      sum += i % 2 == 0 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
    }
    return sum % 10 == 0;
  }

 private:
  /// The octets between two groups of digits; 0 where the next group does not follow.
  static constexpr std::size_t separator(std::string_view text, std::size_t at) noexcept {
    if (at + 1 >= text.size()) return 0;
    const char c = text[at];
    const std::size_t size = c == ' ' || c == '-' || c == '+' ? 1 : text.substr(at, 3) == "%20" ? 3 : 0;
    return size != 0 && at + size < text.size() && detail::is_digit(text[at + size]) ? size : 0;
  }

  /// Where the longest number ends that begins with this group; `begin` where none does.
  static constexpr std::size_t end_of_card(std::string_view text, std::size_t begin, bool first_group) noexcept {
    std::array<unsigned char, most> digits{};
    std::array<unsigned char, most> groups{};
    std::size_t count = 0, group_count = 0, found = begin;
    char between = 0;
    bool even = true;  // every group has 3 digits or more, but for the last
    for (std::size_t at = begin;;) {
      const std::size_t end = detail::end_of_run(text.substr(0, begin + 4 * most), at, detail::is_digit);
      if (count + (end - at) > most) return found;
      if (group_count != 0 && groups[group_count - 1] < 3) even = false;
      groups[group_count++] = static_cast<unsigned char>(end - at);
      for (; at < end; ++at) digits[count++] = static_cast<unsigned char>(text[at] - '0');
      const std::size_t gap = separator(text, end);
      const bool last_group = gap == 0;
      if (count >= fewest && is_issued(digits, count) && is_valid(digits.data(), count)) {
        const bool whole = even && first_group && last_group;
        if (group_count == 1 ? is_alone(text, begin, end)
                             : (whole || is_usual(groups, group_count)) && detail::is_word_start(text, begin) &&
                                   (end == text.size() || !detail::is_alphanumeric(text[end])))
          found = end;
      }
      if (last_group || (between != 0 && text[end] != between)) return found;
      between = text[end];
      at = end + gap;
    }
  }

  static constexpr bool is_issued(std::array<unsigned char, most> const& digits, std::size_t count) noexcept {
    const unsigned first = digits[0], second = digits[1];
    if (first == 1) return count == 15;
    if (first == 8) return second == 1 || second == 2 || second == 6;
    if (first == 9) return second == 7 || second == 8;
    return first >= 2 && first <= 6;
  }
  /// The groups in which card numbers are printed.
  static constexpr bool is_usual(std::array<unsigned char, most> const& groups, std::size_t count) noexcept {
    if (groups[0] != 4) return false;
    if (count == 3) return groups[1] == 6 && (groups[2] == 4 || groups[2] == 5);
    for (std::size_t i = 1; i + 1 < count; ++i)
      if (groups[i] != 4) return false;
    return count >= 4 && groups[count - 1] <= 4;
  }
  /// Digits in one run that are neither the decimal places of a number nor a part of a long hexadecimal id.
  static constexpr bool is_alone(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    if (begin >= 2 && text[begin - 1] == '.' && detail::is_digit(text[begin - 2])) return false;
    constexpr std::size_t id = 24;
    std::size_t first = begin, last = end;
    while (first > 0 && end - first < id && detail::is_hex_digit(text[first - 1])) --first;
    while (last < text.size() && last - first < id && detail::is_hex_digit(text[last])) ++last;
    return last - first < id;
  }
};

static_assert(detector<card_detector>);

}  // namespace v1
}  // namespace fulgurite

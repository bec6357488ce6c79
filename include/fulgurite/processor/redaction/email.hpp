// Detector of e-mail addresses.
#pragma once

#include <fulgurite/processor/redaction/detector.hpp>

#include <cstddef>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// `local@domain.tld` and `local@[192.0.2.1]` (RFC 5321, 4.1.2), also with `%40` for the sign as in a URL's query and
/// with letters outside ASCII (RFC 6531). No address are `user@host` without a dot, `package@1.2.3`, the logins of
/// `git@host.example:path`, `user@host.example:/path` and `ssh://user@host.example`.
struct email_detector {
  static constexpr std::string_view name = "email";
  static constexpr bool may_be_in(text_look const& look) noexcept {
    return look.size > 5 && look.has_any(text_look::at_sign | text_look::percent) && look.has_any(text_look::dot);
  }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    std::size_t least = from;  // nothing is looked at twice
    for (std::size_t i = text.find_first_of("@%", from); i != text.npos; i = text.find_first_of("@%", i + 1)) {
      const std::size_t sign = text[i] == '@' ? 1 : text.substr(i, 3) == "%40" ? 3 : 0;
      if (sign == 0) continue;
      std::size_t begin = i;
      while (begin > least && is_local(text[begin - 1])) --begin;
      const std::size_t domain = i + sign;
      least = domain;
      if (begin == i) continue;
      const std::size_t end = end_of_domain(text, domain);
      if (end == domain || is_login(text, begin, i, end)) continue;
      return {begin, end};
    }
    return {};
  }

 private:
  // Of RFC 5322's atext without what stands between the parts of a URL's query or of a structure: = & / ? { | }
  static constexpr bool is_local(char c) noexcept {
    return detail::is_alphanumeric(c) || detail::is_not_ascii(c) ||
           std::string_view("._%+-'`~!#$*^").find(c) != std::string_view::npos;
  }
  static constexpr bool is_domain(char c) noexcept {
    return detail::is_alphanumeric(c) || detail::is_not_ascii(c) || c == '-' || c == '.';
  }
  static constexpr bool is_label_letter(char c) noexcept { return detail::is_letter(c) || detail::is_not_ascii(c); }

  /// `begin` where no domain begins there.
  static constexpr std::size_t end_of_domain(std::string_view text, std::size_t begin) noexcept {
    if (begin < text.size() && text[begin] == '[') {
      const auto is_literal = [](char c) { return detail::is_alphanumeric(c) || c == '.' || c == ':'; };
      const std::size_t end = detail::end_of_run(text, begin + 1, is_literal);
      return end > begin + 4 && end < text.size() && text[end] == ']' ? end + 1 : begin;
    }
    std::size_t end = detail::end_of_run(text, begin, is_domain);
    while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
    // A label after the first that may be a top-level domain: letters alone, or punycode.
    for (std::size_t i = begin + 1; i < end; ++i) {
      if (text[i] != '.' || text[begin] == '.') continue;
      const std::size_t letters = detail::end_of_run(text.substr(0, end), i + 1, is_label_letter);
      if (letters - i > 2 && (letters == end || text[letters] == '.' || text[letters] == '-')) return end;
    }
    return begin;
  }

  static constexpr bool is_login(std::string_view text, std::size_t begin, std::size_t sign, std::size_t end) noexcept {
    const std::string_view local = text.substr(begin, sign - begin), after = text.substr(end, 2);
    if (after.starts_with(":/") || after.starts_with(":~")) return true;
    if (after.starts_with(':') && (local == "git" || local == "hg" || local == "svn")) return true;
    const std::string_view before = text.substr(0, begin);
    for (const std::string_view scheme : {"ssh://", "sftp://", "scp://", "git://", "rsync://"})
      if (before.ends_with(scheme)) return true;
    return false;
  }
};

static_assert(detector<email_detector>);

}  // namespace v1
}  // namespace fulgurite

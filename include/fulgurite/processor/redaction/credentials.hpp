// Detectors of credentials: in URLs, and in what HTTP's Authorization header holds.
#pragma once

#include <fulgurite/processor/redaction/detector.hpp>

#include <cstddef>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// The user information of a URL, `user:password` in `scheme://user:password@host` (RFC 3986, 3.2.1), also with a
/// slash in the password or slashes that are escaped as in JSON. A name alone counts, too, as it often is a token,
/// except with ssh and its like, where it is a login and no secret.
struct url_detector {
  static constexpr std::string_view name = "url";
  static constexpr bool may_be_in(text_look const& look) noexcept {
    return look.has_all(text_look::at_sign | text_look::colon | text_look::slash);
  }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    for (std::size_t colon = text.find(':', from); colon != text.npos; colon = text.find(':', colon + 1)) {
      const std::size_t slashes = size_of_slashes(text, colon + 1);
      if (slashes == 0) continue;
      const std::size_t begin = colon + 1 + slashes;
      if (const std::size_t end = end_of_user(text, begin, colon); end > begin) return {begin, end};
    }
    return {};
  }

 private:
  /// `//`, or `\/\/`.
  static constexpr std::size_t size_of_slashes(std::string_view text, std::size_t at) noexcept {
    const std::string_view rest = text.substr(at, 4);
    return rest.starts_with("//") ? 2 : rest == "\\/\\/" ? 4 : 0;
  }
  static constexpr bool ends_url(char c) noexcept { return detail::is_space(c) || c == '"' || c == '<' || c == '>'; }

  /// Where the user information ends that begins there; `begin` where there is none.
  static constexpr std::size_t end_of_user(std::string_view text, std::size_t begin, std::size_t scheme_end) noexcept {
    std::size_t at = begin, colon = text.npos, user_end = text.npos;
    for (; at < text.size() && !ends_url(text[at]); ++at) {
      const char c = text[at];
      if (c == '/' || c == '?' || c == '#' || (c == '\\' && text.substr(at + 1, 1) == "/")) break;
      if (c == '@') user_end = at;  // the last one: a password may hold others
      if (c == ':' && colon == text.npos) colon = at;
    }
    if (user_end != text.npos) {
      const bool has_password = colon != text.npos && colon < user_end;
      return has_password || !is_login_only(text.substr(0, scheme_end)) ? user_end : begin;
    }
    // No host: what follows the colon is its port, or a password that should have been encoded.
    constexpr std::size_t most = 512;
    if (colon == text.npos || at == text.size() || text[begin] == '[') return begin;
    if (detail::end_of_run(text, colon + 1, detail::is_digit) == at) return begin;
    for (std::size_t i = at; i < text.size() && i - at < most && !ends_url(text[i]); ++i)
      if (text[i] == '@') user_end = i;
    return user_end == text.npos ? begin : user_end;
  }
  /// A scheme that is followed by a login's name, whose secret is elsewhere.
  static constexpr bool is_login_only(std::string_view before) noexcept {
    for (const std::string_view scheme : {"ssh", "sftp", "scp", "git", "rsync"})
      if (before.size() >= scheme.size() && detail::has_word_at(before, before.size() - scheme.size(), scheme) &&
          detail::is_word_start(before, before.size() - scheme.size()))
        return true;
    return false;
  }
};

/// Credentials as HTTP's Authorization header holds them: what follows `authorization:` or `authorization=` to the end
/// of its line or quotes, whatever the scheme; and anywhere `Bearer` with a token (RFC 6750), and `Basic` with what is
/// base64 of `user:password` (RFC 7617). Words in any case. The name of a scheme stays.
struct authorization_detector {
  static constexpr std::string_view name = "bearer";
  static constexpr bool may_be_in(text_look const& look) noexcept {
    return look.size > 9 && look.has_any(text_look::letter_b | text_look::letter_z);
  }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    for (std::size_t i = from; i + 1 < text.size(); ++i) {
      // Setting the bit makes lower case of letters, and a letter of nothing else that is looked for.
      const char c = static_cast<char>(text[i] | 0x20);
      if (c != 'a' && c != 'b') continue;
      const char second = static_cast<char>(text[i + 1] | 0x20);
      if ((c == 'a' ? second != 'u' : second != 'e' && second != 'a') || !detail::is_word_start(text, i)) continue;
      text_range found;
      if (detail::has_word_at(text, i, "authorization"))
        found = header_value(text, i);
      else if (detail::has_word_at(text, i, "bearer"))
        found = bearer_token(text, i + 6);
      else if (detail::has_word_at(text, i, "basic"))
        found = basic_credentials(text, i + 5);
      if (found) return found;
    }
    return {};
  }

 private:
  static constexpr bool is_quote(char c) noexcept { return c == '"' || c == '\''; }

  static constexpr text_range header_value(std::string_view text, std::size_t word) noexcept {
    const auto may_surround = [](char c) { return is_quote(c) || c == '\\' || c == ']' || detail::is_blank(c); };
    const auto may_open = [](char c) {
      return is_quote(c) || c == '\\' || c == '[' || c == '>' || detail::is_blank(c);
    };
    std::size_t begin = detail::end_of_run(text, word + 13, may_surround);
    if (begin == text.size() || (text[begin] != ':' && text[begin] != '=')) return {};
    begin = detail::end_of_run(text, begin + 1, may_open);
    // Quotes that were opened before the value end it, and those around a whole `-H "Authorization: ..."`.
    char quote = 0;
    if (word != 0 && is_quote(text[word - 1])) quote = text[word - 1];
    for (std::size_t i = begin; i > word + 13 && may_open(text[i - 1]); --i)
      if (is_quote(text[i - 1])) quote = text[i - 1];
    std::size_t end = begin;
    while (end < text.size() && text[end] != '\n' && text[end] != '\r' && (quote == 0 || text[end] != quote)) ++end;
    return begin_after_scheme(text, begin, end);
  }
  static constexpr text_range begin_after_scheme(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    for (const std::string_view scheme : {"bearer ", "basic ", "digest ", "negotiate ", "token "})
      if (detail::has_word_at(text, begin, scheme) && begin + scheme.size() < end) return {begin + scheme.size(), end};
    return {begin, end};
  }

  static constexpr bool is_token_character(char c) noexcept {
    return detail::is_base64url(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
  }
  /// Where what follows a scheme begins; 0 where nothing does.
  static constexpr std::size_t after_blanks(std::string_view text, std::size_t at) noexcept {
    if (text.substr(at).starts_with("%20")) return at + 3;
    if (text.substr(at).starts_with("+")) return at + 1;
    const std::size_t end = detail::end_of_run(text, at, detail::is_blank);
    return end == at ? 0 : end;
  }
  static constexpr text_range bearer_token(std::string_view text, std::size_t at) noexcept {
    const std::size_t begin = after_blanks(text, at);
    if (begin == 0) return {};
    const std::size_t end = detail::end_of_run(text, begin, is_token_character);
    if (end - begin < 8) return {};
    std::string_view word = text.substr(begin, end - begin);
    if (word.back() == '.') word.remove_suffix(1);
    for (const std::string_view plain : {"authentication", "authorization", "credential", "credentials", "required"})
      if (word.size() == plain.size() && detail::has_word_at(word, 0, plain)) return {};
    return {begin, end};
  }
  /// Of base64 no more than up to a colon is decoded.
  static constexpr text_range basic_credentials(std::string_view text, std::size_t at) noexcept {
    const std::size_t begin = after_blanks(text, at);
    if (begin == 0) return {};
    const std::size_t end = detail::end_of_run(text, begin, is_token_character);
    unsigned bits = 0;
    int count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const int value = base64_value(text[i]);
      if (value < 0) return {};
      bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffffU;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      const unsigned octet = bits >> count & 0xffU;
      if (octet == ':') return {begin, end};
      if (octet < ' ') return {};
    }
    return {};
  }
  static constexpr int base64_value(char c) noexcept {
    if (detail::is_upper(c)) return c - 'A';
    if (detail::is_lower(c)) return c - 'a' + 26;
    if (detail::is_digit(c)) return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    return c == '/' || c == '_' ? 63 : -1;
  }
};

static_assert(detector<url_detector> && detector<authorization_detector>);

}  // namespace v1
}  // namespace fulgurite

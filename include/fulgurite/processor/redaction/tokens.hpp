// Detectors of tokens that can be told by their form: JSON Web Tokens, and the keys of well-known services.
#pragma once

#include <fulgurite/processor/redaction/detector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// JSON Web Tokens (RFC 7519; signed, encrypted and unsecured): `eyJ`, which is base64 of `{"`, and more base64url,
/// then further parts after dots. One that was cut is found once it has a part of its payload.
struct jwt_detector {
  static constexpr std::string_view name = "jwt";
  static constexpr bool may_be_in(text_look const& look) noexcept {
    return look.size > 16 && look.has_all(text_look::dot | text_look::capital_j);
  }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    for (std::size_t i = text.find("eyJ", from); i != text.npos; i = text.find("eyJ", i)) {
      if (!detail::is_word_start(text, i)) {
        i += 3;
        continue;
      }
      const std::size_t header = detail::end_of_run(text, i, detail::is_base64url);
      // Of an encrypted one the second part may be empty.
      const std::size_t dots = detail::end_of_run(text.substr(0, header + 2), header, [](char c) { return c == '.'; });
      const std::size_t payload = dots == header ? header : detail::end_of_run(text, dots, detail::is_base64url);
      if (header - i >= 10 && payload >= dots + 4 && dots != header)
        return {i, detail::end_of_run(text, payload, [](char c) { return detail::is_base64url(c) || c == '.'; })};
      i = header;
    }
    return {};
  }
};

namespace detail {

enum class key_alphabet : std::uint8_t { letters_and_digits, base64url, base64url_and_dots, hex };

/// A service's keys: the prefix, and at least so many characters of an alphabet.
struct key_form {
  std::string_view prefix;
  std::size_t least;
  key_alphabet alphabet;
};

inline constexpr auto known_keys = [] {
  using enum key_alphabet;
  return std::to_array<key_form>({
      {"AKIA", 16, letters_and_digits},      // AWS access keys
      {"ASIA", 16, letters_and_digits},      //
      {"ABIA", 16, letters_and_digits},      //
      {"ACCA", 16, letters_and_digits},      //
      {"AIza", 35, base64url},               // Google API
      {"AGE-SECRET-KEY-1", 50, base64url},   // age
      {"ATATT3", 40, base64url},             // Atlassian
      {"GOCSPX-", 20, base64url},            // Google OAuth
      {"PMAK-", 40, base64url},              // Postman
      {"SG.", 40, base64url_and_dots},       // SendGrid
      {"SK", 32, hex},                       // Twilio
      {"dckr_pat_", 20, base64url},          // Docker Hub
      {"doo_v1_", 40, hex},                  // DigitalOcean
      {"dop_v1_", 40, hex},                  //
      {"dor_v1_", 40, hex},                  //
      {"ghp_", 30, letters_and_digits},      // GitHub
      {"gho_", 30, letters_and_digits},      //
      {"ghu_", 30, letters_and_digits},      //
      {"ghs_", 30, letters_and_digits},      //
      {"ghr_", 30, letters_and_digits},      //
      {"github_pat_", 22, base64url},        //
      {"glpat-", 20, base64url},             // GitLab
      {"gldt-", 20, base64url},              //
      {"glrt-", 20, base64url},              //
      {"glcbt-", 20, base64url},             //
      {"glptt-", 20, base64url},             //
      {"gsk_", 30, letters_and_digits},      // Groq
      {"hf_", 30, letters_and_digits},       // Hugging Face
      {"hvs.", 24, base64url},               // HashiCorp Vault
      {"key-", 32, hex},                     // Mailgun
      {"lin_api_", 30, letters_and_digits},  // Linear
      {"npm_", 36, letters_and_digits},      // npm
      {"ntn_", 40, letters_and_digits},      // Notion
      {"nvapi-", 40, base64url},             // NVIDIA
      {"pplx-", 40, letters_and_digits},     // Perplexity
      {"pypi-", 50, base64url},              // PyPI
      {"r8_", 30, letters_and_digits},       // Replicate
      {"rk_live_", 16, letters_and_digits},  // Stripe
      {"rk_test_", 16, letters_and_digits},  //
      {"rubygems_", 40, hex},                // RubyGems
      {"shpat_", 32, hex},                   // Shopify
      {"shpca_", 32, hex},                   //
      {"shpss_", 32, hex},                   //
      {"sk-", 20, base64url},                // OpenAI, Anthropic and others
      {"sk_live_", 16, letters_and_digits},  // Stripe
      {"sk_test_", 16, letters_and_digits},  //
      {"sq0atp-", 22, base64url},            // Square
      {"sq0csp-", 40, base64url},            //
      {"whsec_", 16, base64url},             // webhooks
      {"xai-", 40, letters_and_digits},      // xAI
      {"xapp-", 10, base64url},              // Slack
      {"xoxa-", 10, base64url},              //
      {"xoxb-", 10, base64url},              //
      {"xoxc-", 10, base64url},              //
      {"xoxd-", 10, base64url},              //
      {"xoxe-", 10, base64url},              //
      {"xoxe.", 10, base64url_and_dots},     //
      {"xoxp-", 10, base64url},              //
      {"xoxr-", 10, base64url},              //
      {"xoxs-", 10, base64url},              //
      {"ya29.", 20, base64url},              // Google OAuth
  });
}();

/// The known keys that begin with a character: the first, and one past the last.
struct key_span {
  std::uint8_t begin = 0, end = 0;
};
inline constexpr std::array<key_span, 128> keys_by_first = [] {
  std::array<key_span, 128> spans{};
  for (std::size_t i = 0; i < known_keys.size(); ++i) {
    key_span& span = spans[static_cast<unsigned char>(known_keys[i].prefix[0])];
    if (span.end == 0) span.begin = static_cast<std::uint8_t>(i);
    span.end = static_cast<std::uint8_t>(i + 1);
  }
  return spans;
}();
/// Of each first character the second ones that a known key has after it, as bits of their lower six: most characters
/// of most texts begin no key, and this tells.
inline constexpr std::array<std::uint64_t, 256> key_seconds = [] {
  std::array<std::uint64_t, 256> seconds{};
  for (key_form const& form : known_keys)
    seconds[static_cast<unsigned char>(form.prefix[0])] |= std::uint64_t{1} << (form.prefix[1] & 63);
  seconds['-'] = std::uint64_t{1} << ('-' & 63);  // private keys
  return seconds;
}();
static_assert([] {
  for (std::size_t i = 1; i < known_keys.size(); ++i)
    if (known_keys[i].prefix[0] < known_keys[i - 1].prefix[0]) return false;
  return true;
}());

}  // namespace detail

/// The keys of well-known services, told by their prefixes (the list is in this header), and private keys in PEM
/// (RFC 7468), to their end or the text's.
struct api_key_detector {
  static constexpr std::string_view name = "api_key";
  static constexpr bool may_be_in(text_look const& look) noexcept {
    constexpr unsigned one_of_each_prefix =
        text_look::dash | text_look::underscore | text_look::dot | text_look::capital_a | text_look::capital_s;
    return look.size >= 14 && look.has_any(one_of_each_prefix);
  }
  static constexpr text_range find(std::string_view text, std::size_t from) noexcept {
    for (std::size_t i = from; i + 1 < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if ((detail::key_seconds[c] >> (text[i + 1] & 63) & 1) == 0) continue;
      if (c == '-') {
        if (const std::size_t end = end_of_private_key(text, i); end != i) return {i, end};
        continue;
      }
      if (!detail::is_word_start(text, i)) continue;
      for (std::size_t k = detail::keys_by_first[c].begin; k < detail::keys_by_first[c].end; ++k)
        if (const std::size_t end = end_of_key(text, i, detail::known_keys[k]); end != i) return {i, end};
    }
    return {};
  }

 private:
  static constexpr bool is_of(detail::key_alphabet alphabet, char c) noexcept {
    switch (alphabet) {
      case detail::key_alphabet::letters_and_digits:
        return detail::is_alphanumeric(c);
      case detail::key_alphabet::base64url:
        return detail::is_base64url(c);
      case detail::key_alphabet::base64url_and_dots:
        return detail::is_base64url(c) || c == '.';
      case detail::key_alphabet::hex:
        return detail::is_hex_digit(c);
    }
    return false;
  }
  /// `begin` where it is none. A key has a digit; `sk-some-long-name` has none.
  static constexpr std::size_t end_of_key(std::string_view text, std::size_t begin,
                                          detail::key_form const& of) noexcept {
    if (text.substr(begin, of.prefix.size()) != of.prefix) return begin;
    const std::size_t first = begin + of.prefix.size();
    std::size_t end = first;
    bool has_digit = false;
    for (; end < text.size() && is_of(of.alphabet, text[end]); ++end) {
      has_digit = has_digit || detail::is_digit(text[end]);
      // A long run without a digit is looked at once, not from each word in it.
      if (!has_digit && end - first >= 4 * of.least) return begin;
    }
    return end - first >= of.least && has_digit ? end : begin;
  }
  static constexpr std::size_t end_of_private_key(std::string_view text, std::size_t begin) noexcept {
    constexpr std::string_view head = "-----BEGIN ", tail = "-----END ", kind = "PRIVATE KEY", line = "-----";
    if (text.substr(begin, head.size()) != head) return begin;
    const std::string_view label = text.substr(begin + head.size(), 40);
    if (label.substr(0, label.find(line)).find(kind) == label.npos) return begin;
    const std::size_t end = text.find(tail, begin + head.size());
    if (end == text.npos) return text.size();
    const std::size_t last = text.find(line, end + tail.size());
    return last == text.npos ? text.size() : last + line.size();
  }
};

static_assert(detector<jwt_detector> && detector<api_key_detector>);

}  // namespace v1
}  // namespace fulgurite

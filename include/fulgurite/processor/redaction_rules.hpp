// Redaction rules that are read from a text, such as TRACER_REDACT's:
//
//   password, *.token=drop, detect:card=hash, detect:url, match:/ACME-\d{6,8}/; action=mask
//
// The rules stand between commas or semicolons, spaces around them do not count:
//
//   KEY              the value of an attribute or a map's entry with this key, whatever it is; `*` stands for any text,
//                    `?` for one octet, letters match in any case (processor/redaction/key_rule.hpp)
//   detect:NAME      what a detector finds in any text: url, bearer, jwt, api_key, card, email, or all of them
//   match:/PATTERN/  what a pattern finds in any text (processor/redaction/pattern.hpp); a slash in it is `\/`
//   action=ACTION    what becomes of a hit of every rule that does not say it itself by `=ACTION`: mask (where nothing
//   is
//                    said), hash or drop (processor/redaction/policy.hpp)
#pragma once

#include <fulgurite/processor/redaction/card.hpp>
#include <fulgurite/processor/redaction/credentials.hpp>
#include <fulgurite/processor/redaction/email.hpp>
#include <fulgurite/processor/redaction/key_rule.hpp>
#include <fulgurite/processor/redaction/pattern.hpp>
#include <fulgurite/processor/redaction/policy.hpp>
#include <fulgurite/processor/redaction/tokens.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What is wrong with one rule: the rule as it was given, and what is allowed in its place.
struct redaction_problem {
  std::string rule;
  std::string allowed;
};

namespace detail {

template <class F>
constexpr void for_each_detector(F&& f) {
  f.template operator()<url_detector>(0);  // before email_detector: see redaction_hits
  f.template operator()<authorization_detector>(1);
  f.template operator()<jwt_detector>(2);
  f.template operator()<api_key_detector>(3);
  f.template operator()<card_detector>(4);
  f.template operator()<email_detector>(5);
}
inline constexpr std::size_t detectors = 6;

constexpr std::optional<redaction_action> redaction_action_named(std::string_view name) noexcept {
  if (name == "hash") return redaction_action::hash;
  if (name == "mask") return redaction_action::mask;
  if (name == "drop") return redaction_action::drop;
  return std::nullopt;
}

}  // namespace detail

/// The rules that `TRACER_REDACT` spells, made for use.
class redaction_rules {
 public:
  /// No rules: nothing is redacted.
  redaction_rules() = default;
  /// The rules of a text. While it has a problem every text is masked: a mistyped rule must not let a secret out.
  explicit redaction_rules(std::string_view text) { read(text); }

  std::vector<redaction_problem> const& problems() const noexcept { return problems_; }
  bool empty() const noexcept { return problems_.empty() && keys_.empty() && patterns_.empty() && !detects_; }
  /// Whether any rule's action is this one.
  bool uses(redaction_action action) const noexcept {
    for (auto const& rule : keys_)
      if (rule.action == action) return true;
    for (auto const& rule : patterns_)
      if (rule.action == action) return true;
    for (const redaction_action of : by_detector_)
      if (of == action) return true;
    return false;
  }

  redaction_action action_of_key(std::string_view key) const noexcept {
    if (keys_.empty() || key.empty() || !key_ends_[static_cast<unsigned char>(detail::lower_case(key.back()))])
      return redaction_action::none;
    redaction_action action = redaction_action::none;
    for (auto const& rule : keys_)
      if (rule.action > action && rule.what.matches(key)) action = rule.action;
    return action;
  }
  bool concerns(std::string_view text) const noexcept {
    if (!problems_.empty()) return !text.empty();
    if (detects_ && text.size() >= shortest_secret) {
      const text_look look = detail::look_at(text);
      bool found = false;
      detail::for_each_detector([&]<class Detector>(std::size_t i) {
        if (!found && by_detector_[i] != redaction_action::none && Detector::may_be_in(look))
          found = static_cast<bool>(Detector::find(text, 0));
      });
      if (found) return true;
    }
    for (auto const& rule : patterns_)
      if (rule.what.matches(text)) return true;
    return false;
  }
  void find(std::string_view text, redaction_hits& hits) const {
    if (!problems_.empty()) {
      if (!text.empty()) hits.add({0, text.size()}, redaction_action::mask);
      return;
    }
    if (detects_) {
      const text_look look = detail::look_at(text);
      detail::for_each_detector([&]<class Detector>(std::size_t i) {
        if (by_detector_[i] != redaction_action::none && Detector::may_be_in(look))
          hits.add_all<Detector>(text, by_detector_[i]);
      });
    }
    for (auto const& rule : patterns_)
      if (rule.what.matches(text)) rule.what.for_each(text, [&](text_range where) { hits.add(where, rule.action); });
  }

 private:
  /// What is left of a URL with a user, `://x@`; no detector finds anything in less.
  static constexpr std::size_t shortest_secret = 5;
  static constexpr const char* all_detectors = "all, url, bearer, jwt, api_key, card, email";
  static constexpr const char* all_actions = "hash, mask, drop";

  template <class What>
  struct entry {
    What what;
    redaction_action action;
  };

  static constexpr std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && detail::is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && detail::is_space(text.back())) text.remove_suffix(1);
    return text;
  }
  void refuse(std::string_view rule, std::string allowed) {
    problems_.push_back({std::string(rule), std::move(allowed)});
  }

  void read(std::string_view text) {
    redaction_action otherwise = redaction_action::mask;
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view one = trimmed(take_rule(rest));
      if (!one.empty()) read_rule(one, otherwise);
    }
    for (auto& one : keys_)
      if (one.action == redaction_action::none) one.action = otherwise;
    for (auto& one : patterns_)
      if (one.action == redaction_action::none) one.action = otherwise;
    for (std::size_t i = 0; i < detail::detectors; ++i)
      if (asked_[i] && by_detector_[i] == redaction_action::none) by_detector_[i] = otherwise;
    for (auto const& one : keys_) one.what.mark_ends(key_ends_);
  }

  /// Up to the next comma or semicolon that is not in a pattern.
  static std::string_view take_rule(std::string_view& rest) noexcept {
    std::size_t at = 0;
    while (at < rest.size() && detail::is_space(rest[at])) ++at;
    if (rest.substr(at).starts_with("match:/")) at = end_of_pattern(rest, at + 7);
    while (at < rest.size() && rest[at] != ',' && rest[at] != ';') ++at;
    const std::string_view one = rest.substr(0, at);
    rest.remove_prefix(at < rest.size() ? at + 1 : at);
    return one;
  }
  /// The slash after a pattern; the text's end where there is none.
  static std::size_t end_of_pattern(std::string_view text, std::size_t at) noexcept {
    for (; at < text.size() && text[at] != '/'; ++at)
      if (text[at] == '\\') ++at;
    return at < text.size() ? at : text.size();
  }

  void read_rule(std::string_view one, redaction_action& otherwise) {
    const auto action_after = [&](std::size_t equals) -> std::optional<redaction_action> {
      if (equals >= one.size()) return redaction_action::none;
      const auto action = detail::redaction_action_named(trimmed(one.substr(equals + 1)));
      if (!action) refuse(one, std::string("after = one of ") + all_actions);
      return action;
    };
    if (one.starts_with("match:")) {
      const std::size_t end = one.starts_with("match:/") ? end_of_pattern(one, 7) : one.size();
      const std::string_view after = end < one.size() ? trimmed(one.substr(end + 1)) : std::string_view();
      if (end == one.size() || (!after.empty() && after[0] != '='))
        return refuse(one, "match:/PATTERN/ or match:/PATTERN/=ACTION");
      std::string why;
      const auto pattern = value_pattern::compile(one.substr(7, end - 7), why);
      if (!pattern) return refuse(one, "in the pattern " + why);
      const std::size_t equals = after.empty() ? one.size() : static_cast<std::size_t>(after.data() - one.data());
      if (const auto action = action_after(equals)) patterns_.push_back({*pattern, *action});
      return;
    }
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string_view what = trimmed(one.substr(0, equals));
    const auto action = action_after(equals);
    if (!action) return;
    if (what == "action" && equals < one.size()) {
      otherwise = *action;
    } else if (what.starts_with("detect:")) {
      const std::string_view name = trimmed(what.substr(7));
      bool known = false;
      detail::for_each_detector([&]<class Detector>(std::size_t i) {
        if (name != "all" && name != Detector::name) return;
        known = asked_[i] = detects_ = true;
        if (name != "all" || by_detector_[i] == redaction_action::none) by_detector_[i] = *action;
      });
      if (!known) refuse(one, std::string("after detect: one of ") + all_detectors);
    } else if (what.find(':') != std::string_view::npos) {
      refuse(one, "a key without a colon, detect:NAME or match:/PATTERN/");
    } else if (const std::string_view wrong = key_rule::problem_of(what); !wrong.empty()) {
      refuse(one, std::string(wrong));
    } else
      keys_.push_back({key_rule(what), *action});
  }

  std::vector<entry<key_rule>> keys_;
  std::vector<entry<value_pattern>> patterns_;
  std::array<redaction_action, detail::detectors> by_detector_{};
  std::array<bool, detail::detectors> asked_{};
  std::array<bool, 256> key_ends_{};
  bool detects_ = false;
  std::vector<redaction_problem> problems_;
};

static_assert(redaction_policy<redaction_rules>);

}  // namespace v1
}  // namespace fulgurite

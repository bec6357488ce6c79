// What redaction goes by: the concept of its rules, and rules made of detectors at compile time.
//
// Rules say of a key what becomes of its value, and find in a text what must not leave the process. Models:
// `redaction_rules` (processor/redaction_rules.hpp), which are read from a text at run time, `redact_detected`, here,
// and `redact_nothing`.
#pragma once

#include <fulgurite/processor/redaction/credentials.hpp>
#include <fulgurite/processor/redaction/email.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What becomes of what must not go out, from the mildest to the strictest; where two rules hit, the stricter holds.
enum class redaction_action : std::uint8_t {
  none,
  hash,  ///< `hash:` and 16 hexadecimal digits, SipHash-2-4 of it under a key: equal texts can be told from others
  mask,  ///< `***`
  drop   ///< the attribute, or the entry or element of its value, goes; what cannot, such as a span's name, is masked
};

/// What rules found in one text.
class redaction_hits {
 public:
  struct hit {
    text_range where;
    redaction_action action;
  };

  void add(text_range where, redaction_action action) { all_.push_back({where, action}); }

  /// Adds all that a detector finds.
  template <detector Detector>
  void add_all(std::string_view text, redaction_action action) {
    if constexpr (std::same_as<Detector, url_detector>) users_begin_ = all_.size();
    std::size_t user = users_begin_;
    for (text_range found = Detector::find(text, 0); found;) {
      std::size_t next = found.end;
      if constexpr (std::same_as<Detector, email_detector>) {
        // The sign after a URL's user information makes no address of a password and a host.
        while (user < users_end_ && all_[user].where.end <= found.begin) ++user;
        if (user < users_end_ && all_[user].where.begin < found.end)
          next = all_[user].where.end + 1;
        else
          add(found, action);
      } else
        add(found, action);
      found = Detector::find(text, next);
    }
    if constexpr (std::same_as<Detector, url_detector>) users_end_ = all_.size();
  }

  /// The hits in order; those that overlap are one, under the stricter action.
  std::vector<hit> const& merged() {
    std::sort(all_.begin(), all_.end(), [](hit const& a, hit const& b) { return a.where.begin < b.where.begin; });
    std::size_t kept = 0;
    for (hit const& one : all_) {
      if (kept != 0 && one.where.begin < all_[kept - 1].where.end) {
        hit& last = all_[kept - 1];
        last.where.end = std::max(last.where.end, one.where.end);
        last.action = std::max(last.action, one.action);
      } else
        all_[kept++] = one;
    }
    all_.resize(kept);
    return all_;
  }

 private:
  std::vector<hit> all_;
  std::size_t users_begin_ = 0, users_end_ = 0;  // what url_detector found
};

template <class R>
concept redaction_policy = requires(const R rules, std::string_view text, redaction_hits& hits) {
  { rules.action_of_key(text) } noexcept -> std::same_as<redaction_action>;
  { rules.concerns(text) } noexcept -> std::same_as<bool>;
  rules.find(text, hits);
};

/// Leaves everything as it is.
struct redact_nothing {
  /// What becomes of an attribute with this key, or of the entry of a map: asked with the entry's own key, and with the
  /// keys that lead to it, joined by dots.
  redaction_action action_of_key(std::string_view) const noexcept { return redaction_action::none; }
  /// Whether `find` would find anything.
  bool concerns(std::string_view) const noexcept { return false; }
  /// Adds every hit in a text. May throw std::bad_alloc.
  void find(std::string_view, redaction_hits&) const {}
};

/// What these detectors find, in every text: `redact_detected<url_detector, card_detector>{redaction_action::hash}`.
/// `url_detector` belongs before `email_detector`.
template <detector... Detectors>
struct redact_detected {
  redaction_action action = redaction_action::mask;

  redaction_action action_of_key(std::string_view) const noexcept { return redaction_action::none; }
  bool concerns(std::string_view text) const noexcept {
    const text_look look = detail::look_at(text);
    return ((Detectors::may_be_in(look) && Detectors::find(text, 0)) || ...);
  }
  void find(std::string_view text, redaction_hits& hits) const {
    const text_look look = detail::look_at(text);
    (..., (Detectors::may_be_in(look) ? hits.add_all<Detectors>(text, action) : void()));
  }
};

static_assert(redaction_policy<redact_nothing> && redaction_policy<redact_detected<email_detector>>);

}  // namespace v1
}  // namespace fulgurite

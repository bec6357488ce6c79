// A rule about keys: an attribute's key, exact or with wildcards.
#pragma once

#include <fulgurite/processor/redaction/text.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// The text `password` is that key alone, `*.password` every key that ends so. A star stands for any text, a question
/// mark for any octet. Letters of ASCII match in any case: `Password` is a password, too.
class key_rule {
 public:
  static constexpr std::size_t most = 256;

  explicit key_rule(std::string_view text) : text_(text) {
    for (char& c : text_) c = detail::lower_case(c);
    while (tail_ < text_.size() && text_[text_.size() - 1 - tail_] != '*') ++tail_;
  }

  /// Empty where a text can be a rule; otherwise what is allowed.
  static constexpr std::string_view problem_of(std::string_view text) noexcept {
    if (text.empty()) return "a key that is not empty";
    if (text.size() > most) return "a key of at most 256 characters";
    return {};
  }

  std::string_view text() const noexcept { return text_; }

  /// Goes back to the last `*` only: at most text's size times key's size steps.
  bool matches(std::string_view key) const noexcept {
    if (key.size() < tail_ || (tail_ == text_.size() && key.size() != tail_)) return false;
    for (std::size_t i = 1; i <= tail_; ++i) {
      const char c = text_[text_.size() - i];
      if (c != '?' && c != detail::lower_case(key[key.size() - i])) return false;
    }
    std::size_t at = 0, k = 0, star = std::string_view::npos, from = 0;
    while (k < key.size()) {
      if (at < text_.size() && text_[at] == '*') {
        star = at++;
        from = k;
      } else if (at < text_.size() && (text_[at] == '?' || text_[at] == detail::lower_case(key[k]))) {
        ++at;
        ++k;
      } else if (star != std::string_view::npos) {
        at = star + 1;
        k = ++from;
      } else
        return false;
    }
    while (at < text_.size() && text_[at] == '*') ++at;
    return at == text_.size();
  }

  /// The octets, in lower case, that a key may end with to match: marked in `ends`.
  template <class Ends>
  void mark_ends(Ends& ends) const {
    const char last = text_.back();
    if (last == '*' || last == '?')
      for (auto& end : ends) end = true;
    else
      ends[static_cast<unsigned char>(last)] = true;
  }

 private:
  std::string text_;
  std::size_t tail_ = 0;  // the octets after the last `*`, or all of them
};

}  // namespace v1
}  // namespace fulgurite

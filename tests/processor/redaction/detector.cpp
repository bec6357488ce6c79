#include <fulgurite/processor/redaction/detector.hpp>

#include "finding.hpp"

namespace {

/// What a user would write.
struct word_detector {
  static constexpr std::string_view name = "word";
  static constexpr bool may_be_in(fulgurite::text_look const&) noexcept { return true; }
  static constexpr fulgurite::text_range find(std::string_view text, std::size_t from) noexcept {
    const std::size_t at = text.find("secret", from);
    if (at == text.npos) return {};
    return {at, at + 6};
  }
};
struct no_detector {
  static constexpr std::string_view name = "none";
};

}  // namespace

TEST_CASE("the concept") {
  CHECK(fulgurite::detector<word_detector>);
  CHECK_FALSE(fulgurite::detector<no_detector>);
  fulgurite_test::check_found<word_detector>("a secret, secret", {"secret", "secret"});
  CHECK_FALSE(fulgurite::null_detector::find("secret", 0));
}

#include <fulgurite/processor/redaction/policy.hpp>

#include <fulgurite/processor/redaction/card.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace fg = fulgurite;

namespace {

/// A text with its hits in brackets.
template <class Rules>
std::string marked(Rules const& rules, std::string_view text) {
  fg::redaction_hits hits;
  rules.find(text, hits);
  std::string out;
  std::size_t at = 0;
  for (auto const& hit : hits.merged()) {
    out += std::string(text.substr(at, hit.where.begin - at)) + "[" +
           std::string(text.substr(hit.where.begin, hit.where.end - hit.where.begin)) + "]";
    at = hit.where.end;
  }
  return out + std::string(text.substr(at));
}

}  // namespace

TEST_CASE("hits that overlap are one, under the stricter action") {
  fg::redaction_hits hits;
  hits.add({8, 12}, fg::redaction_action::hash);
  hits.add({0, 4}, fg::redaction_action::hash);
  hits.add({2, 6}, fg::redaction_action::mask);
  hits.add({3, 5}, fg::redaction_action::hash);
  hits.add({6, 8}, fg::redaction_action::hash);
  auto const& all = hits.merged();
  REQUIRE(all.size() == 3);
  CHECK(all[0].where == fg::text_range{0, 6});
  CHECK(all[0].action == fg::redaction_action::mask);
  CHECK(all[1].where == fg::text_range{6, 8});
  CHECK(all[2].where == fg::text_range{8, 12});
}

TEST_CASE("detectors at compile time") {
  const fg::redact_detected<fg::url_detector, fg::card_detector, fg::email_detector> rules;
  CHECK(rules.concerns("4111111111111111"));
  CHECK_FALSE(rules.concerns("nothing to see"));
  CHECK(rules.action_of_key("password") == fg::redaction_action::none);
  CHECK(marked(rules, "a@b.cc 4111111111111111") == "[a@b.cc] [4111111111111111]");
  // The host is no part of an address, and what follows is looked at.
  CHECK(marked(rules, "https://u:p@h.com/x?a@b.cc") == "https://[u:p]@h.com/x?[a@b.cc]");
  CHECK(marked(rules, "https://jane@example.com:p@h.com") == "https://[jane@example.com:p]@h.com");
  CHECK(marked(rules, "x@y.zz https://u:p@h.com x@y.zz") == "[x@y.zz] https://[u:p]@h.com [x@y.zz]");
  CHECK(marked(fg::redact_detected<fg::email_detector>{}, "https://u:p@h.com") == "https://u:[p@h.com]");
  CHECK(marked(fg::redact_nothing{}, "a@b.cc") == "a@b.cc");
}

#include <fulgurite/processor/redaction_rules.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace fg = fulgurite;
using enum fg::redaction_action;

namespace {

/// What a rule text leaves of a text, an action's initial in the place of each hit.
std::string left_of(std::string_view rules, std::string_view text) {
  const fg::redaction_rules made(rules);
  for (auto const& problem : made.problems()) FAIL(problem.rule, ": ", problem.allowed);
  fg::redaction_hits hits;
  made.find(text, hits);
  std::string out;
  std::size_t at = 0;
  for (auto const& [where, action] : hits.merged()) {
    out += text.substr(at, where.begin - at);
    out += "nhmd"[static_cast<int>(action)];
    at = where.end;
  }
  out += text.substr(at);
  CHECK(made.concerns(text) == (out != text));
  return out;
}

std::string problems_of(std::string_view rules) {
  std::string all;
  const fg::redaction_rules made(rules);
  for (auto const& problem : made.problems()) all += problem.rule + " -> " + problem.allowed + "\n";
  return all;
}

}  // namespace

TEST_CASE("keys") {
  const fg::redaction_rules rules(" password , *.Token=drop;; api_key = hash, secret?; action = drop ");
  CHECK(rules.problems().empty());
  CHECK(rules.action_of_key("password") == drop);
  CHECK(rules.action_of_key("PASSWORD") == drop);
  CHECK(rules.action_of_key("a.token") == drop);
  CHECK(rules.action_of_key("api_key") == hash);
  CHECK(rules.action_of_key("secret1") == drop);
  for (const char* key : {"", "token", "passwords", "secret", "http.method"}) CHECK(rules.action_of_key(key) == none);
  CHECK_FALSE(rules.concerns("password"));
  // The stricter of two.
  CHECK(fg::redaction_rules("a*=hash,ab=mask").action_of_key("ab") == mask);
  CHECK(fg::redaction_rules("a").action_of_key("a") == mask);
}

TEST_CASE("detectors and patterns") {
  const char* text = "a@b.cc https://u:p@h.de/ 4111111111111111 Bearer abcdefgh";
  CHECK(left_of("", text) == text);
  CHECK(left_of("detect:all", text) == "m https://m@h.de/ m Bearer m");
  CHECK(left_of("detect:card", text) == "a@b.cc https://u:p@h.de/ m Bearer abcdefgh");
  CHECK(left_of("detect:all;action=hash", text) == "h https://h@h.de/ h Bearer h");
  CHECK(left_of("detect:all,detect:card=drop", text) == "m https://m@h.de/ d Bearer m");
  CHECK(left_of("detect:card=drop,detect:all=hash", text) == "h https://h@h.de/ d Bearer h");
  CHECK(left_of("detect: email = hash", text) == "h https://u:h/ 4111111111111111 Bearer abcdefgh");
}

TEST_CASE("the shortest that a detector finds") {
  CHECK(left_of("detect:all", "://x@") == "://m@");
  CHECK(left_of("detect:all", "a@b.cc") == "m");
  CHECK(left_of("detect:all", "Bearer abcdefgh") == "Bearer m");
}

TEST_CASE("patterns hold commas, semicolons and slashes") {
  CHECK(left_of(R"(match:/x{2,3};y/=drop , detect:card)", "axx;yb") == "adb");
  CHECK(left_of(R"(match:/\/etc\/[a-z]+/)", "in /etc/passwd!") == "in m!");
  CHECK(left_of(R"(match:/[,;]/;action=hash)", "a,b") == "ahb");
  CHECK(left_of("match:/ab/,match:/bc/=drop", "abc") == "d");
}

TEST_CASE("what is wrong is said, each with what is allowed") {
  CHECK(problems_of("") == "");
  CHECK(problems_of(" , ;") == "");
  CHECK(problems_of("detect:crad") ==
        "detect:crad -> after detect: one of all, url, bearer, jwt, api_key, card, email\n");
  CHECK(problems_of("detct:card") == "detct:card -> a key without a colon, detect:NAME or match:/PATTERN/\n");
  CHECK(problems_of("password=hide") == "password=hide -> after = one of hash, mask, drop\n");
  CHECK(problems_of("action=") == "action= -> after = one of hash, mask, drop\n");
  CHECK(problems_of("=mask") == "=mask -> a key that is not empty\n");
  CHECK(problems_of("match:x") == "match:x -> match:/PATTERN/ or match:/PATTERN/=ACTION\n");
  CHECK(problems_of("match:/x") == "match:/x -> match:/PATTERN/ or match:/PATTERN/=ACTION\n");
  CHECK(problems_of("match:/x/y") == "match:/x/y -> match:/PATTERN/ or match:/PATTERN/=ACTION\n");
  CHECK(problems_of("match:/x/=") == "match:/x/= -> after = one of hash, mask, drop\n");
  CHECK(problems_of("match:/(/") == "match:/(/ -> in the pattern a ) for each (\n");
  CHECK(problems_of("match:/a*/") == "match:/a*/ -> in the pattern an expression that does not match the empty text\n");
  CHECK(problems_of("a=b,ok,c=d;detect:x") ==
        "a=b -> after = one of hash, mask, drop\nc=d -> after = one of hash, mask, drop\n"
        "detect:x -> after detect: one of all, url, bearer, jwt, api_key, card, email\n");
}

TEST_CASE("with a mistyped rule nothing gets through") {
  const fg::redaction_rules rules("detect:crad");
  CHECK(rules.concerns("anything"));
  CHECK_FALSE(rules.concerns(""));
  fg::redaction_hits hits;
  rules.find("anything", hits);
  REQUIRE(hits.merged().size() == 1);
  CHECK(hits.merged()[0].where == fg::text_range{0, 8});
  CHECK_FALSE(rules.empty());
}

TEST_CASE("what rules use") {
  CHECK(fg::redaction_rules().empty());
  CHECK(fg::redaction_rules(" ").empty());
  for (const char* text : {"a=hash", "detect:url=hash", "match:/a/;action=hash"}) {
    CHECK_FALSE(fg::redaction_rules(text).empty());
    CHECK(fg::redaction_rules(text).uses(hash));
    CHECK_FALSE(fg::redaction_rules(text).uses(mask));
  }
}

// Against fnmatch(3), which knows the same wildcards.
#include <fulgurite/processor/redaction/key_rule.hpp>

#include <doctest/doctest.h>

#include <fnmatch.h>

#include <array>
#include <random>
#include <string>

namespace fg = fulgurite;

TEST_CASE("keys and wildcards") {
  CHECK(fg::key_rule("password").matches("password"));
  CHECK(fg::key_rule("Password").matches("PASSWORD"));
  CHECK_FALSE(fg::key_rule("password").matches("db.password"));
  CHECK_FALSE(fg::key_rule("password").matches("passwords"));
  CHECK(fg::key_rule("*.password").matches("db.main.password"));
  CHECK_FALSE(fg::key_rule("*.password").matches("password"));
  CHECK(fg::key_rule("*password*").matches("password"));
  CHECK(fg::key_rule("http.*.cookie?").matches("http.request.header.cookie2"));
  CHECK(fg::key_rule("*").matches(""));
  CHECK_FALSE(fg::key_rule("?").matches(""));
  CHECK(fg::key_rule::problem_of("a").empty());
  CHECK_FALSE(fg::key_rule::problem_of("").empty());
  CHECK_FALSE(fg::key_rule::problem_of(std::string(257, 'a')).empty());
}

TEST_CASE("random rules match as fnmatch says, and no key ends otherwise than they tell") {
  std::mt19937 engine(2);
  int matches = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string rule, key;
    for (auto n = 1 + engine() % 6; n != 0; --n) rule += "ab.*?"[engine() % 5];
    for (auto n = engine() % 8; n != 0; --n) key += "aB."[engine() % 3];
    const fg::key_rule one(rule);
    const bool expected = fnmatch(rule.c_str(), key.c_str(), FNM_NOESCAPE | FNM_CASEFOLD) == 0;
    INFO(rule, " ", key);
    CHECK(one.matches(key) == expected);
    std::array<bool, 256> ends{};
    one.mark_ends(ends);
    if (expected && !key.empty()) CHECK(ends[static_cast<unsigned char>(fg::detail::lower_case(key.back()))]);
    matches += expected;
  }
  CHECK(matches > 1000);
}

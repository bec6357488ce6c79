// Against regexec(3), where both understand the expression; and what recursive matchers take years for.
#include <fulgurite/processor/redaction/pattern.hpp>

#include <doctest/doctest.h>

#include <regex.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

fg::value_pattern compiled(std::string_view text) {
  std::string problem;
  auto pattern = fg::value_pattern::compile(text, problem);
  INFO(std::string(text), ": ", problem);
  REQUIRE(pattern);
  return *pattern;
}
std::string problem_of(std::string_view text) {
  std::string problem;
  CHECK_FALSE(fg::value_pattern::compile(text, problem));
  return problem;
}
std::vector<std::string> found(std::string_view expression, std::string_view text) {
  std::vector<std::string> all;
  const fg::value_pattern pattern = compiled(expression);
  pattern.for_each(text,
                   [&](fg::text_range where) { all.emplace_back(text.substr(where.begin, where.end - where.begin)); });
  CHECK(pattern.matches(text) == !all.empty());
  return all;
}
using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what patterns find") {
  CHECK(found(R"(ACME-\d{6,8})", "a ACME-123456, ACME-12345 ACME-123456789") == texts{"ACME-123456", "ACME-12345678"});
  CHECK(found(R"(\d{3}-\d{2}-\d{4})", "ssn 123-45-6789.") == texts{"123-45-6789"});
  CHECK(found("(foo|ba[rz])+", "xfoobarbazx") == texts{"foobarbaz"});
  CHECK(found("(?i)secret", "SeCrEt") == texts{"SeCrEt"});
  CHECK(found("(?i)[x-z]", "aY") == texts{"Y"});
  CHECK(found("a.c", "abc a\nc") == texts{"abc"});
  CHECK(found("[^,;]+!", "a,bc!;") == texts{"bc!"});
  CHECK(found("^ab", "abab") == texts{"ab"});
  CHECK(found("ab$", "abab") == texts{"ab"});
  CHECK(found("^(a|b)$", "ab").empty());
  CHECK(found("ab?c", "ac abc abbc") == texts{"ac", "abc"});
  CHECK(found("x{2,}", "x xx xxxx") == texts{"xx", "xxxx"});
  CHECK(found("a{0,2}b", "aaab") == texts{"aab"});
  CHECK(found("(ab){2}", "ababab") == texts{"ababab"});  // two matches that overlap are one
  CHECK(found(R"([]\-a\]]+\.\/)", "x]-a./") == texts{"]-a./"});
  CHECK(found(R"(\S+\s\W\D)", "ab ..") == texts{"ab .."});
  CHECK(found(R"([\d_]+\t)", "a1_2\t") == texts{"1_2\t"});
  CHECK(found("[a-]+", "b-a-") == texts{"-a-"});
  CHECK(found("\xc3\xa4+", "\xc3\xa4") == texts{"\xc3\xa4"});
  CHECK(found("abc", "").empty());
}

TEST_CASE("what is no pattern says what is allowed") {
  for (const char* text : {"",
                           "a*",
                           "(a|)",
                           "(",
                           ")",
                           "a)",
                           "(a",
                           "[a",
                           "[",
                           "a**",
                           "a+?",
                           "a{2}{3}",
                           "{2}",
                           "*",
                           "+a",
                           "a{",
                           "a{2",
                           "a{3,2}",
                           "a{65}",
                           "a{0}",
                           "a{,3}",
                           "[z-a]",
                           "[\\d-z",
                           R"(\)",
                           R"(\b)",
                           R"(\1)",
                           "(?=a)",
                           "(?<n>a)",
                           "a^b",
                           "a$b",
                           "($)",
                           "^",
                           "$",
                           "^a|b",
                           "a|b$",
                           "[a-\\d]",
                           "((((((((((((((((((a))))))))))))))))))",
                           "(((()){64}){64}){64}a"}) {
    INFO(text);
    CHECK_FALSE(problem_of(text).empty());
  }
  CHECK(problem_of("a{40}b{40}") == "at most 64 characters and classes, with repetitions written out");
  CHECK_FALSE(problem_of(std::string(1025, 'a')).empty());
  CHECK_FALSE(problem_of("((((((((a{0,1}){64}){64}){64}){64}){64}){64}){64}){64}").empty());
  compiled("[a-z]{64}");
}

TEST_CASE("random expressions find what regexec matches") {
  std::mt19937 engine(3);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(engine() % n); };
  // A piece of an expression, never empty.
  const auto piece = [&](auto const& self, int depth) -> std::string {
    static const char* const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[0-9]", "1"};
    static const char* const counts[] = {"", "", "", "*", "+", "?", "{2}", "{1,2}", "{2,}"};
    std::string out;
    for (unsigned n = 1 + pick(3); n != 0; --n) {
      if (depth < 2 && pick(4) == 0)
        out += "(" + self(self, depth + 1) + "|" + self(self, depth + 1) + ")";
      else
        out += atoms[pick(8)];
      out += counts[pick(9)];
    }
    return out;
  };
  int compared = 0, hits = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string expression = piece(piece, 0);
    std::string problem;
    const auto pattern = fg::value_pattern::compile(expression, problem);
    if (!pattern) continue;  // it matches the empty text, or has too many positions
    regex_t model;
    REQUIRE(regcomp(&model, ("^(" + expression + ")$").c_str(), REG_EXTENDED | REG_NOSUB) == 0);
    for (int t = 0; t < 10; ++t) {
      std::string text;
      for (unsigned n = pick(8); n != 0; --n) text += "abc1"[pick(4)];
      INFO(expression, " in ", text);
      // By definition: every octet of every substring that matches as a whole.
      std::string covered(text.size(), '-'), made = covered;
      for (std::size_t b = 0; b < text.size(); ++b)
        for (std::size_t e = b + 1; e <= text.size(); ++e)
          if (regexec(&model, text.substr(b, e - b).c_str(), 0, nullptr, 0) == 0) covered.replace(b, e - b, e - b, 'x');
      pattern->for_each(text, [&](fg::text_range where) {
        made.replace(where.begin, where.end - where.begin, where.end - where.begin, 'x');
      });
      CHECK(made == covered);
      CHECK(pattern->matches(text) == (covered.find('x') != std::string::npos));
      ++compared;
      hits += pattern->matches(text);
    }
    regfree(&model);
  }
  CHECK(compared > 2000);
  CHECK(hits > 500);
}

TEST_CASE("no expression takes more than a step a character") {
  const fg::value_pattern hard = compiled("(a+)+b");
  const std::string text(1'000'000, 'a');
  CHECK_FALSE(hard.matches(text));
  CHECK(found("(a|aa)+$", std::string(100'000, 'a')).size() == 1);
}

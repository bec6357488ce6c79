#include <fulgurite/encoder/distinct_keys.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using fulgurite::detail::distinct_keys;

namespace {

bool plainly(std::vector<std::string> const& keys) {
  return fulgurite::detail::plainly_distinct([&](auto&& visit) {
    for (std::string const& key : keys) visit(std::string_view(key), 0);
  });
}

std::vector<bool> winners(std::vector<std::pair<std::string, std::uint8_t>> const& given) {
  distinct_keys keys;
  for (auto const& [key, rank] : given) keys.add(key, rank);
  keys.decide();
  std::vector<bool> wins;
  for (std::size_t i = 0; i < given.size(); ++i) wins.push_back(keys.wins(i));
  return wins;
}

}  // namespace

TEST_CASE("keys that plainly differ") {
  CHECK(plainly({}));
  CHECK(plainly({"a"}));
  CHECK(plainly({"a", "b", "ab", ""}));
  CHECK(plainly({"\xc3\xbc", "\xc3\xb6"}));
  CHECK_FALSE(plainly({"a", "b", "a"}));
  CHECK_FALSE(plainly({"", ""}));
  CHECK_FALSE(plainly({"\xff"}));
  std::vector<std::string> many;
  for (int i = 0; i < 16; ++i) many.push_back(std::to_string(i));
  CHECK(plainly(many));
  many.push_back("16");
  CHECK_FALSE(plainly(many));  // more than are compared quickly
}

TEST_CASE("of equal keys the highest rank wins, of equal ranks the last") {
  CHECK(winners({}).empty());
  CHECK(winners({{"a", 0}, {"b", 0}}) == std::vector{true, true});
  CHECK(winners({{"a", 0}, {"b", 0}, {"a", 0}}) == std::vector{false, true, true});
  CHECK(winners({{"a", 1}, {"a", 0}}) == std::vector{true, false});
  CHECK(winners({{"a", 1}, {"a", 2}, {"b", 3}, {"a", 2}, {"a", 0}}) == std::vector{false, false, true, true, false});
}

TEST_CASE("keys are compared as they are written") {
  CHECK(winners({{"\xff", 0}, {"\xfe", 0}, {"\xef\xbf\xbd", 0}, {"\xc0\x80", 0}}) ==
        std::vector{false, false, true, true});
}

TEST_CASE("it starts again") {
  distinct_keys keys;
  keys.add("a");
  keys.add("a");
  keys.decide();
  CHECK_FALSE(keys.wins(0));
  keys.clear();
  keys.add("a");
  keys.decide();
  CHECK(keys.wins(0));
}

#include <fulgurite/context/baggage.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <string>

namespace fg = fulgurite;

TEST_CASE("baggage is a small ordered map") {
  fg::baggage bag{{"user", "alice"}, {"tier", "gold"}};
  CHECK(bag.size() == 2);
  CHECK(bag.get("user") == "alice");
  CHECK_FALSE(bag.get("USER").has_value());  // keys are case-sensitive
  CHECK_FALSE(bag.get("other").has_value());
  bag.set("region", "eu", "secret;ttl=1");
  CHECK(std::prev(bag.end())->key == "region");
  CHECK(std::prev(bag.end())->metadata == "secret;ttl=1");
}

TEST_CASE("of equal keys the last counts, in the place of the first") {
  fg::baggage bag{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  CHECK(bag.size() == 2);
  CHECK(bag.begin()->key == "a");
  CHECK(bag.get("a") == "3");
}

TEST_CASE("an empty value is a value, an empty key is ignored") {
  fg::baggage bag{{"a", ""}, {"", "x"}};
  CHECK(bag.size() == 1);
  CHECK(bag.get("a") == "");
}

TEST_CASE("an entry may be replaced by a view of itself") {
  fg::baggage bag{{"a", "a value long enough to lie on the heap"}};
  bag.set(bag.begin()->key, bag.get("a")->substr(2));
  CHECK(bag.get("a") == "value long enough to lie on the heap");
}

TEST_CASE("erase") {
  fg::baggage bag{{"a", "1"}, {"b", "2"}};
  bag.erase("a");
  bag.erase("not there");
  CHECK(bag == fg::baggage{{"b", "2"}});
  bag.erase("b");
  CHECK(bag.empty());
}

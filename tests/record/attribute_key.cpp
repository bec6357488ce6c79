#include <fulgurite/record/attribute_key.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

TEST_CASE("the key is a part of the type") {
  auto bound = "order.id"_a = 7;
  CHECK(decltype(bound)::key() == "order.id");
  CHECK(bound.value() == 7);
  CHECK_FALSE(std::is_same_v<decltype("a"_a), decltype("b"_a)>);
  CHECK(decltype("a\0b"_a = 1)::key().size() == 3);
}

TEST_CASE("a number is copied, anything else referred to") {
  int number = 1;
  std::string text = "one";
  auto bound_number = "n"_a = number;
  auto bound_text = "t"_a = text;
  number = 2;
  text = "two";
  CHECK(bound_number.value() == 1);
  CHECK(bound_text.value() == "two");
}

TEST_CASE("a bound attribute cannot be copied or moved: it would dangle") {
  using bound = decltype("k"_a = std::string());
  CHECK_FALSE(std::is_copy_constructible_v<bound>);
  CHECK_FALSE(std::is_move_constructible_v<bound>);
  CHECK_FALSE(std::is_copy_assignable_v<bound>);
}

TEST_CASE("what may be the source of an attribute") {
  const auto makes_text = [] { return std::string("made"); };
  const auto makes_pointer = [] { return static_cast<int*>(nullptr); };
  const auto takes_something = [](int) { return 1; };
  CHECK(fg::attribute_source<int>);
  CHECK(fg::attribute_source<std::vector<double>&>);
  CHECK(fg::attribute_source<decltype(makes_text)>);
  CHECK(fg::attribute_source<decltype(makes_text)&>);
  CHECK_FALSE(fg::attribute_source<decltype(makes_pointer)>);
  CHECK_FALSE(fg::attribute_source<decltype(takes_something)>);
  CHECK_FALSE(fg::attribute_source<char>);
  CHECK_FALSE(fg::attribute_source<int*>);
  CHECK_FALSE(fg::attribute_source<void (*)()>);
}

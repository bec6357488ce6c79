#include <fulgurite/record/attribute_value.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fg = fulgurite;
using fg::attribute_value;

namespace {

template <class T>
const T* held(attribute_value const& value) {
  return std::get_if<T>(&value.as_variant());
}

}  // namespace

TEST_CASE("each kind of value is held as OTLP's") {
  CHECK(held<std::monostate>(attribute_value()) != nullptr);
  CHECK(*held<bool>(attribute_value(true)));
  CHECK(*held<std::int64_t>(attribute_value(7U)) == 7);
  CHECK(*held<double>(attribute_value(0.5F)) == 0.5);
  CHECK(*held<std::string>(attribute_value("literal")) == "literal");
  CHECK(*held<std::string>(attribute_value(std::string_view("view"))) == "view");
  CHECK(*held<fg::bytes>(attribute_value(fg::bytes{std::byte{1}})) == fg::bytes{std::byte{1}});
  CHECK(held<std::vector<attribute_value>>(attribute_value(std::vector<int>{1, 2}))->size() == 2);
  CHECK(held<std::vector<fg::attribute>>(attribute_value(std::vector<fg::attribute>{{"k", 1}}))->size() == 1);
}

TEST_CASE("a literal is no boolean") { CHECK(held<bool>(attribute_value("false")) == nullptr); }

TEST_CASE("an unsigned value above 2^63-1 is decimal text") {
  constexpr auto largest_signed = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  CHECK(*held<std::int64_t>(attribute_value(largest_signed)) == std::numeric_limits<std::int64_t>::max());
  CHECK(*held<std::string>(attribute_value(largest_signed + 1)) == "9223372036854775808");
  CHECK(*held<std::string>(attribute_value(std::numeric_limits<std::uint64_t>::max())) == "18446744073709551615");
  const attribute_value inside(std::vector<std::uint64_t>{1, largest_signed + 1});
  CHECK(*held<std::vector<attribute_value>>(inside) == std::vector<attribute_value>{1, "9223372036854775808"});
}

TEST_CASE("values are equal when alternative and contents are") {
  CHECK(attribute_value(1) == attribute_value(1L));
  CHECK_FALSE(attribute_value(1) == attribute_value(1.0));
  CHECK_FALSE(attribute_value(1) == attribute_value(true));
  CHECK_FALSE(attribute_value("") == attribute_value());
  CHECK(attribute_value(std::nan("")) == attribute_value(std::nan("1")));
  CHECK(attribute_value(0.0) == attribute_value(-0.0));
  CHECK_FALSE(attribute_value(std::vector<attribute_value>{1}) == attribute_value(std::vector<attribute_value>{1, 2}));
  CHECK(attribute_value(std::vector<attribute_value>{std::nan("")}) ==
        attribute_value(std::vector<attribute_value>{std::nan("")}));
}

TEST_CASE("an owned value goes in again, and comes out the same") {
  const attribute_value deep(std::vector<fg::attribute>{
      {"list", std::vector<attribute_value>{1, "two", {}, fg::bytes{std::byte{3}}}}, {"", false}, {"none", {}}});
  CHECK(attribute_value::from_view(fg::value_view(deep)) == deep);
  attribute_value copy = deep;
  const attribute_value moved = std::move(copy);
  CHECK(moved == deep);
}

#include <fulgurite/record/value_view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using fg::value_type;
using fg::value_view;

namespace {

struct text_like {
  operator std::string_view() const { return "like a text"; }
};
enum unscoped { one_of_them };
enum class scoped { one_of_them };
struct nothing_of_this {};

}  // namespace

TEST_CASE("what converts") {
  CHECK(value_view().type() == value_type::null);
  CHECK(value_view(true).type() == value_type::boolean);
  CHECK(value_view(true).boolean());
  CHECK(value_view(-3).integer() == -3);
  CHECK(value_view(static_cast<signed char>(-3)).integer() == -3);
  CHECK(value_view(std::uint8_t{200}).integer() == 200);
  CHECK(value_view(std::uint32_t{4'000'000'000U}).type() == value_type::integer);
  CHECK(value_view(std::uint32_t{4'000'000'000U}).integer() == 4'000'000'000LL);
  CHECK(value_view(std::numeric_limits<std::int64_t>::min()).integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(value_view(1.5F).real() == 1.5);
  CHECK(value_view(1.5L).real() == 1.5);
  CHECK(value_view("text").text() == "text");
  CHECK(value_view(std::string("text")).type() == value_type::string);
  CHECK(value_view(text_like{}).text() == "like a text");
}

TEST_CASE("an unsigned value keeps its bits") {
  const value_view largest(std::numeric_limits<std::uint64_t>::max());
  CHECK(largest.type() == value_type::unsigned_integer);
  CHECK(static_cast<std::uint64_t>(largest.integer()) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("what does not convert") {
  CHECK_FALSE(fg::attribute_compatible<char>);
  CHECK_FALSE(fg::attribute_compatible<wchar_t>);
  CHECK_FALSE(fg::attribute_compatible<char8_t>);
  CHECK_FALSE(fg::attribute_compatible<char16_t>);
  CHECK_FALSE(fg::attribute_compatible<const int*>);
  CHECK_FALSE(fg::attribute_compatible<void*>);
  CHECK_FALSE(fg::attribute_compatible<std::nullptr_t>);
  CHECK_FALSE(fg::attribute_compatible<unscoped>);
  CHECK_FALSE(fg::attribute_compatible<scoped>);
  CHECK_FALSE(fg::attribute_compatible<nothing_of_this>);
  CHECK_FALSE(fg::attribute_compatible<std::vector<const int*>>);
  CHECK_FALSE(fg::attribute_compatible<const wchar_t*>);
  CHECK_FALSE(fg::attribute_compatible<std::vector<bool>>);  // not contiguous
}

TEST_CASE("a null text is the empty value") {
  const char* none = nullptr;
  CHECK(value_view(none).type() == value_type::null);
  CHECK(value_view(std::string_view()).type() == value_type::string);
  CHECK(value_view(std::string_view()).text().empty());
}

TEST_CASE("contiguous ranges are arrays, of bytes they are bytes") {
  const std::vector<int> numbers{1, 2, 3};
  const value_view array(numbers);
  REQUIRE(array.type() == value_type::array);
  REQUIRE(array.size() == 3);
  CHECK(array.element(2).integer() == 3);
  CHECK(array.first(2).size() == 2);
  CHECK(array.first(9).size() == 3);

  const std::array<std::vector<std::string>, 2> nested{{{"a"}, {"b", "c"}}};
  CHECK(value_view(nested).element(1).element(1).text() == "c");
  const std::span<const double> none;
  CHECK(value_view(none).size() == 0);

  const std::vector<std::byte> octets{std::byte{1}, std::byte{0}};
  CHECK(value_view(octets).type() == value_type::bytes);
  CHECK(value_view(octets).text() == std::string_view("\1\0", 2));
}

TEST_CASE("a view is small and constant expressions make it") {
  CHECK(sizeof(value_view) <= 32);
  static constexpr value_view seven(7);
  CHECK(seven.integer() == 7);
}

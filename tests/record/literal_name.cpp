#include <fulgurite/record/literal_name.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace fg = fulgurite;

namespace {

std::string_view through_a_wrapper(fg::span_name name) { return name.view(); }
bool is_literal(fg::span_name name) { return name.is_literal(); }

}  // namespace

TEST_CASE("a literal is kept by its address") {
  static constexpr char text[] = "GET /";
  const fg::span_name name = text;
  CHECK(name.is_literal());
  CHECK(name.data() == text);
  CHECK(name.view() == "GET /");
  CHECK(is_literal("literal"));
  CHECK(is_literal(""));
  CHECK(through_a_wrapper("").empty());
}

TEST_CASE("any other text is not") {
  const std::string owned = "owned";
  CHECK_FALSE(is_literal(owned));
  CHECK_FALSE(is_literal(std::string_view("view")));
  CHECK_FALSE(is_literal(owned.c_str()));
  CHECK(through_a_wrapper(owned) == "owned");
  CHECK(through_a_wrapper(std::string_view("part of it", 4)) == "part");
  CHECK(through_a_wrapper(owned.c_str()) == "owned");
}

TEST_CASE("an array that may change is copied, and ends at its first zero") {
  char buffer[32] = "written at run time";
  CHECK_FALSE(is_literal(buffer));
  CHECK(through_a_wrapper(buffer) == "written at run time");
  char full[3] = {'a', 'b', 'c'};  // no zero at all
  CHECK(through_a_wrapper(full) == "abc");
  static constexpr char padded[16] = "short";
  CHECK(through_a_wrapper(padded) == "short");
}

TEST_CASE("a null pointer is an empty name") {
  const char* none = nullptr;
  CHECK(through_a_wrapper(none).empty());
  CHECK(through_a_wrapper(none).data() != nullptr);
  CHECK_FALSE(std::is_constructible_v<fg::span_name, std::nullptr_t>);
  CHECK_FALSE(std::is_constructible_v<fg::span_name, int>);
}

TEST_CASE("a name travels in registers") {
  CHECK(sizeof(fg::span_name) == 16);
  CHECK(std::is_trivially_copyable_v<fg::span_name>);
}

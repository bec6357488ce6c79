#include <fulgurite/record/attribute_schema.hpp>
#include <fulgurite/record/attribute_value.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace fg = fulgurite;
namespace detail = fulgurite::detail;
using fg::value_type;
using namespace fg::literals;

namespace {

template <class... Bound>
const detail::attribute_schema* schema(Bound&&...) {
  return detail::schema_of<std::remove_cvref_t<Bound>...>();
}

}  // namespace

TEST_CASE("a schema names the keys and types of a call in its order") {
  const auto* made = schema("id"_a = 1, "flag"_a = true, "ratio"_a = 0.5F, "name"_a = std::string("n"), "text"_a = "t",
                            "large"_a = std::uint64_t{1}, "small"_a = std::uint8_t{1});
  REQUIRE(made != nullptr);
  REQUIRE(made->count == 7);
  const value_type types[] = {value_type::integer, value_type::boolean,          value_type::real,   value_type::string,
                              value_type::string,  value_type::unsigned_integer, value_type::integer};
  for (int i = 0; i < 7; ++i) CHECK(made->fields[i].type == types[i]);
  CHECK(made->fields[0].key_view() == "id");
  CHECK(made->fields[6].key_view() == "small");
}

TEST_CASE("what is too varied for a slot is not in it") {
  const auto* made = schema(
      "list"_a = std::vector<int>{1}, "id"_a = 1, "lazy"_a = [] { return 1; }, "owned"_a = fg::attribute_value(1));
  REQUIRE(made != nullptr);
  CHECK(made->count == 1);
  CHECK(made->fields[0].key_view() == "id");
  CHECK(schema("lazy"_a = [] { return 1; }) == nullptr);
  CHECK(schema() == nullptr);
}

TEST_CASE("a schema is static data: one for each list of keys and types") {
  CHECK(schema("a"_a = 1) == schema("a"_a = 2));
  CHECK(schema("a"_a = 1) != schema("a"_a = 2.0));
  static_assert(detail::schema_data<decltype("a"_a = 1)>::schema.count == 1);
}

TEST_CASE("equal keys are found") {
  using a = decltype("a"_a = 1);
  using b = decltype("b"_a = 1);
  using also_a = decltype("a"_a = "text");
  CHECK(detail::keys_differ<a, b>());
  CHECK(detail::keys_differ<>());
  CHECK_FALSE(detail::keys_differ<a, b, also_a>());
}

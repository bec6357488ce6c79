#include <fulgurite/record/attribute_list.hpp>
#include <fulgurite/record/attribute_value.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

/// What a function that takes a list sees of it: `key=type,` of each.
std::string seen(fg::attribute_list list) {
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i)
    text += std::string(list[i].key) + "=" + std::to_string(static_cast<int>(list[i].value.type())) + ",";
  return text;
}

}  // namespace

TEST_CASE("a braced list, a container of views, of owned attributes") {
  const std::string host = "a";
  CHECK(seen({{"attempt", 2}, {"host", host}}) == "attempt=2,host=4,");
  const std::vector<fg::attribute_view> views{{"a", true}, {"b", 1.5}};
  CHECK(seen(views) == "a=1,b=3,");
  const std::array<fg::attribute, 1> owned{{{"list", std::vector<int>{1}}}};
  CHECK(seen(owned) == "list=6,");
  CHECK(seen(std::vector<fg::attribute>{}).empty());
  CHECK(seen({}).empty());
}

TEST_CASE("an empty list says so") {
  CHECK(fg::attribute_list().empty());
  CHECK_FALSE(fg::attribute_list(std::vector<fg::attribute_view>{{"a", 1}}).empty());
}

#include <fulgurite/encoder/span_source.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace fg = fulgurite;

TEST_CASE("spans are grouped by what resource and scope hold, in the order they first came") {
  std::vector<fg::span_data> spans(5);
  const auto of = [](const char* name) { return std::make_shared<fg::resource>(fg::resource{.service_name = name}); };
  spans[0].resource = of("a");
  spans[1].resource = of("b");
  spans[2].resource = of("a");  // equal, but another object
  spans[3].resource = spans[0].resource;
  spans[3].scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{.name = "s"});
  spans[4].resource = spans[1].resource;
  for (std::size_t i = 0; i < spans.size(); ++i) spans[i].name = std::to_string(i);
  const auto groups = fg::detail::grouped(spans);
  REQUIRE(groups.size() == 2);
  REQUIRE(groups[0].scopes.size() == 2);
  CHECK(groups[0].scopes[0].spans == std::vector<const fg::span_data*>{&spans[0], &spans[2]});
  CHECK(groups[0].scopes[1].spans == std::vector<const fg::span_data*>{&spans[3]});
  REQUIRE(groups[1].scopes.size() == 1);
  CHECK(groups[1].scopes[0].spans == std::vector<const fg::span_data*>{&spans[1], &spans[4]});
}

TEST_CASE("an owned span is seen through a record's interface") {
  fg::span_data span;
  span.name = "name";
  span.attributes = {{"text", "value"},
                     {"none", {}},
                     {"list", fg::attribute_value(std::vector<fg::attribute_value>{1, true})},
                     {"map", fg::attribute_value(std::vector<fg::attribute>{{"k", 0.5}})},
                     {"bytes", fg::bytes{std::byte{7}}}};
  span.links = {{fg::span_context({}, {}, fg::trace_flags(1), true), {}},
                {fg::span_context({}, {}, fg::trace_flags(2)), {}}};
  const fg::detail::span_data_view view(span);
  CHECK(view.name() == "name");
  std::vector<fg::value_type> types;
  view.for_each_attribute([&](std::string_view, auto const& value) { types.push_back(value.type()); });
  CHECK(types == std::vector<fg::value_type>{fg::value_type::string, fg::value_type::null, fg::value_type::array,
                                             fg::value_type::map, fg::value_type::bytes});
  std::size_t entries = 0;
  view.for_each_attribute([&](std::string_view key, auto const& value) {
    if (key == "list") {
      CHECK(value.count() == 2);
      value.for_each_element([&](auto const&) { ++entries; });
    }
    if (key == "map")
      value.for_each_entry([&](std::string_view k, auto const& v) {
        CHECK(k == "k");
        CHECK(v.real() == 0.5);
      });
    if (key == "bytes") CHECK(value.text() == "\x07");
  });
  CHECK(entries == 2);
  std::vector<std::uint32_t> flags;
  view.for_each_link(
      [&](fg::trace_id const&, fg::span_id, std::uint32_t f, std::string_view, auto const&) { flags.push_back(f); });
  CHECK(flags == std::vector<std::uint32_t>{0x301, 0x102});
}

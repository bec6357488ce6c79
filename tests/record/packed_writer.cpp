// A record written anew, against the owned form of the one it was written from.
#include <fulgurite/record/packed_writer.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
namespace d = fulgurite::detail;
using namespace fg::literals;

namespace {

fg::span_data sample() {
  fg::span_data span;
  span.name = "charge";
  span.trace_id = fg::trace_id::from_hex("0af7651916cd43dd8448eb211c80319c");
  span.span_id = fg::span_id::from_number(7);
  span.start_time = 10;
  span.end_time = 20;
  span.flags = 0x101;
  span.attributes = {
      {"text", "value"},
      {"empty", ""},
      {"integer", -3},
      {"real", 0.5},
      {"yes", true},
      {"null", {}},
      {"octets", fg::bytes{std::byte{1}, std::byte{2}}},
      {"list", std::vector<fg::attribute_value>{1, "two", std::vector<fg::attribute_value>{}}},
      {"map", std::vector<fg::attribute>{{"k", "v"}, {"deeper", std::vector<fg::attribute>{{"x", 1.5}}}}}};
  return span;
}

}  // namespace

TEST_CASE("every value is written as it was, from its packed form and from a view") {
  const fg::span_data span = sample();
  for (const std::uint64_t literals : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    fulgurite_test::record_builder builder;
    builder.add(span, literals, {}, "slot"_a = std::string("in a slot"), "number"_a = 5, "flag"_a = false);
    fg::span_data expected;
    fg::span_data by_view;
    builder.batch().for_each([&](fg::record_view const& record) {
      expected = to_span_data(record, nullptr, nullptr);
      for (const bool packed : {true, false}) {
        d::packed_writer writer;
        writer.begin(record);
        record.for_each_attribute([&](std::string_view key, fg::packed_value const& value) {
          const std::size_t begin = writer.begin_item(key, false);
          const fg::attribute_value owned = value.to_owned();
          if (packed)
            writer.value(value, [](fg::packed_value const& text) { return text.text(); });
          else
            writer.value(fg::value_view(owned));
          writer.end_item(begin, d::item_kind::attribute, value.type(), key, false);
        });
        if (!record.header().name) {
          const std::size_t begin = writer.begin_item(record.name(), false);
          writer.end_item(begin, d::item_kind::name, fg::value_type::null, record.name(), false);
        }
        const std::byte* made = writer.finish(true);
        CHECK(reinterpret_cast<std::uintptr_t>(made) % 8 == 0);
        const fg::record_view again(made);
        CHECK(again.has_distinct_keys());
        CHECK(again.header().schema == nullptr);
        CHECK(again.end() - again.begin() == static_cast<std::ptrdiff_t>(writer.position()));
        CHECK(to_span_data(again, nullptr, nullptr) == expected);
      }
    });
    CHECK(expected.attributes.size() == span.attributes.size() + 3);
  }
}

TEST_CASE("texts go through the caller's function, at every depth; keys do not") {
  fulgurite_test::record_builder builder;
  builder.add(sample());
  builder.batch().for_each([&](fg::record_view const& record) {
    d::packed_writer writer;
    writer.begin(record);
    writer.forget_name();
    record.for_each_attribute([&](std::string_view key, fg::packed_value const& value) {
      const std::size_t begin = writer.begin_item(key, false);
      writer.value(value, [](fg::packed_value const&) { return std::string_view("longer than before"); });
      writer.end_item(begin, d::item_kind::attribute, value.type(), key, false);
    });
    const fg::record_view again(writer.finish(false));
    CHECK_FALSE(again.has_distinct_keys());
    const fg::span_data made = to_span_data(again, nullptr, nullptr);
    CHECK(made.name.empty());
    CHECK(made.attributes[0].value == fg::attribute_value("longer than before"));
    CHECK(made.attributes[7].value == fg::attribute_value(std::vector<fg::attribute_value>{
                                          1, "longer than before", std::vector<fg::attribute_value>{}}));
    CHECK(made.attributes[8].value ==
          fg::attribute_value(std::vector<fg::attribute>{{"k", "longer than before"},
                                                         {"deeper", std::vector<fg::attribute>{{"x", 1.5}}}}));
  });
}

TEST_CASE("an item whose head was copied gets its new size") {
  fulgurite_test::record_builder builder;
  fg::span_data span = sample();
  span.attributes.clear();
  span.events = {{"event", 15, {{"a", 1}, {"b", 2}}}};
  builder.add(span);
  builder.batch().for_each([&](fg::record_view const& record) {
    d::packed_writer writer;
    writer.begin(record);
    for (const std::byte* at = record.items(); at != record.end();) {
      const d::item_view item(at);
      if (item.kind() == d::item_kind::event) {
        const std::size_t begin = writer.position();
        writer.copy(at, d::attributes_of(item).begin());
        writer.end_copied_item(begin);
      } else
        writer.copy(at, item.end());
      at = item.end();
    }
    const fg::span_data made = to_span_data(fg::record_view(writer.finish(true)), nullptr, nullptr);
    REQUIRE(made.events.size() == 1);
    CHECK(made.events[0] == fg::span_event{"event", 15, {}});
    CHECK(made.name == "charge");
  });
}

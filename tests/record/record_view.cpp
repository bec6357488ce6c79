#include <fulgurite/record/record_view.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

std::vector<fg::attribute> attributes_of(fg::span_batch const& batch) {
  std::vector<fg::attribute> all;
  batch.for_each([&](fg::record_view const& record) {
    record.for_each_attribute(
        [&](std::string_view key, fg::packed_value value) { all.push_back({std::string(key), value.to_owned()}); });
  });
  return all;
}

}  // namespace

TEST_CASE("schema and items are walked side by side; of equal keys the last is seen") {
  fulgurite_test::record_builder builder;
  fg::span_data span;
  span.attributes = {{"b", "again"}, {"d", 1}, {"d", 2}, {"text", "item"}};
  builder.add(span, 0, {}, "a"_a = 1, "b"_a = true, "text"_a = std::string("slot"), "c"_a = 0.5, "t2"_a = "");
  CHECK(attributes_of(builder.batch()) ==
        std::vector<fg::attribute>{{"a", 1}, {"c", 0.5}, {"t2", ""}, {"b", "again"}, {"d", 2}, {"text", "item"}});
}

TEST_CASE("a string that is absent from its slot takes no octets") {
  fulgurite_test::record_builder builder;
  builder.add({}, 0, {}, "first"_a = "one", "gone"_a = "", "last"_a = "three");
  std::vector<std::byte> record;
  const fg::span_batch batch = builder.batch();
  batch.for_each([&](fg::record_view const& view) { record.assign(view.begin(), view.end()); });
  const std::uint64_t absent = fg::detail::absent_slot;
  std::memcpy(record.data() + sizeof(fg::detail::record_header) + 8, &absent, 8);
  std::vector<std::string> seen;
  fg::record_view(record.data()).for_each_attribute([&](std::string_view key, fg::packed_value value) {
    seen.push_back(std::string(key) + "=" + std::string(value.text()));
  });
  CHECK(seen == std::vector<std::string>{"first=one", "last=three"});
}

TEST_CASE("names, status and flags") {
  fulgurite_test::record_builder builder;
  fg::span_data span;
  span.name = "by address";
  span.status = {fg::status_code::ok, "is not shown"};
  span.flags = 0x303;
  builder.add(span, ~std::uint64_t{0});
  builder.batch().for_each([&](fg::record_view const& record) {
    CHECK(record.name().data() == span.name.data());
    CHECK(record.status() == fg::status_code::ok);
    CHECK(record.status_description().empty());
    CHECK(record.flags() == 0x303);
    CHECK(record.sampled());
    CHECK(record.is_local_root());
  });
}

TEST_CASE("the last name and the last description count") {
  fulgurite_test::record_builder builder;
  fg::span_data span;
  span.status = {fg::status_code::error, "why"};
  builder.add(span);
  builder.batch().for_each([](fg::record_view const& record) {
    CHECK(record.status_description() == "why");
    CHECK(record.has_items());
  });
}

TEST_CASE("the attributes of an event have unique keys, too") {
  fulgurite_test::record_builder builder;
  fg::span_data span;
  span.events = {{"e", 1, {{"k", 1}, {"k", 2}, {"", 3}}}};
  builder.add(span);
  CHECK(builder.batch().spans()[0].events[0].attributes == std::vector<fg::attribute>{{"k", 2}, {"", 3}});
}

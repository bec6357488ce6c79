#include <fulgurite/record/span_data.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace fg = fulgurite;

TEST_CASE("a span says nothing until it is told") {
  const fg::span_data span;
  CHECK(span.name.empty());
  CHECK_FALSE(span.trace_id.is_valid());
  CHECK_FALSE(span.span_id.is_valid());
  CHECK_FALSE(span.parent_span_id.is_valid());
  CHECK(span.kind == fg::span_kind::internal);
  CHECK(span.start_time == 0);
  CHECK(span.end_time == 0);
  CHECK(span.status == fg::span_status{});
  CHECK(span.flags == 0x100);  // whether the parent is remote is known, and it is not
  CHECK(span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count == 0);
  CHECK(span.resource == nullptr);
}

TEST_CASE("each member counts when spans are compared") {
  const fg::span_data same;
  std::vector<fg::span_data> others(18);
  others[0].name = "x";
  others[1].trace_id = fg::trace_id::from_numbers(0, 1);
  others[2].span_id = fg::span_id::from_number(1);
  others[3].parent_span_id = fg::span_id::from_number(1);
  others[4].kind = fg::span_kind::client;
  others[5].start_time = 1;
  others[6].end_time = 1;
  others[7].attributes = {{"k", 1}};
  others[8].events = {{"e", 0, {}}};
  others[9].links = {{}};
  others[10].status.code = fg::status_code::ok;
  others[11].resource = std::make_shared<fg::resource>();
  others[12].trace_state = "a=1";
  others[13].flags = 0x101;
  others[14].scope = std::make_shared<fg::instrumentation_scope>();
  others[15].dropped_attributes_count = 1;
  others[16].dropped_events_count = 1;
  others[17].dropped_links_count = 1;
  for (fg::span_data const& other : others) CHECK_FALSE(other == same);
  CHECK(fg::span_data{} == same);
}

TEST_CASE("resources are compared by what they say, not by where they lie") {
  fg::span_data a, b;
  a.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "s"});
  b.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "s"});
  CHECK(a == b);
  b.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "t"});
  CHECK_FALSE(a == b);
}

#include <fulgurite/exporter/memory.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace fg = fulgurite;

namespace {

fg::span_data everything() {
  fg::span_data span;
  span.name = "everything";
  span.trace_id = fg::trace_id::from_numbers(1, 2);
  span.span_id = fg::span_id::from_number(3);
  span.parent_span_id = fg::span_id::from_number(4);
  span.kind = fg::span_kind::producer;
  span.start_time = 5;
  span.end_time = 6;
  span.flags = 0x301;
  span.attributes = {
      {"text", "value"},
      {"list", fg::attribute_value(std::vector<fg::attribute_value>{1, 2.5, "three", {}})},
      {"map", fg::attribute_value(std::vector<fg::attribute>{{"a", true}, {"", fg::bytes{std::byte{7}}}})}};
  span.events = {{"event", 7, {{"attempt", 2}}}, {"", 8, {}}};
  span.links = {
      {fg::span_context(span.trace_id, span.span_id, fg::trace_flags(1), true, fg::trace_state::from_header("a=1,b=2")),
       {{"why", "because"}}}};
  span.status = {fg::status_code::error, "failed"};
  span.trace_state = "vendor=x";
  span.dropped_attributes_count = 1;
  span.dropped_events_count = 2;
  span.dropped_links_count = 3;
  span.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "memory"});
  span.scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{.name = "scope"});
  return span;
}

}  // namespace

TEST_CASE("copies share one store and what comes out is what went in") {
  const fg::span_data span = everything();
  for (const std::uint64_t literals : {0ULL, ~0ULL, 0x5a5a5a5a5a5a5a5aULL}) {
    fg::memory_exporter kept;
    fg::memory_exporter given = kept;
    fulgurite_test::record_builder builder(span.resource, span.scope);
    builder.add(span, literals);
    builder.add(span, ~literals);
    CHECK(given.export_spans(builder.batch()) == fg::export_result::success);
    REQUIRE(kept.spans().size() == 2);
    CHECK(kept.spans()[0] == span);
    CHECK(kept.spans()[1] == span);
    kept.clear();
    CHECK(given.spans().empty());
  }
}

TEST_CASE("a moved exporter stays of use") {
  fg::memory_exporter first;
  fg::memory_exporter second = std::move(first);
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  CHECK(second.export_spans(builder.batch()) == fg::export_result::success);
  CHECK(first.spans().size() == 1);
}

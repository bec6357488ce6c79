// What a span looks like is in tests/encoder/otlp_json.cpp, and against the official classes in
// tests/integration/otlp_oracle.py; here: that there is room for everything, wherever the memory ends.
#include <fulgurite/encoder/otlp_json_span_writer.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fg::detail::growing_bytes;

namespace {

/// Everything at its longest.
fg::span_data longest() {
  fg::span_data span;
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  span.trace_id = fg::trace_id::from_numbers(~0ULL, ~0ULL);
  span.span_id = span.parent_span_id = fg::span_id::from_number(~0ULL);
  span.start_time = span.end_time = least;
  span.flags = most;
  span.dropped_attributes_count = span.dropped_events_count = span.dropped_links_count = most;
  span.status = {fg::status_code::error, "m"};
  span.attributes = {{"a", least},
                     {"b", -1.7976931348623157e308},
                     {"c", false},
                     {"d", {}},
                     {"e", fg::bytes(100)},
                     {"f", std::vector<fg::attribute_value>{least, -1.7976931348623157e308, {}, true, "\x01"}},
                     {"g", std::vector<fg::attribute>{{"h", least}, {"i", std::vector<fg::attribute_value>{}}}}};
  span.events = {{"", least, span.attributes}, {"e", least, {}}};
  span.links = {
      {fg::span_context(span.trace_id, span.span_id, fg::trace_flags(255), true, fg::trace_state::from_header("a=1")),
       span.attributes},
      {}};
  return span;
}

std::string written(std::size_t before, auto const& view) {
  growing_bytes memory;
  std::byte* out = memory.room(memory.begin(), before + fg::detail::json_slack) + before;
  std::memset(memory.begin(), ' ', before);
  out = fg::detail::otlp_json_writer(memory).span(out, view);
  REQUIRE(static_cast<std::size_t>(out - memory.begin()) + fg::detail::json_slack / 2 <= memory.capacity());
  return std::string(reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(out - memory.begin()))
      .substr(before);
}

}  // namespace

// Run under the address sanitizer this tells a byte too much.
TEST_CASE("there is room, wherever the memory ends") {
  const fg::span_data span = longest();
  fulgurite_test::record_builder builder;
  builder.add(span);
  const std::string expected = written(0, fg::detail::span_data_view(span));
  CHECK(expected.size() > 2000);
  std::string of_record;
  builder.batch().for_each([&](fg::record_view const& record) { of_record = written(0, record); });
  for (std::size_t before = 1; before < 5000; before += 7) {
    if (written(before, fg::detail::span_data_view(span)) != expected) FAIL("another text at ", before);
    builder.batch().for_each([&](fg::record_view const& record) {
      if (written(before, record) != of_record) FAIL("another text of a record at ", before);
    });
  }
}

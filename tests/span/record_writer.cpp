#include <fulgurite/span/record_writer.hpp>

#include "../tracing.hpp"

#include <string>

namespace fg = fulgurite;
using namespace fulgurite_test;

TEST_CASE("what a full ring has no room for is counted on its thread") {
  captured_log log;
  recorder r;
  // A span of 60,000 bytes of attributes, again and again, faster than the worker can look.
  const std::string large(60'000, 'x');
  constexpr int count = 300;
  for (int i = 0; i < count; ++i) {
    auto span = r.tracer.trace_context("large");
    span.set_attribute("text", large);
  }
  const bool all = r.tracer.force_flush(std::chrono::seconds(60));
  const fg::tracer_stats stats = r.tracer.stats();
  CHECK(all == (stats.dropped == 0));
  CHECK(r.tracer.force_flush(std::chrono::seconds(60)));  // nothing more was lost since
  CHECK(stats.started == count);
  CHECK(stats.sampled == count);
  check_accounts(stats);
  // A span whose attribute found no room says so.
  for (fg::span_data const& span : r.store.spans())
    CHECK((span.attributes.size() == 1) == (span.dropped_attributes_count == 0));
}

#include <fulgurite/pipeline/typed_pipeline.hpp>

#include <fulgurite/exporter/any_exporter.hpp>

#include "../tracing.hpp"

#include <cstdint>
#include <utility>

namespace fg = fulgurite;
using namespace fulgurite_test;

namespace {

/// Counts for itself, says how it is, and refuses some of what it took.
struct counting_exporter {
  fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::success; }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
  fg::exporter_stats stats() const { return {.retried = 3, .rejected = 2, .too_large = 1}; }
  fg::health_report check_health(fg::deadline) const { return {true, "somewhere", "fine", {}}; }
};

}  // namespace

TEST_CASE("what an exporter counts by itself goes into the accounts, composed or erased") {
  const auto check = [](auto exporter) {
    fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, std::move(exporter)};
    for (int i = 0; i < 10; ++i) auto span = tracer.trace_context("span");
    CHECK_FALSE(tracer.force_flush());  // some were refused
    CHECK(tracer.force_flush());        // none since
    const fg::tracer_stats stats = tracer.stats();
    CHECK(stats.sampled == 10);
    CHECK(stats.exported == 7);
    CHECK(stats.failed == 2);
    CHECK(stats.dropped == 1);
    CHECK(stats.retried == 3);
    CHECK(stats.dropped_by(fg::drop_cause::rejected) == 2);
    CHECK(stats.dropped_by(fg::drop_cause::too_large) == 1);
    check_accounts(stats);
    CHECK(tracer.check_health().endpoint == "somewhere");
  };
  check(counting_exporter{});
  check(fg::any_exporter{counting_exporter{}});
}

TEST_CASE("an exporter without a backend is healthy, and says the same composed or erased") {
  fg::tracer composed{fg::resource{}, fg::always_on_sampler{}, fg::memory_exporter{}};
  fg::tracer erased{fg::resource{}, fg::always_on_sampler{}, fg::any_exporter{fg::memory_exporter{}}};
  CHECK(composed.check_health().reachable);
  CHECK(composed.check_health().reason == erased.check_health().reason);
}

TEST_CASE("the worker's id goes out with what ends after it was set") {
  recorder r;
  {
    auto span = r.tracer.trace_context("before");
  }
  r.tracer.init_worker(7);
  r.tracer.init_worker(7);
  {
    auto span = r.tracer.trace_context("during");
  }
  r.tracer.teardown_worker(7);
  {
    auto span = r.tracer.trace_context("after");
  }
  const auto spans = r.spans();
  CHECK(value_of(only(spans, "before").resource->attributes, "agentlightning.worker_id") == nullptr);
  CHECK(has(only(spans, "during").resource->attributes, "agentlightning.worker_id", std::int64_t{7}));
  CHECK(value_of(only(spans, "after").resource->attributes, "agentlightning.worker_id") == nullptr);
}

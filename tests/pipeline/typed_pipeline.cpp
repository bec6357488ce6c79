#include <fulgurite/pipeline/typed_pipeline.hpp>

#include <fulgurite/exporter/any_exporter.hpp>

#include "../tracing.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace std::chrono_literals;

namespace {

/// Counts for itself, says how it is, and refuses some of what it took.
struct counting_exporter {
  fg::batch_outcome export_spans(fg::span_batch const& batch) {
    return {.exported = batch.size() - 3, .rejected = 2, .too_large = 1, .reason = "two are too old"};
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
  fg::exporter_stats stats() const { return {.retried = 3}; }
  fg::health_report check_health(fg::deadline) const { return {true, "somewhere", "fine", {}}; }
};

}  // namespace

TEST_CASE("what an exporter says of its batches and counts by itself goes into the accounts, composed or erased") {
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

namespace {

/// Keeps half of each batch, and delivers it with the next flush.
struct keeping_exporter {
  struct shared {
    std::atomic<std::uint64_t> kept{0}, delivered{0};
  };
  std::shared_ptr<shared> at = std::make_shared<shared>();

  fg::batch_outcome export_spans(fg::span_batch const& batch) {
    const std::uint64_t half = batch.size() / 2;
    at->kept += half;
    return {.exported = batch.size() - half, .waiting = half};
  }
  bool flush(fg::deadline) {
    if (at->kept > 0) at->delivered += at->kept.exchange(0) - 1;  // but for one
    return true;
  }
  bool shutdown(fg::deadline) { return true; }
  fg::exporter_stats stats() const {
    return {.settled = {.exported = at->delivered, .failed = at->delivered > 0 && at->kept == 0 ? 1U : 0U}};
  }
};

}  // namespace

TEST_CASE("what an exporter keeps is queued until it is settled") {
  keeping_exporter exporter;
  fg::tracer batched{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{},
                     fg::batch_processor{fg::batch_options{.max_batch_size = 10, .schedule_delay = 1h}}};
  for (int i = 0; i < 10; ++i) auto span = batched.trace_context("span");
  while (exporter.at->kept == 0) std::this_thread::sleep_for(1ms);
  while (batched.stats().exported < 5 || batched.stats().queued > 5) std::this_thread::sleep_for(1ms);
  CHECK(batched.stats().queued == 5);
  check_accounts(batched.stats());
  CHECK_FALSE(batched.force_flush());  // one was lost
  CHECK(batched.stats().exported == 9);
  CHECK(batched.stats().failed == 1);
  CHECK(batched.stats().queued == 0);
  check_accounts(batched.stats());
  CHECK(batched.force_flush());
}

TEST_CASE("an outcome whose sum is wrong is made right, and what an exporter says is logged") {
  struct wrong_exporter {
    fg::batch_outcome export_spans(fg::span_batch const& batch) {
      if (batch.size() == 1) return {.exported = 1, .rejected = 1, .reason = "it was empty"};
      return {.exported = 1, .reason = "the disk is full"};
    }
    bool flush(fg::deadline) { return true; }
    bool shutdown(fg::deadline) { return true; }
  };
  log_capture log;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, wrong_exporter{}};
  for (int i = 0; i < 4; ++i) auto span = tracer.trace_context("span");
  CHECK_FALSE(tracer.force_flush());
  CHECK(tracer.stats().exported == 1);
  CHECK(tracer.stats().failed == 3);
  CHECK(log.count("spans could not be exported: the disk is full") == 1);
  {
    auto span = tracer.trace_context("span");
  }
  CHECK_FALSE(tracer.force_flush());
  CHECK(tracer.stats().exported == 1);
  CHECK(tracer.stats().dropped_by(fg::drop_cause::rejected) == 1);
  CHECK(log.count("the exporter speaks of more spans than the batch has") == 1);
  CHECK(log.count("spans were rejected by the backend: it was empty") == 1);
  check_accounts(tracer.stats());
}

#include <fulgurite/processor/inline.hpp>

#include "../tracing.hpp"

#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;

namespace {

/// Traces while it exports: what it makes must not come back to it.
struct tracing_exporter {
  std::shared_ptr<std::vector<std::thread::id>> threads = std::make_shared<std::vector<std::thread::id>>();
  fg::export_result export_spans(fg::span_batch const& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) threads->push_back(std::this_thread::get_id());
    auto span = fg::noop_tracer().trace_context("inside");
    return fg::export_result::success;
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};

struct throwing_exporter {
  fg::export_result export_spans(fg::span_batch const&) { throw 1; }
  bool flush(fg::deadline) { throw 2; }
  bool shutdown(fg::deadline) { throw 3; }
};

}  // namespace

TEST_CASE("a span is exported when end() returns, on the thread that ends it") {
  tracing_exporter exporter;
  const auto threads = exporter.threads;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{}, fg::inline_processor{}};
  auto root = tracer.trace_context("root");
  {
    auto child = tracer.trace_context("child");
    child.add_event("event");
  }
  CHECK(threads->size() == 1);
  root.end();
  REQUIRE(threads->size() == 2);
  CHECK(threads->back() == std::this_thread::get_id());
  CHECK(tracer.stats().exported == 2);
}

TEST_CASE("many threads, each exported before its end() returns") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{}, fg::inline_processor{}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) auto span = tracer.trace_context("span");
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(store.spans().size() == 400);
}

TEST_CASE("an exporter that throws fails its spans and nothing else") {
  log_capture log;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, throwing_exporter{}, fg::w3c_propagator{},
                    fg::inline_processor{}};
  {
    auto span = tracer.trace_context("span");
  }
  CHECK(tracer.stats().failed == 1);
  CHECK(tracer.stats().dropped_by(fg::drop_cause::export_failed) == 1);
  check_accounts(tracer.stats());
  CHECK(log.count("the exporter threw") == 1);
  CHECK_FALSE(tracer.shutdown(std::chrono::seconds(5)));
}

TEST_CASE("shutdown hurries the exporter") {
  struct hurried_exporter : tracing_exporter {
    std::shared_ptr<int> hurried = std::make_shared<int>(0);
    void hurry() noexcept { ++*hurried; }
  };
  hurried_exporter exporter;
  const auto hurried = exporter.hurried;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{}, fg::inline_processor{}};
  {
    auto span = tracer.trace_context("span");
  }
  CHECK(*hurried == 0);
  CHECK(tracer.shutdown());
  CHECK(*hurried == 1);
}

#include <fulgurite/processor/batch.hpp>

#include "../gated_exporter.hpp"
#include "../tracing.hpp"

#include <chrono>
#include <mutex>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace std::chrono_literals;

namespace {

using gated_tracer = fg::tracer<fg::always_on_sampler, gated_exporter>;

gated_tracer make(gated_exporter const& exporter, fg::batch_options options) {
  return gated_tracer(fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{},
                      fg::batch_processor{options});
}

void spans(gated_tracer const& tracer, int n) {
  for (int i = 0; i < n; ++i) auto span = tracer.trace_context("span");
}

}  // namespace

TEST_CASE("no batch is larger than max_batch_size, and nothing is lost between them") {
  gated_exporter exporter;
  auto tracer = make(exporter, {.max_batch_size = 7});
  spans(tracer, 100);
  CHECK(tracer.force_flush());
  std::size_t sum = 0;
  for (const std::size_t size : exporter.at->batches) {
    CHECK(size <= 7);
    sum += size;
  }
  CHECK(sum == 100);
  CHECK(tracer.stats().exported == 100);
}

TEST_CASE("a batch goes out by itself when its time has come") {
  gated_exporter exporter;
  auto tracer = make(exporter, {.schedule_delay = 1ms});
  spans(tracer, 3);
  std::unique_lock lock(exporter.at->mutex);
  CHECK(exporter.at->changed.wait_for(lock, 60s,
                                      [&] { return exporter.at->waiting > 0 || !exporter.at->batches.empty(); }));
}

TEST_CASE("what the queue has no room for is counted; flush and shutdown hold their deadlines") {
  log_capture log;
  gated_exporter exporter;
  exporter.at->heeds_interrupt = false;
  exporter.at->open = false;
  {
    auto tracer = make(exporter, {.max_queue_size = 10, .max_batch_size = 5, .schedule_delay = 1ms});
    spans(tracer, 5);
    fg::detail::engine::instance().collect();
    exporter.at->wait_for_export();
    spans(tracer, 50);
    const auto before = std::chrono::steady_clock::now();
    CHECK_FALSE(tracer.force_flush(20ms));
    CHECK(std::chrono::steady_clock::now() - before < 30s);
    const fg::tracer_stats stats = tracer.stats();
    CHECK(stats.sampled == 55);
    CHECK(stats.queued == 10);
    CHECK(stats.dropped_by(fg::drop_cause::queue_full) == 45);
    check_accounts(stats);
    CHECK(log.count("the queue is full") == 1);
    CHECK_FALSE(tracer.shutdown(20ms));
    CHECK(tracer.stats().dropped_by(fg::drop_cause::shutdown) == 5);
    check_accounts(tracer.stats());
    CHECK(log.count("its thread is left behind, with 5 spans") == 1);
    spans(tracer, 3);  // nothing any more
    CHECK(tracer.stats().sampled == 55);
  }
  exporter.at->set_open(true);  // the thread that was left behind finishes, after its tracer
  std::unique_lock lock(exporter.at->mutex);
  CHECK(exporter.at->changed.wait_for(lock, 60s,
                                      [&] { return !exporter.at->batches.empty() || exporter.at->waiting == 0; }));
}

TEST_CASE("an exporter that hangs longer than export_timeout is interrupted") {
  log_capture log;
  gated_exporter exporter;
  exporter.at->open = false;
  auto tracer = make(exporter, {.schedule_delay = 1ms, .export_timeout = 10ms});
  spans(tracer, 2);
  CHECK_FALSE(tracer.force_flush(60s));
  CHECK(tracer.stats().failed == 2);
  check_accounts(tracer.stats());
  CHECK(log.count("export_timeout") == 1);
}

TEST_CASE("a failed export makes the flush say so, and the next one is judged by itself") {
  log_capture log;
  gated_exporter exporter;
  exporter.at->result = fg::export_result::failure;
  auto tracer = make(exporter, {});
  spans(tracer, 4);
  CHECK_FALSE(tracer.force_flush());
  exporter.at->result = fg::export_result::success;
  spans(tracer, 4);
  CHECK(tracer.force_flush());
  CHECK(tracer.stats().failed == 4);
  CHECK(tracer.stats().exported == 4);
  check_accounts(tracer.stats());
}

TEST_CASE("a tracer that recorded nothing shuts down at once; flush after shutdown is harmless") {
  gated_exporter exporter;
  auto tracer = make(exporter, {});
  CHECK(tracer.force_flush(0ms));
  CHECK(tracer.shutdown());
  CHECK(tracer.shutdown());
  CHECK(tracer.force_flush(10ms));  // nothing was lost
  CHECK(tracer.stats().sampled == 0);
}

TEST_CASE("options that make no sense are brought into range") {
  gated_exporter exporter;
  auto tracer = make(exporter, {.max_queue_size = 0, .max_batch_size = 0});
  spans(tracer, 1);
  CHECK(tracer.force_flush());
  CHECK(tracer.stats().exported == 1);
}

TEST_CASE("other clocks make other spans") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                    fg::batch_processor<fg::steady_clock>{}};
  const auto before = static_cast<std::int64_t>(fg::steady_clock::now());
  {
    auto span = tracer.trace_context("span");
    auto child = tracer.trace_context("child");
    child.add_event("event");
  }
  const auto after = static_cast<std::int64_t>(fg::steady_clock::now());
  CHECK(tracer.force_flush());
  const auto child = only(store.spans(), "child");
  CHECK(child.start_time >= before);
  CHECK(child.end_time <= after);
  REQUIRE(child.events.size() == 1);
  CHECK(child.events[0].time >= child.start_time);
}

TEST_CASE("shutdown hurries the exporter, in the middle of an export too, and waits for no deadline then") {
  log_capture log;
  gated_exporter exporter;
  exporter.at->open = false;
  exporter.at->heeds_hurry = true;
  auto tracer = make(exporter, {.max_batch_size = 5, .schedule_delay = 1ms});
  spans(tracer, 5);
  fg::detail::engine::instance().collect();
  exporter.at->wait_for_export();
  spans(tracer, 10);
  CHECK_FALSE(tracer.shutdown(300s));
  CHECK(exporter.at->hurried);
  CHECK_FALSE(exporter.at->interrupted);
  CHECK(tracer.stats().failed == 15);
  check_accounts(tracer.stats());
}

TEST_CASE("a flush hurries nobody") {
  gated_exporter exporter;
  auto tracer = make(exporter, {});
  spans(tracer, 1);
  CHECK(tracer.force_flush());
  CHECK_FALSE(exporter.at->hurried);
}

#include <fulgurite/processor/overflow.hpp>

#include <fulgurite/any_tracer.hpp>

#include "../tracing.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace std::chrono_literals;
using namespace fg::literals;

namespace {

/// Takes its time, or for ever until it is let go. Its thread may outlive the tracer, and the test.
struct slow_exporter {
  struct state {
    std::atomic<bool> held{false};
    std::atomic<std::uint64_t> exported{0};
  };
  std::shared_ptr<state> at = std::make_shared<state>();

  fg::export_result export_spans(fg::span_batch const& batch) {
    while (at->held) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(200us);
    at->exported += batch.size();
    return fg::export_result::success;
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};

using blocking = fg::batch_processor<fg::tsc_clock, fg::block>;

}  // namespace

TEST_CASE("drop_newest never waits") {
  static_assert(fg::overflow<fg::drop_newest> && fg::overflow<fg::block>);
  static_assert(!fg::overflow<int>);
  CHECK_FALSE(fg::drop_newest::blocks);
  CHECK(fg::block::blocks);
}

TEST_CASE("with block nothing is lost, however slow the exporter and small the queue") {
  const slow_exporter exporter;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{},
                    blocking{fg::batch_options{.max_queue_size = 500, .max_batch_size = 250}}};
  constexpr int threads = 4, roots = 5'000;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&] {
      for (int i = 0; i < roots; ++i) {
        auto root = tracer.trace_context("root", "i"_a = i);
        root.set_attribute("text", "a text that takes some room in the ring, so that it fills");
        auto child = tracer.trace_context("child");
      }
    });
  for (std::thread& thread : all) thread.join();
  CHECK(tracer.force_flush(60s));
  const fg::tracer_stats stats = tracer.stats();
  CHECK(stats.sampled == 2 * threads * roots);
  CHECK(stats.exported == 2 * threads * roots);
  CHECK(stats.dropped == 0);
  CHECK(exporter.at->exported == 2 * threads * roots);
}

TEST_CASE("with block through any_processor, shutdown delivers what still lies in the rings") {
  const slow_exporter exporter;
  fg::any_tracer tracer{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{},
                        blocking{fg::batch_options{.max_queue_size = 10}}};
  for (int i = 0; i < 1'000; ++i) auto span = tracer.trace_context("span");
  CHECK(tracer.shutdown(60s));
  CHECK(exporter.at->exported == 1'000);
}

TEST_CASE("a thread that waits goes on when its tracer is shut down; flush and shutdown hold their deadlines") {
  fulgurite_test::log_capture log;
  const slow_exporter exporter;
  exporter.at->held = true;
  std::atomic<bool> ended{false};
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, exporter, fg::w3c_propagator{},
                    blocking{fg::batch_options{.max_queue_size = 10, .schedule_delay = 1ms}}};
  constexpr std::uint64_t count = 20'000;  // more than the rings hold
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto span = tracer.trace_context("span");
      span.set_attribute("text", "a text that takes some room in the ring, so that it fills");
    }
    ended = true;
  });
  for (int i = 0; i < 10'000 && tracer.stats().queued < 10; ++i) std::this_thread::sleep_for(1ms);
  CHECK_FALSE(tracer.force_flush(200ms));
  std::this_thread::sleep_for(300ms);
  CHECK_FALSE(ended);  // it waits
  CHECK_FALSE(tracer.shutdown(100ms));
  producer.join();
  CHECK(ended);
  exporter.at->held = false;
  const fg::tracer_stats stats = tracer.stats();
  CHECK(stats.sampled > 10);
  CHECK(stats.sampled <= stats.started);  // what was started after the shutdown is not recorded
  fulgurite_test::check_accounts(stats);
}

#include <fulgurite/span/record_writer.hpp>

#include "../tracing.hpp"

#include <pthread.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <set>
#include <string>
#include <thread>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace fg::literals;

TEST_CASE("one thread's large spans find room, however large the ring is") {
  recorder r;
  const std::string large(60'000, 'x');
  for (int i = 0; i < 20; ++i) {
    auto span = r.tracer.trace_context("large");
    for (int k = 0; k < 30; ++k) span.set_attribute("key " + std::to_string(k), large);
    for (int k = 0; k < 30; ++k) r.tracer.add_span_event("event", {{"k", large}});
  }
  const auto spans = r.spans();
  CHECK(spans.size() == 20);
  for (fg::span_data const& span : spans) {
    CHECK(span.attributes.size() == 30);
    CHECK(span.events.size() == 30);
    CHECK(span.dropped_attributes_count == 0);
  }
}

TEST_CASE("what a full ring has no room for is counted on its thread") {
  log_capture log;
  recorder r;
  constexpr int count = 300'000;
  for (int i = 0; i < count; ++i) auto span = r.tracer.trace_context("one of many");
  const bool all = r.tracer.force_flush(std::chrono::seconds(60));
  const fg::tracer_stats stats = r.tracer.stats();
  CHECK(all == (stats.dropped == 0));
  CHECK(r.tracer.force_flush(std::chrono::seconds(60)));  // nothing more was lost since
  CHECK(stats.started == count);
  CHECK(stats.sampled == count);
  CHECK(stats.exported == r.store.spans().size());
  check_accounts(stats);
}

namespace {

recorder* traced_in_handler = nullptr;
volatile std::sig_atomic_t made_in_handler = 0;

void handler(int) {
  auto span = traced_in_handler->tracer.trace_context("in the handler", "k"_a = 1);
  span.set_attribute("more", 2);
  if (made_in_handler % 7 == 0) {
    auto free = traced_in_handler->tracer.start_span("free in the handler");
    made_in_handler = made_in_handler + 1;
  }
  made_in_handler = made_in_handler + 1;
}

}  // namespace

TEST_CASE("a signal handler that traces interrupts tracing anywhere: each span arrives whole, or is counted") {
  log_capture log;
  recorder r;
  traced_in_handler = &r;
  std::signal(SIGUSR2, handler);
  const pthread_t tracing = pthread_self();
  std::atomic<bool> done{false};
  std::thread sender([&] {
    while (!done) {
      pthread_kill(tracing, SIGUSR2);
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  });
  const std::string large(3'000, 'x');
  std::uint64_t made = 0;
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (int i = 0; made_in_handler < 3'000 && std::chrono::steady_clock::now() < enough; ++i) {
    auto root = r.tracer.trace_context("root", "i"_a = i);
    {
      auto child = r.tracer.trace_context("child", "text"_a = "text");
      child.set_attribute("i", i);
    }
    made += 2;
    if (i % 100 == 0) {
      auto slow = r.tracer.trace_context("slow", fg::span_options{.parent = fg::root});
      slow.set_attribute("large", large);
      slow.add_event("event", {{"k", large}});
      ++made;
    }
    if (i % 200 == 0) r.tracer.force_flush(std::chrono::seconds(60));  // so that the ring has room
  }
  done = true;
  sender.join();
  std::signal(SIGUSR2, SIG_IGN);
  const auto spans = r.spans();
  const fg::tracer_stats stats = r.tracer.stats();
  const auto in_handler = static_cast<std::uint64_t>(made_in_handler);
  MESSAGE(in_handler, " spans in the handler, ", stats.dropped_by(fg::drop_cause::signal), " dropped, ", stats.started,
          " of ", made + in_handler, " started");
  CHECK(in_handler > 0);
  CHECK(stats.sampled == made + in_handler);
  check_accounts(stats);
  CHECK(stats.exported == spans.size());
  CHECK(stats.dropped == stats.dropped_by(fg::drop_cause::signal) + stats.dropped_by(fg::drop_cause::queue_full));
  CHECK(stats.dropped_by(fg::drop_cause::signal) <= in_handler);  // nothing of the thread itself is lost by it
  std::set<std::string> ids;
  std::uint64_t whole = 0;
  for (fg::span_data const& span : spans) {
    ids.insert(span.span_id.to_hex());
    if (span.name == "in the handler")
      whole += has(span, "k", 1) && (has(span, "more", 2) || span.dropped_attributes_count == 1);
    else if (span.name == "child")
      whole += has(span, "text", "text") && span.attributes.size() == 2;
    else
      whole += span.name == "root" || span.name == "slow" || span.name == "free in the handler";
  }
  CHECK(ids.size() == spans.size());
  CHECK(whole == spans.size());
}

// A tracer's life: shut down, moved, destroyed while spans live, beside other tracers, flushed under load.
#include "tracing.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace fg::literals;
using namespace std::chrono_literals;

namespace {

/// Counts what is asked of it; copies share the counts.
struct observed_exporter {
  struct counts {
    std::atomic<int> spans{0}, flushes{0}, shutdowns{0}, exports_after_shutdown{0};
  };
  std::shared_ptr<counts> at = std::make_shared<counts>();
  std::chrono::milliseconds takes{0};

  fg::export_result export_spans(fg::span_batch const& batch) {
    if (at->shutdowns > 0) ++at->exports_after_shutdown;
    std::this_thread::sleep_for(takes);
    at->spans += static_cast<int>(batch.size());
    return fg::export_result::success;
  }
  bool flush(fg::deadline) {
    ++at->flushes;
    return true;
  }
  bool shutdown(fg::deadline) {
    ++at->shutdowns;
    return true;
  }
};

template <class Processor>
auto observed(observed_exporter const& exporter, Processor processor) {
  return fg::tracer(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, exporter, fg::w3c_propagator{},
                    std::move(processor));
}

/// The least that is a processor: it exports every span as it comes.
class minimal_processor {
 public:
  using clock = fg::steady_clock;
  static constexpr bool exports_inline = false;

  void start(std::shared_ptr<fg::export_target> target) { target_ = target; }
  void process(fg::record_view const& record) noexcept {
    if (auto target = target_.lock())
      target->export_records({record.begin(), static_cast<std::size_t>(record.end() - record.begin())}, 1);
  }
  void commit() noexcept {}
  bool flush(fg::deadline) noexcept { return true; }
  bool shutdown(fg::deadline) noexcept { return true; }
  std::uint64_t queued() const noexcept { return 0; }

 private:
  std::weak_ptr<fg::export_target> target_;
};
static_assert(fg::check_processor<minimal_processor>());

template <class Processor>
void spans_that_outlive_shutdown(Processor processor) {
  log_capture log;
  observed_exporter exporter;
  auto tracer = observed(exporter, std::move(processor));
  {
    auto root = tracer.trace_context("root");
    auto child = tracer.trace_context("child");
    auto free = tracer.start_span("free");
    {
      auto before = tracer.trace_context("before");
    }
    CHECK(tracer.shutdown(60s));
    auto late_child = tracer.trace_context("late child");
    auto late_root = tracer.trace_context("late root", {.parent = fg::root});
    CHECK_FALSE(late_root.is_recording());
  }
  CHECK_FALSE(tracer.trace_context("after").is_recording());
  CHECK_FALSE(tracer.start_span("after").is_recording());
  tracer.force_flush(60s);
  const fg::tracer_stats stats = tracer.stats();
  CHECK(stats.exported == 1);
  CHECK(stats.dropped_by(fg::drop_cause::shutdown) == stats.sampled - 1);
  CHECK(stats.sampled >= 4);
  check_accounts(stats);
  CHECK(exporter.at->spans == 1);
  CHECK(exporter.at->shutdowns == 1);
  CHECK(exporter.at->exports_after_shutdown == 0);
  CHECK(tracer.shutdown(60s));
  CHECK(exporter.at->shutdowns == 1);
}

}  // namespace

TEST_CASE("spans that end after shutdown are counted, and the exporter is left in peace") {
  SUBCASE("batch") { spans_that_outlive_shutdown(fg::batch_processor{}); }
  SUBCASE("inline") { spans_that_outlive_shutdown(fg::inline_processor{}); }
}

TEST_CASE("a tracer that was shut down before its first span") {
  observed_exporter exporter;
  auto tracer = observed(exporter, fg::batch_processor{});
  std::optional<decltype(tracer)::span_type> open(tracer.start_span("open"));
  CHECK(tracer.shutdown(60s));
  open.reset();
  CHECK(tracer.stats().dropped_by(fg::drop_cause::shutdown) == 1);
  check_accounts(tracer.stats());
}

TEST_CASE("a flush reaches the exporter, with any processor") {
  observed_exporter exporter;
  SUBCASE("batch") {
    auto tracer = observed(exporter, fg::batch_processor{});
    {
      auto span = tracer.trace_context("s");
    }
    CHECK(tracer.force_flush(60s));
    CHECK(exporter.at->flushes == 1);
  }
  SUBCASE("inline") {
    auto tracer = observed(exporter, fg::inline_processor{});
    {
      auto span = tracer.trace_context("s");
    }
    const int before = exporter.at->flushes;
    CHECK(tracer.force_flush(60s));
    CHECK(exporter.at->flushes == before + 1);
  }
}

TEST_CASE("a flush ends although spans keep coming") {
  observed_exporter exporter{.takes = 2ms};
  auto tracer = observed(exporter, fg::batch_processor{fg::batch_options{.max_batch_size = 16}});
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    while (!stop) {
      for (int i = 0; i < 100; ++i) auto span = tracer.trace_context("s");
      fg::detail::engine::instance().collect();
      std::this_thread::yield();
    }
  });
  while (exporter.at->spans == 0) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  const bool flushed = tracer.force_flush(60s);
  const bool in_time = std::chrono::steady_clock::now() - start < 60s;
  stop = true;
  producer.join();
  CHECK(in_time);
  // Where the producer was too fast for the queue, not everything was delivered.
  CHECK((flushed || tracer.stats().dropped > 0));
}

TEST_CASE("a processor of one's own") {
  fg::memory_exporter store;
  fg::tracer tracer(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store, fg::w3c_propagator{},
                    minimal_processor{});
  {
    auto root = tracer.trace_context("root");
    auto child = tracer.trace_context("child", "k"_a = std::string(1000, 'x'));
    child.add_event("e");
  }
  CHECK(tracer.force_flush());
  CHECK(only(store.spans(), "child").parent_span_id == only(store.spans(), "root").span_id);
  CHECK(has(only(store.spans(), "child"), "k", std::string(1000, 'x')));
  check_accounts(tracer.stats());
}

TEST_CASE("a moved tracer goes on; the one moved from is off") {
  fg::memory_exporter store;
  fg::tracer first(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store);
  {
    auto root = first.trace_context("root");
    auto second = std::move(first);
    CHECK_FALSE(first.is_on());
    CHECK_FALSE(first.trace_context("husk").is_recording());
    CHECK(first.force_flush());
    CHECK(first.stats().started == 0);
    CHECK(first.get_last_trace().empty());
    auto child = second.trace_context("child");
    CHECK(child.is_recording());
    first = std::move(second);
    auto grandchild = first.trace_context("grandchild");
  }
  CHECK(first.force_flush());
  const auto spans = store.spans();
  CHECK(spans.size() == 3);
  CHECK(only(spans, "grandchild").parent_span_id == only(spans, "child").span_id);
  CHECK(only(spans, "child").parent_span_id == only(spans, "root").span_id);
  CHECK(first.stats().started == 3);
}

TEST_CASE("a tracer that is destroyed while spans live takes nothing with it") {
  log_capture log;
  const auto lost = [] { return fg::detail::engine::instance().lost_after_shutdown(); };
  fg::detail::engine::instance().collect();
  const std::uint64_t before = lost();
  fg::memory_exporter store;
  using tracer_type = decltype(recorder::tracer);
  auto tracer = std::make_unique<tracer_type>(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store);
  recorder other;
  {
    auto root = tracer->trace_context("root");
    auto child = tracer->trace_context("child");
    auto free = tracer->start_span("free");
    {
      auto ended = tracer->trace_context("ended");
    }
    tracer.reset();
    child.set_attribute("k", std::string(1000, 'x'));
    child.add_event("e");
    auto of_another = other.tracer.trace_context("of another");
    auto scope = activate(free);
    other.tracer.add_span_attribute("k", 1);
    auto below = other.tracer.trace_context("below");
  }
  CHECK_FALSE(fg::current_context().span().is_valid());
  fg::detail::engine::instance().collect();
  CHECK(lost() == before + 3);
  CHECK(log.count("after its tracer was destroyed") == 1);
  CHECK(only(store.spans(), "ended").parent_span_id.is_valid());
  CHECK(store.spans().size() == 1);
  CHECK(other.spans().size() == 2);
  // A tracer that gets the place of the one that is gone must not get its spans.
  for (int i = 0; i < 20; ++i) {
    recorder fresh;
    CHECK(fresh.spans().empty());
  }
}

TEST_CASE("several tracers: each span goes to its own, with the right parent") {
  recorder a, b;  // of the same type
  fg::memory_exporter store;
  fg::tracer c(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store, fg::w3c_propagator{},
               fg::batch_processor<fg::steady_clock>{});
  for (int i = 0; i < 3; ++i) {
    auto root = a.tracer.trace_context("a root");
    auto of_b = b.tracer.trace_context("b child");
    auto of_c = c.trace_context("c grandchild");
    auto of_a = a.tracer.trace_context("a again");
    auto free = b.tracer.start_span("b free");
    auto scope = activate(free);
    auto below = c.trace_context("c below");
  }
  CHECK(c.force_flush());
  const auto from_a = a.spans(), from_b = b.spans(), from_c = store.spans();
  CHECK(from_a.size() == 6);
  CHECK(from_b.size() == 6);
  CHECK(from_c.size() == 6);
  std::set<fg::trace_id> traces;
  for (fg::span_data const& root : from_a) {
    if (root.name != "a root") continue;
    traces.insert(root.trace_id);
    const auto of_this_trace = [&](std::vector<fg::span_data> spans) {
      std::erase_if(spans, [&](fg::span_data const& span) { return span.trace_id != root.trace_id; });
      return spans;
    };
    const auto in_a = of_this_trace(from_a), in_b = of_this_trace(from_b), in_c = of_this_trace(from_c);
    CHECK_FALSE(root.parent_span_id.is_valid());
    CHECK(only(in_b, "b child").parent_span_id == root.span_id);
    CHECK(only(in_c, "c grandchild").parent_span_id == only(in_b, "b child").span_id);
    CHECK(only(in_a, "a again").parent_span_id == only(in_c, "c grandchild").span_id);
    CHECK(only(in_b, "b free").parent_span_id == only(in_a, "a again").span_id);
    CHECK(only(in_c, "c below").parent_span_id == only(in_b, "b free").span_id);
  }
  CHECK(traces.size() == 3);
  CHECK(a.tracer.stats().started == 6);
  check_accounts(b.tracer.stats());
  // The trace is rooted in a: it is the last trace of no other.
  CHECK(a.tracer.get_last_trace().size() == 2);
  CHECK(b.tracer.get_last_trace().empty());
}

TEST_CASE("what one tracer does not sample another does not record as its child") {
  recorder on;
  const fg::tracer off(fg::resource{}, fg::always_off_sampler{}, fg::memory_exporter{});
  {
    auto root = off.trace_context("off");
    auto child = on.tracer.trace_context("child of off");
    CHECK_FALSE(child.is_recording());
    auto own = on.tracer.trace_context("own root", {.parent = fg::root});
    CHECK(own.is_recording());
    auto below = off.trace_context("below own");
    CHECK(below.is_recording());
  }
  CHECK(on.spans().size() == 1);
}

TEST_CASE("many tracers, one after the other and at once, each with its spans") {
  for (int i = 0; i < 300; ++i) {
    recorder r;
    {
      auto span = r.tracer.trace_context("s", "i"_a = i);
    }
    if (i % 10 == 0) CHECK(has(only(r.spans(), "s"), "i", i));
  }
  std::vector<recorder> all(40);
  {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int n = 0; n < 20; ++n)
          for (recorder& r : all) auto span = r.tracer.trace_context("s");
      });
    for (std::thread& thread : threads) thread.join();
  }
  for (recorder& r : all) {
    CHECK(r.spans().size() == 80);
    CHECK(r.tracer.stats().started == 80);
  }
}

TEST_CASE("tracers come and go on eight threads while all of them trace") {
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> started{0}, accounted{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        recorder r;
        for (int n = 0; n < 50; ++n) {
          auto root = r.tracer.trace_context("root");
          auto child = r.tracer.trace_context("child");
          child.set_attribute("k", std::string(300, 'x'));
        }
        r.tracer.force_flush(60s);
        const auto stats = r.tracer.stats();
        started += stats.started;
        accounted += stats.exported + stats.dropped + stats.failed + stats.queued;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(started == 8 * 20 * 100);
  CHECK(accounted == started);
}

TEST_CASE("tracing goes on in every thread while the tracer is shut down") {
  log_capture log;
  for (int round = 0; round < 10; ++round) {
    observed_exporter exporter;
    auto tracer = observed(exporter, fg::batch_processor{fg::batch_options{.max_batch_size = 8}});
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        while (!stop) {
          auto root = tracer.trace_context("root");
          auto child = tracer.trace_context("child");
          child.set_attribute("k", std::string(300, 'x'));
          std::this_thread::yield();
        }
      });
    while (exporter.at->spans == 0) {
      tracer.force_flush(60s);
      std::this_thread::yield();
    }
    CHECK(tracer.shutdown(60s));
    stop = true;
    for (std::thread& thread : threads) thread.join();
    const auto stats = tracer.stats();
    check_accounts(stats);
    CHECK(stats.exported == static_cast<std::uint64_t>(exporter.at->spans));
    CHECK(stats.queued == 0);
    CHECK(exporter.at->exports_after_shutdown == 0);
  }
}

TEST_CASE("a log handler may call the library, whatever it was doing when it spoke") {
  recorder other;
  std::optional<fg::span> outliving;
  {
    recorder gone;
    outliving.emplace(gone.tracer.start_span("outlives its tracer"));
  }
  int messages = 0;
  fg::set_log_handler([&](fg::log_level, std::string_view) {
    ++messages;
    {
      auto span = other.tracer.trace_context("in the log");
    }
    other.tracer.force_flush(std::chrono::seconds(10));
  });
  outliving->end();
  other.tracer.force_flush(std::chrono::seconds(10));
  fg::set_log_handler({});
  CHECK(messages == 1);
  CHECK(other.spans().size() == 1);
}

#ifndef FULGURITE_SANITIZED  // the sanitizers keep freed memory themselves
TEST_CASE("tracers that come and go leave a thread's memory as it is") {
  const auto pages = [] {
    std::ifstream file("/proc/self/statm");
    long all = 0, resident = 0;
    file >> all >> resident;
    return resident;
  };
  const auto round = [] {
    for (int i = 0; i < 5'000; ++i) {
      recorder r;
      auto span = r.tracer.trace_context("span");
    }
  };
  round();
  const long before = pages();
  round();
  CHECK(pages() - before < 500);  // 2 MiB
}
#endif

TEST_CASE("a second shutdown says what the first came to") {
  recorder r;
  {
    auto span = r.tracer.trace_context("span");
  }
  CHECK(r.tracer.shutdown(std::chrono::seconds(10)));
  CHECK(r.tracer.shutdown(std::chrono::seconds(10)));
}

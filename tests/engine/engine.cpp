#include <fulgurite/engine/engine.hpp>

#include "../tracing.hpp"

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace fg = fulgurite;
namespace fd = fulgurite::detail;
using namespace fg::literals;
using namespace fulgurite_test;

namespace {

struct silent_sink final : fd::record_sink {
  void accept(std::byte*, fd::clock_converter const&) noexcept override {}
  void commit() noexcept override {}
  void poll() noexcept override {}
  void export_inline() noexcept override {}
};

std::uint32_t add_silent_sink(fd::engine& engine) {
  std::uint32_t key = 0;
  engine.add(std::make_shared<silent_sink>(), key);
  return key;
}

std::size_t count_threads() {
  std::size_t n = 0;
  for (fd::thread_state* thread = fd::process().threads.load(); thread; thread = thread->next) ++n;
  return n;
}

}  // namespace

TEST_CASE("a pipeline's key is never 0 and never used again at once") {
  fd::engine& engine = fd::engine::instance();
  std::set<std::uint32_t> keys;
  for (int i = 0; i < 5'000; ++i) {
    const std::uint32_t key = add_silent_sink(engine);
    REQUIRE(key != 0);
    CHECK((key & fd::unrecorded_bit) == 0);
    CHECK(keys.insert(key).second);
    engine.remove(key);
    engine.remove(key);
  }
}

TEST_CASE("when all places are taken the next pipeline gets none") {
  fd::engine& engine = fd::engine::instance();
  std::vector<std::uint32_t> keys;
  for (std::uint32_t key; (key = add_silent_sink(engine)) != 0;) keys.push_back(key);
  CHECK(keys.size() <= fd::engine::max_pipelines);
  CHECK(keys.size() > fd::engine::max_pipelines - 100);
  log_capture log;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, fg::memory_exporter{}};
  CHECK_FALSE(tracer.is_on());
  {
    auto span = tracer.trace_context("nothing");
  }
  CHECK(log.count("more than 4096 tracers") == 1);
  for (const std::uint32_t key : keys) engine.remove(key);
}

TEST_CASE("what a thread recorded is collected after its end, and its state serves another thread") {
  recorder r;
  std::thread([&] { auto span = r.tracer.trace_context("last words"); }).join();
  CHECK(r.spans().size() == 1);
  const std::size_t before = count_threads();
  for (int i = 0; i < 200; ++i) {
    std::thread([&] { auto span = r.tracer.trace_context("one of many"); }).join();
    if (i % 10 == 9) fd::engine::instance().collect();
  }
  CHECK(r.spans().size() == 201);
  CHECK(count_threads() <= before + 20);
}

TEST_CASE("a thread_local's destructor may trace") {
  recorder r;
  struct last {
    recorder* r = nullptr;
    ~last() { auto span = r->tracer.trace_context("in a destructor"); }
  };
  std::thread([&] {
    static thread_local last object;
    object.r = &r;
    auto span = r.tracer.trace_context("before");
  }).join();
  const auto spans = r.spans();
  CHECK(spans.size() == 2);
  only(spans, "in a destructor");
}

TEST_CASE("every span of eight threads is accounted for, once") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store};
  constexpr int threads = 8, spans_each = 20'000;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t)
    running.emplace_back([&, t] {
      for (int i = 0; i < spans_each / 10; ++i) {
        auto root = tracer.trace_context("root", "thread"_a = t);
        for (int j = 1; j < 10; ++j) auto child = tracer.trace_context("child", "j"_a = j);
      }
    });
  for (std::thread& thread : running) thread.join();
  const bool all = tracer.force_flush(std::chrono::seconds(120));
  const fg::tracer_stats stats = tracer.stats();
  CHECK(stats.started == threads * spans_each);
  CHECK(stats.sampled == threads * spans_each);
  CHECK(stats.queued == 0);
  CHECK(all == (stats.dropped == 0));  // what found no room is not delivered
  CHECK(stats.dropped == stats.dropped_by(fg::drop_cause::queue_full));
  check_accounts(stats);
  std::set<fg::span_id> seen;
  for (auto const& span : store.spans()) CHECK(seen.insert(span.span_id).second);
  CHECK(seen.size() == stats.exported);
}

#include <fulgurite/exporter/fan_out.hpp>

#include "../gated_exporter.hpp"
#include "../record_builder.hpp"
#include "../tracing.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace std::chrono_literals;

namespace {

fg::batch_outcome export_some(fg::exporter auto& to, int spans = 1) {
  record_builder builder;
  const std::vector<fg::span_data> made(static_cast<std::size_t>(spans));
  for (fg::span_data const& one : made) builder.add(one);
  return to.export_spans(builder.batch());
}
fg::deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
fg::deadline soon() { return in(60s); }

/// Every destination's account adds up to what was sent round.
template <class FanOut>
void check_destinations(FanOut const& fan, std::uint64_t offered) {
  for (fg::destination_stats const& one : fan.destination_stats()) {
    CAPTURE(one.name);
    CHECK(one.offered == offered);
    CHECK(one.offered == one.exported + one.failed + one.dropped + one.queued);
  }
}

template <class FanOut>
auto tracer_to(FanOut const& fan, fg::batch_options options = {}) {
  return fg::tracer(fg::resource{}, fg::always_on_sampler{}, fan, fg::w3c_propagator{}, fg::batch_processor{options});
}
void make_spans(auto const& tracer, int n) {
  for (int i = 0; i < n; ++i) auto span = tracer.trace_context("span");
}

/// Its backend refuses some of each batch, and some go to its spool.
struct partial_exporter {
  std::shared_ptr<std::atomic<std::uint64_t>> spooled = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::uint64_t rejects = 0, spools = 0;

  fg::batch_outcome export_spans(fg::span_batch const& batch) {
    const std::uint64_t kept = std::min<std::uint64_t>(spools, batch.size() - rejects);
    *spooled += kept;
    return {.exported = batch.size() - rejects - kept, .rejected = rejects, .spooled = kept};
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
  fg::exporter_stats stats() const { return {.spooled = *spooled}; }
};

}  // namespace

TEST_CASE("one dead, one that blocks for ever, one slow, one fast") {
  log_capture log;
  gated_exporter dead, blocking, slow, fast;
  dead.at->result = fg::export_result::failure;
  blocking.at->open = slow.at->open = false;
  blocking.at->heeds_interrupt = slow.at->heeds_interrupt = false;
  fg::fan_out fan{fg::fan_out_options{.names = {"dead", "blocking", "slow", "fast"}}, dead, blocking, slow, fast};
  auto tracer = tracer_to(fan, {.max_batch_size = 10, .schedule_delay = 1ms});
  make_spans(tracer, 100);
  CHECK_FALSE(tracer.force_flush(20ms));
  // The fast one and the dead one have been given everything, with the others still in their first batch.
  CHECK(fast.at->wait_for_spans(100));
  CHECK(dead.at->wait_for_spans(100));
  fg::tracer_stats stats = tracer.stats();
  CHECK(stats.sampled == 100);
  CHECK(stats.queued == 100);  // of each span somebody may still say that it has it
  check_accounts(stats);
  check_destinations(fan, 100);
  CHECK(fan.destination_stats()[1].queued == 100);

  slow.at->set_open(true);
  CHECK(slow.at->wait_for_spans(100));
  CHECK_FALSE(tracer.shutdown(100ms));
  // On a machine that is busy it is given up some moments after the tracer is.
  for (const fg::deadline until = soon();
       log.count("blocking: the exporter did not return before the end of shutdown") == 0;) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    std::this_thread::sleep_for(1ms);
  }
  const std::uint64_t undecided = fan.destination_stats()[1].queued;  // the batch that it does not come back with
  CHECK(undecided >= 1);
  CHECK(undecided <= 10);
  stats = tracer.stats();
  CHECK(stats.exported == 0);  // one has lost them all
  CHECK(stats.queued == undecided);
  CHECK(stats.failed + stats.dropped == 100 - undecided);
  CHECK(stats.spooled == 0);
  check_accounts(stats);
  check_destinations(fan, 100);
  const std::vector<fg::destination_stats> each = fan.destination_stats();
  REQUIRE(each.size() == 4);
  CHECK(each[0].name == "dead");
  CHECK(each[0].failed == 100);
  CHECK(each[1].dropped == 100 - undecided);
  CHECK(each[2].exported == 100);
  CHECK(each[3].exported == 100);

  blocking.at->set_open(true);  // the thread that was left behind comes to its end
  CHECK(blocking.at->wait_for_spans(undecided));
}

TEST_CASE("exported is what all have taken") {
  gated_exporter first, second;
  fg::fan_out fan{first, second};
  auto tracer = tracer_to(fan);
  make_spans(tracer, 20);
  CHECK(tracer.force_flush());
  CHECK(tracer.stats().exported == 20);
  check_accounts(tracer.stats());
  log_capture log;
  second.at->result = fg::export_result::failure;
  make_spans(tracer, 5);
  CHECK_FALSE(tracer.force_flush());
  CHECK(tracer.stats().exported == 20);
  CHECK(tracer.stats().failed == 5);
  check_accounts(tracer.stats());
  CHECK(log.count("gated_exporter 2: spans could not be exported") == 1);
  second.at->result = fg::export_result::success;
  make_spans(tracer, 1);
  CHECK(tracer.force_flush());  // each flush is judged by itself
  CHECK(tracer.shutdown());
  CHECK(tracer.stats().exported == 21);
  check_destinations(fan, 26);
}

TEST_CASE("a queue that is full drops for its destination alone") {
  log_capture log;
  gated_exporter blocked, fast;
  blocked.at->open = false;
  fg::fan_out fan{fg::fan_out_options{.max_queue_batches = 2}, blocked, fast};
  CHECK(export_some(fan).is_success());
  blocked.at->wait_for_export();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(fast.at->wait_for_spans(1 + 3 * i));
    CHECK(export_some(fan, 3).is_success());
  }
  CHECK(fast.at->wait_for_spans(13));
  std::vector<fg::destination_stats> each = fan.destination_stats();
  CHECK(each[0].queued == 4);
  CHECK(each[0].dropped == 9);
  check_destinations(fan, 13);
  CHECK(log.count("its queue is full") == 1);
  blocked.at->set_open(true);
  CHECK(fan.flush(soon()));
  CHECK(fan.stats().settled.queue_full == 9);
  CHECK(fan.stats().settled.spans() == 13);
  // As many bytes as it may have are not exceeded, but by a batch alone.
  gated_exporter narrow;
  narrow.at->open = false;
  fg::fan_out one{fg::fan_out_options{.max_queue_bytes = 1}, narrow};
  CHECK(export_some(one, 50).waiting == 50);
  CHECK(export_some(one).failed > 0);  // nobody has it
  CHECK(one.stats().settled.spans() == 0);
  check_destinations(one, 50);
  narrow.at->set_open(true);
  CHECK(one.flush(soon()));
  CHECK(one.shutdown(soon()));
  CHECK(export_some(one).failed > 0);
}

TEST_CASE("an export that hangs longer than export_timeout is interrupted") {
  log_capture log;
  gated_exporter hanging, fast;
  hanging.at->open = false;
  fg::fan_out fan{fg::fan_out_options{.export_timeout = 5ms}, hanging, fast};
  SUBCASE("by a flush") {
    CHECK(export_some(fan).is_success());
    CHECK_FALSE(fan.flush(soon()));
    CHECK(fan.stats().settled.failed == 1);
  }
  SUBCASE("by a processor that waits") {
    auto tracer = tracer_to(fan, {.schedule_delay = 1ms});
    make_spans(tracer, 1);
    fg::detail::engine::instance().collect();
    std::unique_lock lock(hanging.at->mutex);
    CHECK(hanging.at->changed.wait_for(lock, 60s, [&] { return hanging.at->interrupted; }));
    lock.unlock();
    CHECK_FALSE(tracer.force_flush(60s));
    CHECK(tracer.stats().failed == 1);
    check_accounts(tracer.stats());
  }
  CHECK(log.count("gated_exporter: an export took longer than export_timeout") == 1);
}

TEST_CASE("shutdown interrupts who can be interrupted, and hurries all") {
  log_capture log;
  gated_exporter heeding, fast;
  heeding.at->open = false;
  fg::fan_out fan{heeding, fast};
  CHECK(export_some(fan).is_success());
  heeding.at->wait_for_export();
  CHECK(export_some(fan).is_success());
  CHECK_FALSE(fan.shutdown(in(1s)));
  CHECK(heeding.at->interrupted);
  CHECK(heeding.at->hurried);
  CHECK(fast.at->hurried);
  CHECK(log.count("left behind") == 0);
  const std::vector<fg::destination_stats> each = fan.destination_stats();
  CHECK(each[0].failed == 1);
  CHECK(each[0].dropped == 1);  // no other export begins when the time is up
  CHECK(each[1].exported == 2);
  CHECK(fan.stats().settled.failed == 1);
  CHECK(fan.stats().settled.shutdown == 1);
}

TEST_CASE("shutdown holds a deadline that has passed, and one without a batch") {
  log_capture log;
  gated_exporter blocking;
  blocking.at->open = blocking.at->heeds_interrupt = false;
  {
    fg::fan_out fan{blocking};
    CHECK(export_some(fan).is_success());
    blocking.at->wait_for_export();
    CHECK_FALSE(fan.flush(in(-1s)));
    CHECK_FALSE(fan.shutdown(in(-1s)));
  }
  blocking.at->set_open(true);
  fg::fan_out unused{gated_exporter{}, fg::memory_exporter{}};
  CHECK(unused.flush(soon()));
  CHECK(unused.shutdown(soon()));
}

TEST_CASE("of parts of batches the sum is lost, at the most all, and what a spool keeps waits") {
  partial_exporter first{.rejects = 2, .spools = 1}, second{.rejects = 3, .spools = 2};
  fg::fan_out fan{first, second};
  for (int i = 0; i < 3; ++i) CHECK(export_some(fan, 10).waiting == 10);
  CHECK_FALSE(fan.flush(soon()));  // some were refused
  CHECK(fan.flush(soon()));        // none since
  CHECK(fan.stats().settled.rejected == 15);
  CHECK(fan.stats().settled.exported == 9);
  CHECK(fan.stats().spooled == 6);  // of the second; those of the first may be the same
  const std::vector<fg::destination_stats> each = fan.destination_stats();
  CHECK(each[0].exported == 21);
  CHECK(each[0].failed == 6);
  CHECK(each[0].queued == 3);
  CHECK(each[1].failed == 9);
  CHECK(each[1].queued == 6);
  check_destinations(fan, 30);
  partial_exporter greedy{.rejects = 8, .spools = 8};
  fg::fan_out both{greedy, partial_exporter{.rejects = 8, .spools = 8}};
  auto tracer = tracer_to(both);
  make_spans(tracer, 10);
  tracer.force_flush();
  CHECK(tracer.stats().failed == 10);
  CHECK(tracer.stats().queued == 0);
  CHECK(tracer.stats().spooled == 0);
  check_accounts(tracer.stats());
  check_destinations(both, 10);
}

TEST_CASE("records are copied once, and are whole") {
  struct looking_exporter {
    std::shared_ptr<std::atomic<const std::byte*>> seen = std::make_shared<std::atomic<const std::byte*>>();
    fg::memory_exporter store = {};
    fg::export_result export_spans(fg::span_batch const& batch) {
      batch.for_each([this](fg::record_view const& record) { *seen = record.begin(); });
      return store.export_spans(batch);
    }
    bool flush(fg::deadline) { return true; }
    bool shutdown(fg::deadline) { return true; }
  };
  looking_exporter first, second;
  fg::fan_out fan{first, second};
  fg::span_data span;
  span.name = "charge";
  span.attributes = {{"key", "value"}};
  {
    record_builder builder(std::make_shared<fg::resource>(fg::resource{.service_name = "shop"}));
    builder.add(span);
    CHECK(fan.export_spans(builder.batch()).is_success());
  }  // what was given is gone
  CHECK(fan.flush(soon()));
  CHECK(first.seen->load() == second.seen->load());
  CHECK(first.store.spans() == second.store.spans());
  const fg::span_data arrived = only(second.store.spans(), "charge");
  CHECK(has(arrived, "key", "value"));
  CHECK(arrived.resource->service_name == "shop");
}

TEST_CASE("threads: none before the first batch; named, without signals, and without tracing") {
  struct thread_exporter {
    struct found {
      std::string name;
      bool blocks = false, records = true;
    };
    std::shared_ptr<found> of = std::make_shared<found>();
    fg::export_result export_spans(fg::span_batch const&) {
      char name[16] = {};
      pthread_getname_np(pthread_self(), name, sizeof name);
      of->name = name;
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      of->blocks = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1;
      recorder other;
      of->records = other.tracer.trace_context("span").is_recording();
      return fg::export_result::success;
    }
    bool flush(fg::deadline) { return true; }
    bool shutdown(fg::deadline) { return true; }
  };
  const auto threads = [] {
    std::size_t count = 0;
    for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
  };
  recorder outer;
  outer.spans();  // starts what the core has
  const std::size_t before = threads();
  thread_exporter exporter;
  fg::fan_out fan{exporter};
  CHECK(threads() <= before);
  CHECK(fan.idle_at() == fg::deadline::max());
  CHECK(export_some(fan).is_success());
  CHECK(fan.flush(soon()));
  CHECK(exporter.of->name == "fulgurite-fan");
  CHECK(exporter.of->blocks);
  CHECK_FALSE(exporter.of->records);
}

TEST_CASE("an exporter that throws harms nobody") {
  struct throwing_exporter {
    fg::export_result export_spans(fg::span_batch const&) { throw std::runtime_error("no"); }
    bool flush(fg::deadline) { throw std::runtime_error("no"); }
    bool shutdown(fg::deadline) { throw 1; }
  };
  log_capture log;
  gated_exporter fast;
  fg::fan_out fan{throwing_exporter{}, fast};
  CHECK(export_some(fan).is_success());
  CHECK_FALSE(fan.flush(soon()));
  CHECK(fan.stats().settled.failed == 1);
  CHECK(fast.at->wait_for_spans(1));
  CHECK_FALSE(fan.shutdown(soon()));
  CHECK(log.count("throwing_exporter threw in export_spans") == 1);
}

TEST_CASE("a list made at run time; names; copies share") {
  gated_exporter first, second;
  std::vector<fg::any_exporter> exporters;
  exporters.emplace_back(first);
  exporters.emplace_back(second);
  exporters.emplace_back(fg::memory_exporter{});
  fg::fan_out fan(fg::fan_out_options{.names = {"collector", ""}}, std::move(exporters));
  static_assert(std::is_same_v<decltype(fan), fg::dynamic_fan_out>);
  auto copy = fan;
  CHECK(copy.size() == 3);
  CHECK(export_some(copy, 2).is_success());
  CHECK(fan.flush(soon()));
  check_destinations(fan, 2);
  const std::vector<fg::destination_stats> each = fan.destination_stats();
  CHECK(each[0].name == "collector");
  CHECK(each[1].name == "any_exporter");
  CHECK(each[2].name == "any_exporter 2");
  CHECK(each[2].exported == 2);
  fg::any_exporter any = fan;
  CHECK(any.stats().settled.exported == 2);
  fg::dynamic_fan_out empty{std::vector<fg::any_exporter>{}};
  CHECK(export_some(empty).failed > 0);
  CHECK_FALSE(empty.check_health(soon()).reachable);
  CHECK(fg::detail::short_type_name<fg::memory_exporter>() == "memory_exporter");
  CHECK(fg::detail::short_type_name<fg::batch_processor<>>() == "batch_processor");
  CHECK(fg::detail::short_type_name<int>() == "int");
}

// Apart from fan_out.cpp, which the thread sanitizer runs too: that cannot follow a fork of a process with threads.
#include <fulgurite/exporter/fan_out/lanes.hpp>

#include "../../gated_exporter.hpp"
#include "../../record_builder.hpp"
#include "../../tracing.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace std::chrono_literals;

namespace {

fg::batch_outcome export_one(fg::detail::fan_out_lanes& to) {
  record_builder builder;
  const fg::span_data span;
  builder.add(span);
  return to.export_spans(builder.batch());
}
fg::deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

/// In the child its condition variable is new: the old one knows a thread that is not there.
struct forking_exporter : gated_exporter {
  void after_fork() noexcept { ::new (static_cast<void*>(&at->changed)) std::condition_variable; }
};

}  // namespace

TEST_CASE("a fork: the child has queues, threads and accounts of its own, whatever the parent's are doing") {
  forking_exporter blocked;
  blocked.at->open = blocked.at->heeds_interrupt = false;
  fg::memory_exporter store;
  fg::detail::fan_out_lanes lanes({});
  lanes.add("blocked", blocked);
  lanes.add("store", store);
  for (int i = 0; i < 3; ++i) CHECK(export_one(lanes).waiting == 1);
  blocked.at->wait_for_export();
  CHECK_FALSE(lanes.flush(in(20ms)));
  const pid_t child = ::fork();
  if (child == 0) {
    lanes.after_fork();
    int wrong = 0;
    const auto expect = [&wrong](int number, bool holds) {
      if (!holds && wrong == 0) wrong = number;
    };
    expect(1, lanes.stats().settled.spans() == 0 && lanes.destinations()[0].offered == 0);
    expect(2, store.spans().empty());
    expect(3, export_one(lanes).waiting == 1);
    for (int i = 0; store.spans().empty() && i < 6000; ++i) ::usleep(10'000);
    expect(4, store.spans().size() == 1);
    expect(5, !lanes.flush(in(1ms)));  // the backend of the other blocks here, too
    expect(6, lanes.destinations()[0].queued == 1 && lanes.destinations()[1].exported == 1);
    expect(7, !lanes.shutdown(in(1ms)));
    ::_exit(wrong);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  blocked.at->set_open(true);
  CHECK(lanes.flush(in(60s)));
  CHECK(lanes.destinations()[0].exported == 3);
  CHECK(store.spans().size() == 3);
}

TEST_CASE("a fork after shutdown stays shut down") {
  fg::detail::fan_out_lanes lanes({});
  lanes.add("store", fg::memory_exporter());
  CHECK(export_one(lanes).waiting == 1);
  CHECK(lanes.shutdown(in(60s)));
  lanes.after_fork();
  CHECK(export_one(lanes).failed > 0);
}

TEST_CASE("an exporter with a spool gets time before the first batch, and its thread for it") {
  struct spooling_exporter {
    std::shared_ptr<gate> at = std::make_shared<gate>();
    fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::success; }
    bool flush(fg::deadline) { return true; }
    bool shutdown(fg::deadline) { return true; }
    fg::deadline idle_at() const noexcept {
      const std::lock_guard lock(at->mutex);
      return at->batches.empty() ? std::chrono::steady_clock::now() : fg::deadline::max();
    }
    void idle() noexcept {
      const std::lock_guard lock(at->mutex);
      at->batches.push_back(1);
      at->changed.notify_all();
    }
    bool keeps_undelivered() const noexcept { return true; }
  };
  spooling_exporter exporter;
  fg::detail::fan_out_lanes lanes({});
  lanes.add("spooling", exporter);
  CHECK(lanes.idle_at() < fg::deadline::max());
  lanes.idle();
  CHECK(exporter.at->wait_for_spans(1));
  CHECK(lanes.idle_at() == fg::deadline::max());  // from now on its own thread looks after it
  CHECK(lanes.shutdown(in(60s)));
}

TEST_CASE("who keeps what is undelivered goes on after the interruption") {
  log_capture log;
  struct keeping_exporter : gated_exporter {
    bool keeps_undelivered() const noexcept { return true; }
  };
  keeping_exporter keeping;
  gated_exporter other;
  keeping.at->open = other.at->open = false;
  fg::detail::fan_out_lanes lanes({});
  lanes.add("keeping", keeping);
  lanes.add("other", other);
  for (int i = 0; i < 3; ++i) CHECK(export_one(lanes).waiting == 1);
  keeping.at->wait_for_export();
  other.at->wait_for_export();
  CHECK_FALSE(lanes.shutdown(in(1s)));
  CHECK(lanes.destinations()[0].failed == 3);  // it was given all of them
  CHECK(lanes.destinations()[1].failed == 1);
  CHECK(lanes.destinations()[1].dropped == 2);
}

TEST_CASE("given up without a shutdown, nobody is waited for") {
  log_capture log;
  gated_exporter blocked;
  blocked.at->open = blocked.at->heeds_interrupt = false;
  {
    fg::detail::fan_out_lanes lanes({});
    lanes.add("blocked", blocked);
    CHECK(export_one(lanes).waiting == 1);
    blocked.at->wait_for_export();
  }
  blocked.at->set_open(true);
  CHECK(blocked.at->wait_for_spans(1));
}

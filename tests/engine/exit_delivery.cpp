#include <fulgurite/engine/exit_delivery.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace fd = fulgurite::detail;

namespace {

/// Takes its time to end.
struct slow_sink final : fd::record_sink {
  explicit slow_sink(std::int64_t takes) : time(takes) {}
  void accept(std::byte*, fd::clock_converter const&) noexcept override {}
  void commit() noexcept override {}
  void poll() noexcept override {}
  void export_inline() noexcept override {}
  void end_with_process(std::int64_t until) noexcept override {
    given = until;
    on = fd::thread_id();
    fd::wait_until(fd::monotonic_now() + time, [] { return false; });
    ended = true;
  }

  std::int64_t time;
  std::atomic<std::int64_t> given{0};
  std::atomic<pid_t> on{0};
  std::atomic<bool> ended{false};
};

constexpr std::int64_t millisecond = 1'000'000;

}  // namespace

TEST_CASE("sinks end at the same time, each on a thread of its own") {
  std::vector<std::shared_ptr<fd::record_sink>> sinks;
  std::vector<slow_sink*> all;
  for (int i = 0; i < 8; ++i) {
    auto sink = std::make_shared<slow_sink>(100 * millisecond);
    all.push_back(sink.get());
    sinks.push_back(std::move(sink));
  }
  const std::int64_t start = fd::monotonic_now(), until = start + 60'000 * millisecond;
  fd::deliver_all(sinks, &fd::record_sink::end_with_process, until);
  // One after the other would be the sum; a slow machine may take most of it.
  for (slow_sink* sink : all) {
    CHECK(sink->ended);
    CHECK(sink->given == until);
    CHECK(sink->on != fd::thread_id());
  }
  CHECK(all[0]->on != all[1]->on);
}

TEST_CASE("one that does not end in time is left") {
  const auto sink = std::make_shared<slow_sink>(60'000 * millisecond);
  fd::deliver_all({sink}, &fd::record_sink::end_with_process, fd::monotonic_now());
  CHECK_FALSE(sink->ended);
  sink->time = 0;
}

TEST_CASE("the wait for exporters ends when the last thread has come out") {
  std::atomic<bool> is_inside{false}, may_leave{false};
  std::thread thread([&] {
    const fd::library_thread_mark mark;
    const fd::exporter_call call;
    is_inside = true;
    while (!may_leave) std::this_thread::yield();
  });
  while (!is_inside) std::this_thread::yield();
  const auto is_empty = [] { return fd::process_end::instance().inside == 0; };
  fd::wait_for_exporters(fd::monotonic_now() + 5 * millisecond);
  CHECK_FALSE(is_empty());
  may_leave = true;
  fd::wait_for_exporters(fd::monotonic_now() + 60'000 * millisecond);
  CHECK(is_empty());
  thread.join();
}

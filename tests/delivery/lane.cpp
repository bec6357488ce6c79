// What a lane does for its users is tested by processor/batch.cpp and exporter/fan_out/lane.cpp; here is what it
// promises itself, with a destination that obeys the test.
#include <fulgurite/delivery/lane.hpp>

#include "../log_capture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace fulgurite;
using namespace std::chrono_literals;
using fulgurite_test::log_capture;

namespace {

deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

class number_lane final : public detail::lane<number_lane, int> {
 public:
  explicit number_lane(detail::lane_options const& options = {}) : lane(options) {}

  void put(int number) {
    const std::lock_guard lock(mutex_);
    append() = number;
    add(static_cast<std::size_t>(number), 1);
    start_thread();
    notify_work();
  }
  void set_open(bool to) {
    const std::lock_guard lock(gate);
    open = to;
    changed.notify_all();
  }
  void wait_for_delivery() {
    std::unique_lock lock(gate);
    changed.wait(lock, [this] { return inside > 0; });
  }

  std::mutex gate;
  std::condition_variable changed;
  bool open = true, interrupted = false, keeps = false, refuses = false;
  int inside = 0;
  std::vector<int> delivered, dropped, given_up;
  int flushes = 0, shutdowns = 0;
  std::atomic<int> idled{0};
  deadline idle_next = deadline::max();

 private:
  friend lane;

  batch_outcome deliver(int& number) noexcept {
    std::unique_lock lock(gate);
    ++inside;
    changed.notify_all();
    changed.wait(lock, [this] { return open || interrupted; });
    --inside;
    const auto spans = static_cast<std::uint64_t>(number);
    return open && !refuses ? batch_outcome{.exported = spans} : batch_outcome{.failed = spans};
  }
  bool flush_destination(deadline) noexcept { return ++flushes, true; }
  bool shut_down_destination(deadline) noexcept { return ++shutdowns, true; }
  deadline idle_at() const noexcept { return idle_next; }
  void idle() noexcept {
    const std::lock_guard lock(mutex_);
    ++idled;
    idle_next = deadline::max();
  }
  static std::size_t spans_of(int number) noexcept { return static_cast<std::size_t>(number); }
  static std::size_t bytes_of(int) noexcept { return 1; }
  static bool is_full(int number) noexcept { return number >= 10; }
  static void taken(int) noexcept {}
  void settled(int number, batch_outcome const& outcome) noexcept {
    if (outcome.exported > 0) delivered.push_back(number);
  }
  void lost(int number) noexcept { dropped.push_back(number); }
  bool abandon(int number) noexcept { return given_up.push_back(number), true; }
  static void recycle(int& number) noexcept { number = 0; }
  static int finished() noexcept { return 0; }
  void interrupt() noexcept {
    const std::lock_guard lock(gate);
    interrupted = true;
    changed.notify_all();
  }
  bool keeps_undelivered() const noexcept { return keeps; }
  static std::string in_log() { return "numbers: "; }
};

/// Ends it, whatever it is in.
struct ended {
  explicit ended(std::shared_ptr<number_lane> of) : lane(std::move(of)) {}
  ~ended() {
    lane->set_open(true);
    if (lane->begin_shutdown(in(60s), true)) lane->wait_finished(in(60s));
  }
  std::shared_ptr<number_lane> lane;
};

}  // namespace

TEST_CASE("items are delivered in order, and a flush waits for those that were there") {
  const auto numbers = std::make_shared<number_lane>();
  const ended end(numbers);
  CHECK_FALSE(numbers->is_started());
  const auto none = numbers->ask_flush(in(60s));
  CHECK(none.number == 0);
  CHECK(numbers->has_delivered(none));
  numbers->open = false;
  for (const int number : {1, 2, 3}) numbers->put(number);
  CHECK(numbers->queued() == 6);
  CHECK(numbers->queued_bytes() == 3);
  numbers->wait_for_delivery();
  const auto ticket = numbers->ask_flush(in(60s));
  numbers->put(4);
  CHECK_FALSE(numbers->wait_flushed(ticket, in(1ms)));
  CHECK_FALSE(numbers->has_delivered(ticket));
  numbers->set_open(true);
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  CHECK(numbers->has_delivered(ticket));
  const auto second = numbers->ask_flush(in(60s));
  CHECK(numbers->wait_flushed(second, in(60s)));
  CHECK(numbers->delivered == std::vector<int>{1, 2, 3, 4});
  CHECK(numbers->queued() == 0);
  CHECK(numbers->queued_bytes() == 0);
  CHECK(numbers->flushes == 2);
}

TEST_CASE("what was not delivered makes a flush say so, and the next is judged by itself") {
  const auto numbers = std::make_shared<number_lane>();
  const ended end(numbers);
  numbers->refuses = true;
  numbers->put(5);
  auto ticket = numbers->ask_flush(in(60s));
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  // It may have been delivered before the flush was asked for; this one was not.
  numbers->open = false;
  numbers->put(6);
  ticket = numbers->ask_flush(in(60s));
  numbers->set_open(true);
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  CHECK_FALSE(numbers->has_delivered(ticket));
  ticket = numbers->ask_flush(in(60s));
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  CHECK(numbers->has_delivered(ticket));
}

TEST_CASE("an item waits for its delay, unless it is full or somebody asks") {
  const auto numbers = std::make_shared<number_lane>(detail::lane_options{.delay = 1h});
  const ended end(numbers);
  numbers->open = false;
  numbers->put(10);  // full
  numbers->wait_for_delivery();
  numbers->put(1);
  numbers->set_open(true);
  const auto ticket = numbers->ask_flush(in(60s));
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  CHECK(numbers->delivered == std::vector<int>{10, 1});
}

TEST_CASE("shutdown delivers what waits, and drops what the time is too short for") {
  SUBCASE("all of it") {
    const auto numbers = std::make_shared<number_lane>();
    numbers->open = false;
    for (const int number : {1, 2, 3}) numbers->put(number);
    numbers->begin_shutdown(in(60s));
    numbers->set_open(true);
    CHECK(numbers->wait_finished(in(60s)));
    CHECK(numbers->has_shut_down());
    CHECK(numbers->delivered.size() == 3);
    CHECK(numbers->shutdowns == 1);
  }
  SUBCASE("the caller gives up") {
    const auto numbers = std::make_shared<number_lane>();
    numbers->open = false;
    for (const int number : {1, 2, 3}) numbers->put(number);
    numbers->wait_for_delivery();
    numbers->begin_shutdown(in(60s));
    numbers->give_up();
    CHECK(numbers->wait_finished(in(60s)));
    CHECK_FALSE(numbers->has_shut_down());
    CHECK(numbers->dropped == std::vector<int>{2, 3});
    CHECK(numbers->queued() == 0);
  }
  SUBCASE("one that keeps what it cannot deliver is given the others, too") {
    const auto numbers = std::make_shared<number_lane>();
    numbers->open = false;
    numbers->keeps = true;
    for (const int number : {1, 2, 3}) numbers->put(number);
    numbers->wait_for_delivery();
    numbers->begin_shutdown(in(60s));
    numbers->give_up();
    CHECK(numbers->wait_finished(in(60s)));
    CHECK(numbers->dropped.empty());
  }
  SUBCASE("one that never ran has nothing to shut down") {
    const auto numbers = std::make_shared<number_lane>();
    CHECK_FALSE(numbers->begin_shutdown(in(60s), true));
    CHECK_FALSE(numbers->is_started());
  }
}

TEST_CASE("a thread that does not return is left behind, and what waits for it is lost") {
  log_capture log;
  const auto numbers = std::make_shared<number_lane>();
  const ended end(numbers);
  numbers->open = false;
  numbers->put(7);
  numbers->wait_for_delivery();
  numbers->put(8);
  numbers->begin_shutdown(in(1ms));
  CHECK_FALSE(numbers->wait_finished(in(5ms)));
  numbers->leave_behind();
  CHECK(numbers->dropped == std::vector<int>{8});
  CHECK(numbers->queued() == 7);
  CHECK(numbers->given_up.empty());  // the process does not end: it may yet be delivered
  CHECK(log.count("numbers: the exporter did not return before the end of shutdown; its thread is left behind, with 7 "
                  "spans") == 1);
  numbers->set_open(true);
  CHECK(numbers->wait_finished(in(60s)));
  CHECK(numbers->delivered == std::vector<int>{7});
}

TEST_CASE("a delivery that takes too long is interrupted once") {
  log_capture log;
  const auto numbers = std::make_shared<number_lane>(detail::lane_options{.longest = 1ms});
  const ended end(numbers);
  CHECK(numbers->overtime_at() == deadline::max());
  numbers->open = false;
  numbers->put(1);
  numbers->wait_for_delivery();
  while (!numbers->interrupted) numbers->interrupt_overtime();
  numbers->interrupt_overtime();
  CHECK(log.count("numbers: an export took longer than export_timeout and is interrupted") == 1);
}

TEST_CASE("with nothing to deliver the destination gets time of its own") {
  const auto numbers = std::make_shared<number_lane>();
  const ended end(numbers);
  numbers->start_idling();
  CHECK_FALSE(numbers->is_started());  // it wants none
  numbers->idle_next = in(1ms);
  numbers->start_idling();
  CHECK(numbers->is_started());
  const auto ticket = numbers->ask_flush(in(60s));
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  for (const deadline until = in(60s); std::chrono::steady_clock::now() < until;) {
    const auto again = numbers->ask_flush(in(60s));
    numbers->wait_flushed(again, in(60s));
    if (numbers->idled > 0) break;
  }
  CHECK(numbers->idled == 1);
}

TEST_CASE("a flush that a shutdown overtakes is answered by it") {
  const auto numbers = std::make_shared<number_lane>();
  numbers->open = false;
  numbers->put(1);
  numbers->wait_for_delivery();
  numbers->put(2);
  const auto ticket = numbers->ask_flush(in(60s));
  numbers->begin_shutdown(in(60s));
  numbers->set_open(true);
  CHECK(numbers->wait_flushed(ticket, in(60s)));
  CHECK(numbers->has_delivered(ticket));
  CHECK(numbers->flushes == 0);
  CHECK(numbers->delivered == std::vector<int>{1, 2});
}

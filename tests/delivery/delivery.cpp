#include <fulgurite/delivery/delivery.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using outcome = attempt::outcome;

namespace {
const fulgurite::delivery_options quick{.max_attempts = 4, .initial_backoff = 1ms, .max_backoff = 1ms, .jitter = 0};
std::chrono::steady_clock::time_point in(std::chrono::nanoseconds time) {
  return std::chrono::steady_clock::now() + time;
}

/// Plays a list of results; the last one for ever.
struct script {
  std::vector<attempt> results;
  std::size_t calls = 0;
  attempt operator()() { return results[calls++ < results.size() ? calls - 1 : results.size() - 1]; }
};
}  // namespace

TEST_CASE("delivered at once, after retries, refused, never") {
  struct expected {
    script plays;
    outcome result;
    std::size_t calls;
    std::uint64_t retried;
  };
  for (expected test :
       {expected{{{{outcome::delivered}}}, outcome::delivered, 1, 0},
        expected{{{{outcome::retry}, {outcome::retry}, {outcome::delivered}}}, outcome::delivered, 3, 2},
        expected{{{{outcome::retry}, {outcome::refused}}}, outcome::refused, 2, 1},
        expected{{{{outcome::retry}}}, outcome::retry, 4, 3}}) {
    delivery sender(quick);
    CHECK(sender.run(in(1h), [&] { return test.plays(); }).result == test.result);
    CHECK(test.plays.calls == test.calls);
    CHECK(sender.retried() == test.retried);
  }
}

TEST_CASE("a stale connection is no attempt, but only once") {
  delivery sender({.max_attempts = 1, .initial_backoff = 1h, .max_backoff = 1h});
  script stale{{{outcome::retry, "stale", std::nullopt, true}}};
  CHECK(sender.run(in(2h), [&] { return stale(); }).result == outcome::retry);
  CHECK(stale.calls == 2);
}

TEST_CASE("nothing is waited for that the deadline forbids") {
  delivery sender({.max_attempts = 4, .initial_backoff = 1h, .max_backoff = 1h});
  script plays{{{outcome::retry}}};
  CHECK(sender.run(in(1s), [&] { return plays(); }).result == outcome::retry);
  CHECK(plays.calls == 1);
}

TEST_CASE("an interruption ends a pause, and lasts until the next beginning") {
  delivery sender({.max_attempts = 4, .initial_backoff = 1h, .max_backoff = 1h});
  script plays{{{outcome::retry, "down"}}};
  std::thread other([&] { sender.interrupt(); });
  const attempt last = sender.run(in(24h), [&] { return plays(); });
  other.join();
  CHECK(last.result == outcome::retry);
  CHECK(last.reason.starts_with("down"));
  CHECK(plays.calls == 1);
  CHECK(sender.is_interrupted());
  sender.begin();
  CHECK_FALSE(sender.is_interrupted());
}

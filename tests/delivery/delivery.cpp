#include <fulgurite/delivery/delivery.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using outcome = attempt::outcome;
using fulgurite::failure_kind;

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

TEST_CASE("the last attempt is given back whole") {
  delivery sender(quick);
  script plays{{{.result = outcome::retry, .reason = "down", .kind = failure_kind::unavailable, .doubt = "early"},
                {.result = outcome::delivered, .rejected = 3, .message = "too old", .doubt = "a web page"}}};
  const attempt taken = sender.run(in(1h), [&] { return plays(); });
  CHECK(taken.rejected == 3);
  CHECK(taken.message == "too old");
  CHECK(taken.doubt == "a web page");
  CHECK(taken.reason.empty());
  CHECK(taken.kind == failure_kind::none);
  script refuses{{{.reason = "bad request", .kind = failure_kind::refused, .later = true}}};
  const attempt refused = sender.run(in(1h), [&] { return refuses(); });
  CHECK(refused.reason == "bad request");
  CHECK(refused.kind == failure_kind::refused);
  CHECK(refused.later);
}

TEST_CASE("a stale connection is no attempt, but only once") {
  delivery sender({.max_attempts = 1, .initial_backoff = 1h, .max_backoff = 1h});
  script stale{{{.result = outcome::retry, .reason = "stale", .at_once = true}}};
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
  script plays{{{.result = outcome::retry, .reason = "down", .kind = failure_kind::unreachable}}};
  std::thread other([&] { sender.interrupt(); });
  const attempt last = sender.run(in(24h), [&] { return plays(); });
  other.join();
  CHECK(last.result == outcome::retry);
  CHECK(last.reason == "down (given up before the next attempt)");
  CHECK(last.kind == failure_kind::unreachable);
  CHECK(plays.calls == 1);
  CHECK(sender.is_interrupted());
  sender.begin();
  CHECK_FALSE(sender.is_interrupted());
}

TEST_CASE("once hurried, one attempt and for good; a stale connection still is none") {
  delivery sender({.max_attempts = 4, .initial_backoff = 1h, .max_backoff = 1h});
  sender.hurry();
  sender.begin();
  CHECK(sender.is_hurried());
  script plays{{{.result = outcome::retry, .reason = "down", .kind = failure_kind::unreachable}}};
  CHECK(sender.run(in(24h), [&] { return plays(); }).reason.find("the program ended") != std::string::npos);
  CHECK(plays.calls == 1);
  script stale{{{.result = outcome::retry, .reason = "stale", .at_once = true}, {outcome::delivered}}};
  CHECK(sender.run(in(24h), [&] { return stale(); }).result == outcome::delivered);
  CHECK(stale.calls == 2);
  script always_stale{{{.result = outcome::retry, .reason = "stale", .at_once = true}}};
  CHECK(sender.run(in(24h), [&] { return always_stale(); }).result == outcome::retry);
  CHECK(always_stale.calls == 2);
}

TEST_CASE("hurrying ends a pause, with one attempt after it, or none where the backend asked for the pause") {
  for (const bool asked_for : {false, true}) {
    delivery sender({.max_attempts = 9, .initial_backoff = 1h, .max_backoff = 1h});
    script plays{{{.result = outcome::retry, .reason = "down", .kind = failure_kind::unreachable}}};
    if (asked_for) plays.results[0].retry_after = 1h;
    std::thread other;
    const attempt last = sender.run(in(24h), [&] {
      if (!other.joinable()) other = std::thread([&] { sender.hurry(); });
      return plays();
    });
    other.join();
    CHECK(last.result == outcome::retry);
    CHECK(last.reason.starts_with("down (the program ended"));
    CHECK(last.kind == failure_kind::unreachable);
    CHECK(plays.calls == (asked_for ? 1 : 2));
  }
}

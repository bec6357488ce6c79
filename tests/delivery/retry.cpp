#include <fulgurite/delivery/retry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite::delivery_options;

// The three forms and their value are RFC 9110's own example.
TEST_CASE("HTTP dates") {
  constexpr std::int64_t example = 784111777;
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == example);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == example);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == example);
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT") == 1709251200);
  for (const char* wrong : {"", "x", "Sun", "Sun, ", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 2024 00:00:00 GMT",
                            "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1",
                            "Sun, 06 Now 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "2024-02-29T00:00:00Z"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_http_date(wrong).has_value());
  }
}

TEST_CASE("Retry-After") {
  CHECK(parse_retry_after("0", 0) == 0s);
  CHECK(parse_retry_after(" 120 ", 0) == 120s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 - 10) == 10s);
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784111777 + 10) == 0s);
  CHECK(*parse_retry_after("99999999999999999999999999", 0) >= 24h * 365);
  for (const char* wrong : {"", " ", "-1", "1.5", "soon"}) CHECK_FALSE(parse_retry_after(wrong, 0).has_value());
}

TEST_CASE("the pauses double up to the largest") {
  delivery_options options{.max_attempts = 8, .initial_backoff = 100ms, .max_backoff = 1s, .jitter = 0};
  retry_schedule schedule(options, 1);
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms, 1000ms}) CHECK(schedule.next(1h) == expected);
  CHECK_FALSE(schedule.next(1h).has_value());
  CHECK(schedule.attempts() == 8);
}

TEST_CASE("one attempt means no retry") {
  CHECK_FALSE(retry_schedule({.max_attempts = 1}, 1).next(1h).has_value());
  CHECK_FALSE(retry_schedule({.max_attempts = 0}, 1).next(1h).has_value());
}

TEST_CASE("jitter takes off its part and differs from schedule to schedule") {
  delivery_options options{.max_attempts = 2, .initial_backoff = 1000ms, .max_backoff = 1s, .jitter = 0.25};
  std::set<std::int64_t> pauses;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto pause = retry_schedule(options, seed).next(1h);
    REQUIRE(pause.has_value());
    CHECK(*pause > 749ms);
    CHECK(*pause <= 1000ms);
    pauses.insert(pause->count());
  }
  CHECK(pauses.size() > 190);
  CHECK(*pauses.begin() < 760'000'000);
  CHECK(*pauses.rbegin() > 990'000'000);
}

TEST_CASE("no pause reaches the deadline, and what the backend asks for goes first") {
  delivery_options options{.max_attempts = 10, .initial_backoff = 100ms, .max_backoff = 1s, .jitter = 0};
  CHECK_FALSE(retry_schedule(options, 1).next(100ms).has_value());
  CHECK(retry_schedule(options, 1).next(101ms) == 100ms);
  CHECK(retry_schedule(options, 1).next(1h, 0s) == 0s);
  CHECK(retry_schedule(options, 1).next(1h, 30s) == 30s);
  CHECK_FALSE(retry_schedule(options, 1).next(10s, 30s).has_value());
  CHECK_FALSE(retry_schedule(options, 1).next(-1s).has_value());
}

TEST_CASE("\"now\" is obeyed once, and then a pause of our own comes first") {
  retry_schedule schedule({.initial_backoff = 100ms, .jitter = 0}, 1);
  CHECK(schedule.next(1h, 0ns) == 0ns);
  CHECK(schedule.next(1h, 0ns) == 200ms);
  CHECK(schedule.next(1h, 1s) == 1s);
}

TEST_CASE("statuses") {
  for (int status = 100; status < 600; ++status)
    CHECK(is_retryable_status(status) == (status == 429 || status == 502 || status == 503 || status == 504));
}

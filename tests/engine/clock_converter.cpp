#include <fulgurite/engine/clock_converter.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace fd = fulgurite::detail;

TEST_CASE("ticks become the wall clock's time, in order") {
  fd::clock_converter clock;
  clock.refresh();
  const auto real = [] { return static_cast<std::int64_t>(fd::read_clock(CLOCK_REALTIME)); };
  const std::int64_t before = real();
  const std::uint64_t first = fulgurite::tsc_clock::now();
  const std::uint64_t second = fulgurite::tsc_clock::now() + 1'000'000;
  const std::int64_t after = real();
  clock.refresh();
  // Off by the jitter of the readings, far below a millisecond.
  CHECK(clock.to_unix(first) >= before - 1'000'000);
  CHECK(clock.to_unix(first) <= after + 1'000'000);
  CHECK(clock.to_unix(first) < clock.to_unix(second));
}

TEST_CASE("an interval in ticks has its length in nanoseconds") {
  fd::clock_converter clock;
  clock.refresh();
  const std::uint64_t start = fulgurite::tsc_clock::now();
  const auto monotonic = fd::read_clock(CLOCK_MONOTONIC);
  while (fd::read_clock(CLOCK_MONOTONIC) - monotonic < 20'000'000) {
  }
  const auto length = static_cast<double>(fd::read_clock(CLOCK_MONOTONIC) - monotonic);
  const std::uint64_t end = fulgurite::tsc_clock::now();
  clock.refresh();
  const auto converted = static_cast<double>(clock.to_unix(end) - clock.to_unix(start));
  // A scheduler may come between the two clocks' readings; it makes the interval longer, never shorter.
  CHECK(converted >= length * 0.99);
  CHECK(converted <= length * 1.5 + 50'000'000);
}

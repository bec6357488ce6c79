#include <fulgurite/context/clock.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

static_assert(fg::clock<fg::tsc_clock> && fg::clock<fg::steady_clock> && fg::clock<fg::coarse_clock>);

namespace {
struct throwing_clock : fg::steady_clock {
  static std::uint64_t now();
};
struct unitless_clock {
  static std::uint64_t now() noexcept;
};
}  // namespace

static_assert(!fg::clock<throwing_clock>);
static_assert(!fg::clock<unitless_clock>);
static_assert(!fg::clock<int>);

TEST_CASE_TEMPLATE("a clock does not go backwards", Clock, fg::tsc_clock, fg::steady_clock) {
  std::uint64_t before = Clock::now();
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t now = Clock::now();
    REQUIRE(now >= before);
    before = now;
  }
}

TEST_CASE("the wall clocks count nanoseconds since the Unix epoch") {
  constexpr std::uint64_t year_2020 = 1'577'836'800'000'000'000U, year_2200 = 7'258'118'400'000'000'000U;
  CHECK(fg::steady_clock::now() > year_2020);
  CHECK(fg::steady_clock::now() < year_2200);
  CHECK(fg::coarse_clock::now() > year_2020);
  CHECK(fg::coarse_clock::now() < year_2200);
  CHECK(fg::steady_clock::unit == fg::clock_unit::nanoseconds);
  CHECK(fg::coarse_clock::unit == fg::clock_unit::nanoseconds);
}

#if defined(__x86_64__)
TEST_CASE("the processor's counter counts ticks") {
  CHECK(fg::tsc_clock::unit == fg::clock_unit::ticks);
  CHECK(fg::tsc_clock::now() != fg::tsc_clock::now());
}
#endif

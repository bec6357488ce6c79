#include <fulgurite/span/lifecycle.hpp>
#include <fulgurite/span/tracer_fwd.hpp>

#include <doctest/doctest.h>

#include <chrono>

namespace fd = fulgurite::detail;
using namespace std::chrono_literals;

TEST_CASE("a deadline is now and the timeout, and never beyond what clocks can add") {
  const auto now = std::chrono::steady_clock::now();
  CHECK(fd::deadline_in(1s) >= now + 1s);
  CHECK(fd::deadline_in(1s) < now + 1min);
  const auto past = fd::deadline_in(-1s);
  CHECK(past <= std::chrono::steady_clock::now());
  CHECK(fd::deadline_in(std::chrono::hours::max()) > now + std::chrono::hours(24 * 300));
  CHECK(fd::deadline_in(std::chrono::hours::max()) < now + std::chrono::hours(24 * 400));
  CHECK(fd::deadline_in(std::chrono::duration<double>(0.5)) >= now + 400ms);
}

TEST_CASE("what a later header defines is known to be missing") {
  struct defined {};
  CHECK(fd::complete<defined>);
  CHECK_FALSE(fd::complete<fulgurite::langchain_callback_handler>);
}

TEST_CASE("instrumentation is on until it is turned off") {
  CHECK(fd::instrumented.load());
  fd::set_instrumented(false);
  CHECK_FALSE(fd::instrumented.load());
  fd::set_instrumented(true);
}

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/delivery/retry.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

TEST_CASE("by default all attempts fit into an exporter's ten seconds") {
  fulgurite::delivery_options options;
  options.jitter = 0;  // the longest pauses
  fulgurite::detail::retry_schedule schedule(options, 1);
  std::chrono::nanoseconds sum{0};
  int pauses = 0;
  for (auto pause = schedule.next(10s); pause; pause = schedule.next(10s - sum), ++pauses) sum += *pause;
  CHECK(pauses == options.max_attempts - 1);
  CHECK(sum < 9s);
}

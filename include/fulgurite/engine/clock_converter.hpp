// Turns a clock's ticks into nanoseconds since the Unix epoch.
//
// The rate is measured, over all the time since the first reading: an interval is off by the two readings' jitter and
// no more, however long the process runs. When the wall clock was set (off by more than a millisecond) the origin
// follows.
#pragma once

#include <fulgurite/context/clock.hpp>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class clock_converter {
 public:
  clock_converter() noexcept : first_(read()), origin_(first_.real) {}

  /// Measures the rate anew. Call it before converting what was recorded since the last call.
  void refresh() noexcept {
    reading now = read();
    // Less than a millisecond after the first reading the rate would be coarse: wait that long, once per process.
    while (now.steady - first_.steady < 1'000'000) {
      const timespec pause{0, 250'000};
      nanosleep(&pause, nullptr);
      now = read();
    }
    if (now.ticks != first_.ticks)
      rate_ = static_cast<double>(now.steady - first_.steady) / static_cast<double>(now.ticks - first_.ticks);
    const std::int64_t origin = now.real - (now.steady - first_.steady);
    if (std::llabs(origin - origin_) > 1'000'000) origin_ = origin;
  }

  /// Nanoseconds since the Unix epoch.
  std::int64_t to_unix(std::uint64_t ticks) const noexcept {
    const auto since_first = static_cast<double>(static_cast<std::int64_t>(ticks - first_.ticks));
    return origin_ + static_cast<std::int64_t>(since_first * rate_);
  }

 private:
  struct reading {
    std::uint64_t ticks;
    std::int64_t steady, real;
  };
  static reading read() noexcept {
    // Of a few readings the one with the least between its two tick reads: nothing interrupted it.
    reading best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t before = tsc_clock::now();
      const auto steady = static_cast<std::int64_t>(read_clock(CLOCK_MONOTONIC));
      const std::uint64_t after = tsc_clock::now();
      const auto real = static_cast<std::int64_t>(read_clock(CLOCK_REALTIME));
      if (after - before >= least) continue;
      least = after - before;
      best = {before + (after - before) / 2, steady, real};
    }
    return best;
  }

  reading first_;
  std::int64_t origin_;
  double rate_ = 1;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

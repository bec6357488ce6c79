// Small help for a tracer's life cycle.
#pragma once

#include <atomic>
#include <chrono>

namespace fulgurite {
inline namespace v1 {

namespace detail {

/// Whether automatic instrumentation records; instrument/*.hpp read it.
inline constinit std::atomic<bool> instrumented{true};
inline void set_instrumented(bool on) noexcept { instrumented.store(on, std::memory_order_relaxed); }

/// The deadline after a timeout; one that is too long for the clock is the clock's last instant.
template <class Rep, class Period>
std::chrono::steady_clock::time_point deadline_in(std::chrono::duration<Rep, Period> timeout) noexcept {
  using clock = std::chrono::steady_clock;
  const clock::time_point now = clock::now();
  // Condition variables add a system clock's reading to it: stay far from the end of the range.
  constexpr auto longest = std::chrono::hours(24 * 365);
  if (!(timeout < longest)) return now + longest;
  if (!(timeout > timeout.zero())) return now;
  return now + std::chrono::duration_cast<clock::duration>(timeout);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

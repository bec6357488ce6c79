// Clock policies: what a span reads at its start and at its end.
//
// A clock is a class with a static `now()` and a `unit`. `tsc_clock` reads the processor's own counter, which is the
// cheapest; the worker turns its ticks into nanoseconds. The others read nanoseconds since the Unix epoch directly.
// Where the counter is not invariant (`tsc_usable()` is false) the span falls back to `steady_clock` by itself, on a
// path that costs the counter's users nothing.
#pragma once

#include <concepts>
#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace fulgurite {
inline namespace v1 {

/// What the numbers of a clock are: ticks are made nanoseconds by the worker.
enum class clock_unit : std::uint8_t { ticks, nanoseconds };

/// What a clock is: a reading and its unit.
template <class Clock>
concept clock = requires {
  { Clock::now() } noexcept -> std::same_as<std::uint64_t>;
  { Clock::unit } -> std::convertible_to<clock_unit>;
};

namespace detail {

inline std::uint64_t read_clock(clockid_t which) noexcept {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The processor's counter runs at one rate in all states (CPUID 8000_0007h, EDX bit 8).
inline bool tsc_usable() noexcept {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(0x80000007U, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 8)) != 0;
#else
  return false;
#endif
}

}  // namespace detail

/// Wall-clock nanoseconds that never go backwards within a process: the real time when the process first asked, carried
/// on by CLOCK_MONOTONIC.
struct steady_clock {
  static constexpr clock_unit unit = clock_unit::nanoseconds;
  static std::uint64_t now() noexcept { return detail::read_clock(CLOCK_MONOTONIC) + offset(); }

 private:
  static std::uint64_t offset() noexcept {
    static const std::uint64_t value = detail::read_clock(CLOCK_REALTIME) - detail::read_clock(CLOCK_MONOTONIC);
    return value;
  }
};

/// The time of the kernel's last tick: a quarter of the cost, a resolution of 1 to 4 milliseconds.
struct coarse_clock {
  static constexpr clock_unit unit = clock_unit::nanoseconds;
  static std::uint64_t now() noexcept { return detail::read_clock(CLOCK_REALTIME_COARSE); }
};

/// The time-stamp counter of x86-64.
struct tsc_clock {
#if defined(__x86_64__)
  static constexpr clock_unit unit = clock_unit::ticks;
  [[gnu::always_inline]] static std::uint64_t now() noexcept {
    return __builtin_ia32_rdtsc();
  }  // <x86intrin.h> is 40,000 lines
#else
  static constexpr clock_unit unit = clock_unit::nanoseconds;
  static std::uint64_t now() noexcept { return steady_clock::now(); }
#endif
};

namespace detail {

/// A clock's reading on its way into memory.
template <class Clock>
class clock_reading {
 public:
  [[gnu::always_inline]] void store(std::uint64_t& to) const noexcept { to = value_; }

 private:
  std::uint64_t value_ = Clock::now();
};

#if defined(__x86_64__)
/// The counter comes in two halves; to store them costs less than to put them together.
template <>
class clock_reading<tsc_clock> {
 public:
  [[gnu::always_inline]] clock_reading() noexcept { asm volatile("rdtsc" : "=a"(low_), "=d"(high_)); }
  [[gnu::always_inline]] void store(std::uint64_t& to) const noexcept {
    // Volatile, or the compiler puts them together after all, for one vector of two.
    using half [[gnu::may_alias]] = volatile std::uint32_t;
    half* const halves = reinterpret_cast<half*>(&to);
    halves[0] = low_;
    halves[1] = high_;
  }

 private:
  std::uint32_t low_, high_;
};
#endif

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

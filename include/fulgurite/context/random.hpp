// Random numbers for identifiers: wyrand, one stream a thread, seeded by the kernel.
//
// Not for secrets. One step is a multiplication and two additions; the streams of two threads are independent because
// their seeds are.
#pragma once

#include <sys/random.h>

#include <cstdint>
#include <ctime>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The next number of a stream; it is zero when `is_zero` says so. The step is one instruction, so that a signal
/// handler never draws the same number.
[[gnu::always_inline]] inline std::uint64_t next_random(std::uint64_t& state, bool& is_zero) noexcept {
  std::uint64_t step = 0xa0761d6478bd642fULL;
#if defined(__x86_64__)
  asm("xaddq %0, %1" : "+r"(step), "+m"(state) : : "cc");
  // By hand, for the flag of the last instruction: the compiler would move the halves about, and then compare them.
  std::uint64_t number = step, high;
  asm("mulq %3\n\txorq %1, %0" : "+a"(number), "=&d"(high), "=@ccz"(is_zero) : "r"(step ^ 0xe7037ed1a0b428dbULL));
  return number;
#else
  step = std::exchange(state, state + step);
  __extension__ using wide = unsigned __int128;
  const wide product = static_cast<wide>(step) * (step ^ 0xe7037ed1a0b428dbULL);
  const std::uint64_t number = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  is_zero = number == 0;
  return number;
#endif
}
[[gnu::always_inline]] inline std::uint64_t next_random(std::uint64_t& state) noexcept {
  bool is_zero;
  return next_random(state, is_zero);
}

/// The next number of a stream for an identifier, which must not be zero: one stands for zero, too.
[[gnu::always_inline]] inline std::uint64_t next_random_id(std::uint64_t& state) noexcept {
  bool is_zero;
  std::uint64_t number = next_random(state, is_zero);
  if (is_zero) [[unlikely]] {
    number = 1;
    asm("" : "+r"(number));  // a jump that is not taken, not a conditional move
  }
  return number;
}

/// A seed from the kernel; where it refuses, from the clock and an address, which still differ by thread and process.
inline std::uint64_t random_seed(const void* address) noexcept {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == static_cast<ssize_t>(sizeof seed)) return seed;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  seed = static_cast<std::uint64_t>(now.tv_nsec) * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(now.tv_sec);
  return seed ^ reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

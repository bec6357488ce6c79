// The floor of the instruction counts: two reads of the clock, N times, and nothing else.
//
// usage: clock_reads floor N
#include <fulgurite/context/clock.hpp>

#include <cstdlib>

namespace {

/// What is counted (tests/codegen/callgrind.py).
[[gnu::noinline]] void measured(long n) {
  for (long i = 0; i < n; ++i) {
    const auto start = fulgurite::tsc_clock::now();
    asm volatile("" : : "r"(start) : "memory");
    const auto end = fulgurite::tsc_clock::now();
    asm volatile("" : : "r"(end) : "memory");
  }
}

}  // namespace

int main(int argc, char** argv) { measured(argc == 3 ? std::atol(argv[2]) : 0); }

// The floor of the instruction counts: two reads of the clock, N times, and nothing else.
//
// usage: clock_reads floor N
#include <fulgurite/context/clock.hpp>

#include <cstdlib>

int main(int argc, char** argv) {
  const long n = argc == 3 ? std::atol(argv[2]) : 0;
  for (long i = 0; i < n; ++i) {
    const auto start = fulgurite::tsc_clock::now();
    asm volatile("" : : "r"(start) : "memory");
    const auto end = fulgurite::tsc_clock::now();
    asm volatile("" : : "r"(end) : "memory");
  }
}

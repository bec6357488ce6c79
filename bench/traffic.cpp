// Spans through the tracer that the environment chooses, as fast as its backend takes them. Prints what it took.
//
// usage: traffic SPANS             (a multiple of 100; collector.py starts it)
#include <fulgurite/backends.hpp>

#include "spans.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace fg = fulgurite;

namespace {

std::int64_t settled(fg::tracer_stats const& stats) {
  return static_cast<std::int64_t>(stats.exported + stats.dropped + stats.failed);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: traffic SPANS\n", stderr);
    return 2;
  }
  const std::int64_t count = std::atoll(argv[1]);
  constexpr std::int64_t piece = 2'000, most_under_way = 20'000;
  fg::any_tracer tracer = fg::get_tracer_from_env();
  const double cpu_before = fulgurite_bench::cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t done = 0; done < count; done += piece) {
    fulgurite_bench::make_spans(tracer, std::min(piece, count - done));
    // A backend that is slower than the program is waited for, and nothing is dropped: less than a ring holds is on its
    // way.
    while (done + piece - settled(tracer.stats()) > most_under_way)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  tracer.force_flush(std::chrono::seconds(120));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const fg::tracer_stats stats = tracer.stats();
  std::printf("{\"seconds\": %.9g, \"cpu\": %.9g, \"made\": %lld, \"exported\": %llu, \"lost\": %llu}\n", seconds,
              fulgurite_bench::cpu_seconds() - cpu_before, static_cast<long long>(count),
              static_cast<unsigned long long>(stats.exported),
              static_cast<unsigned long long>(stats.dropped + stats.failed));
  return 0;
}

// The load of the benchmarks: traces of a root and 99 children, each span with four attributes of a schema; and the CPU
// time that all threads of the process have taken.
#pragma once

#include <fulgurite/fulgurite.hpp>

#include <cstdint>
#include <ctime>

namespace fulgurite_bench {

/// `count` is a multiple of 100.
template <class Tracer>
void make_spans(Tracer const& tracer, std::int64_t count) {
  using namespace fulgurite::literals;
  for (std::int64_t i = 0; i < count; i += 100) {
    auto root =
        tracer.trace_context("checkout", "order.id"_a = i, "amount"_a = 12.5, "card.kind"_a = "visa", "retry"_a = true);
    for (std::int64_t j = 1; j < 100; ++j)
      auto span = tracer.trace_context("charge card", "order.id"_a = i + j, "amount"_a = 12.5, "card.kind"_a = "visa",
                                       "retry"_a = true);
  }
}

inline double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace fulgurite_bench

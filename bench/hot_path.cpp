// What a span costs on the thread that makes it, in nanoseconds and as a ratio to the floor: two reads of the clock.
//
// A burst of spans is timed, then the worker empties the ring while nothing is timed; the least of many bursts is what
// the code costs without interruptions. Ratios within one run compare; nanoseconds of two runs do not.
#include <fulgurite/any_tracer.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/fulgurite.hpp>
#include <fulgurite/processor/any_processor.hpp>
#include <fulgurite/propagator/any_propagator.hpp>
#include <fulgurite/sampler/any_sampler.hpp>

#include "least.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

constexpr int burst = 500;

void work() { asm volatile("" ::: "memory"); }

/// Times `spans` (which makes that many) burst by burst; the figure is nanoseconds a span.
template <class F>
void measure(benchmark::State& state, F&& spans) {
  spans(burst);  // the ring, the caches, the branch predictor
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    spans(burst);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(took.count() / burst);
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
}

template <class F>
void add(const char* name, F spans) {
  benchmark::RegisterBenchmark(name, [spans](benchmark::State& state) { measure(state, spans); })
      ->UseManualTime()
      ->Iterations(20)
      ->Repetitions(40)
      ->ReportAggregatesOnly()
      ->ComputeStatistics("min", fulgurite_bench::least)
      ->Unit(benchmark::kNanosecond);
}

fg::resource service() { return {.service_name = "bench"}; }

template <class Tracer>
void add_spans(std::string const& kind, Tracer& tracer) {
  const auto named = [&](const char* what) { return new std::string(kind + what); };
  add(named("child")->c_str(), [&tracer](int n) {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("child");
      work();
    }
  });
  add(named("child + 4 schema attributes")->c_str(), [&tracer](int n) {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("child", "index"_a = i, "ratio"_a = 0.5, "flag"_a = true, "size"_a = 7);
      work();
    }
  });
  add(named("child + 4 run-time attributes")->c_str(), [&tracer](int n) {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("child");
      span.set_attribute("index", i);
      span.set_attribute("ratio", 0.5);
      span.set_attribute("flag", true);
      span.set_attribute("size", 7);
      work();
    }
  });
  add(named("child + 1 event")->c_str(), [&tracer](int n) {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("child");
      span.add_event("retry", {{"attempt", 2}});
      work();
    }
  });
  add(named("root")->c_str(), [&tracer](int n) {
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("root");
      work();
    }
  });
  add(named("root + 1 child")->c_str(), [&tracer](int n) {
    for (int i = 0; i < n; i += 2) {
      auto root = tracer.trace_context("root");
      auto span = tracer.trace_context("child");
      work();
    }
  });
  add(named("root + 10 children")->c_str(), [&tracer](int n) {
    for (int i = 0; i < n; i += 11) {
      auto root = tracer.trace_context("root");
      for (int j = 0; j < 10; ++j) {
        auto span = tracer.trace_context("child");
        work();
      }
    }
  });
}

template <class Tracer>
void add_child(const char* name, Tracer& tracer) {
  add(name, [&tracer](int n) {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < n; ++i) {
      auto span = tracer.trace_context("child");
      work();
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  fg::tracer on{service(), fg::parent_based{fg::always_on_sampler{}}, fg::noop_exporter{}};
  fg::tracer off{service(), fg::parent_based{fg::always_off_sampler{}}, fg::noop_exporter{}};
  fg::any_tracer any{service(), fg::parent_based{fg::always_on_sampler{}}, fg::noop_exporter{}, fg::w3c_propagator{},
                     fg::batch_processor{}};
  fg::any_tracer any_off;
  fg::noop_tracer none;

  add("floor: two clock reads", [](int n) {
    for (int i = 0; i < n; ++i) {
      const auto start = fg::tsc_clock::now();
      work();
      const auto end = fg::tsc_clock::now();
      benchmark::DoNotOptimize(start);
      benchmark::DoNotOptimize(end);
    }
  });
  add_spans("", on);
  add_spans("any_tracer: ", any);
  add_child("unsampled child", off);
  add_child("any_tracer: off", any_off);
  add("noop_tracer", [&none](int n) {
    for (int i = 0; i < n; ++i) {
      auto span = none.trace_context("child", "index"_a = i);
      work();
    }
  });

  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

// Headers of a request: writing them (inject) and reading them (extract), with the W3C propagator of a default tracer.
//
// Beside each stands its floor: what the carrier itself costs with the same strings. The carrier that keeps nothing but
// bytes is the cheapest there is; `std::map` and a list of headers are what HTTP libraries have.
#include <fulgurite/fulgurite.hpp>

#include "least.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view state = "vendor=value,other=1";

using header_map = std::map<std::string, std::string>;

template <class F>
void add(const char* name, F once) {
  benchmark::RegisterBenchmark(name,
                               [once](benchmark::State& run) {
                                 for (auto _ : run) once();
                               })
      ->MinTime(0.05)
      ->Repetitions(10)
      ->ReportAggregatesOnly()
      ->ComputeStatistics("min", fulgurite_bench::least)
      ->Unit(benchmark::kNanosecond);
}

/// A carrier of plain memory: name and value, one after the other.
struct bytes_carrier {
  char to[256];
  std::size_t size = 0;
  void operator()(std::string_view key, std::string_view value) {
    std::memcpy(to + size, key.data(), key.size());
    std::memcpy(to + size + key.size(), value.data(), value.size());
    size += key.size() + value.size();
  }
};

/// What a header is compared with, unknown to the compiler as in a request.
std::string_view opaque(std::string_view text) {
  benchmark::DoNotOptimize(text);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  static const fg::tracer tracer{fg::resource{.service_name = "bench"}, fg::always_on_sampler{}, fg::noop_exporter{}};
  static const header_map plain{{"traceparent", std::string(parent)}};
  static const header_map with_state{{"traceparent", std::string(parent)}, {"tracestate", std::string(state)}};
  static const fg::context local = tracer.extract(plain);
  static const fg::context remote = tracer.extract(with_state);

  add("floor: copy of traceparent", [] {
    bytes_carrier carrier;
    carrier(opaque("traceparent"), opaque(parent));
    benchmark::DoNotOptimize(carrier);
  });
  add("inject into memory", [] {
    bytes_carrier carrier;
    tracer.inject(local, [&carrier](std::string_view key, std::string_view value) { carrier(key, value); });
    benchmark::DoNotOptimize(carrier);
  });
  add("inject with tracestate into memory", [] {
    bytes_carrier carrier;
    tracer.inject(remote, [&carrier](std::string_view key, std::string_view value) { carrier(key, value); });
    benchmark::DoNotOptimize(carrier);
  });
  add("extract from memory", [] {
    fg::context from = tracer.extract([](std::string_view key) -> std::optional<std::string_view> {
      if (key == "traceparent") return opaque(parent);
      return std::nullopt;
    });
    benchmark::DoNotOptimize(from);
  });
  add("extract with tracestate from memory", [] {
    fg::context from = tracer.extract([](std::string_view key) -> std::optional<std::string_view> {
      if (key == "traceparent") return opaque(parent);
      if (key == "tracestate") return opaque(state);
      return std::nullopt;
    });
    benchmark::DoNotOptimize(from);
  });
  add("floor: map insertion", [] {
    header_map carrier;
    carrier.insert_or_assign(std::string(opaque("traceparent")), std::string(opaque(parent)));
    benchmark::DoNotOptimize(carrier);
  });
  add("inject into a map", [] {
    header_map carrier;
    tracer.inject(local, carrier);
    benchmark::DoNotOptimize(carrier);
  });
  add("floor: map look-ups", [] {
    for (const std::string_view name : {"traceparent", "tracestate", "baggage"}) {
      const auto found = with_state.find(std::string(opaque(name)));
      benchmark::DoNotOptimize(found);
    }
  });
  add("extract from a map", [] {
    fg::context from = tracer.extract(plain);
    benchmark::DoNotOptimize(from);
  });
  add("extract with tracestate from a map", [] {
    fg::context from = tracer.extract(with_state);
    benchmark::DoNotOptimize(from);
  });

  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}

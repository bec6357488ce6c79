// From packed records to bytes: what the worker does with every span. Beside it a copy of as many bytes, the floor. The
// last case is all of it, from the call site to the bytes, in CPU time of every thread together.
//
// The goals are in bench/table.py.
#include <fulgurite/encoder/jaeger_thrift.hpp>
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/encoder/zipkin_json.hpp>
#include <fulgurite/fulgurite.hpp>

#include "batches.hpp"
#include "spans.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite_bench::batch_of;
using fulgurite_bench::copied;
using fulgurite_bench::count;
using fulgurite_bench::encode;
using fulgurite_bench::shape;

namespace {

template <class Encoder>
void encoded(benchmark::State& state, shape what) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  Encoder encoder;
  std::size_t size = 0;
  for (auto _ : state) {
    const std::span<const std::byte> bytes = encode(batch, encoder);
    benchmark::DoNotOptimize(bytes.data());
    size = bytes.size();
  }
  count(state, size);
}
constexpr auto otlp_protobuf = encoded<fg::otlp_protobuf_encoder>;
constexpr auto jaeger_binary = encoded<fg::jaeger_binary_encoder>;
constexpr auto jaeger_compact = encoded<fg::jaeger_compact_encoder>;
constexpr auto zipkin_json = encoded<fg::zipkin_json_encoder>;

constexpr auto copy_of_otlp_protobuf = copied<fg::otlp_protobuf_encoder>;
constexpr auto copy_of_jaeger_binary = copied<fg::jaeger_binary_encoder>;
constexpr auto copy_of_jaeger_compact = copied<fg::jaeger_compact_encoder>;
constexpr auto copy_of_zipkin_json = copied<fg::zipkin_json_encoder>;
constexpr auto copy_of_otlp_json = copied<fg::otlp_json_encoder>;

constexpr auto otlp_json = encoded<fg::otlp_json_encoder>;

/// What the JSON is written into grows from nothing each time, and is copied into a string.
void otlp_json_text(benchmark::State& state, shape what) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  std::size_t size = 0;
  for (auto _ : state) {
    const std::string json = fg::to_otlp_json(batch);
    benchmark::DoNotOptimize(json.data());
    size = json.size();
  }
  count(state, size);
}

void owned_spans(benchmark::State& state, shape what) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  for (auto _ : state) {
    const std::vector<fg::span_data> spans = batch.spans();
    benchmark::DoNotOptimize(spans.data());
  }
  count(state, batch.bytes());
}

/// Makes the bytes of a request and drops them.
struct encoding_exporter {
  fg::export_result export_spans(fg::span_batch const& batch) {
    benchmark::DoNotOptimize(fg::to_otlp_protobuf(batch, encoder).data());
    return fg::export_result::success;
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
  fg::otlp_protobuf_encoder encoder = {};
};

/// One thread makes spans as fast as it can; where the queue is full it sleeps, and nothing is lost.
void call_site_to_otlp(benchmark::State& state) {
  using processor = fg::batch_processor<fg::tsc_clock, fg::block>;
  fg::tracer tracer{fg::resource{.service_name = "checkout"}, fg::parent_based{fg::always_on_sampler{}},
                    encoding_exporter{}, fg::w3c_propagator{}, processor{}};
  constexpr std::int64_t spans = 500'000;
  for (auto _ : state) {
    const double start = fulgurite_bench::cpu_seconds();
    fulgurite_bench::make_spans(tracer, spans);
    tracer.force_flush(std::chrono::seconds(30));
    state.SetIterationTime(fulgurite_bench::cpu_seconds() - start);
  }
  state.SetItemsProcessed(state.iterations() * spans);
  if (const fg::tracer_stats stats = tracer.stats(); stats.dropped + stats.failed > 0)
    state.SkipWithError("spans were lost");
}

}  // namespace

BENCHMARK_CAPTURE(otlp_protobuf, no_attributes, shape::bare);
BENCHMARK_CAPTURE(copy_of_otlp_protobuf, no_attributes, shape::bare);
BENCHMARK_CAPTURE(otlp_protobuf, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_otlp_protobuf, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(otlp_protobuf, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(copy_of_otlp_protobuf, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(otlp_protobuf, event_and_error, shape::everything);
BENCHMARK_CAPTURE(copy_of_otlp_protobuf, event_and_error, shape::everything);
BENCHMARK_CAPTURE(otlp_json, no_attributes, shape::bare);
BENCHMARK_CAPTURE(copy_of_otlp_json, no_attributes, shape::bare);
BENCHMARK_CAPTURE(otlp_json, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_otlp_json, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(otlp_json, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(copy_of_otlp_json, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(otlp_json, event_and_error, shape::everything);
BENCHMARK_CAPTURE(copy_of_otlp_json, event_and_error, shape::everything);
BENCHMARK_CAPTURE(jaeger_compact, no_attributes, shape::bare);
BENCHMARK_CAPTURE(copy_of_jaeger_compact, no_attributes, shape::bare);
BENCHMARK_CAPTURE(jaeger_compact, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_jaeger_compact, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(jaeger_compact, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(copy_of_jaeger_compact, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(jaeger_compact, event_and_error, shape::everything);
BENCHMARK_CAPTURE(copy_of_jaeger_compact, event_and_error, shape::everything);
BENCHMARK_CAPTURE(jaeger_binary, no_attributes, shape::bare);
BENCHMARK_CAPTURE(copy_of_jaeger_binary, no_attributes, shape::bare);
BENCHMARK_CAPTURE(jaeger_binary, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_jaeger_binary, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(jaeger_binary, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(copy_of_jaeger_binary, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(jaeger_binary, event_and_error, shape::everything);
BENCHMARK_CAPTURE(copy_of_jaeger_binary, event_and_error, shape::everything);
BENCHMARK_CAPTURE(zipkin_json, no_attributes, shape::bare);
BENCHMARK_CAPTURE(copy_of_zipkin_json, no_attributes, shape::bare);
BENCHMARK_CAPTURE(zipkin_json, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_zipkin_json, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(zipkin_json, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(copy_of_zipkin_json, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(zipkin_json, event_and_error, shape::everything);
BENCHMARK_CAPTURE(copy_of_zipkin_json, event_and_error, shape::everything);
BENCHMARK_CAPTURE(otlp_json_text, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(owned_spans, four_of_a_schema, shape::schema);
BENCHMARK(call_site_to_otlp)->UseManualTime()->Iterations(1)->Repetitions(10);

BENCHMARK_MAIN();

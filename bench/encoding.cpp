// From packed records to bytes: what the worker does with every span. Beside it a copy of as many bytes, the floor. The
// last case is all of it, from the call site to the bytes, in CPU time of every thread together.
//
// The goals are in bench/table.py.
#include <fulgurite/encoder/jaeger_thrift.hpp>
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/fulgurite.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "record_builder.hpp"
#include "spans.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

/// As many as a batch holds by default.
constexpr std::size_t batch_size = 512;

enum class shape { bare, schema, items, everything };

struct batch_of {
  explicit batch_of(shape what) {
    const std::string text = "visa";
    for (std::size_t i = 0; i < batch_size; ++i) {
      fg::span_data& span = spans[i];
      span.name = "charge card";
      span.trace_id = fg::trace_id::from_numbers(0x0123456789abcdef + i, 0xfedcba9876543210 + i);
      span.span_id = fg::span_id::from_number(i + 1);
      span.parent_span_id = fg::span_id::from_number(i + 2);
      span.start_time = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 1000;
      span.end_time = span.start_time + 900;
      span.flags = 0x101;
      if (what == shape::items || what == shape::everything)
        span.attributes = {
            {"order.id", static_cast<std::int64_t>(i)}, {"amount", 12.5}, {"card.kind", text}, {"retry", true}};
      if (what == shape::everything) {
        span.events = {{"authorised", span.start_time, {{"attempt", 2}}}};
        span.status = {fg::status_code::error, "declined"};
      }
      constexpr std::uint64_t all_literal = ~std::uint64_t{0};
      if (what == shape::schema)
        builder.add(span, all_literal, {}, "order.id"_a = static_cast<std::int64_t>(i), "amount"_a = 12.5,
                    "card.kind"_a = text, "retry"_a = true);
      else
        builder.add(span, all_literal);
    }
  }
  std::vector<fg::span_data> spans = std::vector<fg::span_data>(batch_size);
  fulgurite_test::record_builder builder{std::make_shared<fg::resource>(fg::resource{.service_name = "checkout"})};
};

void count(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_size));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

template <class ToBytes>
void encode(benchmark::State& state, shape what, ToBytes&& to_bytes) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  std::size_t size = 0;
  for (auto _ : state) {
    const auto bytes = to_bytes(batch);
    benchmark::DoNotOptimize(bytes.data());
    size = bytes.size();
  }
  count(state, size);
}
void otlp_protobuf(benchmark::State& state, shape what) {
  fg::otlp_protobuf_encoder encoder;
  encode(state, what, [&](fg::span_batch const& batch) { return fg::to_otlp_protobuf(batch, encoder); });
}
void otlp_json(benchmark::State& state, shape what) {
  encode(state, what, [](fg::span_batch const& batch) { return fg::to_otlp_json(batch); });
}
void jaeger_binary(benchmark::State& state, shape what) {
  fg::jaeger_binary_encoder encoder;
  encode(state, what, [&](fg::span_batch const& batch) { return fg::to_jaeger_thrift(batch, encoder); });
}
void jaeger_compact(benchmark::State& state, shape what) {
  fg::jaeger_compact_encoder encoder;
  encode(state, what, [&](fg::span_batch const& batch) { return fg::to_jaeger_thrift(batch, encoder); });
}

void copy_of_the_same(benchmark::State& state, shape what) {
  const batch_of made(what);
  fg::otlp_protobuf_encoder encoder;
  const std::span<const std::byte> bytes = fg::to_otlp_protobuf(made.builder.batch(), encoder);
  std::vector<std::byte> to(bytes.size());
  for (auto _ : state) {
    std::memcpy(to.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count(state, bytes.size());
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
BENCHMARK_CAPTURE(copy_of_the_same, no_attributes, shape::bare);
BENCHMARK_CAPTURE(otlp_protobuf, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(copy_of_the_same, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(otlp_protobuf, four_at_run_time, shape::items);
BENCHMARK_CAPTURE(otlp_protobuf, event_and_error, shape::everything);
BENCHMARK_CAPTURE(jaeger_binary, no_attributes, shape::bare);
BENCHMARK_CAPTURE(jaeger_binary, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(jaeger_binary, event_and_error, shape::everything);
BENCHMARK_CAPTURE(jaeger_compact, no_attributes, shape::bare);
BENCHMARK_CAPTURE(jaeger_compact, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(jaeger_compact, event_and_error, shape::everything);
BENCHMARK_CAPTURE(otlp_json, no_attributes, shape::bare);
BENCHMARK_CAPTURE(otlp_json, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(owned_spans, four_of_a_schema, shape::schema);
BENCHMARK(call_site_to_otlp)->UseManualTime()->Iterations(1)->Repetitions(10);

BENCHMARK_MAIN();

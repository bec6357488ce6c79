// Batches of spans as a worker hands them to an exporter, their bytes, and the floor: a copy of these.
#pragma once

#include <fulgurite/fulgurite.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "record_builder.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fulgurite_bench {

/// What a span has: nothing; four attributes known when the program is built; four that are not; these, an event and an
/// error.
enum class shape { bare, schema, items, everything };

inline constexpr std::size_t batch_size = 512;

struct batch_of {
  explicit batch_of(shape what) {
    namespace fg = fulgurite;
    using namespace fg::literals;
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
  std::vector<fulgurite::span_data> spans = std::vector<fulgurite::span_data>(batch_size);
  fulgurite_test::record_builder builder{
      std::make_shared<fulgurite::resource>(fulgurite::resource{.service_name = "checkout"})};
};

/// Spans and bytes of a benchmark that did one batch an iteration.
inline void count(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_size));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

template <class Encoder>
std::span<const std::byte> encode(fulgurite::span_batch const& batch, Encoder& encoder) {
  encoder.begin(batch);
  batch.for_each([&](fulgurite::record_view const& record) { encoder.add(record); });
  return encoder.finish();
}

/// A copy of the bytes that this encoder makes of a batch.
template <class Encoder>
void copied(benchmark::State& state, shape what) {
  const batch_of made(what);
  Encoder encoder;
  const std::span<const std::byte> bytes = encode(made.builder.batch(), encoder);
  std::vector<std::byte> to(bytes.size());
  for (auto _ : state) {
    std::memcpy(to.data(), bytes.data(), bytes.size());
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  count(state, bytes.size());
}

}  // namespace fulgurite_bench

// What redaction costs the worker for each span, by what is in it. Beside it a copy of as many bytes, the floor.
//
// "clean" spans are only read; one with a hit is written anew.
#include <fulgurite/processor/redaction/redactor.hpp>
#include <fulgurite/processor/redaction_rules.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "record_builder.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

constexpr std::size_t batch_size = 512;

enum class shape { bare, schema, items, texts, card, password };

struct batch_of {
  explicit batch_of(shape what) {
    const std::string text = what == shape::card ? "4111 1111 1111 1111" : "visa";
    for (std::size_t i = 0; i < batch_size; ++i) {
      fg::span_data& span = spans[i];
      span.name = "charge card";
      span.trace_id = fg::trace_id::from_numbers(0x0123456789abcdef + i, 0xfedcba9876543210 + i);
      span.span_id = fg::span_id::from_number(i + 1);
      span.parent_span_id = fg::span_id::from_number(i + 2);
      span.start_time = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 1000;
      span.end_time = span.start_time + 900;
      span.flags = 0x101;
      if (what == shape::items)
        span.attributes = {
            {"order.id", static_cast<std::int64_t>(i)}, {"amount", 12.5}, {"card.kind", text}, {"retry", true}};
      if (what == shape::texts)
        span.attributes = {{"url.full", "https://shop.example.com/checkout/v2/orders?id=12345&step=payment"},
                           {"user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
                           {"db.query.text", "SELECT id, total FROM orders WHERE customer = ? ORDER BY created_at"},
                           {"server.address", "shop-7f9c4d.internal"}};
      constexpr std::uint64_t all_literal = ~std::uint64_t{0};
      if (what == shape::schema || what == shape::card)
        builder.add(span, all_literal, {}, "order.id"_a = static_cast<std::int64_t>(i), "amount"_a = 12.5,
                    "card.kind"_a = text, "retry"_a = true);
      else if (what == shape::password)
        builder.add(span, all_literal, {}, "order.id"_a = static_cast<std::int64_t>(i), "amount"_a = 12.5,
                    "db.password"_a = text, "retry"_a = true);
      else
        builder.add(span, all_literal);
    }
  }
  std::vector<fg::span_data> spans = std::vector<fg::span_data>(batch_size);
  fulgurite_test::record_builder builder{std::make_shared<fg::resource>(fg::resource{.service_name = "checkout"})};
};

void run(benchmark::State& state, shape what, const char* rules) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  fg::detail::redactor<fg::redaction_rules> by(fg::redaction_rules(rules), fg::redaction_key{});
  for (auto _ : state)
    batch.for_each([&](fg::record_view const& record) { benchmark::DoNotOptimize(by.apply(record)); });
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_size));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.bytes()));
}

void keys_only(benchmark::State& state, shape what) { run(state, what, "password,*.password,*.token,authorization"); }
void detectors_only(benchmark::State& state, shape what) { run(state, what, "detect:all"); }
void everything(benchmark::State& state, shape what) {
  run(state, what, R"(password,*.password,*.token,authorization,detect:all,match:/ACME-\d{6,8}/)");
}
void everything_hashed(benchmark::State& state, shape what) {
  run(state, what, R"(password,*.password,*.token,authorization,detect:all,match:/ACME-\d{6,8}/;action=hash)");
}

void copy_of_the_same(benchmark::State& state, shape what) {
  const batch_of made(what);
  const fg::span_batch batch = made.builder.batch();
  std::vector<std::byte> to;
  for (auto _ : state) {
    to.clear();
    batch.for_each([&](fg::record_view const& record) { to.insert(to.end(), record.begin(), record.end()); });
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_size));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.bytes()));
}

}  // namespace

BENCHMARK_CAPTURE(copy_of_the_same, four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(keys_only, clean_four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(detectors_only, clean_four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(everything, clean_no_attributes, shape::bare);
BENCHMARK_CAPTURE(everything, clean_four_of_a_schema, shape::schema);
BENCHMARK_CAPTURE(everything, clean_four_at_run_time, shape::items);
BENCHMARK_CAPTURE(everything, clean_four_long_texts, shape::texts);
BENCHMARK_CAPTURE(everything, hit_by_key, shape::password);
BENCHMARK_CAPTURE(everything, hit_by_detector, shape::card);
BENCHMARK_CAPTURE(everything_hashed, hit_by_detector, shape::card);

BENCHMARK_MAIN();

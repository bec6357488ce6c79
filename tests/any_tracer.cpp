#include <fulgurite/any_tracer.hpp>
#include <fulgurite/exporter/memory.hpp>
#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/sampler/parent_based.hpp>
#include <fulgurite/sampler/ratio.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

static_assert(std::is_same_v<fg::any_tracer,
                             fg::tracer<fg::any_sampler, fg::any_exporter, fg::any_propagator, fg::any_processor>>);
static_assert(std::is_nothrow_move_constructible_v<fg::any_tracer>);
// The span is the same type as with every part known.
static_assert(std::is_same_v<fg::any_tracer::scoped_span_type,
                             fg::tracer<fg::always_on_sampler, fg::memory_exporter, fg::w3c_propagator,
                                        fg::batch_processor<>>::scoped_span_type>);

TEST_CASE("a composition chosen at run time records, propagates and moves") {
  fg::memory_exporter memory;
  fg::any_tracer made(fg::resource{.service_name = "any"}, fg::parent_based{fg::ratio_sampler{1.0}}, memory,
                      fg::w3c_propagator{}, fg::batch_processor{});
  fg::any_tracer tracer = std::move(made);
  std::map<std::string, std::string> carrier;
  {
    auto span = tracer.trace_context("outer", "n"_a = 1);
    tracer.inject(carrier);
  }
  CHECK(tracer.force_flush());
  const auto spans = memory.spans();
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].name == "outer");
  CHECK(spans[0].resource->service_name == "any");
  CHECK(carrier["traceparent"].find(spans[0].trace_id.to_hex()) == 3);
  CHECK(tracer.extract(carrier).span().span_id() == spans[0].span_id);
  // A moved-from tracer is off.
  CHECK_FALSE(made.is_on());
  {
    auto span = made.trace_context("nothing");
  }
  CHECK(tracer.stats().sampled == 1);
}

TEST_CASE("the global tracer: off without backends, then what was set; earlier references stay good") {
  fg::any_tracer& off = fg::global_tracer();
  CHECK_FALSE(off.is_on());
  {
    auto span = off.trace_context("unseen");
  }
  fg::memory_exporter first, second;
  fg::set_global_tracer(
      fg::any_tracer(fg::resource{}, fg::always_on_sampler{}, first, fg::w3c_propagator{}, fg::batch_processor{}));
  fg::any_tracer& one = fg::global_tracer();
  CHECK(&one == &fg::global_tracer());
  fg::set_global_tracer(
      fg::any_tracer(fg::resource{}, fg::always_on_sampler{}, second, fg::w3c_propagator{}, fg::batch_processor{}));
  CHECK(&fg::global_tracer() != &one);
  {
    auto span = one.trace_context("to the first");
  }
  {
    auto span = fg::global_tracer().trace_context("to the second");
  }
  CHECK(one.force_flush());
  CHECK(fg::global_tracer().force_flush());
  REQUIRE(first.spans().size() == 1);
  REQUIRE(second.spans().size() == 1);
  CHECK(first.spans()[0].name == "to the first");
  CHECK(second.spans()[0].name == "to the second");
}

TEST_CASE("the global tracer is set and used from many threads") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 20; ++i) {
        if (t == 0)
          fg::set_global_tracer(fg::any_tracer(fg::resource{}, fg::always_off_sampler{}, fg::noop_exporter{}, {}, {}));
        auto span = fg::global_tracer().trace_context("x");
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(fg::global_tracer().stats().sampled == 0);
}

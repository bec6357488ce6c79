#include <fulgurite/tracer.hpp>

#include "tracing.hpp"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;
using namespace fulgurite_test;

TEST_CASE("trace() gives back what the function does, and records what it throws") {
  recorder r;
  CHECK(r.tracer.trace("returns", [](auto& span) {
    span.set_attribute("key", 1);
    return std::string("value");
  }) == "value");
  int number = 5;
  int& reference = r.tracer.trace("refers", [&](auto&) -> int& { return number; });
  CHECK(&reference == &number);
  CHECK_THROWS_AS(r.tracer.trace("throws", [](auto&) { throw std::out_of_range("far"); }), std::out_of_range);
  CHECK_THROWS_AS(r.tracer.trace("throws a number", [](auto&) { throw 1; }), int);
  const auto spans = r.spans();
  CHECK(has(only(spans, "returns"), "key", 1));
  const auto failed = only(spans, "throws");
  CHECK(failed.status == fg::span_status{fg::status_code::error, "far"});
  REQUIRE(failed.events.size() == 1);
  CHECK(has(failed.events[0].attributes, "exception.type", "std::out_of_range"));
  CHECK(has(failed.events[0].attributes, "exception.message", "far"));
  CHECK(only(spans, "throws a number").status.code == fg::status_code::error);
}

TEST_CASE("a context crosses from one tracer to another through a carrier") {
  recorder client, server;
  std::map<std::string, std::string> headers;
  {
    auto bag = fg::with_baggage({{"user", "u 1"}});
    auto span = client.tracer.trace_context("request", fg::span_options{.kind = fg::span_kind::client});
    client.tracer.inject(headers);
  }
  std::thread([&] {
    const fg::context from = server.tracer.extract(headers);
    CHECK(from.span().is_remote());
    auto span = server.tracer.trace_context("handle", fg::span_options{.kind = fg::span_kind::server, .parent = from});
    CHECK(fg::current_baggage().get("user") == "u 1");
  }).join();
  const auto request = only(client.spans(), "request");
  const auto handle = only(server.spans(), "handle");
  CHECK(handle.trace_id == request.trace_id);
  CHECK(handle.parent_span_id == request.span_id);
  CHECK(handle.flags == 0x303U);
}

TEST_CASE("a span below another tracer's is its child and goes to its own tracer") {
  recorder first, second;
  {
    auto outer = first.tracer.trace_context("outer");
    auto middle = second.tracer.trace_context("middle");
    auto inner = first.tracer.trace_context("inner");
    auto innermost = first.tracer.trace_context("innermost");
  }
  const auto of_first = first.spans(), of_second = second.spans();
  REQUIRE(of_first.size() == 3);
  REQUIRE(of_second.size() == 1);
  CHECK(of_second[0].parent_span_id == only(of_first, "outer").span_id);
  CHECK(only(of_first, "inner").parent_span_id == of_second[0].span_id);
  CHECK(only(of_first, "innermost").parent_span_id == only(of_first, "inner").span_id);
  CHECK(only(of_first, "inner").trace_id == of_second[0].trace_id);
}

TEST_CASE("an unsampled trace is unsampled for every tracer below it") {
  recorder on;
  fg::tracer off{fg::resource{}, fg::always_off_sampler{}, fg::memory_exporter{}};
  {
    auto root = off.trace_context("root");
    auto child = on.tracer.trace_context("child");
    CHECK_FALSE(child.is_recording());
  }
  CHECK(on.spans().empty());
}

TEST_CASE("what is set on the current span from afar") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    {
      auto child = r.tracer.trace_context("child", "mine"_a = 1);
      r.tracer.add_span_attribute("deep", "value");
      r.tracer.add_span_attribute(std::string("mine"), 2);
      r.tracer.add_span_event("deep event", {{"key", 1}});
      r.tracer.set_span_status("error", "deep down");
    }
    r.tracer.set_span_status("OK");
    r.tracer.set_span_status("neither");
  }
  r.tracer.add_span_attribute("nobody's", 1);
  const auto spans = r.spans();
  const auto child = only(spans, "child");
  CHECK(has(child, "deep", "value"));
  CHECK(child.status == fg::span_status{fg::status_code::error, "deep down"});
  REQUIRE(child.events.size() == 1);
  CHECK(child.events[0].time >= child.start_time);
  CHECK(child.events[0].time <= child.end_time);
  CHECK(only(spans, "root").status.code == fg::status_code::ok);
}

TEST_CASE("tracers move, and stop when they are shut down or destroyed") {
  fg::memory_exporter store;
  using tracer_type = fg::tracer<fg::always_on_sampler, fg::memory_exporter>;
  std::optional<tracer_type> tracer;
  {
    tracer_type first(fg::resource{}, fg::always_on_sampler{}, store);
    {
      auto span = first.trace_context("before");
    }
    tracer_type second = std::move(first);
    CHECK_FALSE(first.is_on());
    {
      auto span = first.trace_context("nothing");
    }
    tracer.emplace(std::move(second));
  }
  {
    auto span = tracer->trace_context("after");
  }
  auto open = tracer->trace_context("open");
  CHECK(tracer->shutdown());
  CHECK(store.spans().size() == 2);
  open.end();
  {
    auto span = tracer->trace_context("too late");
  }
  const fg::tracer_stats stats = tracer->stats();
  CHECK(stats.exported == 2);
  CHECK(stats.sampled == 4);  // `open` was current, so what came below it was still recorded
  CHECK(stats.dropped_by(fg::drop_cause::shutdown) == 2);
  check_accounts(stats);
  tracer.reset();
  CHECK(store.spans().size() == 2);
}

TEST_CASE("a default-made tracer is off and harmless") {
  fg::tracer<fg::always_on_sampler, fg::memory_exporter> tracer;
  CHECK_FALSE(tracer.is_on());
  auto span = tracer.trace_context("name", "key"_a = 1);
  auto free = tracer.start_span("free");
  auto scope = tracer.activate(free);
  CHECK_FALSE(span.is_recording());
  std::map<std::string, std::string> carrier;
  tracer.inject(carrier);
  CHECK_FALSE(tracer.extract(carrier).span().is_valid());
  CHECK(tracer.get_last_trace().empty());
  CHECK(tracer.force_flush());
  CHECK(tracer.shutdown());
  CHECK(tracer.stats().started == 0);
  tracer.init_worker("w");
  tracer.teardown();
}

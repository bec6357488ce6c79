// What is set on the current span without its object.
#include <fulgurite/span/current_span.hpp>

#include "../tracing.hpp"

#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fg::status_code;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;

TEST_CASE("attributes, events and status reach the current span, whichever kind it is") {
  recorder r;
  const auto set_all = [&](int n) {
    r.tracer.add_span_attribute("n", n);
    r.tracer.add_span_attribute(std::string("text"), std::string(500, 'x'));
    r.tracer.add_span_event("event", {{"k", "v"}});
    r.tracer.set_span_status("error", "in words");
  };
  {
    auto root = r.tracer.trace_context("root");
    set_all(1);
    {
      auto child = r.tracer.trace_context("child");
      set_all(2);
    }
    {
      auto slow = r.tracer.trace_context("slow", fg::span_options{});
      set_all(3);
    }
    auto free = r.tracer.start_span("free");
    auto scope = activate(free);
    set_all(4);
  }
  const auto spans = r.spans();
  REQUIRE(spans.size() == 4);
  int n = 0;
  for (const char* name : {"root", "child", "slow", "free"}) {
    const fg::span_data span = only(spans, name);
    CHECK(has(span, "n", ++n));
    CHECK(has(span, "text", std::string(500, 'x')));
    REQUIRE(span.events.size() == 1);
    CHECK(has(span.events[0].attributes, "k", "v"));
    CHECK(span.events[0].time >= span.start_time);
    CHECK(span.events[0].time <= span.end_time);
    CHECK(span.status == fg::span_status{status_code::error, "in words"});
  }
}

TEST_CASE("what the span object sets wins over its schema, and both stay in their order") {
  recorder r;
  {
    auto span = r.tracer.trace_context("s");
    for (int i = 0; i < 100; ++i) r.tracer.add_span_attribute("last", i);
    r.tracer.add_span_event("first");
    r.tracer.add_span_event("second");
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(has(span, "last", 99));
  REQUIRE(span.events.size() == 2);
  CHECK(span.events[0].name == "first");
  CHECK(span.events[1].name == "second");
}

TEST_CASE("the rules of a status hold whichever way it is set") {
  recorder r;
  {
    auto span = r.tracer.trace_context("ok here");
    r.tracer.set_span_status("OK");
    span.set_status(status_code::error, "too late");
  }
  {
    auto span = r.tracer.trace_context("ok there");
    span.set_status(status_code::ok);
    r.tracer.set_span_status(status_code::error, "too late");
  }
  {
    auto span = r.tracer.trace_context("ok after an error");
    r.tracer.set_span_status("Error", "first");
    r.tracer.set_span_status("ok");
    r.tracer.set_span_status("error", "too late");
  }
  {
    auto span = r.tracer.trace_context("unset");
    r.tracer.set_span_status(status_code::unset, "nothing");
    r.tracer.set_span_status("nonsense", "nothing");
    r.tracer.set_span_status("", "nothing");
  }
  {
    auto span = r.tracer.trace_context("twice");
    r.tracer.set_span_status("ERROR", "first");
    r.tracer.set_span_status("ERROR", "second");
  }
  const auto spans = r.spans();
  CHECK(only(spans, "ok here").status == fg::span_status{status_code::ok, ""});
  CHECK(only(spans, "ok there").status == fg::span_status{status_code::ok, ""});
  CHECK(only(spans, "ok after an error").status == fg::span_status{status_code::ok, ""});
  CHECK(only(spans, "unset").status == fg::span_status{});
  CHECK(only(spans, "twice").status == fg::span_status{status_code::error, "second"});
}

TEST_CASE("without a current span, or one that is recorded, nothing happens") {
  recorder r;
  r.tracer.add_span_attribute("k", 1);
  r.tracer.add_span_event("e");
  r.tracer.set_span_status("ERROR");
  std::thread([&] { r.tracer.add_span_attribute("on a thread that never traced", 1); }).join();
  const fg::tracer off(fg::resource{}, fg::parent_based{fg::always_off_sampler{}}, fg::memory_exporter{});
  {
    auto root = off.trace_context("not recorded");
    off.add_span_attribute("k", 1);
    off.add_span_event("e");
    off.set_span_status("ERROR");
  }
  CHECK(r.spans().empty());
  CHECK(r.tracer.stats().started == 0);
}

TEST_CASE("what is dropped is counted on the span") {
  recorder r;
  {
    auto span = r.tracer.trace_context("s");
    r.tracer.add_span_attribute("", 1);
    r.tracer.add_span_attribute(std::string(70'000, 'k'), 1);
    r.tracer.add_span_event(std::string(70'000, 'e'));
    r.tracer.add_span_attribute("kept", 1);
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(span.dropped_attributes_count == 2);
  CHECK(span.dropped_events_count == 1);
  CHECK(has(span, "kept", 1));
}

TEST_CASE("it is the current span's tracer that gets it, not the one that was asked") {
  recorder a, b;
  {
    auto span = a.tracer.trace_context("of a");
    b.tracer.add_span_attribute("k", 1);
    b.tracer.add_span_event("e");
  }
  const fg::span_data span = only(a.spans(), "of a");
  CHECK(has(span, "k", 1));
  REQUIRE(span.events.size() == 1);
  CHECK(span.events[0].time >= span.start_time);
  CHECK(span.events[0].time <= span.end_time);
  CHECK(b.spans().empty());
}

TEST_CASE("an event's time is the span's clock's, whichever tracer is asked") {
  fg::memory_exporter store;
  fg::tracer steady(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store, fg::w3c_propagator{},
                    fg::batch_processor<fg::steady_clock>{});
  recorder ticks;
  {
    auto span = steady.trace_context("steady");
    ticks.tracer.add_span_event("e");
    {
      auto inner = ticks.tracer.trace_context("ticks");
      steady.add_span_event("e");
    }
  }
  CHECK(steady.force_flush());
  auto spans = ticks.spans();
  spans.push_back(only(store.spans(), "steady"));
  for (const char* name : {"steady", "ticks"}) {
    const fg::span_data span = only(spans, name);
    REQUIRE(span.events.size() == 1);
    CHECK(span.events[0].time >= span.start_time);
    CHECK(span.events[0].time <= span.end_time);
  }
}

TEST_CASE("a span that was current elsewhere has what was set there") {
  recorder r;
  // Whichever of the two threads the collector visits first.
  for (const bool ended_here : {true, false}) {
    r.store.clear();
    fg::span span = r.tracer.start_span("s");
    const auto set = [&] {
      auto scope = activate(span);
      r.tracer.add_span_attribute("k", 1);
      r.tracer.add_span_event("e");
    };
    if (ended_here) {
      std::thread(set).join();
      span.end();
    } else {
      set();
      std::thread([&] { span.end(); }).join();
    }
    const fg::span_data read = only(r.spans(), "s");
    CHECK(has(read, "k", 1));
    CHECK(read.events.size() == 1);
  }
}

TEST_CASE("names of status codes") {
  CHECK(fg::detail::status_named("OK") == status_code::ok);
  CHECK(fg::detail::status_named("oK") == status_code::ok);
  CHECK(fg::detail::status_named("ERROR") == status_code::error);
  CHECK(fg::detail::status_named("Error") == status_code::error);
  CHECK(fg::detail::status_named("UNSET") == status_code::unset);
  CHECK(fg::detail::status_named("O") == status_code::unset);
  CHECK(fg::detail::status_named("\x0fK") == status_code::unset);
}

// Events, links, status, exceptions and the end of a span, for both kinds of spans.
#include <fulgurite/span/span_base.hpp>

#include "../tracing.hpp"

#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;
using fulgurite_test::value_of;

namespace {

struct unnamed_error : std::exception {
  const char* what() const noexcept override { return "what of it"; }
};

}  // namespace

TEST_CASE("events have name, attributes, order, and a time between start and end") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    auto span = r.tracer.trace_context("s");
    span.add_event("plain");
    span.add_event(std::string("named at run time"), {{"attempt", 2}, {"host", std::string("a")}});
    span.add_event("large", {{"text", std::string(5000, 'x')}, {"after", true}});
    span.add_event("", std::vector<fg::attribute>{{"k", 1}, {"k", 2}, {"", 3}});
    for (int i = 0; i < 100; ++i) span.add_event("many", {{"i", i}});
    span.add_event(std::string(70'000, 'e'));
    root.add_event("of the root");
  }
  const auto spans = r.spans();
  const fg::span_data span = only(spans, "s");
  REQUIRE(span.events.size() == 104);
  CHECK(span.events[0].name == "plain");
  CHECK(span.events[0].attributes.empty());
  CHECK(span.events[1].name == "named at run time");
  CHECK(span.events[1].attributes == std::vector<fg::attribute>{{"attempt", 2}, {"host", "a"}});
  CHECK(has(span.events[2].attributes, "text", std::string(5000, 'x')));
  CHECK(has(span.events[2].attributes, "after", true));
  CHECK(span.events[3].name.empty());
  CHECK(span.events[3].attributes == std::vector<fg::attribute>{{"k", 2}});
  for (std::size_t i = 0; i < 100; ++i) CHECK(has(span.events[4 + i].attributes, "i", i));
  CHECK(span.dropped_events_count == 1);  // the one whose name is too long
  std::int64_t last = span.start_time;
  for (fg::span_event const& event : span.events) {
    CHECK(event.time >= last);
    last = event.time;
  }
  CHECK(span.end_time >= last);
  const fg::span_data root = only(spans, "root");
  REQUIRE(root.events.size() == 1);
  CHECK(root.events[0].time >= span.start_time);
  CHECK(root.events[0].time <= root.end_time);
}

TEST_CASE("an event as large as it may be") {
  recorder r;
  const std::string text(64 * 1024, 't');
  {
    auto span = r.tracer.trace_context("s");
    span.add_event("three fit", {{"a", text}, {"b", text}, {"c", text}, {"d", text}, {"e", text}});
    span.set_attribute("after", 1);
  }
  const fg::span_data span = only(r.spans(), "s");
  REQUIRE(span.events.size() == 1);
  CHECK(span.events[0].attributes.size() == 3);
  CHECK(has(span.events[0].attributes, "c", text));
  CHECK(has(span, "after", 1));
}

TEST_CASE("links keep context and attributes; one to nowhere is ignored") {
  recorder r;
  const fg::span_context other(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3), fg::trace_flags(1), true,
                               fg::trace_state::from_header("a=1,b=2"));
  {
    auto root = r.tracer.trace_context("root");
    auto span = r.tracer.trace_context("s");
    span.add_link(other, {{"why", "because"}});
    span.add_link(fg::span_context());
    span.add_link(root.context());
    root.add_link(other);
  }
  const auto spans = r.spans();
  const fg::span_data span = only(spans, "s");
  REQUIRE(span.links.size() == 2);
  CHECK(span.links[0].context == other);
  CHECK(span.links[0].attributes == std::vector<fg::attribute>{{"why", "because"}});
  CHECK(span.links[1].context.span_id() == span.parent_span_id);
  CHECK(span.links[1].context.trace_id() == span.trace_id);
  CHECK_FALSE(span.links[1].context.is_remote());
  CHECK(only(spans, "root").links.size() == 1);
  CHECK(span.dropped_links_count == 0);
}

TEST_CASE("status: ok is final, unset changes nothing, an error replaces an error") {
  using fg::status_code;
  recorder r;
  {
    auto root = r.tracer.trace_context("unset");
    {
      auto span = r.tracer.trace_context("ok is final");
      span.set_status(status_code::error, "first");
      span.set_status(status_code::ok, "a description that does not count");
      span.set_status(status_code::error, "too late");
      span.set_status(status_code::unset);
    }
    {
      auto span = r.tracer.trace_context("the last error");
      span.set_status(status_code::error, "first");
      span.set_status(status_code::error, "second");
      span.set_status(status_code::unset, "nothing");
    }
    {
      auto span = r.tracer.trace_context("an error without words");
      span.set_status(status_code::error, "first");
      span.set_status(status_code::error);
    }
    {
      auto span = r.tracer.trace_context("long words");
      span.set_status(status_code::error, std::string(70'000, 'd'));
    }
  }
  const auto spans = r.spans();
  CHECK(only(spans, "unset").status == fg::span_status{});
  CHECK(only(spans, "ok is final").status == fg::span_status{status_code::ok, ""});
  CHECK(only(spans, "the last error").status == fg::span_status{status_code::error, "second"});
  CHECK(only(spans, "an error without words").status == fg::span_status{status_code::error, ""});
  CHECK(only(spans, "long words").status == fg::span_status{status_code::error, std::string(65'535, 'd')});
}

TEST_CASE("record_exception adds an event and leaves the status") {
  recorder r;
  {
    auto span = r.tracer.trace_context("s");
    span.record_exception(std::runtime_error("broken"));
    const unnamed_error error;
    span.record_exception(static_cast<std::exception const&>(error), {{"exception.message", "mine"}, {"more", 1}});
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(span.status.code == fg::status_code::unset);
  REQUIRE(span.events.size() == 2);
  CHECK(span.events[0].name == "exception");
  CHECK(has(span.events[0].attributes, "exception.type", "std::runtime_error"));
  CHECK(has(span.events[0].attributes, "exception.message", "broken"));
  CHECK(span.events[1].attributes.size() == 3);
  CHECK(has(span.events[1].attributes, "exception.type", "(anonymous namespace)::unnamed_error"));
  CHECK(has(span.events[1].attributes, "exception.message", "mine"));
  CHECK(has(span.events[1].attributes, "more", 1));
}

TEST_CASE("end: once, early, and what is set after it is ignored") {
  recorder r;
  const auto set_everything = [](auto& span) {
    span.set_attribute("late", 1);
    span.set_attribute("late text", std::string(1000, 'x'));
    span.add_event("late");
    span.add_link(span.context());
    span.set_status(fg::status_code::error, "late");
    span.record_exception(std::runtime_error("late"));
    span.update_name(std::string("late"));
    span.update_name("late");
    span.end();
  };
  {
    auto root = r.tracer.trace_context("root");
    auto free = r.tracer.start_span("free");
    {
      auto child = r.tracer.trace_context("child");
      const fg::span_context own = child.context();
      CHECK(child.is_recording());
      child.end();
      CHECK_FALSE(child.is_recording());
      set_everything(child);
      CHECK(child.context() == own);
      auto below = r.tracer.trace_context("below the ended child");
    }
    auto sibling = r.tracer.trace_context("sibling");
    const fg::span_context own = root.context();
    root.end();
    set_everything(root);
    CHECK(root.context() == own);
    free.end();
    set_everything(free);
    auto below = r.tracer.trace_context("below the ended root");
  }
  const auto spans = r.spans();
  REQUIRE(spans.size() == 6);
  for (const char* name : {"root", "child", "free"}) {
    const fg::span_data span = only(spans, name);
    CHECK(span.attributes.empty());
    CHECK(span.events.empty());
    CHECK(span.links.empty());
    CHECK(span.status.code == fg::status_code::unset);
  }
  CHECK(only(spans, "below the ended child").parent_span_id == only(spans, "child").span_id);
  CHECK(only(spans, "sibling").parent_span_id == only(spans, "root").span_id);
  CHECK(only(spans, "below the ended root").parent_span_id == only(spans, "sibling").span_id);
  CHECK(spans.front().name == "child");
  fulgurite_test::check_accounts(r.tracer.stats());
}

TEST_CASE("times: start before end, the parent around the child, near the system's clock") {
  recorder r;
  const auto before = static_cast<std::int64_t>(fg::detail::read_clock(CLOCK_REALTIME));
  {
    auto root = r.tracer.trace_context("root");
    auto child = r.tracer.trace_context("child");
  }
  const auto after = static_cast<std::int64_t>(fg::detail::read_clock(CLOCK_REALTIME));
  const auto spans = r.spans();
  const fg::span_data root = only(spans, "root"), child = only(spans, "child");
  CHECK(root.start_time <= child.start_time);
  CHECK(child.start_time <= child.end_time);
  CHECK(child.end_time <= root.end_time);
  // The clock is set by at most a millisecond without the converter following it.
  CHECK(root.start_time >= before - 2'000'000);
  CHECK(root.end_time <= after + 2'000'000);
}

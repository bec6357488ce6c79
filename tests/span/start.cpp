#include <fulgurite/span/start.hpp>

#include "../tracing.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;
using namespace fulgurite_test;

namespace {

const fg::trace_id far_trace = fg::trace_id::from_numbers(0x0123456789abcdef, 0xfedcba9876543210);
const fg::span_id far_span = fg::span_id::from_number(0x1122334455667788);

fg::context remote(bool sampled, std::string_view state = {}, fg::baggage bag = {}) {
  return fg::context(fg::span_context(far_trace, far_span, fg::trace_flags(sampled ? 1 : 0), true,
                                      fg::trace_state::from_header(state)),
                     std::move(bag));
}

/// Adds an attribute and a trace state, and keeps what it was asked.
struct adding_sampler {
  fg::sampling_result sample(fg::sampling_input const& input) const noexcept {
    std::vector<fg::attribute> added{{"by sampler", true}, {"both", "sampler"}};
    if (!input.attributes.empty()) added.push_back({"first key", std::string(input.attributes[0].key)});
    return {fg::sampling_decision::record_and_sample, std::move(added), fg::trace_state::from_header("s=1")};
  }
  std::string description() const { return "adding"; }
};

/// Keeps every second span, wherever it is.
struct every_other_sampler {
  static constexpr bool samples_children = true;
  fg::sampling_result sample(fg::sampling_input const& input) const noexcept {
    return input.name.starts_with("keep") ? fg::sampling_decision::record_and_sample : fg::sampling_decision::drop;
  }
  std::string description() const { return "every other"; }
};

struct record_only_sampler {
  fg::sampling_decision sample(fg::sampling_input const&) const noexcept { return fg::sampling_decision::record_only; }
  std::string description() const { return "record only"; }
};

}  // namespace

TEST_CASE("a remote parent is continued, with its trace state and baggage") {
  recorder r;
  {
    auto server = r.tracer.trace_context(
        "server", fg::span_options{.kind = fg::span_kind::server, .parent = remote(true, "v=1,w=2", {{"user", "u"}})});
    CHECK(fg::current_baggage().get("user") == "u");
    CHECK(fg::current_context().span().trace_state().to_header() == "v=1,w=2");
    auto child = r.tracer.trace_context("child", "a"_a = 1);
    auto free = r.tracer.start_span("free");
    CHECK(free.context().trace_state().to_header() == "v=1,w=2");
  }
  CHECK(fg::current_baggage().empty());
  const auto spans = r.spans();
  const auto server = only(spans, "server");
  CHECK(server.trace_id == far_trace);
  CHECK(server.parent_span_id == far_span);
  CHECK(server.kind == fg::span_kind::server);
  CHECK(server.flags == 0x301U);
  CHECK(server.trace_state == "v=1,w=2");
  const auto child = only(spans, "child");
  CHECK(child.trace_id == far_trace);
  CHECK(child.parent_span_id == server.span_id);
  CHECK(child.flags == 0x101U);
  CHECK(child.trace_state == "v=1,w=2");
  CHECK(only(spans, "free").trace_state == "v=1,w=2");
}

TEST_CASE("a remote parent that was not sampled is honoured by parent_based alone") {
  recorder r;
  {
    auto span = r.tracer.trace_context("off", fg::span_options{.parent = remote(false)});
  }
  CHECK(r.spans().empty());
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store};
  {
    auto span = tracer.trace_context("on", fg::span_options{.parent = remote(false)});
  }
  CHECK(tracer.force_flush());
  CHECK(only(store.spans(), "on").parent_span_id == far_span);
}

TEST_CASE("a given parent of this process, and a new root inside a trace") {
  recorder r;
  {
    auto first = r.tracer.trace_context("first");
    const fg::span_context at = first.context();
    auto second = r.tracer.trace_context("second", fg::span_options{.parent = fg::root, .start_time = 1'000'000'000});
    CHECK(fg::current_context().span().trace_id() != at.trace_id());
    auto third = r.tracer.trace_context("third", fg::span_options{.parent = at});
    auto fourth = r.tracer.trace_context("fourth");
  }
  const auto spans = r.spans();
  CHECK(only(spans, "second").start_time == 1'000'000'000);
  CHECK_FALSE(only(spans, "second").parent_span_id.is_valid());
  CHECK(only(spans, "third").parent_span_id == only(spans, "first").span_id);
  CHECK(only(spans, "fourth").parent_span_id == only(spans, "third").span_id);
}

TEST_CASE("a span does not end before its start") {
  recorder r;
  const std::int64_t in_a_day =
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch() + std::chrono::hours(24)).count();
  {
    auto span = r.tracer.start_span("early", fg::span_options{.start_time = in_a_day});
  }
  const fg::span_data early = only(r.spans(), "early");
  CHECK(early.start_time == in_a_day);
  CHECK(early.end_time == in_a_day);
}

TEST_CASE("what a sampler adds; the span's own attributes win") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, adding_sampler{}, store};
  {
    auto span = tracer.trace_context("span", "both"_a = "span");
    CHECK(span.context().trace_state().to_header() == "s=1");
    auto child = tracer.trace_context("child");
  }
  CHECK(tracer.force_flush());
  const auto spans = store.spans();
  const auto span = only(spans, "span");
  CHECK(has(span, "by sampler", true));
  CHECK(has(span, "both", "span"));
  CHECK(has(span, "first key", "both"));
  CHECK(span.trace_state == "s=1");
  CHECK(only(spans, "child").trace_state == "s=1");
  CHECK(value_of(only(spans, "child").attributes, "by sampler") == nullptr);  // children are not asked for
}

TEST_CASE("a sampler that asks for every span gets every span") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, every_other_sampler{}, store};
  {
    auto a = tracer.trace_context("keep a");
    auto b = tracer.trace_context("drop b");
    CHECK_FALSE(b.is_recording());
    auto c = tracer.trace_context("keep c");
    CHECK(c.is_recording());
  }
  CHECK(tracer.force_flush());
  const auto spans = store.spans();
  REQUIRE(spans.size() == 2);
  CHECK(only(spans, "keep c").trace_id == only(spans, "keep a").trace_id);
}

TEST_CASE("record_only is recorded and never exported") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{}, record_only_sampler{}, store};
  {
    auto span = tracer.trace_context("span");
    CHECK(span.is_recording());
    CHECK_FALSE(span.context().sampled());
    auto child = tracer.trace_context("child");
    CHECK(child.is_recording());
  }
  CHECK(tracer.force_flush());
  CHECK(store.spans().empty());
  CHECK(tracer.stats().started == 2);
  CHECK(tracer.stats().sampled == 0);
  check_accounts(tracer.stats());
}

TEST_CASE("links given at the start") {
  recorder r;
  const auto to = remote(true).span();
  {
    auto span = r.tracer.trace_context("span", fg::span_options{.links = {{to, {{"n", 1}}}, {to}}});
  }
  const auto span = only(r.spans(), "span");
  REQUIRE(span.links.size() == 2);
  CHECK(span.links[0].context.span_id() == far_span);
  CHECK(span.links[0].context.is_remote());
  CHECK(has(span.links[0].attributes, "n", 1));
}

TEST_CASE("roots' span ids are valid and all different, and none is its trace's number") {
  fulgurite_test::recorder r;
  std::set<std::string> ids;
  for (int i = 0; i < 3'000; ++i) {
    auto span = r.tracer.trace_context("root");
    const fg::span_context context = span.context();
    CHECK(context.span_id().is_valid());
    CHECK(context.trace_id().to_hex().find(context.span_id().to_hex()) == std::string::npos);
    ids.insert(context.span_id().to_hex());
  }
  CHECK(ids.size() == 3'000);
  CHECK(fg::detail::root_span_id(fg::trace_id::from_wire(1, 0)).is_valid());
}

// The free span: moved, ended elsewhere, made current.
#include <fulgurite/span/span.hpp>

#include "../tracing.hpp"

#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;
using fulgurite_test::value_of;
using namespace fg::literals;

namespace {

bool nothing_is_current() { return !fg::current_context().span().is_valid(); }

}  // namespace

TEST_CASE("it is a value that can be moved, not copied") {
  CHECK_FALSE(std::is_copy_constructible_v<fg::span>);
  CHECK(std::is_nothrow_move_constructible_v<fg::span>);
  CHECK(std::is_nothrow_move_assignable_v<fg::span>);
  CHECK(std::is_default_constructible_v<fg::span>);
}

TEST_CASE("it is a child of what is current, and not current itself") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    fg::span free = r.tracer.start_span("free", "k"_a = 1);
    CHECK(fg::current_context().span() == root.context());
    CHECK(free.context().trace_id() == root.context().trace_id());
    auto child = r.tracer.trace_context("child");
  }
  fg::span alone = r.tracer.start_span("alone");
  CHECK(nothing_is_current());
  alone.end();
  const auto spans = r.spans();
  CHECK(only(spans, "free").parent_span_id == only(spans, "root").span_id);
  CHECK(only(spans, "child").parent_span_id == only(spans, "root").span_id);
  CHECK_FALSE(only(spans, "alone").parent_span_id.is_valid());
  CHECK(only(spans, "alone").trace_id != only(spans, "root").trace_id);
}

TEST_CASE("activate makes it current for a scope") {
  recorder r;
  {
    fg::span free = r.tracer.start_span("free");
    {
      auto scope = activate(free);
      CHECK(fg::current_context().span() == free.context());
      auto child = r.tracer.trace_context("child");
      {
        auto again = r.tracer.activate(free);
        auto second = r.tracer.trace_context("second");
      }
      auto grandchild = r.tracer.trace_context("grandchild");
    }
    CHECK(nothing_is_current());
  }
  const auto spans = r.spans();
  CHECK(only(spans, "child").parent_span_id == only(spans, "free").span_id);
  CHECK(only(spans, "second").parent_span_id == only(spans, "free").span_id);
  CHECK(only(spans, "grandchild").parent_span_id == only(spans, "child").span_id);
  for (fg::span_data const& span : spans) CHECK(span.trace_id == spans[0].trace_id);
}

TEST_CASE("moved: ended once, with all that was set") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    fg::span a = r.tracer.start_span("moved", "schema"_a = std::string("text"));
    a.set_attribute("before", 1);
    const fg::span_context own = a.context();
    fg::span b = std::move(a);
    CHECK_FALSE(a.is_recording());
    a.set_attribute("through the husk", 1);
    a.end();
    CHECK(b.is_recording());
    CHECK(b.context() == own);
    b.set_attribute("after", 2);
    fg::span c;
    CHECK_FALSE(c.is_recording());
    c = std::move(b);
    c.set_attribute("long", std::string(1000, 'x'));
    fg::span d = r.tracer.start_span("ended by assignment");
    d = std::move(c);
    fg::span& self = d;
    d = std::move(self);
    CHECK(d.is_recording());
    std::vector<fg::span> many;
    many.push_back(std::move(d));
    for (int i = 0; i < 20; ++i) many.push_back(r.tracer.start_span("other"));
  }
  const auto spans = r.spans();
  CHECK(spans.size() == 23);
  const fg::span_data span = only(spans, "moved");
  CHECK(span.attributes.size() == 4);
  CHECK(has(span, "schema", "text"));
  CHECK(has(span, "before", 1));
  CHECK(has(span, "after", 2));
  CHECK(has(span, "long", std::string(1000, 'x')));
  only(spans, "ended by assignment");
  const auto stats = r.tracer.stats();
  CHECK(stats.started == 23);
  fulgurite_test::check_accounts(stats);
}

TEST_CASE("ended on another thread, with pieces in the rings of both") {
  recorder r;
  const auto long_value = [](int i) { return std::string(300, static_cast<char>('a' + i % 26)); };
  // The collector visits threads in an order of its own: neither may matter.
  for (const bool ended_here : {true, false}) {
    r.store.clear();
    std::optional<fg::span> span(r.tracer.start_span("s", "schema"_a = 1));
    int n = 0;
    const auto set = [&] {
      for (int i = 0; i < 5; ++i, ++n) {
        span->set_attribute("key " + std::to_string(n), long_value(n));
        span->set_attribute("last", long_value(n));
        span->add_event("event", {{"n", n}, {"text", long_value(n)}});
      }
    };
    set();
    std::thread(set).join();
    set();
    std::thread([&] {
      set();
      if (!ended_here) span.reset();
    }).join();
    if (ended_here) span.reset();
    const fg::span_data read = only(r.spans(), "s");
    CHECK(read.attributes.size() == 22);
    for (int i = 0; i < 20; ++i) CHECK(has(read, "key " + std::to_string(i), long_value(i)));
    CHECK(has(read, "last", long_value(19)));
    REQUIRE(read.events.size() == 20);
    for (int i = 0; i < 20; ++i) CHECK(has(read.events[static_cast<std::size_t>(i)].attributes, "n", i));
    CHECK(has(read, "schema", 1));
  }
}

TEST_CASE("handed from thread to thread, with collections in between") {
  recorder r;
  fg::span span = r.tracer.start_span("s");
  for (int i = 0; i < 30; ++i) {
    std::thread([&, i] {
      fg::span mine = std::move(span);
      mine.set_attribute("key " + std::to_string(i), std::string(400, 'x'));
      mine.set_attribute("last", i);
      span = std::move(mine);
    }).join();
    if (i % 7 == 0) r.tracer.force_flush();
  }
  span.end();
  const fg::span_data read = only(r.spans(), "s");
  CHECK(read.attributes.size() == 31);
  CHECK(has(read, "last", 29));
}

TEST_CASE("a child on another thread") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    fg::span job = r.tracer.start_span("job");
    std::async(std::launch::async, [&r, job = std::move(job)]() mutable {
      auto scope = activate(job);
      auto child = r.tracer.trace_context("child");
      child.set_attribute("k", 1);
    }).get();
  }
  const auto spans = r.spans();
  CHECK(only(spans, "job").parent_span_id == only(spans, "root").span_id);
  CHECK(only(spans, "child").parent_span_id == only(spans, "job").span_id);
  CHECK(only(spans, "child").trace_id == only(spans, "root").trace_id);
}

TEST_CASE("a trace that is not sampled stays so on another thread") {
  fg::memory_exporter store;
  struct first_only {  // the second local root would be sampled
    std::shared_ptr<std::atomic<int>> asked = std::make_shared<std::atomic<int>>();
    fg::sampling_result sample(fg::sampling_input const&) const noexcept {
      return asked->fetch_add(1) == 0 ? fg::sampling_decision::drop : fg::sampling_decision::record_and_sample;
    }
    std::string description() const { return "first_only"; }
  };
  fg::tracer tracer(fg::resource{}, first_only{}, store);
  fg::span_context of_root, of_child;
  {
    auto root = tracer.trace_context("root");
    of_root = root.context();
    CHECK(of_root.is_valid());
    CHECK_FALSE(of_root.sampled());
    fg::span job = tracer.start_span("job");
    CHECK_FALSE(job.is_recording());
    std::thread([&, job = std::move(job)]() mutable {
      CHECK(job.context() == of_root);
      {
        auto scope = activate(job);
        auto child = tracer.trace_context("child");
        CHECK_FALSE(child.is_recording());
        of_child = child.context();
        auto free = tracer.start_span("free");
        CHECK_FALSE(free.is_recording());
      }
      auto linked = tracer.trace_context("by context", {.parent = job.context()});
      CHECK_FALSE(linked.is_recording());
    }).join();
  }
  CHECK(of_child.trace_id() == of_root.trace_id());
  CHECK(tracer.force_flush());
  CHECK(store.spans().empty());
  CHECK(tracer.stats().started == 5);
}

TEST_CASE("an exception does not mark a free span: it has no scope") {
  recorder r;
  try {
    fg::span span = r.tracer.start_span("s");
    throw std::runtime_error("out");
  } catch (std::runtime_error const&) {
  }
  CHECK(only(r.spans(), "s").status.code == fg::status_code::unset);
}

TEST_CASE("spans that are off: made by default, of a tracer that is off") {
  fg::span none;
  none.set_attribute("k", 1);
  none.add_event("e");
  none.end();
  auto scope = activate(none);
  CHECK(nothing_is_current());
  const decltype(recorder::tracer) off;
  fg::span of_off = off.start_span("s", "k"_a = 1);
  auto other = activate(of_off);
  CHECK_FALSE(of_off.is_recording());
  auto scoped = off.trace_context("s");
  CHECK_FALSE(scoped.is_recording());
  CHECK(nothing_is_current());
}

TEST_CASE("an activated span that has ended still is a parent") {
  recorder r;
  {
    fg::span span = r.tracer.start_span("s");
    auto scope = activate(span);
    span.end();
    auto child = r.tracer.trace_context("child");
  }
  const auto spans = r.spans();
  CHECK(only(spans, "child").parent_span_id == only(spans, "s").span_id);
}

TEST_CASE("free spans keep baggage and trace state for the thread that activates them") {
  recorder r;
  std::string user, state;
  {
    auto bag = fg::with_baggage({{"user", "7"}});
    const fg::span_context remote(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3), fg::trace_flags(1),
                                  true, fg::trace_state::from_header("a=1"));
    auto root = r.tracer.trace_context("root", {.parent = remote});
    fg::span job = r.tracer.start_span("job");
    std::thread([&, job = std::move(job)] {
      auto scope = activate(job);
      user = fg::current_baggage().get("user").value_or("none");
      auto child = r.tracer.trace_context("child");
      state = child.context().trace_state().to_header();
    }).join();
  }
  CHECK(user == "7");
  CHECK(state == "a=1");
  const auto spans = r.spans();
  for (const char* name : {"root", "job", "child"}) CHECK(only(spans, name).trace_state == "a=1");
}

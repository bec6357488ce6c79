// The span of a scope: nesting, exceptions, and scopes that end out of order.
#include <fulgurite/span/scoped_span.hpp>

#include "../tracing.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;
using namespace fg::literals;

namespace {

using tracer_type = decltype(recorder::tracer);

/// A scoped span whose end is not the end of a C++ scope.
struct held {
  template <class... Arguments>
  explicit held(tracer_type const& tracer, fg::span_name name, Arguments&&... arguments)
      : span(tracer.trace_context(name, std::forward<Arguments>(arguments)...)) {}
  fg::scoped_span span;
};

std::unique_ptr<held> hold(tracer_type const& tracer, fg::span_name name) {
  return std::make_unique<held>(tracer, name);
}
/// The same off the fast path: its whole context is saved and restored.
std::unique_ptr<held> hold_slowly(tracer_type const& tracer, fg::span_name name) {
  return std::make_unique<held>(tracer, name, fg::span_options{});
}

bool nothing_is_current() { return !fg::current_context().span().is_valid(); }

}  // namespace

TEST_CASE("it belongs to its scope") {
  CHECK_FALSE(std::is_copy_constructible_v<fg::scoped_span>);
  CHECK_FALSE(std::is_move_constructible_v<fg::scoped_span>);
  CHECK_FALSE(std::is_copy_assignable_v<fg::scoped_span>);
  CHECK_FALSE(std::is_move_assignable_v<fg::scoped_span>);
}

TEST_CASE("parents, children, siblings") {
  recorder r;
  for (int i = 0; i < 2; ++i) {
    auto root = r.tracer.trace_context("root");
    CHECK(fg::current_context().span() == root.context());
    {
      auto first = r.tracer.trace_context("first");
      CHECK(fg::current_context().span() == first.context());
      auto inner = r.tracer.trace_context("inner");
    }
    CHECK(fg::current_context().span() == root.context());
    auto second = r.tracer.trace_context("second");
  }
  CHECK(nothing_is_current());
  const auto spans = r.spans();
  REQUIRE(spans.size() == 8);
  CHECK(spans[0].trace_id != spans[4].trace_id);
  for (std::size_t i = 0; i < 8; i += 4) {
    fg::span_data const &inner = spans[i], &first = spans[i + 1], &second = spans[i + 2], &root = spans[i + 3];
    CHECK(inner.name == "inner");
    CHECK(first.name == "first");
    CHECK(second.name == "second");
    CHECK(root.name == "root");
    CHECK_FALSE(root.parent_span_id.is_valid());
    CHECK(first.parent_span_id == root.span_id);
    CHECK(second.parent_span_id == root.span_id);
    CHECK(inner.parent_span_id == first.span_id);
    for (std::size_t j = i; j < i + 4; ++j) {
      CHECK(spans[j].trace_id == root.trace_id);
      CHECK(spans[j].trace_id.is_valid());
      CHECK(spans[j].span_id.is_valid());
      CHECK((spans[j].flags & 1) == 1);
    }
  }
}

TEST_CASE("a thousand levels") {
  recorder r;
  const auto descend = [&](auto& self, int levels) -> void {
    auto span = r.tracer.trace_context("level", "n"_a = levels);
    if (levels > 1) self(self, levels - 1);
  };
  descend(descend, 1000);
  CHECK(nothing_is_current());
  const auto spans = r.spans();
  REQUIRE(spans.size() == 1000);
  for (std::size_t i = 0; i + 1 < spans.size(); ++i) CHECK(spans[i].parent_span_id == spans[i + 1].span_id);
  CHECK_FALSE(spans.back().parent_span_id.is_valid());
}

TEST_CASE("an exception that leaves the scope marks the span an error") {
  recorder r;
  try {
    auto root = r.tracer.trace_context("root");
    auto slow = r.tracer.trace_context("slow", fg::span_options{.kind = fg::span_kind::client});
    auto told = r.tracer.trace_context("told");
    told.set_status(fg::status_code::error, "in words");
    auto fine = r.tracer.trace_context("fine");
    fine.set_status(fg::status_code::ok);
    auto ended = r.tracer.trace_context("ended before");
    ended.end();
    throw std::runtime_error("out");
  } catch (std::runtime_error const&) {
  }
  CHECK(nothing_is_current());
  const auto spans = r.spans();
  CHECK(only(spans, "root").status.code == fg::status_code::error);
  CHECK_FALSE(only(spans, "root").status.description.empty());
  CHECK(only(spans, "slow").status.code == fg::status_code::error);
  CHECK(only(spans, "told").status == fg::span_status{fg::status_code::error, "in words"});
  CHECK(only(spans, "fine").status.code == fg::status_code::ok);  // ok is final
  CHECK(only(spans, "ended before").status.code == fg::status_code::unset);
}

TEST_CASE("one that is caught inside does not") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    auto child = r.tracer.trace_context("child");
    try {
      auto inner = r.tracer.trace_context("inner");
      throw 1;
    } catch (int) {
      auto handler = r.tracer.trace_context("handler");
    }
  }
  const auto spans = r.spans();
  CHECK(only(spans, "inner").status.code == fg::status_code::error);
  CHECK(only(spans, "handler").status.code == fg::status_code::unset);
  CHECK(only(spans, "child").status.code == fg::status_code::unset);
  CHECK(only(spans, "root").status.code == fg::status_code::unset);
}

TEST_CASE("a span that begins and ends while an exception is on its way is no error") {
  recorder r;
  struct cleanup {
    tracer_type& tracer;
    ~cleanup() {
      {
        auto span = tracer.trace_context("in the destructor");
        auto slow = tracer.trace_context("slow in the destructor", fg::span_options{});
      }
      try {
        auto span = tracer.trace_context("fails in the destructor");
        throw 2;
      } catch (int) {
      }
    }
  };
  for (const bool below_a_root : {true, false}) {
    r.store.clear();
    try {
      std::optional<cleanup> outside;
      if (!below_a_root) outside.emplace(r.tracer);
      auto root = r.tracer.trace_context("root");
      std::optional<cleanup> inside;
      if (below_a_root) inside.emplace(r.tracer);
      throw 1;
    } catch (int) {
    }
    const auto spans = r.spans();
    CHECK(only(spans, "in the destructor").status.code == fg::status_code::unset);
    CHECK(only(spans, "slow in the destructor").status.code == fg::status_code::unset);
    CHECK(only(spans, "fails in the destructor").status.code == fg::status_code::error);
    CHECK(only(spans, "root").status.code == fg::status_code::error);
    CHECK((only(spans, "in the destructor").parent_span_id == only(spans, "root").span_id) == below_a_root);
  }
}

TEST_CASE("a parent that ends before its child") {
  recorder r;
  SUBCASE("on the fast path") {
    auto root = hold(r.tracer, "root");
    auto parent = hold(r.tracer, "parent");
    auto child = hold(r.tracer, "child");
    const fg::span_context of_child = child->span.context();
    parent.reset();
    CHECK(fg::current_context().span() == of_child);
    child.reset();
    root.reset();
  }
  SUBCASE("off the fast path") {
    auto root = hold_slowly(r.tracer, "root");
    auto parent = hold_slowly(r.tracer, "parent");
    auto child = hold_slowly(r.tracer, "child");
    const fg::span_context of_root = root->span.context(), of_child = child->span.context();
    parent.reset();
    CHECK(fg::current_context().span() == of_child);
    child.reset();
    CHECK(fg::current_context().span() == of_root);
    root.reset();
  }
  SUBCASE("the root first") {
    auto root = hold(r.tracer, "root");
    auto parent = hold_slowly(r.tracer, "parent");
    auto child = hold(r.tracer, "child");
    root.reset();
    parent.reset();
    child.reset();
  }
  SUBCASE("the root last, the rest as they came") {
    auto root = hold_slowly(r.tracer, "root");
    auto parent = hold(r.tracer, "parent");
    auto child = hold_slowly(r.tracer, "child");
    parent.reset();
    child.reset();
    root.reset();
  }
  SUBCASE("as they came") {
    auto root = hold_slowly(r.tracer, "root");
    auto parent = hold(r.tracer, "parent");
    auto child = hold_slowly(r.tracer, "child");
    root.reset();
    parent.reset();
    child.reset();
  }
  CHECK(nothing_is_current());
  {
    auto next = r.tracer.trace_context("next trace");
  }
  CHECK(nothing_is_current());
  const auto spans = r.spans();
  REQUIRE(spans.size() == 4);
  CHECK(only(spans, "parent").parent_span_id == only(spans, "root").span_id);
  CHECK(only(spans, "child").parent_span_id == only(spans, "parent").span_id);
  CHECK_FALSE(only(spans, "next trace").parent_span_id.is_valid());
  CHECK(only(spans, "next trace").trace_id != only(spans, "root").trace_id);
}

TEST_CASE("spans in a vector, ended from the front, with another trace between") {
  recorder r;
  std::vector<std::unique_ptr<held>> spans;
  for (int i = 0; i < 50; ++i) spans.push_back(i % 3 == 0 ? hold_slowly(r.tracer, "s") : hold(r.tracer, "s"));
  for (auto& span : spans) span.reset();
  CHECK(nothing_is_current());
  {
    auto a = hold(r.tracer, "a");
    auto open = hold_slowly(r.tracer, "open");
    a.reset();
    auto b = hold(r.tracer, "b");
    open.reset();
    auto below_b = hold(r.tracer, "below b");
    below_b.reset();
    b.reset();
  }
  CHECK(nothing_is_current());
  const auto all = r.spans();
  CHECK(all.size() == 54);
  CHECK(only(all, "below b").parent_span_id == only(all, "b").span_id);
}

TEST_CASE("baggage and spans in any order") {
  recorder r;
  auto bag = std::unique_ptr<fg::baggage_scope>(new fg::baggage_scope(fg::with_baggage({{"k", "outer"}})));
  auto root = hold(r.tracer, "root");
  CHECK(fg::current_baggage().get("k") == "outer");
  auto inner = std::unique_ptr<fg::baggage_scope>(new fg::baggage_scope(fg::with_baggage({{"k", "inner"}})));
  auto child = hold(r.tracer, "child");
  CHECK(fg::current_baggage().get("k") == "inner");
  CHECK(fg::current_context().span() == child->span.context());
  bag.reset();
  CHECK(fg::current_baggage().get("k") == "inner");
  inner.reset();
  child.reset();
  root.reset();
  CHECK(fg::current_baggage().empty());
  CHECK(nothing_is_current());
  const auto spans = r.spans();
  CHECK(only(spans, "child").parent_span_id == only(spans, "root").span_id);
}

TEST_CASE("a root in a scope of baggage carries it, and its children too") {
  recorder r;
  {
    auto bag = fg::with_baggage({{"user", "7"}});
    auto root = r.tracer.trace_context("root");
    CHECK(fg::current_baggage().get("user") == "7");
    auto child = r.tracer.trace_context("child");
    CHECK(fg::current_context().baggage().get("user") == "7");
    {
      auto more = fg::with_baggage({{"order", "8"}});
      auto grandchild = r.tracer.trace_context("grandchild");
      CHECK(fg::current_baggage().size() == 2);
    }
    CHECK(fg::current_baggage().size() == 1);
    CHECK(fg::current_context().span() == child.context());
  }
  CHECK(fg::current_baggage().empty());
  const auto spans = r.spans();
  CHECK(only(spans, "grandchild").parent_span_id == only(spans, "child").span_id);
  CHECK(only(spans, "child").parent_span_id == only(spans, "root").span_id);
}

TEST_CASE("each thread has a current span of its own") {
  recorder r;
  auto root = r.tracer.trace_context("here");
  std::thread([&] {
    CHECK(nothing_is_current());
    auto there = r.tracer.trace_context("there");
    auto child = r.tracer.trace_context("child there");
  }).join();
  CHECK(fg::current_context().span() == root.context());
  root.end();
  const auto spans = r.spans();
  CHECK(only(spans, "there").trace_id != only(spans, "here").trace_id);
  CHECK(only(spans, "child there").parent_span_id == only(spans, "there").span_id);
}

#include <fulgurite/context/context.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <utility>

namespace fg = fulgurite;

namespace {
const fg::span_context span(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3));
}  // namespace

TEST_CASE("an empty context has no span, no baggage, nothing kept") {
  const fg::context none;
  CHECK_FALSE(none.span().is_valid());
  CHECK(none.baggage().empty());
  CHECK(none.kept("x").empty());
  CHECK_FALSE(none.extras());
}

TEST_CASE("a context with a span alone shares nothing") { CHECK_FALSE(fg::context(span).extras()); }

TEST_CASE("a context gives back what it was made of") {
  const fg::context made(span, {{"a", "1"}}, {{"debug", "d"}});
  CHECK(made.span() == span);
  CHECK(made.baggage().get("a") == "1");
  CHECK(made.kept("debug") == "d");
  CHECK(made.kept("other").empty());
}

TEST_CASE("with_baggage keeps the span and what a propagator kept") {
  const fg::context first(span, {{"a", "1"}}, {{"debug", "d"}});
  const fg::context second = first.with_baggage({{"b", "2"}});
  CHECK(second.span() == span);
  CHECK(second.baggage() == fg::baggage{{"b", "2"}});
  CHECK(second.kept("debug") == "d");
  CHECK(first.baggage() == fg::baggage{{"a", "1"}});
}

TEST_CASE("copies share their extras and outlive each other") {
  std::optional<fg::context> first(std::in_place, span, fg::baggage{{"a", "1"}});
  fg::context second = *first;
  CHECK(second.extras().get() == first->extras().get());
  CHECK(second.extras()->references.load() == 2);
  first.reset();
  CHECK(second.extras()->references.load() == 1);
  const fg::context third = std::move(second);
  CHECK(third.baggage().get("a") == "1");
  fg::context fourth;
  fourth = third;
  fg::context const& itself = fourth;
  fourth = itself;
  CHECK(fourth.baggage().get("a") == "1");
}

#include <fulgurite/context/span_context.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

namespace {
const auto trace = fg::trace_id::from_numbers(1, 2);
const auto span = fg::span_id::from_number(3);
}  // namespace

TEST_CASE("a span context is valid with both ids only") {
  CHECK_FALSE(fg::span_context().is_valid());
  CHECK_FALSE(fg::span_context(trace, {}).is_valid());
  CHECK_FALSE(fg::span_context({}, span).is_valid());
  CHECK(fg::span_context(trace, span).is_valid());
}

TEST_CASE("a span context gives back what it was made of") {
  const fg::span_context made(trace, span, fg::trace_flags(3), true, fg::trace_state::from_header("a=1"));
  CHECK(made.trace_id() == trace);
  CHECK(made.span_id() == span);
  CHECK(made.sampled());
  CHECK(made.flags().random());
  CHECK(made.is_remote());
  CHECK(made.trace_state().get("a") == "1");
  CHECK(made == fg::span_context(made));
  CHECK_FALSE(made == fg::span_context(trace, span, fg::trace_flags(3), true));
  CHECK_FALSE(fg::span_context(trace, span).sampled());
  CHECK_FALSE(fg::span_context(trace, span).is_remote());
}

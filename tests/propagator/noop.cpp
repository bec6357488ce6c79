#include <fulgurite/propagator/noop.hpp>
#include <fulgurite/propagator/propagator.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace fg = fulgurite;

static_assert(fg::check_propagator<fg::noop_propagator>());
static_assert(std::is_empty_v<fg::noop_propagator>);

TEST_CASE("the null propagator writes nothing, reads nothing, has no fields") {
  const fg::noop_propagator none;
  const fg::context from(fg::span_context(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3)), {{"a", "1"}});
  int calls = 0;
  none.inject(from, [&](std::string_view, std::string_view) { ++calls; });
  const fg::context read = none.extract([&](std::string_view) {
    ++calls;
    return std::optional<std::string_view>("x");
  });
  CHECK(calls == 0);
  CHECK_FALSE(read.span().is_valid());
  CHECK(read.baggage().empty());
  CHECK(none.fields().size() == 0);
}

#include <fulgurite/propagator/propagator.hpp>
#include <fulgurite/propagator/w3c.hpp>

#include "fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

namespace fg = fulgurite;
using fg::w3c_propagator;

static_assert(fg::check_propagator<w3c_propagator>());
static_assert(std::is_empty_v<w3c_propagator>);

namespace {
const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
}

TEST_CASE("what was extracted is injected the same") {
  const field_list fields{{"traceparent", parent}, {"tracestate", "a=1,b=2"}, {"baggage", "k=v%20w;p"}};
  const fg::context context = extracted(w3c_propagator(), fields);
  CHECK(context.span().is_remote());
  CHECK(context.span().sampled());
  CHECK(context.span().trace_state().get("b") == "2");
  CHECK(context.baggage().get("k") == "v w");
  CHECK(injected(w3c_propagator(), context) == fields);
}

TEST_CASE("a missing or malformed part does no harm to the other") {
  fg::context context = extracted(w3c_propagator(), {{"traceparent", "malformed"}, {"baggage", "k=v"}});
  CHECK_FALSE(context.span().is_valid());
  CHECK(context.baggage().get("k") == "v");
  CHECK(injected(w3c_propagator(), context) == field_list{{"baggage", "k=v"}});

  context = extracted(w3c_propagator(), {{"traceparent", parent}, {"baggage", "malformed"}});
  CHECK(context.span().is_valid());
  CHECK(context.baggage().empty());
  CHECK(injected(w3c_propagator(), context) == field_list{{"traceparent", parent}});

  context = extracted(w3c_propagator(), {});
  CHECK_FALSE(context.span().is_valid());
  CHECK(injected(w3c_propagator(), context).empty());
}

TEST_CASE("a context with baggage keeps the trace state in both places") {
  const fg::context context =
      extracted(w3c_propagator(), {{"traceparent", parent}, {"tracestate", "a=1"}, {"baggage", "k=v"}});
  CHECK(context.extras()->trace_state == context.span().trace_state());
}

TEST_CASE("the fields are named") {
  const auto fields = w3c_propagator::fields();
  CHECK(std::vector<std::string_view>(fields.begin(), fields.end()) ==
        std::vector<std::string_view>{"traceparent", "tracestate", "baggage"});
}

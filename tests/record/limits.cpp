#include <fulgurite/record/limits.hpp>

#include <doctest/doctest.h>

TEST_CASE("the limits are OpenTelemetry's by default (trace/sdk.md, Span Limits)") {
  constexpr fulgurite::span_limits limits;
  CHECK(limits.attribute_count == 128);
  CHECK(limits.event_count == 128);
  CHECK(limits.link_count == 128);
  CHECK(limits.event_attribute_count == 128);
  CHECK(limits.link_attribute_count == 128);
  CHECK(limits.attribute_value_length == 0xffff'ffffU);  // none
}

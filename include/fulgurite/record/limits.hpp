// How much a span may hold.
#pragma once

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// OpenTelemetry, trace/sdk.md, Span Limits, and common/README.md, Attribute Limits.
struct span_limits {
  std::uint32_t attribute_count = 128;
  std::uint32_t event_count = 128;
  std::uint32_t link_count = 128;
  std::uint32_t event_attribute_count = 128;
  std::uint32_t link_attribute_count = 128;
  /// Characters of a string; bytes of a byte array.
  std::uint32_t attribute_value_length = 0xffff'ffffU;
};

}  // namespace v1
}  // namespace fulgurite

// How much a span may hold.
#pragma once

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// OpenTelemetry, trace/sdk.md, Span Limits, and common/README.md, Attribute Limits. Zero is a limit: nothing is kept.
///
/// Of attributes beyond a count the first keys stay, with the last value that each was given; what was dropped is
/// counted in the span. They hold where spans are collected, not where they are made.
struct span_limits {
  static constexpr std::uint32_t unlimited = 0xffff'ffffU;

  std::uint32_t attribute_count = 128;
  std::uint32_t event_count = 128;
  std::uint32_t link_count = 128;
  std::uint32_t event_attribute_count = 128;
  std::uint32_t link_attribute_count = 128;
  /// Characters of a string, bytes of a byte array; in arrays and maps, of each value.
  std::uint32_t attribute_value_length = unlimited;

  friend bool operator==(span_limits const&, span_limits const&) = default;
};

}  // namespace v1
}  // namespace fulgurite

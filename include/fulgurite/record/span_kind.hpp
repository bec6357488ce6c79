// The kind and the status of a span.
#pragma once

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// OpenTelemetry, trace/api.md, SpanKind.
enum class span_kind : std::uint8_t { internal, server, client, producer, consumer };

/// OpenTelemetry, trace/api.md, Set Status: ok is final, an error may be replaced by another, unset changes nothing.
enum class status_code : std::uint8_t { unset, ok, error };

}  // namespace v1
}  // namespace fulgurite

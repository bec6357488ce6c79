// The default propagator: W3C Trace Context and W3C Baggage together.
//
// Each of the two can be used by itself: trace_context.hpp, baggage.hpp.
#pragma once

#include <fulgurite/propagator/baggage.hpp>
#include <fulgurite/propagator/trace_context.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// W3C Trace Context and Baggage together: what a tracer does where nothing else is said.
class w3c_propagator {
 public:
  /// `traceparent` and `tracestate` when the span is valid, `baggage` when there is any.
  template <class Setter>
  void inject(context const& from, Setter&& setter) const {
    trace_context_propagator().inject(from, setter);
    baggage_propagator().inject(from, setter);
  }

  /// A remote span and baggage; either may be missing or malformed without harm to the other.
  template <class Getter>
  context extract(Getter&& getter) const {
    span_context one = trace_context_propagator().extract_span(getter);
    return context(std::move(one), baggage_propagator().extract_baggage(getter));
  }

  static constexpr std::array<std::string_view, 3> fields() noexcept {
    return {"traceparent", "tracestate", "baggage"};
  }
};

}  // namespace v1
}  // namespace fulgurite

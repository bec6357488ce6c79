// What of a span crosses a process boundary: identifiers, flags, trace state.
#pragma once

#include <fulgurite/context/ids.hpp>
#include <fulgurite/context/trace_flags.hpp>
#include <fulgurite/context/trace_state.hpp>

#include <utility>

namespace fulgurite {
inline namespace v1 {

/// An immutable reference to a span of this or of another process (OpenTelemetry, trace/api.md, SpanContext).
class span_context {
 public:
  span_context() = default;
  span_context(fulgurite::trace_id trace, fulgurite::span_id span, trace_flags flags = {}, bool remote = false,
               fulgurite::trace_state state = {})
      : trace_(trace), span_(span), flags_(flags), remote_(remote), state_(std::move(state)) {}

  fulgurite::trace_id const& trace_id() const noexcept { return trace_; }
  fulgurite::span_id span_id() const noexcept { return span_; }
  trace_flags flags() const noexcept { return flags_; }
  bool sampled() const noexcept { return flags_.sampled(); }
  /// It came from another process by a propagator.
  bool is_remote() const noexcept { return remote_; }
  /// Both identifiers are other than zero.
  bool is_valid() const noexcept { return trace_.is_valid() && span_.is_valid(); }
  fulgurite::trace_state const& trace_state() const noexcept { return state_; }

  friend bool operator==(span_context const&, span_context const&) = default;

 private:
  fulgurite::trace_id trace_;
  fulgurite::span_id span_;
  trace_flags flags_;
  bool remote_ = false;
  fulgurite::trace_state state_;
};

}  // namespace v1
}  // namespace fulgurite

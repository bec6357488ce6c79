// The free span: a value that may be moved and may end on another thread. It is not current by itself.
#pragma once

#include <fulgurite/span/span_base.hpp>

#include <cstdint>
#include <utility>

namespace fulgurite {
inline namespace v1 {

template <class Clock>
class span_scope;

/// Made by `tracer::start_span`; `activate(span)` makes it current for a scope. It ends when `end()` is called, or when
/// it is destroyed. It may be handed to another thread, but not be used by two at a time.
template <class Clock>
class [[nodiscard, maybe_unused]] basic_span : public detail::span_base<Clock> {
  using base = detail::span_base<Clock>;
  using base::record_;

 public:
  /// Not recording.
  basic_span() noexcept { record_.turn_off(); }

  template <class... Bound>
  basic_span(detail::pipeline_handle const& handle, span_name name, const span_options* options,
             Bound&... bound) noexcept {
    record_.turn_off();
    detail::thread_state& thread = *detail::this_thread;
    const std::uint32_t fast = thread.current.fast_pipeline;
    const std::uint32_t key = handle.key;
    if (key == 0) return;
    if (!options && fast == key) {
      this->template start_fast<false>(thread, name, bound...);
      children_fast_ = true;
      extras_ = detail::extras_ref::share(thread.current.extras);
      return;
    }
    if (!options && fast == (key | detail::unrecorded_bit)) {
      detail::thread_counts::increment(thread.current.counts->started);
      remember_unrecorded(key);
      return;
    }
    detail::span_start start = this->start_slow(handle, name, options, bound...);
    children_fast_ = start.scope.fast_pipeline == key;
    extras_ = std::move(start.extras);
    if (record_.mode() == detail::span_off && (!options || options->parent.is_current())) remember_unrecorded(key);
  }

  basic_span(basic_span&& other) noexcept { take(other); }
  basic_span& operator=(basic_span&& other) noexcept {
    if (this == &other) return *this;
    end();
    take(other);
    return *this;
  }
  ~basic_span() { end(); }

  /// Ends the span now, on this thread. Later calls do nothing.
  void end() noexcept {
    if (!this->is_recording()) return;
    const std::uint64_t now = Clock::now();
    detail::thread_state* const thread = detail::own_thread();
    if (record_.mode() == detail::span_fast && thread)
      this->end_fast(*thread);
    else
      detail::end_slow(record_, now, Clock::unit);
    record_.set_mode(detail::span_ended);
  }

  span_context context() const {
    if (record_.mode() == detail::span_off) return base::context();
    const detail::record_header& header = record_.header;
    return span_context(header.trace_id, header.span_id, trace_flags(header.flags), false,
                        extras_ ? extras_->trace_state : trace_state());
  }

 private:
  friend class span_scope<Clock>;

  /// Where the local root is not recorded, its context is the span's: another thread must not begin a trace anew.
  void remember_unrecorded(std::uint32_t pipeline) noexcept {
    detail::active_context const& current = detail::this_thread->current;
    if (current.decision != detail::local_decision::unrecorded) return;
    detail::record_header& header = record_.header;
    header.trace_id = current.trace;
    header.span_id = current.span;
    header.flags = current.flags.bits();
    header.pipeline = pipeline;
    extras_ = detail::extras_ref::share(current.extras);
    record_.set_mode(detail::span_has_context);
  }

  void take(basic_span& other) noexcept {
    children_fast_ = other.children_fast_;
    extras_ = std::move(other.extras_);
    record_.copy_from(other.record_);
    other.record_.turn_off();
  }

  bool children_fast_ = false;
  detail::extras_ref extras_;
};

/// What `start_span` gives: movable, not current by itself, may end on another thread.
using span = basic_span<tsc_clock>;

/// A scope in which a free span is current; made by `activate`.
template <class Clock>
class [[nodiscard, maybe_unused]] span_scope {
 public:
  explicit span_scope(basic_span<Clock> const& of) noexcept {
    const std::uint8_t mode = of.record_.mode();
    if (mode == detail::span_off) return;
    detail::thread_state* const thread = detail::own_thread();
    if (!thread) return;
    // A span that may be moved is not const itself; what is set in this scope may lie in this thread's ring.
    auto& header = const_cast<detail::record_header&>(of.record_.header);
    header.marks = static_cast<std::uint8_t>(header.marks | detail::mark_activated);
    const bool recorded = (mode & detail::span_has_context) == 0;
    detail::active_context active;
    active.trace = header.trace_id;
    active.span = header.span_id;
    active.flags = trace_flags(header.flags);
    active.decision = recorded ? detail::local_decision::recorded : detail::local_decision::unrecorded;
    active.counts = detail::counts_of(*thread, header.pipeline);
    if (!active.counts) return;
    if (recorded && of.children_fast_) active.fast_pipeline = header.pipeline;
    constexpr std::uint8_t marks =
        Clock::unit == clock_unit::ticks ? 0 : detail::mark_start_in_nanoseconds | detail::mark_end_in_nanoseconds;
    active.record_bits = detail::header_bits(header.flags, marks) | thread->generation_bits;
    detail::enter_scope(*thread, link_, active, of.extras_);
    thread_ = thread;
  }
  span_scope(span_scope const&) = delete;
  span_scope& operator=(span_scope const&) = delete;
  ~span_scope() {
    if (thread_) detail::leave_scope(*thread_, link_);
  }

 private:
  detail::thread_state* thread_ = nullptr;
  detail::scope_link link_;
};

/// Makes a span current until the returned scope ends. The span must not be moved meanwhile on another thread.
template <class Clock>
span_scope<Clock> activate(basic_span<Clock> const& of) noexcept {
  return span_scope<Clock>(of);
}

}  // namespace v1
}  // namespace fulgurite

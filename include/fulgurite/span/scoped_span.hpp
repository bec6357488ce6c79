// The span of a scope: current on its thread from the declaration to the closing brace.
#pragma once

#include <fulgurite/span/span_base.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Made by `tracer::trace_context`. It can be neither copied nor moved: it belongs to its scope. An exception that
/// leaves the scope marks it an error.
template <class Clock>
class [[nodiscard, maybe_unused]] basic_scoped_span : public detail::span_base<Clock> {
  using base = detail::span_base<Clock>;
  using base::mode_;
  using base::record_;

 public:
  template <class... Bound>
  [[gnu::always_inline]] basic_scoped_span(detail::pipeline_handle const& handle, span_name name,
                                           Bound&... bound) noexcept {
    detail::thread_state& thread = *detail::this_thread;
    const std::uint32_t difference = thread.current.fast_pipeline ^ handle.key;
    if (difference == 0) [[likely]] {
      uncaught_ = *thread.uncaught_exceptions;
      this->start_fast(thread, handle.key, name, bound...);
      thread.current.span = record_.header.span_id;
    } else if (difference == detail::unrecorded_bit) {
      mode_ = detail::span_off;
      detail::thread_counts::increment(thread.current.counts->started);
    } else if (handle.key == 0)
      mode_ = detail::span_off;
    else if (thread.current.fast_pipeline == detail::at_rest && this->start_root(handle, name, bound...))
      uncaught_ = *thread.uncaught_exceptions;
    else
      enter(this->start_slow(handle, name, nullptr, bound...));
  }

  template <class... Bound>
  basic_scoped_span(detail::pipeline_handle const& handle, span_name name, span_options const& options,
                    Bound&... bound) noexcept {
    mode_ = detail::span_off;
    if (handle.key != 0) enter(this->start_slow(handle, name, &options, bound...));
  }

  [[gnu::always_inline]] ~basic_scoped_span() {
    if (mode_ == detail::span_fast) [[likely]] {
      const std::uint64_t now = Clock::now();
      detail::thread_state& thread = *detail::this_thread;
      mark_unwound(thread);
      this->end_fast(thread, now);
      leave_fast(thread);
    } else if ((mode_ & detail::span_root) != 0)
      close_root();
    else if (mode_ != detail::span_off)
      close();
  }

  /// Ends the span now; it stays current until the scope ends. Later calls do nothing.
  void end() noexcept {
    const std::uint64_t now = Clock::now();
    if ((mode_ & detail::span_fast) != 0) {
      this->end_fast(*detail::this_thread, now);
      mode_ = static_cast<std::uint8_t>((mode_ & detail::span_root) | detail::span_ended);
    } else if ((mode_ & detail::span_slow) != 0) {
      detail::end_slow(record_, mode_, now, Clock::unit);
      mode_ = static_cast<std::uint8_t>((mode_ & detail::span_in_scope) | detail::span_ended);
    }
  }

 private:
  /// For roots and whatever else is not a plain child: the whole current context changes.
  [[gnu::noinline]] void enter(detail::span_start&& start) noexcept {
    if (mode_ == detail::span_off) return;
    detail::thread_state& thread = *detail::this_thread;
    uncaught_ = *thread.uncaught_exceptions;
    auto* link = ::new (static_cast<void*>(link_)) detail::scope_link;
    detail::enter_scope(thread, *link, start.scope, std::move(start.extras));
    mode_ = static_cast<std::uint8_t>(mode_ | detail::span_in_scope);
  }

  /// What is unusual is left by a tail call, so that the usual way needs no register saved.
  [[gnu::noinline]] void close_root() noexcept {
    const std::uint64_t now = Clock::now();
    detail::thread_state& thread = *detail::this_thread;
    mark_unwound(thread);
    const std::uint32_t size = static_cast<std::uint32_t>(sizeof(detail::record_header)) + record_.used;
    const bool usual =
        (mode_ & detail::span_fast) != 0 && thread.current.span == record_.header.span_id && !thread.scopes;
    const detail::claimed_place place = usual ? detail::try_claim(thread, size) : detail::claimed_place();
    if (!place) [[unlikely]]
      return close_root_slowly(now);
    this->write_record(now, place, size);
    detail::rest(thread);
  }
  [[gnu::noinline, gnu::cold]] void close_root_slowly(std::uint64_t now) noexcept {
    detail::thread_state& thread = *detail::this_thread;
    if ((mode_ & detail::span_fast) != 0) this->end_fast(thread, now);
    if (thread.current.span == record_.header.span_id && !thread.scopes)
      detail::rest(thread);
    else
      detail::rest_out_of_order(thread, record_.header.trace_id);
  }

  [[gnu::noinline]] void close() noexcept {
    detail::thread_state& thread = *detail::this_thread;
    if ((mode_ & detail::span_slow) != 0) {
      const std::uint64_t now = Clock::now();
      mark_unwound(thread);
      detail::end_slow(record_, mode_, now, Clock::unit);
    }
    if ((mode_ & detail::span_in_scope) != 0) {
      auto* link = std::launder(reinterpret_cast<detail::scope_link*>(link_));
      detail::leave_scope(thread, *link);
      link->~scope_link();
    } else if (mode_ == detail::span_ended)
      leave_fast(thread);
  }

  [[gnu::always_inline]] void mark_unwound(detail::thread_state& thread) noexcept {
    if (*thread.uncaught_exceptions > uncaught_ && record_.header.status != status_code::ok) [[unlikely]] {
      record_.header.status = status_code::error;
      record_.header.marks = static_cast<std::uint8_t>(record_.header.marks | detail::mark_unwound);
    }
  }

  /// Makes the parent current again, unless another span has become current that is still open.
  [[gnu::always_inline]] void leave_fast(detail::thread_state& thread) noexcept {
    if (thread.current.span == record_.header.span_id) thread.current.span = record_.header.parent_span_id;
  }

  unsigned uncaught_;
  alignas(detail::scope_link) std::byte link_[sizeof(detail::scope_link)];  // in use with span_in_scope
};

/// What `trace_context` gives: current on its thread until the brace.
using scoped_span = basic_scoped_span<tsc_clock>;

}  // namespace v1
}  // namespace fulgurite

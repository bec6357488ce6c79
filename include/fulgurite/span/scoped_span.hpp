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
  using base::record_;

 public:
  template <class... Bound>
  [[gnu::always_inline]] basic_scoped_span(detail::pipeline_handle const& handle, span_name name,
                                           Bound&... bound) noexcept {
    detail::thread_state& thread = *detail::this_thread;
    std::uint32_t& fast = thread.current.fast_pipeline;
    const std::uint32_t key = handle.key;
    if (fast == key) [[likely]] {
      uncaught_ = *thread.uncaught_exceptions;
      this->template start_fast<true>(thread, name, bound...);
      return;
    }
    asm("" : "+m"(fast));  // it is compared where it lies, not loaded for all the comparisons
    if (fast == key + detail::unrecorded_bit) {
      record_.turn_off();
      detail::thread_counts::increment(thread.current.counts->started);
    } else if (key == 0)
      record_.turn_off();
    else
      start_other(handle, name, bound.again()...);
  }

  template <class... Bound>
  basic_scoped_span(detail::pipeline_handle const& handle, span_name name, span_options const& options,
                    Bound&... bound) noexcept {
    record_.turn_off();
    if (handle.key != 0) enter(this->start_slow(handle, name, &options, bound...));
  }

  [[gnu::always_inline]] ~basic_scoped_span() {
    const std::uint64_t size = record_.header.size;
    if (static_cast<std::int32_t>(size) > 0) [[likely]] {
      detail::thread_state& thread = *detail::this_thread;
      mark_unwound(thread);
      const span_id parent = record_.header.parent_span_id;
      const detail::claimed_place place = detail::try_claim(thread, size);
      if (!place) [[unlikely]] {
        close_slowly();
        return;
      }
      this->write_record(place, size, parent);
      place.publish();
      if (thread.current.span == record_.header.span_id) thread.current.span = parent;
    } else if (static_cast<std::int32_t>(size) != 0)
      close();
  }

  /// Ends the span now; it stays current until the scope ends. Later calls do nothing.
  void end() noexcept {
    const std::uint8_t mode = record_.mode();
    if ((mode & detail::span_fast) != 0) {
      this->end_fast(*detail::this_thread);
      record_.set_mode(static_cast<std::uint8_t>((mode & detail::span_root) | detail::span_ended));
    } else if ((mode & detail::span_slow) != 0) {
      detail::end_slow(record_, Clock::now(), Clock::unit);
      record_.set_mode(static_cast<std::uint8_t>((mode & detail::span_in_scope) | detail::span_ended));
    }
  }

 private:
  /// A root, or what else cannot take the fast path.
  template <class... Bound>
  [[gnu::noinline]] void start_other(detail::pipeline_handle const& handle, span_name name, Bound&&... bound) noexcept {
    detail::thread_state& thread = *detail::this_thread;
    if (thread.current.fast_pipeline == detail::at_rest && this->start_root(thread, handle, name, bound...))
      uncaught_ = *thread.uncaught_exceptions;
    else
      start_and_enter(handle, name, bound...);
  }
  template <class... Bound>
  [[gnu::noinline]] void start_and_enter(detail::pipeline_handle const& handle, span_name name,
                                         Bound&... bound) noexcept {
    enter(this->start_slow(handle, name, nullptr, bound...));
  }

  /// For roots and whatever else is not a plain child: the whole current context changes.
  [[gnu::noinline]] void enter(detail::span_start&& start) noexcept {
    const std::uint8_t mode = record_.mode();
    if (mode == detail::span_off) return;
    detail::thread_state& thread = *detail::this_thread;
    uncaught_ = *thread.uncaught_exceptions;
    auto* link = ::new (static_cast<void*>(link_)) detail::scope_link;
    detail::enter_scope(thread, *link, start.scope, std::move(start.extras));
    record_.set_mode(static_cast<std::uint8_t>(mode | detail::span_in_scope));
  }

  /// The end of all that is no child on the fast path. What is not the usual end of a root is left by a tail call, so
  /// that the usual way needs no register saved.
  [[gnu::noinline]] void close() noexcept {
    detail::thread_state& thread = *detail::this_thread;
    mark_unwound(thread);
    const std::uint32_t size = record_.size();
    const bool usual = record_.is_special(detail::span_root | detail::span_fast) &&
                       thread.current.span == record_.header.span_id && !thread.scopes;
    const detail::claimed_place place = usual ? detail::try_claim(thread, size) : detail::claimed_place();
    if (!place) [[unlikely]]
      return close_slowly();
    this->write_special_record(place, size);
    place.publish();
    detail::rest(thread);
  }
  [[gnu::noinline]] void close_slowly() noexcept {
    detail::thread_state& thread = *detail::this_thread;
    const std::uint8_t mode = record_.mode();
    if ((mode & detail::span_fast) != 0) this->end_fast(thread);
    if ((mode & detail::span_slow) != 0) detail::end_slow(record_, Clock::now(), Clock::unit);
    if ((mode & detail::span_root) != 0) {
      if (thread.current.span == record_.header.span_id && !thread.scopes)
        detail::rest(thread);
      else
        detail::rest_out_of_order(thread, record_.header.trace_id);
    } else if ((mode & detail::span_in_scope) != 0) {
      auto* link = std::launder(reinterpret_cast<detail::scope_link*>(link_));
      detail::leave_scope(thread, *link);
      link->~scope_link();
    } else if (thread.current.span == record_.header.span_id)
      thread.current.span = record_.header.parent_span_id;
  }

  [[gnu::always_inline]] void mark_unwound(detail::thread_state& thread) noexcept {
    if (*thread.uncaught_exceptions > uncaught_ && record_.header.status != status_code::ok) [[unlikely]] {
      record_.header.status = status_code::error;
      record_.header.marks = static_cast<std::uint8_t>(record_.header.marks | detail::mark_unwound);
    }
  }

  unsigned uncaught_;
  alignas(detail::scope_link) std::byte link_[sizeof(detail::scope_link)];  // in use with span_in_scope
};

/// What `trace_context` gives: current on its thread until the brace.
using scoped_span = basic_scoped_span<tsc_clock>;

}  // namespace v1
}  // namespace fulgurite

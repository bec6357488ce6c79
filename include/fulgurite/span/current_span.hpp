// Setting something on the current span without having the span object: from deep inside a call chain.
//
// What is set travels as a piece under the current span's id; the collector joins it with the span's record. It costs a
// record of its own, so the span object is the cheaper way where there is one.
#pragma once

#include <fulgurite/span/start.hpp>
#include <fulgurite/text/ascii.hpp>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Calls `set(open_record&)` with an empty record under the current span's id and sends what it wrote as a piece.
template <class Set>
void on_current_span(Set&& set) noexcept {
  thread_state& thread = seen_thread();
  active_context const& current = thread.current;
  if (current.decision != local_decision::recorded || !current.counts) return;
  open_record record;
  record.header = {};
  record.header.span_id = current.span;
  record.header.trace_id = current.trace;
  record.header.pipeline = current.counts->pipeline.load(std::memory_order_relaxed);
  record.header.marks = mark_piece;
  record.clear_payload();
  set(record);
  record.write_dropped_counts();
  record.send_piece(thread);
}

/// The present time as the current span's clock gives it, whatever clock the asking tracer has.
inline std::uint64_t current_span_time() noexcept {
  static const bool ticks_usable = tsc_usable();
  const bool ticks = tsc_clock::unit == clock_unit::ticks && ticks_usable &&
                     (seen_thread().current.record_bits & header_bits(0, mark_end_in_nanoseconds)) == 0;
  return ticks ? tsc_clock::now() : steady_clock::now();
}

/// The status named by Agent Lightning's texts, `OK` and `ERROR` in any case; unset for any other.
constexpr status_code status_named(std::string_view text) noexcept {
  if (equal_ignoring_case(text, "ok")) return status_code::ok;
  return equal_ignoring_case(text, "error") ? status_code::error : status_code::unset;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

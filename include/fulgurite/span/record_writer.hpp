// From a span into its thread's ring.
#pragma once

#include <fulgurite/span/pipeline.hpp>

#include <cstddef>
#include <cstdint>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Takes the record's header, not its parts: on the way without a call they need not be loaded.
[[gnu::noinline, gnu::cold]] inline bool make_room_or_drop(thread_state& thread, std::uint64_t size,
                                                           record_header const& header, bool is_piece) noexcept {
  const std::uint32_t pipeline = header.pipeline;
  if (&thread == &nothing_yet) {  // a span of another thread ends here, the first that this thread sees
    if (thread_state* own = attach_thread())
      if (thread_counts* counts = counts_of(*own, pipeline)) thread_counts::increment(counts->dropped_queue_full);
    return false;
  }
  if (make_room(thread, size, [] { engine::instance().wake(); })) return true;
  if (!is_piece)
    if (thread_counts* counts = counts_of(thread, pipeline)) thread_counts::increment(counts->dropped_queue_full);
  return false;
}

/// Where the next record goes, when there is room.
[[gnu::always_inline]] inline std::byte* place_for(thread_state& thread) noexcept {
  return thread.writer.data + (thread.writer.tail & thread.writer.mask);
}

/// Where a record of `size` bytes goes, or null when there is no room: it is counted then.
[[gnu::always_inline]] inline std::byte* reserve(thread_state& thread, std::uint64_t size, record_header const& header,
                                                 bool is_piece = false) noexcept {
  if (thread.writer.tail + size > thread.writer.limit) [[unlikely]]
    if (!make_room_or_drop(thread, size, header, is_piece)) return nullptr;
  std::byte* const out = place_for(thread);
  if (!out) __builtin_unreachable();  // spares the caller's test on the way without a drop
  return out;
}

/// Makes the reserved record visible to the collector.
[[gnu::always_inline]] inline void publish(thread_state& thread, std::uint64_t size) noexcept {
  thread.writer.tail += size;
  thread.writer.published->store(thread.writer.tail, std::memory_order_release);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

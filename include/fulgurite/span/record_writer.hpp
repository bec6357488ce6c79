// From a span into its thread's ring.
#pragma once

#include <fulgurite/pipeline/pipeline.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The place of a record in the thread's ring; false when there is none.
struct claimed_place {
  std::byte* out = nullptr;
  std::uint64_t end = 0;
  std::atomic<std::uint64_t>* published = nullptr;

  explicit operator bool() const noexcept { return out != nullptr; }
  /// Makes the record visible to the collector.
  [[gnu::always_inline]] void publish() const noexcept { published->store(end, std::memory_order_release); }
};

/// Claims `size` bytes. A record is written in three steps: the tail moves over its place, its octets are written, the
/// tail is published. In between the two tails differ, by which a signal handler that traces knows what it has
/// interrupted: its record is dropped and counted.
[[gnu::always_inline]] inline claimed_place try_claim(thread_state& thread, std::uint64_t size) noexcept {
  ring_writer& writer = thread.writer;
  const std::uint64_t begin = fetch_add_in_place(writer.tail, size), end = begin + size;
  std::atomic<std::uint64_t>* const published = writer.published;
  if (end > writer.limit || *reinterpret_cast<const std::uint64_t*>(published) != begin) [[unlikely]] {
    add_in_place(writer.tail, std::uint64_t{0} - size);
    return {};
  }
  std::byte* const out = writer.place(begin);
  if (!out) __builtin_unreachable();  // spares the caller's test
  return {out, end, published};
}

/// Waits while the pipeline's overflow policy says so; true when there is room.
[[gnu::noinline, gnu::cold]] inline bool wait_for_room(thread_state& thread, std::uint64_t size,
                                                       std::uint32_t pipeline) noexcept {
  constexpr long shortest = 20'000, longest = 1'000'000;  // nanoseconds
  const uncancelled here;
  for (long pause = shortest; engine::instance().may_wait_for(pipeline); pause = std::min(2 * pause, longest)) {
    engine::instance().wake();
    const timespec nap{0, pause};
    nanosleep(&nap, nullptr);
    if (make_room(thread, size, [] { engine::instance().wake(); })) return true;
  }
  return false;
}

/// A record from this size on is not dropped while the collector keeps up with this thread alone.
inline constexpr std::uint64_t large_record = 4096;

/// What try_claim denied: grows or makes the ring, or counts the record as dropped. Takes the record's header,
/// not its parts: on the way without a call they need not be loaded.
[[gnu::noinline, gnu::cold]] inline bool make_room_or_drop(thread_state& thread, std::uint64_t size,
                                                           record_header const& header, bool is_piece) noexcept {
  const std::uint32_t pipeline = header.pipeline;
  if (&thread == &nothing_yet) {  // a span of another thread ends here, the first that this thread sees
    if (thread_state* own = attach_thread())
      if (thread_counts* counts = counts_of(*own, pipeline)) thread_counts::increment(counts->dropped_queue_full);
    return false;
  }
  const library_call call(thread);
  ring_writer const& writer = thread.writer;
  const bool interrupts = thread.owned_ring.load(std::memory_order_relaxed) &&
                          writer.published->load(std::memory_order_relaxed) != writer.tail;
  if (call.is_nested() || interrupts) {
    if (!is_piece)
      if (thread_counts* counts = counts_of(thread, pipeline)) thread_counts::increment(counts->dropped_signal);
    return false;
  }
  engine::instance().ensure_worker();
  const auto wake = [] { engine::instance().wake(); };
  if (make_room(thread, size, wake) || wait_for_room(thread, size, pipeline)) return true;
  // What one span alone can fill the ring with is worth the time that it takes to empty it here.
  const bool beside = (header.marks & mark_piece) != 0;
  if (size >= large_record || beside) {
    engine::instance().collect();
    if (make_room(thread, size, wake)) return true;
  }
  if (!is_piece)
    if (thread_counts* counts = counts_of(thread, pipeline)) thread_counts::increment(counts->dropped_queue_full);
  return false;
}

/// The place of a record; where there is no room for it, it is counted.
[[gnu::always_inline]] inline claimed_place reserve(thread_state& thread, std::uint64_t size,
                                                    record_header const& header, bool is_piece = false) noexcept {
  for (;;) {
    if (const claimed_place place = try_claim(thread, size)) [[likely]]
      return place;
    if (!make_room_or_drop(thread, size, header, is_piece)) return {};
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

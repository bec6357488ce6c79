// A thread's ring: one producer, one consumer, bytes.
//
// Positions only grow; a position's place is its low bits. The storage is twice the capacity, so a record never wraps
// and is written and read in one piece. The ring starts small; when it is full the producer links one of twice the size
// behind it and goes on there, and the consumer follows when it has emptied the old one. A full ring of the largest
// size drops the record.
#pragma once

#include <fulgurite/context/thread_state.hpp>
#include <fulgurite/platform/pages.hpp>
#include <fulgurite/record/packed_record.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::uint64_t smallest_ring = 32 * 1024;
inline constexpr std::uint64_t largest_ring = 256 * 1024;
/// A writer may copy this much beyond its record's end: whole vectors are cheaper than an exact count.
inline constexpr std::uint64_t ring_slack = 32;

struct ring {
  std::byte* data = nullptr;
  std::uint64_t capacity = 0;
  /// The larger ring that the producer has gone on to.
  std::atomic<ring*> next{nullptr};
  alignas(64) std::atomic<std::uint64_t> tail{0};  // written by the producer
  alignas(64) std::atomic<std::uint64_t> head{0};  // written by the consumer

  /// Null when there is no memory. The pages that records will touch are touched here, where it does not hurt.
  static ring* make(std::uint64_t capacity) noexcept {
    auto* const storage = static_cast<std::byte*>(allocate_pages(own_size + capacity * 2));
    if (!storage) return nullptr;
    ring* const made = ::new (static_cast<void*>(storage)) ring;
    made->data = storage + own_size;
    made->capacity = capacity;
    std::memset(made->data, 0, capacity);
    return made;
  }
  static void destroy(ring* old) noexcept { free_pages(old, own_size + old->capacity * 2); }

 private:
  static constexpr std::size_t own_size = 4096;  // before the records, so that these begin at a page
};

inline void use_ring(thread_state& thread, ring& fresh) noexcept {
  thread.owned_ring.store(&fresh, std::memory_order_release);
  thread.writer = {reinterpret_cast<std::uintptr_t>(fresh.data), 0, 0, &fresh.tail};
  std::atomic_signal_fence(std::memory_order_seq_cst);
  thread.writer.limit = fresh.capacity / 2 - ring_slack;
}

/// A capacity of at least `least` that holds a record of `size` bytes.
constexpr std::uint64_t large_enough(std::uint64_t least, std::uint64_t size) noexcept {
  const std::uint64_t needed = std::bit_ceil(size + ring_slack);
  return needed > least ? needed : least;
}

/// Makes room for a record of `size` bytes at the writer's tail, or says that there is none. `wake` is called when the
/// worker has something to do: the ring is half full, or full.
template <class Wake>
[[gnu::noinline, gnu::cold]] bool make_room(thread_state& thread, std::uint64_t size, Wake&& wake) noexcept {
  // A signal handler that traces meanwhile finds no room, and does not come here: see span/record_writer.hpp.
  thread.writer.limit = 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  ring* current = thread.owned_ring.load(std::memory_order_relaxed);
  if (!current) {
    current = ring::make(large_enough(smallest_ring, size));
    if (!current) return false;
    thread.first_ring.store(current, std::memory_order_release);
    use_ring(thread, *current);
  }
  const std::uint64_t tail = thread.writer.tail;
  const std::uint64_t end_of_free = current->head.load(std::memory_order_acquire) + current->capacity - ring_slack;
  if (tail + size > end_of_free || size + ring_slack > current->capacity) {
    wake();
    if (current->capacity >= largest_ring && size + ring_slack <= current->capacity) return false;
    ring* larger = ring::make(large_enough(current->capacity * 2, size));
    if (!larger) return false;
    current->next.store(larger, std::memory_order_release);
    use_ring(thread, *larger);
    return true;
  }
  const std::uint64_t half = end_of_free - current->capacity / 2;
  const bool beyond_half = tail + size > half;
  if (beyond_half) wake();
  // No record begins in the next lap without coming here, so that the writer need not find its place in it.
  const std::uint64_t lap = tail & ~(current->capacity - 1);
  thread.writer.origin = reinterpret_cast<std::uintptr_t>(current->data) - lap;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  thread.writer.limit = std::min(beyond_half ? end_of_free : half, std::max(lap + current->capacity, tail + size));
  return true;
}

/// Hands every record that is in the thread's rings to `take(std::byte*) -> bool`, up to one that it does not take.
template <class Take>
void drain(thread_state& thread, Take&& take) {
  ring* from = thread.first_ring.load(std::memory_order_acquire);
  while (from) {
    // Read before the tail: when a larger ring is there, the tail of this one is final.
    ring* const larger = from->next.load(std::memory_order_acquire);
    const std::uint64_t tail = from->tail.load(std::memory_order_acquire);
    std::uint64_t head = from->head.load(std::memory_order_relaxed);
    while (head != tail) {
      std::byte* record = from->data + (head & (from->capacity - 1));
      const auto size = reinterpret_cast<const record_header*>(record)->size;
      if (!take(record)) return;
      head += size;
      from->head.store(head, std::memory_order_release);
    }
    if (!larger) return;
    thread.first_ring.store(larger, std::memory_order_release);
    ring::destroy(from);
    from = larger;
  }
}

inline bool is_empty(thread_state& thread) noexcept {
  const ring* from = thread.first_ring.load(std::memory_order_acquire);
  return !from || (!from->next.load(std::memory_order_acquire) &&
                   from->tail.load(std::memory_order_acquire) == from->head.load(std::memory_order_relaxed));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

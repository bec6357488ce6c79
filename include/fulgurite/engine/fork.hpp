// What the child of a fork must forget: the other threads, and every record that they and it had made.
//
// Both processes go on tracing. What the parent had recorded the parent delivers; what is open on the thread that forks
// stays the parent's, and the child's copy of it ends in nothing, but is still the parent of what the child starts.
// Spans carry the generation of their process for that (record/packed_record.hpp).
#pragma once

#include <fulgurite/context/thread_state.hpp>
#include <fulgurite/engine/ring.hpp>
#include <fulgurite/record/packed_record.hpp>

#include <pthread.h>
#include <atomic>
#include <cstdint>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Forgets what a thread has counted and recorded; `stays` is true for the one that goes on in the child.
inline void forget_records(thread_state& thread, bool stays) noexcept {
  for (thread_counts* counts = thread.counts.load(std::memory_order_relaxed); counts; counts = counts->next)
    counts->forget();
  if (stays) {
    // Its rings stay: a signal handler may have forked in the middle of a record.
    for (ring* each = thread.first_ring.load(std::memory_order_acquire); each;
         each = each->next.load(std::memory_order_acquire))
      each->head.store(each->tail.load(std::memory_order_relaxed), std::memory_order_relaxed);
    thread.writer.limit = 0;  // the next record comes by make_room_or_drop, which starts the worker
    return;
  }
  for (ring* each = thread.first_ring.exchange(nullptr); each;) {
    ring* const following = each->next.load(std::memory_order_acquire);
    ring::destroy(each);
    each = following;
  }
  thread.owned_ring.store(nullptr, std::memory_order_relaxed);
  thread.writer = {};
  thread.closed.store(false, std::memory_order_relaxed);
  thread.in_use.store(false, std::memory_order_release);
}

/// In the child: one generation on, with ids of its own.
inline void begin_generation() noexcept {
  process_state& shared = process();
  const auto next = static_cast<std::uint8_t>((generation_of(shared.generation_bits) + 1) & 0x0f);
  shared.generation_bits = header_bits(0, 0, next);
  thread_state* const own = static_cast<thread_state*>(pthread_getspecific(shared.exit_key));
  for (thread_state* each = shared.threads.load(std::memory_order_acquire); each; each = each->next)
    forget_records(*each, each == own);
  if (!own) return;
  const auto renew = [&](active_context& context) {
    context.record_bits = (context.record_bits & ~header_bits(0, 0, 0x0f)) | shared.generation_bits;
  };
  own->generation_bits = shared.generation_bits;
  own->random = random_seed(own);
  own->trace_seed = random_seed(&own->random) | 1;
  renew(own->current);
  for (scope_link* scope = own->scopes; scope; scope = scope->outer) renew(scope->saved);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

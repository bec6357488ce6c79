// The state of a thread: what is current on it, and where it records.
//
// Every object of a program reaches its thread's state through one `constinit thread_local` pointer. It begins at a
// shared "nothing yet" state whose key no tracer has, so the first span of a thread takes the slow path by itself and
// the fast path tests for nothing. States are never freed, only handed to later threads: a worker may still read one.
#pragma once

#include <fulgurite/context/context.hpp>
#include <fulgurite/context/random.hpp>
#include <fulgurite/platform/pages.hpp>
#include <fulgurite/platform/process_wide.hpp>

#include <cxxabi.h>
#include <pthread.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::uint32_t no_pipeline = 0xffff'ffffU;
inline constexpr std::uint32_t unrecorded_bit = 0x8000'0000U;
/// In active_context::fast_pipeline of a thread that has a state of its own: nothing is current, a local root may
/// begin.
inline constexpr std::uint32_t at_rest = 0xffff'fffeU;

/// One instruction where the compiler may make three: a signal handler comes before it or after it.
[[gnu::always_inline]] inline void add_in_place(std::uint64_t& number, std::uint64_t addend) noexcept {
#if defined(__x86_64__)
  asm volatile("addq %1, %0" : "+m"(number) : "er"(addend) : "cc", "memory");
#else
  number += addend;
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// The same, and the number as it was before: one instruction, not a locked one.
[[gnu::always_inline]] inline std::uint64_t fetch_add_in_place(std::uint64_t& number, std::uint64_t addend) noexcept {
#if defined(__x86_64__)
  asm volatile("xaddq %0, %1" : "+r"(addend), "+m"(number) : : "cc", "memory");
  return addend;
#else
  const std::uint64_t before = number;
  number += addend;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return before;
#endif
}

/// What the local root decided for the spans below it.
enum class local_decision : std::uint8_t {
  none,       ///< no local root: the next span is one, and asks its sampler
  recorded,   ///< children are recorded
  unrecorded  ///< children are not recorded
};

/// A pipeline's counters on one thread. The owning thread alone writes them, without a locked instruction.
struct thread_counts {
  std::atomic<std::uint32_t> pipeline{0};
  thread_counts* next = nullptr;
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> dropped_queue_full{0};
  std::atomic<std::uint64_t> dropped_signal{0};

  /// Begins with nothing again.
  void forget() noexcept {
    for (auto* count : {&started, &dropped_queue_full, &dropped_signal}) count->store(0, std::memory_order_relaxed);
  }
  /// One instruction where the compiler makes three of a relaxed load and a relaxed store.
  [[gnu::always_inline]] static void increment(std::atomic<std::uint64_t>& counter) noexcept {
#if defined(__x86_64__)
    asm("addq $1, %0" : "+m"(reinterpret_cast<std::uint64_t&>(counter)) : : "cc");
#else
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
#endif
  }
};

/// The current context, saved and restored as a whole by local roots and scopes; a child changes `span` alone.
struct active_context {
  // These four stand as in a record's header (record/packed_record.hpp), into which a child copies them as they are.
  trace_id trace;
  std::uint32_t record_size = 80;  // of a record without attributes
  /// The pipeline whose children take the fast path: its key, or its key with the bit `unrecorded_bit` where the local
  /// root is not recorded; no_pipeline when there is none.
  std::uint32_t fast_pipeline = no_pipeline;
  /// Trace flags and marks of the headers of children, and their generation.
  std::uint64_t record_bits = 0;

  span_id span;
  const context_extras* extras = nullptr;  // kept alive by the scope that set it
  thread_counts* counts = nullptr;
  local_decision decision = local_decision::none;
  trace_flags flags;
  bool remote = false;
};

/// A scope that set the whole current context: a local root, an activated span, baggage. Scopes form a list, so that
/// one which ends out of order can be taken from the middle of it.
struct scope_link {
  active_context saved;
  scope_link* outer = nullptr;
  extras_ref held;
};

struct ring;

/// What a thread without a state of its own counts, and where a thread without a ring is in it.
inline constinit const unsigned no_exceptions = 0;
inline constinit thread_counts no_counts{};
inline constinit std::atomic<std::uint64_t> no_position{~std::uint64_t{0}};

/// The producer's side of the thread's ring (engine/ring.hpp), in plain fields: no other thread reads them.
struct ring_writer {
  /// Where the position 0 would lie, if the storage began there that the present lap goes through.
  std::uintptr_t origin = 0;
  std::uint64_t tail = 0;
  /// A record may end here without a look at the consumer: the next wake-up mark, or the end of the free space.
  std::uint64_t limit = 0;
  std::atomic<std::uint64_t>* published = &no_position;

  [[gnu::always_inline]] std::byte* place(std::uint64_t position) const noexcept {
    return reinterpret_cast<std::byte*>(origin + position);
  }
};

inline constexpr std::size_t thread_page_size = 4096;

struct thread_state {
  active_context current;
  std::uint64_t random = 0;
  /// Makes trace ids differ between threads whose streams meet: 64 bits more than the stream's own state.
  std::uint64_t trace_seed = 0;
  /// The number of exceptions in flight on this thread, as the C++ runtime counts it.
  const unsigned* uncaught_exceptions = &no_exceptions;
  ring_writer writer;
  scope_link* scopes = nullptr;
  /// The process's generation, where it stands in a record header's last word (record/packed_record.hpp).
  std::uint64_t generation_bits = 0;
  /// The counters that a local root used last; nobody's before the first.
  thread_counts* recent_counts = &no_counts;
  /// The library works here itself: nothing on this thread is traced.
  bool suppressed = false;
  /// A function of the library that must not be entered again, by a signal handler, is at work: see library_call.
  bool in_library = false;

  // Cold from here on.
  std::atomic<ring*> owned_ring{nullptr};       // where the thread writes; made when its first record is
  std::atomic<ring*> first_ring{nullptr};       // where the collector reads
  std::atomic<thread_counts*> counts{nullptr};  // a list, one entry a pipeline; only ever grows
  std::atomic<std::uintptr_t> free_memory{0};   // in a page of its own, for those entries
  std::atomic<bool> closed{false};              // the thread has ended
  std::atomic<bool> in_use{true};
  thread_state* next = nullptr;  // all states of the process
};

/// What the whole process shares at this layer. Never destroyed.
struct process_state {
  std::atomic<thread_state*> threads{nullptr};
  std::uint64_t generation_bits = 0;  // changes in the child of a fork only
  pthread_key_t exit_key{};

  process_state() noexcept {
    // A key's destructor runs after those of C++ thread_local objects, so they may still trace.
    pthread_key_create(&exit_key, [](void* state) {
      auto* self = static_cast<thread_state*>(state);
      forget_current_thread();
      self->closed.store(true, std::memory_order_release);
    });
  }
  static void forget_current_thread() noexcept;
};

inline process_state& process() noexcept { return one_in_process<process_state, process_part::threads>(); }

inline constinit thread_state nothing_yet{};
inline constinit thread_local thread_state* this_thread = &nothing_yet;

inline void process_state::forget_current_thread() noexcept { this_thread = &nothing_yet; }

/// The address of the runtime's count of exceptions in flight: the second member of the Itanium C++ ABI's
/// `__cxa_eh_globals`. Reading it through this address costs one instruction, `std::uncaught_exceptions()` fifteen.
inline const unsigned* uncaught_exceptions_address() noexcept {
  return reinterpret_cast<const unsigned*>(reinterpret_cast<const char*>(abi::__cxa_get_globals()) + sizeof(void*));
}

static_assert(sizeof(thread_state) + 16 * sizeof(thread_counts) < thread_page_size);

/// Marks a part of the library, off the hot path, that a signal handler must not enter while it is at work.
class library_call {
 public:
  explicit library_call(thread_state& thread) noexcept : thread_(thread), nested_(thread.in_library) {
    thread.in_library = true;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  library_call(library_call const&) = delete;
  library_call& operator=(library_call const&) = delete;
  ~library_call() { end(); }
  /// The rest may be interrupted by another.
  void end() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    thread_.in_library = nested_;
  }
  /// This is a signal handler's call, and it interrupts another.
  bool is_nested() const noexcept { return nested_; }

 private:
  thread_state& thread_;
  bool nested_;
};

/// Where this object forgets the state of a thread that ends.
inline pthread_key_t forget_key() noexcept {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, [](void*) { this_thread = &nothing_yet; });
    return made;
  }();
  return key;
}

/// The state that another object of the process (a plugin, the program) has made for this thread; else nothing_yet.
[[gnu::noinline, gnu::cold]] inline thread_state* find_thread() noexcept {
  if (void* const there = pthread_getspecific(process().exit_key)) {
    pthread_setspecific(forget_key(), &this_thread);
    this_thread = static_cast<thread_state*>(there);
  }
  return this_thread;
}
/// This thread's state for whoever only looks at it: none is made.
inline thread_state& seen_thread() noexcept { return this_thread != &nothing_yet ? *this_thread : *find_thread(); }

/// Gives this thread a state of its own: that of a thread which has ended and whose ring is empty, or a new one. Null
/// when there is no memory.
[[gnu::noinline, gnu::cold]] inline thread_state* attach_thread() noexcept {
  if (this_thread != &nothing_yet) return this_thread;
  if (find_thread() != &nothing_yet) return this_thread;
  process_state& shared = process();
  pthread_setspecific(forget_key(), &this_thread);
  thread_state* state = shared.threads.load(std::memory_order_acquire);
  for (; state; state = state->next) {
    bool free = false;
    if (state->in_use.compare_exchange_strong(free, true, std::memory_order_acq_rel)) break;
  }
  if (!state) {
    void* const page = allocate_pages(thread_page_size);
    if (!page) return nullptr;
    state = ::new (page) thread_state;
    state->free_memory = reinterpret_cast<std::uintptr_t>(page) + sizeof(thread_state);
    thread_state* first = shared.threads.load(std::memory_order_relaxed);
    do state->next = first;
    while (!shared.threads.compare_exchange_weak(first, state, std::memory_order_acq_rel));
  }
  state->current = {};
  state->current.fast_pipeline = at_rest;
  state->scopes = nullptr;
  state->suppressed = false;
  state->in_library = false;  // a thread that a fork left behind may have been in the middle of a call
  state->generation_bits = shared.generation_bits;
  state->random = random_seed(state);
  state->trace_seed = random_seed(&state->random) | 1;
  state->uncaught_exceptions = uncaught_exceptions_address();
  state->closed.store(false, std::memory_order_relaxed);
  pthread_setspecific(shared.exit_key, state);
  this_thread = state;
  return state;
}

/// This thread's own state, or null when it has none yet and there is no memory for one.
inline thread_state* own_thread() noexcept { return this_thread != &nothing_yet ? this_thread : attach_thread(); }

/// Makes a context current. A signal handler that traces sees the one before or this one: in between it is kept off the
/// fast path, and by the caller's library_call off the other.
inline void make_current(thread_state& thread, active_context const& context) noexcept {
  active_context next = context;
  next.fast_pipeline = no_pipeline;
  thread.current.fast_pipeline = no_pipeline;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  thread.current = next;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  thread.current.fast_pipeline = context.fast_pipeline;
}

/// Makes `active` current until leave_scope.
inline void enter_scope(thread_state& thread, scope_link& link, active_context const& active,
                        extras_ref held) noexcept {
  const library_call call(thread);
  link.saved = thread.current;
  link.outer = thread.scopes;
  link.held = std::move(held);
  thread.scopes = &link;
  active_context next = active;
  if (next.fast_pipeline == at_rest) next.fast_pipeline = no_pipeline;
  next.extras = link.held.get();
  make_current(thread, next);
}

/// Restores what was current before. A scope that ends before one inside it hands what it had saved to that one.
inline void leave_scope(thread_state& thread, scope_link& link) noexcept {
  const library_call call(thread);
  if (thread.scopes == &link) {
    thread.scopes = link.outer;
    make_current(thread, link.saved);
  } else {
    scope_link* inner = thread.scopes;
    while (inner && inner->outer != &link) inner = inner->outer;
    if (!inner) return;  // entered on another thread, which still has it in its list: see scoped_span
    inner->saved = link.saved;
    inner->outer = link.outer;
  }
  link.held = {};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
